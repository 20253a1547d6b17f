//! The purse on a wristband, as a terminal works with it.
//!
//! ```text
//! load ----> Tap { Loaded } --plan_*--> Plan --(the till journals Plan::intent)--> commit --> Committed | Void | Unknown
//!                ^                                                                                 |
//!                |  at a later tap: resolve(intent) --> Committed | Void | Unfinished | Unknown  <-+
//! ```
//!
//! 1. [`load`] selects nothing and asks nobody: it authenticates, reads all, checks all, and compares with what the till knows.
//! 2. A plan is pure: what is on the chip, what will be, and every frame that leads there. The till journals the [`Intent`] durably.
//! 3. [`Tap::commit`] writes in the order of the plan and says what is certain. The session stays open for a second plan.
//! 4. What was not certain is resolved at the next tap by [`Loaded::resolve`], from the intent in the journal and what the chip then holds.
//!
//! The assertions of this module stay on in every build: a plan that would change a total by anything but its own amount is never written.
//! What must never happen here: a call to a network, a journal or a clock in the middle of a session.

mod commit;
pub mod encode;
mod load;
mod pay;
mod plan;
mod resolve;
mod settle;
mod top_up;
mod update;

pub use commit::{Done, Outcome};
pub use load::{Books, Knowledge, LastKnown, LoadRefusal, Loaded, Tap, load};
pub use pay::Payment;
pub use plan::{Action, Intent, Limits, Plan, PlanRefusal, Stage, Step};
pub use resolve::Resolution;
pub use top_up::TopUp;
pub use update::Update;
