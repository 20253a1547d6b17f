//! The TSEs: how each does and what to do about it, which till is with which, whether they suffice, and the log of their outages for whoever audits.
//!
//! | file | what |
//! |---|---|
//! | `one` | a TSE with its certificates, and taking it out of service |
//! | `till` | a till: with which TSEs it was, and moving it |
//! | `plan` | what is planned with |
//! | `sheet` | what each shows |
//! | `words` | what states are called, and what to do |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::response::Response;
use fiscal::capacity::{Demand, Severity, Warning};
use fiscal::signer::client_of;
use maud::{Markup, html};
use pages::Language;
use pages::format::{Clock, count, duration};
use shared_protocol::config::Config;
use shared_protocol::stream::Stream;
use shared_protocol::{EventId, TillId};
use store::{ClientRow, OrderState, OutageRow, Reader, RetiredRow, SigningState, StoreError, TseNo, TseRow, WishRow};

use crate::context::Context;
use crate::dashboard::WAITING_LONG_MS;
use crate::fault::Fault;
use crate::frame::{Page, clock_of};
use crate::signer::{Board, UnitNow};
use crate::words::{Names, order_state};
use plan::Peaks;

pub(crate) mod one;
pub(crate) mod plan;
mod sheet;
pub(crate) mod till;
mod words;

/// Outages that are shown; the log itself is complete in the database.
const OUTAGES_MAX: usize = 200;
/// Newest outages that live pages know of.
const OUTAGES_KEPT: u64 = 500;

pub(crate) const fn not_certified(words: Language) -> &'static str {
    words.of("nicht zertifiziert", "not certified")
}

/// Everything about TSEs at one moment, free of language.
pub(crate) struct Figures {
    pub now_ms: u64,
    pub config: Arc<Config>,
    pub event: EventId,
    pub board: Arc<Board>,
    pub tses: Vec<(TseRow, (u64, u64, u64))>,
    pub clients: Vec<ClientRow>,
    pub wishes: Vec<WishRow>,
    pub retired: BTreeMap<TseNo, RetiredRow>,
    pub outages: Vec<OutageRow>,
    demands: Vec<Demand>,
    pub warnings: Vec<Warning>,
    counts: BTreeMap<SigningState, u64>,
    waiting: Option<(u64, u64)>,
    outage: bool,
}

impl Figures {
    pub(crate) async fn load(context: &Context) -> Result<Self, Fault> {
        let config = context.config().await?;
        let (event, now_ms) = (context.event, context.now_ms());
        let (board, outage) = (context.signer.board(), context.signer.outage());
        let (peaks, ends_ms) = (Arc::clone(&context.peaks), context.ends_ms);
        context
            .read(move |reader| Self::read(reader, (config, event), board, &peaks, (outage, now_ms, ends_ms)))
            .await
    }

    fn read(
        reader: &mut dyn Reader,
        (config, event): (Arc<Config>, EventId),
        board: Arc<Board>,
        peaks: &Peaks,
        (outage, now_ms, ends_ms): (bool, u64, Option<u64>),
    ) -> Result<Self, StoreError> {
        let mut tses = Vec::new();
        for tse in reader.tses()? {
            let counters = reader.tse_counters(tse.no)?;
            tses.push((tse, counters));
        }
        // The log only grows at its end, but for outages that last; those are known from the TSEs themselves.
        let mut outages = reader.outages(peaks.outages_from.load(Ordering::Relaxed), u64::MAX)?;
        let newest = outages.last().map_or(0, |outage| outage.id);
        peaks
            .outages_from
            .store(newest.saturating_sub(OUTAGES_KEPT), Ordering::Relaxed);
        outages.reverse();
        let (demands, warnings) = plan::look(reader, (&config, event), &board, peaks, (now_ms, ends_ms))?;
        Ok(Self {
            tses,
            clients: reader.clients()?,
            wishes: reader.wishes()?,
            retired: reader.retired()?.into_iter().map(|row| (row.tse, row)).collect(),
            outages,
            demands,
            warnings,
            counts: reader.signing_counts()?,
            waiting: reader.first_waiting()?,
            now_ms,
            config,
            event,
            board,
            outage,
        })
    }

    pub(crate) fn unit(&self, no: TseNo) -> Option<&UnitNow> {
        self.board.units.iter().find(|unit| unit.state.no == no)
    }

    /// The till that a TSE knows by this name.
    pub(crate) fn till(&self, client: &str) -> Option<TillId> {
        let mut tills = self.config.tills.keys();
        tills.find(|till| client_of(self.event, **till) == client).copied()
    }

    pub(crate) fn wish(&self, client: &ClientRow) -> Option<&WishRow> {
        let mut wishes = self.wishes.iter();
        wishes.find(|wish| wish.client == client.client && wish.taxpayer == client.taxpayer)
    }
}

pub(crate) async fn page(page: Page) -> Response {
    let made = Figures::load(&page.context).await;
    page.done(made.map(|figures| page.show_live("TSE", &parts(&figures, page.words), "/live/tse")))
}

