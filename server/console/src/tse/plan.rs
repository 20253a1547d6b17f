//! Whether the TSEs suffice: what is planned with is read here, `fiscal::capacity` judges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use fiscal::capacity::{self, Demand, UnitPlan, Warning};
use shared_protocol::config::Config;
use shared_protocol::{EventId, TaxpayerId, TillId};
use store::{Reader, StoreError, TseNo, TseRow};

use crate::signer::Board;

/// How far back the busiest hour is looked for.
const LOOK_BACK_MS: u64 = 7 * 24 * 3_600_000;
/// How long what was found there is good: a week of many tills is a long read.
const FRESH_MS: u64 = 60_000;
/// The busiest minute of an hour has this many times its average.
const BURST: u64 = 2;

/// What is slow to read and seldom changes: the busiest minutes as the hours of the books have them, and where the newest outages begin.
#[derive(Debug, Default)]
pub struct Peaks {
    minutes: Mutex<Option<(u64, BTreeMap<TaxpayerId, u64>)>>,
    pub(super) outages_from: AtomicU64,
}

impl Peaks {
    fn read(
        &self,
        reader: &mut dyn Reader,
        (config, event): (&Config, EventId),
        now_ms: u64,
    ) -> Result<BTreeMap<TaxpayerId, u64>, StoreError> {
        let known = self.minutes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at_ms, peaks)) = known
            && now_ms.saturating_sub(at_ms) < FRESH_MS
        {
            return Ok(peaks);
        }
        let mut hours = BTreeMap::<(TaxpayerId, u64), u64>::new();
        for hour in reader.hours(event, now_ms.saturating_sub(LOOK_BACK_MS), u64::MAX)? {
            if let Some(taxpayer) = config.home_taxpayer(hour.till).filter(|_| !hour.kind.is_of_band()) {
                let orders = hours.entry((taxpayer, hour.hour_ms)).or_default();
                *orders = orders.saturating_add(hour.orders);
            }
        }
        let mut peaks = BTreeMap::<TaxpayerId, u64>::new();
        for ((taxpayer, _), orders) in hours {
            let peak = peaks.entry(taxpayer).or_default();
            *peak = (*peak).max(orders.saturating_mul(BURST).div_ceil(60));
        }
        *self.minutes.lock().unwrap_or_else(PoisonError::into_inner) = Some((now_ms, peaks.clone()));
        Ok(peaks)
    }
}

/// What is expected of the TSEs: tills with a device (or all, before there is one), and the busiest minute.
///
/// The minute is the busiest that the signer counted since it started, or twice the average of the busiest hour of the last week.
fn demands(
    reader: &mut dyn Reader,
    (config, event): (&Config, EventId),
    board: &Board,
    peaks: &Peaks,
    now_ms: u64,
) -> Result<Vec<Demand>, StoreError> {
    let with_device: BTreeSet<TillId> = reader
        .terminals()?
        .into_iter()
        .filter(|row| row.event == event)
        .map(|row| row.till)
        .collect();
    let in_use = |till: &&TillId| with_device.is_empty() || with_device.contains(till);
    let mut tills = BTreeMap::<TaxpayerId, u32>::new();
    for taxpayer in config
        .tills
        .keys()
        .filter(in_use)
        .filter_map(|till| config.home_taxpayer(*till))
    {
        *tills.entry(taxpayer).or_default() += 1;
    }
    let hours = peaks.read(reader, (config, event), now_ms)?;
    let peak = |taxpayer: TaxpayerId| {
        let counted = board.peaks.iter().find(|(of, _)| *of == taxpayer);
        let busiest = hours.get(&taxpayer).copied().unwrap_or(0);
        busiest.max(counted.map_or(0, |(_, orders)| *orders))
    };
    let demand = |(taxpayer, tills): (&TaxpayerId, &u32)| Demand {
        taxpayer: *taxpayer,
        tills: *tills,
        orders_per_min: peak(*taxpayer),
    };
    Ok(tills.iter().map(demand).collect())
}

fn unit(row: &TseRow, board: &Board) -> UnitPlan {
    let now = board.units.iter().find(|unit| unit.state.no == row.no);
    let measured = now.map_or(0, |unit| unit.state.signature_us);
    UnitPlan {
        no: row.no,
        taxpayer: row.taxpayer,
        clients_max: now.map_or(row.clients_max, |unit| unit.state.clients_max),
        open_max: now.and_then(|unit| unit.state.open_max),
        signature_us: if measured > 0 {
            measured
        } else {
            u64::from(row.signature_ms) * 1_000
        },
        valid_until_ms: row.valid_until_ms,
        status: now
            .and_then(|unit| unit.status)
            .map(|(_, status)| status)
            .unwrap_or_default(),
        // Without a server that runs, nothing is known to be out of order.
        works: board.at_ms == 0 || now.is_some_and(|unit| unit.state.ready && unit.state.retired.is_none()),
    }
}

/// What is planned with, and what is short.
pub(crate) fn look(
    reader: &mut dyn Reader,
    (config, event): (&Config, EventId),
    board: &Board,
    peaks: &Peaks,
    (now_ms, ends_ms): (u64, Option<u64>),
) -> Result<(Vec<Demand>, Vec<Warning>), StoreError> {
    let demands = demands(reader, (config, event), board, peaks, now_ms)?;
    let retired: BTreeSet<TseNo> = reader.retired()?.into_iter().map(|row| row.tse).collect();
    let tses = reader.tses()?;
    let units: Vec<UnitPlan> = tses
        .iter()
        .filter(|row| !retired.contains(&row.no))
        .map(|row| unit(row, board))
        .collect();
    let warnings = capacity::warnings(&units, &demands, now_ms, ends_ms);
    Ok((demands, warnings))
}
