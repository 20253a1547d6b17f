//! What each operation costs on the air, frame by frame. The table is printed: `cargo test -p chips --test purse cost -- --nocapture`.

use chips::purse::Payment;
use chips::simulated::AirModel;
use shared_protocol::purse::PurseSettings;

use crate::common::{Deed, Festival, Reader, issue, pay, top_up};

fn name(command: u8) -> &'static str {
    match command {
        0x30 => "READ",
        0x1A => "AUTHENTICATE 1",
        0xAF => "AUTHENTICATE 2",
        0x39 => "READ_CNT",
        0x3A => "FAST_READ",
        0xA2 => "WRITE",
        0xA5 => "INCR_CNT",
        _ => "?",
    }
}

/// Exchanges and milliseconds, rounded up.
fn cost(festival: &Festival, reader: &mut Reader, deed: Option<&Deed>) -> (usize, u64) {
    match deed {
        Some(deed) => drop(festival.does(reader, deed)),
        None => drop(festival.look(reader)),
    }
    (reader.exchanges(), reader.air_us().div_ceil(1_000))
}

#[test]
fn a_payment_a_top_up_and_a_balance_stay_within_their_exchanges_and_milliseconds() {
    let mut settings = PurseSettings::usual(77);
    settings.weight_cents = [400, 150];
    let festival = Festival::new(settings);
    // Each sale in its own minute, as in life: a page that happens to stay the same would flatter the table.
    let sale = |minute| Payment {
        cents: 450,
        terminal: 3,
        minute,
        ..Payment::default()
    };
    let voucher = Payment {
        vouchers: [1, 0],
        ..sale(14)
    };
    let mut rows = Vec::new();
    let mut usual_trace = Vec::new();
    for (model, which) in [(AirModel::CAUTIOUS, 0), (AirModel::MEASURED, 1)] {
        let mut reader = festival.reader(0);
        reader.model = model;
        let mut row = |what: &'static str, limits: Option<(usize, u64)>, reader: &mut Reader, deed: Option<&Deed>| {
            let (exchanges, ms) = cost(&festival, reader, deed);
            if let Some((exchanges_max, ms_max)) = limits {
                assert!(exchanges <= exchanges_max, "{what}: {exchanges} exchanges");
                assert!(ms <= ms_max, "{what}: {ms} ms");
            }
            if which == 0 {
                rows.push((what, exchanges, ms, 0));
            } else if let Some(row) = rows.iter_mut().find(|row| row.0 == what) {
                row.3 = ms;
            }
        };
        row("balance", Some((5, 35)), &mut reader, None);
        row("top-up", Some((10, 70)), &mut reader, Some(&top_up(9_000, 200)));
        row("first payment", Some((14, 102)), &mut reader, Some(&pay(450, 3)));
        row("second payment", Some((14, 102)), &mut reader, Some(&pay(450, 3)));
        row("usual payment", Some((12, 90)), &mut reader, Some(&Deed::Pay(sale(10))));
        if which == 0 {
            usual_trace = reader.trace().to_vec();
        }
        row("vouchers issued", None, &mut reader, Some(&issue([3, 1], 200)));
        festival.does(&mut reader, &top_up(2_000, 200));
        row(
            "payment after a change",
            Some((15, 110)),
            &mut reader,
            Some(&Deed::Pay(sale(12))),
        );
        festival.does(&mut reader, &Deed::Pay(sale(13)));
        row(
            "payment with a voucher",
            Some((12, 90)),
            &mut reader,
            Some(&Deed::Pay(voucher)),
        );
        festival.does(&mut reader, &Deed::Pay(sale(15)));
        let folding = Deed::PayFolding(sale(16), festival.batch.pending(0, 100));
        row(
            "payment with a pending credit",
            Some((17, 125)),
            &mut reader,
            Some(&folding),
        );
    }
    crate::say(&format!(
        "{:32}{:>10}{:>14}{:>14}",
        "operation", "exchanges", "ms at 4.1", "ms at 1.4"
    ));
    for (what, exchanges, cautious, measured) in &rows {
        crate::say(&format!("{what:32}{exchanges:>10}{cautious:>14}{measured:>14}"));
    }
    crate::say(&format!(
        "\n{:32}{:>10}{:>14}{:>14}",
        "a usual payment, frame by frame", "sent", "answered", "us at 4.1"
    ));
    for exchange in &usual_trace {
        crate::say(&format!(
            "{:32}{:>10}{:>14}{:>14}",
            name(exchange.command),
            exchange.sent,
            exchange.answered,
            exchange.air_us
        ));
    }
    let write = usual_trace
        .iter()
        .find(|exchange| exchange.command == 0xA2)
        .expect("a write");
    assert!(
        (6_950..7_050).contains(&write.air_us),
        "a write with its MAC takes 7.0 ms"
    );
}
