//! The running disk: a file system in memory that logs what it is asked to do.
//!
//! It answers as `SQLite`'s VFS for Unix does, down to the error codes and to which call syncs a directory, so that `SQLite` takes the same
//! way through its code as in the product. Errors are `SQLite`'s result codes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::content::Content;
use crate::device::{Device, SECTOR_BYTES};
use crate::fault::{Fault, Faults, Io};
use crate::image::Image;
use crate::lock::{FileLocks, HandleId, Level, Shm};
use crate::log::{FileId, Log, Mark, Op, directory_of};
use crate::random::Random;

type Answer<T> = Result<T, i32>;

/// A fixed day: what a script stores must not differ from run to run. Milliseconds of the Julian day, noon of 2000-01-01.
const CLOCK_START_MS: i64 = 2_451_545 * 86_400_000;

/// Whether opening may make a file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Create {
    #[default]
    Never,
    IfMissing,
    Always,
}

/// How a file is to be opened.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish {
    pub(crate) create: Create,
    pub(crate) delete_on_close: bool,
    /// A journal or write-ahead log: when it is new, its first sync also syncs its directory.
    pub(crate) journal: bool,
}

pub(crate) struct Disk {
    state: Mutex<State>,
}

struct State {
    log: Log,
    names: BTreeMap<String, FileId>,
    files: BTreeMap<FileId, File>,
    handles: BTreeMap<HandleId, Handle>,
    next_file: u32,
    next_handle: u64,
    faults: Faults,
    clock_ms: i64,
    random: Random,
}

#[derive(Default)]
struct File {
    content: Content,
    locks: FileLocks,
    shm: Option<Shm>,
    handles: usize,
    linked: bool,
    /// Scratch files without a name are no part of what a power cut leaves.
    scratch: bool,
}

struct Handle {
    file: FileId,
    delete_on_close: Option<String>,
    directory_to_sync: Option<String>,
}

impl Disk {
    pub(crate) fn new(device: Device, start: Image, earlier_marks: Vec<Mark>) -> Self {
        let mut names = BTreeMap::new();
        let mut files = BTreeMap::new();
        let mut next_file = 0;
        for (file, name, content) in Log::start_files(&start) {
            names.insert(name.clone(), file);
            let content = content.clone();
            files.insert(
                file,
                File {
                    content,
                    linked: true,
                    ..File::default()
                },
            );
            next_file = file.0 + 1;
        }
        let log = Log {
            device,
            start,
            earlier_marks,
            ops: Vec::new(),
        };
        Self {
            state: Mutex::new(State {
                log,
                names,
                files,
                handles: BTreeMap::new(),
                next_file,
                next_handle: 0,
                faults: Faults::default(),
                clock_ms: CLOCK_START_MS,
                random: Random::new(0),
            }),
        }
    }

