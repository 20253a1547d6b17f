//! What codes are called, in both languages. Each list is a match without a rest, so that a new code cannot be forgotten.

use festival::CaseKind;
use ledger::{Account, TransferCode};
use maud::{Markup, html};
use pages::Language;
use pages::format;
use shared_protocol::config::Config;
use shared_protocol::message::TerminalState;
use shared_protocol::order::{CancelReason, LineKind, Order, OrderKind, Permission, TenderKind};
use shared_protocol::stream::BlockReason;
use shared_protocol::{ArticleId, AssetId, StaffId, TaxpayerId, TillId};
use store::{CaseState, OrderState, SigningState};

pub(crate) const fn order_kind(kind: OrderKind, words: Language) -> &'static str {
    match kind {
        OrderKind::Sale => words.of("Verkauf", "Sale"),
        OrderKind::Cancel => words.of("Storno", "Cancellation"),
        OrderKind::Correction => words.of("Korrektur", "Correction"),
        OrderKind::TopUp => words.of("Aufladung", "Top-up"),
        OrderKind::PayOut => words.of("Auszahlung", "Pay-out"),
        OrderKind::DepositReturn => words.of("Pfandrückgabe", "Deposit return"),
        OrderKind::AbortedCart => words.of("Abbruch", "Aborted cart"),
        OrderKind::CashMovement => words.of("Bargeldbewegung", "Cash movement"),
        OrderKind::DrawerOpen => words.of("Kasse geöffnet", "Drawer opened"),
        OrderKind::DrawerCount => words.of("Kasse gezählt", "Drawer counted"),
        OrderKind::Shift => words.of("Schicht", "Shift"),
        OrderKind::Swap => words.of("Bandtausch", "Wristband swap"),
        OrderKind::Block => words.of("Sperre", "Block"),
        OrderKind::Grant => words.of("Zuteilung", "Grant"),
        OrderKind::Ticket => words.of("Ticket", "Ticket"),
        OrderKind::VoucherClaim => words.of("Gutschein eingelöst", "Voucher claimed"),
        OrderKind::VoucherRedemption => words.of("Gutscheine verbraucht", "Vouchers redeemed"),
        OrderKind::Points => words.of("Punkte", "Points"),
        OrderKind::Training => words.of("Übung", "Training"),
        OrderKind::CashTender => words.of("Barzahlung", "Cash payment"),
        OrderKind::CardTender => words.of("Kartenzahlung", "Card payment"),
    }
}

/// What an order is called where it stands alone.
pub(crate) const fn order_name(order: &Order, words: Language) -> &'static str {
    match order.shift {
        Some(mark) => receipt::words::shift(mark, words),
        None => order_kind(order.kind, words),
    }
}

pub(crate) const fn line_kind(kind: LineKind, words: Language) -> &'static str {
    match kind {
        LineKind::Goods => words.of("Artikel", "Article"),
        LineKind::Deposit => words.of("Pfand", "Deposit"),
        LineKind::Discount => words.of("Gutschein", "Voucher"),
        LineKind::TopUp => words.of("Guthaben aufgeladen", "Money paid in"),
        LineKind::PayOut => words.of("Guthaben ausgezahlt", "Money paid out"),
        LineKind::Float => words.of("Wechselgeld am Anfang", "Float"),
        LineKind::CashTransit => words.of("Geldtransport", "Cash transit"),
        LineKind::CashDifference => words.of("Kassendifferenz", "Cash difference"),
        LineKind::Tip => words.of("Trinkgeld", "Tip"),
    }
}

pub(crate) const fn tender_kind(kind: TenderKind, words: Language) -> &'static str {
    match kind {
        TenderKind::Wristband => words.of("Band", "Wristband"),
        TenderKind::Cash => words.of("Bar", "Cash"),
        TenderKind::Card => words.of("Karte", "Card"),
        TenderKind::Voucher => words.of("Gutschein", "Voucher"),
    }
}

pub(crate) const fn permission(permission: Permission, words: Language) -> &'static str {
    match permission {
        Permission::NotNeeded => words.of("nicht nötig", "not needed"),
        Permission::Held => words.of("vom Server gehalten", "held by the server"),
        Permission::OfflineKnown => words.of("offline, Guthaben bekannt", "offline, balance known"),
        Permission::OfflineUnknown => words.of("offline, Band unbekannt", "offline, wristband unknown"),
        Permission::Chip => words.of("vom Chip", "by the chip"),
    }
}

