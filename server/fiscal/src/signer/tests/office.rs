//! Tills that admins move, and TSEs that go out of service.

use proptest::prelude::*;
use shared_protocol::TaxpayerId;
use store::{RetiredRow, SigningState, TseNo, WishRow};

use super::rig::Rig;
use crate::signer::office::{CARTS_MAX_MS, SETTLED_MS};
use crate::signer::{Job, OutagePolicy, PROBE_MAX_MS, Refused, client_of};
use crate::tse::TseError;

fn client(rig: &Rig) -> String {
    client_of(fixtures::sample::EVENT, rig.till.till)
}

fn wish(rig: &Rig, tse: u16, pinned: bool) -> WishRow {
    WishRow {
        client: client(rig),
        taxpayer: rig.home,
        tse: Some(TseNo(tse)),
        pinned,
        asked_at_ms: rig.now_ms,
        by: "ada".to_owned(),
    }
}

fn retire(rig: &Rig, tse: u16, forced: bool) -> RetiredRow {
    RetiredRow {
        tse: TseNo(tse),
        at_ms: rig.now_ms,
        by: "ada".to_owned(),
        why: "it is worn out".to_owned(),
        forced,
        done_ms: None,
        left_open: 0,
    }
}

fn home(rig: &Rig) -> Option<TseNo> {
    let now = rig.books.clients.values().find(|row| row.until_ms.is_none());
    now.map(|row| row.tse)
}

#[test]
fn a_till_moves_after_its_sale_and_the_wish_is_over_then() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    let (first, begun) = (rig.job(0), rig.job(0));
    assert_eq!(rig.sign(&first).unwrap().tse, TseNo(1));
    rig.open(&begun);
    rig.passes(SETTLED_MS);
    rig.signer.wish(wish(&rig, 2, false)).unwrap();
    rig.settle();
    assert_eq!(
        (home(&rig), rig.books.wishes.len()),
        (Some(TseNo(1)), 1),
        "a cart is open"
    );
    // A server that starts anew still knows of it.
    rig.starts();
    rig.settle();
    rig.passes(SETTLED_MS);
    assert_eq!(rig.sign(&begun).unwrap().tse, TseNo(1), "what began there ends there");
    rig.settle();
    assert_eq!((home(&rig), rig.books.wishes.len()), (Some(TseNo(2)), 0));
    let next = rig.job(0);
    assert_eq!(rig.sign(&next).unwrap().tse, TseNo(2));
    assert!(
        rig.tse(1).tse.memory().clients.is_empty(),
        "the one before lets go of it"
    );
    rig.heals();
    rig.check();
}

#[test]
fn a_pinned_till_comes_back_after_an_outage_and_one_that_is_not_stays() {
    for pinned in [true, false] {
        let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
        let job = rig.job(0);
        rig.sign(&job);
        rig.signer.wish(wish(&rig, 1, pinned)).unwrap();
        rig.tse(1).down = true;
        let failing = rig.job(0);
        rig.sign(&failing);
        rig.passes(6_000);
        assert_eq!(home(&rig), Some(TseNo(2)), "orders come before wishes");
        rig.tse(1).down = false;
        rig.passes(PROBE_MAX_MS);
        rig.passes(SETTLED_MS);
        assert_eq!(home(&rig), Some(TseNo(if pinned { 1 } else { 2 })));
        rig.heals();
        rig.check();
    }
}

#[test]
fn what_the_rules_of_assignment_forbid_is_refused() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    rig.add(TaxpayerId(777), 9);
    rig.settle();
    let refused = |rig: &mut Rig, tse| {
        let row = wish(rig, tse, false);
        rig.signer.wish(row).unwrap_err()
    };
    assert_eq!(refused(&mut rig, 3), Refused::OtherTaxpayer(TseNo(3)));
    assert_eq!(refused(&mut rig, 4), Refused::NoTse(TseNo(4)));
    let row = retire(&rig, 2, false);
    rig.signer.retire(row.clone()).unwrap();
    assert_eq!(rig.signer.retire(row), Err(Refused::OutOfService(TseNo(2))));
    assert_eq!(refused(&mut rig, 2), Refused::OutOfService(TseNo(2)));
    let last = retire(&rig, 1, false);
    assert_eq!(rig.signer.retire(last), Err(Refused::NoOther(TseNo(1))));
    assert!(rig.books.wishes.is_empty());
}

#[test]
fn a_tse_goes_out_of_service_when_its_sales_are_over() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    let (first, begun) = (rig.job(0), rig.job(0));
    rig.sign(&first);
    rig.open(&begun);
    rig.settle();
    rig.signer.retire(retire(&rig, 1, false)).unwrap();
    rig.settle();
    assert_eq!(rig.books.retired[&TseNo(1)].done_ms, None, "a cart is open there");
    assert_eq!(rig.sign(&begun).unwrap().tse, TseNo(1));
    rig.settle();
    let done = rig.books.retired[&TseNo(1)].clone();
    assert_eq!((done.done_ms, done.left_open), (Some(rig.now_ms), 0));
    assert_eq!((home(&rig), rig.signer.has_outage()), (Some(TseNo(2)), false));
    let calls = rig.tse(1).calls;
    rig.starts();
    rig.passes(60_000);
    let next = rig.job(0);
    assert_eq!(rig.sign(&next).unwrap().tse, TseNo(2));
    assert_eq!(rig.tse(1).calls, calls, "it is asked nothing any more");
    assert!(rig.signer.is_out_of_service(TseNo(1)));
    rig.heals();
    rig.check();
}

