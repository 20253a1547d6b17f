//! TSEs with faults, the books as a database keeps them, and a signer between them that may go down at any point.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::TaxpayerId;
use shared_protocol::order::OrderKind;
use store::{
    ClientRow, OutageRow, RetiredRow, Signing, SigningRow, SigningState, TransactionRow, TseNo, TseRow, WishRow,
};

use crate::signer::{Ask, Call, Job, Known, OutagePolicy, Reply, Signer};
use crate::software::{Memory, SoftwareTse};
use crate::tax::Choices;
use crate::tse::{Curve, Tse as _, TseError};
use crate::{Kassenbeleg, VoucherModel};

pub const NOW: u64 = 1_815_998_400_000;

/// A TSE that can be out of order, also just after it did what it was asked to.
pub struct Flaky {
    pub tse: SoftwareTse,
    pub down: bool,
    /// Does the next call and then does not answer.
    pub loses_answer: bool,
    /// Answers the next call so.
    pub says: Option<TseError>,
    /// The two above wait for this call, the how-manieth of [`kind`]; none takes any.
    pub at: Option<u8>,
    /// Does not even come back.
    pub hangs: bool,
    pub calls: u32,
}

impl Flaky {
    fn new(seed: u8) -> Self {
        Self {
            tse: SoftwareTse::new(&[seed; 32], Curve::P256, Memory::default()).unwrap(),
            down: false,
            loses_answer: false,
            says: None,
            at: None,
            hangs: false,
            calls: 0,
        }
    }

    fn does(&mut self, call: &Call, now_ms: u64) -> Result<Reply, TseError> {
        self.calls += 1;
        if self.down {
            return Err(TseError::Unavailable("simulated".to_owned()));
        }
        let strikes = self.at.is_none_or(|at| at == kind(&call.ask));
        if let Some(error) = self.says.take_if(|_| strikes) {
            return Err(error);
        }
        let done = call.ask.of(&mut self.tse, now_ms);
        if strikes && std::mem::take(&mut self.loses_answer) {
            return Err(TseError::Unavailable("simulated, after it was done".to_owned()));
        }
        done
    }

    pub fn heals(&mut self) {
        (self.down, self.loses_answer, self.says, self.hangs) = (false, false, None, false);
        self.at = None;
    }
}

/// The calls that a fault may wait for.
pub const KINDS: u64 = 8;

/// Which of them a call is.
const fn kind(ask: &Ask) -> u8 {
    match ask {
        Ask::Prepare => 0,
        Ask::Register { .. } => 1,
        Ask::Deregister { .. } => 2,
        Ask::Start { .. } => 3,
        Ask::Finish { .. } => 4,
        Ask::Open => 5,
        Ask::Ended { .. } => 6,
        Ask::Since { .. } => 7,
    }
}

/// What a TSE may say to any call.
pub fn errors(after_ms: u64) -> Vec<TseError> {
    vec![
        TseError::Unavailable("simulated, before it was done".to_owned()),
        TseError::TimeNotSet,
        TseError::CertificateExpired,
        TseError::Storage,
        TseError::Disabled,
        TseError::TooManyClients,
        TseError::TooManyOpen,
        TseError::AccessDenied("simulated".to_owned()),
        TseError::Busy { after_ms },
        TseError::Refused("simulated".to_owned()),
        TseError::Unsupported("simulated"),
    ]
}

/// What was committed.
#[derive(Default, Clone)]
pub struct Books {
    pub tses: BTreeMap<TseNo, TseRow>,
    pub transactions: BTreeMap<(TseNo, u64), TransactionRow>,
    pub orders: BTreeMap<u64, SigningRow>,
    pub outages: BTreeMap<u64, OutageRow>,
    pub clients: BTreeMap<(String, TaxpayerId, u64, TseNo), ClientRow>,
    pub wishes: BTreeMap<(String, TaxpayerId), WishRow>,
    pub retired: BTreeMap<TseNo, RetiredRow>,
    pub done_to: u64,
}

