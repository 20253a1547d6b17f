//! Batches in the books, where the server does not run; while it runs, its console does the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use core_ffi::tags::work::BANDS_HEAD;
use core_ffi::tags::{Made, ReadList};
use engine::{BatchChange, Engine, Enrolment, Reply, Request, Settled};
use festival::purse::Label;
use fixtures::sample;
use shared_protocol::TagId;
use store::{AuditRow, Office};
use store_sqlite::{Options, SqliteStore};
use sync::writer::now_ms;

use crate::keys::config_key;
use crate::progress::Progress;
use crate::settings::{Flags, ListenFlags, Settings};
use crate::{Exit, credits};

/// Bad lines that are named; who has more has the wrong file.
const NAMED_MAX: usize = 20;
/// Purses that are taken over in one commit.
const PAGE: u64 = 256;

struct Books(Engine<SqliteStore>);

impl Books {
    fn open(flags: &Flags) -> anyhow::Result<Self> {
        let settings = Settings::resolve(flags, &ListenFlags::default())?;
        let database = settings.database();
        anyhow::ensure!(database.exists(), "there is no database at {}", database.display());
        let store = SqliteStore::open(&database, &Options::default())
            .context("the database cannot be opened for booking; while the server runs, use its console instead")?;
        Ok(Self(Engine::open(
            store,
            sample::EVENT,
            Box::new(config_key(&settings.data)?),
        )?))
    }

    fn settle(&mut self, request: Request) -> anyhow::Result<()> {
        match self.0.process(now_ms(), &[request])?.pop() {
            Some(Reply::Settled(Settled::Refused(text))) => anyhow::bail!("{}", text.en),
            _ => Ok(()),
        }
    }

    /// Who did what, before it is done.
    fn note(&mut self, what: &str, batch: u16, detail: &str) -> anyhow::Result<()> {
        let audit = AuditRow {
            at_ms: now_ms(),
            by: String::new(),
            what: what.to_owned(),
            object: format!("batch {batch}"),
            detail: format!("{detail}, on the command line"),
        };
        self.settle(Request::Office(Box::new(Office {
            audit: vec![audit],
            ..Office::default()
        })))
    }

    fn change(&mut self, batch: u16, change: BatchChange) -> anyhow::Result<()> {
        let change = Box::new(change);
        self.settle(Request::Batch { batch, change })
    }

    /// What every purse of the batch holds becomes the books'. It may be repeated.
    fn take_over(&mut self, batch: u16) -> anyhow::Result<u64> {
        let mut reader = self.0.reader()?;
        let (mut after, mut done) = (None, 0);
        let mut progress = Progress::new("purses", 0);
        loop {
            let page = reader.purses(sample::EVENT, after, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            let tags: Vec<TagId> = page
                .iter()
                .filter(|(_, purse)| purse.batch == batch)
                .map(|(tag, _)| *tag)
                .collect();
            done += tags.len() as u64;
            if !tags.is_empty() {
                self.settle(Request::TakeOver { tags })?;
            }
            progress.at(done);
        }
        while self.0.project(4_096)? {}
        Ok(done)
    }
}

/// Arguments of `import`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Import {
    #[command(flatten)]
    flags: Flags,
    /// The list from the encoder's folder, `batch.list`.
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    /// The good wristbands with their pins, `bands.csv`.
    #[arg(long, value_name = "FILE")]
    bands: PathBuf,
    /// The server's sealed keys of this batch, which vouch for the list; may be given more than once.
    #[arg(
        long,
        env = "GROSCHEN_PURSE_KEYS",
        value_name = "FILE",
        required = true,
        value_delimiter = ','
    )]
    purse_keys: Vec<PathBuf>,
    /// The key file that opens them.
    #[arg(long, env = "GROSCHEN_PURSE_KEY_FILE", value_name = "FILE")]
    purse_key_file: PathBuf,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