/// What live pages get when something changed.
pub(crate) fn fragments(figures: &Figures, words: Language) -> Markup {
    let clock = Clock::new(&figures.config.event.time_zone, words);
    html! {
        (clock_of(&clock, figures.now_ms, words))
        (parts(figures, words))
    }
}

fn parts(figures: &Figures, words: Language) -> Markup {
    let clock = Clock::new(&figures.config.event.time_zone, words);
    let names = Names {
        config: &figures.config,
        words,
    };
    let lasting = figures.outages.iter().any(|outage| outage.until_ms.is_none());
    html! {
        div.parts #tses {
            @if figures.outage || lasting {
                div.note.bad role="alert" { (words.of("Eine TSE antwortet nicht. Verkauf ist erlaubt: Belege werden als unsigniert markiert, der Ausfall steht unten. Ruf die Technik.", "A TSE does not answer. Selling is allowed: receipts are marked as unsigned, the outage is logged below. Call tech.")) }
            }
            (warnings(&figures.warnings, &names, &clock))
            (cards(figures, words))
            @if figures.tses.is_empty() { p.note { (words.of("Noch keine TSE: sie beginnt mit der ersten Buchung.", "No TSE yet: it begins with the first order.")) } }
            @for (row, counters) in &figures.tses { (sheet::sheet(figures, row, *counters, &names, &clock)) }
            (tills(figures, &names, &clock))
            (demands(figures, &names))
            (outages(figures.outages.iter().take(OUTAGES_MAX), &names, figures, &clock))
        }
    }
}

/// What is short, the worst first.
fn warnings(warnings: &[Warning], names: &Names<'_>, clock: &Clock) -> Markup {
    html! {
        @if !warnings.is_empty() {
            section.sheet #short {
                h2 { (names.words.of("Zu wenig, oder bald", "Short, or soon")) }
                ul.plain { @for warning in warnings {
                    @let (class, sign) = words::severity(warning.severity);
                    @let (text, next) = words::short(warning, clock, names.words);
                    li {
                        strong class=(format!("state {class}")) { (sign) " " bdi { (names.taxpayer(warning.taxpayer)) } ": " (text) }
                        " " (next)
                    }
                } }
            }
        }
    }
}

/// What is short with the TSEs of a database, for `groschen doctor`: whether it is severe, and what there is to say.
pub fn tse_warnings(
    reader: &mut dyn Reader,
    event: EventId,
    (now_ms, ends_ms): (u64, Option<u64>),
    words: Language,
) -> Result<Vec<(bool, String)>, StoreError> {
    let copy = reader.stream(event, Stream::Config, None)?;
    let Some(config) = copy.and_then(|copy| Config::read(&copy).ok()) else {
        return Ok(Vec::new());
    };
    let clock = Clock::new(&config.event.time_zone, words);
    let (_, found) = plan::look(
        reader,
        (&config, event),
        &Board::default(),
        &Peaks::default(),
        (now_ms, ends_ms),
    )?;
    let names = Names { config: &config, words };
    let line = |warning: &Warning| {
        let (text, next) = words::short(warning, &clock, words);
        let says = format!("{}: {text} {next}", names.taxpayer(warning.taxpayer));
        (warning.severity == Severity::Severe, says)
    };
    Ok(found.iter().map(line).collect())
}

/// What is planned with.
fn demands(figures: &Figures, names: &Names<'_>) -> Markup {
    let words = names.words;
    html! {
        @if !figures.demands.is_empty() {
            section.sheet {
                h2 { (words.of("Womit geplant wird", "What is planned with")) }
                ul.plain { @for demand in &figures.demands { li {
                    bdi { (names.taxpayer(demand.taxpayer)) } ": " (count(demand.tills, words)) " " (words.of("Kassen", "tills")) ", "
                    (count(demand.orders_per_min, words)) " " (words.of("Belege in der stärksten Minute", "receipts in the busiest minute"))
                } } }
                p.quiet { (words.of(
                    "Die stärkste Minute ist gezählt, seit der Server läuft, oder das Doppelte der stärksten Stunde der letzten Woche. Von der Geschwindigkeit einer TSE sind drei Viertel verplant.",
                    "The busiest minute was counted since the server runs, or is twice the busiest hour of the last week. Three quarters of a TSE's speed are planned with.",
                )) }
            }
        }
    }
}

/// What is severe, for pages that show only that.
pub(crate) fn severe(warnings: &[Warning], config: &Config, clock: &Clock, words: Language) -> Markup {
    let names = Names { config, words };
    html! {
        @for warning in warnings.iter().filter(|warning| warning.severity == Severity::Severe) {
            div.note.bad role="alert" {
                "TSE, " bdi { (names.taxpayer(warning.taxpayer)) } ": " (words::short(warning, clock, words).0) " "
                a href="/tse" { (words.of("Was tun?", "What to do?")) }
            }
        }
    }
}

