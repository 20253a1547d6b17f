//! What kinds of PC/SC readers make of the APDUs they get, with a chip on their table. Written from what is known of the readers and apart from the
//! till's side, so that the two can disagree.

use chips::Selected;
use chips::simulated::Answer;

use crate::pn532;
use crate::{Reply, Table};

/// A kind of reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// An ACR122U: a PN532 behind `FF 00 00 00`.
    Acr122u,
    /// An ACR1252U: raw frames behind `FF 00 00 00`.
    Direct,
    /// A reader with nothing but the transparent session of PC/SC part 3.
    Transparent,
}

/// State of a reader between APDUs.
#[derive(Default)]
pub(crate) struct Session {
    transparent: bool,
}

const DONE: [u8; 2] = [0x90, 0x00];
const FAILED: [u8; 2] = [0x63, 0x00];
const UNKNOWN: [u8; 2] = [0x6A, 0x81];

/// Historical bytes of the ATS of the chips with ISO-DEP here.
const HISTORICAL: u8 = 0x80;

/// The ATR a reader makes up for a chip (PC/SC part 3).
pub(crate) fn atr(selected: &Selected) -> Vec<u8> {
    let mut atr = if selected.ats.is_some() {
        vec![0x3B, 0x81, 0x80, 0x01, HISTORICAL]
    } else {
        let name = match selected.sak {
            0x08 => 0x01,
            0x18 => 0x02,
            _ => 0x03,
        };
        vec![
            0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, name, 0x00, 0x00, 0x00,
            0x00,
        ]
    };
    atr.push(atr.iter().skip(1).fold(0, |sum, byte| sum ^ byte));
    atr
}

fn with(data: &[u8], status: [u8; 2]) -> Vec<u8> {
    [data, &status].concat()
}

impl Front {
    /// Answers one APDU.
    pub(crate) fn apdu(self, session: &mut Session, apdu: &[u8], table: &Table) -> Vec<u8> {
        let Some(selected) = table.selected() else {
            return FAILED.to_vec();
        };
        match (self, apdu) {
            (_, [0xFF, 0xCA, 0x00, 0x00, ..]) => with(selected.uid.as_slice(), DONE),
            (_, [0xFF, 0xCA, 0x01, 0x00, ..]) => with(&selected.ats.unwrap_or_default(), DONE),
            // A chip with ISO-DEP gets every other APDU as it is.
            (_, [class, ..]) if selected.ats.is_some() && *class != 0xFF => match table.frame(apdu) {
                Reply::Chip(Answer::Bytes(bytes)) => bytes,
                Reply::Chip(_) | Reply::Empty => FAILED.to_vec(),
            },
            (Self::Acr122u, [0xFF, 0x00, 0x52, _, 0x00]) => DONE.to_vec(),
            (Self::Acr122u, [0xFF, 0x00, 0x00, 0x00, len, command @ ..]) if usize::from(*len) == command.len() => {
                pn532::exchange(command, table).map_or(FAILED.to_vec(), |answer| with(&answer, DONE))
            }
            (Self::Direct, [0xFF, 0x00, 0x00, 0x00, len, frame @ ..]) if usize::from(*len) == frame.len() => {
                match table.frame(frame) {
                    Reply::Chip(Answer::Bytes(bytes)) => with(&bytes, DONE),
                    Reply::Chip(Answer::Ack) => with(&[0x0A], DONE),
                    Reply::Chip(Answer::Nak(code)) => with(&[code], DONE),
                    Reply::Chip(Answer::Silence) | Reply::Empty => FAILED.to_vec(),
                }
            }
            (Self::Transparent, [0xFF, 0xC2, 0x00, function, len, objects @ ..]) => {
                let objects = objects.get(..usize::from(*len)).unwrap_or_default();
                session.transparent(*function, objects, table)
            }
            _ => UNKNOWN.to_vec(),
        }
    }
}

impl Session {
    fn transparent(&mut self, function: u8, objects: &[u8], table: &Table) -> Vec<u8> {
        const GOOD: [u8; 5] = [0xC0, 0x03, 0x00, 0x90, 0x00];
        match (function, objects) {
            (0x00, [0x81, 0x00]) => {
                self.transparent = true;
                with(&GOOD, DONE)
            }
            (0x00, [0x82, 0x00]) => {
                self.transparent = false;
                with(&GOOD, DONE)
            }
            // Switch to ISO 14443-3 A: the chip is selected for it.
            (0x02, [0x8F, 0x02, 0x00, 0x03]) if self.transparent => {
                table.power_off();
                with(&GOOD, DONE)
            }
            (0x01, [0x5F, 0x46, 0x04, _, _, _, _, 0x95, len, frame @ ..])
                if self.transparent && usize::from(*len) == frame.len() =>
            {
                let four_bits =
                    |bits| [&GOOD[..], &[0x92, 0x01, 0x04, 0x96, 0x02, 0x00, 0x00, 0x97, 0x01, bits]].concat();
                let objects = match table.frame(frame) {
                    Reply::Chip(Answer::Bytes(bytes)) => {
                        let len = u8::try_from(bytes.len()).expect("an answer that fits");
                        [
                            &GOOD[..],
                            &[0x92, 0x01, 0x00, 0x96, 0x02, 0x00, 0x00, 0x97, len],
                            &bytes,
                        ]
                        .concat()
                    }
                    Reply::Chip(Answer::Ack) => four_bits(0x0A),
                    Reply::Chip(Answer::Nak(code)) => four_bits(code),
                    // The second object had no answer of the chip.
                    Reply::Chip(Answer::Silence) | Reply::Empty => vec![0xC0, 0x03, 0x02, 0x64, 0x01],
                };
                with(&objects, DONE)
            }
            _ => UNKNOWN.to_vec(),
        }
    }
}
