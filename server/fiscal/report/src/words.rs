//! What reports call things, in both languages. Business cases and payments keep the standard's own word besides: an auditor looks for that.

use dsfinvk::words::{CaseKind, PaymentKind};
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::{ArticleId, AssetId, StaffId, StandId, TaxpayerId, TillId};
use wording::Language;

use crate::books::Books;

/// A business case in words.
pub(crate) const fn case(case: CaseKind, words: Language) -> &'static str {
    match case {
        CaseKind::Umsatz => words.of("Umsatz", "Sales"),
        CaseKind::Pfand => words.of("Pfand ausgegeben", "Deposits taken"),
        CaseKind::PfandRueckzahlung => words.of("Pfand zurück", "Deposits paid back"),
        CaseKind::Rabatt => words.of("Rabatte durch Marken", "Discounts by vouchers"),
        CaseKind::Aufschlag => words.of("Aufschläge", "Surcharges"),
        CaseKind::TrinkgeldAg => words.of("Trinkgeld an den Betrieb", "Tips to the business"),
        CaseKind::TrinkgeldAn => words.of("Trinkgeld an das Team", "Tips to staff"),
        CaseKind::EinzweckgutscheinKauf => words.of("Einzweck-Gutscheine verkauft", "Single-purpose vouchers sold"),
        CaseKind::EinzweckgutscheinEinloesung => {
            words.of("Einzweck-Gutscheine eingelöst", "Single-purpose vouchers redeemed")
        }
        CaseKind::MehrzweckgutscheinKauf => words.of("Guthaben aufgeladen", "Balance paid in"),
        CaseKind::MehrzweckgutscheinEinloesung => words.of("Guthaben, Gutscheine eingelöst", "Balance, vouchers used"),
        CaseKind::Forderungsentstehung => words.of("Offen geblieben", "Left owing"),
        CaseKind::Forderungsaufloesung => words.of("Offenes beglichen", "Debts settled"),
        CaseKind::Anfangsbestand => words.of("Wechselgeld zum Beginn", "Floats"),
        CaseKind::Geldtransit => words.of("Geldtransit (Tresor)", "Cash transit (safe)"),
        CaseKind::DifferenzSollIst => words.of("Differenz beim Zählen", "Difference at a count"),
        other => other.as_str(),
    }
}

/// A way of paying in words.
pub(crate) const fn payment(payment: PaymentKind, words: Language) -> &'static str {
    match payment {
        PaymentKind::Bar => words.of("Bar", "Cash"),
        PaymentKind::Unbar => words.of("Unbar (Karte)", "Not cash (card)"),
        PaymentKind::Keine => words.of("Keine Zahlung", "No payment"),
        PaymentKind::Guthabenkarte => words.of("Guthabenkarte", "Stored-value card"),
        other => other.as_str(),
    }
}

/// How a guest paid.
pub(crate) const fn tender(tender: TenderKind, words: Language) -> &'static str {
    match tender {
        TenderKind::Cash => words.of("Bar", "Cash"),
        TenderKind::Card => words.of("Karte", "Card"),
        TenderKind::Wristband => words.of("Guthaben (Band)", "Balance (wristband)"),
        TenderKind::Voucher => words.of("Gutscheine", "Vouchers"),
    }
}

/// What an order was.
pub(crate) const fn order(kind: OrderKind, words: Language) -> &'static str {
    match kind {
        OrderKind::Sale => words.of("Verkäufe", "Sales"),
        OrderKind::Cancel => words.of("Stornos", "Cancellations"),
        OrderKind::Correction => words.of("Korrekturen (Änderung)", "Corrections (change)"),
        OrderKind::TopUp => words.of("Aufladungen", "Top-ups"),
        OrderKind::PayOut => words.of("Auszahlungen", "Pay-outs"),
        OrderKind::DepositReturn => words.of("Pfandrückgaben", "Deposit returns"),
        OrderKind::AbortedCart => words.of("Abgebrochene Vorgänge", "Given-up carts"),
        OrderKind::CashMovement => words.of("Geldtransit", "Cash transit"),
        OrderKind::DrawerOpen => words.of("Kassenlade geöffnet", "Drawers opened"),
        OrderKind::DrawerCount => words.of("Kassenstürze", "Drawers counted"),
        OrderKind::Training => words.of("Training", "Training"),
        OrderKind::Shift => words.of("Schichten", "Shifts"),
        OrderKind::Swap => words.of("Bandtausch", "Wristbands swapped"),
        OrderKind::Block => words.of("Sperren", "Wristbands blocked"),
        OrderKind::Grant => words.of("Zuteilungen", "Grants"),
        OrderKind::Ticket => words.of("Tickets", "Tickets"),
        OrderKind::VoucherClaim => words.of("Gutscheincodes", "Voucher codes claimed"),
        OrderKind::VoucherRedemption => words.of("Gutscheine ohne Verkauf", "Vouchers without a sale"),
        OrderKind::Points => words.of("Punkte", "Points"),
        OrderKind::CashTender => words.of("Barzahlungen", "Cash payments"),
        OrderKind::CardTender => words.of("Kartenzahlungen", "Card payments"),
    }
}

/// That a TSE in software signed, as receipts say it.
pub(crate) const fn not_certified(words: Language) -> &'static str {
    words.of(
        "NICHT ZERTIFIZIERT: signiert von einer Software-TSE. Zahlen für Proben und Vorführungen, kein Beleg im Sinn des Gesetzes.",
        "NOT CERTIFIED: signed by a TSE in software. Figures for rehearsals and demonstrations, no record in the sense of the law.",
    )
}

/// Why there was an outage; what is not known stays as it is.
pub(crate) fn reason(reason: &str, words: Language) -> String {
    match words {
        Language::De => dsfinvk::map::german(reason),
        Language::En => reason.to_owned(),
    }
}

/// Names by the newest configuration; what it does not know has its number.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub books: &'a Books,
    pub words: Language,
}

impl Names<'_> {
    pub fn till(self, till: TillId) -> String {
        let known = self.books.config.tills.get(&till);
        known.map_or_else(|| till.to_string(), |till| till.name.clone())
    }

    pub fn stand(self, stand: Option<StandId>) -> String {
        let known = stand.and_then(|stand| self.books.config.stands.get(&stand));
        known.map_or_else(|| "–".to_owned(), |stand| self.words.name(&stand.name).to_owned())
    }

    pub fn taxpayer(self, taxpayer: TaxpayerId) -> String {
        let known = self.books.config.taxpayers.get(&taxpayer);
        known.map_or_else(|| taxpayer.to_string(), |known| known.name.clone())
    }

    pub fn article(self, article: ArticleId) -> String {
        let known = self.books.config.articles.get(&article);
        known.map_or_else(
            || format!("{} {article}", self.words.of("Artikel", "Article")),
            |known| self.words.name(&known.name).to_owned(),
        )
    }

    pub fn asset(self, asset: AssetId) -> String {
        let known = self.books.config.assets.get(&asset);
        known.map_or_else(
            || format!("{} {asset}", self.words.of("Gutschein", "Voucher")),
            |known| self.words.name(&known.name).to_owned(),
        )
    }

    pub fn staff(self, staff: StaffId) -> String {
        let known = self.books.config.staff.get(&staff);
        known.map_or_else(|| staff.to_string(), |known| known.name.clone())
    }
}
