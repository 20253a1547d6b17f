//! What the signer tells the console: a board that is put up at most once a second, and a box for what admins want.
//!
//! Whoever looks takes the newest board and holds nothing that a signature waits for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::{Board, UnitNow};
use fiscal::signer::UnitState;
use fiscal::{Job, TseStatus};
use shared_protocol::TaxpayerId;
use store::TseNo;
use sync::writer::now_ms;

use crate::health::SignerState;

/// Boards are put up this often.
const EVERY: Duration = Duration::from_secs(1);
/// Signatures a second are those of this long.
const SPEED_OVER: Duration = Duration::from_secs(10);
const MINUTE_MS: u64 = 60_000;
/// Minutes in which orders are counted; older ones are known by the largest of them.
const MINUTES_MAX: usize = 4_096;

/// What a TSE said of itself, written by its thread.
pub(super) type Statuses = Arc<Mutex<BTreeMap<TseNo, (u64, TseStatus)>>>;

/// Makes boards.
pub(super) struct Reporter {
    made_at: Instant,
    /// Signatures of each TSE at some moments of the last seconds.
    counted: BTreeMap<TseNo, VecDeque<(Instant, u64)>>,
    /// Orders by the minute they were made in.
    minutes: BTreeMap<(u64, TaxpayerId), u64>,
    peaks: BTreeMap<TaxpayerId, u64>,
    pub statuses: Statuses,
}

impl Reporter {
    pub fn new() -> Self {
        Self {
            made_at: Instant::now(),
            counted: BTreeMap::new(),
            minutes: BTreeMap::new(),
            peaks: BTreeMap::new(),
            statuses: Arc::default(),
        }
    }

    /// Counts an order in the minute that it was made in: after an outage of the network many come at once, and were sold one by one.
    pub fn ordered(&mut self, job: &Job) {
        let minute = job.sold_at_ms.unwrap_or(job.booked_at_ms) / MINUTE_MS;
        let taxpayer = job.order.taxpayer;
        let count = self.minutes.entry((minute, taxpayer)).or_default();
        *count += 1;
        let peak = self.peaks.entry(taxpayer).or_default();
        *peak = (*peak).max(*count);
        if self.minutes.len() > MINUTES_MAX {
            self.minutes.pop_first();
        }
    }

    /// Puts a board up, if it is time.
    pub fn report(&mut self, units: impl FnOnce() -> Vec<UnitState>, state: &SignerState) {
        if self.made_at.elapsed() < EVERY {
            return;
        }
        self.made_at = Instant::now();
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let units: Vec<UnitNow> = units()
            .into_iter()
            .map(|unit| UnitNow {
                signatures_per_ks: self.speed(&unit),
                status: statuses.get(&unit.no).copied(),
                state: unit,
            })
            .collect();
        let peaks = self
            .peaks
            .iter()
            .map(|(taxpayer, orders)| (*taxpayer, *orders))
            .collect();
        state.put_up(|before| {
            let same = before.units == units && before.peaks == peaks;
            Board {
                no: before.no + u64::from(!same),
                at_ms: now_ms(),
                units,
                peaks,
            }
        });
    }

    fn speed(&mut self, unit: &UnitState) -> u64 {
        let counted = self.counted.entry(unit.no).or_default();
        counted.push_back((self.made_at, unit.signatures));
        while counted.len() > 2 && counted.front().is_some_and(|(at, _)| at.elapsed() > SPEED_OVER) {
            counted.pop_front();
        }
        let Some((at, before)) = counted.front() else { return 0 };
        let ms = u64::try_from(self.made_at.duration_since(*at).as_millis()).unwrap_or(u64::MAX);
        let made = unit.signatures.saturating_sub(*before);
        made.saturating_mul(1_000_000).checked_div(ms).unwrap_or(0)
    }
}
