use proptest::prelude::*;
use shared_protocol::order::OrderKind;
use shared_protocol::shift::ShiftMark;
use shared_protocol::{TaxpayerId, TillId};
use store::{SigningState, TseNo};

use super::*;
use crate::tse::{Tse as _, TseError};

mod load;
mod office;
mod rig;

use rig::{KINDS, NOW, Rig, errors};

#[test]
fn a_cart_has_one_transaction_from_its_first_item_to_its_order() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let job = rig.job(0);
    rig.open(&job);
    rig.settle();
    rig.open(&job);
    rig.passes(8_000);
    let row = rig.sign(&job).unwrap();
    assert_eq!(
        (row.state, row.transaction, row.outage),
        (SigningState::Signed, Some(1), None)
    );
    let transaction = rig.books.transactions.values().next().unwrap();
    let end = transaction.end.as_ref().unwrap();
    assert_eq!(
        (rig.books.transactions.len(), end.time_s - transaction.started_s),
        (1, 8)
    );
    assert!(end.process_data.starts_with("Beleg^"));
    assert!(transaction.client.ends_with(&format!("-{:05}", rig.till.till.0)));
    assert_eq!(rig.books.done_to, 1);
    // Its first item is told of after all.
    rig.open(&job);
    rig.settle();
    rig.check();
}

#[test]
fn an_order_without_a_tse_waits_and_two_taxpayers_have_two_tses() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let own = rig.job(0);
    let mut theirs = rig.job(0);
    (theirs.order.taxpayer, theirs.order.cart) = (TaxpayerId(777), own.order.cart);
    theirs.no = 2;
    assert_eq!(rig.signer.order(&theirs, NOW), Err(NoTse(TaxpayerId(777))));
    assert_eq!(rig.sign(&own).unwrap().state, SigningState::Signed);
    assert_eq!((rig.books.done_to, rig.signer.waiting()), (1, 1));
    rig.add(TaxpayerId(777), 6);
    rig.settle();
    let row = rig.sign(&theirs).unwrap();
    assert_eq!(
        (row.state, row.transaction, row.tse),
        (SigningState::Signed, Some(1), TseNo(2))
    );
    assert_eq!(rig.books.done_to, 2);
}

#[test]
fn an_order_that_comes_late_or_at_an_unknown_time_lies_in_an_outage_of_its_till() {
    for (policy, state) in [
        (OutagePolicy::MarkOnly, SigningState::InOutage),
        (OutagePolicy::ResignMarked, SigningState::SignedLate),
    ] {
        let mut rig = Rig::new(policy, 1);
        let mut unknown = rig.job(0);
        unknown.sold_at_ms = None;
        assert_eq!(rig.sign(&unknown).unwrap().state, state);
        let mut rig = Rig::new(policy, 1);
        let jobs = [rig.job(600_000), rig.job(400_000), rig.job(5_000)];
        let rows: Vec<_> = jobs.iter().map(|job| rig.sign(job).unwrap()).collect();
        assert_eq!(
            (rows[0].state, rows[1].state, rows[2].state),
            (state, state, SigningState::Signed)
        );
        assert_eq!(
            (rows[0].outage, rows[1].outage),
            (Some(1), Some(1)),
            "one outage for both"
        );
        let outage = &rig.books.outages[&1];
        assert_eq!((outage.from_ms, outage.until_ms), (NOW - 600_000, Some(NOW)));
        assert!(outage.client.is_some() && outage.tse.is_none());
    }
}

