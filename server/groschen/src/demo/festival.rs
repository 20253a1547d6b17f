//! The festival of the demo: a server, tills whose cashiers and guests follow a script, and two tills for whoever looks on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::http::HeaderValue;
use core_ffi::Endpoint;
use desk::{Desk, Options, Simulation, Wristband};
use engine::Request;
use fixtures::day::{Action, Payment, Profile, Script, Settings as Day, What};
use fixtures::sample;
use ledger::Account;
use pages::Language;
use pages::format::{cents, count};
use shared_protocol::catalogue::{Role, Text};
use shared_protocol::config::Config;
use shared_protocol::ids::mint;
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::{Amount, AssetId, OrderId, TagId, TillId};
use store::{Reader, Role as Access};
use sync::server::random;
use sync::writer::now_ms;
use tokio::sync::{mpsc, watch};

use crate::crowd::{Cashier, Fate, Notes, Post, TillState, tills_in_order};
use crate::instance::Instance;
use crate::receipt;
use crate::settings::{Purses, Settings};
use crate::{signing, wristbands};

use super::tour::Tour;

/// A top-up is spent this much later in real time at the earliest.
const SETTLE: Duration = Duration::from_secs(2);

/// How long the visitor's tills may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// The visitor's bar.
const BAR: TillId = TillId(201);
/// The visitor's top-up desk.
const TOP_UP: TillId = TillId(1_101);

/// What lies on the visitor's wristbands at the beginning, in cents. One has nothing, to see what happens then.
const BEGINNING: [i64; 4] = [2_000, 5_000, 1_000, 0];

/// How many of the visitor's wristbands have a purse on their chip.
const PURSES: u16 = 2;
/// What is in the first purse.
const IN_PURSE: Amount = Amount(2_000);

/// One till that sells by itself, as the table shows it.
pub struct Row {
    /// Which.
    pub till: TillId,
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: watch::Receiver<TillState>,
    fate: mpsc::UnboundedSender<Fate>,
}

/// The whole demo.
pub struct Festival {
    /// The server.
    server: Mutex<Option<Instance>>,
    /// Where it is.
    pub address: SocketAddr,
    reader: Mutex<Box<dyn Reader>>,
    /// The tills that sell by themselves.
    pub rows: Vec<Row>,
    /// The visitor's bar.
    pub bar: Desk,
    /// The visitor's top-up desk.
    pub top_up: Desk,
    /// What lets the visitor's browser into the console. Browsers do not tell ports of a host apart, so the demo's page can give it.
    pub console_cookie: HeaderValue,
    /// How far the visitor is.
    pub tour: Tour,
    guests: tokio::task::JoinHandle<()>,
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Festival {
    /// Starts everything. `page` is the address of the page that shows the tills inside it.
    pub async fn start(dir: &Path, tills: u32, rate: u32, page: &str) -> anyhow::Result<Self> {
        let origin = page.trim_end_matches('/').to_owned();
        let settings = Settings {
            purses: Purses::default(),
            data: dir.to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            signing: signing::Settings::default(),
            public_url: None,
            tses: Vec::new(),
            framed_by: Some(origin.clone()),
        };
        let server = Instance::start_with(&settings, true, true).await?;
        let mut config = sample::config();
        let chosen: Vec<TillId> = tills_in_order(&config)
            .into_iter()
            .filter(|till| !matches!(*till, BAR | TOP_UP))
            .take(usize::try_from(tills)?)
            .collect();
        let endpoint = Endpoint::new(&format!("ws://{}{}", server.address, sync::server::PATH), None)?;
        let (mut rows, mut to_do) = (Vec::new(), BTreeMap::new());
        for (index, till) in chosen.iter().enumerate() {
            let (row, actions) = staff(&server, &config, dir, &endpoint, index, *till).await?;
            rows.push(row);
            to_do.insert(*till, actions);
        }
        let tray = tray(&config);
        let bar = visitors_till(&server, dir, &endpoint, BAR, &tray, &origin).await?;
        let top_up = visitors_till(&server, dir, &endpoint, TOP_UP, &tray, &origin).await?;
        give_beginnings(&server, &config, &to_do, &tray).await?;
        fill_purse(&top_up, &tray).await?;
        config.tills.retain(|id, _| chosen.contains(id));
        let (address, reader) = (server.address, server.reader()?);
        let console_cookie = server.admit("demo", Access::Admin).await?;
        Ok(Self {
            server: Mutex::new(Some(server)),
            address,
            reader: Mutex::new(reader),
            rows,
            bar,
            top_up,
            console_cookie,
            tour: Tour::default(),
            guests: tokio::spawn(send_guests(config, rate, to_do)),
        })
    }

    /// The figures that say how the festival is, each with its name.
    pub fn figures(&self, words: Language) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut reader = open(&self.reader);
        let totals = reader.totals(sample::EVENT)?;
        let cases: u64 = reader.case_counts()?.values().map(|(count, _)| count).sum();
        let signed: u64 = reader.signing_counts()?.values().sum();
        let sum = |of: fn(&Account) -> bool| -> i128 {
            let euros = totals.accounts.iter().filter(|(key, _)| key.asset == AssetId::EURO);
            euros.filter(|(key, _)| of(&key.account)).map(|(_, sum)| *sum).sum()
        };
        let orders: u64 = totals.orders.values().map(|(orders, _)| orders).sum();
        let offline = self.rows.iter().filter(|row| !row.state.borrow().online).count();
        let unsent: u64 = self.rows.iter().map(|row| row.state.borrow().unsent).sum();
        let number = |number: u64| count(u128::from(number), words);
        Ok(vec![
            (
                words.of("Umsatz", "sales"),
                cents(sum(|account| matches!(account, Account::Payable { .. })), words),
            ),
            (
                words.of("auf Bändern", "on wristbands"),
                cents(sum(|account| matches!(account, Account::Wristband { .. })), words),
            ),
            (words.of("Buchungen", "orders"), number(orders)),
            (
                words.of(
                    "davon signiert oder als Ausfall vermerkt",
                    "of these signed or marked as outage",
                ),
                number(signed),
            ),
            (
                words.of("Kassen offline", "tills offline"),
                format!(
                    "{offline} ({} {})",
                    words.of("mind. ungesendet", "at least unsent"),
                    number(unsent)
                ),
            ),
            (words.of("Fälle", "cases"), number(cases)),
        ])
    }

