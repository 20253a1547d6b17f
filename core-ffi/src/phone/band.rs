//! A virtual wristband that Kotlin can hold to the phone: for its tests, and for training. It says that it is simulated.

use std::sync::{Arc, Mutex, PoisonError};

use chips::field::{Field, FieldFault};
use chips::simulated::{Fault, IdentityChip, SimulatedBatch, SimulatedField, VirtualChip};
use shared_protocol::TagId;

use super::traits::{NfcError, NfcLink, Selected};
use super::wristband_keys::KeysError;
use crate::purse_keys::{BatchKeys, KeyFile, Role, Secret};

/// The keys of a simulated batch in a sealed file, as a desk has them that adds money and takes deposits back. They are no secret: nothing that is real
/// is of this batch. For tests and for trying out.
#[uniffi::export]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Kotlin comes by value")]
pub fn simulated_keys(batch: u16, passphrase: String) -> Result<Vec<u8>, KeysError> {
    let all = KeyFile {
        role: Role::Encoder,
        batches: vec![BatchKeys::simulated(&SimulatedBatch::of_sample(batch))],
    };
    let sealed = all
        .for_role(Role::DeskWithReturns)
        .and_then(|file| file.to_bytes(&Secret::passphrase(&passphrase)));
    sealed.map_err(|fault| KeysError::Disk {
        reason: fault.to_string(),
    })
}

/// Why there is no virtual wristband.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum NoSuchChip {
    /// An id has 4 to 10 bytes.
    #[error("the id of a chip has 4 to 10 bytes")]
    Id,
}

/// A virtual wristband.
#[derive(uniffi::Object)]
pub struct SimulatedBand(Mutex<SimulatedField<Box<dyn VirtualChip>>>);

impl SimulatedBand {
    fn new(chip: impl VirtualChip + 'static) -> Self {
        Self(Mutex::new(SimulatedField::new(Box::new(chip))))
    }

    fn with<T>(&self, work: impl FnOnce(&mut SimulatedField<Box<dyn VirtualChip>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[uniffi::export]
impl SimulatedBand {
    /// A chip that has an id and nothing else.
    #[uniffi::constructor]
    #[expect(clippy::needless_pass_by_value, reason = "what comes from Kotlin comes by value")]
    pub fn identity(uid: Vec<u8>) -> Result<Arc<Self>, NoSuchChip> {
        let tag = TagId::from_slice(&uid).ok_or(NoSuchChip::Id)?;
        Ok(Arc::new(Self::new(IdentityChip::ntag213(tag))))
    }

    /// An empty chip with a purse, of a simulated batch whose keys are no secret.
    #[uniffi::constructor]
    pub fn purse(batch: u16, index: u16) -> Arc<Self> {
        Arc::new(Self::new(SimulatedBatch::of_sample(batch).chip(index)))
    }

    /// Whether it is simulated: always.
    pub fn is_simulated(&self) -> bool {
        true
    }

    /// It comes into the field anew: what was authenticated is forgotten.
    pub fn lay(&self) -> Selected {
        self.with(|field| {
            field.restart();
            selected(&field.chip.selected())
        })
    }

    /// It leaves after so many frames from now, in the middle of whatever is being done then.
    pub fn leave_after(&self, frames: u32) {
        self.with(|field| {
            let at = field.exchanges() + frames as usize;
            field.faults.insert(at, Fault::RemovedAfter);
        });
    }

    /// Frames it was sent so far.
    pub fn frames(&self) -> i64 {
        self.with(|field| i64::try_from(field.exchanges()).unwrap_or(i64::MAX))
    }
}

fn selected(chip: &chips::field::Selected) -> Selected {
    Selected {
        uid: chip.uid.as_slice().to_vec(),
        atqa: chip.atqa.to_vec(),
        sak: i32::from(chip.sak),
        ats: chip.ats.clone(),
    }
}

fn error(fault: FieldFault) -> NfcError {
    match fault {
        FieldFault::Gone => NfcError::Gone,
        // As Android's stack: a NAK and silence are one thing to an app.
        FieldFault::Silent | FieldFault::Nak(_) => NfcError::Silent,
        FieldFault::Reader(reason) => NfcError::Unexpected { reason },
    }
}

#[uniffi::export]
impl NfcLink for SimulatedBand {
    fn transceive(&self, frame: Vec<u8>) -> Result<Vec<u8>, NfcError> {
        self.with(|field| field.transceive(&frame)).map_err(error)
    }

    fn reselect(&self) -> Result<Selected, NfcError> {
        self.with(|field| field.reselect().map(|chip| selected(&chip)))
            .map_err(error)
    }
}
