//! The thread that tells the signer what happens, commits what it decides, and hands its calls to the TSEs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use console::{NotTaken, TseOrder};
use engine::Request;
use fiscal::signer::Call;
use fiscal::tax::Choices;
use fiscal::{Job, Jobs, Known, Signer, Tse, TseError};
use sealed::Opener;
use shared_protocol::{EventId, TaxpayerId, TillId};
use store::{Reader as _, Signing, TseNo, TseRow};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::session::CartEvent;
use sync::writer::{Writer, now_ms};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Settings;
use super::board::Reporter;
use super::devices::{self, Link, Met};
use super::line::{Answer, Line, Lines};
use super::software::Software;
use crate::health::SignerState;
use crate::tax;

/// How often the journal is looked at while nothing else comes.
const POLL: Duration = Duration::from_millis(50);
/// After an answer, others are waited for so long: they share a commit.
const LINGER: Duration = Duration::from_millis(1);
/// Journal rows and cart events that are taken in a turn.
const BATCH: u64 = 128;
/// Orders that may wait in memory for their TSEs; the rest waits in the journal.
const WAITING_MAX: usize = 200_000;
/// How often the newest configuration is read, for who sells at which till, and orders without a TSE are tried again.
const CONFIG_EVERY: Duration = Duration::from_secs(5);
/// Orders that stay marked for ever are not read again and again: after a look that found nothing else, the next one waits so long.
const LATE_EVERY: Duration = Duration::from_millis(500);

/// What became of an admin's wish, and who wants to know.
type Answered = (oneshot::Sender<Result<(), NotTaken>>, Result<(), NotTaken>);

pub(super) struct Desk {
    carts: Receiver<CartEvent>,
    answers: Receiver<Answer>,
    answer_to: Sender<Answer>,
    /// Calls that are under way.
    asked: usize,
    /// Devices that answered for the first time.
    met: Receiver<Met>,
    /// Who has devices, and so signs with nothing else.
    with_devices: BTreeSet<TaxpayerId>,
    reader: SqliteReader,
    software: Software,
    lines: BTreeMap<TseNo, Line>,
    /// The same, for whoever wants their logs.
    pub(super) shared_lines: Lines,
    signer: Signer,
    pub(super) writer: Writer<SqliteStore>,
    runtime: Handle,
    jobs: Jobs,
    /// Orders whose taxpayer has no TSE.
    parked: Vec<Job>,
    /// When the newest configuration was read.
    config_at: Instant,
    /// The next journal row to look at.
    next_no: u64,
    event: EventId,
    /// The last statement about taxes that was heard.
    tax_no: u64,
    /// Where orders that were marked are looked for next.
    late_from: u64,
    /// When they are looked for again, once a look found only such as stay marked.
    late_at: Instant,
    /// Whether this look found one that does not.
    late_found: bool,
    /// Whether the last turn left journal rows behind: then it waits for nothing.
    behind: bool,
    reporter: Reporter,
    pub(super) state: Arc<SignerState>,
}

impl Desk {
    pub fn open(
        carts: Receiver<CartEvent>,
        mut reader: SqliteReader,
        event: EventId,
        (settings, seed): (Settings, [u8; 32]),
        (links, opener): (Vec<Link>, &Opener),
        writer: Writer<SqliteStore>,
    ) -> anyhow::Result<Self> {
        let known = Known::read(&mut reader)?;
        let done_to = known.done_to;
        let (choices, tax_no) = chosen(&mut reader, event)?;
        let (answer_to, answers) = channel();
        let (met_to, met) = channel();
        devices::check(&links)?;
        let mut desk = Self {
            next_no: done_to + 1,
            event,
            tax_no,
            late_from: 0,
            late_at: Instant::now(),
            late_found: false,
            jobs: Jobs::new(&mut reader, event)?,
            software: Software::new(settings, seed),
            carts,
            answers,
            answer_to,
            asked: 0,
            met,
            with_devices: links.iter().map(Link::taxpayer).collect(),
            reader,
            lines: BTreeMap::new(),
            shared_lines: Lines::default(),
            signer: Signer::new(event, choices, known),
            writer,
            runtime: Handle::current(),
            parked: Vec::new(),
            config_at: Instant::now(),
            behind: false,
            reporter: Reporter::new(),
            state: Arc::default(),
        };
        for link in links {
            desk.add(link, &met_to, opener)?;
        }
        // What a TSE has open is known before anybody asks it for more.
        let taxpayers: BTreeSet<TaxpayerId> = desk.signer.known().iter().map(|row| row.taxpayer).collect();
        for taxpayer in taxpayers {
            desk.with_tses(taxpayer)?;
        }
        Ok(desk)
    }

