//! Who may log in, and as what. Passwords are made here, shown once, and changed by their owner.

use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;
use shared_protocol::catalogue::Text;
use store::{AuditRow, Commit, Office, Role, Store, StoreError, UserRow};

use crate::fault::Fault;
use crate::frame::{Page, role_name};
use crate::password::{check_new, hash};

/// The longest login.
const NAME_CHARACTERS_MAX: usize = 40;

/// 31 letters and digits that nobody takes for another; twenty of them have 99 bit.
const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS: usize = 4;
const GROUP_LETTERS: usize = 5;

/// Why nobody was added.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name or the password cannot be used.
    #[error("{}", .0.en)]
    Refused(Text),
    /// There is somebody of this name.
    #[error("there is a user {0} already; nothing was changed")]
    Known(String),
    /// The system has no randomness or no memory.
    #[error("the password cannot be hashed on this system now")]
    Hash,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a user from outside of the pages, as the first admin is. Nobody else may have the database open.
pub fn create_user(
    store: &mut dyn Store,
    name: &str,
    password: &str,
    role: Role,
    now_ms: u64,
) -> Result<(), UserError> {
    let refused = |fault| match fault {
        Fault::Refused(text) => UserError::Refused(text),
        _ => UserError::Hash,
    };
    check_name(name).map_err(refused)?;
    check_new(password).map_err(refused)?;
    if store.reader()?.user(name)?.is_some() {
        return Err(UserError::Known(name.to_owned()));
    }
    let user = UserRow {
        name: name.to_owned(),
        role,
        password: hash(password).ok_or(UserError::Hash)?,
        active: true,
        changed_at_ms: now_ms,
    };
    let audit = AuditRow {
        at_ms: now_ms,
        by: "command line".to_owned(),
        what: "user.add".to_owned(),
        object: name.to_owned(),
        detail: role_name(role, pages::Language::En).to_owned(),
    };
    let office = Office {
        users: vec![user],
        audit: vec![audit],
        ..Office::default()
    };
    store.commit(&Commit {
        office,
        ..Commit::default()
    })?;
    Ok(())
}

/// A password that nobody guesses and somebody can type; none where the system has no randomness.
pub fn fresh_password() -> Option<String> {
    let mut text = String::new();
    let random = SystemRandom::new();
    while text.chars().filter(char::is_ascii_alphanumeric).count() < GROUPS * GROUP_LETTERS {
        let mut byte = [0];
        random.fill(&mut byte).ok()?;
        // 248 is the last multiple of 31: every letter is as likely as any other.
        let [byte] = byte;
        let Some(letter) = LETTERS.get(usize::from(byte) % LETTERS.len()).filter(|_| byte < 248) else {
            continue;
        };
        if text.len() % (GROUP_LETTERS + 1) == GROUP_LETTERS {
            text.push('-');
        }
        text.push(char::from(*letter));
    }
    Some(text)
}

fn check_name(name: &str) -> Result<(), Fault> {
    let length = name.chars().count();
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&length) && name.trim() == name;
    if fits && name.chars().all(|one| one.is_alphanumeric() || " .-_@".contains(one)) {
        Ok(())
    } else {
        Err(Fault::refused(
            "Der Name hat 1 bis 40 Buchstaben oder Ziffern, dazwischen Leerzeichen, Punkt, Binde- und Unterstrich oder @. Nichts ist geändert.",
            "The name has 1 to 40 letters or digits, between them spaces, dots, hyphens, underscores or @. Nothing was changed.",
        ))
    }
}

pub(crate) async fn page(page: Page) -> Response {
    let made = content(&page).await;
    page.done(made.map(|content| page.show(page.words.of("Nutzer", "Users"), &content)))
}

