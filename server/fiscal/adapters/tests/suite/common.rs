//! Adapters against doubles, with times short enough for a test.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fiscal::tse::{Finished, Started, Tse, TseError, TseInfo};
use tse_adapters::{Diebold, Fiskaly, Secret, diebold, fiskaly};
use tse_mocks::conformance::{TILL, document, holds, key, sale};
use tse_mocks::fiskaly::{ADMIN_PIN, API_KEY, API_SECRET, TSS};
use tse_mocks::{DnMock, FiskalyMock, Make, dn, now_ms};

/// Longer than a call of a test may take, with all that may precede it.
pub const CALL_MAX: Duration = Duration::from_secs(4);

pub const DN_TIMES: diebold::Times = diebold::Times {
    command_ms: 300,
    prepare_ms: 1_200,
    keep_alive_ms: 100,
    export_ms: 2_000,
    backoff_max_ms: 50,
};

pub const FISKALY_TIMES: fiskaly::Times = fiskaly::Times {
    attempt_ms: 300,
    call_ms: 900,
    export_ms: 5_000,
    setup_ms: 2_000,
};

pub fn dn_settings(mock: &DnMock) -> diebold::Settings {
    diebold::Settings {
        url: mock.url(),
        serial: None,
        certificate_id: None,
        admin_password: PathBuf::new(),
        time_admin_password: PathBuf::new(),
        times: DN_TIMES,
    }
}

pub fn dn_passwords() -> diebold::Passwords {
    diebold::Passwords {
        admin: Secret::new(dn::ADMIN_PASSWORD),
        time_admin: Secret::new(dn::TIME_ADMIN_PASSWORD),
    }
}

pub fn dn_adapter(mock: &DnMock) -> Diebold {
    Diebold::new(dn_settings(mock), dn_passwords()).expect("an adapter")
}

pub fn dn() -> (Diebold, DnMock) {
    let mock = DnMock::start(Make::unit());
    (dn_adapter(&mock), mock)
}

pub fn fiskaly_settings(mock: &FiskalyMock) -> fiskaly::Settings {
    fiskaly::Settings {
        url: mock.url(),
        tss: TSS.to_owned(),
        serial: None,
        certificate_id: None,
        authority: None,
        api_key: PathBuf::new(),
        api_secret: PathBuf::new(),
        admin_pin: PathBuf::new(),
        times: FISKALY_TIMES,
    }
}

pub fn credentials() -> fiskaly::Credentials {
    fiskaly::Credentials {
        api_key: Secret::new(API_KEY),
        api_secret: Secret::new(API_SECRET),
        admin_pin: Secret::new(ADMIN_PIN),
    }
}

pub fn fiskaly_adapter(mock: &FiskalyMock) -> Fiskaly {
    Fiskaly::new(fiskaly_settings(mock), credentials()).expect("an adapter")
}

pub fn fiskaly() -> (Fiskaly, FiskalyMock) {
    let mock = FiskalyMock::start(Make::service());
    (fiskaly_adapter(&mock), mock)
}

/// What a sale was, and what went wrong on the way.
pub struct Sale {
    pub info: TseInfo,
    pub started: Started,
    pub finished: Finished,
    pub errors: Vec<TseError>,
}

/// A call, which ends in time whatever happens.
fn timed<R>(call: impl FnOnce() -> R) -> R {
    let began = Instant::now();
    let done = call();
    assert!(began.elapsed() < CALL_MAX, "a call took {:?}", began.elapsed());
    done
}

/// Makes a sale come off as a signer does: what fails is tried again until it goes, and made ready after an outage.
pub fn sell(tse: &mut impl Tse, number: u8) -> Sale {
    let data = sale(u64::from(number));
    let (mut errors, mut info, mut begun) = (Vec::new(), None, None);
    for _try in 0..60 {
        let done = step(tse, number, &data, &mut info, &mut begun);
        match done {
            Ok((started, finished)) => {
                let info = info.expect("it was made ready");
                assert!(holds(&info, TILL, &started, None), "the start's signature");
                assert!(
                    holds(&info, TILL, &started, Some((&data, &finished))),
                    "the end's signature"
                );
                return Sale {
                    info,
                    started,
                    finished,
                    errors,
                };
            }
            Err(error) => {
                if error.is_outage() {
                    info = None;
                }
                errors.push(error);
                std::thread::sleep(Duration::from_millis(60));
            }
        }
    }
    panic!("the sale never came off: {errors:?}");
}

fn step(
    tse: &mut impl Tse,
    number: u8,
    data: &str,
    info: &mut Option<TseInfo>,
    begun: &mut Option<Started>,
) -> Result<(Started, Finished), TseError> {
    if info.is_none() {
        *info = Some(timed(|| tse.prepare(now_ms()))?);
    }
    timed(|| tse.register(TILL, now_ms()))?;
    let started = match begun {
        Some(started) => started.clone(),
        None => begun.insert(timed(|| tse.start(key(number), TILL, now_ms()))?).clone(),
    };
    let transaction = started.transaction;
    match timed(|| tse.finish(key(number), TILL, transaction, document(data), now_ms())) {
        Err(TseError::UnknownTransaction(_)) => match timed(|| tse.ended(transaction))? {
            Some((said, finished)) if said == data => Ok((started, finished)),
            other => panic!("the sale is lost: {other:?}"),
        },
        done => Ok((started, done?)),
    }
}

/// That the TSE has one start and one end of it, and nothing else.
pub fn came_off_once(double: &tse_mocks::Double, sales: &[&Sale]) {
    assert_eq!(double.log.len(), 2 * sales.len(), "{:#?}", double.log);
    for sale in sales {
        let of: Vec<_> = double
            .log
            .iter()
            .filter(|logged| logged.transaction == sale.started.transaction)
            .collect();
        assert_eq!(of.len(), 2);
        assert_eq!(
            (&of[0].signature, &of[1].signature),
            (&sale.started.signature, &sale.finished.signature)
        );
    }
}
