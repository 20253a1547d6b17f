//! The sync client: one websocket, with the festival's own authority as the only one that is trusted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
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

/// Where the server is and whom to trust.
#[derive(Clone)]
pub struct Endpoint {
    host: String,
    port: u16,
    url: String,
    tls: Option<TlsConnector>,
}

impl Endpoint {
    /// A server at `ws://host:port/path` (on this machine, or behind something that does TLS) or `wss://…`, which needs the event's authority:
    /// no other certificate is accepted, and no list of the operating system is asked.
    pub fn new(url: &str, authority: Option<&CertificateDer<'_>>) -> Result<Self, ConnectError> {
        let wrong = || ConnectError::Address(url.to_owned());
        let (secure, rest) = match url.split_once("://") {
            Some(("ws", rest)) => (false, rest),
            Some(("wss", rest)) => (true, rest),
            _ => return Err(wrong()),
        };
        let place = rest.split('/').next().unwrap_or_default();
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let tls = match (secure, authority) {
            (false, _) => None,
            (true, None) => return Err(wrong()),
            (true, Some(authority)) => Some(connector(authority)?),
        };
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
}
