//! Whether an archive is still what was made, and holds.

use std::fs::{self, File};
use std::path::Path;

use anyhow::Context as _;
use store_sqlite::SqliteReader;
use verify::{Certificate, Options, Severity};

use super::list;
use super::{DATABASE, DEVICES, DSFINVK, NOTIFICATION, TSE};
use crate::audit;
use exports::ExportFolder;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Found {
    /// What holds.
    pub holds: Vec<String>,
    /// What does not.
    pub faults: Vec<String>,
}

impl Found {
    fn say(&mut self, holds: bool, what: String) {
        if holds { &mut self.holds } else { &mut self.faults }.push(what);
    }
}

pub(super) fn check(folder: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
    compare(folder, &mut found)?;
    books(folder, &mut found)?;
    for part in folders(&folder.join(DSFINVK))? {
        let report = ::dsfinvk::check(&ExportFolder::read(&part)?);
        let what = format!(
            "{}: {} errors, {} warnings",
            name(folder, &part),
            report.errors,
            report.warnings
        );
        found.say(report.holds(), what);
    }
    logs(folder, &mut found)?;
    for file in files(&folder.join(NOTIFICATION), "xml")? {
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        // What nobody entered is missing there, and the file names it; anything else is a fault.
        let faults = fiscal::notification::check(&text);
        let odd = faults
            .iter()
            .filter(|fault| !fault.says.ends_with("is missing"))
            .count();
        found.say(
            odd == 0,
            format!(
                "{}: {odd} faults, {} values missing",
                name(folder, &file),
                faults.len() - odd
            ),
        );
    }
    Ok(found)
}

fn compare(folder: &Path, found: &mut Found) -> anyhow::Result<()> {
    let (listed, there) = (list::read(folder)?, list::files(folder)?);
    for (path, digest) in &listed {
        match there.get(path) {
            None => found.faults.push(format!("{path} is not there any more")),
            Some(now) if now != digest => found.faults.push(format!("{path} was changed")),
            Some(_) => {}
        }
    }
    let added = there.keys().filter(|path| !listed.contains_key(*path));
    found.faults.extend(added.map(|path| format!("{path} was added")));
    if found.faults.is_empty() {
        found
            .holds
            .push(format!("{} files are as they were listed", listed.len()));
    }
    Ok(())
}

/// The journal of the copy. It is read elsewhere: readers of a database keep files beside it.
fn books(folder: &Path, found: &mut Found) -> anyhow::Result<()> {
    let path = folder.join(DATABASE);
    if !path.exists() {
        return Ok(());
    }
    let beside = tempfile::tempdir().context("a temporary folder cannot be made")?;
    let copy = beside.path().join("groschen.db");
    fs::copy(&path, &copy).with_context(|| format!("{} cannot be read", path.display()))?;
    match SqliteReader::open(&copy, None)
        .map_err(anyhow::Error::from)
        .and_then(|mut reader| audit::check(&mut reader))
    {
        Ok(findings) => {
            let what = format!(
                "{DATABASE}: {} journal rows, {} faults",
                findings.rows, findings.faults_total
            );
            found.say(findings.clean(), what);
        }
        Err(error) => found.faults.push(format!("{DATABASE}: {error:#}")),
    }
    Ok(())
}

fn logs(folder: &Path, found: &mut Found) -> anyhow::Result<()> {
    let at = folder.join(TSE);
    let mut options = Options {
        complete: true,
        roots: Vec::new(),
    };
    for root in files(&at, "cer")? {
        let bytes = fs::read(&root).with_context(|| format!("{} cannot be read", root.display()))?;
        match Certificate::read_all(&bytes) {
            Ok(certificates) => options.roots.extend(certificates),
            Err(error) => found.faults.push(format!("{}: {error}", name(folder, &root))),
        }
    }
    // A device may have signed something before anything here, and vouches for itself with a root that is not in the archive.
    let of_devices = files(&folder.join(DEVICES), "tar")?.into_iter();
    let of_devices = of_devices.map(|log| (log, Options::default()));
    let of_software = files(&at, "tar")?.into_iter().map(|log| (log, options.clone()));
    for (log, options) in of_software.chain(of_devices) {
        let file = File::open(&log).with_context(|| format!("{} cannot be read", log.display()))?;
        let report = ::verify::judge(file, &options);
        let name = name(folder, &log);
        let error = report.findings.iter().find(|one| one.severity == Severity::Error);
        found.say(
            report.holds,
            match error {
                Some(error) => format!(
                    "{name}: {}: {}; `groschen verify tse` says all",
                    error.place.en, error.what.en
                ),
                None if report.holds => format!("{name}: every signature and counter holds"),
                None => format!("{name}: it does not hold; `groschen verify tse` says why"),
            },
        );
    }
    Ok(())
}

/// A path within the archive.
fn name(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

fn entries(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths = read
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn files(folder: &Path, suffix: &str) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let fits = |path: &std::path::PathBuf| path.is_file() && path.extension().is_some_and(|is| is == suffix);
    Ok(entries(folder)?.into_iter().filter(fits).collect())
}
