//! A bell that ends a reader's wait from another thread.
//!
//! What must never happen here: a ring that is lost. It counts also when it comes just before the wait begins, which is why a wait is entered
//! through here.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Happening;

/// How often a call that blocks outside is asked again to end: the request is lost when it comes just before the call has begun.
const ASK_AGAIN: Duration = Duration::from_millis(5);
/// How long a wait for nothing but a ring sleeps at once.
const A_WHILE: Duration = Duration::from_hours(1);

/// Rung by whoever wants something of the thread that waits.
#[derive(Default)]
pub struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    rung: bool,
    /// Ends the call that is under way.
    blocked: Option<Box<dyn Fn() + Send>>,
}

impl Bell {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings, and returns when nothing waits any more.
    pub fn ring(&self) {
        let mut state = self.state();
        state.rung = true;
        self.changed.notify_all();
        while let Some(end) = &state.blocked {
            end();
            let waited = self.changed.wait_timeout(state, ASK_AGAIN);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    /// Whether it was rung since it was asked last.
    pub fn take(&self) -> bool {
        std::mem::take(&mut self.state().rung)
    }

    /// Sleeps for a time or until it rings.
    pub fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.state();
        while !state.rung {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    /// The wait of a reader that rings itself when something happens: gives what happened, the oldest first, or that it was only woken.
    pub fn wait(&self, next: impl Fn() -> Option<Happening>) -> Happening {
        loop {
            if let Some(happening) = next() {
                return happening;
            }
            if self.take() {
                return Happening::Woken;
            }
            self.sleep(A_WHILE);
        }
    }

    /// Makes a call that blocks and that `end` ends; `None` when it rang before.
    pub fn block<T>(&self, end: impl Fn() + Send + 'static, call: impl FnOnce() -> T) -> Option<T> {
        {
            let mut state = self.state();
            if state.rung {
                return None;
            }
            state.blocked = Some(Box::new(end));
        }
        let result = call();
        self.state().blocked = None;
        self.changed.notify_all();
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_ring_before_the_sleep_ends_it_at_once_and_counts_once() {
        let bell = Bell::default();
        bell.ring();
        let began = Instant::now();
        bell.sleep(Duration::from_mins(1));
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(bell.take());
        assert!(!bell.take());
    }

    #[test]
    fn a_ring_from_another_thread_ends_a_sleep() {
        let bell = Arc::new(Bell::default());
        let ringer = std::thread::spawn({
            let bell = Arc::clone(&bell);
            move || bell.ring()
        });
        bell.sleep(Duration::from_mins(1));
        ringer.join().unwrap();
        assert!(bell.take());
    }

    #[test]
    fn a_call_that_misses_its_first_end_is_ended_again() {
        use std::sync::mpsc;

        let bell = Arc::new(Bell::default());
        let (end, ended) = mpsc::channel();
        let (begun, begins) = mpsc::channel();
        let ringer = std::thread::spawn({
            let bell = Arc::clone(&bell);
            move || {
                begins.recv().unwrap();
                bell.ring();
            }
        });
        let asked = bell.block(
            move || {
                let _gone = end.send(());
            },
            move || {
                begun.send(()).unwrap();
                // The first request is lost, as it is in a library that is not listening yet.
                (0..2).map(|_| ended.recv().unwrap()).count()
            },
        );
        ringer.join().unwrap();
        assert_eq!(asked, Some(2));
        assert!(bell.block(|| {}, || ()).is_none());
    }
}
