//! Log in, log out, change one's own password.

use axum::Form;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use pages::{Shell, format, guard};
use serde::Deserialize;
use store::{Office, UserRow};

use crate::access::From;
use crate::fault::Fault;
use crate::frame::{Page, role_name};
use crate::password::{BYTES_MAX, check_new};
use crate::session;

/// A name longer than this is nobody's.
const NAME_BYTES_MAX: usize = 64;

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Only a path of this server; anything else goes to the start.
fn inside(next: &str) -> &str {
    if guard::is_inside(next) { next } else { "/" }
}

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    if page.visitor.is_some() {
        return Redirect::to(inside(&asked.next)).into_response();
    }
    form(&page, StatusCode::OK, "", inside(&asked.next), None)
}

fn form(page: &Page, status: StatusCode, name: &str, next: &str, wrong: Option<&str>) -> Response {
    let words = page.words;
    let title = words.of("Anmelden", "Log in");
    let content = html! {
        form.login.sheet.stack method="post" action="/login" {
            @if let Some(wrong) = wrong {
                p.note.bad #wrong role="alert" { (wrong) }
            }
            input type="hidden" name="next" value=(next);
            label { (words.of("Name", "Name"))
                input name="name" value=(name) required maxlength=(NAME_BYTES_MAX) autocomplete="username" autocapitalize="none" spellcheck="false" autofocus[name.is_empty()] aria-describedby=[wrong.map(|_| "wrong")];
            }
            label { (words.of("Passwort", "Password"))
                input name="password" type="password" required maxlength=(BYTES_MAX) autocomplete="current-password" autofocus[!name.is_empty()];
            }
            button.main { (title) }
        }
        (Shell::preferences_form(page.preferences))
    };
    page.answer(status, title, &content, None)
}

pub(crate) async fn log_in(page: Page, from: From, Form(given): Form<Credentials>) -> Response {
    let made = attempt(&page, from, &given).await;
    page.done(made)
}

