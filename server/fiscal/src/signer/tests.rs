use std::sync::{Mutex, MutexGuard};

use fixtures::paper::PaperTill;
use fixtures::sample;
use proptest::prelude::*;
use shared_protocol::order::OrderKind;

use super::*;
use crate::software::{Memory, SoftwareTse};
use crate::tse::{Curve, Document, Finished, Started, TransactionKey, TseInfo, TseStatus};

const NOW: u64 = 1_815_998_400_000;

/// A TSE in software that can be out of order, also just after it did what it was asked to.
#[derive(Clone)]
struct Flaky {
    info: TseInfo,
    state: Arc<Mutex<State>>,
}

struct State {
    tse: SoftwareTse,
    down: bool,
    /// Does the next call and then does not answer.
    loses_answer: bool,
    calls: u32,
}

impl Flaky {
    fn new() -> Self {
        Self::with_seed(5)
    }

    fn with_seed(seed: u8) -> Self {
        let tse = SoftwareTse::new(&[seed; 32], Curve::P256, Memory::default()).unwrap();
        let info = tse.info().clone();
        let state = State {
            tse,
            down: false,
            loses_answer: false,
            calls: 0,
        };
        Self {
            info,
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn call<R>(&self, call: impl FnOnce(&mut SoftwareTse) -> Result<R, TseError>) -> Result<R, TseError> {
        let mut state = self.state();
        state.calls += 1;
        let lost = std::mem::take(&mut state.loses_answer);
        if state.down {
            return Err(TseError::Unavailable("simulated".to_owned()));
        }
        let done = call(&mut state.tse);
        if lost {
            return Err(TseError::Unavailable("simulated, after it was done".to_owned()));
        }
        done
    }
}

impl Tse for Flaky {
    fn prepare(&mut self, now_ms: u64) -> Result<TseInfo, TseError> {
        self.call(|tse| tse.prepare(now_ms))
    }

    fn status(&mut self, now_ms: u64) -> Result<TseStatus, TseError> {
        self.call(|tse| tse.status(now_ms))
    }

    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.call(|tse| tse.register(client, now_ms))
    }

    fn deregister(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.call(|tse| tse.deregister(client, now_ms))
    }

    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        self.call(|tse| tse.start(key, client, now_ms))
    }

    fn finish(
        &mut self,
        key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError> {
        self.call(|tse| tse.finish(key, client, transaction, document, now_ms))
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        self.call(SoftwareTse::open)
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        self.call(|tse| tse.ended(transaction))
    }
}

struct Rig {
    till: PaperTill,
    tse: Flaky,
    signer: Signer<Flaky>,
    now_ms: u64,
    /// Everything that was committed.
    done: Signing,
    jobs: Vec<Job>,
}

impl Rig {
    fn new(policy: OutagePolicy) -> Self {
        let till = PaperTill::that_books(&[OrderKind::Sale], 1);
        let tse = Flaky::new();
        let mut done = Signing::default();
        let signer = Self::signer(policy, &till, &tse, Known::default(), &mut done);
        Self {
            till,
            tse,
            signer,
            now_ms: NOW,
            done,
            jobs: Vec::new(),
        }
    }

    fn signer(policy: OutagePolicy, till: &PaperTill, tse: &Flaky, known: Known, out: &mut Signing) -> Signer<Flaky> {
        let settings = SignerSettings {
            event: sample::EVENT,
            policy,
            model: VoucherModel::VoucherLines,
        };
        let home = till.config.home_taxpayer(till.till).unwrap();
        let mut signer = Signer::new(settings, known);
        signer.add(home, &tse.info, tse.clone(), out);
        signer
    }

    fn down(&self, down: bool) {
        self.tse.state().down = down;
    }

    /// A sale made so long before it is booked.
    fn job(&mut self, late_ms: u64) -> Job {
        let home = self.till.config.home_taxpayer(self.till.till);
        let article = self
            .till
            .config
            .articles
            .values()
            .find(|article| Some(article.taxpayer) == home && article.price.is_some());
        let cart = [(article.unwrap().id, 1)];
        let order = self
            .till
            .cart(sample::wristband(1), &cart, &BTreeMap::new(), None)
            .remove(0);
        let job = Job {
            no: self.jobs.len() as u64 + 1,
            order,
            replaced: None,
            config: Arc::clone(&self.till.config),
            sold_at_ms: Some(self.now_ms - late_ms),
            booked_at_ms: self.now_ms,
        };
        self.jobs.push(job.clone());
        job
    }

