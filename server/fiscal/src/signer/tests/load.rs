//! What many orders do to slow TSEs, in simulated time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::crypto::Hash32;
use shared_protocol::order::OrderKind;
use shared_protocol::{CartId, OrderId, TillId};
use store::TseNo;

use super::rig::NOW;
use crate::VoucherModel;
use crate::signer::{Ask, Call, Job, Known, OutagePolicy, Reply, Signer, UnitState};
use crate::tax::Choices;
use crate::tse::{Curve, Finished, Limits, Started, TimeFormat, TseInfo};

/// A TSE that takes its time for each signature, one after the other.
struct Slow {
    signature_ms: u64,
    calls: VecDeque<Call>,
    busy: bool,
    transactions: u64,
    signatures: u64,
}

impl Slow {
    fn info(number: u8) -> TseInfo {
        TseInfo {
            name: "simulated".to_owned(),
            public_key: vec![number],
            serial: Hash32::of("slow", &[&[number]]).0,
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
        }
    }

    fn takes_ms(&self, ask: &Ask) -> u64 {
        match ask {
            Ask::Start { .. } | Ask::Finish { .. } | Ask::Register { .. } | Ask::Deregister { .. } => self.signature_ms,
            Ask::Prepare | Ask::Since { .. } | Ask::Open | Ask::Ended { .. } => 0,
        }
    }

    fn answer(&mut self, ask: &Ask, number: u8, now_ms: u64) -> Reply {
        match ask {
            Ask::Prepare => Reply::Ready(Box::new(Self::info(number))),
            Ask::Since { .. } => Reply::Logged(Vec::new()),
            Ask::Open => Reply::Open(Vec::new()),
            Ask::Ended { .. } => Reply::Ended(None),
            Ask::Register { .. } | Ask::Deregister { .. } => Reply::Done,
            Ask::Start { .. } => {
                self.transactions += 1;
                self.signatures += 1;
                Reply::Started(Started {
                    transaction: self.transactions,
                    counter: self.signatures,
                    time_s: now_ms / 1_000,
                    signature: Vec::new(),
                })
            }
            Ask::Finish { .. } => {
                self.signatures += 1;
                Reply::Finished(Finished {
                    counter: self.signatures,
                    time_s: now_ms / 1_000,
                    signature: Vec::new(),
                })
            }
        }
    }
}

/// Orders of these tills, all booked at once, until all have come off. Gives how long that took, and how the TSEs stand then.
fn drained(speeds_ms: &[u64], orders_of_tills: &[u32]) -> (u64, Vec<UnitState>) {
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let home = till.config.home_taxpayer(till.till).unwrap();
    let choices = Choices::always(OutagePolicy::MarkOnly, VoucherModel::VoucherLines);
    let mut signer = Signer::new(sample::EVENT, choices, Known::default());
    let mut tses = BTreeMap::<TseNo, (u8, Slow)>::new();
    for (signature_ms, number) in speeds_ms.iter().zip(1_u8..) {
        let no = signer.add(home, "simulated", &Slow::info(number));
        let slow = Slow {
            signature_ms: *signature_ms,
            calls: VecDeque::new(),
            busy: false,
            transactions: 0,
            signatures: 0,
        };
        tses.insert(no, (number, slow));
    }
    let order = till.order(OrderKind::TopUp);
    let mut no = 0;
    for (orders, number) in orders_of_tills.iter().zip(1_u32..) {
        for _ in 0..*orders {
            no += 1;
            let mut order = order.clone();
            order.till = TillId(number);
            let id = u128::from(no).to_be_bytes();
            (order.id, order.cart) = (OrderId(id), CartId(id));
            let job = Job {
                no,
                order,
                replaced: None,
                config: Arc::clone(&till.config),
                sold_at_ms: Some(NOW),
                booked_at_ms: NOW,
            };
            signer.order(&job, NOW).unwrap();
        }
    }
    let mut now_ms = NOW;
    let mut due = BinaryHeap::<Reverse<(u64, TseNo)>>::new();
    while signer.waiting() > 0 {
        let (_, calls) = signer.turn(now_ms);
        for call in calls {
            tses.get_mut(&call.tse).unwrap().1.calls.push_back(call);
        }
        for (tse, (_, slow)) in &mut tses {
            if let (false, Some(call)) = (slow.busy, slow.calls.front()) {
                slow.busy = true;
                due.push(Reverse((now_ms + slow.takes_ms(&call.ask), *tse)));
            }
        }
        let Some(Reverse((at_ms, tse))) = due.pop() else {
            now_ms += 1_000;
            continue;
        };
        now_ms = now_ms.max(at_ms);
        let (number, slow) = tses.get_mut(&tse).unwrap();
        let call = slow.calls.pop_front().unwrap();
        slow.busy = false;
        let reply = slow.answer(&call.ask, *number, now_ms);
        signer.answer(tse, call.id, Ok(reply), 1_000 * slow.signature_ms, now_ms);
    }
    (now_ms - NOW, signer.units())
}

#[test]
fn an_hour_of_orders_drains_at_the_speed_of_all_tses_together() {
    // Two signatures an order at a quarter of a second: eight TSEs make sixteen orders a second. Tills are uneven as bars are.
    let tills: Vec<u32> = (0..64).map(|till| 300 + 20 * till).collect();
    let orders: u64 = tills.iter().map(|orders| u64::from(*orders)).sum();
    let (took_ms, units) = drained(&[250; 8], &tills);
    let at_best_ms = orders * 2 * 250 / 8;
    assert!(
        took_ms < at_best_ms * 105 / 100,
        "{orders} orders took {} s, at best {} s: {units:?}",
        took_ms / 1_000,
        at_best_ms / 1_000
    );
}

#[test]
fn a_slow_tse_keeps_nobody_waiting_but_gives_its_tills_away() {
    let tills = [100; 32];
    let (all_fast_ms, _) = drained(&[250; 4], &tills);
    let (one_slow_ms, _) = drained(&[250, 250, 250, 2_000], &tills);
    // Three and an eighth of four: no better than that can be.
    assert!(
        one_slow_ms < all_fast_ms * 4 * 130 / (3 * 100),
        "{} s where four fast ones took {} s",
        one_slow_ms / 1_000,
        all_fast_ms / 1_000
    );
}
