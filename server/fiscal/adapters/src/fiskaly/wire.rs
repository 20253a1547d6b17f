//! What the service answers, as far as it is read here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fiscal::tse::{Curve, Finished, Limits, Started, TimeFormat, TseError, TseInfo};
use serde::Deserialize;

use super::Settings;
use crate::{certificate, identity};

/// Milliseconds of a signature, in the middle of what the service says (50 to 250).
const SIGNATURE_MS: u32 = 150;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tss {
    pub state: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    certificate: String,
    #[serde(default)]
    serial_number: String,
    #[serde(default)]
    public_key: String,
    #[serde(default)]
    signature_algorithm: String,
    #[serde(default)]
    signature_timestamp_format: String,
    max_number_registered_clients: Option<u32>,
    max_number_active_transactions: Option<u32>,
}

impl Tss {
    /// What it is. A key that does not fit its serial number is an error, and so is another TSS than the settings name.
    pub fn info(&self, settings: &Settings) -> Result<TseInfo, TseError> {
        let unusable = |why: &str| TseError::Unavailable(format!("the TSS cannot be used: {why}"));
        let public_key = STANDARD.decode(&self.public_key).unwrap_or_default();
        let told = identity::told(Some(&self.serial_number), Some(public_key), settings.serial.as_deref());
        let (serial, public_key) = told.map_err(|why| unusable(&why))?;
        let curve = Curve::P256;
        if self.signature_algorithm != curve.algorithm() || public_key.len() != 65 {
            return Err(unusable(
                "it signs with another algorithm than ecdsa-plain-SHA256 on P-256",
            ));
        }
        if self.signature_timestamp_format != TimeFormat::UnixTime.as_str() {
            return Err(unusable("it writes times in another form than unixTime"));
        }
        let pem = self.certificate.as_bytes();
        let certificates = match certificate::chain(pem) {
            none if none.is_empty() => certificate::chain(&STANDARD.decode(pem).unwrap_or_default()),
            chain => chain,
        };
        let what = if self.description.is_empty() {
            "fiskaly SIGN DE"
        } else {
            &self.description
        };
        let (name, certified) = identity::named(what, settings.certificate_id.as_deref(), &certificates);
        Ok(TseInfo {
            name,
            public_key,
            serial,
            curve,
            time_format: TimeFormat::UnixTime,
            valid_until_ms: certificates.first().and_then(|own| certificate::valid_until_ms(own)),
            certificates,
            certified,
            limits: Limits {
                clients_max: self.max_number_registered_clients.unwrap_or(199),
                open_max: self.max_number_active_transactions.unwrap_or(2_000),
                signature_ms: SIGNATURE_MS,
            },
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Client {
    pub state: String,
}

impl Client {
    pub fn is_registered(&self) -> bool {
        self.state == "REGISTERED"
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Log {
    timestamp: u64,
}

#[derive(Debug, Clone, Deserialize)]
struct Signature {
    value: String,
    counter: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Raw {
    process_data: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Schema {
    raw: Option<Raw>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Transaction {
    #[serde(rename = "_id")]
    pub id: String,
    pub number: u64,
    pub state: String,
    pub client_serial_number: String,
    pub latest_revision: u64,
    revision: u64,
    log: Log,
    signature: Signature,
    schema: Option<Schema>,
}

impl Transaction {
    pub fn is_open(&self) -> bool {
        self.state == "ACTIVE"
    }

    /// The signature and its counter and time, of the newest revision.
    fn newest(&self) -> Option<Finished> {
        let signature = STANDARD.decode(&self.signature.value).ok()?;
        Some(Finished {
            counter: self.signature.counter.parse().ok()?,
            time_s: self.log.timestamp,
            signature: Some(signature).filter(|signature| !signature.is_empty())?,
        })
    }

    /// Its start, while it is open and nothing came after.
    pub fn started(&self) -> Option<Started> {
        let newest = self.newest().filter(|_| self.is_open() && self.revision == 1)?;
        Some(Started {
            transaction: self.number,
            counter: newest.counter,
            time_s: newest.time_s,
            signature: newest.signature,
        })
    }

    /// Its end, with what it said.
    pub fn ended(&self) -> Option<(String, Finished)> {
        let newest = self.newest().filter(|_| !self.is_open())?;
        let raw = self.schema.as_ref().and_then(|schema| schema.raw.as_ref());
        let data = raw
            .and_then(|raw| STANDARD.decode(&raw.process_data).ok())
            .unwrap_or_default();
        Some((String::from_utf8(data).ok()?, newest))
    }
}