fn cards(figures: &Figures, words: Language) -> Markup {
    let (waiting, oldest) = figures.waiting.unwrap_or_default();
    let late = waiting > 0 && figures.now_ms.saturating_sub(oldest) > WAITING_LONG_MS;
    html! {
        ul.cards {
            @for state in [SigningState::Signed, SigningState::SignedLate, SigningState::InOutage] {
                li.card {
                    h2 { @let code = OrderState::from_code(state.code()).unwrap_or(OrderState::Waiting);
                        a href=(format!("/orders?state={}", code.code())) { (order_state(code, words)) } }
                    p.value { (count(figures.counts.get(&state).copied().unwrap_or(0), words)) }
                }
            }
            li class=(if late { "card bad" } else { "card" }) {
                h2 { a href=(format!("/orders?state={}", OrderState::Waiting.code())) { (order_state(OrderState::Waiting, words)) } }
                p.value { (count(waiting, words)) }
                p.quiet { @if waiting > 0 { (words.of("älteste seit", "oldest for")) " " (duration(figures.now_ms.saturating_sub(oldest), words)) } @else { (words.of("nichts wartet", "nothing waits")) } }
            }
        }
    }
}

/// Which till is with which TSE.
fn tills(figures: &Figures, names: &Names<'_>, clock: &Clock) -> Markup {
    let words = names.words;
    let label = words.of("Kassen und ihre TSE", "Tills and their TSE");
    html! {
        section.sheet.scroll tabindex="0" aria-label=(label) {
            h2 { (label) }
            @if figures.clients.is_empty() { p { (words.of("Noch hat keine Kasse verkauft. Jede bekommt mit dem ersten Bon eine TSE.", "No till has sold yet. Each gets a TSE with its first receipt.")) } }
            @else { table {
                caption.visually-hidden { (label) }
                thead { tr {
                    th scope="col" { (words.of("Kasse", "Till")) } th scope="col" { (words.of("Für", "For")) } th scope="col" { "TSE" }
                    th scope="col" { (words.of("Seit", "Since")) } th scope="col" { (words.of("Vorgesehen", "Planned")) }
                } }
                tbody { @for client in &figures.clients { tr {
                    td { @match figures.till(&client.client) {
                        Some(till) => a href=(format!("/tse/tills/{}", till.0)) { bdi { (names.till(till)) } },
                        None => span.id { (client.client) },
                    } }
                    td { bdi { (names.taxpayer(client.taxpayer)) } }
                    td { a href=(format!("/tse/{}", client.tse.0)) { "TSE " (client.tse.0) } }
                    td.nowrap { (clock.short(client.from_ms)) }
                    td { (planned(figures.wish(client), client, words)) }
                } } }
            } }
        }
    }
}

/// What an admin wants of a till.
fn planned(wish: Option<&WishRow>, client: &ClientRow, words: Language) -> Markup {
    html! {
        @match wish.and_then(|wish| Some((wish.tse?, wish.pinned))) {
            None => "–",
            Some((tse, true)) if tse == client.tse => { "📌 " (words.of("bleibt hier", "stays here")) }
            Some((tse, pinned)) => {
                span.state.warn { "→ TSE " (tse.0) } " " (words.of("wechselt nach diesem Verkauf", "moves after this sale"))
                @if pinned { ", 📌 " (words.of("bleibt dann dort", "then stays there")) }
            }
        }
    }
}

fn outages<'a>(
    shown: impl Iterator<Item = &'a OutageRow>,
    names: &Names<'_>,
    figures: &Figures,
    clock: &Clock,
) -> Markup {
    let words = names.words;
    let shown: Vec<_> = shown.collect();
    html! {
        section.sheet.scroll tabindex="0" aria-label=(words.of("Ausfälle", "Outages")) {
            h2 { (words.of("Ausfälle", "Outages")) }
            @if shown.is_empty() { p { (words.of("Keiner.", "None.")) } }
            @else { table {
                caption.visually-hidden { (words.of("Ausfälle, neueste zuerst", "Outages, newest first")) }
                thead { tr {
                    th scope="col" { (words.of("Nr.", "No.")) } th scope="col" { (words.of("Was", "What")) }
                    th scope="col" { (words.of("Von", "From")) } th scope="col" { (words.of("Bis", "Until")) } th scope="col" { (words.of("Warum", "Why")) }
                } }
                tbody { @for outage in &shown { tr {
                    td { (outage.id) }
                    td { @match (&outage.tse, &outage.client) {
                        (Some(tse), _) => { "TSE " (tse.0) }
                        (None, Some(client)) => @match figures.till(client) {
                            Some(till) => bdi { (names.till(till)) },
                            None => { (words.of("Kasse", "Till")) " " span.id { (client) } },
                        },
                        (None, None) => "–",
                    } }
                    td.nowrap { (clock.full(outage.from_ms)) }
                    td.nowrap { @match outage.until_ms { Some(until) => (clock.full(until)), None => span.state.bad { (words.of("dauert an", "goes on")) } } }
                    td.text { bdi lang="en" { (outage.reason) } }
                } } }
            } }
            @if figures.outages.len() > shown.len() && shown.len() == OUTAGES_MAX { p.quiet { (words.of("Ältere stehen in der Datenbank und in jedem Export.", "Older ones are in the database and in every export.")) } }
        }
    }
}
