//! What a unit's adapter has to be told.

use std::path::PathBuf;

use sealed::Opener;
use serde::Deserialize;

use crate::secret::{Secret, SecretError};

/// Where the web service is, and how long anything may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Such as `ws://tse-1.lan:10001/`. There is no TLS: the service has none, so unit and server belong on one machine or a closed network.
    pub url: String,
    /// The serial number (64 hexadecimal digits) of the unit that has to answer there; without, any unit is taken.
    #[serde(default)]
    pub serial: Option<String>,
    /// The BSI's certificate (`BSI-K-TR-nnnn-yyyy`) of the unit, as on its papers. Without, it counts as not certified.
    #[serde(default)]
    pub certificate_id: Option<String>,
    /// A file with the password of the admin, readable by its owner only.
    pub admin_password: PathBuf,
    /// The same for the time admin, who signs.
    pub time_admin_password: PathBuf,
    /// How long.
    #[serde(default)]
    pub times: Times,
}

/// How long anything may take, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// One command. Facts of practice: 250 ms for a signature; 3 to 5 s before a sale goes on without.
    pub command_ms: u64,
    /// Connecting, logging in and the self-test together.
    pub prepare_ms: u64,
    /// A ping while nobody asks, as the web service expects it.
    pub keep_alive_ms: u64,
    /// Reading the unit's log.
    pub export_ms: u64,
    /// The longest wait before a new connection is tried.
    pub backoff_max_ms: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            command_ms: 5_000,
            prepare_ms: 30_000,
            keep_alive_ms: 2_000,
            export_ms: 600_000,
            backoff_max_ms: 5_000,
        }
    }
}

/// What the web service has to be told before it does anything.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Registers tills, tests and exports.
    pub admin: Secret,
    /// Sets the time and signs.
    pub time_admin: Secret,
}

impl Passwords {
    /// From the files of the settings.
    pub fn read(settings: &Settings, opener: &Opener) -> Result<Self, SecretError> {
        Ok(Self {
            admin: Secret::read(&settings.admin_password, opener)?,
            time_admin: Secret::read(&settings.time_admin_password, opener)?,
        })
    }
}

/// Why an adapter cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is none of a web service without TLS.
    #[error("the address {0:?} of a TSE has to begin with ws://")]
    Address(String),
    /// No thread could be started.
    #[error("the TSE's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}
