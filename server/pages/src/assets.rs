//! Style and script. Their addresses carry a digest of their content, so a browser may keep them for ever.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// One style and one script, with the addresses they are served at.
#[derive(Debug, Clone)]
pub struct Assets {
    style: String,
    /// Where the style is.
    pub style_at: String,
    /// Where the script is.
    pub script_at: String,
}

fn address(content: &str, name: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, content.as_bytes());
    let short = shared_protocol::ids::hex(&digest.as_ref()[..8]);
    format!("/assets/{short}/{name}")
}

impl Assets {
    /// The common style followed by that of one face.
    pub fn new(own_style: &str) -> Self {
        let style = format!("{STYLE}{own_style}");
        Self {
            style_at: address(&style, "style.css"),
            script_at: address(SCRIPT, "script.js"),
            style,
        }
    }

    /// Serves them.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let style = self.style.clone();
        Router::new()
            .route(
                &self.style_at,
                get(async move || kept("text/css; charset=utf-8", style)),
            )
            .route(
                &self.script_at,
                get(async || kept("text/javascript; charset=utf-8", SCRIPT)),
            )
            .route("/favicon.svg", get(async || kept("image/svg+xml", ICON)))
    }
}

fn kept(kind: &'static str, content: impl IntoResponse) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, content)
}

/// A coin with a notch.
const ICON: &str = concat!(
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="#0b6b2b"/>"##,
    r##"<path d="M22 11a8 8 0 1 0 1 9v-4h-6" fill="none" stroke="#fff" stroke-width="3.5"/></svg>"##
);
