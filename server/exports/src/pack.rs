//! Packs a folder into one archive, and says what its digest is.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ring::digest::{Context, SHA256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Bytes of the archive.
    pub bytes: u64,
    /// SHA-256 of the archive.
    pub sha256: [u8; 32],
}

/// The seek and the digest of what was written cannot be had at once, so the archive is read once more for it.
fn digest(file: &mut File) -> io::Result<Packed> {
    file.seek(SeekFrom::Start(0))?;
    let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            break;
        };
        digest.update(part);
        bytes += count as u64;
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.finish().as_ref());
    Ok(Packed { bytes, sha256 })
}

/// Packs all files of a folder, and of folders in it, in the order of their names. `step` hears how many bytes were packed since it was last asked, and
/// ends it by failing. The archive is on the disk when this returns.
pub fn pack(folder: &Path, into: File, mut step: impl FnMut(u64) -> io::Result<()>) -> io::Result<Packed> {
    let mut archive = ZipWriter::new(BufWriter::new(into));
    add(&mut archive, folder, "", &mut step)?;
    let mut file = archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    digest(&mut file)
}

fn add(
    archive: &mut ZipWriter<BufWriter<File>>,
    folder: &Path,
    prefix: &str,
    step: &mut impl FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            add(archive, &entry.path(), &format!("{name}/"), step)?;
            continue;
        }
        // The same export is the same archive: no times, and files may be larger than 4 GiB.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(entry.metadata()?.len() >= u64::from(u32::MAX));
        archive.start_file(name, options)?;
        let mut from = BufReader::with_capacity(BUFFER_BYTES, File::open(entry.path())?);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let count = from.read(&mut buffer)?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
                break;
            };
            archive.write_all(part)?;
            step(count as u64)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, unpack};

    #[test]
    fn what_is_packed_comes_out_again_and_twice_the_same() {
        let root = tempfile::tempdir().unwrap();
        let from = root.path().join("from");
        fs::create_dir_all(from.join("taxpayer-1")).unwrap();
        fs::write(from.join("taxpayer-1/index.xml"), "<x/>").unwrap();
        fs::write(from.join("taxpayer-1/lines.csv"), vec![b'a'; 300_000]).unwrap();
        let pack_once = |name: &str| {
            let path = root.path().join(name);
            let file = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)
                .unwrap();
            let mut seen = 0;
            let packed = pack(&from, file, |bytes| {
                seen += bytes;
                Ok(())
            });
            assert_eq!(seen, 300_004);
            (path, packed.unwrap())
        };
        let ((path, first), (_, second)) = (pack_once("1.zip"), pack_once("2.zip"));
        assert_eq!(first, second);
        assert!(first.bytes < 10_000 && first.bytes == fs::metadata(&path).unwrap().len());
        let to = root.path().join("to");
        fs::create_dir(&to).unwrap();
        unpack(File::open(&path).unwrap(), &to, Limits::default()).unwrap();
        assert_eq!(fs::read(to.join("taxpayer-1/lines.csv")).unwrap().len(), 300_000);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(root.path().join("3.zip"))
            .unwrap();
        let ended = pack(&from, file, |_| Err(io::Error::other("cancelled")));
        assert!(ended.is_err());
    }
}
