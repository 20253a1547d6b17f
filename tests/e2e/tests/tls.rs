//! Real tills over TLS with the festival's own authority: nobody else's certificate is accepted.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use core_ffi::mirror::{KeeperKey, MirrorFault, MirrorState};
use core_ffi::{
    Device, Endpoint, MemoryQueue, Mirror, MirrorTo, Queue as _, QueueReader, SqliteQueue, Till, TillInput,
};
use fixtures::paper::PaperTill;
use fixtures::sample;
use groschen::instance::Instance;
use groschen::settings::{Settings, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use shared_protocol::crypto::{Ed25519Signer, Signer as _};
use shared_protocol::invitation::authority_digest;
use shared_protocol::order::OrderKind;
use shared_protocol::stream::Stream;
use terminal::screen::Page;
use terminal::{Invitation, MetaKey, StoredEntry, Write};
use tokio_rustls::TlsAcceptor;

/// An authority and a certificate of it for this machine, written to a folder.
fn certificate(dir: &Path, name: &str) -> (CertificateDer<'static>, Tls) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let tls = Tls {
        cert: dir.join(format!("{name}.pem")),
        key: dir.join(format!("{name}.key")),
    };
    std::fs::write(&tls.cert, own.pem() + &authority.pem()).unwrap();
    std::fs::write(&tls.key, key.serialize_pem()).unwrap();
    (authority.der().clone(), tls)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_goes_over_tls_to_the_keeper_of_the_right_authority_only() {
    let dir = tempfile::tempdir().unwrap();
    let (authority, tls) = certificate(dir.path(), "keeper");
    let (foreign, _) = certificate(dir.path(), "somebody");
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .unwrap()
        .collect::<Result<Vec<_>, _>>();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.unwrap(), PrivateKeyDer::from_pem_file(&tls.key).unwrap())
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = sync::server::TlsListener::new(listener, TlsAcceptor::from(Arc::new(config))).unwrap();
    let kept = dir.path().join("kept");
    std::fs::create_dir_all(&kept).unwrap();
    tokio::spawn(sync::server::serve(
        listener,
        groschen::keep::routes(&kept, KeeperKey::new(&[9; 32])),
    ));

    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    till.top_up(sample::wristband(1), 1_000);
    let (bytes, hash) = till.entries[0].clone();
    let queue = dir.path().join("queue.db");
    let identity = terminal::identity_meta(
        &till.certificate(&PaperTill::signer(42)),
        &PaperTill::signer(42).public_key(),
    );
    let entry = StoredEntry {
        epoch: 1,
        seq: 1,
        hash,
        bytes,
    };
    let writes = [
        Write::Meta {
            key: MetaKey::Identity,
            value: Some(identity),
        },
        Write::Epoch(till.epoch),
        Write::Entry(entry),
    ];
    SqliteQueue::open(&queue, None).unwrap().write(&writes).unwrap();
    let to = |authority: &CertificateDer<'static>| MirrorTo::Keeper {
        url: format!("https://{address}"),
        key: KeeperKey::new(&[9; 32]),
        authority: Some(authority.clone()),
    };
    let copy =
        |to: &MirrorTo| Mirror::start(to, QueueReader::new(queue.clone()), Box::new(PaperTill::signer(1))).unwrap();
    let stranger = copy(&to(&foreign));
    let right = copy(&to(&authority));
    let until = Instant::now() + Duration::from_secs(20);
    let is_refused = || {
        matches!(
            stranger.status().state,
            MirrorState::Missing {
                fault: MirrorFault::Unreachable,
                ..
            }
        )
    };
    while !(is_refused() && right.status().state == MirrorState::UpToDate) {
        assert!(Instant::now() < until, "{:?} {:?}", stranger.status(), right.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(core_ffi::mirror::files(&kept).unwrap().len(), 1);
    let without = MirrorTo::Keeper {
        url: format!("https://{address}"),
        key: KeeperKey::new(&[9; 32]),
        authority: None,
    };
    assert!(
        Mirror::start(
            &without,
            QueueReader::new(queue.clone()),
            Box::new(PaperTill::signer(1))
        )
        .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_registers_over_tls_and_refuses_a_server_of_another_authority() {
    let dir = tempfile::tempdir().unwrap();
    let (authority, tls) = certificate(dir.path(), "festival");
    let (foreign, _) = certificate(dir.path(), "somebody");
    let settings = Settings {
        data: dir.path().join("server"),
        listen: ([127, 0, 0, 1], 0).into(),
        tls: Some(tls),
        signing: groschen::signing::Settings::default(),
        public_url: None,
        tses: Vec::new(),
        framed_by: None,
        purses: groschen::settings::Purses::default(),
    };
    let instance = Instance::start(&settings, true).await.unwrap();
    let url = format!("wss://{}{}", instance.address, sync::server::PATH);
    let till = *sample::config().tills.keys().next().unwrap();
    let by = |authority| Endpoint::new(&url, Some(authority)).unwrap();
    let pinned = |authority| Endpoint::pinned(&url, authority).unwrap();
    let pin = instance.authority.unwrap();
    assert_eq!(pin, authority_digest(&authority));
    let tries = [
        (by(&foreign), false),
        (pinned(authority_digest(&foreign)), false),
        (by(&authority), true),
        (pinned(pin), true),
    ];
    for (number, (endpoint, comes_in)) in (1..).zip(tries) {
        let slot = instance.open_slot(till, false).await.unwrap();
        let signer = Box::new(Ed25519Signer::from_seed(&[number; 32]).unwrap());
        let device = Device {
            app: "test".to_owned(),
            signer,
            endpoint,
            streams: vec![Stream::Config],
        };
        let till = Till::start(device, MemoryQueue::default());
        let invitation = Invitation {
            slot: slot.id,
            secret: slot.secret,
            device: "test".to_owned(),
            config_key: None,
        };
        till.input(TillInput::Register(invitation)).await;
        let mut screens = till.screens();
        let ready = screens.wait_for(|screen| screen.as_ref().is_some_and(|screen| screen.page == Page::LoggedOut));
        let patience = Duration::from_secs(if comes_in { 20 } else { 2 });
        assert_eq!(tokio::time::timeout(patience, ready).await.is_ok(), comes_in);
        till.stop().await.unwrap();
    }
    instance.stop().await.unwrap();
}
