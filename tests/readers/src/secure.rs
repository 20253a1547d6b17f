//! The terminal's side of a session with MACs (MIFARE Ultralight AES), in as few lines as a test of readers needs: what a reader must carry without
//! touching it.

use chips::{Field, FieldFault};
use shared_protocol::purse::AesKey;
use shared_protocol::purse::cipher::truncated;

/// A session under a key.
pub struct Secure {
    key: AesKey,
    counter: u16,
}

impl Secure {
    /// Authenticates with key number 0.
    pub fn open(field: &mut dyn Field, key: [u8; 16]) -> Result<Self, FieldFault> {
        let key = AesKey::new(&key);
        let rnd_a: [u8; 16] = *b"drawn by a test.";
        let rnd_b = match field.transceive(&[0x1A, 0x00])?.as_slice() {
            [0xAF, challenge @ ..] => key.decrypted(challenge.try_into().expect("a challenge has 16 bytes")),
            other => panic!("no challenge: {other:02X?}"),
        };
        let xor = |a: [u8; 16], b: [u8; 16]| (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes();
        let rotated = |block: [u8; 16]| u128::from_be_bytes(block).rotate_left(8).to_be_bytes();
        let first = key.encrypted(rnd_a);
        let second = key.encrypted(xor(first, rotated(rnd_b)));
        let answer = field.transceive(&[&[0xAF][..], &first, &second].concat())?;
        assert_eq!(
            answer,
            [&[0x00][..], &key.encrypted(rotated(rnd_a))].concat(),
            "the chip knows the key"
        );

        let mut vector = vec![0x5A, 0xA5, 0x00, 0x01, 0x00, 0x80];
        vector.extend(&rnd_a[..2]);
        vector.extend(rnd_a[2..8].iter().zip(&rnd_b[..6]).map(|(a, b)| a ^ b));
        vector.extend(&rnd_b[6..]);
        vector.extend(&rnd_a[8..]);
        Ok(Self {
            key: AesKey::new(&key.cmac(&vector)),
            counter: 0,
        })
    }

    fn mac(&mut self, body: &[u8]) -> [u8; 8] {
        let mac = truncated(self.key.cmac(&[&self.counter.to_le_bytes()[..], body].concat()));
        self.counter += 1;
        mac
    }

    /// One command and its answer, both with their MAC.
    pub fn exchange(&mut self, field: &mut dyn Field, command: &[u8]) -> Result<Vec<u8>, FieldFault> {
        let mac = self.mac(command);
        let answer = field.transceive(&[command, &mac].concat())?;
        let (data, theirs) = answer.split_at(answer.len() - 8);
        assert_eq!(theirs, self.mac(data), "the chip's MAC to {command:02X?}");
        Ok(data.to_vec())
    }
}
