//! Makes receipts of orders: what was booked and how it came off, in the words of the standard. Pure, and the same for the same order.
//!
//! ```text
//!  goods               Umsatz                          at their key          vouchers that pay    Einzweck-, MehrzweckgutscheinEinloesung  −  key 5
//!  deposit out, back   Pfand, PfandRueckzahlung        at their key          top-up               MehrzweckgutscheinKauf                   +  key 5
//!  discount            Rabatt                          at its key            pay-out              MehrzweckgutscheinEinloesung             −  key 5
//!  wristband pays      MehrzweckgutscheinEinloesung −  key 5, no payment     gets money back      MehrzweckgutscheinKauf                   +  key 5
//!  owed, settled       Forderungsentstehung −, -aufloesung +  key 5          float, safe, count   Anfangsbestand, Geldtransit, DifferenzSollIst
//! ```
//! The sums by key, put into the five groups of the process data, are what [`Kassenbeleg`] tells the TSE; a property test holds the two together. What is
//! taken back keeps its business case and turns its sign. A cart that was given up shows its lines as dropped, without amounts: the TSE was told zero.

mod lines;
mod master;
mod tse;

use std::borrow::Cow;

use fiscal::process_data::{Kassenbeleg, Vorgangstyp};
use fiscal::shift;
use fiscal::{VoucherModel, signer::client_of};
use ledger::{Account, Posting};
use shared_protocol::config::Config;
use shared_protocol::order::{CancelReason, Order};
use shared_protocol::{Amount, AssetId, Overflow, TagId};
use store::TransactionRow;

pub use master::{place, register, taxpayer, tse_unit, vat_table};
pub use tse::{CameOff, german};

use crate::model::{Receipt, Reference, Word};
use crate::words::{ReceiptKind, ReferenceKind};

/// How an event wants its receipts in the export.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// How what a guest spends from a wristband is shown; the same as the signer had.
    pub model: VoucherModel,
    /// Whether what bars and food stalls sell is consumed on the spot (`INHAUS`).
    pub in_house: bool,
    /// Whether cashiers are named, besides their number.
    pub staff_names: bool,
    /// What a wristband is called in the export (`GUTSCHEIN_NR`). Its own number would follow a guest through the festival: [`pseudonym`] does not.
    pub wristband: &'a dyn Fn(TagId) -> String,
}

/// A receipt that another one takes back, as its export names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its till.
    pub till: String,
    /// Its closing; none where it is not closed yet.
    pub closing: Option<u64>,
    /// Its id.
    pub receipt: String,
    /// The day it is counted on, `2027-07-17`.
    pub day: String,
}

/// Everything that makes a receipt.
#[derive(Debug, Clone, Copy)]
pub struct Booked<'a> {
    /// What was booked.
    pub order: &'a Order,
    /// What a correction takes the place of; it is taken back on the same receipt.
    pub replaced: Option<&'a Order>,
    /// What it was priced with, or the newest where that is not known: the same as the signer had.
    pub config: &'a Config,
    /// How it came off.
    pub came_off: CameOff<'a>,
    /// `BON_NR`.
    pub number: u64,
    /// When it was closed by the corrected clock, in ms since 1970.
    pub ended_ms: u64,
    /// What the guest owes more (above zero) or less since it was booked, in cents: [`owed`] of its posting.
    pub owed: Amount,
    /// The receipt that it takes back.
    pub takes_back: Option<&'a Target>,
}

/// What guests owe more (above zero) or less since a posting, in cents: goods were taken that their wristbands could not pay, or that was settled.
pub fn owed(posting: &Posting) -> Result<Amount, Overflow> {
    let euros = posting
        .transfers
        .iter()
        .filter(|transfer| transfer.asset == AssetId::EURO);
    let net = euros.map(|transfer| {
        let [given, taken] =
            [transfer.from, transfer.to].map(|account| i128::from(matches!(account, Account::Overdraft { .. })));
        (given - taken) * i128::from(transfer.amount.0)
    });
    Amount::from_wide(net.sum())
}

/// A name for a wristband that says nothing of its number, the same throughout a festival's exports. `secret` is the festival's own: who has it can tell
/// which receipts are of one wristband's number.
pub fn pseudonym(secret: &[u8; 32], tag: TagId) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::new()
        .chain_update(b"dsfinvk wristband")
        .chain_update(secret)
        .chain_update(tag.as_slice())
        .finalize();
    shared_protocol::ids::hex(digest.get(..8).unwrap_or_default())
}

