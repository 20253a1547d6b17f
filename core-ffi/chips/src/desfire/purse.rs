//! Value that the chip keeps itself: a value file, and a cyclic file of records that says who changed it last. Both change in one commit or not at all.

use shared_protocol::purse::cipher::chip_key;
use shared_protocol::purse::{AesKey, Block, ChainId, Purpose, Uid};

use super::link::{NativeFault, NativeLink, command};
use crate::field::{Field, Selected};
use crate::keys::{KeyName, KeyRefusal, KeyRole, KeyStore, NamedKey};
use crate::purse::{LoadRefusal, Outcome, PlanRefusal, Resolution};

/// Where the purse is on the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NativeFiles {
    /// The application.
    pub application: [u8; 3],
    /// The value file.
    pub value_file: u8,
    /// The cyclic record file.
    pub record_file: u8,
    /// The key that may read and debit. All tills have its master.
    pub debit_key: u8,
    /// The key that may credit. Desks have its master.
    pub credit_key: u8,
}

/// One record: the newest says what became of the last transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NativeEntry {
    /// Counts the transactions of a chip.
    pub sequence: u32,
    /// Cents that the transaction added, below zero for a debit.
    pub cents: i32,
    /// The number of the terminal inside the event.
    pub terminal: u16,
    /// Minutes since the event's epoch.
    pub minute: u32,
}

impl NativeEntry {
    /// Bytes of a record.
    pub const BYTES: usize = 16;

    pub(crate) fn bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let fields = [
            &self.sequence.to_le_bytes()[..],
            &self.cents.to_le_bytes(),
            &self.terminal.to_le_bytes(),
            &self.minute.to_le_bytes(),
        ]
        .concat();
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (sequence, rest) = bytes.split_first_chunk()?;
        let (cents, rest) = rest.split_first_chunk()?;
        let (terminal, rest) = rest.split_first_chunk()?;
        let (minute, _) = rest.split_first_chunk()?;
        (bytes.len() == Self::BYTES).then_some(Self {
            sequence: u32::from_le_bytes(*sequence),
            cents: i32::from_le_bytes(*cents),
            terminal: u16::from_le_bytes(*terminal),
            minute: u32::from_le_bytes(*minute),
        })
    }
}

/// What a till journals before it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NativeIntent {
    /// The wristband.
    pub uid: Uid,
    /// What is on it.
    pub before: i32,
    /// What the transaction will write.
    pub entry: NativeEntry,
}

/// A purse of this kind in the field, with its session open.
#[derive(Debug)]
pub struct NativeTap<F> {
    link: NativeLink<F>,
    files: NativeFiles,
    /// The chip.
    pub uid: Uid,
    /// What is on it, in cents.
    pub balance: i32,
    /// Its newest record; none on a chip that nobody used.
    pub newest: Option<NativeEntry>,
    credits: bool,
}

impl From<NativeFault> for LoadRefusal {
    fn from(fault: NativeFault) -> Self {
        use crate::ultralight::LinkFault;
        Self::Link(match fault {
            NativeFault::Field(fault) => LinkFault::Field(fault),
            NativeFault::Status(_) | NativeFault::Malformed => LinkFault::Malformed,
            NativeFault::BadMac => LinkFault::BadMac,
            NativeFault::NotAuthentic => LinkFault::NotAuthentic,
            NativeFault::Entropy => LinkFault::Entropy,
            NativeFault::Dead => LinkFault::Dead,
        })
    }
}

