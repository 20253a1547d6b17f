//! An upload: into a file without a name, then judged as what its first bytes say it is.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use axum::extract::Multipart;
use dsfinvk::check::Severity;
use exports::{ExportFolder, Limits, UnpackError, exports_in, unpack};
use maud::{Markup, html};
use pages::Language;
use pages::format::count;
use shared_protocol::catalogue::Text;
use verify::{Options, Report};

use super::{broken_off, finding, found, headline};
use crate::fault::Fault;

/// Bytes that are gathered before they are written.
const PART_BYTES: usize = 1024 * 1024;
/// How a ZIP archive begins.
const ZIP_MARK: [u8; 4] = *b"PK\x03\x04";
/// Certificates of a chain that are shown.
const KEYS_MAX: usize = 20;

pub(super) fn no_file() -> Fault {
    Fault::refused(
        "Es kam keine Datei an. Wähl ein TAR- oder ZIP-Archiv aus.",
        "No file arrived. Choose a TAR or ZIP archive.",
    )
}

/// What somebody brought.
pub(super) struct Upload {
    file: File,
    name: String,
    bytes: u64,
}

/// Takes the first file of a form that holds something.
pub(super) async fn take(mut parts: Multipart) -> Result<Upload, Fault> {
    loop {
        let next = parts.next_field().await.map_err(|error| broken_off(error.status()))?;
        let Some(mut part) = next else { return Err(no_file()) };
        let name = part.file_name().unwrap_or("?").chars().take(100).collect::<String>();
        let mut upload = Upload {
            file: tempfile::tempfile().map_err(|error| unwritable(&error))?,
            name,
            bytes: 0,
        };
        let mut gathered = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(|error| broken_off(error.status()))? {
            gathered.extend_from_slice(&chunk);
            if gathered.len() >= PART_BYTES {
                upload = upload.with(std::mem::take(&mut gathered)).await?;
            }
        }
        upload = upload.with(gathered).await?;
        if upload.bytes > 0 {
            return Ok(upload);
        }
    }
}

fn unwritable(error: &io::Error) -> Fault {
    tracing::error!(%error, "an upload cannot be written");
    Fault::refused(
        "Die Datei ließ sich auf dem Server nicht ablegen; vielleicht ist seine Platte voll. Nichts ist geprüft.",
        "The file could not be put down on the server; its disk may be full. Nothing was checked.",
    )
}

impl Upload {
    async fn with(self, bytes: Vec<u8>) -> Result<Self, Fault> {
        let written = tokio::task::spawn_blocking(move || {
            let mut own = self;
            own.file.write_all(&bytes)?;
            own.bytes += bytes.len() as u64;
            Ok(own)
        });
        written
            .await
            .map_err(|_| Fault::Unavailable)?
            .map_err(|error| unwritable(&error))
    }

    /// Judges it. Takes as long as it takes.
    pub fn judge(mut self, words: Language) -> Result<Markup, Fault> {
        let mut mark = [0; 4];
        self.file.seek(SeekFrom::Start(0)).map_err(|error| unwritable(&error))?;
        // A file that is shorter is no archive of either kind, and the verifier says so.
        let begins = self.file.read(&mut mark).map_err(|error| unwritable(&error))?;
        self.file.seek(SeekFrom::Start(0)).map_err(|error| unwritable(&error))?;
        if begins == mark.len() && mark == ZIP_MARK {
            return self.books(words);
        }
        let report = verify::judge(self.file, &Options::default());
        Ok(told(&self.name, &report, words))
    }

    fn books(self, words: Language) -> Result<Markup, Fault> {
        let folder = tempfile::tempdir().map_err(|error| unwritable(&error))?;
        unpack(self.file, folder.path(), Limits::default()).map_err(|error| refused(&error))?;
        let exports = exports_in(folder.path()).map_err(|error| unwritable(&error))?;
        if exports.is_empty() {
            return Err(Fault::refused(
                "In diesem ZIP ist kein DSFinV-K-Export: es fehlt die Datei index.xml. Ein Protokoll einer TSE wähl als TAR aus, nicht als ZIP.",
                "There is no DSFinV-K export in this ZIP: the file index.xml is missing. Choose the log of a TSE as TAR, not as ZIP.",
            ));
        }
        let mut made = Vec::new();
        for (name, path) in exports {
            let source = ExportFolder::read(&path).map_err(|_| Fault::Unavailable)?;
            let title = if name.is_empty() {
                self.name.clone()
            } else {
                format!("{}, {name}", self.name)
            };
            made.push(books_told(&title, &dsfinvk::check(&source), words));
        }
        Ok(html! { @for part in &made { (part) } })
    }
}

