//! What phone and server must agree on, and nothing else: typed ids, money, catalogue, order pricing, the order journal and its
//! hash chain, wire messages and their CBOR codec.
//!
//! What must never happen here: I/O, a clock, randomness, async, floats, or a rule that only one side needs. The page
//! `docs/protocol.md` says the same in prose; the bytes of every message are held by golden files in `fixtures/wire/`.

pub mod catalogue;
pub mod chain;
pub mod codec;
pub mod config;
pub mod crypto;
pub mod currency;
pub mod drawer;
pub mod entry;
pub mod ids;
pub mod invitation;
pub mod limits;
pub mod message;
pub mod mirror;
pub mod money;
pub mod numeric;
pub mod order;
pub mod pricing;
pub mod purse;
pub mod series;
pub mod shift;
pub mod slip;
pub mod stream;
pub mod tax;
pub mod wristband;

pub use codec::{DecodeError, decode, encode};
pub use ids::{
    ArticleId, AssetId, BootId, CartId, CommandId, EventId, GroupId, HoldId, OrderId, OrganisationId, RequestId,
    SessionId, SlotId, StaffId, StandId, TagId, TaxpayerId, TerminalId, TillId,
};
pub use money::{Amount, Overflow};
