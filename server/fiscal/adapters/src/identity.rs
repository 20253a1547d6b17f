//! What a TSE says that it is, held against itself and against what was entered about it.

use ring::digest::{SHA256, digest};
use shared_protocol::ids::{hex, parse_hex};

/// The serial number and the public key of a TSE. They have to fit each other (TR-03153-1: the serial number is the digest of the key) and the serial
/// number that the settings name, if they do. The error says why it cannot be used.
pub(crate) fn told(
    serial: Option<&str>,
    public_key: Option<Vec<u8>>,
    entered: Option<&str>,
) -> Result<([u8; 32], Vec<u8>), String> {
    let serial = serial.and_then(|serial| parse_hex(&serial.to_lowercase()));
    let serial: [u8; 32] = serial
        .and_then(|serial| serial.try_into().ok())
        .ok_or("it does not tell its serial number")?;
    let public_key = public_key.ok_or("it does not tell its public key")?;
    if digest(&SHA256, &public_key).as_ref() != serial {
        return Err("its serial number is not that of its key".to_owned());
    }
    if entered.is_some_and(|entered| entered.to_lowercase() != hex(&serial)) {
        return Err(format!("another one answers, with the serial number {}", hex(&serial)));
    }
    Ok((serial, public_key))
}

/// The name of a TSE, and whether it is called certified: if somebody entered the id of its certificate, and it has certificates to show.
pub(crate) fn named(description: &str, certificate_id: Option<&str>, certificates: &[Vec<u8>]) -> (String, bool) {
    match certificate_id {
        Some(id) if !certificates.is_empty() => (format!("{description} ({id})"), true),
        _ => (format!("{description} (no certificate of the BSI entered)"), false),
    }
}
