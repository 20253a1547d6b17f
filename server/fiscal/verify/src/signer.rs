//! A key that signed messages: each signature is checked as soon as the key is there, and its certificate's chain at the end.

use wording::{Both, both};

use crate::algorithm::Algorithm;
use crate::certificate::{Certificate, CertifiedKey, no_library};
use crate::chain::{Search, Trust};
use crate::export::Options;
use crate::finding::{Code, Findings, Severity};
use crate::key::{PublicKey, plain_of_sequence};
use crate::message::Message;
use crate::report::{KeyReport, Span, hex};

/// A key that messages name.
pub struct Signer {
    /// SHA-256 of the key.
    pub serial: [u8; 32],
    /// The key, once its certificate has come.
    pub key: Option<PublicKey>,
    /// Why its signatures cannot be checked, once that is known.
    unsupported: Option<Both>,
    algorithm: Algorithm,
    valid: u64,
    wrong: u64,
    unchecked: u64,
}

/// What has to be known to check a signature.
pub struct Check {
    /// What the message says its algorithm is, with the digest in it.
    digest: Result<Vec<u8>, String>,
    is_sequence: bool,
    signature: Vec<u8>,
}

impl Check {
    /// Of a message.
    pub fn of(message: &Message<'_>) -> Self {
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

impl Signer {
    /// The key that a message names, of which nothing else is known yet.
    pub fn of(message: &Message<'_>) -> Self {
        Self {
            serial: message.serial,
            key: None,
            unsupported: None,
            algorithm: message.algorithm.clone(),
            valid: 0,
            wrong: 0,
            unchecked: 0,
        }
    }

    /// Whether its certificate has come, so that its signatures can be checked, or never can.
    pub const fn is_known(&self) -> bool {
        self.key.is_some() || self.unsupported.is_some()
    }

    /// Takes its key from its certificate.
    pub fn take(&mut self, certificate: &Certificate) {
        self.key = self.key.take().or_else(|| certificate.public_key());
        if let CertifiedKey::Unsupported(what) = &certificate.key {
            self.unsupported = Some(what.clone());
        }
    }

    /// Checks the signature of the message of this name.
    pub fn check(&mut self, name: &str, check: &Check, findings: &mut Findings) {
        let serial = hex(&self.serial);
        let Some(key) = &mut self.key else {
            self.unchecked += 1;
            return match &self.unsupported {
                Some(what) => findings.add(Code::NotChecked, name, || not_checked(&no_library(what))),
                None => findings.add(Code::SerialUnknown, name, || {
                    both!(
                        "für den Schlüssel {serial} gibt es kein Zertifikat, deshalb ist ihre Signatur nicht geprüft",
                        "there is no certificate for the key {serial}, so its signature was not checked"
                    )
                }),
            };
        };
        let digest = match &check.digest {
            Ok(digest) => digest,
            Err(algorithm) => {
                self.unchecked += 1;
                return findings.add(Code::NotChecked, name, || {
                    not_checked(&both!(
                        "der Algorithmus {algorithm} ist hier nicht bekannt",
                        "the algorithm {algorithm} is not known here"
                    ))
                });
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
            let curve = key.curve().name();
            let what = || {
                both!(
                    "ihre Signatur passt nicht zum Schlüssel {serial} ({curve})",
                    "its signature does not hold with the key {serial} ({curve})"
                )
            };
            findings.add(Code::SignatureWrong, name, what);
        }
    }

    /// What is said about it once all its messages were checked; `pool` are the certificates of the export.
    pub fn conclude(&self, span: Span, pool: &[Certificate], options: &Options, findings: &mut Findings) -> KeyReport {
        let serial = hex(&self.serial);
        if self.unchecked > 0 && self.valid > 0 {
            let what = || {
                both!(
                    "{} Nachrichten stimmen, {} sind nicht geprüft",
                    "{} messages hold, {} were not checked",
                    self.valid,
                    self.unchecked
                )
            };
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

/// That a message's signature was not checked, and why.
fn not_checked(why: &Both) -> Both {
    Both::new(
        format!("ihre Signatur ist nicht geprüft: {}", why.de),
        format!("its signature was not checked: {}", why.en),
    )
}
