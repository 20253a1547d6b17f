//! The frame around every page: where one is, what event this is, who is logged in, and the way to everything else.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use pages::format::{self, Clock};
use pages::{Language, Preferences, Shell};
use shared_protocol::config::Config;
use store::Role;

use crate::access::who;
use crate::context::{Context, Mode};
use crate::fault::Fault;
use crate::session::Visitor;

/// A page in the making: who sees it, in which language, with what stands in every frame.
#[derive(Clone)]
pub(crate) struct Page {
    pub context: Arc<Context>,
    pub preferences: Preferences,
    pub words: Language,
    pub clock: Clock,
    pub visitor: Option<Visitor>,
    /// None where there is nothing to read it from, or nobody who may see it.
    pub config: Option<Arc<Config>>,
    path: String,
    cases: u64,
}

/// What stands in the navigation: path, key, name, and who sees it.
struct Entry {
    path: &'static str,
    key: &'static str,
    de: &'static str,
    en: &'static str,
}

const NAVIGATION: [Entry; 12] = [
    Entry {
        path: "/",
        key: "d",
        de: "Übersicht",
        en: "Dashboard",
    },
    Entry {
        path: "/orders",
        key: "b",
        de: "Buchungen",
        en: "Orders",
    },
    Entry {
        path: "/terminals",
        key: "t",
        de: "Geräte",
        en: "Terminals",
    },
    Entry {
        path: "/cases",
        key: "c",
        de: "Fälle",
        en: "Cases",
    },
    Entry {
        path: "/wristbands",
        key: "w",
        de: "Bänder",
        en: "Wristbands",
    },
    Entry {
        path: "/tse",
        key: "s",
        de: "TSE",
        en: "TSE",
    },
    Entry {
        path: "/reports",
        key: "r",
        de: "Berichte",
        en: "Reports",
    },
    Entry {
        path: "/exports",
        key: "e",
        de: "Exporte",
        en: "Exports",
    },
    Entry {
        path: "/verify",
        key: "p",
        de: "Prüfen",
        en: "Verify",
    },
    Entry {
        path: "/tax",
        key: "x",
        de: "Steuern",
        en: "Taxes",
    },
    Entry {
        path: "/audit",
        key: "a",
        de: "Protokoll",
        en: "Audit",
    },
    Entry {
        path: "/users",
        key: "u",
        de: "Nutzer",
        en: "Users",
    },
];

/// A query string.
pub(crate) fn query<V: AsRef<str>>(pairs: &[(&str, V)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.as_ref().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _written = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// A path with the fields that are filled in.
pub(crate) fn address(path: &str, fields: &[(&str, &str)]) -> String {
    let set: Vec<_> = fields.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
    if set.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query(&set))
    }
}

/// Cuts what was read, one row more than a page shows, to the page. Gives where the next page goes on, when there is one.
pub(crate) fn cut<T>(rows: &mut Vec<T>, shown: u64, number: impl Fn(&T) -> u64) -> Option<u64> {
    let shown = usize::try_from(shown).unwrap_or(usize::MAX);
    let is_more = rows.len() > shown;
    rows.truncate(shown);
    rows.last().filter(|_| is_more).map(number)
}

/// The name of a role.
pub(crate) const fn role_name(role: Role, words: Language) -> &'static str {
    match role {
        Role::Admin => words.of("Admin", "Admin"),
        Role::Finance => words.of("Finanzen", "Finance"),
        Role::Crew => words.of("Crew", "Crew"),
    }
}

impl Page {
    /// Without what has to be read first.
    pub(crate) fn bare(context: &Arc<Context>, preferences: Preferences, visitor: Option<Visitor>) -> Self {
        let words = preferences.language;
        Self {
            context: Arc::clone(context),
            preferences,
            words,
            clock: Clock::new("Europe/Berlin", words),
            visitor,
            config: None,
            path: String::new(),
            cases: 0,
        }
    }

    /// With event and case count, for somebody who may see them.
    pub(crate) async fn load(
        context: &Arc<Context>,
        preferences: Preferences,
        visitor: Option<Visitor>,
        path: String,
    ) -> Result<Self, Fault> {
        let page = Self {
            path,
            ..Self::bare(context, preferences, visitor)
        };
        if page.visitor.is_none() {
            return Ok(page);
        }
        let config = context.config().await?;
        let (cases, _) = context.read(|reader| reader.open_cases()).await?;
        Ok(Self {
            clock: Clock::new(&config.event.time_zone, page.words),
            config: Some(config),
            cases,
            ..page
        })
    }

    /// The configuration; pages behind a login always have it.
    pub(crate) fn config(&self) -> Result<&Arc<Config>, Fault> {
        self.config.as_ref().ok_or(Fault::Unavailable)
    }

    /// Who is logged in; pages behind a login always have somebody.
    pub(crate) fn visitor(&self) -> Result<&Visitor, Fault> {
        self.visitor.as_ref().ok_or(Fault::NotAllowed)
    }

    /// Whether this person may call an endpoint.
    pub(crate) fn may(&self, method: &axum::http::Method, path: &str) -> bool {
        let Some(visitor) = &self.visitor else { return false };
        who(method, path).is_some_and(|who| who.includes(visitor.role))
    }