async fn content(page: &Page) -> Result<Markup, Fault> {
    let words = page.words;
    let users = page.context.read(|reader| reader.users()).await?;
    Ok(html! {
        div.scroll tabindex="0" role="region" aria-label=(words.of("Nutzer", "Users")) {
            table {
                caption.visually-hidden { (words.of("Nutzer nach Namen", "Users by name")) }
                thead { tr { th scope="col" { (words.of("Name", "Name")) } th scope="col" { (words.of("Rolle", "Role")) } th scope="col" { (words.of("Zugang", "Access")) } th scope="col" { (words.of("Geändert", "Changed")) } th scope="col" { (words.of("Passwort", "Password")) } } }
                tbody { @for user in &users { tr {
                    td { bdi { (user.name) } }
                    td { (change_form(user, words)) }
                    td { @if user.active { span.state.good { (words.of("aktiv", "active")) } } @else { span.state.bad { (words.of("gesperrt", "deactivated")) } } }
                    td.nowrap { (page.clock.short(user.changed_at_ms)) }
                    td { form method="post" action="/users/password" { input type="hidden" name="name" value=(user.name); button { (words.of("Neues Passwort", "New password")) } } }
                } } }
            }
        }
        form.sheet.stack.narrow method="post" action="/users" {
            h2 { (words.of("Jemanden hinzufügen", "Add somebody")) }
            label { (words.of("Name zum Anmelden", "Login name")) input name="name" required maxlength=(NAME_CHARACTERS_MAX) autocomplete="off" autocapitalize="none" spellcheck="false"; }
            label { (words.of("Rolle", "Role")) select name="role" { (role_options(Role::Crew, words)) } }
            dl.facts {
                dt { (role_name(Role::Crew, words)) } dd { (words.of("liest, Geräte, Bänder und Fälle", "reads; terminals, wristbands and cases")) }
                dt { (role_name(Role::Finance, words)) } dd { (words.of("liest alles, speichert Listen, Fälle", "reads everything, saves lists, cases")) }
                dt { (role_name(Role::Admin, words)) } dd { (words.of("alles, auch Nutzer", "everything, users too")) }
            }
            button.main { (words.of("Hinzufügen", "Add")) }
        }
    })
}

fn role_options(chosen: Role, words: pages::Language) -> Markup {
    html! { @for role in Role::ALL { option value=(role.code()) selected[*role == chosen] { (role_name(*role, words)) } } }
}

