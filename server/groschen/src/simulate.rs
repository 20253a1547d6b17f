//! `groschen simulate`: a day of the sample festival, driven by real terminal cores over real websockets, with outages, dead tills and a killed
//! server; judged by the ledger alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use core_ffi::Endpoint;
use festival::CaseKind;
use fiscal::jobs::booked_order;
use fixtures::day::{Action, Profile, Script, Settings as Day, What};
use fixtures::sample;
use fixtures::seeded::Seeded;
use ledger::Account;
use shared_protocol::config::Config;
use shared_protocol::{OrderId, SlotId, TillId};
use store::Reader;
use store_sqlite::SqliteReader;
use tokio::sync::{mpsc, watch};

use crate::Exit;
use crate::audit;
use crate::crowd::{Cashier, Fate, Notes, Post, TillState, tills_in_order};
use crate::interrupted::Interruption;
use crate::progress::Progress;
use crate::signing;

/// Arguments of `simulate`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// A server that runs already, as `serve` printed it. Needs --codes, and --data for its folder.
    #[arg(
        long,
        value_name = "URL",
        requires = "codes",
        requires = "data",
        conflicts_with = "kill_server"
    )]
    server: Option<String>,
    /// A file with the registration codes that `serve --json --no-confirm --register …` printed.
    #[arg(long, value_name = "FILE")]
    codes: Option<PathBuf>,
    /// How many tills.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(2..=2_000))]
    terminals: u32,
    /// How many orders.
    #[arg(long, default_value_t = 2_000)]
    orders: u32,
    /// Orders a second over all tills, on average over the day; guests come when the script says, however slow the tills are.
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Seconds without network: once for half of the tills, once for all.
    #[arg(long, default_value_t = 0, value_name = "S")]
    outage: u32,
    /// How many tills lose their battery in the middle of a payment.
    #[arg(long, default_value_t = 0, value_name = "N")]
    kill_tills: u32,
    /// Kill the server without warning at peak time, twice, and start it again.
    #[arg(long)]
    kill_server: bool,
    /// Of every so many seconds the TSEs do not answer for some, `EVERY/FOR`, such as 30/10.
    #[arg(long, value_name = "EVERY/FOR", conflicts_with = "server")]
    tse_outage: Option<Interruption>,
    /// Keep the server's database and the tills' queues in this folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The same seed is the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write one JSON object instead of sentences.
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// Orders that a cashier saw as done.
    pub shown_paid: u64,
    /// Orders in the server's journal, but for those of shifts.
    pub acknowledged: u64,
    /// Beginnings and ends of shifts in it, which no cashier is shown as done.
    pub shifts: u64,
    /// Orders shown as done without a ledger effect.
    pub lost: u64,
    /// Order ids with two ledger effects.
    pub doubled: u64,
    /// What tills refused, all reasons.
    pub refused: u64,
    /// The same by reason.
    pub refusals: BTreeMap<String, u64>,
    /// Orders whose payer lacked money, or is not known.
    pub in_suspense: u64,
    /// Cases a person has to look at.
    pub cases: u64,
    /// The same by kind.
    pub case_kinds: BTreeMap<String, u64>,
    /// Things a till did not answer.
    pub unanswered: u64,
    /// Tills that had not sent everything at the end.
    pub tills_unsent: u64,
    /// Whether an audit of the whole database found nothing.
    pub ledger_balanced: bool,
    /// Orders signed by a TSE when they were made. The TSEs are software and not certified.
    pub signed: u64,
    /// Orders made in an outage and signed later.
    pub signed_late: u64,
    /// Orders made in an outage and marked as unsigned.
    pub unsigned_in_outage: u64,
    /// Orders that came off in no way; always zero.
    pub unsigned: u64,
    /// Orders shown as done per second of the run.
    pub orders_per_s: u64,
    /// From "paid" on the screen to the acknowledgement: half of the orders were faster.
    pub ack_p50_ms: u64,
    /// 99 of 100 were faster. Orders taken in an outage wait for its end.
    pub ack_p99_ms: u64,
    /// From the wristband's touch to the result on the screen.
    pub decided_p50_ms: u64,
    /// See `decided_p50_ms`.
    pub decided_p99_ms: u64,
}

