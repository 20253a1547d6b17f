//! What a real chip must be seen to do before an event relies on it: the gates of the purse's layout, run on one wristband that is used up by it.

use std::time::{Duration, Instant};

use chips::KeyStore;
use chips::field::{Field, FieldFault, Selected};
use chips::ultralight::{KeyNumber, Link, LinkFault};
use shared_protocol::purse::image::{FIRST_GUARDED_PAGE, FIRST_PAGE, LAST_PAGE, buffer_page};
use shared_protocol::purse::{AesKey, Block, Header, Uid};

use super::derive::auth_key;
use super::fresh;
use crate::keys::KeyError;

/// What an increment adds: more than one, and no power of two.
pub const ADDEND: u32 = 7;
/// How often what may be weak is read.
const READS: usize = 16;
/// The counter of debits.
const DEBITS: u8 = 2;

/// One thing that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// The whole guarded area in one frame with its MAC.
    FastRead,
    /// The counter, twice the same.
    CounterTwice,
    /// An increment by more than one.
    Increment,
    /// Writing pages 04 to 07 is refused and changes nothing.
    HeaderLocked,
    /// Writing the configuration is refused and changes nothing.
    ConfigurationLocked,
    /// The last page of a token buffer reads the same each time after it was written.
    TokenPage,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// What was tried.
    pub trial: Trial,
    /// Whether it did what the purse relies on.
    pub passed: bool,
    /// The figures.
    pub figures: String,
    /// How long the exchange took at this reader, the reader's own time included.
    pub took: Option<Duration>,
}

/// Why the gates could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum GatesFault {
    /// It has no purse; encode a wristband first.
    #[error("this wristband has no purse: encode one with `groschen tags encode` and take that")]
    NoPurse,
    /// The keys of its batch are not here.
    #[error(transparent)]
    Keys(#[from] chips::KeyRefusal),
    /// It broke off.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
}

impl From<FieldFault> for GatesFault {
    fn from(fault: FieldFault) -> Self {
        Self::Link(fault.into())
    }
}

struct Bench<'a> {
    field: &'a mut dyn Field,
    key: Block,
}

impl<'a> Bench<'a> {
    fn session(&mut self) -> Result<Link<&mut (dyn Field + 'a)>, GatesFault> {
        let [random] = fresh()?;
        let mut link = Link::new(&mut *self.field);
        link.reselect()?;
        link.authenticate(KeyNumber::DataProt, &AesKey::new(&self.key), random, true)?;
        Ok(link)
    }

