//! What the books could not settle by themselves: each case gets an owner, words, and an end. What was said stays.

use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use festival::CaseKind;
use maud::{Markup, html};
use pages::format::euros;
use serde::Deserialize;
use shared_protocol::limits::TEXT_MAX_BYTES;
use store::{CaseFilter, CaseNote, CaseRow, CaseState, Office, TerminalRow};

use crate::fault::Fault;
use crate::frame::{Page, address, cut};
use crate::words::{case_kind, case_state, wristband};

const PAGE_ROWS: u64 = 50;

/// What stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// A code, `all`, or nothing for what is not resolved.
    state: String,
    kind: String,
    owner: String,
    before: String,
}

impl Asked {
    fn states(&self) -> Vec<Option<CaseState>> {
        match self.state.as_str() {
            "all" => vec![None],
            text => match text.parse().ok().and_then(CaseState::from_code) {
                Some(state) => vec![Some(state)],
                None => vec![Some(CaseState::Open), Some(CaseState::Taken)],
            },
        }
    }

    fn older(&self, before: u64) -> String {
        let before = before.to_string();
        let fields = [
            ("state", self.state.as_str()),
            ("kind", &self.kind),
            ("owner", &self.owner),
            ("before", &before),
        ];
        address("/cases", &fields)
    }
}

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    let made = content(&page, &asked).await;
    page.done(made.map(|content| page.show(page.words.of("Fälle", "Cases"), &content)))
}

async fn content(page: &Page, asked: &Asked) -> Result<Markup, Fault> {
    let words = page.words;
    let (states, kind) = (asked.states(), asked.kind.parse().ok());
    let owner = (!asked.owner.is_empty()).then(|| asked.owner.clone());
    let before = asked.before.parse().ok();
    let mut rows = page
        .context
        .read(move |reader| {
            let mut rows = Vec::new();
            for state in states {
                let filter = CaseFilter {
                    kind,
                    state,
                    owner: owner.clone(),
                };
                rows.extend(reader.case_list(&filter, before, PAGE_ROWS + 1)?);
            }
            Ok(rows)
        })
        .await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.stored.id));
    let older = cut(&mut rows, PAGE_ROWS, |row| row.stored.id);
    Ok(html! {
        (filters(page, asked))
        @if rows.is_empty() {
            p.note { (words.of("Keine Fälle. Alles ist geklärt.", "No cases. Everything is settled.")) }
        } @else {
            (table(page, &rows))
            @if let Some(older) = older {
                nav.paging aria-label=(words.of("Seiten der Liste", "Pages of the list")) { a.button href=(asked.older(older)) rel="next" { (words.of("Ältere", "Older")) } }
            }
        }
    })
}

fn filters(page: &Page, asked: &Asked) -> Markup {
    let words = page.words;
    let own = page
        .visitor
        .as_ref()
        .map(|visitor| visitor.name.as_str())
        .unwrap_or_default();
    html! {
        form.filters method="get" action="/cases" data-auto {
            label { (words.of("Zustand", "State"))
                select name="state" {
                    option value="" { (words.of("nicht erledigt", "not resolved")) }
                    @for state in CaseState::ALL {
                        @let value = state.code().to_string();
                        option value=(value) selected[value == asked.state] { (case_state(*state, words)) }
                    }
                    option value="all" selected[asked.state == "all"] { (words.of("alle", "all")) }
                }
            }
            label { (words.of("Art", "Kind"))
                select name="kind" {
                    option value="" { (words.of("alle", "all")) }
                    @for kind in CaseKind::ALL {
                        @let value = kind.code().to_string();
                        option value=(value) selected[value == asked.kind] { (case_kind(*kind, words)) }
                    }
                }
            }
            label { (words.of("Wer", "Who"))
                select name="owner" {
                    option value="" { (words.of("alle", "everybody")) }
                    option value=(own) selected[asked.owner == own] { (words.of("ich", "me")) }
                    @if !asked.owner.is_empty() && asked.owner != own { option value=(asked.owner) selected { (asked.owner) } }
                }
            }
            div.row.end { button { (words.of("Zeigen", "Show")) } }
        }
    }
}

