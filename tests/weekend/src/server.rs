//! The server in simulated time: the real engine over the real store, the real signer, the real closer. What a running server does on threads is done
//! here turn by turn: rows of a turn go into one commit with what tills sent meanwhile, and the calls that they allow are made after it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use engine::{Engine, Known as Registered, PushResult, Reply, Request, bootstrap, check_push};
use festival::registration::Slot;
use fiscal::signer::{Ask, Call};
use fiscal::tax::Choices;
use fiscal::{Closer, Jobs, Known, OutagePolicy, Signer, TseError, VoucherModel};
use fixtures::paper::PaperTill;
use fixtures::sample::{self, EVENT};
use ledger::PostingId;
use shared_protocol::config::Config;
use shared_protocol::crypto::{Hash32, PublicKey};
use shared_protocol::message::Push;
use shared_protocol::{Amount, OrderId, SlotId, TillId};
use store::{Reader as _, Signing, SigningState, TseNo};
use store_sqlite::{Options as StoreOptions, SqliteReader, SqliteStore};
use sync::session::CartEvent;

use crate::device::{At, Device};
use crate::plan::{DAYS, Options, Plant};

/// A signature takes a TSE so long.
const CALL_MS: u64 = 250;
/// Journal rows in a turn.
const ROWS: u64 = 256;
/// Whose last closing is forgotten, where that is wrong on purpose.
const FORGOTTEN: TillId = TillId(301);
/// Rows that are projected at once.
const PROJECTED: u64 = 4_096;

/// The way to a TSE: calls are made one after the other.
struct Line {
    device: Device,
    calls: VecDeque<Call>,
    is_out: bool,
}

/// What is lost when the server's process ends.
struct Process {
    engine: Engine<SqliteStore>,
    reader: SqliteReader,
    signer: Signer,
    jobs: Jobs,
    closer: Closer,
    carts: Vec<CartEvent>,
    /// Rows of the last turn, and the calls that may be made once they are kept.
    rows: Signing,
    calls: Vec<Call>,
    next_no: u64,
    late_from: u64,
}

/// The server, with the TSEs beside it.
pub struct Server {
    database: PathBuf,
    policy: OutagePolicy,
    plant: Plant,
    /// TSEs by their number in the books.
    lines: BTreeMap<TseNo, Line>,
    process: Process,
    /// When the lines were last worked on.
    lines_ms: u64,
    /// Commits that were made.
    pub commits: u64,
}

impl Server {
    /// A new festival in a folder, with its tills registered and its crew's vouchers granted.
    pub fn new(data: &Path, options: &Options, config: &Config, devices: Vec<Device>, now_ms: u64) -> Self {
        let database = data.join("groschen.db");
        let store_options = StoreOptions {
            created_at_ms: now_ms,
            ..StoreOptions::default()
        };
        let mut store = SqliteStore::open(&database, &store_options).expect("a new database");
        bootstrap(&mut store, EVENT, &config.items()).expect("a configuration");
        drop(store);
        let (process, lines) = Process::start(&database, options.policy, devices);
        Self {
            database,
            policy: options.policy,
            plant: options.plant,
            lines,
            process,
            lines_ms: now_ms,
            commits: 0,
        }
    }

    fn ask(&mut self, now_ms: u64, requests: &[Request]) -> Vec<Reply> {
        self.commits += 1;
        self.process.engine.process(now_ms, requests).expect("a commit")
    }

    /// Registers a till.
    pub fn register(&mut self, till: &PaperTill, now_ms: u64) {
        let id = SlotId([till.seed; 16]);
        let slot = Slot {
            confirm: false,
            ..Slot::open(EVENT, id, till.till, &[1; 16], now_ms)
        };
        let nonce = Hash32([till.seed; 32]);
        let register = Box::new(till.register(id, &[1; 16], &nonce));
        let terminal = till.id;
        let requests = [
            Request::OpenSlot(Box::new(slot)),
            Request::Register {
                register,
                nonce,
                terminal,
            },
        ];
        let replies = self.ask(now_ms, &requests);
        let is_known = matches!(replies.last(), Some(Reply::Register(Registered::Registered { .. })));
        assert!(is_known, "{replies:?}");
    }

