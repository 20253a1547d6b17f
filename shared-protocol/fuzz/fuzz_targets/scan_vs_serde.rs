//! The scan against a decoder that others wrote.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shared_protocol_fuzz::targets::scan_vs_serde(data));
