//! `uniffi-bindgen generate --language kotlin --out-dir … libcore_ffi.so`: a crate of its own, so that nothing of it is in the library.

fn main() {
    uniffi::uniffi_bindgen_main();
}
