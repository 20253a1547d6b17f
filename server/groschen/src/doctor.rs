//! `groschen doctor`: looks at everything a server needs before it is started, and says what to do about what is wrong.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use fixtures::sample;
use store_sqlite::SqliteReader;
use sync::writer::now_ms;

use crate::Exit;
use crate::health::{clock_behind_s, last_booked};
use crate::instance;
use crate::settings::{Flags, ListenFlags, Settings};
use pages::Language;

/// Arguments of `doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    listen: ListenFlags,
    /// Write one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// Words in this language.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, serde::Serialize)]
struct Check {
    what: &'static str,
    state: State,
    says: String,
}

/// Less than this free on the disk is soon too little: an order takes about a kilobyte, a day of a large festival a few hundred thousand of them.
const FREE_WARN_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// With less than this a server should not begin a day.
const FREE_FAIL_BYTES: u64 = 256 * 1024 * 1024;
/// A sync that takes longer makes every acknowledgement wait.
const SYNC_WARN: Duration = Duration::from_millis(20);
/// How often a sync is tried; the middle one counts.
const SYNCS: usize = 15;

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &arguments.listen)?;
    let words = arguments.language;
    let mut checks = vec![folder(&settings.data, words)];
    if settings.data.is_dir() {
        checks.push(space(&settings.data, words));
        checks.push(sync_time(&settings.data, words));
        checks.extend(["config.key", "tse.key"].map(|name| key(&settings.data, name, words)));
        checks.extend(secrets(&settings, words));
        checks.extend(database(&settings, words));
        checks.extend(tses(&settings, words));
    }
    checks.push(address(&settings, words));
    checks.push(tls(&settings, words));
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    if arguments.json {
        println!("{}", serde_json::json!({ "state": worst, "checks": checks }));
    } else {
        for check in &checks {
            let mark = match check.state {
                State::Ok => "✓",
                State::Warn => "!",
                State::Fail => "✗",
            };
            println!("{mark} {:<16} {}", check.what, check.says);
        }
    }
    Ok(if worst == State::Fail { Exit::Found } else { Exit::Done })
}

fn check(what: &'static str, state: State, says: impl Into<String>) -> Check {
    Check {
        what,
        state,
        says: says.into(),
    }
}

fn folder(data: &Path, words: Language) -> Check {
    let what = "folder";
    let place = data.display();
    if !data.exists() {
        let says = words.of(
            "gibt es noch nicht; serve legt ihn an",
            "is not there yet; serve makes it",
        );
        return check(what, State::Warn, format!("{place}: {says}"));
    }
    let probe = data.join(".doctor");
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&probe);
    let _gone = std::fs::remove_file(&probe);
    match written {
        Ok(_) => check(what, State::Ok, place.to_string()),
        Err(error) => check(what, State::Fail, format!("{place}: {error}")),
    }
}

fn space(data: &Path, words: Language) -> Check {
    let what = "space";
    match rustix::fs::statvfs(data) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let state = match free {
                0..FREE_FAIL_BYTES => State::Fail,
                FREE_FAIL_BYTES..FREE_WARN_BYTES => State::Warn,
                _ => State::Ok,
            };
            let says = words.of("MiB frei", "MiB free");
            check(what, state, format!("{} {says}", free / (1024 * 1024)))
        }
        Err(error) => check(what, State::Warn, error.to_string()),
    }
}

/// How long a sync takes: what is acknowledged waits for one.
fn sync_time(data: &Path, words: Language) -> Check {
    let what = "sync";
    let path = data.join(".doctor");
    let timed = (|| -> std::io::Result<Duration> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        let mut times = Vec::new();
        for _ in 0..SYNCS {
            file.write_all(&[0; 4_096])?;
            let begun = Instant::now();
            file.sync_data()?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(times.get(SYNCS / 2).copied().unwrap_or_default())
    })();
    let _gone = std::fs::remove_file(&path);
    match timed {
        Ok(time) => {
            let state = if time > SYNC_WARN { State::Warn } else { State::Ok };
            let says = words.of("µs je Sync", "µs a sync");
            check(what, state, format!("{} {says}", time.as_micros()))
        }
        Err(error) => check(what, State::Fail, error.to_string()),
    }
}