#[test]
fn a_cart_that_is_never_paid_does_not_keep_a_tse_in_service() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    let (first, left, next) = (rig.job(0), rig.job(0), rig.job(0));
    rig.sign(&first);
    rig.open(&left);
    rig.settle();
    rig.signer.retire(retire(&rig, 1, false)).unwrap();
    rig.settle();
    rig.passes(CARTS_MAX_MS);
    assert!(rig.books.retired[&TseNo(1)].done_ms.is_some());
    assert_eq!(rig.sign(&next).unwrap().tse, TseNo(2));
    // Its order comes after all: it begins anew.
    assert_eq!(rig.sign(&left).unwrap().state, SigningState::Signed);
    rig.heals();
    rig.check();
}

#[test]
fn the_last_tse_goes_only_when_that_is_confirmed_and_orders_are_marked_until_there_is_another() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 1);
    let job = rig.job(0);
    rig.sign(&job);
    rig.signer.retire(retire(&rig, 1, true)).unwrap();
    rig.settle();
    assert!(rig.books.retired[&TseNo(1)].done_ms.is_some() && rig.signer.has_outage());
    let job = rig.job(0);
    assert_eq!(rig.sign(&job).unwrap().state, SigningState::InOutage);
    rig.add(rig.home, 7);
    rig.settle();
    let job = rig.job(0);
    let row = rig.sign(&job).unwrap();
    assert_eq!((row.state, row.tse), (SigningState::Signed, TseNo(2)));
    rig.settle();
    assert!(!rig.signer.has_outage());
    rig.heals();
    rig.check();
}

#[test]
fn a_tse_that_is_silent_goes_at_once_where_only_a_person_can_help_and_after_a_while_elsewhere() {
    for lasting in [true, false] {
        let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
        let (first, begun) = (rig.job(0), rig.job(0));
        rig.sign(&first);
        rig.open(&begun);
        rig.settle();
        if lasting {
            rig.tse(1).says = Some(TseError::Storage);
        } else {
            rig.tse(1).down = true;
        }
        assert_eq!(
            rig.sign(&begun).unwrap().state,
            SigningState::InOutage,
            "it may have been signed"
        );
        rig.tse(1).down = true;
        rig.signer.retire(retire(&rig, 1, false)).unwrap();
        rig.settle();
        assert_eq!(rig.books.retired[&TseNo(1)].done_ms.is_some(), lasting);
        rig.passes(CARTS_MAX_MS);
        let done = rig.books.retired[&TseNo(1)].clone();
        assert!(done.done_ms.is_some() && done.left_open == 1);
        rig.heals();
        rig.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever TSEs, admins and the server do: a TSE that goes out of service gets no start (the rig watches every call), and no order is lost or signed twice.
    #[test]
    fn moving_and_retiring_loses_no_order(
        resign in any::<bool>(),
        count in 2_u8..4,
        script in proptest::collection::vec((0_u8..16, 0_u16..4, 0_u64..9_000), 1..50),
    ) {
        let policy = if resign { OutagePolicy::ResignMarked } else { OutagePolicy::MarkOnly };
        let mut rig = Rig::new(policy, count);
        let mut waiting: Vec<Job> = Vec::new();
        for (what, which, pause_ms) in script {
            rig.now_ms += pause_ms;
            let no = which % u16::from(count) + 1;
            match what {
                0 => rig.tse(no).down = true,
                1 => rig.tse(no).heals(),
                2 => rig.tse(no).loses_answer = true,
                3 => rig.tse(no).says = Some([TseError::Storage, TseError::TooManyClients][usize::from(which % 2)].clone()),
                4 => rig.tse(no).hangs = true,
                5 => rig.wakes(),
                6 => rig.crashes(u8::try_from(which % 3).unwrap()),
                7 => {
                    let row = wish(&rig, no, which == 3);
                    let _may_be_refused = rig.signer.wish(row);
                }
                8 => {
                    let row = retire(&rig, no, false);
                    let _may_be_refused = rig.signer.retire(row);
                }
                9 | 10 => {
                    let job = rig.job(0);
                    rig.open(&job);
                    waiting.push(job);
                }
                11 => {
                    let job = rig.job(pause_ms);
                    rig.tell(&job);
                }
                12 => if let Some(job) = waiting.pop() {
                    rig.signer.cart_aborted(job.order.cart);
                },
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
        rig.passes(CARTS_MAX_MS);
        rig.heals();
        rig.check();
        for row in rig.books.retired.values() {
            prop_assert!(row.done_ms.is_some(), "{row:?}");
        }
    }
}

#[test]
fn a_tse_that_hangs_when_it_goes_out_of_service_is_over_with_it() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly, 2);
    rig.tse(1).says = Some(TseError::Storage);
    let job = rig.job(0);
    rig.open(&job);
    rig.settle();
    // The next try is never answered.
    rig.tse(1).hangs = true;
    rig.passes(2_500);
    rig.passes(10_000);
    rig.signer.retire(retire(&rig, 1, false)).unwrap();
    rig.passes(20_000);
    assert!(rig.books.retired[&TseNo(1)].done_ms.is_some());
    let outages = rig.books.outages.len();
    rig.wakes();
    rig.passes(60_000);
    assert_eq!(
        rig.books.outages.len(),
        outages,
        "what it does not answer is nobody's outage"
    );
    assert_eq!(rig.sells().unwrap().state, SigningState::Signed);
}
