//! The MAC channel of MIFARE Ultralight AES (MF0AES20 data sheet, secure messaging; AN13452): both ends of it.
//!
//! Data stays in clear on the air; the MAC says that it came from the other end, in this place of this session.

use shared_protocol::purse::cipher::truncated;
use shared_protocol::purse::{AesKey, Block};

/// Label, counter and length that lead the session vector (data sheet: "MAC" vector).
const SESSION_VECTOR: [u8; 6] = [0x5A, 0xA5, 0x00, 0x01, 0x00, 0x80];

/// Bytes of a MAC on the air.
pub(crate) const MAC_BYTES: usize = 8;

/// The first byte goes to the end: how either side shows that it decrypted the other's random number.
pub(crate) fn rotated(block: Block) -> Block {
    u128::from_be_bytes(block).rotate_left(8).to_be_bytes()
}

/// An open channel: the session key and how many frames went by. Equality is that of the reader's place, for tests and state keys.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    key: AesKey,
    counter: u16,
}

impl Channel {
    /// The channel that an authentication with `key` and these random numbers opens.
    pub(crate) fn open(key: &AesKey, rnd_a: Block, rnd_b: Block) -> Self {
        let [a0, a1, a_rest @ ..] = rnd_a;
        let [b0, b1, b2, b3, b4, b5, ..] = rnd_b;
        let [_, _, _, _, _, _, b_tail @ ..] = rnd_b;
        let [a2, a3, a4, a5, a6, a7, a_tail @ ..] = a_rest;
        let mixed = [a2 ^ b0, a3 ^ b1, a4 ^ b2, a5 ^ b3, a6 ^ b4, a7 ^ b5];
        let vector = [&SESSION_VECTOR[..], &[a0, a1], &mixed, &b_tail, &a_tail].concat();
        Self {
            key: AesKey::new(&key.cmac(&vector)),
            counter: 0,
        }
    }

    fn mac(&self, counter: u16, body: &[u8]) -> [u8; MAC_BYTES] {
        let mut message = Vec::with_capacity(2 + body.len());
        message.extend_from_slice(&counter.to_le_bytes());
        message.extend_from_slice(body);
        truncated(self.key.cmac(&message))
    }

    /// The MAC of the command that is next.
    pub(crate) fn command_mac(&self, command: &[u8]) -> [u8; MAC_BYTES] {
        self.mac(self.counter, command)
    }

    /// The MAC of the answer to the command that is next.
    pub(crate) fn answer_mac(&self, answer: &[u8]) -> [u8; MAC_BYTES] {
        self.mac(self.counter.wrapping_add(1), answer)
    }

    /// A command and its answer went by.
    ///
    /// The counter has 16 bits; a session of 32,768 commands does not happen, and one that wraps repeats no key.
    pub(crate) fn advance(&mut self) {
        self.counter = self.counter.wrapping_add(2);
    }
}

/// Whether two MACs are the same, in a time that does not depend on where they differ.
pub(crate) fn same(ours: &[u8], theirs: &[u8]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use shared_protocol::ids::parse_hex;

    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        parse_hex(hex).unwrap().try_into().unwrap()
    }

    /// Zero key, numbers and MAC as the application note prints them.
    #[test]
    fn the_session_of_the_application_note_comes_out() {
        let key = AesKey::new(&[0; 16]);
        let rnd_b = key.decrypted(bytes("374142dafb0ab97183d846eb7ed379e0"));
        assert_eq!(rnd_b, bytes("0d2bba17011098e9864c8aa5192af796"));
        let channel = Channel::open(&key, bytes("42bdf7e08e110f14b6d3323d14f1c2b9"), rnd_b);
        assert_eq!(
            channel.key.encrypted([0; 16]),
            AesKey::new(&bytes("d6b4f8ac7a66cfa041dc179a154543bf")).encrypted([0; 16])
        );
        assert_eq!(channel.command_mac(&[0x60]), bytes("1d5de802d6751670"));
    }

    /// As recorded on the air with a real chip.
    #[test]
    fn the_recorded_session_of_a_real_chip_comes_out() {
        let key = AesKey::new(&[0; 16]);
        let channel = Channel::open(&key, [1; 16], bytes("0c83a4048f9118b0291224d23224012d"));
        assert_eq!(channel.command_mac(&[0x60]), bytes("0f27d551860270d8"));
        assert_eq!(
            channel.answer_mac(&bytes::<8>("0004030104000f03")),
            bytes("0c710e842217fd95")
        );
    }

    #[test]
    fn a_mac_of_another_length_is_not_the_same() {
        assert!(same(&[1, 2], &[1, 2]));
        assert!(!same(&[1, 2], &[1, 3]));
        assert!(!same(&[1, 2], &[1]));
    }
}
