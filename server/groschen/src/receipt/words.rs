//! What receipts say, whatever they are on.

use pages::Language;
use pages::format::Clock;
use shared_protocol::catalogue::Address;
use shared_protocol::order::{Line, LineKind, TenderKind};

use super::read::Receipt;

/// A TSE in software signs like a real one and is none.
pub const fn not_certified(words: Language) -> &'static str {
    words.of(
        "NICHT ZERTIFIZIERT: Software-TSE, kein Beleg im Sinn des Gesetzes",
        "NOT CERTIFIED: TSE in software, no receipt in the sense of the law",
    )
}

/// The mark of an order that was made in an outage and signed afterwards.
pub const fn signed_late(words: Language) -> &'static str {
    words.of(
        "TSE ausgefallen; nachsigniert",
        "Made in an outage of the TSE; signed later",
    )
}

/// The mark of an order without a signature.
pub const fn in_outage(words: Language) -> &'static str {
    words.of("TSE ausgefallen: ohne Signatur", "TSE outage: without signature")
}

/// The order waits for its signature.
pub const fn not_yet(words: Language) -> &'static str {
    words.of("Signatur steht noch aus", "Waits to be signed")
}

/// Nobody is handed one (application decree to § 146a AO, number 2.5.5); it is printed for the books.
pub const fn of_drawer(words: Language) -> &'static str {
    words.of(
        "Kassenlade: innerbetrieblicher Vorgang, kein Kundenbeleg",
        "Cash drawer: internal, no receipt for a guest",
    )
}

/// The full address in one line, which § 6 `KassenSichV` asks for beside the name.
pub fn address(address: &Address) -> String {
    format!("{}, {} {}", address.street, address.postcode, address.town)
}

const fn line_name(kind: LineKind, words: Language) -> &'static str {
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

/// How it was paid.
pub const fn tender_name(kind: TenderKind, words: Language) -> &'static str {
    match kind {
        TenderKind::Wristband => words.of("Guthaben", "Wristband"),
        TenderKind::Cash => words.of("Bar", "Cash"),
        TenderKind::Card => words.of("Karte", "Card"),
        TenderKind::Voucher => words.of("Gutschein", "Voucher"),
    }
}

impl Receipt {
    /// What a line is about.
    pub fn line_name(&self, line: &Line, words: Language) -> String {
        let article = self
            .config
            .as_ref()
            .and_then(|config| config.articles.get(&line.article));
        article.map_or_else(
            || line_name(line.kind, words).to_owned(),
            |article| words.name(&article.name).to_owned(),
        )
    }

    /// The event's clock; UTC when the configuration is not known.
    pub fn clock(&self, words: Language) -> Clock {
        let zone = self.config.as_ref().map_or("UTC", |config| &config.event.time_zone);
        Clock::new(zone, words)
    }
}