    fn open(&mut self, job: &Job) {
        let (order, mut out) = (&job.order, Signing::default());
        self.signer
            .cart_opened(order.cart, order.till, order.taxpayer, self.now_ms, &mut out);
        self.done.append(out);
    }

    fn sign(&mut self, job: &Job) -> SigningRow {
        let mut out = Signing::default();
        self.signer.prepare(job, self.now_ms, &mut out);
        self.signer.sign(job, self.now_ms, &mut out).unwrap();
        self.done.append(out);
        self.done.orders.last().unwrap().clone()
    }

    fn outages(&self) -> BTreeMap<u64, OutageRow> {
        self.done.outages.iter().map(|row| (row.id, row.clone())).collect()
    }

    fn transactions(&self) -> BTreeMap<u64, TransactionRow> {
        self.done
            .transactions
            .iter()
            .map(|row| (row.transaction, row.clone()))
            .collect()
    }

    fn states(&self) -> BTreeMap<u64, SigningState> {
        self.done.orders.iter().map(|row| (row.no, row.state)).collect()
    }
}

#[test]
fn a_cart_has_one_transaction_from_its_first_item_to_its_order() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let job = rig.job(0);
    rig.open(&job);
    rig.open(&job);
    rig.now_ms += 8_000;
    let row = rig.sign(&job);
    assert_eq!(
        (row.state, row.transaction, row.outage),
        (SigningState::Signed, Some(1), None)
    );
    let transactions = rig.transactions();
    let end = transactions[&1].end.as_ref().unwrap();
    assert_eq!((transactions.len(), end.time_s - transactions[&1].started_s), (1, 8));
    assert!(end.process_data.starts_with("Beleg^"));
    assert_eq!(rig.done.tses.len(), 1);
    assert!(transactions[&1].client.ends_with(&format!("-{:05}", rig.till.till.0)));
}

#[test]
fn an_order_without_a_start_gets_one_and_two_taxpayers_have_two_tses() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let job = rig.job(0);
    assert_eq!(rig.sign(&job).state, SigningState::Signed);
    let mut other = rig.job(0);
    other.order.taxpayer = TaxpayerId(999);
    assert_eq!(
        rig.signer.sign(&other, rig.now_ms, &mut Signing::default()),
        Err(NoTse(TaxpayerId(999)))
    );
}

#[test]
fn a_cart_of_two_taxpayers_has_a_transaction_at_each_tse() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let other = TaxpayerId(777);
    let second = Flaky::with_seed(6);
    rig.signer.add(other, &second.info, second.clone(), &mut rig.done);
    let own = rig.job(0);
    let mut theirs = rig.job(0);
    (theirs.order.taxpayer, theirs.order.cart) = (other, own.order.cart);
    rig.open(&own);
    let rows = [rig.sign(&theirs), rig.sign(&own)];
    assert!(
        rows.iter()
            .all(|row| (row.state, row.transaction) == (SigningState::Signed, Some(1)))
    );
    assert_ne!(rows[0].tse, rows[1].tse);
    let mut out = Signing::default();
    rig.signer.close(rig.now_ms, &mut out);
    assert!(out.is_empty(), "nothing is left open");
}

#[test]
fn an_order_that_comes_late_lies_in_an_outage_of_its_till() {
    for (policy, state) in [
        (OutagePolicy::MarkOnly, SigningState::InOutage),
        (OutagePolicy::ResignMarked, SigningState::SignedLate),
    ] {
        let mut rig = Rig::new(policy);
        let jobs = [rig.job(600_000), rig.job(400_000), rig.job(5_000)];
        let rows: Vec<_> = jobs.iter().map(|job| rig.sign(job)).collect();
        assert_eq!(
            (rows[0].state, rows[1].state, rows[2].state),
            (state, state, SigningState::Signed)
        );
        assert_eq!(
            (rows[0].outage, rows[1].outage),
            (Some(1), Some(1)),
            "one outage for both"
        );
        let outage = &rig.outages()[&1];
        assert_eq!((outage.from_ms, outage.until_ms), (NOW - 600_000, Some(NOW)));
        assert!(outage.client.is_some() && outage.tse.is_none());
    }
}

#[test]
fn an_order_of_an_unknown_time_lies_in_an_outage_too() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let mut job = rig.job(0);
    job.sold_at_ms = None;
    assert_eq!(rig.sign(&job).state, SigningState::InOutage);
}

