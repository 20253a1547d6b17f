//! What the web service's error codes mean.
//!
//! Known are the codes up to 34, which the web service gives itself, and 5017. How it passes on that the unit has no time, is not tested, full, expired
//! or out of use is not known: such an answer is told by the name in its description, which the unit's own protocol has, and any other code of the unit
//! is taken as "it may or may not have done it".

use fiscal::TseError;

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The code; 0 where none came.
    pub code: u64,
    /// The description, cut to a sensible length.
    pub description: String,
}

/// The client is not registered.
pub(crate) const CLIENT_NOT_REGISTERED: u64 = 19;
/// What was asked for cannot be done now: registering a till twice, or ending a registration that is none.
pub(crate) const CANNOT_BE_PROCESSED: u64 = 5;
/// The web service has no such command.
pub(crate) const UNSUPPORTED: [u64; 2] = [1, 2];
/// There is no such open transaction.
pub(crate) const NO_ORDER: u64 = 5017;
/// Codes of the web service itself, given before the unit was asked to do anything.
const OF_THE_SERVICE: std::ops::RangeInclusive<u64> = 1..=34;

/// Names of conditions of the unit, as its own protocol has them.
const CONDITIONS: [(&str, TseError); 5] = [
    ("TIME_NOT_SET", TseError::TimeNotSet),
    // It tests itself when it is made ready, which sets the time as well.
    ("SELF_TEST_REQUIRED", TseError::TimeNotSet),
    ("CERTIFICATE_EXPIRED", TseError::CertificateExpired),
    ("DISABLED", TseError::Disabled),
    ("STORAGE", TseError::Storage),
];

impl Refusal {
    /// Whether a wrong password was sent: sending it again would block the user.
    pub const fn is_wrong_password(&self) -> bool {
        matches!(self.code, 27 | 29 | 30)
    }

    /// As the trait says it, about this till and transaction.
    pub fn into_error(self, client: &str, transaction: u64) -> TseError {
        let told = format!("code {} ({})", self.code, self.description);
        match self.code {
            CLIENT_NOT_REGISTERED => TseError::UnknownClient(client.to_owned()),
            21 => TseError::TooManyOpen,
            23 => TseError::TooManyClients,
            24 => TseError::Refused("the till has open transactions; they have to end first".to_owned()),
            27..=34 => TseError::AccessDenied(told),
            NO_ORDER => TseError::UnknownTransaction(transaction),
            code if OF_THE_SERVICE.contains(&code) => TseError::Refused(told),
            _ => {
                let known = CONDITIONS.iter().find(|(name, _)| self.description.contains(name));
                known.map_or(TseError::Unavailable(told), |(_, error)| error.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u64, description: &str) -> TseError {
        let refusal = Refusal {
            code,
            description: description.to_owned(),
        };
        refusal.into_error("till", 7)
    }

    #[test]
    fn known_codes_are_what_they_mean() {
        assert_eq!(error(19, ""), TseError::UnknownClient("till".to_owned()));
        assert_eq!(
            (error(21, ""), error(23, "")),
            (TseError::TooManyOpen, TseError::TooManyClients)
        );
        assert_eq!(error(5017, "ERROR_NO_ORDER"), TseError::UnknownTransaction(7));
        for code in [1, 2, 3, 4, 5, 9, 24] {
            assert!(matches!(error(code, "x"), TseError::Refused(_)), "{code}");
        }
        for code in 27..=34 {
            assert!(matches!(error(code, "x"), TseError::AccessDenied(_)), "{code}");
        }
    }

    #[test]
    fn conditions_are_told_by_their_name_and_all_else_is_an_outage() {
        assert_eq!(error(5900, "ERROR_TIME_NOT_SET"), TseError::TimeNotSet);
        assert_eq!(error(5900, "ERROR_SELF_TEST_REQUIRED"), TseError::TimeNotSet);
        assert_eq!(error(5900, "ERROR_CERTIFICATE_EXPIRED"), TseError::CertificateExpired);
        assert_eq!(error(5900, "ERROR_DISABLED"), TseError::Disabled);
        assert_eq!(error(5900, "ERROR_STORAGE_FAILURE"), TseError::Storage);
        assert!(matches!(error(5001, "ERROR_ELSE"), TseError::Unavailable(_)));
        assert!(error(0, "").is_outage());
    }
}