fn refused(error: &UnpackError) -> Fault {
    let de = match error {
        UnpackError::NoArchive(_) => "Das ist kein lesbares ZIP-Archiv, oder es ist beschädigt. Nichts ist geprüft.",
        UnpackError::Unsupported(_) => {
            "Das Archiv ist auf eine Weise gepackt, die hier nicht gelesen wird. Pack es neu, als gewöhnliches ZIP ohne Passwort."
        }
        UnpackError::TooMuch(_) => {
            "Das Archiv enthält mehr, als ein Export hat. Prüf den Ordner mit `groschen verify dsfinvk` auf dem Server."
        }
        UnpackError::Name(_) => "Ein Name im Archiv führt aus ihm hinaus. Das tut kein Export; nichts ist geprüft.",
        UnpackError::Io(_) => {
            "Das Archiv ließ sich hier nicht entpacken; vielleicht ist die Platte des Servers voll. Nichts ist geprüft."
        }
    };
    Fault::Refused(Text::new(de, &format!("{error}. Nothing was checked.")))
}

/// The report on the log of a TSE.
fn told(name: &str, report: &Report, words: Language) -> Markup {
    html! {
        section.sheet {
            h2 { bdi { (name) } }
            (headline(report.errors, report.warnings, words))
            dl.facts {
                dt { (words.of("Nachrichten", "Messages")) } dd { (count(report.messages, words)) ", " (count(report.transactions, words)) " " (words.of("Transaktionen", "transactions")) @if report.open_total > 0 { ", " (count(report.open_total, words)) " " (words.of("davon offen", "of them open")) } }
                @for key in report.keys.iter().take(KEYS_MAX) {
                    dt { "TSE" } dd { span.id { (key.serial) } br; (count(key.valid, words)) " " (words.of("gültige Signaturen", "valid signatures")) ", " (count(key.wrong, words)) " " (words.of("falsche", "wrong")) @if key.unchecked > 0 { ", " (count(key.unchecked, words)) " " (words.of("nicht prüfbar", "not checkable")) } }
                }
                dt { (words.of("Kassen", "Tills")) } dd { (count(report.clients.len() as u64, words)) }
            }
            p.quiet { (words.of("Ob die TSE eine zertifizierte ist, sagt das nicht: dafür braucht es das Wurzelzertifikat des Herstellers (`groschen verify tse --root`).", "Whether the TSE is a certified one, this does not say: that takes the maker's root certificate (`groschen verify tse --root`).")) }
            (found(&report.findings, words))
        }
    }
}

/// The report on an export for auditors.
fn books_told(name: &str, report: &dsfinvk::Report, words: Language) -> Markup {
    html! {
        section.sheet {
            h2 { bdi { (name) } }
            (headline(report.errors, report.warnings, words))
            dl.facts {
                dt { (words.of("Kassenabschlüsse", "Closings")) } dd { (count(report.closings, words)) }
                dt { (words.of("Belege", "Receipts")) } dd { (count(report.receipts, words)) }
                dt { (words.of("Zeilen", "Rows")) } dd { (count(report.rows, words)) }
            }
            p.quiet { (words.of("Es sind unsere eigenen Prüfungen, nicht die der Finanzverwaltung.", "These are our own checks, not those of the tax administration.")) }
            ul.plain { @for one in &report.findings {
                @let place = match one.line { Some(line) => format!("{}:{line}", one.file), None => one.file.clone() };
                @let what = html! { bdi.text { (place) ": " (one.what.of(words)) } };
                (finding(one.severity == Severity::Error, one.code, &what, &html! { (one.why.of(words)) }, words))
            } }
        }
    }
}
