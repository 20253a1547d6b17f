//! How a PC/SC reader is asked to pass one raw frame to the chip, and what its answer means. Pure: bytes in, bytes out.
//!
//! What each form is backed by ([`Framing::backing`]): the pseudo-APDUs of the ACR122U and of newer ACS readers are in use in other programs on real
//! hardware and run here against the real pcscd; the forms for all other readers are written from the documents of their makers and have met
//! no hardware yet.
//!
//! What must never live here: a byte that depends on what the chip's frame means for money, or a guess that turns "perhaps" into "no": whatever
//! leaves open if the chip carried out a command is [`FieldFault::Silent`].

use chips::field::{ACK, FieldFault};

/// Longest frame that fits the shortest of the forms: 255 bytes of data less what the form takes.
pub const FRAME_BYTES_MAX: usize = 240;

/// How long a reader may wait for the chip in a transparent exchange. A page write takes under 10 ms; what is gone is known soon enough.
const ANSWER_WITHIN_US: u32 = 100_000;

/// WRITE of a Type-2 chip, and its length without a MAC.
const WRITE: u8 = 0xA2;
const PLAIN_WRITE_BYTES: usize = 6;

/// How raw frames are put to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// ACR122U and its kin: commands of the PN532 inside `FF 00 00 00`.
    Acr122u,
    /// ACR1252U and newer ACS readers: the frame itself inside `FF 00 00 00`.
    Direct,
    /// Transparent session of PC/SC part 3 (`FF C2`), for readers that nothing more is known of.
    Transparent,
    /// Identiv's pass-through of ISO 14443-3 frames (`FF EF`).
    PassThrough,
}

/// What a form of framing is backed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// Others use these bytes on real readers, and they ran here through a real pcscd.
    Used,
    /// Written from documents; no reader has confirmed it yet.
    Documented,
}

/// Parts of a reader's name and what they mean. The first that fits counts: the ACR122U gives another meaning to the header of its successors.
const NAMES: [(&str, Framing); 9] = [
    ("ACR122", Framing::Acr122u),
    ("TOUCHATAG", Framing::Acr122u),
    ("ACS ", Framing::Direct),
    ("ACR1", Framing::Direct),
    ("IDENTIV", Framing::PassThrough),
    ("SCM MICRO", Framing::PassThrough),
    ("UTRUST", Framing::PassThrough),
    ("CLOUD 3", Framing::PassThrough),
    ("CLOUD 4", Framing::PassThrough),
];

/// Slots of a reader that hold no wristband: the module of keys, and the slot for contact cards.
const NO_FIELD: [&str; 3] = [" SAM", "[SAM", "ICC READER"];

impl Framing {
    /// The framing for a reader by its name in PC/SC; `None` for a slot that has no antenna.
    pub fn for_reader(name: &str) -> Option<Self> {
        let name = name.to_uppercase();
        let contactless = name.contains("PICC") || name.contains("CONTACTLESS");
        if !contactless && NO_FIELD.iter().any(|part| name.contains(part)) {
            return None;
        }
        let by_name = NAMES.iter().find(|(part, _)| name.contains(part));
        Some(by_name.map_or(Self::Transparent, |(_, framing)| *framing))
    }

    /// What it is backed by.
    pub fn backing(self) -> Backing {
        match self {
            Self::Acr122u | Self::Direct => Backing::Used,
            Self::Transparent | Self::PassThrough => Backing::Documented,
        }
    }

