//! A till on paper: writes a journal by hand and hands it to a real engine over the memory store.

use std::collections::BTreeMap;

use engine::{Engine, PushReply, PushResult, Reply, Request, bootstrap, check_push};
use festival::CaseKind;
use festival::registration::{Slot, SlotState, secret_digest};
use fixtures::sample;
use ledger::{Account, AccountKey, Authority};
use shared_protocol::crypto::{Ed25519Signer, Hash32, Signer};
use shared_protocol::message::Push;
use shared_protocol::order::OrderKind;
use shared_protocol::{Amount, AssetId, CartId, RequestId, SlotId, TagId, TaxpayerId, TillId};
use store::{MemoryStore, StoredCase};

pub use fixtures::paper::{NOW, PaperTill as Till};

pub fn config_signer() -> Box<dyn Signer> {
    Box::new(Ed25519Signer::from_seed(&[42; 32]).unwrap())
}

pub struct Server {
    pub engine: Engine<MemoryStore>,
    pub store: MemoryStore,
    pub now_ms: u64,
}

impl Server {
    pub fn new() -> Self {
        let mut store = MemoryStore::new(1);
        bootstrap(&mut store, sample::EVENT, &sample::items()).unwrap();
        Self::over(store)
    }

    /// The server starts again over what is durable.
    pub fn over(store: MemoryStore) -> Self {
        let engine = Engine::open(store.clone(), sample::EVENT, config_signer()).unwrap();
        Self {
            engine,
            store,
            now_ms: NOW,
        }
    }

    pub fn restarted(&self) -> Self {
        Self::over(self.store.clone())
    }

    pub fn ask(&mut self, request: Request) -> Reply {
        self.engine.process(self.now_ms, &[request]).unwrap().pop().unwrap()
    }

    pub fn push(&mut self, push: Push) -> PushResult {
        let key = self
            .engine
            .terminals()
            .find(|row| row.id == push.terminal)
            .map_or_else(|| Till::signer(1).public_key(), |row| row.key.clone());
        let Reply::Push(PushReply { result, .. }) = self.ask(Request::Push(Box::new(check_push(push, &key).unwrap())))
        else {
            panic!()
        };
        result
    }

    /// Pushes everything of a till that was not pushed.
    pub fn sync(&mut self, till: &mut Till) -> PushResult {
        let push = till.push_from(till.sent + 1);
        till.sent = till.seq();
        self.push(push)
    }

    pub fn balance(&mut self, account: Account, asset: AssetId) -> i128 {
        while self.engine.project(1_000).unwrap() {}
        let totals = self.engine.reader().unwrap().totals(sample::EVENT).unwrap();
        totals
            .accounts
            .get(&AccountKey {
                event: sample::EVENT,
                account,
                asset,
            })
            .copied()
            .unwrap_or_default()
    }

    pub fn money(&mut self, tag: TagId) -> i128 {
        self.balance(wristband(tag), AssetId::EURO)
    }

    pub fn cases(&self) -> Vec<StoredCase> {
        self.engine.reader().unwrap().cases(0, 1_000).unwrap()
    }

    pub fn case_kinds(&self) -> Vec<CaseKind> {
        self.cases().into_iter().map(|case| case.case.case.kind).collect()
    }

    /// Every asset sums up to zero over all accounts.
    pub fn assert_balanced(&mut self) {
        while self.engine.project(1_000).unwrap() {}
        let totals = self.engine.reader().unwrap().totals(sample::EVENT).unwrap();
        let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
        for (key, sum) in &totals.accounts {
            *sums.entry(key.asset).or_default() += sum;
        }
        assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
    }

    pub fn hello(&mut self, till: &Till) -> engine::Greeting {
        let Reply::Hello(Some(greeting)) = self.ask(Request::Hello(Box::new(
            till.hello(till.certificate(config_signer().as_ref())),
        ))) else {
            panic!("not known")
        };
        *greeting
    }
}

pub fn wristband(tag: TagId) -> Account {
    Account::Wristband {
        tag,
        authority: Authority::Server,
    }
}

pub fn tag(number: u32) -> TagId {
    sample::wristband(number)
}

/// A till of the paper kind that the server knows, registered by a slot without a person, as simulations do.
pub fn known(server: &mut Server, till: Till) -> Till {
    let id = SlotId([till.seed; 16]);
    let slot = Slot {
        id,
        event: sample::EVENT,
        till: till.till,
        secret: secret_digest(id, &[1; 16]),
        expires_at_ms: NOW + 1_000,
        confirm: false,
        state: SlotState::Open,
    };
    server.ask(Request::OpenSlot(Box::new(slot)));
    let nonce = Hash32([till.seed; 32]);
    let register = Box::new(till.register(id, &[1; 16], &nonce));
    let reply = server.ask(Request::Register {
        register,
        nonce,
        terminal: till.id,
    });
    assert!(matches!(reply, Reply::Register(engine::Known::Registered { .. })));
    server.hello(&till);
    till
}

pub fn till_at(server: &mut Server, till: TillId, seed: u8) -> Till {
    known(server, Till::new(till, seed))
}

pub fn till_that_books(server: &mut Server, kinds: &[OrderKind], seed: u8) -> Till {
    known(server, Till::that_books(kinds, seed))
}

pub fn authorise(
    server: &mut Server,
    till: &Till,
    tag: TagId,
    cents: i64,
    request: u8,
) -> shared_protocol::message::AuthoriseResult {
    let ask = shared_protocol::message::Authorise {
        request: RequestId([request; 16]),
        cart: CartId([request; 16]),
        tag,
        amount: Amount(cents),
    };
    let Reply::Authorise(result) = server.ask(Request::Authorise { terminal: till.id, ask }) else {
        panic!()
    };
    result
}

pub fn all_durable(result: &PushResult, seq: u64) {
    match result {
        PushResult::Durable {
            durable_seq,
            branch: 0,
            fork: None,
            ..
        } => assert_eq!(*durable_seq, seq),
        other => panic!("{other:?}"),
    }
}

pub const SELLER: TaxpayerId = sample::ORGANISER;
