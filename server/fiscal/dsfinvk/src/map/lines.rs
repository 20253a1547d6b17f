//! Lines and payments of a receipt.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fiscal::VoucherModel;
use shared_protocol::catalogue::{FiscalClass, StandKind};
use shared_protocol::config::Config;
use shared_protocol::order::{Line as OrderLine, LineKind, Order, OrderKind, TenderKind, TipFor};
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, Overflow, pricing};

use super::{Booked, Settings};
use crate::amount::{Fine, Split};
use crate::model::{BASE_CURRENCY, Line, Payment, Receipt, Word};
use crate::words::{CaseKind, PaymentKind};

/// What money on a wristband is called among the business cases.
const CREDIT: &str = "Guthaben";

/// Fills in lines, payments and taxes. On an error nothing of it is meant to be used.
pub(super) fn counted<'a>(
    booked: &Booked<'a>,
    settings: &Settings<'a>,
    receipt: &mut Receipt<'a>,
) -> Result<(), Overflow> {
    let mut builder = Builder {
        config: booked.config,
        settings,
        lines: Vec::with_capacity(booked.order.lines.len() + 1),
        purse: None,
        cash: Amount::ZERO,
        foreign: BTreeMap::new(),
        card: Amount::ZERO,
        electronic: Amount::ZERO,
    };
    if let Some(replaced) = booked.replaced {
        builder.add(replaced, true)?;
    }
    // A debt is about the new order's line where it has one.
    let before = builder.purse.take();
    builder.add(booked.order, false)?;
    builder.purse = builder.purse.or(before);
    if !matches!(booked.order.kind, OrderKind::Training) {
        builder.owe(booked.owed)?;
    }
    let Builder {
        mut lines,
        cash,
        foreign,
        card,
        electronic,
        ..
    } = builder;
    if lines.is_empty() {
        lines.push(Line {
            text: Cow::Borrowed("Vorgang ohne Betrag"),
            ..Line::empty(CaseKind::Umsatz)
        });
    }
    receipt.lines = lines;
    receipt.tax()?;
    receipt.lines.iter().try_for_each(|line| {
        line.charged.net()?;
        Fine::of(line.unit_gross).map(drop)
    })?;
    let paid = [
        (PaymentKind::Unbar, "Karte", card),
        (PaymentKind::Guthabenkarte, CREDIT, electronic),
    ];
    let paid = paid.map(|(kind, name, amount)| payment(kind, name, amount));
    let foreign = foreign.into_iter().map(|(code, (in_currency, amount))| Payment {
        currency: Cow::Borrowed(code),
        in_currency,
        ..payment(PaymentKind::Bar, "Bar", amount)
    });
    receipt.payments = std::iter::once(payment(PaymentKind::Bar, "Bar", cash))
        .chain(foreign)
        .chain(paid)
        .filter(|payment| !payment.amount.is_zero() || !payment.in_currency.is_zero())
        .collect();
    if receipt.payments.is_empty() {
        receipt
            .payments
            .push(payment(PaymentKind::Keine, "Keine", Amount::ZERO));
    }
    Ok(())
}

/// Fills in the lines of an order of which nothing came to a charge: what they were, without amounts.
pub(super) fn dropped<'a>(booked: &Booked<'a>, settings: &Settings<'a>, receipt: &mut Receipt<'a>) {
    receipt.payments.clear();
    let lines = booked.order.lines.iter().map(|line| {
        let fits = Fine::of(line.unit_price).is_ok();
        Line {
            dropped: true,
            charged: Split::default(),
            unit_gross: if fits { line.unit_price } else { Amount::ZERO },
            ..of_line(line, booked.order, false, booked.config, settings)
        }
    });
    receipt.lines = lines.collect();
}

