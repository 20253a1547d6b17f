//! Acknowledged orders over real websockets: tills on paper, a server in a process of its own, everything durable before it is acknowledged.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use shared_protocol::HoldId;
use shared_protocol::message::{Authorise, Message};
use store::Reader as _;
use store_sqlite::SqliteReader;
use sync::writer::now_ms;

use crate::figure::{Shape, tell};
use crate::journals::{Seller, tills};
use crate::link::Link;
use crate::prefill;
use crate::process::{Server, cpu_us};
use crate::waits::{UnderWay, Waits};

/// Terminals in every row.
pub const TERMINALS: usize = 64;
/// Entries a till has on the way, at most.
pub const WINDOW: u64 = 128;

/// A connected till on paper.
pub struct Till {
    pub seller: Seller,
    pub link: Link,
    pub under_way: UnderWay,
}

impl Till {
    /// Registers tills and connects them.
    pub async fn connect_all(server: &Server, tills: Vec<shared_protocol::TillId>) -> anyhow::Result<Vec<Self>> {
        Self::connect_from(server, 0, tills).await
    }

    /// The same, beginning with this one of the server's codes.
    pub async fn connect_from(
        server: &Server,
        from: u8,
        tills: Vec<shared_protocol::TillId>,
    ) -> anyhow::Result<Vec<Self>> {
        let mut connected = Vec::new();
        let codes = server.codes.iter().skip(usize::from(from));
        for (index, (till, code)) in (from..).zip(tills.into_iter().zip(codes)) {
            let mut seller = Seller::new(till, index + 1, u32::from(index));
            let (link, _) = Link::enter(server.address, &mut seller.till, code).await?;
            seller.is_registered();
            connected.push(Self {
                seller,
                link,
                under_way: UnderWay::default(),
            });
        }
        Ok(connected)
    }

    /// Entries that may still be sent before something is acknowledged.
    pub fn room(&self) -> u64 {
        WINDOW - (self.seller.seq() - self.seller.unsent() - self.under_way.acked)
    }

    /// Sends what is written, in a frame.
    pub async fn push(&mut self, since: Instant) -> anyhow::Result<()> {
        self.push_some(usize::MAX, since).await
    }

    /// Sends some of what is written, in a frame.
    pub async fn push_some(&mut self, entries_max: usize, since: Instant) -> anyhow::Result<()> {
        let push = self.seller.push_some(entries_max);
        let last = push.first_seq - 1 + push.entries.len() as u64;
        self.under_way.sent(last, since);
        self.link.send(push).await
    }

    /// Reads one message. An acknowledgement moves what is on its way; an entry that was not simply booked ends the run, because it would make
    /// the figure one of something else.
    pub async fn hear(&mut self, seen: &mut Seen) -> anyhow::Result<Option<Message>> {
        match self.link.next().await? {
            Message::Ack(ack) => {
                ensure!(ack.notes.is_empty(), "not simply booked: {:?}", ack.notes);
                seen.acked += self.under_way.acknowledged(ack.durable_seq, &mut seen.acks);
                Ok(None)
            }
            other => Ok(Some(other)),
        }
    }

    /// Asks whether a wristband can pay, and waits.
    pub async fn authorise(&mut self, ask: Authorise, seen: &mut Seen) -> anyhow::Result<HoldId> {
        let request = ask.request;
        self.link.send(ask).await?;
        loop {
            match self.hear(seen).await? {
                Some(Message::AuthoriseResult(result)) if result.request == request => match result.hold {
                    Some(hold) => return Ok(hold),
                    None => bail!("not authorised: {:?}", result.refusal),
                },
                _ => {}
            }
        }
    }
}

/// What a till saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub acked: u64,
    pub acks: Waits,
    pub answers: Waits,
}

/// How a row sends.
#[derive(Clone, Copy)]
pub struct Row {
    name: &'static str,
    frame: u64,
    authorise: bool,
    /// Orders a second over all tills; none is as fast as they are taken.
    paced: Option<u64>,
}

const fn row(name: &'static str, frame: u64, authorise: bool, paced: Option<u64>) -> Row {
    Row {
        name,
        frame,
        authorise,
        paced,
    }
}

/// Frames of 16 as fast as they are taken.
pub const FRAMES_OF_16: Row = row("e2e_acked_orders_s_frames_of_16", 16, false, None);

const ROWS: [Row; 6] = [
    FRAMES_OF_16,
    row("e2e_acked_orders_s_frames_of_8", 8, false, None),
    row("e2e_acked_orders_s_one_a_frame", 1, false, None),
    row("e2e_acked_orders_s_authorised", 1, true, None),
    row("e2e_paced_2000_s_one_a_frame", 1, false, Some(2_000)),
    row("e2e_paced_2000_s_authorised", 1, true, Some(2_000)),
];

/// What the tills of a row saw together.
#[derive(Default)]
pub struct Tally {
    pub acked: AtomicU64,
    stop: AtomicBool,
    seen: Mutex<Seen>,
}

/// Runs the rows.
pub fn run(shape: &Shape, prefill: u64, only: &str) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    prefill::database(dir.path(), prefill)?;
    tokio::runtime::Runtime::new()?.block_on(rows(shape, dir.path(), prefill, only))
}