/// Reads the file whole before anything is written. Every bad line is named.
fn read_bands(text: &str, list: &ReadList) -> Result<Vec<Made>, Vec<String>> {
    let mut bad = Vec::new();
    let mut good: BTreeMap<u16, Made> = BTreeMap::new();
    let mut uids = BTreeMap::new();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines.skip_while(|(number, line)| *number == 1 && line.trim() == BANDS_HEAD) {
        let made = match Made::read(line) {
            Ok(made) => made,
            Err(why) => {
                bad.push(format!("line {number}: {why}"));
                continue;
            }
        };
        match list.uids.get(&made.index) {
            None => bad.push(format!("line {number}: index {} is not in the list", made.index)),
            Some(uid) if *uid != made.uid => bad.push(format!(
                "line {number}: the list has chip {uid} at index {}, not {}",
                made.index, made.uid
            )),
            Some(_) => {}
        }
        if let Some(first) = uids.insert(made.uid, number) {
            bad.push(format!(
                "line {number}: chip {} stands in line {first} already",
                made.uid
            ));
        }
        if good.insert(made.index, made).is_some() {
            bad.push(format!("line {number}: its index stands in another line already"));
        }
    }
    let lacks = list.uids.iter().filter(|(index, _)| !good.contains_key(*index));
    bad.extend(lacks.map(|(index, uid)| format!("no line for chip {uid} at index {index} of the list")));
    if bad.is_empty() {
        Ok(good.into_values().collect())
    } else {
        Err(bad)
    }
}

pub(super) fn import(arguments: &Import) -> anyhow::Result<Exit> {
    let keys = credits::open(&arguments.purse_keys, &arguments.purse_key_file)?;
    let list = ReadList::open(&arguments.list, &keys)?;
    let batch = list.list.batch;
    let same = keys
        .facts(batch)
        .is_some_and(|facts| facts.settings == list.list.settings && facts.vouchers == list.vouchers);
    anyhow::ensure!(
        same,
        "the server's keys of batch {batch} are for other settings than the list; nothing was imported"
    );
    let text = std::fs::read_to_string(&arguments.bands)
        .with_context(|| format!("{} cannot be read", arguments.bands.display()))?;
    let bands = match read_bands(&text, &list) {
        Ok(bands) => bands,
        Err(bad) => {
            for why in bad.iter().take(NAMED_MAX) {
                eprintln!("{}: {why}", arguments.bands.display());
            }
            if let Some(more) = bad.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
                eprintln!("and {more} more");
            }
            eprintln!(
                "Nothing was imported. Put the file right, or take the one of the encoder's folder, and import again."
            );
            return Ok(Exit::Found);
        }
    };
    let mut books = Books::open(&arguments.flags)?;
    books.note("batch.import", batch, &format!("{} wristbands", bands.len()))?;
    let tags: Vec<Enrolment> = bands
        .iter()
        .map(|made| Enrolment {
            tag: made.uid.tag(),
            label: Some(Label::new(made.uid.tag(), &made.number, &made.pin)),
        })
        .collect();
    books.change(
        batch,
        BatchChange::List {
            list: list.list,
            vouchers: list.vouchers,
        },
    )?;
    books.settle(Request::Enrol { batch, tags })?;
    if arguments.json {
        println!("{}", serde_json::json!({ "batch": batch, "wristbands": bands.len() }));
    } else {
        println!(
            "Batch {batch}: {} wristbands are in the books, the list is signed by the event's key.",
            bands.len()
        );
    }
    Ok(Exit::Done)
}

/// Arguments of `switch-batch`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Switch {
    #[command(flatten)]
    flags: Flags,
    /// Which batch.
    #[arg(long, value_name = "N")]
    batch: u16,
    /// Do it. There is no way back.
    #[arg(long)]
    yes: bool,
}

