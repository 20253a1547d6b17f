//! The phone's Keystore as the device's signer.

use std::sync::Arc;

use shared_protocol::crypto::{Algorithm, PublicKey, SignError, Signature, Signer};
use shared_protocol::ids::Bytes;

use super::errors::{OpenError, PlatformError};
use super::traits::Keystore;

/// An uncompressed point of P-256.
const POINT_BYTES: usize = 65;
/// `r | s` of P-256.
const SIGNATURE_BYTES: usize = 64;

/// The device's key, which never leaves the Keystore.
pub(super) struct KeystoreSigner {
    keystore: Arc<dyn Keystore>,
    public: PublicKey,
}

impl KeystoreSigner {
    pub fn new(keystore: Arc<dyn Keystore>) -> Result<Self, OpenError> {
        let point = keystore.public_key().map_err(|error| OpenError::Key {
            reason: error.to_string(),
        })?;
        if point.len() != POINT_BYTES || point.first() != Some(&0x04) {
            return Err(OpenError::Key {
                reason: format!("{} bytes are no point of P-256", point.len()),
            });
        }
        let public = PublicKey {
            algorithm: Algorithm::P256,
            bytes: Bytes(point),
        };
        Ok(Self { keystore, public })
    }
}

impl Signer for KeystoreSigner {
    fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let refused = |error: PlatformError| SignError(error.to_string());
        let bytes = self.keystore.sign(message.to_vec()).map_err(refused)?;
        if bytes.len() != SIGNATURE_BYTES {
            return Err(SignError(format!("{} bytes are no signature", bytes.len())));
        }
        Ok(Signature {
            algorithm: Algorithm::P256,
            bytes: Bytes(bytes),
        })
    }
}