async fn rows(shape: &Shape, data: &std::path::Path, prefill: u64, only: &str) -> anyhow::Result<()> {
    let ids = tills(TERMINALS);
    let (rows_before, _) = SqliteReader::open(data.join("groschen.db"), None)?.head()?;
    let server = Server::start(data, &ids)?;
    let mut connected = Till::connect_all(&server, ids).await?;
    for row in ROWS.into_iter().filter(|row| row.name.contains(only)) {
        let (mut rates, mut more) = (Vec::new(), Vec::new());
        for _ in 0..shape.runs {
            let bytes = |tills: &[Till]| -> (u64, u64) {
                let links = tills.iter().map(|till| &till.link);
                links.fold((0, 0), |(up, down), link| (up + link.bytes_up, down + link.bytes_down))
            };
            let (up, down) = bytes(&connected);
            let (server_us, writer_us, own_us) = (server.cpu_us(), server.writer_cpu_us(), cpu_us(std::process::id()));
            let begun = Instant::now();
            let (tally, back) = drive(connected, row, Duration::from_secs(shape.seconds)).await?;
            let took = begun.elapsed();
            connected = back;
            let acked = tally.acked.load(Ordering::Relaxed).max(1);
            rates.push(acked * 1_000 / u64::try_from(took.as_millis())?.max(1));
            let mut seen = tally.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let (up_after, down_after) = bytes(&connected);
            more = vec![
                ("server_cpu_us_per_order", (server.cpu_us() - server_us) / acked),
                ("of_it_writer", (server.writer_cpu_us() - writer_us) / acked),
                (
                    "generator_cpu_us_per_order",
                    (cpu_us(std::process::id()) - own_us) / acked,
                ),
                ("bytes_up_per_order", (up_after - up) / acked),
                ("bytes_down_per_order", (down_after - down) / acked),
                ("ack_p50_us", seen.acks.permille(500)),
                ("ack_p99_us", seen.acks.permille(990)),
                ("authorise_p50_us", seen.answers.permille(500)),
                ("authorise_p99_us", seen.answers.permille(990)),
                ("server_peak_kib", server.peak_kib()),
                ("orders_before", prefill),
            ];
        }
        tell(shape, row.name, "orders/s", rates, &more);
    }
    let acknowledged: u64 = connected.iter().map(|till| till.under_way.acked).sum();
    drop((connected, server));
    let (rows, _) = SqliteReader::open(data.join("groschen.db"), None)?.head()?;
    ensure!(
        rows == rows_before + acknowledged,
        "{acknowledged} orders were acknowledged on {rows_before} rows, the journal has {rows}"
    );
    Ok(())
}

/// Lets all tills sell for a while.
pub async fn drive(tills: Vec<Till>, row: Row, time: Duration) -> anyhow::Result<(Arc<Tally>, Vec<Till>)> {
    let tally = Arc::new(Tally::default());
    let count = u32::try_from(tills.len())?;
    let interval = row
        .paced
        .map(|rate| Duration::from_micros(1_000_000 * u64::from(count) / rate));
    let begun = Instant::now();
    let tasks: Vec<_> = (0_u32..)
        .zip(tills)
        .map(|(index, till)| {
            let first = begun + interval.unwrap_or_default() * index / count;
            tokio::spawn(sell(
                till,
                row,
                interval.map(|interval| (first, interval)),
                Arc::clone(&tally),
            ))
        })
        .collect();
    tokio::time::sleep(time).await;
    tally.stop.store(true, Ordering::Relaxed);
    let mut back = Vec::new();
    for task in tasks {
        back.push(task.await??);
    }
    Ok((tally, back))
}

/// One till until it is told to stop and everything is acknowledged. Open loop where it is paced: a late order counts from when it was due.
async fn sell(mut till: Till, row: Row, pace: Option<(Instant, Duration)>, tally: Arc<Tally>) -> anyhow::Result<Till> {
    let mut seen = Seen::default();
    let mut frames = 0_u32;
    loop {
        let stopping = tally.stop.load(Ordering::Relaxed);
        let due = pace.map(|(first, interval)| first + interval * frames);
        let may_send = !stopping && till.room() >= row.frame;
        let before = seen.acked;
        if may_send && due.is_none_or(|due| due <= Instant::now()) {
            let since = due.unwrap_or_else(Instant::now);
            if row.authorise {
                let order = till.seller.next(now_ms());
                let hold = till.authorise(order.question(), &mut seen).await?;
                seen.answers.ended(since);
                till.seller.write(order, Some(hold));
                till.push(Instant::now()).await?;
            } else {
                (0..row.frame).for_each(|_| till.seller.sell(now_ms()));
                till.push(since).await?;
            }
            frames += 1;
        } else if till.under_way.is_empty() {
            match due.filter(|_| !stopping) {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => break,
            }
        } else if let Some(due) = due.filter(|_| may_send) {
            // Cancelled while it waits, it has read nothing yet.
            if let Ok(heard) = tokio::time::timeout_at(due.into(), till.hear(&mut seen)).await {
                heard?;
            }
        } else {
            till.hear(&mut seen).await?;
        }
        tally.acked.fetch_add(seen.acked - before, Ordering::Relaxed);
    }
    let mut all = tally.seen.lock().unwrap_or_else(PoisonError::into_inner);
    all.acks.append(seen.acks);
    all.answers.append(seen.answers);
    drop(all);
    Ok(till)
}
