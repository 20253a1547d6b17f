//! Encoding, decoding, scanning, and bytes of an order.

use std::hint::black_box;
use std::time::Instant;

use shared_protocol::codec::scan;
use shared_protocol::entry::Entry;
use shared_protocol::message::Message;

use crate::figure::{Shape, tell};
use crate::journals::{Seller, tills};

/// Rounds that are timed together; short enough for a smoke test.
const ROUNDS: u32 = 20_000;

fn nanoseconds(work: impl Fn()) -> u64 {
    let begun = Instant::now();
    (0..ROUNDS).for_each(|_| work());
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX) / u64::from(ROUNDS)
}

/// Runs the rows.
pub fn run(shape: &Shape) {
    let mut seller = Seller::new(tills(1)[0], 1, 0);
    assert_eq!(seller.line_count(), 3, "an order of three lines");
    for _ in 0..17 {
        seller.sell(fixtures::paper::NOW);
    }
    let bytes = seller.entries()[0].0.clone();
    let entry = Entry::read(&bytes).map(|(entry, _)| entry);
    let alone = Message::from(seller.push_some(1)).frame().len();
    let sixteen = Message::from(seller.push_some(16)).frame().len();
    let repeat = |work: &dyn Fn()| (0..shape.runs).map(|_| nanoseconds(work)).collect();
    tell(
        shape,
        "scan_entry",
        "ns",
        repeat(&|| drop(black_box(scan(&bytes)))),
        &[],
    );
    tell(
        shape,
        "read_entry_with_order",
        "ns",
        repeat(&|| drop(black_box(Entry::read(&bytes)))),
        &[],
    );
    if let Ok(entry) = entry {
        tell(
            shape,
            "write_entry",
            "ns",
            repeat(&|| drop(black_box(entry.bytes()))),
            &[],
        );
    }
    tell(shape, "order_alone_in_a_frame", "bytes", vec![alone as u64], &[]);
    tell(shape, "order_in_a_frame_of_16", "bytes", vec![sixteen as u64 / 16], &[]);
}
