//! Certificates for TSEs in software: a root of the data folder's own, and under it one for each TSE. They say that nothing here is certified.
//!
//! Everything is made from a seed and passed-in times, so that the same TSE has the same certificates in every export.

use std::str::FromStr as _;

use der::Encode as _;
use der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier};
use der::flagset::FlagSet;
use ecdsa::signature::{Error as SignatureError, Keypair, Signer};
use sha2::{Digest as _, Sha256};
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder, Error as BuilderError};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{
    self, AlgorithmIdentifierOwned, Document, DynSignatureAlgorithmIdentifier, EncodePublicKey,
    SignatureBitStringEncoding, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef,
};
use x509_cert::time::{Time, Validity};

use super::NOT_CERTIFIED;
use crate::software::key::{Key, NoKey};
use crate::tse::Curve;

/// `id-ecPublicKey`.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// From when to when roots are valid: 2025 to 2075. TSEs come and go under one root.
const ROOT_S: (u64, u64) = (1_735_689_600, 3_313_526_400);

/// How long a TSE's certificate is valid, as certified ones are: eight years.
const LEAF_S: u64 = 8 * 365 * 86_400;

/// Why a certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// The seed.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// The key or a time cannot be put into a certificate.
    #[error("a key or a time cannot be put into a certificate: {0}")]
    Encoding(String),
}

impl From<der::Error> for CertificateFault {
    fn from(error: der::Error) -> Self {
        Self::Encoding(error.to_string())
    }
}

impl From<BuilderError> for CertificateFault {
    fn from(error: BuilderError) -> Self {
        Self::Encoding(error.to_string())
    }
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeCertificate {
    /// SHA-256 of its public key.
    pub key: [u8; 32],
    /// Its bytes.
    pub der: Vec<u8>,
}

impl MadeCertificate {
    /// Its name in an export.
    pub fn file_name(&self) -> String {
        format!("{}_X509.cer", shared_protocol::ids::hex(&self.key))
    }
}

/// Who vouches for the TSEs in software of a data folder, which is worth as much as the folder is guarded.
pub struct Authority {
    seed: [u8; 32],
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Of a data folder's secret.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    fn issuer(&self, curve: Curve) -> Result<Issuer, CertificateFault> {
        let key = Key::of("groschen software tse root 1", &self.seed, curve)?;
        let public = Public(public_key(curve, &key.public())?);
        Ok(Issuer { key, public })
    }

    /// The root, which certifies itself.
    pub fn root(&self, curve: Curve) -> Result<MadeCertificate, CertificateFault> {
        let issuer = self.issuer(curve)?;
        let point = issuer.key.public();
        made(&issuer, &point, true, ROOT_S)
    }

    /// The certificate of a TSE by its public key, valid from a time on in seconds since 1970.
    pub fn certify(&self, curve: Curve, point: &[u8], from_s: u64) -> Result<MadeCertificate, CertificateFault> {
        made(
            &self.issuer(curve)?,
            point,
            false,
            (from_s, from_s.saturating_add(LEAF_S)),
        )
    }
}

fn made(
    issuer: &Issuer,
    point: &[u8],
    is_root: bool,
    (from_s, to_s): (u64, u64),
) -> Result<MadeCertificate, CertificateFault> {
    let time = |seconds| {
        let time = GeneralizedTime::from_unix_duration(std::time::Duration::from_secs(seconds))?;
        der::Result::Ok(Time::GeneralTime(time))
    };
    let key: [u8; 32] = Sha256::digest(point).into();
    let root = Name::from_str(&format!("CN=Groschen TSE root,OU=TSE in software,O={NOT_CERTIFIED}"))?;
    let subject = if is_root {
        root.clone()
    } else {
        let serial = shared_protocol::ids::hex(&key);
        Name::from_str(&format!("CN={serial},OU=TSE in software,O={NOT_CERTIFIED}"))?
    };
    let mut number = key.iter().take(8).copied().collect::<Vec<u8>>();
    if let Some(first) = number.first_mut() {
        // Positive, and never of fewer bytes.
        *first = *first & 0x3f | 0x40;
    }
    let builder = CertificateBuilder::new(
        Profile { root, subject, is_root },
        SerialNumber::new(&number)?,
        Validity::new(time(from_s)?, time(to_s)?),
        public_key(issuer.key.curve(), point)?,
    )?;
    let certificate = builder.build::<_, Signature>(issuer)?;
    Ok(MadeCertificate {
        key,
        der: certificate.to_der()?,
    })
}

fn public_key(curve: Curve, point: &[u8]) -> der::Result<SubjectPublicKeyInfoOwned> {
    let named = ObjectIdentifier::new_unwrap(match curve {
        Curve::BrainpoolP384 => "1.3.36.3.3.2.8.1.1.11",
        Curve::P256 => "1.2.840.10045.3.1.7",
    });
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned {
            oid: EC_PUBLIC_KEY,
            parameters: Some(Any::from(named)),
        },
        subject_public_key: BitString::from_bytes(point)?,
    })
}

/// Names and what a key may be used for.
struct Profile {
    root: Name,
    subject: Name,
    is_root: bool,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.root.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer: SubjectPublicKeyInfoRef<'_>,
        _certificate: &TbsCertificate,
    ) -> Result<Vec<Extension>, BuilderError> {
        let constraints = BasicConstraints {
            ca: self.is_root,
            path_len_constraint: self.is_root.then_some(0),
        };
        let uses: FlagSet<KeyUsages> = if self.is_root {
            KeyUsages::KeyCertSign | KeyUsages::CRLSign
        } else {
            KeyUsages::DigitalSignature.into()
        };
        let one = constraints.to_extension(&self.subject, &[])?;
        let two = KeyUsage(uses).to_extension(&self.subject, &[])?;
        Ok(vec![one, two])
    }
}

/// The root's key as the builder wants it.
struct Issuer {
    key: Key,
    public: Public,
}

/// A public key as the builder wants it.
#[derive(Clone)]
struct Public(SubjectPublicKeyInfoOwned);

/// A signature as the builder wants it.
struct Signature(Vec<u8>);

impl Keypair for Issuer {
    type VerifyingKey = Public;

    fn verifying_key(&self) -> Public {
        self.public.clone()
    }
}

impl EncodePublicKey for Public {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(Document::encode_msg(&self.0)?)
    }
}

impl DynSignatureAlgorithmIdentifier for Issuer {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(AlgorithmIdentifierOwned {
            // ecdsa-with-SHA384 and ecdsa-with-SHA256.
            oid: ObjectIdentifier::new_unwrap(match self.key.curve() {
                Curve::BrainpoolP384 => "1.2.840.10045.4.3.3",
                Curve::P256 => "1.2.840.10045.4.3.2",
            }),
            parameters: None,
        })
    }
}

impl Signer<Signature> for Issuer {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, SignatureError> {
        self.key.sign_certificate(message).map(Signature)
    }
}

impl SignatureBitStringEncoding for Signature {
    fn to_bitstring(&self) -> der::Result<BitString> {
        BitString::from_bytes(&self.0)
    }
}
