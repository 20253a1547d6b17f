//! The websocket: axum accepts, one task a connection drives its [`Session`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use engine::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ring::rand::{SecureRandom, SystemRandom};
use shared_protocol::TerminalId;
use shared_protocol::crypto::{Hash32, PublicKey};
use shared_protocol::ids::mint;
use shared_protocol::limits::FRAME_FROM_TERMINAL_MAX_BYTES;
use shared_protocol::message::{ErrorCode, SUBPROTOCOL};
use store::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::Layer as _;

use crate::hub::{Counters, Heard, Hub, ToConnection};
use crate::session::{CartEvent, Output, Session, World};
use crate::writer::{Writer, now_ms};

/// The path terminals connect to.
pub const PATH: &str = "/terminal";

/// What a connection may hold in its buffers. The library's defaults are for few connections: 128 KiB to read, unlimited to write.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// A snapshot of balances is the largest thing that may wait to be written.
const WRITE_BUFFER_MAX_BYTES: usize = 8 * 1024 * 1024;

/// A terminal has this long to say hello.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer that takes nothing for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What every connection needs.
pub struct Service<S> {
    /// The writer.
    pub writer: Writer<S>,
    /// Who else is there.
    pub hub: Arc<Hub>,
    /// The event's config key.
    pub config_key: PublicKey,
    /// Which life of the database.
    pub incarnation: u64,
    /// Who wants to know of carts: the signer.
    pub carts: Option<std::sync::mpsc::SyncSender<CartEvent>>,
}

impl<S: Store + 'static> Service<S> {
    /// The routes of the terminals.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new().route(PATH, get(upgrade::<S>)).with_state(self)
    }

    fn world<'a>(&'a self, key_of: &'a dyn Fn(TerminalId) -> Option<PublicKey>) -> World<'a> {
        World {
            now_ms: now_ms(),
            config_key: &self.config_key,
            incarnation: self.incarnation,
            key_of,
            fresh_terminal: &|| TerminalId(mint(now_ms(), random())),
            busy: self.writer.is_busy(),
        }
    }
}

/// Random bytes from the operating system.
///
/// # Panics
/// When the operating system has no randomness: no nonce or id may be made then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness nothing here is safe")]
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

async fn upgrade<S: Store + 'static>(State(service): State<Arc<Service<S>>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX_BYTES)
        .max_message_size(FRAME_FROM_TERMINAL_MAX_BYTES)
        .max_frame_size(FRAME_FROM_TERMINAL_MAX_BYTES)
        .on_upgrade(move |socket| connection(service, socket))
}

/// One connection with what it needs to act.
struct Connection<S> {
    service: Arc<Service<S>>,
    socket: WebSocket,
    session: Session,
    number: u64,
    to_self: UnboundedSender<ToConnection>,
}

async fn connection<S: Store + 'static>(service: Arc<Service<S>>, socket: WebSocket) {
    let (to_self, inbox) = unbounded_channel();
    let number = service.hub.next_connection();
    let key_of = |terminal| service.hub.key_of(terminal);
    let (session, outputs) = Session::new(Hash32(random()), &service.world(&key_of));
    let mut connection = Connection {
        service: Arc::clone(&service),
        socket,
        session,
        number,
        to_self,
    };
    let _closed = connection.run(inbox, outputs).await;
    if let Some(terminal) = connection.session.terminal() {
        service.hub.leave(terminal, number);
    }
}

/// The socket is gone, or the session is over.
struct Gone;

