//! Tills with somebody at them: real terminal cores over real websockets, worked by a script as fast as the script wants.
//!
//! What a cashier saw is written down here, apart from server and terminals, because it is what a simulation is judged by.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use core_ffi::{Device, Endpoint, Hand, SqliteQueue, Till, TillInput, keys, virtual_reader};
use fixtures::day::{Action, Payment, What};
use shared_protocol::catalogue::StandKind;
use shared_protocol::config::Config;
use shared_protocol::order::{CancelReason, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::stream::Stream;
use shared_protocol::{OrderId, SlotId, StaffId, TagId, TillId};
use terminal::screen::{Notice, Page, Pill, Refusal};
use terminal::{Action as Touch, Invitation, Screen};
use tokio::sync::{mpsc, watch};

/// How long a till may take for one thing before the cashier gives up on it.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a till may take to be ready after it was switched on.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// What was seen on the screens of all tills.
#[derive(Debug, Default)]
pub struct Seen {
    /// Orders that were shown as done.
    pub shown: BTreeSet<OrderId>,
    /// Refusals by what they said.
    pub refusals: BTreeMap<String, u64>,
    /// Things a till did not answer at all.
    pub timeouts: u64,
    /// Second holds that the till took for what they were.
    pub already: u64,
    /// From "paid" on the screen to the server's acknowledgement, in microseconds.
    pub acknowledged_after_us: Vec<u64>,
    /// From the wristband's touch to the result on the screen, in microseconds.
    pub decided_after_us: Vec<u64>,
}

/// Shared by all tills and their judge.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Seen>>);

impl Notes {
    /// What was seen so far.
    pub fn open(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a till stands and how it comes to be.
#[derive(Clone)]
pub struct Post {
    /// Its number among the simulated ones.
    pub index: usize,
    /// The till it is registered for.
    pub till: TillId,
    /// Who works there.
    pub staff: StaffId,
    /// Its folder with key and queue.
    pub dir: PathBuf,
    /// Where the server is.
    pub endpoint: Endpoint,
    /// The code it registers with, at its first start.
    pub slot: SlotId,
    /// The code's secret.
    pub secret: [u8; 16],
}

/// What happens to a till besides its guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its network is cut or mended.
    Cut(bool),
    /// Its battery falls out while a wristband is held, and somebody puts it back.
    Kill,
}

/// Somebody at a till.
pub struct Cashier {
    post: Post,
    till: Till,
    hand: Hand,
    screens: watch::Receiver<Option<Arc<Screen>>>,
    notes: Notes,
    /// The orders that a script's sale became.
    sales: BTreeMap<u32, (Vec<OrderId>, Vec<CartLine>)>,
    cut: bool,
    /// The battery falls out at the next hold.
    doomed: bool,
    state: watch::Sender<TillState>,
}

/// A till as an onlooker sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TillState {
    /// Orders done.
    pub orders: u64,
    /// Their sum in cents.
    pub total_cents: i64,
    /// Whether it has a connection.
    pub online: bool,
    /// Entries that the server does not have.
    pub unsent: u64,
    /// Whether its network was cut on purpose.
    pub cut: bool,
}

/// Results that a hold or touch can come to.
enum Came {
    Done(Vec<OrderId>, i64),
    Other,
    Nothing,
}

impl Cashier {
    /// Switches a till on, registers it if it is new, and logs in.
    pub async fn start(post: Post, notes: Notes, state: watch::Sender<TillState>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&post.dir).with_context(|| format!("{} cannot be made", post.dir.display()))?;
        let (till, hand) = switch_on(&post)?;
        let screens = till.screens();
        tokio::spawn(watch_acknowledgements(till.screens(), notes.clone(), state.clone()));
        let mut cashier = Self {
            post,
            till,
            hand,
            screens,
            notes,
            sales: BTreeMap::new(),
            cut: false,
            doomed: false,
            state,
        };
        cashier.get_ready().await?;
        Ok(cashier)
    }

    async fn get_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        let (mut invited, mut logged_in) = (false, false);
        loop {
            let page = self
                .screens
                .borrow_and_update()
                .as_ref()
                .map(|screen| screen.page.clone());
            match page {
                Some(Page::Sale) => return Ok(()),
                Some(Page::Unregistered(_)) if !invited => {
                    invited = true;
                    let device = format!("simulated till {}", self.post.index);
                    let invitation = Invitation {
                        slot: self.post.slot,
                        secret: self.post.secret,
                        device,
                        config_key: None,
                    };
                    self.till.input(TillInput::Register(invitation)).await;
                }
                Some(Page::LoggedOut) if !logged_in => {
                    logged_in = true;
                    self.touch(Touch::Login { staff: self.post.staff }).await;
                }
                _ => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let changed = tokio::time::timeout(left, self.screens.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Err(anyhow!(
                    "till {} is not ready; its screen says {page:?}",
                    self.post.index
                ));
            }
        }
    }

    /// Works until there are no more actions and the till has sent everything. Gives whether it has.
    pub async fn work(
        mut self,
        mut actions: mpsc::UnboundedReceiver<Action>,
        mut fates: mpsc::UnboundedReceiver<Fate>,
    ) -> anyhow::Result<bool> {
        loop {
            tokio::select! {
                biased;
                Some(fate) = fates.recv() => self.suffer(fate).await?,
                action = actions.recv() => match action {
                    Some(action) => self.serve(&action).await?,
                    None => break,
                },
            }
        }
        self.suffer(Fate::Cut(false)).await?;
        let sent = self.wait_until_sent().await;
        self.till.stop().await?;
        Ok(sent)
    }

    async fn wait_until_sent(&mut self) -> bool {
        let deadline = tokio::time::Instant::now() + START_PATIENCE * 2;
        loop {
            let online = self
                .screens
                .borrow_and_update()
                .as_ref()
                .is_some_and(|screen| screen.pill == Pill::Online);
            if online {
                return true;
            }
            if !matches!(
                tokio::time::timeout_at(deadline, self.screens.changed()).await,
                Ok(Ok(()))
            ) {
                return false;
            }
        }
    }

    async fn suffer(&mut self, fate: Fate) -> anyhow::Result<()> {
        match fate {
            Fate::Cut(cut) => {
                self.cut = cut;
                self.state.send_modify(|state| state.cut = cut);
                self.till.input(TillInput::Cut(cut)).await;
            }
            Fate::Kill => self.doomed = true,
        }
        Ok(())
    }

    async fn switch_off_and_on(&mut self) -> anyhow::Result<()> {
        self.till.pull_the_battery().await;
        (self.till, self.hand) = switch_on(&self.post)?;
        self.screens = self.till.screens();
        tokio::spawn(watch_acknowledgements(
            self.till.screens(),
            self.notes.clone(),
            self.state.clone(),
        ));
        self.till.input(TillInput::Cut(self.cut)).await;
        self.get_ready().await
    }

    async fn touch(&self, touch: Touch) {
        self.till.input(TillInput::Act(touch)).await;
    }

    /// Clears the message on the screen, so that the next one is known to be new.
    async fn clear(&mut self) {
        let is_clear =
            |screen: &Option<Arc<Screen>>| screen.as_ref().is_some_and(|screen| screen.notice == Notice::None);
        if !is_clear(&self.screens.borrow_and_update()) {
            self.touch(Touch::Dismiss).await;
            let _late = tokio::time::timeout(PATIENCE, self.screens.wait_for(is_clear)).await;
        }
    }

    async fn hold(&mut self, tag: TagId) -> anyhow::Result<Came> {
        self.hand.hold(tag).await;
        if std::mem::take(&mut self.doomed) {
            // Somewhere between the touch and the result; where exactly differs from till to till and from run to run.
            for _ in 0..2 + self.post.index * 7 % 40 {
                tokio::task::yield_now().await;
            }
            self.switch_off_and_on().await?;
            return Ok(Came::Other);
        }
        let came = self.result().await;
        self.hand.take_away().await;
        Ok(came)
    }

    /// Waits for what the screen says next.
    async fn result(&mut self) -> Came {
        let begun = Instant::now();
        let says = |screen: &Option<Arc<Screen>>| {
            screen
                .as_ref()
                .is_some_and(|screen| !matches!(screen.notice, Notice::None | Notice::Working))
        };
        let notice = match tokio::time::timeout(PATIENCE, self.screens.wait_for(says)).await {
            Ok(Ok(screen)) => screen.as_ref().map_or(Notice::None, |screen| screen.notice.clone()),
            _ => Notice::None,
        };
        let mut seen = self.notes.open();
        match notice {
            Notice::Done(done) => {
                let after = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                seen.decided_after_us.push(after);
                seen.shown.extend(done.orders.iter().copied());
                Came::Done(done.orders.clone(), done.total.0)
            }
            Notice::Refused(refusal) => {
                *seen.refusals.entry(name(&refusal)).or_default() += 1;
                Came::Other
            }
            Notice::AlreadyPaid { .. } => {
                seen.already += 1;
                Came::Other
            }
            Notice::None | Notice::Working => {
                seen.timeouts += 1;
                Came::Nothing
            }
            Notice::Balance { .. }
            | Notice::NextPart
            | Notice::HoldAgain { .. }
            | Notice::PinWanted { .. }
            | Notice::OwnBand { .. }
            | Notice::SwapCashier { .. }
            | Notice::CopyReceived { .. }
            | Notice::LastCart { .. } => Came::Other,
        }
    }

    async fn fill(&self, cart: &[CartLine]) {
        for line in cart {
            let count = u16::try_from(line.quantity.unsigned_abs()).unwrap_or(u16::MAX);
            let article = line.article;
            match line.free_price {
                Some(price) => self.touch(Touch::FreePrice { article, price }).await,
                None if line.quantity < 0 => self.touch(Touch::Return { article, count }).await,
                None => self.touch(Touch::Add { article, count }).await,
            }
        }
    }

    /// Serves one guest.
    async fn serve(&mut self, action: &Action) -> anyhow::Result<()> {
        if self.till.has_ended() {
            self.switch_off_and_on().await?;
        }
        self.clear().await;
        let came = match &action.what {
            What::TopUp { tag, cents, by } => {
                let method = if *by == Payment::Cash {
                    TenderKind::Cash
                } else {
                    TenderKind::Card
                };
                self.touch(Touch::TopUp { amount: *cents, method }).await;
                self.hold(*tag).await?
            }
            What::Sale {
                tag,
                cart,
                use_vouchers,
            } => {
                self.fill(cart).await;
                self.touch(Touch::UseVouchers(*use_vouchers)).await;
                self.hold(*tag).await?
            }
            What::CashSale { cart } => {
                self.fill(cart).await;
                self.touch(Touch::Pay(TenderKind::Cash)).await;
                self.result().await
            }
            What::CardSale { cart } => {
                self.fill(cart).await;
                self.touch(Touch::Pay(TenderKind::Card)).await;
                self.result().await
            }
            What::DepositReturn { tag, pieces } => {
                for (article, count) in pieces {
                    let count = u16::try_from(*count).unwrap_or(u16::MAX);
                    self.touch(Touch::Return {
                        article: *article,
                        count,
                    })
                    .await;
                }
                self.hold(*tag).await?
            }
            What::Balance { tag } | What::DoubleTap { tag } => self.hold(*tag).await?,
            What::Undo { tag, .. } => {
                self.touch(Touch::UndoLast).await;
                self.hold(*tag).await?
            }
            What::Cancel { tag, sale } => self.cancel(*tag, *sale).await?,
            What::Correct {
                tag,
                sale,
                cart,
                use_vouchers,
            } => {
                self.touch(Touch::CorrectLast).await;
                if let Some((_, old)) = self.sales.get(sale) {
                    let articles: BTreeSet<_> = old.iter().map(|line| line.article).collect();
                    for article in articles {
                        self.touch(Touch::ClearLine { article }).await;
                    }
                }
                self.fill(cart).await;
                self.touch(Touch::UseVouchers(*use_vouchers)).await;
                self.hold(*tag).await?
            }
            What::PayOut { tag, cents } => {
                self.touch(Touch::PayOut { amount: *cents }).await;
                self.hold(*tag).await?
            }
        };
        match came {
            Came::Done(orders, cents) => {
                self.state.send_modify(|state| {
                    state.orders += orders.len() as u64;
                    state.total_cents = state.total_cents.saturating_add(cents);
                });
                if let What::Sale { cart, .. } | What::Correct { cart, .. } = &action.what {
                    self.sales.insert(action.no, (orders, cart.clone()));
                }
            }
            Came::Other | Came::Nothing => {
                // What is still in the cart is given up, as a cashier does whose guest walks away.
                self.touch(Touch::Clear).await;
            }
        }
        while self.sales.len() > SALES_KEPT {
            self.sales.pop_first();
        }
        Ok(())
    }

    async fn cancel(&mut self, tag: TagId, sale: u32) -> anyhow::Result<Came> {
        let orders = self
            .sales
            .get(&sale)
            .map(|(orders, _)| orders.clone())
            .unwrap_or_default();
        let mut came = Came::Other;
        for order in orders {
            self.clear().await;
            self.touch(Touch::Cancel {
                order,
                reason: CancelReason::GuestChanged,
            })
            .await;
            came = self.hold(tag).await?;
        }
        Ok(came)
    }
}