    /// A device of the settings: it signs from now on, or once it has answered for the first time.
    fn add(&mut self, device: Link, met_to: &Sender<Met>, opener: &Opener) -> anyhow::Result<()> {
        let of_link = |row: &&TseRow| row.link == device.name && row.taxpayer == device.taxpayer();
        if let Some(no) = self.signer.known().iter().find(of_link).map(|row| row.no) {
            let next = devices::next_of(&mut self.reader, no)?;
            self.signer.add_known(no);
            self.line(no, devices::adapter(&device, next, opener)?)?;
            return Ok(());
        }
        let tse = devices::adapter(&device, 1, opener)?;
        devices::meet(device, tse, met_to.clone())
    }

    /// Hears of choices about taxes that were made since.
    fn choose(&mut self) -> anyhow::Result<()> {
        if self.reader.tax(self.event, self.tax_no + 1, 1)?.is_empty() {
            return Ok(());
        }
        let (choices, tax_no) = chosen(&mut self.reader, self.event)?;
        self.signer.choose(choices);
        self.tax_no = tax_no;
        Ok(())
    }

    /// Devices that answered for the first time.
    fn welcome(&mut self) -> anyhow::Result<()> {
        while let Ok(Met { link, info, tse }) = self.met.try_recv() {
            let no = self.signer.add(link.taxpayer(), &link.name, &info);
            self.line(no, tse)?;
            for job in std::mem::take(&mut self.parked) {
                self.order(job)?;
            }
        }
        Ok(())
    }

    /// Everything that came since, then one commit, then the calls that it allows.
    pub fn turn(&mut self) -> anyhow::Result<()> {
        self.welcome()?;
        self.hear()?;
        self.read_journal()?;
        self.read_marked()?;
        if self.state.closing.swap(false, Ordering::Relaxed) {
            self.signer.close();
        }
        let taken = self.take_wishes();
        let (rows, calls) = self.signer.turn(now_ms());
        let came_off = rows.orders.len() as u64;
        self.keep(rows)?;
        for (answer, taken) in taken {
            // Whoever asked may have gone.
            let _gone = answer.send(taken);
        }
        for call in calls {
            self.call(call);
        }
        let next_no = self.signer.done_to() + 1;
        self.state.next_no.store(next_no, Ordering::Relaxed);
        self.state.orders.fetch_add(came_off, Ordering::Relaxed);
        self.state.outage.store(self.signer.has_outage(), Ordering::Relaxed);
        self.reporter.report(|| self.signer.units(), &self.state);
        Ok(())
    }

    /// What admins want: the rules decide, and they hear of it once it is in the database.
    fn take_wishes(&mut self) -> Vec<Answered> {
        let wanted = self.state.wanted().into_iter();
        let taken = wanted.map(|(order, answer)| {
            let taken = match order {
                TseOrder::Wish(row) => self.signer.wish(row),
                TseOrder::Retire(row) => self.signer.retire(row),
            };
            (answer, taken.map_err(NotTaken::from))
        });
        taken.collect()
    }

    /// Answers and cart events, waiting a moment where there is nothing else to do.
    fn hear(&mut self) -> anyhow::Result<()> {
        let pause = if self.behind { Duration::ZERO } else { POLL };
        if self.asked > 0 {
            let mut next = self.answers.recv_timeout(pause).ok();
            while let Some(answer) = next {
                self.asked = self.asked.saturating_sub(1);
                self.signer
                    .answer(answer.tse, answer.id, answer.done, answer.took_us, now_ms());
                next = self.answers.recv_timeout(LINGER).ok();
            }
        } else {
            match self.carts.recv_timeout(pause) {
                Ok(event) => self.cart(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL),
            }
        }
        for _ in 0..BATCH {
            let Ok(event) = self.carts.try_recv() else { break };
            self.cart(event)?;
        }
        if self.config_at.elapsed() > CONFIG_EVERY {
            self.jobs.refresh(&mut self.reader)?;
            self.config_at = Instant::now();
            for job in std::mem::take(&mut self.parked) {
                self.order(job)?;
            }
        }
        Ok(())
    }

