//! `groschen receipt`: what a guest may ask for, with the TSE's signature or the outage it was made in.
//!
//! The fields are those of § 6 `KassenSichV`. What a TSE in software signed says so: it is no receipt in the sense of the law.

use std::fmt::Write as _;

use anyhow::{Context, bail};
use fiscal::Jobs;
use fiscal::jobs::booked_order;
use fiscal::qr::ReceiptCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared_protocol::catalogue::{Address, Text};
use shared_protocol::config::Config;
use shared_protocol::order::{Order, TenderKind};
use shared_protocol::{Amount, OrderId};
use store::{Reader as _, SigningState, TransactionEnd, TransactionRow, TseRow};
use store_sqlite::SqliteReader;

use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};
use pages::Language;

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
    let mut reader = Settings::resolve(&arguments.flags, &ListenFlags::default())?.reader()?;
    let mut desk = Desk {
        tses: reader.tses()?,
        reader,
        jobs: None,
        language: arguments.language,
        qr_only: arguments.qr,
    };
    if let Some(order) = &arguments.order {
        let id =
            OrderId::parse(order).with_context(|| format!("{order} is no order id; it has 32 hexadecimal digits"))?;
        let no = desk.reader.posting_no(festival::booking::posting_id(id))?;
        let no = no.with_context(|| format!("there is no order {order} in this database"))?;
        return Ok(if desk.print(no, 1)? > 0 {
            Exit::Done
        } else {
            Exit::Found
        });
    }
    let mut from = 1;
    loop {
        let last = desk.reader.head()?.0;
        if from > last {
            return Ok(Exit::Done);
        }
        desk.print(from, PAGE_ROWS)?;
        from += PAGE_ROWS;
    }
}

struct Desk {
    reader: SqliteReader,
    tses: Vec<TseRow>,
    /// Remembers configurations; made with the first order, which names the event.
    jobs: Option<Jobs>,
    language: Language,
    qr_only: bool,
}

/// What a TSE signed.
struct Signature {
    tse: TseRow,
    transaction: TransactionRow,
    end: TransactionEnd,
    late: bool,
}

/// How an order came off, with what belongs to it.
enum Signed {
    By(Box<Signature>),
    InOutage(String),
    NotYet,
}

impl Desk {
    /// Prints the receipts of some journal rows. Gives how many.
    fn print(&mut self, from: u64, rows: u64) -> anyhow::Result<u64> {
        let mut printed = 0;
        for row in self.reader.journal(from, rows)? {
            let Some((_, order)) = booked_order(&row) else { continue };
            let signed = self.signed(row.record.no)?;
            let code = code(&signed).map(|code| code.to_string());
            if self.qr_only {
                let Some(code) = code else { continue };
                println!("{code}");
            } else {
                let jobs = match &mut self.jobs {
                    Some(jobs) => jobs,
                    None => self.jobs.insert(Jobs::new(&mut self.reader, order.event)?),
                };
                let config = jobs.config(&mut self.reader, order.config)?;
                println!(
                    "{}",
                    text(&order, config.as_deref(), &signed, code.as_deref(), self.language)?
                );
            }
            printed += 1;
        }
        Ok(printed)
    }

    fn signed(&mut self, no: u64) -> anyhow::Result<Signed> {
        let Some(row) = self.reader.signing(no)? else {
            return Ok(Signed::NotYet);
        };
        let Some(number) = row.transaction else {
            let outage = row.outage.unwrap_or_default();
            let reason = self.reader.outages(outage, 1)?.pop().map(|row| row.reason);
            return Ok(Signed::InOutage(reason.unwrap_or_default()));
        };
        let tse = self.tses.iter().find(|tse| tse.no == row.tse).cloned();
        let transaction = self.reader.transaction(row.tse, number)?;
        let end = transaction.as_ref().and_then(|row| row.end.clone());
        match (tse, transaction, end) {
            (Some(tse), Some(transaction), Some(end)) => {
                let late = row.state == SigningState::SignedLate;
                Ok(Signed::By(Box::new(Signature {
                    tse,
                    transaction,
                    end,
                    late,
                })))
            }
            _ => bail!("the transaction {number} of journal number {no} is not there; run `groschen audit`"),
        }
    }
}

fn code(signed: &Signed) -> Option<ReceiptCode> {
    let Signed::By(signature) = signed else {
        return None;
    };
    let Signature {
        tse, transaction, end, ..
    } = signature.as_ref();
    Some(ReceiptCode {
        client: transaction.client.clone(),
        process_type: end.process_type.clone(),
        process_data: end.process_data.clone(),
        transaction: transaction.transaction,
        counter: end.counter,
        started_s: transaction.started_s,
        finished_s: end.time_s,
        algorithm: tse.algorithm.clone(),
        signature: end.signature.clone(),
        public_key: tse.public_key.clone(),
    })
}

/// Cents as the language writes them.
fn money(amount: Amount, language: Language) -> String {
    let cents = amount.0.unsigned_abs();
    let sign = if amount.is_negative() { "-" } else { "" };
    let point = language.of(",", ".");
    format!("{sign}{}{point}{:02} €", cents / 100, cents % 100)
}

fn name(text: &Text, language: Language) -> &str {
    language.of(&text.de, &text.en)
}

fn local(ms: u64, config: Option<&Config>) -> String {
    let zone = config.and_then(|config| TimeZone::get(&config.event.time_zone).ok());
    let time = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(String::new, |time| {
        time.to_zoned(zone.unwrap_or(TimeZone::UTC))
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    })
}

