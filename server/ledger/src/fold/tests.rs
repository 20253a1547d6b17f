//! The rules one by one. Sequences of all of them are held against a reference model in `tests/model`.

mod holds;

use std::cell::Cell;

use shared_protocol::{AssetId, EventId, OrderId, TagId, TaxpayerId};

use super::*;
use crate::account::Authority;
use crate::hold::Capture;

thread_local! {
    static LOOK_UPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts reads of balances, so that a test can bound the work of a decision without a clock.
pub(super) fn count_look_up() {
    LOOK_UPS.set(LOOK_UPS.get() + 1);
}

const EVENT: EventId = EventId([1; 16]);
const EURO: AssetId = AssetId::EURO;
const VOUCHERS: AssetId = AssetId(1);
const NOON: u64 = 1_000;
const BAR: Account = Account::Payable {
    taxpayer: TaxpayerId(1),
};

fn guest(number: u8) -> Account {
    Account::Wristband {
        tag: TagId::from_slice(&[number; 7]).unwrap(),
        authority: Authority::Server,
    }
}

fn key(account: Account, asset: AssetId) -> AccountKey {
    AccountKey {
        event: EVENT,
        account,
        asset,
    }
}

fn chart() -> Chart {
    Chart {
        holder_ceilings: [(EURO, Amount(15_000))].into(),
        expiring: [VOUCHERS].into(),
    }
}

fn id(number: u8) -> PostingId {
    PostingId(OrderId([number; 16]))
}

fn hold_id(number: u8) -> HoldId {
    HoldId([number; 16])
}

fn transfer(from: Account, to: Account, asset: AssetId, amount: i64) -> Transfer {
    Transfer {
        from,
        to,
        asset,
        amount: Amount(amount),
        code: TransferCode::Sale,
        expires_at_ms: None,
    }
}

fn until(end: u64, transfer: Transfer) -> Transfer {
    Transfer {
        expires_at_ms: Some(end),
        ..transfer
    }
}

fn posting(number: u8, transfers: Vec<Transfer>) -> Posting {
    Posting {
        id: id(number),
        content: Hash32([number; 32]),
        event: EVENT,
        transfers,
        captures: vec![],
        reverses: None,
        limits: Limits::Enforced,
        mirrored: None,
    }
}

fn sale(number: u8, amount: i64) -> Posting {
    posting(number, vec![transfer(guest(1), BAR, EURO, amount)])
}

fn reversal(number: u8, target: u8) -> Posting {
    Posting {
        reverses: Some(id(target)),
        ..posting(number, vec![])
    }
}

fn capturing(amount: i64, release_rest: bool, posting: Posting) -> Posting {
    Posting {
        captures: vec![Capture {
            hold: hold_id(1),
            amount: Amount(amount),
            release_rest,
        }],
        ..posting
    }
}

/// Guest 1 with money and vouchers that end at 2,000 (2 of them) and 3,000 (the rest), guest 2 with nothing.
fn fold(euros: i64, vouchers: i64) -> Fold {
    let mut view = View::default();
    let balance = |amount| Balance {
        balance: Amount(amount),
        held: Amount::ZERO,
    };
    view.accounts.insert(key(guest(1), EURO), balance(euros));
    view.accounts.insert(key(guest(1), VOUCHERS), balance(vouchers));
    view.accounts.insert(key(guest(2), EURO), balance(0));
    view.accounts.insert(key(guest(2), VOUCHERS), balance(0));
    view.lots
        .insert((key(guest(1), VOUCHERS), 2_000), Amount(vouchers.min(2)));
    view.lots
        .insert((key(guest(1), VOUCHERS), 3_000), Amount((vouchers - 2).max(0)));
    Fold::new(view, &chart())
}

fn request(amount: i64) -> HoldRequest {
    let (account, asset, amount) = (guest(1), EURO, Amount(amount));
    HoldRequest {
        id: hold_id(1),
        event: EVENT,
        account,
        asset,
        amount,
        expires_at_ms: 1_500,
    }
}

#[track_caller]
fn assert_refused(fold: &mut Fold, posting: Posting, refusal: Refusal) {
    let before = fold.clone();
    assert_eq!(fold.post(posting, NOON, None), Outcome::Refused(refusal));
    assert_eq!(*fold, before, "a refusal leaves the fold exactly as it was");
}

#[test]
fn a_sale_moves_money_and_only_the_wristband_is_written() {
    let mut fold = fold(1_000, 0);
    assert_eq!(
        fold.post(sale(1, 450), NOON, Some(Hash32([9; 32]))),
        Outcome::Booked { no: 1 }
    );
    let effects = fold.into_effects();
    let after = Balance {
        balance: Amount(550),
        held: Amount::ZERO,
    };
    assert_eq!(effects.accounts, [(key(guest(1), EURO), after)].into());
    assert_eq!(effects.records.len(), 1);
    assert_eq!(effects.records[0].origin, Some(Hash32([9; 32])));
    assert_eq!(effects.hashes, [effects.records[0].hash(&Hash32::ZERO)]);
}

#[test]
fn the_key_is_resolved_before_any_rule() {
    let mut fold = fold(1_000, 0);
    fold.post(sale(1, 900), NOON, None);
    assert_eq!(fold.post(sale(1, 900), NOON, None), Outcome::Duplicate { no: 1 });
    let other = Posting {
        content: Hash32([77; 32]),
        ..sale(1, 1)
    };
    assert_refused(&mut fold, other, Refusal::Conflict { no: 1 });
    assert_eq!(fold.last_no(), 1);
}

#[test]
fn a_refusal_claims_no_key() {
    let mut fold = fold(100, 0);
    let missing = Refusal::BelowFloor {
        account: key(guest(1), EURO),
        missing: Amount(350),
    };
    assert_refused(&mut fold, sale(1, 450), missing);
    fold.post(
        posting(2, vec![transfer(Account::Issuer, guest(1), EURO, 350)]),
        NOON,
        None,
    );
    assert_eq!(fold.post(sale(1, 450), NOON, None), Outcome::Booked { no: 2 });
}

#[test]
fn floors_are_held_at_the_end_of_a_posting_not_on_the_way() {
    let through = vec![
        transfer(guest(2), BAR, EURO, 300),
        transfer(guest(1), guest(2), EURO, 300),
    ];
    assert_eq!(
        fold(300, 0).post(posting(1, through), NOON, None),
        Outcome::Booked { no: 1 }
    );
}

#[test]
fn a_ceiling_refuses_a_top_up_but_neither_a_fact_nor_a_later_sale() {
    let mut fold = fold(14_000, 0);
    let top_up = posting(1, vec![transfer(Account::Issuer, guest(1), EURO, 2_000)]);
    let excess = Refusal::AboveCeiling {
        account: key(guest(1), EURO),
        excess: Amount(1_000),
    };
    assert_refused(&mut fold, top_up.clone(), excess);
    assert_eq!(
        fold.post(
            Posting {
                limits: Limits::Fact,
                mirrored: None,
                ..top_up
            },
            NOON,
            None
        ),
        Outcome::Booked { no: 1 }
    );
    assert_eq!(fold.post(sale(2, 100), NOON, None), Outcome::Booked { no: 2 });
}

#[test]
fn an_overdraft_takes_any_debt_and_no_more_than_its_settlement() {
    let debt = Account::Overdraft {
        tag: TagId::from_slice(&[1; 7]).unwrap(),
    };
    let mut fold = fold(1_000, 0);
    fold.view.accounts.insert(key(debt, EURO), Balance::default());
    let owed = posting(1, vec![transfer(debt, BAR, EURO, 600)]);
    assert_eq!(fold.post(owed, NOON, None), Outcome::Booked { no: 1 });
    let settled = |number, amount| posting(number, vec![transfer(guest(1), debt, EURO, amount)]);
    let excess = Refusal::AboveCeiling {
        account: key(debt, EURO),
        excess: Amount(1),
    };
    assert_refused(&mut fold, settled(2, 601), excess);
    assert_eq!(fold.post(settled(2, 600), NOON, None), Outcome::Booked { no: 2 });
}

#[test]
fn nonsense_is_refused_by_name() {
    let mut fold = fold(1_000, 2);
    assert_refused(&mut fold, sale(1, 0), Refusal::NotPositive);
    assert_refused(&mut fold, sale(1, -5), Refusal::NotPositive);
    assert_refused(
        &mut fold,
        posting(1, vec![transfer(BAR, BAR, EURO, 1)]),
        Refusal::SameAccount,
    );
    let stranger = posting(1, vec![transfer(guest(3), BAR, EURO, 1)]);
    assert_refused(&mut fold, stranger, Refusal::NotLoaded(key(guest(3), EURO)));
    let (to_guest, from_guest) = (
        transfer(BAR, guest(1), EURO, i64::MAX),
        transfer(guest(1), BAR, EURO, i64::MAX),
    );
    assert_refused(&mut fold, posting(1, vec![to_guest]), Refusal::Overflow);
    assert_refused(&mut fold, posting(1, vec![from_guest, from_guest]), Refusal::Overflow);
    assert_eq!(
        fold.post(posting(1, vec![to_guest, from_guest]), NOON, None),
        Outcome::Booked { no: 1 }
    );
}

#[test]
fn a_failing_last_transfer_undoes_the_whole_posting() {
    let mut fold = fold(1_000, 3);
    fold.hold(request(500), NOON);
    let transfers = vec![
        transfer(guest(1), BAR, EURO, 450),
        transfer(guest(1), Account::Issuer, VOUCHERS, 3),
        transfer(guest(1), Account::Issuer, VOUCHERS, 1),
    ];
    let failing = capturing(450, true, posting(1, transfers));
    assert_refused(&mut fold, failing, Refusal::LotsTooSmall { missing: Amount(1) });
}

#[test]
fn vouchers_are_journalled_one_transfer_per_lot_first_to_expire_first() {
    let mut fold = fold(0, 5);
    let redeemed = transfer(guest(1), Account::Issuer, VOUCHERS, 3);
    fold.post(posting(1, vec![redeemed]), NOON, None);
    let effects = fold.into_effects();
    let journalled = &effects.records[0].posting.as_ref().unwrap().transfers;
    let share = |end, amount| {
        until(
            end,
            Transfer {
                amount: Amount(amount),
                ..redeemed
            },
        )
    };
    assert_eq!(*journalled, [share(2_000, 2), share(3_000, 1)]);
    let lot = |end| (key(guest(1), VOUCHERS), end);
    assert_eq!(effects.lots, [(lot(2_000), Amount(0)), (lot(3_000), Amount(2))].into());
}

#[test]
fn a_second_redemption_in_one_posting_goes_on_where_the_first_one_ended() {
    let mut fold = fold(0, 5);
    let redeemed = transfer(guest(1), Account::Issuer, VOUCHERS, 2);
    assert_eq!(
        fold.post(posting(1, vec![redeemed, redeemed]), NOON, None),
        Outcome::Booked { no: 1 }
    );
    assert_eq!(
        fold.lots(&key(guest(1), VOUCHERS)).collect::<Vec<_>>(),
        [(3_000, Amount(1))]
    );
}

#[test]
fn a_gift_between_guests_keeps_the_end_of_validity() {
    let mut fold = fold(0, 5);
    fold.post(posting(1, vec![transfer(guest(1), guest(2), VOUCHERS, 3)]), NOON, None);
    let lots: Vec<_> = fold.lots(&key(guest(2), VOUCHERS)).collect();
    assert_eq!(lots, [(2_000, Amount(2)), (3_000, Amount(1))]);
}

#[test]
fn lots_that_are_over_are_not_spent_even_when_named() {
    let mut fold = fold(0, 5);
    let redeemed = transfer(guest(1), Account::Issuer, VOUCHERS, 4);
    let missing = |amount| {
        Outcome::Refused(Refusal::LotsTooSmall {
            missing: Amount(amount),
        })
    };
    assert_eq!(fold.post(posting(1, vec![redeemed]), 2_000, None), missing(1));
    let named = until(
        2_000,
        Transfer {
            amount: Amount(1),
            ..redeemed
        },
    );
    assert_eq!(fold.post(posting(1, vec![named]), 2_000, None), missing(1));
    assert_eq!(
        fold.post(posting(1, vec![named]), 1_999, None),
        Outcome::Booked { no: 1 }
    );
}

#[test]
fn an_end_of_validity_is_given_for_expiring_assets_and_for_no_other() {
    let mut fold = fold(100, 5);
    let issued = transfer(Account::Issuer, guest(1), VOUCHERS, 1);
    assert_refused(&mut fold, posting(1, vec![issued]), Refusal::LotMismatch);
    assert_refused(
        &mut fold,
        posting(1, vec![until(9, transfer(guest(1), BAR, EURO, 1))]),
        Refusal::LotMismatch,
    );
    assert_eq!(
        fold.post(posting(1, vec![until(3_000, issued)]), NOON, None),
        Outcome::Booked { no: 1 }
    );
}

#[test]
fn expired_units_go_to_the_issuer_once() {
    let mut fold = fold(0, 5);
    let vouchers = key(guest(1), VOUCHERS);
    assert_eq!(fold.expire(vouchers, id(1), NOON), None);
    assert_eq!(fold.spendable(&vouchers, 2_000), Some(Amount(3)));
    assert_eq!(fold.expire(vouchers, id(1), 2_000), Some(Outcome::Booked { no: 1 }));
    assert_eq!(fold.available(&vouchers), Some(Amount(3)));
    assert_eq!(fold.expire(vouchers, id(1), 2_001), Some(Outcome::Duplicate { no: 1 }));
    let conflict = Outcome::Refused(Refusal::Conflict { no: 1 });
    assert_eq!(fold.expire(key(guest(2), VOUCHERS), id(1), 2_001), Some(conflict));
    let effects = fold.into_effects();
    let posting = effects.records[0].posting.as_ref().unwrap();
    assert_eq!(posting.transfers[0].code, TransferCode::Expire);
    assert_eq!(effects.lots, [((vouchers, 2_000), Amount(0))].into());
}

#[test]
fn a_sale_and_its_cancel_in_one_batch_restore_money_and_lots_exactly_once() {
    let mut fold = fold(1_000, 5);
    let (before, vouchers) = (fold.view.accounts.clone(), key(guest(1), VOUCHERS));
    let lots: Vec<_> = fold.lots(&vouchers).collect();
    let paid = vec![
        transfer(guest(1), BAR, EURO, 450),
        transfer(guest(1), Account::Issuer, VOUCHERS, 3),
    ];
    fold.post(posting(1, paid), NOON, None);
    assert!(fold.known(&id(1)).is_some_and(|known| known.posting.is_some()));
    // The first lot is over meanwhile: its vouchers come back as they were, and cannot be spent.
    assert_eq!(fold.post(reversal(2, 1), 2_500, None), Outcome::Booked { no: 2 });
    assert_eq!(fold.view.accounts, before);
    assert_eq!(fold.lots(&vouchers).collect::<Vec<_>>(), lots);
    assert_refused(&mut fold, reversal(3, 1), Refusal::AlreadyReversed);
    assert_refused(&mut fold, reversal(3, 9), Refusal::ReversalTargetUnknown);
    assert_refused(&mut fold, reversal(3, 3), Refusal::ReversalTargetUnknown);
}

#[test]
fn a_lot_that_one_posting_filled_and_emptied_is_taken_back_from_its_end() {
    let mut fold = fold(0, 0);
    let given = until(9_000, transfer(Account::Issuer, guest(1), VOUCHERS, 5));
    let used = transfer(guest(1), Account::Issuer, VOUCHERS, 3);
    fold.post(posting(1, vec![given, used]), NOON, None);
    assert_eq!(fold.post(reversal(2, 1), NOON, None), Outcome::Booked { no: 2 });
    assert_eq!(fold.lots(&key(guest(1), VOUCHERS)).find(|(end, _)| *end == 9_000), None);
}

#[test]
fn a_reversal_can_be_taken_back_too() {
    let mut fold = fold(1_000, 0);
    fold.post(sale(1, 450), NOON, None);
    fold.post(reversal(2, 1), NOON, None);
    assert_eq!(fold.post(reversal(3, 2), NOON, None), Outcome::Booked { no: 3 });
    assert_eq!(fold.available(&key(guest(1), EURO)), Some(Amount(550)));
}

#[test]
fn a_correction_takes_back_and_books_anew_in_one_posting() {
    let mut fold = fold(500, 0);
    fold.post(sale(1, 450), NOON, None);
    let corrected = Posting {
        reverses: Some(id(1)),
        ..sale(2, 500)
    };
    assert_eq!(fold.post(corrected, NOON, None), Outcome::Booked { no: 2 });
    let effects = fold.into_effects();
    let journalled = &effects.records[1].posting.as_ref().unwrap().transfers;
    assert_eq!(
        *journalled,
        [transfer(BAR, guest(1), EURO, 450), transfer(guest(1), BAR, EURO, 500)]
    );
}

#[test]
fn a_cancelled_top_up_that_is_spent_is_refused() {
    let mut fold = fold(0, 0);
    fold.post(
        posting(1, vec![transfer(Account::Issuer, guest(1), EURO, 500)]),
        NOON,
        None,
    );
    fold.post(sale(2, 450), NOON, None);
    let missing = Refusal::BelowFloor {
        account: key(guest(1), EURO),
        missing: Amount(450),
    };
    assert_refused(&mut fold, reversal(3, 1), missing);
}

#[test]
fn a_reversal_of_a_target_that_is_not_whole_or_of_another_event_is_refused() {
    let mut fold = fold(1_000, 0);
    let known = KnownPosting {
        no: 1,
        content: Hash32::ZERO,
        reversed_by: None,
        posting: None,
    };
    fold.view.postings.insert(id(1), known.clone());
    let foreign = Posting {
        event: EventId([9; 16]),
        ..sale(4, 1)
    };
    fold.view.postings.insert(
        id(4),
        KnownPosting {
            posting: Some(foreign),
            ..known
        },
    );
    assert_refused(&mut fold, reversal(2, 1), Refusal::TargetNotLoaded);
    assert_refused(&mut fold, reversal(2, 4), Refusal::ReversalTargetUnknown);
}

#[test]
fn a_note_takes_a_number_and_moves_nothing() {
    let mut fold = fold(1_000, 0);
    assert_eq!(fold.note(NOON, Some(Hash32([5; 32]))), 1);
    assert_eq!(fold.post(sale(1, 450), NOON, None), Outcome::Booked { no: 2 });
    let head = fold.head();
    let effects = fold.into_effects();
    assert_eq!(effects.records[0].posting, None);
    assert_eq!(effects.hashes.last(), Some(&head));
}

#[test]
#[should_panic(expected = "is what its transfers make")]
fn a_batch_whose_balances_are_not_what_its_transfers_make_reaches_no_disk() {
    let mut fold = fold(1_000, 0);
    fold.post(sale(1, 450), NOON, None);
    fold.view.accounts.insert(
        key(guest(1), EURO),
        Balance {
            balance: Amount(551),
            held: Amount::ZERO,
        },
    );
    fold.into_effects();
}

#[test]
fn four_times_the_postings_cost_four_times_the_look_ups_whatever_the_view_holds() {
    let look_ups = |postings: u16, strangers: u16| {
        let mut fold = fold(30_000, 0);
        for stranger in 0..strangers {
            let tag = TagId::from_slice(&[&[9, 9], &stranger.to_be_bytes()[..]].concat()).unwrap();
            let account = Account::Wristband {
                tag,
                authority: Authority::Server,
            };
            fold.view.accounts.insert(key(account, EURO), Balance::default());
        }
        LOOK_UPS.set(0);
        for number in 0..postings {
            let mut order = [0; 16];
            order[..2].copy_from_slice(&number.to_be_bytes());
            let mut lines = sale(0, 1);
            lines.id = PostingId(OrderId(order));
            // Accounts without bounds are never looked up, however many a posting has.
            lines.transfers.extend([transfer(BAR, Account::Issuer, EURO, 1); 5]);
            assert!(matches!(fold.post(lines, NOON, None), Outcome::Booked { .. }));
        }
        LOOK_UPS.get()
    };
    assert_eq!(
        look_ups(100, 0),
        200,
        "once when it is first touched, once for its bounds"
    );
    assert_eq!(look_ups(400, 2_000), 800);
}
