//! The folder of a batch that is being made.
//!
//! ```text
//! begun.csv     index,uid                a place is given here, durably, before the first byte goes to the chip: a torn chip finds its place again
//! bands.csv     index,uid,number,pin     good wristbands, one line each, appended and synced
//! rejected.csv  uid,why                  chips that go into the bin
//! batch.list    "GROSLIST" | version 1 | CBOR | MAC 16     what the server signs: entries, settings, ids of the good ones
//! ```
//!
//! The list has no signature: the event's key signs it, and that is on the server. Until then the batch's MAC key vouches for it, so that who can
//! only write to the stick it travels on cannot put wristbands of their own into it.
//!
//! The pins in `bands.csv` are what guests show to be believed. The folder is private; it is deleted when the server and the printer have it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chips::{KeyRefusal, KeyRole, KeyStore};
use serde::{Deserialize, Serialize};
use shared_protocol::ids::{Bytes, parse_hex};
use shared_protocol::purse::cipher::diversified;
use shared_protocol::purse::{AesKey, BatchList, ListEntry, PurseSettings, Uid};
use shared_protocol::{AssetId, decode, encode};

use super::derive::master;
use crate::keys::{KeyError, random};

/// First line of the good ones.
pub const BANDS_HEAD: &str = "index,uid,number,pin";
const BEGUN_HEAD: &str = "index,uid";
const REJECTED_HEAD: &str = "uid,why";
const LIST_MAGIC: &[u8; 8] = b"GROSLIST";
const LIST_VERSION: u8 = 1;
const MAC_BYTES: usize = 16;

/// Letters and digits of a pin: none that is taken for another.
const PIN_LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 60 bits: the server keeps a digest only, which must not be worth trying out.
const PIN_LENGTH: usize = 12;

/// Why the folder cannot be used. What was written before is safe.
#[derive(Debug, thiserror::Error)]
pub enum WorkFault {
    /// The system refuses.
    #[error("{path} cannot be used: {why}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A line cannot be read.
    #[error("{path}, line {line}: {why}; put the line right or take the copy of the file, nothing was changed")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// Something else.
    #[error("{0} is no list of wristbands, or it was damaged; make it anew with `groschen tags encode` on its folder")]
    NotAList(PathBuf),
    /// Not from this batch's encoder.
    #[error("{0} was not made with the keys of this batch, or was changed since; nothing was taken from it")]
    NotVouched(PathBuf),
    /// Another program uses the folder.
    #[error("another encoder works in {0}; two in one folder would give one place to two wristbands")]
    Busy(PathBuf),
    /// All places are taken.
    #[error("the batch is full: 65,536 wristbands; make a new one with `groschen tags new-batch`")]
    Full,
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyRefusal),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WorkFault + '_ {
    |why| WorkFault::File {
        path: path.to_owned(),
        why,
    }
}

/// A good wristband.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its place in the batch.
    pub index: u16,
    /// The chip.
    pub uid: Uid,
    /// What is printed on it.
    pub number: String,
    /// What its guest shows to be believed.
    pub pin: String,
}

impl Made {
    fn line(&self) -> String {
        format!("{},{},{},{}", self.index, self.uid, self.number, self.pin)
    }

    /// From a line of `bands.csv`.
    pub fn read(line: &str) -> Result<Self, &'static str> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [index, uid, number, pin] = fields[..] else {
            return Err("it does not have the four fields index,uid,number,pin");
        };
        let number_fits = number.len() <= 8 && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let pin_fits = (4..=32).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Ok(Self {
            index: index.parse().map_err(|_| "the index is no number up to 65535")?,
            uid: parse_uid(uid).ok_or("the uid does not have 14 hexadecimal digits")?,
            number: number_fits
                .then(|| number.to_owned())
                .ok_or("the number is longer than 8 letters and digits")?,
            pin: pin_fits
                .then(|| pin.to_owned())
                .ok_or("the pin does not have 4 to 32 letters and digits")?,
        })
    }
}

fn parse_uid(text: &str) -> Option<Uid> {
    parse_hex(text)?.try_into().ok().map(Uid)
}

/// The number that is printed on the wristband with this index: a prefix, and the index from 1 in as many digits as fit.
pub fn number_of(prefix: &str, index: u16) -> String {
    let digits = 8_usize.saturating_sub(prefix.len()).clamp(5, 6);
    format!("{prefix}{:0digits$}", u32::from(index) + 1)
}

fn new_pin() -> Result<String, KeyError> {
    let letters: [u8; PIN_LENGTH] = random()?;
    let pick = |byte: u8| char::from(PIN_LETTERS.get(usize::from(byte & 31)).copied().unwrap_or(b'2'));
    Ok(letters.into_iter().map(pick).collect())
}

#[derive(Serialize, Deserialize)]
struct ListContent {
    list: BatchList,
    vouchers: Vec<AssetId>,
    /// Seven bytes for each place; zeros where no good wristband is.
    uids: Bytes,
}

