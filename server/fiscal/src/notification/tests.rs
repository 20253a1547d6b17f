//! What has to be notified, until when, and the file.

use fixtures::sample;
use shared_protocol::EventId;
use store::TseNo;

use super::*;

/// 2027-07-16T12:00:00+02:00.
const FRIDAY: u64 = 1_815_732_000_000;
const DAY: u64 = 86_400_000;
const TILL: &str = "00000000-00201";

fn tse(no: u16, certified: bool) -> TseRow {
    TseRow {
        no: TseNo(no),
        serial: [u8::try_from(no).unwrap(); 32],
        name: if certified {
            "Unit (BSI-K-TR-0412-2021)".to_owned()
        } else {
            "TSE in software".to_owned()
        },
        link: "bar".to_owned(),
        public_key: Vec::new(),
        algorithm: String::new(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: None,
        certified,
        taxpayer: sample::ORGANISER,
        clients_max: 9,
        signature_ms: 1,
    }
}

fn client(client: &str, tse: u16, from_ms: u64) -> ClientRow {
    ClientRow {
        tse: TseNo(tse),
        client: client.to_owned(),
        taxpayer: sample::ORGANISER,
        from_ms,
        until_ms: None,
    }
}

fn say(rows: &mut Vec<(u64, TaxRow)>, key: String, value: &str, at_ms: u64) {
    let row = TaxRow {
        event: EventId([1; 16]),
        at_ms,
        by: Some("ada".to_owned()),
        key,
        value: value.to_owned(),
        why: String::new(),
    };
    rows.push((rows.len() as u64 + 1, row));
}

fn whole() -> Vec<(u64, TaxRow)> {
    let mut rows = Vec::new();
    let serial = hex(&[1; 32]);
    say(&mut rows, Said::Acquired.key(TILL), "2027-07-01", 1);
    say(&mut rows, Said::Commissioned.key(TILL), "2027-07-16", 1);
    say(&mut rows, Said::TseCommissioned.key(&serial), "2027-07-15", 1);
    say(&mut rows, Said::TseKind.key(&serial), "usb", 1);
    rows
}

fn one(tses: &[TseRow], clients: &[ClientRow], said: &[(u64, TaxRow)]) -> Notification {
    let mut all = notifications(&sample::config(), tses, clients, said);
    assert_eq!(all.len(), 1, "taxpayers without tills have nothing to notify");
    all.remove(0)
}

#[test]
fn a_whole_notification_is_the_golden_file_and_its_check_finds_nothing() {
    let mut said = whole();
    say(&mut said, Said::Decommissioned.key(TILL), "2027-07-19", 2);
    say(&mut said, Said::Reason.key(TILL), "Ende des Festivals & <Rückgabe>", 2);
    let notification = one(&[tse(1, true)], &[client(TILL, 1, FRIDAY)], &said);
    assert_eq!(notification.missing(), []);
    let xml = write(&notification, "0.1.0");
    assert_eq!(xml, include_str!("golden.xml"));
    assert_eq!(check(&xml), []);
}

#[test]
fn what_nobody_said_is_named_and_left_out() {
    let notification = one(&[tse(1, false)], &[client(TILL, 1, FRIDAY)], &[]);
    let serial = hex(&[1; 32]);
    let expected = [
        Missing::Unsaid(Said::Acquired, TILL.to_owned()),
        Missing::Unsaid(Said::Commissioned, TILL.to_owned()),
        Missing::Unsaid(Said::TseCommissioned, serial.clone()),
        Missing::Unsaid(Said::TseKind, serial.clone()),
        Missing::NotCertified(serial),
    ];
    assert_eq!(notification.missing(), expected);
    let xml = write(&notification, "0.1.0");
    assert_eq!(xml.matches("FEHLT").count(), 5);
    assert!(!xml.contains("<AnschaffungAS>") && !xml.contains("<BSIID>"));
    let faults: Vec<_> = check(&xml).into_iter().map(|fault| fault.says).collect();
    let lacks = [
        "InbetriebnahmeTSE",
        "BSIID",
        "ArtTSE",
        "AnschaffungAS",
        "InbetriebnahmeAS",
    ];
    assert_eq!(faults, lacks.map(|name| format!("{name} is missing")));
}

#[test]
fn it_is_due_a_month_after_the_acquisition_a_swap_and_the_end() {
    let day = |text: &str| text.parse::<Date>().unwrap();
    let mut said = whole();
    let first = one(&[tse(1, true)], &[client(TILL, 1, FRIDAY)], &said);
    let due = first.due(&said).unwrap();
    assert_eq!((due.since, due.until), (day("2027-07-01"), day("2027-08-01")));
    say(&mut said, sent_key(sample::ORGANISER), "sent", FRIDAY + DAY);
    let clients = [client(TILL, 1, FRIDAY)];
    assert_eq!(one(&[tse(1, true)], &clients, &said).due(&said), None);
    let moved = [client(TILL, 1, FRIDAY), client(TILL, 2, FRIDAY + 2 * DAY)];
    let swapped = one(&[tse(1, true), tse(2, true)], &moved, &said);
    assert_eq!(swapped.systems.len(), 1);
    assert_eq!(swapped.due(&said).map(|due| due.until), Some(day("2027-08-18")));
    say(
        &mut said,
        Said::Decommissioned.key(TILL),
        "2027-07-20",
        FRIDAY + 5 * DAY,
    );
    let ended = one(&[tse(1, true)], &clients, &said);
    let due = ended.due(&said).unwrap();
    assert_eq!(
        (due.since, due.until, due.systems),
        (day("2027-07-20"), day("2027-08-20"), vec![TILL.to_owned()])
    );
}

#[test]
fn a_vat_id_is_no_tax_number() {
    let clients = [ClientRow {
        taxpayer: sample::CATERER,
        ..client(TILL, 1, FRIDAY)
    }];
    let notification = one(&[tse(1, true)], &clients, &whole());
    assert!(matches!(notification.missing().as_slice(), [Missing::TaxNumber(_)]));
}

#[test]
fn the_check_finds_what_was_changed() {
    let whole = include_str!("golden.xml");
    assert_eq!(check(whole), []);
    for (from, to) in [
        ("0412-2021", "412-2021"),
        ("<ArtTSE>2<", "<ArtTSE>9<"),
        ("01.07.2027", "2027-07-01"),
        ("<Art>1</Art>", ""),
        ("version=\"1\">", "version=\"2\">"),
        ("aufzeichnung146a/v1", "aufzeichnung146a/v9"),
        ("<GrundAusserbetriebnahme>", "<Grund>"),
        ("0101", "01"),
    ] {
        assert!(whole.contains(from), "{from}");
        assert!(!check(&whole.replacen(from, to, 1)).is_empty(), "{from}");
    }
}

#[test]
fn values_that_cannot_be_used_are_told_apart() {
    assert!(Said::Acquired.fits("2027-07-01") && !Said::Acquired.fits("1.7.2027") && !Said::Acquired.fits(""));
    assert!(Said::TseKind.fits("cloud") && !Said::TseKind.fits("2"));
    assert!(!Said::Reason.fits("") && Said::Reason.fits("verkauft"));
}
