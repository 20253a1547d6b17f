//! The purse on simulated wristbands: how it works, how it tears, who attacks it, what it costs.

mod common;
mod cost;
mod tears;
mod working;
