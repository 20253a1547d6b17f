//! The list of files with their digests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ring::digest::{Context, SHA256};
use shared_protocol::ids::hex;

/// The list's name in the folder.
pub(super) const MANIFEST: &str = "MANIFEST.sha256";

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1_024;

/// SHA-256 of a file, in hex.
pub(super) fn digest(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut context = Context::new(&SHA256);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = file
            .read(&mut piece)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        if count == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(piece.get(..count).unwrap_or_default());
    }
}

/// All files below a folder but the list, by their path in it with `/`, with their digests. A link is refused: what it leads to is not in the folder.
pub(super) fn files(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(PathBuf::new(), folder.to_owned())];
    while let Some((within, at)) = folders.pop() {
        for entry in fs::read_dir(&at).with_context(|| format!("{} cannot be read", at.display()))? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            let Some(name) = name.to_str() else {
                bail!("{} holds a file whose name is no text", at.display());
            };
            let path = within.join(name);
            if kind.is_dir() {
                folders.push((path, entry.path()));
            } else if kind.is_file() {
                let path = path.to_string_lossy().into_owned();
                if path != MANIFEST {
                    found.insert(path, digest(&entry.path())?);
                }
            } else {
                bail!("{} is neither file nor folder", entry.path().display());
            }
        }
    }
    Ok(found)
}

/// The list as text.
pub(super) fn text(files: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (path, digest) in files {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{digest}  {path}");
    }
    text
}

/// The list of an archive.
pub(super) fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read; is {} an archive?", path.display(), folder.display()))?;
    let mut files = BTreeMap::new();
    for line in text.lines() {
        let Some((digest, path)) = line.split_once("  ") else {
            bail!("{} has a line that is none: {line:?}", path.display());
        };
        files.insert(path.to_owned(), digest.to_owned());
    }
    Ok(files)
}
