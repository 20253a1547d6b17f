//! Real exports of certified devices and of vendors' test systems, each judged as its own README says. They are not in the repository.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use verify::chain::Trust;
use verify::{Code, Options, Report, Severity, receipt};

use crate::archive::{complete, found, places};

/// The folder of samples, or word past the test runner, which shows nothing of a test that passes.
fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/tse-exports");
    if folder.is_dir() {
        return Some(folder);
    }
    let _seen = writeln!(
        std::io::stderr(),
        "SKIPPED: the exports of real TSEs (shared/tse-exports) are not here"
    );
    None
}

fn judge(path: &Path, options: &Options) -> Report {
    verify::judge(std::fs::read(path).unwrap().as_slice(), options)
}

fn archives(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut archives: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "tar"))
        .collect();
    archives.sort();
    assert!(!archives.is_empty(), "{}", folder.display());
    archives
}

fn is(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|file| file == name)
}

fn wrong(report: &Report) -> u64 {
    report.keys.iter().map(|key| key.wrong + key.unchecked).sum()
}

#[test]
fn real_exports_hold_and_what_they_lack_is_told() {
    let Some(folder) = samples() else { return };
    // Filtered exports, a first signature used up, and a vendor's test authority under a name that is not its key's hash.
    let allowed: BTreeSet<&str> = ["begins-late", "counter-gap", "certificate-name"].into();
    let whole = archives(&folder.join("valid"))
        .into_iter()
        .filter(|path| !is(path, "softwareUpdate.tar"));
    let mut complete_ones = 0;
    for path in whole {
        let report = judge(&path, &Options::default());
        assert!(report.holds, "{}: {report}", path.display());
        assert_eq!(wrong(&report), 0, "{}", path.display());
        assert!(report.messages > 0 && report.not_judged == 0, "{}", path.display());
        assert!(
            found(&report).iter().all(|code| allowed.contains(code)),
            "{}: {report}",
            path.display()
        );
        assert!(
            report.keys.iter().all(|key| key.trust == Trust::OwnRoot),
            "{}",
            path.display()
        );
        complete_ones += u64::from(judge(&path, &complete()).holds);
    }
    assert_eq!(
        complete_ones, 3,
        "these begin with counter 2 at the latest and have no gap"
    );
}

#[test]
fn an_export_with_signatures_that_nobody_could_verify_is_not_passed() {
    let Some(folder) = samples() else { return };
    let report = judge(&folder.join("valid/softwareUpdate.tar"), &Options::default());
    // What the old firmware logged names the new P-384 key, and does not hold with it: counters 4 to 19. The certificate of an authority on a curve
    // that no library has is a warning of its own; no message names its key, so it excuses none.
    assert_eq!(
        found(&report),
        ["signature-wrong", "key-unsupported", "counter-gap"],
        "{report}"
    );
    assert_eq!((report.keys[0].valid, report.keys[0].wrong), (9, 16));
    let named: BTreeSet<u64> = places(&report, Code::SignatureWrong)
        .iter()
        .filter_map(|place| place.split("Sig-").nth(1)?.split('_').next()?.parse().ok())
        .collect();
    assert_eq!(named, (4..=19).collect());
    let unsupported = report
        .findings
        .iter()
        .find(|finding| finding.code == Code::KeyUnsupported)
        .unwrap();
    assert!(unsupported.what.en.contains("c2tnb191v1") && unsupported.severity == Severity::Warning);
}

#[test]
fn gaps_are_warnings_and_errors_where_nothing_may_be_missing() {
    let Some(folder) = samples() else { return };
    for path in archives(&folder.join("incomplete")) {
        let report = judge(&path, &Options::default());
        assert!(report.holds && wrong(&report) == 0, "{}: {report}", path.display());
        assert_eq!(found(&report), ["counter-gap", "start-missing"]);
        assert_eq!(report.count(Code::CounterGap), 3);
        assert!(!judge(&path, &complete()).holds);
    }
}

#[test]
fn one_changed_bit_is_an_error_that_names_the_message() {
    let Some(folder) = samples() else { return };
    for path in archives(&folder.join("invalid")) {
        let report = judge(&path, &Options::default());
        assert!(!report.holds, "{}", path.display());
        assert_eq!(report.errors, 1, "{report}");
        let place = places(&report, Code::SignatureWrong);
        assert!(place[0].contains("Sig-717_Log-Tra_No-230_Finish"), "{place:?}");
    }
}

#[test]
fn the_demonstration_holds_up_to_its_root_and_so_do_its_receipts() {
    let Some(folder) = samples() else { return };
    let root = std::fs::read(folder.join("demo-bp384.root.cer")).unwrap();
    let options = Options {
        roots: verify::Certificate::read_all(&root).unwrap(),
        ..complete()
    };
    let report = judge(&folder.join("demo-bp384.tar"), &options);
    assert!(report.holds && found(&report).is_empty(), "{report}");
    assert_eq!(
        (report.messages, report.transactions, report.keys[0].trust),
        (8, 3, Trust::GivenRoot)
    );
    let codes = std::fs::read_to_string(folder.join("demo-bp384.qr.txt")).unwrap();
    for (line, code) in codes.lines().enumerate() {
        let verdict = receipt::judge(format!("line {}", line + 1), code, &[]);
        assert!(verdict.holds && verdict.serial == report.keys[0].serial, "{verdict}");
    }
    let changed = receipt::judge("line 1", &codes.lines().next().unwrap().replace("4.50", "4.51"), &[]);
    assert!(!changed.holds);
}

#[test]
fn the_outside_verifier_counts_the_same_signatures_on_every_sample() {
    let Some(folder) = samples() else { return };
    let mut paths = vec![folder.join("demo-bp384.tar")];
    for part in ["valid", "incomplete", "invalid"] {
        paths.extend(archives(&folder.join(part)));
    }
    for path in paths {
        let Some(other) = judges::tse_export(&std::fs::read(&path).unwrap()) else {
            return;
        };
        let ours = judge(&path, &Options::default());
        let (hold, do_not): (u64, u64) = (
            ours.keys.iter().map(|key| key.valid).sum(),
            ours.keys.iter().map(|key| key.wrong).sum(),
        );
        assert_eq!(
            (hold, do_not),
            (other.hold, other.do_not),
            "{}: {}",
            path.display(),
            other.text
        );
    }
}