impl Books {
    pub fn take(&mut self, rows: Signing) {
        self.tses.extend(rows.tses.into_iter().map(|row| (row.no, row)));
        for row in rows.transactions {
            let key = (row.tse, row.transaction);
            let before = self.transactions.insert(key, row.clone());
            let ended = before.filter(|before| before.end.is_some());
            assert!(ended.is_none_or(|before| before == row), "what was signed is kept");
        }
        for row in rows.orders {
            let before = self.orders.insert(row.no, row.clone());
            let late = |before: &SigningRow| {
                before.state == SigningState::InOutage
                    && row.state != SigningState::Signed
                    && before.outage == row.outage
            };
            assert!(
                before.is_none_or(|before| before == row || late(&before)),
                "order {}",
                row.no
            );
        }
        self.outages.extend(rows.outages.into_iter().map(|row| (row.id, row)));
        let key = |row: &ClientRow| (row.client.clone(), row.taxpayer, row.from_ms, row.tse);
        self.clients
            .extend(rows.clients.into_iter().map(|row| (key(&row), row)));
        for row in rows.wishes {
            let key = (row.client.clone(), row.taxpayer);
            match row.tse {
                Some(_) => drop(self.wishes.insert(key, row)),
                None => drop(self.wishes.remove(&key)),
            }
        }
        for row in rows.retired {
            let before = self.retired.insert(row.tse, row.clone());
            assert!(before.is_none_or(|before| before.may_become(&row)), "{row:?}");
        }
        self.done_to = self.done_to.max(rows.done_to.unwrap_or(0));
    }

    fn last(&self, tse: TseNo) -> u64 {
        let of_tse = self.transactions.keys().filter(|(of, _)| *of == tse);
        of_tse.map(|(_, number)| *number).max().unwrap_or(0)
    }

    fn known(&self) -> Known {
        Known {
            tses: self.tses.values().cloned().collect(),
            open: self
                .transactions
                .values()
                .filter(|row| row.end.is_none())
                .cloned()
                .collect(),
            outages: self.outages.values().cloned().collect(),
            clients: self
                .clients
                .values()
                .filter(|row| row.until_ms.is_none())
                .cloned()
                .collect(),
            wishes: self.wishes.values().cloned().collect(),
            retired: self.retired.values().cloned().collect(),
            doubts: self
                .orders
                .values()
                .filter(|row| row.doubt.is_some() && row.state == SigningState::InOutage)
                .cloned()
                .collect(),
            last: self.tses.keys().map(|no| (*no, self.last(*no))).collect(),
            unclaimed: {
                let claimed = |row: &&TransactionRow| {
                    let has = |order: &SigningRow| order.tse == row.tse && order.transaction == Some(row.transaction);
                    row.end.is_none() || self.orders.values().any(has)
                };
                let all = self.transactions.values();
                all.filter(|row| !claimed(row)).cloned().collect()
            },
            done_to: self.done_to,
        }
    }
}

pub struct Rig {
    pub till: PaperTill,
    pub home: TaxpayerId,
    pub tses: BTreeMap<TseNo, Flaky>,
    pub signer: Signer,
    pub policy: OutagePolicy,
    pub now_ms: u64,
    pub books: Books,
    /// The journal.
    pub jobs: Vec<Job>,
    /// Calls whose answers are still out, because a TSE hangs.
    hanging: Vec<Call>,
}

impl Rig {
    /// So many TSEs of one taxpayer.
    pub fn new(policy: OutagePolicy, count: u8) -> Self {
        let till = PaperTill::that_books(&[OrderKind::Sale], 1);
        let home = till.config.home_taxpayer(till.till).unwrap();
        let mut rig = Self {
            signer: signer(policy, Known::default()),
            till,
            home,
            tses: BTreeMap::new(),
            policy,
            now_ms: NOW,
            books: Books::default(),
            jobs: Vec::new(),
            hanging: Vec::new(),
        };
        for seed in 1..=count {
            rig.add(home, seed);
        }
        rig.settle();
        rig
    }

    pub fn add(&mut self, taxpayer: TaxpayerId, seed: u8) -> TseNo {
        let tse = Flaky::new(seed);
        let no = self.signer.add(taxpayer, "test", tse.tse.info());
        self.tses.insert(no, tse);
        no
    }

    pub fn tse(&mut self, no: u16) -> &mut Flaky {
        self.tses.get_mut(&TseNo(no)).unwrap()
    }

