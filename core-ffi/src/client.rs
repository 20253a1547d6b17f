//! The sync client: one websocket, with the festival's own authority as the only one that is trusted.

mod pin;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::parse_hex;
use shared_protocol::limits::{FRAME_FROM_SERVER_MAX_BYTES, FRAME_FROM_TERMINAL_MAX_BYTES};
use shared_protocol::message::SUBPROTOCOL;
use terminal::LinkId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

/// Connecting, with TLS and the upgrade, may take this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Frames that may wait to be written. The window keeps pushes far below it.
pub const OUTBOX_FRAMES: usize = 64;

/// Why there is no connection. The terminal only knows that there is none; this is for the log.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is no `ws://` or `wss://` URL.
    #[error("{0} is not an address of a server")]
    Address(String),
    /// Nobody answers, or the network is down.
    #[error("no connection: {0}")]
    Network(#[from] std::io::Error),
    /// The upgrade to a websocket did not work.
    #[error("no websocket: {0}")]
    Websocket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    /// It took too long.
    #[error("no answer in {} s", CONNECT_TIMEOUT.as_secs())]
    Timeout,
    /// The pinned authority cannot be used.
    #[error("the event's certificate authority cannot be used: {0}")]
    Authority(#[from] rustls::Error),
}

/// The file of a [`ServerAddress`] in the folder of its device.
const SERVER_FILE: &str = "server";

/// Where a device's server is, as it is kept between starts and said by a registration code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// `ws://…` or `wss://…`.
    pub url: String,
    /// Digest of the authority that its certificate is from.
    pub authority: Option<Hash32>,
}

impl ServerAddress {
    /// The one that is kept in the folder of a device.
    pub fn load(folder: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(folder.join(SERVER_FILE)).ok()?)
    }

    /// Keeps it there.
    pub fn keep(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::write(folder.join(SERVER_FILE), self.text())
    }

    /// Forgets the one that is kept there, if there is one: the device knows no server, as a new one.
    pub fn forget(folder: &Path) {
        let _was_not_there = std::fs::remove_file(folder.join(SERVER_FILE));
    }

    /// As a text of one or two lines.
    fn text(&self) -> String {
        match self.authority {
            Some(authority) => format!("{}\n{authority}\n", self.url),
            None => format!("{}\n", self.url),
        }
    }

    /// Reads [`Self::text`]; none where there is no address.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let url = lines.next().filter(|url| !url.is_empty())?.to_owned();
        let authority = lines.next().filter(|line| !line.is_empty());
        Some(Self {
            url,
            authority: match authority {
                Some(digits) => Some(parse_hex(digits).and_then(|bytes| Hash32::from_slice(&bytes))?),
                None => None,
            },
        })
    }

    /// How it is reached.
    pub fn endpoint(&self) -> Result<Endpoint, ConnectError> {
        match self.authority {
            Some(authority) => Endpoint::pinned(&self.url, authority),
            None => Endpoint::new(&self.url, None),
        }
    }
}

/// Where the server is and whom to trust.
#[derive(Clone)]
pub struct Endpoint {
    host: String,
    port: u16,
    url: String,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.url)
    }
}

impl Endpoint {
    /// No server at all: every connection fails. A device that is no terminal yet has none.
    pub fn nowhere() -> Self {
        Self {
            host: String::new(),
            port: 0,
            url: String::new(),
            tls: None,
        }
    }

    /// A server at `ws://host:port/path` (on this machine, or behind something that does TLS) or `wss://…`, which needs the event's authority:
    /// no other certificate is accepted, and no list of the operating system is asked.
    pub fn new(url: &str, authority: Option<&CertificateDer<'_>>) -> Result<Self, ConnectError> {
        let connector = authority.map(connector).transpose()?;
        Self::by(url, connector)
    }

    /// The same, with the authority known by the digest of its certificate, which the server sends along.
    pub fn pinned(url: &str, authority: Hash32) -> Result<Self, ConnectError> {
        Self::by(url, Some(pin::connector(authority)?))
    }

