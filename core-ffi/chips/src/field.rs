//! One chip in the field of a reader: the one primitive on which all chip code is written.
//!
//! Whoever drives a real reader implements [`Field`]; what must never come in here is the name of a reader or of a chip.

use shared_protocol::TagId;

/// What a reader says of a chip it selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The chip's unique id as the anticollision gave it.
    pub uid: TagId,
    /// The answer to the request (ATQA).
    pub atqa: [u8; 2],
    /// What protocols it speaks (SAK).
    pub sak: u8,
    /// The answer to select, of chips that speak ISO-DEP.
    pub ats: Option<Vec<u8>>,
}

/// Why a frame has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// No answer in time. A chip that was sent a bad MAC, one that is too far away and one that left look the same.
    #[error("the wristband did not answer")]
    Silent,
    /// The chip refused with this 4-bit code, where the reader can tell.
    #[error("the wristband refused with code {0:x}")]
    Nak(u8),
    /// The chip left the field.
    #[error("the wristband left the reader")]
    Gone,
    /// The reader itself failed.
    #[error("the reader failed: {0}")]
    Reader(String),
}

/// One chip in the field of a reader.
pub trait Field {
    /// Sends one frame and gives the answer, both without CRC; APDUs where the chip speaks ISO-DEP. A 4-bit ACK is the one byte [`ACK`].
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault>;

    /// Selects the chip anew: its session is forgotten.
    fn reselect(&mut self) -> Result<Selected, FieldFault>;
}

impl<F: Field + ?Sized> Field for &mut F {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        (**self).transceive(frame)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        (**self).reselect()
    }
}

impl<F: Field + ?Sized> Field for Box<F> {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        (**self).transceive(frame)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        (**self).reselect()
    }
}

/// How a Type-2 chip says yes in four bits.
pub const ACK: u8 = 0x0A;