pub(crate) const fn cancel_reason(reason: CancelReason, words: Language) -> &'static str {
    match reason {
        CancelReason::Mistyped => words.of("falsch getippt", "mistyped"),
        CancelReason::GuestChanged => words.of("Gast wollte anders", "guest wanted something else"),
        CancelReason::OutOfStock => words.of("nicht vorrätig", "out of stock"),
        CancelReason::Undo => words.of("gleich zurückgenommen", "undone right away"),
    }
}

pub(crate) const fn transfer_code(code: TransferCode, words: Language) -> &'static str {
    match code {
        TransferCode::Sale => words.of("Verkauf", "Sale"),
        TransferCode::Tip => words.of("Trinkgeld", "Tip"),
        TransferCode::DepositTaken => words.of("Pfand genommen", "Deposit taken"),
        TransferCode::DepositReturned => words.of("Pfand zurück", "Deposit returned"),
        TransferCode::DepositCleared => words.of("Pfand verrechnet", "Deposit cleared"),
        TransferCode::TopUp => words.of("Aufladung", "Top-up"),
        TransferCode::PayOut => words.of("Auszahlung", "Pay-out"),
        TransferCode::Overdraft => words.of("Vorgestreckt", "Advanced"),
        TransferCode::OverdraftSettled => words.of("Forderung beglichen", "Debt settled"),
        TransferCode::Issue => words.of("Ausgegeben", "Issued"),
        TransferCode::Redeem => words.of("Eingelöst", "Redeemed"),
        TransferCode::Expire => words.of("Verfallen", "Expired"),
        TransferCode::Move => words.of("Umgebucht", "Moved"),
        TransferCode::CashMovement => words.of("Bargeldbewegung", "Cash movement"),
        TransferCode::CashDifference => words.of("Kassendifferenz", "Cash difference"),
        TransferCode::Change => words.of("Gewechselt", "Change"),
        TransferCode::Suspense => words.of("Ungeklärt", "Unclear"),
    }
}

pub(crate) const fn order_state(state: OrderState, words: Language) -> &'static str {
    match state {
        OrderState::Signed => words.of("signiert", "signed"),
        OrderState::SignedLate => words.of("nachsigniert", "signed late"),
        OrderState::InOutage => words.of("ohne Signatur (Ausfall)", "unsigned (outage)"),
        OrderState::Waiting => words.of("wartet", "waiting"),
    }
}

/// How far an order's signature is, as a word with a colour.
pub(crate) fn signing(state: Option<SigningState>, words: Language) -> Markup {
    let (state, class) = match state {
        Some(SigningState::Signed) => (OrderState::Signed, "state good"),
        Some(SigningState::SignedLate) => (OrderState::SignedLate, "state warn"),
        Some(SigningState::InOutage) => (OrderState::InOutage, "state warn"),
        None => (OrderState::Waiting, "state"),
    };
    html! { span class=(class) { (order_state(state, words)) } }
}

/// The same for an order, of which a TSE may have nothing to sign.
pub(crate) fn signing_of(kind: OrderKind, state: Option<SigningState>, words: Language) -> Markup {
    if kind.is_of_band() {
        html! { span.state { (words.of("keine nötig", "none needed")) } }
    } else {
        signing(state, words)
    }
}

pub(crate) const fn case_state(state: CaseState, words: Language) -> &'static str {
    match state {
        CaseState::Open => words.of("offen", "open"),
        CaseState::Taken => words.of("in Arbeit", "taken"),
        CaseState::Resolved => words.of("erledigt", "resolved"),
    }
}

