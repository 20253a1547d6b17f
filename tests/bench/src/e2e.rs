//! Acknowledged orders over real websockets: tills on paper, a server in a process of its own, everything durable before it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use fixtures::paper::PaperTill;
use futures_util::{SinkExt, StreamExt};
use shared_protocol::limits::FRAME_FROM_SERVER_MAX_BYTES;
use shared_protocol::message::{Authorise, Certificate, Challenge, Hello, Message};
use shared_protocol::{CartId, RequestId};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{Message as Frame, WebSocketConfig};

use crate::figure::{Shape, tell};
use crate::journals::{Seller, WRISTBANDS, tills};
use crate::process::{Server, cpu_us};

/// Terminals in every row.
const TERMINALS: usize = 64;
/// Entries a till has on the way.
const WINDOW: u64 = 128;

/// A websocket of a till on paper.
pub struct Link {
    socket: WebSocketStream<TcpStream>,
    challenge: Challenge,
}

impl Link {
    /// Connects.
    pub async fn open(address: std::net::SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!("ws://{address}{}", sync::server::PATH).into_client_request()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(4_096)
            .write_buffer_size(0)
            .max_write_buffer_size(1 << 20);
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        let mut link = Self {
            socket,
            challenge: Challenge {
                nonce: shared_protocol::crypto::Hash32::ZERO,
                server_ms: 0,
                incarnation: 0,
                proto_min: 1,
                proto_max: 1,
            },
        };
        match link.next().await? {
            Message::Challenge(challenge) => link.challenge = challenge,
            other => bail!("no challenge but {other:?}"),
        }
        Ok(link)
    }

    /// Sends. Gives the bytes of the frame.
    pub async fn send(&mut self, message: impl Into<Message>) -> anyhow::Result<u64> {
        let frame = message.into().frame();
        let bytes = frame.len() as u64;
        self.socket.send(Frame::Binary(frame.into())).await?;
        Ok(bytes)
    }

    /// The next message.
    pub async fn next(&mut self) -> anyhow::Result<Message> {
        loop {
            match self.socket.next().await.context("the server closed")?? {
                Frame::Binary(bytes) => return Ok(Message::read(&bytes, FRAME_FROM_SERVER_MAX_BYTES)?),
                Frame::Close(_) => bail!("the server closed"),
                _ => {}
            }
        }
    }

    /// Registers a till by its code, connects again and says hello.
    pub async fn enter(
        address: std::net::SocketAddr,
        till: &mut PaperTill,
        code: &(shared_protocol::SlotId, Vec<u8>),
    ) -> anyhow::Result<(Self, Certificate)> {
        let mut first = Self::open(address).await?;
        let register = till.register(code.0, &code.1, &first.challenge.nonce);
        first.send(register).await?;
        let Message::Registered(registered) = first.next().await? else {
            bail!("not registered")
        };
        let registration: shared_protocol::message::Registration =
            shared_protocol::decode(&registered.certificate.body.0)?;
        till.id = registration.terminal;
        let link = Self::hello(address, till, &registered.certificate).await?;
        Ok((link, registered.certificate))
    }

    /// Connects and says hello.
    pub async fn hello(
        address: std::net::SocketAddr,
        till: &PaperTill,
        certificate: &Certificate,
    ) -> anyhow::Result<Self> {
        let mut link = Self::open(address).await?;
        let hello = Hello::sign(
            &PaperTill::signer(till.seed),
            &link.challenge.nonce,
            &till.hello(certificate.clone()),
        )?;
        link.send(hello).await?;
        match link.next().await? {
            Message::Welcome(_) => Ok(link),
            other => bail!("no welcome but {other:?}"),
        }
    }
}

/// How a row sends.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    frame: u64,
    authorise: bool,
    /// Orders a second over all tills; none is as fast as they are taken.
    paced: Option<u64>,
}

