//! The journal: one hash-chained list of all postings of an organisation, and what can be proved from it alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, AssetId, EventId, Overflow, encode};

use crate::account::{AccountKey, Chart};
use crate::posting::{Posting, PostingId, Transfer};

/// One record of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// 1, 2, 3 … without a gap.
    pub no: u64,
    /// When the server booked it, in ms since 1970 by the server's clock.
    pub booked_at_ms: u64,
    /// The chain hash of the terminal's journal entry that brought it; none for what the server booked by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Hash32>,
    /// What was booked, with lots resolved. None for an entry that moves nothing and claims no key (parked bytes, a terminal's intent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posting: Option<Posting>,
}

impl Record {
    /// The hash of this record after `previous` (all zero before the first).
    pub fn hash(&self, previous: &Hash32) -> Hash32 {
        Hash32::of("groschen journal 1", &[&previous.0, &encode(self)])
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A record is missing, doubled or out of order.
    #[error("this number comes where no {expected} should be")]
    Number {
        /// The number that had to come.
        expected: u64,
    },
    /// The record or one before it was changed after it was written.
    #[error("the chain hash stored is {stored}, the content gives {computed}")]
    Hash {
        /// As stored beside the record.
        stored: Hash32,
        /// As computed from the record and the hash before it.
        computed: Hash32,
    },
    /// A transfer that the rules never write: nothing moves, or from an account to itself.
    #[error("transfer {index} moves nothing")]
    Transfer {
        /// Which one, from zero.
        index: usize,
    },
    /// One idempotency key, two bookings.
    #[error("the same posting was booked before in no {first}")]
    BookedTwice {
        /// The first booking.
        first: u64,
    },
    /// It takes back what is not in the journal before it.
    #[error("it takes back a posting that is not in the journal before it")]
    TargetUnknown,
    /// It takes back what was taken back before.
    #[error("it takes back what no {first} took back before")]
    ReversedTwice {
        /// The first reversal.
        first: u64,
    },
    /// A guest's account went below zero.
    #[error("{account:?} is at {balance} after it")]
    BelowFloor {
        /// Which balance.
        account: AccountKey,
        /// How much it would be.
        balance: i128,
    },
    /// More was taken from a lot than was in it.
    #[error("the lot of {account:?} that ends at {expires_at_ms} ms is at {left} after it")]
    LotBelowZero {
        /// Which balance.
        account: AccountKey,
        /// Which lot.
        expires_at_ms: u64,
        /// How much would be left.
        left: i128,
    },
    /// A sum does not even fit 128 bits.
    #[error("a sum leaves the range of 128 bits")]
    Overflow,
}

/// The first record that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("journal no {no} does not hold: {what}")]
pub struct JournalFault {
    /// The number that the record says it has.
    pub no: u64,
    /// What is wrong.
    pub what: Fault,
}

/// Checks numbers and hashes of records, each given with the hash stored beside it, after the record `start_no` with `start_hash` (zero
/// and [`Hash32::ZERO`] before the first). Gives the last number and head.
pub fn verify<R: std::borrow::Borrow<Record>>(
    records: impl IntoIterator<Item = (R, Hash32)>,
    start_hash: Hash32,
    start_no: u64,
) -> Result<(u64, Hash32), JournalFault> {
    let (mut last, mut head) = (start_no, start_hash);
    for (record, stored) in records {
        let record = record.borrow();
        let fault = |what| JournalFault { no: record.no, what };
        if Some(record.no) != last.checked_add(1) {
            return Err(fault(Fault::Number {
                expected: last.saturating_add(1),
            }));
        }
        let computed = record.hash(&head);
        if computed != stored {
            return Err(fault(Fault::Hash { stored, computed }));
        }
        (last, head) = (record.no, computed);
    }
    Ok((last, head))
}

/// Balances of all accounts, bounded or not, and all lots, as transfers make them: also the projection of the accounts that are not on
/// the write path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// All that came in minus all that went out.
    pub balances: BTreeMap<AccountKey, i128>,
    /// What is left in the lots of guests' accounts, by end of validity.
    pub lots: BTreeMap<(AccountKey, u64), i128>,
}

/// A stored number that is not what the journal gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Which balance.
    pub key: AccountKey,
    /// For a lot: its end of validity in ms since 1970.
    pub expires_at_ms: Option<u64>,
    /// What the journal gives; zero when it does not know the account.
    pub journal: i128,
    /// What is stored; zero when nothing is.
    pub stored: i128,
}

