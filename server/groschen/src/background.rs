//! Threads that work beside a server until it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::Context as _;

/// A thread that runs.
pub struct Background {
    what: &'static str,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Background {
    /// Begins `work` on a thread of that name, as `what` in sentences. It has to return soon after the flag is set.
    pub fn start(
        name: &'static str,
        what: &'static str,
        work: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&stopped))
            .with_context(|| format!("{what} cannot be started"))?;
        Ok(Self { what, stop, thread })
    }

    /// Lets it finish what it does.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("{} ended by a fault of the program; please report this", self.what);
        }
    }
}