#[test]
fn a_tse_that_does_not_answer_is_tried_now_and_then_and_the_outage_is_logged() {
    let mut rig = Rig::new(OutagePolicy::ResignMarked, 1);
    rig.tse(1).down = true;
    let calls = rig.tse(1).calls;
    for _ in 0..50 {
        rig.now_ms += 10;
        let job = rig.job(0);
        let row = rig.sign(&job).unwrap();
        assert_eq!((row.state, row.outage), (SigningState::InOutage, Some(1)));
    }
    assert_eq!(
        rig.tse(1).calls,
        calls + 1,
        "a TSE that is down costs one wait, not one a sale"
    );
    assert!(!rig.signer.may_sign_late() && rig.signer.has_outage());
    assert_eq!(rig.books.outages[&1].until_ms, None);
    rig.tse(1).down = false;
    rig.passes(PROBE_EVERY_MS);
    assert!(!rig.signer.has_outage(), "it ends without a sale");
    assert_eq!(rig.books.outages[&1].until_ms, Some(rig.now_ms));
    assert!(rig.books.outages[&1].reason.contains("does not answer"));
    let job = rig.job(0);
    assert_eq!(rig.sign(&job).unwrap().state, SigningState::Signed);
    rig.heals();
    rig.check();
    assert!(
        rig.books
            .orders
            .values()
            .all(|row| row.state == SigningState::Signed || row.outage == Some(1))
    );
}

#[test]
fn the_tills_of_a_tse_that_stays_away_go_to_another_one_between_transactions() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    let (first, begun) = (rig.job(0), rig.job(0));
    let home = rig.sign(&first).unwrap().tse;
    rig.open(&begun);
    rig.settle();
    rig.tse(home.0).down = true;
    let failing = rig.job(0);
    assert_eq!(rig.sign(&failing), None, "a moment is waited for");
    rig.passes(FAILOVER_AFTER_MS);
    let row = rig.books.orders[&2].clone();
    assert_eq!((row.state, row.outage), (SigningState::Signed, None));
    assert_ne!(row.tse, home);
    // What has begun at the TSE that is gone gets a transaction of its own where the till is now.
    let row = rig.sign(&begun).unwrap();
    assert_eq!(row.state, SigningState::Signed);
    let history: Vec<_> = rig
        .books
        .clients
        .values()
        .map(|row| (row.tse, row.until_ms.is_some()))
        .collect();
    assert_eq!(history.len(), 2);
    assert!(history.contains(&(home, true)));
    rig.tse(home.0).down = false;
    rig.passes(PROBE_MAX_MS);
    assert!(
        rig.tse(home.0).tse.memory().clients.is_empty(),
        "the old one lets go of the till"
    );
    rig.heals();
    rig.check();
}

#[test]
fn a_tse_that_is_full_or_expired_loses_its_tills_at_once() {
    for error in [
        TseError::Storage,
        TseError::CertificateExpired,
        TseError::Disabled,
        TseError::AccessDenied("blocked".to_owned()),
    ] {
        let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
        rig.tse(1).says = Some(error.clone());
        let job = rig.job(0);
        let row = rig.sign(&job).unwrap();
        assert_eq!((row.state, row.tse), (SigningState::Signed, TseNo(2)), "{error}");
        assert_eq!(rig.books.outages[&1].reason, error.to_string());
        rig.heals();
        rig.check();
    }
}

#[test]
fn a_finish_whose_answer_is_lost_is_found_and_never_repeated() {
    for (policy, count) in [(OutagePolicy::MarkOnly, 1), (OutagePolicy::ResignMarked, 2)] {
        let mut rig = Rig::new(policy, count);
        let job = rig.job(0);
        rig.open(&job);
        rig.settle();
        rig.tse(1).loses_answer = true;
        assert_eq!(rig.sign(&job).unwrap().state, SigningState::InOutage);
        rig.passes(PROBE_EVERY_MS);
        let row = rig.books.orders[&1].clone();
        assert_eq!(
            (row.state, row.transaction, row.outage),
            (SigningState::SignedLate, Some(1), Some(1))
        );
        assert_eq!(rig.tse(1).tse.memory().signatures, 2, "one start, one end");
        rig.heals();
        rig.check();
    }
}

#[test]
fn a_tse_that_hangs_is_given_up_and_what_it_did_meanwhile_is_found() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let (one, two) = (rig.job(0), rig.job(0));
    rig.open(&one);
    rig.settle();
    rig.tse(1).hangs = true;
    assert_eq!(rig.sign(&one), None);
    assert_eq!(rig.sign(&two), None);
    rig.passes(CALL_MAX_MS);
    let states: Vec<_> = rig.books.orders.values().map(|row| row.state).collect();
    assert_eq!(states, [SigningState::InOutage; 2]);
    assert!(rig.books.outages[&1].reason.contains("10 s"));
    let third = rig.job(0);
    assert_eq!(rig.sign(&third).unwrap().state, SigningState::InOutage);
    rig.wakes();
    rig.passes(PROBE_MAX_MS);
    assert_eq!(rig.books.orders[&1].state, SigningState::SignedLate, "it was signed");
    assert_eq!(rig.books.orders[&2].state, SigningState::InOutage);
    rig.heals();
    rig.check();
}

