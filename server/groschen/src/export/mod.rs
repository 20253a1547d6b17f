//! `groschen export`: what leaves the books for somebody who audits them.
//!
//! | file | command |
//! |---|---|
//! | `tse` | the log of a TSE in software, as the standard's TAR archive |
//!
//! What must never happen here: a format. The crates below write them; this room reads the database and opens files.

mod tse;

use crate::Exit;

/// Arguments of `export`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Write the logs of TSEs in software, one TAR archive each. They are not certified; a certified TSE is exported from the device itself.
    Tse(tse::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Tse(arguments) => tse::run(arguments),
    }
}
