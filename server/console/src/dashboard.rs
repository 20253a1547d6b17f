//! What happens at the event, on one page: money, terminals, signatures, cases, and the day so far.

use std::sync::Arc;

use axum::response::Response;
use maud::{Markup, html};
use pages::Language;
use pages::format::{Clock, cents, count, duration};
use shared_protocol::StandId;

use crate::chart::{Chart, Series, largest};
use crate::fault::Fault;
use crate::figures::{Figures, Hour};
use crate::frame::{Page, clock_of};
use crate::words::Names;

/// A terminal that was not heard of for longer is worth a look.
const SILENT_MS: u64 = 15 * 60 * 1_000;
/// Orders that wait longer for a signature than this are late.
pub(crate) const WAITING_LONG_MS: u64 = 60_000;
/// Offline terminals that are named on the dashboard; the rest is a number and a link.
const NAMED_MAX: usize = 8;

pub(crate) async fn page(page: Page) -> Response {
    let made = figures(&page).await.map(|figures| {
        let content = html! { (parts(&figures, page.words)) };
        page.show_live(page.words.of("Übersicht", "Dashboard"), &content, "/live/dashboard")
    });
    page.done(made)
}

/// For a screen on the wall: no navigation, no mouse.
pub(crate) async fn tv(page: Page) -> Response {
    let made = figures(&page).await.map(|figures| {
        let content = html! {
            header.top { (page.event()) (page.now()) }
            main #main {
                h1.visually-hidden { (page.words.of("Anzeige", "Wall display")) }
                (parts(&figures, page.words))
            }
        };
        page.bare_document(page.words.of("Anzeige", "Wall display"), &content, "/live/tv")
    });
    page.done(made)
}

async fn figures(page: &Page) -> Result<Arc<Figures>, Fault> {
    page.context.live.figures(&page.context).await
}

/// What live pages get when something changed; each part replaces the one with its id.
pub(crate) fn fragments(figures: &Figures, words: Language) -> Markup {
    let clock = Clock::new(&figures.config.event.time_zone, words);
    html! {
        (clock_of(&clock, figures.now_ms, words))
        (parts(figures, words))
    }
}

fn parts(figures: &Figures, words: Language) -> Markup {
    let clock = Clock::new(&figures.config.event.time_zone, words);
    html! {
        div.parts #tse-short { (crate::tse::severe(&figures.short, &figures.config, &clock, words)) }
        (cards(figures, &clock, words))
        (sales(figures, &clock, words))
        (money(figures, &clock, words))
        (offline(figures, &clock, words))
    }
}

fn card(label: &str, value: &Markup, note: &Markup, class: &str, href: Option<&str>) -> Markup {
    html! {
        li class=(format!("card {class}")) {
            h2 { @match href { Some(href) => a href=(href) { (label) }, None => (label) } }
            p.value { (value) }
            p.quiet { (note) }
        }
    }
}

fn cards(figures: &Figures, clock: &Clock, words: Language) -> Markup {
    let per_minute = rate(figures.recent_sales, words);
    let (online, all) = figures.online();
    let unsent = figures.unsent();
    let lag = figures.last_no.saturating_sub(figures.projected_no);
    html! {
        section #figures aria-label=(words.of("Zahlen jetzt", "Figures now")) {
            ul.cards {
                (card(words.of("Umsatz heute", "Revenue today"), &html! { (cents(figures.revenue, words)) },
                    &html! { (count(figures.sales, words)) " " @if figures.sales == 1 { (words.of("Verkauf", "sale")) } @else { (words.of("Verkäufe", "sales")) } ", " (words.of("mit Pfand", "with deposits")) }, "wide", Some("/orders")))
                (card(words.of("Verkäufe pro Minute", "Sales a minute"), &html! { (per_minute) },
                    &html! { (words.of("letzte 5 Minuten", "last 5 minutes")) }, "", None))
                (card(words.of("Aufgeladen heute", "Topped up today"), &html! { (cents(figures.top_ups, words)) },
                    &html! { (words.of("bar und Karte", "cash and card")) }, "", Some("/orders?kind=4")))
                (card(words.of("Geld auf Bändern", "Money on wristbands"), &html! { (cents(figures.owed_to_guests, words)) },
                    &html! { (words.of("schuldest du den Gästen", "owed to the guests")) }, "", None))
                (card(words.of("Geräte online", "Terminals online"), &html! { (online) small { " / " (all) } },
                    &unsent_note(figures, words), if online < all || unsent > 0 { "warn" } else { "good" }, Some("/terminals")))
                (signing_card(figures, clock, words))
                (card(words.of("Offene Fälle", "Open cases"), &html! { (count(figures.cases, words)) },
                    &html! { @if figures.stake > 0 { (cents(figures.stake, words)) " " (words.of("betroffen", "at stake")) } @else { (words.of("nichts zu tun", "nothing to do")) } },
                    if figures.cases > 0 { "warn" } else { "good" }, Some("/cases")))
            }
            p.quiet {
                @if lag > 0 {
                    (words.of("Summen bis Journal-Nr.", "Sums as far as journal no.")) " " (count(figures.projected_no, words)) " "
                    (words.of("von", "of")) " " (count(figures.last_no, words)) " · "
                }
                (words.of("Stand", "As of")) " " (clock.second(figures.now_ms))
                " · " (words.of("Veranstaltungstag", "Event day")) " " (clock.day(figures.day))
            }
        }
    }
}