impl Totals {
    /// Adds one record.
    pub fn add(&mut self, record: &Record) -> Result<(), Overflow> {
        let Some(posting) = &record.posting else { return Ok(()) };
        posting
            .transfers
            .iter()
            .try_for_each(|transfer| self.add_transfer(posting, transfer))
    }

    fn add_transfer(&mut self, posting: &Posting, transfer: &Transfer) -> Result<(), Overflow> {
        let amount = i128::from(transfer.amount.0);
        let taken = amount.checked_neg().ok_or(Overflow)?;
        for (key, change) in [(posting.source(transfer), taken), (posting.target(transfer), amount)] {
            let balance = self.balances.entry(key).or_default();
            *balance = balance.checked_add(change).ok_or(Overflow)?;
            if let Some(expires_at_ms) = transfer.expires_at_ms.filter(|_| key.account.is_holder()) {
                let lot = self.lots.entry((key, expires_at_ms)).or_default();
                *lot = lot.checked_add(change).ok_or(Overflow)?;
            }
        }
        Ok(())
    }

    /// The sum over all accounts of each asset; anything but zero is a fault of the rules or of the store.
    pub fn sums(&self) -> Result<BTreeMap<(EventId, AssetId), i128>, Overflow> {
        let mut sums = BTreeMap::new();
        for (key, balance) in &self.balances {
            let sum: &mut i128 = sums.entry((key.event, key.asset)).or_default();
            *sum = sum.checked_add(*balance).ok_or(Overflow)?;
        }
        Ok(sums)
    }

    /// Compares with stored balances of all accounts that `relevant` names (the bounded ones, or those of a projection).
    pub fn compare(
        &self,
        stored: &BTreeMap<AccountKey, Amount>,
        relevant: impl Fn(&AccountKey) -> bool,
    ) -> Vec<Difference> {
        differences(&self.balances, stored)
            .filter(|(key, ..)| relevant(key))
            .map(|(key, journal, stored)| Difference {
                key,
                expires_at_ms: None,
                journal,
                stored,
            })
            .collect()
    }

    /// Compares with stored lots. Lots that are used up may be stored as zero or not at all.
    pub fn compare_lots(&self, stored: &BTreeMap<(AccountKey, u64), Amount>) -> Vec<Difference> {
        differences(&self.lots, stored)
            .map(|((key, end), journal, stored)| Difference {
                key,
                expires_at_ms: Some(end),
                journal,
                stored,
            })
            .collect()
    }
}

/// All keys of both maps whose numbers differ; what is absent is zero.
fn differences<'a, K: Ord + Copy>(
    journal: &'a BTreeMap<K, i128>,
    stored: &'a BTreeMap<K, Amount>,
) -> impl Iterator<Item = (K, i128, i128)> + 'a {
    let only_stored = stored.keys().filter(|key| !journal.contains_key(key));
    journal
        .keys()
        .chain(only_stored)
        .map(|key| {
            let stored = stored.get(key).map_or(0, |amount| i128::from(amount.0));
            (*key, journal.get(key).copied().unwrap_or_default(), stored)
        })
        .filter(|(_, journal, stored)| journal != stored)
}

/// Replays the journal and holds each record against the rules that can be read from it alone. What an audit runs.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    totals: Totals,
    /// By posting: its number, and that of its reversal.
    booked: BTreeMap<PostingId, (u64, Option<u64>)>,
}

impl Replay {
    /// Adds the next record. After a fault the replay is of no further use.
    pub fn add(&mut self, record: &Record) -> Result<(), JournalFault> {
        self.check(record).map_err(|what| JournalFault { no: record.no, what })
    }

    fn check(&mut self, record: &Record) -> Result<(), Fault> {
        let Some(posting) = &record.posting else { return Ok(()) };
        if let Some(index) = posting
            .transfers
            .iter()
            .position(|t| !t.amount.is_positive() || t.from == t.to)
        {
            return Err(Fault::Transfer { index });
        }
        if let Some((first, _)) = self.booked.insert(posting.id, (record.no, None)) {
            return Err(Fault::BookedTwice { first });
        }
        if let Some(target) = posting.reverses.filter(|target| *target != posting.id) {
            let (_, reversal) = self.booked.get_mut(&target).ok_or(Fault::TargetUnknown)?;
            if let Some(first) = reversal.replace(record.no) {
                return Err(Fault::ReversedTwice { first });
            }
        } else if posting.reverses.is_some() {
            return Err(Fault::TargetUnknown);
        }
        self.totals.add(record).map_err(|Overflow| Fault::Overflow)?;
        posting
            .transfers
            .iter()
            .try_for_each(|transfer| self.check_source(posting, transfer))
    }

