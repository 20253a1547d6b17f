//! The server's signer over its real core, and TSEs as hardware is: they outlive the server, forget nothing, and are out of order now and then.
//! What must hold of them is checked at rest (I8, and the sums of I12).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Request;
use fiscal::process_data::Kassenbeleg;
use fiscal::signer::Call;
use fiscal::tax::Choices;
use fiscal::tse::{Curve, Document, Limits, Logged, TimeFormat, TransactionKey, TseStatus};
use fiscal::{Finished, Job, Jobs, Known, OutagePolicy, Signer, Started, Tse, TseError, TseInfo, VoucherModel};
use shared_protocol::TaxpayerId;
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use shared_protocol::order::Order;
use shared_protocol::shift::ShiftMark;
use store::{JournalRow, Reader as _, SigningState, StoreError, TransactionRow, TseNo};
use sync::session::CartEvent;

use crate::events::Event;
use crate::world::{EPOCH_MS, World};

const EVENT: shared_protocol::EventId = fixtures::sample::EVENT;

/// The signer looks at the journal this often.
const TURN_MS: u64 = 2_000;
/// Journal rows in a turn.
const ROWS: u64 = 128;
/// TSEs of the first taxpayer; the others have one each.
const SPARES: u8 = 2;

/// A call of a TSE, as faults aim at it. The server asks for neither status nor export while it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Prepare,
    Register,
    Deregister,
    Start,
    Finish,
    Open,
    Ended,
    Since,
}

impl Asked {
    const ALL: [Self; 8] = [
        Self::Prepare,
        Self::Register,
        Self::Deregister,
        Self::Start,
        Self::Finish,
        Self::Open,
        Self::Ended,
        Self::Since,
    ];

    /// What is reached when an answer of this call is lost, and when it is one of the errors.
    const fn reached(self) -> (&'static str, &'static str) {
        match self {
            Self::Prepare => ("tse_lost_the_answer_to_prepare", "tse_refused_to_prepare"),
            Self::Register => ("tse_lost_the_answer_to_register", "tse_refused_to_register"),
            Self::Deregister => ("tse_lost_the_answer_to_deregister", "tse_refused_to_deregister"),
            Self::Start => ("tse_lost_the_answer_to_start", "tse_refused_to_start"),
            Self::Finish => ("tse_lost_the_answer_to_finish", "tse_refused_to_finish"),
            Self::Open => ("tse_lost_the_answer_to_open", "tse_refused_to_open"),
            Self::Ended => ("tse_lost_the_answer_to_ended", "tse_refused_to_ended"),
            Self::Since => ("tse_lost_the_answer_to_since", "tse_refused_to_since"),
        }
    }
}

/// What one TSE is and remembers.
struct Memory {
    info: TseInfo,
    transactions: u64,
    signatures: u64,
    open: BTreeMap<u64, (String, Started)>,
    ended: BTreeMap<u64, Logged>,
    clients: BTreeSet<String>,
    down: bool,
    /// It never answers again, whoever mends what.
    dead: bool,
    /// It takes calls and answers none, until it is mended: then it does them all.
    hangs: bool,
    /// The next of these calls is done, and its answer lost.
    silent: Option<Asked>,
    /// The next of these calls is answered so.
    says: Option<(Asked, TseError)>,
    /// What was reached since somebody looked.
    reached: Vec<&'static str>,
}

/// A TSE; a handle is what a server's process has of it.
#[derive(Clone)]
pub(crate) struct Hardware {
    info: TseInfo,
    memory: Arc<Mutex<Memory>>,
}

