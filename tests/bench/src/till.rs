//! A till without a network: what it takes from the touch of a wristband to the result on the screen, with a queue on the disk.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chips::{Chip, ReaderEvent};
use core_ffi::{Queue as _, SqliteQueue};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::Amount;
use shared_protocol::chain::EpochStart;
use shared_protocol::config::Item;
use shared_protocol::crypto::{Ed25519Signer, Hash32, Signer as _};
use shared_protocol::ids::Bytes;
use shared_protocol::stream::{Change, Stream};
use shared_protocol::wristband::Batch;
use terminal::screen::Notice;
use terminal::{Action, Input, MetaKey, Now, Output, PurseWork, Setup, Terminal, Write};

use crate::figure::{Shape, tell};
use crate::journals::{Seller, WRISTBANDS, tills};

/// Orders that are timed.
const ORDERS: u32 = 1_000;

/// No sale of the row reaches a limit.
const NO_LIMIT: Amount = Amount(1_000_000_000);

/// A till with its queue, without a network.
pub struct Counter {
    terminal: Terminal,
    queue: SqliteQueue,
    signer: Ed25519Signer,
    now: Now,
    steps: u64,
    /// Time in the terminal and in the queue since somebody looked.
    decided: Duration,
    stored: Duration,
    pub shown: Notice,
    /// Transactions of the queue since somebody looked.
    pub commits: u64,
    purse_work: VecDeque<PurseWork>,
}

impl Counter {
    /// Somebody is logged in. Without a batch of purses all wristbands are ids.
    pub fn open(dir: &std::path::Path, batch: Option<&Batch>) -> anyhow::Result<Self> {
        let paper = PaperTill::new(*tills(1).first().unwrap_or(&shared_protocol::TillId(1)), 1);
        let config_key = PaperTill::signer(200);
        let mut queue = SqliteQueue::open(&dir.join("queue.db"), None)?;
        let identity = terminal::identity_meta(&paper.certificate(&config_key), &config_key.public_key());
        let changes: Vec<Change> = sample::items()
            .into_iter()
            .map(|item| match item {
                Item::Event { mut item } => {
                    let limits = &mut item.offline;
                    (limits.tag_max, limits.unknown_tag_max, limits.terminal_max) = (NO_LIMIT, NO_LIMIT, NO_LIMIT);
                    Item::Event { item }.change()
                }
                other => other.change(),
            })
            .collect();
        let batches = batch.map(|batch| Write::Stream {
            stream: Stream::Batches,
            version: sample::VERSION,
            snapshot: true,
            changes: vec![Change {
                key: Bytes(batch.list.batch.to_be_bytes().to_vec()),
                value: Some(Bytes(shared_protocol::encode(batch))),
            }],
        });
        let mut writes = vec![
            Write::Meta {
                key: MetaKey::Identity,
                value: Some(identity),
            },
            Write::Epoch(EpochStart::FIRST),
            Write::Stream {
                stream: Stream::Config,
                version: sample::VERSION,
                snapshot: true,
                changes,
            },
        ];
        writes.extend(batches);
        queue.write(&writes)?;
        let signer = PaperTill::signer(1);
        let setup = Setup {
            app: "bench".to_owned(),
            key: signer.public_key(),
            streams: vec![Stream::Config, Stream::Batches],
        };
        let now = Now {
            mono_ms: 1_000,
            wall_ms: fixtures::paper::NOW,
            entropy: [0; 32],
        };
        let (terminal, outputs) = Terminal::new(setup, queue.restore()?, &now);
        let mut counter = Self {
            terminal,
            queue,
            signer,
            now,
            steps: 0,
            decided: Duration::ZERO,
            stored: Duration::ZERO,
            shown: Notice::None,
            commits: 0,
            purse_work: VecDeque::new(),
        };
        counter.act(outputs)?;
        counter.input(Input::Act(Action::Login { staff: paper.cashier }))?;
        Ok(counter)
    }

    /// Time goes on.
    pub const fn passes(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
    }

    /// From here on it is timed.
    pub const fn begin(&mut self) {
        (self.decided, self.stored, self.commits) = (Duration::ZERO, Duration::ZERO, 0);
    }

    /// Time in the terminal and in the queue since it [began](Self::begin).
    pub const fn taken(&self) -> (Duration, Duration) {
        (self.decided, self.stored)
    }

    /// What it wants of the wristband that lies there.
    pub fn work(&mut self) -> Option<PurseWork> {
        self.purse_work.pop_front()
    }

    /// One input with all that follows from it.
    pub fn input(&mut self, input: Input) -> anyhow::Result<()> {
        self.steps += 1;
        self.now.entropy = Hash32::of("bench entropy", &[&self.steps.to_be_bytes()]).0;
        let begun = Instant::now();
        let outputs = self.terminal.step(&self.now, input);
        self.decided += begun.elapsed();
        self.act(outputs)
    }

    fn act(&mut self, outputs: Vec<Output>) -> anyhow::Result<()> {
        let mut answers = VecDeque::new();
        for output in outputs {
            match output {
                Output::Persist { ticket, writes } => {
                    let begun = Instant::now();
                    self.queue.write(&writes)?;
                    self.stored += begun.elapsed();
                    self.commits += 1;
                    answers.push_back(Input::Persisted(ticket));
                }
                Output::Sign { job, message } => {
                    let signature = self.signer.sign(&message)?;
                    answers.push_back(Input::Signed { job, signature });
                }
                Output::Connect(link) => answers.push_back(Input::Disconnected(link)),
                Output::Screen(screen) => self.shown = screen.notice.clone(),
                Output::Purse(work) => self.purse_work.push_back(work),
                Output::VerifyPin { .. }
                | Output::Fetch { .. }
                | Output::Send { .. }
                | Output::Disconnect(_)
                | Output::Unregistered
                | Output::Cue(_) => {}
            }
        }
        answers.into_iter().try_for_each(|answer| self.input(answer))
    }
}

/// Runs the rows.
pub fn run(shape: &Shape) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut counter = Counter::open(dir.path(), None)?;
    let cart = Seller::new(*tills(1).first().unwrap_or(&shared_protocol::TillId(1)), 1, 0).articles();
    let (mut decided_us, mut stored_us) = (Vec::new(), Vec::new());
    for number in 0..ORDERS {
        for article in &cart {
            counter.input(Input::Act(Action::Add {
                article: *article,
                count: 1,
            }))?;
        }
        counter.passes(5_000);
        counter.begin();
        let tag = sample::wristband(number % WRISTBANDS + 1);
        counter.input(Input::Reader(ReaderEvent::Held(Chip::identity(tag))))?;
        anyhow::ensure!(
            matches!(counter.shown, Notice::Done(_)),
            "order {number}: {:?}",
            counter.shown
        );
        let (decided, stored) = counter.taken();
        decided_us.push(u64::try_from(decided.as_micros())?);
        stored_us.push(u64::try_from(stored.as_micros())?);
        counter.input(Input::Reader(ReaderEvent::Left))?;
    }
    let (decided, stored) = (p99(&decided_us), p99(&stored_us));
    tell(shape, "till_decision", "us", decided_us, &[("p99_us", decided)]);
    tell(shape, "till_durable_journal", "us", stored_us, &[("p99_us", stored)]);
    Ok(())
}

/// What one in a hundred exceeds.
pub fn p99(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or_default()
}
