//! The server's pages for admins, finance and crew: what happens, what waits for a person, what is still to come.
//!
//! Everything is rendered here and works without a script; `access` has the one table of who may call what, and the router is built from it.
//! What must never be here: a rule of value (the engine is asked), a query beside `store::Reader`, a text in one language only, or anything
//! inline that the content security policy would have to allow.

mod access;
mod audit;
mod batches;
mod cases;
mod chart;
mod closings;
mod context;
mod dashboard;
mod exporting;
mod fault;
mod figures;
mod frame;
mod import;
mod judging;
mod live;
mod login;
mod order;
mod order_filter;
mod orders;
mod password;
mod purse;
mod registration;
mod reports;
mod search;
mod session;
mod signer;
mod tax;
mod terminals;
mod throttle;
mod tse;
mod users;
mod words;
mod wristband;

pub use self::reports::ReportFace;
pub use access::{Endpoint, Kind, Who, routes, table};
pub use context::{Ask, Clock, Context, Mode, Paper, Papers, Parts};
pub use exporting::{Asked, ExportFault, ExportProgress, ExportStep, Exports};
pub use session::admit;
pub use signer::{Board, NotTaken, SignerView, Taken, TseOrder, UnitNow};
pub use tse::tse_warnings;
pub use users::{UserError, create_user, fresh_password};
