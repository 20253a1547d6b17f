//! What happens when. The clocks go back in the night to Sunday: 03:00 becomes 02:00, and the event day that began on Saturday at 06:00 has 25 hours.

use fiscal::OutagePolicy;
use fixtures::day::{Phase, Profile, Weights};
use fixtures::sample::{self, CATERER, LAKE_BAR, MAIN_BAR, WINEGROWER};
use shared_protocol::config::{Config, Item};
use shared_protocol::order::OrderKind;
use shared_protocol::{StandId, TillId};

/// Minutes and hours in ms.
pub const MINUTE_MS: u64 = 60_000;
/// An hour.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;

/// The doors open: Friday, 29 October 2027, 14:00 in Berlin (12:00 UTC), ms since 1970.
pub const DOORS_MS: u64 = 1_824_811_200_000;

/// The event days with their beginnings, read from a calendar: 06:00 is 04:00 UTC until the clocks go back, and 05:00 after.
pub const DAYS: [(u32, u64); 8] = [
    (20_271_029, DOORS_MS - 8 * HOUR_MS),
    (20_271_030, DOORS_MS + 16 * HOUR_MS),
    (20_271_031, DOORS_MS + 41 * HOUR_MS),
    (20_271_101, DOORS_MS + 65 * HOUR_MS),
    (20_271_102, DOORS_MS + 89 * HOUR_MS),
    (20_271_103, DOORS_MS + 113 * HOUR_MS),
    (20_271_104, DOORS_MS + 137 * HOUR_MS),
    (20_271_105, DOORS_MS + 161 * HOUR_MS),
];

/// The day of a moment, by the calendar above.
pub fn day_of(at_ms: u64) -> u32 {
    let begun = DAYS.iter().rev().find(|(_, from_ms)| *from_ms <= at_ms);
    begun.map_or(0, |(day, _)| *day)
}

/// Something that is wrong on purpose, so that it is known to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plant {
    /// Nothing.
    #[default]
    Nothing,
    /// The signer is told that an order is none.
    UnsignedOrder,
    /// The closing of a till's last day is not kept.
    ForgottenClosing,
    /// A till of the night writes down a clock that is an hour off, as one would that does not know that the clocks went back.
    WinterTimeForgotten,
    /// One bit of a signature is another one in the books.
    FlippedBit,
    /// What an outage says of its end is long before the orders in it.
    ShortenedOutage,
}

/// How a weekend is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The same seed is the same weekend.
    pub seed: u64,
    /// About so many orders.
    pub orders: u32,
    /// What becomes of orders of an outage.
    pub policy: OutagePolicy,
    /// What is wrong on purpose.
    pub plant: Plant,
}

/// The sample festival with two taxpayers: the winegrower's wine is the caterer's, so that carts at the wine bar are of both. Every till may train.
pub fn config() -> Config {
    let items = sample::items().into_iter().filter_map(|item| match item {
        Item::Taxpayer { item } if item.id == WINEGROWER => None,
        Item::Article { mut item } => {
            if item.taxpayer == WINEGROWER {
                item.taxpayer = CATERER;
            }
            Some(Item::Article { item })
        }
        Item::Till { mut item } => {
            item.order_kinds.push(OrderKind::Training);
            Some(Item::Till { item })
        }
        Item::Staff { mut item } => {
            item.order_kinds.push(OrderKind::Training);
            Some(Item::Staff { item })
        }
        other => Some(other),
    });
    Config::from_items(sample::VERSION, items).expect("the sample with other sellers is a configuration")
}

