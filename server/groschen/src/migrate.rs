//! `groschen migrate`: brings a database to this program's format.

use engine::Engine;
use fixtures::sample;
use store_sqlite::{FORMAT, Options, SqliteStore};
use sync::writer::now_ms;

use crate::Exit;
use crate::keys::config_key;
use crate::settings::{Flags, ListenFlags, Settings};

/// Arguments of `migrate`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// The file was restored from a backup: begin another life, so that terminals send what it lacks.
    #[arg(long)]
    restored: bool,
    /// Write a JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let database = settings.database();
    anyhow::ensure!(
        database.exists(),
        "there is no database at {}; `groschen serve` makes one",
        database.display()
    );
    let mut store = SqliteStore::open(
        &database,
        &Options {
            created_at_ms: now_ms(),
            ..Options::default()
        },
    )?;
    if arguments.restored {
        store.mark_restored()?;
        let mut engine = Engine::open(store, sample::EVENT, Box::new(config_key(&settings.data)?))?;
        engine.new_generation(now_ms())?;
    }
    if arguments.json {
        println!(
            "{}",
            serde_json::json!({ "format": FORMAT, "restored": arguments.restored })
        );
    } else {
        println!("{} has format {FORMAT}.", database.display());
    }
    Ok(Exit::Done)
}
