//! A serial port with an emulated PN532 at its far end: a pseudo terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

use crate::Table;
use crate::pn532::Pn532;

/// How soon the module notices that it was pulled out.
const LOOK: Duration = Duration::from_millis(20);

/// A PN532 on a serial port, for as long as this lives; then it is pulled out.
pub struct Module {
    link: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Module {
    /// Plugs a module with this table in, at a port of this name in a folder. A name that was there before is the same port again, as udev does it.
    pub fn plug(folder: &Path, name: &str, table: Table) -> std::io::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let path = rustix::pty::ptsname(&master, Vec::new())?;
        // Kept open: between two that open the port its far end would see an error.
        let slave = rustix::fs::open(path.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
        let mut attributes = rustix::termios::tcgetattr(&slave)?;
        attributes.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &attributes)?;

        let link = folder.join(name);
        std::os::unix::fs::symlink(Path::new(&*path.to_string_lossy()), &link)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let _over = run(master, &table, &stopped);
            drop(slave);
        });
        Ok(Self {
            link,
            stop,
            thread: Some(thread),
        })
    }

    /// How libnfc is told of it.
    pub fn connection(&self) -> String {
        format!("pn532_uart:{}", self.link.display())
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
        let _gone = std::fs::remove_file(&self.link);
    }
}

fn run(master: OwnedFd, table: &Table, stopped: &AtomicBool) -> std::io::Result<()> {
    let mut line = File::from(master);
    let mut module = Pn532::default();
    let mut buffer = [0; 1024];
    let look = Timespec::try_from(LOOK).expect("a short time");
    while !stopped.load(Ordering::SeqCst) {
        let mut waits = [PollFd::new(&line, PollFlags::IN)];
        if poll(&mut waits, Some(&look))? == 0 {
            continue;
        }
        let len = line.read(&mut buffer)?;
        let answer = module.bytes(buffer.get(..len).unwrap_or_default(), table);
        line.write_all(&answer)?;
    }
    Ok(())
}
