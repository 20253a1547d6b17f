//! `groschen report`: X and Z reports, shifts, days, locations, settlement statements and VAT as text, CSV, XLSX or PDF.
//!
//! What must never happen here: a sum or a form. `reports` makes both; this reads the database, which may be in use, and writes files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fixtures::sample;
use reports::form::{csv, pdf, strip, xlsx};
use reports::{Arrival, Books, Document, Wanted};
use shared_protocol::{Overflow, TaxpayerId, TillId};
use store_sqlite::SqliteReader;
use sync::writer::now_ms;

use crate::Exit;
use crate::receipt::Face;
use crate::settings::{Flags, ListenFlags, Settings};
use crate::tax;
use pages::Language;

/// Arguments of `report`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Which report.
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    flags: Flags,
    /// Only this till, by its number.
    #[arg(long, value_name = "NO")]
    till: Option<u32>,
    /// Only this taxpayer, by its number.
    #[arg(long, value_name = "NO")]
    taxpayer: Option<u16>,
    /// Only this event day, `yyyymmdd`.
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "until"])]
    day: Option<u32>,
    /// From this event day on, `yyyymmdd`.
    #[arg(long, value_name = "DAY", default_value_t = 0)]
    from: u32,
    /// Up to and with this event day, `yyyymmdd`.
    #[arg(long, value_name = "DAY", default_value_t = u32::MAX)]
    until: u32,
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    form: Form,
    /// The language.
    #[arg(long, value_enum, default_value_t = Language::De)]
    language: Language,
    /// Where to: a new file, or a folder where there are several reports. Text and CSV go to the terminal without it.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  groschen report z --data festival --day 20270717                   every Z of a day, as till rolls have it
  groschen report day --data festival --day 20270717 --form pdf --out saturday.pdf
  groschen report settlement --data festival --taxpayer 2 --form xlsx --out caterer.xlsx
  groschen report x --data festival --till 7                         a till so far; closes nothing

Without a running server nobody knows what terminals have not sent: such reports say that they are provisional.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Tills so far: what is in no closing. Takes nothing and closes nothing.
    X,
    /// Closings.
    Z,
    /// Shifts, each with its person.
    Shift,
    /// Event days over all tills.
    Day,
    /// Locations over all days.
    Locations,
    /// What is settled with each taxpayer.
    Settlement,
    /// VAT by taxpayer, rate and event day.
    Vat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// As a till roll of 80 mm has it.
    Text,
    /// For spreadsheets in the report's language.
    Csv,
    /// A spreadsheet.
    Xlsx,
    /// A4.
    Pdf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let mut reader = settings.reader()?;
    let documents = made(arguments, &mut reader)?;
    if documents.is_empty() {
        bail!("there is nothing of that in the books; look at the numbers and days asked for");
    }
    write(arguments, &documents, &Face::new(&settings))?;
    Ok(Exit::Done)
}

fn made(arguments: &Arguments, reader: &mut SqliteReader) -> anyhow::Result<Vec<Document>> {
    let words = arguments.language;
    let (till, taxpayer) = (arguments.till.map(TillId), arguments.taxpayer.map(TaxpayerId));
    let days = arguments
        .day
        .map_or((arguments.from, arguments.until), |day| (day, day));
    let wanted = Wanted {
        from: days.0,
        until: days.1,
        ..Wanted::ALL
    };
    let model = tax::choices(reader, sample::EVENT)?.wristband_is;
    let mut load = |wanted: &Wanted| reports::load(reader, sample::EVENT, model, wanted, Arrival::NotAsked, now_ms());
    let of_tills = Wanted {
        till,
        taxpayer,
        ..wanted
    };
    let documents: Result<Vec<Document>, Overflow> = match arguments.what {
        What::Z => {
            let books = load(&of_tills)?;
            let closings: BTreeSet<u64> = books.groups.keys().filter_map(|key| key.closing).collect();
            let rows = closings.iter().filter_map(|id| books.closings.get(id));
            rows.map(|row| reports::z_report(&books, row, words)).collect()
        }
        What::X => {
            let books = load(&of_tills)?;
            let open = books.groups.keys().filter(|key| key.closing.is_none());
            let tills: BTreeSet<TillId> = open.map(|key| key.till).collect();
            tills
                .into_iter()
                .map(|till| reports::x_report(&books, (till, taxpayer), words))
                .collect()
        }
        What::Shift => {
            let books = load(&of_tills)?;
            let shifts: BTreeSet<_> = books
                .groups
                .keys()
                .filter_map(|key| Some((key.till, key.shift?.1)))
                .collect();
            let shifts = shifts.into_iter();
            shifts
                .filter_map(|(till, session)| reports::shift_report(&books, till, session, words).transpose())
                .collect()
        }
        What::Day => {
            let books = load(&wanted)?;
            each(&books, |key| key.day)
                .into_iter()
                .map(|day| reports::day_report(&books, day, words))
                .collect()
        }
        What::Locations => {
            let books = load(&wanted)?;
            reports::stands_report(&books, words).map(|report| vec![report])
        }
        What::Settlement => {
            let books = load(&wanted)?;
            let sellers = each(&books, |key| key.taxpayer).into_iter();
            sellers
                .filter(|seller| taxpayer.is_none_or(|wanted| wanted == *seller))
                .map(|seller| reports::settlement(&books, seller, days, words))
                .collect()
        }
        What::Vat => {
            let books = load(&wanted)?;
            reports::vat_summary(&books, taxpayer, words).map(|report| vec![report])
        }
    };
    documents.context("the report cannot be made; run `groschen audit` and report this")
}

fn each<K: Ord>(books: &Books, of: impl Fn(&reports::Key) -> K) -> BTreeSet<K> {
    books.groups.keys().map(of).collect()
}

fn bytes(document: &Document, form: Form, face: &Face) -> anyhow::Result<(Vec<u8>, &'static str)> {
    Ok(match form {
        Form::Text => (strip::text(document).into_bytes(), "txt"),
        Form::Csv => (csv::render(document), "csv"),
        Form::Xlsx => (xlsx::render(document)?, "xlsx"),
        Form::Pdf => (pdf::render(document, face.logo()), "pdf"),
    })
}

fn write(arguments: &Arguments, documents: &[Document], face: &Face) -> anyhow::Result<()> {
    let form = arguments.form;
    let Some(out) = &arguments.out else {
        if !matches!(form, Form::Text | Form::Csv) {
            bail!("say where to with --out; only text and CSV go to the terminal");
        }
        let mut terminal = std::io::stdout().lock();
        for document in documents {
            terminal.write_all(&bytes(document, form, face)?.0)?;
        }
        return Ok(());
    };
    if let [document] = documents {
        return keep(out, &bytes(document, form, face)?.0);
    }
    std::fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    for document in documents {
        let (bytes, ending) = bytes(document, form, face)?;
        keep(&out.join(format!("{}.{ending}", document.file)), &bytes)?;
    }
    Ok(())
}

/// A report that somebody has is never replaced by another one.
fn keep(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let why = || format!("{} was not written; name a file that is not there", path.display());
    let mut file = File::create_new(path).with_context(why)?;
    file.write_all(bytes).with_context(why)?;
    println!("{}", path.display());
    Ok(())
}
