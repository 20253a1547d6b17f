//! `groschen export notification`: tills and TSEs for the tax office.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fiscal::notification::{self, Missing};
use fiscal::tax;
use fixtures::sample;
use store::Reader;

use crate::Exit;
use crate::procedures::write_new;
use crate::settings::{Flags, ListenFlags, Settings};

/// Arguments of `export notification`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// The folder to write to; a file that is there is not overwritten.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write a JSON object for each file, one a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let written = write(&mut settings.reader()?, &arguments.out)?;
    if written.is_empty() {
        bail!("no till has been with a TSE yet: there is nothing to notify");
    }
    for (path, missing) in &written {
        if arguments.json {
            let missing: Vec<_> = missing.iter().map(lacks).collect();
            let line = serde_json::json!({ "file": path.display().to_string(), "missing": missing });
            println!("{line}");
        } else {
            println!("{}", path.display());
            for missing in missing {
                println!("  MISSING: {}", lacks(missing));
            }
        }
    }
    let is_whole = written.iter().all(|(_, missing)| missing.is_empty());
    if !is_whole && !arguments.json {
        println!("What is missing is entered on the console's page on taxes; the files say it, too.");
    }
    Ok(if is_whole { Exit::Done } else { Exit::Found })
}

/// Writes one file for each taxpayer. Gives each with what it lacks.
pub(crate) fn write(reader: &mut dyn Reader, out: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<Missing>)>> {
    let event = sample::EVENT;
    let said = tax::rows(reader, event)?;
    std::fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let mut written = Vec::new();
    for notification in notification::read(reader, event, &said)? {
        let path = out.join(format!("aufzeichnung146a-{}.xml", notification.taxpayer.id.0));
        let xml = notification::write(&notification, env!("CARGO_PKG_VERSION"));
        write_new(&path, xml.as_bytes())?;
        written.push((path, notification.missing()));
    }
    Ok(written)
}

fn lacks(missing: &Missing) -> String {
    match missing {
        Missing::Unsaid(what, serial) => format!("{} of {serial}", what.name()),
        Missing::NotCertified(serial) => {
            format!("the TSE {serial} is not certified, or the id of its certificate is not in the settings")
        }
        Missing::TaxNumber(name) => format!("the tax number (no VAT id) of {name}"),
    }
}
