//! A neighbour on the LAN that keeps the second copy: what it has is asked for, what it lacks is uploaded.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use shared_protocol::decode;
use shared_protocol::mirror::{Kept, Opening, PROOF_HEADER, upload_path};
use tokio::runtime::Runtime;

use super::status::MirrorFault;
use super::{KeeperKey, MirrorError, Place, There};

/// A neighbour that does not take a connection in this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// An upload may take this long; it is less than what counts as hanging.
const TIMEOUT: Duration = Duration::from_secs(4);
/// What a keeper says of a journal.
const ANSWER_MAX_BYTES: u64 = 1_024;

pub(super) struct Keeper {
    url: String,
    key: KeeperKey,
    client: Client,
    /// The copier's thread is not a task of anybody's runtime.
    runtime: Runtime,
}

impl Keeper {
    pub fn new(url: &str, key: KeeperKey, authority: Option<&CertificateDer<'_>>) -> Result<Self, MirrorError> {
        let wrong = |why: &str| MirrorError::Address(url.to_owned(), why.to_owned());
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // Nobody sends a desk's journal on to another address.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(tls(authority).map_err(|error| wrong(&error.to_string()))?);
        let is_secure = match url.split_once("://") {
            Some(("http", _)) => false,
            Some(("https", _)) => true,
            _ => return Err(wrong("it begins with neither http:// nor https://")),
        };
        if is_secure && authority.is_none() {
            return Err(wrong("https needs the authority of the keeper's certificate"));
        }
        reqwest::Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            key,
            client: builder.build().map_err(|error| wrong(&error.to_string()))?,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        })
    }

    fn ask(&self, method: &Method, of: &Opening, body: &[u8]) -> Result<Kept, MirrorFault> {
        let registration = of.registration().map_err(|_| MirrorFault::Queue)?;
        let path = upload_path(registration.terminal, of.epoch.epoch);
        let request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url))
            .header(PROOF_HEADER, self.key.proof(method.as_str(), &path, body))
            .body(body.to_vec());
        self.runtime.block_on(async {
            let answer = request.send().await.map_err(|error| unreachable(&error))?;
            read(answer).await
        })
    }
}

fn unreachable(error: &reqwest::Error) -> MirrorFault {
    tracing::debug!(%error, "the keeper does not answer");
    MirrorFault::Unreachable
}

async fn read(answer: Response) -> Result<Kept, MirrorFault> {
    let status = answer.status();
    if answer.content_length().is_none_or(|length| length > ANSWER_MAX_BYTES) {
        return Err(MirrorFault::Foreign);
    }
    let body = answer.bytes().await.map_err(|error| unreachable(&error))?;
    match status {
        StatusCode::OK => decode(&body).map_err(|_| MirrorFault::Foreign),
        StatusCode::UNAUTHORIZED => Err(MirrorFault::Key),
        StatusCode::INSUFFICIENT_STORAGE => Err(MirrorFault::Full),
        _ => {
            tracing::debug!(%status, why = %String::from_utf8_lossy(&body), "the keeper refused");
            Err(if status.is_server_error() {
                MirrorFault::Io
            } else {
                MirrorFault::Foreign
            })
        }
    }
}

/// Only the given authority is trusted; without one there is nobody to trust, and https is refused before.
fn tls(authority: Option<&CertificateDer<'_>>) -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(authority) = authority {
        roots.add(authority.clone().into_owned())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

impl Place for Keeper {
    fn open(&mut self, of: &Opening) -> Result<There, MirrorFault> {
        let Kept { seq, head } = self.ask(&Method::GET, of, &[])?;
        Ok(There {
            up_to: Some((seq, head)),
            ..There::default()
        })
    }

    fn append(&mut self, of: &Opening, records: &[u8]) -> Result<(), MirrorFault> {
        self.ask(&Method::POST, of, records).map(|_| ())
    }

    fn look(&mut self) -> Result<(), MirrorFault> {
        // Whether it is there shows with the next upload; an idle desk finds out by connecting.
        let request = self.client.get(format!("{}/", self.url));
        let answer = self.runtime.block_on(async { request.send().await });
        answer.map(|_| ()).map_err(|error| unreachable(&error))
    }

    fn forgets_opening(&self) -> bool {
        true
    }
}
