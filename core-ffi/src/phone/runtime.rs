//! The threads of the phone's terminal, and how they reach the Java machine.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Runtime};

/// A phone has eight cores and better things to do with them.
const WORKERS: usize = 2;
/// One for the queue's disk, one for the Keystore.
const BLOCKING: usize = 4;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The runtime of the process: made once, never ended, since the process ends with it.
pub(super) fn runtime() -> io::Result<&'static Runtime> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let counter = AtomicUsize::new(1);
    let made = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING)
        .thread_name_fn(move || format!("groschen-{}", counter.fetch_add(1, Ordering::Relaxed)))
        .on_thread_start(attach_this_thread)
        .enable_all()
        .build()?;
    Ok(RUNTIME.get_or_init(|| made))
}

/// Attaches a thread of ours to the Java machine for as long as it lives. JNA would attach and detach it at every single call, each time with a new Java
/// thread. Without a Java machine (a test in Rust, or a library that was not loaded by `System.loadLibrary`) there is nothing to do.
pub(super) fn attach_this_thread() {
    let Ok(machine) = jni::JavaVM::singleton() else {
        return;
    };
    let attached: jni::errors::Result<()> = machine.attach_current_thread(|_| Ok(()));
    if let Err(error) = attached {
        tracing::warn!(%error, "a thread could not be attached to the Java machine; calls to it are slower");
    }
}

/// Java calls this when the shell loads the library with `System.loadLibrary`: the machine is kept for [`attach_this_thread`].
#[expect(
    unsafe_code,
    reason = "the entry point has the name and signature that the Java Native Interface gives it"
)]
#[unsafe(no_mangle)]
extern "system" fn JNI_OnLoad(machine: *mut jni::sys::JavaVM, _reserved: *mut std::ffi::c_void) -> jni::sys::jint {
    if !machine.is_null() {
        // SAFETY: the Java machine passes a pointer to itself, which lives as long as the process.
        let _kept = unsafe { jni::JavaVM::from_raw(machine) };
    }
    jni::sys::JNI_VERSION_1_6
}
