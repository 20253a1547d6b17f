//! What the pages for people have in common, whoever serves them: the till on a laptop, the console, receipts. One style, one script, one
//! way to write amounts and times (that of `wording`), one set of guards.
//!
//! What must never be here: a page of one of them, a rule, a query.

pub mod assets;
pub mod guard;
pub mod preferences;
pub mod qr;
mod shell;

pub use assets::Assets;
pub use preferences::{Preferences, Theme};
pub use shell::Shell;
pub use wording::{Both, Language, both, csv, format};
