//! What pages say of the books.

use axum::http::{StatusCode, header};
use fixtures::paper::NOW;
use fixtures::sample;
use store::Role;

use crate::common::{World, tag};

#[tokio::test]
async fn the_dashboard_adds_up_what_was_sold_and_topped_up_today() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    let page = world.get(&cookie, "/").await;
    let pils = world.bar.config.articles[&sample::PILS].price.unwrap().0
        + world.bar.config.articles[&sample::CUP].price.unwrap().0;
    let revenue = pages::format::cents(i128::from(3 * pils), pages::Language::De);
    let left = pages::format::cents(i128::from(5_000 - pils), pages::Language::De);
    assert!(page.text.contains(&revenue), "{revenue}");
    assert!(page.text.contains(&left), "{left}");
    assert!(page.text.contains("50,00\u{202f}€"));
    assert!(
        page.text.contains("Offene Fälle") && page.text.contains("Heidelicht Open Air") && page.text.contains("Demo")
    );
    assert!(page.text.len() < 60_000, "{}", page.text.len());
}

#[tokio::test]
async fn a_cancelled_sale_leaves_the_revenue() {
    let mut world = World::new().await;
    world.desk.top_up(tag(1), 5_000);
    world.sync(2).await;
    let sold = world.bar.sell(tag(1), &[(sample::PILS, 1)]);
    world.bar.cancel(&sold);
    world.sync(1).await;
    let cookie = world.session(Role::Crew).await;
    let page = world.get(&cookie, "/").await;
    let card = page.text.split("Umsatz heute").nth(1).unwrap();
    let value = card.split("class=\"value\">").nth(1).unwrap();
    assert!(value.starts_with("0,00"), "{}", &value[..20]);
    let sale = world.get(&cookie, "/orders/2").await;
    assert!(
        sale.text.contains("Storno <a href=\"/orders/3\">"),
        "the sale names its cancellation"
    );
    let cancel = world.get(&cookie, "/orders/3").await;
    assert!(cancel.text.contains("Nimmt zurück") && cancel.text.contains("<a href=\"/orders/2\">2</a>"));
}

#[tokio::test]
async fn an_order_shows_lines_tenders_taxes_postings_and_where_it_came_from() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Finance).await;
    let list = world.get(&cookie, "/orders").await;
    assert!(list.text.contains("3 Buchungen") && list.text.contains("href=\"/orders/3\""));
    let page = world.get(&cookie, "/orders/3").await;
    for part in [
        "Positionen",
        "Bezahlt mit",
        "Steuern",
        "Umbuchungen im Hauptbuch",
        "Herkunft",
        "Pils",
        "Forderung an Band",
        "Folgenummer",
        "/receipt/",
        "href=\"/cases/1\"",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    let by_id = page.text.split("/receipt/").nth(1).unwrap().split('?').next().unwrap();
    assert_eq!(
        world.get(&cookie, &format!("/orders/{by_id}")).await.status,
        StatusCode::OK
    );
    for nothing in [
        "/orders/99",
        "/orders/0",
        "/orders/x",
        "/orders/00000000000000000000000000000000",
    ] {
        assert_eq!(
            world.get(&cookie, nothing).await.status,
            StatusCode::NOT_FOUND,
            "{nothing}"
        );
    }
}

#[tokio::test]
async fn a_filter_shows_and_saves_exactly_what_fits() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Finance).await;
    let filter = format!("?kind=1&tag={}&day={}", tag(2), "2027-07-19");
    let list = world.get(&cookie, &format!("/orders{filter}")).await;
    assert!(list.text.contains("<strong>1 Buchung</strong>"), "{}", list.text);
    let file = world.get(&cookie, &format!("/orders.csv{filter}")).await;
    assert!(file.header(header::CONTENT_TYPE).starts_with("text/csv"));
    assert!(file.header(header::CONTENT_DISPOSITION).contains("attachment"));
    let lines: Vec<_> = file
        .text
        .strip_prefix('\u{feff}')
        .unwrap()
        .split_terminator("\r\n")
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("Nummer;Zeit;Veranstaltungstag;"));
    assert!(lines[1].contains(&tag(2).to_string()) && lines[1].split(';').nth(10).unwrap().contains(','));
    let english = [(header::COOKIE, &*format!("{cookie}; language=en"))];
    let file = world.call(&axum::http::Method::GET, "/orders.csv", &english, "").await;
    assert_eq!(file.text.split_terminator("\r\n").count(), 4);
    assert!(file.text.starts_with("\u{feff}number,time,event day,"));
    assert!(world.get(&cookie, "/orders?tag=zz").await.text.contains("nicht lesbar"));
    assert_eq!(
        world.get(&cookie, "/orders.csv?tag=zz").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(
        world
            .audit()
            .iter()
            .any(|(by, what, _)| by == "finn" && what == "orders.export")
    );
}

