//! What stands on a receipt, in no language yet and in no form: § 6 `KassenSichV`, number by number, and what AEAO to § 146a wants besides.

use fiscal::signer::client_of;
use fiscal::{ReceiptCode, VoucherModel};
use shared_protocol::catalogue::{Taxpayer, Text};
use shared_protocol::config::Config;
use shared_protocol::order::{Line, LineKind, Order, OrderKind, TipFor, VoucherUse};
use shared_protocol::shift::ShiftMark;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, OrderId, Overflow};

use crate::Logo;
use crate::sums::{Paid, Payment, Redeemed, TaxRow, taxes};

/// The security module that signs, or would have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its serial number, SHA-256 of its public key.
    pub serial: Vec<u8>,
    /// Whether it has a certificate of the BSI.
    pub certified: bool,
}

/// What a TSE signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TseSignature {
    /// All that the QR code says: till, transaction, counter, times, check value.
    pub code: ReceiptCode,
    /// The TSE.
    pub tse: Module,
    /// Whether the order was made in an outage and signed afterwards. Its outage mark stays (AEAO no. 2.7).
    pub late: bool,
}

/// How an order came off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// A TSE signed it.
    Tse(Box<TseSignature>),
    /// It was made in an outage and is marked as unsigned.
    Outage {
        /// The TSE that would have signed, where that is known.
        tse: Option<Module>,
    },
    /// It waits for its signature.
    Pending,
    /// It is not in the books: all that is known of it is the slip that its till gave the guest ([`shared_protocol::slip`]).
    Till {
        /// What the slip is worth.
        proof: Proof,
        /// The TSE that the till's orders go to, where that is known.
        tse: Option<Module>,
    },
}

/// What a slip is worth: whether its till said what is in it. No till's signature is one of a TSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The till's signature holds.
    Holds,
    /// It does not.
    Broken,
    /// It holds, and the till is locked: who has its key now is not known.
    Locked,
    /// The server does not know the till.
    Unknown,
}

/// What a receipt is made from.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// What was booked.
    pub order: &'a Order,
    /// The order that a correction takes the place of: it is taken back on the same receipt.
    pub replaced: Option<&'a Order>,
    /// What it was priced with; none when this server never had it.
    pub config: Option<&'a Config>,
    /// How it came off.
    pub signature: Signature,
    /// How what a guest spends from a wristband is shown.
    pub model: VoucherModel,
    /// Where a guest finds this receipt; none where the event has no public address.
    pub link: Option<String>,
    /// Whether a guest may have had it before.
    pub copy: bool,
    /// What stands above it.
    pub logo: Option<Logo>,
}

/// Something a receipt must say of itself before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It was given out before.
    Copy,
    /// Practice: nothing was sold.
    Training,
    /// No receipt for a guest (AEAO no. 2.5.5).
    Internal,
    /// A cart was given up: nothing was sold.
    GivenUp,
    /// Made in an outage of the TSE, or of the way to it.
    Outage,
    /// Signed after the outage it was made in.
    SignedLate,
    /// Signed by a TSE in software.
    NotCertified,
    /// Not signed yet.
    Pending,
    /// Not in the books yet: the till's own record, as its slip says it.
    FromTill(Proof),
    /// The slip that led here says something else than what was booked.
    SlipDiffers,
}

/// One line of what was sold, returned, paid in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: LineKind,
    /// For a tip: whose it is.
    pub tip: Option<TipFor>,
    /// Pieces; below zero takes back.
    pub quantity: i32,
    /// Its name in the catalogue; none for what is no article, and where the catalogue is not known.
    pub name: Option<Text>,
    /// Gross price of one piece in cents.
    pub unit_price: Amount,
    /// Gross, in cents; none when it was given up.
    pub total: Option<Amount>,
    /// The rate it was sold at.
    pub rate: TaxRate,
    /// The letter of its row in the tax table.
    pub letter: char,
    /// Vouchers that paid for it, with their name.
    pub vouchers: Option<(u32, Option<Text>)>,
    /// Whether it is a line of the order that a correction takes the place of.
    pub taken_back: bool,
}

