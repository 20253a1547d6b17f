//! Forms of a [`Document`](crate::Document): each shows all of it, and the same document is the same bytes.

pub mod csv;
pub mod pdf;
pub mod strip;
mod widths;
pub mod xlsx;
