//! `groschen verify dsfinvk`: reads an export in a folder, ours or anybody's, and says what an auditor's program would stumble over.

use std::path::{Path, PathBuf};

use ::dsfinvk::{Report, check};

use crate::Exit;
use exports::ExportFolder;

/// Arguments of `verify dsfinvk`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The folder with `index.xml` and the tables.
    folder: PathBuf,
    /// Write a JSON object instead of sentences.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<Exit> {
        run(&self.folder, self.json)
    }
}

/// Checks the export in a folder and prints what was found.
pub fn run(folder: &Path, json: bool) -> anyhow::Result<Exit> {
    let report = check(&ExportFolder::read(folder)?);
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", told(&report));
    }
    Ok(if report.holds() { Exit::Done } else { Exit::Found })
}

fn told(report: &Report) -> String {
    let mut lines = vec![format!(
        "{} closings, {} receipts, {} rows.",
        report.closings, report.receipts, report.rows
    )];
    for finding in &report.findings {
        let severity = match finding.severity {
            ::dsfinvk::check::Severity::Error => "ERROR",
            ::dsfinvk::check::Severity::Warning => "warning",
        };
        let place = match finding.line {
            Some(line) => format!("{}:{line}", finding.file),
            None => finding.file.clone(),
        };
        lines.push(format!("{severity} {} {place}: {}", finding.code, finding.what));
        lines.push(format!("    because {}", finding.why));
    }
    for (code, count) in &report.counts {
        let told = report.findings.iter().filter(|finding| finding.code == *code).count() as u64;
        if *count > told {
            lines.push(format!("… {code} was found {count} times in all."));
        }
    }
    lines.push(if report.errors == 0 && report.warnings == 0 {
        "Nothing was found by these checks. They are not the tax administration's own.".to_owned()
    } else {
        format!("{} errors, {} warnings.", report.errors, report.warnings)
    });
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dsfinvk/festival")
    }

    #[test]
    fn the_golden_export_has_nothing_to_find() {
        assert_eq!(run(&golden(), false).unwrap(), Exit::Done);
        assert_eq!(run(&golden(), true).unwrap(), Exit::Done);
    }

    #[test]
    fn a_missing_file_is_named_with_its_rule_and_reason() {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(golden()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        std::fs::remove_file(folder.path().join("vat.csv")).unwrap();
        let report = check(&ExportFolder::read(folder.path()).unwrap());
        assert!(
            told(&report).contains("ERROR F04 vat.csv: it is not there\n    because "),
            "{}",
            told(&report)
        );
        assert_eq!(run(folder.path(), true).unwrap(), Exit::Found);
    }

    #[test]
    fn no_folder_is_said_as_such() {
        assert!(run(Path::new("no such folder"), false).is_err());
    }
}
