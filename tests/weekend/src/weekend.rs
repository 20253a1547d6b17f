//! The loop: what people do, in the order of their time, and the server's turns in between.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fixtures::day::{Action, Script, Settings, What};
use fixtures::sample::{self, CATERER, ORGANISER};
use fixtures::seeded::Seeded;
use shared_protocol::crypto::Hash32;
use shared_protocol::{CartId, TillId};
use store::{Reader as _, SigningState};
use store_sqlite::SqliteReader;
use sync::session::CartEvent;

use crate::crew::{Crew, Drawer, cart_of};
use crate::device::Device;
use crate::judge::{Books, judge};
use crate::plan::{self, Cut, DOORS_MS, HOUR_MS, MINUTE_MS, Options, Plant, RESTARTS};
use crate::server::Server;

/// While there is something to do, the server takes a turn so often.
const TURN_MS: u64 = 3_000;
/// And else so often, for TSEs that are asked whether they are back.
const IDLE_MS: u64 = 60_000;
/// Days are closed that are over.
const CLOSING_MS: u64 = 30 * MINUTE_MS;
/// Entries of tills in one turn.
const PUSHES_MAX: usize = 8;
/// One sale in so many has a cart before it that is given up.
const GIVEN_UP_EVERY: u32 = 30;
/// One in so many of these is never heard of again: the till's battery fell out.
const FORGOTTEN_EVERY: u32 = 10;

/// Something that happens at its time.
enum Event {
    /// A cart gets its first item.
    Opened(CartId, TillId),
    /// A cart is given up.
    Aborted(CartId, TillId),
    /// A guest is served.
    Served(Box<Action>),
    /// Somebody tries a till.
    Trains(TillId),
    /// Something about a drawer.
    Drawer(TillId, Drawer),
    /// The server goes down and starts again.
    Restart,
}

/// What came of a weekend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The hash of the last journal row: everything before it is in it.
    pub head: Hash32,
    /// Orders that tills made.
    pub orders: u64,
    /// How they came off.
    pub counts: BTreeMap<SigningState, u64>,
    /// Calls of TSEs that went wrong by chance.
    pub faults: u64,
    /// Commits of the server.
    pub commits: u64,
    /// Signatures of each TSE, by its number in the books; and whether it is dead.
    pub signatures: BTreeMap<u16, (u64, bool)>,
    /// What the books say.
    pub books: Books,
    /// What must not be, in words; nothing when all is well.
    pub found: Vec<String>,
}

fn agenda(options: &Options, crew: &Crew) -> BTreeMap<(u64, u32), Event> {
    let config = plan::config();
    let profile = plan::profile();
    let settings = Settings {
        seed: options.seed,
        orders: options.orders,
        wristbands: sample::WRISTBANDS,
        settle_ms: 20 * MINUTE_MS,
    };
    let mut agenda = BTreeMap::new();
    let mut no = 0;
    let mut put = |at_ms: u64, event| {
        no += 1;
        agenda.insert((at_ms, no), event);
    };
    let mut seeded = Seeded::new(options.seed ^ 0x5eed);
    let mut sales = 0;
    for mut action in Script::new(&config, profile, settings) {
        action.at_ms += DOORS_MS;
        let (at_ms, till, no) = (action.at_ms, action.till, action.no);
        let sells = matches!(
            action.what,
            What::Sale { .. } | What::CashSale { .. } | What::CardSale { .. } | What::Correct { .. }
        );
        if sells {
            let typed_ms = 4_000 + u64::from(seeded.below(40)) * 1_000;
            put(at_ms - typed_ms, Event::Opened(cart_of(no), till));
            sales += 1;
            if sales % GIVEN_UP_EVERY == 0 {
                let cart = cart_of(no | 0x8000_0000);
                put(at_ms - typed_ms - 60_000, Event::Opened(cart, till));
                if !seeded.below(FORGOTTEN_EVERY).eq(&0) {
                    put(at_ms - typed_ms - 20_000, Event::Aborted(cart, till));
                }
            }
        }
        put(at_ms, Event::Served(Box::new(action)));
    }
    for (day, open_h) in [(0, 0), (1, 17), (2, 42)] {
        let ends_h = [16, 41, 51][day];
        for till in config.tills.keys() {
            put(DOORS_MS + open_h * HOUR_MS - 10 * MINUTE_MS, Event::Trains(*till));
        }
        for till in crew.with_drawers() {
            put(
                DOORS_MS + open_h * HOUR_MS - 5 * MINUTE_MS,
                Event::Drawer(till, Drawer::Open),
            );
            put(DOORS_MS + (open_h + 8) * HOUR_MS, Event::Drawer(till, Drawer::Empty));
            put(
                DOORS_MS + ends_h * HOUR_MS - 5 * MINUTE_MS,
                Event::Drawer(till, Drawer::Count),
            );
        }
    }
    for at_ms in RESTARTS {
        put(at_ms, Event::Restart);
    }
    agenda
}

