//! An export in memory: small ones that are handed on without a disk, and tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::rc::Rc;

use crate::check::Source;
use crate::write::Sink;

/// Files by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

/// Where an export is written that becomes [`Files`].
#[derive(Debug, Default)]
pub struct Memory(BTreeMap<String, Rc<RefCell<Vec<u8>>>>);

/// A file that is being written.
#[derive(Debug)]
pub struct MemoryFile(Rc<RefCell<Vec<u8>>>);

impl Memory {
    /// What was written.
    pub fn files(&self) -> Files {
        let files = self.0.iter().map(|(name, file)| (name.clone(), file.borrow().clone()));
        Files(files.collect())
    }
}

impl Sink for Memory {
    type File = MemoryFile;

    fn create(&mut self, name: &str) -> io::Result<MemoryFile> {
        let file = Rc::default();
        self.0.insert(name.to_owned(), Rc::clone(&file));
        Ok(MemoryFile(file))
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Files {
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(self
            .0
            .get(name)
            .map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read + '_>))
    }
}
