//! The side with the cart, or with what the last hold came to.

use std::collections::BTreeMap;

use maud::{Markup, html};
use shared_protocol::config::Config;
use shared_protocol::order::{CancelReason, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::{Amount, ArticleId};
use terminal::screen::{CartKind, CartView, Notice, Refusal, Screen, SplitView, TipView};

use super::{Look, band, button, currency, money, result};
use crate::act::Side;

pub(super) fn side(look: Look<'_>, screen: &Screen) -> Markup {
    html! {
        aside .cart-side aria-label=(look.words.of("Warenkorb und Ergebnis", "Cart and result")) {
            div #result aria-live="assertive" { (result::result(look, screen)) }
            @match &screen.cart {
                Some(cart) => (open(look, screen, cart)),
                None => (none(look, screen)),
            }
        }
    }
}

/// Cups and the like that go over the counter with these lines.
pub(super) fn handed_out(config: &Config, lines: &[CartLine]) -> BTreeMap<ArticleId, i32> {
    let mut pieces = BTreeMap::new();
    for line in lines.iter().filter(|line| line.quantity > 0) {
        if let Some(deposit) = config.articles.get(&line.article).and_then(|article| article.deposit) {
            *pieces.entry(deposit).or_default() += line.quantity;
        }
    }
    pieces
}

fn none(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let last = screen.history.iter().find(|past| !past.kind.is_of_band());
    let has_sold = last.is_some();
    let can_undo = last.is_some_and(|past| past.cancellable);
    html! {
        @if matches!(screen.notice, Notice::None) {
            div .target {
                p .hold { (words.of("Bereit", "Ready")) }
                p { @match look.model.side_shown() {
                    Side::Sale => (words.of("Kachel antippen – oder Band hinhalten: zeigt das Guthaben.", "Tap a tile – or hold a wristband to see its balance.")),
                    Side::Money => (words.of("Betrag wählen – oder Band auflegen: zeigt das Guthaben.", "Choose an amount – or lay a wristband down to see its balance.")),
                } }
                @if let Some(done) = look.model.done.as_ref().filter(|_| look.model.side_shown() == Side::Money) { (money::last(look, done)) }
            }
        }
        div .row.after {
            @if has_sold && look.model.sides().0 { (button("same-again", "", Some("F4"), words.of("Nochmal", "Same again"))) }
            @if can_undo && !matches!(screen.notice, Notice::Done(_)) {
                (button("undo", "", Some("F6"), words.of("Rückgängig", "Undo")))
                @if look.model.sides().0 { (button("correct", "", Some("F7"), words.of("Korrigieren", "Correct"))) }
            }
            @if has_sold { button type="button" commandfor="history" command="show-modal" data-key="F1" { (words.of("Verlauf", "History")) " " kbd { "F1" } } }
        }
    }
}

fn open(look: Look<'_>, screen: &Screen, cart: &CartView) -> Markup {
    let words = look.words;
    let goods = matches!(cart.kind, CartKind::Sale | CartKind::Correct { .. });
    html! {
        section #cart .cart {
            h2 { (title(look, cart)) }
            @if goods { (lines(look, screen, cart)) }
            @if !matches!(cart.kind, CartKind::Cancel { .. } | CartKind::Swap { .. }) || !cart.total.is_zero() {
                p .total { span { (words.of("Summe", "Total")) } strong { (words.euros(cart.total)) } }
            }
            @if let Some(given) = cart.tip.as_ref().filter(|_| !cart.settling && cart.split.is_none()) { (tip(look, cart, given)) }
            @if let CartKind::Swap { old, lost } = cart.kind { (band::open(look, old, lost)) }
            (currency::given(look, cart))
            @if let (CartKind::TopUp { method: TenderKind::Cash }, None) = (&cart.kind, cart.given) { (money::change(look, cart.total)) }
            @if let Some(split) = &cart.split { (split_state(look, split)) }
            // The notice above says it already, and what is below has to stay in sight on a phone.
            @if !matches!(screen.notice, Notice::HoldAgain { .. }) { p .hold { (hold_words(look, cart)) } }
            div .row {
                @if goods && !cart.settling { (choices(look, cart)) }
                (button("clear", "", Some("Escape"), match (cart.settling, goods) {
                    (true, _) => words.of("Gast ist weg – leeren", "Guest is gone – clear"),
                    (false, true) => words.of("Leeren", "Clear"),
                    (false, false) => words.of("Abbrechen", "Cancel"),
                }))
            }
        }
    }
}

