//! The terminals' protocol, server side: a pure state machine for each connection, and the websocket around it.
//!
//! [`session::Session`] turns frames, replies and ticks into frames and requests; it has no socket, clock or randomness, so the simulator runs
//! the very same code. [`writer`] owns the engine on one thread and commits whatever is queued without ever waiting for more; [`server`]
//! is the axum shell. What must never happen here: a rule of value, a statement of SQL, an acknowledgement before the commit.

pub mod session;

#[cfg(feature = "server")]
pub mod hub;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod writer;
