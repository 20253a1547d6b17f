//! The bodies of the fuzz targets. They lie with the tests, which run them on stable Rust over some thousand inputs each time; here fuzzers run them for hours.

#[path = "../../tests/purse/common.rs"]
pub mod common;
#[path = "../../tests/purse/targets.rs"]
pub mod targets;
