//! The bytes a TSE signs: log messages of TR-03151, version 2, for transactions.
//!
//! ```text
//! SEQUENCE {
//!   version 2 · type of the certified data (transaction log)
//!   [0] operation · [1] client · [2] process data · [3] process type · [5] transaction number
//!   serial number (SHA-256 of the public key) · algorithm · signature counter · log time · signature
//! }
//! ```
//! What is signed is the content of the sequence without the signature, and without the sequence's own header.

use crate::tse::Curve;

/// `0.4.0.127.0.7.3.7.1.1`: transaction log.
const TRANSACTION_LOG: [u8; 9] = [0x04, 0x00, 0x7f, 0x00, 0x07, 0x03, 0x07, 0x01, 0x01];

/// `0.4.0.127.0.7.1.1.4.1`: ECDSA, r and s one after the other; the digest follows.
const ECDSA_PLAIN: [u8; 9] = [0x04, 0x00, 0x7f, 0x00, 0x07, 0x01, 0x01, 0x04, 0x01];

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// What a TSE was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A transaction begins.
    Start,
    /// A transaction ends.
    Finish,
}

impl Operation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "StartTransaction",
            Self::Finish => "FinishTransaction",
        }
    }
}

/// One entry of a TSE's log. Times are whole seconds since 1970 (`unixTime`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMessage<'a> {
    /// What was done.
    pub operation: Operation,
    /// The till, by the name it is registered under.
    pub client: &'a str,
    /// What the transaction says; nothing at the start.
    pub process_data: &'a str,
    /// The form of what it says; nothing at the start.
    pub process_type: &'a str,
    /// The transaction.
    pub transaction: u64,
    /// SHA-256 of the public key.
    pub serial: [u8; 32],
    /// The key's curve; it fixes the digest.
    pub curve: Curve,
    /// The how-manieth signature this is.
    pub counter: u64,
    /// When, by the TSE's own clock.
    pub time_s: u64,
}

fn tlv(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len();
    if length < 0x80 {
        out.push(length.to_le_bytes()[0]);
    } else {
        let bytes = length.to_be_bytes();
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let significant = bytes.get(first..).unwrap_or_default();
        out.push(0x80 | significant.len().to_le_bytes()[0]);
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
}

/// A whole number above or equal to zero, in the fewest bytes that do not look negative.
fn integer(out: &mut Vec<u8>, tag: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let significant = bytes.get(first..).unwrap_or_default();
    let mut content = Vec::with_capacity(9);
    if significant.first().is_some_and(|byte| *byte >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(significant);
    tlv(out, tag, &content);
}

impl LogMessage<'_> {
    /// What is signed.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        integer(&mut out, INTEGER, 2);
        tlv(&mut out, OBJECT, &TRANSACTION_LOG);
        tlv(&mut out, 0x80, self.operation.as_str().as_bytes());
        tlv(&mut out, 0x81, self.client.as_bytes());
        tlv(&mut out, 0x82, self.process_data.as_bytes());
        tlv(&mut out, 0x83, self.process_type.as_bytes());
        integer(&mut out, 0x85, self.transaction);
        tlv(&mut out, OCTETS, &self.serial);
        let mut algorithm = Vec::with_capacity(12);
        let object: Vec<u8> = ECDSA_PLAIN.into_iter().chain([self.curve.digest_arc()]).collect();
        tlv(&mut algorithm, OBJECT, &object);
        tlv(&mut out, SEQUENCE, &algorithm);
        integer(&mut out, INTEGER, self.counter);
        integer(&mut out, INTEGER, self.time_s);
        out
    }

    /// The whole entry, with its signature (r and s one after the other).
    pub fn signed(&self, signature: &[u8]) -> Vec<u8> {
        let mut content = self.to_be_signed();
        tlv(&mut content, OCTETS, signature);
        let mut out = Vec::with_capacity(content.len() + 4);
        tlv(&mut out, SEQUENCE, &content);
        out
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::ids::{hex, parse_hex};

    use super::*;

    /// A message of a throw-away key that is used nowhere else, made by other software and checked by other software.
    const ELSEWHERE: &str = "3081fd020102060904007f000703070101801146696e6973685472616e73616374696f6e810954494c4c2d303030318221\
        42656c65675e342e35305f372e30305f302e30305f302e30305f2d31312e35305e830e4b617373656e62656c65672d5631850101042082aa74de5385\
        6a1afd3b6d6702da887e7bce9e4e01b95ab075d55de7ad842870300c060a04007f0007010104010402010402046b00f9c90460453b0d5830c6588c80\
        933305d562d628e163692f7d4d5fe41fccd17d901a4024805219c725b893781e8714e22cb88f9e19bf89bbdd206d1cd163986a0d5f496885b85743fe\
        2365901e30540a130ff7f056b11e086ffa21c5d4572b7bceb368db";

    #[test]
    fn a_message_has_the_bytes_that_other_software_gave_it() {
        let bytes = parse_hex(&ELSEWHERE.replace([' ', '\n'], "")).unwrap();
        let signature = bytes[bytes.len() - 96..].to_vec();
        let serial = "82aa74de53856a1afd3b6d6702da887e7bce9e4e01b95ab075d55de7ad842870";
        let message = LogMessage {
            operation: Operation::Finish,
            client: "TILL-0001",
            process_data: "Beleg^4.50_7.00_0.00_0.00_-11.50^",
            process_type: "Kassenbeleg-V1",
            transaction: 1,
            serial: parse_hex(serial).unwrap().try_into().unwrap(),
            curve: Curve::BrainpoolP384,
            counter: 4,
            time_s: 0x6b00_f9c9,
        };
        assert_eq!(hex(&message.signed(&signature)), hex(&bytes));
    }

    #[test]
    fn numbers_take_the_fewest_bytes_and_stay_positive() {
        for (number, expected) in [
            (0, "020100"),
            (127, "02017f"),
            (128, "02020080"),
            (256, "02020100"),
            (u64::MAX, "020900ffffffffffffffff"),
        ] {
            let mut out = Vec::new();
            integer(&mut out, INTEGER, number);
            assert_eq!(hex(&out), expected);
        }
    }

    #[test]
    fn lengths_from_128_on_say_how_long_they_are() {
        for (length, expected) in [(127, "047f"), (128, "048180"), (256, "04820100")] {
            let mut out = Vec::new();
            tlv(&mut out, OCTETS, &vec![0; length]);
            assert_eq!(hex(&out[..out.len() - length]), expected);
        }
    }
}
