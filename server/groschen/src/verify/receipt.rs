//! `groschen verify receipt`: codes of receipts.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use ::verify::receipt::judge;
use anyhow::Context as _;
use pages::{Language, both};

use crate::Exit;

/// Shown with the help.
pub(super) const EXAMPLES: &str = "Examples:
  groschen verify receipt < codes.txt                       whether each code agrees with the key in it
  groschen verify receipt --tse 82aa74de…2870 < codes.txt   whether it is one of this TSE, too
  groschen receipt --all --qr --data festival | groschen verify receipt

Exit codes: 0 every code holds, 1 some do not, 2 there was nothing to read.";

/// Arguments of `verify receipt`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    /// The serial number of a TSE you know, 64 hexadecimal digits; may be given more than once. Without one, a code that holds only agrees with itself.
    #[arg(long, value_name = "SERIAL", value_parser = serial)]
    tse: Vec<[u8; 32]>,
    /// Write a JSON object for each code, one a line. Its texts are English.
    #[arg(long)]
    json: bool,
    /// Language; taken from LANG when not given.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

fn serial(text: &str) -> Result<[u8; 32], String> {
    shared_protocol::ids::parse_hex(&text.to_ascii_lowercase())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "a serial number has 64 hexadecimal digits".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    if stdin().is_terminal() {
        eprintln!("Paste codes, one a line, and end with Ctrl-D.");
    }
    let words = arguments.language;
    let (mut codes, mut wrong) = (0_u64, 0_u64);
    for (number, line) in stdin().lock().split(b'\n').enumerate() {
        let line = line.context("the standard input cannot be read")?;
        let code = String::from_utf8_lossy(&line);
        if code.trim().is_empty() {
            continue;
        }
        let place = both!("Zeile {}", "line {}", number + 1);
        let verdict = judge(place.clone(), &code, &arguments.tse);
        codes += 1;
        wrong += u64::from(!verdict.holds);
        if arguments.json {
            println!("{}", serde_json::json!({ "place": place.en, "verdict": verdict }));
        } else {
            print!("{}\n{}", place.of(words), verdict.told(words));
        }
    }
    if codes == 0 {
        eprintln!("groschen: there was no code on the standard input");
        return Ok(Exit::Usage);
    }
    if !arguments.json {
        let hold = codes - wrong;
        let said = both!("{hold} von {codes} Codes stimmen.", "{hold} of {codes} codes hold.");
        println!("{}", said.of(words));
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Found })
}
