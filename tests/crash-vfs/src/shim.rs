//! `SQLite`'s VFS interface in terms of `Disk`. No decision is taken here.
#![expect(unsafe_code, reason = "the callbacks of a VFS get raw pointers from SQLite")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;
use std::{ptr, slice};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use crate::device::SECTOR_BYTES;
use crate::disk::{Create, Disk, Wish};
use crate::lock::{HandleId, Level};

const PATH_BYTES_MAX: c_int = 512;

/// What `SQLite` allocates for each open file: its own part, then ours.
#[repr(C)]
struct OpenFile {
    base: sqlite3_file,
    /// From `Box::into_raw` in `open`; `close` takes it back.
    handle: *mut Handle,
}

struct Handle {
    disk: Arc<Disk>,
    id: HandleId,
}

/// No version 3: memory-mapped pages would be read and written behind the back of the log.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// A VFS that is not registered yet. Both pointers in it have to outlive its registration.
pub(crate) fn vfs(name: *const c_char, disk: &Arc<Disk>) -> sqlite3_vfs {
    sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).unwrap_or(c_int::MAX),
        mxPathname: PATH_BYTES_MAX,
        pNext: ptr::null_mut(),
        zName: name,
        pAppData: Arc::as_ptr(disk).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: Some(dl_open),
        xDlError: Some(dl_error),
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: Some(get_last_error),
        xCurrentTimeInt64: Some(current_time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

fn code(answer: Result<(), i32>) -> c_int {
    answer.err().unwrap_or(ffi::SQLITE_OK)
}

/// A number `SQLite` says is never negative.
fn natural<T: TryInto<usize>>(number: T) -> Result<usize, i32> {
    number.try_into().map_err(|_| ffi::SQLITE_MISUSE)
}

fn level(lock: c_int) -> Level {
    match lock {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

/// # Safety
/// `vfs` is one of ours and registered.
unsafe fn disk<'a>(vfs: *mut sqlite3_vfs) -> &'a Disk {
    // SAFETY: `pAppData` points to the disk that the registration owns.
    unsafe { &*(*vfs).pAppData.cast::<Disk>() }
}

/// # Safety
/// `file` was opened by `open` and is not closed.
unsafe fn handle<'a>(file: *mut sqlite3_file) -> &'a Handle {
    // SAFETY: SQLite hands our methods only files whose `pMethods` we set, and then `handle` is set too.
    unsafe { &*(*file.cast::<OpenFile>()).handle }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn text<'a>(name: *const c_char) -> Result<Option<&'a str>, i32> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so a C string by contract; SQLite keeps file names alive during the call.
    unsafe { CStr::from_ptr(name) }
        .to_str()
        .map(Some)
        .map_err(|_| ffi::SQLITE_CANTOPEN)
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let opened = file.cast::<OpenFile>();
    // SAFETY: SQLite allocated `szOsFile` bytes at `file`; no methods means that a failed open is not closed.
    unsafe {
        (*opened).base.pMethods = ptr::null();
        (*opened).handle = ptr::null_mut();
    }
    let any = |mask: c_int| flags & mask != 0;
    let wish = Wish {
        create: match (any(ffi::SQLITE_OPEN_CREATE), any(ffi::SQLITE_OPEN_EXCLUSIVE)) {
            (false, _) => Create::Never,
            (true, false) => Create::IfMissing,
            (true, true) => Create::Always,
        },
        delete_on_close: any(ffi::SQLITE_OPEN_DELETEONCLOSE),
        journal: any(ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL),
    };
    // SAFETY: `vfs` and `name` come from SQLite.
    let answer = unsafe { text(name).and_then(|name| disk(vfs).open(name, wish)) };
    let id = match answer {
        Ok(id) => id,
        Err(code) => return code,
    };
    // SAFETY: `pAppData` is from `Arc::as_ptr` of an Arc that is alive; the new count belongs to this handle.
    let disk = unsafe {
        let disk = (*vfs).pAppData.cast::<Disk>().cast_const();
        Arc::increment_strong_count(disk);
        Arc::from_raw(disk)
    };
    // SAFETY: as above; `out_flags` is null or writable.
    unsafe {
        (*opened).handle = Box::into_raw(Box::new(Handle { disk, id }));
        (*opened).base.pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let opened = file.cast::<OpenFile>();
    // SAFETY: SQLite closes a file once; the box is from `open`.
    let handle = unsafe {
        (*opened).base.pMethods = ptr::null();
        Box::from_raw((*opened).handle)
    };
    handle.disk.close(handle.id);
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, out: *mut c_void, amount: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: an open file, and a buffer of `amount` bytes that nobody else uses during the call.
    let (handle, out) = unsafe {
        let amount = usize::try_from(amount).unwrap_or(0);
        (handle(file), slice::from_raw_parts_mut(out.cast::<u8>(), amount))
    };
    match natural(offset).and_then(|offset| handle.disk.read(handle.id, offset, out)) {
        Ok(got) if got == out.len() => ffi::SQLITE_OK,
        Ok(got) => {
            out[got..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: an open file, and `amount` bytes that nobody changes during the call.
    let (handle, data) = unsafe {
        let amount = usize::try_from(amount).unwrap_or(0);
        (handle(file), slice::from_raw_parts(data.cast::<u8>(), amount))
    };
    code(natural(offset).and_then(|offset| handle.disk.write(handle.id, offset, data)))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    code(natural(size).and_then(|size| handle.disk.truncate(handle.id, size)))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    code(handle.disk.sync(handle.id))
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    match handle.disk.size(handle.id) {
        Ok(bytes) => {
            // SAFETY: SQLite passes a place for the answer.
            unsafe { *size = sqlite3_int64::try_from(bytes).unwrap_or(sqlite3_int64::MAX) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    code(handle.disk.lock(handle.id, level(wanted)))
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, kept: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    code(handle.disk.unlock(handle.id, level(kept)))
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    match handle.disk.reserved(handle.id) {
        Ok(reserved) => {
            // SAFETY: SQLite passes a place for the answer.
            unsafe { *out = c_int::from(reserved) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn file_control(_file: *mut sqlite3_file, _op: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    c_int::try_from(SECTOR_BYTES).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    handle.disk.device().characteristics()
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let answer = natural(region).and_then(|region| Ok((region, natural(bytes)?)));
    let answer = answer.and_then(|(region, bytes)| handle.disk.shm_map(handle.id, region, bytes, extend != 0));
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = answer.ok().flatten().map_or(ptr::null_mut(), <*mut u8>::cast) };
    code(answer.map(drop))
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let mask = (first..first + count).fold(0, |mask, slot| mask | 1 << (slot & 7));
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        return code(handle.disk.shm_unlock(handle.id, mask));
    }
    code(
        handle
            .disk
            .shm_lock(handle.id, mask, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0),
    )
}

unsafe extern "C" fn shm_barrier(_file: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    code(handle.disk.shm_unmap(handle.id))
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: `vfs` and `name` come from SQLite.
    let (disk, name) = unsafe { (disk(vfs), text(name)) };
    code(name.and_then(|name| disk.delete(name.unwrap_or_default(), sync_directory != 0)))
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: `vfs` and `name` come from SQLite.
    let (disk, name) = unsafe { (disk(vfs), text(name)) };
    let answer = name.and_then(|name| disk.access(name.unwrap_or_default(), flags != ffi::SQLITE_ACCESS_EXISTS));
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = c_int::from(answer == Ok(true)) };
    code(answer.map(drop))
}

/// There is one directory tree and no current directory in it: a name is its own full name.
unsafe extern "C" fn full_pathname(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a C string.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if usize::try_from(size).is_ok_and(|size| bytes.len() <= size) {
        // SAFETY: `out` has room for `size` bytes and is not part of `name`.
        unsafe { ptr::copy_nonoverlapping(name, out, bytes.len()) };
        return ffi::SQLITE_OK;
    }
    ffi::SQLITE_CANTOPEN
}

unsafe extern "C" fn dl_open(_vfs: *mut sqlite3_vfs, _name: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn dl_error(_vfs: *mut sqlite3_vfs, size: c_int, out: *mut c_char) {
    if size > 0 {
        // SAFETY: `out` has room for `size` bytes.
        unsafe { *out = 0 };
    }
}

unsafe extern "C" fn randomness(vfs: *mut sqlite3_vfs, amount: c_int, out: *mut c_char) -> c_int {
    // SAFETY: `vfs` is ours, and `out` has room for `amount` bytes.
    unsafe {
        let amount = usize::try_from(amount).unwrap_or(0);
        disk(vfs).randomness(slice::from_raw_parts_mut(out.cast::<u8>(), amount));
    }
    amount
}

/// Real time passes: whoever sleeps here waits for a lock that another thread holds.
unsafe extern "C" fn sleep(_vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)));
    microseconds
}

unsafe extern "C" fn get_last_error(_vfs: *mut sqlite3_vfs, _size: c_int, _out: *mut c_char) -> c_int {
    0
}

unsafe extern "C" fn current_time(vfs: *mut sqlite3_vfs, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: `vfs` is ours, and SQLite passes a place for the answer.
    unsafe { *out = disk(vfs).now_ms() };
    ffi::SQLITE_OK
}
