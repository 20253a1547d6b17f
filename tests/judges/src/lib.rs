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

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What an outside verifier says of receipt codes (V0), one line each: `(True, …)` for one whose signature holds. Nothing when it is not here.
pub fn receipt_codes(codes: &str) -> Option<Vec<String>> {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/judges/qr_verify.py");
    let library = Command::new("python3")
        .args(["-c", "import cryptography"])
        .stderr(Stdio::null())
        .status();
    if !judge.exists() || !library.is_ok_and(|status| status.success()) {
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

/// Says past the test runner, which shows nothing of a test that passes, that a judge was not asked.
pub(crate) fn skipped(why: &str) {
    let _seen = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
