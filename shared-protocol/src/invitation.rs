//! What a registration code says: the QR on the sheet that an admin prints, and the text under it for a device without a camera.
//!
//! `GROSCHEN:1:` and then the CBOR of [`Invitation`] in capital hexadecimal digits: QR codes have a denser alphabet for capitals and digits.

use serde::{Deserialize, Serialize};

use crate::crypto::Hash32;
use crate::ids::{SlotId, hex, parse_hex};
use crate::{decode, encode};

const PREFIX: &str = "GROSCHEN:1:";

/// A code longer than this is none of ours.
const TEXT_MAX: usize = 1_024;

/// An invitation to become a terminal. Whoever has it first may use it, once, until it expires.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The slot.
    pub slot: SlotId,
    /// Its 128-bit secret.
    #[serde(with = "secret")]
    pub secret: [u8; 16],
    /// Where terminals connect, `ws://…` or `wss://…`.
    pub server: String,
    /// Digest of the event's config key: then a server in between cannot pass off its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_key: Option<Hash32>,
    /// Digest of the certificate of the authority that the server's own is from ([`authority_digest`]), where it speaks TLS itself: a phone trusts that one
    /// and no list of its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Hash32>,
}

/// The digest by which an invitation names an authority: of its certificate's DER.
pub fn authority_digest(certificate: &[u8]) -> Hash32 {
    Hash32::of("groschen authority", &[certificate])
}

/// A text that is no registration code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no registration code of Groschen, or not all of it; scan or copy it again")]
pub struct NotAnInvitation;

impl Invitation {
    /// The code's text.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", hex(&encode(self)).to_ascii_uppercase())
    }

    /// Reads a code.
    pub fn parse(text: &str) -> Result<Self, NotAnInvitation> {
        let digits = text
            .trim()
            .strip_prefix(PREFIX)
            .filter(|digits| digits.len() <= TEXT_MAX)
            .ok_or(NotAnInvitation)?;
        let bytes = parse_hex(digits).ok_or(NotAnInvitation)?;
        decode(&bytes).map_err(|_| NotAnInvitation)
    }
}

/// The secret is a byte string of 16 bytes.
mod secret {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::ids::Bytes;

    pub fn serialize<S: Serializer>(secret: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        Bytes(secret.to_vec()).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        let bytes = Bytes::deserialize(from)?;
        bytes
            .0
            .try_into()
            .map_err(|_| serde::de::Error::custom("a secret has 16 bytes"))
    }
}

/// The secret is shown on paper, not in logs.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation")
            .field("slot", &self.slot)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Invitation {
        Invitation {
            slot: SlotId([7; 16]),
            secret: [9; 16],
            server: "wss://festival.example:8450/terminal".to_owned(),
            config_key: Some(Hash32([3; 32])),
            authority: Some(authority_digest(b"a certificate")),
        }
    }

    #[test]
    fn a_code_reads_back_and_needs_only_the_dense_alphabet_of_qr_codes() {
        let text = sample().text();
        assert_eq!(Invitation::parse(&format!(" {text}\n")), Ok(sample()));
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b':')
        );
        assert!(!format!("{:?}", sample()).contains('9'));
    }

    #[test]
    fn half_a_code_or_another_one_is_refused() {
        let text = sample().text();
        let long = format!("{PREFIX}{}", "AA".repeat(TEXT_MAX));
        let short_secret = sample()
            .text()
            .replace(&format!("50{}", "09".repeat(16)), &format!("4F{}", "09".repeat(15)));
        for wrong in [
            &text[..text.len() - 2],
            &text[1..],
            "",
            "https://example.org",
            &long,
            &short_secret,
        ] {
            assert_eq!(Invitation::parse(wrong), Err(NotAnInvitation), "{wrong}");
        }
    }
}