    /// Only what gave can be below its floor now. Floors of the chart's accounts do not depend on an event's settings.
    fn check_source(&self, posting: &Posting, transfer: &Transfer) -> Result<(), Fault> {
        let account = posting.source(transfer);
        let balance = self.totals.balances.get(&account).copied().unwrap_or_default();
        let floor = account.account.bounds(account.asset, &Chart::default()).floor;
        if floor.is_some_and(|floor| balance < i128::from(floor.0)) {
            return Err(Fault::BelowFloor { account, balance });
        }
        let Some(expires_at_ms) = transfer.expires_at_ms else {
            return Ok(());
        };
        match self.totals.lots.get(&(account, expires_at_ms)) {
            Some(left) if *left < 0 => Err(Fault::LotBelowZero {
                account,
                expires_at_ms,
                left: *left,
            }),
            _ => Ok(()),
        }
    }

    /// All balances and lots so far.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::{OrderId, TagId, TaxpayerId, decode};

    use super::*;
    use crate::account::{Account, Authority};
    use crate::hold::Capture;
    use crate::posting::{Limits, TransferCode};

    const EVENT: EventId = EventId([1; 16]);
    const VOUCHERS: AssetId = AssetId(1);
    const BAR: Account = Account::Payable {
        taxpayer: TaxpayerId(1),
    };

    fn guest() -> Account {
        Account::Wristband {
            tag: TagId::from_slice(&[1; 7]).unwrap(),
            authority: Authority::Server,
        }
    }

    fn key(account: Account) -> AccountKey {
        AccountKey {
            event: EVENT,
            account,
            asset: VOUCHERS,
        }
    }

    fn moved(from: Account, to: Account, amount: i64) -> Transfer {
        let code = TransferCode::Move;
        Transfer {
            from,
            to,
            asset: VOUCHERS,
            amount: Amount(amount),
            code,
            expires_at_ms: Some(9),
        }
    }

    fn record(no: u64, id: u8, transfers: Vec<Transfer>) -> Record {
        let posting = Posting {
            id: PostingId(OrderId([id; 16])),
            content: Hash32::ZERO,
            event: EVENT,
            transfers,
            captures: vec![],
            reverses: None,
            limits: Limits::Enforced,
            mirrored: None,
        };
        Record {
            no,
            booked_at_ms: 1_000,
            origin: None,
            posting: Some(posting),
        }
    }

    fn reversing(record: Record, target: u8) -> Record {
        let reverses = Some(PostingId(OrderId([target; 16])));
        Record {
            posting: record.posting.map(|posting| Posting { reverses, ..posting }),
            ..record
        }
    }

    /// Five vouchers are issued, two redeemed, and those taken back.
    fn sound() -> Vec<Record> {
        vec![
            record(1, 1, vec![moved(Account::Issuer, guest(), 5)]),
            Record {
                no: 2,
                booked_at_ms: 1_000,
                origin: Some(Hash32([7; 32])),
                posting: None,
            },
            record(3, 2, vec![moved(guest(), BAR, 2)]),
            reversing(record(4, 3, vec![moved(BAR, guest(), 2)]), 2),
        ]
    }

    fn hashes(records: &[Record]) -> Vec<Hash32> {
        let link = |head: &mut Hash32, record: &Record| {
            *head = record.hash(head);
            Some(*head)
        };
        records.iter().scan(Hash32::ZERO, link).collect()
    }

    fn checked(records: &[Record], stored: &[Hash32]) -> Result<(u64, Hash32), JournalFault> {
        verify(records.iter().zip(stored.iter().copied()), Hash32::ZERO, 0)
    }

    fn replayed(records: &[Record]) -> Result<Totals, JournalFault> {
        let mut replay = Replay::default();
        records.iter().try_for_each(|record| replay.add(record))?;
        Ok(replay.totals().clone())
    }

