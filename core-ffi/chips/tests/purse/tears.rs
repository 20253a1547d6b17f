//! The tear matrix: each operation, cut at each frame in each way, from each history, then every sequel. Enumerated, nothing sampled.
//!
//! Two chips that hold the same afterwards, cut for a till that knows the same, have the same future: it is walked once and counted as often as
//! it occurs.

use std::collections::BTreeMap;

use chips::purse::{Payment, PlanRefusal, Update};
use shared_protocol::purse::{ChainId, Flags};

use crate::common::{Deed, Festival, Reader, credit, issue, pay, top_up};
use crate::tills::{End, History, Till, cuts, effect, festival, histories, sequels, total, totals};

#[derive(Debug, Default)]
struct Count {
    cases: u64,
    walked: u64,
    once: u64,
    unknown: u64,
}

/// What tells two states apart: the chip, and what each till's journal holds.
type Key = (Vec<u8>, Vec<(End, Vec<[u8; 294]>)>);

/// States that cuts left, and how often.
type States = BTreeMap<Key, (Reader, Vec<Till>, u64)>;

fn note(states: &mut States, reader: Reader, tills: Vec<Till>, times: u64) {
    let intents = |till: &Till| {
        let wires = till.journal.iter().map(|intent| {
            let mut key = [0; 294];
            key[..147].copy_from_slice(&intent.before.wire());
            key[147..].copy_from_slice(&intent.after.wire());
            key
        });
        (till.end, wires.collect())
    };
    let key = (reader.chip.fingerprint(), tills.iter().map(intents).collect());
    states.entry(key).or_insert((reader, tills, 0)).2 += times;
}

/// All states that one cut of this till's tap can leave.
fn torn_once(festival: &Festival, reader: &Reader, tills: &[Till], times: u64, states: &mut States) {
    let Some((till, others)) = tills.split_last() else {
        return;
    };
    for (at, fault) in cuts(festival, reader, till) {
        let (mut reader, mut till) = (reader.clone(), till.clone());
        till.tap(festival, &mut reader, Some((at, fault)));
        assert!(reader.faults.is_empty(), "the cut at {at} took place");
        let tills = others.iter().cloned().chain([till]).collect();
        note(states, reader, tills, times);
    }
}

/// Walks the future of a state: others, then the till itself, and checks what is on the chip at every step.
fn future(festival: &Festival, base: &History, state: &(Reader, Vec<Till>, u64), count: &mut Count) {
    let (reader, tills, times) = state;
    let [till] = tills.as_slice() else {
        panic!("one till");
    };
    let own = effect(festival, &till.deed);
    let folds = match &till.deed {
        Deed::PayFolding(_, pending) | Deed::Claim(pending) => i64::from(pending.units) * 10,
        _ => 0,
    };
    // Old, new, and with the folded credit or without: never anything else.
    let allowed = |others: i64| {
        let mut allowed = Vec::new();
        for total in &base.totals {
            for fold in [0, folds] {
                for own in [0, own] {
                    allowed.push(total + fold + own + others);
                }
            }
        }
        allowed
    };
    let seen = total(festival, reader);
    assert!(allowed(0).contains(&seen), "{}: {seen} after {till:?}", base.name);
    for (name, others) in sequels(festival, base) {
        count.cases += times;
        count.walked += 1;
        let (mut reader, mut till) = (reader.clone(), till.clone());
        let mut changed = 0;
        for mut other in others {
            if till.end != End::Open && name != "same till" {
                break;
            }
            other.finish(festival, &mut reader);
            assert_eq!(other.end, End::Done, "nobody finishes somebody else's sale: {name}");
            changed += effect(festival, &other.deed);
            let seen = total(festival, &reader);
            assert!(allowed(changed).contains(&seen), "{} then {name}: {seen}", base.name);
        }
        till.finish(festival, &mut reader);
        let seen = totals(festival, &reader);
        match till.end {
            End::Done => {
                count.once += times;
                // Once: exactly one charge, whatever was read of a credit that nobody had confirmed.
                let exact: Vec<i64> = base.totals.iter().map(|total| total + folds + own + changed).collect();
                assert!(
                    seen.iter()
                        .all(|seen| exact.contains(seen) || folds > 0 && exact.contains(&(seen + folds))),
                    "{} then {name}: {seen:?}, not {exact:?}, after {till:?}",
                    base.name
                );
                // A weak top-up that this till happened to read as not there stays as weak as it was, for its desk to finish.
                assert!(
                    seen.len() == 1 || base.totals.len() == 2,
                    "what was confirmed is solid: {seen:?} after {name}"
                );
            }
            End::Unknown => {
                count.unknown += times;
                assert!(name != "same till", "{} then {name}: asks the server", base.name);
                assert!(seen.iter().all(|seen| allowed(changed).contains(seen)));
            }
            End::Open => unreachable!(),
        }
    }
}

fn matrix(deeds: &[Deed]) -> Count {
    let festival = festival();
    let mut count = Count::default();
    for base in histories(&festival) {
        for deed in deeds {
            let till = Till::new(*deed);
            let Ok(loaded) = festival.look(&mut base.reader.clone()) else {
                panic!("a dead wristband at the beginning")
            };
            if let Err(PlanRefusal::VouchersTooLow { .. }) = festival.plan(&loaded, deed) {
                continue;
            }
            let mut states = States::new();
            torn_once(&festival, &base.reader, &[till], 1, &mut states);
            for state in states.values() {
                future(&festival, &base, state, &mut count);
            }
        }
    }
    count
}