    /// A panic of a test thread does not spoil the disk: each call leaves it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> Log {
        self.state().log.clone()
    }

    pub(crate) fn image(&self) -> Image {
        let state = self.state();
        let mut image = Image::new();
        for (name, id) in &state.names {
            image.put(name.clone(), state.files[id].content.clone());
        }
        image
    }

    pub(crate) fn mark(&self, mark: Mark) {
        self.state().log.ops.push(Op::Mark(mark));
    }

    pub(crate) fn open_handles(&self) -> usize {
        self.state().handles.len()
    }

    pub(crate) fn with_faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        change(&mut self.state().faults)
    }

    pub(crate) fn fail_nth(&self, nth: u64, fault: Fault, persistent: bool) {
        self.state().faults.arm(nth, fault, persistent);
    }

    pub(crate) fn device(&self) -> Device {
        self.state().log.device
    }

    pub(crate) fn now_ms(&self) -> i64 {
        let mut state = self.state();
        state.clock_ms += 1;
        state.clock_ms
    }

    pub(crate) fn randomness(&self, out: &mut [u8]) {
        let mut state = self.state();
        for part in out.chunks_mut(8) {
            let word = state.random.draw().to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
    }

    pub(crate) fn open(&self, name: Option<&str>, wish: Wish) -> Answer<HandleId> {
        let mut state = self.state();
        let found = name.and_then(|name| state.names.get(name).copied());
        let created = found.is_none();
        match found {
            Some(_) if wish.create == Create::Always => return Err(ffi::SQLITE_CANTOPEN),
            None if name.is_some() && wish.create == Create::Never => return Err(ffi::SQLITE_CANTOPEN),
            Some(_) => state.faults.check(Io::Open)?,
            None => state.faults.check(Io::Create)?,
        }
        let file = found.unwrap_or_else(|| state.create(name));
        if let Some(file) = state.files.get_mut(&file) {
            file.handles += 1;
        }
        let id = HandleId(state.next_handle);
        state.next_handle += 1;
        let own = |wanted: bool| name.filter(|_| wanted);
        let handle = Handle {
            file,
            delete_on_close: own(wish.delete_on_close).map(str::to_owned),
            directory_to_sync: own(wish.journal && created).map(|name| directory_of(name).to_owned()),
        };
        state.handles.insert(id, handle);
        Ok(id)
    }

    pub(crate) fn close(&self, who: HandleId) {
        let mut state = self.state();
        let Some(handle) = state.handles.remove(&who) else {
            return;
        };
        if let Some(name) = handle.delete_on_close {
            state.unlink(&name);
        }
        if let Some(file) = state.files.get_mut(&handle.file) {
            file.handles -= 1;
            file.locks.unlock(who, Level::None);
            if file.shm.as_mut().is_some_and(|shm| shm.leave(who)) {
                file.shm = None;
            }
        }
        state.forget_if_unused(handle.file);
    }

    /// The number of bytes read: fewer than asked for at the end of the file.
    pub(crate) fn read(&self, who: HandleId, offset: usize, out: &mut [u8]) -> Answer<usize> {
        let mut state = self.state();
        state.faults.check(Io::Read)?;
        Ok(state.file(who)?.1.content.read(offset, out))
    }

    /// A write that fails leaves the whole sectors of its first half behind, as a disk that runs full in the middle does.
    pub(crate) fn write(&self, who: HandleId, offset: usize, data: &[u8]) -> Answer<()> {
        let mut state = self.state();
        let verdict = state.faults.check(Io::Write);
        let accepted = match verdict {
            Ok(()) => data,
            Err(_) => &data[..data.len() / 2 / SECTOR_BYTES * SECTOR_BYTES],
        };
        let (id, file) = state.file(who)?;
        if !accepted.is_empty() {
            file.content.write(offset, accepted);
            if !file.scratch {
                let data = Arc::from(accepted);
                state.log.ops.push(Op::Write { file: id, offset, data });
            }
        }
        verdict
    }

    pub(crate) fn truncate(&self, who: HandleId, size: usize) -> Answer<()> {
        let mut state = self.state();
        state.faults.check(Io::Truncate)?;
        let (id, file) = state.file(who)?;
        file.content.truncate(size);
        if !file.scratch {
            state.log.ops.push(Op::Truncate { file: id, size });
        }
        Ok(())
    }

    pub(crate) fn sync(&self, who: HandleId) -> Answer<()> {
        let mut state = self.state();
        let verdict = state.faults.check(Io::Sync);
        let (file, scratch) = state.file(who).map(|(id, file)| (id, file.scratch))?;
        if scratch {
            return verdict;
        }
        if verdict.is_err() {
            state.log.ops.push(Op::SyncFailed { file });
            return verdict;
        }
        state.log.ops.push(Op::Sync { file });
        // As on Unix, an error of this sync is not reported to SQLite: that is not a place where a fault can strike.
        let directory = state
            .handles
            .get_mut(&who)
            .and_then(|handle| handle.directory_to_sync.take());
        if let Some(directory) = directory {
            state.log.ops.push(Op::SyncDirectory { directory });
        }
        Ok(())
    }

    pub(crate) fn size(&self, who: HandleId) -> Answer<usize> {
        let mut state = self.state();
        state.faults.check(Io::Size)?;
        Ok(state.file(who)?.1.content.len())
    }

    pub(crate) fn delete(&self, name: &str, sync_directory: bool) -> Answer<()> {
        let mut state = self.state();
        if !state.names.contains_key(name) {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        }
        state.faults.check(Io::Delete)?;
        state.unlink(name);
        if sync_directory {
            state.faults.check(Io::SyncDirectory)?;
            let directory = directory_of(name).to_owned();
            state.log.ops.push(Op::SyncDirectory { directory });
        }
        Ok(())
    }

    /// As on Unix, an empty file does not exist for whoever asks only that.
    pub(crate) fn access(&self, name: &str, empty_counts: bool) -> Answer<bool> {
        let mut state = self.state();
        state.faults.check(Io::Access)?;
        let file = state.names.get(name).and_then(|id| state.files.get(id));
        Ok(file.is_some_and(|file| empty_counts || file.content.len() > 0))
    }

    pub(crate) fn lock(&self, who: HandleId, level: Level) -> Answer<()> {
        let free = self.state().file(who)?.1.locks.lock(who, level);
        if free { Ok(()) } else { Err(ffi::SQLITE_BUSY) }
    }

    pub(crate) fn unlock(&self, who: HandleId, level: Level) -> Answer<()> {
        self.state().file(who)?.1.locks.unlock(who, level);
        Ok(())
    }

    pub(crate) fn reserved(&self, who: HandleId) -> Answer<bool> {
        Ok(self.state().file(who)?.1.locks.reserved())
    }

    /// None if the region does not exist and was not to be made.
    pub(crate) fn shm_map(&self, who: HandleId, region: usize, bytes: usize, extend: bool) -> Answer<Option<*mut u8>> {
        let mut state = self.state();
        let missing = !state.shm(who)?.has_region(region);
        if missing && !extend {
            return Ok(None);
        }
        if missing {
            state.faults.check(Io::GrowShm)?;
        }
        Ok(Some(state.shm(who)?.region(region, bytes)))
    }

    pub(crate) fn shm_lock(&self, who: HandleId, mask: u8, exclusive: bool) -> Answer<()> {
        let free = self.state().shm(who)?.lock(who, mask, exclusive);
        if free { Ok(()) } else { Err(ffi::SQLITE_BUSY) }
    }

    pub(crate) fn shm_unlock(&self, who: HandleId, mask: u8) -> Answer<()> {
        self.state().shm(who)?.unlock(who, mask);
        Ok(())
    }

    pub(crate) fn shm_unmap(&self, who: HandleId) -> Answer<()> {
        let mut state = self.state();
        let file = state.file(who)?.1;
        if file.shm.as_mut().is_some_and(|shm| shm.leave(who)) {
            file.shm = None;
        }
        Ok(())
    }
}

