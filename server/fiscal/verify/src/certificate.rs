//! X.509 certificates as exports carry them: in DER or PEM, under whatever extension.

use std::fmt::Write as _;

use der::Decode as _;
use der::asn1::ObjectIdentifier;
use wording::{Both, both};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::name::Name;

use crate::algorithm::{Algorithm, Curve};
use crate::key::{PublicKey, plain_of_sequence, serial};
use crate::tlv::Values;

/// `id-ecPublicKey`.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Certificates of one file; a chain of a TSE has three.
const IN_A_FILE_MAX: usize = 16;

/// The key of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertifiedKey {
    /// On a curve that is checked here.
    On(Curve),
    /// On another one, or of another kind: its name.
    Unsupported(Both),
    /// Not a point of the curve it names.
    Wrong(Curve),
}

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Vec<u8>,
    parsed: CertificateInner<Raw>,
    /// The public key's point.
    pub point: Vec<u8>,
    /// What can be done with the key.
    pub key: CertifiedKey,
    /// From when it is valid, in seconds since 1970.
    pub not_before_s: i64,
    /// Until when.
    pub not_after_s: i64,
    /// How far it may issue: none when it is no authority, else the most authorities between it and a leaf.
    pub authority: Option<u8>,
}

/// Whether an issuer signed a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issued {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// It cannot be checked here, for this reason.
    Unchecked(Both),
}

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no X.509 certificate in DER or PEM: {0}")]
pub struct NoCertificate(String);

impl NoCertificate {
    /// It in words; what a library says is English in both.
    pub fn said(&self) -> Both {
        Both::new(
            format!("es ist kein X.509-Zertifikat in DER oder PEM: {}", self.0),
            self.to_string(),
        )
    }
}

impl Certificate {
    /// Reads the certificates of a file.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, NoCertificate> {
        let wrong = |why: &dyn std::fmt::Display| NoCertificate(why.to_string());
        let is_pem = bytes.trim_ascii_start().starts_with(b"-----BEGIN");
        if !is_pem {
            let certificate = Self::of(bytes.to_vec()).map_err(|error| wrong(&error))?;
            return Ok(vec![certificate]);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| wrong(&error))?;
        let mut certificates = Vec::new();
        for block in text.split_inclusive("-----END CERTIFICATE-----").take(IN_A_FILE_MAX) {
            let block = block.trim();
            if block.is_empty() {
                continue;
            }
            let (_, der) = der::pem::decode_vec(block.as_bytes()).map_err(|error| wrong(&error))?;
            certificates.push(Self::of(der).map_err(|error| wrong(&error))?);
        }
        Ok(certificates)
    }

    fn of(der: Vec<u8>) -> der::Result<Self> {
        let parsed = CertificateInner::<Raw>::from_der(&der)?;
        let certificate = parsed.tbs_certificate();
        let seconds =
            |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        let info = certificate.subject_public_key_info();
        let point = info.subject_public_key.raw_bytes().to_vec();
        let constraints = certificate.get_extension::<BasicConstraints>()?;
        let authority = match constraints {
            Some((_, constraints)) if constraints.ca => Some(constraints.path_len_constraint.unwrap_or(u8::MAX)),
            _ => None,
        };
        let key = if info.algorithm.oid == EC_PUBLIC_KEY {
            let named = info.algorithm.parameters.as_ref();
            match named.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok()) {
                Some(object) => match Curve::of(&object.to_string()) {
                    Ok(curve) if PublicKey::on(curve, &point).is_some() => CertifiedKey::On(curve),
                    Ok(curve) => CertifiedKey::Wrong(curve),
                    Err(other) => CertifiedKey::Unsupported(both!("die Kurve {other}", "the curve {other}")),
                },
                None => CertifiedKey::Unsupported(both!("eine Kurve ohne Namen", "a curve without a name")),
            }
        } else {
            CertifiedKey::Unsupported(both!("Schlüssel der Art {}", "keys of the kind {}", info.algorithm.oid))
        };
        Ok(Self {
            not_before_s: seconds(certificate.validity().not_before),
            not_after_s: seconds(certificate.validity().not_after),
            authority,
            point,
            key,
            der,
            parsed,
        })
    }

    /// SHA-256 of the public key: the serial number of a TSE, and the name of the certificate's file.
    pub fn serial(&self) -> [u8; 32] {
        serial(&self.point)
    }

    /// Whose it is.
    pub fn subject(&self) -> String {
        shown(self.parsed.tbs_certificate().subject())
    }

    /// Who issued it.
    pub fn issuer(&self) -> String {
        shown(self.parsed.tbs_certificate().issuer())
    }

    /// The key, where signatures of it can be checked.
    pub fn public_key(&self) -> Option<PublicKey> {
        match self.key {
            CertifiedKey::On(curve) => PublicKey::on(curve, &self.point),
            CertifiedKey::Unsupported(_) | CertifiedKey::Wrong(_) => None,
        }
    }

    /// Whether it says of itself that the other one issued it.
    pub fn names_issuer(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
    }

    /// Whether it is the same certificate, or another one of the same key and subject, as authorities renew theirs.
    pub fn stands_for(&self, other: &Self) -> bool {
        let subject = |certificate: &Self| certificate.parsed.tbs_certificate().subject().clone();
        self.der == other.der || self.point == other.point && subject(self) == subject(other)
    }

    /// Whether the issuer's key signed it.
    pub fn is_issued_by(&self, issuer: &Self) -> Issued {
        let mut key = match (&issuer.key, issuer.public_key()) {
            (CertifiedKey::Unsupported(what), _) => return Issued::Unchecked(no_library(what)),
            (_, Some(key)) => key,
            _ => return Issued::No,
        };
        // Unused bits are no part of what the issuer wrote: who may set them could make another file of the same certificate.
        let Some(signature) = self.parsed.signature().as_bytes() else {
            return Issued::No;
        };
        let object = self.parsed.signature_algorithm().oid;
        let (digest, plain) = match Algorithm::of(object.as_bytes()) {
            Algorithm::Plain(digest) => (digest, Some(signature.to_vec())),
            Algorithm::Sequence(digest) => (digest, plain_of_sequence(signature, key.curve())),
            Algorithm::Unknown(name) => {
                return Issued::Unchecked(both!(
                    "Signaturen der Art {name} sind nicht bekannt",
                    "signatures of the kind {name} are not known"
                ));
            }
        };
        let holds = match (self.signed(), plain) {
            (Some(signed), Some(plain)) => key.verifies(&digest.of(signed), &plain),
            _ => false,
        };
        if holds { Issued::Yes } else { Issued::No }
    }

    /// The bytes that the issuer signed, as they stand.
    fn signed(&self) -> Option<&[u8]> {
        let outer = Values::of(&self.der).take().ok()??;
        Some(Values::of(outer.value).take().ok()??.raw)
    }
}

/// That something cannot be checked for want of a library.
pub(crate) fn no_library(what: &Both) -> Both {
    Both::new(
        format!("keine Bibliothek hier hat {}", what.de),
        format!("no library here has {}", what.en),
    )
}

/// A name for people. Names hold what their issuers please, and some of it cannot be shown.
fn shown(name: &Name) -> String {
    let mut text = String::new();
    match write!(text, "{name}") {
        Ok(()) => crate::finding::shown(&text),
        Err(_) => "(a name that cannot be shown)".to_owned(),
    }
}
