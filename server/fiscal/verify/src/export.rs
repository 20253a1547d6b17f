//! A whole export: every file is looked at once, as it comes; what the messages say together is judged at the end.
//!
//! Memory: one file, some sixty bytes a message, and some 300 more for each message that comes before its key's certificate.

use std::collections::BTreeMap;
use std::io::Read;

use wording::{Both, both};

use crate::archive::{self, ARCHIVE, Item};
use crate::certificate::{Certificate, CertifiedKey, no_library};
use crate::finding::{Code, Findings, Severity};
use crate::message::{Certified, Message};
use crate::name::{FileName, LogName};
use crate::order::Order;
use crate::record::{About, Record, Text, Texts};
use crate::report::{Info, Report, Span, hex};
use crate::signer::{Check, Signer};

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
        Item::Fault(code, place, what) => judge.findings.add(code, place, || what),
    });
    judge.conclude(options)
}

/// A message whose key has not come yet.
struct Waiting {
    signer: u16,
    name: Box<str>,
    check: Check,
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
    misnamed: Vec<(String, Vec<[u8; 32]>, Both)>,
}

impl Judge {
    fn file(&mut self, name: &str, content: &[u8]) {
        match FileName::read(name) {
            FileName::Info => {
                let text = String::from_utf8_lossy(content.get(..INFO_MAX).unwrap_or(content)).into_owned();
                self.info.get_or_insert_default().extend(Info::read(&text));
            }
            FileName::Certificate { card: true, .. } => {
                let what = || {
                    both!(
                        "es ist ein Kartenzertifikat (CVC)",
                        "it is a card verifiable certificate"
                    )
                };
                self.findings.add(Code::CertificateCard, name, what);
            }
            FileName::Certificate { key, card: false } => self.certificate(name, key, content),
            FileName::Log(log) => self.message(name, &log, content),
            FileName::Other => self.findings.add(Code::FileUnknown, name, || {
                both!("der Standard kennt diesen Namen nicht", "the standard has no such name")
            }),
        }
    }

    fn certificate(&mut self, name: &str, key: Option<[u8; 32]>, content: &[u8]) {
        let certificates = match Certificate::read_all(content) {
            Ok(certificates) => certificates,
            Err(error) => return self.findings.add(Code::CertificateUnreadable, name, || error.said()),
        };
        // A file may hold a whole chain; it is named after one of its keys.
        if !certificates.iter().any(|certificate| Some(certificate.serial()) == key)
            && self.misnamed.len() < CERTIFICATES_MAX
        {
            let mut keys: Vec<[u8; 32]> = certificates.iter().map(Certificate::serial).collect();
            let of: Vec<String> = keys.iter().map(|key| hex(key)).collect();
            keys.extend(key);
            let what = both!(
                "sein Schlüssel hat den Prüfwert {}",
                "its key has the hash {}",
                of.join(", ")
            );
            self.misnamed.push((name.to_owned(), keys, what));
        }
        for certificate in certificates {
            match &certificate.key {
                CertifiedKey::On(_) => {}
                CertifiedKey::Unsupported(what) => {
                    self.findings.add(Code::KeyUnsupported, name, || no_library(what));
                }
                CertifiedKey::Wrong(curve) => {
                    let what = || {
                        both!(
                            "sein Schlüssel ist kein Punkt von {}",
                            "its key is no point of {}",
                            curve.name()
                        )
                    };
                    self.findings.add(Code::KeyWrong, name, what);
                }
            }
            if self.certificates.len() == CERTIFICATES_MAX {
                let what = || {
                    both!(
                        "es gibt mehr als {CERTIFICATES_MAX} Zertifikate",
                        "there are more than {CERTIFICATES_MAX} certificates"
                    )
                };
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
                return self.findings.add(Code::MessageUnreadable, name, || error.said());
            }
        };
        let differences = log.differences(&message);
        if !differences.is_empty() {
            let what = || {
                let [de, en] = [|part: &Both<_>| part.de, |part: &Both<_>| part.en]
                    .map(|side| differences.iter().map(side).collect::<Vec<&str>>());
                Both::new(
                    format!("Nachricht und Name sagen nicht dasselbe: {}", de.join(" und ")),
                    format!("{} in the message is another than in the name", en.join(" and ")),
                )
            };
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
            let what = Both::new("Clients, Vorgänge oder Schlüssel", "clients, operations or keys");
            return self.too_many(name, what);
        };
        if self.records.len() == MESSAGES_MAX {
            return self.too_many(name, Both::new("Nachrichten", "messages"));
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
        if signer.is_known() {
            signer.check(name, &check, &mut self.findings);
        } else if self.waiting.len() < WAITING_MAX {
            self.waiting.push(Waiting {
                signer: key,
                name: name.into(),
                check,
            });
        } else {
            let what = Both::new(
                "Nachrichten vor dem Zertifikat ihres Schlüssels",
                "messages before their key's certificate",
            );
            self.too_many(name, what);
        }
    }

    fn too_many(&mut self, name: &str, what: Both<&str>) {
        self.unreadable += 1;
        self.findings.add(Code::TooMany, name, || {
            Both::new(
                format!("es gibt mehr {}, als geprüft werden", what.de),
                format!("there are more {} than are judged", what.en),
            )
        });
    }

    /// The place of a message's key.
    fn signer(&mut self, message: &Message<'_>) -> Option<u16> {
        if let Some(known) = self.known.get(&message.serial) {
            return Some(*known);
        }
        let place = u16::try_from(self.signers.len())
            .ok()
            .filter(|_| self.signers.len() < KEYS_MAX)?;
        let mut signer = Signer::of(message);
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
            self.findings.add_as(severity, Code::CertificateName, name, || what);
        }
        if self.info.is_none() {
            self.findings.add(Code::NoInfo, "info.csv", || {
                both!("sie ist nicht da", "it is not there")
            });
        }
        if self.records.is_empty() {
            self.findings.add(Code::NoMessages, ARCHIVE, || {
                both!("es enthält keine Log-Nachricht", "there is no log message in it")
            });
        }
        if self.signers.len() > 1 {
            let keys = self.signers.len();
            self.findings.add(Code::SeveralKeys, ARCHIVE, || {
                both!(
                    "es gibt Nachrichten von {keys} Schlüsseln",
                    "there are messages of {keys} keys"
                )
            });
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
