//! No password, PIN, key or token stands in anything that is logged, at any level, by the adapters or by what they stand on. It is the only test of
//! this program, because whoever listens to the log listens to the whole process.
#![expect(clippy::expect_used, reason = "what cannot be fails the test")]

#[path = "suite/common.rs"]
mod common;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{came_off_once, credentials, dn, dn_passwords, dn_settings, fiskaly, fiskaly_settings, sell};
use fiscal::tse::Tse as _;
use tracing_subscriber::EnvFilter;
use tse_adapters::{Diebold, Fiskaly, QUIET, Secret, diebold, fiskaly as service};
use tse_mocks::dn::{ADMIN_PASSWORD, TIME_ADMIN_PASSWORD};
use tse_mocks::fiskaly::{ADMIN_PIN, ADMIN_PUK, API_KEY, API_SECRET};
use tse_mocks::{Fault, lock, now_ms};

const WRONG: &str = "wrong-secret-0815";

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// All that goes wrong and all that goes well, with right and wrong secrets. Gives what came out as errors.
fn live() -> Vec<String> {
    let (mut errors, mut sales) = (Vec::new(), Vec::new());
    let (mut tse, mock) = dn();
    for (call, fault) in [
        ("StartTransaction", Fault::DropAfter),
        ("FinishTransaction", Fault::Garbage),
        ("RegisterClientID", Fault::Code(4)),
        ("GetDeviceStatus", Fault::HangBefore),
    ] {
        mock.fault(call, fault);
        let sale = sell(&mut tse, 1);
        assert!(!sale.info.certified);
        errors.extend(sale.errors.iter().map(|error| format!("{error} {error:?}")));
        sales.push(sale);
    }
    came_off_once(&lock(&mock.double), &sales.iter().collect::<Vec<_>>());
    tse.export(&mut Vec::new()).expect("an export");
    let wrong = diebold::Passwords {
        admin: Secret::new(WRONG),
        ..dn_passwords()
    };
    errors.push(format!("{wrong:?} {:?}", dn_settings(&mock)));
    let denied = Diebold::new(dn_settings(&mock), wrong)
        .expect("an adapter")
        .prepare(now_ms());
    errors.push(format!("{:?}", denied.expect_err("a wrong password")));

    let (mut tse, mock) = fiskaly();
    for (call, fault) in [
        ("POST auth", Fault::DropBefore),
        ("POST admin/auth", Fault::Garbage),
        ("PUT tx 1", Fault::Code(400)),
        ("PUT tx 2", Fault::HangAfter),
    ] {
        mock.fault(call, fault);
        let sale = sell(&mut tse, 1);
        errors.extend(sale.errors.iter().map(|error| format!("{error} {error:?}")));
    }
    mock.forget_tokens();
    tse.export(&mut Vec::new()).expect("an export");
    tse.unset().initialise(&Secret::new(ADMIN_PUK)).expect("nothing to do");
    for wrong in [
        service::Credentials {
            api_secret: Secret::new(WRONG),
            ..credentials()
        },
        service::Credentials {
            admin_pin: Secret::new(WRONG),
            ..credentials()
        },
    ] {
        errors.push(format!("{wrong:?} {:?}", fiskaly_settings(&mock)));
        let mut tse = Fiskaly::new(fiskaly_settings(&mock), wrong).expect("an adapter");
        errors.push(format!(
            "{:?}",
            tse.register("another", now_ms()).expect_err("a wrong secret")
        ));
    }
    errors
}

#[test]
fn no_secret_is_ever_logged_or_told() {
    let heard = Heard::default();
    let writer = heard.clone();
    let filter = format!("trace,{}", QUIET.join(","));
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let told = live().join("\n");
    let logged = heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let logged = String::from_utf8(logged).expect("text");
    assert!(logged.contains("the TSE did not answer") && logged.contains("the service did not do it"));
    assert!(
        logged.contains("reqwest") || logged.contains("hyper"),
        "the libraries are heard too"
    );
    for secret in [
        ADMIN_PASSWORD,
        TIME_ADMIN_PASSWORD,
        API_KEY,
        API_SECRET,
        ADMIN_PIN,
        ADMIN_PUK,
        WRONG,
        "token-0",
        "refresh-0",
    ] {
        let encoded = STANDARD.encode(secret);
        let as_list = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
        let forms = [
            secret.to_owned(),
            encoded.clone(),
            shared_protocol::ids::hex(secret.as_bytes()),
            shared_protocol::ids::hex(encoded.as_bytes()),
            as_list(secret),
            as_list(&encoded),
        ];
        for form in forms {
            for (place, text) in [("log", &logged), ("errors", &told)] {
                let found = text.lines().find(|line| line.contains(&form));
                assert_eq!(found, None, "{secret} is in the {place}");
            }
        }
    }
}
