//! The pages of the product in a real Chromium, against a real server with real tills.

mod console;
mod demo;
mod desk;
mod festival;
mod purse;
mod receipts;
mod second_copy;
mod swap;