    /// Cuts the network of a till that sells by itself, or mends it.
    pub fn cut(&self, till: TillId, cut: bool) {
        for row in self.rows.iter().filter(|row| row.till == till) {
            let _ended = row.fate.send(Fate::Cut(cut));
        }
    }

    /// The same for all, the visitor's too.
    pub async fn cut_all(&self, cut: bool) {
        for row in &self.rows {
            let _ended = row.fate.send(Fate::Cut(cut));
        }
        self.bar.cut(cut).await;
        self.top_up.cut(cut).await;
    }

    /// Lets a till's battery fall out.
    pub fn pull_the_battery(&self, till: TillId) {
        for row in self.rows.iter().filter(|row| row.till == till) {
            let _ended = row.fate.send(Fate::Kill);
        }
    }

    /// Ends everything in order.
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.guests.abort();
        self.bar.end().await;
        self.top_up.end().await;
        let server = open(&self.server).take();
        match server {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

async fn staff(
    server: &Instance,
    config: &Config,
    dir: &Path,
    endpoint: &Endpoint,
    index: usize,
    till: TillId,
) -> anyhow::Result<(Row, mpsc::UnboundedSender<Action>)> {
    let slot = server.open_slot(till, false).await?;
    let post = Post {
        index,
        till,
        staff: sample::cashier_of(till),
        dir: dir.join("tills").join(index.to_string()),
        endpoint: endpoint.clone(),
        slot: slot.id,
        secret: slot.secret,
    };
    let (state_to, state) = watch::channel(TillState::default());
    let cashier = Cashier::start(post, Notes::default(), state_to).await?;
    let (actions_to, actions) = mpsc::unbounded_channel();
    let (fate, fates) = mpsc::unbounded_channel();
    tokio::spawn(cashier.work(actions, fates));
    let known = config.tills.get(&till);
    let row = Row {
        till,
        name: known.map_or_else(String::new, |till| till.name.clone()),
        state,
        fate,
    };
    Ok((row, actions_to))
}

/// The wristbands of the visitor, and that of a cashier.
fn tray(config: &Config) -> Vec<Wristband> {
    let mut tray = wristbands::by_id(u32::try_from(BEGINNING.len()).unwrap_or(0));
    tray.extend(wristbands::with_purses(PURSES));
    let cashier = config.staff.get(&sample::cashier_of(BAR));
    tray.extend(cashier.and_then(|cashier| {
        let label = Text::new(&format!("Crew: {}", cashier.name), &format!("Crew: {}", cashier.name));
        Some(Wristband::by_id(label, cashier.tag?, true))
    }));
    // Who leads has a PIN, and the demo tells it.
    let leads = config.staff.values().filter(|person| person.role == Some(Role::Lead));
    tray.extend(leads.take(1).filter_map(|lead| {
        let pin = sample::pin_of(lead.id)?;
        let label = Text::new(
            &format!("Leitung: {}, PIN {pin}", lead.name),
            &format!("Lead: {}, PIN {pin}", lead.name),
        );
        Some(Wristband::by_id(label, lead.tag?, true))
    }));
    tray
}

async fn visitors_till(
    server: &Instance,
    dir: &Path,
    endpoint: &Endpoint,
    till: TillId,
    tray: &[Wristband],
    origin: &str,
) -> anyhow::Result<Desk> {
    let slot = server.open_slot(till, false).await?;
    let desk = Desk::start(Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data: dir.join(format!("visitor-{till}")),
        server: endpoint.clone(),
        receipts: Some(format!("http://{}{}", server.address, receipt::page::PATH)),
        console: Some(format!("http://{}", server.address)),
        reader: None,
        keys: Some(if till == TOP_UP {
            wristbands::desk_keys()
        } else {
            wristbands::sale_keys()
        }),
        wristbands: tray.to_vec(),
        simulation: Simulation { faults: true },
        framed_by: Some(origin.to_owned()),
        mirrors: Vec::new(),
    })
    .await?;
    desk.register(terminal::Invitation {
        slot: slot.id,
        secret: slot.secret,
        device: "Groschen demo".to_owned(),
        config_key: None,
    })
    .await;
    anyhow::ensure!(
        desk.registered(PATIENCE).await,
        "the visitor's till {till} cannot be registered"
    );
    desk.log_in(sample::cashier_of(till)).await;
    anyhow::ensure!(desk.ready(PATIENCE).await, "the visitor's till {till} is not ready");
    Ok(desk)
}

/// Money and drink tokens for the visitor's wristbands, the money through a till like everybody's.
async fn give_beginnings(
    server: &Instance,
    config: &Config,
    to_do: &BTreeMap<TillId, mpsc::UnboundedSender<Action>>,
    tray: &[Wristband],
) -> anyhow::Result<()> {
    let takes_money = |till: &TillId| {
        let till = config.tills.get(till);
        till.is_some_and(|till| {
            till.order_kinds.contains(&OrderKind::TopUp) && till.tenders.contains(&TenderKind::Cash)
        })
    };
    let found = to_do.iter().find(|(till, _)| takes_money(till));
    let (till, desk) = found.context("the demo has no till that takes money in")?;
    let tags: Vec<TagId> = tray
        .iter()
        .filter(|wristband| !wristband.crew && !wristband.purse)
        .map(|wristband| wristband.tag)
        .collect();
    for (tag, cents) in tags.iter().zip(BEGINNING).filter(|(_, cents)| *cents > 0) {
        let what = What::TopUp {
            tag: *tag,
            cents: Amount(cents),
            by: Payment::Cash,
        };
        desk.send(Action {
            no: 0,
            at_ms: 0,
            till: *till,
            what,
        })?;
    }
    if let Some(tag) = tags.get(1) {
        let grant = Request::Grant {
            posting: ledger::PostingId(OrderId(mint(now_ms(), random()))),
            tag: *tag,
            asset: sample::DRINK,
            amount: Amount(2),
            expires_at_ms: Some(now_ms() + 24 * 60 * 60 * 1_000),
        };
        server.ask(grant).await?;
    }
    Ok(())
}

/// Puts money onto the first wristband with a purse, at the visitor's own desk. The others are empty.
async fn fill_purse(top_up: &Desk, tray: &[Wristband]) -> anyhow::Result<()> {
    let place = tray.iter().position(|wristband| wristband.purse);
    let place = place.context("the visitor has no wristband with a purse")?;
    for line in [format!("top-up cash {}", IN_PURSE.0), format!("hold {place}")] {
        top_up.press(&line).await;
    }
    let done = top_up.screen().is_some_and(|screen| screen.history.len() == 1);
    anyhow::ensure!(done, "no money came onto the visitor's wristband");
    Ok(())
}

/// One festival day after the other, at a steady rate.
async fn send_guests(config: Config, rate: u32, to_do: BTreeMap<TillId, mpsc::UnboundedSender<Action>>) {
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