    /// Whether a page refuses to be written. The bytes are those that stand there with one bit changed.
    fn refuses(&mut self, page: u8) -> Result<bool, GatesFault> {
        let before = self.session()?.read_pages(page, page)?;
        let mut other = [0; 4];
        other.copy_from_slice(before.get(..4).unwrap_or(&[0; 4]));
        let [.., last] = &mut other;
        *last ^= 0x01;
        let written = self.session()?.write(page, other);
        if let Err(LinkFault::Field(FieldFault::Gone)) = written {
            return Err(FieldFault::Gone.into());
        }
        let after = self.session()?.read_pages(page, page)?;
        Ok(written.is_err() && after == before)
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T, LinkFault>) -> Result<(T, Duration), LinkFault> {
    let begun = Instant::now();
    Ok((work()?, begun.elapsed()))
}

/// Tries all gates on an encoded wristband. Its counter moves by [`ADDEND`]: it must not be handed out afterwards.
pub fn gates(field: &mut dyn Field, selected: &Selected, keys: &dyn KeyStore) -> Result<Vec<Gate>, GatesFault> {
    let uid = Uid::of(selected.uid).ok_or(GatesFault::NoPurse)?;
    let start = {
        let mut link = Link::new(&mut *field);
        link.reselect()?;
        link.read(FIRST_PAGE)?
    };
    let start = start.split_first_chunk().map(|(start, _)| *start);
    let header = start.and_then(Header::read).ok_or(GatesFault::NoPurse)?;
    let key = auth_key(keys, &header, uid)?;
    let mut bench = Bench { field, key };
    Ok(vec![
        fast_read(&mut bench)?,
        counter_twice(&mut bench)?,
        increment(&mut bench)?,
        locked(&mut bench, Trial::HeaderLocked, &[0x04, 0x05, 0x06, 0x07])?,
        locked(&mut bench, Trial::ConfigurationLocked, &[0x29, 0x2A, 0x2D])?,
        token_page(&mut bench)?,
    ])
}

fn fast_read(bench: &mut Bench<'_>) -> Result<Gate, GatesFault> {
    let mut link = bench.session()?;
    let read = timed(|| link.read_pages(FIRST_GUARDED_PAGE, LAST_PAGE));
    Ok(match read {
        Ok((bytes, took)) => Gate {
            trial: Trial::FastRead,
            passed: bytes.len() == 128,
            figures: format!("{} bytes with their MAC in one frame", bytes.len()),
            took: Some(took),
        },
        Err(LinkFault::Field(FieldFault::Gone)) => return Err(FieldFault::Gone.into()),
        Err(fault) => Gate {
            trial: Trial::FastRead,
            passed: false,
            figures: fault.to_string(),
            took: None,
        },
    })
}

fn counter_twice(bench: &mut Bench<'_>) -> Result<Gate, GatesFault> {
    let mut link = bench.session()?;
    let (first, took) = timed(|| link.counter(DEBITS))?;
    let mut reads = vec![first];
    for _ in 1..READS {
        reads.push(link.counter(DEBITS)?);
    }
    Ok(Gate {
        trial: Trial::CounterTwice,
        passed: reads.iter().all(|read| *read == first),
        figures: format!("{first}, read {READS} times"),
        took: Some(took),
    })
}

fn increment(bench: &mut Bench<'_>) -> Result<Gate, GatesFault> {
    let mut link = bench.session()?;
    let before = link.counter(DEBITS)?;
    let added = timed(|| link.increment(DEBITS, ADDEND));
    if let Err(LinkFault::Field(FieldFault::Gone)) = added {
        return Err(FieldFault::Gone.into());
    }
    let took = added.ok().map(|((), took)| took);
    let after = bench.session()?.counter(DEBITS)?;
    Ok(Gate {
        trial: Trial::Increment,
        passed: took.is_some() && after == before + ADDEND,
        figures: format!("{before} + {ADDEND} = {after}"),
        took,
    })
}

fn locked(bench: &mut Bench<'_>, trial: Trial, pages: &[u8]) -> Result<Gate, GatesFault> {
    let mut open = Vec::new();
    for page in pages {
        if !bench.refuses(*page)? {
            open.push(format!("{page:02X}"));
        }
    }
    Ok(Gate {
        trial,
        passed: open.is_empty(),
        figures: if open.is_empty() {
            format!("{} pages refuse", pages.len())
        } else {
            format!("open: {}", open.join(" "))
        },
        took: None,
    })
}

/// Writes the last page of the buffer that no chain needs on a fresh wristband, reads it often, and puts back what was there.
fn token_page(bench: &mut Bench<'_>) -> Result<Gate, GatesFault> {
    let page = buffer_page(3) + 3;
    let mut link = bench.session()?;
    let there = link.read_pages(page, page)?;
    let mut before = [0; 4];
    before.copy_from_slice(there.get(..4).unwrap_or(&[0; 4]));
    let pattern = [0xA5, 0x5A, 0xC3, 0x3C];
    let ((), took) = timed(|| link.write(page, pattern))?;
    let mut same = 0;
    for _ in 0..READS {
        if link.read_pages(page, page)? == pattern {
            same += 1;
        }
    }
    let again = bench.session()?.read_pages(page, page)? == pattern;
    bench.session()?.write(page, before)?;
    Ok(Gate {
        trial: Trial::TokenPage,
        passed: same == READS && again,
        figures: format!(
            "{same} of {READS} reads right, {} after a new selection",
            if again { "right" } else { "wrong" }
        ),
        took: Some(took),
    })
}

#[cfg(test)]
mod tests;
