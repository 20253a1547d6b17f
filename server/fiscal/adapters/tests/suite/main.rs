//! The adapters against doubles of the makers' services, in one program: what each has to keep, every fault, TLS, and an outside judge of receipts.
#![expect(clippy::expect_used, reason = "what cannot be fails the test")]

mod common;
mod conformance;
mod diebold;
mod fiskaly;
mod judges;
mod tls;
