//! The seeded simulator of a whole festival: many real tills, the real server, and between them a network, disks, clocks and people that are made up
//! from one number. The same number is the same festival to the last event; a failure is a number and a command.
//!
//! What lives here: the loop ([`world`]), what can break ([`faults`]), who watches (`observer`) and what has to hold (`checks`). What must never
//! happen here: a thread inside a run, a clock, randomness that is not the seed's, or a number of the engine's taken as proof of the engine.

mod books;
mod checks;
mod chips;
pub mod cli;
mod disk;
mod drawer;
mod events;
mod exposure;
pub mod faults;
mod handover;
mod log;
mod network;
mod observer;
mod office;
mod pace;
mod people;
mod permission;
mod random;
pub mod report;
mod rogue;
mod server;
mod server_disk;
mod shifts;
mod signing;
mod slips;
mod slots;
mod sometimes;
mod stick;
mod strikes;
#[cfg(test)]
mod tests;
mod thieves;
mod till;
pub mod world;

pub use sometimes::EXPECTED;
pub use thieves::Losses;
