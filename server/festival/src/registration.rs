//! Registration: a slot is opened for a till with a one-time secret; the first device that proves it has the secret and a key, and whose code
//! a person confirms, becomes the terminal.

use shared_protocol::crypto::{Hash32, PublicKey, verify};
use shared_protocol::limits::REGISTRATION_LIFETIME_MS;
use shared_protocol::message::{Register, register_message};
use shared_protocol::{EventId, SlotId, TerminalId, TillId};

/// Bytes of a registration secret: 128 bit.
pub const SECRET_BYTES: usize = 16;

/// Where a slot is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotState {
    /// Nobody came yet.
    Open,
    /// A device came and waits for a person.
    Pending {
        /// Its key.
        key: PublicKey,
        /// What it calls itself.
        device: String,
        /// The code on both screens.
        code: String,
    },
    /// A device became a terminal; the slot is of no more use.
    Used {
        /// Which terminal.
        terminal: TerminalId,
    },
}

/// A registration slot. The secret itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its id, in the QR code.
    pub id: SlotId,
    /// The event.
    pub event: EventId,
    /// The till it is for.
    pub till: TillId,
    /// Digest of the secret.
    pub secret: Hash32,
    /// When its time is over, by the server's clock.
    pub expires_at_ms: u64,
    /// Whether a person has to confirm the code. Off only for tests, demos and simulations.
    pub confirm: bool,
    /// Where it is in its life.
    pub state: SlotState,
}

impl Slot {
    /// A slot that was opened now, for whoever has the secret and whose code a person confirms.
    pub fn open(event: EventId, id: SlotId, till: TillId, secret: &[u8], now_ms: u64) -> Self {
        Self {
            id,
            event,
            till,
            secret: secret_digest(id, secret),
            expires_at_ms: now_ms.saturating_add(REGISTRATION_LIFETIME_MS),
            confirm: true,
            state: SlotState::Open,
        }
    }
}

/// The digest a slot keeps of its secret.
pub fn secret_digest(slot: SlotId, secret: &[u8]) -> Hash32 {
    Hash32::of("groschen slot 1", &[slot.bytes(), secret])
}

/// Why a device cannot register. All of them look the same from outside, so that nobody can tell a wrong secret from a missing slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No such slot, or a wrong secret.
    #[error("the slot does not exist or the secret is wrong")]
    Wrong,
    /// Another device used it.
    #[error("the slot was used before")]
    Used,
    /// Its time is over.
    #[error("the slot's time is over")]
    Expired,
    /// The device does not have the key it names.
    #[error("the device did not prove its key")]
    Proof,
}

/// What to do with a device that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Show this code and wait for a person.
    Wait {
        /// Six digits.
        code: String,
    },
    /// Make it the terminal now.
    Admit,
}

/// The six digits on both screens, from what both sides know.
pub fn confirmation_code(nonce: &Hash32, slot: SlotId, key: &PublicKey) -> String {
    let digest = Hash32::of("groschen confirmation 1", &[&register_message(nonce, slot, key)]);
    let number = digest
        .0
        .iter()
        .take(8)
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// Decides about a device that asks for a slot.
pub fn admit(slot: Option<&Slot>, request: &Register, nonce: &Hash32, now_ms: u64) -> Result<Admission, Denied> {
    let slot = slot.ok_or(Denied::Wrong)?;
    if secret_digest(slot.id, &request.secret.0) != slot.secret {
        return Err(Denied::Wrong);
    }
    verify(
        &request.key,
        &register_message(nonce, request.slot, &request.key),
        &request.proof,
    )
    .map_err(|_| Denied::Proof)?;
    match &slot.state {
        SlotState::Used { .. } => return Err(Denied::Used),
        // The same device may come back after a lost answer; another one may not push it aside.
        SlotState::Pending { key, .. } if *key != request.key => return Err(Denied::Used),
        SlotState::Pending { .. } | SlotState::Open => {}
    }
    if now_ms >= slot.expires_at_ms {
        return Err(Denied::Expired);
    }
    if slot.confirm {
        Ok(Admission::Wait {
            code: confirmation_code(nonce, slot.id, &request.key),
        })
    } else {
        Ok(Admission::Admit)
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::crypto::{Ed25519Signer, Signer};
    use shared_protocol::ids::Bytes;

    use super::*;

    const SLOT: SlotId = SlotId([3; 16]);
    const NONCE: Hash32 = Hash32([9; 32]);

    fn slot() -> Slot {
        let secret = secret_digest(SLOT, &[1; SECRET_BYTES]);
        Slot {
            id: SLOT,
            event: EventId([1; 16]),
            till: TillId(1),
            secret,
            expires_at_ms: 100,
            confirm: true,
            state: SlotState::Open,
        }
    }

    fn request(seed: u8, secret: u8) -> Register {
        let signer = Ed25519Signer::from_seed(&[seed; 32]).unwrap();
        let key = signer.public_key();
        let proof = signer.sign(&register_message(&NONCE, SLOT, &key)).unwrap();
        Register {
            slot: SLOT,
            secret: Bytes(vec![secret; SECRET_BYTES]),
            key,
            device: "phone".to_owned(),
            proof,
        }
    }

    #[test]
    fn the_right_secret_in_time_gets_a_code() {
        let Ok(Admission::Wait { code }) = admit(Some(&slot()), &request(1, 1), &NONCE, 99) else {
            panic!("not admitted")
        };
        assert_eq!(code.len(), 6);
        assert_eq!(
            admit(
                Some(&Slot {
                    confirm: false,
                    ..slot()
                }),
                &request(1, 1),
                &NONCE,
                99
            ),
            Ok(Admission::Admit)
        );
    }

    #[test]
    fn wrong_used_late_and_unproved_devices_are_denied() {
        assert_eq!(admit(None, &request(1, 1), &NONCE, 0), Err(Denied::Wrong));
        assert_eq!(admit(Some(&slot()), &request(1, 2), &NONCE, 0), Err(Denied::Wrong));
        assert_eq!(admit(Some(&slot()), &request(1, 1), &NONCE, 100), Err(Denied::Expired));
        assert_eq!(
            admit(Some(&slot()), &request(1, 1), &Hash32([8; 32]), 0),
            Err(Denied::Proof)
        );
        let used = Slot {
            state: SlotState::Used {
                terminal: TerminalId([1; 16]),
            },
            ..slot()
        };
        assert_eq!(admit(Some(&used), &request(1, 1), &NONCE, 0), Err(Denied::Used));
    }

    #[test]
    fn of_two_devices_with_one_code_the_first_stays() {
        let first = request(1, 1);
        let pending = SlotState::Pending {
            key: first.key.clone(),
            device: first.device.clone(),
            code: String::new(),
        };
        let slot = Slot {
            state: pending,
            ..slot()
        };
        assert!(admit(Some(&slot), &first, &NONCE, 0).is_ok());
        assert_eq!(admit(Some(&slot), &request(2, 1), &NONCE, 0), Err(Denied::Used));
    }
}
