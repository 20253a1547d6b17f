//! AES-128 as a block, the CMAC built on it, and the keys of one chip derived from the keys of a batch.
//!
//! Everything here asks for one block at a time, because that is what a key gives that must never leave its store.

use std::convert::Infallible;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};

use super::Uid;

/// One block of AES.
pub type Block = [u8; 16];

/// The polynomial of GF(2^128) that CMAC doubles by (NIST SP 800-38B, 5.3).
const RB: u8 = 0x87;

/// The constant that makes a diversified key from its input (AN10922, 2.2: AES-128).
const DIVERSIFY: u8 = 0x01;

/// Somebody who encrypts one block under a key: software, or a key store that keeps the key.
pub trait BlockEncrypt {
    /// Why a key store refuses. Software never does.
    type Refusal;
    /// AES-128 of one block.
    fn encrypt(&self, block: Block) -> Result<Block, Self::Refusal>;
}

/// An AES-128 key in memory with its round keys.
#[derive(Clone)]
pub struct AesKey(Aes128);

impl AesKey {
    /// From 16 bytes in the order of FIPS 197.
    pub fn new(key: &Block) -> Self {
        Self(Aes128::new(key.into()))
    }

    /// AES-128 of one block.
    pub fn encrypted(&self, block: Block) -> Block {
        let mut out = block.into();
        self.0.encrypt_block(&mut out);
        out.into()
    }

    /// The block that encrypts to this one.
    pub fn decrypted(&self, block: Block) -> Block {
        let mut out = block.into();
        self.0.decrypt_block(&mut out);
        out.into()
    }

    /// CMAC of a message.
    pub fn cmac(&self, message: &[u8]) -> Block {
        let Ok(mac) = cmac(self, message);
        mac
    }
}

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesKey(kept)")
    }
}

impl BlockEncrypt for AesKey {
    type Refusal = Infallible;

    fn encrypt(&self, block: Block) -> Result<Block, Infallible> {
        Ok(self.encrypted(block))
    }
}

fn doubled(block: Block) -> Block {
    let wide = u128::from_be_bytes(block);
    let carry = if wide >> 127 == 1 { u128::from(RB) } else { 0 };
    ((wide << 1) ^ carry).to_be_bytes()
}

fn xored(a: Block, b: Block) -> Block {
    (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes()
}

/// The last part of a message, filled up to a block with `80 00 ..`.
fn padded(rest: &[u8]) -> Block {
    let mut block = [0; 16];
    for (to, from) in block.iter_mut().zip(rest.iter().chain(&[0x80])) {
        *to = *from;
    }
    block
}

/// CMAC with AES-128 (NIST SP 800-38B; RFC 4493).
pub fn cmac<K: BlockEncrypt>(key: &K, message: &[u8]) -> Result<Block, K::Refusal> {
    let k1 = doubled(key.encrypt([0; 16])?);
    let (blocks, rest) = message.as_chunks::<16>();
    let (body, last) = match blocks.split_last() {
        Some((last, body)) if rest.is_empty() => (body, xored(*last, k1)),
        _ => (blocks, xored(padded(rest), doubled(k1))),
    };
    let mut state = [0; 16];
    for block in body {
        state = key.encrypt(xored(state, *block))?;
    }
    key.encrypt(xored(state, last))
}

/// The eight bytes of a CMAC that go over the air and into a record: the odd ones (MF0AES20 data sheet, secure messaging).
pub fn truncated(mac: Block) -> [u8; 8] {
    let [_, b1, _, b3, _, b5, _, b7, _, b9, _, b11, _, b13, _, b15] = mac;
    [b1, b3, b5, b7, b9, b11, b13, b15]
}

/// A key of its own for whoever the input names (AN10922, AES-128): the CMAC over `01 | input`, always over two blocks.
///
/// `None` when the input does not fit into the 31 bytes that the note allows.
pub fn diversified<K: BlockEncrypt>(key: &K, input: &[u8]) -> Option<Result<Block, K::Refusal>> {
    if input.is_empty() || input.len() > 31 {
        return None;
    }
    let derive = || {
        let mut padded = [0; 32];
        for (to, from) in padded.iter_mut().zip([DIVERSIFY].iter().chain(input).chain(&[0x80])) {
            *to = *from;
        }
        let k1 = doubled(key.encrypt([0; 16])?);
        let last_mask = if input.len() == 31 { k1 } else { doubled(k1) };
        let wide = |half: &[u8]| {
            half.iter()
                .fold(0_u128, |wide, byte| wide << 8 | u128::from(*byte))
                .to_be_bytes()
        };
        let (first, last) = padded.split_at(16);
        let state = key.encrypt(wide(first))?;
        key.encrypt(xored(state, xored(wide(last), last_mask)))
    };
    Some(derive())
}

/// What a key of one chip is for. The word is part of its derivation: no two purposes share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The key the chip itself checks.
    Auth,
    /// The key of the record's MAC. It is never on the chip.
    Purse,
}

/// The key of one chip: `AN10922(master, UID | purpose | keyset)`.
pub fn chip_key<K: BlockEncrypt>(master: &K, uid: Uid, purpose: Purpose, keyset: u8) -> Result<Block, K::Refusal> {
    let word: &[u8] = match purpose {
        Purpose::Auth => b"auth",
        Purpose::Purse => b"purse",
    };
    let input = [&uid.0, word, &[keyset]].concat();
    diversified(master, &input).unwrap_or_else(|| unreachable!("13 bytes at most"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::parse_hex;

    fn bytes(hex: &str) -> Vec<u8> {
        parse_hex(hex).unwrap()
    }

    fn block(hex: &str) -> Block {
        bytes(hex).try_into().unwrap()
    }

    #[test]
    fn the_cmac_of_rfc_4493_comes_out() {
        let key = AesKey::new(&block("2b7e151628aed2a6abf7158809cf4f3c"));
        let message = bytes(concat!(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
            "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        ));
        for (len, mac) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
            (64, "51f0bebf7e3b9d92fc49741779363cfe"),
        ] {
            assert_eq!(key.cmac(message.get(..len).unwrap()), block(mac), "{len} bytes");
        }
    }

    #[test]
    fn the_diversified_key_of_an10922_comes_out() {
        let key = AesKey::new(&block("00112233445566778899aabbccddeeff"));
        let input = bytes("04782e21801d803042f54e585020416275");
        assert_eq!(
            diversified(&key, &input),
            Some(Ok(block("a8dd63a3b89d54b37ca802473fda9175")))
        );
        assert_eq!(diversified(&key, &[]), None);
        assert_eq!(diversified(&key, &[0; 32]), None);
        assert_ne!(diversified(&key, &[0; 31]), diversified(&key, &[0; 30]));
    }

    #[test]
    fn a_block_decrypts_to_what_was_encrypted() {
        let key = AesKey::new(&[7; 16]);
        assert_eq!(key.decrypted(key.encrypted([9; 16])), [9; 16]);
    }
}
