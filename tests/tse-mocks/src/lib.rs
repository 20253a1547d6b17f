//! Test doubles of TSEs that speak their makers' protocols, for tests of the adapters: [`dn`] on a WebSocket, [`fiskaly`] over HTTP. Inside both is the
//! TSE in software, so signatures are real; limits, slowness and faults are set by the test. What every TSE has to keep is in [`conformance`].
//!
//! Nothing here is certified, made by the makers, or proof that a real unit behaves so: where their protocol is not known, the file says what was made
//! up. What must never happen here: use outside tests.

pub mod conformance;
pub mod dn;
pub mod double;
pub mod fiskaly;

pub use dn::DnMock;
pub use double::{Double, Fault, Logged, Make, lock, now_ms};
pub use fiskaly::FiskalyMock;

#[expect(clippy::expect_used, reason = "a test without its double fails")]
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}
