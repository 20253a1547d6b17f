//! What opens over the page: the state of the connection, the history, receipts, splitting, typed prices, help.

use core_ffi::mirror::MirrorState;
use maud::{Markup, html};
use shared_protocol::catalogue::Article;
use terminal::cash;
use terminal::screen::{PastOrder, Pill, Screen};

use super::{Look, amount_field, band, button, currency, receipt};
use crate::act::tiles;

/// A till remembers so many of its orders; when all of them wait, there may be more.
const LAST_ORDERS: usize = 64;

pub(super) fn dialog(id: &str, title: &str, close: &str, inside: &Markup) -> Markup {
    let heading = format!("{id}-title");
    html! {
        dialog #(id) aria-labelledby=(heading) closedby="any" {
            div .row.dialog-head {
                h2 #(heading) { (title) }
                button type="button" .small commandfor=(id) command="close" { (close) }
            }
            (inside)
        }
    }
}

pub(super) fn all(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let close = words.of("Schließen", "Close");
    let Some((config, till)) = look.model.config.as_deref().zip(screen.till) else {
        return html! { (dialog("sync", words.of("Verbindung", "Connection"), close, &sync(look, screen))) (dialog("help", words.of("Hilfe", "Help"), close, &help(look))) };
    };
    let free = tiles(config, till)
        .filter_map(|(_, id)| config.articles.get(&id))
        .filter(|article| article.price.is_none());
    html! {
        (dialog("sync", words.of("Verbindung", "Connection"), close, &sync(look, screen)))
        (dialog("help", words.of("Hilfe", "Help"), close, &help(look)))
        (dialog("history", words.of("Verlauf dieser Kasse", "History of this till"), close, &history(look, screen)))
        (dialog("split", words.of("Auf Bänder teilen", "Split over wristbands"), close, &html! {
            p { (words.of("In gleiche Teile. Niemand bezahlt, bevor alles gedeckt ist.", "Into equal parts. Nobody pays before all is covered.")) }
            div .row { @for ways in 2..=5 {
                button .main form="act" name="do" value=(format!("split {ways}")) data-key=(ways) { (ways) }
            } }
        }))
        @if screen.cart.as_ref().is_some_and(|cart| !cart.needed.is_empty()) {
            (dialog("foreign", words.of("In anderer Währung bezahlt", "Paid in another currency"), close, &currency::pay(look, screen)))
        }
        (dialog("drawer", words.of("Kasse", "Cash drawer"), close, &html! { (drawer(look, screen)) (currency::hand_in(look)) }))
        @for article in free { (price(look, article, close)) }
        @if look.till().is_some_and(band::may) { (band::over_the_page(look, screen, close)) }
        @if let Some(done) = &look.model.done { (receipt::over_the_page(look, done, close)) }
    }
}

fn price(look: Look<'_>, article: &Article, close: &str) -> Markup {
    let words = look.words;
    let id = format!("price-{}", article.id);
    dialog(
        &id,
        words.language.name(&article.name),
        close,
        &html! {
            form .stack method="post" action="/act" data-quiet="reset" {
                label { (words.of("Preis in Euro", "Price in euros"))
                    (amount_field(words.of("4,50", "4.50"), true))
                }
                button .main name="do" value=(format!("price {}", article.id)) { (words.of("In den Warenkorb", "Into the cart")) }
            }
        },
    )
}

/// The drawer: opened with a float, counted blind. What should be in it is said only after the count.
fn drawer(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let amount = |label: &str| {
        html! {
            label { (label) (amount_field(words.of("100,00", "100.00"), false)) }
        }
    };
    let Some(open) = screen.drawer else {
        return html! {
            p { (words.of("Zähle das Wechselgeld und öffne damit die Kasse.", "Count the float and open the drawer with it.")) }
            form .stack method="post" action="/act" data-quiet="reset" {
                (amount(words.of("Wechselgeld in Euro", "Float in euros")))
                button .main name="do" value="open-drawer" { (words.of("Kasse öffnen", "Open drawer")) }
            }
        };
    };
    html! {
        p { (words.of("Offen seit", "Open since")) " " (words.clock.minute(open.opened_at_ms)) ", " (words.of("Wechselgeld", "float")) " " (words.euros(open.float)) }
        form .row.other-amount method="post" action="/act" data-quiet="reset" {
            (amount(words.of("Wechselgeld gebracht oder abgeholt", "Change brought or cash picked up")))
            button name="do" value="bring-cash" { (words.of("Gebracht", "Brought")) }
            button name="do" value="pick-up-cash" { (words.of("Abgeholt", "Picked up")) }
        }
        hr;
        h3 { (words.of("Kasse zählen und schließen", "Count the drawer and close it")) }
        p .quiet { (words.of("Trage ein, wie viele Scheine und Münzen darin sind. Was darin sein sollte, siehst du danach.", "Enter how many notes and coins are in it. What should be in it comes afterwards.")) }
        form .stack method="post" action="/act" data-quiet="reset" {
            div .pieces { @for piece in cash::PIECES {
                label { (words.euros(piece)) input type="number" name=(format!("pieces-{}", piece.0)) min="0" max="9999" step="1" inputmode="numeric"; }
            } }
            button .main name="do" value="count-drawer" { (words.of("Gezählt – Kasse schließen", "Counted – close drawer")) }
        }
    }
}

