//! What commands say and answers hold.
//!
//! Known: the fields of the login, of tills and of transactions. Assumed, because only their names are known: `PerformSelfTest` takes the admin's
//! password, `UpdateTime` the time admin's and `Time` in ISO 8601, and `Certificates` are DER one after the other or PEM.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fiscal::tse::{Curve, Finished, Limits, Started, TimeFormat, TseError, TseInfo};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared_protocol::ids::parse_hex;

use super::Settings;
use super::frame::{Fields, fields};
use crate::{certificate, identity};

/// Under this name the server speaks where no till does. The web service keeps it among its tills.
const DEFAULT_CLIENT: &str = "groschen-server";
/// What the web service itself has among its tills.
const OF_THE_MAKER: &str = "DN TSEProduction";

/// As the simulator of another project and fiskaltrust's sources have them, and 250 ms as its seller says.
const LIMITS: Limits = Limits {
    clients_max: 100,
    open_max: 512,
    signature_ms: 250,
};

pub(super) fn default_client() -> Fields {
    fields([("ClientID", json!(DEFAULT_CLIENT))])
}

pub(super) fn self_test(admin: &str) -> Fields {
    fields([("Password", json!(admin))])
}

pub(super) fn update_time(time_admin: &str, now_ms: u64) -> Fields {
    let second = i64::try_from(now_ms / 1_000).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    fields([("Password", json!(time_admin)), ("Time", json!(time.to_string()))])
}

pub(super) fn status(admin: &str) -> Fields {
    fields([("Password", json!(admin))])
}

pub(super) fn device_data(name: &str) -> Fields {
    fields([("Name", json!(name)), ("Format", json!("Base64"))])
}

/// Tills, without those that are none.
pub(super) fn clients(status: &Fields) -> BTreeSet<String> {
    let all = status.get("ClientIDs").and_then(Value::as_array);
    let names = all.into_iter().flatten().filter_map(Value::as_str);
    names
        .filter(|name| *name != DEFAULT_CLIENT && !name.starts_with(OF_THE_MAKER))
        .map(str::to_owned)
        .collect()
}

/// What the unit is, from the answers of the login. A key that does not fit its serial number, or another unit than the settings name, is an error.
pub(super) fn info(
    settings: &Settings,
    device: &Fields,
    status: &Fields,
    key: &Fields,
    certificates: &Fields,
) -> Result<TseInfo, TseError> {
    let unusable = |why: &str| TseError::Unavailable(format!("the unit cannot be used: {why}"));
    let text = |of: &Fields, group: &str, name: &str| {
        let found = of.get(group).and_then(|group| group.get(name)).and_then(Value::as_str);
        found.map(str::to_owned)
    };
    let value = |of: &Fields| {
        of.get("Value")
            .and_then(Value::as_str)
            .and_then(|value| STANDARD.decode(value).ok())
    };
    let serial = text(device, "DeviceInfo", "SerialNumber");
    let told = identity::told(serial.as_deref(), value(key), settings.serial.as_deref());
    let (serial, public_key) = told.map_err(|why| unusable(&why))?;
    let algorithm = text(status, "Parameters", "SignatureAlgorithm").unwrap_or_default();
    let curve = Curve::BrainpoolP384;
    if algorithm != curve.algorithm() || public_key.len() != 97 {
        return Err(unusable(
            "it signs with another algorithm than ecdsa-plain-SHA384 on brainpoolP384r1",
        ));
    }
    // It writes "UnixTime" where receipts write "unixTime".
    let format = text(device, "DeviceInfo", "TimeFormat").unwrap_or_default();
    if !TimeFormat::UnixTime.as_str().eq_ignore_ascii_case(&format) {
        return Err(unusable("it writes times in another form than unixTime"));
    }
    let certificates = certificate::chain(&value(certificates).unwrap_or_default());
    let valid_until_ms = certificates.first().and_then(|own| certificate::valid_until_ms(own));
    let description = text(status, "Parameters", "TSEDescription").unwrap_or_else(|| "Diebold Nixdorf TSE".to_owned());
    let (name, certified) = identity::named(&description, settings.certificate_id.as_deref(), &certificates);
    Ok(TseInfo {
        name,
        public_key,
        serial,
        curve,
        time_format: TimeFormat::UnixTime,
        certificates,
        valid_until_ms,
        certified,
        limits: LIMITS,
    })
}

/// What both answers of a transaction hold; nothing where one field is missing or another unit signed.
fn signed(body: &Fields, serial: Option<[u8; 32]>) -> Result<Finished, String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let unreadable = || "the answer to a transaction cannot be read".to_owned();
    let by = text("SerialNumber").and_then(|serial| parse_hex(&serial.to_lowercase()));
    if let (Some(by), Some(serial)) = (by, serial)
        && by != serial
    {
        return Err("another unit signed".to_owned());
    }
    let time: Timestamp = text("LogTime")
        .and_then(|time| time.parse().ok())
        .ok_or_else(unreadable)?;
    let signature = text("Signature").and_then(|signature| parse_hex(&signature.to_lowercase()));
    Ok(Finished {
        counter: body
            .get("SignatureCounter")
            .and_then(Value::as_u64)
            .ok_or_else(unreadable)?,
        time_s: u64::try_from(time.as_second()).map_err(|_| unreadable())?,
        signature: signature
            .filter(|signature| !signature.is_empty())
            .ok_or_else(unreadable)?,
    })
}

pub(super) fn started(body: &Fields, serial: Option<[u8; 32]>) -> Result<Started, String> {
    let Finished {
        counter,
        time_s,
        signature,
    } = signed(body, serial)?;
    let transaction = body.get("TransactionNumber").and_then(Value::as_u64);
    Ok(Started {
        transaction: transaction.ok_or("the answer to a start has no number")?,
        counter,
        time_s,
        signature,
    })
}

pub(super) fn finished(body: &Fields, serial: Option<[u8; 32]>) -> Result<Finished, String> {
    signed(body, serial)
}
