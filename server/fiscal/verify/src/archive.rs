//! The files of a TAR archive, one after another, with no more than one of them in memory.
//!
//! The archive is read without the library's own joining of long names, which would take whatever size a header claims.

use std::io::{self, BufReader, Read};

use tar::{Archive, EntryType, PaxExtensions};
use wording::{Both, both};

use crate::finding::Code;

/// Bytes of the largest file that is read. Log messages are some hundred bytes long, certificates some thousand.
pub const FILE_MAX: u64 = 1 << 20;

/// Bytes that are asked of the reader at once.
const BUFFER: usize = 1 << 18;

/// Where an archive's fault is when it is about the archive.
pub const ARCHIVE: Both<&str> = Both::new("das Archiv", "the archive");

/// What comes out of an archive.
pub enum Item<'a> {
    /// A file.
    File {
        /// Its name without folders.
        name: &'a str,
        /// What is in it.
        content: &'a [u8],
    },
    /// Something is wrong with the archive.
    Fault(Code, Both, Both),
}

/// Knows whether the bytes ran out.
struct Watched<R> {
    inner: R,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

/// Gives every file of an archive, and what is wrong with the archive, to `take`.
pub fn read(from: impl Read, mut take: impl FnMut(Item<'_>)) {
    let mut archive = Archive::new(Watched {
        inner: BufReader::with_capacity(BUFFER, from),
        ended: false,
    });
    match entries(&mut archive, &mut take) {
        Ok(true) => behind(archive.into_inner(), take),
        Ok(false) => {}
        Err(error) => {
            // The bytes ran out in the middle of something; any other error is damage.
            let cut = archive.into_inner().ended;
            let code = if cut { Code::TarCut } else { Code::TarUnreadable };
            take(Item::Fault(code, ARCHIVE.into(), unreadable(&error)));
        }
    }
}

fn unreadable(error: &io::Error) -> Both {
    both!(
        "es lässt sich nicht weiterlesen: {error}",
        "it cannot be read on: {error}"
    )
}

/// Gives whether the archive was read to its end.
fn entries(archive: &mut Archive<Watched<impl Read>>, take: &mut impl FnMut(Item<'_>)) -> io::Result<bool> {
    let mut long_name: Option<Vec<u8>> = None;
    let (mut content, mut foldered) = (Vec::new(), false);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let size = entry.size();
        let about_next = matches!(
            kind,
            EntryType::GNULongName | EntryType::XHeader | EntryType::XGlobalHeader
        );
        let told = if about_next { None } else { long_name.take() };
        let name = told.unwrap_or_else(|| entry.path_bytes().into_owned());
        let path = String::from_utf8_lossy(&name).into_owned();
        content.clear();
        let wanted = size.min(FILE_MAX + 1);
        let got = (&mut entry).take(wanted).read_to_end(&mut content)? as u64;
        if got < wanted {
            take(Item::Fault(
                Code::TarCut,
                path.into(),
                both!(
                    "sie hat {got} Byte, ihr Kopf sagt {size}",
                    "it has {got} bytes, its header says {size}"
                ),
            ));
            return Ok(false);
        }
        if size > FILE_MAX {
            take(Item::Fault(
                Code::FileTooLarge,
                path.into(),
                both!(
                    "sie hat {size} Byte, gelesen werden höchstens {FILE_MAX}",
                    "it has {size} bytes, the largest that is read has {FILE_MAX}"
                ),
            ));
            continue;
        }
        match kind {
            EntryType::GNULongName => {
                let text = content.strip_suffix(&[0]).unwrap_or(&content);
                long_name = Some(text.to_vec());
            }
            EntryType::XHeader | EntryType::XGlobalHeader => match pax_path(&content) {
                Ok(path) => long_name = path.or(long_name),
                Err(what) => {
                    take(Item::Fault(Code::TarUnreadable, path.into(), what.into()));
                    return Ok(false);
                }
            },
            EntryType::Regular | EntryType::Continuous => {
                let file = path.rsplit('/').next().unwrap_or_default();
                if file.len() < path.len() && !foldered {
                    foldered = true;
                    let what = Both::new("sie liegt in einem Ordner", "it lies in a folder");
                    take(Item::Fault(Code::Folder, path.as_str().into(), what.into()));
                }
                take(Item::File {
                    name: file,
                    content: &content,
                });
            }
            other => take(Item::Fault(
                Code::EntryKind,
                path.into(),
                both!(
                    "es ist keine gewöhnliche Datei (Art {:?})",
                    "it is no plain file (kind {:?})",
                    char::from(other.as_byte())
                ),
            )),
        }
    }
    Ok(true)
}

/// The name of the next file. A size here would make readers disagree about where the next file begins.
fn pax_path(content: &[u8]) -> Result<Option<Vec<u8>>, Both<&'static str>> {
    let mut path = None;
    for extension in PaxExtensions::new(content).filter_map(Result::ok) {
        match extension.key_bytes() {
            b"path" => path = Some(extension.value_bytes().to_vec()),
            b"size" => {
                return Err(Both::new(
                    "eine Größe steht außerhalb eines Kopfes",
                    "a size is given outside of a header",
                ));
            }
            _ => {}
        }
    }
    Ok(path)
}

/// Bytes of a block. Two of zeros are the end mark, of which the library reads the first.
const BLOCK: u64 = 512;

/// After the end mark there is nothing but zeros.
fn behind(mut rest: Watched<impl Read>, mut take: impl FnMut(Item<'_>)) {
    let (mut buffer, mut zeros) = ([0; 8_192], 0);
    while !rest.ended {
        match rest.read(&mut buffer) {
            Ok(count) if buffer.iter().take(count).all(|byte| *byte == 0) => zeros += count as u64,
            Ok(_) => {
                let what = Both::new(
                    "hinter seiner Endmarke stehen noch Bytes",
                    "there are bytes behind its end mark",
                );
                return take(Item::Fault(Code::TarBehindEnd, ARCHIVE.into(), what.into()));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return take(Item::Fault(Code::TarUnreadable, ARCHIVE.into(), unreadable(&error)));
            }
        }
    }
    if zeros < BLOCK {
        let what = Both::new(
            "seine Endmarke fehlt oder ist abgeschnitten",
            "its end mark is missing or cut",
        );
        take(Item::Fault(Code::TarCut, ARCHIVE.into(), what.into()));
    }
}