    #[test]
    fn a_sound_journal_verifies_from_its_start_and_from_any_checkpoint() {
        let (records, stored) = (sound(), hashes(&sound()));
        assert_eq!(checked(&records, &stored), Ok((4, stored[3])));
        let tail = records[2..].iter().zip(stored[2..].iter().copied());
        assert_eq!(verify(tail, stored[1], 2), Ok((4, stored[3])));
    }

    #[test]
    fn the_first_changed_record_is_named() {
        let stored = hashes(&sound());
        let mut changed = sound();
        changed[2].booked_at_ms += 1;
        let fault = checked(&changed, &stored).unwrap_err();
        assert_eq!(fault.no, 3);
        assert!(matches!(fault.what, Fault::Hash { .. }), "{fault}");
    }

    #[test]
    fn a_missing_record_is_named_even_when_the_hashes_were_made_anew() {
        let mut gap = sound();
        gap.remove(1);
        let fault = JournalFault {
            no: 3,
            what: Fault::Number { expected: 2 },
        };
        assert_eq!(checked(&gap, &hashes(&gap)), Err(fault));
    }

    #[test]
    fn a_record_survives_its_stored_form() {
        let mut record = reversing(record(1, 1, vec![moved(guest(), BAR, 2)]), 9);
        let capture = Capture {
            hold: shared_protocol::HoldId([4; 16]),
            amount: Amount(2),
            release_rest: true,
        };
        record.posting.as_mut().unwrap().captures.push(capture);
        for record in [record, sound().remove(1)] {
            assert_eq!(decode::<Record>(&encode(&record)), Ok(record));
        }
    }

    #[test]
    fn totals_are_compared_with_what_is_stored_in_both_directions() {
        let totals = replayed(&sound()).unwrap();
        assert_eq!(totals.sums(), Ok([((EVENT, VOUCHERS), 0)].into()));
        let lot = (key(guest()), 9);
        let mut balances = [(key(guest()), Amount(5))].into();
        assert_eq!(totals.compare(&balances, |key| key.account.is_bounded()), []);
        assert_eq!(totals.compare_lots(&[(lot, Amount(5))].into()), []);

        let difference = |journal, stored| Difference {
            key: key(guest()),
            expires_at_ms: None,
            journal,
            stored,
        };
        balances.insert(key(guest()), Amount(6));
        assert_eq!(
            totals.compare(&balances, |key| key.account.is_bounded()),
            [difference(5, 6)]
        );
        let issuer = Difference {
            key: key(Account::Issuer),
            ..difference(-5, 0)
        };
        assert_eq!(
            totals.compare(&balances, |key| key.account == Account::Issuer),
            [issuer]
        );
        let lots = [(lot, Amount(4)), ((key(guest()), 10), Amount(1))].into();
        let of_lot = |end, journal, stored| Difference {
            expires_at_ms: Some(end),
            ..difference(journal, stored)
        };
        assert_eq!(totals.compare_lots(&lots), [of_lot(9, 5, 4), of_lot(10, 0, 1)]);
    }

    #[test]
    fn a_replay_names_the_first_record_that_breaks_a_rule() {
        let spent = |amount| vec![moved(guest(), BAR, amount)];
        let other_lot = vec![Transfer {
            expires_at_ms: Some(8),
            ..moved(guest(), BAR, 1)
        }];
        let lot_below = Fault::LotBelowZero {
            account: key(guest()),
            expires_at_ms: 8,
            left: -1,
        };
        for (record, what) in [
            (record(5, 1, vec![]), Fault::BookedTwice { first: 1 }),
            (record(5, 5, vec![moved(BAR, BAR, 1)]), Fault::Transfer { index: 0 }),
            (record(5, 5, spent(0)), Fault::Transfer { index: 0 }),
            (
                record(5, 5, spent(6)),
                Fault::BelowFloor {
                    account: key(guest()),
                    balance: -1,
                },
            ),
            (record(5, 5, other_lot), lot_below),
            (reversing(record(5, 5, vec![]), 2), Fault::ReversedTwice { first: 4 }),
            (reversing(record(5, 5, vec![]), 5), Fault::TargetUnknown),
            (reversing(record(5, 5, vec![]), 6), Fault::TargetUnknown),
        ] {
            let mut records = sound();
            records.push(record);
            assert_eq!(replayed(&records), Err(JournalFault { no: 5, what }));
        }
    }
}
