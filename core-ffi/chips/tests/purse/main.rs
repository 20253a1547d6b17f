//! The purse on simulated wristbands: how it works, how it tears, who attacks it, what it costs.

mod adversary;
mod common;
mod cost;
mod hostile;
mod native;
mod targets;
mod tears;
mod tills;
mod working;