/// Orders in the list of the last ones.
const HISTORY_SHOWN: usize = 8;

fn history(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let guests = screen.history.iter().filter(|past| !past.kind.is_of_band());
    let last: Vec<&PastOrder> = guests.take(HISTORY_SHOWN).collect();
    if last.is_empty() {
        return html! { p { (words.of("Noch nichts verkauft. Die letzten Buchungen stehen dann hier, mit Storno.", "Nothing sold yet. The last bookings will be here, with a way to cancel them.")) } };
    }
    html! {
        ul .history { @for past in last { (past_order(look, past)) } }
    }
}

fn past_order(look: Look<'_>, past: &PastOrder) -> Markup {
    let words = look.words;
    let cancel = |code: &str, label: &str| {
        html! {
            button .small form="act" name="do" value=(format!("cancel {code} {}", past.order)) { (label) }
        }
    };
    html! {
        li {
            time .quiet { (words.clock.second(past.at_ms)) }
            strong .amount { (words.euros(past.total)) }
            @if past.sent { span .state.good { "✓ " (words.of("gesendet", "sent")) } }
            @else { span .state.warn { "↑ " (words.of("noch nicht gesendet", "not sent yet")) } }
            @if let Some(address) = receipt::address(look, past) { a href=(receipt::of_a_copy(&address)) target="_blank" rel="noopener" { (words.of("Beleg", "Receipt")) } }
            @if past.cancellable {
                details {
                    summary { (words.of("Storno", "Cancel")) }
                    div .row {
                        (cancel("mistyped", words.of("falsch getippt", "mistyped")))
                        (cancel("changed", words.of("Gast wollte anders", "guest changed their mind")))
                        (cancel("out-of-stock", words.of("nicht vorrätig", "out of stock")))
                    }
                }
            }
        }
    }
}

