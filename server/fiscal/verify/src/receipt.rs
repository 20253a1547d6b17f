//! Receipt codes of version 0 (DSFinV-K, annex I), judged by themselves.
//!
//! A code holds all that the TSE signed at the end of a transaction but two things: the version of the log message, and whether the process data
//! came in one piece. All four ways are tried, and signatures in both forms that systems print. A code that holds agrees with the key in it; that the
//! key is a TSE's is known only where its serial number is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use wording::{Both, both};

use crate::algorithm::{Curve, Digest};
use crate::finding::{Code, Finding, Findings, Severity};
use crate::key::{PublicKey, plain_of_sequence};
use crate::report::hex;

/// Bytes of the longest code that is read: more than any QR code holds.
const CODE_MAX: usize = 8_192;

/// How process data was encoded in what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// In one piece, with its length.
    Primitive,
    /// In parts without a length, as TR-03151 has it for data that comes in several steps.
    Constructed,
}

/// What was tried until the signature held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Form {
    /// The version of the log message.
    pub version: u8,
    /// How the process data was encoded.
    pub encoding: Encoding,
    /// Whether the code carries the signature as a sequence of r and s, and not one after the other.
    pub sequence: bool,
}

/// What a judgement of a code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether it holds: there is no error.
    pub holds: bool,
    /// The till, as the TSE knows it.
    pub client: String,
    /// The form of the data.
    pub process_type: String,
    /// What was signed.
    pub process_data: String,
    /// The transaction.
    pub transaction: u64,
    /// The signature counter of its end.
    pub counter: u64,
    /// SHA-256 of the key in the code: the serial number of the TSE, if it is one.
    pub serial: String,
    /// The key's curve.
    pub curve: Option<Curve>,
    /// How the signature held.
    pub form: Option<Form>,
    /// Whether the serial number is one of those given; none when none was given.
    pub known_tse: Option<bool>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// The fields of a code.
struct Fields<'a> {
    client: &'a str,
    process_type: &'a str,
    process_data: &'a str,
    transaction: u64,
    counter: u64,
    /// The log time of the end, encoded as in the message.
    time: Vec<u8>,
    digest: Digest,
    signature: Vec<u8>,
    point: Vec<u8>,
}

