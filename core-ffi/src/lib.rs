//! The terminal's shell: everything a till needs from its device. The rules are in `terminal` and `chips`, which are pure; here are the
//! offline queue ([`queue`], a `SQLite` file), the sync client ([`client`], one websocket), the key ([`keys`]), the keys of wristbands
//! ([`purse_keys`]), readers of wristbands ([`reader`], and with hardware [`readers`]), what makes wristbands ([`tags`]), PINs against their hashes
//! ([`pins`]), copies for another device ([`evacuation`]), a till to practise on ([`training`]), the journal's second place ([`mirror`]), the loop that
//! drives a terminal with them ([`till`]), and all of it as Kotlin has it (`phone`, the feature `uniffi`).
//!
//! What must never happen here: a decision about money, or a screen that says paid before the queue has it.

pub mod client;
pub mod evacuation;
pub mod keys;
pub mod mirror;
#[cfg(feature = "uniffi")]
pub mod phone;
pub mod pins;
pub mod purse_keys;
pub mod purses;
pub mod queue;
pub mod reader;
pub mod readers;
pub mod tags;
pub mod till;
pub mod training;

pub use client::{Endpoint, ServerAddress};
pub use mirror::{Mirror, MirrorTo, MirroredQueue, QueueReader};
pub use purses::Keys;
pub use queue::{MemoryQueue, Queue, QueueError, SqliteQueue};
pub use reader::{Hand, Reader, VirtualReader, virtual_reader};
pub use till::{Clock, Device, Ended, SystemClock, Till, TillInput};

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();
#[cfg(feature = "uniffi")]
::phone::uniffi_reexport_scaffolding!();
