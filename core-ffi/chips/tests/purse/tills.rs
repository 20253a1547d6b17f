//! Tills and desks that want one thing done, wristbands with a past, and every way to cut a tap.

use chips::purse::{Intent, Knowledge, LastKnown, LoadRefusal, Outcome, Payment, PlanRefusal, Resolution, Update};
use chips::simulated::{Fault, Tear};
use shared_protocol::purse::{ChainId, Flags, KnownWalk, PurseSettings};

use crate::common::{Deed, Festival, Reader, credit, issue, pay, settings, top_up};

/// Short chains with a coarse unit: the matrix walks them some million times.
pub fn festival() -> Festival {
    Festival::new(PurseSettings {
        unit_cents: [100, 10, 10],
        length: [120, 240, 60],
        ..settings()
    })
}

/// What a deed adds to a total once it is done, in cents.
pub fn effect(festival: &Festival, deed: &Deed) -> i64 {
    let debit = |payment: &Payment| {
        let weight: i64 = payment
            .vouchers
            .iter()
            .zip(festival.batch.settings.weight_cents)
            .map(|(vouchers, weight)| i64::from(*vouchers) * i64::from(weight))
            .sum();
        -i64::from(payment.cents) - weight
    };
    match deed {
        Deed::Pay(payment) | Deed::PayFolding(payment, _) => debit(payment),
        Deed::TopUp(top_up) => i64::from(top_up.cents),
        Deed::Claim(_) | Deed::Update(_) => 0,
    }
}

/// How a till's deed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Not yet.
    Open,
    /// Served.
    Done,
    /// The till asks the server.
    Unknown,
}

/// A till or desk that wants one thing done and holds the wristband as often as it takes.
#[derive(Debug, Clone)]
pub struct Till {
    pub deed: Deed,
    pub end: End,
    /// Intents of its journal that are not resolved; the first is of the deed itself.
    pub journal: Vec<Intent>,
    /// Where its taps were cut, for the line that says what failed.
    pub cuts: Vec<(usize, Fault)>,
    pub last_known: Option<LastKnown>,
    pub walk: Option<KnownWalk>,
}

impl Till {
    pub fn new(deed: Deed) -> Self {
        Self {
            deed,
            end: End::Open,
            journal: Vec::new(),
            cuts: Vec::new(),
            last_known: None,
            walk: None,
        }
    }

    /// Holds the wristband once. Any refusal but a broken conversation would be a dead wristband.
    pub fn tap(&mut self, festival: &Festival, reader: &mut Reader, fault: Option<(usize, Fault)>) {
        reader.restart();
        reader.faults.extend(fault);
        self.cuts.extend(fault);
        let knowledge = Knowledge {
            open: self.journal.clone(),
            last_known: self.last_known,
            walk: self.walk,
            ..Knowledge::default()
        };
        let mut tap = match festival.tap(reader, &knowledge) {
            Ok(tap) => tap,
            Err(LoadRefusal::Link(_)) => return,
            Err(dead) => panic!("{dead} for {self:?}"),
        };
        if let Some(intent) = self.journal.first() {
            match tap.loaded.resolve(intent) {
                Resolution::Committed => {
                    self.end = End::Done;
                    self.journal.clear();
                    return;
                }
                Resolution::Unfinished => {
                    let plan = tap.loaded.plan_settle().expect("something is to be settled");
                    self.journal.push(plan.intent);
                    if tap.commit(&plan).outcome == Outcome::Committed {
                        self.end = End::Done;
                        self.journal.clear();
                    }
                    return;
                }
                Resolution::Void => {}
                Resolution::Unknown => {
                    self.end = End::Unknown;
                    self.journal.clear();
                    return;
                }
                Resolution::OtherWristband => panic!("there is one"),
            }
        }
        let plan = match festival.plan(&tap.loaded, &self.deed) {
            Ok(plan) => plan,
            // A claim that is on the chip already.
            Err(PlanRefusal::Nothing) => {
                self.end = End::Done;
                return;
            }
            Err(refusal) => panic!("{refusal} for {self:?}"),
        };
        self.journal.clear();
        self.journal.push(plan.intent);
        let done = tap.commit(&plan);
        if done.outcome == Outcome::Committed {
            self.end = End::Done;
            self.journal.clear();
        }
    }

    /// Holds it until it ends; the third tap must be the last.
    pub fn finish(&mut self, festival: &Festival, reader: &mut Reader) {
        for _ in 0..3 {
            if self.end == End::Open {
                self.tap(festival, reader, None);
            }
        }
        assert_ne!(self.end, End::Open, "a tap without a fault ends it: {self:?}");
    }
}

/// A wristband with a past, and the totals it may be read with (two if its last page is weak).
pub struct History {
    pub name: &'static str,
    pub reader: Reader,
    pub totals: Vec<i64>,
}

pub fn total(festival: &Festival, reader: &Reader) -> i64 {
    let mut reader = reader.clone();
    match festival.look(&mut reader) {
        Ok(loaded) => loaded.balance().0,
        Err(dead) => panic!("a dead wristband: {dead}"),
    }
}