    fn by(url: &str, connector: Option<TlsConnector>) -> Result<Self, ConnectError> {
        let wrong = || ConnectError::Address(url.to_owned());
        let (secure, rest) = match url.split_once("://") {
            Some(("ws", rest)) => (false, rest),
            Some(("wss", rest)) => (true, rest),
            _ => return Err(wrong()),
        };
        let place = rest.split('/').next().unwrap_or_default();
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        if secure && connector.is_none() {
            return Err(wrong());
        }
        let tls = connector.filter(|_| secure);
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            url: url.to_owned(),
            tls,
        })
    }
}

fn connector(authority: &CertificateDer<'_>) -> Result<TlsConnector, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.clone().into_owned())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A stream of bytes, plain or TLS.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

type Socket = tokio_tungstenite::WebSocketStream<Box<dyn Wire>>;

async fn open(endpoint: &Endpoint) -> Result<Socket, ConnectError> {
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    // A tap is small and must not wait for more bytes.
    stream.set_nodelay(true)?;
    let wire: Box<dyn Wire> = match &endpoint.tls {
        None => Box::new(stream),
        Some(tls) => {
            let name =
                ServerName::try_from(endpoint.host.clone()).map_err(|_| ConnectError::Address(endpoint.url.clone()))?;
            Box::new(tls.connect(name, stream).await?)
        }
    };
    let mut request = endpoint.url.as_str().into_client_request().map_err(Box::new)?;
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(OUTBOX_FRAMES * FRAME_FROM_TERMINAL_MAX_BYTES)
        .max_message_size(Some(FRAME_FROM_SERVER_MAX_BYTES))
        .max_frame_size(Some(FRAME_FROM_SERVER_MAX_BYTES));
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, wire, Some(config))
        .await
        .map_err(Box::new)?;
    Ok(socket)
}

/// What a connection tells its till.
#[derive(Debug)]
pub enum LinkEvent {
    /// It is open.
    Open(LinkId),
    /// A frame arrived.
    Frame(LinkId, Vec<u8>),
    /// It is gone, or never came to be.
    Gone(LinkId),
}

/// One connection from its opening to its end. Ends when the outbox is closed.
pub async fn run(link: LinkId, endpoint: Endpoint, mut outbox: Receiver<Vec<u8>>, told: Sender<LinkEvent>) {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, open(&endpoint))
        .await
        .unwrap_or(Err(ConnectError::Timeout));
    match opened {
        Ok(socket) => {
            if told.send(LinkEvent::Open(link)).await.is_ok() {
                relay(link, socket, &mut outbox, &told).await;
            }
        }
        Err(error) => tracing::debug!(%error, "no connection"),
    }
    // A till that is gone does not need to be told.
    let _gone = told.send(LinkEvent::Gone(link)).await;
}

async fn relay(link: LinkId, socket: Socket, outbox: &mut Receiver<Vec<u8>>, told: &Sender<LinkEvent>) {
    let (mut sink, mut source) = socket.split();
    loop {
        tokio::select! {
            frame = source.next() => match frame {
                Some(Ok(Message::Binary(bytes))) => {
                    if told.send(LinkEvent::Frame(link, bytes.into())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            frame = outbox.recv() => if let Some(frame) = frame { if sink.send(Message::Binary(frame.into())).await.is_err() { return } } else {
                let _closed = sink.close().await;
                return;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_scheme_and_port_and_tls_needs_an_authority() {
        assert!(Endpoint::new("ws://127.0.0.1:8450/terminal", None).is_ok());
        assert!(Endpoint::new("ws://[::1]:8450/terminal", None).is_ok());
        for wrong in [
            "http://x:1/",
            "ws://x/terminal",
            "ws://x:99999/",
            "wss://x:1/terminal",
            "",
        ] {
            assert!(Endpoint::new(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_found_again_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ServerAddress::load(folder.path()), None);
        for authority in [None, Some(Hash32([7; 32]))] {
            let address = ServerAddress {
                url: "wss://till.example:8443/terminal".to_owned(),
                authority,
            };
            address.keep(folder.path()).unwrap();
            assert_eq!(ServerAddress::load(folder.path()), Some(address));
        }
        ServerAddress::forget(folder.path());
        assert_eq!(ServerAddress::load(folder.path()), None);
    }
}
