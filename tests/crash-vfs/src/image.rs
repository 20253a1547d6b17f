//! What a disk holds at one moment: names and bytes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::content::Content;

/// The files of a disk, by name. Copies are cheap: they share their bytes.
#[derive(Clone, Default)]
pub struct Image {
    files: BTreeMap<String, Content>,
}

impl Image {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file on the disk, such as a database that an older version wrote.
    pub fn insert(&mut self, name: impl Into<String>, bytes: &[u8]) {
        self.put(name.into(), Content::from_bytes(bytes));
    }

    /// The bytes of a file, if there is one of that name.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.files.get(name).map(Content::to_vec)
    }

    /// The names of all files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Equal for equal disks, and different for different ones but for a chance of 2^-64.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (name, content) in &self.files {
            name.hash(&mut hasher);
            content.digest(&mut hasher);
        }
        hasher.finish()
    }

    pub(crate) fn put(&mut self, name: String, content: Content) {
        self.files.insert(name, content);
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&String, &Content)> {
        self.files.iter()
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(self.files.iter().map(|(name, content)| (name, content.len())))
            .finish()
    }
}
