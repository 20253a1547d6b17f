//! A disk in memory for `SQLite` that records what it is asked to do and replays every power cut the run could have met.
//!
//! Here live the disk, its faults and the making of crash images. What a program has to keep is judged by the suites that use it: no
//! schema and no rule of the product belongs here. Nothing here touches a real file.
//!
//! ```
//! use crash_vfs::Recorder;
//!
//! let disk = Recorder::new();
//! let database = disk.open("till.db")?;
//! database.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE sale (id INTEGER PRIMARY KEY) STRICT;")?;
//! database.execute_batch("INSERT INTO sale VALUES (7)")?;
//! disk.mark(7); // "paid" is on the screen from here on
//! drop(database);
//!
//! let log = disk.log();
//! let mut points = log.crash_points().subsets(4).seed(1);
//! for crash in &mut points {
//!     let after = crash.recorder(); // power is back; this disk records too, for a cut during recovery
//!     let database = after.open("till.db")?;
//!     for sale in crash.numbers() {
//!         let found: bool = database.query_row("SELECT count(*) FROM sale WHERE id = ?1", [i64::try_from(sale)?], |row| row.get(0))?;
//!         assert!(found, "sale {sale} is lost: {crash}");
//!     }
//! }
//! println!("{}", points.tally());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The disk
//!
//! A file is a row of bytes with an identity; a name is an entry in a directory that leads to a file. Both are changed in memory first,
//! where every process sees them at once, and become durable apart from each other:
//!
//! - **Write** and **truncate** change the bytes. A *sync* of the file makes all earlier ones durable.
//! - **Create** and **delete** change the directory. A *sync of the directory* makes all earlier ones in it durable; a sync of the file
//!   alone does not save its name. As `SQLite`'s VFS for Unix does it, the first sync of a journal or write-ahead log that this handle
//!   created syncs the directory too, and so does a delete that asks for it. The name of the database itself gets no sync of its own.
//! - A *sync that fails* leaves what it should have saved in doubt: it can be read, and no later sync vouches for it unless it is
//!   written again. This is what Linux does: it marks the pages clean and reports the error once.
//!
//! # What a power cut may do
//!
//! It may come before the first operation and after each one. Durable changes are there. Of the others any part may be, in any
//! combination, because the operating system and the disk write in the order they like; those that survive are applied in their order,
//! and a gap before a surviving write reads as zeroes. Of a write any of its 512-byte sectors may survive, cut at offsets in the file
//! that are multiples of 512; a sector is old or new. Marks say what had been told to the outside before.
//!
//! For each cut these images are made ([`Variant`]):
//!
//! - none of what is not synced, and all of it;
//! - K subsets chosen by a seed, each second one with some of its writes torn into sectors; if K suffices for all combinations of whole
//!   operations, those come first and none is left out;
//! - all, with the last write torn at each sector boundary: only the part before it, and only the part after it;
//! - on [`Device::PlainSectors`] all, with the rest of the sectors where the last write begins and ends spoilt.
//!
//! Equal images are given to the test once, unless something more was said before the later cut.
//!
//! This is harsher than most file systems, whose journals keep directory changes in order; POSIX promises no more. It is milder than
//! hardware that lies: a sync that reports success has happened, durable bytes do not rot, and no write goes astray.
//!
//! # What `SQLite` is told
//!
//! Sectors of 512 bytes. By default ([`Device::PowersafeOverwrite`]) that a cut spares bytes next to a write, and that parts of pages
//! may be read: both are what the VFS for Unix claims on every disk, so that the product's way through `SQLite` is the one that is
//! tested, and the images keep the first promise. No atomic or sequential writes, no safe append. File controls are answered with
//! `SQLITE_NOTFOUND`, so there is no memory-mapped I/O and no batch-atomic write.
//!
//! Locks and the shared memory of WAL work between all connections of the process, from any thread; nothing of them survives a cut.
//! Time stands at noon of 2000-01-01 and moves by a millisecond when asked. Random bytes of this VFS are the same in every run, but
//! `SQLite` salts its logs from the process's default VFS: two runs of one script differ in these salts, not in their operations.
//!
//! # Faults
//!
//! [`Recorder::fail_nth`] makes the n-th operation fail that the [`Fault`] can strike. A failed write leaves the whole sectors of its
//! first half behind. Locks do not fail, nor does closing. Run n = 1, 2, 3, … until [`Recorder::faults_hit`] stays zero.

pub use crash::{Crash, CrashPoints, Tally};
pub use device::{Device, SECTOR_BYTES};
pub use fault::Fault;
pub use image::Image;
pub use log::{FileId, Log, Mark, Op};
pub use recorder::Recorder;
pub use remains::Variant;

mod content;
mod crash;
mod device;
mod disk;
mod fault;
mod image;
mod lock;
mod log;
mod random;
mod recorder;
mod registration;
mod remains;
mod shim;