async fn attempt(page: &Page, From(address): From, given: &Credentials) -> Result<Response, Fault> {
    let (context, words) = (&page.context, page.words);
    let next = inside(&given.next);
    let now_ms = context.now_ms();
    let wait_ms = context.throttle.wait_ms(&given.name, address, now_ms);
    if wait_ms > 0 {
        let wait = format::duration(wait_ms.saturating_add(999), words);
        let says = match words {
            pages::Language::De => format!("Zu viele Versuche. Warte {wait} und versuch es dann noch einmal."),
            pages::Language::En => format!("Too many attempts. Wait {wait}, then try again."),
        };
        let mut response = form(page, StatusCode::TOO_MANY_REQUESTS, &given.name, next, Some(&says));
        let seconds = wait_ms.div_ceil(1_000);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    let user = find(page, &given.name).await?;
    let stored = user.as_ref().map(|user| user.password.clone());
    let password = if given.password.len() > BYTES_MAX {
        String::new()
    } else {
        given.password.clone()
    };
    let matches = context.passwords.check(password, stored).await?;
    // A later moment than before the hashing: sessions are compared with changes of the user.
    let now_ms = context.now_ms();
    let Some(user) = user.filter(|_| matches) else {
        context.throttle.failed(&given.name, address, now_ms);
        let shown: String = given.name.chars().take(NAME_BYTES_MAX).collect();
        let from = address.map(|address| address.to_string()).unwrap_or_default();
        let office = Office {
            audit: vec![context.audit_row("", "login.failed", shown, from)],
            ..Office::default()
        };
        context.keep(office).await?;
        let wrong = words.of(
            "Name oder Passwort stimmt nicht. Prüf beides, auch die Feststelltaste.",
            "Name or password is wrong. Check both, and caps lock.",
        );
        return Ok(form(page, StatusCode::UNAUTHORIZED, &given.name, next, Some(wrong)));
    };
    context.throttle.succeeded(&given.name);
    let (row, cookie) = session::open(&user.name, now_ms, context.secure)?;
    let office = Office {
        sessions: vec![row],
        audit: vec![context.audit_row(&user.name, "login", user.name.as_str(), "")],
        ..Office::default()
    };
    context.keep(office).await?;
    let mut response = Redirect::to(next).into_response();
    response.headers_mut().insert(session::SET, cookie);
    Ok(response)
}

/// A user who may log in.
async fn find(page: &Page, name: &str) -> Result<Option<UserRow>, Fault> {
    if name.len() > NAME_BYTES_MAX {
        return Ok(None);
    }
    let name = name.to_owned();
    let user = page.context.read(move |reader| reader.user(&name)).await?;
    Ok(user.filter(|user| user.active))
}

pub(crate) async fn log_out(page: Page) -> Response {
    let made = leave(&page).await;
    page.done(made)
}

async fn leave(page: &Page) -> Result<Response, Fault> {
    let (context, visitor) = (&page.context, page.visitor()?);
    let office = Office {
        closed_sessions: vec![visitor.token],
        audit: vec![context.audit_row(&visitor.name, "logout", visitor.name.as_str(), "")],
        ..Office::default()
    };
    context.keep(office).await?;
    let mut response = Redirect::to("/login").into_response();
    response
        .headers_mut()
        .insert(session::SET, session::end_cookie(context.secure));
    Ok(response)
}

#[derive(Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

pub(crate) async fn account(page: Page, Query(done): Query<Done>) -> Response {
    let made = account_content(&page, done.done == "1");
    page.done(made.map(|content| page.show(page.words.of("Dein Zugang", "Your account"), &content)))
}

fn account_content(page: &Page, done: bool) -> Result<Markup, Fault> {
    let words = page.words;
    let visitor = page.visitor()?;
    Ok(html! {
        @if done {
            p.note role="status" { (words.of("Das Passwort ist geändert. Andere Anmeldungen von dir sind beendet.", "The password is changed. Your other sessions have ended.")) }
        }
        dl.facts {
            dt { (words.of("Name", "Name")) } dd { bdi { (visitor.name) } }
            dt { (words.of("Rolle", "Role")) } dd { (role_name(visitor.role, words)) }
        }
        form.sheet.stack.narrow method="post" action="/account/password" {
            h2 { (words.of("Passwort ändern", "Change password")) }
            input type="text" name="username" value=(visitor.name) autocomplete="username" hidden aria-label=(words.of("Name", "Name"));
            label { (words.of("Bisheriges Passwort", "Current password"))
                input name="old" type="password" required maxlength=(BYTES_MAX) autocomplete="current-password";
            }
            label { (words.of("Neues Passwort", "New password"))
                input name="new" type="password" required minlength="10" maxlength=(BYTES_MAX) autocomplete="new-password" aria-describedby="rule";
                small #rule { (words.of("Mindestens 10 Zeichen; ein ganzer Satz ist gut.", "At least 10 characters; a whole sentence is good.")) }
            }
            button.main { (words.of("Ändern", "Change")) }
        }
    })
}

#[derive(Deserialize)]
pub(crate) struct NewPassword {
    old: String,
    new: String,
}

pub(crate) async fn change_password(page: Page, from: From, Form(given): Form<NewPassword>) -> Response {
    let made = replace(&page, from, given).await;
    page.done(made)
}

async fn replace(page: &Page, From(address): From, given: NewPassword) -> Result<Response, Fault> {
    let (context, visitor) = (&page.context, page.visitor()?);
    check_new(&given.new)?;
    // Whoever finds an open session must not guess the password with it.
    if context.throttle.wait_ms(&visitor.name, address, context.now_ms()) > 0 {
        return Err(Fault::refused(
            "Zu viele Versuche. Warte ein paar Minuten; dein Passwort ist noch das alte.",
            "Too many attempts. Wait a few minutes; your password is still the old one.",
        ));
    }
    let user = find(page, &visitor.name).await?.ok_or(Fault::NotFound)?;
    if !context.passwords.check(given.old, Some(user.password.clone())).await? {
        context.throttle.failed(&visitor.name, address, context.now_ms());
        return Err(Fault::refused(
            "Das bisherige Passwort stimmt nicht. Nichts ist geändert.",
            "The current password is wrong. Nothing was changed.",
        ));
    }
    let password = context.passwords.hash(given.new).await?;
    let now_ms = context.now_ms();
    let (row, cookie) = session::open(&user.name, now_ms, context.secure)?;
    let office = Office {
        audit: vec![context.audit_row(&user.name, "user.password", user.name.as_str(), "")],
        users: vec![UserRow {
            password,
            changed_at_ms: now_ms,
            ..user
        }],
        sessions: vec![row],
        closed_sessions: vec![visitor.token],
        ..Office::default()
    };
    context.keep(office).await?;
    let mut response = Redirect::to("/account?done=1").into_response();
    response.headers_mut().insert(session::SET, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_login_nobody_is_sent_to_another_place() {
        for (next, to) in [
            ("/orders?till=3", "/orders?till=3"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
            ("/x\r\nSet-Cookie: a=b", "/"),
        ] {
            assert_eq!(inside(next), to, "{next}");
        }
    }
}