impl Verdict {
    fn holds(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.ledger_balanced && self.tills_unsent == 0 && self.unsigned == 0
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let kept = arguments.data.clone();
    let temporary = if kept.is_none() {
        Some(tempfile::tempdir()?)
    } else {
        None
    };
    let dir = kept
        .or_else(|| temporary.as_ref().map(|dir| dir.path().to_owned()))
        .context("a folder")?;
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    let verdict = runtime.block_on(simulate(arguments, &dir))?;
    if arguments.json {
        println!("{}", serde_json::to_string(&verdict)?);
    } else {
        tell(&verdict);
    }
    Ok(if verdict.holds() { Exit::Done } else { Exit::Found })
}

fn tell(verdict: &Verdict) {
    println!(
        "{} orders shown as paid, {} in the ledger, {} lost, {} doubled.",
        verdict.shown_paid, verdict.acknowledged, verdict.lost, verdict.doubled
    );
    println!(
        "{} refused {:?}, {} not covered by their wristband.",
        verdict.refused, verdict.refusals, verdict.in_suspense
    );
    println!("{} cases {:?}.", verdict.cases, verdict.case_kinds);
    println!(
        "{} signed by TSEs in software (not certified), {} signed late, {} marked in an outage, {} not at all.",
        verdict.signed, verdict.signed_late, verdict.unsigned_in_outage, verdict.unsigned
    );
    println!(
        "{} orders/s; acknowledged after {} ms (half), {} ms (99 %); on the screen after {} ms, {} ms.",
        verdict.orders_per_s, verdict.ack_p50_ms, verdict.ack_p99_ms, verdict.decided_p50_ms, verdict.decided_p99_ms
    );
    println!(
        "{}",
        if verdict.holds() {
            "Every order is in the books exactly once."
        } else {
            "The books do not hold."
        }
    );
}

/// A server in a process of its own, so that it can be killed.
struct ServerProcess {
    child: Child,
    data: PathBuf,
    address: SocketAddr,
    tse_outage: Option<Interruption>,
}

/// Slots by till, as `serve` printed them.
type Codes = BTreeMap<TillId, Vec<(SlotId, [u8; 16])>>;

impl ServerProcess {
    fn start(
        data: &Path,
        address: SocketAddr,
        tse_outage: Option<Interruption>,
        tills: &[TillId],
    ) -> anyhow::Result<(Self, Codes)> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "serve",
                "--sample",
                "--json",
                "--no-confirm",
                "--outage-policy",
                "resign-marked",
                "--listen",
                &address.to_string(),
                "--data",
            ])
            .arg(data);
        if let Some(outage) = tse_outage {
            command.args(["--simulate-tse-outage", &outage.to_string()]);
        }
        for till in tills {
            command.args(["--register", &till.to_string()]);
        }
        // A server that nobody feeds lines ends its reading of them, not itself.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .env("GROSCHEN_LOG", "warn");
        let mut child = command.spawn().context("the server cannot be started")?;
        let stdout = child.stdout.take().context("the server's output")?;
        let mut lines = BufReader::new(stdout).lines();
        lines
            .next()
            .ok_or_else(|| anyhow!("the server ended before it listened"))??;
        let codes = read_codes(lines.by_ref().take(tills.len()))?;
        ensure!(
            codes.values().map(Vec::len).sum::<usize>() == tills.len(),
            "the server did not open all slots"
        );
        Ok((
            Self {
                child,
                data: data.to_owned(),
                tse_outage,
                address,
            },
            codes,
        ))
    }

    /// Kills it without warning and starts it again on the same folder and port.
    fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        let (again, _) = Self::start(&self.data, self.address, self.tse_outage, &[])?;
        self.child = again.child;
        Ok(())
    }

    /// Ends it in order.
    fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        ensure!(asked.success(), "the server could not be asked to stop");
        let ended = self.child.wait()?;
        ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

fn read_codes(lines: impl Iterator<Item = std::io::Result<String>>) -> anyhow::Result<Codes> {
    let mut codes = Codes::new();
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line?)?;
        let Some(till) = value.get("till").and_then(serde_json::Value::as_u64) else {
            continue;
        };
        let text = |name: &str| {
            value
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let slot = SlotId::parse(&text("slot")).context("a slot's id")?;
        let secret = shared_protocol::ids::parse_hex(&text("secret"))
            .and_then(|bytes| bytes.try_into().ok())
            .context("a slot's secret")?;
        codes
            .entry(TillId(u32::try_from(till)?))
            .or_default()
            .push((slot, secret));
    }
    Ok(codes)
}

