//! Holds: set aside, captured, released, lapsed.

use super::*;

#[test]
fn held_value_counts_as_gone_until_it_is_captured_or_released() {
    let mut fold = fold(1_000, 0);
    assert_eq!(fold.hold(request(700), NOON), HoldOutcome::Held);
    let missing = Refusal::BelowFloor {
        account: key(guest(1), EURO),
        missing: Amount(150),
    };
    assert_refused(&mut fold, sale(1, 450), missing);
    assert_eq!(
        fold.post(capturing(450, false, sale(1, 450)), NOON, None),
        Outcome::Booked { no: 1 }
    );
    assert_eq!(
        fold.balance(&key(guest(1), EURO)),
        Some(Balance {
            balance: Amount(550),
            held: Amount(250)
        })
    );
    assert_eq!(fold.release(hold_id(1)), Ok(Amount(250)));
    assert_eq!(fold.release(hold_id(1)), Ok(Amount::ZERO));
    assert_eq!(fold.release(hold_id(2)), Err(Refusal::UnknownHold));
    assert_eq!(fold.available(&key(guest(1), EURO)), Some(Amount(550)));
}

#[test]
fn one_hold_serves_the_orders_of_a_payment_group() {
    let mut fold = fold(1_000, 0);
    fold.hold(request(1_000), NOON);
    assert_eq!(
        fold.post(capturing(300, false, sale(1, 300)), NOON, None),
        Outcome::Booked { no: 1 }
    );
    assert_refused(
        &mut fold,
        capturing(701, true, sale(2, 701)),
        Refusal::HoldTooSmall { missing: Amount(1) },
    );
    assert_refused(&mut fold, capturing(0, false, sale(2, 1)), Refusal::NotPositive);
    assert_refused(&mut fold, capturing(-1, true, sale(2, 1)), Refusal::NotPositive);
    assert_eq!(
        fold.post(capturing(600, true, sale(2, 600)), NOON, None),
        Outcome::Booked { no: 2 }
    );
    assert_refused(&mut fold, capturing(1, true, sale(3, 1)), Refusal::HoldOver);
    assert_eq!(
        fold.balance(&key(guest(1), EURO)),
        Some(Balance {
            balance: Amount(100),
            held: Amount::ZERO
        })
    );
}

#[test]
fn a_hold_is_idempotent_and_its_id_is_not_used_twice() {
    let mut fold = fold(1_000, 0);
    assert_eq!(fold.hold(request(700), NOON), HoldOutcome::Held);
    let hold = Hold {
        request: request(700),
        remaining: Amount(700),
    };
    assert_eq!(fold.hold(request(700), NOON), HoldOutcome::Duplicate(hold));
    assert_eq!(fold.hold(request(1), NOON), HoldOutcome::Refused(Refusal::HoldConflict));
    assert_eq!(fold.lapse(1_500), [hold_id(1)]);
    let lapsed = Hold {
        remaining: Amount::ZERO,
        ..hold
    };
    assert_eq!(fold.hold(request(700), 1_500), HoldOutcome::Duplicate(lapsed));
    assert_eq!(fold.into_effects().holds, [(hold_id(1), lapsed)].into());
}

#[test]
fn a_hold_lapses_at_its_end_and_is_not_captured_after_it() {
    let mut fold = fold(1_000, 0);
    fold.hold(request(700), NOON);
    assert_eq!(fold.lapse(1_499), []);
    let late = capturing(450, true, sale(1, 450));
    assert_eq!(
        fold.post(late.clone(), 1_500, None),
        Outcome::Refused(Refusal::HoldOver)
    );
    assert_eq!(fold.lapse(1_500), [hold_id(1)]);
    assert_eq!(fold.lapse(1_500), []);
    assert_refused(&mut fold, late, Refusal::HoldOver);
    assert_eq!(fold.available(&key(guest(1), EURO)), Some(Amount(1_000)));
}

#[test]
fn a_hold_that_cannot_be_is_refused() {
    let mut fold = fold(1_000, 3);
    let before = fold.clone();
    let missing = Refusal::BelowFloor {
        account: key(guest(1), EURO),
        missing: Amount(1),
    };
    let bar = HoldRequest {
        account: BAR,
        ..request(1)
    };
    let stranger = HoldRequest {
        account: guest(3),
        ..request(1)
    };
    let vouchers = HoldRequest {
        asset: VOUCHERS,
        expires_at_ms: 9_000,
        ..request(2)
    };
    for (request, now_ms, refusal) in [
        (request(1_001), NOON, missing),
        (request(0), NOON, Refusal::NotPositive),
        (request(1), 1_500, Refusal::HoldOver),
        (bar, NOON, Refusal::NotHoldable(bar.key())),
        (stranger, NOON, Refusal::NotLoaded(stranger.key())),
        (vouchers, 2_000, Refusal::LotsTooSmall { missing: Amount(1) }),
    ] {
        assert_eq!(fold.hold(request, now_ms), HoldOutcome::Refused(refusal));
        assert_eq!(fold, before);
    }
    assert_eq!(fold.hold(vouchers, NOON), HoldOutcome::Held);
}

#[test]
fn a_foreign_or_unknown_hold_is_not_captured() {
    let mut fold = fold(1_000, 0);
    assert_refused(&mut fold, capturing(1, true, sale(1, 1)), Refusal::UnknownHold);
    fold.hold(request(700), NOON);
    let foreign = Posting {
        event: EventId([9; 16]),
        ..capturing(1, true, posting(1, vec![]))
    };
    assert_refused(&mut fold, foreign, Refusal::UnknownHold);
}
