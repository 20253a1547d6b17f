//! `groschen export`: what leaves the books for somebody who audits them.
//!
//! | file | command |
//! |---|---|
//! | `tse` | the log of a TSE in software, as the standard's TAR archive |
//! | `dsfinvk` | closings of tills for tax auditors, as DSFinV-K |
//! | `notification` | tills and TSEs for the tax office, as XML |
//!
//! What must never happen here: a format. The crates below write them; this room reads the database and opens files.

pub(crate) mod dsfinvk;
pub(crate) mod notification;
pub(crate) mod tse;

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
    /// Write the closings of tills for tax auditors (DSFinV-K), one folder for each taxpayer. The tests of this program find nothing in it; whether it
    /// satisfies an auditor is for your tax advisor.
    Dsfinvk(dsfinvk::Arguments),
    /// Write what the tax office is notified of (§ 146a (4) AO), one XML for each taxpayer. The official schema was not at hand; check it in Mein ELSTER.
    Notification(notification::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Tse(arguments) => tse::run(arguments),
        Command::Dsfinvk(arguments) => dsfinvk::run(arguments),
        Command::Notification(arguments) => notification::run(arguments),
    }
}
