//! The channel after `AuthenticateEV2First`: both ends of it (AN12343, AN12196).

use shared_protocol::purse::cipher::truncated;
use shared_protocol::purse::{AesKey, Block};

/// Labels that lead the session vectors.
const SV_ENCRYPT: [u8; 2] = [0xA5, 0x5A];
const SV_MAC: [u8; 2] = [0x5A, 0xA5];
/// Counter and length that follow the label.
const SV_TAIL: [u8; 4] = [0x00, 0x01, 0x00, 0x80];

/// Who speaks: part of every initialisation vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the chip.
    Command,
    /// From the chip.
    Answer,
}

/// An open channel.
#[derive(Debug, Clone)]
pub(crate) struct Ev2Channel {
    encrypt: AesKey,
    mac: AesKey,
    transaction: [u8; 4],
    counter: u16,
}

pub(crate) fn xored(a: Block, b: Block) -> Block {
    (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes()
}

/// AES-CBC over whole blocks.
pub(crate) fn cbc_encrypted(key: &AesKey, mut iv: Block, blocks: &[Block]) -> Vec<u8> {
    let mut out = Vec::with_capacity(blocks.len() * 16);
    for block in blocks {
        iv = key.encrypted(xored(iv, *block));
        out.extend_from_slice(&iv);
    }
    out
}

/// The reverse.
pub(crate) fn cbc_decrypted(key: &AesKey, mut iv: Block, blocks: &[Block]) -> Vec<u8> {
    let mut out = Vec::with_capacity(blocks.len() * 16);
    for block in blocks {
        out.extend_from_slice(&xored(key.decrypted(*block), iv));
        iv = *block;
    }
    out
}

impl Ev2Channel {
    /// The channel that an authentication with `key` and these numbers opens.
    pub(crate) fn open(key: &AesKey, rnd_a: Block, rnd_b: Block, transaction: [u8; 4]) -> Self {
        let (a_first, a_rest) = rnd_a.split_at(2);
        let (a_mixed, a_tail) = a_rest.split_at(6);
        let (b_mixed, b_tail) = rnd_b.split_at(6);
        let mixed: Vec<u8> = a_mixed.iter().zip(b_mixed).map(|(a, b)| a ^ b).collect();
        let session = |label: [u8; 2]| {
            let vector = [&label[..], &SV_TAIL, a_first, &mixed, b_tail, a_tail].concat();
            AesKey::new(&key.cmac(&vector))
        };
        Self {
            encrypt: session(SV_ENCRYPT),
            mac: session(SV_MAC),
            transaction,
            counter: 0,
        }
    }

    fn place(&self, direction: Direction) -> u16 {
        match direction {
            Direction::Command => self.counter,
            Direction::Answer => self.counter.wrapping_add(1),
        }
    }

    /// The MAC of a frame: `lead` is the command or the status.
    pub(crate) fn mac(&self, direction: Direction, lead: u8, body: &[u8]) -> [u8; 8] {
        let counter = self.place(direction).to_le_bytes();
        truncated(
            self.mac
                .cmac(&[&[lead][..], &counter, &self.transaction, body].concat()),
        )
    }

    fn iv(&self, direction: Direction) -> Block {
        let label = match direction {
            Direction::Command => SV_ENCRYPT,
            Direction::Answer => SV_MAC,
        };
        let mut iv = [0; 16];
        let counter = self.place(direction).to_le_bytes();
        for (to, from) in iv.iter_mut().zip(label.iter().chain(&self.transaction).chain(&counter)) {
            *to = *from;
        }
        self.encrypt.encrypted(iv)
    }

    /// Encrypts, filled up with `80 00 ..`.
    pub(crate) fn encrypted(&self, direction: Direction, data: &[u8]) -> Vec<u8> {
        let mut padded = data.to_vec();
        padded.push(0x80);
        padded.resize(padded.len().next_multiple_of(16), 0);
        cbc_encrypted(&self.encrypt, self.iv(direction), padded.as_chunks::<16>().0)
    }

    /// Decrypts and takes the filling away. `None` if it is not there.
    pub(crate) fn decrypted(&self, direction: Direction, data: &[u8]) -> Option<Vec<u8>> {
        let (blocks, rest) = data.as_chunks::<16>();
        if !rest.is_empty() {
            return None;
        }
        let mut plain = cbc_decrypted(&self.encrypt, self.iv(direction), blocks);
        let end = plain.iter().rposition(|byte| *byte != 0)?;
        if plain.get(end) != Some(&0x80) {
            return None;
        }
        plain.truncate(end);
        Some(plain)
    }

    /// A command and its answer went by.
    pub(crate) fn advance(&mut self) {
        self.counter = self.counter.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::ids::parse_hex;

    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        parse_hex(hex).unwrap().try_into().unwrap()
    }

    /// The session that AN12196 prints for key 0.
    #[test]
    fn the_session_of_the_application_note_comes_out() {
        let key = AesKey::new(&[0; 16]);
        let (rnd_a, rnd_b) = (
            bytes("13C5DB8A5930439FC3DEF9A4C675360F"),
            bytes("B9E2FC789B64BF237CCCAA20EC7E6E48"),
        );
        let mut channel = Ev2Channel::open(&key, rnd_a, rnd_b, bytes("9D00C4DF"));
        let same = |key: &AesKey, hex| key.encrypted([1; 16]) == AesKey::new(&bytes(hex)).encrypted([1; 16]);
        assert!(same(&channel.encrypt, "1309C877509E5A215007FF0ED19CA564"));
        assert!(same(&channel.mac, "4C6626F5E72EA694202139295C7A7FC7"));
        channel.advance();
        let data: [u8; 15] = bytes("4000E0C1F121200000430000430000");
        let sent = channel.encrypted(Direction::Command, &data);
        assert_eq!(sent, bytes::<16>("61B6D97903566E84C3AE5274467E89EA"));
        assert_eq!(channel.decrypted(Direction::Command, &sent), Some(data.to_vec()));
        assert_eq!(channel.decrypted(Direction::Answer, &sent), None);
    }
}
