//! Second copies between looking and booking: in memory, a few, for half an hour. A server that starts anew forgets them; nothing is lost by that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::import::{Import, Preview, Unusable};
use shared_protocol::mirror::NoMirror;

/// How long somebody may look.
const LIFETIME_MS: u64 = 30 * 60 * 1_000;

/// Bytes of all of them. Beyond it the oldest go.
const KEPT_MAX_BYTES: usize = 128 * 1024 * 1024;

/// How many there may be.
const KEPT_MAX: usize = 16;

/// A journal that was checked.
pub(crate) struct Journal {
    pub import: Import,
    /// What stood there before anything was booked.
    pub found: Preview,
    pub is_booked: bool,
}

impl Journal {
    pub fn new(import: Import) -> Self {
        Self {
            found: import.preview(),
            import,
            is_booked: false,
        }
    }
}

/// What somebody uploaded.
pub(crate) struct Upload {
    pub id: String,
    pub at_ms: u64,
    pub bytes: usize,
    pub journals: Vec<Journal>,
    pub refused: Vec<Unusable>,
    pub others: Vec<(String, NoMirror)>,
}

impl Upload {
    pub const fn is_booked(&self) -> bool {
        let mut journals = self.journals.as_slice();
        while let [first, rest @ ..] = journals {
            if first.is_booked {
                return true;
            }
            journals = rest;
        }
        false
    }
}

/// All that are kept.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<Vec<Upload>>);

impl Uploads {
    fn kept(&self) -> MutexGuard<'_, Vec<Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn put(&self, upload: Upload) {
        let mut kept = self.kept();
        kept.push(upload);
        let too_many = |kept: &Vec<Upload>| {
            kept.len() > KEPT_MAX || kept.iter().map(|upload| upload.bytes).sum::<usize>() > KEPT_MAX_BYTES
        };
        while kept.len() > 1 && too_many(&kept) {
            kept.remove(0);
        }
    }

    pub fn take(&self, id: &str, now_ms: u64) -> Option<Upload> {
        let mut kept = self.kept();
        kept.retain(|upload| now_ms.saturating_sub(upload.at_ms) < LIFETIME_MS);
        let place = kept.iter().position(|upload| upload.id == id)?;
        Some(kept.remove(place))
    }

    pub fn with<T>(&self, id: &str, now_ms: u64, look: impl FnOnce(&Upload) -> T) -> Option<T> {
        let mut kept = self.kept();
        kept.retain(|upload| now_ms.saturating_sub(upload.at_ms) < LIFETIME_MS);
        kept.iter().find(|upload| upload.id == id).map(look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(id: &str, at_ms: u64, bytes: usize) -> Upload {
        Upload {
            id: id.to_owned(),
            at_ms,
            bytes,
            journals: Vec::new(),
            refused: Vec::new(),
            others: Vec::new(),
        }
    }

    #[test]
    fn the_oldest_uploads_go_when_they_are_old_or_too_large_together() {
        let uploads = Uploads::default();
        uploads.put(upload("a", 0, KEPT_MAX_BYTES));
        assert!(uploads.with("a", LIFETIME_MS - 1, |_| ()).is_some());
        uploads.put(upload("b", 5, 1));
        assert!(uploads.take("a", 10).is_none(), "too large together");
        assert!(uploads.with("b", LIFETIME_MS + 5, |_| ()).is_none(), "too old");
        for number in 0..=KEPT_MAX {
            uploads.put(upload(&number.to_string(), 5, 1));
        }
        assert!(uploads.take("0", 10).is_none() && uploads.take("1", 10).is_some());
    }
}
