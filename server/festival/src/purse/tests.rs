use fixtures::paper::batch;
use shared_protocol::order::OrderKind;
use shared_protocol::purse::Token;
use shared_protocol::stream::Version;
use shared_protocol::{CartId, EventId, OrganisationId, SessionId, StaffId, TaxpayerId, TerminalId};

use super::*;

fn tag() -> TagId {
    TagId::from_slice(&[4, 0xaf, 0x6a, 0xc2, 0x45, 0x13, 0]).unwrap()
}

fn at(debited: u32, desk: u16, server: u16) -> PurseTotals {
    PurseTotals {
        debited,
        credited: [desk, server, 0],
    }
}

fn moved(before: PurseTotals, after: PurseTotals) -> PurseMove {
    PurseMove {
        batch: 5,
        before,
        after,
        record: None,
    }
}

fn order(number: u8, till: u32) -> Order {
    Order {
        kind: OrderKind::Sale,
        organisation: OrganisationId([1; 16]),
        event: EventId([2; 16]),
        till: TillId(till),
        cashier: StaffId(1),
        session: SessionId([3; 16]),
        id: OrderId([number; 16]),
        cart: CartId([4; 16]),
        config: Version { generation: 1, rev: 1 },
        taxpayer: TaxpayerId(1),
        closed_at_ms: 0,
        open_for_ms: 0,
        lines: Vec::new(),
        tenders: Vec::new(),
        holder: Some(tag()),
        reverses: None,
        reason: None,
        group: None,
        purse: None,
        band: None,
        shift: None,
    }
}

/// Takes in an order of a till, from one state of the purse to another.
fn took(purse: &mut Purse, number: u8, till: u32, before: PurseTotals, after: PurseTotals) -> Vec<Finding> {
    let device = TerminalId([u8::try_from(till % 256).unwrap(); 16]);
    purse.observe(
        &order(number, till),
        &moved(before, after),
        Some(device),
        Some(&batch()),
        1_000,
    )
}

fn purse() -> Purse {
    Purse::new(5, BatchAuthority::Chip)
}

#[test]
fn an_evening_told_in_any_sequence_leaves_nothing_missing_and_nothing_odd() {
    let orders = [
        (1, 200, at(0, 0, 0), at(0, 80, 0)),
        (2, 301, at(0, 80, 0), at(450, 80, 0)),
        (3, 302, at(450, 80, 0), at(1_650, 80, 0)),
        (4, 200, at(1_650, 80, 0), at(1_650, 120, 0)),
        (5, 301, at(1_650, 120, 0), at(2_000, 120, 0)),
    ];
    // Tills send late, but each its own journal in order.
    for sequence in [[0, 1, 2, 3, 4], [1, 4, 2, 0, 3], [2, 0, 3, 1, 4], [0, 3, 1, 4, 2]] {
        let mut purse = purse();
        for index in sequence {
            let (number, till, before, after) = orders[index];
            assert_eq!(took(&mut purse, number, till, before, after), [], "{sequence:?}");
        }
        assert_eq!(purse.gap_since_ms, None, "{sequence:?}");
        assert_eq!(purse.gaps(batch().units()), []);
        assert_eq!(purse.seen, at(2_000, 120, 0));
    }
}

#[test]
fn a_till_that_never_sends_leaves_a_gap_of_exactly_what_it_took() {
    let mut purse = purse();
    took(&mut purse, 1, 200, at(0, 0, 0), at(0, 80, 0));
    took(&mut purse, 2, 301, at(450, 80, 0), at(900, 80, 0));
    assert_eq!(purse.gap_since_ms, Some(1_000));
    let gap = |chain, from, to, cents| Gap {
        chain,
        from,
        to,
        cents: Amount(cents),
        intent: None,
    };
    assert_eq!(purse.gaps(batch().units()), [gap(None, 0, 450, 4_50)]);
    // A desk's top-up is missing, too.
    took(&mut purse, 3, 301, at(900, 100, 0), at(1_000, 100, 0));
    assert_eq!(
        purse.gaps(batch().units()),
        [gap(None, 0, 450, 4_50), gap(Some(0), 80, 100, 10_00)]
    );
}

#[test]
fn a_copy_that_pays_from_the_same_place_is_seen_with_its_sum() {
    let mut purse = purse();
    took(&mut purse, 1, 200, at(0, 0, 0), at(0, 80, 0));
    took(&mut purse, 2, 301, at(0, 80, 0), at(450, 80, 0));
    let copied = took(&mut purse, 3, 302, at(0, 80, 0), at(600, 80, 0));
    assert_eq!(copied, [Finding::Overlap { cents: Amount(4_50) }]);
}

