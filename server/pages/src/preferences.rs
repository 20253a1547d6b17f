//! Language and colours, as each person wants them. Kept in two cookies, which say nothing else of the person.

use std::convert::Infallible;

use axum::Form;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;

use crate::Language;
use crate::guard::is_inside;

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the device is set.
    #[default]
    Auto,
    /// Dark on light, for the day.
    Day,
    /// Light on dark.
    Night,
}

impl Theme {
    /// What it is called in cookies, forms and attributes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Day => "day",
            Self::Night => "night",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Auto, Self::Day, Self::Night]
            .into_iter()
            .find(|theme| theme.code() == code)
    }
}

/// What a person wants to see. Taken from the request; what is not set follows the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// In which language.
    pub language: Language,
    /// In which colours.
    pub theme: Theme,
}

/// A cookie of a request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

impl Preferences {
    /// From the headers of a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .and_then(Language::accepted);
        Self {
            language: cookie(headers, "language")
                .and_then(Language::from_code)
                .or(accepted)
                .unwrap_or(Language::De),
            theme: cookie(headers, "theme").and_then(Theme::from_code).unwrap_or_default(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Preferences {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// A year: a preference is for the whole festival and the next one.
const KEPT_S: u32 = 31_536_000;

/// `POST /preferences` with `language` or `theme`, and back to where it came from.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/preferences", post(set))
}

async fn set(headers: HeaderMap, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let mut response = Redirect::to(&back(&headers)).into_response();
    for (name, value) in &fields {
        let known = match name.as_str() {
            "language" => Language::from_code(value).map(Language::code),
            "theme" => Theme::from_code(value).map(Theme::code),
            _ => None,
        };
        let cookie = known.map(|value| format!("{name}={value}; Path=/; Max-Age={KEPT_S}; SameSite=Lax; HttpOnly"));
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The path of the page a form was on, and never another place.
fn back(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let path = referer
        .and_then(|referer| referer.split_once("://"))
        .and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
    path.filter(|path| is_inside(path)).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_cookie_wins_over_the_browser_and_nonsense_over_nothing() {
        let asked = Preferences::of(&with(header::COOKIE, "x=1; language=en; theme=night"));
        assert_eq!((asked.language, asked.theme), (Language::En, Theme::Night));
        let asked = Preferences::of(&with(header::COOKIE, "language=tlh; theme=pink"));
        assert_eq!((asked.language, asked.theme), (Language::De, Theme::Auto));
        assert_eq!(
            Preferences::of(&with(header::ACCEPT_LANGUAGE, "en")).language,
            Language::En
        );
    }

    #[test]
    fn the_way_back_stays_on_this_server() {
        assert_eq!(
            back(&with(header::REFERER, "http://here/orders?till=3")),
            "/orders?till=3"
        );
        assert_eq!(back(&with(header::REFERER, "http://here//evil.example/")), "/");
        assert_eq!(back(&with(header::REFERER, "http://here")), "/");
        assert_eq!(back(&HeaderMap::new()), "/");
    }
}
