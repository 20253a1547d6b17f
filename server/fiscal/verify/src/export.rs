//! A whole export: every file is looked at once, as it comes; what the messages say together is judged at the end.
//!
//! Memory: one file, some sixty bytes a message, and some 300 more for each message that comes before its key's certificate.

use std::collections::BTreeMap;
use std::io::Read;

use crate::algorithm::Algorithm;
use crate::archive::{self, Item};
use crate::certificate::{Certificate, CertifiedKey};
use crate::chain::{Search, Trust};
use crate::finding::{Code, Findings, Severity};
use crate::key::{PublicKey, plain_of_sequence};
use crate::message::{Certified, Message};
use crate::name::{FileName, LogName};
use crate::order::Order;
use crate::record::{About, Record, Text, Texts};
use crate::report::{Info, KeyReport, Report, Span, hex};

/// Messages of one export: a quarter of what the largest TSE signs in its life.
const MESSAGES_MAX: usize = 5_000_000;
/// Messages that may come before their certificates.
const WAITING_MAX: usize = 1_000_000;
/// Keys whose messages are in one export, where there should be one.
const KEYS_MAX: usize = 256;
/// Certificates in one export.
const CERTIFICATES_MAX: usize = 256;
/// Clients and operations; a TSE has some hundred clients.
const TEXTS_MAX: usize = 100_000;
/// Bytes of `info.csv` that are looked at.
const INFO_MAX: usize = 1 << 16;

/// What to judge by.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether nothing may be missing: gaps are errors then, and no warnings.
    pub complete: bool,
    /// Roots that are trusted.
    pub roots: Vec<Certificate>,
}

/// Judges an export.
pub fn judge(from: impl Read, options: &Options) -> Report {
    let mut judge = Judge::default();
    archive::read(from, |item| match item {
        Item::File { name, content } => judge.file(name, content),
        Item::Fault(code, place, what) => judge.findings.add(code, place, what),
    });
    judge.conclude(options)
}

/// A key that messages name.
struct Signer {
    serial: [u8; 32],
    /// The key, once its certificate has come.
    key: Option<PublicKey>,
    /// Why its signatures cannot be checked, once that is known.
    unsupported: Option<String>,
    algorithm: Algorithm,
    valid: u64,
    wrong: u64,
    unchecked: u64,
}

/// A message whose key has not come yet.
struct Waiting {
    signer: u16,
    name: Box<str>,
    check: Check,
}

/// What has to be known to check a signature.
struct Check {
    /// What the message says its algorithm is, with the digest in it.
    digest: Result<Vec<u8>, String>,
    is_sequence: bool,
    signature: Vec<u8>,
}

impl Check {
    fn of(message: &Message<'_>) -> Self {
        let (digest, is_sequence) = match &message.algorithm {
            Algorithm::Plain(digest) => (Ok(digest.of(message.signed)), false),
            Algorithm::Sequence(digest) => (Ok(digest.of(message.signed)), true),
            Algorithm::Unknown(name) => (Err(name.clone()), false),
        };
        Self {
            digest,
            is_sequence,
            signature: message.signature.to_vec(),
        }
    }
}

#[derive(Default)]
struct Judge {
    findings: Findings,
    certificates: Vec<Certificate>,
    signers: Vec<Signer>,
    known: BTreeMap<[u8; 32], u16>,
    texts: Texts,
    update_time: Option<Text>,
    records: Vec<Record>,
    waiting: Vec<Waiting>,
    unreadable: u64,
    info: Option<Vec<Info>>,
    /// Certificates whose names are not the hashes of their keys, with the keys that they and their names mean.
    misnamed: Vec<(String, Vec<[u8; 32]>, String)>,
}

impl Judge {
    fn file(&mut self, name: &str, content: &[u8]) {
        match FileName::read(name) {
            FileName::Info => {
                let text = String::from_utf8_lossy(content.get(..INFO_MAX).unwrap_or(content)).into_owned();
                self.info.get_or_insert_default().extend(Info::read(&text));
            }
            FileName::Certificate { card: true, .. } => {
                let what = "it is a card verifiable certificate";
                self.findings.add(Code::CertificateCard, name, what);
            }
            FileName::Certificate { key, card: false } => self.certificate(name, key, content),
            FileName::Log(log) => self.message(name, &log, content),
            FileName::Other => self
                .findings
                .add(Code::FileUnknown, name, "the standard has no such name"),
        }
    }

