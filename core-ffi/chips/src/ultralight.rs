//! A conversation with a MIFARE Ultralight AES: commands, authentication, the MAC channel.
//!
//! A link that failed once is dead: the chip forgot its session or is gone, and whatever comes next is a new selection.

use shared_protocol::purse::{AesKey, Block};

use crate::channel::{Channel, MAC_BYTES, rotated, same};
use crate::field::{ACK, Field, FieldFault};

/// Which key of the chip to authenticate with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNumber {
    /// Guards the data.
    DataProt,
    /// Guards the id of chips that draw a random one.
    UidRetrieval,
}

/// Why a command has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// The field.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// An answer of another length or form than the command has.
    #[error("the wristband answered with something else")]
    Malformed,
    /// An answer whose MAC does not hold: somebody is in between, or another wristband.
    #[error("the wristband's answer is not genuine")]
    BadMac,
    /// The chip does not know the key, or only pretends to.
    #[error("the wristband does not know the key")]
    NotAuthentic,
    /// The random number that was passed in is none: nothing was sent.
    #[error("the device has no good randomness")]
    Entropy,
    /// The link failed before.
    #[error("the conversation with the wristband is over")]
    Dead,
}

/// A chip that was selected.
#[derive(Debug)]
pub struct Link<F> {
    field: F,
    channel: Option<Channel>,
    dead: bool,
}

impl<F: Field> Link<F> {
    /// A chip that was selected and to which nothing was said yet.
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

    /// Selects the chip anew and begins again.
    pub fn reselect(&mut self) -> Result<crate::field::Selected, LinkFault> {
        self.channel = None;
        self.dead = true;
        let selected = self.field.reselect()?;
        self.dead = false;
        Ok(selected)
    }

    /// Whether commands go through a channel.
    pub fn secured(&self) -> bool {
        self.channel.is_some()
    }

    fn exchange(&mut self, frame: &[u8]) -> Result<Vec<u8>, LinkFault> {
        if self.dead {
            return Err(LinkFault::Dead);
        }
        self.field.transceive(frame).map_err(|fault| {
            self.dead = true;
            fault.into()
        })
    }

    fn fail(&mut self, fault: LinkFault) -> LinkFault {
        self.dead = true;
        fault
    }

    /// One command; through the channel if there is one. `acknowledged` commands have no answer but yes.
    fn command(&mut self, command: &[u8], acknowledged: bool) -> Result<Vec<u8>, LinkFault> {
        let Some(channel) = &self.channel else {
            let answer = self.exchange(command)?;
            return match (acknowledged, answer.as_slice()) {
                (true, [ACK]) => Ok(Vec::new()),
                (true, _) => Err(self.fail(LinkFault::Malformed)),
                (false, _) => Ok(answer),
            };
        };
        let mac = channel.command_mac(command);
        let mut frame = Vec::with_capacity(command.len() + MAC_BYTES);
        frame.extend_from_slice(command);
        frame.extend_from_slice(&mac);
        let mut answer = self.exchange(&frame)?;
        let Some(body) = answer.len().checked_sub(MAC_BYTES) else {
            return Err(self.fail(LinkFault::Malformed));
        };
        let genuine = match (&mut self.channel, answer.split_at_checked(body)) {
            (Some(channel), Some((body, mac))) => {
                let genuine = same(&channel.answer_mac(body), mac);
                channel.advance();
                genuine
            }
            _ => false,
        };
        if !genuine {
            return Err(self.fail(LinkFault::BadMac));
        }
        if acknowledged && body > 0 {
            return Err(self.fail(LinkFault::Malformed));
        }
        answer.truncate(body);
        Ok(answer)
    }

    fn answered<const N: usize>(&mut self, command: &[u8]) -> Result<[u8; N], LinkFault> {
        let answer = self.command(command, false)?;
        answer.try_into().map_err(|_| self.fail(LinkFault::Malformed))
    }

    /// Product and storage of the chip.
    pub fn version(&mut self) -> Result<[u8; 8], LinkFault> {
        self.answered(&[0x60])
    }

