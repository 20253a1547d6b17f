//! Generated sequences of requests, held against a reference model and against what must always be true.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a wrong assumption fails the test that made it"
)]

mod reference;
mod scenario;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use ledger::account::{Account, AccountKey};
use ledger::{Balance, Fold, HoldOutcome, Limits, Outcome, Posting, Replay, Transfer, TransferCode, journal};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use shared_protocol::Amount;
use shared_protocol::crypto::Hash32;
use shared_protocol::money::split;

use self::reference::Model;
use self::scenario::{
    Answer, Command, EURO, PROVISION_STEPS, Step, all_hold_ids, bounded_keys, chart, independent, key, payable,
    posting, sequences, server,
};
use self::store::Store;

const CASES: u32 = 4_096;

fn config() -> Config {
    Config {
        failure_persistence: None,
        ..Config::with_cases(CASES)
    }
}

/// A fold in which every bounded balance can be looked at.
fn open_fold(steps: &[Step]) -> Fold {
    let mut needs = ledger::Needs {
        accounts: bounded_keys().collect(),
        ..ledger::Needs::default()
    };
    for step in steps {
        needs.merge(step.needs([]));
    }
    Fold::new(Store::default().load(&needs), &chart())
}

fn balances(fold: &Fold) -> BTreeMap<AccountKey, Balance> {
    bounded_keys()
        .filter_map(|key| Some((key, fold.balance(&key)?)))
        .collect()
}

fn lots(fold: &Fold) -> BTreeMap<(AccountKey, u64), Amount> {
    bounded_keys()
        .flat_map(|key| fold.lots(&key).map(move |(end, left)| ((key, end), left)))
        .collect()
}

