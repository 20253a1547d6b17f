//! The sums of a closing, added up receipt by receipt. They grow with the kinds of business, never with the number of receipts.

use shared_protocol::{Amount, Overflow};

use crate::amount::Split;
use crate::model::{Line, Payment, Receipt};
use crate::words::{CaseKind, PaymentKind};

/// A business case of a closing.
pub(super) struct CaseSum {
    pub case: CaseKind,
    pub name: String,
    pub agency: u32,
    pub vat: u16,
    pub sum: Split,
}

/// A way of paying.
pub(super) struct PaymentSum {
    pub kind: PaymentKind,
    pub name: String,
    pub sum: Amount,
}

/// Sums so far.
#[derive(Default)]
pub(super) struct ClosingSums {
    pub cases: Vec<CaseSum>,
    pub payments: Vec<PaymentSum>,
    /// Cash by currency, in hundredths of it.
    pub cash: Vec<(String, Amount)>,
    /// All payments in the base currency.
    pub paid: Amount,
    /// Cash of all currencies in the base currency.
    pub paid_cash: Amount,
}

impl ClosingSums {
    /// Adds a receipt, if it is of a kind that counts.
    pub fn add(&mut self, receipt: &Receipt<'_>) -> Result<(), Overflow> {
        if !receipt.kind.counts() {
            return Ok(());
        }
        receipt.lines.iter().try_for_each(|line| self.line(line))?;
        receipt.payments.iter().try_for_each(|payment| self.payment(payment))
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), Overflow> {
        let same = |sum: &&mut CaseSum| {
            sum.case == line.case && sum.vat == line.vat && sum.agency == line.agency && sum.name == line.case_name
        };
        if let Some(case) = self.cases.iter_mut().find(same) {
            return case.sum.add(line.charged);
        }
        self.cases.push(CaseSum {
            case: line.case,
            name: line.case_name.clone().into_owned(),
            agency: line.agency,
            vat: line.vat,
            sum: line.charged,
        });
        Ok(())
    }

    fn payment(&mut self, payment: &Payment<'_>) -> Result<(), Overflow> {
        self.paid = self.paid.plus(payment.amount)?;
        if payment.kind == PaymentKind::Bar {
            self.paid_cash = self.paid_cash.plus(payment.amount)?;
            match self.cash.iter_mut().find(|(currency, _)| *currency == payment.currency) {
                Some((_, sum)) => *sum = sum.plus(payment.in_currency)?,
                None => self
                    .cash
                    .push((payment.currency.clone().into_owned(), payment.in_currency)),
            }
        }
        let same = |sum: &&mut PaymentSum| sum.kind == payment.kind && sum.name == payment.name;
        if let Some(known) = self.payments.iter_mut().find(same) {
            known.sum = known.sum.plus(payment.amount)?;
            return Ok(());
        }
        self.payments.push(PaymentSum {
            kind: payment.kind,
            name: payment.name.clone().into_owned(),
            sum: payment.amount,
        });
        Ok(())
    }

    /// Brings everything into the order in which it is written.
    pub fn sort(&mut self) {
        self.cases
            .sort_by(|a, b| (a.case, &a.name, a.agency, a.vat).cmp(&(b.case, &b.name, b.agency, b.vat)));
        self.payments.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        self.cash.sort();
    }
}
