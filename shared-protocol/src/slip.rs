//! The slip: what a till gives a guest of an order that the server may not have yet. It travels in the receipt's own address, so that the page can show
//! the order before the till has been heard, and its signature ties what it shows to one place in the till's journal.
//!
//! ```text
//! https://HOST/receipt/ORDER?slip=TEXT        TEXT = base64url, without padding, of the CBOR
//!   {0: terminal, 1: body, 2: signature}      signature over (terminal, ORDER, body), domain "groschen slip 1"
//!                 body = {0: epoch, 1: sequence, 2: chain hash after that entry, 3: what a receipt shows of the order}
//! ```
//! It is a chain head signed for one order, with as much of the order as a receipt shows. The journal's entry itself is not in it: an entry names the
//! wristband, what its purse held and what it bought before, and a chip's number is all that is needed to copy some wristbands, while an address is
//! passed on, photographed and kept in histories. An entry cannot be shortened under a head that covers it, hence a signature of its own. The chain hash
//! holds the till to the entry: once that is in the journal, the booked order has to show the same ([`Shown::of`]), or one of the two is not what the
//! till said first. The order's id stands in the address alone, and under the signature: a slip shows nothing under another order's address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::crypto::{BadSignature, Hash32, PublicKey, Signature, signing_input, verify};
use crate::currency::Foreign;
use crate::ids::{
    AssetId, Bytes, CartId, EventId, OrderId, OrganisationId, SessionId, StaffId, TaxpayerId, TerminalId, TillId,
};
use crate::limits::{
    LINE_QUANTITY_MAX, ORDER_LINES_MAX, ORDER_TENDERS_MAX, RECEIPT_ADDRESS_MAX_BYTES, SLIP_TEXT_MAX_BYTES,
};
use crate::money::Amount;
use crate::order::{Line, Order, OrderKind, Tender, TenderKind};
use crate::stream::Version;
use crate::{decode, encode};

/// What a slip's signature is for.
const DOMAIN: &str = "groschen slip 1";

/// What a receipt shows of a payment. Whose wristband it was and what was known of it, no receipt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownTender {
    /// How it was paid.
    pub kind: TenderKind,
    /// How much in cents, or in units of `voucher`.
    pub amount: Amount,
    /// The voucher asset, for a tender of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<AssetId>,
    /// The notes and coins, where cash was in a foreign currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
}

/// Lines and payments of the order that a correction takes the place of: its receipt shows both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Its lines.
    pub lines: Vec<Line>,
    /// Its payments.
    pub tenders: Vec<ShownTender>,
}

/// What a receipt shows of an order, and nothing else of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What kind of business it is.
    pub kind: OrderKind,
    /// The event.
    pub event: EventId,
    /// The till.
    pub till: TillId,
    /// The configuration it was priced with, where names are looked up.
    pub config: Version,
    /// Whose sale it is.
    pub taxpayer: TaxpayerId,
    /// When it was closed, by the device's wall clock, in ms since 1970.
    pub closed_at_ms: u64,
    /// How long the cart had been open then.
    pub open_for_ms: u32,
    /// What was sold, returned, paid in or out.
    pub lines: Vec<Line>,
    /// How it was paid.
    pub tenders: Vec<ShownTender>,
    /// The order it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<OrderId>,
    /// What a correction takes back with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Replaced>,
}

/// What a terminal says and signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The epoch of the order's entry.
    pub epoch: u32,
    /// Its sequence.
    pub seq: u64,
    /// The chain's hash after it ([`link`](crate::chain::link)).
    pub link: Hash32,
    /// What a receipt shows of the order.
    pub shown: Shown,
}

/// The bytes behind the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    terminal: TerminalId,
    /// An encoded [`Body`]: the signature is over these bytes as they are, also where a newer version appended fields.
    body: Bytes,
    signature: Signature,
}

/// A slip that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    terminal: TerminalId,
    order: OrderId,
    body: Vec<u8>,
}

/// A slip as it was read. Nothing in it is true before [`verify`](Self::verify) says so, and then only that its terminal said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    sealed: Sealed,
    body: Body,
}