    /// A sale made so long before it is booked, at a till of this taxpayer.
    pub fn job(&mut self, late_ms: u64) -> Job {
        let articles = self.till.config.articles.values();
        let article = articles
            .clone()
            .find(|article| article.taxpayer == self.home && article.price.is_some());
        let cart = [(article.unwrap().id, 1)];
        let order = self
            .till
            .cart(sample::wristband(1), &cart, &BTreeMap::new(), None)
            .remove(0);
        Job {
            no: 0,
            order,
            replaced: None,
            config: Arc::clone(&self.till.config),
            sold_at_ms: Some(self.now_ms - late_ms),
            booked_at_ms: self.now_ms,
        }
    }

    pub fn open(&mut self, job: &Job) {
        let order = &job.order;
        self.signer
            .cart_opened(order.cart, order.till, order.taxpayer, self.now_ms);
    }

    /// An order is in the journal.
    pub fn tell(&mut self, job: &Job) -> u64 {
        let no = self.jobs.len() as u64 + 1;
        let job = Job { no, ..job.clone() };
        self.signer.order(&job, self.now_ms).unwrap();
        self.jobs.push(job);
        no
    }

    /// Tells of an order and lets everything that can happen now happen.
    pub fn sign(&mut self, job: &Job) -> Option<SigningRow> {
        let no = self.tell(job);
        self.settle();
        self.books.orders.get(&no).cloned()
    }

    /// Somebody sells something.
    pub fn sells(&mut self) -> Option<SigningRow> {
        let job = self.job(0);
        self.sign(&job)
    }

    /// One turn with its commit and its calls. Gives whether there was anything.
    pub fn turn(&mut self) -> bool {
        let (rows, calls) = self.signer.turn(self.now_ms);
        let something = !rows.is_empty() || !calls.is_empty();
        self.books.take(rows);
        self.may_be_made(&calls);
        self.make(calls);
        something
    }

    /// What is asked of a TSE on its way out of service. A start that was asked before may still be answered.
    fn may_be_made(&self, calls: &[Call]) {
        for call in calls {
            let retired = self.books.retired.get(&call.tse);
            assert!(
                retired.is_none() || !matches!(call.ask, Ask::Start { .. }),
                "a TSE that goes out of service begins nothing"
            );
            assert!(
                retired.is_none_or(|row| row.done_ms.is_none()),
                "a TSE that is out of service is asked nothing"
            );
        }
    }

    fn make(&mut self, calls: Vec<Call>) {
        for call in calls {
            let tse = self.tses.get_mut(&call.tse).unwrap();
            if tse.hangs {
                self.hanging.push(call);
                continue;
            }
            let done = tse.does(&call, self.now_ms);
            self.signer.answer(call.tse, call.id, done, 300, self.now_ms);
        }
    }

