//! Who is in front of a page: a cookie with a secret of 256 bit, of which the database only has the digest.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pages::Language;
use pages::preferences::cookie;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{Office, Role, SessionRow, UserRow};

use crate::context::Context;
use crate::fault::Fault;
use crate::frame::role_name;
use crate::users::fresh_password;

/// A shift is shorter, and nobody should find yesterday's session on a laptop at the bar.
pub(crate) const LIFETIME_MS: u64 = 12 * 60 * 60 * 1_000;

const SECRET_BYTES: usize = 32;

/// Who is in front of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// The login.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The session they came with.
    pub token: [u8; 32],
}

/// The prefix makes browsers refuse a cookie that another host or path set; it needs TLS.
const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

fn token_of(secret: &[u8]) -> [u8; 32] {
    let mut token = [0; 32];
    token.copy_from_slice(digest(&SHA256, secret).as_ref());
    token
}

/// A new session for a user, and the cookie that carries its secret.
pub(crate) fn open(user: &str, now_ms: u64, secure: bool) -> Result<(SessionRow, HeaderValue), Fault> {
    let mut secret = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut secret).map_err(|_| Fault::Unavailable)?;
    let row = SessionRow {
        token: token_of(&secret),
        user: user.to_owned(),
        opened_at_ms: now_ms,
        expires_at_ms: now_ms.saturating_add(LIFETIME_MS),
    };
    let text = set_cookie(&URL_SAFE_NO_PAD.encode(secret), LIFETIME_MS / 1_000, secure);
    Ok((row, text))
}

/// Lets somebody in whom the program itself vouches for, as the demo does with its visitor: a new user with a password that nobody knows. Gives
/// the cookie; none when the books take nothing.
pub async fn admit(context: &Context, name: &str, role: Role) -> Option<HeaderValue> {
    let password = context.passwords.hash(fresh_password()?).await.ok()?;
    let now_ms = context.now_ms();
    let (row, cookie) = open(name, now_ms, context.secure).ok()?;
    let office = Office {
        audit: vec![context.audit_row(name, "user.add", name, role_name(role, Language::En))],
        users: vec![UserRow {
            name: name.to_owned(),
            role,
            password,
            active: true,
            changed_at_ms: now_ms,
        }],
        sessions: vec![row],
        ..Office::default()
    };
    context.keep(office).await.ok()?;
    Some(cookie)
}

/// The cookie that ends a session in the browser.
pub(crate) fn end_cookie(secure: bool) -> HeaderValue {
    set_cookie("", 0, secure)
}

fn set_cookie(value: &str, age_s: u64, secure: bool) -> HeaderValue {
    let name = cookie_name(secure);
    let only_tls = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{only_tls}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The token of a request's cookie.
fn presented(headers: &HeaderMap, secure: bool) -> Option<[u8; 32]> {
    let secret = URL_SAFE_NO_PAD
        .decode(cookie(headers, cookie_name(secure))?)
        .ok()
        .filter(|secret| secret.len() == SECRET_BYTES)?;
    Some(token_of(&secret))
}

/// Who a request is from: none without a session, with an expired one, with one from before the user was last changed (a new password, another
/// role), and for a user who is not active.
pub(crate) async fn visitor(context: &Context, headers: &HeaderMap) -> Result<Option<Visitor>, Fault> {
    let Some(token) = presented(headers, context.secure) else {
        return Ok(None);
    };
    let now_ms = context.now_ms();
    context
        .read(move |reader| {
            let Some(session) = reader.session(&token)?.filter(|row| now_ms < row.expires_at_ms) else {
                return Ok(None);
            };
            let user = reader.user(&session.user)?;
            let user = user.filter(|user| user.active && user.changed_at_ms <= session.opened_at_ms);
            Ok(user.map(|user| Visitor {
                name: user.name,
                role: user.role,
                token,
            }))
        })
        .await
}

/// The header that carries a cookie to the browser.
pub(crate) const SET: header::HeaderName = header::SET_COOKIE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_has_the_digest_and_the_cookie_has_every_guard() {
        let (row, cookie) = open("lena", 1_000, true).unwrap();
        let cookie = cookie.to_str().unwrap();
        for part in [
            "__Host-session=",
            "; Path=/;",
            "; HttpOnly",
            "; SameSite=Strict",
            "; Secure",
            "Max-Age=43200",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let pair = cookie.split(';').next().unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(pair).unwrap())]);
        assert_eq!(presented(&headers, true), Some(row.token));
        assert_eq!(presented(&headers, false), None);
        let secret = URL_SAFE_NO_PAD.decode(pair.split_once('=').unwrap().1).unwrap();
        assert_ne!(secret, row.token);
        assert_eq!(row.expires_at_ms, 1_000 + LIFETIME_MS);
    }

    #[test]
    fn what_is_no_secret_is_no_session() {
        for value in ["session=", "session=abc", "session=%00", "session=AAAA=", "other=x"] {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(value).unwrap())]);
            assert_eq!(presented(&headers, false), None, "{value}");
        }
    }
}
