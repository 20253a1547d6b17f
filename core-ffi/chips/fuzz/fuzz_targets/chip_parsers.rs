//! Any bytes as what a chip holds.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chips_fuzz::targets::chip_parsers(data));