impl<S: Store + 'static> Connection<S> {
    async fn run(&mut self, mut inbox: UnboundedReceiver<ToConnection>, first: Vec<Output>) -> Result<(), Gone> {
        self.act(first).await?;
        let greeting_over = tokio::time::Instant::now() + GREETING_TIMEOUT;
        loop {
            let until_tick = Duration::from_millis(self.session.next_tick_ms().saturating_sub(now_ms()).max(1));
            let outputs = tokio::select! {
                frame = self.socket.recv() => match frame {
                    Some(Ok(Message::Binary(bytes))) => {
                        Counters::add(&self.service.hub.counters.frames_in, 1);
                        Counters::add(&self.service.hub.counters.bytes_in, bytes.len() as u64);
                        self.step(|session, world| session.on_frame(&bytes, world))
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Vec::new(),
                    Some(Ok(Message::Text(_))) => self.step(|session, world| session.on_frame(&[], world)),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                },
                told = inbox.recv() => match told {
                    Some(told) => self.told(told),
                    None => return Err(Gone),
                },
                () = tokio::time::sleep(until_tick) => self.session.on_tick(now_ms()),
            };
            self.act(outputs).await?;
            if self.session.terminal().is_none() && tokio::time::Instant::now() > greeting_over && !self.waits() {
                let outputs = self.session.on_close(ErrorCode::Timeout);
                self.act(outputs).await?;
            }
        }
    }

    /// A device whose code a person has to confirm may take its time.
    fn waits(&self) -> bool {
        self.session.is_registering()
    }

    fn step(&mut self, step: impl FnOnce(&mut Session, &World<'_>) -> Vec<Output>) -> Vec<Output> {
        let hub = Arc::clone(&self.service.hub);
        let key_of = move |terminal| hub.key_of(terminal);
        let service = Arc::clone(&self.service);
        step(&mut self.session, &service.world(&key_of))
    }

    fn told(&mut self, told: ToConnection) -> Vec<Output> {
        match told {
            ToConnection::Reply(ticket, Some(reply)) => {
                self.step(|session, world| session.on_reply(ticket, *reply, world))
            }
            ToConnection::Reply(ticket, None) => self.session.on_failure(ticket),
            ToConnection::Close(code) => self.session.on_close(code),
            ToConnection::Stream(stream, version) => self.session.on_stream(stream, version),
            ToConnection::Command(command, kind) => self.session.command(command, kind),
            ToConnection::Confirmed(slot, known) => {
                self.step(|session, world| session.on_confirmed(slot, *known, world))
            }
        }
    }

    /// What a terminal says of its journal is kept for who wants to know what is still to come.
    fn note(&self, request: &Request) {
        let (terminal, epoch, next_seq) = match request {
            Request::Announce {
                terminal,
                epoch,
                next_seq,
            } => (*terminal, *epoch, *next_seq),
            Request::Hello(hello) => (hello.terminal, hello.epoch.epoch, hello.next_seq),
            _ => return,
        };
        let at_ms = now_ms();
        self.service.hub.note_heard(terminal, Heard { epoch, next_seq, at_ms });
    }

    async fn act(&mut self, outputs: Vec<Output>) -> Result<(), Gone> {
        for output in outputs {
            match output {
                Output::Send(frame) => {
                    Counters::add(&self.service.hub.counters.bytes_out, frame.len() as u64);
                    let sent =
                        tokio::time::timeout(WRITE_TIMEOUT, self.socket.send(Message::Binary(frame.into()))).await;
                    sent.map_err(|_| Gone)?.map_err(|_| Gone)?;
                }
                Output::Submit(ticket, request) => {
                    self.note(&request);
                    if self
                        .service
                        .writer
                        .submit(request, self.to_self.clone(), ticket)
                        .await
                        .is_err()
                    {
                        // The reply lane tells the session, like any other answer.
                        drop(self.to_self.send(ToConnection::Reply(ticket, None)));
                    }
                }
                Output::Entered(terminal) => self.service.hub.enter(terminal, self.number, self.to_self.clone()),
                Output::Waiting(slot) => self.service.hub.wait(slot, self.to_self.clone()),
                Output::Log(terminal, text) => tracing::info!(%terminal, bytes = text.len(), "a terminal sent its log"),
                Output::CommandDone(command, done) => tracing::info!(%command, done, "a terminal answered a command"),
                Output::Cart(event) => {
                    if let Some(carts) = &self.service.carts {
                        // A signer that is far behind misses a start, and makes it up when the cart is paid.
                        let _behind = carts.try_send(event);
                    }
                }
                Output::Close => {
                    let _gone = self.socket.send(Message::Close(None)).await;
                    return Err(Gone);
                }
            }
        }
        Ok(())
    }
}

/// Who a request came from, with TLS or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A peer has this long to send the head of a request, also of the next one on a connection that is kept: who trickles bytes gives way.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// The head of a request that is larger is none of a browser's or terminal's.
const REQUEST_HEAD_MAX_BYTES: usize = 32 * 1024;

/// Connections at a time; more wait to be accepted. Four times the terminals of a large festival.
const CONNECTIONS_MAX: usize = 20_000;

/// Serves routes to whoever comes, until it is dropped; then every connection ends. axum's own loop has no time limit for requests.
pub async fn serve<L>(mut listener: L, routes: Router)
where
    L: axum::serve::Listener<Addr = SocketAddr>,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIMEOUT)
        .max_buf_size(REQUEST_HEAD_MAX_BYTES);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            (stream, from) = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                let routes = Extension(ConnectInfo(Peer(from))).layer(routes.clone());
                let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).with_upgrades();
                connections.spawn(async move {
                    // Whoever leaves in the middle of a request has left.
                    let _left = served.await;
                });
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// A listener without TLS.
pub struct PlainListener(pub TcpListener);

impl axum::serve::Listener for PlainListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, from) = axum::serve::Listener::accept(&mut self.0).await;
        // An acknowledgement is small and must not wait for more bytes.
        let _slower = stream.set_nodelay(true);
        (stream, from)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A listener that speaks TLS. Handshakes run beside each other, so that a slow peer holds up nobody.
pub struct TlsListener {
    accepted: tokio::sync::mpsc::Receiver<(tokio_rustls::server::TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
}

/// Handshakes that may be done and not yet served.
const ACCEPTED_MAX: usize = 256;

impl TlsListener {
    /// Takes over a listener.
    pub fn new(listener: TcpListener, acceptor: TlsAcceptor) -> std::io::Result<Self> {
        let local = listener.local_addr()?;
        let (done, accepted) = tokio::sync::mpsc::channel(ACCEPTED_MAX);
        tokio::spawn(async move {
            loop {
                let Ok((stream, from)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let (acceptor, done) = (acceptor.clone(), done.clone());
                tokio::spawn(async move {
                    // An acknowledgement is small and must not wait for more bytes.
                    let _slower = stream.set_nodelay(true);
                    if let Ok(Ok(stream)) = tokio::time::timeout(GREETING_TIMEOUT, acceptor.accept(stream)).await {
                        drop(done.send((stream, from)).await);
                    }
                });
            }
        });
        Ok(Self { accepted, local })
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = tokio_rustls::server::TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // The accepting task never ends before the process does.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.local)
    }
}
