//! The second place of a terminal's journal: a file per terminal and epoch that outlives the device, made of records that check themselves.
//!
//! ```text
//!    0  4  "GRJ1"
//!    4  4  length of the body, big endian
//!    8  8  first bytes of SHA-256 over length and body
//!   16  n  body: {0: kind, 1: flags, 2: content}, the frozen envelope of the websocket
//! ```
//! A file is only ever appended to. Every entry carries the hash before it, so each can be checked, and lines can be put together, whatever
//! is missing around it and in whatever order records stand. A torn end is told from damage in the middle, and after damage the next
//! whole record is found by its mark. Nothing in a file is secret: what a terminal signs with and what wristbands are opened with is not in a journal.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::chain::{EpochStart, SignedHead, link};
use crate::crypto::{Hash32, signing_input};
use crate::ids::{Bytes, TerminalId};
use crate::limits::FRAME_FROM_TERMINAL_MAX_BYTES;
use crate::message::{Certificate, Envelope, FLAG_OPTIONAL, Registration};
use crate::{DecodeError, decode, encode};

/// The format this code writes, and the newest it reads.
pub const FORMAT: u16 = 1;

/// The largest body of a record: the largest entry, and what is around it.
pub const BODY_MAX_BYTES: usize = FRAME_FROM_TERMINAL_MAX_BYTES + 1_024;

/// The largest file that is read: some hundred thousand entries.
pub const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The largest body of an upload to a keeper.
pub const UPLOAD_MAX_BYTES: usize = 1024 * 1024;

const MARK: [u8; 4] = *b"GRJ1";
const LEAD_BYTES: usize = 16;

/// Whose journal a file is. Written when a file is begun, and again whenever somebody goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The format of the records, [`FORMAT`].
    pub format: u16,
    /// The epoch, with its root.
    pub epoch: EpochStart,
    /// Who the terminal is: organisation, event, till and public key, signed by the event's config key.
    pub certificate: Certificate,
}

impl Opening {
    /// What the certificate says. Whether it is true is for those to check who know the terminal or the event's key.
    pub fn registration(&self) -> Result<Registration, DecodeError> {
        decode(&self.certificate.body.0)
    }
}

/// An entry with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirroredEntry {
    /// 1, 2, 3 … in the epoch.
    pub seq: u64,
    /// The chain's hash before it.
    pub previous: Hash32,
    /// The entry's bytes.
    pub bytes: Bytes,
}

impl MirroredEntry {
    /// The chain's hash after it.
    pub fn hash(&self) -> Hash32 {
        link(&self.previous, self.seq, &self.bytes.0)
    }
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Whose journal this is.
    Opening(Opening),
    /// An entry.
    Entry(MirroredEntry),
    /// A signed head, as the terminal made it.
    Head(SignedHead),
}

impl Record {
    const OPENING: u16 = 1;
    const ENTRY: u16 = 2;
    const HEAD: u16 = 3;

    /// The record as it stands in a file.
    pub fn bytes(&self) -> Vec<u8> {
        let (kind, content) = match self {
            Self::Opening(opening) => (Self::OPENING, encode(opening)),
            Self::Entry(entry) => (Self::ENTRY, encode(entry)),
            Self::Head(head) => (Self::HEAD, encode(head)),
        };
        let body = encode(&Envelope {
            kind,
            flags: 0,
            body: Bytes(content),
        });
        let mut bytes = Vec::with_capacity(LEAD_BYTES + body.len());
        bytes.extend(MARK);
        // A body is an entry of a frame at most, so its length fits.
        bytes.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(check(&body));
        bytes.extend(body);
        bytes
    }
}

fn check(body: &[u8]) -> [u8; 8] {
    let digest = Hash32::of("groschen mirror 1", &[body]);
    let mut check = [0; 8];
    check.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    check
}

/// The name of a journal's file.
pub fn file_name(terminal: TerminalId, epoch: u32) -> String {
    format!("{terminal}-{epoch}.groschen")
}

/// What of a file could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Bytes after the last whole record: a write that was cut off. Nothing before it is in doubt.
    pub torn_bytes: u64,
    /// Places before that where records are damaged.
    pub places: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What tells signed heads apart: a forged one must not take the place of the true one.
pub type HeadKey = (u64, Hash32, Bytes);

fn head_key(head: &SignedHead) -> HeadKey {
    (head.seq, head.hash, head.signature.bytes.clone())
}

/// Everything that could be read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Whose journal it is.
    pub opening: Opening,
    /// Entries by the hash after each; lines are put together by following `previous`.
    pub entries: BTreeMap<Hash32, MirroredEntry>,
    /// Signed heads by sequence, hash and signature; not checked here.
    pub heads: BTreeMap<HeadKey, SignedHead>,
    /// What could not be read.
    pub damage: Damage,
    /// Where the last whole record ends.
    pub end: usize,
}

/// Why a file is no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMirror {
    /// No whole record is in it.
    #[error("there is no whole record in it")]
    Nothing,
    /// No record says whose journal it is.
    #[error("no record in it says whose journal it is")]
    NoOpening,
    /// It says two different things about whose journal it is.
    #[error("it holds records of two different journals")]
    Mixed,
    /// It is from a newer program.
    #[error("it has format {0}, this program knows up to {FORMAT}")]
    Newer(u16),
}