fn title(look: Look<'_>, cart: &CartView) -> String {
    let words = look.words;
    match &cart.kind {
        CartKind::Sale => words.of("Warenkorb", "Cart").to_owned(),
        CartKind::Correct { .. } => words
            .of(
                "Korrigieren: alles ändern, dann dasselbe Band hinhalten",
                "Correct: change it, then hold the same wristband",
            )
            .to_owned(),
        CartKind::Cancel { reason, .. } => {
            let reason = match reason {
                CancelReason::Mistyped => words.of("falsch getippt", "mistyped"),
                CancelReason::GuestChanged => words.of("Gast wollte anders", "guest changed their mind"),
                CancelReason::OutOfStock => words.of("nicht vorrätig", "out of stock"),
                CancelReason::Undo => words.of("rückgängig", "undo"),
            };
            format!("{} ({reason})", words.of("Storno", "Cancellation"))
        }
        CartKind::TopUp { method } => format!("{} · {}", words.of("Aufladen", "Top-up"), words.tender(*method)),
        CartKind::PayOut => words.of("Auszahlen · Bar", "Pay-out · Cash").to_owned(),
        CartKind::Swap { .. } => words.of("Band tauschen", "Swap wristband").to_owned(),
    }
}

fn hold_words(look: Look<'_>, cart: &CartView) -> &'static str {
    let words = look.words.language;
    if cart.settling {
        return words.of("DASSELBE Band nochmal hinhalten", "Hold the SAME wristband again");
    }
    match cart.kind {
        CartKind::Cancel { .. } | CartKind::Correct { .. } => {
            words.of("Band des Gastes hinhalten", "Hold the guest's wristband")
        }
        CartKind::PayOut => words.of(
            "Band hinhalten, dann Geld geben",
            "Hold the wristband, then hand out the money",
        ),
        CartKind::Swap { .. } => words.of("Neues Band hinhalten", "Hold the new wristband"),
        CartKind::TopUp { .. } => words.of(
            "Geld nehmen, dann Band hinhalten",
            "Take the money, then hold the wristband",
        ),
        CartKind::Sale => words.of("Band hier hinhalten", "Hold wristband here"),
    }
}

fn lines(look: Look<'_>, screen: &Screen, cart: &CartView) -> Markup {
    let words = look.words;
    let Some(config) = look.model.config.as_deref() else {
        return html! {};
    };
    let has = match &screen.notice {
        Notice::Refused(Refusal::BalanceTooLow { has, .. }) => Some(has.amount),
        _ => None,
    };
    html! {
        ul .lines.settling[cart.settling] {
            @for line in &cart.lines {
                @let article = config.articles.get(&line.article);
                @let name = article.map_or_else(|| line.article.to_string(), |article| words.language.name(&article.name).to_owned());
                @let each = line.free_price.or_else(|| article.and_then(|article| article.price)).unwrap_or_default();
                @let deposit = article.filter(|_| line.quantity > 0).map_or(Amount::ZERO, |article| config.deposit_with(article));
                @let sum = each.times(i64::from(line.quantity)).unwrap_or_default();
                @let without = sum.plus(deposit.times(i64::from(line.quantity)).unwrap_or_default()).and_then(|whole| cart.total.minus(whole));
                li {
                    span .quantity { (line.quantity.abs()) " ×" }
                    span .name { (name) @if line.quantity < 0 { " " (words.of("zurück", "back")) }
                        @if has.zip(without.ok()).is_some_and(|(has, without)| without <= has) { " " em .enough { (words.of("ohne reicht es", "enough without")) } }
                    }
                    span .amount { (words.euros(sum)) }
                    @if !cart.settling {
                    button .small form="act" name="do" value=(format!("remove {}", line.article)) aria-label=(format!("{} {name}", words.of("Eins weniger:", "One less:"))) { "−" }
                    button .small form="act" name="do" value=(format!("clear-line {}", line.article)) aria-label=(format!("{} {name}", words.of("Zeile weg:", "Drop line:"))) { "✕" }
                    }
                }
            }
            @for (deposit, count) in handed_out(config, &cart.lines) {
                @if let Some(article) = config.articles.get(&deposit) {
                    li .deposit {
                        span .quantity { (count) " ×" }
                        span .name { (words.of("Pfand", "Deposit")) " " (words.language.name(&article.name)) }
                        span .amount { (words.euros(article.price.unwrap_or_default().times(i64::from(count)).unwrap_or_default())) }
                    }
                }
            }
        }
    }
}

/// What a guest may give on top. Nothing is chosen beforehand.
fn tip(look: Look<'_>, cart: &CartView, tip: &TipView) -> Markup {
    let words = look.words;
    let goods = cart.total.minus(tip.given).unwrap_or_default();
    let offered = |amount: Amount| {
        let with = goods.plus(amount).unwrap_or_default();
        if with.is_zero() {
            words.of("Pfand dalassen", "Leave the deposit").to_owned()
        } else {
            format!("+ {} = {}", words.euros(amount), words.euros(with))
        }
    };
    html! {
        div .row.tip role="group" aria-label=(words.of("Trinkgeld", "Tip")) {
            span { (words.of("Trinkgeld", "Tip")) @if tip.given.is_positive() { " " strong { (words.euros(tip.given)) } } }
            @for amount in &tip.offers {
                button .small form="act" name="do" value=(format!("tip {}", amount.0)) aria-pressed=(*amount == tip.given) { (offered(*amount)) }
            }
            button type="button" .small commandfor=(format!("price-{}", tip.article)) command="show-modal" { (words.of("Anderer Betrag", "Another amount")) }
            @if tip.given.is_positive() { button .small form="act" name="do" value="tip 0" { (words.of("Kein Trinkgeld", "No tip")) } }
        }
    }
}

fn choices(look: Look<'_>, cart: &CartView) -> Markup {
    let words = look.words;
    let Some((config, till)) = look.model.config.as_deref().zip(look.till()) else {
        return html! {};
    };
    let takes_vouchers = cart.lines.iter().any(|line| {
        line.quantity > 0
            && config
                .articles
                .get(&line.article)
                .is_some_and(|article| article.vouchers.is_some())
    });
    let is_sale = cart.kind == CartKind::Sale;
    html! {
        @if is_sale && till.tenders.contains(&TenderKind::Cash) { (button("pay cash", "", Some("F10"), words.of("Bar bezahlt", "Paid in cash"))) }
        @if is_sale { (currency::choice(look, cart)) }
        @if is_sale && till.tenders.contains(&TenderKind::Card) { (button("pay card", "", Some("F11"), words.of("Karte bezahlt", "Paid by card"))) }
        @if takes_vouchers {
            @if cart.use_vouchers { (button("vouchers off", "", None, words.of("Ohne Gutscheine", "Without vouchers"))) }
            @else { (button("vouchers on", "", None, words.of("Mit Gutscheinen", "With vouchers"))) }
        }
        @if is_sale && cart.total.is_positive() {
            button type="button" commandfor="split" command="show-modal" data-key="F5" { (words.of("Teilen", "Split")) " " kbd { "F5" } }
        }
    }
}

fn split_state(look: Look<'_>, split: &SplitView) -> Markup {
    let words = look.words;
    let seen = split.parts.len();
    let of = split.of.map_or_else(|| "…".to_owned(), |of| of.to_string());
    html! {
        div .note {
            p { strong {
                @match words.language {
                    pages::Language::De => { (seen) " von " (of) " Bändern – nächstes Band" }
                    pages::Language::En => { (seen) " of " (of) " wristbands – next one" }
                }
            } }
            @if !split.parts.is_empty() {
                ul { @for (tag, amount) in &split.parts { li { (look.wristband(*tag)) @if *amount != Amount::ZERO { ": " (words.euros(*amount)) } } } }
            }
            p { (words.of("Niemand bezahlt, bevor alles gedeckt ist.", "Nobody pays before all is covered.")) }
        }
    }
}