fn text(
    order: &Order,
    config: Option<&Config>,
    signed: &Signed,
    code: Option<&str>,
    words: Language,
) -> anyhow::Result<String> {
    let mut out = String::new();
    let taxpayer = config.and_then(|config| config.taxpayers.get(&order.taxpayer));
    if let Some(taxpayer) = taxpayer {
        writeln!(
            out,
            "{}\n{}{} {}",
            taxpayer.name,
            taxpayer.address.as_ref().map(address).unwrap_or_default(),
            words.of("Steuernummer", "Tax number"),
            taxpayer.tax_number
        )?;
    }
    if order.kind.is_of_drawer() {
        // Nobody is handed one (application decree to § 146a AO, number 2.5.5); it is printed for the books.
        let internal = words.of(
            "Kassenlade: innerbetrieblicher Vorgang, kein Kundenbeleg",
            "Cash drawer: internal, no receipt for a guest",
        );
        writeln!(out, "{internal}")?;
    }
    let begun = order.closed_at_ms.saturating_sub(u64::from(order.open_for_ms));
    writeln!(
        out,
        "{} – {}   {} {}",
        local(begun, config),
        local(order.closed_at_ms, config),
        words.of("Kasse", "Till"),
        order.till
    )?;
    for line in &order.lines {
        let article = config.and_then(|config| config.articles.get(&line.article));
        let what = article.map_or(line_name(line.kind, words), |article| name(&article.name, words));
        writeln!(
            out,
            "{:>4} x {:<32} {:>12}  {}",
            line.quantity,
            what,
            money(line.total()?, words),
            rate(line.rate.0, words)
        )?;
    }
    writeln!(
        out,
        "{:<39} {:>12}",
        words.of("Summe", "Total"),
        money(order.total()?, words)
    )?;
    for ((_, of), sum) in order.taxes()? {
        writeln!(
            out,
            "  {} {}: {} {}, {} {}",
            words.of("enthalten", "of which"),
            rate(of.0, words),
            words.of("netto", "net"),
            money(sum.net()?, words),
            words.of("Steuer", "tax"),
            money(sum.tax, words)
        )?;
    }
    for tender in order.tenders.iter().filter(|tender| tender.voucher.is_none()) {
        writeln!(
            out,
            "{:<39} {:>12}",
            tender_name(tender.kind, words),
            money(tender.amount, words)
        )?;
    }
    signature(&mut out, signed, code, words)?;
    Ok(out)
}

/// The full address, which § 6 `KassenSichV` asks for beside the name; one line of the receipt.
fn address(address: &Address) -> String {
    format!("{}, {} {}\n", address.street, address.postcode, address.town)
}

fn line_name(kind: shared_protocol::order::LineKind, words: Language) -> &'static str {
    use shared_protocol::order::LineKind;
    match kind {
        LineKind::TopUp => words.of("Guthaben aufgeladen", "Top-up"),
        LineKind::PayOut => words.of("Guthaben ausgezahlt", "Pay-out"),
        LineKind::Float => words.of("Wechselgeld zum Beginn", "Float"),
        LineKind::CashTransit => words.of("Geldtransit (Tresor)", "Cash transit (safe)"),
        LineKind::CashDifference => words.of("Kassendifferenz", "Cash difference"),
        LineKind::Discount => words.of("Gutschein", "Voucher"),
        LineKind::Goods | LineKind::Deposit => words.of("Artikel", "Article"),
    }
}

fn tender_name(kind: TenderKind, words: Language) -> &'static str {
    match kind {
        TenderKind::Wristband => words.of("Guthaben", "Wristband"),
        TenderKind::Cash => words.of("Bar", "Cash"),
        TenderKind::Card => words.of("Karte", "Card"),
        TenderKind::Voucher => words.of("Gutschein", "Voucher"),
    }
}

/// Hundredths of a percent.
fn rate(hundredths: u16, words: Language) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole} %"),
        (whole, rest) => format!("{whole}{}{rest:02} %", words.of(",", ".")),
    }
}

fn signature(out: &mut String, signed: &Signed, code: Option<&str>, words: Language) -> anyhow::Result<()> {
    match signed {
        Signed::By(signature) => {
            let Signature {
                tse,
                transaction,
                end,
                late,
            } = signature.as_ref();
            if !tse.certified {
                let warning = words.of(
                    "NICHT ZERTIFIZIERT: Software-TSE, kein Beleg im Sinn des Gesetzes",
                    "NOT CERTIFIED: TSE in software, no receipt in the sense of the law",
                );
                writeln!(out, "{warning}")?;
            }
            if *late {
                let marked = words.of(
                    "TSE ausgefallen; nachsigniert",
                    "Made in an outage of the TSE; signed later",
                );
                writeln!(out, "{marked}")?;
            }
            writeln!(
                out,
                "{} {}   {} {}\n{} {}   {} {}",
                words.of("Kassen-Seriennummer", "Till serial number"),
                transaction.client,
                words.of("TSE", "TSE"),
                shared_protocol::ids::hex(&tse.serial),
                words.of("Transaktion", "Transaction"),
                transaction.transaction,
                words.of("Signaturzähler", "Signature counter"),
                end.counter
            )?;
            writeln!(out, "{}", code.unwrap_or_default())?;
        }
        Signed::InOutage(reason) => {
            writeln!(
                out,
                "{} ({reason})",
                words.of("TSE ausgefallen: ohne Signatur", "TSE outage: without signature")
            )?;
        }
        Signed::NotYet => {
            writeln!(out, "{}", words.of("Signatur steht noch aus", "Waits to be signed"))?;
        }
    }
    Ok(())
}