fn table(page: &Page, rows: &[CaseRow]) -> Markup {
    let words = page.words;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(words.of("Fälle", "Cases")) {
            table data-rows {
                caption.visually-hidden { (words.of("Fälle, neueste zuerst", "Cases, newest first")) }
                thead { tr {
                    th scope="col" { (words.of("Nr.", "No.")) } th scope="col" { (words.of("Was", "What")) }
                    th.amount scope="col" { (words.of("Betroffen", "At stake")) } th scope="col" { (words.of("Zustand", "State")) }
                    th scope="col" { (words.of("Wer", "Who")) } th scope="col" { (words.of("Seit", "Since")) }
                } }
                tbody { @for row in rows { tr {
                    td { a href=(format!("/cases/{}", row.stored.id)) { (row.stored.id) } }
                    td { a href=(format!("/cases/{}", row.stored.id)) tabindex="-1" { (case_kind(row.stored.case.case.kind, words)) } }
                    td.amount { (euros(row.stored.case.case.stake, words)) }
                    td { (state_mark(row.state, words)) }
                    td { bdi { (row.owner.as_deref().unwrap_or("–")) } }
                    td.nowrap { (page.clock.short(row.stored.case.opened_at_ms)) }
                } } }
            }
        }
    }
}

fn state_mark(state: CaseState, words: pages::Language) -> Markup {
    let class = match state {
        CaseState::Open => "state bad",
        CaseState::Taken => "state warn",
        CaseState::Resolved => "state good",
    };
    html! { span class=(class) { (case_state(state, words)) } }
}

struct Found {
    row: CaseRow,
    notes: Vec<CaseNote>,
    order_no: Option<u64>,
    terminal: Option<TerminalRow>,
}

async fn load(page: &Page, id: &str) -> Result<Found, Fault> {
    let id: u64 = id.parse().map_err(|_| Fault::NotFound)?;
    let event = page.context.event;
    let found = page
        .context
        .read(move |reader| {
            let Some(row) = reader.case(id)?.filter(|row| row.stored.case.case.event == event) else {
                return Ok(None);
            };
            let order_no = match (row.stored.case.no, row.stored.case.case.order) {
                (Some(no), _) => Some(no),
                (None, Some(order)) => reader.posting_no(festival::booking::posting_id(order))?,
                (None, None) => None,
            };
            let terminal = match row.stored.case.terminal {
                Some(no) => reader.terminals()?.into_iter().find(|terminal| terminal.no == no),
                None => None,
            };
            Ok(Some(Found {
                notes: reader.case_notes(id)?,
                row,
                order_no,
                terminal,
            }))
        })
        .await?;
    found.ok_or(Fault::NotFound)
}

pub(crate) async fn detail(page: Page, Path(id): Path<String>) -> Response {
    let made = load(&page, &id).await.and_then(|found| {
        let title = format!(
            "{} {}: {}",
            page.words.of("Fall", "Case"),
            found.row.stored.id,
            case_kind(found.row.stored.case.case.kind, page.words)
        );
        Ok(page.show(&title, &detail_content(&page, &found)?))
    });
    page.done(made)
}

fn detail_content(page: &Page, found: &Found) -> Result<Markup, Fault> {
    let words = page.words;
    let (row, open) = (&found.row, &found.row.stored.case);
    let own = &page.visitor()?.name;
    let at = |verb: &str| format!("/cases/{}/{verb}", row.stored.id);
    Ok(html! {
        div.row {
            (state_mark(row.state, words))
            @if let Some(owner) = &row.owner { span { bdi { (owner) } " " (words.of("kümmert sich", "takes care")) } }
            @if row.state != CaseState::Resolved && row.owner.as_ref() != Some(own) {
                form method="post" action=(at("take")) { button.main { (words.of("Ich kümmere mich", "I take it")) } }
            }
        }
        p.note { (words.name(&open.case.explain())) }
        dl.facts.sheet {
            dt { (words.of("Betroffen", "At stake")) } dd { (euros(open.case.stake, words)) }
            dt { (words.of("Eröffnet", "Opened")) } dd { (page.clock.full(open.opened_at_ms)) }
            @if let Some(no) = found.order_no { dt { (words.of("Buchung", "Order")) } dd { a href=(format!("/orders/{no}")) { (words.of("Nr.", "no.")) " " (no) } } }
            @if let Some(tag) = open.case.tag { dt { (words.of("Band", "Wristband")) } dd { (wristband(&tag.to_string())) } }
            @if let Some(terminal) = &found.terminal { dt { (words.of("Gerät", "Terminal")) } dd { a href=(format!("/terminals/{}", terminal.id)) { bdi.clip { (terminal.device) } " (" (terminal.no.0) ")" } } }
            @if let Some(number) = open.case.number { dt { (words.of("Zahl dazu", "Its number")) } dd { (number) } }
        }
        section.sheet {
            h2 { (words.of("Verlauf", "History")) }
            @if found.notes.is_empty() { p { (words.of("Noch hat niemand etwas dazu gesagt.", "Nobody has said anything yet.")) } }
            @else { ol.history { @for note in &found.notes {
                li {
                    p.quiet { (page.clock.short(note.at_ms)) " " bdi { (note.by) } " – " (case_state(note.state, words))
                        @if let Some(owner) = &note.owner { ", " (words.of("bei", "with")) " " bdi { (owner) } } }
                    @if !note.text.is_empty() { p.said dir="auto" { (note.text) } }
                }
            } } }
        }
        form.sheet.stack method="post" action=(at("note")) {
            h2 { (words.of("Notiz oder Ergebnis", "Note or result")) }
            label { (words.of("Was ist herausgekommen?", "What came of it?"))
                textarea name="text" rows="4" required maxlength=(TEXT_MAX_BYTES) {}
            }
            div.row {
                @if row.state != CaseState::Resolved { button.main name="state" value=(CaseState::Resolved.code()) { (words.of("Erledigt", "Resolved")) } }
                @else { button name="state" value=(CaseState::Open.code()) { (words.of("Wieder öffnen", "Open again")) } }
                button name="state" value="" { (words.of("Nur notieren", "Only note it")) }
            }
        }
    })
}

