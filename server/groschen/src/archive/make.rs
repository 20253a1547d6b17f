//! Making an archive: first the database as it is now, then everything else from that copy, so that all of it tells one moment.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use fixtures::sample;
use pages::Language;
use pages::format::Clock;
use shared_protocol::config::Config;
use shared_protocol::crypto::Signer as _;
use shared_protocol::ids::hex;
use shared_protocol::stream::{Stream, Version};
use store::{Reader, TseRow};
use store_sqlite::SqliteReader;

use super::list::{self, MANIFEST};
use super::{DATABASE, DEVICES, DSFINVK, NOTIFICATION, TSE, devices, readme};
use crate::export;
use crate::keys::config_key;
use crate::procedures::{self, Facts, Form, write_new};
use crate::settings::Settings;

/// Revisions of the configuration that are looked for in each generation.
const REVISIONS_MAX: u64 = 100_000;

/// What was made.
pub(super) struct Made {
    pub files: usize,
    /// What is not in it, and why.
    pub notes: Vec<String>,
}

pub(super) fn make(settings: &Settings, out: &Path) -> anyhow::Result<Made> {
    let database = settings.database();
    ensure!(database.exists(), "there is no database at {}", database.display());
    fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    let mut inside = fs::read_dir(out).with_context(|| format!("{} cannot be read", out.display()))?;
    ensure!(
        inside.next().is_none(),
        "{} is not empty; nothing was written, name a new folder",
        out.display()
    );
    let copy = out.join(DATABASE);
    fs::create_dir_all(out.join("database"))?;
    store_sqlite::backup(&database, &copy)?;
    // Readers of a database keep files beside it: they read another copy, which goes again.
    let beside = tempfile::tempdir().context("a temporary folder cannot be made")?;
    let of_copy = Settings {
        data: beside.path().to_owned(),
        ..settings.clone()
    };
    fs::copy(&copy, of_copy.database()).context("the copy of the database cannot be read")?;
    let mut reader = of_copy.reader()?;
    let mut notes = Vec::new();
    dsfinvk(&of_copy, settings, out, &mut notes)?;
    tse(&mut reader, settings, out, &mut notes)?;
    for (path, missing) in export::notification::write(&mut reader, &out.join(NOTIFICATION))? {
        if !missing.is_empty() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            notes.push(format!(
                "{NOTIFICATION}/{name} lacks {} values, which it names itself",
                missing.len()
            ));
        }
    }
    configurations(&mut reader, out)?;
    outages(&mut reader, out)?;
    let facts = Facts::read(&of_copy, true)?;
    let folder = out.join("procedures");
    fs::create_dir_all(&folder)?;
    for words in [Language::De, Language::En] {
        for form in [Form::Html, Form::Text, Form::Pdf] {
            let name = format!("procedures-{}.{}", words.code(), form.suffix());
            write_new(&folder.join(name), &procedures::made(&facts, words, form))?;
        }
    }
    keys(settings, out, &mut notes)?;
    write_new(&out.join("README.md"), readme::text(&facts, &notes).as_bytes())?;
    let files = list::files(out)?;
    write_new(&out.join(MANIFEST), list::text(&files).as_bytes())?;
    Ok(Made {
        files: files.len() + 1,
        notes,
    })
}

fn dsfinvk(of_copy: &Settings, settings: &Settings, out: &Path, notes: &mut Vec<String>) -> anyhow::Result<()> {
    let reader: SqliteReader = of_copy.reader()?;
    if !settings.data.join("tse.key").exists() {
        notes.push("no DSFinV-K: tse.key is not there, by which wristbands are named".to_owned());
    } else if export::dsfinvk::write_all(reader, settings, &out.join(DSFINVK))? == 0 {
        notes.push("no DSFinV-K: no event day was closed yet".to_owned());
    }
    Ok(())
}

fn tse(reader: &mut dyn Reader, settings: &Settings, out: &Path, notes: &mut Vec<String>) -> anyhow::Result<()> {
    let (own, others): (Vec<_>, Vec<_>) = reader.tses()?.into_iter().partition(TseRow::is_in_software);
    devices::logs(reader, &others, &settings.data, &out.join(DEVICES), notes)?;
    if own.is_empty() {
        return Ok(());
    }
    if !settings.data.join("tse.key").exists() {
        notes.push("no logs of TSEs in software: tse.key is not there, which signs them".to_owned());
        return Ok(());
    }
    let folder = out.join(TSE);
    fs::create_dir_all(&folder)?;
    export::tse::write_all(reader, &own, settings, &folder)?;
    Ok(())
}

/// Every revision of the configuration, readable without the program.
fn configurations(reader: &mut dyn Reader, out: &Path) -> anyhow::Result<()> {
    let folder = out.join("configuration");
    fs::create_dir_all(&folder)?;
    let newest = reader.stream(sample::EVENT, Stream::Config, None)?;
    let Some(newest) = newest.map(|copy| copy.version) else {
        return Ok(());
    };
    for generation in 0..=newest.generation {
        let mut seen = false;
        for rev in 0..REVISIONS_MAX {
            if generation == newest.generation && rev > newest.rev {
                break;
            }
            let version = Version { generation, rev };
            let copy = reader.stream(sample::EVENT, Stream::Config, Some(version))?;
            match copy.and_then(|copy| Config::read(&copy).ok()) {
                Some(config) => {
                    seen = true;
                    let name = format!("revision-{generation}-{rev}.txt");
                    write_new(&folder.join(name), format!("{config:#?}\n").as_bytes())?;
                }
                // Numbers of a generation that is over have no gap.
                None if seen && generation != newest.generation => break,
                None if rev > 1 && !seen && generation != newest.generation => break,
                None => {}
            }
        }
    }
    Ok(())
}

/// The log of outages (AEAO to § 146a, nos. 1.14 and 2.7), as CSV.
fn outages(reader: &mut dyn Reader, out: &Path) -> anyhow::Result<()> {
    let clock = Clock::new("UTC", Language::En);
    let mut csv = String::from("id;tse;till;from;until;reason\r\n");
    for row in reader.outages(0, u64::MAX)? {
        let reason = row.reason.replace('"', "\"\"").replace(['\r', '\n'], " ");
        // Writing to a string cannot fail.
        let _written = write!(
            csv,
            "{};{};{};{};{};\"{reason}\"\r\n",
            row.id,
            row.tse.map_or_else(String::new, |tse| tse.0.to_string()),
            row.client.unwrap_or_default(),
            clock.iso(row.from_ms),
            row.until_ms.map_or_else(String::new, |until| clock.iso(until)),
        );
    }
    write_new(&out.join("outages.csv"), csv.as_bytes())
}

/// Public keys that are needed to check what is in here.
fn keys(settings: &Settings, out: &Path, notes: &mut Vec<String>) -> anyhow::Result<()> {
    if !settings.data.join("config.key").exists() {
        notes.push("no public key of the event: config.key is not there".to_owned());
        return Ok(());
    }
    let key = config_key(&settings.data)?.public_key();
    let folder = out.join("keys");
    fs::create_dir_all(&folder)?;
    let text = format!("{:?} {}\n", key.algorithm, hex(&key.bytes.0));
    write_new(&folder.join("event-public-key.txt"), text.as_bytes())
}