    /// What a reader is told once, at its first card.
    pub fn set_up(self) -> &'static [&'static [u8]] {
        match self {
            // Buzzer off while it reads: what the till sounds like says whether something was paid.
            Self::Acr122u => &[&[0xFF, 0x00, 0x52, 0x00, 0x00]],
            Self::Direct | Self::PassThrough | Self::Transparent => &[],
        }
    }

    /// What a reader is told when a chip was selected, before the first frame. If it refuses, no frame can be sent.
    pub fn opening(self) -> &'static [&'static [u8]] {
        match self {
            // Begin the session, then speak ISO 14443-3 A without the block protocol above it.
            Self::Transparent => &[
                &[0xFF, 0xC2, 0x00, 0x00, 0x02, 0x81, 0x00],
                &[0xFF, 0xC2, 0x00, 0x02, 0x04, 0x8F, 0x02, 0x00, 0x03],
            ],
            Self::Acr122u | Self::Direct | Self::PassThrough => &[],
        }
    }

    /// What a reader is told before the chip is let go.
    pub fn closing(self) -> &'static [&'static [u8]] {
        match self {
            Self::Transparent => &[&[0xFF, 0xC2, 0x00, 0x00, 0x02, 0x82, 0x00]],
            Self::Acr122u | Self::Direct | Self::PassThrough => &[],
        }
    }

    /// The APDU that passes a frame to the chip.
    pub fn wrap(self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        let len = match u8::try_from(frame.len()) {
            Ok(len) if (1..=FRAME_BYTES_MAX).contains(&frame.len()) => len,
            _ => {
                return Err(FieldFault::Reader(format!(
                    "a frame of {} bytes fits no reader",
                    frame.len()
                )));
            }
        };
        let mut apdu = Vec::with_capacity(frame.len() + 16);
        match self {
            Self::Acr122u => {
                let command = pn532_command(frame);
                let command_len = u8::try_from(command.len()).unwrap_or(u8::MAX);
                apdu.extend([0xFF, 0x00, 0x00, 0x00, command_len + len]);
                apdu.extend(command);
            }
            Self::Direct => apdu.extend([0xFF, 0x00, 0x00, 0x00, len]),
            Self::PassThrough => apdu.extend([0xFF, 0xEF, 0x01, 0x00, len]),
            Self::Transparent => {
                // Timer 5F46 in microseconds, least significant byte first; then 95, transceive.
                apdu.extend([0xFF, 0xC2, 0x00, 0x01, len + 9, 0x5F, 0x46, 0x04]);
                apdu.extend(ANSWER_WITHIN_US.to_le_bytes());
                apdu.extend([0x95, len]);
            }
        }
        apdu.extend(frame);
        if self == Self::Transparent {
            apdu.push(0x00);
        }
        Ok(apdu)
    }

    /// What a reader's answer to a wrapped frame says of the chip.
    pub fn unwrap(self, frame: &[u8], response: &[u8]) -> Result<Vec<u8>, FieldFault> {
        match self {
            Self::Acr122u => pn532_answer(frame, status_word(response)?),
            Self::Direct => chip_answer(status_word(response)?),
            Self::Transparent => transparent_answer(status_word(response)?),
            // Some of these readers add no status word: what does not end in one is the chip's own answer.
            Self::PassThrough => match response {
                [data @ .., 0x90, 0x00] => chip_answer(data),
                [_, _] => status_word(response).and_then(chip_answer),
                data => chip_answer(data),
            },
        }
    }
}

/// The PN532's command for a frame. `InCommunicateThru` (`D4 42`) leaves a frame alone, but expects whole bytes with a checksum in return, which the
/// 4-bit acknowledgement of a plain WRITE is not; `InDataExchange` (`D4 40`, target 1) knows that one.
fn pn532_command(frame: &[u8]) -> &'static [u8] {
    if is_plain_write(frame) {
        &[0xD4, 0x40, 0x01]
    } else {
        &[0xD4, 0x42]
    }
}

/// Whether a frame is a WRITE without a MAC, which is answered by four bits. With one it is answered by eight bytes.
pub fn is_plain_write(frame: &[u8]) -> bool {
    frame.len() == PLAIN_WRITE_BYTES && frame.first() == Some(&WRITE)
}

