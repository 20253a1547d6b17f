//! The rules of value: pure `decide(view, posting) -> effects | refusal`.
//!
//! Accounts, transfers, postings, holds, lots and the hash-chained journal live here. What must never happen here: I/O, a clock,
//! randomness, floats, unordered maps, or a rule about festivals (articles, tills, wristbands' permissions belong to `festival`).
//!
//! The way of a batch: the caller asks [`Needs`] what a batch touches, a store loads it into a [`View`], the [`Fold`]
//! decides one posting after the other over that view, and [`Effects`] say what to commit.
//!
//! # Example
//! Two beers at 4.50 € with a cup deposit of 2.00 € each. The wristband pays one beer with a drink voucher, which the organiser funds, and
//! earns 9 points: euros, vouchers and points in one posting that happens whole or not at all.
//! ```
//! use ledger::account::{Account, AccountKey, Authority, Chart};
//! use ledger::{Balance, Fold, Limits, Outcome, Posting, PostingId, Transfer, TransferCode, View};
//! use shared_protocol::crypto::Hash32;
//! use shared_protocol::{Amount, ArticleId, AssetId, EventId, OrderId, TagId, TaxpayerId};
//!
//! const VOUCHERS: AssetId = AssetId(1);
//! const POINTS: AssetId = AssetId(2);
//! const SUNDAY_NIGHT_MS: u64 = 1_000_000;
//!
//! let event = EventId([1; 16]);
//! let guest = Account::Wristband { tag: TagId::from_slice(&[4, 1, 2, 3, 4, 5, 6]).unwrap(), authority: Authority::Server };
//! let key = |asset| AccountKey { event, account: guest, asset };
//! let bar = Account::Payable { taxpayer: TaxpayerId(1) };
//! let cups = Account::Deposit { article: ArticleId(90), taxpayer: TaxpayerId(1) };
//! let funding = Account::VoucherFunding { voucher: VOUCHERS };
//! let chart = Chart { expiring: [VOUCHERS].into(), ..Chart::default() };
//!
//! // What a store loads for this posting: 20.00 €, two vouchers that are good until Sunday night, no points yet.
//! let mut view = View::default();
//! view.accounts.insert(key(AssetId::EURO), Balance { balance: Amount(20_00), held: Amount::ZERO });
//! view.accounts.insert(key(VOUCHERS), Balance { balance: Amount(2), held: Amount::ZERO });
//! view.lots.insert((key(VOUCHERS), SUNDAY_NIGHT_MS), Amount(2));
//! view.accounts.insert(key(POINTS), Balance::default());
//!
//! let transfer = |from, to, asset, amount, code| Transfer { from, to, asset, amount: Amount(amount), code, expires_at_ms: None };
//! let sale = Posting {
//!     id: PostingId(OrderId([7; 16])),
//!     content: Hash32::of("order body", &[b"two beers"]),
//!     event,
//!     transfers: vec![
//!         transfer(guest, bar, AssetId::EURO, 4_50, TransferCode::Sale),
//!         transfer(guest, Account::Issuer, VOUCHERS, 1, TransferCode::Redeem),
//!         transfer(funding, bar, AssetId::EURO, 4_50, TransferCode::Sale),
//!         transfer(guest, cups, AssetId::EURO, 4_00, TransferCode::DepositTaken),
//!         transfer(Account::Issuer, guest, POINTS, 9, TransferCode::Issue),
//!     ],
//!     captures: vec![],
//!     reverses: None,
//!     limits: Limits::Enforced,
//!     mirrored: None,
//! };
//!
//! let mut fold = Fold::new(view, &chart);
//! assert_eq!(fold.post(sale.clone(), 500_000, None), Outcome::Booked { no: 1 });
//! assert_eq!(fold.post(sale, 500_001, None), Outcome::Duplicate { no: 1 });
//! assert_eq!(fold.available(&key(AssetId::EURO)), Some(Amount(11_50)));
//!
//! let effects = fold.into_effects();
//! assert_eq!(effects.records.len(), 1);
//! assert_eq!(effects.lots[&(key(VOUCHERS), SUNDAY_NIGHT_MS)], Amount(1));
//! assert_eq!(effects.accounts[&key(POINTS)].balance, Amount(9));
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

pub mod account;
pub mod effects;
pub mod fold;
pub mod hold;
pub mod journal;
pub mod lot;
pub mod needs;
pub mod posting;
pub mod refusal;
pub mod view;

pub use account::{Account, AccountKey, Authority, Bounds, Chart};
pub use effects::Effects;
pub use fold::{Fold, HoldOutcome, Outcome};
pub use hold::{Capture, Hold, HoldRequest};
pub use journal::{JournalFault, Record, Replay, Totals};
pub use needs::Needs;
pub use posting::{Limits, Posting, PostingId, Transfer, TransferCode};
pub use refusal::Refusal;
pub use view::{Balance, KnownPosting, View};
