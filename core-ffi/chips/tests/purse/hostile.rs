//! The fuzz targets over inputs that proptest draws and over those that hours of fuzzing left behind, so that every build runs them on stable Rust.

use proptest::prelude::*;

use crate::targets::{chip_machine, chip_parsers};

/// Bytes among which the rare ones, those that break a conversation, are rare indeed: most conversations then get far.
fn script() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![30 => 0_u8..0xE0, 1 => 0xE0_u8..=0xFF], 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_of_a_chip_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..300)) {
        chip_parsers(&data);
    }

    #[test]
    fn a_hostile_chip_gets_no_credit_and_breaks_no_promise(data in script()) {
        chip_machine(&data);
    }
}

/// What fuzzers found worth keeping, a line of hex each (`fuzz/seed-corpus keep`).
fn kept(lines: &str) -> impl Iterator<Item = Vec<u8>> {
    let byte = |pair: &[u8]| {
        let read = std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        read.unwrap_or_else(|| panic!("this is no hex: {pair:?}"))
    };
    lines
        .lines()
        .map(move |line| line.as_bytes().chunks(2).map(byte).collect())
}

#[test]
fn what_fuzzers_kept_is_read_or_refused() {
    let mut count = 0;
    for input in kept(include_str!("corpus/chip_parsers.hex")) {
        chip_parsers(&input);
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn what_fuzzers_kept_gets_no_credit_and_breaks_no_promise() {
    let mut count = 0;
    for input in kept(include_str!("corpus/chip_machine.hex")) {
        chip_machine(&input);
        count += 1;
    }
    assert!(count > 100, "{count}");
}
