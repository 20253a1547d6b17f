//! Batches of wristbands and the purse of one, from the console.

use axum::http::{Method, StatusCode, header};
use engine::{BatchChange, CreditMaker, Enrolment, Request};
use festival::purse::Label;
use ledger::PostingId;
use shared_protocol::ids::Bytes;
use shared_protocol::purse::{BatchList, PurseSettings, Token};
use shared_protocol::stream::Stream;
use shared_protocol::wristband::{Batch, BatchAuthority};
use shared_protocol::{Amount, AssetId, OrderId, TagId, decode};
use store::{Reader as _, Role};

use crate::common::{World, tag};

struct Maker;

impl CreditMaker for Maker {
    fn token(&self, _: u16, _: TagId, _: u16) -> Option<Token> {
        Some(Token([7; 12]))
    }
}

/// A festival with batch 5, its wristbands 1 and 2, and 30 € of the first in the books.
async fn world() -> World {
    let world = World::new().await;
    world
        .writer
        .control(|engine| engine.make_credits_with(Box::new(Maker)))
        .await
        .unwrap();
    let list = BatchList {
        settings: PurseSettings::usual(1),
        batch: 5,
        entries: Bytes(vec![1; 24]),
    };
    let change = Box::new(BatchChange::List {
        list,
        vouchers: Vec::new(),
    });
    let tags = [tag(1), tag(2)].map(|tag| Enrolment {
        tag,
        label: Some(Label::new(tag, "A000001", "K7WM4PXQ9TRC")),
    });
    let grant = Request::Grant {
        posting: PostingId(OrderId([1; 16])),
        tag: tag(1),
        asset: AssetId::EURO,
        amount: Amount(30_00),
        expires_at_ms: None,
    };
    for request in [
        Request::Batch { batch: 5, change },
        Request::Enrol {
            batch: 5,
            tags: tags.to_vec(),
        },
        grant,
    ] {
        world.writer.ask(request).await.unwrap();
    }
    world
}

fn batch(world: &World) -> Batch {
    let copy = world
        .store
        .memory_reader()
        .stream(fixtures::sample::EVENT, Stream::Batches, None);
    decode(&copy.unwrap().unwrap().items[&5_u16.to_be_bytes().to_vec()]).unwrap()
}

fn purse(world: &World, number: u32) -> festival::purse::Purse {
    let purse = world.store.memory_reader().purse(fixtures::sample::EVENT, tag(number));
    purse.unwrap().unwrap()
}

#[tokio::test]
async fn a_batch_is_changed_only_by_who_types_its_number() {
    let world = world().await;
    let cookie = world.session(Role::Admin).await;
    let page = world.get(&cookie, "/batches").await;
    for wanted in ["Chargen", "der Chip", "Charge zurückziehen"] {
        assert!(page.text.contains(wanted), "{wanted}");
    }
    let before = world.audit();
    for wrong in ["", "confirm=6", "confirm=x"] {
        let answer = world.post(&cookie, "/batches/5/switch", wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!((world.audit(), batch(&world).authority), (before, BatchAuthority::Chip));

    world.post(&cookie, "/batches/5/freeze", "confirm=5").await;
    assert!(batch(&world).desk_frozen);
    assert!(world.get(&cookie, "/batches").await.text.contains("eingefroren"));
    world.post(&cookie, "/batches/5/thaw", "confirm=5").await;
    assert!(!batch(&world).desk_frozen);
    let answer = world.post(&cookie, "/batches/5/switch", "confirm=5").await;
    assert_eq!(answer.header(header::LOCATION), "/batches");
    assert_eq!(batch(&world).authority, BatchAuthority::Server);
    assert_eq!(purse(&world, 2).authority, BatchAuthority::Server);
    world.post(&cookie, "/batches/5/revoke", "confirm=5").await;
    assert!(batch(&world).revoked);
    assert!(world.get(&cookie, "/batches").await.text.contains("zurückgezogen"));
    let done: Vec<_> = world
        .audit()
        .into_iter()
        .map(|(_, what, object)| (what, object))
        .collect();
    let of_batch = |what: &str| (what.to_owned(), "batch 5".to_owned());
    let wanted = ["batch.revoke", "batch.switch", "batch.thaw", "batch.freeze"].map(of_batch);
    assert_eq!(done, wanted);
    let unknown = world.post(&cookie, "/batches/6/freeze", "confirm=6").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_may_not_change_batches_sees_no_form() {
    let world = world().await;
    let cookie = world.session(Role::Crew).await;
    let page = world.get(&cookie, "/batches").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("/batches/5/"));
}

#[tokio::test]
async fn money_in_the_books_goes_into_the_purse_once() {
    let world = world().await;
    let cookie = world.session(Role::Finance).await;
    let at = format!("/wristbands?tag={}", tag(1));
    let page = world.get(&cookie, &at).await.text;
    for wanted in ["Börse auf dem Chip", "A000001", "Es fehlt nichts", "Gutschreiben"] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let posting = OrderId([5; 16]);
    let form = |amount: &str| format!("tag={}&posting={posting}&amount={amount}", tag(1));
    for wrong in ["zwölf", "0%2C05"] {
        let answer = world.post(&cookie, "/wristbands/credit", &form(wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(answer.text.contains("ewegt"), "no money moved: {}", answer.text);
    }
    for _ in 0..2 {
        let answer = world.post(&cookie, "/wristbands/credit", &form("12%2C50")).await;
        assert_eq!(answer.header(header::LOCATION), at);
    }
    assert_eq!(purse(&world, 1).waiting.unwrap().units, 125);
    let page = world.get(&cookie, &at).await.text;
    assert!(page.contains("Gutschrift wartet") && page.contains("17,50"), "{page}");
    let headers = [(header::COOKIE, cookie.as_str()), (header::ACCEPT_LANGUAGE, "en")];
    let english = world.call(&Method::GET, &at, &headers, "").await.text;
    assert!(english.contains("Purse on the chip") && english.contains("Credit waits"));
}

#[tokio::test]
async fn a_lost_wristband_is_replaced_and_blocked() {
    let world = world().await;
    let cookie = world.session(Role::Crew).await;
    let posting = OrderId([6; 16]);
    let form = |new: &str| format!("tag={}&posting={posting}&new={new}&hold_back=0", tag(1));
    let wrong = world.post(&cookie, "/wristbands/replace", &form("nothing")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = tag(9).to_string();
    for _ in 0..2 {
        let answer = world.post(&cookie, "/wristbands/replace", &form(&new)).await;
        assert_eq!(answer.header(header::LOCATION), format!("/wristbands?tag={new}"));
    }
    assert!(
        world
            .get(&cookie, &format!("/wristbands?tag={new}"))
            .await
            .text
            .contains("30,00")
    );
    let old = world.get(&cookie, &format!("/wristbands?tag={}", tag(1))).await.text;
    assert!(old.contains("⛔"), "the old one is blocked");
}