fn say(what: &str, count: &Count) {
    crate::say(&format!(
        "{what}: {} cases ({} futures walked), {} exactly once, {} asked the server",
        count.cases, count.walked, count.once, count.unknown
    ));
}

fn voucher(cents: u32) -> Deed {
    Deed::Pay(Payment {
        cents,
        vouchers: [1, 0],
        terminal: 1,
        minute: 12,
        ..Payment::default()
    })
}

#[test]
fn a_payment_torn_once_is_charged_exactly_once_or_asked_about() {
    let festival = festival();
    let folding = match pay(450, 1) {
        Deed::Pay(payment) => Deed::PayFolding(payment, festival.batch.pending(0, 60)),
        _ => unreachable!(),
    };
    let count = matrix(&[pay(450, 1), voucher(120), folding]);
    say("payment, one tear", &count);
    assert!(count.cases > 20_000 && count.unknown * 4 < count.cases, "{count:?}");
}

#[test]
fn a_top_up_torn_once_is_credited_exactly_once_or_asked_about() {
    let festival = festival();
    let deeds = [
        top_up(500, 1),
        credit(ChainId::Return, 300, 1),
        Deed::Claim(festival.batch.pending(0, 60)),
    ];
    let count = matrix(&deeds);
    say("top-up, one tear", &count);
    assert!(count.cases > 10_000 && count.unknown * 4 < count.cases, "{count:?}");
}

#[test]
fn a_change_of_the_record_torn_once_leaves_the_old_or_the_new_and_never_touches_money() {
    let flags = Deed::Update(Update {
        flags: Some(Flags::default().with_points(true)),
        terminal: 1,
        minute: 12,
        ..Update::default()
    });
    let count = matrix(&[flags, issue([1, 0], 1)]);
    say("change, one tear", &count);
    assert!(count.cases > 10_000 && count.unknown * 4 < count.cases, "{count:?}");
}

/// Two tears: the first till's, then that of a second (or of the same again), then both hold it until they end, in either order.
fn matrix_of_two(firsts: &[Deed], seconds: &[Option<Deed>]) -> Count {
    let mut festival = festival();
    let mut reader = festival.reader(0);
    festival.does(&mut reader, &top_up(4_000, 200));
    festival.walk = festival.look(&mut reader).ok().map(|loaded| loaded.purse.walk());
    let mut count = Count::default();
    for base in histories(&festival) {
        for first in firsts {
            let mut once = States::new();
            torn_once(&festival, &base.reader, &[Till::new(*first)], 1, &mut once);
            for second in seconds {
                let mut twice = States::new();
                for (reader, tills, times) in once.values() {
                    let tills: Vec<Till> = match second {
                        Some(second) => tills.iter().cloned().chain([Till::new(*second)]).collect(),
                        None => tills.iter().filter(|till| till.end == End::Open).cloned().collect(),
                    };
                    torn_once(&festival, reader, &tills, *times, &mut twice);
                }
                for (reader, tills, times) in twice.values() {
                    let mut orders = vec![tills.clone()];
                    if tills.len() > 1 {
                        orders.push(tills.iter().rev().cloned().collect());
                    }
                    for mut tills in orders {
                        count.cases += times;
                        count.walked += 1;
                        ends_well(&festival, &base, reader, &mut tills, *times, &mut count);
                    }
                }
            }
        }
    }
    count
}

fn ends_well(festival: &Festival, base: &History, reader: &Reader, tills: &mut [Till], times: u64, count: &mut Count) {
    let mut reader = reader.clone();
    for till in &mut *tills {
        till.finish(festival, &mut reader);
    }
    // Whoever was served is on the chip once; whoever asks the server may be.
    let mut expected: Vec<i64> = base.totals.clone();
    for till in &*tills {
        let own = effect(festival, &till.deed);
        expected = match till.end {
            End::Done => expected.iter().map(|total| total + own).collect(),
            _ => expected.iter().flat_map(|total| [*total, total + own]).collect(),
        };
    }
    for seen in totals(festival, &reader) {
        assert!(
            expected.contains(&seen),
            "{}: {seen}, not {expected:?}, after {tills:?}",
            base.name
        );
    }
    if tills.iter().all(|till| till.end == End::Done) {
        count.once += times;
    } else {
        // Where another desk left a weak top-up behind, a desk is not alone.
        let alone = tills.len() == 1 && base.totals.len() == 1;
        assert!(!alone, "{}: a till alone always knows", base.name);
        count.unknown += times;
    }
}

#[test]
fn a_payment_torn_twice_is_charged_exactly_once_for_each_till_or_asked_about() {
    let count = matrix_of_two(&[pay(450, 1)], &[None, Some(pay(250, 2))]);
    say("payment, two tears", &count);
    assert!(count.cases > 75_000 && count.unknown * 4 < count.cases, "{count:?}");
}

#[test]
fn a_top_up_torn_twice_is_credited_exactly_once_for_each_desk_or_asked_about() {
    let seconds = [
        None,
        Some(top_up(700, 2)),
        Some(credit(ChainId::Return, 300, 2)),
        Some(pay(250, 2)),
    ];
    let count = matrix_of_two(&[top_up(500, 1)], &seconds);
    say("top-up, two tears", &count);
    assert!(count.cases > 75_000 && count.unknown * 4 < count.cases, "{count:?}");
}

#[test]
fn a_change_and_a_payment_both_torn_leave_a_record_at_every_look() {
    let count = matrix_of_two(&[issue([1, 0], 1)], &[None, Some(pay(250, 2))]);
    say("change then payment, both torn", &count);
    assert!(count.cases > 50_000, "{count:?}");
}
