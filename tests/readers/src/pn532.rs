//! A PN532 as libnfc and the firmware of an ACR122U know it: its commands, and its frames on a serial line.

use chips::simulated::Answer;

use crate::{Reply, Table};

/// Error codes of the PN532 (user manual, 7.1).
const TIMEOUT: u8 = 0x01;
const CRC: u8 = 0x02;
const AUTHENTICATION: u8 = 0x14;
const NOT_ACCEPTABLE: u8 = 0x27;

const SET_PARAMETERS_AUTO_RATS: u8 = 0x10;
const SAK_ISO_DEP: u8 = 0x20;

/// `ACK`: a command arrived.
const ACK: [u8; 6] = [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00];
/// "Application level error": what it says to a command that it does not know.
const SYNTAX_ERROR: [u8; 8] = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];

/// The two commands that carry frames to a chip: `InCommunicateThru` and `InDataExchange`. `None` for any other.
pub(crate) fn exchange(command: &[u8], table: &Table) -> Option<Vec<u8>> {
    match command {
        [0xD4, 0x42, frame @ ..] => Some(match table.frame(frame) {
            Reply::Chip(Answer::Bytes(bytes)) => [&[0xD5, 0x43, 0x00], bytes.as_slice()].concat(),
            // Four bits are no bytes with a checksum.
            Reply::Chip(Answer::Ack | Answer::Nak(_)) => vec![0xD5, 0x43, CRC],
            Reply::Chip(Answer::Silence) | Reply::Empty => vec![0xD5, 0x43, TIMEOUT],
        }),
        [0xD4, 0x40, 0x01, frame @ ..] => {
            let iso_dep = table.selected().is_some_and(|selected| selected.ats.is_some());
            // It knows READ, and WRITE without a MAC; what it would make of the rest is not wanted.
            if !iso_dep && !matches!(frame, [0x30, _] | [0xA2, _, _, _, _, _]) {
                return Some(vec![0xD5, 0x41, NOT_ACCEPTABLE]);
            }
            Some(match table.frame(frame) {
                Reply::Chip(Answer::Bytes(bytes)) => [&[0xD5, 0x41, 0x00], bytes.as_slice()].concat(),
                Reply::Chip(Answer::Ack) => vec![0xD5, 0x41, 0x00],
                Reply::Chip(Answer::Nak(_)) => vec![0xD5, 0x41, AUTHENTICATION],
                Reply::Chip(Answer::Silence) | Reply::Empty => vec![0xD5, 0x41, TIMEOUT],
            })
        }
        _ => None,
    }
}

/// A PN532 on a serial line.
#[derive(Default)]
pub(crate) struct Pn532 {
    inbox: Vec<u8>,
    auto_rats: bool,
}

impl Pn532 {
    /// Takes bytes of the host and gives what goes back to it.
    pub(crate) fn bytes(&mut self, bytes: &[u8], table: &Table) -> Vec<u8> {
        self.inbox.extend(bytes);
        let mut out = Vec::new();
        while let Some(command) = command(&mut self.inbox) {
            out.extend(ACK);
            match self.command(&command, table) {
                Some(answer) => out.extend(frame(&answer)),
                None => out.extend(SYNTAX_ERROR),
            }
        }
        out
    }

