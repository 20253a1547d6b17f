//! What a run did to the disk, in order: the operations that a power cut can undo, and what the program under test said meanwhile.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::crash::CrashPoints;
use crate::device::Device;
use crate::image::Image;

/// A file as the disk knows it, whatever name it has or had: a name that is deleted and created again is another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub(crate) u32);

/// One step of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A name was entered in its directory for a new, empty file.
    Create {
        /// The new file.
        file: FileId,
        /// Its name.
        name: String,
    },
    /// Bytes were handed to the operating system.
    Write {
        /// The file.
        file: FileId,
        /// Where the bytes begin.
        offset: usize,
        /// The bytes.
        data: Arc<[u8]>,
    },
    /// The length of a file was set.
    Truncate {
        /// The file.
        file: FileId,
        /// The new length.
        size: usize,
    },
    /// All earlier writes and truncates of the file are durable.
    Sync {
        /// The file.
        file: FileId,
    },
    /// A sync reported an error: what it should have made durable may be lost even when a later sync succeeds.
    SyncFailed {
        /// The file.
        file: FileId,
    },
    /// A name was removed from its directory.
    Delete {
        /// The name.
        name: String,
    },
    /// All earlier creates and deletes in the directory are durable.
    SyncDirectory {
        /// The directory: a name up to its last slash.
        directory: String,
    },
    /// The program under test said something to the outside, such as an acknowledgement.
    Mark(Mark),
}

/// What the program under test said before a power cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A number that means something to the test, such as the order that was acknowledged.
    Number(u64),
    /// A name for a moment, such as "migrated".
    Label(Cow<'static, str>),
}

impl From<u64> for Mark {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&'static str> for Mark {
    fn from(label: &'static str) -> Self {
        Self::Label(Cow::Borrowed(label))
    }
}

impl From<String> for Mark {
    fn from(label: String) -> Self {
        Self::Label(Cow::Owned(label))
    }
}

/// The recording of one run: the disk it began with and all it did.
#[derive(Clone, Debug)]
pub struct Log {
    pub(crate) device: Device,
    pub(crate) start: Image,
    pub(crate) earlier_marks: Vec<Mark>,
    pub(crate) ops: Vec<Op>,
}

impl Log {
    /// The operations in the order in which they happened.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The disk at the start, all of it durable.
    pub fn start(&self) -> &Image {
        &self.start
    }

    /// How many syncs of files succeeded.
    pub fn syncs(&self) -> usize {
        self.ops.iter().filter(|op| matches!(op, Op::Sync { .. })).count()
    }

    /// Every power cut this run could have met.
    pub fn crash_points(&self) -> CrashPoints<'_> {
        CrashPoints::new(self)
    }

    /// Files of the start have the first ids, in the order of their names.
    pub(crate) fn start_files(image: &Image) -> impl Iterator<Item = (FileId, &String, &crate::content::Content)> {
        image
            .files()
            .zip(0_u32..)
            .map(|((name, content), id)| (FileId(id), name, content))
    }

    /// A sentence for a failure message.
    pub(crate) fn describe(&self, op: &Op) -> String {
        match op {
            Op::Create { name, .. } => format!("create {name}"),
            Op::Write { file, offset, data } => {
                format!("write {} bytes at {offset} of {}", data.len(), self.name_of(*file))
            }
            Op::Truncate { file, size } => format!("truncate {} to {size}", self.name_of(*file)),
            Op::Sync { file } => format!("sync {}", self.name_of(*file)),
            Op::SyncFailed { file } => format!("failed sync of {}", self.name_of(*file)),
            Op::Delete { name } => format!("delete {name}"),
            Op::SyncDirectory { directory } => format!("sync directory '{directory}'"),
            Op::Mark(Mark::Number(number)) => format!("mark {number}"),
            Op::Mark(Mark::Label(label)) => format!("mark '{label}'"),
        }
    }

    fn name_of(&self, wanted: FileId) -> &str {
        let created = self.ops.iter().find_map(|op| match op {
            Op::Create { file, name } if *file == wanted => Some(name),
            _ => None,
        });
        let at_start = || {
            Self::start_files(&self.start)
                .find(|(file, ..)| *file == wanted)
                .map(|(_, name, _)| name)
        };
        created.or_else(at_start).map_or("a file", String::as_str)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, op) in self.ops.iter().enumerate() {
            writeln!(f, "{place:5} {}", self.describe(op))?;
        }
        Ok(())
    }
}

pub(crate) fn directory_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(directory, _)| directory)
}
