//! Hash chains: "T units were credited in this chain" is a token that hashes, T times, to an anchor everybody knows.
//!
//! ```text
//! h(N) = CMAC(chain key, ..)     made by who may credit
//! h(T)                           on the chip: T units were credited
//!   | one SHA-256 block each, with chain, event, chip and place inside
//! h(0) = anchor                  in the signed list of the batch
//! ```
//!
//! Going down is useless, going up needs the key. A token is worth nothing on any other chip, in any other chain or at any other place.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::block_api::compress256;

use super::Uid;
use super::cipher::{BlockEncrypt, cmac};
use crate::ids::{fixed_bytes, write_hex};

crate::closed_enum! {
    /// Which of the three chains of a chip.
    pub enum ChainId {
        /// Cash and card at a top-up desk, also without network.
        Desk = 0,
        /// Online top-up, bonus, corrections: only the server has the key, any till may write the token.
        Server = 1,
        /// Returns of deposit and cancellations. Short: its length caps what a stolen return key is worth for each chip.
        Return = 2,
    }
}

impl ChainId {
    /// Its place in the triples of this module.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Twelve bytes that prove a number of units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub [u8; 12]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(")?;
        write_hex(f, &self.0)?;
        f.write_str(")")
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes(deserializer).map(Self)
    }
}

/// SHA-256 before the first block (FIPS 180-4, 5.3.3).
const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// One chain of one chip at one event, ready to be walked.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The one block that a step hashes: 30 bytes, already padded as FIPS 180-4 wants it.
    block: [u8; 64],
}

/// Where the place stands in the block.
const PLACE: std::ops::Range<usize> = 16..18;
/// Where the token stands in the block.
const TOKEN: std::ops::Range<usize> = 18..30;

impl Chain {
    /// The chain of this chip.
    pub fn new(event: u32, uid: Uid, chain: ChainId) -> Self {
        let mut block = [0; 64];
        let fixed = [&b"FP2c"[..], &[chain.code()], &event.to_le_bytes(), &uid.0].concat();
        for (to, from) in block.iter_mut().zip(fixed) {
            *to = from;
        }
        // Padding: the bit after the message, and its length of 240 bits at the end.
        let [.., end, _, _] = &mut block;
        *end = 0;
        if let Some(after) = block.get_mut(TOKEN.end) {
            *after = 0x80;
        }
        if let Some(length) = block.last_mut() {
            *length = 240;
        }
        Self { block }
    }

    /// From the token at one place down to another. `None` when it would be up.
    pub fn down(&self, from: u16, token: Token, to: u16) -> Option<Token> {
        if to > from {
            return None;
        }
        let mut block = self.block;
        let mut token = token.0;
        for place in (to + 1..=from).rev() {
            block.get_mut(PLACE)?.copy_from_slice(&place.to_le_bytes());
            block.get_mut(TOKEN)?.copy_from_slice(&token);
            let mut state = SHA256_START;
            compress256(&mut state, std::slice::from_ref(&block));
            let [s0, s1, s2, ..] = state;
            let ([t0, t1, t2, t3], [t4, t5, t6, t7], [t8, t9, t10, t11]) =
                (s0.to_be_bytes(), s1.to_be_bytes(), s2.to_be_bytes());
            token = [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11];
        }
        Some(Token(token))
    }
}

/// The token at the top of a chain, from which all others follow. Only who holds the chain's key can make it.
pub fn top<K: BlockEncrypt>(key: &K, event: u32, uid: Uid, chain: ChainId) -> Result<Token, K::Refusal> {
    let message = [&b"FP2s"[..], &[chain.code()], &event.to_le_bytes(), &uid.0].concat();
    let [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, ..] = cmac(key, &message)?;
    Ok(Token([t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11]))
}

/// The token at a place of a chain of this length. `None` beyond its end.
pub fn token_at<K: BlockEncrypt>(
    key: &K,
    event: u32,
    uid: Uid,
    chain: ChainId,
    length: u16,
    place: u16,
) -> Result<Option<Token>, K::Refusal> {
    let top = top(key, event, uid, chain)?;
    Ok(Chain::new(event, uid, chain).down(length, top, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purse::AesKey;

    #[test]
    fn a_walk_in_two_parts_is_a_walk() {
        let uid = Uid([4, 1, 2, 3, 4, 5, 6]);
        let chain = Chain::new(77, uid, ChainId::Server);
        let top = Token([9; 12]);
        let middle = chain.down(300, top, 120).unwrap();
        assert_eq!(chain.down(120, middle, 0), chain.down(300, top, 0));
        assert_eq!(chain.down(5, top, 5), Some(top));
        assert_eq!(chain.down(5, top, 6), None);
    }

    #[test]
    fn a_step_is_the_sha256_of_thirty_bytes() {
        use sha2::Digest as _;
        let uid = Uid([4, 1, 2, 3, 4, 5, 6]);
        let message = [
            &b"FP2c"[..],
            &[2],
            &77_u32.to_le_bytes(),
            &uid.0,
            &9_u16.to_le_bytes(),
            &[5; 12],
        ]
        .concat();
        let digest = sha2::Sha256::digest(&message);
        let stepped = Chain::new(77, uid, ChainId::Return).down(9, Token([5; 12]), 8).unwrap();
        assert_eq!(digest.get(..12), Some(&stepped.0[..]));
    }

    #[test]
    fn tokens_of_another_chip_chain_event_or_place_lead_elsewhere() {
        let key = AesKey::new(&[1; 16]);
        let (uid, other) = (Uid([4, 1, 2, 3, 4, 5, 6]), Uid([4, 1, 2, 3, 4, 5, 7]));
        let token = token_at(&key, 77, uid, ChainId::Desk, 100, 20).unwrap().unwrap();
        let anchor = Chain::new(77, uid, ChainId::Desk).down(20, token, 0);
        for stranger in [
            Chain::new(77, other, ChainId::Desk).down(20, token, 0),
            Chain::new(78, uid, ChainId::Desk).down(20, token, 0),
            Chain::new(77, uid, ChainId::Server).down(20, token, 0),
            Chain::new(77, uid, ChainId::Desk).down(21, token, 0),
            Chain::new(77, uid, ChainId::Desk).down(19, token, 0),
        ] {
            assert_ne!(stranger, anchor);
        }
    }
}