/// The sample festival with only so many tills.
fn festival_with(config: &Config, terminals: usize) -> (Config, Vec<TillId>) {
    let order = tills_in_order(config);
    let tills: Vec<TillId> = order.iter().copied().cycle().take(terminals).collect();
    let open: BTreeSet<TillId> = tills.iter().copied().collect();
    let mut small = config.clone();
    small.tills.retain(|id, _| open.contains(id));
    (small, tills)
}

/// A day at its own pace, squeezed into the time that the rate gives.
struct Pace {
    factor_milli: u64,
}

impl Pace {
    fn of(profile: &Profile, orders: u32, rate: u32) -> Self {
        let day_ms = u64::from(profile.minutes()) * 60_000;
        let run_ms = (u64::from(orders) * 1_000 / u64::from(rate.max(1))).max(1);
        Self {
            factor_milli: (day_ms * 1_000 / run_ms).max(1),
        }
    }

    fn real(&self, day_ms: u64) -> Duration {
        Duration::from_millis(day_ms * 1_000 / self.factor_milli)
    }

    fn day_ms(&self, real: Duration) -> u64 {
        u64::try_from(real.as_millis()).unwrap_or(u64::MAX) * self.factor_milli / 1_000
    }
}

/// A top-up is certainly acknowledged this much later while everything works.
const SETTLE: Duration = Duration::from_secs(2);

async fn simulate(arguments: &Arguments, dir: &Path) -> anyhow::Result<Verdict> {
    let terminals = usize::try_from(arguments.terminals)?;
    let (config, tills) = festival_with(&sample::config(), terminals);
    let profile = Profile::saturday(&config);
    let pace = Pace::of(&profile, arguments.orders, arguments.rate);
    let day = Day {
        orders: arguments.orders,
        settle_ms: pace.day_ms(SETTLE),
        ..Day::whole(&profile, arguments.seed)
    };
    let actions: Vec<Action> = Script::new(&config, profile, day).collect();

    let (mut server, url, mut codes) = if let Some(url) = &arguments.server {
        let file = std::fs::File::open(arguments.codes.as_deref().context("--codes")?)
            .context("the file with the codes cannot be read")?;
        (None, url.clone(), read_codes(BufReader::new(file).lines())?)
    } else {
        let address = free_address()?;
        let (server, codes) = ServerProcess::start(dir, address, arguments.tse_outage, &tills)?;
        (Some(server), format!("ws://{address}{}", sync::server::PATH), codes)
    };
    let endpoint = Endpoint::new(&url, None)?;
    let notes = Notes::default();
    let mut staffed = Vec::new();
    for (index, till) in tills.iter().enumerate() {
        let Some((slot, secret)) = codes.get_mut(till).and_then(Vec::pop) else {
            bail!("there is no registration code for till {till}")
        };
        let dir = dir.join("tills").join(index.to_string());
        let post = Post {
            index,
            till: *till,
            staff: sample::cashier_of(*till),
            dir,
            endpoint: endpoint.clone(),
            slot,
            secret,
        };
        staffed.push(Cashier::start(
            post,
            notes.clone(),
            watch::channel(TillState::default()).0,
        ));
    }
    let mut cashiers = Vec::new();
    for cashier in futures_in_turn(staffed).await? {
        let (to_do, actions) = mpsc::unbounded_channel();
        let (fate, fates) = mpsc::unbounded_channel();
        cashiers.push((to_do, fate, tokio::spawn(cashier.work(actions, fates))));
    }

    let begun = Instant::now();
    let total = pace.real(actions.last().map_or(0, |action| action.at_ms));
    let mut plan = plan(arguments, total, terminals);
    let mut progress = Progress::new("selling", actions.len() as u64);
    let mut by_sale: BTreeMap<u32, usize> = BTreeMap::new();
    let mut next_of: BTreeMap<TillId, usize> = BTreeMap::new();
    for (done, action) in (0_u64..).zip(actions) {
        let due = pace.real(action.at_ms);
        while plan.first_key_value().is_some_and(|((at, _), _)| *at <= due) {
            let Some(((at, _), event)) = plan.pop_first() else {
                break;
            };
            tokio::time::sleep_until((begun + at).into()).await;
            happen(event, &cashiers, &mut server)?;
        }
        tokio::time::sleep_until((begun + due).into()).await;
        progress.at(done);
        let index = terminal_of(&action, &tills, &mut next_of, &mut by_sale);
        if let Some((to_do, ..)) = index.and_then(|index| cashiers.get(index)) {
            to_do.send(action).map_err(|_| anyhow!("a till has ended"))?;
        }
    }
    for (_, event) in plan {
        happen(event, &cashiers, &mut server)?;
    }
    drop(progress);
    let mut unsent = 0;
    for (to_do, fate, work) in cashiers {
        drop((to_do, fate));
        unsent += u64::from(!work.await??);
    }
    let took = begun.elapsed();
    let database = dir.join("groschen.db");
    let all_came_off = wait_for_signatures(&database).await?;
    if let Some(server) = server {
        server.stop()?;
    }
    if !all_came_off {
        eprintln!("some orders were not signed within {} s", SIGNING_PATIENCE.as_secs());
    }
    judge(&database, &notes, unsent, took)
}

