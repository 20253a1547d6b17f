//! The connection to the web service, on a thread of its own: one request at a time, a ping while nobody asks, and an end to every wait.
//!
//! It knows whether a request left the house: what did not is [`Failed::NotDone`] and may be repeated, anything later is [`Failed::Unknown`].

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout_at;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::frame::{self, Fields};

/// More is no answer of a TSE; an export comes in pieces.
const ANSWER_MAX_BYTES: usize = 8 << 20;
/// The thread answers by the deadline itself; this is for the way back.
const GRACE: Duration = Duration::from_millis(200);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The request was not sent.
    NotDone(String),
    /// It was sent, and whether it was done is not known.
    Unknown(String),
}

enum What {
    Connect,
    Command {
        connection: u64,
        command: &'static str,
        of: Fields,
    },
}

struct Ask {
    what: What,
    deadline: Instant,
    answer: SyncSender<Result<(u64, Fields), Failed>>,
}

/// The near end. The thread ends with it.
pub(crate) struct Link {
    asks: UnboundedSender<Ask>,
}

impl Link {
    /// Begins; nothing is connected yet.
    pub fn start(url: String, keep_alive: Duration) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (asks, from) = unbounded_channel();
        let thread = std::thread::Builder::new().name("tse-link".to_owned());
        thread.spawn(move || {
            runtime.block_on(run(url, from, keep_alive));
            // A look-up of a name may hang on; nobody waits for it.
            runtime.shutdown_background();
        })?;
        Ok(Self { asks })
    }

    /// Connects where there is no connection. Gives its number, which the next one does not have.
    pub fn connect(&self, deadline: Instant) -> Result<u64, Failed> {
        self.ask(What::Connect, deadline).map(|(connection, _)| connection)
    }

    /// Sends a command on this connection and no other, and waits for its answer.
    pub fn command(
        &self,
        connection: u64,
        command: &'static str,
        of: Fields,
        deadline: Instant,
    ) -> Result<Fields, Failed> {
        let what = What::Command {
            connection,
            command,
            of,
        };
        self.ask(what, deadline).map(|(_, body)| body)
    }

    fn ask(&self, what: What, deadline: Instant) -> Result<(u64, Fields), Failed> {
        let (answer, answered) = sync_channel(1);
        let ask = Ask { what, deadline, answer };
        let ended = || Failed::NotDone("the link's thread has ended".to_owned());
        self.asks.send(ask).map_err(|_| ended())?;
        let wait = deadline.saturating_duration_since(Instant::now()) + GRACE;
        match answered.recv_timeout(wait) {
            Ok(done) => done,
            Err(RecvTimeoutError::Timeout) => Err(Failed::Unknown("no answer in time".to_owned())),
            Err(RecvTimeoutError::Disconnected) => Err(Failed::Unknown("the link's thread has ended".to_owned())),
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Connection {
    socket: Option<Socket>,
    number: u64,
    ping: u64,
}

async fn run(url: String, mut asks: UnboundedReceiver<Ask>, keep_alive: Duration) {
    let mut connection = Connection {
        socket: None,
        number: 0,
        ping: 0,
    };
    let mut next_ping = Instant::now() + keep_alive;
    loop {
        let is_open = connection.socket.is_some();
        tokio::select! {
            biased;
            ask = asks.recv() => {
                let Some(ask) = ask else {
                    return;
                };
                let done = connection.serve(&url, ask.what, ask.deadline).await;
                // Whether the other side still lives is asked at once after an answer that did not come.
                next_ping = Instant::now() + if done.is_ok() { keep_alive } else { Duration::ZERO };
                let _whoever_asked_may_be_gone = ask.answer.send(done);
            }
            () = connection.drain(), if is_open => {}
            () = tokio::time::sleep_until(next_ping.into()), if is_open => {
                let pong = connection.exchange("PingPong", &Fields::new(), Instant::now() + keep_alive).await;
                if let Err(Failed::NotDone(why) | Failed::Unknown(why)) = pong {
                    tracing::debug!(why, "the TSE does not answer a ping; the connection is given up");
                    connection.socket = None;
                }
                next_ping = Instant::now() + keep_alive;
            }
        }
    }
}

impl Connection {
    async fn serve(&mut self, url: &str, what: What, deadline: Instant) -> Result<(u64, Fields), Failed> {
        if Instant::now() >= deadline {
            // Whoever asked has given up, and would not hear that it was done after all.
            return Err(Failed::NotDone("no time was left".to_owned()));
        }
        match what {
            What::Connect => {
                if self.socket.is_none() {
                    self.socket = Some(open(url, deadline).await?);
                    self.number += 1;
                }
                Ok((self.number, Fields::new()))
            }
            What::Command { connection, .. } if connection != self.number => {
                Err(Failed::NotDone("the connection was lost".to_owned()))
            }
            What::Command { command, of, .. } => Ok((self.number, self.exchange(command, &of, deadline).await?)),
        }
    }

    async fn exchange(&mut self, command: &str, of: &Fields, deadline: Instant) -> Result<Fields, Failed> {
        self.ping += 1;
        let ping = self.ping;
        let Some(socket) = &mut self.socket else {
            return Err(Failed::NotDone("the connection was lost".to_owned()));
        };
        let request = frame::request(command, ping, of);
        let sent = timeout_at(deadline.into(), socket.send(Message::text(request.as_str()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.socket = None;
            return Err(Failed::Unknown("the connection ended while sending".to_owned()));
        }
        loop {
            let Ok(next) = timeout_at(deadline.into(), socket.next()).await else {
                return Err(Failed::Unknown("no answer in time".to_owned()));
            };
            let text = match next {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                _ => {
                    self.socket = None;
                    return Err(Failed::Unknown("the connection ended before the answer".to_owned()));
                }
            };
            match frame::answer(&text) {
                Some(answer) if answer.ping == ping && answer.command == command => return Ok(answer.body),
                // An answer to what was given up before.
                Some(answer) if answer.ping != ping => {
                    tracing::debug!(answer.ping, ping, "an answer to another request is left aside");
                }
                _ => {
                    self.socket = None;
                    return Err(Failed::Unknown("the answer cannot be read".to_owned()));
                }
            }
        }
    }

    /// Takes what comes while nobody asks; it is late and for nobody.
    async fn drain(&mut self) {
        if let Some(socket) = &mut self.socket
            && !matches!(socket.next().await, Some(Ok(message)) if !message.is_close())
        {
            tracing::debug!("the TSE ended the connection");
            self.socket = None;
        }
    }
}

async fn open(url: &str, deadline: Instant) -> Result<Socket, Failed> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(ANSWER_MAX_BYTES))
        .max_frame_size(Some(ANSWER_MAX_BYTES))
        .max_write_buffer_size(ANSWER_MAX_BYTES);
    match timeout_at(deadline.into(), connect_async_with_config(url, Some(config), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(Failed::NotDone(format!("no connection: {error}"))),
        Err(_) => Err(Failed::NotDone("no connection in time".to_owned())),
    }
}
