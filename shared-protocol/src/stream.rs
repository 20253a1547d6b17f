//! Streams: what the server keeps up to date on its terminals. A stream is a set of items by key, with a generation and a revision;
//! it comes down as one snapshot or as deltas, signed by the event's config key and applied whole or not at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crypto::{BadSignature, Hash32, PublicKey, SignError, Signature, Signer, signing_input, verify};
use crate::ids::{Bytes, EventId};
use crate::money::Amount;
use crate::{DecodeError, decode, encode};

/// A version of a stream. A restored server starts a new generation, so revisions of two histories are never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Version {
    /// Which history.
    pub generation: u32,
    /// Which step in it.
    pub rev: u64,
}

crate::closed_enum! {
    /// The streams.
    pub enum Stream {
        /// Event, catalogue, tills, layouts, staff, limits.
        Config = 1,
        /// Wristbands that must not pay.
        BlockList = 2,
        /// What wristbands had when the server last looked, for tills that ask for it.
        Balances = 3,
        /// Batches of wristbands with a purse.
        Batches = 4,
        /// What purses had when the server last heard of them, and credits that wait for them.
        Purses = 5,
    }
}

/// Where a reader of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which stream.
    pub stream: Stream,
    /// Which version it has.
    pub version: Version,
}

/// One change to a stream: put this value at this key, or remove the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The item's key.
    pub key: Bytes,
    /// Its new value; none removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Bytes>,
}

/// A signed step of a stream: from one revision to another, or from nothing (a snapshot: `from_rev` is none).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which stream.
    pub stream: Stream,
    /// The version it leads to.
    pub to: Version,
    /// The revision it starts from in the same generation; none for a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_rev: Option<u64>,
    /// How many bytes the changes have.
    pub size_bytes: u64,
    /// Digest of the encoded changes.
    pub digest: Hash32,
    /// The config key's signature.
    pub signature: Signature,
}

/// A step that was not applied; the stream is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Not signed by the event's config key.
    #[error("the update is not signed by this event's key; it was not applied")]
    Signature,
    /// The changes are not those that were signed.
    #[error("the update is damaged; it was not applied")]
    Digest,
    /// It starts from another revision than the reader has: a snapshot is needed.
    #[error("the update starts from revision {from}, this device has {has:?}; a snapshot is needed")]
    Gap {
        /// Where the step starts.
        from: u64,
        /// What the reader has.
        has: Version,
    },
    /// It leads back: an older version than the reader has, in the same generation.
    #[error("the update leads back to {to:?} from {has:?}; it was not applied")]
    Backwards {
        /// Where it would lead.
        to: Version,
        /// What the reader has.
        has: Version,
    },
    /// The changes do not decode.
    #[error("the update cannot be read: {0}")]
    Content(#[from] DecodeError),
}

impl From<BadSignature> for StepError {
    fn from(_: BadSignature) -> Self {
        Self::Signature
    }
}

fn step_message(event: EventId, step: &Step) -> Vec<u8> {
    let from = step.from_rev.map_or([0xff; 8], u64::to_be_bytes);
    signing_input(
        "groschen stream 1",
        &[
            event.bytes(),
            &[step.stream.code()],
            &step.to.generation.to_be_bytes(),
            &step.to.rev.to_be_bytes(),
            &from,
            &step.size_bytes.to_be_bytes(),
            &step.digest.0,
        ],
    )
}

/// Signs a step; gives it with the encoded changes to send beside it.
pub fn sign_step(
    signer: &dyn Signer,
    event: EventId,
    stream: Stream,
    to: Version,
    from_rev: Option<u64>,
    changes: &Vec<Change>,
) -> Result<(Step, Vec<u8>), SignError> {
    let payload = encode(changes);
    let digest = Hash32::of("groschen stream payload", &[&payload]);
    let unsigned = Signature {
        algorithm: signer.public_key().algorithm,
        bytes: Bytes::default(),
    };
    let mut step = Step {
        stream,
        to,
        from_rev,
        size_bytes: payload.len() as u64,
        digest,
        signature: unsigned,
    };
    step.signature = signer.sign(&step_message(event, &step))?;
    Ok((step, payload))
}