/// Sales of five minutes as a rate, with one decimal.
fn rate(sales: u64, words: Language) -> String {
    let tenths = sales.saturating_mul(2);
    format!("{}{}{}", count(tenths / 10, words), words.of(",", "."), tenths % 10)
}

/// What is still to come, as far as it was announced. Of a terminal that said nothing yet nothing is known.
fn unsent_note(figures: &Figures, words: Language) -> Markup {
    let unsent = figures.unsent();
    let silent = figures
        .terminals
        .iter()
        .filter(|terminal| terminal.heard.is_none())
        .count();
    html! {
        @if unsent > 0 {
            (words.of("mindestens", "at least")) " " (count(unsent, words)) " " (words.of("noch nicht gesendet", "not sent yet"))
        } @else if silent > 0 {
            (silent) " " (words.of("seit dem Serverstart nicht gehört", "not heard since the server started"))
        } @else {
            (words.of("alles Angekündigte ist da", "all that was announced is here"))
        }
    }
}

fn signing_card(figures: &Figures, clock: &Clock, words: Language) -> Markup {
    let (waiting, oldest) = figures.waiting.unwrap_or_default();
    let age_ms = figures.now_ms.saturating_sub(oldest);
    let late = waiting > 0 && age_ms > WAITING_LONG_MS;
    let note = html! {
        @if figures.outage { strong { (words.of("TSE-Ausfall: Verkauf erlaubt, Technik rufen", "TSE outage: selling is allowed, call tech")) } }
        @else if waiting > 0 { (words.of("älteste", "oldest")) " " (clock.minute(oldest)) ", " (duration(age_ms, words)) }
        @else { (words.of("TSE in Ordnung", "TSE in order")) }
        @if figures.in_outage > 0 { br; (count(figures.in_outage, words)) " " (words.of("in Ausfällen markiert", "marked in outages")) }
    };
    let class = if figures.outage || late { "bad" } else { "good" };
    card(
        words.of("Warten auf Signatur", "Waiting for a signature"),
        &html! { (count(waiting, words)) },
        &note,
        class,
        Some("/tse"),
    )
}

fn labels(hours: &[Hour], clock: &Clock) -> Vec<String> {
    hours.iter().map(|hour| clock.minute(hour.from_ms)).collect()
}

/// Why the last hour is not the whole one.
fn incomplete(figures: &Figures, words: Language) -> String {
    let away = figures.terminals.iter().filter(|terminal| terminal.unsent > 0).count();
    let base = words.of("noch nicht vollständig", "not complete yet");
    match (away, words) {
        (0, _) => base.to_owned(),
        (1, Language::De) => format!("{base}: 1 Gerät muss noch senden"),
        (away, Language::De) => format!("{base}: {away} Geräte müssen noch senden"),
        (1, Language::En) => format!("{base}: 1 terminal has yet to send"),
        (away, Language::En) => format!("{base}: {away} terminals have yet to send"),
    }
}