/// A text that is no slip, not all of it, or larger than any that a till makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no slip of a till, or not all of it; scan the code again")]
pub struct NotASlip;

/// An order has so many lines that its slip fits into no code that phones read well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a slip has at most {SLIP_TEXT_MAX_BYTES} characters; the receipt's address goes without it")]
pub struct TooLong;

impl OrderKind {
    /// Whether a guest is handed a receipt of it (AEAO to § 146a no. 2.5.5: none of what is internal). Others have no slip.
    pub const fn is_for_a_guest(self) -> bool {
        matches!(
            self,
            Self::Sale | Self::Cancel | Self::Correction | Self::TopUp | Self::PayOut | Self::DepositReturn
        )
    }
}

fn shown_tenders(tenders: &[Tender]) -> Vec<ShownTender> {
    let shown = |tender: &Tender| ShownTender {
        kind: tender.kind,
        amount: tender.amount,
        voucher: tender.voucher,
        foreign: tender.foreign,
    };
    tenders.iter().map(shown).collect()
}

fn told_tenders(tenders: &[ShownTender]) -> Vec<Tender> {
    let told = |tender: &ShownTender| Tender {
        voucher: tender.voucher,
        foreign: tender.foreign,
        ..Tender::plain(tender.kind, tender.amount)
    };
    tenders.iter().map(told).collect()
}

impl Replaced {
    /// What a correction shows of the order before it.
    pub fn of(lines: &[Line], tenders: &[Tender]) -> Self {
        Self {
            lines: lines.to_vec(),
            tenders: shown_tenders(tenders),
        }
    }
}

impl Shown {
    /// What a receipt shows of an order; none where a guest is handed no receipt.
    pub fn of(order: &Order, replaced: Option<Replaced>) -> Option<Self> {
        order.kind.is_for_a_guest().then(|| Self {
            kind: order.kind,
            event: order.event,
            till: order.till,
            config: order.config,
            taxpayer: order.taxpayer,
            closed_at_ms: order.closed_at_ms,
            open_for_ms: order.open_for_ms,
            lines: order.lines.clone(),
            tenders: shown_tenders(&order.tenders),
            reverses: order.reverses,
            replaced: replaced.filter(|_| order.kind == OrderKind::Correction),
        })
    }

    /// An order with what is shown and blanks for the rest: for making a receipt of it, and for nothing else.
    pub fn order(&self, id: OrderId) -> Order {
        Order {
            kind: self.kind,
            organisation: OrganisationId([0; 16]),
            event: self.event,
            till: self.till,
            cashier: StaffId(0),
            session: SessionId([0; 16]),
            id,
            cart: CartId([0; 16]),
            config: self.config,
            taxpayer: self.taxpayer,
            closed_at_ms: self.closed_at_ms,
            open_for_ms: self.open_for_ms,
            lines: self.lines.clone(),
            tenders: told_tenders(&self.tenders),
            holder: None,
            reverses: self.reverses,
            reason: None,
            group: None,
            purse: None,
            band: None,
            shift: None,
        }
    }

    /// The order that a correction takes the place of, in the same way; none where the slip does not say it.
    pub fn replaced_order(&self) -> Option<Order> {
        let (replaced, id) = self.replaced.as_ref().zip(self.reverses)?;
        Some(Order {
            kind: OrderKind::Sale,
            lines: replaced.lines.clone(),
            tenders: told_tenders(&replaced.tenders),
            reverses: None,
            ..self.order(id)
        })
    }

    /// Whether this is what an order shows. A till that no longer knew the order before a correction says nothing of it.
    pub fn fits(&self, order: &Order, replaced: Option<&Order>) -> bool {
        let replaced = replaced.filter(|_| self.replaced.is_some());
        let replaced = replaced.map(|old| Replaced::of(&old.lines, &old.tenders));
        Self::of(order, replaced).is_some_and(|shown| shown == *self)
    }

