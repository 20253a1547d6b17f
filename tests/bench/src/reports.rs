//! Reports over three days of a festival: loading one of the days and all of them, and making forms.

use std::time::Instant;

use anyhow::Context as _;
use fiscal::VoucherModel;
use fixtures::sample;
use pages::Language;
use reports::form::{pdf, xlsx};
use reports::{Arrival, Books, Wanted};
use store_sqlite::SqliteReader;
use sync::writer::now_ms;

use crate::festival;
use crate::figure::{Shape, tell};

/// The most memory that this process ever had, in kB.
fn memory_peak_kb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}

/// Runs the rows. The history has three days.
pub fn run(shape: &Shape, orders_per_day: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    festival::database(dir.path(), orders_per_day * 3)?;
    let mut reader = SqliteReader::open(dir.path().join("groschen.db"), None)?;
    let mut load = |wanted: &Wanted| {
        let model = VoucherModel::VoucherLines;
        reports::load(&mut reader, sample::EVENT, model, wanted, Arrival::NotAsked, now_ms())
    };
    let before_kb = memory_peak_kb();
    let all = load(&Wanted::ALL)?;
    let days: std::collections::BTreeSet<u32> = all.groups.keys().map(|key| key.day).collect();
    let receipts = |books: &Books| books.sum(|_| true).map(|sums| sums.receipts);
    let busiest = days
        .into_iter()
        .map(|day| Ok((all.sum(|key| key.day == day)?.receipts, day)))
        .collect::<Result<Vec<_>, shared_protocol::Overflow>>()?;
    let (_, day) = busiest.into_iter().max().context("a day")?;
    for (name, wanted) in [
        ("reports_load_day", Wanted::day(day)),
        ("reports_load_event", Wanted::ALL),
    ] {
        let (mut took, mut more) = (Vec::new(), Vec::new());
        for _ in 0..shape.runs {
            let begun = Instant::now();
            let books = load(&wanted)?;
            took.push(u64::try_from(begun.elapsed().as_millis())?);
            more = vec![
                ("receipts", receipts(&books)?),
                ("sums", u64::try_from(books.groups.len())?),
                ("memory_more_kb", memory_peak_kb().saturating_sub(before_kb)),
            ];
        }
        tell(shape, name, "ms", took, &more);
    }
    let document = reports::day_report(&all, day, Language::De)?;
    let (mut as_pdf, mut as_xlsx) = (Vec::new(), Vec::new());
    for _ in 0..shape.runs {
        let begun = Instant::now();
        drop(pdf::render(&document, None));
        as_pdf.push(u64::try_from(begun.elapsed().as_micros())?);
        let begun = Instant::now();
        drop(xlsx::render(&document)?);
        as_xlsx.push(u64::try_from(begun.elapsed().as_micros())?);
    }
    tell(shape, "reports_day_pdf", "us", as_pdf, &[]);
    tell(shape, "reports_day_xlsx", "us", as_xlsx, &[]);
    Ok(())
}
