//! The fuzz targets over inputs that proptest draws, so that every build runs them on stable Rust.

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