#[test]
fn a_wristband_that_was_set_back_is_told_from_a_late_till() {
    let mut purse = purse();
    took(&mut purse, 1, 301, at(450, 80, 0), at(900, 80, 0));
    assert_eq!(
        took(&mut purse, 2, 302, at(0, 80, 0), at(450, 80, 0)),
        [],
        "another till sends late"
    );
    let back = took(&mut purse, 3, 301, at(450, 80, 0), at(500, 80, 0));
    assert_eq!(back, [Finding::SetBack { cents: Amount(4_50) }]);
}

#[test]
fn credits_of_the_server_beyond_what_it_gave_are_an_alarm_once() {
    let mut purse = purse();
    purse.issued = 20;
    assert_eq!(took(&mut purse, 1, 301, at(0, 0, 0), at(0, 0, 20)), []);
    let forged = took(&mut purse, 2, 301, at(0, 0, 50), at(100, 0, 50));
    assert_eq!(forged, [Finding::UnknownCredit { cents: Amount(3_00) }]);
    assert_eq!(took(&mut purse, 3, 301, at(100, 0, 50), at(200, 0, 50)), []);
}

#[test]
fn a_credit_waits_until_some_till_has_written_it() {
    let mut purse = purse();
    purse.issued = 20;
    purse.waiting = Some(PendingCredit {
        units: 20,
        token: Token([1; 12]),
    });
    took(&mut purse, 1, 301, at(0, 10, 0), at(100, 10, 0));
    assert!(purse.known().credit.is_some());
    took(&mut purse, 2, 301, at(100, 10, 0), at(200, 10, 20));
    assert_eq!(purse.known().credit, None);
}

#[test]
fn an_interrupted_payment_explains_its_gap_only_with_a_record_of_its_till() {
    let began = |purse: &mut Purse| {
        let intent = OpenIntent {
            order: OrderId([9; 16]),
            till: TillId(301),
            wanted: moved(at(0, 80, 0), at(450, 80, 0)),
            first: true,
            unknown: false,
            draft: Bytes::default(),
        };
        purse.began(intent, Some(&batch()), 1_000)
    };
    let record = |till: u16| {
        Some(Record {
            after: 4_50,
            amount: 4_50,
            version: 2,
            terminal: till,
            minute: 9,
            ..Record::first()
        })
    };
    for (till, expected) in [(301, true), (302, false)] {
        let mut purse = purse();
        assert_eq!(began(&mut purse), []);
        assert_eq!(purse.known().seen, at(0, 80, 0));
        let next = PurseMove {
            record: record(till),
            ..moved(at(450, 80, 0), at(900, 80, 0))
        };
        purse.observe(&order(2, 303), &next, None, Some(&batch()), 1_000);
        let gap = purse.gaps(batch().units())[0];
        assert_eq!(gap.intent, Some(OrderId([9; 16])));
        assert_eq!(purse.witnesses(&gap), expected, "{till}");
        // The till says itself that nothing happened: then the gap is somebody else's.
        purse.ended(OrderId([9; 16]), false);
        assert_eq!(purse.gaps(batch().units())[0].intent, None);
    }
}

#[test]
fn what_moved_on_the_chip_leaves_out_credits_that_the_books_had_before() {
    let units = batch().units();
    assert_eq!(moved_on_chip(&moved(at(0, 80, 0), at(450, 80, 25)), units), -4_50);
    assert_eq!(moved_on_chip(&moved(at(0, 80, 0), at(0, 100, 0)), units), 10_00);
}

#[test]
fn a_purse_comes_back_as_it_was_stored() {
    let mut purse = purse();
    took(&mut purse, 2, 301, at(450, 80, 0), at(900, 80, 3));
    let bytes = shared_protocol::encode(&purse);
    assert_eq!(shared_protocol::decode::<Purse>(&bytes), Ok(purse));
    assert!(bytes.len() < 200, "{} bytes", bytes.len());
}

#[test]
fn what_the_server_gave_needs_no_order_to_tell_of_it() {
    let mut purse = Purse::new(5, BatchAuthority::Chip);
    purse.issued = 100;
    // A till wrote the credit and was pulled away from; the next one reads it.
    took(&mut purse, 1, 301, at(0, 40, 100), at(3_00, 40, 100));
    let missing: Vec<_> = purse.gaps(batch().units()).iter().map(|gap| gap.chain).collect();
    assert_eq!(missing, [Some(0)]);
    purse.issued = 90;
    let more = purse.gaps(batch().units());
    assert_eq!(
        more.iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>(),
        [(0, 40), (90, 100)]
    );
}

#[test]
fn a_credit_that_a_restored_server_forgot_stays_a_gap_when_an_order_tells_of_it() {
    let mut purse = purse();
    took(&mut purse, 1, 301, at(0, 0, 0), at(3_00, 0, 210));
    let missing = purse.gaps(batch().units());
    assert_eq!(
        missing.iter().map(|gap| (gap.chain, gap.cents)).collect::<Vec<_>>(),
        [(Some(1), Amount(21_00))]
    );
    purse.issued = 210;
    assert_eq!(purse.gaps(batch().units()), [], "the posting was made again");
}