    fn certificate(&mut self, name: &str, key: Option<[u8; 32]>, content: &[u8]) {
        let certificates = match Certificate::read_all(content) {
            Ok(certificates) => certificates,
            Err(error) => return self.findings.add(Code::CertificateUnreadable, name, error.to_string()),
        };
        // A file may hold a whole chain; it is named after one of its keys.
        if !certificates.iter().any(|certificate| Some(certificate.serial()) == key)
            && self.misnamed.len() < CERTIFICATES_MAX
        {
            let mut keys: Vec<[u8; 32]> = certificates.iter().map(Certificate::serial).collect();
            let of: Vec<String> = keys.iter().map(|key| hex(key)).collect();
            keys.extend(key);
            let what = format!("its key has the hash {}", of.join(", "));
            self.misnamed.push((name.to_owned(), keys, what));
        }
        for certificate in certificates {
            match &certificate.key {
                CertifiedKey::On(_) => {}
                CertifiedKey::Unsupported(what) => {
                    self.findings
                        .add(Code::KeyUnsupported, name, format!("no library here has {what}"));
                }
                CertifiedKey::Wrong(curve) => {
                    let what = format!("its key is no point of {}", curve.name());
                    self.findings.add(Code::KeyWrong, name, what);
                }
            }
            if self.certificates.len() == CERTIFICATES_MAX {
                let what = format!("there are more than {CERTIFICATES_MAX} certificates");
                return self.findings.add(Code::TooMany, name, what);
            }
            if let Some(signer) = self.known.get(&certificate.serial())
                && let Some(signer) = self.signers.get_mut(usize::from(*signer))
            {
                signer.take(&certificate);
            }
            self.certificates.push(certificate);
        }
    }

    fn message(&mut self, name: &str, log: &LogName<'_>, content: &[u8]) {
        let message = match Message::read(content) {
            Ok(message) => message,
            Err(error) => {
                self.unreadable += 1;
                return self.findings.add(Code::MessageUnreadable, name, error.to_string());
            }
        };
        let differences = log.differences(&message);
        if !differences.is_empty() {
            let what = format!(
                "{} in the message is another than in the name",
                differences.join(" and ")
            );
            self.findings.add(Code::NameDiffers, name, what);
        }
        let (about, text, number) = match &message.certified {
            Certified::Transaction {
                operation,
                client,
                number,
                ..
            } => (About::Transaction(*operation), *client, *number),
            Certified::System { operation } => (About::System, operation.unwrap_or_default(), 0),
            Certified::Audit => (About::Audit, "", 0),
        };
        let (Some(text_no), Some(key)) = (self.texts.number(text, TEXTS_MAX), self.signer(&message)) else {
            return self.too_many(name, "clients, operations or keys");
        };
        if self.records.len() == MESSAGES_MAX {
            return self.too_many(name, "messages");
        }
        if about == About::System && text == "updateTime" {
            self.update_time = Some(text_no);
        }
        self.records.push(Record {
            key,
            about,
            text: text_no,
            counter: message.counter,
            number,
            time: message.time,
        });
        let check = Check::of(&message);
        let Some(signer) = self.signers.get_mut(usize::from(key)) else {
            return;
        };
        if signer.key.is_some() || signer.unsupported.is_some() {
            signer.check(name, &check, &mut self.findings);
        } else if self.waiting.len() < WAITING_MAX {
            self.waiting.push(Waiting {
                signer: key,
                name: name.into(),
                check,
            });
        } else {
            self.too_many(name, "messages before their key's certificate");
        }
    }

    fn too_many(&mut self, name: &str, what: &str) {
        self.unreadable += 1;
        self.findings
            .add(Code::TooMany, name, format!("there are more {what} than are judged"));
    }

    /// The place of a message's key.
    fn signer(&mut self, message: &Message<'_>) -> Option<u16> {
        if let Some(known) = self.known.get(&message.serial) {
            return Some(*known);
        }
        let place = u16::try_from(self.signers.len())
            .ok()
            .filter(|_| self.signers.len() < KEYS_MAX)?;
        let mut signer = Signer {
            serial: message.serial,
            key: None,
            unsupported: None,
            algorithm: message.algorithm.clone(),
            valid: 0,
            wrong: 0,
            unchecked: 0,
        };
        if let Some(certificate) = self.certificates.iter().find(|one| one.serial() == message.serial) {
            signer.take(certificate);
        }
        self.known.insert(message.serial, place);
        self.signers.push(signer);
        Some(place)
    }