#[test]
fn a_tse_that_does_not_answer_is_tried_again_now_and_then_and_the_outage_is_logged() {
    let mut rig = Rig::new(OutagePolicy::ResignMarked);
    let first = rig.job(0);
    rig.sign(&first);
    rig.down(true);
    let calls = rig.tse.state().calls;
    for _ in 0..50 {
        rig.now_ms += 10;
        let job = rig.job(0);
        let row = rig.sign(&job);
        assert_eq!((row.state, row.outage), (SigningState::InOutage, Some(1)));
    }
    assert_eq!(
        rig.tse.state().calls,
        calls + 1,
        "a TSE that is down costs one wait, not one a sale"
    );
    assert!(!rig.signer.may_sign_late());
    assert_eq!(rig.outages()[&1].until_ms, None);
    rig.down(false);
    rig.now_ms += PROBE_EVERY_MS;
    let job = rig.job(0);
    assert_eq!(rig.sign(&job).state, SigningState::Signed);
    assert_eq!(rig.outages()[&1].until_ms, Some(rig.now_ms));
    assert!(rig.outages()[&1].reason.contains("does not answer"));
    // What was marked is signed now, and stays in its outage.
    let marked: Vec<_> = rig
        .done
        .orders
        .iter()
        .filter(|row| row.state == SigningState::InOutage)
        .cloned()
        .collect();
    for row in marked {
        let job = rig.jobs[usize::try_from(row.no).unwrap() - 1].clone();
        let mut out = Signing::default();
        assert!(rig.signer.sign_late(&row, &job, rig.now_ms, &mut out));
        assert_eq!(
            (out.orders[0].state, out.orders[0].outage),
            (SigningState::SignedLate, Some(1))
        );
        assert!(
            !rig.signer
                .sign_late(&out.orders[0], &job, rig.now_ms, &mut Signing::default()),
            "once"
        );
    }
}

#[test]
fn an_outage_ends_without_a_sale() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    rig.down(true);
    let job = rig.job(0);
    rig.sign(&job);
    rig.down(false);
    let mut out = Signing::default();
    rig.signer.probe(rig.now_ms, &mut out);
    assert!(rig.signer.has_outage(), "not yet due");
    rig.now_ms += PROBE_EVERY_MS;
    rig.signer.probe(rig.now_ms, &mut out);
    assert!(!rig.signer.has_outage());
    assert_eq!(out.outages[0].until_ms, Some(rig.now_ms));
}

#[test]
fn under_the_other_policy_what_was_marked_stays_so() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    rig.down(true);
    let job = rig.job(0);
    let row = rig.sign(&job);
    rig.down(false);
    rig.now_ms += PROBE_EVERY_MS;
    let next = rig.job(0);
    rig.sign(&next);
    assert!(!rig.signer.sign_late(&row, &job, rig.now_ms, &mut Signing::default()));
}

#[test]
fn a_cart_that_is_given_up_and_what_is_open_at_a_closing_end_as_such() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let (given_up, left) = (rig.job(0), rig.job(0));
    rig.open(&given_up);
    rig.open(&left);
    let mut out = Signing::default();
    rig.signer.cart_aborted(given_up.order.cart, rig.now_ms, &mut out);
    rig.signer.cart_aborted(given_up.order.cart, rig.now_ms, &mut out);
    assert_eq!(out.transactions.len(), 1);
    rig.signer.close(rig.now_ms, &mut out);
    rig.done.append(out);
    let ends: Vec<_> = rig
        .transactions()
        .into_values()
        .map(|row| row.end.unwrap().process_data)
        .collect();
    assert_eq!(ends, vec![Kassenbeleg::ABORTED.to_string(); 2]);
    // The order was on its way: it gets a transaction of its own.
    assert_eq!(
        (rig.sign(&left).state, rig.transactions().len()),
        (SigningState::Signed, 3)
    );
}

#[test]
fn a_signer_that_goes_down_before_it_noted_an_end_finds_it_at_the_tse() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let job = rig.job(0);
    rig.open(&job);
    let known = Known {
        tses: rig.done.tses.clone(),
        open: rig.done.transactions.clone(),
        outages: Vec::new(),
    };
    let lost = {
        let mut out = Signing::default();
        rig.signer.sign(&job, rig.now_ms, &mut out).unwrap();
        out
    };
    let mut again = Signing::default();
    rig.signer = Rig::signer(OutagePolicy::MarkOnly, &rig.till, &rig.tse, known, &mut again);
    assert_eq!(again, Signing::default(), "the TSE is known already");
    rig.now_ms += 30_000;
    let row = rig.sign(&job);
    assert_eq!(row.state, SigningState::Signed);
    assert_eq!(
        rig.done.transactions.last(),
        lost.transactions.last(),
        "the same signature, made once"
    );
    assert_eq!(rig.tse.state().tse.memory().signatures, 2);
}

