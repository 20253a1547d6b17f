//! Two programs of others that read fiscal exports (DSFinV-K). Both end well whatever they find, so what they print is what counts.
//!
//! `scripts/test` installs them below the target folder; a test without them is told so.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skipped;

/// Where they are.
fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    target.join("tools/fiscal-judges")
}

/// The folder of their Python, where it is not only begun.
pub(crate) fn python() -> Option<PathBuf> {
    let python = folder().join("bin/python");
    if folder().join("versions").exists() && python.exists() {
        return Some(python);
    }
    skipped(
        "the outside judges of fiscal exports are not here; scripts/lib/setup.sh installs them (ensure_fiscal_judges)",
    );
    None
}

/// What the library `dsfinvk` (pretix) says of the export in a folder: nothing where it holds.
pub fn dsfinvk(export: &Path) -> Option<String> {
    let output = Command::new(python()?)
        .args(["-m", "dsfinvk.validate"])
        .arg(export)
        .output()
        .expect("Python starts");
    let said = [output.stdout, output.stderr].concat();
    let failed = if output.status.success() { "" } else { "it failed\n" };
    Some(format!("{failed}{}", String::from_utf8_lossy(&said)))
}

/// What `rulestamp-dsfinv-k-export-lint` says of the tables of an export: its findings, one a line with their file. It says of every table that it
/// looked at it; one that it does not mention is a finding, too.
pub fn rulestamp(export: &Path) -> Option<Vec<String>> {
    let python = python()?;
    let found = Command::new(&python)
        .args([
            "-c",
            "import rulestamp_dsfinv_k_export_lint as lint; print(lint.__path__[0])",
        ])
        .output()
        .expect("Python starts");
    let program = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim()).join("js/cli.js");
    let node = Command::new("node").arg("--version").output();
    if !program.exists() || !node.is_ok_and(|node| node.status.success()) {
        skipped("rulestamp's judge of fiscal exports needs node, which is not here");
        return None;
    }
    let mut tables: Vec<String> = std::fs::read_dir(export)
        .expect("an export")
        .filter_map(|file| file.expect("a file").file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "csv"))
        .collect();
    tables.sort();
    let output = Command::new("node")
        .arg(program)
        .args(&tables)
        .current_dir(export)
        // It would tell its maker that it was used.
        .envs([
            ("DO_NOT_TRACK", "1"),
            ("READYSTACK_NO_TELEMETRY", "1"),
            ("READYSTACK_NO_HINT", "1"),
        ])
        .output()
        .expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut findings = Vec::new();
    let (mut file, mut judged) = (String::new(), 0);
    for line in said.lines() {
        match line.strip_prefix("  ") {
            None => {
                line.clone_into(&mut file);
                judged += 1;
            }
            Some("(no findings)") => {}
            Some(finding) => findings.push(format!("{file}: {}", finding.trim())),
        }
    }
    if judged != tables.len() {
        findings.push(format!("{judged} of {} tables were judged: {said}", tables.len()));
    }
    Some(findings)
}
