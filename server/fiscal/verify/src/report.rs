//! What a judgement of an export says, as values.

use serde::Serialize;

use crate::algorithm::Curve;
use crate::chain::Trust;
use crate::finding::{Code, Finding, Findings, Severity};
use crate::order::{OpenTransaction, Sums};
use crate::record::{About, Record};

/// Bytes as lower hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _always = write!(text, "{byte:02x}");
        text
    })
}

/// Lines of `info.csv` that are kept; a TSE has a handful of components.
const COMPONENTS_MAX: usize = 64;

/// A line of `info.csv`: a component of the TSE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info {
    /// What it is.
    pub description: String,
    /// Who makes it.
    pub manufacturer: String,
    /// Which version.
    pub version: String,
}

impl Info {
    /// Reads `"description:","…","manufacturer:","…","version:","…"`, a component a line.
    pub fn read(text: &str) -> Vec<Self> {
        let line = |line: &str| {
            let fields: Vec<&str> = line.trim().trim_matches('"').split("\",\"").collect();
            let after = |name: &str| {
                let place = fields.iter().position(|field| *field == name);
                let value = place.and_then(|place| fields.get(place + 1));
                value.map_or_else(String::new, |value| crate::finding::shown(value))
            };
            Self {
                description: after("description:"),
                manufacturer: after("manufacturer:"),
                version: after("version:"),
            }
        };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.take(COMPONENTS_MAX).map(line).collect()
    }
}

/// From where to where the messages of a key reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The lowest signature counter.
    pub first_counter: u64,
    /// The highest.
    pub last_counter: u64,
    /// The earliest time, in seconds since 1970.
    pub first_s: i64,
    /// The latest.
    pub last_s: i64,
    /// How many messages.
    pub messages: u64,
}

impl Span {
    /// Of records of one key.
    pub fn of(records: &[Record]) -> Option<Self> {
        let counters = || records.iter().map(|record| record.counter);
        let times = || records.iter().map(|record| record.time.seconds);
        Some(Self {
            first_counter: counters().min()?,
            last_counter: counters().max()?,
            first_s: times().min()?,
            last_s: times().max()?,
            messages: records.len() as u64,
        })
    }
}

/// What is said about a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// SHA-256 of the public key: the serial number of the TSE.
    pub serial: String,
    /// Its curve, where its signatures can be checked.
    pub curve: Option<Curve>,
    /// How it signs.
    pub algorithm: String,
    /// From when its certificate is valid, in seconds since 1970.
    pub valid_from_s: Option<i64>,
    /// Until when.
    pub valid_to_s: Option<i64>,
    /// The subjects of its certificate and of those above it.
    pub chain: Vec<String>,
    /// Where that chain ends.
    pub trust: Trust,
    /// From where to where its messages reach.
    pub span: Span,
    /// Messages whose signature holds.
    pub valid: u64,
    /// Messages whose signature does not hold.
    pub wrong: u64,
    /// Messages whose signature could not be checked.
    pub unchecked: u64,
}

/// What a judgement of an export says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was allowed to be missing.
    pub complete: bool,
    /// Whether it holds: there is no error.
    pub holds: bool,
    /// Whose TSE it is, by its own words.
    pub info: Vec<Info>,
    /// Log messages that could be read.
    pub messages: u64,
    /// Those about transactions.
    pub transaction_messages: u64,
    /// Those about the TSE itself.
    pub system_messages: u64,
    /// Those for its maker to look into.
    pub audit_messages: u64,
    /// Log messages that could not be read, or were too many.
    pub not_judged: u64,
    /// Transactions.
    pub transactions: u64,
    /// Transactions that have not ended.
    pub open_total: u64,
    /// The first of them.
    pub open: Vec<OpenTransaction>,
    /// The clients of transactions.
    pub clients: Vec<String>,
    /// The keys that signed.
    pub keys: Vec<KeyReport>,
    /// How many errors there are.
    pub errors: u64,
    /// How many warnings.
    pub warnings: u64,
    /// How many notes.
    pub notes: u64,
    /// What was found, the worst first; of each kind the first hundred.
    pub findings: Vec<Finding>,
    /// How often what was found.
    pub counts: Vec<Count>,
}

/// How often something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How bad it is.
    pub severity: Severity,
    /// What.
    pub code: Code,
    /// How often.
    pub count: u64,
}

impl Report {
    pub(crate) fn new(complete: bool, records: &[Record], not_judged: u64) -> Self {
        let count = |is: fn(&About) -> bool| records.iter().filter(|record| is(&record.about)).count() as u64;
        Self {
            complete,
            holds: false,
            info: Vec::new(),
            messages: records.len() as u64,
            transaction_messages: count(|about| matches!(about, About::Transaction(_))),
            system_messages: count(|about| *about == About::System),
            audit_messages: count(|about| *about == About::Audit),
            not_judged,
            transactions: 0,
            open_total: 0,
            open: Vec::new(),
            clients: Vec::new(),
            keys: Vec::new(),
            errors: 0,
            warnings: 0,
            notes: 0,
            findings: Vec::new(),
            counts: Vec::new(),
        }
    }

    pub(crate) fn add_key(&mut self, key: KeyReport, sums: Sums) {
        self.keys.push(key);
        self.transactions += sums.transactions;
        self.open_total += sums.open;
        self.open.extend(sums.open_listed);
    }

    pub(crate) fn finish(mut self, info: Vec<Info>, findings: Findings) -> Self {
        self.info = info;
        self.errors = findings.of(Severity::Error);
        self.warnings = findings.of(Severity::Warning);
        self.notes = findings.of(Severity::Note);
        self.holds = self.errors == 0;
        let counts = findings.counts().iter();
        self.counts = counts
            .map(|((severity, code), count)| Count {
                severity: *severity,
                code: *code,
                count: *count,
            })
            .collect();
        self.findings = findings.into_told();
        self
    }

    /// How often something was found.
    pub fn count(&self, code: Code) -> u64 {
        let ours = self.counts.iter().filter(|count| count.code == code);
        ours.map(|count| count.count).sum()
    }

    /// Messages whose signature could not be checked.
    pub fn unchecked(&self) -> u64 {
        self.keys.iter().map(|key| key.unchecked).sum::<u64>() + self.not_judged
    }
}