const fn payment(kind: PaymentKind, name: &'static str, amount: Amount) -> Payment<'static> {
    Payment {
        kind,
        name: Cow::Borrowed(name),
        currency: Cow::Borrowed(BASE_CURRENCY),
        in_currency: amount,
        amount,
    }
}

struct Builder<'s, 'a> {
    config: &'a Config,
    settings: &'s Settings<'a>,
    lines: Vec<Line<'a>>,
    /// The line that says how the money on the wristband changed.
    purse: Option<usize>,
    cash: Amount,
    /// Cash in other currencies by their codes: in hundredths of it, and in cents.
    foreign: BTreeMap<&'a str, (Amount, Amount)>,
    card: Amount,
    electronic: Amount,
}

impl<'a> Builder<'_, 'a> {
    /// Adds an order, or takes it back.
    fn add(&mut self, order: &'a Order, back: bool) -> Result<(), Overflow> {
        // Nothing of it was told to a TSE, so nothing of it is there to be taken back.
        if order.kind == OrderKind::AbortedCart {
            return Ok(());
        }
        let turned = |amount: Amount| if back { amount.negated() } else { Ok(amount) };
        for line in &order.lines {
            let charged = turned(line.total()?)?;
            let line = Line {
                charged: Split {
                    gross: charged,
                    tax: Fine::ZERO,
                },
                ..of_line(line, order, back, self.config, self.settings)
            };
            if line.case == CaseKind::MehrzweckgutscheinKauf {
                self.purse = self.purse.or(Some(self.lines.len()));
            }
            self.lines.push(line);
        }
        for tender in &order.tenders {
            let amount = turned(tender.amount)?;
            match tender.kind {
                TenderKind::Cash => match self.config.given(tender) {
                    Some((currency, given)) => {
                        let sum = self.foreign.entry(currency.code).or_default();
                        *sum = (sum.0.plus(turned(given)?)?, sum.1.plus(amount)?);
                    }
                    None => self.cash = self.cash.plus(amount)?,
                },
                TenderKind::Card => self.card = self.card.plus(amount)?,
                TenderKind::Wristband => match self.settings.model {
                    VoucherModel::ElectronicMoney => self.electronic = self.electronic.plus(amount)?,
                    VoucherModel::VoucherLines if amount.is_zero() => {}
                    VoucherModel::VoucherLines => {
                        let tag = order.tender_tag(tender);
                        // As it was when nothing was taken back: money to a guest is sold credit, money from a guest is redeemed.
                        let given = (tender.amount.is_negative()) != (order.kind == OrderKind::Cancel);
                        let (case, text) = if given {
                            (CaseKind::MehrzweckgutscheinKauf, "Gutschrift auf Armband")
                        } else {
                            (CaseKind::MehrzweckgutscheinEinloesung, "Zahlung mit Armband")
                        };
                        let line = Line {
                            case_name: Cow::Borrowed(CREDIT),
                            voucher: tag.map_or(Word::default(), |tag| Cow::Owned((self.settings.wristband)(tag))),
                            ..money(case, Cow::Borrowed(text), amount.negated()?)?
                        };
                        self.purse = self.purse.or(Some(self.lines.len()));
                        self.lines.push(line);
                    }
                },
                // In units; the cents are below.
                TenderKind::Voucher => {}
            }
        }
        for (asset, (_, cents)) in pricing::covered_by_vouchers(self.config, &order.lines)? {
            let asset = self.config.assets.get(&asset);
            let case = match asset.map(|asset| asset.fiscal) {
                Some(FiscalClass::SinglePurpose) => CaseKind::EinzweckgutscheinEinloesung,
                _ => CaseKind::MehrzweckgutscheinEinloesung,
            };
            let name = asset.map_or("Gutschein", |asset| asset.name.de.as_str());
            let line = Line {
                case_name: Cow::Borrowed(name),
                ..money(case, Cow::Borrowed(name), turned(cents)?.negated()?)?
            };
            self.lines.push(line);
        }
        Ok(())
    }

    /// Splits what a guest owes off the line that says how the money on the wristband changed. Both have one key, so the groups of the process data stay.
    fn owe(&mut self, owed: Amount) -> Result<(), Overflow> {
        let at = self.purse.filter(|_| self.settings.model == VoucherModel::VoucherLines);
        let Some(at) = at.filter(|_| !owed.is_zero()) else {
            return Ok(());
        };
        let Some(line) = self.lines.get_mut(at) else {
            return Ok(());
        };
        let left = line.charged.gross.plus(owed)?;
        let (voucher, vat, rate) = (line.voucher.clone(), line.vat, line.rate);
        *line = Line {
            case_name: line.case_name.clone(),
            voucher: voucher.clone(),
            vat,
            rate,
            ..money(line.case, line.text.clone(), left)?
        };
        if left.is_zero() {
            self.lines.remove(at);
        }
        let (case, text) = if owed.is_positive() {
            (CaseKind::Forderungsentstehung, "Offen geblieben")
        } else {
            (CaseKind::Forderungsaufloesung, "Offenes beglichen")
        };
        let line = Line {
            case_name: Cow::Borrowed(CREDIT),
            voucher,
            vat,
            rate,
            ..money(case, Cow::Borrowed(text), owed.negated()?)?
        };
        self.lines.push(line);
        Ok(())
    }
}

