//! Whether the TSEs of a taxpayer suffice for what is expected of them, said before it is too late.
//!
//! What a unit can do is planned with three quarters of its speed: a queue that is served at its full speed never gets shorter. One unit more than is
//! needed stands by, because a unit that fails takes its tills along. Sources: TR-03153-1, 3.9.3 (all records have to be secured at once, also
//! parallel ones); certificates, memory and clocks as makers and other projects advise.

use shared_protocol::TaxpayerId;
use store::TseNo;

use crate::tse::TseStatus;

/// Signatures of a receipt: its start and its end.
const SIGNATURES: u64 = 2;
/// How much of a unit's speed is planned with, in hundredths.
const USED_PERCENT: u64 = 75;
/// How full a memory is when somebody should export and plan, in thousandths.
const STORAGE_SOON: u16 = 800;
/// How full it is when it cannot wait.
const STORAGE_SEVERE: u16 = 950;
/// A clock that is this far off, in ms, is worth a look: receipts show the TSE's time.
const CLOCK_MS: u64 = 2_000;
/// A certificate has to last this long beyond the event: late orders and closings are still signed.
const MARGIN_DAYS: u64 = 7;
const DAY_MS: u64 = 24 * 3_600_000;

/// A TSE, as it is planned with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitPlan {
    /// Which.
    pub no: TseNo,
    /// Whose.
    pub taxpayer: TaxpayerId,
    /// Tills that may be registered with it.
    pub clients_max: u32,
    /// Transactions that may be open at once, where it said so.
    pub open_max: Option<u32>,
    /// How long a signature takes, in microseconds: measured, or what its maker says.
    pub signature_us: u64,
    /// Until when its certificate is valid, in ms since 1970.
    pub valid_until_ms: Option<u64>,
    /// What it says of itself.
    pub status: TseStatus,
    /// Whether it is in service and answers.
    pub works: bool,
}

impl UnitPlan {
    /// Receipts a minute, as they are planned.
    pub fn receipts_per_min(&self) -> u64 {
        let minute_us = 60_000_000 * USED_PERCENT / 100;
        minute_us / (SIGNATURES * self.signature_us.max(1))
    }
}

/// What is expected for a taxpayer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Whose tills.
    pub taxpayer: TaxpayerId,
    /// Tills that sell for them.
    pub tills: u32,
    /// Orders of the busiest minute.
    pub orders_per_min: u64,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something has to be done in the next days.
    Soon,
    /// Orders will be unsigned, or are.
    Severe,
}

/// What is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// No TSE of the taxpayer works.
    NoTse,
    /// More tills than all TSEs take.
    Clients {
        /// Tills.
        tills: u32,
        /// Places.
        places: u64,
    },
    /// More orders in the busiest minute than all TSEs sign.
    Speed {
        /// Orders of the busiest minute.
        wanted: u64,
        /// What can be signed in a minute.
        possible: u64,
    },
    /// If one TSE fails, the others do not suffice.
    Spare {
        /// Orders a minute that remain possible.
        possible: u64,
        /// Places that remain.
        places: u64,
    },
    /// More carts may be open at once than the TSEs allow.
    Open {
        /// Tills.
        tills: u32,
        /// Open transactions that are possible.
        possible: u64,
    },
    /// The memory of a TSE fills up.
    Storage {
        /// Which.
        tse: TseNo,
        /// How full it is, in thousandths.
        permille: u16,
    },
    /// A TSE has few signatures left.
    Signatures {
        /// Which.
        tse: TseNo,
        /// How many.
        left: u64,
    },
    /// The certificate of a TSE ends.
    Certificate {
        /// Which.
        tse: TseNo,
        /// When, in ms since 1970.
        ends_ms: u64,
        /// Whole days until then; none when it is over.
        days: Option<u64>,
        /// Whether that is before the event is over, with a week to spare.
        before_end: bool,
    },
    /// The clock of a TSE is off.
    Clock {
        /// Which.
        tse: TseNo,
        /// How much it is ahead of the server's, in ms.
        ahead_ms: i64,
    },
}

/// Something that is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// How bad it is.
    pub severity: Severity,
    /// Whose.
    pub taxpayer: TaxpayerId,
    /// What.
    pub short: Short,
}

/// Signatures that an event of ten days at this pace makes, day and night: more than any festival.
fn signatures_of_event(demand: &Demand) -> u64 {
    demand.orders_per_min.saturating_mul(SIGNATURES * 60 * 24 * 10)
}

