//! The console over a real writer and the memory store: who may call what, what pages say and look like, and that nothing typed becomes markup.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

mod access;
mod books;
mod common;
mod fiscal;
mod import;
mod live;
mod login;
mod markup;
mod purses;
mod reports;
mod tax;
mod work;