/// A receipt's content.
#[derive(Debug, Clone)]
pub struct Content {
    /// What stands above it.
    pub logo: Option<Logo>,
    /// The event's name.
    pub event: Option<Text>,
    /// Name, address and tax number of the business (number 1); none where the configuration is not known.
    pub seller: Option<Taxpayer>,
    /// What it must say of itself, in this order.
    pub marks: Vec<Mark>,
    /// What kind of business it was.
    pub kind: OrderKind,
    /// What it is to a shift; nothing is sold then, and no sums are shown.
    pub shift: Option<ShiftMark>,
    /// The order, by which anybody finds it.
    pub order: OrderId,
    /// The order it takes back.
    pub reverses: Option<OrderId>,
    /// The till's name, else its number.
    pub till: String,
    /// When the process began and ended by the till's clock, ms since 1970 (number 2).
    pub till_times: (u64, u64),
    /// When it began and ended by the TSE's clock, ms since 1970, which counts where there is one (number 2).
    pub tse_times: Option<(u64, u64)>,
    /// IANA name of the zone that times are shown in.
    pub zone: String,
    /// Quantity and kind (number 3).
    pub items: Vec<Item>,
    /// Sum of the items in cents.
    pub total: Amount,
    /// What was redeemed instead of paid.
    pub redeemed: Vec<Redeemed>,
    /// What was left to pay, in cents.
    pub due: Amount,
    /// Amount by kind of payment (AEAO no. 2.4.4), in cents; below zero went to the guest.
    pub payments: Vec<Payment>,
    /// Amount and tax by rate (number 5).
    pub taxes: Vec<TaxRow>,
    /// How balances are shown, which names the reason for no tax.
    pub model: VoucherModel,
    /// Serial number of the recording system (number 6).
    pub serial: String,
    /// How it came off, with serial number of the security module, transaction number, counter and check value (numbers 4, 6 and 8).
    pub signature: Signature,
    /// Where a guest finds it.
    pub link: Option<String>,
}

impl Content {
    /// What stands on the receipt of an order. A sum that does not fit is a fault of the order, and no receipt can be written.
    pub fn of(subject: Subject<'_>) -> Result<Self, Overflow> {
        let Subject { order, config, .. } = subject;
        let model = model_of(&subject);
        let given_up = order.kind == OrderKind::AbortedCart;
        let mut lines: Vec<(Line, bool)> = Vec::new();
        for line in subject.replaced.iter().flat_map(|replaced| &replaced.lines) {
            let quantity = line.quantity.checked_neg().ok_or(Overflow)?;
            lines.push((Line { quantity, ..*line }, true));
        }
        lines.extend(order.lines.iter().map(|line| (*line, false)));

        let mut paid = Paid::default();
        if !given_up {
            paid.add(order, config, model, 1)?;
            if let Some(replaced) = subject.replaced {
                paid.add(replaced, config, model, -1)?;
            }
        }
        let redeemed = paid.redeemed(config);
        let mut amounts = Vec::new();
        for (line, _) in lines.iter().filter(|_| !given_up) {
            amounts.push((line.tax, line.rate, line.total()?));
        }
        let total = Amount::sum(amounts.iter().map(|(.., amount)| *amount))?;
        let off = Amount::sum(redeemed.iter().map(Redeemed::cents))?;
        if !redeemed.is_empty() {
            amounts.push((TaxKey::NOT_TAXABLE, TaxRate::ZERO, off.negated()?));
        }
        let taxes = taxes(amounts)?;
        let items = lines
            .iter()
            .map(|(line, taken_back)| item(line, *taken_back, given_up, config, &taxes));
        let tse_times = match &subject.signature {
            Signature::Tse(tse) => Some((
                tse.code.started_s.saturating_mul(1_000),
                tse.code.finished_s.saturating_mul(1_000),
            )),
            Signature::Outage { .. } | Signature::Pending | Signature::Till { .. } => None,
        };
        let serial = match &subject.signature {
            Signature::Tse(tse) => tse.code.client.clone(),
            Signature::Outage { .. } | Signature::Pending | Signature::Till { .. } => {
                client_of(order.event, order.till)
            }
        };
        let till = config.and_then(|config| config.tills.get(&order.till));
        Ok(Self {
            event: config.map(|config| config.event.name.clone()),
            seller: config.and_then(|config| config.taxpayers.get(&order.taxpayer)).cloned(),
            marks: marks(order.kind, &subject.signature, subject.copy),
            kind: order.kind,
            shift: order.shift,
            order: order.id,
            reverses: order.reverses,
            till: till.map_or_else(|| order.till.to_string(), |till| till.name.clone()),
            till_times: (order.opened_at_ms(), order.closed_at_ms),
            tse_times,
            zone: config.map_or_else(|| "UTC".to_owned(), |config| config.event.time_zone.clone()),
            items: items.collect::<Result<_, _>>()?,
            total,
            due: total.minus(off)?,
            redeemed,
            payments: paid.payments(),
            taxes,
            model,
            serial,
            signature: subject.signature,
            link: subject.link,
            logo: subject.logo,
        })
    }