    fn cart(&mut self, event: CartEvent) -> anyhow::Result<()> {
        match event {
            CartEvent::Opened { cart, till } => {
                self.choose()?;
                if let Some(taxpayer) = self.home(till) {
                    self.with_tses(taxpayer)?;
                    self.signer.cart_opened(cart, till, taxpayer, now_ms());
                }
            }
            CartEvent::Aborted { cart } => self.signer.cart_aborted(cart),
        }
        Ok(())
    }

    fn home(&self, till: TillId) -> Option<TaxpayerId> {
        self.jobs.newest().home_taxpayer(till)
    }

    fn read_journal(&mut self) -> anyhow::Result<()> {
        self.behind = false;
        if self.signer.waiting() >= WAITING_MAX {
            return Ok(());
        }
        let page = self.jobs.page(&mut self.reader, self.next_no, BATCH)?;
        // After the rows: what was chosen before one of them was booked is heard before it is looked at.
        self.choose()?;
        self.behind = page.len() as u64 == BATCH;
        for (no, job) in page {
            match job {
                Some(job) => {
                    self.reporter.ordered(&job);
                    self.order(job)?;
                }
                None => self.signer.nothing(no),
            }
            self.next_no = no + 1;
        }
        Ok(())
    }

    fn order(&mut self, job: Job) -> anyhow::Result<()> {
        self.with_tses(job.order.taxpayer)?;
        if let Err(error) = self.signer.order(&job, now_ms()) {
            tracing::error!(%error, no = job.no, "an order waits to be signed");
            self.parked.push(job);
        }
        Ok(())
    }

    /// Orders that were marked as unsigned and may be signed now, once all others are.
    fn read_marked(&mut self) -> anyhow::Result<()> {
        if self.behind || !self.signer.may_sign_late() || self.late_at > Instant::now() {
            return Ok(());
        }
        let (marked, next) = self.jobs.marked(&mut self.reader, self.late_from, BATCH)?;
        self.late_from = next;
        if next == 0 {
            self.signer.told_of_all_marked();
            if !std::mem::take(&mut self.late_found) {
                self.late_at = Instant::now() + LATE_EVERY;
            }
        }
        for (marked, job) in marked {
            self.late_found |= self.signer.signs_late(job.booked_at_ms);
            self.with_tses(job.order.taxpayer)?;
            self.signer.late(&marked, &job, now_ms());
        }
        Ok(())
    }

    /// The taxpayer's TSEs, made if there are none yet.
    fn with_tses(&mut self, taxpayer: TaxpayerId) -> anyhow::Result<()> {
        if self.signer.signs_for(taxpayer) || self.with_devices.contains(&taxpayer) {
            return Ok(());
        }
        for made in self.software.of(&mut self.reader, taxpayer)? {
            let no = self.signer.add(taxpayer, &made.link, &made.info);
            self.line(no, made.tse)?;
        }
        Ok(())
    }

    /// A TSE has a thread of its own from now on.
    fn line(&mut self, no: TseNo, tse: Box<dyn Tse>) -> anyhow::Result<()> {
        let statuses = Arc::clone(&self.reporter.statuses);
        let line = Line::start(no, tse, self.answer_to.clone(), statuses)?;
        self.shared_lines.insert(no, line.clone());
        self.lines.insert(no, line);
        Ok(())
    }

    fn call(&mut self, call: Call) {
        let (tse, id) = (call.tse, call.id);
        if self.lines.get(&tse).is_some_and(|line| line.make(call)) {
            self.asked += 1;
        } else {
            let error = TseError::Unavailable("its thread does not take the call".to_owned());
            self.signer.answer(tse, id, Err(error), 0, now_ms());
        }
    }

    /// Commits what was done so far. Where this fails the server has ended; what was signed and not kept is found at the TSE.
    fn keep(&mut self, rows: Signing) -> anyhow::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let kept = self.runtime.block_on(self.writer.ask(Request::Sign(Box::new(rows))));
        kept.map(drop).map_err(|_| anyhow!("the server ends"))
    }
}

/// What was chosen about taxes, and the number of the last statement about them.
fn chosen(reader: &mut SqliteReader, event: EventId) -> anyhow::Result<(Choices, u64)> {
    let rows = tax::rows(reader, event)?;
    Ok((Choices::read(&rows)?, rows.last().map_or(0, |(no, _)| *no)))
}
