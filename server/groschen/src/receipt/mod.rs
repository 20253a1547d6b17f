//! What a guest may ask for, with the TSE's signature or the outage it was made in: `groschen receipt`, and the page a code on a till leads to.
//!
//! What stands on a receipt and how it looks on paper is in the crate `receipt`; here it is read from the database and handed out.

mod document;
pub mod page;
pub mod read;
mod slip;

use std::io::Write as _;

use ::receipt::escpos::{self, Printer};
use ::receipt::{Content, Paper, layout, pdf, text};
use anyhow::Context;
use pages::Language;
use shared_protocol::OrderId;

use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};
pub use read::Face;
use read::Receipts;

/// In which form a receipt is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Lines of a till roll.
    Text,
    /// What a till printer is sent.
    Escpos,
    /// A page of A4.
    Pdf,
}

/// Arguments of `receipt`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// The order's id, 32 hexadecimal digits.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    order: Option<String>,
    /// Every order, in the order of the journal.
    #[arg(long)]
    all: bool,
    /// Only the content of the QR codes, one a line; orders without a signature have none.
    #[arg(long, conflicts_with_all = ["form", "width", "original"])]
    qr: bool,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    form: Form,
    /// The width of the till roll in mm: 58 or 80.
    #[arg(long, default_value_t = 80)]
    width: u32,
    /// The guest has not had it before: without the mark of a copy.
    #[arg(long)]
    original: bool,
    /// Language; taken from LANG when not given.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

/// Journal rows read at a time.
const PAGE_ROWS: u64 = 1_024;

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    anyhow::ensure!(
        !(arguments.all && arguments.form == Form::Pdf),
        "a PDF is of one order; name one, or take another form"
    );
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let mut receipts = Receipts::new(settings.reader()?, Face::new(&settings));
    let copy = !arguments.original;
    if let Some(order) = &arguments.order {
        let id =
            OrderId::parse(order).with_context(|| format!("{order} is no order id; it has 32 hexadecimal digits"))?;
        let receipt = receipts.of(id, None, copy)?;
        let receipt = receipt.with_context(|| format!("there is no order {order} in this database"))?;
        return Ok(if print(&receipt, arguments)? {
            Exit::Done
        } else {
            Exit::Found
        });
    }
    let mut from = 1;
    while from <= receipts.last_no()? {
        for receipt in receipts.page(from, PAGE_ROWS, copy)? {
            print(&receipt, arguments)?;
        }
        from += PAGE_ROWS;
    }
    Ok(Exit::Done)
}

/// Prints a receipt or its code. Gives whether there was something to print.
fn print(receipt: &Content, arguments: &Arguments) -> anyhow::Result<bool> {
    if arguments.qr {
        let code = receipt.tse_code();
        if let Some(code) = &code {
            println!("{code}");
        }
        return Ok(code.is_some());
    }
    let width = arguments.width;
    let roll = Paper::roll(width).with_context(|| format!("there is no roll of {width} mm here; take 58 or 80"))?;
    let sheet = |paper| layout::sheet(receipt, arguments.language, paper);
    let bytes = match arguments.form {
        Form::Text => format!("{}\n", text::render(&sheet(roll))).into_bytes(),
        Form::Escpos => escpos::render(&sheet(roll), Printer::default()),
        Form::Pdf => pdf::render(&sheet(Paper::A4)),
    };
    std::io::stdout().write_all(&bytes)?;
    Ok(true)
}
