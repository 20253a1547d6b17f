//! Tiles, the deposit row that never scrolls away, and the one field for everything that is typed.

use maud::{Markup, html};
use shared_protocol::ArticleId;
use shared_protocol::catalogue::Article;
use terminal::screen::{CartKind, Screen};

use super::{Look, unbroken};
use crate::act::{DEPOSIT_ROW_FROM, Side, tiles};

/// Pieces of an article in the cart, to show on its tile.
fn pieces(screen: &Screen, article: ArticleId) -> i32 {
    let lines = screen.cart.iter().flat_map(|cart| &cart.lines);
    lines
        .filter(|line| line.article == article)
        .map(|line| line.quantity.abs())
        .sum()
}

fn tile(look: Look<'_>, screen: &Screen, number: usize, article: &Article) -> Markup {
    let words = look.words;
    let is_back = number >= DEPOSIT_ROW_FROM;
    let act = if is_back {
        format!("return {}", article.id)
    } else {
        format!("add {}", article.id)
    };
    let id = format!("tile-{number}");
    let dialog = (article.price.is_none()).then(|| format!("price-{}", article.id));
    let count = pieces(screen, article.id);
    let inside = html! {
        span .number aria-hidden="true" { (number) }
        span .name { (unbroken(words.language.name(&article.name))) @if is_back { " " (words.of("zurück", "back")) } }
        span .price {
            @match article.price {
                Some(price) if is_back => { (words.euros(price.negated().unwrap_or_default())) }
                Some(price) => (words.euros(price)),
                None => (words.of("Preis tippen", "type price")),
            }
        }
        @if article.min_age > 0 && !is_back { span .age { (article.min_age) "+" } }
        @if count > 0 { span .count aria-label=(words.of("im Warenkorb", "in the cart")) { (count) } }
    };
    html! {
        @if let Some(dialog) = dialog {
            button .tile #(id) type="button" commandfor=(dialog) command="show-modal" { (inside) }
        } @else {
            button .tile.back[is_back] #(id) form="act" name="do" value=(act) { (inside) }
        }
    }
}

pub(super) fn goods(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let (Some(config), Some(till)) = (look.model.config.as_deref(), screen.till) else {
        return html! {};
    };
    let all: Vec<(usize, &Article)> = tiles(config, till)
        .filter_map(|(number, id)| Some((number, config.articles.get(&id)?)))
        .collect();
    let (goods, back): (Vec<_>, Vec<_>) = all.into_iter().partition(|(number, _)| *number < DEPOSIT_ROW_FROM);
    let still = screen
        .cart
        .as_ref()
        .is_some_and(|cart| !matches!(cart.kind, CartKind::Sale | CartKind::Correct { .. }));
    html! {
        div .tiles.still[still] {
            @for (number, article) in &goods { (tile(look, screen, *number, article)) }
            @if goods.is_empty() { p .quiet { (words.of("Diese Kasse hat keine Kacheln.", "This till has no tiles.")) } }
        }
        @if !back.is_empty() {
            div .deposit-row role="group" aria-label=(words.of("Pfand zurück", "Deposit back")) {
                @for (number, article) in &back { (tile(look, screen, *number, article)) }
            }
        }
    }
}

/// Takes everything that is typed anywhere on the page.
pub(super) fn entry(look: Look<'_>) -> Markup {
    let words = look.words;
    let hint = match look.model.side_shown() {
        Side::Sale => words.of(
            "12 = Kachel 12 · 3*12 = drei davon · - = eins weniger · Enter = Band hinhalten",
            "12 = tile 12 · 3*12 = three of it · - = one less · Enter = hold wristband",
        ),
        Side::Money => words.of(
            "20* = 20 € bar · 20/ = Karte · 20- = auszahlen · dann 50 = gegeben · - = doch nicht · + = Beleg",
            "20* = €20 cash · 20/ = card · 20- = pay out · then 50 = given · - = give it up · + = receipt",
        ),
    };
    html! {
        form #typed .entry method="post" action="/act" data-quiet="reset" {
            label for="entry" { (words.of("Tippen", "Type")) }
            input #entry name="typed" data-entry="" autocomplete="off" inputmode="none" maxlength="32" aria-describedby="entry-hint";
            span #entry-hint .quiet { (hint) }
            @if let Some(unclear) = &look.model.unclear {
                p .note.warn role="alert" { (words.unclear(unclear)) }
            }
        }
    }
}
