//! Progress of long work: one line on standard error, only when a person watches.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// A progress line.
pub struct Progress {
    what: &'static str,
    total: u64,
    shown: Option<Instant>,
    watched: bool,
}

const EVERY: Duration = Duration::from_millis(100);
const WIDTH: u64 = 30;

impl Progress {
    /// A line for work of `total` steps.
    pub fn new(what: &'static str, total: u64) -> Self {
        Self {
            what,
            total,
            shown: None,
            watched: std::io::stderr().is_terminal(),
        }
    }

    /// So much is done.
    pub fn at(&mut self, done: u64) {
        if !self.watched || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let total = self.total.max(1);
        let filled = usize::try_from(done.min(total) * WIDTH / total).unwrap_or(0);
        let empty = usize::try_from(WIDTH).unwrap_or(0) - filled;
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(empty));
        let _closed = write!(std::io::stderr(), "\r{} {bar} {done}/{}  ", self.what, self.total);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _closed = writeln!(std::io::stderr());
        }
    }
}
