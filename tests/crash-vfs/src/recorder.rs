//! One disk under one VFS name, for as long as its `Recorder` lives.

use rusqlite::{Connection, OpenFlags};

use crate::device::Device;
use crate::fault::{Fault, Faults};
use crate::image::Image;
use crate::log::{Log, Mark};
use crate::registration::Registration;

/// A disk in memory that `SQLite` reaches under a name of its own, and that logs what it is asked to do.
///
/// Connections have to be closed before it is dropped: it panics otherwise. Any number of them may be open, from any thread.
pub struct Recorder {
    registration: Registration,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// An empty disk.
    pub fn new() -> Self {
        Self::from_image(Image::new())
    }

    /// A disk that holds `image`, all of it durable.
    pub fn from_image(image: Image) -> Self {
        Self::on_device(Device::default(), image)
    }

    /// A disk with the promises of `device` that holds `image`.
    pub fn on_device(device: Device, image: Image) -> Self {
        Self::with_history(device, image, Vec::new())
    }

    /// A disk after a power cut: `earlier_marks` were said before it.
    pub(crate) fn with_history(device: Device, image: Image, earlier_marks: Vec<Mark>) -> Self {
        Self {
            registration: Registration::new(device, image, earlier_marks),
        }
    }

    /// The name by which `SQLite` knows this disk, for callers that open their own connections.
    pub fn vfs_name(&self) -> &str {
        self.registration.name()
    }

    /// Opens or creates a database on this disk.
    pub fn open(&self, name: &str) -> rusqlite::Result<Connection> {
        Connection::open_with_flags_and_vfs(name, OpenFlags::default(), self.vfs_name())
    }

    /// Writes into the log what the program under test just said to the outside.
    pub fn mark(&self, mark: impl Into<Mark>) {
        self.registration.disk().mark(mark.into());
    }

    /// What happened so far.
    pub fn log(&self) -> Log {
        self.registration.disk().log()
    }

    /// What the disk holds now, whether durable or not: what is left when a process ends and the power stays on.
    pub fn image(&self) -> Image {
        self.registration.disk().image()
    }

    /// From now on the `nth` operation that `fault` can strike fails, counted from 1; with `persistent` all later ones fail too.
    pub fn fail_nth(&self, nth: u64, fault: Fault, persistent: bool) {
        self.registration.disk().fail_nth(nth, fault, persistent);
    }

    /// The disk is well again.
    pub fn clear_fault(&self) {
        self.registration.disk().with_faults(Faults::disarm);
    }

    /// Operations that the armed fault could have struck since it was armed; all operations if there never was one.
    pub fn ops_seen(&self) -> u64 {
        self.registration.disk().with_faults(|faults| faults.seen())
    }

    /// How many operations failed since the fault was armed. A loop over n ends with the first run where it is zero.
    pub fn faults_hit(&self) -> u64 {
        self.registration.disk().with_faults(|faults| faults.hits())
    }
}
