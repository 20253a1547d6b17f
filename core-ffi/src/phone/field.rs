//! A wristband that Kotlin holds, as a reader: the till's reader thread talks to it as to any other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chips::field::{Field, FieldFault, Selected as Chip};
use shared_protocol::TagId;

use super::traits::{NfcError, NfcLink, Selected};
use crate::readers::bell::Bell;
use crate::readers::{Happening, HardwareReader, Over, ReaderInfo, Unusable, Waker};

#[derive(Default)]
struct Lying {
    link: Option<Arc<dyn NfcLink>>,
    happened: VecDeque<Happening>,
}

#[derive(Clone)]
struct Shared {
    lying: Arc<Mutex<Lying>>,
    bell: Arc<Bell>,
}

impl Shared {
    fn lying(&self) -> MutexGuard<'_, Lying> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy, so that no lock is held while Kotlin works.
    fn link(&self) -> Result<Arc<dyn NfcLink>, FieldFault> {
        self.lying().link.clone().ok_or(FieldFault::Gone)
    }
}

fn fault(error: NfcError) -> FieldFault {
    match error {
        NfcError::Gone => FieldFault::Gone,
        NfcError::Silent => FieldFault::Silent,
        NfcError::Unexpected { reason } => FieldFault::Reader(reason),
    }
}

fn chip(selected: Selected) -> Option<Chip> {
    Some(Chip {
        uid: TagId::from_slice(&selected.uid)?,
        atqa: selected.atqa.try_into().ok()?,
        sak: u8::try_from(selected.sak).ok()?,
        ats: selected.ats,
    })
}

impl Field for Shared {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        self.link()?.transceive(frame.to_vec()).map_err(fault)
    }

    fn reselect(&mut self) -> Result<Chip, FieldFault> {
        let selected = self.link()?.reselect().map_err(fault)?;
        chip(selected).ok_or_else(|| FieldFault::Reader("what was selected is no chip of ISO 14443 A".to_owned()))
    }
}

/// The phone's field as a reader.
pub(super) struct PhoneReader {
    shared: Shared,
}

/// Tells a [`PhoneReader`] what is in the field.
#[derive(Clone)]
pub(super) struct PhoneField {
    shared: Shared,
}

impl PhoneReader {
    pub fn new() -> (PhoneField, Self) {
        let info = ReaderInfo {
            name: "phone".to_owned(),
            over: Over::Nothing,
            holds: false,
        };
        let shared = Shared {
            lying: Arc::new(Mutex::new(Lying {
                link: None,
                happened: VecDeque::from([Happening::Plugged(info)]),
            })),
            bell: Arc::default(),
        };
        (PhoneField { shared: shared.clone() }, Self { shared })
    }
}

impl HardwareReader for PhoneReader {
    fn wait(&mut self) -> Happening {
        self.shared.bell.wait(|| self.shared.lying().happened.pop_front())
    }

    fn field(&mut self) -> &mut dyn Field {
        &mut self.shared
    }

    fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.shared.bell))
    }
}

impl PhoneField {
    /// A wristband is in the field; one that was there before has left.
    pub fn found(&self, link: Arc<dyn NfcLink>, selected: Selected) {
        let mut lying = self.shared.lying();
        if lying.link.replace(link).is_some() {
            lying.happened.push_back(Happening::Left);
        }
        lying.happened.push_back(match chip(selected) {
            Some(chip) => Happening::Chip(chip),
            None => Happening::Unusable(Unusable::OtherCard),
        });
        drop(lying);
        self.shared.bell.ring();
    }

    /// It has left.
    pub fn left(&self) {
        let mut lying = self.shared.lying();
        if lying.link.take().is_some() {
            lying.happened.push_back(Happening::Left);
        }
        drop(lying);
        self.shared.bell.ring();
    }
}
