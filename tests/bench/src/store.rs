//! The engine with the `SQLite` store, without sockets: rules, load, commit.

use std::time::{Duration, Instant};

use engine::{Engine, Known, Reply, Request, bootstrap, check_push};
use festival_slots::open;
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::crypto::{Hash32, Signer as _};
use store_sqlite::{Options, SqliteStore};

use crate::figure::{Shape, tell};
use crate::journals::{Seller, WRISTBANDS, tills};
use crate::process::cpu_us;

/// Terminals that take turns in a batch.
const TERMINALS: usize = 64;

/// Registering a till on paper without a socket.
mod festival_slots {
    use super::{Engine, Hash32, Known, PaperTill, Reply, Request, SqliteStore, sample};
    use shared_protocol::SlotId;

    pub fn open(engine: &mut Engine<SqliteStore>, till: &PaperTill, now_ms: u64) -> anyhow::Result<()> {
        let id = SlotId([till.seed; 16]);
        let slot = groschen::instance::slot_for(sample::EVENT, id, till.till, &[1; 16], now_ms);
        let nonce = Hash32([till.seed; 32]);
        let register = Box::new(till.register(id, &[1; 16], &nonce));
        let requests = [
            Request::OpenSlot(Box::new(slot)),
            Request::Register {
                register,
                nonce,
                terminal: till.id,
            },
        ];
        let replies = engine.process(now_ms, &requests)?;
        anyhow::ensure!(
            matches!(replies.last(), Some(Reply::Register(Known::Registered { .. }))),
            "not registered: {replies:?}"
        );
        Ok(())
    }
}

/// Runs the rows.
pub fn run(shape: &Shape, prefill: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut store = SqliteStore::open(dir.path().join("groschen.db"), &Options::default())?;
    bootstrap(&mut store, sample::EVENT, &sample::items())?;
    let mut engine = Engine::open(store, sample::EVENT, Box::new(PaperTill::signer(200)))?;
    let mut sellers = Vec::new();
    for (index, till) in (0_u8..).zip(tills(TERMINALS)) {
        let seller = Seller::new(till, index + 1, u32::from(index));
        open(&mut engine, &seller.till, sync::writer::now_ms())?;
        sellers.push((seller, 1_u64));
    }
    if let Some((seller, next)) = sellers.first_mut() {
        let mut from = 0;
        while from < WRISTBANDS {
            seller.fund(from, (from + 50).min(WRISTBANDS));
            let push = seller.push(*next);
            *next = seller.till.seq() + 1;
            let key = PaperTill::signer(seller.till.seed).public_key();
            engine.process(
                sync::writer::now_ms(),
                &[Request::Push(Box::new(check_push(push, &key)?))],
            )?;
            from += 50;
        }
    }
    let mut done = 0;
    while done < prefill {
        done += batch(&mut engine, &mut sellers, 512)?;
        while engine.project(4_096)? {}
    }
    for size in [1_usize, 16, 128, 512] {
        let (mut rates, mut costs) = (Vec::new(), Vec::new());
        for _ in 0..shape.runs {
            let (begun, cpu) = (Instant::now(), cpu_us(std::process::id()));
            let mut orders = 0;
            while begun.elapsed() < Duration::from_secs(shape.seconds) {
                orders += batch(&mut engine, &mut sellers, size)?;
            }
            rates.push(orders * 1_000 / u64::try_from(begun.elapsed().as_millis())?.max(1));
            costs.push((cpu_us(std::process::id()) - cpu) / orders.max(1));
        }
        let cost = costs.iter().sum::<u64>() / costs.len().max(1) as u64;
        let name = format!("engine_and_store_batch_{size}_after_{prefill}");
        tell(
            shape,
            &name,
            "orders/s",
            rates,
            &[("cpu_us_per_order_with_generator", cost)],
        );
    }
    Ok(())
}

/// One batch of so many orders, spread over the terminals.
fn batch(engine: &mut Engine<SqliteStore>, sellers: &mut [(Seller, u64)], size: usize) -> anyhow::Result<u64> {
    let each = size.div_ceil(sellers.len()).max(1);
    let now_ms = sync::writer::now_ms();
    let mut requests = Vec::new();
    for (seller, next) in sellers.iter_mut().take(size) {
        for _ in 0..each {
            seller.sell(now_ms);
        }
        let push = seller.push(*next);
        *next = seller.till.seq() + 1;
        let key = PaperTill::signer(seller.till.seed).public_key();
        requests.push(Request::Push(Box::new(check_push(push, &key)?)));
    }
    let orders = requests.len() * each;
    engine.process(now_ms, &requests)?;
    sellers.rotate_left(size.min(sellers.len()));
    Ok(orders as u64)
}