    /// Four pages. A chip that guards pages rolls over before them instead of refusing: nothing read in clear proves where it was read.
    pub fn read(&mut self, page: u8) -> Result<[u8; 16], LinkFault> {
        self.answered(&[0x30, page])
    }

    /// All pages from the first to the last.
    pub fn read_pages(&mut self, first: u8, last: u8) -> Result<Vec<u8>, LinkFault> {
        let pages = usize::from(last.saturating_sub(first)) + 1;
        let answer = self.command(&[0x3A, first, last], false)?;
        if answer.len() != pages * 4 {
            return Err(self.fail(LinkFault::Malformed));
        }
        Ok(answer)
    }

    /// One page. Only a chip that says yes wrote it; any fault leaves the page unknown.
    pub fn write(&mut self, page: u8, bytes: [u8; 4]) -> Result<(), LinkFault> {
        let [b0, b1, b2, b3] = bytes;
        self.command(&[0xA2, page, b0, b1, b2, b3], true).map(drop)
    }

    /// A counter.
    pub fn counter(&mut self, counter: u8) -> Result<u32, LinkFault> {
        let [b0, b1, b2] = self.answered(&[0x39, counter])?;
        Ok(u32::from_le_bytes([b0, b1, b2, 0]))
    }

    /// Adds to a counter. Only a chip that says yes counted; any fault leaves the counter unknown.
    pub fn increment(&mut self, counter: u8, addend: u32) -> Result<(), LinkFault> {
        let [b0, b1, b2, high] = addend.to_le_bytes();
        assert!(high == 0, "a counter has 24 bits: {addend}");
        self.command(&[0xA5, counter, b0, b1, b2, 0], true).map(drop)
    }

    /// The maker's signature over the id.
    pub fn signature(&mut self) -> Result<[u8; 48], LinkFault> {
        self.answered(&[0x3C, 0x00])
    }

    /// Authenticates both sides. `secured` says whether the chip is configured for a channel afterwards.
    ///
    /// The initialisation vector is zero for every message of this chip, so the random number must not be one that a chip can answer by echoing
    /// our own message: a constant one is refused, and so is an echo.
    pub fn authenticate(
        &mut self,
        number: KeyNumber,
        key: &AesKey,
        rnd_a: Block,
        secured: bool,
    ) -> Result<(), LinkFault> {
        if rotated(rnd_a) == rnd_a {
            return Err(self.fail(LinkFault::Entropy));
        }
        self.channel = None;
        let number = match number {
            KeyNumber::DataProt => 0,
            KeyNumber::UidRetrieval => 1,
        };
        let answer = self.exchange(&[0x1A, number])?;
        let challenge: Block = match answer.split_first() {
            Some((0xAF, challenge)) if challenge.len() == 16 => block(challenge),
            _ => return Err(self.fail(LinkFault::Malformed)),
        };
        let rnd_b = key.decrypted(challenge);
        let first = key.encrypted(rnd_a);
        let second = key.encrypted(xored(first, rotated(rnd_b)));
        let mut frame = vec![0xAF];
        frame.extend_from_slice(&first);
        frame.extend_from_slice(&second);
        let answer = match self.exchange(&frame) {
            Err(LinkFault::Field(FieldFault::Nak(_))) => return Err(self.fail(LinkFault::NotAuthentic)),
            other => other?,
        };
        let proof: Block = match answer.split_first() {
            Some((0x00, proof)) if proof.len() == 16 => block(proof),
            _ => return Err(self.fail(LinkFault::Malformed)),
        };
        let echoed = proof == first || proof == second || proof == challenge;
        if echoed || !same(&proof, &key.encrypted(rotated(rnd_a))) {
            return Err(self.fail(LinkFault::NotAuthentic));
        }
        self.channel = secured.then(|| Channel::open(key, rnd_a, rnd_b));
        Ok(())
    }
}

fn block(bytes: &[u8]) -> Block {
    let mut block = [0; 16];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}

fn xored(a: Block, b: Block) -> Block {
    (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes()
}
