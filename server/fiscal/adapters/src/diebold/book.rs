//! What this side knows of the unit's transactions. The unit keeps no keys of ours, so a start whose answer was lost is found in its log: the newest one
//! of that till which nobody was told of.

use std::collections::BTreeMap;

use fiscal::tse::{Finished, Started, TransactionKey};

use crate::log::Event;

/// Ends that are remembered; older ones are read from the unit's log.
const ENDED_MAX: usize = 1_024;

/// A request whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pending {
    /// A start; transactions from this one on may be it.
    Start {
        key: TransactionKey,
        client: String,
        from: u64,
    },
    /// An end.
    Finish { transaction: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    client: String,
    started: Started,
    key: Option<TransactionKey>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    open: BTreeMap<u64, Open>,
    ended: BTreeMap<u64, (String, Finished)>,
    /// The highest transaction heard of.
    highest: u64,
    pending: Option<Pending>,
}

impl Book {
    /// Transactions below this one are known elsewhere and not read.
    pub fn begin_at(&mut self, transaction: u64) {
        self.highest = self.highest.max(transaction.saturating_sub(1));
    }

    /// The first transaction that was not heard of.
    pub const fn next(&self) -> u64 {
        self.highest + 1
    }

    pub fn began(&mut self, key: TransactionKey, client: &str, started: &Started) {
        self.note_start(client.to_owned(), started.clone(), Some(key));
    }

    fn note_start(&mut self, client: String, started: Started, key: Option<TransactionKey>) {
        let number = started.transaction;
        self.highest = self.highest.max(number);
        if !self.open.contains_key(&number) && !self.ended.contains_key(&number) {
            self.open.insert(number, Open { client, started, key });
        }
    }

    pub fn finished(&mut self, transaction: u64, process_data: &str, finished: &Finished) {
        self.highest = self.highest.max(transaction);
        self.open.remove(&transaction);
        self.ended
            .insert(transaction, (process_data.to_owned(), finished.clone()));
        if self.ended.len() > ENDED_MAX {
            self.ended.pop_first();
        }
    }

    /// Takes in what the log says.
    pub fn hear(&mut self, event: Event) {
        match event {
            Event::Started { client, started } => self.note_start(client, started, None),
            Event::Ended {
                transaction,
                process_data,
                finished,
            } => self.finished(transaction, &process_data, &finished),
        }
    }

    pub fn set_pending(&mut self, pending: Pending) {
        self.pending = Some(pending);
    }

    pub const fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref()
    }

    /// The log was read since the answer was lost, or cannot be: then a start is left to whoever closes what is open.
    pub fn settle(&mut self) {
        if let Some(Pending::Start { key, client, from }) = self.pending.take() {
            let mut newest_first = self.open.range_mut(from..).map(|(_, open)| open).rev();
            let lost = newest_first.find(|open| open.key.is_none() && open.client == client);
            if let Some(lost) = lost {
                lost.key = Some(key);
            }
        }
    }

    /// What is open under a key.
    pub fn of_key(&self, key: TransactionKey) -> Option<(&str, &Started)> {
        let found = self.open.values().find(|open| open.key == Some(key));
        found.map(|open| (open.client.as_str(), &open.started))
    }

    pub fn open_client(&self, transaction: u64) -> Option<&str> {
        self.open.get(&transaction).map(|open| open.client.as_str())
    }

    pub fn ended(&self, transaction: u64) -> Option<&(String, Finished)> {
        self.ended.get(&transaction)
    }

    pub fn all_open(&self) -> Vec<(String, Started)> {
        let all = self.open.values();
        all.map(|open| (open.client.clone(), open.started.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TransactionKey = TransactionKey([3; 16]);

    fn started(transaction: u64) -> Started {
        Started {
            transaction,
            counter: transaction,
            time_s: 0,
            signature: Vec::new(),
        }
    }

    fn heard(transaction: u64, client: &str) -> Event {
        Event::Started {
            client: client.to_owned(),
            started: started(transaction),
        }
    }

    #[test]
    fn a_lost_start_is_the_newest_of_its_till_that_nobody_was_told_of() {
        let mut book = Book::default();
        book.hear(heard(1, "till"));
        book.began(TransactionKey([1; 16]), "till", &started(2));
        book.set_pending(Pending::Start {
            key: KEY,
            client: "till".to_owned(),
            from: book.next(),
        });
        assert_eq!(book.next(), 3);
        book.hear(heard(3, "other"));
        book.hear(heard(4, "till"));
        book.settle();
        assert_eq!(book.of_key(KEY).unwrap().1.transaction, 4);
        assert_eq!((book.pending(), book.next()), (None, 5));
    }

    #[test]
    fn a_start_that_never_was_leaves_its_key_free() {
        let mut book = Book::default();
        // Left over from before, and not the one that was lost.
        book.hear(heard(1, "till"));
        book.set_pending(Pending::Start {
            key: KEY,
            client: "till".to_owned(),
            from: book.next(),
        });
        book.settle();
        assert_eq!(book.of_key(KEY), None);
        assert_eq!(book.all_open().len(), 1);
    }

    #[test]
    fn what_ended_is_not_open_in_whatever_order_it_is_heard() {
        let finished = Finished {
            counter: 2,
            time_s: 0,
            signature: Vec::new(),
        };
        let mut book = Book::default();
        book.finished(1, "data", &finished);
        book.hear(heard(1, "till"));
        assert_eq!(book.all_open(), []);
        for number in 2..2_000 {
            book.finished(number, "data", &finished);
        }
        assert!(book.ended(1).is_none() && book.ended(1_999).is_some());
    }
}