const ROWS: [Row; 6] = [
    Row {
        name: "e2e_acked_orders_s_frames_of_16",
        frame: 16,
        authorise: false,
        paced: None,
    },
    Row {
        name: "e2e_acked_orders_s_frames_of_8",
        frame: 8,
        authorise: false,
        paced: None,
    },
    Row {
        name: "e2e_acked_orders_s_one_a_frame",
        frame: 1,
        authorise: false,
        paced: None,
    },
    Row {
        name: "e2e_acked_orders_s_authorised",
        frame: 1,
        authorise: true,
        paced: None,
    },
    Row {
        name: "e2e_paced_2000_s_one_a_frame",
        frame: 1,
        authorise: false,
        paced: Some(2_000),
    },
    Row {
        name: "e2e_paced_1000_s_authorised",
        frame: 1,
        authorise: true,
        paced: Some(1_000),
    },
];

/// What the tills of a row saw together.
#[derive(Default)]
struct Tally {
    acked: AtomicU64,
    bytes: AtomicU64,
    stop: AtomicBool,
    waits: std::sync::Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    acks_us: Vec<u64>,
    answers_us: Vec<u64>,
}

/// Runs the rows.
pub fn run(shape: &Shape, prefill: u64) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(rows(shape, prefill))
}

async fn rows(shape: &Shape, prefill: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let tills = tills(TERMINALS);
    let server = Server::start(dir.path(), &tills)?;
    let mut sellers = Vec::new();
    for (index, (till, code)) in (0_u8..).zip(tills.into_iter().zip(&server.codes)) {
        let mut seller = Seller::new(till, index + 1, u32::from(index));
        let (link, _) = Link::enter(server.address, &mut seller.till, code).await?;
        sellers.push((seller, link, 1_u64));
    }
    fund(sellers.first_mut().context("a till")?).await?;
    let mut done = 0;
    while done < prefill {
        let (part, back) = drive(sellers, ROWS[0], Duration::from_secs(5)).await?;
        done += part.acked.load(Ordering::Relaxed);
        sellers = back;
    }
    for row in ROWS {
        let (mut rates, mut more) = (Vec::new(), Vec::new());
        for _ in 0..shape.runs {
            let (begun, server_us, own_us) = (Instant::now(), server.cpu_us(), cpu_us(std::process::id()));
            let (tally, back) = drive(sellers, row, Duration::from_secs(shape.seconds)).await?;
            sellers = back;
            let acked = tally.acked.load(Ordering::Relaxed).max(1);
            rates.push(acked * 1_000 / u64::try_from(begun.elapsed().as_millis())?.max(1));
            let mut waits = tally.waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            more = vec![
                ("server_cpu_us_per_order", (server.cpu_us() - server_us) / acked),
                (
                    "generator_cpu_us_per_order",
                    (cpu_us(std::process::id()) - own_us) / acked,
                ),
                ("bytes_up_per_order", tally.bytes.load(Ordering::Relaxed) / acked),
                ("ack_p50_us", percentile(&mut waits.acks_us, 500)),
                ("ack_p99_us", percentile(&mut waits.acks_us, 990)),
                ("authorise_p50_us", percentile(&mut waits.answers_us, 500)),
                ("authorise_p99_us", percentile(&mut waits.answers_us, 990)),
                ("server_peak_kib", server.peak_kib()),
                ("orders_before", prefill),
            ];
        }
        tell(shape, row.name, "orders/s", rates, &more);
    }
    Ok(())
}