#[test]
fn a_busy_tse_is_left_alone_and_a_refusal_is_an_outage_of_the_till() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    rig.tse(1).says = Some(TseError::Busy { after_ms: 3_000 });
    let job = rig.job(0);
    assert_eq!(rig.sign(&job), None);
    rig.passes(2_999);
    assert!(rig.books.orders.is_empty() && !rig.signer.has_outage());
    rig.passes(1);
    assert_eq!(rig.books.orders[&1].state, SigningState::Signed);
    rig.tse(1).says = Some(TseError::TooManyOpen);
    let job = rig.job(0);
    let row = rig.sign(&job).unwrap();
    assert_eq!(row.state, SigningState::InOutage);
    let outage = &rig.books.outages[&row.outage.unwrap()];
    assert!(
        outage.client.is_some() && outage.reason.contains("too many"),
        "{}",
        outage.reason
    );
    rig.heals();
    rig.check();
}

#[test]
fn a_tse_that_forgot_its_tills_or_a_transaction_is_told_again() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let (first, second) = (rig.job(0), rig.job(0));
    rig.sign(&first);
    let client = client_of(fixtures::sample::EVENT, rig.till.till);
    rig.tse(1).tse.deregister(&client, NOW).unwrap();
    assert_eq!(rig.sign(&second).unwrap().state, SigningState::Signed);
}

#[test]
fn a_tse_without_room_sends_a_till_to_the_next() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    rig.tse(1).says = Some(TseError::TooManyClients);
    let job = rig.job(0);
    let row = rig.sign(&job).unwrap();
    assert_eq!((row.state, row.tse), (SigningState::Signed, TseNo(2)));
    rig.check();
}

#[test]
fn a_cart_that_is_given_up_and_what_is_open_at_a_closing_end_as_such() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let (given_up, left) = (rig.job(0), rig.job(0));
    rig.open(&given_up);
    rig.settle();
    rig.open(&left);
    rig.settle();
    rig.signer.cart_aborted(given_up.order.cart);
    rig.signer.cart_aborted(given_up.order.cart);
    rig.settle();
    let aborted = crate::Kassenbeleg::ABORTED.to_string();
    let ends = |rig: &Rig| {
        rig.books
            .transactions
            .values()
            .filter(|row| row.end.as_ref().is_some_and(|end| end.process_data == aborted))
            .count()
    };
    assert_eq!(ends(&rig), 1);
    rig.signer.close();
    rig.settle();
    assert_eq!(ends(&rig), 2);
    // The order was on its way: it gets a transaction of its own.
    assert_eq!(rig.sign(&left).unwrap().state, SigningState::Signed);
    assert_eq!(rig.books.transactions.len(), 3);
}

#[test]
fn a_start_whose_answer_was_lost_ends_as_given_up_when_the_tse_is_back() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let job = rig.job(0);
    rig.tse(1).loses_answer = true;
    rig.open(&job);
    rig.settle();
    // It was the registration; now the start.
    rig.passes(PROBE_EVERY_MS);
    rig.tse(1).loses_answer = true;
    let next = rig.job(0);
    rig.open(&next);
    rig.settle();
    rig.passes(PROBE_EVERY_MS);
    assert_eq!(rig.sign(&next).unwrap().state, SigningState::Signed);
    rig.sign(&job);
    rig.heals();
    rig.check();
}

