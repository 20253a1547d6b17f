//! `groschen demo`: the sample festival alive in a terminal: server, tills and guests in time-lapse over real websockets, and keys to cut the network.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use core_ffi::Endpoint;
use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::{cursor, execute, terminal};
use fixtures::day::{Profile, Script, Settings as Day};
use fixtures::sample;
use futures_util::StreamExt;
use ledger::Account;
use shared_protocol::config::Config;
use shared_protocol::{AssetId, TillId};
use store::Totals;
use sync::hub::Counters;
use tokio::sync::{mpsc, watch};

use crate::Exit;
use crate::crowd::{Cashier, Fate, Notes, Post, TillState, tills_in_order};
use crate::instance::Instance;
use crate::settings::Settings;
use crate::signing;
use pages::Language;

/// Arguments of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// How many tills.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=26))]
    tills: u32,
    /// Orders a second over all tills.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=200))]
    rate: u32,
    /// End by itself after so many seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// Words in this language.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

/// How many entries the server certainly lacks; there may be more.
fn at_least(entries: u64, words: Language) -> String {
    match words {
        Language::De => format!("mind. {entries} ungesendet"),
        Language::En => format!("at least {entries} unsent"),
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = tempfile::tempdir().context("a folder for the demo")?;
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    runtime.block_on(show(arguments, dir.path()))?;
    Ok(Exit::Done)
}

/// One till as the table shows it.
struct Row {
    name: String,
    stand: String,
    state: watch::Receiver<TillState>,
    fate: mpsc::UnboundedSender<Fate>,
    cut: bool,
}

/// A top-up is spent this much later in real time at the earliest.
const SETTLE: Duration = Duration::from_secs(2);

/// How often the table is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(200);

async fn show(arguments: &Arguments, dir: &std::path::Path) -> anyhow::Result<()> {
    let words = arguments.language;
    eprintln!(
        "{}",
        words.of("Server und Kassen werden gestartet …", "Starting server and tills …")
    );
    let settings = Settings {
        data: dir.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        signing: signing::Settings {
            policy: fiscal::OutagePolicy::ResignMarked,
            ..signing::Settings::default()
        },
    };
    let instance = Instance::start(&settings, true).await?;
    let mut config = sample::config();
    let tills: Vec<TillId> = tills_in_order(&config)
        .into_iter()
        .take(usize::try_from(arguments.tills)?)
        .collect();
    config.tills.retain(|id, _| tills.contains(id));
    let endpoint = Endpoint::new(&format!("ws://{}{}", instance.address, sync::server::PATH), None)?;
    let notes = Notes::default();
    let (mut rows, mut to_do) = (Vec::new(), BTreeMap::new());
    for (index, till) in tills.iter().enumerate() {
        let slot = instance.open_slot(*till, false).await?;
        let staff = sample::cashier_of(*till);
        let dir = dir.join("tills").join(index.to_string());
        let post = Post {
            index,
            till: *till,
            staff,
            dir,
            endpoint: endpoint.clone(),
            slot: slot.id,
            secret: slot.secret,
        };
        let (state_to, state) = watch::channel(TillState::default());
        let cashier = Cashier::start(post, notes.clone(), state_to).await?;
        let (actions_to, actions) = mpsc::unbounded_channel();
        let (fate, fates) = mpsc::unbounded_channel();
        tokio::spawn(cashier.work(actions, fates));
        let (name, stand) = names(&config, *till, words);
        rows.push(Row {
            name,
            stand,
            state,
            fate,
            cut: false,
        });
        to_do.insert(*till, actions_to);
    }
    let guests = tokio::spawn(send_guests(config, arguments.rate, to_do));
    let shown = watch_festival(arguments, &instance, &mut rows, &notes).await;
    guests.abort();
    instance.stop().await?;
    shown
}

fn names(config: &Config, till: TillId, words: Language) -> (String, String) {
    let found = config.tills.get(&till);
    let stand = found.and_then(|till| config.stands.get(&till.stand));
    let stand = stand.map_or_else(String::new, |stand| {
        if words == Language::De {
            stand.name.de.clone()
        } else {
            stand.name.en.clone()
        }
    });
    (found.map_or_else(String::new, |till| till.name.clone()), stand)
}

/// One festival day after the other, at a steady rate.
async fn send_guests(config: Config, rate: u32, to_do: BTreeMap<TillId, mpsc::UnboundedSender<fixtures::day::Action>>) {
    let profile = Profile::saturday(&config);
    let orders = profile.orders();
    let day_ms = u64::from(profile.minutes()) * 60_000;
    let factor = (day_ms * u64::from(rate) / u64::from(orders.max(1)) / 1_000).max(1);
    for seed in 1.. {
        let day = Day {
            seed,
            settle_ms: u64::try_from(SETTLE.as_millis()).unwrap_or(0) * factor,
            ..Day::whole(&profile, seed)
        };
        let begun = tokio::time::Instant::now();
        for action in Script::new(&config, profile.clone(), day) {
            tokio::time::sleep_until(begun + Duration::from_millis(action.at_ms / factor)).await;
            let Some(to) = to_do.get(&action.till) else { continue };
            if to.send(action).is_err() {
                return;
            }
        }
    }
}

/// Puts the terminal back as it was, however the demo ends.
struct RawScreen;

impl RawScreen {
    fn enter() -> std::io::Result<Self> {
        terminal::enable_raw_mode()?;
        execute!(std::io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(Self)
    }
}

impl Drop for RawScreen {
    fn drop(&mut self) {
        let _restored = execute!(std::io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
        let _restored = terminal::disable_raw_mode();
    }
}

async fn watch_festival(
    arguments: &Arguments,
    instance: &Instance,
    rows: &mut [Row],
    notes: &Notes,
) -> anyhow::Result<()> {
    let words = arguments.language;
    let begun = Instant::now();
    let interactive = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let screen = if interactive { Some(RawScreen::enter()?) } else { None };
    let mut keys = interactive.then(EventStream::new);
    let mut draw = tokio::time::interval(if interactive {
        DRAW_EVERY
    } else {
        Duration::from_secs(1)
    });
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut reader = instance.reader()?;
    let mut chosen = 0_usize;
    loop {
        let key = async {
            match &mut keys {
                Some(keys) => keys.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = draw.tick() => {
                let totals = reader.totals(instance.event)?;
                let cases = reader.case_counts()?.values().map(|(count, _)| count).sum();
                let picture = Picture { words, rows, chosen, totals: &totals, cases, instance, notes, since: begun.elapsed() };
                if interactive {
                    picture.draw()?;
                } else {
                    println!("{}", picture.line());
                }
                if arguments.seconds.is_some_and(|seconds| begun.elapsed() >= Duration::from_secs(seconds)) {
                    break;
                }
            }
            _ = tokio::signal::ctrl_c() => break,
            _ = terminated.recv() => break,
            event = key => match event {
                Some(Ok(Event::Key(key))) if key.kind == KeyEventKind::Press => match key.code {
                    KeyCode::Char('q') | KeyCode::Esc => break,
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => break,
                    KeyCode::Up | KeyCode::Char('k') => chosen = chosen.saturating_sub(1),
                    KeyCode::Down | KeyCode::Char('j') => chosen = (chosen + 1).min(rows.len().saturating_sub(1)),
                    KeyCode::Char(' ') | KeyCode::Enter => {
                        if let Some(row) = rows.get_mut(chosen) {
                            cut(row, !row.cut);
                        }
                    }
                    KeyCode::Char('a') => {
                        let all = !rows.iter().all(|row| row.cut);
                        for row in rows.iter_mut() {
                            cut(row, all);
                        }
                    }
                    KeyCode::Char('b') => {
                        if let Some(row) = rows.get(chosen) {
                            let _ended = row.fate.send(Fate::Kill);
                        }
                    }
                    _ => {}
                },
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    drop(screen);
    let totals = reader.totals(instance.event)?;
    let cases = reader.case_counts()?.values().map(|(count, _)| count).sum();
    let picture = Picture {
        words,
        rows,
        chosen,
        totals: &totals,
        cases,
        instance,
        notes,
        since: begun.elapsed(),
    };
    println!("{}", picture.line());
    Ok(())
}

fn cut(row: &mut Row, cut: bool) {
    row.cut = cut;
    // A till that has ended needs no network.
    let _ended = row.fate.send(Fate::Cut(cut));
}

/// Everything that one drawing shows.
struct Picture<'a> {
    words: Language,
    rows: &'a [Row],
    chosen: usize,
    totals: &'a Totals,
    cases: u64,
    instance: &'a Instance,
    notes: &'a Notes,
    since: Duration,
}

/// 1.234,56 € or €1,234.56.
fn euro(cents: i128, words: Language) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push_str(words.of(".", ","));
        }
        grouped.push(digit);
    }
    match words {
        Language::De => format!("{sign}{grouped},{rest:02} €"),
        Language::En => format!("{sign}€{grouped}.{rest:02}"),
    }
}

impl Picture<'_> {
    fn sum(&self, of: impl Fn(&Account) -> bool) -> i128 {
        self.totals
            .accounts
            .iter()
            .filter(|(key, _)| key.asset == AssetId::EURO && of(&key.account))
            .map(|(_, sum)| sum)
            .sum()
    }

    fn orders(&self) -> u64 {
        self.rows.iter().map(|row| row.state.borrow().orders).sum()
    }

    fn offline(&self) -> usize {
        self.rows.iter().filter(|row| !row.state.borrow().online).count()
    }

    fn unsent(&self) -> u64 {
        self.rows.iter().map(|row| row.state.borrow().unsent).sum()
    }

    fn head(&self) -> [(&'static str, String); 6] {
        let revenue = self.sum(|account| matches!(account, Account::Payable { .. }));
        let wristbands = self.sum(|account| matches!(account, Account::Wristband { .. }));
        let owed = -self.sum(|account| matches!(account, Account::Overdraft { .. }));
        [
            (self.words.of("Umsatz", "sales"), euro(revenue, self.words)),
            (
                self.words.of("auf Bändern", "on wristbands"),
                euro(wristbands, self.words),
            ),
            (self.words.of("Bestellungen", "orders"), self.orders().to_string()),
            (
                self.words.of("Kassen offline", "tills offline"),
                format!("{} ({})", self.offline(), at_least(self.unsent(), self.words)),
            ),
            (self.words.of("offen", "owed"), euro(owed, self.words)),
            (self.words.of("Fälle", "cases"), self.cases.to_string()),
        ]
    }

    /// The state in one line, for where nobody can press keys.
    fn line(&self) -> String {
        let parts: Vec<String> = self
            .head()
            .into_iter()
            .map(|(what, value)| format!("{what} {value}"))
            .collect();
        format!("{:>4} s  {}", self.since.as_secs(), parts.join(" · "))
    }

    fn draw(&self) -> anyhow::Result<()> {
        let (width, height) = terminal::size().unwrap_or((80, 24));
        let mut lines = vec![
            format!(
                "\x1b[1mGroschen · {}\x1b[0m",
                self.words.of(
                    "Musterfestival im Zeitraffer (Kassen und Gäste sind simuliert)",
                    "sample festival in time-lapse (tills and guests are simulated)"
                )
            ),
            String::new(),
        ];
        for pair in self.head().chunks(2) {
            let mut line = String::new();
            for (what, value) in pair {
                write!(line, "  {what:>14}  \x1b[1m{value:<24}\x1b[0m")?;
            }
            lines.push(line);
        }
        let counters = &self.instance.hub.counters;
        let (entries, batches) = (Counters::get(&counters.entries), Counters::get(&counters.batches));
        let seen = self.notes.open();
        lines.push(format!(
            "  \x1b[2m{} {} · {entries} {} {batches} {} · {} {}\x1b[0m",
            seen.shown.len(),
            self.words.of("als bezahlt gezeigt", "shown as paid"),
            self.words.of("Einträge in", "entries in"),
            self.words.of("Stapeln", "batches"),
            self.instance.signer().orders.load(Ordering::Relaxed),
            self.words.of(
                "signiert oder als Ausfall vermerkt (Software-TSE, nicht zertifiziert)",
                "signed or marked as outage (TSE in software, not certified)"
            ),
        ));
        drop(seen);
        lines.push(String::new());
        let titles = [
            self.words.of("Kasse", "till"),
            self.words.of("Stand", "stand"),
            self.words.of("Zustand", "state"),
            self.words.of("Best.", "orders"),
            self.words.of("Summe", "sum"),
        ];
        let [till, stand, state, orders, sum] = titles;
        lines.push(format!(
            "  \x1b[4m{}\x1b[0m",
            columns(" ", till, stand, state, orders, sum)
        ));
        let room = usize::from(height).saturating_sub(lines.len() + 2);
        let first = self.chosen.saturating_sub(room.saturating_sub(1));
        for (index, row) in self.rows.iter().enumerate().skip(first).take(room) {
            lines.push(self.row(index, row));
        }
        lines.push(String::new());
        lines.push(format!(
            "  {}",
            self.words.of(
                "↑↓ wählen · Leertaste Netz dieser Kasse kappen/flicken · a alle · b Akku raus · q Ende",
                "↑↓ choose · space cut/mend this till's network · a all · b pull the battery · q quit",
            )
        ));
        let mut out = String::from("\x1b[H");
        for line in lines.iter().take(usize::from(height)) {
            write!(out, "{}\x1b[K\r\n", clip(line, usize::from(width)))?;
        }
        out.push_str("\x1b[J");
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(out.trim_end_matches("\r\n").as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    fn row(&self, index: usize, row: &Row) -> String {
        let state = row.state.borrow().clone();
        let (mark, colour) = if index == self.chosen {
            ("▶", "\x1b[7m")
        } else {
            (" ", "")
        };
        let text = match (state.online, state.unsent) {
            (true, 0) => self.words.of("✓ verbunden", "✓ online").to_owned(),
            (true, unsent) => format!("↑ {} {unsent}", self.words.of("sendet", "sending")),
            (false, unsent) => format!("✗ offline · {}", at_least(unsent, self.words)),
        };
        let tint = if state.online { "" } else { "\x1b[33m" };
        let cut = if row.cut {
            self.words.of(" (gekappt)", " (cut)")
        } else {
            ""
        };
        let text = format!("{text}{cut}");
        let orders = state.orders.to_string();
        let sum = euro(i128::from(state.total_cents), self.words);
        let line = columns(mark, &row.name, &row.stand, &text, &orders, &sum);
        format!("  {colour}{tint}{line}\x1b[0m")
    }
}

/// The columns of the table, each cut or filled to its width.
fn columns(mark: &str, till: &str, stand: &str, state: &str, orders: &str, sum: &str) -> String {
    let (till, stand, state) = (cell(till, 18), cell(stand, 20), cell(state, 36));
    format!("{mark} {till} {stand} {state}{orders:>6}{sum:>12}")
}

/// A text in exactly so many places.
fn cell(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:<width$}");
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Cuts a line to the screen's width; escape sequences take no room.
fn clip(line: &str, width: usize) -> String {
    let (mut out, mut used, mut escape) = (String::new(), 0, false);
    for character in line.chars() {
        if character == '\x1b' {
            escape = true;
        }
        if escape {
            out.push(character);
            escape = !character.is_ascii_alphabetic();
        } else if used < width {
            out.push(character);
            used += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_read_them() {
        assert_eq!(euro(123_456_789, Language::De), "1.234.567,89 €");
        assert_eq!(euro(-5, Language::En), "−€0.05");
        assert_eq!(euro(100_000, Language::En), "€1,000.00");
    }

    #[test]
    fn a_clipped_line_keeps_its_colours() {
        assert_eq!(clip("\x1b[1mabcdef\x1b[0m", 3), "\x1b[1mabc\x1b[0m");
    }
}
