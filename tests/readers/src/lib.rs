//! Real stacks with virtual chips behind them: the system's PC/SC service (pcscd) with a virtual reader, and libnfc with an emulated PN532 on a
//! pseudo terminal. A till's readers are tested through what they will meet in the field, down to the last byte before the antenna.
//!
//! [`Table`] is where a hand lays a chip and takes it away; [`pcscd`] runs a private service; [`vpcd`] plugs a table into it, by one of the
//! [`front`]s, which answer as kinds of readers do; [`serial`] plugs a table into an emulated [`pn532`].
//! The programs and libraries are Debian's (`scripts/test` installs them) and run as processes of their own.
//!
//! What must never live here: a rule of the product, or a chip that is kinder than a real one.
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "for tests: what this machine lacks ends the test and says so"
)]

pub mod asked;
pub mod front;
pub mod pcscd;
pub mod pn532;
pub mod purse;
pub mod secure;
pub mod serial;
mod table;
pub mod vpcd;

pub use table::{Reply, Table};
