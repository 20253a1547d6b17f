//! Any cart in any shop.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shared_protocol_fuzz::targets::order_price(data));
