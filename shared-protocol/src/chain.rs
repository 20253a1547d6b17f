//! The hash chain of a terminal's journal. `h(n) = SHA-256(h(n-1), n, bytes of entry n)`; the first link of an epoch hangs on the
//! epoch's own start, which names the end of the epoch before. A head is signed when it is made, covers all entries before it, and is kept.

use serde::{Deserialize, Serialize};

use crate::crypto::{BadSignature, Hash32, PublicKey, SignError, Signature, Signer, signing_input, verify};
use crate::ids::TerminalId;

/// The start of an epoch. The server issues it; it names the end of the epoch before, so that a cut tail shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochStart {
    /// 1, 2, 3 … per terminal.
    pub epoch: u32,
    /// The last sequence of the epoch before that the server has; zero before the first epoch.
    pub previous_seq: u64,
    /// The head at that sequence.
    pub previous_head: Hash32,
}

impl EpochStart {
    /// The first epoch of a new terminal.
    pub const FIRST: Self = Self {
        epoch: 1,
        previous_seq: 0,
        previous_head: Hash32::ZERO,
    };

    /// What the first entry of the epoch is chained to.
    pub fn root(&self, terminal: TerminalId) -> Hash32 {
        Hash32::of(
            "groschen epoch 1",
            &[
                terminal.bytes(),
                &self.epoch.to_be_bytes(),
                &self.previous_seq.to_be_bytes(),
                &self.previous_head.0,
            ],
        )
    }
}

/// The hash after entry `seq` with these bytes.
pub fn link(previous: &Hash32, seq: u64, entry: &[u8]) -> Hash32 {
    Hash32::of("groschen entry 1", &[&previous.0, &seq.to_be_bytes(), entry])
}

/// A chain head with the terminal's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The epoch.
    pub epoch: u32,
    /// The last entry it covers.
    pub seq: u64,
    /// The hash after that entry.
    pub hash: Hash32,
    /// By the terminal's key.
    pub signature: Signature,
}

/// The message a terminal signs for a head.
pub fn head_message(terminal: TerminalId, epoch: u32, seq: u64, hash: &Hash32) -> Vec<u8> {
    signing_input(
        "groschen head 1",
        &[terminal.bytes(), &epoch.to_be_bytes(), &seq.to_be_bytes(), &hash.0],
    )
}

impl SignedHead {
    /// Signs a head.
    pub fn sign(
        signer: &dyn Signer,
        terminal: TerminalId,
        epoch: u32,
        seq: u64,
        hash: Hash32,
    ) -> Result<Self, SignError> {
        let signature = signer.sign(&head_message(terminal, epoch, seq, &hash))?;
        Ok(Self {
            epoch,
            seq,
            hash,
            signature,
        })
    }

    /// Checks the signature. That the hash is the chain's is checked by walking it.
    pub fn verify(&self, key: &PublicKey, terminal: TerminalId) -> Result<(), BadSignature> {
        verify(
            key,
            &head_message(terminal, self.epoch, self.seq, &self.hash),
            &self.signature,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Ed25519Signer;

    #[test]
    fn a_head_binds_terminal_epoch_sequence_and_every_entry() {
        let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
        let terminal = TerminalId([1; 16]);
        let root = EpochStart::FIRST.root(terminal);
        let first = link(&root, 1, b"beer");
        let second = link(&first, 2, b"water");
        assert_ne!(second, link(&link(&root, 1, b"bear"), 2, b"water"));
        assert_ne!(root, EpochStart::FIRST.root(TerminalId([2; 16])));
        let head = SignedHead::sign(&signer, terminal, 1, 2, second).unwrap();
        assert_eq!(head.verify(&signer.public_key(), terminal), Ok(()));
        assert!(
            SignedHead { seq: 3, ..head.clone() }
                .verify(&signer.public_key(), terminal)
                .is_err()
        );
        assert!(
            SignedHead {
                epoch: 2,
                ..head.clone()
            }
            .verify(&signer.public_key(), terminal)
            .is_err()
        );
        assert!(head.verify(&signer.public_key(), TerminalId([2; 16])).is_err());
    }
}
