//! TSEs of several makers behind the one trait [`fiscal::Tse`]: [`diebold`] for units on a cable or in the LAN, [`fiskaly`] for a service in the cloud.
//!
//! Everything with I/O about TSEs lives here: sockets, timeouts, tokens, what to do when an answer is lost. Each call ends within the times of its
//! settings, and nothing is repeated before it is known not to have happened. What must never happen here: a rule about receipts or money (those are in
//! `fiscal`), a secret in a log or an error, or a word that a TSE is certified which nobody entered (`certificate_id` of the settings).
//!
//! What is known of the makers' protocols and what is assumed says each module; `docs/tse-devices.md` says it for all.

pub mod certificate;
pub mod diebold;
pub mod fiskaly;
mod identity;
mod log;
pub mod secret;
mod tlv;

pub use diebold::Diebold;
pub use fiskaly::Fiskaly;
pub use sealed::Opener;
pub use secret::{Secret, SecretError};

/// What a log filter has to carry besides its own directives, in the form of `tracing_subscriber::EnvFilter`: at the level TRACE these libraries write
/// whole frames, and with them passwords.
pub const QUIET: [&str; 4] = [
    "tungstenite=debug",
    "tokio_tungstenite=debug",
    "hyper=debug",
    "reqwest=debug",
];
