//! A virtual MIFARE `DESFire` with one application: a value file, a cyclic record file, a key for debit and one for credit.

use shared_protocol::purse::{AesKey, Block, Uid};

use super::{Answer, Tear, VirtualChip};
use crate::channel::{rotated, same};
use crate::desfire::{Apdu, Direction, Ev2Channel, NativeFiles};
use crate::field::Selected;

/// The record file keeps so many.
const RECORDS: usize = 5;

#[derive(Debug, Clone)]
enum State {
    /// Nothing is selected.
    Root,
    /// The application is selected.
    Selected,
    /// A challenge was given.
    Challenged { key: u8, rnd_b: Block },
    /// Authenticated.
    Open { key: u8, channel: Box<Ev2Channel> },
}

/// A virtual MIFARE `DESFire`.
#[derive(Debug, Clone)]
pub struct DesfireChip {
    uid: Uid,
    files: NativeFiles,
    debit_key: Block,
    credit_key: Block,
    value: i32,
    records: Vec<[u8; 16]>,
    /// What the next commit makes true.
    pending: Option<(i32, Vec<[u8; 16]>)>,
    state: State,
    challenges: u64,
}

/// Status codes of the data sheet.
mod status {
    pub(super) const ILLEGAL: u8 = 0x1C;
    pub(super) const INTEGRITY: u8 = 0x1E;
    pub(super) const PERMISSION: u8 = 0x9D;
    pub(super) const APPLICATION: u8 = 0xA0;
    pub(super) const AUTHENTICATION: u8 = 0xAE;
    pub(super) const BOUNDARY: u8 = 0xBE;
    pub(super) const LENGTH: u8 = 0x7E;
}

impl DesfireChip {
    /// A chip with an empty purse.
    pub fn new(uid: Uid, files: NativeFiles, debit_key: Block, credit_key: Block) -> Self {
        Self {
            uid,
            files,
            debit_key,
            credit_key,
            value: 0,
            records: Vec::new(),
            pending: None,
            state: State::Root,
            challenges: 0,
        }
    }

    /// The committed value, read without a reader.
    pub fn value(&self) -> i32 {
        self.value
    }

    fn key(&self, number: u8) -> Option<AesKey> {
        if number == self.files.debit_key {
            Some(AesKey::new(&self.debit_key))
        } else if number == self.files.credit_key {
            Some(AesKey::new(&self.credit_key))
        } else {
            None
        }
    }

    fn first(&mut self, data: &[u8]) -> Result<(u8, Vec<u8>), u8> {
        let [number, 0x00] = data else {
            return Err(status::LENGTH);
        };
        let key = self.key(*number).ok_or(status::AUTHENTICATION)?;
        self.challenges += 1;
        let mut seed = [0x24; 16];
        for (to, from) in seed
            .iter_mut()
            .zip(self.challenges.to_le_bytes().iter().chain(&self.uid.0))
        {
            *to = *from;
        }
        let rnd_b = AesKey::new(&[0x71; 16]).encrypted(seed);
        self.state = State::Challenged { key: *number, rnd_b };
        Ok((0xAF, key.encrypted(rnd_b).to_vec()))
    }