/// Orders are signed behind their acknowledgement; this long the signer may take after the last one.
const SIGNING_PATIENCE: Duration = Duration::from_mins(5);

/// Waits until every booked order came off, and what was marked is signed too.
async fn wait_for_signatures(database: &Path) -> anyhow::Result<bool> {
    let deadline = Instant::now() + SIGNING_PATIENCE;
    let mut reader = SqliteReader::open(database, None)?;
    loop {
        let totals = reader.totals(sample::EVENT)?;
        let booked = totals.orders.values().map(|(count, _)| count).sum();
        let counts = signing::counts(&mut reader, booked)?;
        if totals.projected_no == totals.last_no && counts.unsigned == 0 && counts.unsigned_in_outage == 0 {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Starts tills one after the other; a thousand registrations at once would only measure the registration.
async fn futures_in_turn<T>(futures: Vec<impl Future<Output = anyhow::Result<T>>>) -> anyhow::Result<Vec<T>> {
    let mut done = Vec::new();
    for future in futures {
        done.push(future.await?);
    }
    Ok(done)
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?)
}

/// Which of the tills' terminals an action is for: the one of the sale it is about, else the next one in turn.
fn terminal_of(
    action: &Action,
    tills: &[TillId],
    next_of: &mut BTreeMap<TillId, usize>,
    by_sale: &mut BTreeMap<u32, usize>,
) -> Option<usize> {
    if let What::Undo { sale, .. } | What::Cancel { sale, .. } | What::Correct { sale, .. } = &action.what {
        let index = by_sale.get(sale).copied()?;
        by_sale.insert(action.no, index);
        return Some(index);
    }
    let same: Vec<usize> = tills
        .iter()
        .enumerate()
        .filter(|(_, till)| **till == action.till)
        .map(|(index, _)| index)
        .collect();
    let turn = next_of.entry(action.till).or_default();
    // A second hold of the same wristband belongs to the till that has just sold to it.
    if !matches!(action.what, What::DoubleTap { .. }) {
        *turn += 1;
    }
    let index = turn
        .checked_rem(same.len())
        .and_then(|place| same.get(place))
        .copied()?;
    by_sale.insert(action.no, index);
    Some(index)
}

/// What happens to tills and server in the run.
#[derive(Debug, Clone, Copy)]
enum Event {
    Cut { first: usize, last: usize, cut: bool },
    KillTill(usize),
    KillServer,
}

/// Events by time; the number keeps two of one moment apart.
type Plan = BTreeMap<(Duration, u32), Event>;

fn plan(arguments: &Arguments, total: Duration, terminals: usize) -> Plan {
    let mut plan = Plan::new();
    let mut seeded = Seeded::new(arguments.seed ^ 0x5eed);
    let mut add = |at: Duration, event| {
        let number = u32::try_from(plan.len()).unwrap_or(u32::MAX);
        plan.insert((at, number), event);
    };
    let outage = Duration::from_secs(u64::from(arguments.outage));
    if !outage.is_zero() {
        for (at, last) in [(total / 4, terminals / 2), (total / 2, terminals)] {
            add(
                at,
                Event::Cut {
                    first: 0,
                    last,
                    cut: true,
                },
            );
            add(
                at + outage,
                Event::Cut {
                    first: 0,
                    last,
                    cut: false,
                },
            );
        }
    }
    for _ in 0..arguments.kill_tills {
        let permille = seeded.below(900) + 50;
        let index = usize::try_from(seeded.below(arguments.terminals)).unwrap_or(0);
        add(total * permille / 1_000, Event::KillTill(index));
    }
    if arguments.kill_server {
        add(total * 2 / 5, Event::KillServer);
        add(total * 7 / 10, Event::KillServer);
    }
    plan
}

type Working = (
    mpsc::UnboundedSender<Action>,
    mpsc::UnboundedSender<Fate>,
    tokio::task::JoinHandle<anyhow::Result<bool>>,
);

fn happen(event: Event, cashiers: &[Working], server: &mut Option<ServerProcess>) -> anyhow::Result<()> {
    let tell = |index: usize, fate: Fate| {
        // A till that has ended has nothing more to suffer.
        let _ended = cashiers.get(index).map(|(_, to, _)| to.send(fate));
    };
    match event {
        Event::Cut { first, last, cut } => (first..last).for_each(|index| tell(index, Fate::Cut(cut))),
        Event::KillTill(index) => tell(index, Fate::Kill),
        Event::KillServer => server.as_mut().map_or(Ok(()), ServerProcess::kill_and_restart)?,
    }
    Ok(())
}

/// Everything comes from the database and from what cashiers saw; nobody's word is taken for it.
fn judge(database: &Path, notes: &Notes, tills_unsent: u64, took: Duration) -> anyhow::Result<Verdict> {
    let mut reader = SqliteReader::open(database, None)?;
    let findings = audit::check(&mut reader)?;
    let (mut booked, mut suspense): (BTreeMap<OrderId, u64>, BTreeSet<OrderId>) = (BTreeMap::new(), BTreeSet::new());
    let mut shifts = 0;
    let mut from = 1;
    loop {
        let rows = reader.journal(from, 4_096)?;
        let Some(last) = rows.last().map(|row| row.record.no) else {
            break;
        };
        for row in rows {
            shifts += u64::from(booked_order(&row).is_some_and(|(_, order)| order.shift.is_some()));
            let Some(posting) = row.record.posting.filter(|_| row.entry.is_some()) else {
                continue;
            };
            *booked.entry(posting.id.0).or_default() += 1;
            let uncovered = |account: &Account| matches!(account, Account::Suspense | Account::Overdraft { .. });
            if posting.transfers.iter().any(|transfer| uncovered(&transfer.from)) {
                suspense.insert(posting.id.0);
            }
        }
        from = last + 1;
    }
    let signing = signing::counts(&mut reader, booked.len() as u64)?;
    let counts = reader.case_counts()?;
    let kind = |code: u16| format!("{:?}", CaseKind::from_code(code));
    let mut seen = notes.open();
    seen.acknowledged_after_us.sort_unstable();
    seen.decided_after_us.sort_unstable();
    let at = |sorted: &[u64], permille: usize| {
        let index = (sorted.len() * permille / 1_000).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or_default() / 1_000
    };
    let shown_paid = seen.shown.len() as u64;
    Ok(Verdict {
        shown_paid,
        acknowledged: (booked.len() as u64).saturating_sub(shifts),
        shifts,
        lost: seen.shown.iter().filter(|order| !booked.contains_key(order)).count() as u64,
        doubled: booked.values().filter(|count| **count > 1).count() as u64,
        refused: seen.refusals.values().sum(),
        refusals: seen.refusals.clone(),
        in_suspense: suspense.len() as u64,
        cases: counts.values().map(|(count, _)| count).sum(),
        case_kinds: counts
            .into_iter()
            .map(|(code, (count, _))| (kind(code), count))
            .collect(),
        unanswered: seen.timeouts,
        tills_unsent,
        ledger_balanced: findings.clean(),
        signed: signing.signed,
        signed_late: signing.signed_late,
        unsigned_in_outage: signing.unsigned_in_outage,
        unsigned: signing.unsigned,
        orders_per_s: u64::try_from(u128::from(shown_paid) * 1_000 / took.as_millis().max(1))?,
        ack_p50_ms: at(&seen.acknowledged_after_us, 500),
        ack_p99_ms: at(&seen.acknowledged_after_us, 990),
        decided_p50_ms: at(&seen.decided_after_us, 500),
        decided_p99_ms: at(&seen.decided_after_us, 990),
    })
}