    fn command(&mut self, command: &[u8], table: &Table) -> Option<Vec<u8>> {
        Some(match command {
            [0xD4, 0x42 | 0x40, ..] => exchange(command, table)?,
            // Diagnose, communication line test: what came goes back.
            [0xD4, 0x00, 0x00, text @ ..] => [&[0xD5, 0x01, 0x00], text].concat(),
            // GetFirmwareVersion: a PN532 with firmware 1.6 that knows types A, B and ISO 18092.
            [0xD4, 0x02] => vec![0xD5, 0x03, 0x32, 0x01, 0x06, 0x07],
            // ReadRegister: as many values as addresses.
            [0xD4, 0x06, addresses @ ..] => {
                let mut answer = vec![0xD5, 0x07];
                answer.resize(2 + addresses.len() / 2, 0x00);
                answer
            }
            [0xD4, 0x12, parameters] => {
                self.auto_rats = parameters & SET_PARAMETERS_AUTO_RATS != 0;
                vec![0xD5, 0x13]
            }
            // RFConfiguration, item 1: the field.
            [0xD4, 0x32, 0x01, field] => {
                if field & 0x01 == 0 {
                    table.power_off();
                }
                vec![0xD5, 0x33]
            }
            [0xD4, code @ (0x08 | 0x14 | 0x32), ..] => vec![0xD5, code + 1],
            // InListPassiveTarget, type A at 106 kbit/s.
            [0xD4, 0x4A, _, 0x00, ..] => self.list(table),
            // InDeselect, InRelease, PowerDown: a state of the chip ends.
            [0xD4, code @ (0x16 | 0x44 | 0x52), ..] => {
                table.power_off();
                vec![0xD5, code + 1, 0x00]
            }
            _ => return None,
        })
    }

    fn list(&self, table: &Table) -> Vec<u8> {
        // To be selected anew, a chip falls back to where it knows nothing.
        table.power_off();
        let Some(selected) = table.selected() else {
            return vec![0xD5, 0x4B, 0x00];
        };
        let uid = selected.uid.as_slice();
        let [atqa_1, atqa_2] = selected.atqa;
        let uid_len = u8::try_from(uid.len()).expect("an id is short");
        let mut answer = vec![0xD5, 0x4B, 0x01, 0x01, atqa_1, atqa_2, selected.sak, uid_len];
        answer.extend(uid);
        if self.auto_rats && selected.sak & SAK_ISO_DEP != 0 {
            answer.extend(selected.ats.unwrap_or_default());
        }
        answer
    }
}

/// A normal information frame of the PN532 (user manual, 6.2.1.1).
fn frame(data: &[u8]) -> Vec<u8> {
    let len = u8::try_from(data.len()).expect("answers fit a normal frame");
    let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mut frame = vec![0x00, 0x00, 0xFF, len, 0_u8.wrapping_sub(len)];
    frame.extend(data);
    frame.extend([0_u8.wrapping_sub(sum), 0x00]);
    frame
}

/// Takes the next whole command from what came; wake-up bytes and acknowledgements are passed over.
fn command(inbox: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let start = inbox.windows(2).position(|pair| pair == [0x00, 0xFF])?;
        match inbox.get(start + 2..)? {
            // An acknowledgement, by which a host breaks off.
            [0x00, 0xFF, ..] => drop(inbox.drain(..start + 4)),
            [len, check, rest @ ..] if len.wrapping_add(*check) == 0 => {
                let len = usize::from(*len);
                if rest.len() < len + 1 {
                    return None;
                }
                let data: Vec<u8> = rest.iter().take(len + 1).copied().collect();
                inbox.drain(..=start + 4 + len);
                let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                assert_eq!(sum, 0, "a frame with a wrong checksum: {data:02X?}");
                return data.split_last().map(|(_, data)| data.to_vec());
            }
            [_, _, ..] => drop(inbox.drain(..=start)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_checksums_of_the_manual() {
        // GetFirmwareVersion and its answer, as the manual prints them.
        assert_eq!(
            frame(&[0xD5, 0x03, 0x32, 0x01, 0x06, 0x07]),
            [
                0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00
            ]
        );
        let mut inbox = vec![0x00, 0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A, 0x00];
        assert_eq!(command(&mut inbox), Some(vec![0xD4, 0x02]));
    }

    #[test]
    fn commands_are_found_behind_a_wake_up_and_in_pieces() {
        let mut inbox = vec![0x55, 0x55, 0x00, 0x00, 0x00, 0x00, 0x00];
        inbox.extend(ACK);
        inbox.extend([0x00, 0x00, 0xFF, 0x03, 0xFD, 0xD4, 0x14]);
        assert_eq!(command(&mut inbox), None);
        inbox.extend([0x01, 0x17, 0x00, 0x00, 0xFF]);
        assert_eq!(command(&mut inbox), Some(vec![0xD4, 0x14, 0x01]));
        assert_eq!(command(&mut inbox), None);
    }
}