#[test]
fn a_signer_that_goes_down_at_any_point_signs_no_order_twice() {
    for (policy, late_ms) in [(OutagePolicy::MarkOnly, 0), (OutagePolicy::ResignMarked, 60_000)] {
        for at in 0..3 {
            for turns in 0..8 {
                let mut rig = Rig::new(policy, 2);
                let job = rig.job(late_ms);
                rig.tell(&job);
                for _ in 0..turns {
                    rig.turn();
                }
                rig.crashes(at);
                rig.now_ms += 90_000;
                rig.heals();
                rig.check();
                let signatures: u64 = rig.tses.values().map(|tse| tse.tse.memory().signatures).sum();
                // A start that nobody noted ends as given up.
                assert!(signatures <= 4, "{signatures} at {at} after {turns}");
            }
        }
    }
}

#[test]
fn an_order_whose_sums_nobody_can_give_is_protected_as_text() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let mut job = rig.job(0);
    job.order.tenders.clear();
    rig.sign(&job);
    let end = rig.books.transactions.values().next().unwrap().end.clone().unwrap();
    assert_eq!(end.process_type, "SonstigerVorgang");
    assert!(end.process_data.contains(&job.order.id.to_string()));
}

#[test]
fn a_shift_is_protected_as_text_with_no_sums() {
    for (mark, name) in [(ShiftMark::Begin, "Schichtbeginn, "), (ShiftMark::End, "Schichtende, ")] {
        let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
        let mut job = rig.job(0);
        job.order = Order {
            kind: OrderKind::Shift,
            lines: Vec::new(),
            tenders: Vec::new(),
            holder: None,
            shift: Some(mark),
            ..job.order
        };
        assert_eq!(rig.sign(&job).unwrap().state, SigningState::Signed);
        let end = rig.books.transactions.values().next().unwrap().end.clone().unwrap();
        assert_eq!(end.process_type, "SonstigerVorgang");
        assert!(end.process_data.starts_with(name), "{}", end.process_data);
    }
}

#[test]
fn a_long_queue_gives_tills_to_a_short_one() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    for no in 1..=2 {
        rig.tse(no).hangs = true;
    }
    // All tills are with the first TSE, as after an outage of the second.
    for till in 0..8 {
        for _ in 0..40 {
            let mut job = rig.job(0);
            job.order.till = TillId(till + 1);
            let client = client_of(fixtures::sample::EVENT, job.order.till);
            if rig.books.clients.is_empty() {
                rig.signer.moves(rig.home, &client, TseNo(1), rig.now_ms);
            }
            rig.signer
                .homes
                .entry((rig.home, client))
                .and_modify(|row| row.tse = TseNo(1));
            rig.tell(&job);
        }
    }
    rig.now_ms += 1;
    for _ in 0..4 {
        rig.now_ms += 1;
        rig.signer.balanced_at_ms = 0;
        rig.turn();
    }
    let waiting: Vec<u64> = rig.signer.units().iter().map(|unit| unit.waiting).collect();
    assert!(waiting.iter().all(|count| *count > 80), "{waiting:?}");
}

#[test]
fn books_that_were_put_back_find_in_the_log_what_was_signed_after_the_copy() {
    for policy in [OutagePolicy::MarkOnly, OutagePolicy::ResignMarked] {
        let mut rig = Rig::new(policy, 1);
        rig.sells();
        let copy = rig.copied();
        rig.passes(40_000);
        rig.sells();
        // A second one like it, and a cart that was given up.
        rig.passes(40_000);
        rig.sells();
        let given_up = rig.job(0);
        rig.open(&given_up);
        rig.settle();
        rig.signer.cart_aborted(given_up.order.cart);
        rig.settle();
        let before = rig.books.orders.clone();
        rig.passes(3_600_000);
        let signatures = rig.tse(1).tse.memory().signatures;
        rig.is_put_back(copy);
        rig.settle();
        assert_eq!(rig.books.orders, before, "by the same transactions, and not late");
        assert_eq!(
            rig.tse(1).tse.memory().signatures,
            signatures,
            "nothing was signed again"
        );
        assert!(rig.books.outages.is_empty());
        rig.check();
    }
}