#[tokio::test]
async fn pages_of_a_long_list_show_every_order_once() {
    let mut world = World::new().await;
    world.desk.top_up(tag(1), 20_000);
    for _ in 0..30 {
        world.desk.top_up(tag(1), 500);
    }
    world.sync(2).await;
    for _ in 0..40 {
        world.desk.top_up(tag(3), 500);
    }
    world.sync(2).await;
    let cookie = world.session(Role::Crew).await;
    let (mut path, mut seen) = ("/orders".to_owned(), Vec::new());
    loop {
        let page = world.get(&cookie, &path).await.text;
        let numbers = page.split("<td><a href=\"/orders/").skip(1);
        seen.extend(numbers.map(|rest| rest.split('"').next().unwrap().parse::<u64>().unwrap()));
        let Some(next) = page
            .split("href=\"")
            .find(|rest| rest.contains("rel=\"next\"") && rest.starts_with("/orders?"))
        else {
            break;
        };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    let expected: Vec<u64> = (1..=71).rev().collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_a_terminal_announced_and_did_not_send_is_at_least_so_much() {
    let mut world = World::new().await;
    world.trade().await;
    let heard = sync::hub::Heard {
        epoch: world.bar.epoch.epoch,
        next_seq: world.bar.seq() + 8,
        at_ms: NOW,
    };
    world.hub.note_heard(world.bar.id, heard);
    let cookie = world.session(Role::Crew).await;
    let page = world.get(&cookie, "/terminals").await;
    assert!(page.text.contains("mindestens 7"), "{}", page.text);
    assert!(page.text.contains("zuletzt gehört"));
    assert!(
        world
            .get(&cookie, "/")
            .await
            .text
            .contains("mindestens 7 noch nicht gesendet")
    );
}

#[tokio::test]
async fn a_till_that_was_not_heard_shows_by_the_slip_of_its_guest_and_no_longer_once_it_has_sent() {
    // Figures are at most a second old, and this world's clock stands still: one world for each look.
    for (more, wanted) in [(0, None), (4, Some("mindestens 4"))] {
        let mut world = World::new().await;
        world.trade().await;
        let (epoch, seq) = (world.bar.epoch.epoch, world.bar.seq() + more);
        assert!(world.hub.note_slip(world.bar.id, epoch, seq));
        assert!(
            !world.hub.note_slip(world.bar.id, epoch, seq - 1),
            "it is known that there is more"
        );
        let cookie = world.session(Role::Crew).await;
        let page = world.get(&cookie, "/terminals").await;
        assert_eq!(
            page.text.contains("laut Beleg eines Gastes"),
            wanted.is_some(),
            "{}",
            page.text
        );
        assert!(wanted.is_none_or(|wanted| page.text.contains(wanted)), "{}", page.text);
    }
}

#[tokio::test]
async fn a_wristband_shows_what_is_on_it_and_what_is_owed() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    let page = world.get(&cookie, &format!("/wristbands?tag={}", tag(2))).await;
    assert!(
        page.text
            .contains("noch offen, wird mit der nächsten Aufladung beglichen"),
        "{}",
        page.text
    );
    let page = world.get(&cookie, &format!("/wristbands?tag={}", tag(1))).await;
    assert!(page.text.contains("darf zahlen") && page.text.contains("auf dem Server"));
    assert!(
        world
            .get(&cookie, "/wristbands?tag=nonsense")
            .await
            .text
            .contains("keine Bandnummer")
    );
}

#[tokio::test]
async fn one_field_finds_everything_and_opens_what_is_unique() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    let to = async |text: &str| {
        let answer = world.get(&cookie, &format!("/search?q={text}")).await;
        answer.header(header::LOCATION).to_owned()
    };
    assert_eq!(to(&tag(1).to_string()).await, format!("/wristbands?tag={}", tag(1)));
    assert_eq!(to("3").await, "");
    assert_eq!(to("nothing-like-this").await, "");
    let order = world.get(&cookie, "/orders/2").await.text;
    let id = order.split("/receipt/").nth(1).unwrap().split('?').next().unwrap();
    assert_eq!(to(id).await, "/orders/2");
    let page = world.get(&cookie, "/search?q=1").await;
    assert!(page.text.contains("/orders/1") && page.text.contains("/cases/1"));
}

#[tokio::test]
async fn a_tse_that_does_not_answer_is_said_where_people_look() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    assert!(world.get(&cookie, "/tse").await.text.contains("Noch keine TSE"));
    world.signer.out.store(true, std::sync::atomic::Ordering::Relaxed);
    world.clock.fetch_add(120_000, std::sync::atomic::Ordering::Relaxed);
    for path in ["/", "/tv"] {
        let page = world.get(&cookie, path).await.text;
        assert!(
            page.contains("TSE-Ausfall: Verkauf erlaubt") && page.contains("card bad"),
            "{path}"
        );
    }
    let page = world.get(&cookie, "/tse").await.text;
    assert!(page.contains("Eine TSE antwortet nicht") && page.contains("wartet"));
    assert!(world.get(&cookie, "/orders?state=4").await.text.contains("3 Buchungen"));
}