    fn second(&mut self, number: u8, rnd_b: Block, data: &[u8]) -> Result<(u8, Vec<u8>), u8> {
        let key = self.key(number).ok_or(status::AUTHENTICATION)?;
        let ([first, second], []) = data.as_chunks::<16>() else {
            return Err(status::LENGTH);
        };
        let xored = |a: Block, b: Block| (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes();
        let rnd_a = key.decrypted(*first);
        if xored(key.decrypted(*second), *first) != rotated(rnd_b) {
            return Err(status::AUTHENTICATION);
        }
        let [b0, b1, b2, b3, ..] = key.encrypted(rnd_b);
        let transaction = [b0, b1, b2, b3];
        let plain = [&transaction[..], &rotated(rnd_a), &[0; 12]].concat();
        let (blocks, _) = plain.as_chunks::<16>();
        let mut answer = Vec::new();
        let mut iv = [0; 16];
        for block in blocks {
            iv = key.encrypted(xored(iv, *block));
            answer.extend_from_slice(&iv);
        }
        self.state = State::Open {
            key: number,
            channel: Box::new(Ev2Channel::open(&key, rnd_a, rnd_b, transaction)),
        };
        Ok((0x00, answer))
    }

    /// One command of an open session, without MAC and encryption.
    fn command(&mut self, key: u8, command: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        let (value_file, record_file) = (self.files.value_file, self.files.record_file);
        let (value, records) = self.pending.clone().unwrap_or((self.value, self.records.clone()));
        match (command, header) {
            (0x6C, [file]) if *file == value_file => Ok(self.value.to_le_bytes().to_vec()),
            (0xBB, [file, 0, 0, 0, 1, 0, 0]) if *file == record_file => match self.records.last() {
                Some(record) => Ok(record.to_vec()),
                None => Ok(vec![0; 16]),
            },
            (0xDC | 0x0C, [file]) if *file == value_file => {
                if command == 0x0C && key != self.files.credit_key {
                    return Err(status::PERMISSION);
                }
                let cents = data.try_into().map(i32::from_le_bytes).map_err(|_| status::LENGTH)?;
                let after = if command == 0x0C {
                    value.checked_add(cents)
                } else {
                    value.checked_sub(cents)
                };
                let after = after
                    .filter(|after| *after >= 0 && cents >= 0)
                    .ok_or(status::BOUNDARY)?;
                self.pending = Some((after, records));
                Ok(Vec::new())
            }
            (0x3B, [file, 0, 0, 0, 0x10, 0, 0]) if *file == record_file => {
                let record = data.try_into().map_err(|_| status::LENGTH)?;
                let mut records = records;
                records.push(record);
                if records.len() > RECORDS {
                    records.remove(0);
                }
                self.pending = Some((value, records));
                Ok(Vec::new())
            }
            (0xC7, []) => {
                (self.value, self.records) = (value, records);
                self.pending = None;
                Ok(Vec::new())
            }
            _ => Err(status::ILLEGAL),
        }
    }

    fn secured(&mut self, command: u8, data: &[u8]) -> Result<(u8, Vec<u8>), u8> {
        let State::Open { key, channel } = &self.state else {
            return Err(status::PERMISSION);
        };
        let (key, mut channel) = (*key, channel.clone());
        let (body, mac) = data
            .len()
            .checked_sub(8)
            .and_then(|at| data.split_at_checked(at))
            .ok_or(status::LENGTH)?;
        if !same(&channel.mac(Direction::Command, command, body), mac) {
            return Err(status::INTEGRITY);
        }
        let header = match command {
            0x3B | 0xBB => 7,
            0xC7 => 0,
            _ => 1,
        };
        let (header, encrypted) = body.split_at_checked(header).ok_or(status::LENGTH)?;
        let plain = if encrypted.is_empty() {
            Vec::new()
        } else {
            channel
                .decrypted(Direction::Command, encrypted)
                .ok_or(status::INTEGRITY)?
        };
        let answer = self.command(key, command, header, &plain)?;
        let mut body = if answer.is_empty() {
            Vec::new()
        } else {
            channel.encrypted(Direction::Answer, &answer)
        };
        let mac = channel.mac(Direction::Answer, 0x00, &body);
        body.extend_from_slice(&mac);
        channel.advance();
        self.state = State::Open { key, channel };
        Ok((0x00, body))
    }
}

impl VirtualChip for DesfireChip {
    fn selected(&self) -> Selected {
        Selected {
            uid: self.uid.tag(),
            atqa: [0x03, 0x44],
            sak: 0x20,
            ats: Some(vec![0x06, 0x75, 0x77, 0x81, 0x02, 0x80]),
        }
    }

    fn frame(&mut self, frame: &[u8]) -> Answer {
        let Some(apdu) = Apdu::read(frame) else {
            return Answer::Bytes(vec![0x91, status::LENGTH]);
        };
        let result = match (&self.state, apdu.command) {
            (_, 0x60) => Ok((0xAF, vec![0x04, 0x01, 0x01, 0x33, 0x00, 0x1A, 0x05])),
            (_, 0x5A) if apdu.data == self.files.application => {
                self.state = State::Selected;
                self.pending = None;
                Ok((0x00, Vec::new()))
            }
            (_, 0x5A) => Err(status::APPLICATION),
            (State::Root, _) => Err(status::ILLEGAL),
            (_, 0x71) => self.first(&apdu.data),
            (State::Challenged { key, rnd_b }, 0xAF) => {
                let (key, rnd_b) = (*key, *rnd_b);
                self.second(key, rnd_b, &apdu.data)
            }
            (_, command) => self.secured(command, &apdu.data),
        };
        match result {
            Ok((status, mut data)) => {
                data.extend_from_slice(&[0x91, status]);
                Answer::Bytes(data)
            }
            Err(status) => {
                // Any error ends the session and forgets what was not committed.
                self.pending = None;
                if !matches!(self.state, State::Root) {
                    self.state = State::Selected;
                }
                Answer::Bytes(vec![0x91, status])
            }
        }
    }

    fn power_off(&mut self) {
        self.state = State::Root;
        self.pending = None;
    }

    fn torn(&mut self, frame: &[u8], tear: Tear) {
        // A commit is all or nothing; the other commands change nothing that lasts.
        if tear == Tear::Done {
            let _ = self.frame(frame);
        }
        self.power_off();
    }

    fn writes(&self, frame: &[u8]) -> u32 {
        match Apdu::read(frame).map(|apdu| apdu.command) {
            Some(0xC7) => 2,
            Some(0x3B | 0xDC | 0x0C) => 1,
            _ => 0,
        }
    }
}
