//! What a guest may ask for, with the TSE's signature or the outage it was made in: `groschen receipt`, and the page a code on a till leads to.
//!
//! The fields are those of § 6 `KassenSichV`. What a TSE in software signed says so: it is no receipt in the sense of the law.

pub mod page;
pub mod read;
mod text;
mod words;

use anyhow::Context;
use pages::Language;
use shared_protocol::OrderId;

use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};
use read::{Receipt, Receipts};

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
    #[arg(long)]
    qr: bool,
    /// Language; taken from LANG when not given.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

/// Journal rows read at a time.
const PAGE_ROWS: u64 = 1_024;

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let reader = Settings::resolve(&arguments.flags, &ListenFlags::default())?.reader()?;
    let mut receipts = Receipts::new(reader);
    if let Some(order) = &arguments.order {
        let id =
            OrderId::parse(order).with_context(|| format!("{order} is no order id; it has 32 hexadecimal digits"))?;
        let receipt = receipts.of(id)?;
        let receipt = receipt.with_context(|| format!("there is no order {order} in this database"))?;
        return Ok(if print(&receipt, arguments)? {
            Exit::Done
        } else {
            Exit::Found
        });
    }
    let mut from = 1;
    while from <= receipts.last_no()? {
        for receipt in receipts.page(from, PAGE_ROWS)? {
            print(&receipt, arguments)?;
        }
        from += PAGE_ROWS;
    }
    Ok(Exit::Done)
}

/// Prints a receipt or its code. Gives whether there was something to print.
fn print(receipt: &Receipt, arguments: &Arguments) -> anyhow::Result<bool> {
    if arguments.qr {
        let code = receipt.code();
        if let Some(code) = &code {
            println!("{code}");
        }
        return Ok(code.is_some());
    }
    println!("{}", text::text(receipt, arguments.language)?);
    Ok(true)
}
