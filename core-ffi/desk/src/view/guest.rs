//! What a wristband has, and what its guest still owes.

use maud::{Markup, html};
use pages::Language;
use shared_protocol::message::Units;
use shared_protocol::order::OrderKind;
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, AssetId, TagId};
use terminal::screen::{Balance, Done, LastSale, Settled};

use super::result::{OCTAGON, SQUARE, card};
use super::{Look, button};

/// What is said of a wristband that was held without a cart.
#[derive(Clone, Copy)]
pub(super) struct Guest<'a> {
    pub tag: TagId,
    pub money: Option<Balance>,
    pub owed: Amount,
    pub units: &'a [Units],
    pub blocked: Option<BlockReason>,
    pub last_sale: Option<LastSale>,
}

pub(super) fn asset_name(look: Look<'_>, asset: AssetId) -> String {
    let found = look.model.config.as_ref().and_then(|config| config.assets.get(&asset));
    found.map_or_else(
        || asset.to_string(),
        |asset| look.words.language.name(&asset.name).to_owned(),
    )
}

pub(super) fn money(look: Look<'_>, money: Option<Balance>) -> String {
    let words = look.words;
    match money {
        Some(Balance { amount, as_of_ms: None }) => words.euros(amount),
        Some(Balance {
            amount,
            as_of_ms: Some(as_of_ms),
        }) => {
            let (amount, time) = (words.euros(amount), words.clock.minute(as_of_ms));
            match words.language {
                Language::De => format!("etwa {amount} (Stand {time})"),
                Language::En => format!("about {amount} (as of {time})"),
            }
        }
        None => words
            .of("Guthaben hier nicht bekannt", "Balance not known here")
            .to_owned(),
    }
}

/// What the cashier says to a guest who still owes something, with figures instead of a rule.
fn owed_words(look: Look<'_>, owed: Amount) -> String {
    let words = look.words;
    let example = Amount(EXAMPLE.0.max(owed.0));
    let (open, example, rest) = (
        words.euros(owed),
        words.euros(example),
        words.euros(example.minus(owed).unwrap_or_default()),
    );
    match words.language {
        Language::De => format!(
            "{open} von früher sind noch offen. Sie gehen von der nächsten Aufladung zuerst ab: von {example} kommen {rest} aufs Band."
        ),
        Language::En => format!(
            "{open} from earlier are still open. They come off the next top-up first: of {example}, {rest} go onto the wristband."
        ),
    }
}

/// The top-up that the words for a debt take as their example, in cents.
const EXAMPLE: Amount = Amount(2_000);

pub(super) fn balance(look: Look<'_>, guest: Guest<'_>) -> Markup {
    let words = look.words;
    let Guest {
        tag,
        money: has,
        owed,
        units,
        blocked,
        last_sale,
    } = guest;
    let confirmed = has.filter(|balance| balance.as_of_ms.is_none() && balance.amount.is_positive());
    let may = |kind| look.till().is_some_and(|till| till.order_kinds.contains(&kind));
    let inside = html! {
        p .of-wristband { (look.wristband(tag)) }
        @if blocked.is_some() { p { (words.of("Auf dem Band:", "On the wristband:")) " " (money(look, has)) } }
        @for unit in units { p { (unit.amount.0) " × " (asset_name(look, unit.asset)) } }
        @if owed.is_positive() { p .owed { (owed_words(look, owed)) } }
        @if let Some(last) = last_sale {
            p { (words.of("Zuletzt bezahlt:", "Last paid:")) " " (words.euros(last.amount)) " · " (words.clock.minute(last.at_ms)) " · " bdi .till-name { (words.short_till(last.till)) } }
        }
        @if has.is_none() { p { (words.of("Die Kasse ist offline und hat dieses Band noch nicht gesehen.", "The till is offline and has not seen this wristband yet.")) } }
        @if may(OrderKind::TopUp) && blocked.is_none() {
            p .quiet-on { (words.of("Lass das Band liegen: Betrag wählen, fertig.", "Leave the wristband there: choose an amount, done.")) }
        }
        @if may(OrderKind::Swap) && matches!(blocked, None | Some(BlockReason::Lost)) {
            (button("swap", "", None, words.of("Dieses Band tauschen", "Swap this wristband")))
        }
        @if let Some(confirmed) = confirmed.filter(|_| may(OrderKind::PayOut) && blocked.is_none()) {
            (button(&format!("pay-out {}", confirmed.amount.0), "", None, &format!("{} {}", words.of("Alles auszahlen:", "Pay out all:"), words.euros(confirmed.amount))))
        }
    };
    match blocked {
        Some(reason) => {
            let said = words.blocked(reason);
            card(
                "bad",
                OCTAGON,
                &html! { (said.what) },
                &html! { p { strong { (said.now) } } (inside) },
            )
        }
        None => card(
            "info",
            SQUARE,
            &html! { @if has.is_some() { (words.of("Guthaben", "Balance")) " " } (money(look, has)) },
            &inside,
        ),
    }
}

/// What became of money that was taken while something was owed.
pub(super) fn settled(look: Look<'_>, done: &Done, settles: Settled) -> Markup {
    let words = look.words;
    let whole = words.euros(done.total);
    let rest = done.total.minus(settles.settled).unwrap_or_default();
    let (settled, onto, left) = (
        words.euros(settles.settled),
        words.euros(rest),
        words.euros(settles.left),
    );
    html! {
        p .owed {
            @match (words.language, rest.is_zero()) {
                (Language::De, false) => { "Von den " (whole) " gingen zuerst " (settled) " ab, die noch offen waren. " (onto) " sind aufs Band gekommen." }
                (Language::En, false) => { "Of the " (whole) ", " (settled) " went first to what was still open. " (onto) " went onto the wristband." }
                (Language::De, true) => { "Alles ging an das, was noch offen war. Aufs Band ist nichts gekommen." }
                (Language::En, true) => { "All of it went to what was still open. Nothing went onto the wristband." }
            }
        }
        @if settles.left.is_positive() { p .owed { (words.of("Noch offen:", "Still open:")) " " (left) } }
    }
}
