//! A conversation with a chip that speaks ISO-DEP: wrapped commands, `AuthenticateEV2First`, frames under MAC and encryption.

use shared_protocol::purse::{AesKey, Block};

use super::channel::{Direction, Ev2Channel, cbc_decrypted, cbc_encrypted};
use crate::channel::{rotated, same};
use crate::field::{Field, FieldFault};

/// Bytes of a MAC.
const MAC_BYTES: usize = 8;
/// All is well.
pub(crate) const STATUS_OK: u8 = 0x00;
/// More is to come.
pub(crate) const STATUS_MORE: u8 = 0xAF;

/// Commands.
pub(crate) mod command {
    pub(crate) const AUTHENTICATE_EV2_FIRST: u8 = 0x71;
    pub(crate) const MORE: u8 = 0xAF;
    pub(crate) const SELECT_APPLICATION: u8 = 0x5A;
    pub(crate) const GET_VALUE: u8 = 0x6C;
    pub(crate) const CREDIT: u8 = 0x0C;
    pub(crate) const DEBIT: u8 = 0xDC;
    pub(crate) const WRITE_RECORD: u8 = 0x3B;
    pub(crate) const READ_RECORDS: u8 = 0xBB;
    pub(crate) const COMMIT: u8 = 0xC7;
}

/// A command wrapped as ISO/IEC 7816-4 wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apdu {
    /// The command.
    pub command: u8,
    /// Its data.
    pub data: Vec<u8>,
}

impl Apdu {
    /// On the air.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x90, self.command, 0x00, 0x00];
        if !self.data.is_empty() {
            bytes.push(u8::try_from(self.data.len()).unwrap_or_else(|_| unreachable!("no command here is that long")));
            bytes.extend_from_slice(&self.data);
        }
        bytes.push(0x00);
        bytes
    }

    /// As a chip reads it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (command, data) = match bytes {
            [0x90, command, 0x00, 0x00, 0x00] => (*command, Vec::new()),
            [0x90, command, 0x00, 0x00, length, data @ .., 0x00] if data.len() == usize::from(*length) => {
                (*command, data.to_vec())
            }
            _ => return None,
        };
        Some(Self { command, data })
    }
}

/// Why a command has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NativeFault {
    /// The field.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The chip refused with this status.
    #[error("the wristband refused with status {0:02x}")]
    Status(u8),
    /// An answer of another length or form.
    #[error("the wristband answered with something else")]
    Malformed,
    /// An answer whose MAC does not hold.
    #[error("the wristband's answer is not genuine")]
    BadMac,
    /// The chip does not know the key.
    #[error("the wristband does not know the key")]
    NotAuthentic,
    /// The random number that was passed in is none.
    #[error("the device has no good randomness")]
    Entropy,
    /// The link failed before.
    #[error("the conversation with the wristband is over")]
    Dead,
}

/// A chip that was selected.
#[derive(Debug)]
pub struct NativeLink<F> {
    field: F,
    channel: Option<Ev2Channel>,
    dead: bool,
}

fn blocks<const N: usize>(bytes: &[u8]) -> Option<[Block; N]> {
    let (blocks, rest) = bytes.as_chunks::<16>();
    if rest.is_empty() { blocks.try_into().ok() } else { None }
}

impl<F: Field> NativeLink<F> {
    /// A chip to which nothing was said yet.
    pub fn new(field: F) -> Self {
        Self {
            field,
            channel: None,
            dead: false,
        }
    }

    /// The field, for a new selection.
    pub fn into_field(self) -> F {
        self.field
    }

    /// Status and data of the answer.
    fn exchange(&mut self, command: u8, data: Vec<u8>) -> Result<(u8, Vec<u8>), NativeFault> {
        if std::mem::replace(&mut self.dead, true) {
            return Err(NativeFault::Dead);
        }
        let mut answer = self.field.transceive(&Apdu { command, data }.bytes())?;
        let (Some(status), Some(0x91)) = (answer.pop(), answer.pop()) else {
            return Err(NativeFault::Malformed);
        };
        self.dead = false;
        Ok((status, answer))
    }

    /// Refuses and ends the conversation.
    fn fail<T>(&mut self, fault: NativeFault) -> Result<T, NativeFault> {
        self.dead = true;
        Err(fault)
    }

    /// Selects an application, in clear.
    pub fn select(&mut self, application: [u8; 3]) -> Result<(), NativeFault> {
        self.channel = None;
        match self.exchange(command::SELECT_APPLICATION, application.to_vec())? {
            (STATUS_OK, _) => Ok(()),
            (status, _) => self.fail(NativeFault::Status(status)),
        }
    }

    /// Authenticates both sides and opens the channel.
    pub fn authenticate(&mut self, number: u8, key: &AesKey, rnd_a: Block) -> Result<(), NativeFault> {
        if rotated(rnd_a) == rnd_a {
            return self.fail(NativeFault::Entropy);
        }
        let (status, answer) = self.exchange(command::AUTHENTICATE_EV2_FIRST, vec![number, 0x00])?;
        let (STATUS_MORE, Some([challenge])) = (status, blocks(&answer)) else {
            return self.fail(NativeFault::Status(status));
        };
        let rnd_b = key.decrypted(challenge);
        let sent = cbc_encrypted(key, [0; 16], &[rnd_a, rotated(rnd_b)]);
        let (status, answer) = self.exchange(command::MORE, sent)?;
        if status != STATUS_OK {
            return self.fail(NativeFault::NotAuthentic);
        }
        let Some(answer) = blocks::<2>(&answer) else {
            return self.fail(NativeFault::Malformed);
        };
        let plain = cbc_decrypted(key, [0; 16], &answer);
        let Some((transaction, rest)) = plain.split_first_chunk::<4>() else {
            return self.fail(NativeFault::Malformed);
        };
        if !rest
            .first_chunk::<16>()
            .is_some_and(|proof| same(proof, &rotated(rnd_a)))
        {
            return self.fail(NativeFault::NotAuthentic);
        }
        self.channel = Some(Ev2Channel::open(key, rnd_a, rnd_b, *transaction));
        Ok(())
    }

    /// One command through the channel: header in clear, data encrypted, all under MAC; the answer likewise.
    pub(super) fn secured(&mut self, command: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, NativeFault> {
        let Some(channel) = &self.channel else {
            return self.fail(NativeFault::Dead);
        };
        let mut body = header.to_vec();
        if !data.is_empty() {
            body.extend(channel.encrypted(Direction::Command, data));
        }
        let mac = channel.mac(Direction::Command, command, &body);
        body.extend_from_slice(&mac);
        let (status, answer) = self.exchange(command, body)?;
        if status != STATUS_OK {
            return self.fail(NativeFault::Status(status));
        }
        let Some(channel) = &mut self.channel else {
            return self.fail(NativeFault::Dead);
        };
        let Some((body, mac)) = answer
            .len()
            .checked_sub(MAC_BYTES)
            .and_then(|at| answer.split_at_checked(at))
        else {
            return self.fail(NativeFault::Malformed);
        };
        if !same(&channel.mac(Direction::Answer, status, body), mac) {
            return self.fail(NativeFault::BadMac);
        }
        let plain = if body.is_empty() {
            Some(Vec::new())
        } else {
            channel.decrypted(Direction::Answer, body)
        };
        channel.advance();
        match plain {
            Some(plain) => Ok(plain),
            None => self.fail(NativeFault::Malformed),
        }
    }
}