    /// Gives the crew its vouchers.
    pub fn grant(&mut self, now_ms: u64, until_ms: u64) {
        let grants = sample::crew_grants(sample::WRISTBANDS).into_iter().zip(1_u64..);
        let requests: Vec<Request> = grants
            .map(|(grant, number)| Request::Grant {
                posting: posting(number),
                tag: grant.tag,
                asset: grant.asset,
                amount: Amount(i64::from(grant.units)),
                expires_at_ms: Some(until_ms),
            })
            .collect();
        self.ask(now_ms, &requests);
    }

    /// A cart got its first item, or was given up.
    pub fn hears(&mut self, event: CartEvent) {
        self.process.carts.push(event);
    }

    /// One turn: what tills sent and the rows of the turn before in one commit, then the calls that it allows, then the next turn.
    pub fn turn(&mut self, now_ms: u64, pushes: Vec<(Push, PublicKey)>) {
        let mut requests: Vec<Request> = pushes
            .into_iter()
            .map(|(push, key)| Request::Push(Box::new(check_push(push, &key).expect("a frame of a till"))))
            .collect();
        let rows = std::mem::take(&mut self.process.rows);
        if !rows.is_empty() {
            requests.push(Request::Sign(Box::new(rows)));
        }
        if !requests.is_empty() {
            for reply in self.ask(now_ms, &requests) {
                let is_durable =
                    !matches!(&reply, Reply::Push(push) if !matches!(push.result, PushResult::Durable { .. }));
                assert!(is_durable, "{reply:?}");
            }
        }
        for call in std::mem::take(&mut self.process.calls) {
            if let Some(line) = self.lines.get_mut(&call.tse) {
                line.calls.push_back(call);
            }
        }
        self.answers(now_ms);
        self.process.feed(now_ms, self.plant);
        let (mut rows, calls) = self.process.signer.turn(now_ms);
        self.spoil(&mut rows);
        (self.process.rows, self.process.calls) = (rows, calls);
    }

    /// TSEs do what they had time for.
    fn answers(&mut self, now_ms: u64) {
        let since_ms = now_ms.saturating_sub(std::mem::replace(&mut self.lines_ms, now_ms));
        let most = (since_ms / CALL_MS).clamp(1, 64);
        for (no, line) in &mut self.lines {
            if line.device.hangs(now_ms) {
                continue;
            }
            for _ in 0..most {
                let Some(call) = line.calls.pop_front() else { break };
                let is_prepare = matches!(call.ask, Ask::Prepare);
                // As the thread of a TSE has it: what was asked before its silence was known would wait for it once more, call by call.
                let done = if line.is_out && !is_prepare {
                    Err(TseError::Unavailable("it is out of order".to_owned()))
                } else {
                    let mut tse = At {
                        device: &mut line.device,
                        now_ms,
                    };
                    call.ask.of(&mut tse, now_ms)
                };
                line.is_out = match &done {
                    Ok(_) => line.is_out && !is_prepare,
                    Err(error) => line.is_out || error.is_outage(),
                };
                self.process.signer.answer(*no, call.id, done, CALL_MS * 1_000, now_ms);
            }
        }
    }

    /// What is wrong on purpose with rows before they are kept.
    fn spoil(&mut self, rows: &mut Signing) {
        match self.plant {
            Plant::FlippedBit => {
                let ends = rows.transactions.iter_mut().filter_map(|row| row.end.as_mut());
                let last = ends.filter(|end| end.counter > 100).last();
                if let Some(byte) = last.and_then(|end| end.signature.first_mut()) {
                    *byte ^= 1;
                    self.plant = Plant::Nothing;
                }
            }
            Plant::ShortenedOutage => {
                for row in rows.outages.iter_mut().filter(|row| row.client.is_some()) {
                    row.until_ms = Some(row.from_ms);
                }
            }
            _ => {}
        }
    }

    /// Closes days that are over.
    pub fn closes(&mut self, now_ms: u64) {
        let process = &mut self.process;
        let due = process
            .closer
            .due(&mut process.reader, now_ms)
            .expect("a database that can be read");
        if due.day_ended {
            process.signer.close();
        }
        for closing in due.closings {
            let is_forgotten = closing.row.day == DAYS[2].0 && closing.row.till == FORGOTTEN;
            if self.plant == Plant::ForgottenClosing && is_forgotten {
                continue;
            }
            let signing = Signing {
                closings: vec![closing],
                ..Signing::default()
            };
            self.ask(now_ms, &[Request::Sign(Box::new(signing))]);
        }
        while self.process.engine.project(PROJECTED).expect("projections") {}
    }

