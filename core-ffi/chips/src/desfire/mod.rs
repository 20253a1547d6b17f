//! Chips that keep value themselves: MIFARE `DESFire` EV2 and EV3, a value file with separate keys for debit and credit.
//!
//! Where public facts end: authentication, session keys, MAC and encryption are those of `DESFire` Light and NTAG 424 DNA (AN12343, AN12196, data sheet
//! `MF2DLHx0`) and checked by their vectors; value, record and commit commands are those of the `DESFire` Light data sheet. Not public, and so not here: the
//! input of EV3's transaction MAC, creating applications and files in EV2 mode, and whether a lot lets the *read* or the *write* right debit (sources
//! differ: key numbers are settings). A batch goes to guests after a real chip said so.

mod channel;
mod link;
mod purse;

pub(crate) use channel::{Direction, Ev2Channel};
pub use link::{Apdu, NativeFault, NativeLink};
pub use purse::{NativeEntry, NativeFiles, NativeIntent, NativeTap, load_native};