fn is_booked(answer: &Answer) -> bool {
    matches!(answer, Answer::Posting(Outcome::Booked { .. }))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_answer_and_every_balance_is_that_of_the_reference_model(steps in sequences(1..20)) {
        let (mut fold, mut model) = (open_fold(&steps), Model::default());
        for step in &steps {
            prop_assert_eq!(step.run(&mut fold), model.run(step));
            for key in bounded_keys() {
                let Balance { balance, held } = fold.balance(&key).unwrap();
                prop_assert_eq!((i128::from(balance.0), i128::from(held.0)), (model.balance(key), model.held(key)));
                let left: BTreeMap<_, _> = fold.lots(&key).map(|(end, left)| (end, i128::from(left.0))).collect();
                prop_assert_eq!(left, model.lots(key));
            }
        }
    }

    #[test]
    fn every_asset_sums_to_zero_and_balances_are_the_fold_of_the_transfers(steps in sequences(1..20)) {
        let mut store = Store::default();
        steps.chunks(3).for_each(|batch| { store.run(batch, &chart()); });
        let chain = store.records.iter().zip(store.hashes.iter().copied());
        let head = store.hashes.last().copied().unwrap();
        prop_assert_eq!(journal::verify(chain, Hash32::ZERO, 0), Ok((store.records.len() as u64, head)));

        let mut replay = Replay::default();
        for record in &store.records {
            prop_assert_eq!(replay.add(record), Ok(()));
            prop_assert!(replay.totals().sums().unwrap().values().all(|sum| *sum == 0));
        }
        let stored = store.accounts.iter().map(|(key, balance)| (*key, balance.balance)).collect();
        prop_assert_eq!(replay.totals().compare(&stored, |key| key.account.is_bounded()), vec![]);
        prop_assert_eq!(replay.totals().compare_lots(&store.lots), vec![]);
    }

    #[test]
    fn a_replay_of_everything_that_was_booked_is_a_no_op(steps in sequences(1..20), later_ms in 0..5_000_u64) {
        let mut store = Store::default();
        let answers = store.run(&steps, &chart());
        let before = store.clone();
        let again = |step: &Step| Step { now_ms: step.now_ms + later_ms, ..step.clone() };
        for (step, first) in steps.iter().zip(answers) {
            let second = match first {
                Answer::Posting(Outcome::Booked { no } | Outcome::Duplicate { no }) => {
                    Answer::Posting(Outcome::Duplicate { no })
                }
                Answer::Hold(HoldOutcome::Held | HoldOutcome::Duplicate(_)) => {
                    let Command::Hold(request) = step.command else { unreachable!("only holds are held") };
                    Answer::Hold(HoldOutcome::Duplicate(before.holds[&request.id]))
                }
                _ => continue,
            };
            prop_assert_eq!(store.run(&[again(step)], &chart()), vec![second]);
        }
        prop_assert_eq!(store, before);
    }

    #[test]
    fn no_floor_is_broken_and_no_ceiling_unless_it_is_a_fact(steps in sequences(1..20)) {
        let mut fold = open_fold(&steps);
        for step in &steps {
            let before = balances(&fold);
            step.run(&mut fold);
            let is_fact = matches!(&step.command, Command::Post(posting) if posting.limits == Limits::Fact);
            for (key, after) in balances(&fold) {
                let bounds = key.account.bounds(key.asset, &chart());
                prop_assert!(bounds.floor.is_none_or(|floor| after.available().unwrap() >= floor));
                let is_raised = after.balance > before[&key].balance;
                prop_assert!(!is_raised || is_fact || bounds.ceiling.is_none_or(|ceiling| after.balance <= ceiling));
            }
        }
    }

    #[test]
    fn what_is_held_is_the_sum_of_open_holds_and_never_more_than_the_balance(steps in sequences(1..20)) {
        let mut fold = open_fold(&steps);
        for step in &steps {
            step.run(&mut fold);
            let holds: Vec<_> = all_hold_ids().filter_map(|id| fold.hold_state(&id)).collect();
            for (key, Balance { balance, held }) in balances(&fold) {
                let open = holds.iter().filter(|hold| hold.request.key() == key).map(|hold| hold.remaining);
                prop_assert_eq!(Amount::sum(open), Ok(held));
                prop_assert!(!held.is_negative() && (held.is_zero() || held <= balance));
            }
        }
    }

    #[test]
    fn a_refusal_changes_nothing(steps in sequences(1..20)) {
        let mut fold = open_fold(&steps);
        for step in &steps {
            let before = fold.clone();
            let answer = step.run(&mut fold);
            if answer.refusal().is_some() || matches!(answer, Answer::Posting(Outcome::Duplicate { .. })) {
                prop_assert_eq!(&fold, &before);
            }
        }
    }

    #[test]
    fn batches_of_any_size_give_the_same_records_and_hashes_as_one_by_one(
        steps in sequences(1..20),
        sizes in prop::collection::vec(1..6_usize, 26),
    ) {
        let (mut whole, mut parts, mut single) = (Store::default(), Store::default(), Store::default());
        let answers = whole.run(&steps, &chart());
        let mut rest = &steps[..];
        let mut answers_in_parts = vec![];
        for size in sizes {
            let (batch, later) = rest.split_at(size.min(rest.len()));
            answers_in_parts.extend(parts.run(batch, &chart()));
            rest = later;
        }
        let one_by_one: Vec<_> = steps.chunks(1).flat_map(|step| single.run(step, &chart())).collect();
        prop_assert_eq!(&answers_in_parts, &answers);
        prop_assert_eq!(&one_by_one, &answers);
        prop_assert!(answers.iter().all(|answer| answer.refusal().is_none_or(|refusal| refusal.code() != 113)));
        prop_assert_eq!(&parts, &whole);
        prop_assert_eq!(&single, &whole);
    }

    #[test]
    fn the_order_of_independent_postings_does_not_matter(
        lanes in independent(1..6),
        turns in prop::collection::vec(0..3_usize, 40),
    ) {
        let in_order: Vec<_> = (0..).zip(&lanes).flat_map(|(lane, steps)| steps.iter().map(move |step| (lane, step))).collect();
        let mut waiting: Vec<_> = lanes.iter().map(|steps| steps.iter()).collect();
        let mut mixed: Vec<_> = turns.into_iter().filter_map(|lane| Some((lane, waiting[lane].next()?))).collect();
        mixed.extend((0..).zip(waiting).flat_map(|(lane, steps)| steps.map(move |step| (lane, step))));

        let [one, other] = [in_order, mixed].map(|order| {
            let steps: Vec<_> = order.iter().map(|(_, step)| (*step).clone()).collect();
            let mut fold = open_fold(&steps);
            let mut answers = vec![vec![]; lanes.len()];
            for (lane, step) in order {
                answers[lane].push(step.run(&mut fold).unnumbered());
            }
            let effects = fold.into_effects();
            (answers, effects.accounts, effects.lots, effects.holds)
        });
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_reversal_restores_all_balances_and_lots_exactly_and_only_once(steps in sequences(1..20), later_ms in 0..5_000_u64) {
        let mut fold = open_fold(&steps);
        for (number, step) in (0..).zip(&steps) {
            let (money, units) = (balances(&fold), lots(&fold));
            if !is_booked(&step.run(&mut fold)) {
                continue;
            }
            let target = match &step.command {
                Command::Post(posting) => posting.id,
                Command::Expire(_, id) => *id,
                _ => unreachable!("only postings are booked"),
            };
            let (taken, after) = (fold.known(&target).unwrap().clone(), balances(&fold));
            let mut trial = fold.clone();
            let now_ms = step.now_ms + later_ms;
            let back = |turn, reverses| Posting { reverses: Some(reverses), limits: Limits::Fact, ..posting([turn, number], vec![]) };
            prop_assert!(is_booked(&Answer::Posting(trial.post(back(201, target), now_ms, None))));
            prop_assert_eq!(lots(&trial), units);
            let moved = |balances: BTreeMap<AccountKey, Balance>| balances.into_values().map(|b| b.balance).collect::<Vec<_>>();
            prop_assert_eq!(moved(balances(&trial)), moved(money));
            let second = trial.post(back(202, target), now_ms, None);
            prop_assert_eq!(second, Outcome::Refused(ledger::Refusal::AlreadyReversed));

            // Taken back itself, the first booking stands again, with the same transfers in the same order.
            let restored = trial.post(back(203, back(201, target).id), now_ms, None);
            prop_assert!(is_booked(&Answer::Posting(restored)));
            prop_assert_eq!(balances(&trial), after);
            let again = trial.known(&back(203, target).id).unwrap().posting.as_ref().unwrap();
            prop_assert_eq!(&again.transfers, &taken.posting.unwrap().transfers);
        }
    }

    #[test]
    fn parts_of_a_split_add_up_in_the_ledger(
        amount in 1..5_000_i64,
        weights in prop::collection::vec(0_u32..100, 1..5),
        party in 0..5_usize,
    ) {
        let Ok(parts) = split(Amount(amount), &weights, party) else { return Ok(()) };
        let asset = EURO;
        let given = Transfer {
            from: Account::Issuer, to: server(0), asset, amount: Amount(amount), code: TransferCode::TopUp,
            expires_at_ms: None,
        };
        let shares = (1..).zip(&parts).filter(|(_, part)| part.is_positive());
        let paid = shares.map(|(number, part)| Transfer { from: server(0), to: payable(number), amount: *part, code: TransferCode::Sale, ..given });
        let postings = [posting([0, 1], vec![given]), posting([0, 2], paid.collect())];
        let steps = postings.map(|posting| Step { now_ms: 1_000, command: Command::Post(posting) });
        let mut store = Store::default();
        prop_assert!(store.run(&steps, &chart()).iter().all(is_booked));
        prop_assert_eq!(store.accounts[&key(server(0), EURO)], Balance::default());
        let mut replay = Replay::default();
        store.records.iter().try_for_each(|record| replay.add(record)).unwrap();
        for (number, part) in (1..).zip(parts) {
            let paid = replay.totals().balances.get(&key(payable(number), EURO)).copied().unwrap_or_default();
            prop_assert_eq!(paid, i128::from(part.0));
        }
    }
}

/// What a step came to, as far as the sequences must reach it.
fn kind(answer: &Answer, command: &Command) -> Option<String> {
    if let Some(refusal) = answer.refusal() {
        return Some(format!("refusal {}", refusal.code()));
    }
    let kind = match (answer, command) {
        (Answer::Posting(Outcome::Duplicate { .. }), _) => "duplicate",
        (Answer::Posting(_), Command::Post(posting)) if posting.reverses.is_some() => "reversal",
        (Answer::Posting(_), Command::Post(posting)) if !posting.captures.is_empty() => "capture",
        (Answer::Posting(_), Command::Post(posting)) => {
            let assets: BTreeSet<_> = posting.transfers.iter().map(|transfer| transfer.asset).collect();
            ["nothing moved", "one asset", "two assets", "three assets"][assets.len()]
        }
        (Answer::Posting(_), _) => "expiry",
        (Answer::Hold(HoldOutcome::Held), _) => "hold",
        (Answer::Hold(_), _) => "duplicate hold",
        (Answer::Released(Ok(amount)), _) if amount.is_positive() => "release",
        (Answer::Lapsed(holds), _) if !holds.is_empty() => "lapsed hold",
        _ => return None,
    };
    Some(kind.into())
}

/// The properties above would hold for a ledger that refuses everything: the sequences must reach what they are about.
#[test]
fn the_generated_sequences_reach_every_answer() {
    let mut runner = TestRunner::deterministic();
    let mut reached: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..1_500 {
        let steps = sequences(1..20).new_tree(&mut runner).unwrap().current();
        let mut fold = open_fold(&steps);
        let answers = steps.iter().map(|step| kind(&step.run(&mut fold), &step.command));
        for kind in answers.skip(PROVISION_STEPS).flatten() {
            *reached.entry(kind).or_default() += 1;
        }
    }
    let refusals = (100..=112).chain([114, 115]).map(|code| format!("refusal {code}"));
    let wanted = refusals.chain(
        [
            ["duplicate", "reversal", "capture", "expiry", "hold", "duplicate hold"],
            [
                "release",
                "lapsed hold",
                "nothing moved",
                "one asset",
                "two assets",
                "three assets",
            ],
        ]
        .into_iter()
        .flatten()
        .map(String::from),
    );
    let rare: Vec<_> = wanted
        .filter(|kind| reached.get(kind).is_none_or(|times| *times < 10))
        .collect();
    assert!(
        rare.is_empty(),
        "reached fewer than ten times: {rare:?} of {reached:#?}"
    );
}
