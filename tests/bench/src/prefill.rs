//! A database with a history, written by the engine without sockets.

use std::collections::BTreeMap;
use std::path::Path;

use ::festival::registration::Slot;
use anyhow::Context as _;
use engine::{Engine, Known, PushResult, Reply, Request, bootstrap, check_push};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::SlotId;
use shared_protocol::crypto::{Ed25519Signer, Hash32};
use shared_protocol::wristband::Batch;
use store::Store;
use store_sqlite::{Options, SqliteStore};
use sync::writer::now_ms;

use crate::journals::{Purses, Seller, WRISTBANDS, tills};

/// Terminals that take turns in a batch.
pub const TERMINALS: usize = 64;

/// Orders in a batch of the history.
pub const BATCH: usize = 512;

/// Journal rows projected at a time.
pub const PROJECTED: u64 = 4_096;

/// Seeds of the terminals of a history; those of measured ones are below.
const FIRST_SEED: u8 = 150;

/// An engine with its terminals.
pub struct Books<S> {
    pub engine: Engine<S>,
    sellers: Vec<Seller>,
    /// Where set, orders are paid by these instead of the books.
    purses: Option<Purses>,
}

impl<S: Store> Books<S> {
    /// Puts the sample festival into an empty store, registers terminals, funds all wristbands.
    pub fn start(store: S, signer: Ed25519Signer) -> anyhow::Result<Self> {
        Self::start_at(store, signer, now_ms())
    }

    /// The same; the wristbands are funded at a moment.
    pub fn start_at(mut store: S, signer: Ed25519Signer, at_ms: u64) -> anyhow::Result<Self> {
        bootstrap(&mut store, sample::EVENT, &sample::items())?;
        let mut engine = Engine::open(store, sample::EVENT, Box::new(signer))?;
        let mut sellers = Vec::new();
        for (index, till) in (0_u8..).zip(tills(TERMINALS)) {
            let mut seller = Seller::new(till, FIRST_SEED + index, u32::from(index));
            register(&mut engine, &seller.till)?;
            seller.is_registered();
            sellers.push(seller);
        }
        if let Some(seller) = sellers.first_mut() {
            let key = seller.key();
            seller.till.wall_ms = at_ms;
            for push in seller.funding() {
                engine.process(at_ms, &[Request::Push(Box::new(check_push(push, &key)?))])?;
            }
        }
        Ok(Self {
            engine,
            sellers,
            purses: None,
        })
    }

    /// From here on the purses of a batch pay, which is put in force for it; each is filled.
    pub fn pay_from_purses(&mut self, batch: Batch) -> anyhow::Result<()> {
        let number = batch.list.batch;
        self.engine.put_batches(&BTreeMap::from([(number, batch)]))?;
        let purses = self.purses.insert(Purses::new(number));
        let seller = self.sellers.first_mut().context("a till")?;
        let key = seller.key();
        for push in seller.chip_funding(purses) {
            let push = Request::Push(Box::new(check_push(push, &key)?));
            let replies = self.engine.process(now_ms(), &[push])?;
            anyhow::ensure!(
                replies.iter().all(booked),
                "a top-up was not simply booked: {replies:?}"
            );
        }
        Ok(())
    }

    /// Books so many orders in large batches and projects them.
    pub fn grow(&mut self, orders: u64) -> anyhow::Result<()> {
        let mut done = 0;
        while done < orders {
            done += self.batch(BATCH)?;
            while self.engine.project(PROJECTED)? {}
        }
        Ok(())
    }

    /// One batch of so many orders, spread over the terminals.
    pub fn batch(&mut self, size: usize) -> anyhow::Result<u64> {
        self.batch_at(size, now_ms())
    }

    /// An order of a wristband with nothing on it: it is booked, and a case is opened.
    pub fn unpaid_at(&mut self, guest: u32, now_ms: u64) -> anyhow::Result<()> {
        let seller = self.sellers.first_mut().context("a till")?;
        seller.sell_to(sample::wristband(WRISTBANDS + 1 + guest), now_ms);
        let key = seller.key();
        let push = Request::Push(Box::new(check_push(seller.push(), &key)?));
        self.engine.process(now_ms, &[push])?;
        Ok(())
    }

    /// The same as [`Books::batch`], made at a moment.
    pub fn batch_at(&mut self, size: usize, now_ms: u64) -> anyhow::Result<u64> {
        let each = size.div_ceil(self.sellers.len()).max(1);
        let mut requests = Vec::new();
        for seller in self.sellers.iter_mut().take(size) {
            for _ in 0..each {
                match &mut self.purses {
                    Some(purses) => seller.sell_from(purses, now_ms),
                    None => seller.sell(now_ms),
                }
            }
            let key = seller.key();
            requests.push(Request::Push(Box::new(check_push(seller.push(), &key)?)));
        }
        let orders = requests.len() * each;
        let replies = self.engine.process(now_ms, &requests)?;
        anyhow::ensure!(replies.iter().all(booked), "an order was not simply booked");
        let used = size.min(self.sellers.len());
        self.sellers.rotate_left(used);
        Ok(orders as u64)
    }
}

fn booked(reply: &Reply) -> bool {
    match reply {
        Reply::Push(push) => matches!(&push.result, PushResult::Durable { notes, .. } if notes.is_empty()),
        _ => false,
    }
}

/// Registers a till on paper without a socket.
fn register<S: Store>(engine: &mut Engine<S>, till: &PaperTill) -> anyhow::Result<()> {
    let id = SlotId([till.seed; 16]);
    let now_ms = now_ms();
    let slot = Slot {
        confirm: false,
        ..Slot::open(sample::EVENT, id, till.till, &[1; 16], now_ms)
    };
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

/// A database in this folder, with so many orders in it.
pub fn database(data: &Path, orders: u64) -> anyhow::Result<()> {
    let signer = groschen::keys::config_key(data)?;
    let store = SqliteStore::open(data.join("groschen.db"), &Options::default())?;
    Books::start(store, signer)?.grow(orders)
}
