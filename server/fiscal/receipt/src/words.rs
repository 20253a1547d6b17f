//! What receipts say, in both languages, whatever they are on.

use fiscal::VoucherModel;
use shared_protocol::catalogue::{Address, Text};
use shared_protocol::order::{LineKind, OrderKind, TenderKind, TipFor};
use shared_protocol::shift::ShiftMark;
use wording::{Language, format};

use crate::content::{Content, Item, Mark, Proof};
use crate::sums::{Payment, Redeemed};

/// What a receipt must say of itself.
pub const fn mark(mark: Mark, words: Language) -> &'static str {
    match mark {
        Mark::Copy => words.of("KOPIE (Zweitausfertigung)", "COPY (duplicate)"),
        Mark::Training => words.of(
            "TRAINING: nichts verkauft, kein Beleg",
            "TRAINING: nothing was sold, no receipt",
        ),
        Mark::Internal => words.of(
            "Innerbetrieblicher Vorgang, kein Kundenbeleg",
            "Internal, no receipt for a guest",
        ),
        Mark::GivenUp => words.of("ABGEBROCHEN: nichts verkauft", "GIVEN UP: nothing was sold"),
        Mark::Outage => words.of("TSE AUSGEFALLEN", "TSE OUTAGE"),
        Mark::SignedLate => words.of(
            "Nachsigniert; der Ausfallvermerk bleibt",
            "Signed later; the outage mark stays",
        ),
        Mark::NotCertified => words.of(
            "NICHT ZERTIFIZIERT: Software-TSE, kein Beleg im Sinn des Gesetzes",
            "NOT CERTIFIED: TSE in software, no receipt in the sense of the law",
        ),
        Mark::Pending => words.of("Signatur steht noch aus", "Waits to be signed"),
        Mark::FromTill(Proof::Holds) => words.of(
            "NOCH NICHT BEIM SERVER: ohne Netz gemacht, Angaben der Kasse; ihre Signatur passt",
            "NOT AT THE SERVER YET: made without network, as the till says; the till's signature holds",
        ),
        Mark::FromTill(Proof::Broken) => words.of(
            "UNBELEGT: Die Signatur der Kasse passt nicht zu diesen Angaben",
            "UNPROVEN: the till's signature does not hold for what stands here",
        ),
        Mark::FromTill(Proof::Locked) => words.of(
            "UNBELEGT: Diese Kasse ist gesperrt, und gebucht ist davon nichts",
            "UNPROVEN: this till is locked, and nothing of this is booked",
        ),
        Mark::FromTill(Proof::Unknown) => words.of(
            "UNBELEGT: Dieser Server kennt die Kasse nicht",
            "UNPROVEN: the till is unknown to this server",
        ),
        Mark::SlipDiffers => words.of(
            "DER LINK SAGT ETWAS ANDERES, als gebucht wurde. Es gilt, was hier steht",
            "THE LINK SAYS SOMETHING ELSE than was booked. What stands here counts",
        ),
    }
}

/// What stands in the place of the TSE's data where there are none.
pub const fn unsigned(words: Language) -> &'static str {
    words.of("Ohne Signatur einer TSE", "Without a signature of a TSE")
}

/// What happens to a shift; in German as a TSE is told it.
pub const fn shift(mark: ShiftMark, words: Language) -> &'static str {
    let told = fiscal::shift::name(mark);
    match mark {
        ShiftMark::Begin => words.of(told, "Start of a shift"),
        ShiftMark::End => words.of(told, "End of a shift"),
    }
}

/// What kind of receipt it is.
pub const fn heading(content: &Content, words: Language) -> &'static str {
    match content.kind {
        OrderKind::Cancel => words.of("Storno", "Cancellation"),
        OrderKind::Correction => words.of("Korrektur", "Correction"),
        OrderKind::TopUp => words.of("Aufladung", "Top-up"),
        OrderKind::PayOut => words.of("Auszahlung", "Pay-out"),
        OrderKind::DepositReturn => words.of("Pfandrückgabe", "Deposit return"),
        OrderKind::AbortedCart => words.of("Abgebrochener Vorgang", "Given-up cart"),
        OrderKind::CashMovement => words.of("Geldtransit", "Cash transit"),
        OrderKind::DrawerOpen => words.of("Kassenlade geöffnet", "Drawer opened"),
        OrderKind::DrawerCount => words.of("Kassensturz", "Drawer counted"),
        OrderKind::Training => words.of("Training", "Training"),
        OrderKind::Shift => match content.shift {
            Some(mark) => shift(mark, words),
            None => words.of("Schicht", "Shift"),
        },
        _ => words.of("Beleg", "Receipt"),
    }
}

/// What a taxpayer's number is called.
pub fn number_of(number: &str, words: Language) -> &'static str {
    if fiscal::tax::is_vat_id(number) {
        words.of("USt-IdNr.", "VAT ID")
    } else {
        words.of("Steuernummer", "Tax number")
    }
}

/// The full address in one line, which § 6 `KassenSichV` asks for beside the name.
pub fn address(address: &Address) -> String {
    format!("{}, {} {}", address.street, address.postcode, address.town)
}

