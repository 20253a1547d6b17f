//! A receipt: what the law wants on it ([`Content`]), one layout of rows ([`layout`]), and that layout on a till roll ([`escpos`]), as text ([`text`])
//! and as PDF ([`pdf`]). The page of `groschen` shows the same content as HTML.
//!
//! ```text
//! order, configuration, signature ──▶ Content ──▶ rows ──▶ Sheet (lines of a grid) ──▶ text · ESC/POS · PDF
//! ```
//! All three write the lines of one [`Sheet`], so that what a preview shows is what is printed.
//!
//! What must never happen here: I/O, a clock, randomness, a decision about money, or a word that makes more of a signature than it is: what a TSE in
//! software signed, what was made in an outage, what is a copy and what is practice says so, in every form.
//!
//! Sources: § 6 `KassenSichV`; AEAO to § 146a, nos. 2.4, 2.5 and 2.7; DSFinV-K annex I (the QR code).

pub mod bitmap;
mod characters;
pub mod content;
pub mod escpos;
pub mod grid;
pub mod layout;
pub mod logo;
pub mod pages;
pub mod pdf;
pub mod sums;
pub mod text;
pub mod words;

pub use bitmap::Bitmap;
pub use content::{Content, Module, Proof, Signature, Subject, TseSignature};
pub use layout::{Paper, Sheet};
pub use logo::Logo;