fn percentile(values: &mut [u64], permille: usize) -> u64 {
    values.sort_unstable();
    values
        .get((values.len() * permille / 1_000).min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

type Connected = (Seller, Link, u64);

/// Puts money on all wristbands.
async fn fund((seller, link, next): &mut Connected) -> anyhow::Result<()> {
    for from in (0..WRISTBANDS).step_by(50) {
        seller.fund(from, (from + 50).min(WRISTBANDS));
        link.send(seller.push(*next)).await?;
        *next = seller.till.seq() + 1;
        let Message::Ack(_) = link.next().await? else {
            bail!("not acknowledged")
        };
    }
    Ok(())
}

/// Lets all tills sell for a while.
async fn drive(sellers: Vec<Connected>, row: Row, time: Duration) -> anyhow::Result<(Arc<Tally>, Vec<Connected>)> {
    let tally = Arc::new(Tally::default());
    let count = sellers.len() as u64;
    let tasks: Vec<_> = sellers
        .into_iter()
        .enumerate()
        .map(|(index, connected)| tokio::spawn(sell(connected, row, index as u64, count, Arc::clone(&tally))))
        .collect();
    tokio::time::sleep(time).await;
    tally.stop.store(true, Ordering::Relaxed);
    let mut back = Vec::new();
    for task in tasks {
        back.push(task.await??);
    }
    Ok((tally, back))
}

async fn sell(
    (mut seller, mut link, mut next): Connected,
    row: Row,
    index: u64,
    tills: u64,
    tally: Arc<Tally>,
) -> anyhow::Result<Connected> {
    let interval = row.paced.map(|rate| Duration::from_micros(1_000_000 * tills / rate));
    let begun = Instant::now() + interval.unwrap_or_default() * u32::try_from(index)? / u32::try_from(tills)?;
    let (mut acked, mut sent) = (next - 1, 0_u32);
    let mut under_way: std::collections::VecDeque<(u64, Instant)> = std::collections::VecDeque::new();
    let (mut acks_us, mut answers_us) = (Vec::new(), Vec::new());
    loop {
        let stopping = tally.stop.load(Ordering::Relaxed);
        let due = interval.map(|interval| begun + interval * sent);
        let may_send = !stopping && next - 1 - acked + row.frame <= WINDOW;
        if may_send && due.is_none_or(|due| due <= Instant::now()) {
            // Open loop: a late order counts from when it was due.
            let since = due.unwrap_or_else(Instant::now);
            let mut price = None;
            for _ in 0..row.frame {
                price = Some(seller.sell(sync::writer::now_ms()));
            }
            if let Some((tag, amount)) = price.filter(|_| row.authorise) {
                let request = RequestId(shared_protocol::ids::mint(next, [seller.till.seed; 10]));
                link.send(Authorise {
                    request,
                    cart: CartId(request.0),
                    tag,
                    amount,
                })
                .await?;
                loop {
                    match link.next().await? {
                        Message::AuthoriseResult(result) if result.request == request => break,
                        Message::Ack(ack) => {
                            let before = acked;
                            acknowledged(ack.durable_seq, &mut acked, &mut under_way, &mut acks_us);
                            tally.acked.fetch_add(acked - before, Ordering::Relaxed);
                        }
                        _ => {}
                    }
                }
                answers_us.push(u64::try_from(since.elapsed().as_micros())?);
            }
            let bytes = link.send(seller.push(next)).await?;
            tally.bytes.fetch_add(bytes, Ordering::Relaxed);
            next = seller.till.seq() + 1;
            under_way.push_back((next - 1, since));
            sent += 1;
        } else if under_way.is_empty() {
            match due.filter(|_| !stopping) {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => break,
            }
        } else {
            let message = match due.filter(|_| may_send) {
                Some(due) => match tokio::time::timeout_at(due.into(), link.next()).await {
                    Ok(message) => message?,
                    Err(_) => continue,
                },
                None => link.next().await?,
            };
            if let Message::Ack(ack) = message {
                let before = acked;
                acknowledged(ack.durable_seq, &mut acked, &mut under_way, &mut acks_us);
                tally.acked.fetch_add(acked - before, Ordering::Relaxed);
            }
        }
    }
    let mut waits = tally.waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    waits.acks_us.extend(acks_us);
    waits.answers_us.extend(answers_us);
    drop(waits);
    Ok((seller, link, next))
}

fn acknowledged(
    durable_seq: u64,
    acked: &mut u64,
    under_way: &mut std::collections::VecDeque<(u64, Instant)>,
    acks_us: &mut Vec<u64>,
) {
    *acked = (*acked).max(durable_seq);
    while let Some((last, since)) = under_way.front().copied().filter(|(last, _)| last <= acked) {
        acks_us.push(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
        under_way.retain(|(other, _)| *other != last);
    }
}