fn sync(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let (entries, online) = match screen.pill {
        Pill::Online => (0, true),
        Pill::Sending { entries } => (entries, true),
        Pill::Offline { entries, .. } => (entries, false),
    };
    let since = match screen.pill {
        Pill::Offline {
            since_ms: Some(since), ..
        } => Some(words.clock.second(since)),
        _ => None,
    };
    html! {
        p .lead {
            @if online && entries == 0 { (words.of("Verbunden. Der Server hat alles.", "Connected. The server has everything.")) }
            @else if online { (words.of("Verbunden. Wird gesendet:", "Connected. Being sent:")) " " (entries) }
            @else { (words.of("Offline – der Verkauf läuft weiter.", "Offline – selling goes on.")) }
        }
        dl .facts {
            dt { (words.of("Noch nicht gesendet", "Not sent yet")) } dd {
                (entries) " " (if entries == 1 { words.of("Eintrag", "entry") } else { words.of("Einträge", "entries") })
                (words.of(", sicher auf der Platte dieses Geräts", ", safe on this device's disk"))
            }
            @if let Some(unsent) = screen.unsent {
                @let all = unsent.orders < LAST_ORDERS;
                dt { (words.of("Davon Buchungen", "Of these, bookings")) } dd {
                    // Only the last ones are remembered with their sums.
                    @if !all { (words.of("die letzten", "the last")) " " }
                    (unsent.orders) ", " (words.euros(unsent.total))
                }
                @if all { dt { (words.of("Die älteste von", "The oldest is from")) } dd { (words.clock.second(unsent.oldest_ms)) } }
            }
            @if let Some(since) = since { dt { (words.of("Ohne Verbindung seit", "No connection since")) } dd { (since) } }
            @for mirror in &look.model.mirrors {
                dt { (words.of("Zweitkopie", "Second copy")) " " bdi .quiet { (mirror.name) } }
                dd {
                    @match mirror.state {
                        MirrorState::Starting => (words.of("wird geprüft …", "is being checked …")),
                        MirrorState::UpToDate => span .state.good { "✓ " (words.of("hat alles", "has everything")) },
                        MirrorState::Behind { entries, .. } => { (words.of("es fehlen Einträge:", "entries missing:")) " " (entries) },
                        MirrorState::Missing { .. } => span .state.bad { (words.of("fehlt", "missing")) },
                    }
                }
            }
            @if let Some(version) = screen.config { dt { (words.of("Preisliste", "Price list")) } dd { (version.generation) "." (version.rev) } }
        }
        @if let Some(config) = look.model.config.as_deref().filter(|_| !online) {
            @let limits = &config.event.offline;
            div .two {
                div {
                    h3 { (words.of("Das geht", "This works")) }
                    ul .bullets {
                        li { (words.of("Verkaufen bis", "Selling up to")) " " (words.euros(limits.order_max)) " " (words.of("pro Bestellung", "an order")) }
                        li { (words.of("Bekannte Bänder bis", "Known wristbands up to")) " " (words.euros(limits.tag_max)) }
                        li { (words.of("Unbekannte Bänder bis", "Unknown wristbands up to")) " " (words.euros(limits.unknown_tag_max)) }
                        li { (words.of("Pfand zurück, Storno an dieser Kasse", "Deposit back, cancelling at this till")) }
                        @if limits.top_up == shared_protocol::config::OfflineTopUp::CreditAfterSync {
                            li { (words.of("Aufladen – gilt nach dem Senden, auf dem Chip sofort", "Top-up – counts after sending, on a chip at once")) }
                        }
                        @if look.till().is_some_and(band::may) { li { (words.of("Band tauschen und sperren – hier sofort, fürs Guthaben und an anderen Kassen nach dem Senden", "Swapping and blocking wristbands – here at once, for the money and at other tills after sending")) } }
                        li { (words.of("Bänder mit Geld auf dem Chip: so weit es reicht", "Wristbands with money on the chip: as far as it goes")) }
                    }
                }
                div {
                    h3 { (words.of("Das geht nicht", "This does not")) }
                    ul .bullets {
                        @if limits.pay_out_max.is_positive() { li { (words.of("Auszahlen über", "Paying out more than")) " " (words.euros(limits.pay_out_max)) } }
                        @else { li { (words.of("Auszahlen", "Paying out")) } }
                        @if limits.top_up == shared_protocol::config::OfflineTopUp::OnlineOnly { li { (words.of("Aufladen", "Top-up")) } }
                        li { (words.of("Storno von anderen Kassen", "Cancelling what other tills sold")) }
                        li { (words.of("Belege mit Signatur der TSE", "Receipts with the TSE's signature")) }
                    }
                }
            }
        }
        @if look.options.simulation.faults && look.model.cut { (button("cut off", "main", None, words.of("Netz wieder an (simuliert)", "Network back on (simulated)"))) }
    }
}

fn help(look: Look<'_>) -> Markup {
    let words = look.words;
    let keys = [
        ("12", "Kachel 12", "tile 12"),
        ("3*12", "drei von Kachel 12", "three of tile 12"),
        (
            "4,50*12",
            "Kachel ohne Preis für 4,50 €",
            "a tile without a price, for €4.50",
        ),
        ("- --", "eins weniger, alles weg", "one less, all of it gone"),
        (
            "+",
            "Verkauf: nochmal das Gleiche · Aufladen: Beleg",
            "sale: the same again · top-up: receipt",
        ),
        (
            "20* 20/ 20-",
            "20 € aufladen bar, mit Karte, auszahlen",
            "€20 top-up in cash, by card, pay out",
        ),
        (
            "50",
            "während du Bargeld nimmst: der Gast gibt 50 €, das Rückgeld steht daneben",
            "while you take cash: the guest gives €50, the change is beside it",
        ),
        (".", "andere Seite: Verkauf oder Aufladen", "other side: sale or top-up"),
        (
            "Enter",
            "das gewählte Band hinhalten (simuliert)",
            "hold the wristband that is picked up (simulated)",
        ),
        ("/ /3", "nächstes Band, drittes Band", "next wristband, third wristband"),
        ("Esc", "Warenkorb leeren", "clear the cart"),
        (
            "F2 F5",
            "Band tauschen oder sperren: F2 am Aufladeplatz, F5 auf der Seite Aufladen",
            "swap or block a wristband: F2 at a top-up desk, F5 on the top-up side",
        ),
        (
            "F4 F5 F6 F7",
            "nochmal, teilen, rückgängig, korrigieren",
            "same again, split, undo, correct",
        ),
        (
            "F8 F9 F10 F11",
            "Beleg, Verlauf, bar, Karte",
            "receipt, history, cash, card",
        ),
    ];
    html! {
        p { (words.of("Antippen und Band hinhalten, mehr ist es nicht. Wer lieber tippt:", "Tap and hold the wristband, that is all. Who would rather type:")) }
        table { caption .visually-hidden { (words.of("Tasten", "Keys")) }
            tbody { @for (key, de, en) in keys { tr { th scope="row" { kbd { (key) } } td { (words.of(de, en)) } } } }
        }
    }
}