    /// The TSE's data as its code on receipts says them; none without a signature.
    pub fn tse_code(&self) -> Option<String> {
        match &self.signature {
            Signature::Tse(tse) => Some(tse.code.to_string()),
            Signature::Outage { .. } | Signature::Pending | Signature::Till { .. } => None,
        }
    }

    /// What the QR code says: the TSE's data, else where the receipt is found.
    pub fn code(&self) -> Option<String> {
        self.tse_code().or_else(|| self.link.clone())
    }

    /// When it began and ended, ms since 1970: by the TSE, unless there was an outage; then the till's clock counts (AEAO no. 2.7).
    pub fn times(&self) -> (u64, u64) {
        let in_outage = self.marks.contains(&Mark::Outage);
        self.tse_times.filter(|_| !in_outage).unwrap_or(self.till_times)
    }

    /// Whether something on it has no tax because it is balance or vouchers, which are no supply.
    pub fn has_balance(&self) -> bool {
        let of_money = |item: &Item| matches!(item.kind, LineKind::TopUp | LineKind::PayOut);
        !self.redeemed.is_empty() || self.items.iter().any(of_money)
    }
}

/// The model that the signed data were made with: a receipt says what was signed, whatever the setting is now.
fn model_of(subject: &Subject<'_>) -> VoucherModel {
    let (Signature::Tse(tse), Some(config)) = (&subject.signature, subject.config) else {
        return subject.model;
    };
    let other = match subject.model {
        VoucherModel::VoucherLines => VoucherModel::ElectronicMoney,
        VoucherModel::ElectronicMoney => VoucherModel::VoucherLines,
    };
    let fits = |model: &VoucherModel| {
        fiscal::Kassenbeleg::of_order(subject.order, subject.replaced, config, *model)
            .is_ok_and(|told| told.to_string() == tse.code.process_data)
    };
    [subject.model, other].into_iter().find(fits).unwrap_or(subject.model)
}

fn marks(kind: OrderKind, signature: &Signature, copy: bool) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut mark = |is: bool, mark| marks.extend(is.then_some(mark));
    let (tse, late) = match signature {
        Signature::Tse(signature) => (Some(&signature.tse), signature.late),
        Signature::Outage { tse } | Signature::Till { tse, .. } => (tse.as_ref(), false),
        Signature::Pending => (None, false),
    };
    let proof = match signature {
        Signature::Till { proof, .. } => Some(*proof),
        _ => None,
    };
    mark(copy, Mark::Copy);
    mark(kind == OrderKind::Training, Mark::Training);
    mark(kind.is_of_drawer() || kind == OrderKind::Shift, Mark::Internal);
    mark(kind == OrderKind::AbortedCart, Mark::GivenUp);
    // A till that reaches no server reaches no TSE. Of what nobody vouches for, nothing is said.
    let in_outage = late || matches!(signature, Signature::Outage { .. }) || proof == Some(Proof::Holds);
    mark(in_outage, Mark::Outage);
    mark(late, Mark::SignedLate);
    mark(tse.is_some_and(|tse| !tse.certified), Mark::NotCertified);
    mark(matches!(signature, Signature::Pending), Mark::Pending);
    marks.extend(proof.map(Mark::FromTill));
    marks
}

fn item(
    line: &Line,
    taken_back: bool,
    given_up: bool,
    config: Option<&Config>,
    taxes: &[TaxRow],
) -> Result<Item, Overflow> {
    let row = taxes.iter().find(|row| (row.key, row.rate) == (line.tax, line.rate));
    let named = |VoucherUse { asset, units }: VoucherUse| {
        let asset = config.and_then(|config| config.assets.get(&asset));
        (units, asset.map(|asset| asset.name.clone()))
    };
    Ok(Item {
        kind: line.kind,
        tip: line.tip_for(),
        quantity: line.quantity,
        name: config
            .and_then(|config| config.articles.get(&line.article))
            .map(|article| article.name.clone()),
        unit_price: line.unit_price,
        total: (!given_up).then(|| line.total()).transpose()?,
        rate: line.rate,
        letter: row.map_or(' ', |row| row.letter),
        vouchers: line.vouchers.map(named),
        taken_back,
    })
}
