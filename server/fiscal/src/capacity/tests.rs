use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000_000;
const OWN: TaxpayerId = TaxpayerId(1);

fn unit(no: u16, signature_us: u64) -> UnitPlan {
    UnitPlan {
        no: TseNo(no),
        taxpayer: OWN,
        clients_max: 100,
        open_max: Some(512),
        signature_us,
        valid_until_ms: None,
        status: TseStatus::default(),
        works: true,
    }
}

const fn demand(tills: u32, orders_per_min: u64) -> Demand {
    Demand {
        taxpayer: OWN,
        tills,
        orders_per_min,
    }
}

fn found(units: &[UnitPlan], demand: Demand) -> Vec<(Severity, Short)> {
    let warnings = warnings(units, &[demand], NOW, None);
    warnings
        .iter()
        .map(|warning| (warning.severity, warning.short))
        .collect()
}

#[test]
fn a_unit_of_a_quarter_second_signs_ninety_receipts_a_minute_as_planned() {
    assert_eq!(unit(1, 250_000).receipts_per_min(), 90);
    assert_eq!(
        unit(1, 0).receipts_per_min(),
        22_500_000,
        "one that was never measured divides by nothing"
    );
}

#[test]
fn what_is_short_is_said_with_its_numbers() {
    let two = [unit(1, 250_000), unit(2, 250_000)];
    let speed = Short::Speed {
        wanted: 181,
        possible: 180,
    };
    let clients = Short::Clients {
        tills: 201,
        places: 200,
    };
    let spare = Short::Spare {
        possible: 90,
        places: 100,
    };
    for (units, demand, expected) in [
        (&two[..], demand(100, 90), vec![]),
        (&two[..], demand(100, 91), vec![(Severity::Soon, spare)]),
        (&two[..], demand(101, 90), vec![(Severity::Soon, spare)]),
        (&two[..], demand(10, 181), vec![(Severity::Severe, speed)]),
        (&two[..], demand(201, 1), vec![(Severity::Severe, clients)]),
        (
            &two[..1],
            demand(1, 0),
            vec![(Severity::Soon, Short::Spare { possible: 0, places: 0 })],
        ),
        (&two[..1], demand(0, 0), vec![]),
        (&[], demand(5, 5), vec![]),
    ] {
        assert_eq!(found(units, demand), expected, "{demand:?}");
    }
    let broken = UnitPlan {
        works: false,
        ..unit(1, 1)
    };
    assert_eq!(found(&[broken], demand(1, 1)), [(Severity::Severe, Short::NoTse)]);
    let few = [1, 2].map(|no| UnitPlan {
        open_max: Some(4),
        ..unit(no, 1)
    });
    let open = Short::Open { tills: 9, possible: 8 };
    assert_eq!(found(&few, demand(9, 1)), [(Severity::Soon, open)]);
}

#[test]
fn a_certificate_is_told_of_ninety_thirty_and_seven_days_before_and_when_it_ends_in_the_event() {
    let day = |days: u64| NOW + days * DAY_MS + 1;
    for (until_ms, ends_ms, severity) in [
        (day(90), None, None),
        (day(89), None, Some(Severity::Note)),
        (day(30), None, Some(Severity::Note)),
        (day(29), None, Some(Severity::Soon)),
        (day(6), None, Some(Severity::Severe)),
        (NOW - 1, None, Some(Severity::Severe)),
        (day(200), Some(NOW + 190 * DAY_MS), None),
        (day(200), Some(NOW + 194 * DAY_MS), Some(Severity::Soon)),
    ] {
        let units = [
            UnitPlan {
                valid_until_ms: Some(until_ms),
                ..unit(1, 1)
            },
            unit(2, 1),
        ];
        let warnings = warnings(&units, &[demand(1, 1)], NOW, ends_ms);
        let severities: Vec<_> = warnings.iter().map(|warning| warning.severity).collect();
        assert_eq!(severities, Vec::from_iter(severity), "{until_ms} {ends_ms:?}");
    }
}

#[test]
fn what_a_tse_says_of_itself_is_heard() {
    let says = |status| {
        let units = [UnitPlan { status, ..unit(1, 1) }, unit(2, 1)];
        found(&units, demand(1, 1))
    };
    let storage = |permille| TseStatus {
        storage_permille: Some(permille),
        ..TseStatus::default()
    };
    assert_eq!(says(storage(799)), []);
    assert_eq!(says(storage(800))[0].0, Severity::Soon);
    assert_eq!(says(storage(950))[0].0, Severity::Severe);
    let left = |left| TseStatus {
        signatures_left: Some(left),
        ..TseStatus::default()
    };
    assert_eq!(says(left(20_000_000)), []);
    assert_eq!(says(left(20_000))[0].0, Severity::Soon);
    assert_eq!(says(left(10))[0].0, Severity::Severe);
    let clock = |ahead| TseStatus {
        clock_ahead_ms: Some(ahead),
        ..TseStatus::default()
    };
    assert_eq!(says(clock(-2_000)), []);
    assert_eq!(says(clock(-2_001))[0].0, Severity::Soon);
}

proptest! {
    /// More units never make it worse, more to do never makes it better, and no numbers break it.
    #[test]
    fn more_tses_never_hurt_and_more_orders_never_help(
        units in proptest::collection::vec((1_u32..300, 0_u64..2_000_000, any::<bool>()), 0..6),
        tills in any::<u32>(),
        orders in any::<u64>(),
        more in any::<u64>(),
    ) {
        let made: Vec<UnitPlan> = (1..).zip(&units).map(|(no, (clients_max, signature_us, works))| UnitPlan {
            clients_max: *clients_max,
            works: *works,
            ..unit(no, *signature_us)
        }).collect();
        let worst = |units: &[UnitPlan], orders| found(units, demand(tills, orders)).first().map(|(severity, _)| *severity);
        let now = worst(&made, orders);
        prop_assert!(worst(&made, orders.saturating_add(more)) >= now);
        if made.iter().any(|unit| unit.works) {
            let mut larger = made.clone();
            larger.push(unit(99, 250_000));
            prop_assert!(worst(&larger, orders) <= now);
        }
    }
}
