//! Fiscal exports as files: a folder that one is written to and read from ([`ExportFolder`]), the archive that is handed over ([`pack`]), and archives
//! that strangers upload ([`unpack`]).
//!
//! What must never happen here: a judgement, and a file outside the folder that was named, whatever an archive says.

mod folder;
mod pack;
mod unpack;

pub use folder::{ExportFolder, FolderError};
pub use pack::{Packed, pack};
pub use unpack::{Limits, UnpackError, exports_in, unpack};
