//! A TSE that stops to answer now and then, so that a simulated day has outages of the TSE too.

use std::str::FromStr;

use fiscal::tse::{Document, Finished, Logged, Started, TransactionKey, Tse, TseError, TseInfo, TseStatus};

/// When a TSE is silent: in every so many seconds of the clock, the first few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interruption {
    /// Seconds from the beginning of one silence to that of the next.
    pub every_s: u64,
    /// Seconds of silence.
    pub for_s: u64,
}

/// A pattern that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write EVERY/FOR in seconds, such as 30/10: of every 30 seconds the TSE is silent for 10")]
pub struct NoInterruption;

impl FromStr for Interruption {
    type Err = NoInterruption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (every, silent) = text.split_once('/').ok_or(NoInterruption)?;
        let (every_s, for_s) = (every.parse().ok(), silent.parse().ok());
        match (every_s, for_s) {
            (Some(every_s), Some(for_s)) if 0 < for_s && for_s < every_s => Ok(Self { every_s, for_s }),
            _ => Err(NoInterruption),
        }
    }
}

impl std::fmt::Display for Interruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.every_s, self.for_s)
    }
}

/// A TSE with interruptions, or without.
pub struct Interrupted<T> {
    tse: T,
    interruption: Option<Interruption>,
    /// Not every call names a moment, and the one of the call before is over.
    clock: fn() -> u64,
}

impl<T: Tse> Interrupted<T> {
    /// Around a TSE.
    pub const fn new(tse: T, interruption: Option<Interruption>, clock: fn() -> u64) -> Self {
        Self {
            tse,
            interruption,
            clock,
        }
    }

    fn answers(&mut self) -> Result<&mut T, TseError> {
        let now_s = (self.clock)() / 1_000;
        let is_silent = self
            .interruption
            .is_some_and(|interruption| now_s % interruption.every_s < interruption.for_s);
        if is_silent {
            Err(TseError::Unavailable("simulated outage".to_owned()))
        } else {
            Ok(&mut self.tse)
        }
    }
}

impl<T: Tse> Tse for Interrupted<T> {
    fn prepare(&mut self, now_ms: u64) -> Result<TseInfo, TseError> {
        self.answers()?.prepare(now_ms)
    }

    fn status(&mut self, now_ms: u64) -> Result<TseStatus, TseError> {
        self.answers()?.status(now_ms)
    }

    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.answers()?.register(client, now_ms)
    }

    fn deregister(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.answers()?.deregister(client, now_ms)
    }

    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        self.answers()?.start(key, client, now_ms)
    }

    fn finish(
        &mut self,
        key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError> {
        self.answers()?.finish(key, client, transaction, document, now_ms)
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        self.answers()?.open()
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        self.answers()?.ended(transaction)
    }

    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError> {
        self.answers()?.since(transaction, clients)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use fiscal::SoftwareTse;
    use fiscal::software::Memory;
    use fiscal::tse::Curve;

    use super::*;

    #[test]
    fn it_is_silent_when_it_says_and_answers_else() {
        static NOW_S: AtomicU64 = AtomicU64::new(60);
        let tse = SoftwareTse::new(&[7; 32], Curve::P256, Memory::default()).unwrap();
        let clock = || NOW_S.load(Ordering::Relaxed) * 1_000;
        let mut tse = Interrupted::new(tse, "30/10".parse().ok(), clock);
        assert!(matches!(tse.register("till", 0), Err(TseError::Unavailable(_))));
        NOW_S.store(70, Ordering::Relaxed);
        assert!(tse.register("till", 70_000).is_ok() && tse.open().is_ok());
        NOW_S.store(90, Ordering::Relaxed);
        assert!(tse.start(TransactionKey([1; 16]), "till", 90_000).is_err() && tse.open().is_err());
        for text in ["", "30", "10/10", "10/0", "x/1", "5/9"] {
            assert_eq!(text.parse::<Interruption>(), Err(NoInterruption), "{text}");
        }
    }
}
