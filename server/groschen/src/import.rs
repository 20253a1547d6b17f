//! `groschen import`: the second copy of a dead till comes into the books, where the server does not run. Where it runs, the console does the same.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engine::import::{Gathered, Import, Imported, Preview};
use engine::{Engine, Reply, Request};
use fixtures::sample;
use shared_protocol::mirror::FILE_MAX_BYTES;
use store::{AuditRow, Office, Store};
use store_sqlite::{Options, SqliteStore};
use sync::writer::now_ms;

use crate::Exit;
use crate::keys::config_key;
use crate::progress::Progress;
use crate::settings::{Flags, ListenFlags, Settings};

/// Arguments of `import`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Files of second copies (`….groschen`), or folders with them. Several copies of one journal complete each other.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    /// Book what is new; without it this only says what is there.
    #[arg(long)]
    yes: bool,
    /// Write one JSON object a journal instead of sentences.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let gathered = gather(&arguments.paths)?;
    let database = settings.database();
    anyhow::ensure!(database.exists(), "there is no database at {}", database.display());
    let store = SqliteStore::open(&database, &Options::default())
        .context("the database cannot be opened for booking; while the server runs, import on its console instead")?;
    let mut engine = Engine::open(store, sample::EVENT, Box::new(config_key(&settings.data)?))?;
    let mut exit = Exit::Done;
    for (name, why) in &gathered.others {
        eprintln!("{name}: not a second copy that can be used: {why}. Nothing of it was booked.");
        exit = Exit::Found;
    }
    for mirror in gathered.mirrors {
        let id = mirror
            .opening
            .registration()
            .ok()
            .map(|registration| registration.terminal);
        let row = id.and_then(|id| engine.terminals().find(|row| row.id == id).cloned());
        match Import::check(mirror, engine.event(), row.as_ref()) {
            Ok(mut import) => {
                let (found, done) = book(&mut engine, &mut import, arguments.yes)?;
                say(arguments.json, &import, &found, done.as_ref());
                if !found.left_out.is_empty() || found.damage != shared_protocol::mirror::Damage::default() {
                    exit = Exit::Found;
                }
            }
            Err(why) => {
                eprintln!("Refused, nothing was booked: {why}.");
                exit = Exit::Found;
            }
        }
    }
    Ok(exit)
}

fn gather(paths: &[PathBuf]) -> anyhow::Result<Gathered> {
    let mut gathered = Gathered::default();
    for path in paths {
        let cannot = || format!("{} cannot be read", path.display());
        let files = if path.is_dir() {
            core_ffi::mirror::files(path).with_context(cannot)?
        } else {
            vec![path.clone()]
        };
        anyhow::ensure!(
            !files.is_empty(),
            "{} has no second copies (….groschen)",
            path.display()
        );
        for file in files {
            gathered.add(&file.display().to_string(), &read(&file).with_context(cannot)?);
        }
    }
    Ok(gathered)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let length = std::fs::metadata(file)?.len();
    anyhow::ensure!(
        length <= FILE_MAX_BYTES,
        "{} is too large for a second copy",
        file.display()
    );
    Ok(std::fs::read(file)?)
}

fn ask<S: Store>(engine: &mut Engine<S>, request: Request) -> anyhow::Result<Option<Reply>> {
    Ok(engine.process(now_ms(), &[request])?.pop())
}

/// Says what an import would bring, and brings it when that is wanted.
fn book<S: Store>(
    engine: &mut Engine<S>,
    import: &mut Import,
    yes: bool,
) -> anyhow::Result<(Preview, Option<Imported>)> {
    for question in import.questions() {
        if let Some(Reply::Traced(known)) = ask(engine, question)? {
            import.learn(known);
        }
    }
    let found = import.preview();
    if !yes {
        return Ok((found, None));
    }
    let audit = AuditRow {
        at_ms: now_ms(),
        by: String::new(),
        what: "journal.import".to_owned(),
        object: import.terminal().id.to_string(),
        detail: format!("epoch {}, {} new, on the command line", import.epoch(), found.new),
    };
    let office = Office {
        audit: vec![audit],
        ..Office::default()
    };
    ask(engine, Request::Office(Box::new(office)))?;
    let pushes = import.pushes();
    let mut progress = Progress::new("booking", pushes.len() as u64);
    for (number, push) in (1..).zip(pushes) {
        let push = Box::new(push);
        if let Some(Reply::Push(reply)) = ask(engine, Request::Push(push.clone()))? {
            import.took(&push, &reply);
        }
        progress.at(number);
    }
    drop(progress);
    while engine.project(4_096)? {}
    Ok((found, Some(import.result().clone())))
}

fn say(json: bool, import: &Import, found: &Preview, done: Option<&Imported>) {
    let (terminal, epoch) = (import.terminal(), import.epoch());
    let orders = found.orders.iter().map(
        |(kind, (count, cents))| serde_json::json!({ "kind": kind.code(), "count": count, "cents": cents.to_string() }),
    );
    if json {
        let left_out = found.left_out.iter().map(|left| {
            let tag = left.order.holder.map(|tag| tag.to_string());
            serde_json::json!({ "seq": left.seq, "order": left.order.id.to_string(), "kind": left.order.kind.code(), "wristband": tag })
        });
        let value = serde_json::json!({
            "terminal": terminal.id.to_string(), "till": terminal.till.0, "epoch": epoch,
            "known": found.known, "new": found.new, "behind_hole": found.behind_hole, "unsigned": found.unsigned,
            "damaged_places": found.damage.places, "torn_bytes": found.damage.torn_bytes,
            "orders": orders.collect::<Vec<_>>(), "left_out": left_out.collect::<Vec<_>>(),
            "booked": done.map(|done| done.new), "flagged": done.map(|done| done.flagged),
        });
        println!("{value}");
        return;
    }
    println!(
        "Till {}, terminal {}, epoch {epoch}: {} entries new, {} here already.",
        terminal.till, terminal.id, found.new, found.known
    );
    for (kind, (count, cents)) in &found.orders {
        println!(
            "  {kind:?}: {count} orders, {}.{:02} EUR",
            cents / 100,
            (cents % 100).abs()
        );
    }
    for (count, what) in [
        (
            found.behind_hole,
            "signed entries lie behind a hole; add the other copy",
        ),
        (
            found.unsigned,
            "entries have no signature and are not booked; start the device once more, it sends them itself",
        ),
        (found.damage.places, "places are damaged"),
    ] {
        if count > 0 {
            println!("  {count} {what}.");
        }
    }
    for left in &found.left_out {
        let order = &left.order;
        let tag = order.holder.map_or("-".to_owned(), |tag| tag.to_string());
        let cents = order.total().map_or(0, |total| total.0);
        println!(
            "  not booked: entry {}, {:?}, wristband {tag}, {}.{:02} EUR",
            left.seq,
            order.kind,
            cents / 100,
            (cents % 100).abs()
        );
    }
    match done {
        Some(done) => println!("  {} entries booked, {} of them with a case.", done.new, done.flagged),
        None => println!("  Nothing was booked. The same with --yes books what is new."),
    }
}