    fn conclude(mut self, options: &Options) -> Report {
        // A root may be the certificate of a key itself, where there is no chain.
        for signer in self.signers.iter_mut().filter(|signer| signer.key.is_none()) {
            if let Some(root) = options.roots.iter().find(|root| root.serial() == signer.serial) {
                signer.take(root);
            }
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if let Some(signer) = self.signers.get_mut(usize::from(waiting.signer)) {
                signer.check(&waiting.name, &waiting.check, &mut self.findings);
            }
        }
        for (name, keys, what) in std::mem::take(&mut self.misnamed) {
            // Authorities are found by what they signed, and a vendor's test system names its own wrongly.
            let signs = keys.iter().any(|key| self.known.contains_key(key));
            let severity = if signs { Severity::Error } else { Severity::Warning };
            self.findings.add_as(severity, Code::CertificateName, name, what);
        }
        if self.info.is_none() {
            self.findings.add(Code::NoInfo, "info.csv", "it is not there");
        }
        if self.records.is_empty() {
            self.findings
                .add(Code::NoMessages, "the archive", "there is no log message in it");
        }
        if self.signers.len() > 1 {
            let what = format!("there are messages of {} keys", self.signers.len());
            self.findings.add(Code::SeveralKeys, "the archive", what);
        }
        let mut records = std::mem::take(&mut self.records);
        let mut report = Report::new(options.complete, &records, self.unreadable);
        records.sort_by_key(|record| record.key);
        let order = Order {
            texts: &self.texts,
            update_time: self.update_time,
            complete: options.complete,
        };
        for ours in records.chunk_by_mut(|one, other| one.key == other.key) {
            let (Some(span), Some(signer)) = (
                Span::of(ours),
                ours.first()
                    .and_then(|record| self.signers.get(usize::from(record.key))),
            ) else {
                continue;
            };
            let sums = order.judge(ours, &mut self.findings);
            let key = signer.conclude(span, &self.certificates, options, &mut self.findings);
            report.add_key(key, sums);
        }
        report.clients = clients(&records, &self.texts);
        report.finish(self.info.unwrap_or_default(), self.findings)
    }
}

impl Signer {
    fn take(&mut self, certificate: &Certificate) {
        self.key = self.key.take().or_else(|| certificate.public_key());
        if let CertifiedKey::Unsupported(what) = &certificate.key {
            self.unsupported = Some(what.clone());
        }
    }

    fn check(&mut self, name: &str, check: &Check, findings: &mut Findings) {
        let serial = hex(&self.serial);
        let Some(key) = &mut self.key else {
            self.unchecked += 1;
            return match &self.unsupported {
                Some(what) => findings.add(
                    Code::NotChecked,
                    name,
                    format!("its signature was not checked: no library here has {what}"),
                ),
                None => findings.add(
                    Code::SerialUnknown,
                    name,
                    format!("there is no certificate for the key {serial}, so its signature was not checked"),
                ),
            };
        };
        let digest = match &check.digest {
            Ok(digest) => digest,
            Err(algorithm) => {
                self.unchecked += 1;
                let what = format!("its signature was not checked: the algorithm {algorithm} is not known here");
                return findings.add(Code::NotChecked, name, what);
            }
        };
        let plain = if check.is_sequence {
            plain_of_sequence(&check.signature, key.curve())
        } else {
            None
        };
        let signature = if check.is_sequence {
            plain.as_deref().unwrap_or_default()
        } else {
            &check.signature
        };
        if key.verifies(digest, signature) {
            self.valid += 1;
        } else {
            self.wrong += 1;
            let what = format!(
                "its signature does not hold with the key {serial} ({})",
                key.curve().name()
            );
            findings.add(Code::SignatureWrong, name, what);
        }
    }

    fn conclude(&self, span: Span, pool: &[Certificate], options: &Options, findings: &mut Findings) -> KeyReport {
        let serial = hex(&self.serial);
        if self.unchecked > 0 && self.valid > 0 {
            let what = format!("{} messages hold, {} were not checked", self.valid, self.unchecked);
            findings.add_as(Severity::Error, Code::AlgorithmsMixed, serial.clone(), what);
        }
        let known = pool.iter().chain(&options.roots);
        let certificate = known.into_iter().find(|one| one.serial() == self.serial);
        let search = Search {
            pool,
            roots: &options.roots,
            signed_s: (span.first_s, span.last_s),
        };
        let (trust, chain) = match certificate {
            Some(certificate) => search.follow(certificate, findings),
            None => (Trust::None, Vec::new()),
        };
        KeyReport {
            serial,
            curve: self.key.as_ref().map(PublicKey::curve),
            algorithm: self.algorithm.name(),
            valid_from_s: certificate.map(|one| one.not_before_s),
            valid_to_s: certificate.map(|one| one.not_after_s),
            chain,
            trust,
            span,
            valid: self.valid,
            wrong: self.wrong,
            unchecked: self.unchecked,
        }
    }
}

/// The clients of transactions, in the order of their names.
fn clients(records: &[Record], texts: &Texts) -> Vec<String> {
    let of_transactions = records
        .iter()
        .filter(|record| matches!(record.about, About::Transaction(_)));
    let mut clients: Vec<Text> = of_transactions.map(|record| record.text).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut names: Vec<String> = clients.into_iter().map(|text| texts.get(text).to_owned()).collect();
    names.sort_unstable();
    names
}
