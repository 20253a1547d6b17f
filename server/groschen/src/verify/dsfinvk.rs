//! `groschen verify dsfinvk`: reads an export in a folder, ours or anybody's, and says what an auditor's program would stumble over.

use std::path::{Path, PathBuf};

use ::dsfinvk::{Report, check};
use pages::{Language, both};

use crate::Exit;
use exports::ExportFolder;

/// Arguments of `verify dsfinvk`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The folder with `index.xml` and the tables.
    folder: PathBuf,
    /// Write a JSON object instead of sentences. Its texts are English.
    #[arg(long)]
    json: bool,
    /// Language; taken from LANG when not given.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

impl Arguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<Exit> {
        run(&self.folder, self.json, self.language)
    }
}

/// Checks the export in a folder and prints what was found.
pub fn run(folder: &Path, json: bool, words: Language) -> anyhow::Result<Exit> {
    let report = check(&ExportFolder::read(folder)?);
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", told(&report, words));
    }
    Ok(if report.holds() { Exit::Done } else { Exit::Found })
}

fn told(report: &Report, words: Language) -> String {
    let head = both!(
        "{} Kassenabschlüsse, {} Belege, {} Zeilen.",
        "{} closings, {} receipts, {} rows.",
        report.closings,
        report.receipts,
        report.rows
    );
    let mut lines = vec![head.of(words).to_owned()];
    for finding in &report.findings {
        let severity = match finding.severity {
            ::dsfinvk::check::Severity::Error => words.of("FEHLER", "ERROR"),
            ::dsfinvk::check::Severity::Warning => words.of("Warnung", "warning"),
        };
        let place = match finding.line {
            Some(line) => format!("{}:{line}", finding.file),
            None => finding.file.clone(),
        };
        let (what, why) = (finding.what.of(words), finding.why.of(words));
        lines.push(format!("{severity} {} {place}: {what}", finding.code));
        lines.push(format!("    {} {why}", words.of("denn", "because")));
    }
    for (code, count) in &report.counts {
        let told = report.findings.iter().filter(|finding| finding.code == *code).count() as u64;
        if *count > told {
            let said = both!(
                "… {code} gibt es insgesamt {count}-mal.",
                "… {code} was found {count} times in all."
            );
            lines.push(said.of(words).to_owned());
        }
    }
    let end = if report.errors == 0 && report.warnings == 0 {
        both!(
            "Diese Prüfungen haben nichts gefunden. Es sind nicht die der Finanzverwaltung.",
            "Nothing was found by these checks. They are not the tax administration's own."
        )
    } else {
        let (errors, warnings) = (report.errors, report.warnings);
        both!(
            "{errors} Fehler, {warnings} Warnungen.",
            "{errors} errors, {warnings} warnings."
        )
    };
    lines.push(end.of(words).to_owned());
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
        assert_eq!(run(&golden(), false, Language::De).unwrap(), Exit::Done);
        assert_eq!(run(&golden(), true, Language::En).unwrap(), Exit::Done);
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
        for (words, said) in [
            (
                Language::En,
                "ERROR F04 vat.csv: it is not there\n    because what index.xml",
            ),
            (
                Language::De,
                "FEHLER F04 vat.csv: sie ist nicht da\n    denn was index.xml",
            ),
        ] {
            let told = told(&report, words);
            assert!(told.contains(said), "{told}");
        }
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["findings"][0]["what"], "it is not there", "programs read English");
        assert_eq!(json["findings"][0]["why"], "what index.xml declares has to be there");
        assert_eq!(run(folder.path(), true, Language::De).unwrap(), Exit::Found);
    }

    #[test]
    fn no_folder_is_said_as_such() {
        assert!(run(Path::new("no such folder"), false, Language::En).is_err());
    }
}
