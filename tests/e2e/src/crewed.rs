//! A real terminal with a virtual reader and somebody at it, as tests of whole ways need one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use core_ffi::{Device, Endpoint, Hand, Queue, SqliteQueue, Till, TillInput, keys, virtual_reader};
use fixtures::sample;
use shared_protocol::order::TenderKind;
use shared_protocol::stream::Stream;
use shared_protocol::{Amount, TagId, TillId};
use terminal::screen::{Notice, Page, Pill};
use terminal::{Action, Invitation, Screen};

use crate::Server;

/// How long a screen may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(40);

/// The terminal, and the hand that holds wristbands to it.
pub struct Crewed {
    /// The terminal.
    pub till: Till,
    /// Who holds wristbands to its reader.
    pub hand: Hand,
}

impl Crewed {
    /// Switches on what lives in a folder: a new terminal, or the one that was there before.
    pub fn switch_on(data: &Path, server: &Server) -> Self {
        Self::with_queue(data, server, |queue| queue)
    }

    /// The same, with what `around` makes of its queue.
    pub fn with_queue<Q: Queue>(data: &Path, server: &Server, around: impl FnOnce(SqliteQueue) -> Q) -> Self {
        let queue = SqliteQueue::open(&data.join("queue.db"), None).expect("a queue");
        let url = format!("ws://{}{}", server.instance.address, sync::server::PATH);
        let device = Device {
            app: "test".to_owned(),
            signer: Box::new(keys::device_key(&data.join("device.key")).expect("a key")),
            endpoint: Endpoint::new(&url, None).expect("an address"),
            streams: vec![Stream::Config],
        };
        let till = Till::start(device, around(queue));
        let (hand, reader) = virtual_reader();
        till.attach(reader);
        Self { till, hand }
    }

    /// Waits until the screen is as wanted. Gives it.
    pub async fn wait_for(&self, wanted: impl Fn(&Screen) -> bool) -> Arc<Screen> {
        let mut screens = self.till.screens();
        let found = screens.wait_for(|screen| screen.as_ref().is_some_and(|screen| wanted(screen)));
        let found = tokio::time::timeout(PATIENCE, found).await.expect("a screen in time");
        found.expect("a till that runs").clone().expect("a screen")
    }

    /// Does something at it.
    pub async fn act(&self, action: Action) {
        self.till.input(TillInput::Act(action)).await;
    }

    /// Makes it the terminal of a till, with its cashier logged in, ready to sell and connected.
    pub async fn register(&self, server: &Server, till: TillId) {
        let slot = server.instance.open_slot(till, false).await.expect("a slot");
        let invitation = Invitation {
            slot: slot.id,
            secret: slot.secret,
            device: "test".to_owned(),
            config_key: None,
        };
        self.till.input(TillInput::Register(invitation)).await;
        self.wait_for(|screen| screen.page == Page::LoggedOut).await;
        let staff = sample::cashier_of(till);
        self.act(Action::Login { staff }).await;
        self.wait_for(|screen| screen.page == Page::Sale && screen.pill == Pill::Online)
            .await;
    }

    /// Takes its network away, until it has noticed.
    pub async fn cut(&self) {
        self.till.input(TillInput::Cut(true)).await;
        self.wait_for(|screen| matches!(screen.pill, Pill::Offline { .. }))
            .await;
    }

    /// Takes cash for a wristband, until the screen has said so.
    pub async fn top_up(&self, tag: TagId, cents: i64) {
        self.act(Action::TopUp {
            amount: Amount(cents),
            method: TenderKind::Cash,
        })
        .await;
        self.hand.hold(tag).await;
        self.wait_for(|screen| matches!(&screen.notice, Notice::Done(done) if done.total == Amount(cents)))
            .await;
        self.hand.take_away().await;
        self.act(Action::Dismiss).await;
    }
}
