//! `groschen archive`: everything that has to be kept, in one folder, and whether such a folder is still what it was.
//!
//! | file | what |
//! |---|---|
//! | `make` | copies the database as it is at one moment, also while a server runs, and makes every export from that copy |
//! | `devices` | takes the logs of TSEs that are no software from what the console exported |
//! | `check` | compares every file with the list, and judges the exports and the database |
//! | `list` | the list of files with their SHA-256, as `sha256sum --check` reads it |
//! | `readme` | what is in it, for whoever opens it after years |
//!
//! What must never happen here: a private key, a password, or a file that is overwritten. The folder says which keys have to be kept elsewhere.

mod check;
mod devices;
mod list;
mod make;
mod readme;

use std::path::PathBuf;

use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};

/// The database in an archive.
const DATABASE: &str = "database/groschen.db";
/// Exports for tax auditors, a folder for each taxpayer.
const DSFINVK: &str = "dsfinvk";
/// Logs of TSEs that are devices or services, as the console exported them.
const DEVICES: &str = "tse-devices";
/// Logs of TSEs in software, and roots.
const TSE: &str = "tse";
/// Notifications.
const NOTIFICATION: &str = "notification";

/// Arguments of `archive`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Make an archive. A server may run meanwhile.
    Make(Make),
    /// Check an archive: no file is missing, changed or added, and what is in it holds.
    Verify(Verify),
}

#[derive(Debug, Clone, clap::Args)]
struct Make {
    #[command(flatten)]
    flags: Flags,
    /// The folder to make; it must not be there or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Clone, clap::Args)]
struct Verify {
    /// The archive.
    folder: PathBuf,
    /// Write a JSON object instead of sentences.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Make(asked) => {
            let settings = Settings::resolve(&asked.flags, &ListenFlags::default())?;
            let made = make::make(&settings, &asked.out)?;
            println!("{} files in {}.", made.files, asked.out.display());
            for note in &made.notes {
                println!("NOTE: {note}");
            }
            println!("Check it with: groschen archive verify {}", asked.out.display());
            Ok(Exit::Done)
        }
        Command::Verify(verify) => {
            let found = check::check(&verify.folder)?;
            if verify.json {
                println!("{}", serde_json::to_string(&found)?);
            } else {
                for line in &found.holds {
                    println!("holds  {line}");
                }
                for line in &found.faults {
                    println!("WRONG  {line}");
                }
            }
            Ok(if found.faults.is_empty() {
                Exit::Done
            } else {
                Exit::Found
            })
        }
    }
}