fn change_form(user: &UserRow, words: pages::Language) -> Markup {
    html! {
        form.row method="post" action="/users/change" {
            input type="hidden" name="name" value=(user.name);
            label.visually-hidden for=(format!("role-{}", shared_protocol::ids::hex(user.name.as_bytes()))) { (words.of("Rolle von", "Role of")) " " (user.name) }
            select name="role" id=(format!("role-{}", shared_protocol::ids::hex(user.name.as_bytes()))) { (role_options(user.role, words)) }
            button name="verb" value="role" { (words.of("Rolle ändern", "Change role")) }
            @if user.active { button name="verb" value="deactivate" { (words.of("Zugang sperren", "Deactivate")) } }
            @else { button name="verb" value="activate" { (words.of("Zugang freigeben", "Activate")) } }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Change {
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    verb: String,
}

impl Change {
    fn role(&self) -> Result<Role, Fault> {
        self.role.parse().ok().and_then(Role::from_code).ok_or(Fault::NotFound)
    }
}

pub(crate) async fn add(page: Page, Form(change): Form<Change>) -> Response {
    let made = add_one(&page, &change).await;
    page.done(made)
}

async fn add_one(page: &Page, change: &Change) -> Result<Response, Fault> {
    check_name(&change.name)?;
    let role = change.role()?;
    let name = change.name.clone();
    if page.context.read(move |reader| reader.user(&name)).await?.is_some() {
        return Err(Fault::refused(
            "Diesen Namen gibt es schon. Nichts ist geändert; nimm einen anderen.",
            "This name exists already. Nothing was changed; choose another one.",
        ));
    }
    let user = UserRow {
        name: change.name.clone(),
        role,
        password: String::new(),
        active: true,
        changed_at_ms: 0,
    };
    with_password(page, user, "user.add").await
}

pub(crate) async fn reset(page: Page, Form(change): Form<Change>) -> Response {
    let made = reset_one(&page, &change).await;
    page.done(made)
}

async fn reset_one(page: &Page, change: &Change) -> Result<Response, Fault> {
    let name = change.name.clone();
    let user = page
        .context
        .read(move |reader| reader.user(&name))
        .await?
        .ok_or(Fault::NotFound)?;
    with_password(page, user, "user.reset").await
}

/// Gives a user a password of ours and shows it, once.
async fn with_password(page: &Page, user: UserRow, what: &str) -> Result<Response, Fault> {
    let (context, words) = (&page.context, page.words);
    let password = fresh_password().ok_or(Fault::Unavailable)?;
    let hashed = context.passwords.hash(password.clone()).await?;
    let name = user.name.clone();
    let office = Office {
        audit: vec![context.audit_row(
            &page.visitor()?.name,
            what,
            name.as_str(),
            role_name(user.role, pages::Language::En),
        )],
        users: vec![UserRow {
            password: hashed,
            changed_at_ms: context.now_ms(),
            ..user
        }],
        ..Office::default()
    };
    context.keep(office).await?;
    let shown = html! {
        section.sheet.stack {
            p { (words.of("Das Passwort siehst du nur jetzt. Gib es weiter; wer es hat, ändert es unter „Dein Zugang“.", "You see the password only now. Hand it over; whoever has it changes it under “Your account”.")) }
            dl.facts { dt { (words.of("Name", "Name")) } dd { bdi { (name) } } dt { (words.of("Passwort", "Password")) } dd.digits.id { (password) } }
            p { a.button href="/users" { (words.of("Zu den Nutzern", "To the users")) } }
        }
    };
    Ok(page.show(words.of("Neues Passwort", "New password"), &shown))
}

pub(crate) async fn change(page: Page, Form(change): Form<Change>) -> Response {
    let made = change_one(&page, &change).await;
    page.done(made)
}

async fn change_one(page: &Page, change: &Change) -> Result<Response, Fault> {
    let context = &page.context;
    let users = context.read(|reader| reader.users()).await?;
    let before = users
        .iter()
        .find(|user| user.name == change.name)
        .ok_or(Fault::NotFound)?;
    let mut after = before.clone();
    let what = match change.verb.as_str() {
        "role" => {
            after.role = change.role()?;
            "user.role"
        }
        "activate" => {
            after.active = true;
            "user.activate"
        }
        "deactivate" => {
            after.active = false;
            "user.deactivate"
        }
        _ => return Err(Fault::NotFound),
    };
    let is_admin = |user: &UserRow| user.active && user.role == Role::Admin;
    let others = users.iter().any(|user| user.name != before.name && is_admin(user));
    if is_admin(before) && !is_admin(&after) && !others {
        return Err(Fault::refused(
            "Das ist der letzte Admin. Nichts ist geändert; mach erst jemand anderen zum Admin.",
            "This is the last admin. Nothing was changed; make somebody else an admin first.",
        ));
    }
    if after != *before {
        let english = pages::Language::En;
        let detail = format!(
            "{} → {}",
            role_name(before.role, english),
            role_name(after.role, english)
        );
        after.changed_at_ms = context.now_ms();
        let office = Office {
            audit: vec![context.audit_row(
                &page.visitor()?.name,
                what,
                after.name.as_str(),
                if what == "user.role" { detail } else { String::new() },
            )],
            users: vec![after],
            ..Office::default()
        };
        context.keep(office).await?;
    }
    Ok(Redirect::to("/users").into_response())
}

#[cfg(test)]
mod tests {
    use store::{MemoryStore, Reader as _};

    use super::*;

    #[test]
    fn a_password_of_ours_has_four_groups_that_can_be_read_aloud() {
        let password = fresh_password().unwrap();
        assert_eq!(password.len(), GROUPS * GROUP_LETTERS + GROUPS - 1);
        assert!(password.split('-').all(|group| group.len() == GROUP_LETTERS));
        assert!(password.bytes().all(|byte| byte == b'-' || LETTERS.contains(&byte)));
        assert_ne!(fresh_password(), fresh_password());
    }

    #[test]
    fn the_first_admin_comes_from_the_command_line_and_only_once() {
        let mut store = MemoryStore::new(1);
        create_user(&mut store, "lena", "a long password", Role::Admin, 5).unwrap();
        let user = store.memory_reader().user("lena").unwrap().unwrap();
        assert!(user.active && user.role == Role::Admin && user.password.starts_with("$argon2id$"));
        let again = create_user(&mut store, "lena", "another password", Role::Crew, 6);
        assert!(matches!(again, Err(UserError::Known(_))));
        for (name, password) in [
            ("", "long enough ok"),
            (" x", "long enough ok"),
            ("a<b", "long enough ok"),
            ("x", "short"),
        ] {
            assert!(
                matches!(
                    create_user(&mut store, name, password, Role::Crew, 7),
                    Err(UserError::Refused(_))
                ),
                "{name}"
            );
        }
    }
}
