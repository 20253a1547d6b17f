//! Certificates as TSEs hand them out: DER one after the other, or PEM. Only two things are read here, where one ends and until when it is valid;
//! whether a chain holds is a verifier's business.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;

use crate::tlv;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The optional version at the front of a certificate.
const VERSION: u8 = 0xa0;

/// The certificates in what a TSE handed out, each in DER, in its order. Empty for what holds none.
pub fn chain(bytes: &[u8]) -> Vec<Vec<u8>> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => text
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .filter_map(|part| part.split_once("-----END CERTIFICATE-----"))
            .filter_map(|(body, _)| STANDARD.decode(body.split_whitespace().collect::<String>()).ok())
            .collect(),
        _ => {
            let (mut all, mut rest) = (Vec::new(), bytes);
            while let Some((SEQUENCE, _, after)) = tlv::next(rest) {
                let length = rest.len() - after.len();
                all.push(rest.get(..length).unwrap_or_default().to_vec());
                rest = after;
            }
            all
        }
    }
}

/// Until when a certificate is valid, in ms since 1970 (RFC 5280, 4.1.2.5).
pub fn valid_until_ms(der: &[u8]) -> Option<u64> {
    let (_, certificate, _) = tlv::next(der)?;
    let (_, to_be_signed, _) = tlv::next(certificate)?;
    let (tag, _, after_version) = tlv::next(to_be_signed)?;
    let mut rest = if tag == VERSION { after_version } else { to_be_signed };
    // Serial number, algorithm, issuer.
    for _skipped in 0..3 {
        rest = tlv::next(rest)?.2;
    }
    let (_, validity, _) = tlv::next(rest)?;
    let (_, _, rest) = tlv::next(validity)?;
    let (tag, text, _) = tlv::next(rest)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        // Two digits of a year: 50 and more are of the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(time.timestamp().as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use tse_mocks::{Double, Make};

    use super::*;

    fn made(valid_until_ms: u64) -> Vec<u8> {
        let make = Make {
            valid_until_ms,
            ..Make::unit()
        };
        Double::new(make, fiscal::tse::Curve::P256).certificate()
    }

    #[test]
    fn a_chain_is_taken_apart_as_der_and_as_pem() {
        let (one, two) = (made(1_900_000_000_000), made(2_600_000_000_000));
        let both = [one.clone(), two.clone()];
        assert_eq!(chain(&both.concat()), both);
        let lines = both.each_ref().map(|der| {
            let body = STANDARD.encode(der);
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        });
        let pem = lines.concat();
        assert_eq!(chain(pem.as_bytes()), both);
        assert_eq!(chain(b"THIS IS NONE"), Vec::<Vec<u8>>::new());
        assert_eq!(chain(&one[..one.len() - 1]), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn the_end_of_validity_is_read_in_both_forms_of_time() {
        // 2030-03-17 and 2052-05-22, at the beginning of the day: the first as UTCTime, the second as GeneralizedTime.
        for day_s in [1_899_936_000_u64, 2_599_948_800] {
            assert_eq!(valid_until_ms(&made(day_s * 1_000)), Some(day_s * 1_000));
        }
        let der = made(1_900_000_000_000);
        for length in 0..der.len() {
            let _never_a_panic = valid_until_ms(&der[..length]);
        }
        assert_eq!(valid_until_ms(b"no certificate"), None);
    }
}
