//! A till to practise on: the same terminal, the same prices, and nothing of it is ever real.
//!
//! Its queue is in memory and forgets everything with the program, its identity is made up for it and known to no server, and the terminal of a queue
//! that says it is for training opens no connection and lets nobody copy its journal. Wristbands are simulated, each with something that happens at
//! a counter. What was practised is given to whoever started it, order by order: where the event has training told to a TSE, the device's own till
//! writes it down as what it was.
//!
//! What must never happen here: the device's own key, its own queue, or an address of a server.

use std::time::{SystemTime, UNIX_EPOCH};

use chips::{Chip, ReaderEvent};
use shared_protocol::catalogue::Staff;
use shared_protocol::chain::EpochStart;
use shared_protocol::config::{Config, Item};
use shared_protocol::crypto::{Ed25519Signer, SignError, Signer};
use shared_protocol::entry::{Content, Entry};
use shared_protocol::ids::Bytes;
use shared_protocol::message::{Certificate, Registration};
use shared_protocol::order::Order;
use shared_protocol::stream::{BlockReason, Change, KnownBalance, Stream, Version};
use shared_protocol::{Amount, TagId, TerminalId, TillId, encode};
use terminal::{MetaKey, Restored, Write, identity_meta};
use tokio::sync::mpsc;

use crate::client::{ConnectError, Endpoint};
use crate::keys::{KeyError, random};
use crate::queue::{Fetched, MemoryQueue, Queue, QueueError};
use crate::reader::{Hand, virtual_reader};
use crate::till::{Device, Till, TillInput};

/// A wristband to practise with, and what happens with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Has 50 euros.
    Guest,
    /// Has as much, for a second guest or the rest of a cart.
    Friend,
    /// Has 1 euro: too little for almost everything.
    Poor,
    /// Is blocked because its guest lost it.
    Blocked,
    /// This till knows nothing of it, and has no network to ask.
    Unknown,
    /// Is not of this festival, or cannot be read: a reader does not tell one from the other.
    Foreign,
    /// Two at once.
    Two,
}

impl Band {
    /// Its id, for those that have one. Their first byte is no maker's, so that none is anybody's real wristband.
    pub fn tag(self) -> Option<TagId> {
        let number = match self {
            Self::Guest => 1,
            Self::Friend => 2,
            Self::Poor => 3,
            Self::Blocked => 4,
            Self::Unknown => 5,
            Self::Foreign | Self::Two => return None,
        };
        TagId::from_slice(&[0x00, b'T', b'R', b'A', b'I', b'N', number])
    }

    fn event(self) -> ReaderEvent {
        match (self, self.tag()) {
            (_, Some(tag)) => ReaderEvent::Held(Chip::identity(tag)),
            (Self::Two, _) => ReaderEvent::Several,
            _ => ReaderEvent::Unsupported,
        }
    }
}

/// Why there is no training.
#[derive(Debug, thiserror::Error)]
pub enum NoTraining {
    /// The prices have no such till.
    #[error("till {0} is not in the price list; training begins when the device has one")]
    NoTill(TillId),
    /// The till of the training cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The same.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The same.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The same.
    #[error(transparent)]
    Endpoint(#[from] ConnectError),
}

/// A till to practise on.
pub struct Training {
    till: Till,
    hand: Hand,
}

/// Orders that are given away and not taken. Nobody practises faster than a till writes; what is more is left out.
const PRACTISED_MAX: usize = 64;

/// The queue of a training: orders that it takes in are given to whoever wants to know what was practised.
struct Telling {
    queue: MemoryQueue,
    to: mpsc::Sender<Order>,
}

impl Queue for Telling {
    fn write(&mut self, writes: &[Write]) -> Result<(), QueueError> {
        self.queue.write(writes)?;
        for write in writes {
            let Write::Entry(entry) = write else { continue };
            if let Ok((_, Content::Order(order))) = Entry::read(&entry.bytes)
                && self.to.try_send(order.order).is_err()
            {
                tracing::warn!("what was practised is not written down: nobody takes it");
            }
        }
        Ok(())
    }

    fn fetch(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        self.queue.fetch(epoch, from_seq, entries_max)
    }