pub(crate) fn case_kind(kind: CaseKind, words: Language) -> String {
    let name = match kind {
        CaseKind::Overdraft => words.of("Band konnte nicht zahlen", "Wristband could not pay"),
        CaseKind::PriceMismatch => words.of("Anderer Preis", "Other price"),
        CaseKind::UnknownRevision => words.of("Unbekannter Katalogstand", "Unknown catalogue"),
        CaseKind::NotPermitted => words.of("Nicht erlaubt", "Not permitted"),
        CaseKind::OfflineLimit => words.of("Offline-Grenze überschritten", "Over the offline limit"),
        CaseKind::BlockedTag => words.of("Gesperrtes Band hat gezahlt", "Blocked wristband paid"),
        CaseKind::ReversalUnknown => words.of("Storno ohne Buchung", "Cancellation without order"),
        CaseKind::ReversedTwice => words.of("Zweimal storniert", "Cancelled twice"),
        CaseKind::OrderFault => words.of("Widersprüchliche Buchung", "Contradictory order"),
        CaseKind::IdConflict => words.of("Nummer doppelt vergeben", "Number used twice"),
        CaseKind::Unreadable => words.of("Nicht lesbar", "Unreadable"),
        CaseKind::BadSignature => words.of("Falsche Geräte-Signatur", "Wrong device signature"),
        CaseKind::Fork => words.of("Zwei Fassungen eines Geräts", "Two versions of a device"),
        CaseKind::EntriesMissing => words.of("Buchungen nie angekommen", "Entries never came"),
        CaseKind::KindNotBooked => words.of("Art nicht gebucht", "Kind not booked"),
        CaseKind::UnknownEpoch => words.of("Unbekannter Abschnitt", "Unknown epoch"),
        CaseKind::ClockDoubtful => words.of("Uhr nicht verlässlich", "Clock not reliable"),
        CaseKind::TerminalReadopted => words.of("Gerät wieder aufgenommen", "Device taken back"),
        CaseKind::WrongEvent => words.of("Andere Veranstaltung", "Other event"),
        CaseKind::ReversalMismatch => words.of("Storno mit anderem Betrag", "Cancellation of other amount"),
        CaseKind::DrawerMismatch => words.of("Kasse stimmt nicht", "Drawer does not match"),
        CaseKind::PurseOverlap => words.of("Börse doppelt benutzt", "Purse used twice"),
        CaseKind::PurseSetBack => words.of("Börse zurückgesetzt", "Purse set back"),
        CaseKind::UnknownCredit => words.of("Fremdes Server-Guthaben", "Credit the server never gave"),
        CaseKind::PurseMismatch => words.of("Börse bewegt sich anders", "Purse moved otherwise"),
        CaseKind::PurseGap => words.of("Buchungen eines Bands fehlen", "Orders of a wristband missing"),
        CaseKind::CreditGap => words.of("Guthaben ohne Aufladung", "Credit without a top-up"),
        CaseKind::SwapUndone => words.of("Bandtausch nicht gemacht", "Swap not done"),
        CaseKind::SwapRest => words.of("Rest auf altem Band", "Rest on an old wristband"),
        CaseKind::AfterSwap => words.of("Geld für ersetztes Band", "Money for a replaced wristband"),
        CaseKind::PurseNotFilled => words.of("Guthaben nicht auf dem Chip", "Money not on the chip"),
        CaseKind::PurseInterrupted => words.of("Zahlung unterbrochen", "Payment interrupted"),
        CaseKind::PurseCompleted => words.of("Abgebucht ohne Verkauf", "Debited without a sale"),
        CaseKind::Other(code) => {
            return match words {
                Language::De => format!("Art {code}"),
                Language::En => format!("Kind {code}"),
            };
        }
    };
    name.to_owned()
}

pub(crate) const fn block_reason(reason: BlockReason, words: Language) -> &'static str {
    match reason {
        BlockReason::Blocked => words.of("gesperrt", "blocked"),
        BlockReason::Lost => words.of("verloren gemeldet", "reported lost"),
        BlockReason::Replaced => words.of("ersetzt", "replaced"),
        BlockReason::Overdrawn => words.of("überzogen", "overdrawn"),
        BlockReason::Other(_) => words.of("gesperrt (anderer Grund)", "blocked (another reason)"),
    }
}

/// What a terminal may do, as a word with a colour.
pub(crate) fn terminal_state(state: TerminalState, words: Language) -> Markup {
    let (class, name) = match state {
        TerminalState::Active => ("state good", words.of("aktiv", "active")),
        TerminalState::Locked => ("state bad", words.of("gesperrt", "locked")),
        TerminalState::Quarantined => ("state warn", words.of("unter Beobachtung", "quarantined")),
        TerminalState::Other(_) => ("state warn", words.of("unbekannt", "unknown")),
    };
    html! { span class=(class) { (name) } }
}

/// Whether a terminal is connected: a word, never only a colour.
pub(crate) fn online(online: bool, words: Language) -> Markup {
    if online {
        html! { span.state.good { "● " (words.of("online", "online")) } }
    } else {
        html! { span.state.warn { "○ " (words.of("offline", "offline")) } }
    }
}

/// Names of what an order points at; a number where the configuration does not know it.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub config: &'a Config,
    pub words: Language,
}