impl Hardware {
    fn new(taxpayer: TaxpayerId, place: u8) -> Self {
        let serial = Hash32::of("simulated TSE", &[&taxpayer.0.to_be_bytes(), &[place]]).0;
        let info = TseInfo {
            name: format!("simulated TSE {place} of taxpayer {taxpayer}"),
            public_key: serial.to_vec(),
            serial,
            curve: Curve::P256,
            time_format: TimeFormat::UnixTime,
            certificates: Vec::new(),
            valid_until_ms: None,
            certified: false,
            limits: Limits {
                clients_max: 100,
                open_max: 512,
                signature_ms: 250,
            },
        };
        let memory = Memory {
            info: info.clone(),
            transactions: 0,
            signatures: 0,
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            clients: BTreeSet::new(),
            down: false,
            dead: false,
            hangs: false,
            silent: None,
            says: None,
            reached: Vec::new(),
        };
        Self {
            info,
            memory: Arc::new(Mutex::new(memory)),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<R>(&self, asked: Asked, call: impl FnOnce(&mut Memory) -> Result<R, TseError>) -> Result<R, TseError> {
        let mut memory = self.memory();
        if memory.down || memory.dead {
            return Err(TseError::Unavailable("simulated: nobody answers".to_owned()));
        }
        let (lost, refused) = asked.reached();
        if let Some((_, error)) = memory.says.take_if(|(of, _)| *of == asked) {
            memory.reached.push(refused);
            return Err(error);
        }
        let done = call(&mut memory);
        if memory.silent.take_if(|of| *of == asked).is_some() {
            memory.reached.push(lost);
            return Err(TseError::Unavailable("simulated: the answer is lost".to_owned()));
        }
        done
    }
}

impl Memory {
    fn sign(&mut self, what: &[u8]) -> (u64, Vec<u8>) {
        self.signatures += 1;
        let counter = self.signatures;
        let digest = Hash32::of(
            "simulated signature",
            &[&self.info.serial, &counter.to_be_bytes(), what],
        );
        (counter, digest.0.to_vec())
    }
}

impl Tse for Hardware {
    fn prepare(&mut self, _now_ms: u64) -> Result<TseInfo, TseError> {
        self.call(Asked::Prepare, |memory| Ok(memory.info.clone()))
    }

    fn status(&mut self, _now_ms: u64) -> Result<TseStatus, TseError> {
        Ok(TseStatus::default())
    }

    fn register(&mut self, client: &str, _now_ms: u64) -> Result<(), TseError> {
        self.call(Asked::Register, |memory| {
            memory.clients.insert(client.to_owned());
            Ok(())
        })
    }

    fn deregister(&mut self, client: &str, _now_ms: u64) -> Result<(), TseError> {
        self.call(Asked::Deregister, |memory| {
            memory.clients.remove(client);
            Ok(())
        })
    }

    fn start(&mut self, _key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        self.call(Asked::Start, |memory| {
            if !memory.clients.contains(client) {
                return Err(TseError::UnknownClient(client.to_owned()));
            }
            memory.transactions += 1;
            let (counter, signature) = memory.sign(client.as_bytes());
            let started = Started {
                transaction: memory.transactions,
                counter,
                time_s: now_ms / 1_000,
                signature,
            };
            memory
                .open
                .insert(memory.transactions, (client.to_owned(), started.clone()));
            Ok(started)
        })
    }

    fn finish(
        &mut self,
        _key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError> {
        self.call(Asked::Finish, |memory| {
            let opened = memory.open.get(&transaction).filter(|(owner, _)| owner == client);
            let Some((client, started)) = opened.cloned() else {
                return Err(TseError::UnknownTransaction(transaction));
            };
            memory.open.remove(&transaction);
            let (counter, signature) = memory.sign(document.process_data.as_bytes());
            let finished = Finished {
                counter,
                time_s: now_ms / 1_000,
                signature,
            };
            let end = Some((document.process_data.to_owned(), finished.clone()));
            memory.ended.insert(transaction, Logged { client, started, end });
            Ok(finished)
        })
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        self.call(Asked::Open, |memory| Ok(memory.open.values().cloned().collect()))
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        self.call(Asked::Ended, |memory| {
            Ok(memory.ended.get(&transaction).and_then(|logged| logged.end.clone()))
        })
    }

    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError> {
        self.call(Asked::Since, |memory| {
            let ended = memory.ended.range(transaction..).map(|(_, logged)| logged);
            Ok(ended
                .filter(|logged| logged.client.starts_with(clients))
                .cloned()
                .collect())
        })
    }
}

/// The desk of the server's process, and the TSEs beside it.
pub(crate) struct Desk {
    pub policy: OutagePolicy,
    tses: Vec<(TaxpayerId, Hardware)>,
    /// Whether a backup ever took the place of the database: a TSE then remembers more than the books.
    pub restored: bool,
    signer: Option<Signer>,
    /// The TSEs by their numbers in the books.
    lines: BTreeMap<TseNo, Hardware>,
    carts: VecDeque<CartEvent>,
    /// Calls that TSEs took and do not answer.
    hanging: Vec<Call>,
    /// Calls that wait for the commit of what they need.
    prepared: Option<Vec<Call>>,
    next_no: u64,
    /// Where orders that were marked are looked for next.
    late_from: u64,
    jobs: Option<Jobs>,
}

impl Desk {
    pub fn new(policy: OutagePolicy, config: &Config) -> Self {
        let mut tses = Vec::new();
        for (index, taxpayer) in config.taxpayers.keys().enumerate() {
            let count = if index == 0 { SPARES } else { 1 };
            tses.extend((1..=count).map(|place| (*taxpayer, Hardware::new(*taxpayer, place))));
        }
        Self {
            policy,
            tses,
            restored: false,
            signer: None,
            lines: BTreeMap::new(),
            carts: VecDeque::new(),
            hanging: Vec::new(),
            prepared: None,
            next_no: 1,
            late_from: 0,
            jobs: None,
        }
    }

    /// The server's process is gone, with all it had not committed. What hung is done by the TSE some time, and answered to nobody.
    pub fn dies(&mut self) {
        for call in std::mem::take(&mut self.hanging) {
            if let Some(tse) = self.lines.get_mut(&call.tse) {
                let _unheard = call.ask.of(tse, EPOCH_MS);
            }
        }
        self.signer = None;
        self.carts.clear();
        self.prepared = None;
        self.jobs = None;
    }

    fn make(&mut self, calls: Vec<Call>, now_ms: u64) {
        let Some(signer) = self.signer.as_mut() else {
            return;
        };
        for call in calls {
            let Some(tse) = self.lines.get_mut(&call.tse) else {
                continue;
            };
            if tse.memory().hangs {
                self.hanging.push(call);
            } else {
                let done = call.ask.of(tse, now_ms);
                signer.answer(call.tse, call.id, done, 250_000, now_ms);
            }
        }
    }

    /// A cart got its first item, or was given up.
    pub fn hears(&mut self, event: CartEvent) {
        self.carts.push_back(event);
    }

    fn pick(&self, which: usize) -> Option<&Hardware> {
        let count = self.tses.len().max(1);
        self.tses.get(which % count).map(|(_, tse)| tse)
    }

    /// A TSE stops to answer, in one of three ways. Only one that has another beside it dies for good.
    pub fn goes_down(&self, which: usize, how: usize) {
        let has_spare = which.is_multiple_of(self.tses.len().max(1)) && SPARES > 1;
        if let Some(tse) = self.pick(which) {
            let mut memory = tse.memory();
            match how % 4 {
                0 => memory.hangs = true,
                1 if has_spare => memory.dead = true,
                _ => memory.down = true,
            }
        }
    }

    /// A TSE does a thing that it is asked to, and its answer is lost.
    pub fn loses_an_answer(&self, which: usize, how: usize) {
        if let Some(tse) = self.pick(which) {
            tse.memory().silent = Asked::ALL.get(how % Asked::ALL.len()).copied();
        }
    }

    /// A TSE answers a call with one of its errors.
    pub fn refuses(&self, which: usize, how: usize) {
        let errors = [
            TseError::Storage,
            TseError::CertificateExpired,
            TseError::TimeNotSet,
            TseError::AccessDenied("simulated".to_owned()),
            TseError::Disabled,
            TseError::Busy { after_ms: 3_000 },
            TseError::Refused("simulated".to_owned()),
            TseError::TooManyOpen,
            TseError::TooManyClients,
            TseError::Unsupported("simulated"),
            TseError::Unavailable("simulated: nothing was done".to_owned()),
        ];
        let asked = Asked::ALL.get(how % Asked::ALL.len()).copied();
        let error = errors.get(how / Asked::ALL.len() % errors.len()).cloned();
        // Whether a TSE can tell what its log has does not change from one time to the next.
        let told = asked
            .zip(error)
            .filter(|told| !matches!(told, (Asked::Since, TseError::Unsupported(_))));
        if let Some(tse) = self.pick(which) {
            tse.memory().says = told;
        }
    }

    /// TSEs answer again, but for the dead, and do what they were asked meanwhile.
    pub fn mend(&mut self, now_ms: u64) {
        for (_, tse) in &self.tses {
            let mut memory = tse.memory();
            (memory.down, memory.hangs, memory.silent, memory.says) = (false, false, None, None);
        }
        let hanging = std::mem::take(&mut self.hanging);
        self.make(hanging, now_ms);
    }

    /// Whether one of the books' TSEs never answers again.
    fn is_dead(&self, tse: TseNo) -> bool {
        self.lines.get(&tse).is_some_and(|tse| tse.memory().dead)
    }
}

impl World {
    /// The signer of a server that starts, from what is on its disk.
    pub(crate) fn signer_starts(&mut self) {
        let life = self.server.life;
        if let Err(error) = self.open_signer() {
            return self.violation("I4", &format!("the signer does not start: {error}"));
        }
        self.put(TURN_MS, Event::Sign { life });
    }

    fn open_signer(&mut self) -> Result<(), StoreError> {
        let mut reader = self.server.reader();
        let known = Known::read(&mut reader)?;
        let done_to = known.done_to;
        let jobs = Jobs::new(&mut reader, EVENT)?;
        let desk = &mut self.server.signing;
        let choices = Choices::always(desk.policy, VoucherModel::VoucherLines);
        let mut signer = Signer::new(EVENT, choices, known);
        desk.lines.clear();
        for (taxpayer, tse) in &desk.tses {
            let no = signer.add(*taxpayer, "simulated", &tse.info);
            desk.lines.insert(no, tse.clone());
        }
        desk.signer = Some(signer);
        desk.next_no = done_to + 1;
        desk.jobs = Some(jobs);
        Ok(())
    }

    /// The event closes: what is still open ends.
    pub(crate) fn closing(&mut self) {
        if let Some(signer) = self.server.signing.signer.as_mut() {
            signer.close();
        }
        for _ in 0..1_000 {
            let now_ms = EPOCH_MS + self.now_ms;
            let Some(signer) = self.server.signing.signer.as_mut() else {
                return;
            };
            let (rows, calls) = signer.turn(now_ms);
            if rows.is_empty() && calls.is_empty() {
                return;
            }
            if !rows.is_empty() {
                self.admin(Request::Sign(Box::new(rows)));
            }
            self.server.signing.make(calls, now_ms);
        }
        self.violation("I8", "the closing never ends");
    }

    /// A turn of the signer: what it hears, and what has to be on the disk before its next calls.
    pub(crate) fn sign(&mut self, life: u32) {
        if life != self.server.life || !self.server.is_up() {
            return;
        }
        self.put(TURN_MS, Event::Sign { life });
        let done = if self.server.signing.prepared.is_some() {
            Ok(())
        } else {
            self.signer_begins()
        };
        if let Err(error) = done {
            self.violation("I4", &format!("the signer cannot read: {error}"));
        }
    }

    fn signer_begins(&mut self) -> Result<(), StoreError> {
        let now_ms = EPOCH_MS + self.now_ms;
        let mut reader = self.server.reader();
        let desk = &mut self.server.signing;
        let (Some(signer), Some(jobs)) = (desk.signer.as_mut(), desk.jobs.as_mut()) else {
            return Ok(());
        };
        for event in desk.carts.drain(..) {
            match event {
                CartEvent::Opened { cart, till } => {
                    if let Some(taxpayer) = jobs.newest().home_taxpayer(till) {
                        signer.cart_opened(cart, till, taxpayer, now_ms);
                    }
                }
                CartEvent::Aborted { cart } => signer.cart_aborted(cart),
            }
        }
        let page = jobs.page(&mut reader, desk.next_no, ROWS)?;
        let mut without = None;
        let has_new = !page.is_empty();
        for (no, job) in page {
            match job {
                Some(job) => without = signer.order(&job, now_ms).err().or(without),
                None => signer.nothing(no),
            }
            desk.next_no = no + 1;
        }
        if !has_new && signer.may_sign_late() {
            let (marked, next) = jobs.marked(&mut reader, desk.late_from, ROWS)?;
            desk.late_from = next;
            if next == 0 {
                signer.told_of_all_marked();
            }
            for (marked, job) in marked {
                signer.late(&marked, &job, now_ms);
            }
        }
        let (out, calls) = signer.turn(now_ms);
        for (_, tse) in &desk.tses {
            let mut memory = tse.memory();
            let what = if memory.dead {
                Some("tse_dead_for_good")
            } else if memory.hangs {
                Some("tse_hung")
            } else {
                None
            };
            let reached = std::mem::take(&mut memory.reached);
            reached
                .into_iter()
                .chain(what)
                .for_each(|name| self.sometimes.reach(name));
        }
        for row in &out.orders {
            if desk.restored
                && row.state == SigningState::Signed
                && out
                    .transactions
                    .iter()
                    .all(|of| Some(of.transaction) != row.transaction)
            {
                self.sometimes.reach("order_found_signed_in_the_log_of_a_tse");
            }
            self.sometimes.reach(match row.state {
                SigningState::Signed => "order_signed",
                SigningState::SignedLate => "order_signed_late",
                SigningState::InOutage => "order_marked_in_an_outage",
            });
        }
        for outage in &out.outages {
            self.sometimes.reach(if outage.tse.is_some() {
                "outage_of_a_tse"
            } else {
                "outage_of_a_till"
            });
        }
        if out.clients.iter().any(|row| row.until_ms.is_some()) {
            self.sometimes.reach("till_moved_to_another_tse");
        }
        if let Some(error) = without {
            self.violation("I8", &error.to_string());
        }
        if out.is_empty() {
            self.server.signing.make(calls, now_ms);
        } else {
            self.server.signing.prepared = Some(calls);
            self.queue_signing(out);
        }
        Ok(())
    }

    /// What the calls need is on the disk: they are made.
    pub(crate) fn signer_goes_on(&mut self) {
        let now_ms = EPOCH_MS + self.now_ms;
        let desk = &mut self.server.signing;
        if let Some(calls) = desk.prepared.take() {
            desk.make(calls, now_ms);
        }
    }

    /// I8: every order came off once, by a transaction of its own or inside a logged outage; what is in the books is what the TSE has. I12: what was
    /// signed are the sums of the lines.
    pub(crate) fn signing_holds(&self, rows: &[JournalRow]) -> Vec<(&'static str, String)> {
        match self.judge_signing(rows) {
            Ok(found) => found,
            Err(error) => vec![("I8", error.to_string())],
        }
    }

    fn judge_signing(&self, rows: &[JournalRow]) -> Result<Vec<(&'static str, String)>, StoreError> {
        let mut found = Vec::new();
        let mut reader = self.server.reader();
        let mut jobs = Jobs::new(&mut reader, EVENT)?;
        let mut used = BTreeSet::new();
        for row in rows {
            let (no, signing) = (row.record.no, reader.signing(row.record.no)?);
            let Some(job) = jobs.of(&mut reader, row)? else {
                if signing.is_some() {
                    found.push(("I8", format!("journal number {no} is no order and came off")));
                }
                continue;
            };
            let Some(signing) = signing else {
                found.push(("I8", format!("order {} never came off", job.order.id)));
                continue;
            };
            // What the dead may have signed is not signed again.
            let unknown = signing.doubt.is_some() && self.server.signing.is_dead(signing.tse);
            let is_late = self.server.signing.policy == OutagePolicy::ResignMarked;
            if signing.state == SigningState::InOutage && is_late && !unknown {
                found.push(("I8", format!("order {} waits to be signed for ever", job.order.id)));
            }
            if let Some(outage) = signing.outage {
                let logged = reader.outages(outage, 1)?.pop().filter(|row| row.id == outage);
                let covers = logged.is_some_and(|row| {
                    let lasts = row.tse.is_some_and(|tse| self.server.signing.is_dead(tse));
                    row.from_ms <= job.booked_at_ms.max(row.until_ms.unwrap_or(u64::MAX))
                        && (row.until_ms.is_some() || lasts)
                });
                if !covers {
                    found.push(("I8", format!("the outage of order {} is not logged", job.order.id)));
                }
            }
            let Some(number) = signing.transaction else { continue };
            if !used.insert((signing.tse, number)) {
                found.push(("I8", format!("two orders have transaction {number}")));
            }
            let transaction = reader.transaction(signing.tse, number)?;
            if let Some(what) = differs(&job, transaction.as_ref()) {
                found.push(("I12", format!("order {}: {what}", job.order.id)));
            }
        }
        for (taxpayer, tse) in &self.server.signing.tses {
            let memory = tse.memory();
            let aborted = Kassenbeleg::ABORTED.to_string();
            let sales: BTreeSet<u64> = memory
                .ended
                .iter()
                .filter(|(_, logged)| logged.end.as_ref().is_some_and(|(data, _)| *data != aborted))
                .map(|(number, _)| *number)
                .collect();
            let serial = memory.info.serial;
            let Some(row) = reader.tses()?.into_iter().find(|row| row.serial == serial) else {
                continue;
            };
            let mut booked = BTreeSet::new();
            for number in 1..=memory.transactions {
                let end = reader.transaction(row.no, number)?.and_then(|row| row.end);
                booked.extend(end.filter(|end| end.process_data != aborted).map(|_| number));
            }
            let open = memory.open.len();
            if open > 0 && !memory.dead {
                found.push((
                    "I8",
                    format!("{open} transactions of the TSE of {taxpayer} are open after the closing"),
                ));
            }
            if memory.signatures != memory.transactions + memory.ended.len() as u64 {
                found.push(("I8", format!("the counters of the TSE of {taxpayer} do not add up")));
            }
            // The dead tell nobody what they did last.
            let agrees = sales == booked || memory.dead && booked.is_subset(&sales);
            if !agrees {
                found.push((
                    "I8",
                    format!(
                        "the TSE of taxpayer {taxpayer} and the books differ in {:?}",
                        sales.symmetric_difference(&booked)
                    ),
                ));
            }
        }
        Ok(found)
    }
}

fn differs(job: &Job, transaction: Option<&TransactionRow>) -> Option<String> {
    let Some(end) = transaction.and_then(|row| row.end.as_ref()) else {
        return Some("its transaction is not in the books".to_owned());
    };
    let Order { cashier, session, .. } = &job.order;
    let shift = job.order.shift.map(|mark| match mark {
        ShiftMark::Begin => format!("Schichtbeginn, Bediener {cashier}, Schicht {session}"),
        ShiftMark::End => format!("Schichtende, Bediener {cashier}, Schicht {session}"),
    });
    if let Some(shift) = shift {
        return (end.process_data != shift || end.process_type != "SonstigerVorgang")
            .then(|| format!("signed as {}, its shift is {shift}", end.process_data));
    }
    let told = Kassenbeleg::of_order(
        &job.order,
        job.replaced.as_ref(),
        &job.config,
        VoucherModel::VoucherLines,
    );
    match told {
        Ok(told) if told.to_string() != end.process_data => {
            Some(format!("signed as {}, its lines say {told}", end.process_data))
        }
        _ => None,
    }
}
