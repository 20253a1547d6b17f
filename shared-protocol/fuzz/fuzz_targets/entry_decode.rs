//! Any bytes as an entry of a journal.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shared_protocol_fuzz::targets::entry_decode(data));
