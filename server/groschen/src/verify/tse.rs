//! `groschen verify tse`: exports of TSEs.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use ::verify::{Certificate, Options};
use pages::Language;

use crate::Exit;
use crate::progress::Progress;

/// Shown with the help.
pub(super) const EXAMPLES: &str = "Examples:
  groschen verify tse export.tar                      what holds, what does not, and why it matters
  groschen verify tse export.tar --root root.cer      whether an authority you trust stands behind the key
  groschen verify tse *.tar --complete --json         nothing may be missing; one JSON object a line

Exit codes: 0 everything holds (there may be warnings), 1 something does not, 2 a file cannot be read.";

/// Arguments of `verify tse`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    /// Exports.
    #[arg(required = true, value_name = "FILE.tar")]
    files: Vec<PathBuf>,
    /// Nothing may be missing: gaps in counters are errors, and no warnings.
    #[arg(long)]
    complete: bool,
    /// A root that is trusted, as a certificate in DER or PEM; may be given more than once.
    #[arg(long, value_name = "CERT")]
    root: Vec<PathBuf>,
    /// Write a JSON object for each file, one a line. Its texts are English.
    #[arg(long)]
    json: bool,
    /// Language; taken from LANG when not given.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

/// A file that shows how far it was read.
struct Shown {
    file: File,
    read: u64,
    progress: Progress,
}

impl Read for Shown {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        self.progress.at(self.read);
        Ok(count)
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut options = Options {
        complete: arguments.complete,
        roots: Vec::new(),
    };
    for path in &arguments.root {
        let certificates = std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Certificate::read_all(&bytes).map_err(|error| error.to_string()));
        match certificates {
            Ok(certificates) => options.roots.extend(certificates),
            Err(error) => {
                eprintln!("groschen: {} cannot be used as a root: {error}", path.display());
                return Exit::Usage;
            }
        }
    }
    // All are opened before the first is judged: a name that was mistyped is told at once.
    let mut files = Vec::new();
    for path in &arguments.files {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((about, file)) if !about.is_dir() => files.push((path, file, about.len())),
            Ok(_) => {
                eprintln!("groschen: {} is a folder; give the archive itself", path.display());
                return Exit::Usage;
            }
            Err(error) => {
                eprintln!("groschen: {} cannot be read: {error}", path.display());
                return Exit::Usage;
            }
        }
    }
    let mut holds = true;
    for (path, file, bytes) in files {
        let shown = Shown {
            file,
            read: 0,
            progress: Progress::new(arguments.language.of("prüft", "checking"), bytes),
        };
        let report = ::verify::judge(shown, &options);
        holds &= report.holds;
        if arguments.json {
            let line = serde_json::json!({ "file": path.display().to_string(), "report": report });
            println!("{line}");
        } else {
            println!("{}\n{}", path.display(), report.told(arguments.language));
        }
    }
    if holds { Exit::Done } else { Exit::Found }
}
