//! Choices of the operator that decide how orders come off and how they are shown, with their history.
//!
//! ```text
//! a flag, the environment or the settings file ──▶ fixed: nobody changes it on a page
//! else the last statement of the history       ──▶ what a page, or a server's settings, said last
//! else the default
//! ```
//! Every change is a [`TaxRow`]; rows are never changed. The first statement about a choice holds from the beginning, because it tells what held until then;
//! each later one for what is begun after it. That way an export of an old day tells what held on that day, however often it is made. What a wristband's
//! balance is does not change any more once an order has come off: signatures name it.
//!
//! None of this says what is right: a tax advisor does.

use shared_protocol::EventId;
use store::{Reader, StoreError, TaxRow};

use crate::process_data::VoucherModel;
use crate::signer::OutagePolicy;

/// Whether a taxpayer's number is a VAT id of Germany (`USt-IdNr.`, § 27a `UStG`) rather than a tax number (`Steuernummer`). Receipts may name either
/// (§ 14 (4) no. 2 `UStG`), by its own name.
pub fn is_vat_id(number: &str) -> bool {
    let digits = number.trim().strip_prefix("DE");
    digits.is_some_and(|digits| digits.len() == 9 && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The key under which a start of the program is noted, with its version.
pub const PROGRAM: &str = "program";

/// Why a server states something, as the history keeps it (English) and as German readers see it.
pub const SERVER_SAYS: [(&str, &str); 5] = [
    (BY_FLAG, "beim Start durch eine Option oder die Umgebung festgelegt"),
    (BY_FILE, "beim Start in der Einstellungsdatei festgelegt"),
    (BY_ITSELF, "galt von selbst, als der Verlauf begann"),
    (PROGRAM_STARTED, "dieses Programm wurde gestartet"),
    (BY_SAMPLE, "das Beispielfestival zeigt, wie nachsigniert wird"),
];

/// A flag or the environment fixes it.
pub const BY_FLAG: &str = "fixed by a flag or the environment when the server started";
/// The settings file fixes it.
pub const BY_FILE: &str = "fixed in the settings file when the server started";
/// Nobody chose it.
pub const BY_ITSELF: &str = "held by itself when the history began";
/// Another program than before.
pub const PROGRAM_STARTED: &str = "this program was started";
/// The sample festival chose it.
pub const BY_SAMPLE: &str = "the sample festival shows how orders are signed late";

/// Why something was stated, in German where a server did; what people wrote stays as it is.
pub fn why_in_german(row: &TaxRow) -> &str {
    let known = SERVER_SAYS
        .iter()
        .find(|(english, _)| row.by.is_none() && row.why == *english);
    known.map_or(row.why.as_str(), |(_, german)| german)
}

/// When the transaction of a sale begins at its TSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Begins {
    /// With the first item in an empty cart, where the till reaches its server (§ 2 `KassenSichV`; AEAO to § 146a, no. 2.2.2, by secondary sources).
    #[default]
    FirstItem,
    /// With the payment: start and end one after the other. A cart that is given up leaves no trace.
    Payment,
}

/// A choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// What the balance of a wristband is: a multi-purpose voucher (§ 3 (15) `UStG`) or electronic money.
    WristbandIs,
    /// What becomes of orders that were made in an outage.
    OutagePolicy,
    /// When a transaction begins.
    TransactionBegins,
    /// Whether what is sold is consumed on the premises (`INHAUS` of the DSFinV-K).
    InHouse,
}

/// What a value of a choice is as text, with what it means. The first is the default.
type Values<T> = &'static [(&'static str, T)];

const WRISTBAND_IS: Values<VoucherModel> = &[
    ("voucher", VoucherModel::VoucherLines),
    ("e-money", VoucherModel::ElectronicMoney),
];
const OUTAGE_POLICY: Values<OutagePolicy> = &[
    ("mark-only", OutagePolicy::MarkOnly),
    ("resign-marked", OutagePolicy::ResignMarked),
];
const TRANSACTION_BEGINS: Values<Begins> = &[("first-item", Begins::FirstItem), ("payment", Begins::Payment)];
const IN_HOUSE: Values<bool> = &[("yes", true), ("no", false)];

impl Choice {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::WristbandIs,
        Self::OutagePolicy,
        Self::TransactionBegins,
        Self::InHouse,
    ];

    /// Its name in the history and in settings files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::WristbandIs => "wristband_is",
            Self::OutagePolicy => "outage_policy",
            Self::TransactionBegins => "transaction_begins",
            Self::InHouse => "in_house",
        }
    }

    /// The choice of a name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.key() == key)
    }

    /// What may be chosen, as text; the first is the default.
    pub fn values(self) -> Vec<&'static str> {
        match self {
            Self::WristbandIs => names(WRISTBAND_IS),
            Self::OutagePolicy => names(OUTAGE_POLICY),
            Self::TransactionBegins => names(TRANSACTION_BEGINS),
            Self::InHouse => names(IN_HOUSE),
        }
    }

    /// A value, if it is one that may be chosen.
    pub fn value(self, text: &str) -> Option<&'static str> {
        self.values().into_iter().find(|value| *value == text)
    }

    /// Whether it may be changed while there are no orders only: signatures name what was chosen.
    pub const fn only_before_orders(self) -> bool {
        matches!(self, Self::WristbandIs)
    }

    /// What holds where nobody said anything.
    pub fn default_value(self) -> &'static str {
        self.values().into_iter().next().unwrap_or_default()
    }

    const fn place(self) -> usize {
        self as usize
    }
}

fn names<T>(values: Values<T>) -> Vec<&'static str> {
    values.iter().map(|(name, _)| *name).collect()
}

