//! A folder, on a stick: one file per terminal and epoch, appended to and synced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use shared_protocol::crypto::Hash32;
use shared_protocol::mirror::{FILE_MAX_BYTES, Mirror, MirroredEntry, NoMirror, Opening, Record, file_name};

use super::status::MirrorFault;
use super::{Place, There};

/// A folder with mirrors of journals.
pub struct Folder {
    path: PathBuf,
    not_beside: Option<PathBuf>,
    files: BTreeMap<String, File>,
    /// What was appended and not synced. After a sync that failed the system may show it and not have it.
    unsure: BTreeSet<Hash32>,
}

impl From<io::Error> for MirrorFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Gone,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::NotWritable,
            _ => Self::Io,
        }
    }
}

impl Folder {
    /// A folder; it must not be on the disk of `not_beside`.
    pub const fn new(path: PathBuf, not_beside: Option<PathBuf>) -> Self {
        Self {
            path,
            not_beside,
            files: BTreeMap::new(),
            unsure: BTreeSet::new(),
        }
    }

    /// A stick that is pulled often leaves its empty folder behind, and that is on the device's own disk.
    fn check(&self) -> Result<(), MirrorFault> {
        let folder = std::fs::metadata(&self.path)?;
        if !folder.is_dir() {
            return Err(MirrorFault::Gone);
        }
        match &self.not_beside {
            Some(own) if std::fs::metadata(own)?.dev() == folder.dev() => Err(MirrorFault::SameDisk),
            _ => Ok(()),
        }
    }

    fn file(&self, name: &str) -> Result<File, MirrorFault> {
        let path = self.path.join(name);
        let is_new = !path.try_exists()?;
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if is_new {
            file.sync_all()?;
            File::open(&self.path)?.sync_all()?;
        }
        Ok(file)
    }

    /// Reads a journal's file and makes it ready to be gone on with: a torn end is cut off.
    pub fn read(&mut self, of: &Opening) -> Result<Option<Mirror>, MirrorFault> {
        self.check()?;
        let name = name_of(of)?;
        self.files.remove(&name);
        let mut file = self.file(&name)?;
        let length = file.metadata()?.len();
        if length > FILE_MAX_BYTES {
            return Err(MirrorFault::Foreign);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.read_to_end(&mut bytes)?;
        let mirror = match Mirror::read(&bytes) {
            Ok(mirror) if mirror.opening == *of => Some(mirror),
            // Whoever read both later could not tell them apart.
            Ok(_) | Err(NoMirror::Mixed | NoMirror::Newer(_)) => return Err(MirrorFault::Foreign),
            Err(NoMirror::Nothing | NoMirror::NoOpening) => None,
        };
        let end = mirror.as_ref().map_or(0, |mirror| mirror.end);
        if mirror.as_ref().is_some_and(|mirror| mirror.damage.torn_bytes > 0) {
            file.set_len(end as u64)?;
        }
        file.sync_all()?;
        self.files.insert(name, file);
        Ok(mirror)
    }

    /// Appends records to a journal's file that was read before.
    pub fn write(&mut self, of: &Opening, records: &[u8]) -> Result<(), MirrorFault> {
        let name = name_of(of)?;
        let file = self.files.get_mut(&name).ok_or(MirrorFault::Gone)?;
        let appended = append(file, records);
        if appended.is_err() {
            self.files.remove(&name);
            if let Ok(mirror) = Mirror::read(&[&Record::Opening(of.clone()).bytes(), records].concat()) {
                self.unsure.extend(mirror.entries.values().map(MirroredEntry::hash));
            }
        }
        appended
    }
}

fn name_of(of: &Opening) -> Result<String, MirrorFault> {
    let registration = of.registration().map_err(|_| MirrorFault::Queue)?;
    Ok(file_name(registration.terminal, of.epoch.epoch))
}

fn append(file: &mut File, records: &[u8]) -> Result<(), MirrorFault> {
    // A file that nobody would read again is as good as full.
    if file.metadata()?.len().saturating_add(records.len() as u64) > FILE_MAX_BYTES {
        return Err(MirrorFault::Full);
    }
    file.write_all(records)?;
    file.sync_data()?;
    is_there(file)
}

/// A file that was deleted takes writes and keeps nothing.
fn is_there(file: &File) -> Result<(), MirrorFault> {
    if file.metadata()?.nlink() == 0 {
        return Err(MirrorFault::Gone);
    }
    Ok(())
}

impl Place for Folder {
    fn open(&mut self, of: &Opening) -> Result<There, MirrorFault> {
        let Some(mirror) = self.read(of)? else {
            return Ok(There::default());
        };
        let hashes = mirror.entries.into_keys().filter(|hash| !self.unsure.contains(hash));
        Ok(There {
            hashes: hashes.collect(),
            up_to: None,
            heads: mirror.heads.into_keys().map(|(seq, ..)| seq).collect(),
        })
    }

    fn append(&mut self, of: &Opening, records: &[u8]) -> Result<(), MirrorFault> {
        // Another stick may lie under the same path by now.
        self.check()?;
        self.write(of, records)
    }

    fn look(&mut self) -> Result<(), MirrorFault> {
        self.check()?;
        self.files.values().try_for_each(is_there)
    }
}

/// Every mirror's file in a folder, by name, for who imports it.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "groschen") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