/// From Friday 14:00 to Sunday 16:00, which is 51 hours.
pub fn profile() -> Profile {
    let phase = |name, minutes, orders_per_min, arrivals_percent, weights: [u32; 6]| Phase {
        name,
        minutes,
        orders_per_min,
        weights: Weights {
            drinks: weights[0],
            food: weights[1],
            shop: weights[2],
            top_up: weights[3],
            deposit_return: weights[4],
            pay_out: weights[5],
        },
        arrivals_percent,
    };
    Profile {
        doors_at_min: 14 * 60,
        phases: vec![
            phase("friday afternoon", 240, 24, 90, [35, 12, 10, 40, 2, 1]),
            phase("friday evening", 360, 34, 40, [62, 22, 3, 8, 4, 1]),
            phase("friday night", 240, 16, 5, [70, 14, 3, 5, 7, 1]),
            phase("saturday morning, over the cut-off", 240, 7, 5, [40, 30, 5, 8, 15, 2]),
            phase("saturday breakfast", 360, 10, 30, [40, 40, 6, 10, 3, 1]),
            phase("saturday afternoon", 240, 24, 60, [50, 22, 5, 18, 4, 1]),
            phase("saturday evening", 360, 40, 10, [68, 18, 2, 6, 5, 1]),
            phase("saturday night, with one hour twice", 300, 18, 5, [70, 14, 3, 5, 7, 1]),
            phase("sunday morning, over the cut-off", 240, 8, 5, [40, 30, 5, 8, 15, 2]),
            phase("sunday breakfast", 300, 10, 5, [40, 40, 6, 8, 4, 2]),
            phase("sunday, going home", 180, 16, 0, [20, 10, 5, 1, 30, 34]),
        ],
        cuts: Vec::new(),
    }
}

/// Tills without network for a while.
pub struct Cut {
    tills: Vec<TillId>,
    from_ms: u64,
    to_ms: u64,
}

/// The holes in the network.
pub fn cuts(config: &Config) -> Vec<Cut> {
    let of = |stand: StandId| -> Vec<TillId> {
        let tills = config.tills.values().filter(|till| till.stand == stand);
        tills.map(|till| till.id).collect()
    };
    let cut = |tills, from_min: u64, to_min: u64| Cut {
        tills,
        from_ms: DOORS_MS + from_min * MINUTE_MS,
        to_ms: DOORS_MS + to_min * MINUTE_MS,
    };
    vec![
        // Over the cut-off of Saturday, and back when Friday was closed long ago.
        cut(of(LAKE_BAR), 8 * 60, 22 * 60),
        // Over the hour that is there twice and the cut-off of Sunday, with a taxpayer of its own.
        cut(of(StandId(10)), 33 * 60, 46 * 60),
        cut(of(MAIN_BAR), 30 * 60, 30 * 60 + 7),
        cut(config.tills.keys().copied().collect(), 31 * 60, 31 * 60 + 5),
        // One is found in a box on Tuesday.
        cut(vec![TillId(502)], 47 * 60, 93 * 60),
    ]
}

/// Whether a till reaches its server.
pub fn is_online(cuts: &[Cut], till: TillId, at_ms: u64) -> bool {
    let covers = |cut: &Cut| (cut.from_ms..cut.to_ms).contains(&at_ms) && cut.tills.contains(&till);
    !cuts.iter().any(covers)
}

/// When the last till is back.
pub fn all_back_ms(cuts: &[Cut]) -> u64 {
    cuts.iter().map(|cut| cut.to_ms).max().unwrap_or(DOORS_MS)
}

/// What becomes of a TSE, besides what happens by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fate {
    /// From here on it never answers again.
    pub dies_ms: Option<u64>,
    /// In this time it takes calls and answers none.
    pub hangs: Option<(u64, u64)>,
}

/// The organiser's first TSE dies on Saturday evening, its second one goes on; the caterer's only one hangs for 40 minutes before that.
pub fn fates() -> [Fate; 3] {
    [
        Fate {
            dies_ms: Some(DOORS_MS + 31 * HOUR_MS + 30 * MINUTE_MS),
            hangs: None,
        },
        Fate::default(),
        Fate {
            dies_ms: None,
            hangs: Some((DOORS_MS + 29 * HOUR_MS, DOORS_MS + 29 * HOUR_MS + 40 * MINUTE_MS)),
        },
    ]
}

/// The server goes down and starts again: in the first evening, and in the hour that is there twice.
pub const RESTARTS: [u64; 2] = [DOORS_MS + 7 * HOUR_MS, DOORS_MS + 36 * HOUR_MS + 30 * MINUTE_MS];
