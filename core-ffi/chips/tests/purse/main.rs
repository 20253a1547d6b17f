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

/// Says counts and tables that people read. The harness keeps what the print macros say of a test that holds to itself.
fn say(text: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}
