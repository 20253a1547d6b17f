//! The life of one VFS among those that `SQLite` knows.
#![expect(
    unsafe_code,
    reason = "SQLite keeps raw pointers to the VFS that is registered with it"
)]

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::ffi;

use crate::device::Device;
use crate::disk::Disk;
use crate::image::Image;
use crate::log::Mark;
use crate::shim;

/// Everything `SQLite` holds a pointer to, at addresses that do not move.
struct Registered {
    vfs: ffi::sqlite3_vfs,
    disk: Arc<Disk>,
    /// Only `vfs.zName` reads it.
    _c_name: CString,
}

pub(crate) struct Registration {
    /// From `Box::into_raw`, owned by this value.
    registered: *mut Registered,
    name: String,
}

// SAFETY: SQLite guards its list of VFSes with its own mutex and only reads what it was given; `disk` is Sync, `vfs` and `_c_name` are
// not written after registration except for the list's own `pNext`, under that mutex.
unsafe impl Send for Registration {}
// SAFETY: as above.
unsafe impl Sync for Registration {}

impl Registration {
    pub(crate) fn new(device: Device, image: Image, earlier_marks: Vec<Mark>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("crash-vfs-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let c_name = CString::new(name.as_str()).unwrap_or_default();
        let disk = Arc::new(Disk::new(device, image, earlier_marks));
        let vfs = shim::vfs(c_name.as_ptr(), &disk);
        let registered = Box::into_raw(Box::new(Registered {
            vfs,
            disk,
            _c_name: c_name,
        }));
        // SAFETY: `registered` was just made and lives until `drop` has taken the VFS back; the name and the disk it points to are on
        // the heap and live as long.
        let code = unsafe { ffi::sqlite3_vfs_register(&raw mut (*registered).vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite refused the VFS {name}");
        Self { registered, name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn disk(&self) -> &Disk {
        // SAFETY: `registered` is valid until `drop`, and nobody writes `disk`.
        unsafe { &(*self.registered).disk }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let open = self.disk().open_handles();
        // SAFETY: registered in `new` and not taken back since.
        unsafe { ffi::sqlite3_vfs_unregister(&raw mut (*self.registered).vfs) };
        if open == 0 {
            // SAFETY: from `Box::into_raw` in `new`; SQLite does not know the VFS any more, and no open file belongs to a connection
            // that could ask it.
            drop(unsafe { Box::from_raw(self.registered) });
            return;
        }
        // A connection still points to the VFS: the memory has to stay. A failing test may leave connections open; its own message counts.
        let excused = std::thread::panicking();
        assert!(
            excused,
            "{} dropped while {open} of its files are open: close the connections first",
            self.name
        );
    }
}
