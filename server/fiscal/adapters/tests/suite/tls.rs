//! A pinned authority is the only one that is trusted.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::common::{credentials, fiskaly_settings};
use fiscal::tse::{Tse as _, TseError};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tse_adapters::{Fiskaly, fiskaly};
use tse_mocks::{FiskalyMock, Make, now_ms};

/// Puts TLS before a double, with a certificate made for it.
fn tls_before(mock: &FiskalyMock, runtime: &Runtime) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("a server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let to = mock.address;
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let (Ok(mut near), Ok(mut far)) = (acceptor.accept(stream).await, TcpStream::connect(to).await) {
                    let _either_end_may_go = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    (address, made.cert.pem())
}

fn adapter(mock: &FiskalyMock, address: SocketAddr, authority: Option<&Path>) -> Fiskaly {
    let settings = fiskaly::Settings {
        url: format!("https://localhost:{}/api/v2", address.port()),
        authority: authority.map(Path::to_path_buf),
        ..fiskaly_settings(mock)
    };
    Fiskaly::new(settings, credentials()).expect("an adapter")
}

#[test]
fn only_a_trusted_service_is_told_anything() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let mock = FiskalyMock::start(Make::service());
    let (address, pem) = tls_before(&mock, &runtime);
    let dir = tempfile::tempdir().expect("a folder");
    let (pinned, other) = (dir.path().join("pinned.pem"), dir.path().join("other.pem"));
    std::fs::write(&pinned, pem).expect("a file");
    let (_, foreign) = tls_before(&mock, &runtime);
    std::fs::write(&other, foreign).expect("a file");

    adapter(&mock, address, Some(&pinned))
        .prepare(now_ms())
        .expect("the pinned one");
    let calls = tse_mocks::lock(&mock.double).calls.len();
    for authority in [Some(other.as_path()), None] {
        let refused = adapter(&mock, address, authority).prepare(now_ms());
        assert!(matches!(refused, Err(TseError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(
        tse_mocks::lock(&mock.double).calls.len(),
        calls,
        "nobody else heard a key"
    );
    std::fs::write(&other, "no certificate").expect("a file");
    let settings = fiskaly::Settings {
        authority: Some(other),
        ..fiskaly_settings(&mock)
    };
    assert!(Fiskaly::new(settings, credentials()).is_err());
}
