//! The whole desk over the system's pcscd: a server, a till with its journal on the disk, and a virtual chip behind a virtual reader.
#![expect(clippy::unwrap_used, reason = "for tests: what is not as expected ends them")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chips::simulated::Fault;
use core_ffi::Endpoint;
use desk::{Desk, Options, Simulation, UsbReader};
use fixtures::sample;
use groschen::instance::Instance;
use groschen::settings::{Purses, Settings};
use groschen::{signing, wristbands};
use readers::Table;
use readers::front::Front;
use readers::pcscd::{Pcscd, alone};
use readers::vpcd::Plug;
use shared_protocol::{Amount, ArticleId, TillId};
use terminal::screen::{Done, DoneKind, Notice, Screen};

const ACR122U: &str = "ACS ACR122U PICC Interface";
/// A till that sells and takes money in.
const ENTRY: TillId = TillId(101);
const PATIENCE: Duration = Duration::from_secs(20);
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn open(server: &Instance, data: std::path::PathBuf) -> Desk {
    let slot = server.open_slot(ENTRY, false).await.unwrap();
    let desk = Desk::start(Options {
        listen: ANY_PORT,
        data,
        server: Endpoint::new(&format!("ws://{}{}", server.address, sync::server::PATH), None).unwrap(),
        receipts: None,
        console: None,
        reader: UsbReader::asked("00 00").unwrap(),
        keys: Some(wristbands::desk_keys()),
        wristbands: Vec::new(),
        simulation: Simulation::default(),
        framed_by: None,
        mirrors: Vec::new(),
    })
    .await
    .unwrap();
    desk.register(terminal::Invitation {
        slot: slot.id,
        secret: slot.secret,
        device: "reader test".to_owned(),
        config_key: None,
    })
    .await;
    assert!(desk.registered(PATIENCE).await);
    desk.log_in(sample::cashier_of(ENTRY)).await;
    assert!(desk.ready(PATIENCE).await);
    desk
}

/// Waits for what the till shows.
async fn shows(desk: &Desk, what: &str, is: impl Fn(&Screen) -> bool) -> Arc<Screen> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let screen = desk.screen().unwrap();
        if is(&screen) {
            return screen;
        }
        assert!(tokio::time::Instant::now() < deadline, "no {what}: {:?}", screen.notice);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn done(screen: &Screen) -> Option<&Done> {
    match &screen.notice {
        Notice::Done(done) => Some(done),
        _ => None,
    }
}

async fn booked(desk: &Desk, orders: usize) -> Done {
    let screen = shows(desk, "booking", |screen| {
        screen.history.len() == orders && done(screen).is_some()
    })
    .await;
    done(&screen).unwrap().clone()
}

/// Waits until what was armed is armed.
async fn arm(desk: &Desk, line: &str) {
    assert!(desk.press(line).await);
    shows(desk, "cart", |screen| screen.cart.is_some()).await;
}

/// The service looks for cards about every 400 ms; what is lifted for less has not left.
async fn unseen() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn cheapest() -> (ArticleId, Amount) {
    let config = sample::config();
    let tiles = &config.layouts[&config.tills[&ENTRY].layout].tiles;
    let priced = tiles.iter().filter_map(|id| Some((*id, config.articles[id].price?)));
    priced
        .filter(|(id, _)| config.articles[id].deposit.is_none())
        .min_by_key(|(_, price)| *price)
        .unwrap()
}

async fn an_evening(pcscd: &mut Pcscd, table: &Table) {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        data: dir.path().join("server"),
        listen: ANY_PORT,
        tls: None,
        tses: Vec::new(),
        signing: signing::Settings::default(),
        public_url: None,
        framed_by: None,
        purses: Purses::default(),
    };
    let server = Instance::start_with(&settings, true, true).await.unwrap();
    let desk = open(&server, dir.path().join("till")).await;
    let (article, price) = cheapest();
    let mut left = Amount(10_000);

    arm(&desk, &format!("top-up cash {}", left.0)).await;
    table.lay(wristbands::chip(0));
    let topped_up = booked(&desk, 1).await;
    assert_eq!(topped_up.kind, DoneKind::ToppedUp { after_sync: false });
    assert_eq!(topped_up.left.unwrap().amount, left);
    table.take_away();
    unseen().await;

    // The first sale after a top-up makes that solid besides; the others are like most. A busy machine loses a connection now and then, and the payment
    // begins again: the fewest frames are what one needs.
    let sell = format!("add {article}");
    let mut frames = usize::MAX;
    for orders in 2..=5 {
        arm(&desk, &sell).await;
        table.lay_again();
        left = left.minus(price).unwrap();
        assert_eq!(booked(&desk, orders).await.left.unwrap().amount, left);
        table.take_away();
        unseen().await;
        if orders > 2 {
            frames = frames.min(table.frames());
        }
    }

    // It breaks off at each of the last frames of a payment; the same wristband settles it, also when the service died in between.
    let mut held_again = 0;
    for (before_end, orders) in (0..=5).zip(6..) {
        arm(&desk, &sell).await;
        table.break_at(frames - before_end, Fault::RemovedAfter);
        table.lay_again();
        let screen = shows(&desk, "broken payment", |screen| {
            matches!(
                screen.notice,
                Notice::HoldAgain { .. } | Notice::Refused(_) | Notice::Done(_)
            )
        })
        .await;
        if let Notice::HoldAgain { total, .. } = screen.notice {
            assert_eq!(total, price);
            held_again += 1;
            if held_again == 1 {
                pcscd.kill();
                pcscd.again();
            }
        }
        if done(&screen).is_none() {
            unseen().await;
            table.lay_again();
        }
        left = left.minus(price).unwrap();
        assert_eq!(
            booked(&desk, orders).await.left.unwrap().amount,
            left,
            "{before_end} frames before the end"
        );
        if table.holds() {
            table.take_away();
        }
        unseen().await;
    }
    println!("{held_again} payments of a desk settled by the next hold through pcscd");
    assert!(held_again > 0, "no frame was one of those that nobody can tell");
    desk.stop().await;
    server.stop().await.unwrap();
}

#[test]
fn the_desk_fills_a_purse_sells_and_settles_torn_payments_through_the_service() {
    alone(
        "the_desk_fills_a_purse_sells_and_settles_torn_payments_through_the_service",
        || {
            let mut pcscd = Pcscd::start(ACR122U);
            let table = Table::default();
            let _plug = Plug::new(pcscd.port(), Front::Acr122u, table.clone());
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(an_evening(&mut pcscd, &table));
        },
    );
}
