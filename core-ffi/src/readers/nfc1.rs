//! Readers with a PN532 over libnfc: a module on a serial port, or one on USB.
//!
//! libnfc cannot wait for a chip, and the only sure way to see that a Type-2 chip is still there is to select it anew: its own presence test sends a
//! plain READ, which ends a session with MACs. So chips are looked for between frames of nobody: only inside [`HardwareReader::wait`].
//!
//! Proven here: libnfc's `pn532_uart` against an emulated PN532. Not proven: a real module, and `pn53x_usb`.
//!
//! What must never happen here: `initiator_target_is_present`, and frames of a wristband through libnfc's easy framing, which knows the plain WRITE
//! and mangles the commands it does not know.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chips::field::{ACK, Field, FieldFault, Selected};
use nfc1::target_info::TargetInfo;
use nfc1::{BaudRate, Context, Device, Error, Modulation, ModulationType, Property, Timeout};
use shared_protocol::TagId;

use super::bell::Bell;
use super::framing::is_plain_write;
use super::{Happening, HardwareReader, ListFault, Over, ReaderInfo, Waker};

/// Pause between two looks for a chip while there is none: a tap is noticed before it is felt to be slow.
const LOOK_EMPTY: Duration = Duration::from_millis(80);
/// Pause between two looks while one lies there.
const LOOK_HELD: Duration = Duration::from_millis(250);
/// While the reader is away it is tried this often.
const OPEN_RETRY: Duration = Duration::from_millis(500);
/// Longest answer of a chip: one frame of the PN532.
const ANSWER_BYTES_MAX: usize = 264;
/// What is listed at most.
const DEVICES_MAX: usize = 8;

/// Bit of the select acknowledge: the chip speaks ISO-DEP.
const SAK_ISO_DEP: u8 = 0x20;

const TYPE_A: Modulation = Modulation {
    modulation_type: ModulationType::Iso14443a,
    baud_rate: BaudRate::Baud106,
};

/// A reader over libnfc.
pub struct NfcReader {
    connection: String,
    bell: Arc<Bell>,
    told: VecDeque<Happening>,
    pause: Duration,
    field: NfcField,
}

/// The device and what was selected on it.
struct NfcField {
    open: Option<Open>,
    held: Option<Selected>,
}

/// The order matters: libnfc's device must be closed before its context is.
struct Open {
    device: Device,
    _context: Context,
}

impl NfcReader {
    /// The reader at a connection string of libnfc: `pn532_uart:/dev/ttyUSB0`, `pn53x_usb`.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection: connection.into(),
            bell: Arc::default(),
            told: VecDeque::new(),
            pause: Duration::ZERO,
            field: NfcField { open: None, held: None },
        }
    }

    /// Looks once at the field, or for the reader.
    fn look(&mut self) {
        let field = &mut self.field;
        let Some(open) = &mut field.open else {
            match Open::new(&self.connection) {
                Ok(open) => {
                    field.open = Some(open);
                    self.pause = Duration::ZERO;
                    self.told.push_back(Happening::Plugged(info(&self.connection)));
                }
                Err(error) => {
                    tracing::debug!(%error, connection = self.connection, "no reader");
                    self.pause = OPEN_RETRY;
                }
            }
            return;
        };
        let seen = match open.select() {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(%error, connection = self.connection, "the reader is gone");
                field.open = None;
                if field.held.take().is_some() {
                    self.told.push_back(Happening::Left);
                }
                self.told.push_back(Happening::Unplugged {
                    name: self.connection.clone(),
                });
                self.pause = OPEN_RETRY;
                return;
            }
        };
        let uid = |selected: &Option<Selected>| selected.as_ref().map(|selected| selected.uid);
        if uid(&seen) != uid(&field.held) {
            if field.held.is_some() {
                self.told.push_back(Happening::Left);
            }
            self.told.extend(seen.clone().map(Happening::Chip));
        }
        self.pause = if seen.is_some() { LOOK_HELD } else { LOOK_EMPTY };
        field.held = seen;
    }
}

impl HardwareReader for NfcReader {
    fn wait(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.told.pop_front() {
                return happening;
            }
            self.bell.sleep(self.pause);
            if self.bell.take() {
                return Happening::Woken;
            }
            self.look();
        }
    }

    fn field(&mut self) -> &mut dyn Field {
        &mut self.field
    }

    fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.bell))
    }
}

impl Open {
    fn new(connection: &str) -> Result<Self, Error> {
        let mut context = Context::new()?;
        let mut device = context.open_with_connstring(connection)?;
        device.initiator_init()?;
        // Without it a select waits for a chip for ever.
        device.set_property_bool(Property::InfiniteSelect, false)?;
        device.set_property_bool(Property::AutoIso144434, false)?;
        device.set_property_bool(Property::EasyFraming, false)?;
        Ok(Self {
            device,
            _context: context,
        })
    }

