use shared_protocol::order::{LineKind, OrderKind, TenderKind};
use shared_protocol::{Amount, ArticleId};

use crate::Action;
use crate::screen::{DoneKind, Refusal};
use crate::testing::{BEER, CUP, Rig, TIP, tag};

fn rig() -> Rig {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 5_000);
    rig
}

/// Tips of the last order.
fn tips(rig: &Rig) -> Vec<(ArticleId, i32, Amount)> {
    let lines = rig.last_order().lines;
    let tips = lines.iter().filter(|line| line.kind == LineKind::Tip);
    tips.map(|line| (line.article, line.quantity, line.unit_price))
        .collect()
}

fn offered(rig: &Rig) -> (i64, Vec<i64>) {
    let tip = rig.screen().cart.as_ref().and_then(|cart| cart.tip.clone()).unwrap();
    (tip.given.0, tip.offers.iter().map(|offer| offer.0).collect())
}

fn tip(rig: &mut Rig, cents: i64) {
    rig.act(Action::Tip { amount: Amount(cents) });
}

#[test]
fn nothing_is_given_beforehand_and_the_last_amount_counts() {
    let mut rig = rig();
    rig.add(BEER, 1);
    assert_eq!(offered(&rig), (0, vec![100, 200]), "7.00 is whole already");
    tip(&mut rig, 200);
    tip(&mut rig, 100);
    assert_eq!(
        offered(&rig),
        (100, vec![100, 200]),
        "offers are about the goods, not about the tip"
    );
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(800));
    rig.hold(1);
    assert_eq!((rig.done().kind, rig.done().total), (DoneKind::Paid, Amount(800)));
    assert_eq!(tips(&rig), [(TIP, 1, Amount(100))]);
    assert_eq!(rig.server.free[&tag(1)], 4_200);
}

#[test]
fn zero_is_none_and_what_is_typed_counts_like_what_is_touched() {
    let mut rig = rig();
    rig.add(BEER, 1);
    tip(&mut rig, 200);
    tip(&mut rig, 0);
    assert_eq!(offered(&rig).0, 0);
    rig.act(Action::FreePrice {
        article: TIP,
        price: Amount(37),
    });
    rig.act(Action::FreePrice {
        article: TIP,
        price: Amount(50),
    });
    rig.act(Action::Pay(TenderKind::Cash));
    assert_eq!(tips(&rig), [(TIP, 1, Amount(50))]);
    assert_eq!(rig.last_order().paid().unwrap(), Amount(750));
}

#[test]
fn a_deposit_that_comes_back_may_stay_there_as_a_tip() {
    let mut rig = rig();
    rig.act(Action::Return { article: CUP, count: 2 });
    assert_eq!(offered(&rig), (0, vec![400]));
    tip(&mut rig, 400);
    rig.hold(1);
    assert_eq!(
        (rig.done().total, rig.last_order().kind),
        (Amount::ZERO, OrderKind::Sale)
    );
    assert_eq!(tips(&rig), [(TIP, 1, Amount(400))]);
    assert_eq!(rig.server.free[&tag(1)], 5_000);
}

#[test]
fn the_same_again_is_without_the_tip_and_a_correction_is_with_it() {
    let mut rig = rig();
    rig.add(BEER, 1);
    tip(&mut rig, 200);
    rig.hold(1);
    rig.act(Action::CorrectLast);
    assert_eq!(offered(&rig).0, 200);
    tip(&mut rig, 100);
    rig.hold(1);
    let correction = rig.last_order();
    assert_eq!(
        (correction.kind, correction.total().unwrap()),
        (OrderKind::Correction, Amount(800))
    );
    assert_eq!(rig.server.free[&tag(1)], 4_200);
    rig.act(Action::SameAgain);
    assert_eq!(
        (offered(&rig).0, rig.screen().cart.as_ref().unwrap().total),
        (0, Amount(700))
    );
}

#[test]
fn a_cart_that_is_not_there_gets_no_tip_but_a_guest_may_give_one_alone() {
    let mut rig = rig();
    tip(&mut rig, 100);
    assert_eq!(rig.refusal(), Refusal::CartEmpty);
    rig.act(Action::FreePrice {
        article: TIP,
        price: Amount(300),
    });
    rig.hold(1);
    assert_eq!(tips(&rig), [(TIP, 1, Amount(300))]);
    rig.add(BEER, 1);
    tip(&mut rig, -100);
    assert_eq!(rig.refusal(), Refusal::Price(TIP));
}

#[test]
fn odd_sums_are_offered_to_be_rounded_up() {
    let mut rig = rig();
    rig.act(Action::FreePrice {
        article: crate::testing::FREE,
        price: Amount(850),
    });
    assert_eq!(offered(&rig), (0, vec![50, 100, 200]));
}
