//! The terminal as a whole: what a cashier, a network and a disk do to it, and what it does then.

mod currency;
mod drawer;
mod evacuation;
mod offline;
mod owed;
mod paying;
mod practice;
mod purse;
mod random;
mod registering;
mod restart;
mod shift;
mod slips;
mod staff;
mod streaming;
mod swapping;
mod syncing;
mod tipping;
mod undoing;
mod vouchers;