/// What an item is called.
pub fn item_name(item: &Item, words: Language) -> String {
    let article = || {
        item.name
            .as_ref()
            .map_or_else(|| words.of("Artikel", "Article"), |name| words.name(name))
    };
    match item.kind {
        LineKind::Goods => article().to_owned(),
        LineKind::Deposit if item.quantity < 0 && !item.taken_back => {
            format!("{}: {}", words.of("Pfand zurück", "Deposit back"), article())
        }
        LineKind::Deposit => format!("{}: {}", words.of("Pfand", "Deposit"), article()),
        LineKind::TopUp => words.of("Guthaben aufgeladen", "Top-up").to_owned(),
        LineKind::PayOut => words.of("Guthaben ausgezahlt", "Pay-out").to_owned(),
        LineKind::Float => words.of("Wechselgeld zum Beginn", "Float").to_owned(),
        LineKind::CashTransit => words.of("Geldtransit (Tresor)", "Cash transit (safe)").to_owned(),
        LineKind::CashDifference => words.of("Kassendifferenz", "Cash difference").to_owned(),
        LineKind::Discount => words.of("Gutschein (Rabatt)", "Voucher (discount)").to_owned(),
        LineKind::Tip if item.tip == Some(TipFor::Staff) => {
            words.of("Trinkgeld an das Team", "Tip to the staff").to_owned()
        }
        LineKind::Tip => words.of("Trinkgeld", "Tip").to_owned(),
    }
}

/// What stands beneath an item: that it was taken back, and vouchers that paid for it.
pub fn item_notes(item: &Item, words: Language) -> Vec<String> {
    let taken_back = item
        .taken_back
        .then(|| words.of("zurückgenommen", "taken back").to_owned());
    let vouchers = item.vouchers.as_ref().map(|(units, name)| {
        let name = voucher_name(name.as_ref(), words);
        format!("{} {units} × {name}", words.of("mit", "with"))
    });
    taken_back.into_iter().chain(vouchers).collect()
}

fn voucher_name(name: Option<&Text>, words: Language) -> &str {
    name.map_or_else(|| words.of("Gutschein", "Voucher"), |name| words.name(name))
}

/// What was redeemed.
pub fn redeemed(redeemed: &Redeemed, words: Language) -> String {
    match redeemed {
        Redeemed::Balance(cents) if cents.is_negative() => {
            words.of("Guthaben gutgeschrieben", "Balance given back").to_owned()
        }
        Redeemed::Balance(_) => words.of("Guthaben eingelöst", "Balance redeemed").to_owned(),
        Redeemed::Vouchers { units, name, .. } => {
            let name = voucher_name(name.as_ref(), words);
            format!("{} {units} × {name}", words.of("Eingelöst:", "Redeemed:"))
        }
    }
}

/// How it was paid.
pub const fn tender_name(kind: TenderKind, words: Language) -> &'static str {
    match kind {
        TenderKind::Wristband => words.of("Guthaben (unbar)", "Wristband (not cash)"),
        TenderKind::Cash => words.of("Bar", "Cash"),
        TenderKind::Card => words.of("Karte (unbar)", "Card (not cash)"),
        TenderKind::Voucher => words.of("Gutschein", "Voucher"),
    }
}

/// A payment: how, of another currency how much and what it counted as, and what of it went back.
pub fn payment(payment: &Payment, content: &Content, words: Language) -> String {
    let is_paid_in_foreign = |other: &Payment| other.foreign.is_some() && other.amount.is_positive();
    match &payment.foreign {
        Some(given) => format!(
            "{} {} {} ({} {})",
            tender_name(payment.kind, words),
            format::decimal(given.amount, words),
            given.code,
            words.of("Kurs", "rate"),
            format::millionths(given.value, words)
        ),
        None if payment.kind == TenderKind::Cash
            && payment.amount.is_negative()
            && content.payments.iter().any(is_paid_in_foreign) =>
        {
            words.of("Rückgeld", "Change").to_owned()
        }
        None => tender_name(payment.kind, words).to_owned(),
    }
}

/// Why something on it has no tax; none where everything has.
pub fn untaxed(content: &Content, words: Language) -> Option<&'static str> {
    let is_untaxed = content.taxes.iter().any(|row| row.rate.0 == 0);
    is_untaxed.then(|| match (content.has_balance(), content.model) {
        (true, VoucherModel::VoucherLines) => words.of(
            "0 %: nicht steuerbar; Guthaben ist ein Mehrzweck-Gutschein (§\u{a0}3 Abs.\u{a0}15 UStG)",
            "0%: not taxable; a balance is a multi-purpose voucher (§\u{a0}3 (15) UStG)",
        ),
        (true, VoucherModel::ElectronicMoney) => words.of(
            "0 %: nicht steuerbar; Guthaben ist ein Zahlungsmittel",
            "0%: not taxable; a balance is a means of payment",
        ),
        (false, _) => words.of("0 %: keine Umsatzsteuer", "0%: no VAT"),
    })
}
