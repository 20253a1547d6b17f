//! Registration of terminals: the slot's rules are in `festival`, here they meet the store.

use festival::registration::{Admission, Denied, Slot, SlotState, admit};
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Hash32, PublicKey};
use shared_protocol::message::{Certificate, Register, Registration, TerminalState};
use shared_protocol::{SlotId, TerminalId};
use store::{Store, TerminalRow};

use crate::Engine;
use crate::batch::Batch;
use crate::request::Known;

impl<S: Store> Engine<S> {
    fn slot(&self, batch: &Batch, id: SlotId) -> Option<Slot> {
        batch.slots.get(&id).or_else(|| self.slots.get(&id)).cloned()
    }

    /// A device came with a secret.
    pub(crate) fn register(&self, batch: &mut Batch, register: &Register, nonce: &Hash32, id: TerminalId) -> Known {
        let slot = self.slot(batch, register.slot);
        if let Some(done) = self.already(batch, slot.as_ref(), register, nonce) {
            return done;
        }
        match (admit(slot.as_ref(), register, nonce, batch.now_ms), slot) {
            (Ok(Admission::Admit), Some(slot)) => self.admit_device(batch, &slot, &register.key, &register.device, id),
            (Ok(Admission::Wait { code }), Some(slot)) => {
                let state = SlotState::Pending {
                    key: register.key.clone(),
                    device: register.device.clone(),
                    code: code.clone(),
                };
                batch.slots.insert(slot.id, Slot { state, ..slot });
                Known::Pending { code }
            }
            (Err(denied), _) => Known::Denied(denied),
            (Ok(_), None) => Known::Denied(Denied::Wrong),
        }
    }

    /// The answer was lost, or a person confirmed in the meantime: the same device with the same secret gets its registration again.
    fn already(&self, batch: &Batch, slot: Option<&Slot>, register: &Register, nonce: &Hash32) -> Option<Known> {
        let slot = slot?;
        let SlotState::Used { terminal } = slot.state else {
            return None;
        };
        let row = self.terminal(batch, terminal).filter(|row| row.key == register.key)?;
        let unused = Slot {
            state: SlotState::Open,
            ..slot.clone()
        };
        admit(Some(&unused), register, nonce, batch.now_ms).ok()?;
        self.certify(row)
    }

    /// A person confirmed a code.
    pub(crate) fn confirm(&self, batch: &mut Batch, id: SlotId, seen: &str, terminal: TerminalId) -> Known {
        let Some(slot) = self.slot(batch, id) else {
            return Known::Denied(Denied::Wrong);
        };
        match slot.state.clone() {
            SlotState::Pending { key, device, code } if code == seen => {
                if batch.now_ms >= slot.expires_at_ms {
                    return Known::Denied(Denied::Expired);
                }
                self.admit_device(batch, &slot, &key, &device, terminal)
            }
            SlotState::Used { .. } => Known::Denied(Denied::Used),
            SlotState::Pending { .. } | SlotState::Open => Known::Denied(Denied::Wrong),
        }
    }

    fn admit_device(&self, batch: &mut Batch, slot: &Slot, key: &PublicKey, device: &str, id: TerminalId) -> Known {
        let row = TerminalRow {
            no: self.next_terminal_no(batch),
            event: slot.event,
            id,
            till: slot.till,
            key: key.clone(),
            state: TerminalState::Active,
            epoch: EpochStart::FIRST,
            device: device.to_owned(),
            registered_at_ms: batch.now_ms,
        };
        let Some(known) = self.certify(row.clone()) else {
            return Known::Denied(Denied::Wrong);
        };
        batch.terminals.insert(id, row);
        batch.slots.insert(
            slot.id,
            Slot {
                state: SlotState::Used { terminal: id },
                ..slot.clone()
            },
        );
        known
    }

    fn certify(&self, row: TerminalRow) -> Option<Known> {
        let registration = Registration {
            organisation: self.config().event.organisation,
            event: row.event,
            terminal: row.id,
            till: row.till,
            key: row.key.clone(),
            registered_at_ms: row.registered_at_ms,
        };
        let certificate = Certificate::issue(self.signer.as_ref(), &registration).ok()?;
        Some(Known::Registered {
            terminal: Box::new(row),
            certificate: Box::new(certificate),
        })
    }
}
