//! The pages of the product in a real Chromium, against a real server with real tills.

mod desk;
mod festival;