    /// Whether it is within what one order may have.
    fn is_sane(&self) -> bool {
        let fits = |lines: &[Line], tenders: &[ShownTender]| {
            let pieces = -LINE_QUANTITY_MAX..=LINE_QUANTITY_MAX;
            let pieces_fit = lines.iter().all(|line| pieces.contains(&line.quantity));
            lines.len() <= ORDER_LINES_MAX && tenders.len() <= ORDER_TENDERS_MAX && pieces_fit
        };
        let takes_back = matches!(self.kind, OrderKind::Cancel | OrderKind::Correction);
        let replaced_fits = self
            .replaced
            .as_ref()
            .is_none_or(|old| self.kind == OrderKind::Correction && fits(&old.lines, &old.tenders));
        self.kind.is_for_a_guest()
            && takes_back == self.reverses.is_some()
            && fits(&self.lines, &self.tenders)
            && replaced_fits
    }
}

fn message(terminal: TerminalId, order: OrderId, body: &[u8]) -> Vec<u8> {
    signing_input(DOMAIN, &[terminal.bytes(), order.bytes(), body])
}

impl Unsigned {
    /// What `terminal` says of an order.
    pub fn new(terminal: TerminalId, order: OrderId, body: &Body) -> Self {
        Self {
            terminal,
            order,
            body: encode(body),
        }
    }

    /// What the terminal's key signs.
    pub fn message(&self) -> Vec<u8> {
        message(self.terminal, self.order, &self.body)
    }

    /// The slip's text, with the signature over [`message`](Self::message).
    pub fn signed(self, signature: Signature) -> Result<String, TooLong> {
        let sealed = Sealed {
            terminal: self.terminal,
            body: Bytes(self.body),
            signature,
        };
        let text = URL_SAFE_NO_PAD.encode(encode(&sealed));
        if text.len() > SLIP_TEXT_MAX_BYTES {
            return Err(TooLong);
        }
        Ok(text)
    }
}

impl Slip {
    /// Reads a slip's text, whoever made it.
    pub fn read(text: &str) -> Result<Self, NotASlip> {
        if text.len() > SLIP_TEXT_MAX_BYTES {
            return Err(NotASlip);
        }
        Self::from_bytes(&URL_SAFE_NO_PAD.decode(text).map_err(|_| NotASlip)?)
    }

    /// Reads the bytes behind a text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotASlip> {
        let sealed: Sealed = decode(bytes).map_err(|_| NotASlip)?;
        // The signature covers the body. Around it nothing is appended: what is new goes into the body.
        if encode(&sealed) != bytes {
            return Err(NotASlip);
        }
        let body: Body = decode(&sealed.body.0).map_err(|_| NotASlip)?;
        if !body.shown.is_sane() {
            return Err(NotASlip);
        }
        Ok(Self { sealed, body })
    }

    /// The bytes behind its text.
    pub fn bytes(&self) -> Vec<u8> {
        encode(&self.sealed)
    }

    /// The terminal that it says it is of.
    pub const fn terminal(&self) -> TerminalId {
        self.sealed.terminal
    }

    /// What it says.
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Whether the terminal with this key said this of this order.
    pub fn verify(&self, order: OrderId, key: &PublicKey) -> Result<(), BadSignature> {
        let message = message(self.sealed.terminal, order, &self.sealed.body.0);
        verify(key, &message, &self.sealed.signature)
    }
}

/// Where a guest finds a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The whole address.
    pub text: String,
    /// Whether the slip is in it: the receipt opens before the server has the order.
    pub has_slip: bool,
}

impl Address {
    /// Of an order, below `base` (`https://HOST/receipt`): with its slip where there is one and the whole still fits into a code that phones read well.
    pub fn of(base: &str, order: OrderId, slip: Option<&str>) -> Self {
        let plain = format!("{base}/{order}");
        let long = slip.map(|slip| format!("{plain}?slip={slip}"));
        let long = long.filter(|long| long.len() <= RECEIPT_ADDRESS_MAX_BYTES);
        Self {
            has_slip: long.is_some(),
            text: long.unwrap_or(plain),
        }
    }
}

#[cfg(test)]
mod tests;
