//! `groschen procedures`: the documentation of procedures (Verfahrensdokumentation, `GoBD`) as far as a program can write it, from the settings in force.
//!
//! | file | what |
//! |---|---|
//! | `facts` | what is read from the database and the settings |
//! | `content`, `operation` | the chapters, in German and English |
//! | `form` | the document as text, HTML and PDF |
//!
//! What must never happen here: a word that something complies, a secret, or the name of a person beside what the history of taxes says. What the operator
//! has to write stands in a chapter of its own.

mod content;
mod facts;
mod form;
mod operation;

use std::path::PathBuf;

use anyhow::Context as _;
use pages::Language;

use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};
pub use facts::Facts;
pub use form::Form;

/// Arguments of `procedures`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// In this language; the tax office reads German.
    #[arg(long, value_enum, default_value_t = Language::De)]
    language: Language,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Form::Html)]
    form: Form,
    /// Check the whole journal first and put the result in; this reads every row.
    #[arg(long)]
    audit: bool,
    /// The file to write; one that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let facts = Facts::read(&settings, arguments.audit)?;
    let bytes = made(&facts, arguments.language, arguments.form);
    write_new(&arguments.out, &bytes)?;
    println!(
        "{} is written; what your festival does beside the program is yours to write, the last chapter names it.",
        arguments.out.display()
    );
    Ok(Exit::Done)
}

/// The document in a form.
pub fn made(facts: &Facts, words: Language, form: Form) -> Vec<u8> {
    form.render(&content::document(facts, words), words)
}

/// A new file; one that is there is left alone.
pub(crate) fn write_new(path: &std::path::Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create_new(path).with_context(|| {
        format!(
            "{} cannot be made; one that is there is not overwritten",
            path.display()
        )
    })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The documents of a server, for its console.
#[derive(Debug)]
pub struct OfServer(Settings);

impl OfServer {
    /// With the settings of that server.
    pub fn new(settings: &Settings) -> Self {
        Self(settings.clone())
    }
}

impl console::Papers for OfServer {
    fn procedures(&self, words: Language, form: &str) -> Result<Option<console::Paper>, String> {
        let Ok(form) = <Form as clap::ValueEnum>::from_str(form, false) else {
            return Ok(None);
        };
        let facts = Facts::read(&self.0, false).map_err(|error| format!("{error:#}"))?;
        Ok(Some(console::Paper {
            name: format!("procedures-{}.{}", words.code(), form.suffix()),
            media: form.media(),
            bytes: made(&facts, words, form),
        }))
    }
}

/// A document: a title and chapters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    pub title: String,
    pub chapters: Vec<Chapter>,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chapter {
    pub heading: String,
    pub blocks: Vec<Block>,
}

/// A part of a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// Points.
    List(Vec<String>),
    /// Names of columns, and rows of as many cells.
    Table(Vec<String>, Vec<Vec<String>>),
}

#[cfg(test)]
mod tests;
