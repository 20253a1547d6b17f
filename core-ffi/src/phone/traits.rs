//! What Kotlin gives. Whatever it throws becomes an error here; none of these calls is made while a lock is held.

use phone::View;

use super::errors::PlatformError;

/// The wristband in the phone's field. Calls come from a thread of the reader, never from the one of the screen, one after the other.
#[uniffi::export(with_foreign)]
pub trait NfcLink: Send + Sync {
    /// Sends a frame without its CRC and gives the answer without its CRC; a 4-bit ACK is the one byte 0x0A.
    fn transceive(&self, frame: Vec<u8>) -> Result<Vec<u8>, NfcError>;
    /// Selects the chip anew: what was authenticated is forgotten.
    fn reselect(&self) -> Result<Selected, NfcError>;
}

/// Why a frame has no answer.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum NfcError {
    /// The wristband has left the field, or the tag is out of date.
    #[error("the wristband has left")]
    Gone,
    /// No answer that can be told apart from a refusal: Android's stack hides which.
    #[error("no answer")]
    Silent,
    /// Something nobody expected: an exception.
    #[error("unexpected: {reason}")]
    Unexpected {
        /// The exception.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for NfcError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { reason: error.reason }
    }
}

/// What selecting a chip says of it (ISO/IEC 14443-3).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Selected {
    /// Its id, 4, 7 or 10 bytes.
    pub uid: Vec<u8>,
    /// Answer to request, 2 bytes in the order of the air.
    pub atqa: Vec<u8>,
    /// Select acknowledge.
    pub sak: i32,
    /// Answer to select, of chips that speak ISO-DEP.
    pub ats: Option<Vec<u8>>,
}

/// The phone's Keystore.
#[uniffi::export(with_foreign)]
pub trait Keystore: Send + Sync {
    /// The device's P-256 key, made where there is none: the uncompressed point, 65 bytes.
    fn public_key(&self) -> Result<Vec<u8>, PlatformError>;
    /// ECDSA over SHA-256 of the message, `r | s`, 64 bytes.
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, PlatformError>;
    /// Takes an AES-128 key in under a name; from then on it does not leave. Gives whether it lies in hardware.
    fn import_aes(&self, name: String, key: Vec<u8>) -> Result<bool, PlatformError>;
    /// AES-128 of one block of 16 bytes under a named key.
    fn aes(&self, name: String, block: Vec<u8>) -> Result<Vec<u8>, PlatformError>;
    /// Forgets a named key.
    fn forget(&self, name: String) -> Result<(), PlatformError>;
}

/// The phone's clocks.
#[uniffi::export(with_foreign)]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970 by the wall clock.
    fn wall_ms(&self) -> Result<i64, PlatformError>;
    /// Milliseconds since the device started, also those it slept (`elapsedRealtime`).
    fn elapsed_ms(&self) -> Result<i64, PlatformError>;
}

/// What a signal is for. That they differ in rhythm is the shell's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Signal {
    /// A wristband was seen; keep holding.
    Seen,
    /// Done.
    Done,
    /// Refused.
    Refused,
    /// Hold again, or hold another one.
    Again,
    /// This wristband has paid already.
    Already,
    /// The balance is shown.
    Info,
    /// It is tried whether it can be heard.
    Test,
}

/// Sound, vibration and what else the phone does without being drawn.
#[uniffi::export(with_foreign)]
pub trait Effects: Send + Sync {
    /// Sounds and vibrates; returns at once.
    fn play(&self, signal: Signal) -> Result<(), PlatformError>;
    /// The app's lock is taken off.
    fn leave_kiosk(&self) -> Result<(), PlatformError>;
}

/// Who draws.
#[uniffi::export(with_foreign)]
pub trait Display: Send + Sync {
    /// Shows a view; returns at once. Of two that cross on their way the one with the larger serial is the newer.
    fn show(&self, view: View) -> Result<(), PlatformError>;
}
