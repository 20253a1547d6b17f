//! A double of fiskaly's SIGN DE v2, one TSS over plain HTTP.
//!
//! Known of the real one: paths, bodies, states, revisions, the errors' form and that the same PUT may be repeated. Not known, and made up here as the
//! adapter expects it: the names of most error codes, what a repeated start answers once the transaction has ended (here: 409), and how lists are cut
//! into pages (here: `limit` and `offset`).

mod service;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request, Response};
use fiscal::tse::Curve;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::double::{Double, Fault, Make, Shared, lock};
use service::Done;

pub use service::Service;

/// The one TSS.
pub const TSS: &str = "6f1e2d3c-4b5a-4697-8877-665544332211";
/// Who may call.
pub const API_KEY: &str = "key-of-a-double-55021";
/// And the secret to it.
pub const API_SECRET: &str = "secret-of-a-double-77310";
/// Who may register tills.
pub const ADMIN_PIN: &str = "pin-40968";
/// What sets the PIN.
pub const ADMIN_PUK: &str = "puk-81255";

/// A double that runs until it is dropped.
pub struct FiskalyMock {
    /// Where it listens.
    pub address: SocketAddr,
    /// The TSE inside.
    pub double: Shared,
    /// What the protocol adds.
    pub service: Arc<Mutex<Service>>,
    runtime: Option<Runtime>,
}

impl FiskalyMock {
    /// Starts one whose TSS is initialised.
    #[expect(clippy::expect_used, reason = "a test without its double fails")]
    pub fn start(make: Make) -> Self {
        let runtime = crate::runtime();
        let double = Arc::new(Mutex::new(Double::new(make, Curve::P256)));
        let service = Arc::new(Mutex::new(Service::new(Arc::clone(&double))));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::clone(&service);
        runtime.spawn(async move {
            let signing = Arc::new(tokio::sync::Mutex::new(()));
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, signing) = (Arc::clone(&shared), Arc::clone(&signing));
                let serve = service_fn(move |request| handle(Arc::clone(&shared), Arc::clone(&signing), request));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), serve));
            }
        });
        Self {
            address,
            double,
            service,
            runtime: Some(runtime),
        }
    }

    /// Its address as the adapter takes it.
    pub fn url(&self) -> String {
        format!("http://{}/api/v2", self.address)
    }

    /// A fault at the next call of a name, such as `PUT tx 2`.
    pub fn fault(&self, call: &str, fault: Fault) {
        lock(&self.double).faults.push_back((call.to_owned(), fault));
    }

    /// All tokens given out are worth nothing any more.
    pub fn forget_tokens(&self) {
        inside(&self.service).forget_tokens();
    }
}

/// The service, also after a test that held it failed.
pub fn inside(service: &Arc<Mutex<Service>>) -> std::sync::MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Drop for FiskalyMock {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Debug)]
struct ConnectionEnds;

impl std::fmt::Display for ConnectionEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a test ends this connection")
    }
}

impl std::error::Error for ConnectionEnds {}

async fn handle(
    service: Arc<Mutex<Service>>,
    signing: Arc<tokio::sync::Mutex<()>>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Body>, ConnectionEnds> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), 1 << 20).await.unwrap_or_default();
    let path = parts.uri.path().trim_start_matches("/api/v2/").to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let call = Call {
        method: parts.method,
        path: path.split('/').map(str::to_owned).collect(),
        query,
        token,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let is_signing = call.method == Method::PUT && call.path.get(2).is_some_and(|kind| kind == "tx");
    let done = if is_signing {
        let _one_at_a_time = signing.lock().await;
        let delay = lock(&inside(&service).double).make.signature;
        tokio::time::sleep(delay).await;
        inside(&service).take(&call)
    } else {
        inside(&service).take(&call)
    };
    match done {
        Done::Drop => Err(ConnectionEnds),
        Done::Hang => {
            std::future::pending::<Infallible>().await;
            Err(ConnectionEnds)
        }
        Done::Answer(status, retry_after, bytes) => {
            let mut response = Response::builder()
                .status(status)
                .header("server", "tse-mocks (not certified)");
            if let Some(seconds) = retry_after {
                response = response.header("retry-after", seconds);
            }
            response.body(Body::from(bytes)).map_err(|_| ConnectionEnds)
        }
    }
}

struct Call {
    method: Method,
    path: Vec<String>,
    query: String,
    token: Option<String>,
    body: Value,
}

impl Call {
    fn name(&self) -> String {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let method = &self.method;
        match path.as_slice() {
            ["auth"] => format!("{method} auth"),
            ["tss", _] => format!("{method} tss"),
            ["tss", _, kind] => format!("LIST {kind}"),
            ["tss", _, "admin", what] => format!("{method} admin/{what}"),
            ["tss", _, "tx", _] if *method == Method::PUT => format!("PUT tx {}", self.query("tx_revision")),
            ["tss", _, _, _, "file"] => "GET file".to_owned(),
            ["tss", _, kind, _] => format!("{method} {kind}"),
            _ => format!("{method} ?"),
        }
    }

    fn query(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}