impl State {
    fn create(&mut self, name: Option<&str>) -> FileId {
        let file = FileId(self.next_file);
        self.next_file += 1;
        if let Some(name) = name {
            self.names.insert(name.to_owned(), file);
            let name = name.to_owned();
            self.log.ops.push(Op::Create { file, name });
        }
        self.files.insert(
            file,
            File {
                linked: name.is_some(),
                scratch: name.is_none(),
                ..File::default()
            },
        );
        file
    }

    fn unlink(&mut self, name: &str) {
        if let Some(file) = self.names.remove(name) {
            let name = name.to_owned();
            self.log.ops.push(Op::Delete { name });
            if let Some(file) = self.files.get_mut(&file) {
                file.linked = false;
            }
            self.forget_if_unused(file);
        }
    }

    fn forget_if_unused(&mut self, file: FileId) {
        if self
            .files
            .get(&file)
            .is_some_and(|file| !file.linked && file.handles == 0)
        {
            self.files.remove(&file);
        }
    }

    fn file(&mut self, who: HandleId) -> Answer<(FileId, &mut File)> {
        let id = self
            .handles
            .get(&who)
            .map(|handle| handle.file)
            .ok_or(ffi::SQLITE_MISUSE)?;
        let file = self.files.get_mut(&id).ok_or(ffi::SQLITE_MISUSE)?;
        Ok((id, file))
    }

    fn shm(&mut self, who: HandleId) -> Answer<&mut Shm> {
        let shm = self.file(who)?.1.shm.get_or_insert_default();
        shm.join(who);
        Ok(shm)
    }
}