/// A reader's copy of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copy {
    /// The version the items have.
    pub version: Version,
    /// The items by key.
    pub items: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Copy {
    /// Checks a step and applies it whole, or says why not and changes nothing. Gives the changes that were applied, for storing.
    pub fn apply(
        &mut self,
        key: &PublicKey,
        event: EventId,
        step: &Step,
        payload: &[u8],
    ) -> Result<Vec<Change>, StepError> {
        verify(key, &step_message(event, step), &step.signature)?;
        if step.size_bytes != payload.len() as u64 || step.digest != Hash32::of("groschen stream payload", &[payload]) {
            return Err(StepError::Digest);
        }
        let same_history = self.version.generation == step.to.generation;
        if let Some(from) = step.from_rev.filter(|from| !same_history || *from != self.version.rev) {
            return Err(StepError::Gap {
                from,
                has: self.version,
            });
        }
        if step.to.generation < self.version.generation || same_history && step.to.rev < self.version.rev {
            return Err(StepError::Backwards {
                to: step.to,
                has: self.version,
            });
        }
        let changes: Vec<Change> = decode(payload)?;
        if step.from_rev.is_none() {
            self.items.clear();
        }
        for change in &changes {
            match &change.value {
                Some(value) => self.items.insert(change.key.0.clone(), value.0.clone()),
                None => self.items.remove(&change.key.0),
            };
        }
        self.version = step.to;
        Ok(changes)
    }
}

/// What the server knew of a wristband when it looked, an item of [`Stream::Balances`]; the key is the wristband's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBalance {
    /// Money that is free to spend, in cents.
    pub free: Amount,
    /// When the server looked, in ms since 1970 by its clock.
    pub as_of_ms: u64,
}

crate::open_enum! {
    /// Why a wristband must not pay, an item of [`Stream::BlockList`]; the key is the wristband's id.
    pub enum BlockReason {
        /// Blocked by the organiser.
        Blocked = 1,
        /// Reported lost.
        Lost = 2,
        /// Replaced by another wristband.
        Replaced = 3,
        /// Its offline payments could not be covered.
        Overdrawn = 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Ed25519Signer;

    fn change(key: &[u8], value: Option<&[u8]>) -> Change {
        Change {
            key: Bytes(key.to_vec()),
            value: value.map(|value| Bytes(value.to_vec())),
        }
    }

    const EVENT: EventId = EventId([1; 16]);

    #[test]
    fn a_copy_follows_snapshot_and_deltas_and_refuses_the_rest() {
        let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
        let key = signer.public_key();
        let at = |rev| Version { generation: 2, rev };
        let sign =
            |to, from, changes: Vec<Change>| sign_step(&signer, EVENT, Stream::Config, to, from, &changes).unwrap();
        let (snapshot, whole) = sign(at(5), None, vec![change(b"a", Some(b"1")), change(b"b", Some(b"2"))]);
        let (delta, part) = sign(at(6), Some(5), vec![change(b"a", None), change(b"c", Some(b"3"))]);

        let mut copy = Copy::default();
        assert!(matches!(
            copy.apply(&key, EVENT, &delta, &part),
            Err(StepError::Gap { .. })
        ));
        copy.apply(&key, EVENT, &snapshot, &whole).unwrap();
        let before = copy.clone();

        let forged = Ed25519Signer::from_seed(&[2; 32]).unwrap().public_key();
        assert_eq!(copy.apply(&forged, EVENT, &delta, &part), Err(StepError::Signature));
        assert_eq!(
            copy.apply(&key, EventId([2; 16]), &delta, &part),
            Err(StepError::Signature)
        );
        assert_eq!(copy.apply(&key, EVENT, &delta, &whole), Err(StepError::Digest));
        let (old, old_bytes) = sign(at(4), None, vec![]);
        assert!(matches!(
            copy.apply(&key, EVENT, &old, &old_bytes),
            Err(StepError::Backwards { .. })
        ));
        assert_eq!(copy, before);

        copy.apply(&key, EVENT, &delta, &part).unwrap();
        assert_eq!(copy.version, at(6));
        assert_eq!(
            copy.items.keys().cloned().collect::<Vec<_>>(),
            [b"b".to_vec(), b"c".to_vec()]
        );
    }
}