impl<'a> Fields<'a> {
    /// Three fields from the left and eight from the right: process data may hold semicolons itself.
    fn read(code: &'a str) -> Result<Self, Both> {
        let missing = || {
            both!(
                "es fehlen Felder: ein Code hat zwölf",
                "fields are missing: a code has twelve"
            )
        };
        if code.len() > CODE_MAX {
            return Err(both!(
                "er hat {} Byte, mehr als in einen QR-Code passen",
                "it has {} bytes, more than any QR code holds",
                code.len()
            ));
        }
        let mut left = code.splitn(4, ';');
        let (version, client, process_type) = (left.next(), left.next(), left.next());
        if version != Some("V0") {
            return Err(both!("er beginnt nicht mit V0", "it does not begin with V0"));
        }
        let mut right = left.next().ok_or_else(missing)?.rsplitn(9, ';');
        let mut field = || right.next().ok_or_else(missing);
        let (point, signature, form, algorithm) = (field()?, field()?, field()?, field()?);
        let (finished, started, counter, transaction) = (field()?, field()?, field()?, field()?);
        let number = |de, en, text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.ok_or_else(|| {
                Both::new(
                    format!("{de} {text:?} ist keine Zahl"),
                    format!("{en} {text:?} is no number"),
                )
            })
        };
        let bytes = |de, en, text: &str| {
            let decoded = STANDARD.decode(text);
            decoded.map_err(|error| {
                Both::new(
                    format!("{de} ist kein Base64: {error}"),
                    format!("{en} is not base64: {error}"),
                )
            })
        };
        moment(started)?;
        Ok(Self {
            client: client.ok_or_else(missing)?,
            process_type: process_type.ok_or_else(missing)?,
            process_data: field()?,
            transaction: number("die Transaktionsnummer", "the transaction", transaction)?,
            counter: number("der Signaturzähler", "the signature counter", counter)?,
            time: log_time(form, moment(finished)?)?,
            digest: Digest::of_receipt(algorithm).ok_or_else(|| {
                both!(
                    "der Algorithmus {algorithm:?} ist nicht bekannt",
                    "the algorithm {algorithm:?} is not known"
                )
            })?,
            signature: bytes("die Signatur", "the signature", signature)?,
            point: bytes("der öffentliche Schlüssel", "the public key", point)?,
        })
    }

    /// What the TSE signed at the end, if it did it this way.
    fn signed(&self, serial: &[u8; 32], version: u8, encoding: Encoding) -> Vec<u8> {
        let mut out = vec![0x02, 1, version];
        put(&mut out, 0x06, &[0x04, 0x00, 0x7f, 0x00, 0x07, 0x03, 0x07, 0x01, 0x01]);
        put(&mut out, 0x80, b"FinishTransaction");
        put(&mut out, 0x81, self.client.as_bytes());
        match encoding {
            Encoding::Primitive => put(&mut out, 0x82, self.process_data.as_bytes()),
            Encoding::Constructed => {
                out.extend([0xa2, 0x80]);
                put(&mut out, 0x04, self.process_data.as_bytes());
                out.extend([0, 0]);
            }
        }
        put(&mut out, 0x83, self.process_type.as_bytes());
        put_number(&mut out, 0x85, self.transaction);
        put(&mut out, 0x04, serial);
        let plain = [
            0x06,
            10,
            0x04,
            0x00,
            0x7f,
            0x00,
            0x07,
            0x01,
            0x01,
            0x04,
            0x01,
            self.digest.arc(),
        ];
        put(&mut out, 0x30, &plain);
        put_number(&mut out, 0x02, self.counter);
        out.extend_from_slice(&self.time);
        out
    }

    fn form(&self, key: &mut PublicKey) -> Option<Form> {
        let serial = key.serial();
        let sequence = plain_of_sequence(&self.signature, key.curve());
        for version in [2, 3] {
            for encoding in [Encoding::Primitive, Encoding::Constructed] {
                let digest = self.digest.of(&self.signed(&serial, version, encoding));
                let form = |sequence| Form {
                    version,
                    encoding,
                    sequence,
                };
                if key.verifies(&digest, &self.signature) {
                    return Some(form(false));
                }
                if sequence.as_ref().is_some_and(|plain| key.verifies(&digest, plain)) {
                    return Some(form(true));
                }
            }
        }
        None
    }
}

fn put(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    match u8::try_from(value.len()) {
        Ok(length) if length < 0x80 => out.push(length),
        Ok(length) => out.extend([0x81, length]),
        // No field is longer than a code, which is far below 65 536 bytes.
        Err(_) => {
            let [.., high, low] = value.len().to_be_bytes();
            out.extend([0x82, high, low]);
        }
    }
    out.extend_from_slice(value);
}

fn put_number(out: &mut Vec<u8>, tag: u8, number: u64) {
    // Nine bytes, so that the first is never taken for a sign.
    let mut bytes = vec![0];
    bytes.extend(number.to_be_bytes());
    let needless = |pair: &&[u8]| matches!(pair, [0, next] if *next < 0x80);
    let skip = bytes.windows(2).take_while(|pair| needless(pair)).count();
    put(out, tag, bytes.get(skip..).unwrap_or_default());
}

fn moment(text: &str) -> Result<Timestamp, Both> {
    text.parse()
        .map_err(|_| both!("{text:?} ist keine Zeit", "{text:?} is no time"))
}