pub(super) fn switch(arguments: &Switch) -> anyhow::Result<Exit> {
    if !arguments.yes {
        println!(
            "Batch {}: the server would decide what its wristbands have; tills without network would sell within the offline limits only. Nothing was changed. The same with --yes does it; there is no way back.",
            arguments.batch
        );
        return Ok(Exit::Found);
    }
    let mut books = Books::open(&arguments.flags)?;
    books.note("batch.switch", arguments.batch, "to the server")?;
    books.change(arguments.batch, BatchChange::ToServer)?;
    let purses = books.take_over(arguments.batch)?;
    println!(
        "Batch {}: the server decides; {purses} purses were taken over.",
        arguments.batch
    );
    Ok(Exit::Done)
}

/// Arguments of `freeze`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Freeze {
    #[command(flatten)]
    flags: Flags,
    /// Which batch.
    #[arg(long, value_name = "N")]
    batch: u16,
    /// Thaw it again.
    #[arg(long)]
    off: bool,
}

pub(super) fn freeze(arguments: &Freeze) -> anyhow::Result<Exit> {
    let mut books = Books::open(&arguments.flags)?;
    let what = if arguments.off { "batch.thaw" } else { "batch.freeze" };
    books.note(what, arguments.batch, "desks' chain")?;
    books.change(arguments.batch, BatchChange::FreezeDesks(!arguments.off))?;
    println!(
        "Batch {}: credits of the desks count {}.",
        arguments.batch,
        if arguments.off {
            "again"
        } else {
            "only as far as the server has seen them; desks cannot add money without network"
        }
    );
    Ok(Exit::Done)
}

/// Arguments of `revoke`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    flags: Flags,
    /// Which batch.
    #[arg(long, value_name = "N")]
    batch: u16,
    /// Do it. There is no way back.
    #[arg(long)]
    yes: bool,
}

pub(super) fn revoke(arguments: &Revoke) -> anyhow::Result<Exit> {
    if !arguments.yes {
        println!(
            "Batch {}: no till would open its wristbands any more; they would be ids, and the server would decide what they have. Nothing was changed. The same with --yes does it; there is no way back.",
            arguments.batch
        );
        return Ok(Exit::Found);
    }
    let mut books = Books::open(&arguments.flags)?;
    books.note("batch.revoke", arguments.batch, "keys known to strangers")?;
    books.change(arguments.batch, BatchChange::Revoke)?;
    let purses = books.take_over(arguments.batch)?;
    println!(
        "Batch {} is withdrawn; {purses} purses were taken over by the server.",
        arguments.batch
    );
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use shared_protocol::ids::Bytes;
    use shared_protocol::purse::{BatchList, PurseSettings, Uid};

    use super::*;

    fn list(count: u8) -> ReadList {
        ReadList {
            list: BatchList {
                settings: PurseSettings::usual(1),
                batch: 5,
                entries: Bytes(vec![1; usize::from(count) * 12]),
            },
            vouchers: Vec::new(),
            uids: (0..count)
                .map(|index| (u16::from(index), Uid([4, 0, 0, 0, 0, 0, index])))
                .collect(),
        }
    }

    #[test]
    fn every_bad_line_is_named_and_none_is_taken() {
        let text = "index,uid,number,pin\n0,04000000000000,000001,K7WM\n1,0400000000000,000002,K7WM\n2,04000000000009,000003,K7WM\n2,04000000000000,000003,K7WM\n9,04000000000009,000010,K7WM\nx\n";
        let bad = read_bands(text, &list(4)).unwrap_err().join("\n");
        for wanted in [
            "line 3: the uid",
            "line 4: the list has chip 04000000000002 at index 2",
            "line 5: chip 04000000000000 stands in line 2",
            "line 5: its index stands",
            "line 6: index 9 is not in the list",
            "line 7: it does not have the four fields",
            "no line for chip 04000000000003 at index 3",
        ] {
            assert!(bad.contains(wanted), "{wanted}\n{bad}");
        }
    }

    #[test]
    fn a_file_without_its_first_line_is_read_too() {
        let text = "0,04000000000000,000001,K7WM\n1,04000000000001,000002,K7WM\n";
        assert_eq!(read_bands(text, &list(2)).unwrap().len(), 2);
    }
}