#[test]
fn a_start_whose_answer_was_lost_ends_at_the_closing() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let first = rig.job(0);
    rig.sign(&first);
    let job = rig.job(0);
    rig.tse.state().loses_answer = true;
    rig.open(&job);
    rig.now_ms += PROBE_EVERY_MS;
    rig.sign(&job);
    assert_eq!(rig.tse.state().tse.memory().open.len(), 1, "nobody knows of it");
    let mut out = Signing::default();
    rig.signer.close(rig.now_ms, &mut out);
    assert_eq!(rig.tse.state().tse.memory().open.len(), 0);
    let end = out.transactions[0].end.as_ref().unwrap();
    assert_eq!(end.process_data, Kassenbeleg::ABORTED.to_string());
}

#[test]
fn an_order_without_a_start_is_not_signed_twice_by_a_signer_that_goes_down() {
    for (policy, late_ms, state) in [
        (OutagePolicy::MarkOnly, 0, SigningState::Signed),
        (OutagePolicy::ResignMarked, 60_000, SigningState::SignedLate),
    ] {
        let mut rig = Rig::new(policy);
        let job = rig.job(late_ms);
        let mut begun = Signing::default();
        rig.signer.prepare(&job, rig.now_ms, &mut begun);
        rig.signer.sign(&job, rig.now_ms, &mut Signing::default()).unwrap();
        let known = Known {
            tses: rig.done.tses.clone(),
            open: begun.transactions,
            outages: Vec::new(),
        };
        rig.signer = Rig::signer(policy, &rig.till, &rig.tse, known, &mut Signing::default());
        rig.now_ms += 90_000;
        assert_eq!(rig.sign(&job).state, state);
        assert_eq!(rig.tse.state().tse.memory().signatures, 2, "one start, one end");
    }
}

#[test]
fn an_order_whose_sums_nobody_can_give_is_protected_as_text() {
    let mut rig = Rig::new(OutagePolicy::MarkOnly);
    let mut job = rig.job(0);
    job.order.tenders.clear();
    rig.sign(&job);
    let end = rig.transactions()[&1].end.clone().unwrap();
    assert_eq!(end.process_type, "SonstigerVorgang");
    assert!(end.process_data.contains(&job.order.id.to_string()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a TSE does: every order comes off exactly once, nothing is signed twice in the books, and once all is well again everything can be
    /// signed.
    #[test]
    fn every_order_comes_off_once(script in proptest::collection::vec((0_u8..8, 0_u64..9_000), 1..60)) {
        let mut rig = Rig::new(OutagePolicy::ResignMarked);
        let mut waiting = Vec::new();
        for (what, pause_ms) in script {
            rig.now_ms += pause_ms;
            match what {
                0 => rig.down(true),
                1 => rig.down(false),
                2 => rig.tse.state().loses_answer = true,
                3 | 4 => {
                    let job = rig.job(0);
                    rig.open(&job);
                    waiting.push(job);
                }
                5 => {
                    let job = rig.job(pause_ms);
                    rig.sign(&job);
                }
                _ => if let Some(job) = waiting.pop() {
                    rig.sign(&job);
                }
            }
        }
        rig.down(false);
        rig.tse.state().loses_answer = false;
        rig.now_ms += PROBE_EVERY_MS;
        for job in waiting {
            rig.sign(&job);
        }
        let probe = rig.job(0);
        prop_assert_eq!(rig.sign(&probe).state, SigningState::Signed);
        prop_assert!(rig.signer.may_sign_late());
        let marked: Vec<_> = rig.states().into_iter().filter(|(_, state)| *state == SigningState::InOutage).collect();
        for (no, _) in marked {
            let row = rig.done.orders.iter().find(|row| row.no == no).unwrap().clone();
            let job = rig.jobs[usize::try_from(no).unwrap() - 1].clone();
            let mut out = Signing::default();
            prop_assert!(rig.signer.sign_late(&row, &job, rig.now_ms, &mut out));
            rig.done.append(out);
        }
        prop_assert_eq!(rig.states().len(), rig.jobs.len());
        prop_assert!(rig.states().values().all(|state| *state != SigningState::InOutage));
        prop_assert!(rig.outages().values().all(|outage| outage.until_ms.is_some_and(|until| until >= outage.from_ms)));
        let used: BTreeSet<_> = rig.done.orders.iter().filter_map(|row| row.transaction).collect();
        prop_assert_eq!(used.len(), rig.jobs.len(), "one transaction for each order");
    }
}
