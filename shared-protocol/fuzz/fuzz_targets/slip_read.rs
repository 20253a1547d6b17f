//! Any bytes as the slip of a receipt.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shared_protocol_fuzz::targets::slip_read(data));
