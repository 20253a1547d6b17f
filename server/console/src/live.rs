//! Pages that hear of changes. One task looks whether anything changed, at most once a second, reads once and renders once for all who listen;
//! a listener always gets the newest state and never a queue of old ones, so a slow one costs nothing.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pages::Language;
use sync::hub::Counters;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::context::Context;
use crate::exporting;
use crate::fault::Fault;
use crate::figures::{self, Figures, Kept};
use crate::frame::Page;
use crate::tse::{self, plan};
use crate::{dashboard, registration, terminals as table};

/// How often it is looked whether something changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pages are made anew this often without a change, too: times and ages go on.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);
/// A stream ends after this long; the browser opens another one, and whoever is not logged in any more does not get it.
const STREAM_LASTS: Duration = Duration::from_mins(5);
/// Listeners at once; beyond this pages stand still until they are loaded again.
const LISTENERS_MAX: usize = 256;
/// Figures this old are shown to a page that is loaded.
const FRESH_MS: u64 = 1_000;

/// What a page listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Dashboard,
    Terminals,
    Registrations,
    Tses,
    Exports,
}

const TOPICS: [Topic; 5] = [
    Topic::Dashboard,
    Topic::Terminals,
    Topic::Registrations,
    Topic::Tses,
    Topic::Exports,
];

type Rendered = Option<Arc<str>>;

/// Who listens, and what was read last.
pub(crate) struct Live {
    channels: Vec<(Topic, Language, watch::Sender<Rendered>)>,
    room: Arc<Semaphore>,
    started: OnceLock<()>,
    kept: Arc<Kept>,
    newest: Mutex<Option<Arc<Figures>>>,
}

impl Default for Live {
    fn default() -> Self {
        let channels = TOPICS
            .iter()
            .flat_map(|topic| Language::ALL.map(|words| (*topic, words, watch::Sender::new(None))));
        Self {
            channels: channels.collect(),
            room: Arc::new(Semaphore::new(LISTENERS_MAX)),
            started: OnceLock::new(),
            kept: Arc::default(),
            newest: Mutex::default(),
        }
    }
}

impl Live {
    fn newest(&self) -> MutexGuard<'_, Option<Arc<Figures>>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The figures, at most a second old.
    pub(crate) async fn figures(&self, context: &Context) -> Result<Arc<Figures>, Fault> {
        let now_ms = context.now_ms();
        let known = self.newest().clone();
        match known.filter(|known| now_ms.saturating_sub(known.now_ms) < FRESH_MS) {
            Some(known) => Ok(known),
            None => self.read(context).await,
        }
    }

