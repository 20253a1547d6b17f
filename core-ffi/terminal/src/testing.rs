//! What tests of this crate share: a small festival, a shell with a disk that can fail, and a server that knows just enough.

mod disk;
mod festival;
mod rig;
mod server;

pub use disk::Disk;
pub use festival::*;
pub use rig::Rig;
pub use server::Server;