    fn restore(&mut self) -> Result<Restored, QueueError> {
        self.queue.restore()
    }
}

fn put<T: serde::Serialize>(key: Vec<u8>, value: &T) -> Change {
    Change {
        key: Bytes(key),
        value: Some(Bytes(encode(value))),
    }
}

fn snapshot(stream: Stream, version: Version, changes: Vec<Change>) -> Write {
    Write::Stream {
        stream,
        version,
        snapshot: true,
        changes,
    }
}

/// What the queue of a training begins with.
fn beginning(config: &Config, till: TillId, key: &Ed25519Signer, wall_ms: u64) -> Result<Vec<Write>, NoTraining> {
    if !config.tills.contains_key(&till) {
        return Err(NoTraining::NoTill(till));
    }
    let authority = Ed25519Signer::from_seed(&random()?).map_err(|_| KeyError::Randomness)?;
    let registration = Registration {
        organisation: config.event.organisation,
        event: config.event.id,
        terminal: TerminalId(random()?),
        till,
        key: key.public_key(),
        registered_at_ms: wall_ms,
    };
    let certificate = Certificate::issue(&authority, &registration)?;
    let items = config.items().into_iter().map(|item| match item {
        // Whoever practises is logged in; no PIN is typed into a till that is not real.
        Item::Staff { item } => Item::Staff {
            item: Staff { pin: None, ..item },
        },
        other => other,
    });
    let balance = |band: Band, cents: i64| {
        let known = KnownBalance {
            free: Amount(cents),
            as_of_ms: wall_ms,
        };
        band.tag().map(|tag| put(tag.as_slice().to_vec(), &known))
    };
    let balances = [
        balance(Band::Guest, 5_000),
        balance(Band::Friend, 5_000),
        balance(Band::Poor, 100),
        balance(Band::Blocked, 5_000),
    ];
    let blocked = Band::Blocked
        .tag()
        .map(|tag| put(tag.as_slice().to_vec(), &BlockReason::Lost));
    let first = Version { generation: 1, rev: 1 };
    Ok(vec![
        Write::Meta {
            key: MetaKey::Identity,
            value: Some(identity_meta(&certificate, &authority.public_key())),
        },
        Write::Meta {
            key: MetaKey::Training,
            value: Some(encode(&true)),
        },
        Write::Epoch(EpochStart::FIRST),
        snapshot(
            Stream::Config,
            config.version,
            items.map(|item| item.change()).collect(),
        ),
        snapshot(Stream::Balances, first, balances.into_iter().flatten().collect()),
        snapshot(Stream::BlockList, first, blocked.into_iter().collect()),
    ])
}

impl Training {
    /// Starts a till to practise on with these prices, as this till. Gives it, and where what is practised comes out. Must be called within a tokio
    /// runtime.
    pub fn start(config: &Config, till: TillId) -> Result<(Self, mpsc::Receiver<Order>), NoTraining> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let key = Ed25519Signer::from_seed(&random()?).map_err(|_| KeyError::Randomness)?;
        let mut queue = MemoryQueue::default();
        queue.write(&beginning(config, till, &key, wall_ms)?)?;
        let device = Device {
            app: "training".to_owned(),
            signer: Box::new(key),
            // Nobody listens at the discard port of the device itself, and the terminal does not even try.
            endpoint: Endpoint::new("ws://127.0.0.1:9/", None)?,
            streams: vec![Stream::Config, Stream::Balances, Stream::BlockList],
        };
        let (to, practised) = mpsc::channel(PRACTISED_MAX);
        let till = Till::start(device, Telling { queue, to });
        let (hand, reader) = virtual_reader();
        till.attach(reader);
        Ok((Self { till, hand }, practised))
    }

    /// The till; screens of it say that it is for training.
    pub const fn till(&self) -> &Till {
        &self.till
    }

    /// Holds a wristband to it.
    pub async fn hold(&self, band: Band) -> bool {
        self.hand.show(band.event()).await
    }

    /// Takes it away.
    pub async fn take_away(&self) -> bool {
        self.hand.take_away().await
    }

