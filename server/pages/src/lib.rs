//! What the pages for people have in common, whoever serves them: the till on a laptop, the console, receipts. One style, one script, one
//! way to write amounts and times, one set of guards.
//!
//! What must never be here: a page of one of them, a rule, a query.

pub mod assets;
pub mod format;
pub mod guard;
mod language;
pub mod preferences;
pub mod qr;
mod shell;

pub use assets::Assets;
pub use language::Language;
pub use preferences::{Preferences, Theme};
pub use shell::Shell;
