//! The till as a page: `core-ffi` behind a small web server that only this machine reaches, with a reader of wristbands beside it. What the
//! cashier does becomes one line of text ([`act`]), what the till says becomes HTML ([`view`]), sent whole whenever it changes.
//!
//! What must never happen here: a decision about money. The page shows what the terminal says, and says what the person did.

mod act;
mod desk;
mod model;
mod readers;
mod serve;
mod tray;
mod view;
mod words;

pub use desk::{Desk, DeskError, Options, Simulation};
pub use readers::{NoReaders, UsbReader};
pub use tray::Wristband;