/// Sales a cashier remembers, to take them back.
const SALES_KEPT: usize = 256;

fn switch_on(post: &Post) -> anyhow::Result<(Till, Hand)> {
    let signer = Box::new(keys::device_key(&post.dir.join("device.key"))?);
    let queue = SqliteQueue::open(&post.dir.join("queue.db"), None)?;
    let app = concat!("groschen ", env!("CARGO_PKG_VERSION"), " (simulated)").to_owned();
    let streams = vec![Stream::Config, Stream::BlockList, Stream::Balances];
    let device = Device {
        app,
        signer,
        endpoint: post.endpoint.clone(),
        streams,
    };
    let till = Till::start(device, queue);
    let (hand, reader) = virtual_reader();
    till.attach(reader);
    Ok((till, hand))
}

/// What a refusal says, without its numbers.
fn name(refusal: &Refusal) -> String {
    let text = format!("{refusal:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// Times acknowledgements: when the number of unsent entries falls, the oldest orders have been acknowledged.
async fn watch_acknowledgements(
    mut screens: watch::Receiver<Option<Arc<Screen>>>,
    notes: Notes,
    state: watch::Sender<TillState>,
) {
    let mut waiting: VecDeque<Instant> = VecDeque::new();
    let mut last: Vec<OrderId> = Vec::new();
    loop {
        // A till that is switched off has no more screens.
        if screens.changed().await.is_err() {
            return;
        }
        let Some(screen) = screens.borrow_and_update().clone() else {
            continue;
        };
        if let Notice::Done(done) = &screen.notice
            && done.orders != last
        {
            last.clone_from(&done.orders);
            waiting.extend(std::iter::repeat_n(Instant::now(), done.orders.len()));
        }
        let unsent = match screen.pill {
            Pill::Online => 0,
            Pill::Sending { entries } | Pill::Offline { entries, .. } => usize::try_from(entries).unwrap_or(usize::MAX),
        };
        let online = !matches!(screen.pill, Pill::Offline { .. });
        state.send_if_modified(|state| {
            let before = (state.online, state.unsent);
            (state.online, state.unsent) = (online, unsent as u64);
            before != (state.online, state.unsent)
        });
        let mut seen = notes.open();
        while waiting.len() > unsent {
            let after = waiting.pop_front().map(|since| since.elapsed().as_micros());
            seen.acknowledged_after_us
                .extend(after.and_then(|after| u64::try_from(after).ok()));
        }
    }
}

/// Tills in an order in which the first few are already a small festival: a bar, a desk, a food stall, a shop, and around again.
pub fn tills_in_order(config: &Config) -> Vec<TillId> {
    let mut kinds: BTreeMap<u8, VecDeque<TillId>> = BTreeMap::new();
    for till in config.tills.values() {
        let kind = config
            .stands
            .get(&till.stand)
            .map_or(StandKind::Shop, |stand| stand.kind);
        let place = match kind {
            StandKind::Bar => 0,
            StandKind::TopUp => 1,
            StandKind::Food => 2,
            StandKind::Entry => 3,
            StandKind::Shop => 4,
        };
        kinds.entry(place).or_default().push_back(till.id);
    }
    let mut tills = Vec::new();
    while kinds.values().any(|left| !left.is_empty()) {
        tills.extend(kinds.values_mut().filter_map(VecDeque::pop_front));
    }
    tills
}
