//! Outside judges: programs that share no line with this project and say whether what it makes is right. They lie beside the repository; a test that
//! asks one which is not there is told so, loudly, and goes on without.
//!
//! What must never live here: a judgement of our own.
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "for tests; a judge that is there and cannot be asked fails the test"
)]

pub mod fiscal_export;
pub mod spreadsheet;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether the library that the verifiers stand on is here.
fn has_cryptography() -> bool {
    let library = Command::new("python3")
        .args(["-c", "import cryptography"])
        .stderr(Stdio::null())
        .status();
    library.is_ok_and(|status| status.success())
}

/// Says so past the test runner, which shows nothing of a test that passes.
pub(crate) fn skipped(why: &str) {
    let _seen = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// What an outside verifier says of receipt codes (V0), one line each: `(True, …)` for one whose signature holds. Nothing when it is not here.
pub fn receipt_codes(codes: &str) -> Option<Vec<String>> {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/judges/qr_verify.py");
    if !judge.exists() || !has_cryptography() {
        skipped(
            "the outside verifier of receipt codes (shared/judges/qr_verify.py with python3-cryptography) is not here",
        );
        return None;
    }
    // From a file: a pipe could fill up on both sides at once.
    let input = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(input.path(), codes).expect("a temporary file");
    let input = std::fs::File::open(input.path()).expect("the file just written");
    let output = Command::new("python3")
        .arg(judge)
        .stdin(input)
        .output()
        .expect("python3 starts");
    let text = String::from_utf8(output.stdout).expect("text");
    Some(text.lines().map(str::to_owned).collect())
}

/// What the outside verifier says of an export.
#[derive(Debug)]
pub struct ExportVerdict {
    /// Messages whose signature holds.
    pub hold: u64,
    /// Messages whose signature does not hold, or that it cannot read or check.
    pub do_not: u64,
    /// Its own words.
    pub text: String,
}

/// What an outside verifier says of a TSE's export. Nothing when it is not here.
pub fn tse_export(archive: &[u8]) -> Option<ExportVerdict> {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/judges/tse_tar_verify.py");
    if !judge.exists() || !has_cryptography() {
        skipped(
            "the outside verifier of exports (shared/judges/tse_tar_verify.py with python3-cryptography) is not here",
        );
        return None;
    }
    let input = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(input.path(), archive).expect("a temporary file");
    let output = Command::new("python3")
        .args(["-W", "ignore"])
        .arg(judge)
        .arg(input.path())
        .output()
        .expect("python3 starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // A line of counts: `{('Sys', 'BAD'): 16, ('Aud', 'dtbs_tlv'): 2, 'nocert': 1}`. The signed bytes it calls `dtbs_tlv` are those of the standard.
    let counts = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with('{'))
        .unwrap_or("");
    let (mut hold, mut do_not) = (0, 0);
    for (at, _) in counts.match_indices(": ") {
        let (before, after) = (&counts[..at], &counts[at + 2..]);
        let digits = after.split(|letter: char| !letter.is_ascii_digit()).next();
        let number: u64 = digits.and_then(|digits| digits.parse().ok()).expect("a count");
        if before.ends_with("'dtbs_tlv')") {
            hold += number;
        } else {
            do_not += number;
        }
    }
    assert!(
        hold + do_not > 0,
        "the outside verifier said nothing that can be read:\n{text}"
    );
    Some(ExportVerdict { hold, do_not, text })
}
