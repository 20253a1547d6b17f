//! What an unclean end leaves in the write-ahead log.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::Connection;
use store::StoreError;

use crate::connection::{Place, run};
use crate::error::{Failure, Result};

const CHUNK_BYTES: usize = 1024 * 1024;

/// Writes the bytes of a left-over log once more and syncs them.
///
/// When a sync fails, Linux keeps the pages readable but marks them clean, and no later sync saves them. A process that starts again on
/// them would build on frames that the next power cut takes away, and everything acknowledged after them with them. Written again they
/// are dirty again. The write lock keeps everybody else from the log meanwhile.
pub(crate) fn settle(connection: &Connection, place: &Place) -> Result<()> {
    let Some(path) = place.beside("-wal").on_disk() else {
        return Ok(());
    };
    if std::fs::metadata(&path).map_or(0, |wal| wal.len()) == 0 {
        return Ok(());
    }
    run(connection, "BEGIN IMMEDIATE")?;
    let rewritten = rewrite(&path);
    run(connection, "ROLLBACK")?;
    rewritten.map_err(|error| match error.kind() {
        ErrorKind::StorageFull => Failure::Store(StoreError::Full),
        _ => Failure::Store(StoreError::Failed(format!("{}: {error}", path.display()))),
    })
}

fn rewrite(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut offset = 0;
    loop {
        let count = file.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        offset += bytes.len() as u64;
    }
    file.sync_all()?;
    // The names of the database and its log, too.
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_written_again_has_the_same_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x-wal");
        let bytes: Vec<u8> = (0..CHUNK_BYTES * 2 + 77)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        std::fs::write(&path, &bytes).unwrap();
        rewrite(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
