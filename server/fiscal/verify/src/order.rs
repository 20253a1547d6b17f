//! What messages say together: counters without a gap, a clock that does not go back, and transactions that begin once and end once.

use wording::both;

use crate::finding::{Code, Findings, Severity};
use crate::message::Operation;
use crate::record::{About, Record, Text, Texts};
use crate::time::shown;

/// A TSE may use up its first signature before it is sold: exports of real ones begin with 1 or with 2.
const FIRST_COUNTER_MAX: u64 = 2;

/// A transaction that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpenTransaction {
    /// Its number.
    pub number: u64,
    /// Its till, as the TSE knows it.
    pub client: String,
    /// When it began, in seconds since 1970.
    pub since_s: i64,
}

/// Open transactions that are listed.
pub const OPEN_LISTED_MAX: usize = 1_000;

/// What the messages of one key come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Transactions.
    pub transactions: u64,
    /// Those that have not ended.
    pub open: u64,
    /// The first of them.
    pub open_listed: Vec<OpenTransaction>,
}

/// Judges the messages of one key.
pub struct Order<'a> {
    /// For names and clients.
    pub texts: &'a Texts,
    /// The operation that sets the clock.
    pub update_time: Option<Text>,
    /// Whether nothing may be missing.
    pub complete: bool,
}

impl Order<'_> {
    fn missing(&self) -> Severity {
        if self.complete {
            Severity::Error
        } else {
            Severity::Warning
        }
    }

    /// Judges all messages of a key. They are put in the order of transactions.
    pub fn judge(&self, records: &mut [Record], findings: &mut Findings) -> Sums {
        records.sort_unstable_by_key(|record| (record.counter, record.time.moment(), record.number, record.about));
        let first = records.first().map_or(0, |record| record.counter);
        if first > FIRST_COUNTER_MAX
            && let Some(record) = records.first()
        {
            let what = || {
                both!(
                    "der erste Signaturzähler ist {first}",
                    "the first signature counter is {first}"
                )
            };
            findings.add_as(self.missing(), Code::BeginsLate, record.name(self.texts), what);
        }
        for pair in records.windows(2) {
            if let [before, after] = pair {
                self.neighbours(before, after, findings);
            }
        }
        let place = |record: &Record| (record.number, record.counter, record.about);
        let is_system = |record: &Record| !matches!(record.about, About::Transaction(_));
        records.sort_unstable_by_key(|record| (is_system(record), place(record)));
        let ours = records.iter().position(is_system).unwrap_or(records.len());
        self.transactions(records.get(..ours).unwrap_or_default(), first, findings)
    }

    fn neighbours(&self, before: &Record, after: &Record, findings: &mut Findings) {
        let name = || after.name(self.texts);
        if before.counter == after.counter {
            let what = || {
                both!(
                    "auch {} hat den Signaturzähler {}",
                    "{} has the signature counter {}, too",
                    before.name(self.texts),
                    after.counter
                )
            };
            findings.add(Code::CounterTwice, name(), what);
        }
        let missing = after.counter.saturating_sub(before.counter).saturating_sub(1);
        if missing > 0 {
            let what = || {
                both!(
                    "davor fehlen {missing} Signaturzähler: {} bis {}",
                    "before it {missing} signature counters are missing: {} to {}",
                    before.counter + 1,
                    after.counter - 1
                )
            };
            findings.add_as(self.missing(), Code::CounterGap, name(), what);
        }
        let sets_clock = |record: &Record| record.about == About::System && Some(record.text) == self.update_time;
        if after.time.moment() < before.time.moment() && !sets_clock(before) && !sets_clock(after) {
            let what = || {
                both!(
                    "sie ist um {} signiert, die Nachricht davor, {}, um {}",
                    "it was signed at {}, the message before it, {}, at {}",
                    shown(after.time.seconds),
                    before.name(self.texts),
                    shown(before.time.seconds)
                )
            };
            // The clock may have been set in a message that is missing.
            let severity = if missing > 0 { self.missing() } else { Severity::Error };
            findings.add_as(severity, Code::TimeFalls, name(), what);
        }
    }

    fn transactions(&self, records: &[Record], first_counter: u64, findings: &mut Findings) -> Sums {
        let mut sums = Sums::default();
        let mut last = (first_counter <= FIRST_COUNTER_MAX).then_some(0);
        for steps in records.chunk_by(|one, other| one.number == other.number) {
            let Some(step) = steps.first() else { continue };
            sums.transactions += 1;
            let missing = last.map_or(0, |last| step.number.saturating_sub(last).saturating_sub(1));
            if missing > 0 {
                let what = || {
                    both!(
                        "vor Transaktion {} fehlen {missing}",
                        "before transaction {} there are {missing} missing",
                        step.number
                    )
                };
                findings.add_as(self.missing(), Code::NumberGap, step.name(self.texts), what);
            }
            last = Some(step.number);
            if !self.transaction(steps, findings) {
                sums.open += 1;
                if sums.open_listed.len() < OPEN_LISTED_MAX {
                    let client = self.texts.get(step.text).to_owned();
                    findings.add(Code::Open, step.name(self.texts), || {
                        both!(
                            "Transaktion {} von {client} ist nicht beendet",
                            "transaction {} of {client} has not ended",
                            step.number
                        )
                    });
                    sums.open_listed.push(OpenTransaction {
                        number: step.number,
                        client,
                        since_s: step.time.seconds,
                    });
                }
            }
        }
        sums
    }

    /// Judges the steps of one transaction, in the order of their signatures. Gives whether it has ended.
    fn transaction(&self, steps: &[Record], findings: &mut Findings) -> bool {
        let number = steps.first().map_or(0, |step| step.number);
        let name = |step: &Record| step.name(self.texts);
        let client = steps.first().map(|step| step.text);
        let (mut started, mut ended) = (false, false);
        for step in steps {
            if Some(step.text) != client {
                let whose = client.map_or("", |client| self.texts.get(client));
                let what = || {
                    both!(
                        "Transaktion {number} gehört {whose}",
                        "transaction {number} belongs to {whose}"
                    )
                };
                findings.add(Code::ClientDiffers, name(step), what);
            }
            match step.about {
                About::Transaction(Operation::Start) if started => {
                    findings.add(Code::StartTwice, name(step), || {
                        both!(
                            "Transaktion {number} hat schon begonnen",
                            "transaction {number} began before"
                        )
                    });
                }
                About::Transaction(Operation::Finish) if ended => {
                    findings.add(Code::FinishTwice, name(step), || {
                        both!(
                            "Transaktion {number} war schon beendet",
                            "transaction {number} ended before"
                        )
                    });
                }
                About::Transaction(Operation::Start | Operation::Update) if ended => {
                    findings.add(Code::OutOfOrder, name(step), || {
                        both!(
                            "Transaktion {number} war davor beendet",
                            "transaction {number} ended before it"
                        )
                    });
                }
                _ => {}
            }
            started |= step.about == About::Transaction(Operation::Start);
            ended |= step.about == About::Transaction(Operation::Finish);
        }
        if let (false, Some(step)) = (started, steps.first()) {
            let what = || {
                both!(
                    "der Beginn von Transaktion {number} fehlt",
                    "the start of transaction {number} is not there"
                )
            };
            findings.add_as(self.missing(), Code::StartMissing, name(step), what);
        } else if let Some(step) = steps.first()
            && step.about != About::Transaction(Operation::Start)
        {
            findings.add(Code::OutOfOrder, name(step), || {
                both!(
                    "sie ist vor dem Beginn von Transaktion {number} signiert",
                    "it was signed before the start of transaction {number}"
                )
            });
        }
        ended
    }
}