/// Where a choice is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// By a flag of the command line, or by the environment.
    Flag,
    /// In the settings file.
    File,
}

/// A choice that the server's settings made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    /// The value, one of [`Choice::values`].
    pub value: &'static str,
    /// Where.
    pub place: Place,
}

/// Which choices the server's settings made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fixed([Option<Fix>; Choice::ALL.len()]);

impl Fixed {
    /// How a choice is fixed.
    pub fn of(&self, choice: Choice) -> Option<Fix> {
        self.0.get(choice.place()).copied().flatten()
    }

    /// With a choice fixed.
    #[must_use]
    pub fn with(mut self, choice: Choice, fix: Option<Fix>) -> Self {
        if let Some(place) = self.0.get_mut(choice.place()) {
            *place = fix;
        }
        self
    }
}

/// The history says something that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tax settings say {key} = {value:?}, which this program does not know; start the program that wrote it, nothing was changed"
)]
pub struct UnknownValue {
    key: &'static str,
    value: String,
}

/// What held when. The first value holds from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps<T> {
    first: T,
    later: Vec<(u64, T)>,
}

impl<T: Copy> Steps<T> {
    /// One value for ever.
    pub const fn always(value: T) -> Self {
        Self {
            first: value,
            later: Vec::new(),
        }
    }

    /// What held for something that was begun then, in ms since 1970 by the server's clock.
    pub fn at(&self, begun_ms: u64) -> T {
        let before = self.later.iter().rev().find(|(since_ms, _)| *since_ms <= begun_ms);
        before.map_or(self.first, |(_, value)| *value)
    }

    /// What holds now.
    pub fn newest(&self) -> T {
        self.later.last().map_or(self.first, |(_, value)| *value)
    }

    /// Every value that ever held.
    pub fn values(&self) -> impl Iterator<Item = T> {
        std::iter::once(self.first).chain(self.later.iter().map(|(_, value)| *value))
    }

    fn of(rows: &[(u64, TaxRow)], choice: Choice, values: Values<T>) -> Result<Self, UnknownValue> {
        let known = |row: &TaxRow| {
            let found = values.iter().find(|(name, _)| *name == row.value);
            found.map(|(_, value)| *value).ok_or_else(|| UnknownValue {
                key: choice.key(),
                value: row.value.clone(),
            })
        };
        let mut said = rows.iter().map(|(_, row)| row).filter(|row| row.key == choice.key());
        let first = match (said.next(), values) {
            (Some(row), _) => known(row)?,
            (None, [(_, default), ..]) => *default,
            (None, []) => unreachable!("each choice has values"),
        };
        let later = said.map(|row| Ok((row.at_ms, known(row)?)));
        Ok(Self {
            first,
            later: later.collect::<Result<_, UnknownValue>>()?,
        })
    }
}

/// All choices as the history tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What the balance of a wristband is; one value for all orders.
    pub wristband_is: VoucherModel,
    /// What becomes of orders that were made in an outage.
    pub outage_policy: Steps<OutagePolicy>,
    /// When a transaction begins.
    pub begins: Steps<Begins>,
    /// Whether what is sold is consumed on the premises.
    pub in_house: Steps<bool>,
}

impl Choices {
    /// Without a history.
    pub const fn always(policy: OutagePolicy, model: VoucherModel) -> Self {
        Self {
            wristband_is: model,
            outage_policy: Steps::always(policy),
            begins: Steps::always(Begins::FirstItem),
            in_house: Steps::always(true),
        }
    }

    /// As the rows of an event tell them, in their order; rows about other things are passed over.
    pub fn read(rows: &[(u64, TaxRow)]) -> Result<Self, UnknownValue> {
        Ok(Self {
            wristband_is: Steps::of(rows, Choice::WristbandIs, WRISTBAND_IS)?.newest(),
            outage_policy: Steps::of(rows, Choice::OutagePolicy, OUTAGE_POLICY)?,
            begins: Steps::of(rows, Choice::TransactionBegins, TRANSACTION_BEGINS)?,
            in_house: Steps::of(rows, Choice::InHouse, IN_HOUSE)?,
        })
    }
}

/// Rows read at a time.
const PAGE_ROWS: u64 = 1_024;

/// All statements of an event, with their numbers.
pub fn rows(reader: &mut dyn Reader, event: EventId) -> Result<Vec<(u64, TaxRow)>, StoreError> {
    let mut all: Vec<(u64, TaxRow)> = Vec::new();
    loop {
        let from = all.last().map_or(0, |(no, _)| no + 1);
        let mut page = reader.tax(event, from, PAGE_ROWS)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.append(&mut page);
    }
}

/// The last statement about something.
pub fn last<'a>(rows: &'a [(u64, TaxRow)], key: &str) -> Option<&'a TaxRow> {
    rows.iter().rev().map(|(_, row)| row).find(|row| row.key == key)
}

/// Something that a server has to say when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// About what.
    pub choice: Choice,
    /// What holds.
    pub value: &'static str,
    /// Whether somebody said something else before. Then it may be refused ([`Choice::only_before_orders`]).
    pub changes: bool,
}

/// What a server that starts with these settings has to add to the history.
pub fn to_say(rows: &[(u64, TaxRow)], fixed: &Fixed) -> Vec<Said> {
    let said = |choice: Choice| {
        let before = last(rows, choice.key()).map(|row| row.value.as_str());
        let value = match (fixed.of(choice), before) {
            (Some(fix), before) if before != Some(fix.value) => fix.value,
            (None, None) => choice.default_value(),
            _ => return None,
        };
        Some(Said {
            choice,
            value,
            changes: before.is_some(),
        })
    };
    Choice::ALL.into_iter().filter_map(said).collect()
}

#[cfg(test)]
mod tests;
