//! Unpacks an archive that a stranger made. What it claims of itself is not believed: bytes are counted as they come out.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 128 * 1024;
/// How the entries of an archive's table of contents begin.
const ENTRY_MARK: [u8; 4] = *b"PK\x01\x02";

/// What an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders.
    pub entries_max: usize,
    /// Bytes of all files, unpacked.
    pub bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_max: 512,
            bytes_max: 2 * 1024 * 1024 * 1024,
        }
    }
}

/// Why an archive was not unpacked. What was written of it so far belongs to nobody.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is none, or damaged.
    #[error("this is no ZIP archive that can be read ({0})")]
    NoArchive(String),
    /// It needs a password, or was packed in a way that is not read here.
    #[error("the archive is packed in a way that is not read here ({0}); pack it again as a plain ZIP archive")]
    Unsupported(&'static str),
    /// It holds more than an export does.
    #[error(
        "the archive holds more than an export does ({0}); check the folder with `groschen verify dsfinvk` on the server"
    )]
    TooMuch(&'static str),
    /// A name leads elsewhere.
    #[error("the archive holds a file with the name {0:?}, which leads out of it; no export has that")]
    Name(String),
    /// The disk.
    #[error("the archive cannot be unpacked here: {0}")]
    Io(#[from] io::Error),
}

impl From<ZipError> for UnpackError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Self::NoArchive(error.to_string()),
            ZipError::UnsupportedArchive(what) => Self::Unsupported(what),
            other => Self::NoArchive(other.to_string()),
        }
    }
}

/// Entries in the table of contents, at most: reading it makes a value of each, so they are counted before.
fn entries(file: &mut File) -> io::Result<usize> {
    file.seek(SeekFrom::Start(0))?;
    let mut from = BufReader::with_capacity(BUFFER_BYTES, &*file);
    let (mut found, mut window) = (0, [0_u8; 4]);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            break;
        };
        for byte in part {
            window.rotate_left(1);
            window[3] = *byte;
            found += usize::from(window == ENTRY_MARK);
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(found)
}

/// A path below the folder. Names are checked, not repaired.
fn place(folder: &Path, name: &str) -> Result<PathBuf, UnpackError> {
    let path = Path::new(name);
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
    if name.contains(['\\', '\0']) || name.is_empty() || !path.components().all(inside) || path.components().count() > 4
    {
        return Err(UnpackError::Name(name.chars().take(100).collect()));
    }
    Ok(folder.join(path))
}

/// Unpacks an archive into an empty folder, within limits.
pub fn unpack(mut archive: File, into: &Path, limits: Limits) -> Result<(), UnpackError> {
    if entries(&mut archive)? > limits.entries_max {
        return Err(UnpackError::TooMuch("files"));
    }
    let mut archive = ZipArchive::new(BufReader::new(archive))?;
    let mut left = limits.bytes_max;
    let mut buffer = vec![0; BUFFER_BYTES];
    for index in 0..archive.len().min(limits.entries_max) {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let path = place(into, &name)?;
        if entry.is_dir() {
            fs::create_dir_all(path)?;
            continue;
        }
        if !entry.is_file() {
            return Err(UnpackError::Name(name.chars().take(100).collect()));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut to = File::create_new(&path)?;
        loop {
            // A wrong checksum and a broken stream come as errors of reading.
            let count = entry
                .read(&mut buffer)
                .map_err(|error| UnpackError::NoArchive(error.to_string()))?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
                break;
            };
            left = left.checked_sub(count as u64).ok_or(UnpackError::TooMuch("bytes"))?;
            to.write_all(part)?;
        }
    }
    Ok(())
}

/// The folders in a folder that hold an export, by name; the folder itself comes as an empty name.
pub fn exports_in(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    if folder.join(dsfinvk::write::INDEX_FILE).is_file() {
        found.push((String::new(), folder.to_owned()));
    }
    let mut inside = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    inside.sort_by_key(fs::DirEntry::file_name);
    for entry in inside {
        if entry.file_type()?.is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = exports_in(&entry.path())?.into_iter();
            found.extend(below.map(|(rest, path)| {
                let name = if rest.is_empty() {
                    name.clone()
                } else {
                    format!("{name}/{rest}")
                };
                (name, path)
            }));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn unpacked(bytes: &[u8], limits: Limits) -> Result<tempfile::TempDir, UnpackError> {
        let folder = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        unpack(file, folder.path(), limits).map(|()| folder)
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../x", "a/../../x", "/etc/x", "a\\..\\x", "a/b/c/d/e"] {
            let found = unpacked(&archive(&[(name, b"x")]), Limits::default());
            assert!(matches!(found, Err(UnpackError::Name(_))), "{name}: {found:?}");
        }
        assert!(unpacked(&archive(&[("a/lines.csv", b"x")]), Limits::default()).is_ok());
    }

    #[test]
    fn an_archive_that_grows_beyond_measure_or_has_too_many_files_is_refused() {
        let zeros = vec![0; 3_000_000];
        let small = Limits {
            entries_max: 3,
            bytes_max: 2_000_000,
        };
        let bomb = archive(&[("a.csv", &zeros)]);
        assert!(bomb.len() < 10_000);
        assert!(matches!(unpacked(&bomb, small), Err(UnpackError::TooMuch("bytes"))));
        let many: Vec<String> = (0..4).map(|number| format!("{number}.csv")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(matches!(
            unpacked(&archive(&many), small),
            Err(UnpackError::TooMuch("files"))
        ));
    }

    #[test]
    fn exports_are_found_wherever_they_lie() {
        let folder = unpacked(
            &archive(&[("t-1/index.xml", b""), ("t-2/a/index.xml", b""), ("other/x.csv", b"")]),
            Limits::default(),
        );
        let folder = folder.unwrap();
        let found = exports_in(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["t-1", "t-2/a"]);
    }

    proptest! {
        /// Whatever bytes come: an answer, no panic, and nothing outside the folder.
        #[test]
        fn rubbish_is_refused(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
            at in any::<prop::sample::Index>(),
            with in any::<u8>(),
        ) {
            let _refused = unpacked(&bytes, Limits::default());
            bytes = archive(&[("a.csv", b"some content"), ("b.csv", b"other content")]);
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _answer = unpacked(&bytes, Limits::default());
        }
    }
}
