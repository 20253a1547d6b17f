//! Names that the service wants from us: UUIDs of version 4 (RFC 9562), made from what we know, so that the same thing has the same name after any crash.

use fiscal::tse::TransactionKey;
use ring::digest::{Context, SHA256};

/// 16 bytes as a UUID: six bits say version and variant.
fn uuid(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let digits = shared_protocol::ids::hex(&bytes);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default().to_owned());
    parts.join("-")
}

fn derived(label: &str, parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(label.as_bytes());
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    uuid(bytes)
}

/// The name of a till at a TSS.
pub(super) fn client(tss: &str, client: &str) -> String {
    derived("groschen fiskaly client 1", &[tss.as_bytes(), client.as_bytes()])
}

/// The name of a transaction: its key, and another one for each time that the key was used before and ended.
pub(super) fn transaction(key: TransactionKey, generation: u8) -> String {
    if generation == 0 {
        uuid(key.0)
    } else {
        derived("groschen fiskaly transaction 1", &[&key.0, &[generation]])
    }
}

/// The name of an export, from random bytes: each is another one.
pub(super) fn export(random: [u8; 16]) -> String {
    uuid(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_uuids_of_version_four_and_stay_the_same() {
        let key = TransactionKey([0xff; 16]);
        assert_eq!(transaction(key, 0), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(transaction(key, 1), transaction(key, 1));
        let all = [
            transaction(key, 0),
            transaction(key, 1),
            transaction(key, 2),
            client("tss", "till"),
            client("tss2", "till"),
            client("tss", "2till"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!((one.len(), one.as_bytes()[14]), (36, b'4'), "{one}");
            assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
            assert!(!all[..at].contains(one));
        }
    }
}
