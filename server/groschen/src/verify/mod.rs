//! `groschen verify`: judges what proves something, whoever made it.
//!
//! | file | command |
//! |---|---|
//! | `tse` | exports of TSEs, as TAR archives |
//! | `receipt` | codes of receipts, one a line |
//! | `dsfinvk` | exports for tax auditors, in a folder |
//!
//! What must never happen here: a judgement. The crates `verify` and `dsfinvk` judge; this room opens files and prints.

mod dsfinvk;
mod receipt;
mod tse;

use crate::Exit;

/// Arguments of `verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Judge exports of TSEs (TAR archives), of any maker: signatures, certificates, counters, transactions.
    #[command(after_help = tse::EXAMPLES)]
    Tse(tse::Arguments),
    /// Judge codes of receipts (version 0), one a line, from the standard input.
    #[command(after_help = receipt::EXAMPLES)]
    Receipt(receipt::Arguments),
    /// Check a fiscal export (DSFinV-K) in a folder: structure, values, sums, numbers without gaps.
    Dsfinvk(dsfinvk::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Tse(arguments) => Ok(tse::run(arguments)),
        Command::Receipt(arguments) => receipt::run(arguments),
        Command::Dsfinvk(arguments) => arguments.run(),
    }
}