/// A list as it was read and vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadList {
    /// What the event's key is to sign.
    pub list: BatchList,
    /// What its vouchers are.
    pub vouchers: Vec<AssetId>,
    /// Which chip has which place.
    pub uids: BTreeMap<u16, Uid>,
}

fn list_mac(keys: &dyn KeyStore, batch: u16, body: &[u8]) -> Result<[u8; MAC_BYTES], KeyRefusal> {
    let of_list = diversified(&master(keys, batch, KeyRole::Mac), b"batch list");
    let key = of_list.unwrap_or_else(|| unreachable!("ten bytes"))?;
    Ok(AesKey::new(&key).cmac(body))
}

impl ReadList {
    /// Reads a list. `keys` are those of the server, or any with the batch's MAC key.
    pub fn open(path: &Path, keys: &dyn KeyStore) -> Result<Self, WorkFault> {
        Self::from_bytes(&std::fs::read(path).map_err(at(path))?, keys, path)
    }

    fn from_bytes(bytes: &[u8], keys: &dyn KeyStore, path: &Path) -> Result<Self, WorkFault> {
        let not_a_list = || WorkFault::NotAList(path.to_owned());
        let signed = bytes.len().checked_sub(MAC_BYTES).ok_or_else(not_a_list)?;
        let (body, mac) = bytes.split_at(signed);
        let content = body
            .strip_prefix(LIST_MAGIC)
            .and_then(|rest| rest.strip_prefix(&[LIST_VERSION]))
            .ok_or_else(not_a_list)?;
        let content: ListContent = decode(content).map_err(|_| not_a_list())?;
        if list_mac(keys, content.list.batch, body)? != mac {
            return Err(WorkFault::NotVouched(path.to_owned()));
        }
        let (uids, _) = content.uids.0.as_chunks::<7>();
        let uids = (0..=u16::MAX).zip(uids).filter(|(_, uid)| **uid != [0; 7]);
        Ok(Self {
            uids: uids.map(|(index, uid)| (index, Uid(*uid))).collect(),
            list: content.list,
            vouchers: content.vouchers,
        })
    }

    fn to_bytes(&self, keys: &dyn KeyStore) -> Result<Vec<u8>, KeyRefusal> {
        let places = self.list.entries.0.len() / ListEntry::BYTES;
        let mut uids = vec![0; places * 7];
        for (index, uid) in &self.uids {
            if let Some(place) = uids.as_chunks_mut::<7>().0.get_mut(usize::from(*index)) {
                *place = uid.0;
            }
        }
        let content = ListContent {
            list: self.list.clone(),
            vouchers: self.vouchers.clone(),
            uids: Bytes(uids),
        };
        let mut bytes = [&LIST_MAGIC[..], &[LIST_VERSION], &encode(&content)].concat();
        let mac = list_mac(keys, self.list.batch, &bytes)?;
        bytes.extend_from_slice(&mac);
        Ok(bytes)
    }
}

/// The folder, open. Whoever has it has it alone.
#[derive(Debug)]
pub struct Work {
    folder: PathBuf,
    begun_file: File,
    bands_file: File,
    rejected_file: File,
    begun: BTreeMap<Uid, u16>,
    made: BTreeMap<Uid, Made>,
    rejected: BTreeSet<Uid>,
    list: ReadList,
    prefix: String,
}

