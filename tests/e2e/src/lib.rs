//! Servers for end-to-end tests, and who comes to them: a raw client, which sends exactly what it is told over a real websocket, also what no terminal
//! would; and real terminals with somebody at them ([`Crewed`]).
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool for tests: what goes wrong fails the test"
)]

mod crewed;

use std::net::SocketAddr;
use std::time::Duration;

use engine::{Known, Reply, Request};
use fixtures::paper::PaperTill;
use fixtures::sample;
use futures_util::{SinkExt, StreamExt};
use groschen::audit;
use groschen::instance::Instance;
use groschen::settings::Settings;
use ledger::Account;
use shared_protocol::crypto::Hash32;
use shared_protocol::limits::FRAME_FROM_SERVER_MAX_BYTES;
use shared_protocol::message::{Certificate, Challenge, Error, Hello, HelloBody, Message, Push, Welcome};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub use crewed::Crewed;

/// How long an answer may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server in a folder of its own.
pub struct Server {
    /// The folder.
    pub dir: TempDir,
    /// The server.
    pub instance: Instance,
}

/// Settings of a server in a folder, on a free port of this machine.
pub fn settings(data: &std::path::Path) -> Settings {
    Settings {
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        signing: groschen::signing::Settings::default(),
        public_url: None,
        tses: Vec::new(),
        framed_by: None,
        purses: groschen::settings::Purses::default(),
    }
}

impl Server {
    /// Starts with the sample festival.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let instance = Instance::start(&settings(dir.path()), true)
            .await
            .expect("the server starts");
        Self { dir, instance }
    }

    /// Ends and starts again over the same folder.
    pub async fn restart(self) -> Self {
        self.instance.stop().await.expect("the server ends in order");
        let instance = Instance::start(&settings(self.dir.path()), true)
            .await
            .expect("the server starts again");
        Self {
            dir: self.dir,
            instance,
        }
    }

    /// Makes a till on paper known. Gives its certificate.
    pub async fn register(&self, till: &PaperTill) -> Certificate {
        let slot = self.instance.open_slot(till.till, false).await.expect("a slot");
        let nonce = Hash32([till.seed; 32]);
        let register = Box::new(till.register(slot.id, &slot.secret, &nonce));
        let reply = self
            .instance
            .ask(Request::Register {
                register,
                nonce,
                terminal: till.id,
            })
            .await
            .expect("an answer");
        let Reply::Register(Known::Registered { certificate, .. }) = reply else {
            panic!("not registered: {reply:?}")
        };
        *certificate
    }

    /// A registered till on paper with an open connection.
    pub async fn enter(&self, till: &PaperTill) -> (RawClient, Welcome) {
        let certificate = self.register(till).await;
        self.enter_with(till, certificate).await
    }

    /// A connection of a till that has its certificate.
    pub async fn enter_with(&self, till: &PaperTill, certificate: Certificate) -> (RawClient, Welcome) {
        let mut client = RawClient::connect(self.instance.address).await;
        let hello = till.hello(certificate);
        match client.hello(&hello, till.seed).await {
            Message::Welcome(welcome) => (client, welcome),
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// What the books have on a wristband of the sample festival, in cents.
    pub fn money(&self, number: u32) -> i64 {
        let mut reader = self.instance.reader().expect("a reader");
        let balance = reader.balance(sample::EVENT, sample::wristband(number));
        let balance = balance.expect("its accounts");
        let of_wristband = balance
            .iter()
            .filter(|(key, _)| matches!(key.account, Account::Wristband { .. }));
        of_wristband.map(|(_, amount)| amount.0).sum()
    }

    /// So many postings, no case, and an audit that finds nothing.
    pub fn assert_books(&self, postings: u64) {
        let mut reader = self.instance.reader().expect("a reader");
        assert_eq!(reader.cases(0, 10).expect("cases"), []);
        let findings = audit::check(reader.as_mut()).expect("an audit");
        assert!(findings.clean() && findings.postings == postings, "{findings:?}");
    }
}

/// A websocket that sends what it is told.
pub struct RawClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the server opened with.
    pub challenge: Challenge,
}

impl RawClient {
    /// Connects and takes the challenge.
    pub async fn connect(address: SocketAddr) -> Self {
        let request = format!("ws://{address}{}", sync::server::PATH)
            .into_client_request()
            .expect("a request");
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.expect("a connection");
        let Some(Message::Challenge(challenge)) = next(&mut socket).await else {
            panic!("no challenge")
        };
        Self { socket, challenge }
    }

    /// Says hello with a paper till's key.
    pub async fn hello(&mut self, body: &HelloBody, seed: u8) -> Message {
        let hello = Hello::sign(&PaperTill::signer(seed), &self.challenge.nonce, body).expect("a signature");
        self.ask(hello).await
    }

    /// Sends a message.
    pub async fn send(&mut self, message: impl Into<Message>) {
        self.send_bytes(message.into().frame()).await;
    }

    /// Sends any bytes as a binary frame.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        // The server may have closed already; what it said then is still to be read.
        let _closed = self.socket.send(Frame::Binary(bytes.into())).await;
    }

    /// The next message; none when the server closed.
    pub async fn next(&mut self) -> Option<Message> {
        next(&mut self.socket).await
    }

    /// Sends and takes the next message.
    pub async fn ask(&mut self, message: impl Into<Message>) -> Message {
        self.send(message).await;
        self.next().await.expect("an answer")
    }

    /// Pushes and takes the answer.
    pub async fn push(&mut self, push: Push) -> Message {
        self.ask(push).await
    }

    /// The error the server ends the connection with.
    pub async fn fatal(&mut self) -> Error {
        loop {
            match self.next().await {
                Some(Message::Error(error)) if error.fatal => return error,
                Some(_) => {}
                None => panic!("closed without an error"),
            }
        }
    }
}

async fn next(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Option<Message> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("an answer in time")
        {
            Some(Ok(Frame::Binary(bytes))) => {
                return Some(Message::read(&bytes, FRAME_FROM_SERVER_MAX_BYTES).expect("a readable frame"));
            }
            Some(Ok(Frame::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}
