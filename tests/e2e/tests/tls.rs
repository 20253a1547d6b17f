//! Real tills over TLS with the festival's own authority: nobody else's certificate is accepted.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::path::Path;
use std::time::Duration;

use core_ffi::{Device, Endpoint, MemoryQueue, Till, TillInput};
use fixtures::sample;
use groschen::instance::Instance;
use groschen::settings::{Settings, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use shared_protocol::crypto::Ed25519Signer;
use shared_protocol::stream::Stream;
use terminal::Invitation;
use terminal::screen::Page;

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
    std::fs::write(&tls.cert, own.pem()).unwrap();
    std::fs::write(&tls.key, key.serialize_pem()).unwrap();
    (authority.der().clone(), tls)
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
        framed_by: None,
    };
    let instance = Instance::start(&settings, true).await.unwrap();
    let url = format!("wss://{}{}", instance.address, sync::server::PATH);
    let till = *sample::config().tills.keys().next().unwrap();
    for (authority, comes_in) in [(&foreign, false), (&authority, true)] {
        let slot = instance.open_slot(till, false).await.unwrap();
        let endpoint = Endpoint::new(&url, Some(authority)).unwrap();
        let signer = Box::new(Ed25519Signer::from_seed(&[u8::from(comes_in) + 1; 32]).unwrap());
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