#[test]
fn what_a_till_that_never_comes_back_had_signed_is_in_the_books_and_counted() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let (books, jobs) = rig.copied();
    rig.sells();
    rig.jobs.clear();
    rig.is_put_back((books, jobs));
    rig.settle();
    assert_eq!(rig.signer.units()[0].unclaimed, 1);
    // Also after the next start, when the log has nothing new.
    rig.starts();
    rig.settle();
    assert_eq!((rig.signer.units()[0].unclaimed, rig.books.transactions.len()), (1, 1));
    let calls = rig.tse(1).calls;
    rig.passes(600_000);
    assert_eq!(
        rig.sells().unwrap().transaction,
        Some(2),
        "a sale of now is signed anew"
    );
    assert!(rig.tse(1).calls > calls);
}

#[test]
fn orders_that_come_again_wait_for_a_log_but_not_for_ever() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    rig.sells();
    let copy = rig.copied();
    rig.sells();
    rig.passes(30_000);
    rig.tse(1).hangs = true;
    let (books, jobs) = copy;
    let again = rig.jobs.split_off(jobs).remove(0);
    rig.books = books;
    rig.starts();
    let booked_at_ms = rig.now_ms;
    assert_eq!(
        rig.sign(&Job { booked_at_ms, ..again }),
        None,
        "it may have been signed"
    );
    // A sale of now does not wait.
    let mut fresh = rig.job(0);
    fresh.order.till = TillId(77);
    let elsewhere = client_of(fixtures::sample::EVENT, fresh.order.till);
    rig.signer.moves(rig.home, &elsewhere, TseNo(2), rig.now_ms);
    assert_eq!(rig.sign(&fresh).unwrap().state, SigningState::Signed);
    rig.passes(CALL_MAX_MS);
    rig.passes(FAILOVER_AFTER_MS);
    assert_eq!(rig.books.orders[&2].state, SigningState::InOutage, "it came off");
    rig.wakes();
    rig.heals();
    assert_eq!(
        rig.books.orders[&2].state,
        SigningState::SignedLate,
        "its transaction was found"
    );
    rig.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever TSEs and the server do: every order comes off exactly once, nothing is signed twice, the books have what the TSEs have, and once all is
    /// well again everything can be signed.
    #[test]
    fn every_order_comes_off_once(
        resign in any::<bool>(),
        count in 1_u8..4,
        script in proptest::collection::vec((0_u8..14, 0_u16..4, 0_u64..9_000), 1..50),
    ) {
        let policy = if resign { OutagePolicy::ResignMarked } else { OutagePolicy::MarkOnly };
        let mut rig = Rig::new(policy, count);
        let mut waiting = Vec::new();
        for (what, which, pause_ms) in script {
            rig.now_ms += pause_ms;
            let no = which % u16::from(count) + 1;
            match what {
                0 => rig.tse(no).down = true,
                1 => rig.tse(no).heals(),
                2 | 3 => {
                    // At one of the calls, or at the next, whichever it is.
                    let at = pause_ms % (KINDS + 1);
                    rig.tse(no).at = u8::try_from(at).ok().filter(|_| at < KINDS);
                    if what == 2 {
                        rig.tse(no).loses_answer = true;
                    } else {
                        let errors = errors(pause_ms);
                        let which = usize::try_from(pause_ms / (KINDS + 1)).unwrap() % errors.len();
                        rig.tse(no).says = Some(errors[which].clone());
                    }
                }
                4 => rig.tse(no).hangs = true,
                5 => rig.wakes(),
                6 => rig.crashes(u8::try_from(which % 3).unwrap()),
                7 => {
                    if let Some(job) = waiting.pop() {
                        let job: Job = job;
                        rig.signer.cart_aborted(job.order.cart);
                        rig.tell(&job);
                    }
                }
                8 | 9 => {
                    let job = rig.job(0);
                    rig.open(&job);
                    waiting.push(job);
                }
                10 => {
                    let job = rig.job(pause_ms);
                    rig.tell(&job);
                }
                _ => if let Some(job) = waiting.pop() {
                    rig.tell(&job);
                }
            }
            if which == 3 {
                rig.turn();
            } else {
                rig.settle();
            }
        }
        for job in waiting {
            rig.tell(&job);
        }
        rig.heals();
        rig.check();
    }

    /// Wherever a copy is made and put back: every order comes off, nothing is signed a second time, and the books have what the TSEs have.
    #[test]
    fn books_that_are_put_back_sign_nothing_twice(
        resign in any::<bool>(),
        count in 1_u8..4,
        copied_at in 0_usize..20,
        script in proptest::collection::vec((0_u8..9, 0_u16..4, 0_u64..9_000), 1..30),
        away_ms in 10_000_u64..7_200_000,
    ) {
        let policy = if resign { OutagePolicy::ResignMarked } else { OutagePolicy::MarkOnly };
        let mut rig = Rig::new(policy, count);
        let (mut copy, mut waiting) = (rig.copied(), Vec::new());
        for (step, (what, which, pause_ms)) in script.into_iter().enumerate() {
            if step == copied_at {
                copy = rig.copied();
            }
            rig.now_ms += pause_ms;
            let no = which % u16::from(count) + 1;
            match what {
                0 => rig.tse(no).down = true,
                1 | 2 => rig.tse(no).heals(),
                3 => rig.tse(no).loses_answer = true,
                4 => {
                    let job = rig.job(pause_ms);
                    rig.tell(&job);
                }
                5 | 6 => {
                    let job = rig.job(0);
                    rig.open(&job);
                    waiting.push(job);
                }
                _ => if let Some(job) = waiting.pop() {
                    rig.tell(&job);
                }
            }
            rig.settle();
        }
        rig.now_ms += away_ms;
        for tse in rig.tses.values_mut() {
            tse.heals();
        }
        rig.is_put_back(copy);
        rig.heals();
        rig.check();
    }
}

