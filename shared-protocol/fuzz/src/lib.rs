//! The bodies of the fuzz targets. They lie with the tests, which run them on stable Rust over some thousand inputs each time; here fuzzers run them for hours.

#[path = "../../tests/common/shop.rs"]
pub mod shop;
#[path = "../../tests/common/targets.rs"]
pub mod targets;
