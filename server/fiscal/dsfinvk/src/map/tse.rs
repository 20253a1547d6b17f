//! How an order came off, as a row of `transactions_tse.csv`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use store::{OutageRow, SigningRow, SigningState, TransactionRow};

use crate::model::{Signed, TseRecord, Word};

/// The rows that say how an order came off.
#[derive(Debug, Clone, Copy, Default)]
pub struct CameOff<'a> {
    /// None while it waits for its signature, and for a transaction that became no order.
    pub signing: Option<&'a SigningRow>,
    /// The transaction, once it is signed.
    pub transaction: Option<&'a TransactionRow>,
    /// The outage it was made in.
    pub outage: Option<&'a OutageRow>,
}

impl<'a> CameOff<'a> {
    /// The row. An order that is not signed says why; one that was signed late says so besides.
    pub fn record(&self) -> TseRecord<'a> {
        let signed = self.transaction.and_then(signed);
        let tse = self
            .signing
            .map(|row| row.tse)
            .or(self.transaction.map(|row| row.tse))
            .map(|no| u32::from(no.0));
        let fault: Word<'a> = match (self.signing.map(|row| row.state), &signed) {
            (Some(SigningState::Signed) | None, Some(_)) => Word::default(),
            (Some(SigningState::SignedLate), Some(_)) => Cow::Owned(format!("{}; später signiert", self.outage())),
            (Some(SigningState::InOutage), _) => Cow::Owned(self.outage()),
            (None, None) => Cow::Borrowed("Noch nicht signiert"),
            (Some(_), None) => Cow::Borrowed("Die Transaktion fehlt in den Büchern"),
        };
        TseRecord { tse, signed, fault }
    }

    fn outage(&self) -> String {
        let Some(outage) = self.outage else {
            return "TSE ausgefallen".to_owned();
        };
        let until = outage.until_ms.map_or("auf weiteres".to_owned(), time);
        format!(
            "TSE ausgefallen von {} bis {until}: {}",
            time(outage.from_ms),
            german(&outage.reason)
        )
    }
}

fn signed(row: &TransactionRow) -> Option<Signed<'_>> {
    let end = row.end.as_ref()?;
    Some(Signed {
        transaction: row.transaction,
        started_s: row.started_s,
        ended_s: end.time_s,
        process_type: Cow::Borrowed(&end.process_type),
        counter: end.counter,
        signature: Cow::Owned(STANDARD.encode(&end.signature)),
        process_data: Cow::Borrowed(&end.process_data),
    })
}

/// To the second, for a text of 200 characters that people read.
fn time(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1_000).unwrap_or(i64::MAX);
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    format!("{at:.0}")
}

/// Reasons as the signer notes them, by how they begin, and what an auditor reads.
const REASONS: [(&str, &str); 7] = [
    ("the till could not reach the TSE", "die Kasse erreichte die TSE nicht"),
    (
        "the TSE refused the till's transaction",
        "die TSE lehnte die Transaktion der Kasse ab",
    ),
    ("the TSE does not answer", "die TSE antwortet nicht"),
    ("the TSE's clock is not set", "die Uhr der TSE ist nicht gestellt"),
    (
        "the TSE's certificate is no longer valid",
        "das Zertifikat der TSE ist abgelaufen",
    ),
    (
        "the TSE's memory is full or broken",
        "der Speicher der TSE ist voll oder defekt",
    ),
    ("the TSE was put out of use", "die TSE ist außer Betrieb gesetzt"),
];

/// The reason of an outage in German; what follows it, and one that is not known, stay as they are.
pub fn german(reason: &str) -> String {
    let known = REASONS
        .iter()
        .find_map(|(english, german)| Some((german, reason.strip_prefix(english)?)));
    known.map_or_else(|| reason.to_owned(), |(german, rest)| format!("{german}{rest}"))
}

#[cfg(test)]
mod tests {
    use fiscal::TseError;

    use super::*;

    #[test]
    fn every_outage_of_a_tse_has_german_words() {
        let errors = [
            TseError::Unavailable("timeout".to_owned()),
            TseError::TimeNotSet,
            TseError::CertificateExpired,
            TseError::Storage,
            TseError::Disabled,
        ];
        for error in errors {
            assert!(error.is_outage());
            assert!(german(&error.to_string()).starts_with('d'), "{error}");
        }
        assert_eq!(
            german("the TSE does not answer: timeout"),
            "die TSE antwortet nicht: timeout"
        );
        assert_eq!(german("struck by lightning"), "struck by lightning");
    }
}