/// Authenticates and reads balance and newest record: five exchanges. With `credits` it uses the key that may credit, if this device has it.
pub fn load_native<F: Field>(
    field: F,
    selected: &Selected,
    keys: &dyn KeyStore,
    (batch, keyset): (u16, u8),
    files: NativeFiles,
    credits: bool,
    rnd_a: Block,
) -> Result<NativeTap<F>, LoadRefusal> {
    let uid = Uid::of(selected.uid)
        .filter(|_| selected.sak & 0x20 != 0)
        .ok_or(LoadRefusal::NoPurse)?;
    let (role, number) = if credits {
        (KeyRole::Chain(ChainId::Desk), files.credit_key)
    } else {
        (KeyRole::Auth, files.debit_key)
    };
    let key = derived(keys, KeyName { batch, role }, uid, keyset)?;
    let mut link = NativeLink::new(field);
    link.select(files.application)?;
    link.authenticate(number, &key, rnd_a)?;
    let value = link.secured(command::GET_VALUE, &[files.value_file], &[])?;
    let balance = value
        .try_into()
        .map(i32::from_le_bytes)
        .map_err(|_| NativeFault::Malformed)?;
    // Offset 0, one record: the newest.
    let header = [files.record_file, 0, 0, 0, 1, 0, 0];
    let newest = NativeEntry::read(&link.secured(command::READ_RECORDS, &header, &[])?);
    Ok(NativeTap {
        link,
        files,
        uid,
        balance,
        newest,
        credits,
    })
}

fn derived(keys: &dyn KeyStore, name: KeyName, uid: Uid, keyset: u8) -> Result<AesKey, KeyRefusal> {
    let master = NamedKey { store: keys, name };
    chip_key(&master, uid, Purpose::Auth, keyset).map(|key| AesKey::new(&key))
}

impl<F: Field> NativeTap<F> {
    /// The field, when all is done.
    pub fn into_field(self) -> F {
        self.link.into_field()
    }

    /// Plans to add so many cents, or to take them away.
    pub fn plan(&self, cents: i32, terminal: u16, minute: u32) -> Result<NativeIntent, PlanRefusal> {
        if cents == 0 {
            return Err(PlanRefusal::Nothing);
        }
        let after = self.balance.checked_add(cents).ok_or(PlanRefusal::ChainFull)?;
        if after < 0 {
            return Err(PlanRefusal::TooLow {
                free: shared_protocol::Amount(i64::from(self.balance)),
                wanted: shared_protocol::Amount(-i64::from(cents)),
            });
        }
        if cents > 0 && !self.credits {
            return Err(PlanRefusal::WrongChainKey);
        }
        let sequence = self.newest.map_or(0, |newest| newest.sequence);
        Ok(NativeIntent {
            uid: self.uid,
            before: self.balance,
            entry: NativeEntry {
                sequence: sequence.checked_add(1).ok_or(PlanRefusal::RecordsFull)?,
                cents,
                terminal,
                minute,
            },
        })
    }

    /// Writes value and record and commits both. What was not committed the chip forgets by itself.
    pub fn commit(&mut self, intent: &NativeIntent) -> (Outcome, Option<NativeFault>) {
        assert_eq!(intent.uid, self.uid, "a plan for another wristband");
        assert_eq!(intent.before, self.balance, "a plan from another tap");
        let entry = intent.entry;
        let change = if entry.cents < 0 {
            command::DEBIT
        } else {
            command::CREDIT
        };
        let mut record = vec![self.files.record_file, 0, 0, 0];
        record.extend_from_slice(&[0x10, 0, 0]);
        let prepared = self
            .link
            .secured(
                change,
                &[self.files.value_file],
                &entry.cents.unsigned_abs().to_le_bytes(),
            )
            .and_then(|_| self.link.secured(command::WRITE_RECORD, &record, &entry.bytes()));
        if let Err(fault) = prepared {
            return (Outcome::Void, Some(fault));
        }
        match self.link.secured(command::COMMIT, &[], &[]) {
            Ok(_) => {
                self.balance += entry.cents;
                self.newest = Some(entry);
                (Outcome::Committed, None)
            }
            Err(fault) => (Outcome::Unknown, Some(fault)),
        }
    }

    /// What became of an intent of this till.
    pub fn resolve(&self, intent: &NativeIntent) -> Resolution {
        if intent.uid != self.uid {
            return Resolution::OtherWristband;
        }
        match self.newest {
            Some(newest) if newest == intent.entry => Resolution::Committed,
            // Sequences count the transactions: whoever took this number found ours not there.
            Some(newest) if newest.sequence > intent.entry.sequence => Resolution::Unknown,
            _ => Resolution::Void,
        }
    }
}
