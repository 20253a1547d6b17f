//! What reports say of themselves.

use fixtures::sample::{self, CATERER};
use reports::{Arrival, Missing, Wanted};
use store::Store as _;
use wording::Language;

use crate::festival::{Festival, START, sample_festival};

#[test]
fn a_report_of_a_day_that_misses_entries_is_provisional_and_names_the_terminals() {
    let festival = sample_festival();
    let mut books = festival.load(&Wanted::day(20_270_721));
    let till = festival.tills[0].till;
    let day = |books: &reports::Books| reports::day_report(books, 20_270_721, Language::De).unwrap();
    assert!(!day(&books).warnings.iter().any(|warning| warning.contains("VORLÄUFIG")));
    books.arrival = Arrival::Missing(vec![
        Missing {
            till,
            device: "Pixel".to_owned(),
            at_least: Some(7),
            heard_ms: Some(START),
        },
        Missing {
            till,
            device: "Moto".to_owned(),
            at_least: None,
            heard_ms: None,
        },
    ]);
    let report = day(&books);
    let said = report.warnings.join("\n");
    assert!(
        said.contains("mindestens 7 Einträge von 1 Geräten") && said.contains("1 Geräte haben sich"),
        "{said}"
    );
    let missing = report.tables.last().unwrap();
    assert_eq!(missing.rows.len(), 2);
    assert!(
        said.contains("NICHT ZERTIFIZIERT") && said.contains("unsigniert"),
        "{said}"
    );
    // A closing is what it is, whatever comes.
    let row = books.closings.values().next().unwrap().clone();
    let z = reports::z_report(&festival.load(&Wanted::closing(&row)), &row, Language::En).unwrap();
    assert!(!z.warnings.iter().any(|warning| warning.contains("PROVISIONAL")));
}

#[test]
fn without_a_server_nobody_knows_what_is_missing() {
    let mut books = sample_festival().load(&Wanted::ALL);
    books.arrival = Arrival::NotAsked;
    let report = reports::vat_summary(&books, None, Language::En).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.starts_with("PROVISIONAL")));
}

#[test]
fn only_what_a_certified_tse_signed_is_without_the_mark() {
    let festival = sample_festival();
    let books = festival.load(&Wanted::ALL);
    let marked = |seller| {
        let report = reports::vat_summary(&books, Some(seller), Language::En).unwrap();
        report
            .warnings
            .iter()
            .any(|warning| warning.starts_with("NOT CERTIFIED"))
    };
    assert!(marked(sample::ORGANISER) && !marked(CATERER));
}

#[test]
fn an_x_report_shows_what_is_in_no_closing_and_closes_nothing() {
    let festival = sample_festival();
    let before = festival.store.reader().unwrap().closings(1, 99).unwrap();
    let till = festival.tills[0].till;
    let wanted = Wanted {
        till: Some(till),
        ..Wanted::ALL
    };
    let books = festival.load(&wanted);
    let report = reports::x_report(&books, (till, None), Language::En).unwrap();
    assert!(report.remarks.iter().any(|remark| remark.contains("closes nothing")));
    let open = books.sum(|key| key.closing.is_none()).unwrap();
    assert!(open.receipts > 0 && open.came_off.unsigned + open.came_off.signed > 0);
    assert_eq!(festival.store.reader().unwrap().closings(1, 99).unwrap(), before);
    let (_, session) = books.groups.keys().find_map(|key| key.shift).unwrap();
    assert!(
        reports::shift_report(&books, till, session, Language::De)
            .unwrap()
            .is_some()
    );
    let nobody = shared_protocol::SessionId([0xee; 16]);
    assert_eq!(reports::shift_report(&books, till, nobody, Language::De).unwrap(), None);
}

#[test]
fn the_night_of_the_time_change_is_one_day_of_25_hours() {
    let at = |text: &str| {
        let time: jiff::Timestamp = text.parse().unwrap();
        u64::try_from(time.as_millisecond()).unwrap()
    };
    let mut festival = Festival::new();
    // 05:30 in the winter, which in summer time would be 06:30 and the next day.
    for moment in ["2026-10-24T04:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T04:30:00Z"] {
        festival.set_clock(at(moment));
        festival.act((1, 4, 1));
        festival.sync();
    }
    festival.set_clock(at("2026-10-25T05:00:00Z"));
    festival.act((1, 4, 1));
    festival.sync();
    festival.sign(0);
    let receipts = |day| {
        festival
            .load(&Wanted::day(day))
            .sum(|key| key.shift.is_some())
            .unwrap()
            .receipts
    };
    assert_eq!((receipts(20_261_024), receipts(20_261_025)), (3, 1));
}