/// What is chosen from a moment on.
fn chosen(changes: &[(u64, &str, &str)]) -> Choices {
    let first = [
        (0, "outage_policy", "mark-only"),
        (0, "transaction_begins", "first-item"),
    ];
    let rows = first.iter().chain(changes).map(|(at_ms, key, value)| store::TaxRow {
        event: fixtures::sample::EVENT,
        at_ms: *at_ms,
        by: None,
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        why: String::new(),
    });
    Choices::read(&(1..).zip(rows).collect::<Vec<_>>()).unwrap()
}

#[test]
fn where_transactions_begin_with_the_payment_a_cart_leaves_none_and_its_order_is_signed() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let before = rig.job(0);
    rig.open(&before);
    rig.settle();
    rig.signer.choose(chosen(&[(NOW, "transaction_begins", "payment")]));
    rig.now_ms = NOW;
    let (given_up, sold) = (rig.job(0), rig.job(0));
    rig.open(&given_up);
    rig.open(&sold);
    rig.settle();
    assert_eq!(rig.books.transactions.len(), 1, "only the cart that was begun before");
    rig.signer.cart_aborted(given_up.order.cart);
    for job in [&before, &sold] {
        let row = rig.sign(job).unwrap();
        assert_eq!((row.state, row.outage), (SigningState::Signed, None));
    }
    let begun = rig.books.transactions.values().map(|row| row.started_s);
    assert_eq!(
        (rig.books.transactions.len(), begun.max()),
        (2, Some(rig.now_ms / 1_000))
    );
    rig.check();
}

#[test]
fn a_changed_policy_holds_for_orders_that_were_booked_after_it() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let before = rig.job(600_000);
    let before = rig.sign(&before).unwrap();
    assert_eq!(before.state, SigningState::InOutage);
    rig.signer
        .choose(chosen(&[(NOW + 1, "outage_policy", "resign-marked")]));
    rig.now_ms = NOW + 10;
    let after = rig.job(600_000);
    assert_eq!(rig.sign(&after).unwrap().state, SigningState::SignedLate);
    rig.heals();
    assert_eq!(
        rig.books.orders[&before.no].state,
        SigningState::InOutage,
        "it stays marked"
    );
    rig.signer.choose(chosen(&[
        (NOW + 1, "outage_policy", "resign-marked"),
        (NOW + 1_000, "outage_policy", "mark-only"),
    ]));
    assert!(rig.signer.signs_late(NOW + 999) && !rig.signer.signs_late(rig.now_ms));
    let last = rig.job(600_000);
    let last = rig.sign(&last).unwrap();
    assert_eq!(last.state, SigningState::InOutage);
    rig.heals();
    assert_eq!(rig.books.orders[&last.no].state, SigningState::InOutage);
    rig.check();
}