impl Work {
    /// Opens the folder of a batch; makes one where there is none. `entry` makes the list's entries that are missing.
    pub fn open(
        folder: &Path,
        (batch, settings, vouchers): (u16, &PurseSettings, &[AssetId]),
        prefix: &str,
        keys: &dyn KeyStore,
        mut entry: impl FnMut(u16, Uid) -> Result<ListEntry, KeyRefusal>,
    ) -> Result<Self, WorkFault> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(at(folder))?;
        let (begun_file, begun) = lines(&folder.join("begun.csv"), BEGUN_HEAD, |line| {
            let (index, uid) = line.split_once(',').ok_or("it does not have two fields")?;
            let index: u16 = index.parse().map_err(|_| "the index is no number up to 65535")?;
            Ok((
                parse_uid(uid).ok_or("the uid does not have 14 hexadecimal digits")?,
                index,
            ))
        })?;
        if begun_file.try_lock().is_err() {
            return Err(WorkFault::Busy(folder.to_owned()));
        }
        let (bands_file, made) = lines(&folder.join("bands.csv"), BANDS_HEAD, Made::read)?;
        let (rejected_file, rejected) = lines(&folder.join("rejected.csv"), REJECTED_HEAD, |line| {
            let uid = line.split(',').next().and_then(parse_uid);
            uid.ok_or("the uid does not have 14 hexadecimal digits")
        })?;
        let empty = ReadList {
            list: BatchList {
                settings: *settings,
                batch,
                entries: Bytes::default(),
            },
            vouchers: vouchers.to_vec(),
            uids: BTreeMap::new(),
        };
        let path = folder.join("batch.list");
        let list = if path.try_exists().map_err(at(&path))? {
            ReadList::open(&path, keys)?
        } else {
            empty
        };
        if list.list.batch != batch || list.list.settings != *settings {
            return Err(WorkFault::NotVouched(path));
        }
        let mut work = Self {
            folder: folder.to_owned(),
            begun_file,
            bands_file,
            rejected_file,
            begun: begun.into_iter().collect(),
            made: made.into_iter().map(|made| (made.uid, made)).collect(),
            rejected: rejected.into_iter().collect(),
            list,
            prefix: prefix.to_owned(),
        };
        // The line of a good wristband is durable before the list is; after a power cut the list is behind.
        let missing: Vec<(u16, Uid)> = work
            .made
            .values()
            .filter(|made| work.list.uids.get(&made.index) != Some(&made.uid))
            .map(|made| (made.index, made.uid))
            .collect();
        for (index, uid) in missing {
            let entry = entry(index, uid)?;
            work.put_entry(index, uid, entry);
        }
        work.write_list(keys)?;
        Ok(work)
    }

    /// The good wristbands.
    pub fn made(&self) -> impl Iterator<Item = &Made> {
        self.made.values()
    }

    /// Whether this chip is good already.
    pub fn find(&self, uid: Uid) -> Option<&Made> {
        self.made.get(&uid)
    }

    /// The place that this chip was given before.
    pub fn begun(&self, uid: Uid) -> Option<u16> {
        self.begun.get(&uid).copied()
    }

    /// How many chips were rejected.
    pub fn rejected(&self) -> usize {
        self.rejected.difference(&self.made.keys().copied().collect()).count()
    }

    /// Where the list for the server is.
    pub fn list_path(&self) -> PathBuf {
        self.folder.join("batch.list")
    }

    /// Gives a chip its place, durably. A chip that was begun before keeps the one it has.
    pub fn begin(&mut self, uid: Uid) -> Result<u16, WorkFault> {
        if let Some(index) = self.begun(uid) {
            return Ok(index);
        }
        let index = match self.begun.values().max() {
            Some(last) => last.checked_add(1).ok_or(WorkFault::Full)?,
            None => 0,
        };
        append(&mut self.begun_file, &format!("{index},{uid}")).map_err(at(&self.folder))?;
        self.begun.insert(uid, index);
        Ok(index)
    }

    /// The number that is printed on the wristband of a place.
    pub fn number(&self, index: u16) -> String {
        number_of(&self.prefix, index)
    }

    /// Takes note of a good wristband: durable when this returns.
    pub fn good(&mut self, index: u16, uid: Uid, entry: ListEntry, keys: &dyn KeyStore) -> Result<Made, WorkFault> {
        let made = Made {
            index,
            uid,
            number: self.number(index),
            pin: new_pin()?,
        };
        append(&mut self.bands_file, &made.line()).map_err(at(&self.folder))?;
        self.made.insert(uid, made.clone());
        self.put_entry(index, uid, entry);
        self.write_list(keys)?;
        Ok(made)
    }

    /// Takes note of a chip that goes into the bin.
    pub fn reject(&mut self, uid: Uid, why: &str) -> Result<(), WorkFault> {
        if self.rejected.insert(uid) {
            let why = why.replace([',', '\n'], ";");
            append(&mut self.rejected_file, &format!("{uid},{why}")).map_err(at(&self.folder))?;
        }
        Ok(())
    }

    fn put_entry(&mut self, index: u16, uid: Uid, entry: ListEntry) {
        let entries = &mut self.list.list.entries.0;
        let end = (usize::from(index) + 1) * ListEntry::BYTES;
        // A place whose chip was never finished stays zero, which is the entry of no chip.
        entries.resize(entries.len().max(end), 0);
        if let Some(place) = entries
            .as_chunks_mut::<{ ListEntry::BYTES }>()
            .0
            .get_mut(usize::from(index))
        {
            *place = entry.0;
        }
        self.list.uids.insert(index, uid);
    }

    fn write_list(&self, keys: &dyn KeyStore) -> Result<(), WorkFault> {
        let path = self.list_path();
        let beside = self.folder.join("batch.list.new");
        let bytes = self.list.to_bytes(keys)?;
        File::create(&beside)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(at(&path))
    }
}

fn append(file: &mut File, line: &str) -> io::Result<()> {
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()
}

/// Opens a file of lines for appending and reads what it has. A last line without its end was cut off by a power failure: its chip is held again.
fn lines<T>(
    path: &Path,
    head: &str,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<(File, Vec<T>), WorkFault> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(at(path))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(u64::try_from(whole).unwrap_or(0)).map_err(at(path))?;
        text.truncate(whole);
    }
    if text.is_empty() {
        append(&mut file, head).map_err(at(path))?;
    }
    let mut all = Vec::new();
    for (line, content) in (1..).zip(text.lines()).skip(1) {
        all.push(read(content).map_err(|why| WorkFault::Line {
            path: path.to_owned(),
            line,
            why,
        })?);
    }
    Ok((file, all))
}