/// The receipt of an order. Where a shift begins or ends nothing is charged, and `BON_NAME` says what it was. An order whose sums nobody can give is `AVSonstige`, with its lines dropped: its TSE was told it in words.
pub fn receipt<'a>(booked: &Booked<'a>, settings: &Settings<'a>) -> Receipt<'a> {
    if let Some(mark) = booked.order.shift {
        return Receipt {
            name: Cow::Borrowed(shift::name(mark)),
            ..head(booked, settings, ReceiptKind::Sonstige)
        };
    }
    let told = Kassenbeleg::of_order(booked.order, booked.replaced, booked.config, settings.model);
    let kind = match told.as_ref().map(|told| told.kind) {
        Ok(Vorgangstyp::Beleg) => ReceiptKind::Beleg,
        Ok(Vorgangstyp::Training) => ReceiptKind::Training,
        Ok(Vorgangstyp::Belegabbruch) => ReceiptKind::Belegabbruch,
        Err(_) => ReceiptKind::Sonstige,
    };
    let mut receipt = head(booked, settings, kind);
    let counted = match kind {
        ReceiptKind::Beleg | ReceiptKind::Training => lines::counted(booked, settings, &mut receipt).is_ok(),
        _ => false,
    };
    if !counted {
        if kind != ReceiptKind::Belegabbruch {
            receipt.kind = ReceiptKind::Sonstige;
            receipt.name = Cow::Borrowed("Vorgang ohne stimmige Summen");
        }
        lines::dropped(booked, settings, &mut receipt);
    }
    receipt
}

/// The receipt of a transaction that a TSE ended as given up and that became no order.
pub fn given_up<'a>(transaction: &TransactionRow, came_off: &CameOff<'a>, number: u64) -> Receipt<'a> {
    let ended_s = transaction.end.as_ref().map_or(transaction.started_s, |end| end.time_s);
    Receipt {
        // Not the bare id of the cart, which an order may have.
        id: Cow::Owned(format!("{}-A", transaction.cart)),
        number,
        terminal: Cow::Owned(transaction.client.clone()),
        start_ms: transaction.started_s.saturating_mul(1_000),
        end_ms: ended_s.max(transaction.started_s).saturating_mul(1_000),
        tse: came_off.record(),
        ..Receipt::empty(ReceiptKind::Belegabbruch)
    }
}

fn head<'a>(booked: &Booked<'a>, settings: &Settings<'a>, kind: ReceiptKind) -> Receipt<'a> {
    let order = booked.order;
    let staff = booked.config.staff.get(&order.cashier).filter(|_| settings.staff_names);
    Receipt {
        id: Cow::Owned(order.id.to_string()),
        number: booked.number,
        terminal: Cow::Owned(client_of(order.event, order.till)),
        start_ms: booked.ended_ms.saturating_sub(u64::from(order.open_for_ms)),
        end_ms: booked.ended_ms,
        operator: Cow::Owned(order.cashier.0.to_string()),
        operator_name: staff.map_or(Word::default(), |staff| Cow::Borrowed(staff.name.as_str())),
        note: Cow::Borrowed(order.reason.map_or("", reason)),
        references: booked.takes_back.map(reference).into_iter().collect(),
        allocations: order
            .group
            .map(|group| Cow::Owned(group.group.to_string()))
            .into_iter()
            .collect(),
        tse: booked.came_off.record(),
        ..Receipt::empty(kind)
    }
}

const fn reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Mistyped => "Zurückgenommen: vertippt",
        CancelReason::GuestChanged => "Zurückgenommen: Gast wollte anderes",
        CancelReason::OutOfStock => "Zurückgenommen: nicht vorrätig",
        CancelReason::Undo => "Zurückgenommen: gleich nach dem Verkauf",
    }
}

fn reference(target: &Target) -> Reference<'_> {
    Reference {
        line: None,
        kind: ReferenceKind::Transaktion,
        name: Word::default(),
        date: Cow::Borrowed(&target.day),
        till: Cow::Borrowed(&target.till),
        closing: target.closing,
        receipt: Cow::Borrowed(&target.receipt),
    }
}

#[cfg(test)]
mod tests;
