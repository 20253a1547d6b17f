//! A chip that answers anything, and an emulator with true keys and any memory.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chips_fuzz::targets::chip_machine(data));