/// What two looks after each other give.
pub fn totals(festival: &Festival, reader: &Reader) -> Vec<i64> {
    let mut reader = reader.clone();
    let mut seen: Vec<i64> = (0..2)
        .map(|_| festival.look(&mut reader).expect("a purse").balance().0)
        .collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

pub fn histories(festival: &Festival) -> Vec<History> {
    let torn = |reader: &mut Reader, deed: Deed, from_the_end: usize, tear: Tear| {
        let mut rehearsal = reader.clone();
        Till::new(deed).tap(festival, &mut rehearsal, None);
        let at = rehearsal.exchanges() - from_the_end;
        Till::new(deed).tap(festival, reader, Some((at, Fault::Torn(tear))));
    };
    let flags = Deed::Update(Update {
        flags: Some(Flags::default().with_age_class(2)),
        terminal: 9,
        minute: 3,
        ..Update::default()
    });
    let weak = Tear::Weak { new_first: true };
    let mut list = Vec::new();
    let mut add = |name: &'static str, build: &dyn Fn(&mut Reader)| {
        let mut reader = festival.reader(0);
        festival.does(&mut reader, &top_up(4_000, 200));
        build(&mut reader);
        let mut totals = totals(festival, &reader);
        // A top-up that nobody confirmed may still turn out not to have happened: its desk asks for the wristband again.
        if festival
            .look(&mut reader.clone())
            .is_ok_and(|loaded| loaded.purse.old.is_some())
            && !totals.contains(&4_000)
        {
            totals.push(4_000);
        }
        list.push(History { name, reader, totals });
    };
    add("topped up", &|_| {});
    add("one sale", &|reader| drop(festival.does(reader, &pay(150, 3))));
    add("two sales", &|reader| {
        festival.does(reader, &pay(150, 3));
        festival.does(reader, &pay(250, 4));
    });
    add("changed", &|reader| {
        festival.does(reader, &pay(150, 3));
        festival.does(reader, &flags);
    });
    add("changed, not confirmed", &|reader| {
        festival.does(reader, &pay(150, 3));
        torn(reader, flags, 1, Tear::NotStarted);
    });
    add("changed, weak", &|reader| {
        festival.does(reader, &pay(150, 3));
        torn(reader, flags, 2, weak);
    });
    add("top-up not confirmed", &|reader| {
        torn(reader, top_up(1_000, 200), 1, Tear::NotStarted);
    });
    add("top-up weak", &|reader| torn(reader, top_up(1_000, 200), 2, weak));
    add("predecessor weak", &|reader| torn(reader, top_up(1_000, 200), 1, weak));
    add("a sale interrupted", &|reader| {
        festival.does(reader, &pay(150, 3));
        torn(reader, pay(333, 4), 1, Tear::NotStarted);
    });
    add("vouchers", &|reader| {
        festival.does(reader, &issue([2, 2], 200));
        festival.does(reader, &top_up(1_100, 200));
    });
    list
}

/// Who holds the wristband before the same till does again.
pub fn sequels(festival: &Festival, first: &History) -> Vec<(&'static str, Vec<Till>)> {
    let amount = |cents, terminal| Till::new(pay(cents, terminal));
    let mut older = amount(210, 8);
    let mut known = first.reader.clone();
    if let Ok(loaded) = festival.look(&mut known) {
        older.last_known = Some(LastKnown {
            counter: loaded.observed().counter,
            units: [0; 3],
        });
        older.walk = Some(loaded.purse.walk());
    }
    vec![
        ("same till", vec![]),
        ("other till, other amount", vec![amount(250, 7)]),
        ("other till, same amount", vec![amount(450, 7)]),
        ("other till twice", vec![amount(250, 7), amount(100, 7)]),
        ("older till", vec![older]),
        ("desk", vec![Till::new(top_up(700, 201))]),
        ("return", vec![Till::new(credit(ChainId::Return, 100, 7))]),
        ("change", vec![Till::new(issue([0, 1], 202))]),
    ]
}

/// Every way to break an exchange with this frame.
pub fn faults(command: u8) -> Vec<Fault> {
    let torn = |tears: &[Tear]| tears.iter().copied().map(Fault::Torn).collect::<Vec<_>>();
    let mut all = vec![Fault::RemovedBefore, Fault::RemovedAfter];
    match command {
        0xA2 => all.extend(torn(&Tear::OF_A_PAGE)),
        0xA5 => all.extend(torn(&Tear::OF_A_COUNTER)),
        _ => {}
    }
    all
}

/// Every exchange of this tap with every way to break it.
pub fn cuts(festival: &Festival, reader: &Reader, till: &Till) -> Vec<(usize, Fault)> {
    let mut rehearsal = reader.clone();
    till.clone().tap(festival, &mut rehearsal, None);
    let trace: Vec<u8> = rehearsal.trace().iter().map(|exchange| exchange.command).collect();
    trace
        .iter()
        .enumerate()
        .flat_map(|(at, command)| faults(*command).into_iter().map(move |fault| (at, fault)))
        .collect()
}
