//! Any bytes as a frame of a terminal.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shared_protocol_fuzz::targets::frame_decode(data));
