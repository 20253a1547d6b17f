//! A folder as the place of a fiscal export: where it is written, and where it is read.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use dsfinvk::check::Source;
use dsfinvk::write::Sink;

/// Why a folder cannot be used. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The disk.
    #[error("{0} cannot be made or read: {1}")]
    Io(String, io::Error),
    /// It holds something.
    #[error("{0} is not empty; nothing was written, name a new folder")]
    NotEmpty(String),
    /// There is none.
    #[error("{0} is no folder; name the one with the export's index.xml")]
    NoFolder(String),
}

/// A folder with the files of one export.
#[derive(Debug, Clone)]
pub struct ExportFolder(PathBuf);

impl ExportFolder {
    /// A new folder to write into. One that holds anything is refused: an export is handed over, and must not be mixed with another one.
    pub fn make(path: &Path) -> Result<Self, FolderError> {
        let name = path.display().to_string();
        let mut inside = fs::create_dir_all(path)
            .and_then(|()| fs::read_dir(path))
            .map_err(|error| FolderError::Io(name.clone(), error))?;
        if inside.next().is_some() {
            return Err(FolderError::NotEmpty(name));
        }
        Ok(Self(path.to_owned()))
    }

    /// A folder to read.
    pub fn read(path: &Path) -> Result<Self, FolderError> {
        if path.is_dir() {
            Ok(Self(path.to_owned()))
        } else {
            Err(FolderError::NoFolder(path.display().to_string()))
        }
    }

    /// A file in the folder itself. Names come out of files that others wrote, so none leads elsewhere.
    fn file(&self, name: &str) -> io::Result<PathBuf> {
        let mut parts = Path::new(name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(_)), None) => Ok(self.0.join(name)),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{name:?} is no file's name"),
            )),
        }
    }
}

impl Sink for ExportFolder {
    type File = File;

    fn create(&mut self, name: &str) -> io::Result<File> {
        File::create_new(self.file(name)?)
    }
}

impl Source for ExportFolder {
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        match File::open(self.file(name)?) {
            Ok(file) => Ok(Some(Box::new(BufReader::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let export = ExportFolder::make(&folder.path().join("export")).unwrap();
        for name in ["../secret", "/etc/passwd", "a/b", "..", ""] {
            assert!(export.open(name).is_err(), "{name:?}");
        }
        assert!(export.open("lines.csv").unwrap().is_none());
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lines.csv"), "kept").unwrap();
        assert!(ExportFolder::make(folder.path()).is_err());
        assert_eq!(fs::read_to_string(folder.path().join("lines.csv")).unwrap(), "kept");
    }
}