    /// What is still open ends.
    pub fn ends_what_is_open(&mut self) {
        self.process.signer.close();
    }

    /// Whether there is something to do now.
    pub fn is_busy(&self) -> bool {
        let process = &self.process;
        !process.rows.is_empty()
            || !process.calls.is_empty()
            || !process.signer.is_idle()
            || process.signer.waiting() > 0
            || self.lines.values().any(|line| !line.calls.is_empty())
    }

    /// The process ends without a word and starts again on what is on the disk; TSEs are what they were.
    pub fn restart(self) -> Self {
        let Self {
            database,
            policy,
            plant,
            lines,
            process,
            lines_ms,
            commits,
        } = self;
        drop(process);
        let devices = lines.into_values().map(|line| line.device).collect();
        let (process, lines) = Process::start(&database, policy, devices);
        Self {
            database,
            policy,
            plant,
            lines,
            process,
            lines_ms,
            commits,
        }
    }

    /// The server ends. Gives the TSEs, for whoever compares them with the books.
    pub fn ends(self) -> Vec<(TseNo, Device)> {
        let lines = self.lines.into_iter();
        lines.map(|(no, line)| (no, line.device)).collect()
    }

    /// How many orders came off how.
    pub fn counts(&mut self) -> BTreeMap<SigningState, u64> {
        self.process
            .reader
            .signing_counts()
            .expect("a database that can be read")
    }
}

impl Process {
    fn start(database: &Path, policy: OutagePolicy, devices: Vec<Device>) -> (Self, BTreeMap<TseNo, Line>) {
        let store = SqliteStore::open(database, &StoreOptions::default()).expect("the database");
        let engine = Engine::open(store, EVENT, Box::new(PaperTill::signer(250))).expect("an event");
        let mut reader = SqliteReader::open(database, None).expect("the database");
        let known = Known::read(&mut reader).expect("a database that can be read");
        let done_to = known.done_to;
        let choices = Choices::always(policy, VoucherModel::VoucherLines);
        let mut signer = Signer::new(EVENT, choices, known);
        let lines = devices.into_iter().map(|device| {
            let no = signer.add(device.taxpayer, &device.link, &device.info());
            let line = Line {
                device,
                calls: VecDeque::new(),
                is_out: false,
            };
            (no, line)
        });
        let lines = lines.collect();
        let process = Self {
            jobs: Jobs::new(&mut reader, EVENT).expect("a configuration"),
            closer: Closer::new(&mut reader, EVENT).expect("a configuration"),
            engine,
            reader,
            signer,
            carts: Vec::new(),
            rows: Signing::default(),
            calls: Vec::new(),
            next_no: done_to + 1,
            late_from: 0,
        };
        (process, lines)
    }

    /// The signer hears of carts and of what was booked.
    fn feed(&mut self, now_ms: u64, plant: Plant) {
        for event in std::mem::take(&mut self.carts) {
            match event {
                CartEvent::Opened { cart, till } => {
                    if let Some(taxpayer) = self.jobs.newest().home_taxpayer(till) {
                        self.signer.cart_opened(cart, till, taxpayer, now_ms);
                    }
                }
                CartEvent::Aborted { cart } => self.signer.cart_aborted(cart),
            }
        }
        let page = self.jobs.page(&mut self.reader, self.next_no, ROWS).expect("rows");
        let has_new = !page.is_empty();
        for (no, job) in page {
            match job.filter(|_| plant != Plant::UnsignedOrder || no != 700) {
                Some(job) => self.signer.order(&job, now_ms).expect("every taxpayer has a TSE"),
                None => self.signer.nothing(no),
            }
            self.next_no = no + 1;
        }
        if !has_new && self.signer.may_sign_late() {
            let (marked, next) = self.jobs.marked(&mut self.reader, self.late_from, ROWS).expect("rows");
            self.late_from = next;
            if next == 0 {
                self.signer.told_of_all_marked();
            }
            for (marked, job) in marked {
                self.signer.late(&marked, &job, now_ms);
            }
        }
    }
}

/// The idempotency key of a grant.
fn posting(number: u64) -> PostingId {
    let mut id = [0x99; 16];
    id.iter_mut()
        .zip(number.to_be_bytes())
        .for_each(|(to, from)| *to = from);
    PostingId(OrderId(id))
}