    fn may_change(&self, path: &str) -> bool {
        self.may(&axum::http::Method::POST, path)
    }

    /// Whether this person may do something to terminals and wristbands.
    pub(crate) fn may_devices(&self) -> bool {
        self.may_change("/registrations")
    }

    /// The whole page.
    pub(crate) fn show(&self, title: &str, content: &Markup) -> Response {
        self.answer(StatusCode::OK, title, content, None)
    }

    /// A page that hears of changes.
    pub(crate) fn show_live(&self, title: &str, content: &Markup, live: &str) -> Response {
        self.answer(StatusCode::OK, title, content, Some(live))
    }

    /// What went wrong, in the frame where there is one.
    pub(crate) fn fault(&self, fault: &Fault) -> Response {
        let title = fault.title(self.words);
        self.answer(fault.status(), title, &fault.content(self.words), None)
    }

    /// A page or what went wrong with it.
    pub(crate) fn done(&self, made: Result<Response, Fault>) -> Response {
        made.unwrap_or_else(|fault| self.fault(&fault))
    }

    pub(crate) fn answer(&self, status: StatusCode, title: &str, content: &Markup, live: Option<&str>) -> Response {
        let framed = html! {
            @if self.visitor.is_some() { (self.top()) }
            main #main {
                h1 { (title) }
                (content)
            }
        };
        self.document(status, title, "console", &framed, live)
    }

    /// Without navigation, for screens that nobody touches.
    pub(crate) fn bare_document(&self, title: &str, content: &Markup, live: &str) -> Response {
        self.document(StatusCode::OK, title, "console tv", content, Some(live))
    }

    fn document(&self, status: StatusCode, title: &str, class: &str, content: &Markup, live: Option<&str>) -> Response {
        let shell = Shell {
            assets: &self.context.assets,
            preferences: self.preferences,
            title,
            class,
            live,
        };
        (status, shell.around(content)).into_response()
    }

    /// The name of the event and what it is.
    pub(crate) fn event(&self) -> Markup {
        let name = self.config.as_ref().map(|config| self.words.name(&config.event.name));
        let class = match self.context.mode {
            Mode::Live => "badge live",
            Mode::Demo => "badge demo",
        };
        html! {
            span.event {
                bdi { (name.unwrap_or_default()) }
                " "
                span class=(class) { (self.context.mode.name(self.words)) }
            }
        }
    }

    /// What time it is at the event.
    pub(crate) fn now(&self) -> Markup {
        clock_of(&self.clock, self.context.now_ms(), self.words)
    }

    fn top(&self) -> Markup {
        let words = self.words;
        let visitor = self.visitor.as_ref();
        html! {
            header.top {
                (self.event())
                (self.now())
                form.search role="search" action="/search" {
                    label.visually-hidden for="search" { (words.of("Suchen", "Search")) }
                    input #search type="search" name="q" maxlength="100" autocomplete="off" data-key="/"
                        placeholder=(words.of("Buchung, Band, Kasse, Fall  /", "Order, wristband, till, case  /"));
                }
                @if let Some(visitor) = visitor {
                    div.who {
                        a href="/account" aria-current=[self.path.starts_with("/account").then_some("page")] {
                            bdi { (visitor.name) } " " small { (role_name(visitor.role, words)) }
                        }
                        form method="post" action="/logout" { button { (words.of("Abmelden", "Log out")) } }
                    }
                }
                (Shell::preferences_form(self.preferences))
            }
            nav.pages aria-label=(words.of("Seiten", "Pages")) {
                ul {
                    @for entry in NAVIGATION.iter().filter(|entry| self.may(&axum::http::Method::GET, entry.path)) {
                        li {
                            a href=(entry.path) data-key=(entry.key) title=(format!("{} {}", words.of("Taste", "Key"), entry.key))
                                aria-current=[self.is_at(entry.path).then_some("page")] {
                                (words.of(entry.de, entry.en))
                                @if entry.path == "/cases" && self.cases > 0 {
                                    " " span.count aria-label=(words.of("offen", "open")) { (format::count(self.cases, words)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn is_at(&self, path: &str) -> bool {
        // Batches are reached from the wristbands and have no entry of their own.
        if path == "/wristbands" && self.path.starts_with("/batches") {
            return true;
        }
        // Closings are reached from the reports.
        if path == "/reports" && self.path.starts_with("/closings") {
            return true;
        }
        self.path == path || path != "/" && self.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// A clock that live pages keep going.
pub(crate) fn clock_of(clock: &Clock, now_ms: u64, words: Language) -> Markup {
    html! {
        time #clock datetime=(clock.iso(now_ms)) title=(words.of("Uhrzeit der Veranstaltung", "Time of the event")) { (clock.minute(now_ms)) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        // The router makes one for every endpoint of the table.
        parts
            .extensions
            .remove::<Self>()
            .ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// Where a request came from.
impl<S: Send + Sync> FromRequestParts<S> for crate::access::From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_an_address_stays_one_value() {
        assert_eq!(
            query(&[("next", "/orders?till=3&x=ä"), ("a", "b c")]),
            "next=/orders%3Ftill%3D3%26x%3D%C3%A4&a=b%20c"
        );
    }
}
