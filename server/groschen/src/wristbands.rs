//! Virtual wristbands for who has no reader: those that the books know by their ids, and a batch with purses on simulated chips.
//!
//! The keys of that batch are made from its number and worth nothing. What must never happen here: a server that takes money with that batch in
//! force; only the demo and tests put it there.

use std::collections::BTreeMap;
use std::sync::Arc;

use chips::KeyRole;
use chips::simulated::{SimulatedBatch, UltralightAesChip};
use core_ffi::Keys;
use desk::Wristband;
use fixtures::sample;
use shared_protocol::catalogue::Text;
use shared_protocol::crypto::{SignError, Signer};
use shared_protocol::purse::ChainId;
use shared_protocol::wristband::Batch;

/// The number of the simulated batch.
const BATCH: u16 = 900;
/// How many wristbands it has.
pub const PURSES: u16 = 4;

/// Wristbands that no simulated guest wears, known by their ids.
pub fn by_id(count: u32) -> Vec<Wristband> {
    let all = sample::wristbands(sample::WRISTBANDS + count);
    let own = all
        .get(usize::try_from(sample::WRISTBANDS).unwrap_or(0)..)
        .unwrap_or_default();
    (1..)
        .zip(own)
        .map(|(number, tag)| {
            let label = Text::new(&format!("Band {number}"), &format!("Wristband {number}"));
            Wristband::by_id(label, *tag, false)
        })
        .collect()
}

fn batch() -> SimulatedBatch {
    SimulatedBatch::of_sample(BATCH)
}

/// The first so many wristbands of the simulated batch, as they come from the encoder: empty.
pub fn with_purses(count: u16) -> Vec<Wristband> {
    let batch = batch();
    (0..count.min(PURSES))
        .map(|index| {
            let number = index + 1;
            let label = Text::new(&format!("Chipband {number}"), &format!("Chip wristband {number}"));
            Wristband::with_purse(label, batch.chip(index))
        })
        .collect()
}

/// The chip of one of them, for readers that are simulated in another way.
pub fn chip(index: u16) -> UltralightAesChip {
    batch().chip(index)
}

/// The batch as tills get it, signed by the event.
pub fn signed(signer: &dyn Signer) -> Result<BTreeMap<u16, Batch>, SignError> {
    let list = batch().list(PURSES);
    let signature = signer.sign(&list.message())?;
    Ok(BTreeMap::from([(BATCH, Batch::new(list, signature))]))
}

/// What a till that sells needs for it: it takes money off purses and gives deposits back.
pub fn sale_keys() -> Keys {
    Arc::new(batch().keys(&[KeyRole::Auth, KeyRole::Mac, KeyRole::Chain(ChainId::Return)]))
}

/// What a desk needs that puts money onto them besides.
pub fn desk_keys() -> Keys {
    Arc::new(batch().desk_keys())
}
