//! What the disk promises to `SQLite` about its sectors.

use rusqlite::ffi;

/// The unit in which a disk writes: a power cut leaves a sector old or new.
pub const SECTOR_BYTES: usize = 512;

/// What `SQLite` is told about the disk, and what a power cut may do accordingly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// Bytes next to a write are safe. `SQLite`'s own VFS for Unix claims this on every disk, so this is the way the product runs.
    #[default]
    PowersafeOverwrite,
    /// A cut may also spoil the rest of a sector that a write covers in part. `SQLite` then pads its log to whole sectors.
    PlainSectors,
}

impl Device {
    pub(crate) fn characteristics(self) -> i32 {
        match self {
            Self::PowersafeOverwrite => ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_SUBPAGE_READ,
            Self::PlainSectors => 0,
        }
    }
}