/// The data before a good status word.
fn status_word(response: &[u8]) -> Result<&[u8], FieldFault> {
    match response {
        [data @ .., 0x90, 0x00] => Ok(data),
        // Refused before anything went to the chip: wrong length, unknown class, instruction or parameter.
        [.., sw1 @ (0x67 | 0x68 | 0x69 | 0x6A | 0x6B | 0x6D | 0x6E), sw2] => Err(FieldFault::Reader(format!(
            "the reader refused the command ({sw1:02X} {sw2:02X})"
        ))),
        // 63 00, 64 01, 6F 00: no answer, or one that nobody could read.
        [.., _, _] => Err(FieldFault::Silent),
        _ => Err(FieldFault::Reader("the reader gave no status".into())),
    }
}

/// A chip's answer where the reader hands on what it received: one byte is four bits.
fn chip_answer(data: &[u8]) -> Result<Vec<u8>, FieldFault> {
    match data {
        [] => Err(FieldFault::Silent),
        [nak] if *nak <= 0x0F && *nak != ACK => Err(FieldFault::Nak(*nak)),
        data => Ok(data.to_vec()),
    }
}

/// `D5 43 status data` or `D5 41 status data`.
fn pn532_answer(frame: &[u8], data: &[u8]) -> Result<Vec<u8>, FieldFault> {
    let plain_write = is_plain_write(frame);
    let wanted = if plain_write { 0x41 } else { 0x43 };
    let (status, answer) = match data {
        [0xD5, code, status, answer @ ..] if *code == wanted => (*status, answer),
        _ => return Err(FieldFault::Reader("the reader's answer is not one of a PN532".into())),
    };
    // The upper bits are flags of NFC-DEP, which is not spoken here.
    match status & 0x3F {
        0x00 if plain_write => Ok(vec![ACK]),
        0x00 => chip_answer(answer),
        error => Err(pn532_fault(error, plain_write)),
    }
}

/// What an error of the PN532 (user manual, 7.1) says of the chip.
pub fn pn532_fault(error: u8, plain_write: bool) -> FieldFault {
    match error {
        // Which of the four bits came is not handed on; 0 is "not allowed", what a chip says to a page that is locked.
        0x13 | 0x14 if plain_write => FieldFault::Nak(0),
        // Released, another card, the card is no longer there.
        0x29..=0x2B => FieldFault::Gone,
        // Its own buffers, parameters or temperature: the chip has no part in it.
        0x07 | 0x09 | 0x0D | 0x0E | 0x10 | 0x12 | 0x25..=0x27 | 0x2D => {
            FieldFault::Reader(format!("the reader's chip reports error {error:02X}"))
        }
        // Time is up (01), or something came that was no whole frame (02 to 06, 0B, 13, 14, ..): a chip at the edge of the field sounds like
        // that, also after it carried the command out.
        _ => FieldFault::Silent,
    }
}

/// The data objects of a transparent exchange: `C0 03 index SW1 SW2`, `92 01 bits`, `96 02 status`, `97 len data`.
fn transparent_answer(mut objects: &[u8]) -> Result<Vec<u8>, FieldFault> {
    let mut data: Option<&[u8]> = None;
    let mut broken = false;
    while let [tag, len, rest @ ..] = objects {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*len)) else {
            return Err(FieldFault::Reader("the reader's answer is cut off".into()));
        };
        match (tag, value) {
            (0xC0, [_, 0x90, 0x00]) => {}
            (0xC0, [_, status @ ..]) => {
                status_word(status)?;
            }
            // Checksum, collision, parity or framing did not fit. Four bits have no checksum.
            (0x96, [status, ..]) => broken = *status != 0,
            (0x97, value) => data = Some(value),
            // 92, and what a later edition may add.
            _ => {}
        }
        objects = rest;
    }
    match data {
        Some(data) if !broken || data.len() == 1 => chip_answer(data),
        _ => Err(FieldFault::Silent),
    }
}

#[cfg(test)]
mod tests;