    async fn read(&self, context: &Context) -> Result<Arc<Figures>, Fault> {
        let config = context.config().await?;
        let (kept, hub) = (Arc::clone(&self.kept), Arc::clone(&context.hub));
        let (outage, now_ms, ends_ms) = (context.signer.outage(), context.now_ms(), context.ends_ms);
        let (board, peaks, event) = (context.signer.board(), Arc::clone(&context.peaks), context.event);
        let read = context
            .read(move |reader| {
                let (_, short) = plan::look(reader, (&config, event), &board, &peaks, (now_ms, ends_ms))?;
                let figures = figures::read(reader, &kept, config, &hub, outage, now_ms)?;
                Ok(Figures { short, ..figures })
            })
            .await?;
        let read = Arc::new(read);
        *self.newest() = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Reads once and renders what somebody listens to.
    async fn refresh(&self, context: &Context) -> Result<(), Fault> {
        let figures = self.read(context).await?;
        let slots = if self.is_waited_for(Topic::Registrations) {
            registration::slots(context).await?
        } else {
            Vec::new()
        };
        let tses = if self.is_waited_for(Topic::Tses) {
            Some(tse::Figures::load(context).await?)
        } else {
            None
        };
        let exports = if self.is_waited_for(Topic::Exports) {
            Some(exporting::Found::load(context, None).await?)
        } else {
            None
        };
        for (topic, words, to) in self.channels.iter().filter(|(_, _, to)| to.receiver_count() > 0) {
            let html = match topic {
                Topic::Dashboard => dashboard::fragments(&figures, *words),
                Topic::Terminals => table::fragments(&figures, *words),
                Topic::Registrations => registration::fragments(&slots, &figures, *words),
                Topic::Tses => match &tses {
                    Some(tses) => tse::fragments(tses, *words),
                    None => continue,
                },
                Topic::Exports => match &exports {
                    Some(exports) => exporting::fragments(exports, &figures.config, *words),
                    None => continue,
                },
            };
            to.send_replace(Some(html.into_string().into()));
        }
        Ok(())
    }

    fn is_waited_for(&self, wanted: Topic) -> bool {
        let mut channels = self.channels.iter();
        channels.any(|(topic, _, to)| *topic == wanted && to.receiver_count() > 0)
    }

    fn is_listened_to(&self) -> bool {
        self.channels.iter().any(|(.., to)| to.receiver_count() > 0)
    }
}

/// What tells that something happened, without reading anything.
fn signs(context: &Context) -> [u64; 6] {
    let counters = &context.hub.counters;
    [
        Counters::get(&counters.batches),
        Counters::get(&counters.entries),
        Counters::get(&counters.connections),
        u64::try_from(context.hub.connected()).unwrap_or(u64::MAX) << 1 | u64::from(context.signer.outage()),
        context.signer.board().no,
        exporting::sign(context),
    ]
}

/// Goes on as long as the console is there.
async fn follow(context: Weak<Context>) {
    let mut seen = None;
    let mut made_at = Instant::now();
    // Sums follow their orders by a moment, so a change is worth a second look.
    let mut again = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(context) = context.upgrade().filter(|context| !*context.closing.borrow()) else {
            return;
        };
        if !context.live.is_listened_to() {
            continue;
        }
        let now = Some(signs(&context));
        let changed = now != seen;
        if changed || again || made_at.elapsed() >= AT_LEAST_EVERY {
            // Who listens sees by the time that stands still that nothing new comes, and the log says why.
            let _stale = context.live.refresh(&context).await;
            again = changed;
            (seen, made_at) = (now, Instant::now());
        }
    }
}

pub(crate) async fn dashboard(page: Page) -> Response {
    listen(&page, Topic::Dashboard)
}

pub(crate) async fn terminals(page: Page) -> Response {
    listen(&page, Topic::Terminals)
}

pub(crate) async fn registrations(page: Page) -> Response {
    listen(&page, Topic::Registrations)
}

pub(crate) async fn exports(page: Page) -> Response {
    listen(&page, Topic::Exports)
}

pub(crate) async fn tses(page: Page) -> Response {
    listen(&page, Topic::Tses)
}

struct Listener {
    from: watch::Receiver<Rendered>,
    closing: watch::Receiver<bool>,
    ends_at: Instant,
    _room: OwnedSemaphorePermit,
}

fn listen(page: &Page, topic: Topic) -> Response {
    let context = &page.context;
    let live = &context.live;
    let channel = live
        .channels
        .iter()
        .find(|(known, words, _)| *known == topic && *words == page.words);
    let room = Arc::clone(&live.room).try_acquire_owned();
    let (Some((.., channel)), Ok(room)) = (channel, room) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut listener = Listener {
        from: channel.subscribe(),
        closing: context.closing.subscribe(),
        ends_at: Instant::now() + STREAM_LASTS,
        _room: room,
    };
    // What was rendered for others before may be old.
    listener.from.mark_unchanged();
    live.started.get_or_init(|| {
        tokio::spawn(follow(Arc::downgrade(context)));
    });
    let stream = stream::unfold(listener, async |mut listener| {
        let next = tokio::select! {
            changed = listener.from.changed() => changed.is_ok(),
            _ = listener.closing.wait_for(|closing| *closing) => false,
            () = tokio::time::sleep_until(listener.ends_at) => false,
        };
        let html = listener.from.borrow_and_update().clone().filter(|_| next)?;
        Some((Ok::<_, Infallible>(Event::default().data(html.as_ref())), listener))
    });
    Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response()
}