    /// Until nothing happens any more without time passing.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            if !self.turn() {
                return;
            }
        }
        panic!("it never settles");
    }

    pub fn passes(&mut self, ms: u64) {
        self.now_ms += ms;
        self.settle();
    }

    /// What hung is done after all, and answered.
    pub fn wakes(&mut self) {
        for tse in self.tses.values_mut() {
            tse.hangs = false;
        }
        let calls = std::mem::take(&mut self.hanging);
        self.make(calls);
        self.settle();
    }

    /// The server goes down and comes back: within a turn, before its commit (0), between commit and calls (1), after the calls and before any answer (2).
    pub fn crashes(&mut self, at: u8) {
        let (rows, calls) = self.signer.turn(self.now_ms);
        if at > 0 {
            self.books.take(rows);
        }
        if at > 1 {
            for call in &calls {
                let tse = self.tses.get_mut(&call.tse).unwrap();
                if !tse.hangs {
                    let _lost = tse.does(call, self.now_ms);
                }
            }
        }
        self.starts();
    }

    /// A new process, from the books.
    pub fn starts(&mut self) {
        // What hung in the process before may still be done by the TSE.
        for call in std::mem::take(&mut self.hanging) {
            let tse = self.tses.get_mut(&call.tse).unwrap();
            let _lost = call.ask.of(&mut tse.tse, self.now_ms);
        }
        self.signer = signer(self.policy, self.books.known());
        for (no, tse) in &self.tses {
            // One that was never committed is new again.
            match self.books.tses.get(no) {
                Some(_) => self.signer.add_known(*no),
                None => drop(self.signer.add(self.home, "test", tse.tse.info())),
            }
        }
        for job in &self.jobs {
            if job.no <= self.books.done_to {
                continue;
            }
            if self.books.orders.contains_key(&job.no) {
                self.signer.nothing(job.no);
            } else {
                self.signer.order(job, self.now_ms).unwrap();
            }
        }
    }

    /// A copy of everything, as backups are.
    pub fn copied(&self) -> (Books, usize) {
        (self.books.clone(), self.jobs.len())
    }

    /// A copy takes the place of the books. What came after it comes again from the tills.
    pub fn is_put_back(&mut self, (books, jobs): (Books, usize)) {
        self.wakes();
        self.books = books;
        let again = self.jobs.split_off(jobs);
        self.starts();
        for job in again {
            let booked_at_ms = self.now_ms;
            self.tell(&Job { booked_at_ms, ..job });
        }
    }

    /// All is well again, time passes, and what may be signed late is.
    pub fn heals(&mut self) {
        for tse in self.tses.values_mut() {
            tse.heals();
        }
        self.wakes();
        for _ in 0..40 {
            self.passes(5_000);
            let marked: Vec<SigningRow> = self.books.orders.values().cloned().collect();
            for row in marked.iter().filter(|row| row.state == SigningState::InOutage) {
                let job = self.jobs[usize::try_from(row.no).unwrap() - 1].clone();
                self.signer.late(row, &job, self.now_ms);
            }
            self.signer.told_of_all_marked();
        }
        self.signer.close();
        self.passes(1_000);
    }

    /// What must hold once all is well.
    pub fn check(&mut self) {
        assert_eq!(self.signer.waiting(), 0, "every order came off");
        let mut used = BTreeSet::new();
        for job in &self.jobs {
            let row = &self.books.orders[&job.no];
            // What a TSE may have signed that never answered again is not signed twice.
            let never_known = row.doubt.is_some() && self.books.retired.contains_key(&row.tse);
            if self.policy == OutagePolicy::ResignMarked && !never_known {
                assert_ne!(row.state, SigningState::InOutage, "order {}", job.no);
            }
            if let Some(outage) = row.outage {
                assert!(
                    self.books.outages[&outage].until_ms.is_some(),
                    "outage {outage} has an end"
                );
            }
            if let Some(number) = row.transaction {
                assert!(used.insert((row.tse, number)), "two orders have transaction {number}");
                let transaction = &self.books.transactions[&(row.tse, number)];
                let told = job.told(VoucherModel::VoucherLines);
                assert_eq!(transaction.end.as_ref().unwrap().process_data, told.data);
            }
        }
        let aborted = Kassenbeleg::ABORTED.to_string();
        for (no, tse) in &mut self.tses {
            // What did not answer when it was taken away was left as it was.
            if self.books.retired.contains_key(no) {
                continue;
            }
            assert_eq!(tse.tse.open().unwrap(), [], "nothing is left open");
            for number in 1..=tse.tse.memory().transactions {
                let (data, finished) = tse.tse.ended(number).unwrap().unwrap();
                let row = self.books.transactions.get(&(*no, number));
                let end = row.and_then(|row| row.end.as_ref());
                assert_eq!(
                    end.map(|end| (&end.process_data, end.counter)),
                    Some((&data, finished.counter)),
                    "transaction {number}"
                );
                if data != aborted {
                    assert!(used.contains(&(*no, number)), "transaction {number} signed no order");
                }
            }
        }
        let mut tills = BTreeMap::<(&str, TaxpayerId), usize>::new();
        for row in self.books.clients.values().filter(|row| row.until_ms.is_none()) {
            *tills.entry((&row.client, row.taxpayer)).or_default() += 1;
        }
        assert!(tills.values().all(|count| *count == 1), "one till, one TSE: {tills:?}");
    }
}

fn signer(policy: OutagePolicy, known: Known) -> Signer {
    Signer::new(
        sample::EVENT,
        Choices::always(policy, VoucherModel::VoucherLines),
        known,
    )
}