    /// Selects what is in the field, if anything. A chip that speaks ISO-DEP is selected once more with that.
    fn select(&mut self) -> Result<Option<Selected>, Error> {
        self.device.set_property_bool(Property::AutoIso144434, false)?;
        self.device.set_property_bool(Property::EasyFraming, false)?;
        let selected = self.select_once()?;
        match selected {
            Some(selected) if selected.sak & SAK_ISO_DEP != 0 => {
                self.device.set_property_bool(Property::AutoIso144434, true)?;
                self.device.set_property_bool(Property::EasyFraming, true)?;
                self.select_once()
            }
            selected => Ok(selected),
        }
    }

    fn select_once(&mut self) -> Result<Option<Selected>, Error> {
        let target = match self.device.initiator_select_passive_target(&TYPE_A) {
            Ok(target) => target,
            // Nothing that could be selected to the end: a chip at the edge of the field. It is looked for again soon.
            Err(Error::RfTransmissionError | Error::TargetReleased | Error::Chip) => return Ok(None),
            Err(error) => return Err(error),
        };
        let TargetInfo::Iso14443a(info) = target.target_info else {
            return Ok(None);
        };
        // The crate does not hand on how many targets were found; none has no id.
        let uid = info.uid.get(..info.uid_len).and_then(TagId::from_slice);
        let ats = info.ats.get(..info.ats_len).filter(|ats| !ats.is_empty());
        Ok(uid.map(|uid| Selected {
            uid,
            atqa: info.atqa,
            sak: info.sak,
            ats: ats.map(<[u8]>::to_vec),
        }))
    }

    fn send(&mut self, frame: &[u8]) -> Result<Vec<u8>, Error> {
        self.device
            .initiator_transceive_bytes(frame, ANSWER_BYTES_MAX, Timeout::Default)
    }
}

impl Field for NfcField {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        let (Some(open), Some(held)) = (&mut self.open, &self.held) else {
            return Err(FieldFault::Gone);
        };
        let iso_dep = held.ats.is_some();
        // The 4-bit acknowledgement of a plain WRITE comes through the PN532's data exchange only.
        let exchange = !iso_dep && is_plain_write(frame);
        let easy = |open: &mut Open, on| open.device.set_property_bool(Property::EasyFraming, on).map_err(fault);
        if exchange {
            easy(open, true)?;
        }
        let answer = open.send(frame);
        if exchange {
            easy(open, false)?;
        }
        match answer {
            Ok(answer) if exchange && answer.is_empty() => Ok(vec![ACK]),
            Ok(answer) if answer.is_empty() => Err(FieldFault::Silent),
            Ok(answer) => Ok(answer),
            Err(Error::MifareAuthFailed) if exchange => Err(FieldFault::Nak(0)),
            Err(error) => Err(fault(error)),
        }
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        let open = self.open.as_mut().ok_or(FieldFault::Gone)?;
        // The field off and on: whatever state the chip was in, it begins anew.
        for on in [false, true] {
            open.device
                .set_property_bool(Property::ActivateField, on)
                .map_err(fault)?;
        }
        let seen = open.select().map_err(fault)?.ok_or(FieldFault::Gone)?;
        // Another chip than the one that was told is not this field's business: the next wait tells of it.
        match &self.held {
            Some(held) if held.uid == seen.uid => {
                self.held = Some(seen.clone());
                Ok(seen)
            }
            _ => Err(FieldFault::Gone),
        }
    }
}

/// What libnfc's errors say of the chip. It does not hand on which error of the PN532 it was: an answer that could not be read and none are the same.
fn fault(error: Error) -> FieldFault {
    match error {
        Error::RfTransmissionError | Error::MifareAuthFailed => FieldFault::Silent,
        Error::TargetReleased => FieldFault::Gone,
        error => FieldFault::Reader(error.to_string()),
    }
}

fn info(connection: &str) -> ReaderInfo {
    ReaderInfo {
        name: connection.to_owned(),
        over: Over::Libnfc,
        holds: false,
    }
}

/// The readers libnfc finds without touching serial ports, and those that its configuration and `LIBNFC_DEVICE` name.
pub fn list() -> Result<Vec<ReaderInfo>, ListFault> {
    let fault = |error: Error| ListFault::Other(error.to_string());
    let mut context = Context::new().map_err(fault)?;
    let devices = context.list_devices(DEVICES_MAX).map_err(fault)?;
    Ok(devices.iter().map(|connection| info(connection)).collect())
}
