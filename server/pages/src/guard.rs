//! What every answer and every change has in common: headers that leave a page no power it does not use, and the refusal of changes that another
//! site started.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing from elsewhere, nothing inline: what is injected into a page stays text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Adds the headers. Pages are not kept by browsers or proxies unless they say so themselves: they hold money of people.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()"),
    );
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a way back is a path of this server and leads to no other place.
pub fn is_inside(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n'])
}

/// Pages inside pages, each named by its origin; without it there are none.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    /// Who may show this page inside itself.
    pub by: Option<String>,
    /// What this page may show inside itself.
    pub of: Option<String>,
}

/// Allows frames; goes around [`headers`].
pub async fn frames(State(frames): State<Arc<Frames>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut policy = POLICY.to_owned();
    if let Some(by) = &frames.by {
        policy = policy.replace("frame-ancestors 'none'", &format!("frame-ancestors {by}"));
        headers.remove(header::X_FRAME_OPTIONS);
    }
    if let Some(of) = &frames.of {
        policy = format!("{policy}; frame-src {of}");
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Refuses a change that did not start on a page of this server: Fetch Metadata where the browser sends it, else the Origin, which every
/// browser sends with a POST. What sends neither is no browser, and has no cookie that somebody else could ride on, unless it says so.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || started_here(request.headers()) {
        next.run(request).await
    } else {
        (
            StatusCode::FORBIDDEN,
            "Von einer anderen Seite aus geht das nicht. Nichts ist geändert; lade die Seite neu.\n\
             Another site cannot do this. Nothing was changed; load the page anew.\n",
        )
            .into_response()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn started_here(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, "sec-fetch-site") {
        // `none` is the person: an address typed in, a bookmark.
        return matches!(site, "same-origin" | "none");
    }
    match (text(headers, "origin"), text(headers, "host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, place)| place == host),
        (None, _) => !headers.contains_key(header::COOKIE),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_what_started_on_our_pages_may_change_something() {
        let host = ("host", "127.0.0.1:8450");
        for (pairs, may) in [
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "none")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (
                vec![
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://127.0.0.1:8450"),
                ],
                false,
            ),
            (vec![host, ("origin", "http://127.0.0.1:8450")], true),
            (vec![host, ("origin", "http://127.0.0.1:8451")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host], true),
            (vec![host, ("cookie", "session=x")], false),
        ] {
            assert_eq!(started_here(&headers(&pairs)), may, "{pairs:?}");
        }
    }
}