fn key(data: &Path, name: &'static str, words: Language) -> Check {
    match std::fs::metadata(data.join(name)) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            let says = words.of("können andere lesen; chmod 600", "may be read by others; chmod 600");
            check(name, State::Fail, says)
        }
        Ok(_) => check(
            name,
            State::Ok,
            words.of("nur für den Besitzer lesbar", "readable by its owner only"),
        ),
        Err(_) => check(
            name,
            State::Warn,
            words.of("noch keiner; serve legt ihn an", "none yet; serve makes it"),
        ),
    }
}

/// Secrets of TSEs: whether each can be opened, and whether it lies there sealed.
fn secrets(settings: &Settings, words: Language) -> Vec<Check> {
    let what = "secret";
    let opener = match settings.signing.secrets.opener() {
        Ok(opener) => opener,
        Err(error) => return vec![check(what, State::Fail, error.to_string())],
    };
    let own = settings.data.join("tse.key");
    let of_tses = settings.tses.iter().flat_map(|link| link.secrets());
    let all = of_tses.chain(own.exists().then_some(own.as_path()));
    let one = |path: &Path| match opener.read(path) {
        Ok(found) if found.was_sealed => {
            let says = words.of("versiegelt, lässt sich öffnen", "sealed, can be opened");
            check(what, State::Ok, format!("{}: {says}", path.display()))
        }
        Ok(_) => {
            let says = words.of(
                "liegt offen da; groschen secret seal versiegelt es",
                "lies there unsealed; groschen secret seal seals it",
            );
            check(what, State::Warn, format!("{}: {says}", path.display()))
        }
        Err(error) => check(what, State::Fail, error.to_string()),
    };
    all.map(one).collect()
}

fn database(settings: &Settings, words: Language) -> Vec<Check> {
    let path = settings.database();
    if !path.exists() {
        return vec![check("database", State::Warn, words.of("noch keine", "none yet"))];
    }
    match SqliteReader::open(&path, None).and_then(|mut reader| last_booked(&mut reader)) {
        Ok((no, booked_at_ms)) => {
            let clock = if let Some(behind_s) = clock_behind_s(booked_at_ms) {
                let says = words.of(
                    "s hinter der letzten Buchung; Uhr stellen",
                    "s behind what was booked last; set the clock",
                );
                check("clock", State::Fail, format!("{behind_s} {says}"))
            } else {
                check(
                    "clock",
                    State::Ok,
                    words.of("nicht hinter der letzten Buchung", "not behind what was booked last"),
                )
            };
            let rows = words.of("Zeilen im Journal", "journal rows");
            vec![check("database", State::Ok, format!("{no} {rows}")), clock]
        }
        Err(error) => vec![check("database", State::Fail, error.to_string())],
    }
}

/// Whether the TSEs that the database knows suffice for its tills. What only a running server knows of them is not looked at.
fn tses(settings: &Settings, words: Language) -> Vec<Check> {
    let what = "tse";
    let read = SqliteReader::open(settings.database(), None).and_then(|mut reader| {
        let times = (now_ms(), settings.signing.ends_ms);
        console::tse_warnings(&mut reader, sample::EVENT, times, words)
    });
    match read {
        Ok(found) if found.is_empty() => vec![check(
            what,
            State::Ok,
            words.of("was bekannt ist, reicht", "what is known suffices"),
        )],
        Ok(found) => {
            let line = |(severe, says)| check(what, if severe { State::Fail } else { State::Warn }, says);
            found.into_iter().map(line).collect()
        }
        // What is wrong with the database is said above.
        Err(_) => Vec::new(),
    }
}

fn address(settings: &Settings, words: Language) -> Check {
    match std::net::TcpListener::bind(settings.listen) {
        Ok(_) => check(
            "address",
            State::Ok,
            format!("{} {}", settings.listen, words.of("ist frei", "is free")),
        ),
        Err(error) => {
            let says = words.of("läuft der Server schon?", "is the server running already?");
            check("address", State::Warn, format!("{}: {error}; {says}", settings.listen))
        }
    }
}

fn tls(settings: &Settings, words: Language) -> Check {
    match &settings.tls {
        None => {
            let says = words.of(
                "keines; nur hinter etwas, das TLS macht, oder auf diesem Rechner",
                "none; only behind something that does TLS, or on this machine",
            );
            check("tls", State::Warn, says)
        }
        Some(tls) => match instance::acceptor(tls) {
            Ok(_) => check(
                "tls",
                State::Ok,
                words.of("Zertifikat und Schlüssel passen", "certificate and key fit"),
            ),
            Err(error) => check("tls", State::Fail, format!("{error:#}")),
        },
    }
}