impl Names<'_> {
    pub(crate) fn till(&self, till: TillId) -> String {
        self.config.tills.get(&till).map_or_else(
            || format!("{} {till}", self.words.of("Kasse", "Till")),
            |till| till.name.clone(),
        )
    }

    pub(crate) fn stand_of(&self, till: TillId) -> String {
        let stand = self
            .config
            .tills
            .get(&till)
            .and_then(|till| self.config.stands.get(&till.stand));
        stand.map_or_else(String::new, |stand| self.words.name(&stand.name).to_owned())
    }

    pub(crate) fn staff(&self, staff: StaffId) -> String {
        self.config.staff.get(&staff).map_or_else(
            || format!("{} {staff}", self.words.of("Person", "Person")),
            |staff| staff.name.clone(),
        )
    }

    pub(crate) fn article(&self, article: ArticleId) -> Option<String> {
        let article = self.config.articles.get(&article)?;
        Some(self.words.name(&article.name).to_owned())
    }

    pub(crate) fn taxpayer(&self, taxpayer: TaxpayerId) -> String {
        self.config.taxpayers.get(&taxpayer).map_or_else(
            || format!("{} {taxpayer}", self.words.of("Steuerzahler", "Taxpayer")),
            |taxpayer| taxpayer.name.clone(),
        )
    }

    pub(crate) fn asset(&self, asset: AssetId) -> String {
        self.config.assets.get(&asset).map_or_else(
            || format!("{} {asset}", self.words.of("Wert", "Asset")),
            |asset| self.words.name(&asset.name).to_owned(),
        )
    }

    /// So many units of an asset: euros as money, others as a number with their decimals.
    pub(crate) fn amount(&self, asset: AssetId, units: i128) -> String {
        if asset == AssetId::EURO {
            return format::cents(units, self.words);
        }
        let scale = self.config.assets.get(&asset).map_or(0, |asset| asset.scale).min(9);
        let one = 10_u128.pow(u32::from(scale));
        let sign = if units < 0 { "\u{2212}" } else { "" };
        let whole = format::count(units.unsigned_abs() / one, self.words);
        let rest = units.unsigned_abs() % one;
        match scale {
            0 => format!("{sign}{whole}"),
            scale => format!(
                "{sign}{whole}{}{rest:0width$}",
                self.words.of(",", "."),
                width = usize::from(scale)
            ),
        }
    }

    pub(crate) fn account(&self, account: &Account) -> Markup {
        let words = self.words;
        match account {
            Account::Wristband { tag, .. } => {
                html! { (words.of("Band", "Wristband")) " " (wristband(&tag.to_string())) }
            }
            Account::Overdraft { tag } => {
                html! { (words.of("Forderung an Band", "Owed by wristband")) " " (wristband(&tag.to_string())) }
            }
            Account::Payable { taxpayer } => {
                html! { (words.of("Erlös", "Payable")) " " bdi { (self.taxpayer(*taxpayer)) } }
            }
            Account::Tips { taxpayer } => {
                html! { (words.of("Trinkgeld", "Tips")) " " bdi { (self.taxpayer(*taxpayer)) } }
            }
            Account::Deposit { article, taxpayer } => html! {
                (words.of("Pfand", "Deposit")) " " bdi { (self.article(*article).unwrap_or_else(|| article.to_string())) } ", " bdi { (self.taxpayer(*taxpayer)) }
            },
            Account::Clearing { debtor, creditor } => html! {
                (words.of("Verrechnung", "Clearing")) " " bdi { (self.taxpayer(*debtor)) } " → " bdi { (self.taxpayer(*creditor)) }
            },
            Account::Cash { till } => html! { (words.of("Bargeld", "Cash")) " " bdi { (self.till(*till)) } },
            Account::Card { till } => html! { (words.of("Karte", "Card")) " " bdi { (self.till(*till)) } },
            Account::Issuer => html! { (words.of("Herausgeber", "Issuer")) },
            Account::VoucherFunding { voucher } => {
                html! { (words.of("Gutschein-Deckung", "Voucher funding")) " " bdi { (self.asset(*voucher)) } }
            }
            Account::Safe => html! { (words.of("Tresor", "Safe")) },
            Account::CashDifference { till } => {
                html! { (words.of("Kassendifferenz", "Cash difference")) " " bdi { (self.till(*till)) } }
            }
            Account::ForeignCash { till, currency } => html! {
                (words.of("Fremdwährung", "Foreign cash")) " " bdi { (self.asset(*currency)) } ", " bdi { (self.till(*till)) }
            },
            Account::Suspense => html! { (words.of("Ungeklärt", "Suspense")) },
        }
    }
}

/// A wristband's id, as a link to its page.
pub(crate) fn wristband(tag: &str) -> Markup {
    html! { a.id href=(format!("/wristbands?tag={tag}")) { (tag) } }
}