/// What stands at a place of a file.
enum Found<'a> {
    Body(&'a [u8], usize),
    Nothing,
}

/// Reads the record at `at`, if a whole one begins there. `budget` is what may still be hashed in vain.
fn record_at<'a>(file: &'a [u8], at: usize, budget: &mut usize) -> Found<'a> {
    let read = || {
        let lead = file.get(at..at.checked_add(LEAD_BYTES)?)?;
        let (mark, rest) = lead.split_at_checked(4)?;
        let (length, sum) = rest.split_at_checked(4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let begin = at + LEAD_BYTES;
        let body = file.get(begin..begin.checked_add(length)?)?;
        (mark == MARK && length <= BODY_MAX_BYTES).then_some((body, sum, begin + length))
    };
    let Some((body, sum, end)) = read() else {
        return Found::Nothing;
    };
    if check(body) == sum {
        return Found::Body(body, end);
    }
    *budget = budget.saturating_sub(body.len());
    Found::Nothing
}

fn read_body(body: &[u8]) -> Option<Result<Record, u16>> {
    fn content<T: DeserializeOwned + Serialize>(envelope: &Envelope) -> Option<T> {
        decode(&envelope.body.0).ok()
    }
    let envelope: Envelope = decode(body).ok()?;
    Some(Ok(match envelope.kind {
        Record::OPENING => Record::Opening(content(&envelope)?),
        Record::ENTRY => Record::Entry(content(&envelope)?),
        Record::HEAD => Record::Head(content(&envelope)?),
        kind if envelope.flags & FLAG_OPTIONAL != 0 => return Some(Err(kind)),
        _ => return None,
    }))
}

impl Mirror {
    /// Reads a file as far as it can be read.
    pub fn read(file: &[u8]) -> Result<Self, NoMirror> {
        let mut openings: Vec<Opening> = Vec::new();
        let (mut entries, mut heads) = (BTreeMap::new(), BTreeMap::new());
        let (mut damage, mut end, mut at) = (Damage::default(), 0, 0);
        // A file made to look like the beginnings of records everywhere must not cost more than reading it a few times.
        let mut budget = file.len().saturating_mul(4).saturating_add(BODY_MAX_BYTES);
        let (mut records, mut is_damaged) = (0_u64, false);
        while at < file.len() && budget > 0 {
            let Found::Body(body, next) = record_at(file, at, &mut budget) else {
                is_damaged = true;
                let mark = file.get(at + 1..).unwrap_or_default();
                let found = mark.windows(MARK.len()).position(|window| window == MARK);
                at = found.map_or(file.len(), |found| at + 1 + found);
                continue;
            };
            if is_damaged {
                damage.places += 1;
                damage.bytes += (at - end) as u64;
                is_damaged = false;
            }
            match read_body(body) {
                Some(Ok(Record::Opening(opening))) if !openings.contains(&opening) => openings.push(opening),
                Some(Ok(Record::Opening(_)) | Err(_)) => {}
                Some(Ok(Record::Entry(entry))) => drop(entries.insert(entry.hash(), entry)),
                Some(Ok(Record::Head(head))) => drop(heads.insert(head_key(&head), head)),
                None => {
                    damage.places += 1;
                    damage.bytes += (next - at) as u64;
                }
            }
            records += 1;
            (at, end) = (next, next);
        }
        damage.torn_bytes = (file.len() - end) as u64;
        if let Some(newer) = openings.iter().find(|opening| opening.format > FORMAT) {
            return Err(NoMirror::Newer(newer.format));
        }
        match (records, openings.len(), openings.pop()) {
            (0, ..) => Err(NoMirror::Nothing),
            (_, 1, Some(opening)) => Ok(Self {
                opening,
                entries,
                heads,
                damage,
                end,
            }),
            (_, 0, _) => Err(NoMirror::NoOpening),
            _ => Err(NoMirror::Mixed),
        }
    }

    /// Takes in what another copy of the same journal holds. Gives whether it is of the same journal.
    pub fn merge(&mut self, other: Self) -> bool {
        if self.opening != other.opening {
            return false;
        }
        self.entries.extend(other.entries);
        self.heads.extend(other.heads);
        self.damage.torn_bytes = self.damage.torn_bytes.saturating_add(other.damage.torn_bytes);
        self.damage.places = self.damage.places.saturating_add(other.damage.places);
        self.damage.bytes = self.damage.bytes.saturating_add(other.damage.bytes);
        true
    }
}

/// What a keeper has of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The last entry; zero when there is none.
    pub seq: u64,
    /// The chain's hash after it.
    pub head: Hash32,
}

/// The header that carries the proof of an upload, as hexadecimal digits.
pub const PROOF_HEADER: &str = "groschen-proof";

/// Where a keeper takes a journal.
pub fn upload_path(terminal: TerminalId, epoch: u32) -> String {
    format!("/journal/{terminal}/{epoch}")
}

/// What a desk proves to a keeper with the key they share: that it may ask this. A proof that is sent again asks for the same again, and
/// what is kept once is not kept twice.
pub fn upload_message(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    signing_input("groschen keep 1", &[method.as_bytes(), path.as_bytes(), body])
}

#[cfg(test)]
mod tests;
