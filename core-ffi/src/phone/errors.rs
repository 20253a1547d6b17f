//! Errors for the shell: each is something to do.

use crate::keys::KeyError;
use crate::queue::QueueError;

/// Why there is no terminal. Nothing was booked and nothing was lost.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum OpenError {
    /// The queue's file cannot be used: show it with the reason, and let a technician save the file before anything else.
    #[error("the queue cannot be opened: {reason}")]
    Queue {
        /// What the disk said.
        reason: String,
    },
    /// The Keystore gives no key: unlock the device and open again.
    #[error("the device's key cannot be used: {reason}")]
    Key {
        /// What the Keystore said.
        reason: String,
    },
    /// The device gives no threads or no folder: restart it.
    #[error("the device gives what is needed not: {reason}")]
    Device {
        /// What it said.
        reason: String,
    },
}

impl From<QueueError> for OpenError {
    fn from(error: QueueError) -> Self {
        Self::Queue {
            reason: error.to_string(),
        }
    }
}

impl From<KeyError> for OpenError {
    fn from(error: KeyError) -> Self {
        Self::Key {
            reason: error.to_string(),
        }
    }
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        Self::Device {
            reason: error.to_string(),
        }
    }
}

/// Why a touch or a hold was not taken. Nothing was booked by it.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum TouchError {
    /// The terminal has ended, or its queue has to be opened again: open a new one.
    #[error("the terminal has ended; open it again")]
    Ended,
    /// It is busy with so much that this one was left out: do it again.
    #[error("too much at once; do it again")]
    Busy,
}

/// What the phone's own parts answer when they cannot.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum PlatformError {
    /// The Keystore has no such key.
    #[error("there is no such key")]
    NoKey,
    /// It refuses, such as while the device is locked.
    #[error("refused: {reason}")]
    Refused {
        /// In its own words.
        reason: String,
    },
    /// Something nobody expected: an exception.
    #[error("unexpected: {reason}")]
    Unexpected {
        /// The exception.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for PlatformError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { reason: error.reason }
    }
}