/// A line in money without tax: one piece, the sign in its quantity.
fn money(case: CaseKind, text: Word<'_>, gross: Amount) -> Result<Line<'_>, Overflow> {
    let back = gross.is_negative();
    Ok(Line {
        text,
        quantity: if back { -1_000 } else { 1_000 },
        unit_gross: if back { gross.negated()? } else { gross },
        charged: Split { gross, tax: Fine::ZERO },
        ..Line::empty(case)
    })
}

/// A line of an order, without its charge. What an order takes back is the business case it was.
fn of_line<'a>(line: &OrderLine, order: &Order, back: bool, config: &'a Config, settings: &Settings<'a>) -> Line<'a> {
    let out = (line.quantity < 0) != (order.kind == OrderKind::Cancel);
    let article = config
        .articles
        .get(&line.article)
        .map(|article| article.name.de.as_str());
    let (case, case_name, text) = match line.kind {
        LineKind::Goods => (CaseKind::Umsatz, "", article),
        LineKind::Deposit if out => (CaseKind::PfandRueckzahlung, "", article),
        LineKind::Deposit => (CaseKind::Pfand, "", article),
        LineKind::Discount => (CaseKind::Rabatt, "", Some("Rabatt durch Marken")),
        LineKind::TopUp => (
            CaseKind::MehrzweckgutscheinKauf,
            CREDIT,
            Some("Aufladung eines Armbands"),
        ),
        LineKind::PayOut => (
            CaseKind::MehrzweckgutscheinEinloesung,
            "Auszahlung von Guthaben",
            Some("Auszahlung von einem Armband"),
        ),
        LineKind::Float => (CaseKind::Anfangsbestand, "", Some("Anfangsbestand")),
        LineKind::CashTransit => (CaseKind::Geldtransit, "", Some("Geldtransit")),
        LineKind::CashDifference => (CaseKind::DifferenzSollIst, "", Some("Differenz beim Zählen")),
        LineKind::Tip => match TipFor::of(line.tax) {
            TipFor::Business => (CaseKind::TrinkgeldAg, "", article),
            TipFor::Staff => (CaseKind::TrinkgeldAn, "", article),
        },
    };
    let stand = config
        .tills
        .get(&order.till)
        .and_then(|till| config.stands.get(&till.stand));
    let serves = stand.is_some_and(|stand| matches!(stand.kind, StandKind::Bar | StandKind::Food));
    let named = matches!(line.kind, LineKind::Goods | LineKind::Deposit | LineKind::Tip);
    let about_wristband = matches!(line.kind, LineKind::TopUp | LineKind::PayOut);
    let pieces = i64::from(line.quantity) * 1_000;
    Line {
        text: text.map_or_else(|| Cow::Owned(format!("Artikel {}", line.article)), Cow::Borrowed),
        case_name: Cow::Borrowed(case_name),
        voucher: match order.holder.filter(|_| about_wristband) {
            Some(tag) => Cow::Owned((settings.wristband)(tag)),
            None => Word::default(),
        },
        in_house: settings.in_house && serves && line.kind == LineKind::Goods,
        article: if named {
            Cow::Owned(line.article.to_string())
        } else {
            Word::default()
        },
        quantity: if back { -pieces } else { pieces },
        unit_gross: line.unit_price,
        vat: u16::from(line.tax.0),
        rate: line.rate,
        ..Line::empty(case)
    }
}

/// The key of everything that has no tax.
pub(super) const WITHOUT_TAX: (TaxKey, TaxRate) = (TaxKey::NOT_TAXABLE, TaxRate::ZERO);