    /// Ends it; nothing of it is left.
    pub async fn end(self) {
        self.till.input(TillInput::Stop).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fixtures::sample;
    use shared_protocol::order::TenderKind;
    use terminal::screen::{DoneKind, Notice, Page, Pill, Refusal};
    use terminal::{Action, Screen};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const BAR: TillId = TillId(201);
    const TOP_UP: TillId = TillId(1_101);

    async fn screen(training: &Training, wanted: impl Fn(&Screen) -> bool) -> Screen {
        let mut screens = training.till().screens();
        let found = screens.wait_for(|screen| screen.as_ref().is_some_and(|screen| wanted(screen)));
        let found = tokio::time::timeout(PATIENCE, found).await.unwrap().unwrap();
        found.as_deref().unwrap().clone()
    }

    async fn act(training: &Training, action: Action) {
        assert!(training.till().input(TillInput::Act(action)).await);
    }

    async fn hold(training: &Training, band: Band) -> Notice {
        act(training, Action::Dismiss).await;
        screen(training, |screen| screen.notice == Notice::None).await;
        training.hold(band).await;
        let shown = screen(training, |screen| {
            !matches!(screen.notice, Notice::None | Notice::Working)
        })
        .await;
        training.take_away().await;
        shown.notice
    }

    async fn beer(training: &Training) {
        act(training, Action::Clear).await;
        let article = sample::PILS;
        act(training, Action::Add { article, count: 1 }).await;
        screen(training, |screen| screen.cart.is_some()).await;
    }

    async fn start(till: TillId) -> Training {
        let (training, _) = Training::start(&sample::config(), till).unwrap();
        let staff = sample::cashier_of(till);
        act(&training, Action::Login { staff }).await;
        screen(&training, |screen| screen.page == Page::Sale).await;
        training
    }

    #[tokio::test]
    async fn every_wristband_of_the_training_does_what_it_is_for() {
        let training = start(BAR).await;
        let shown = screen(&training, |screen| screen.training).await;
        assert!(matches!(shown.pill, Pill::Offline { .. }), "it never has a network");
        beer(&training).await;
        assert!(matches!(hold(&training, Band::Guest).await, Notice::Done(done) if done.kind == DoneKind::Paid));
        beer(&training).await;
        let short = hold(&training, Band::Poor).await;
        assert!(
            matches!(short, Notice::Refused(Refusal::BalanceTooLow { .. })),
            "{short:?}"
        );
        // The rest from a second one.
        assert!(matches!(hold(&training, Band::Friend).await, Notice::Done(done) if done.orders.len() == 1));
        beer(&training).await;
        assert!(matches!(
            hold(&training, Band::Blocked).await,
            Notice::Refused(Refusal::Blocked(BlockReason::Lost))
        ));
        assert_eq!(
            hold(&training, Band::Foreign).await,
            Notice::Refused(Refusal::NotAWristband)
        );
        assert_eq!(
            hold(&training, Band::Two).await,
            Notice::Refused(Refusal::SeveralWristbands)
        );
        assert!(matches!(hold(&training, Band::Unknown).await, Notice::Done(_)));
        assert!(matches!(
            hold(&training, Band::Unknown).await,
            Notice::AlreadyPaid { .. }
        ));
        training.end().await;
    }

    #[tokio::test]
    async fn nothing_of_a_training_leaves_it_and_its_shift_ends_all_the_same() {
        let training = start(TOP_UP).await;
        let top_up = Action::TopUp {
            amount: Amount(1_000),
            method: TenderKind::Cash,
        };
        act(&training, top_up).await;
        assert!(matches!(hold(&training, Band::Guest).await, Notice::Done(_)));
        assert_eq!(training.till().evacuate().await, []);
        act(&training, Action::EndShift).await;
        screen(&training, |screen| screen.page == Page::LoggedOut).await;
        training.end().await;
    }

    #[tokio::test]
    async fn what_is_practised_comes_out_order_by_order() {
        let (training, mut practised) = Training::start(&sample::config(), BAR).unwrap();
        let staff = sample::cashier_of(BAR);
        act(&training, Action::Login { staff }).await;
        screen(&training, |screen| screen.page == Page::Sale).await;
        beer(&training).await;
        let Notice::Done(done) = hold(&training, Band::Guest).await else {
            panic!("not paid")
        };
        let order = tokio::time::timeout(PATIENCE, practised.recv()).await.unwrap().unwrap();
        assert_eq!((done.orders, order.till, order.cashier), (vec![order.id], BAR, staff));
        assert!(practised.try_recv().is_err(), "a login is no order of a training");
        training.end().await;
    }

    #[tokio::test]
    async fn there_is_no_training_for_a_till_that_is_not_there() {
        let none = Training::start(&sample::config(), TillId(1)).err();
        assert!(matches!(none, Some(NoTraining::NoTill(TillId(1)))));
    }

    #[test]
    fn a_training_is_nobody_the_event_knows_and_asks_no_pin() {
        let key = Ed25519Signer::from_seed(&[5; 32]).unwrap();
        let writes = beginning(&sample::config(), BAR, &key, 1).unwrap();
        let again = beginning(&sample::config(), BAR, &key, 1).unwrap();
        assert_ne!(writes[0], again[0], "made up anew each time");
        let mut queue = MemoryQueue::default();
        queue.write(&writes).unwrap();
        let pin = sample::config()
            .staff
            .values()
            .find_map(|person| person.pin.clone())
            .unwrap();
        let holds_pin = |write: &Write| match write {
            Write::Stream { changes, .. } => changes.iter().any(|change| {
                let value = change.value.as_ref().map_or(&[][..], |value| &value.0);
                value.windows(pin.len()).any(|window| window == pin.as_bytes())
            }),
            _ => false,
        };
        assert!(!writes.iter().any(holds_pin));
    }
}
