//! Choices, and what held when.

use proptest::prelude::*;
use shared_protocol::EventId;

use super::*;

fn row(at_ms: u64, choice: Choice, value: &str) -> TaxRow {
    TaxRow {
        event: EventId([1; 16]),
        at_ms,
        by: None,
        key: choice.key().to_owned(),
        value: value.to_owned(),
        why: String::new(),
    }
}

fn numbered(rows: Vec<TaxRow>) -> Vec<(u64, TaxRow)> {
    (1..).zip(rows).collect()
}

#[test]
fn without_a_word_the_defaults_hold() {
    let choices = Choices::read(&[]).unwrap();
    let expected = Choices::always(OutagePolicy::MarkOnly, VoucherModel::VoucherLines);
    assert_eq!(choices, expected);
}

#[test]
fn the_first_word_holds_from_the_beginning_and_each_later_one_for_what_begins_after_it() {
    let rows = numbered(vec![
        row(100, Choice::OutagePolicy, "resign-marked"),
        row(150, Choice::TransactionBegins, "payment"),
        row(200, Choice::OutagePolicy, "mark-only"),
        row(300, Choice::OutagePolicy, "resign-marked"),
    ]);
    let choices = Choices::read(&rows).unwrap();
    let at = |ms| choices.outage_policy.at(ms);
    assert_eq!(
        [at(0), at(199), at(200), at(299), at(300)],
        [
            OutagePolicy::ResignMarked,
            OutagePolicy::ResignMarked,
            OutagePolicy::MarkOnly,
            OutagePolicy::MarkOnly,
            OutagePolicy::ResignMarked
        ]
    );
    assert_eq!(choices.begins.at(0), Begins::Payment);
}

#[test]
fn a_word_of_a_newer_program_is_refused_and_named() {
    let rows = numbered(vec![row(1, Choice::WristbandIs, "gold")]);
    let error = Choices::read(&rows).unwrap_err().to_string();
    assert!(error.contains("wristband_is") && error.contains("gold"), "{error}");
}

#[test]
fn a_server_that_starts_says_what_holds_and_nothing_twice() {
    let fix = |value| {
        Some(Fix {
            value,
            place: Place::File,
        })
    };
    let fixed = Fixed::default().with(Choice::OutagePolicy, fix("resign-marked"));
    let first = to_say(&[], &fixed);
    let values: Vec<_> = first
        .iter()
        .map(|said| (said.choice, said.value, said.changes))
        .collect();
    assert_eq!(
        values,
        [
            (Choice::WristbandIs, "voucher", false),
            (Choice::OutagePolicy, "resign-marked", false),
            (Choice::TransactionBegins, "first-item", false),
            (Choice::InHouse, "yes", false),
        ]
    );
    let rows = numbered(first.iter().map(|said| row(1, said.choice, said.value)).collect());
    assert_eq!(to_say(&rows, &fixed), []);
    assert_eq!(
        to_say(&rows, &Fixed::default()),
        [],
        "what was fixed stays until somebody changes it"
    );
    let other = Fixed::default().with(Choice::WristbandIs, fix("e-money"));
    let said = to_say(&rows, &other);
    assert_eq!(said.len(), 1);
    assert!(said.iter().all(|said| said.changes && said.choice.only_before_orders()));
}

proptest! {
    #[test]
    fn what_held_at_a_moment_does_not_depend_on_what_is_said_later(
        said in prop::collection::vec((1..1_000_u64, any::<bool>()), 1..20),
        more in prop::collection::vec(any::<bool>(), 0..5),
    ) {
        let text = |late: bool| if late { "resign-marked" } else { "mark-only" };
        let mut sorted = said;
        sorted.sort_by_key(|(at_ms, _)| *at_ms);
        let mut rows: Vec<_> = sorted.iter().map(|(at_ms, late)| row(*at_ms, Choice::OutagePolicy, text(*late))).collect();
        let before = Choices::read(&numbered(rows.clone())).unwrap();
        rows.extend(more.iter().map(|late| row(1_000, Choice::OutagePolicy, text(*late))));
        let after = Choices::read(&numbered(rows)).unwrap();
        for moment in 0..1_000 {
            prop_assert_eq!(before.outage_policy.at(moment), after.outage_policy.at(moment));
        }
    }
}