fn devices(seed: u64) -> Vec<Device> {
    let [first, second, third] = plan::fates();
    vec![
        Device::new(ORGANISER, 1, seed, first),
        Device::new(ORGANISER, 2, seed, second),
        Device::new(CATERER, 1, seed, third),
    ]
}

/// A weekend that goes on.
struct Weekend {
    cuts: Vec<Cut>,
    crew: Crew,
    server: Server,
    tills: Vec<TillId>,
    plant: Plant,
}

impl Weekend {
    fn happens(&mut self, at_ms: u64, event: Event) {
        match event {
            Event::Opened(cart, till) => self.hears(till, at_ms, CartEvent::Opened { cart, till }),
            Event::Aborted(cart, till) => self.hears(till, at_ms, CartEvent::Aborted { cart }),
            Event::Served(action) => {
                let forgotten = (DOORS_MS + 40 * HOUR_MS..DOORS_MS + 41 * HOUR_MS).contains(&at_ms);
                self.crew.hour_ahead = self.plant == Plant::WinterTimeForgotten && forgotten;
                self.crew.play(&action);
                self.crew.hour_ahead = false;
            }
            Event::Trains(till) => drop(self.crew.train(till, at_ms)),
            Event::Drawer(till, what) => drop(self.crew.drawer(till, what, at_ms)),
            Event::Restart => {}
        }
    }

    fn hears(&mut self, till: TillId, at_ms: u64, event: CartEvent) {
        if plan::is_online(&self.cuts, till, at_ms) {
            self.server.hears(event);
        }
    }

    fn turn(&mut self, now_ms: u64) {
        let mut pushes = Vec::new();
        for till in &self.tills {
            if pushes.len() < PUSHES_MAX && plan::is_online(&self.cuts, *till, now_ms) {
                pushes.extend(self.crew.push(*till));
            }
        }
        self.tills.rotate_left(1);
        self.server.turn(now_ms, pushes);
    }

    fn is_busy(&self, now_ms: u64) -> bool {
        let unsent = |till: &TillId| plan::is_online(&self.cuts, *till, now_ms) && self.crew.has_unsent(*till);
        self.server.is_busy() || self.tills.iter().any(unsent)
    }
}

/// Lives through a weekend in a new folder and judges its books.
pub fn run(data: &Path, options: &Options) -> Outcome {
    let config = Arc::new(plan::config());
    let mut now_ms = DOORS_MS - HOUR_MS;
    let crew = Crew::new(&config);
    let mut server = Server::new(data, options, &config, devices(options.seed), now_ms);
    for till in crew.papers() {
        server.register(till, now_ms);
    }
    server.grant(now_ms, DOORS_MS + 400 * HOUR_MS);
    let mut agenda = agenda(options, &crew);
    let mut weekend = Weekend {
        cuts: plan::cuts(&config),
        tills: config.tills.keys().copied().collect(),
        crew,
        server,
        plant: options.plant,
    };
    let ends_ms = plan::all_back_ms(&weekend.cuts) + HOUR_MS;
    let mut closing_ms = now_ms;
    while !agenda.is_empty() || now_ms < ends_ms || weekend.is_busy(now_ms) {
        let mut restarts = false;
        while let Some(entry) = agenda.first_entry().filter(|entry| entry.key().0 <= now_ms) {
            let ((at_ms, _), event) = entry.remove_entry();
            restarts |= matches!(event, Event::Restart);
            weekend.happens(at_ms, event);
        }
        if restarts {
            weekend.server = weekend.server.restart();
        }
        weekend.turn(now_ms);
        if now_ms >= closing_ms {
            weekend.server.closes(now_ms);
            closing_ms = now_ms + CLOSING_MS;
        }
        assert!(now_ms < ends_ms + 24 * HOUR_MS, "the weekend never ends");
        let next_ms = agenda.first_key_value().map_or(u64::MAX, |((at_ms, _), _)| *at_ms);
        now_ms = if weekend.is_busy(now_ms) {
            now_ms + TURN_MS
        } else {
            next_ms.clamp(now_ms + 1, now_ms + IDLE_MS)
        };
    }
    // The event is over: what is open ends, and once the last day is over it is closed.
    weekend.server.ends_what_is_open();
    for _ in 0..100 {
        now_ms += TURN_MS;
        weekend.turn(now_ms);
    }
    for _ in 0..3 {
        now_ms += 24 * HOUR_MS;
        weekend.server.closes(now_ms);
    }
    let (counts, commits) = (weekend.server.counts(), weekend.server.commits);
    let devices = weekend.server.ends();
    let mut reader = SqliteReader::open(data.join("groschen.db"), None).expect("the database");
    let (books, found) = judge(&mut reader, options, &weekend.crew.written, &devices, now_ms);
    Outcome {
        head: reader.head().expect("the database").1,
        orders: weekend.crew.written.len() as u64,
        counts,
        faults: devices.iter().map(|(_, device)| device.faults).sum(),
        commits,
        signatures: devices
            .iter()
            .map(|(no, device)| (no.0, (device.signatures(), device.is_over(now_ms))))
            .collect(),
        books,
        found,
    }
}