fn sales(figures: &Figures, clock: &Clock, words: Language) -> Markup {
    let stands: std::collections::BTreeSet<StandId> = figures
        .hours
        .iter()
        .flat_map(|hour| hour.by_stand.keys())
        .copied()
        .collect();
    let series = stands.into_iter().map(|stand| Series {
        name: figures
            .config
            .stands
            .get(&stand)
            .map_or_else(|| format!("{stand}"), |stand| words.name(&stand.name).to_owned()),
        values: figures
            .hours
            .iter()
            .map(|hour| hour.by_stand.get(&stand).copied().unwrap_or(0))
            .collect(),
    });
    let series = largest(series.collect(), words.of("Rest", "Rest"));
    let chart = Chart {
        id: "sales",
        title: words.of("Umsatz je Stunde nach Stand", "Revenue an hour by stand"),
        axis: words.of("Stunde ab", "Hour from"),
        buckets: &labels(&figures.hours, clock),
        series: &series,
        incomplete: Some(&incomplete(figures, words)),
        words,
    };
    chart.bars()
}

fn money(figures: &Figures, clock: &Clock, words: Language) -> Markup {
    let grown = |value: fn(&Hour) -> i128| {
        let grow = |sum: &mut i128, hour: &Hour| {
            *sum += value(hour);
            Some(*sum)
        };
        figures.hours.iter().scan(0, grow).collect()
    };
    let series = [
        Series {
            name: words.of("Aufgeladen", "Topped up").to_owned(),
            values: grown(|hour| hour.top_ups),
        },
        Series {
            name: words.of("Ausgegeben", "Spent").to_owned(),
            values: grown(|hour| hour.spent),
        },
    ];
    let chart = Chart {
        id: "money",
        title: words.of(
            "Aufgeladen und ausgegeben seit Tagesbeginn",
            "Topped up and spent since the day began",
        ),
        axis: words.of("Bis Ende der Stunde ab", "To the end of the hour from"),
        buckets: &labels(&figures.hours, clock),
        series: &series,
        incomplete: Some(&incomplete(figures, words)),
        words,
    };
    chart.lines()
}

/// Terminals that somebody should look at, the longest silent first.
fn offline(figures: &Figures, clock: &Clock, words: Language) -> Markup {
    let names = Names {
        config: &figures.config,
        words,
    };
    let mut away: Vec<_> = figures
        .terminals
        .iter()
        .filter(|terminal| !terminal.online || terminal.unsent > 0)
        .collect();
    away.sort_by_key(|terminal| {
        (
            std::cmp::Reverse(terminal.unsent),
            terminal.heard.map(|heard| heard.at_ms),
        )
    });
    html! {
        section.sheet #away {
            h2 { (words.of("Geräte, die noch senden müssen oder offline sind", "Terminals that have yet to send or are offline")) }
            @if figures.terminals.is_empty() {
                p { (words.of("Noch kein Gerät registriert.", "No terminal is registered yet.")) " " a href="/registrations" { (words.of("Geräte registrieren", "Register terminals")) } }
            } @else if away.is_empty() {
                p.state.good { (words.of("✓ Alle sind online und haben gesendet.", "✓ All are online and have sent.")) }
            } @else {
                ul.plain {
                    @for terminal in away.iter().take(NAMED_MAX) {
                        @let silent = terminal.heard.is_none_or(|heard| figures.now_ms.saturating_sub(heard.at_ms) > SILENT_MS);
                        li {
                            a href=(format!("/terminals/{}", terminal.row.id)) { bdi { (names.till(terminal.row.till)) } }
                            " " span class=(if silent { "state bad" } else { "state warn" }) {
                                @if terminal.unsent > 0 { (words.of("mindestens", "at least")) " " (count(terminal.unsent, words)) " " (words.of("nicht gesendet", "not sent")) ", " }
                                (heard(terminal.heard.map(|heard| heard.at_ms), clock, words))
                            }
                        }
                    }
                }
                @if away.len() > NAMED_MAX {
                    p { a href="/terminals" { (words.of("und weitere", "and more")) " " (away.len() - NAMED_MAX) } }
                }
            }
        }
    }
}

/// When a terminal was last heard of.
pub(crate) fn heard(at_ms: Option<u64>, clock: &Clock, words: Language) -> Markup {
    html! {
        @match at_ms {
            Some(at_ms) => { (words.of("zuletzt gehört", "last heard")) " " (clock.minute(at_ms)) }
            None => (words.of("seit dem Serverstart nicht gehört", "not heard since the server started")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_keeps_its_tenths() {
        assert_eq!(rate(0, Language::De), "0,0");
        assert_eq!(rate(7, Language::De), "1,4");
        assert_eq!(rate(25_003, Language::En), "5,000.6");
    }
}