/// The log time as a TSE encodes it, by what the code says its form is.
fn log_time(form: &str, time: Timestamp) -> Result<Vec<u8>, Both> {
    let mut out = Vec::new();
    let written = |format: &str| time.to_zoned(TimeZone::UTC).strftime(format).to_string();
    match form {
        "unixTime" => {
            let seconds = u64::try_from(time.as_second())
                .map_err(|_| both!("seine Zeit liegt vor 1970", "its time is before 1970"))?;
            put_number(&mut out, 0x02, seconds);
        }
        "utcTime" => put(&mut out, 0x17, written("%y%m%d%H%MZ").as_bytes()),
        "utcTimeWithSeconds" => put(&mut out, 0x17, written("%y%m%d%H%M%SZ").as_bytes()),
        "generalizedTime" => put(&mut out, 0x18, written("%Y%m%d%H%M%SZ").as_bytes()),
        "generalizedTimeWithMilliseconds" => put(&mut out, 0x18, written("%Y%m%d%H%M%S.%3fZ").as_bytes()),
        other => {
            return Err(both!(
                "das Zeitformat {other:?} ist nicht bekannt",
                "the form of time {other:?} is not known"
            ));
        }
    }
    Ok(out)
}

/// Judges a code. `place` is where it came from; `known` are serial numbers of TSEs, where some are known.
pub fn judge(place: impl Into<Both>, code: &str, known: &[[u8; 32]]) -> Verdict {
    let place = place.into();
    let mut findings = Findings::default();
    let mut verdict = Verdict {
        holds: false,
        client: String::new(),
        process_type: String::new(),
        process_data: String::new(),
        transaction: 0,
        counter: 0,
        serial: String::new(),
        curve: None,
        form: None,
        known_tse: None,
        findings: Vec::new(),
    };
    match Fields::read(code.trim_end_matches(['\r', '\n'])) {
        Err(why) => findings.add(Code::CodeUnreadable, place, || why),
        Ok(fields) => check(&mut verdict, &fields, &place, known, &mut findings),
    }
    verdict.holds = findings.of(Severity::Error) == 0;
    verdict.findings = findings.into_told();
    verdict
}

fn check(verdict: &mut Verdict, fields: &Fields<'_>, place: &Both, known: &[[u8; 32]], findings: &mut Findings) {
    fields.client.clone_into(&mut verdict.client);
    fields.process_type.clone_into(&mut verdict.process_type);
    fields.process_data.clone_into(&mut verdict.process_data);
    (verdict.transaction, verdict.counter) = (fields.transaction, fields.counter);
    let serial = crate::key::serial(&fields.point);
    verdict.serial = hex(&serial);
    let Some(mut key) = PublicKey::of_point(&fields.point) else {
        // A curve of this length that has no library here: P-512 of Brainpool.
        let (code, what) = match fields.point.as_slice() {
            [4, rest @ ..] if rest.len() == 128 => (
                Code::NotChecked,
                Both::new(
                    "seine Signatur ist nicht geprüft: keine Bibliothek hier hat die Kurve brainpoolP512r1",
                    "its signature was not checked: no library here has the curve brainpoolP512r1",
                ),
            ),
            _ => (
                Code::KeyWrong,
                Both::new(
                    "der Schlüssel darin ist kein Punkt einer Kurve, die hier bekannt ist",
                    "the key in it is no point of a curve that is known here",
                ),
            ),
        };
        return findings.add(code, place.clone(), || what.into());
    };
    verdict.curve = Some(key.curve());
    verdict.form = fields.form(&mut key);
    if verdict.form.is_none() {
        findings.add(Code::SignatureWrong, place.clone(), || {
            both!(
                "seine Signatur passt nicht zum Schlüssel darin, auf keine der Weisen, auf die TSEs signieren",
                "its signature does not hold with the key in it, in none of the ways that TSEs sign"
            )
        });
    }
    if known.is_empty() && verdict.form.is_some() {
        findings.add(Code::KeyUnknown, place.clone(), || {
            both!(
                "keine Seriennummer einer TSE ist angegeben",
                "no serial number of a TSE was given"
            )
        });
    } else if !known.is_empty() {
        verdict.known_tse = Some(known.contains(&serial));
        if !known.contains(&serial) {
            let what = || {
                both!(
                    "sein Schlüssel {} gehört zu keiner der angegebenen TSEs",
                    "its key {} is none of the TSEs that were given",
                    verdict.serial
                )
            };
            findings.add(Code::TseUnknown, place.clone(), what);
        }
    }
}

#[cfg(test)]
mod tests;
