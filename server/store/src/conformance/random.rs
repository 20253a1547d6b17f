//! Random days: the same orders into two engines, and the cost of large batches.

use super::{Book, Item, audit, dump};
use crate::{Commit, Loaded, MemoryStore, Need, Store, TerminalNo};

/// Numbers that look random and are the same in every run (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The row of numbers of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is above zero.
    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap_or_default()
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes())
            .flatten()
            .take(count)
            .collect()
    }
}

/// Orders of a small festival: few guests, so that balances, lots and refusals meet; repetitions and cancellations among them.
struct Day {
    random: Random,
    book: Book,
    made: Vec<Item>,
}

impl Day {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            book: Book::new(),
            made: Vec::new(),
        }
    }

    fn order(&mut self) -> Item {
        let (till, guest) = (self.random.below(3), self.random.below(12));
        let number = self.made.len() as u64 + 1;
        let cents = i64::from(self.random.below(20_00)) + 1;
        let earlier = u32::try_from(self.made.len())
            .ok()
            .filter(|made| *made > 0)
            .map(|made| self.random.below(made));
        let earlier = earlier
            .and_then(|index| self.made.get(usize::try_from(index).ok()?))
            .cloned();
        let item = match (self.random.below(10), earlier) {
            (0 | 1, _) | (_, None) => self.book.top_up(till, number, guest, cents * 3),
            (2, _) => self.book.grant(till, number, guest, self.random.below(3) + 1),
            (3, _) => self.book.redemption(till, number, guest),
            (4, Some(target)) => self.book.cancel(till, number, &target),
            (5, Some(again)) => again,
            _ => self.book.sale(till, number, guest, cents),
        };
        self.made.push(item.clone());
        item
    }

    fn batch(&mut self) -> Vec<Item> {
        let orders = self.random.below(9) + 1;
        (0..orders).map(|_| self.order()).collect()
    }
}

/// Books random batches on a fresh store.
pub(super) fn book(store: &mut impl Store, seed: u64, batches: u32) {
    let mut day = Day::new(seed);
    day.book.open(store).unwrap();
    for _ in 0..batches {
        let batch = day.batch();
        day.book.book(store, &batch).unwrap();
    }
}

fn assert_same(loaded: &Loaded, reference: &Loaded, place: &str) {
    assert_eq!(format!("{loaded:?}"), format!("{reference:?}"), "{place}");
}

/// Random commits, good ones and refused ones, give the same on this engine as on the reference engine.
pub fn same_as_memory(store: &mut impl Store, seed: u64, batches: u32) {
    let mut reference = MemoryStore::new(1);
    let mut day = Day::new(seed);
    day.book.open(store).unwrap();
    day.book.open(&mut reference).unwrap();
    let mut stale: Option<Commit> = None;
    for number in 0..batches {
        let place = format!("seed {seed}, batch {number}");
        let batch = day.batch();
        let need = Need {
            hashes: [(TerminalNo(day.random.below(4)), 1, 2, 9)].into(),
            ..day.book.need(&batch)
        };
        let (loaded, expected) = (store.load(&need).unwrap(), reference.load(&need).unwrap());
        assert_same(&loaded, &expected, &place);
        let commit = day.book.decide(loaded, &batch);
        store.commit(&commit).unwrap();
        reference.commit(&commit).unwrap();
        if let Some(stale) = stale.replace(commit).filter(|_| day.random.below(4) == 0) {
            let (error, expected) = (store.commit(&stale).unwrap_err(), reference.commit(&stale).unwrap_err());
            assert_eq!(error.is_retryable(), expected.is_retryable(), "{place}: {error}");
        }
        if day.random.below(3) == 0 {
            let rows = u64::from(day.random.below(20));
            assert_eq!(
                store.project(rows).unwrap(),
                reference.project(rows).unwrap(),
                "{place}"
            );
        }
    }
    assert_eq!(dump(store), dump(&mut reference), "seed {seed}");
    audit(&mut *store.reader().unwrap(), &[Book::EVENT]);
}

/// The cost of a batch grows with its rows and with nothing else: not with the square, and not with what is stored already.
///
/// `cost` tells what the engine counted so far in any unit, such as the steps of its queries.
pub fn cost_follows_the_batch<S: Store>(store: &mut S, cost: impl Fn() -> u64) {
    let book = Book::new();
    book.open(store).unwrap();
    let mut number = 0;
    let mut cost_of = |store: &mut S, rows: u32| {
        let batch: Vec<_> = (0..rows)
            .map(|n| book.top_up(n, number + u64::from(n) + 1, n % 500, 1_00))
            .collect();
        number += u64::from(rows);
        let before = cost();
        book.book(store, &batch).unwrap();
        let after = cost();
        store.project(u64::MAX).unwrap();
        after - before
    };
    cost_of(store, 500);
    let (one, small, large) = (cost_of(store, 1), cost_of(store, 64), cost_of(store, 256));
    assert!(one > 0, "the engine counts");
    assert!(large < small * 5, "256 rows cost {large}, 64 rows {small}");
    for _ in 0..8 {
        cost_of(store, 500);
    }
    let later = cost_of(store, 64);
    assert!(
        later < small + small / 4,
        "64 rows cost {later} after 4,000 more, {small} before"
    );
}
