//! A receipt as text.

use std::fmt::Write as _;

use pages::Language;
use pages::format::{euros, percent};

use super::read::{Receipt, Signature, Signed};
use super::words;

/// The receipt, as a printer or a terminal shows it.
pub fn text(receipt: &Receipt, language: Language) -> anyhow::Result<String> {
    let mut out = String::new();
    let order = &receipt.order;
    let taxpayer = receipt
        .config
        .as_ref()
        .and_then(|config| config.taxpayers.get(&order.taxpayer));
    if let Some(taxpayer) = taxpayer {
        writeln!(out, "{}", taxpayer.name)?;
        if let Some(address) = &taxpayer.address {
            writeln!(out, "{}", words::address(address))?;
        }
        writeln!(
            out,
            "{} {}",
            language.of("Steuernummer", "Tax number"),
            taxpayer.tax_number
        )?;
    }
    if order.kind.is_of_drawer() {
        writeln!(out, "{}", words::of_drawer(language))?;
    }
    let clock = receipt.clock(language);
    writeln!(
        out,
        "{} – {}   {} {}",
        clock.full(order.opened_at_ms()),
        clock.full(order.closed_at_ms),
        language.of("Kasse", "Till"),
        order.till
    )?;
    for line in &order.lines {
        writeln!(
            out,
            "{:>4} x {:<32} {:>12}  {}",
            line.quantity,
            receipt.line_name(line, language),
            euros(line.total()?, language),
            percent(line.rate.0, language)
        )?;
    }
    writeln!(
        out,
        "{:<39} {:>12}",
        language.of("Summe", "Total"),
        euros(order.total()?, language)
    )?;
    for ((_, of), sum) in order.taxes()? {
        writeln!(
            out,
            "  {} {}: {} {}, {} {}",
            language.of("enthalten", "of which"),
            percent(of.0, language),
            language.of("netto", "net"),
            euros(sum.net()?, language),
            language.of("Steuer", "tax"),
            euros(sum.tax, language)
        )?;
    }
    for tender in order.tenders.iter().filter(|tender| tender.voucher.is_none()) {
        writeln!(
            out,
            "{:<39} {:>12}",
            words::tender_name(tender.kind, language),
            euros(tender.amount, language)
        )?;
    }
    signature(&mut out, receipt, language)?;
    Ok(out)
}

fn signature(out: &mut String, receipt: &Receipt, language: Language) -> anyhow::Result<()> {
    match &receipt.signed {
        Signed::By(signature) => {
            let Signature {
                tse,
                transaction,
                end,
                late,
            } = signature.as_ref();
            if !tse.certified {
                writeln!(out, "{}", words::not_certified(language))?;
            }
            if *late {
                writeln!(out, "{}", words::signed_late(language))?;
            }
            writeln!(
                out,
                "{} {}   {} {}\n{} {}   {} {}",
                language.of("Kassen-Seriennummer", "Till serial number"),
                transaction.client,
                language.of("TSE", "TSE"),
                shared_protocol::ids::hex(&tse.serial),
                language.of("Transaktion", "Transaction"),
                transaction.transaction,
                language.of("Signaturzähler", "Signature counter"),
                end.counter
            )?;
            writeln!(out, "{}", receipt.code().unwrap_or_default())?;
        }
        Signed::InOutage(reason) => writeln!(out, "{} ({reason})", words::in_outage(language))?,
        Signed::NotYet => writeln!(out, "{}", words::not_yet(language))?,
    }
    Ok(())
}
