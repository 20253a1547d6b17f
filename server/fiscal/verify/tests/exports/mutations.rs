//! Archives changed at random: no change makes the verifier panic, and none makes a changed message hold.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use fiscal::tse::Curve;
use proptest::prelude::*;
use verify::{Message, Options};

use crate::archive::Files;
use crate::tse::export;

static GOOD: LazyLock<Files> = LazyLock::new(|| export(Curve::P256, 3));
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| GOOD.packed());

/// The messages of the good export: what was signed, with its signature.
fn signed(files: &Files) -> BTreeSet<(Vec<u8>, Vec<u8>)> {
    let messages = files.0.iter().filter_map(|(_, content)| Message::read(content).ok());
    messages
        .map(|message| (message.signed.to_vec(), message.signature.to_vec()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_an_archive_changed_at_random(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = PACKED.clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let report = verify::judge(bytes.as_slice(), &Options::default());
        let _text = report.to_string();
        // No more messages hold than there are good ones, each counted once.
        let valid: u64 = report.keys.iter().map(|key| key.valid).sum();
        prop_assert!(valid <= signed(&GOOD).len() as u64);
    }

    #[test]
    fn messages_changed_at_random_never_hold(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        kind in 0..4_u8,
        byte in any::<u8>(),
    ) {
        let mut files = GOOD.clone();
        let logs: Vec<usize> = (0..files.0.len()).filter(|file| files.0[*file].0.contains("_Log-")).collect();
        let file = logs[which.index(logs.len())];
        let content = &mut files.0[file].1;
        let place = place.index(content.len());
        match kind {
            0 => content[place] = byte,
            1 => content.insert(place, byte),
            2 => drop(content.remove(place)),
            _ => content.truncate(place),
        }
        let changed = !signed(&files).is_subset(&signed(&GOOD)) || signed(&files).len() < signed(&GOOD).len();
        let report = files.judge();
        let valid: u64 = report.keys.iter().map(|key| key.valid).sum();
        prop_assert_eq!(valid == logs.len() as u64, !changed, "{}", report);
        prop_assert_eq!(report.holds, !changed, "{}", report);
    }
}

#[test]
fn no_bit_of_a_certificate_can_change_under_a_given_root() {
    let bytes = GOOD.clone().content("_X509.cer").len();
    let options = Options {
        roots: crate::tse::root(Curve::P256),
        ..Options::default()
    };
    for place in 0..bytes {
        for bit in 0..8 {
            let mut files = GOOD.clone();
            files.content("_X509.cer")[place] ^= 1 << bit;
            assert!(!files.judge_by(&options).holds, "byte {place}, bit {bit}");
        }
    }
}
