//! The terminal as Kotlin has it: one object, the traits that the phone's own parts fulfil, and errors that are something to do for the shell.
//!
//! | file | what lives there |
//! |---|---|
//! | `terminal` | the object: opening, touches, holds, watching |
//! | `traits` | what Kotlin gives: the wristband's field, the Keystore, the clock, sound, the log |
//! | `field` | a wristband that Kotlin holds, as a reader |
//! | `keystore` | the Keystore as signer |
//! | `pump` | between the till's loop and the view |
//! | `runtime` | the threads, attached to the Java machine once |
//! | `log` | what is logged here, told to Kotlin |
//! | `wristband_keys` | which keys of wristbands lie in the Keystore, and encrypting with them |
//! | `evacuation` | giving the journal to another phone, and taking one |
//! | `practice` | training on a till that is not real |
//! | `band` | a virtual wristband, for tests and training |
//!
//! What must never happen here: a decision; a lock that is held while Kotlin is called; an exception of Kotlin that ends a thread of ours.

mod band;
mod errors;
mod evacuation;
mod field;
mod keystore;
mod log;
mod practice;
mod pump;
mod runtime;
mod terminal;
mod traits;
mod wristband_keys;

pub use band::{NoSuchChip, SimulatedBand};
pub use errors::{OpenError, PlatformError, TouchError};
pub use evacuation::EvacuatedFile;
pub use log::{LogLevel, LogSink};
pub use terminal::{HoldOutcome, Setup, Subscription, Terminal};
pub use traits::{Clock, Display, Effects, Keystore, NfcError, NfcLink, Selected, Signal};
pub use wristband_keys::KeysError;
