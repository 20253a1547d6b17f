//! What a service's adapter has to be told.

use std::path::PathBuf;

use sealed::Opener;
use serde::Deserialize;

use crate::secret::{Secret, SecretError};

/// Where the service is, and how long anything may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Up to the version, such as `https://kassensichv-middleware.fiskaly.com/api/v2`. Which address is test and which is live differs between pages of
    /// the service, so none is built in.
    pub url: String,
    /// The TSS, a UUID.
    pub tss: String,
    /// The serial number (64 hexadecimal digits) of the TSS that has to answer; without, any is taken.
    #[serde(default)]
    pub serial: Option<String>,
    /// The BSI's certificate (`BSI-K-TR-nnnn-yyyy`). Without, it counts as not certified.
    #[serde(default)]
    pub certificate_id: Option<String>,
    /// A PEM file with the authority to trust; without, those of the system.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// A file with the API key, readable by its owner only.
    pub api_key: PathBuf,
    /// The same for its secret.
    pub api_secret: PathBuf,
    /// The same for the PIN that registers tills.
    pub admin_pin: PathBuf,
    /// How long.
    #[serde(default)]
    pub times: Times,
}

/// How long anything may take, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// One try of a request.
    pub attempt_ms: u64,
    /// A request with its repeats; the maker says 3 to 5 s before a sale goes on without.
    pub call_ms: u64,
    /// Making and reading an export.
    pub export_ms: u64,
    /// Setting up a TSS, which takes the service up to half a minute.
    pub setup_ms: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            attempt_ms: 2_000,
            call_ms: 5_000,
            export_ms: 600_000,
            setup_ms: 60_000,
        }
    }
}

/// What the service has to be shown.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Who calls.
    pub api_key: Secret,
    /// That it is so.
    pub api_secret: Secret,
    /// Who may register tills.
    pub admin_pin: Secret,
}

impl Credentials {
    /// From the files of the settings.
    pub fn read(settings: &Settings, opener: &Opener) -> Result<Self, SecretError> {
        Ok(Self {
            api_key: Secret::read(&settings.api_key, opener)?,
            api_secret: Secret::read(&settings.api_secret, opener)?,
            admin_pin: Secret::read(&settings.admin_pin, opener)?,
        })
    }
}

/// Why an adapter cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is none.
    #[error("the address {0:?} of the service cannot be used: {1}")]
    Address(String, String),
    /// The pinned authority is none.
    #[error("the authority in {0} cannot be used: {1}")]
    Authority(PathBuf, String),
    /// No client could be made.
    #[error("no client can be made: {0}")]
    Client(String),
    /// No runtime could be made.
    #[error("no runtime can be made: {0}")]
    Runtime(#[from] std::io::Error),
}
