//! A reader of spreadsheets (openpyxl, MIT): what it finds in ours is what others will.
//!
//! `scripts/test` installs it with the judges of fiscal exports; a test without it is told so.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::skipped;

/// A sheet: its name, the cell that its frozen part ends before, and its rows as text; numbers with two places, nothing for an empty cell.
pub type Sheet = (String, String, Vec<Vec<String>>);

/// Cells end with a unit separator, rows with a record separator, sheets with a group separator.
const SCRIPT: &str = r#"
import io, sys, openpyxl
book = openpyxl.load_workbook(io.BytesIO(sys.stdin.buffer.read()))
def shown(value):
    if value is None: return ""
    if isinstance(value, (int, float)): return "%.2f" % value
    return str(value)
out = []
for sheet in book.worksheets:
    rows = ["\x1f".join(shown(cell.value) for cell in row) for row in sheet.iter_rows()]
    out.append("\x1e".join([sheet.title, str(sheet.freeze_panes or "")] + rows))
sys.stdout.buffer.write("\x1d".join(out).encode())
"#;

/// The sheets of a workbook as openpyxl reads them; none where it is not here.
pub fn openpyxl(workbook: &[u8]) -> Option<Vec<Sheet>> {
    let python = crate::fiscal_export::python()?;
    let has = Command::new(&python)
        .args(["-c", "import openpyxl"])
        .stderr(Stdio::null())
        .status();
    if !has.is_ok_and(|status| status.success()) {
        skipped("the outside reader of spreadsheets (openpyxl) is not here");
        return None;
    }
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut input = child.stdin.take().expect("a pipe");
    // It reads all of it before it writes anything.
    input.write_all(workbook).expect("a spreadsheet that is read");
    drop(input);
    let output = child.wait_with_output().expect("an answer");
    assert!(output.status.success(), "openpyxl could not read it");
    let text = String::from_utf8(output.stdout).expect("text");
    let sheet = |text: &str| {
        let mut parts = text.split('\x1e');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let head = (next(), next());
        let rows = parts.map(|row| row.split('\x1f').map(str::to_owned).collect());
        (head.0, head.1, rows.collect())
    };
    Some(text.split('\x1d').map(sheet).collect())
}
