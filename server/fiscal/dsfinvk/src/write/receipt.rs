//! The rows of one receipt, and what must hold before it is written.

use shared_protocol::Amount;

use super::{Sink, WriteError, Writer};
use crate::amount::Fine;
use crate::model::{Closing, Line, Receipt};
use crate::tables::Id;
use crate::words::ReceiptKind;

impl<S: Sink> Writer<S> {
    /// What belongs to the receipt as a whole.
    pub(super) fn head(&mut self, receipt: &Receipt<'_>, total: Amount) -> Result<(), WriteError> {
        self.row(Id::Receipts, |row| {
            row.whole(receipt.number);
            row.text(receipt.kind.as_str());
            row.text(&receipt.name);
            row.text(&receipt.terminal);
            row.flag(receipt.cancelled);
            row.time(receipt.start_ms);
            row.time(receipt.end_ms);
            row.text(&receipt.operator);
            row.text(&receipt.operator_name);
            row.cents(total);
            let customer = receipt.customer.as_deref();
            row.text(customer.map_or("", |customer| &customer.address.name));
            row.text(customer.map_or("", |customer| &customer.id));
            row.text(customer.map_or("", |customer| &customer.kind));
            row.text(customer.map_or("", |customer| &customer.address.street));
            row.text(customer.map_or("", |customer| &customer.address.postcode));
            row.text(customer.map_or("", |customer| &customer.address.town));
            row.text(customer.map_or("", |customer| &customer.address.country));
            row.text(customer.map_or("", |customer| &customer.vat_id));
            row.text(&receipt.note);
            Ok(())
        })?;
        for payment in &receipt.payments {
            self.row(Id::ReceiptPayments, |row| {
                row.text(payment.kind.as_str());
                row.text(&payment.name);
                row.text(&payment.currency);
                row.cents(payment.in_currency);
                row.cents(payment.amount);
                Ok(())
            })?;
        }
        for allocation in &receipt.allocations {
            self.row(Id::Allocations, |row| {
                row.text(allocation);
                Ok(())
            })?;
        }
        for reference in &receipt.references {
            self.row(Id::References, |row| {
                match reference.line {
                    Some(line) => row.counted(line as usize),
                    None => row.nothing(),
                }
                row.text(reference.kind.as_str());
                row.text(&reference.name);
                row.text(&reference.date);
                row.text(&reference.till);
                row.perhaps(reference.closing);
                row.text(&reference.receipt);
                Ok(())
            })?;
        }
        let (tse, signed) = (&receipt.tse, receipt.tse.signed.as_ref());
        self.row(Id::Signatures, |row| {
            row.perhaps(tse.tse.map(u64::from));
            row.perhaps(signed.map(|signed| signed.transaction));
            match signed {
                Some(signed) => {
                    row.time(signed.started_s.saturating_mul(1_000));
                    row.time(signed.ended_s.saturating_mul(1_000));
                }
                None => (row.nothing(), row.nothing()).0,
            }
            row.text(signed.map_or("", |signed| &signed.process_type));
            row.perhaps(signed.map(|signed| signed.counter));
            row.text(signed.map_or("", |signed| &signed.signature));
            row.text(&tse.fault);
            row.text(signed.map_or("", |signed| &signed.process_data));
            Ok(())
        })
    }

    /// A line with what belongs to it.
    pub(super) fn line(&mut self, number: usize, line: &Line<'_>, receipt: &Receipt<'_>) -> Result<(), WriteError> {
        self.row(Id::Lines, |row| {
            row.counted(number);
            row.text(&line.voucher);
            row.text(&line.text);
            row.text(&receipt.terminal);
            row.text(line.case.as_str());
            row.text(&line.case_name);
            row.flag(line.in_house);
            row.flag(line.dropped);
            row.whole(u64::from(line.agency));
            row.text(&line.article);
            row.text(&line.gtin);
            row.text(&line.group.0);
            row.text(&line.group.1);
            row.thousandths(line.quantity);
            row.thousandths(1_000);
            row.text(&line.unit);
            row.fine(Fine::of(line.unit_gross)?);
            Ok(())
        })?;
        self.row(Id::LineVat, |row| {
            row.counted(number);
            row.whole(u64::from(line.vat));
            row.split(line.charged)
        })?;
        for price in &line.prices {
            self.row(Id::Prices, |row| {
                row.counted(number);
                row.text(price.kind.as_str());
                row.whole(u64::from(price.vat));
                row.split(price.amount)
            })?;
        }
        for part in &line.parts {
            self.row(Id::Parts, |row| {
                row.counted(number);
                row.text(&part.article);
                row.nothing();
                row.text(&part.name);
                row.nothing();
                row.nothing();
                row.thousandths(part.quantity);
                row.thousandths(1_000);
                row.text("Stk");
                row.whole(u64::from(part.vat));
                row.split(part.price)
            })?;
        }
        Ok(())
    }
}

/// What must hold before a receipt is written.
pub(super) fn check(receipt: &Receipt<'_>, total: Amount, closing: &Closing<'_>) -> Result<(), &'static str> {
    let paid = Amount::sum(receipt.payments.iter().map(|payment| payment.amount));
    if paid.is_ok_and(|paid| paid != total) || paid.is_err() {
        return Err("its payments do not add up to its lines");
    }
    if receipt.kind == ReceiptKind::Beleg && (receipt.lines.is_empty() || receipt.payments.is_empty()) {
        return Err("a receipt has at least one line and one payment");
    }
    if receipt.kind == ReceiptKind::Sonstige && receipt.name.is_empty() {
        return Err("AVSonstige needs a name");
    }
    if receipt.id.is_empty() {
        return Err("it has no id");
    }
    if receipt.tse.signed.is_none() && receipt.tse.fault.is_empty() {
        return Err("it has neither a signature nor a reason for not having one");
    }
    if receipt.tse.signed.is_some() && receipt.tse.tse.is_none() {
        return Err("it is signed by no TSE");
    }
    let named = receipt.tse.tse;
    if named.is_some_and(|id| closing.tses.iter().all(|tse| tse.id != id)) {
        return Err("its TSE is not among those of the closing");
    }
    for line in &receipt.lines {
        let known = |vat: &crate::model::Vat<'_>| vat.key == line.vat && vat.rate == line.rate;
        if !closing.vat.iter().any(known) {
            return Err("a line has a tax key or rate that is not among those of the closing");
        }
        if line.agency != 0 && closing.agencies.iter().all(|agency| agency.id != line.agency) {
            return Err("a line is sold on account of an agency that is not among those of the closing");
        }
        if line.dropped && !line.charged.gross.is_zero() {
            return Err("a line that never came to a charge has one");
        }
    }
    Ok(())
}