/// What is short, the worst first. `ends_ms` is the end of the event, where it is known.
pub fn warnings(units: &[UnitPlan], demands: &[Demand], now_ms: u64, ends_ms: Option<u64>) -> Vec<Warning> {
    let mut found = Vec::new();
    for demand in demands {
        let own: Vec<&UnitPlan> = units.iter().filter(|unit| unit.taxpayer == demand.taxpayer).collect();
        let mut find = |severity, short| {
            found.push(Warning {
                severity,
                taxpayer: demand.taxpayer,
                short,
            });
        };
        together(&own, demand, &mut find);
        for unit in own {
            alone(unit, demand, (now_ms, ends_ms), &mut find);
        }
    }
    found.sort_by_key(|warning| std::cmp::Reverse(warning.severity));
    found
}

/// What all of a taxpayer's TSEs can do, and what remains when the best of them fails.
fn together(own: &[&UnitPlan], demand: &Demand, find: &mut impl FnMut(Severity, Short)) {
    let working = own.iter().filter(|unit| unit.works);
    if working.clone().next().is_none() {
        if demand.tills > 0 && !own.is_empty() {
            find(Severity::Severe, Short::NoTse);
        }
        return;
    }
    let tills = u64::from(demand.tills);
    let places: u64 = working.clone().map(|unit| u64::from(unit.clients_max)).sum();
    let possible = working
        .clone()
        .fold(0_u64, |sum, unit| sum.saturating_add(unit.receipts_per_min()));
    let open: Option<u64> = working.clone().map(|unit| unit.open_max.map(u64::from)).sum();
    if places < tills {
        find(
            Severity::Severe,
            Short::Clients {
                tills: demand.tills,
                places,
            },
        );
    }
    if possible < demand.orders_per_min {
        let wanted = demand.orders_per_min;
        find(Severity::Severe, Short::Speed { wanted, possible });
    }
    if let Some(open) = open.filter(|open| *open < tills) {
        find(
            Severity::Soon,
            Short::Open {
                tills: demand.tills,
                possible: open,
            },
        );
    }
    let largest = working.clone().map(|unit| u64::from(unit.clients_max)).max();
    let fastest = working.map(|unit| unit.receipts_per_min()).max();
    let remains = (
        possible.saturating_sub(fastest.unwrap_or(0)),
        places.saturating_sub(largest.unwrap_or(0)),
    );
    let suffices = places >= tills && possible >= demand.orders_per_min;
    // With nothing to sell yet there has to be a second one all the same, if there are tills.
    let short = remains.0 < demand.orders_per_min.max(u64::from(tills > 0)) || remains.1 < tills;
    if suffices && short && tills > 0 {
        find(
            Severity::Soon,
            Short::Spare {
                possible: remains.0,
                places: remains.1,
            },
        );
    }
}

/// What a TSE says of itself, and its certificate.
fn alone(
    unit: &UnitPlan,
    demand: &Demand,
    (now_ms, ends_ms): (u64, Option<u64>),
    find: &mut impl FnMut(Severity, Short),
) {
    let (tse, status) = (unit.no, &unit.status);
    if let Some(permille) = status.storage_permille.filter(|permille| *permille >= STORAGE_SOON) {
        let severity = if permille >= STORAGE_SEVERE {
            Severity::Severe
        } else {
            Severity::Soon
        };
        find(severity, Short::Storage { tse, permille });
    }
    if let Some(left) = status.signatures_left {
        let needed = signatures_of_event(demand).max(1_000);
        if left < needed {
            let severity = if left < needed / 10 {
                Severity::Severe
            } else {
                Severity::Soon
            };
            find(severity, Short::Signatures { tse, left });
        }
    }
    if let Some(ahead_ms) = status.clock_ahead_ms.filter(|ahead| ahead.unsigned_abs() > CLOCK_MS) {
        find(Severity::Soon, Short::Clock { tse, ahead_ms });
    }
    if let Some(valid_until_ms) = unit.valid_until_ms {
        let days = valid_until_ms.checked_sub(now_ms).map(|left| left / DAY_MS);
        let needed_ms = ends_ms.map(|ends_ms| ends_ms.saturating_add(MARGIN_DAYS * DAY_MS));
        let before_end = needed_ms.is_some_and(|needed_ms| valid_until_ms < needed_ms);
        if let Some(severity) = certificate(days, before_end) {
            let ends_ms = valid_until_ms;
            find(
                severity,
                Short::Certificate {
                    tse,
                    ends_ms,
                    days,
                    before_end,
                },
            );
        }
    }
}

/// Ninety days before its end a certificate is worth a note, thirty before a task, seven before it is urgent; and it has to outlast the event.
const fn certificate(days: Option<u64>, before_end: bool) -> Option<Severity> {
    match days {
        None | Some(0..7) => Some(Severity::Severe),
        Some(7..30) => Some(Severity::Soon),
        _ if before_end => Some(Severity::Soon),
        Some(30..90) => Some(Severity::Note),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
