//! The server's disk: the reference store, with commits that fail, lie or forget.

use std::sync::{Arc, Mutex, PoisonError};

use store::{Commit, Loaded, MemoryStore, Need, Reader, Store, StoreError};

/// What the next commit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It fails and is not there.
    Full,
    /// It fails and is there all the same.
    Unknown,
    /// It says it is done, and nothing is there.
    Lie,
    /// It forgets the new balance of one account.
    DropBalance,
}

/// What the next commit does, shared with whoever decides it.
pub(crate) type FaultCell = Arc<Mutex<Option<CommitFault>>>;

/// The server's disk: a commit is durable when it returns.
pub(crate) struct ServerDisk {
    inner: MemoryStore,
    fault: FaultCell,
}

/// The next commit does this.
pub(crate) fn arm(cell: &FaultCell, fault: Option<CommitFault>) {
    *cell.lock().unwrap_or_else(PoisonError::into_inner) = fault;
}

impl ServerDisk {
    pub fn new(inner: MemoryStore, fault: FaultCell) -> Self {
        Self { inner, fault }
    }
}

impl Store for ServerDisk {
    fn load(&mut self, need: &Need) -> Result<Loaded, StoreError> {
        self.inner.load(need)
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let mut armed = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        // An account to forget has to be there.
        let fault = if *armed == Some(CommitFault::DropBalance) && commit.accounts.is_empty() {
            None
        } else {
            armed.take()
        };
        drop(armed);
        match fault {
            None => self.inner.commit(commit),
            Some(CommitFault::Full) => Err(StoreError::Full),
            Some(CommitFault::Unknown) => {
                self.inner.commit(commit)?;
                Err(StoreError::Failed(
                    "simulated: nobody knows whether the sync reached the disk".to_owned(),
                ))
            }
            Some(CommitFault::Lie) => Ok(()),
            Some(CommitFault::DropBalance) => {
                let mut less = commit.clone();
                less.accounts.pop_first();
                self.inner.commit(&less)
            }
        }
    }

    fn project(&mut self, rows_max: u64) -> Result<(u64, u64), StoreError> {
        self.inner.project(rows_max)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.inner.reader()
    }
}
