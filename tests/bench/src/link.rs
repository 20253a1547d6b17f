//! A websocket of a till on paper.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use shared_protocol::SlotId;
use shared_protocol::limits::FRAME_FROM_SERVER_MAX_BYTES;
use shared_protocol::message::{Certificate, Challenge, Hello, Message, Registration};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{Message as Frame, WebSocketConfig};

use fixtures::paper::PaperTill;

/// Bytes of a websocket header before a frame of this length; the server's has no mask.
const fn header(length: usize, masked: bool) -> u64 {
    let mask = if masked { 4 } else { 0 };
    let size = match length {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    };
    size + mask
}

/// A connection.
pub struct Link {
    socket: WebSocketStream<TcpStream>,
    challenge: Challenge,
    /// Bytes sent, with websocket headers.
    pub bytes_up: u64,
    /// Bytes received, with websocket headers.
    pub bytes_down: u64,
}

impl Link {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
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
            bytes_up: 0,
            bytes_down: 0,
        };
        match link.next().await? {
            Message::Challenge(challenge) => link.challenge = challenge,
            other => bail!("no challenge but {other:?}"),
        }
        Ok(link)
    }

    /// Sends.
    pub async fn send(&mut self, message: impl Into<Message>) -> anyhow::Result<()> {
        let frame = message.into().frame();
        self.bytes_up += frame.len() as u64 + header(frame.len(), true);
        Ok(self.socket.send(Frame::Binary(frame.into())).await?)
    }

    /// The next message.
    pub async fn next(&mut self) -> anyhow::Result<Message> {
        loop {
            match self.socket.next().await.context("the server closed")?? {
                Frame::Binary(bytes) => {
                    self.bytes_down += bytes.len() as u64 + header(bytes.len(), false);
                    return Ok(Message::read(&bytes, FRAME_FROM_SERVER_MAX_BYTES)?);
                }
                Frame::Close(_) => bail!("the server closed"),
                _ => {}
            }
        }
    }

    /// Registers a till by its code, connects again and says hello.
    pub async fn enter(
        address: SocketAddr,
        till: &mut PaperTill,
        code: &(SlotId, Vec<u8>),
    ) -> anyhow::Result<(Self, Certificate)> {
        let mut first = Self::open(address).await?;
        let register = till.register(code.0, &code.1, &first.challenge.nonce);
        first.send(register).await?;
        let Message::Registered(registered) = first.next().await? else {
            bail!("not registered")
        };
        let registration: Registration = shared_protocol::decode(&registered.certificate.body.0)?;
        till.id = registration.terminal;
        let link = Self::hello(address, till, &registered.certificate).await?;
        Ok((link, registered.certificate))
    }

    /// Connects and says hello, with nothing written yet.
    pub async fn hello(address: SocketAddr, till: &PaperTill, certificate: &Certificate) -> anyhow::Result<Self> {
        let mut link = Self::open(address).await?;
        let signer = PaperTill::signer(till.seed);
        let hello = Hello::sign(&signer, &link.challenge.nonce, &till.hello(certificate.clone()))?;
        link.send(hello).await?;
        match link.next().await? {
            Message::Welcome(_) => Ok(link),
            other => bail!("no welcome but {other:?}"),
        }
    }
}
