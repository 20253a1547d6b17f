//! How the till and the server stand, on every page, and from when on that is somebody's business.

use shared_protocol::message::ErrorCode;

/// How the till and the server stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pill {
    /// The server has everything.
    Online,
    /// Connected; so many entries are not acknowledged yet.
    Sending {
        /// How many.
        entries: u64,
    },
    /// Not connected; selling goes on.
    Offline {
        /// Entries the server does not have, as far as is known here.
        entries: u64,
        /// Since when, by the device's wall clock; none since the start.
        since_ms: Option<u64>,
        /// Why the server does not want this terminal, when it said so.
        refused: Option<ErrorCode>,
    },
}

/// Why the technicians should know how a till and the server stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Another device has this one's place.
    Replaced,
    /// The server speaks another version.
    Version,
    /// The server does not know this device.
    Unknown,
    /// No server for long, or much that it does not have.
    Late,
}

/// So long without a server, or so much that it does not have, is of concern.
const LATE_MS: u64 = 15 * 60_000;
const LATE_ENTRIES: u64 = 100;

impl Pill {
    /// Why the technicians should know, at a moment of the device's wall clock. Other codes of the server are a network that is not there.
    pub fn concern(self, now_ms: u64) -> Option<Concern> {
        let Self::Offline {
            entries,
            since_ms,
            refused,
        } = self
        else {
            return None;
        };
        let is_late =
            entries >= LATE_ENTRIES || since_ms.is_some_and(|since_ms| now_ms.saturating_sub(since_ms) >= LATE_MS);
        match refused {
            Some(ErrorCode::Replaced) => Some(Concern::Replaced),
            Some(ErrorCode::Version) => Some(Concern::Version),
            Some(ErrorCode::UnknownTerminal | ErrorCode::BadSignature) => Some(Concern::Unknown),
            _ => is_late.then_some(Concern::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offline(entries: u64, since_ms: Option<u64>, refused: Option<ErrorCode>) -> Pill {
        Pill::Offline {
            entries,
            since_ms,
            refused,
        }
    }

    #[test]
    fn technicians_should_know_of_long_and_of_much_and_of_a_server_that_does_not_want_the_device() {
        let concerns = [
            (offline(0, None, None), None),
            (offline(99, Some(1), None), None),
            (offline(100, None, None), Some(Concern::Late)),
            (offline(0, Some(0), None), Some(Concern::Late)),
            (
                offline(100, Some(0), Some(ErrorCode::Replaced)),
                Some(Concern::Replaced),
            ),
            (offline(0, None, Some(ErrorCode::Version)), Some(Concern::Version)),
            (
                offline(0, None, Some(ErrorCode::UnknownTerminal)),
                Some(Concern::Unknown),
            ),
            (offline(0, None, Some(ErrorCode::BadSignature)), Some(Concern::Unknown)),
            (Pill::Sending { entries: 1_000 }, None),
            (Pill::Online, None),
        ];
        for (pill, concern) in concerns {
            assert_eq!(pill.concern(LATE_MS), concern, "{pill:?}");
        }
    }
}