pub(crate) async fn take(page: Page, Path(id): Path<String>) -> Response {
    let made = take_one(&page, &id).await;
    page.done(made)
}

async fn take_one(page: &Page, id: &str) -> Result<Response, Fault> {
    let found = load(page, id).await?;
    if found.row.state == CaseState::Resolved {
        return Err(Fault::refused(
            "Der Fall ist schon erledigt. Nichts ist geändert; öffne ihn mit einer Notiz wieder, wenn er es nicht ist.",
            "The case is resolved already. Nothing was changed; open it again with a note if it is not.",
        ));
    }
    let owner = Some(page.visitor()?.name.clone());
    add(
        page,
        found.row.stored.id,
        CaseState::Taken,
        owner,
        String::new(),
        "case.take",
    )
    .await
}

#[derive(Deserialize)]
pub(crate) struct Said {
    text: String,
    #[serde(default)]
    state: String,
}

pub(crate) async fn note(page: Page, Path(id): Path<String>, Form(said): Form<Said>) -> Response {
    let made = note_one(&page, &id, said).await;
    page.done(made)
}

async fn note_one(page: &Page, id: &str, said: Said) -> Result<Response, Fault> {
    let text = said.text.trim();
    if text.is_empty() || text.len() > TEXT_MAX_BYTES {
        return Err(Fault::refused(
            "Schreib kurz, was herausgekommen ist: 1 bis 1.024 Zeichen. Nichts ist geändert.",
            "Say in short what came of it: 1 to 1,024 characters. Nothing was changed.",
        ));
    }
    let found = load(page, id).await?;
    let own = Some(page.visitor()?.name.clone());
    let before = found.row.state;
    let state = said.state.parse().ok().and_then(CaseState::from_code).unwrap_or(before);
    let owner = match state {
        CaseState::Open if before == CaseState::Resolved => None,
        CaseState::Resolved => found.row.owner.or(own),
        _ => found.row.owner,
    };
    let what = match state {
        CaseState::Resolved if before != CaseState::Resolved => "case.resolve",
        CaseState::Open if before == CaseState::Resolved => "case.reopen",
        _ => "case.note",
    };
    add(page, found.row.stored.id, state, owner, text.to_owned(), what).await
}

/// The note and its audit row in one commit.
async fn add(
    page: &Page,
    case: u64,
    state: CaseState,
    owner: Option<String>,
    text: String,
    what: &str,
) -> Result<Response, Fault> {
    let (context, by) = (&page.context, &page.visitor()?.name);
    let office = Office {
        audit: vec![context.audit_row(by, what, format!("case {case}"), "")],
        notes: vec![CaseNote {
            case,
            at_ms: context.now_ms(),
            by: by.clone(),
            state,
            owner,
            text,
        }],
        ..Office::default()
    };
    context.keep(office).await?;
    Ok(Redirect::to(&format!("/cases/{case}")).into_response())
}
