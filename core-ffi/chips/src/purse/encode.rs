//! Encoding a wristband in a trusted place: layout, keys, locks, in an order that a tear cannot turn into an open or a dead chip.
//!
//! ```text
//! 36 pages -> keys -> AUTH with the new key -> 2D locks of the keys -> 02 locks of the header -> 29 guard -> selected anew, AUTH -> 2A last
//! ```
//!
//! Keys go over the air in clear here: never at a bar. Every step can be repeated; a chip that was torn is encoded again from the start.

use shared_protocol::purse::image::{FIRST_PAGE, LAST_PAGE};
use shared_protocol::purse::{AesKey, Block, Image, Uid};

use crate::field::{Field, FieldFault, Selected};
use crate::originality;
use crate::ultralight::{KeyNumber, Link, LinkFault};

const PAGE_LOCKS: u8 = 0x02;
const PAGE_CFG0: u8 = 0x29;
const PAGE_CFG1: u8 = 0x2A;
const PAGE_LOCK_KEYS: u8 = 0x2D;
const PAGE_KEY0: u8 = 0x30;
const PAGE_KEY1: u8 = 0x34;

/// Pages 04 to 07 are locked for ever.
const HEADER_LOCKS: u8 = 0xF0;
/// Channel with MAC, guard from page 08 on.
const CFG0: [u8; 4] = [0x02, 0x00, 0x00, 0x08];
/// Guard reading too, lock the configuration, counter 2 only with a session, no limit of failed authentications.
///
/// With locked keys a limit buys little, and lets a vandal kill wristbands in seconds.
const CFG1: [u8; 4] = [0xC0, 0x05, 0x00, 0x00];
/// Both keys and these bits themselves.
const LOCK_KEYS: u8 = 0xE0;

/// The pages beside purse and keys of a chip that is finished.
pub(crate) const FINISHED_PAGES: [(u8, [u8; 4]); 4] = [
    (PAGE_LOCKS, [0, 0, HEADER_LOCKS, 0]),
    (PAGE_CFG0, CFG0),
    (PAGE_CFG1, CFG1),
    (PAGE_LOCK_KEYS, [LOCK_KEYS, 0, 0, 0]),
];

/// What to write on one chip.
#[derive(Debug, Clone)]
pub struct Encoding {
    /// The pages.
    pub image: Image,
    /// The key that guards them, derived for this chip.
    pub auth_key: Block,
    /// The key that retrieves a random id. Random ids are off; it is set so that the factory's does not stay.
    pub uid_key: Block,
}

/// Why a chip was not encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeFault {
    /// It is no chip that can carry a purse.
    #[error("this is not a chip that can carry a purse")]
    NotThisKind,
    /// The maker did not sign it: a counterfeit, or a lot with other keys.
    #[error("the maker's signature does not hold: this chip is not genuine")]
    NotGenuine,
    /// It holds a purse, or something else that is locked.
    #[error("this chip was encoded before with other keys")]
    EncodedBefore,
    /// It counted before it was ours.
    #[error("the counter of this chip is not at its beginning")]
    CounterUsed,
    /// The conversation broke off: hold it again, it is begun again.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// It said yes to everything and reads back otherwise: reject it.
    #[error("this chip did not take: {0:?}")]
    DidNotTake(Vec<Unfit>),
}

/// What an audit finds on a chip that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// The keys can be overwritten.
    KeysOpen,
    /// The header can be overwritten.
    HeaderOpen,
    /// The configuration can be changed.
    ConfigurationOpen,
    /// Frames go without a MAC.
    NoChannel,
    /// Pages can be read or written without a session.
    PagesOpen,
    /// The counter can be read or advanced without a session.
    CounterOpen,
    /// It gives another id each time.
    RandomId,
    /// A few wrong keys kill it.
    AuthenticationLimited,
    /// The pages are not those that were written.
    Pages,
}

/// Encodes a chip, or goes on with one that was torn while it was encoded. `random` is used once, 48 bytes of it.
///
/// `makers` are the keys of which one must have signed the chip; none asks nothing.
pub fn encode<F: Field>(
    field: F,
    selected: &Selected,
    job: &Encoding,
    makers: &[[u8; 49]],
    random: [Block; 3],
) -> Result<F, EncodeFault> {
    let uid = Uid::of(selected.uid).ok_or(EncodeFault::NotThisKind)?;
    let [first, second, third] = random;
    let key = AesKey::new(&job.auth_key);
    let mut link = Link::new(field);
    let version = match link.version() {
        Err(LinkFault::Field(FieldFault::Nak(_)) | LinkFault::Malformed) => return Err(EncodeFault::NotThisKind),
        other => other?,
    };
    if !matches!(version, [0x00, 0x04, 0x03, _, 0x04, 0x00, 0x0F, 0x03]) {
        return Err(EncodeFault::NotThisKind);
    }
    if !makers.is_empty() && !originality::genuine(uid, &link.signature()?, makers) {
        return Err(EncodeFault::NotGenuine);
    }
    // A chip that guards its configuration does not show it in clear; some readers cannot tell that refusal from silence.
    let cfg0 = match link.read(PAGE_CFG0) {
        Ok(config) => config.as_chunks::<4>().0.first().copied().unwrap_or_default(),
        Err(LinkFault::Field(FieldFault::Nak(_) | FieldFault::Silent)) => {
            link.reselect()?;
            guarded(&mut link, &key, [first, second])?;
            link.reselect()?;
            return finish(link, job, &key, third);
        }
        Err(fault) => return Err(fault.into()),
    };
    let [flags, _, _, auth0] = cfg0;
    let secured = flags & 0x02 != 0;
    if auth0 > LAST_PAGE && !secured {
        open_pages(&mut link, job)?;
    }
    if cfg0 != CFG0 {
        authenticated(&mut link, &key, first, secured)?;
        // A page whose bits are frozen refuses to be written, also with what it holds.
        let [lock_keys, ..] = link.read(PAGE_LOCK_KEYS)?;
        if lock_keys & LOCK_KEYS != LOCK_KEYS {
            link.write(PAGE_LOCK_KEYS, [LOCK_KEYS, 0, 0, 0])?;
        }
        link.write(PAGE_LOCKS, [0, 0, HEADER_LOCKS, 0])?;
        link.write(PAGE_CFG0, CFG0)?;
        link.reselect()?;
    }
    authenticated(&mut link, &key, second, true)?;
    link.write(PAGE_CFG1, CFG1)?;
    link.reselect()?;
    finish(link, job, &key, third)
}

/// What is left to do on a chip that guards its configuration already: it was torn between the guard and the last page, or in the guard itself.
/// A finished one is left alone. The locks of keys and header were written before the guard.
fn guarded<F: Field>(link: &mut Link<F>, key: &AesKey, random: [Block; 2]) -> Result<(), EncodeFault> {
    let [first, second] = random;
    authenticated(link, key, first, true)?;
    let config = match link.read(PAGE_CFG0) {
        Err(LinkFault::Field(FieldFault::Nak(_) | FieldFault::Silent) | LinkFault::Malformed | LinkFault::BadMac) => {
            // It knows the key and has no channel: the guard was torn.
            link.reselect()?;
            authenticated(link, key, second, false)?;
            link.read(PAGE_CFG0)?
        }
        other => other?,
    };
    let page = |index: usize| config.as_chunks::<4>().0.get(index).copied().unwrap_or_default();
    if page(0) == CFG0 && page(1) == CFG1 {
        return Ok(());
    }
    // The configuration's own lock is in the last page: as long as that is missing, both can be written.
    for (number, bytes) in [(PAGE_CFG0, CFG0), (PAGE_CFG1, CFG1)] {
        match link.write(number, bytes) {
            // Locked as it is: what it lacks is found when it is read back.
            Err(LinkFault::Field(FieldFault::Nak(_) | FieldFault::Silent)) => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

fn authenticated<F: Field>(link: &mut Link<F>, key: &AesKey, random: Block, secured: bool) -> Result<(), EncodeFault> {
    match link.authenticate(KeyNumber::DataProt, key, random, secured) {
        Err(LinkFault::NotAuthentic) => Err(EncodeFault::EncodedBefore),
        other => Ok(other?),
    }
}

/// Pages and keys of a chip that nothing guards yet.
fn open_pages<F: Field>(link: &mut Link<F>, job: &Encoding) -> Result<(), EncodeFault> {
    if link.counter(2)? != 0 {
        return Err(EncodeFault::CounterUsed);
    }
    let there = link.read_pages(FIRST_PAGE, LAST_PAGE)?;
    let [_, _, locks, ..] = link
        .read(PAGE_LOCKS)?
        .as_chunks::<4>()
        .0
        .first()
        .copied()
        .unwrap_or_default();
    for (page, (there, bytes)) in (FIRST_PAGE..).zip(there.as_chunks::<4>().0.iter().zip(job.image.pages)) {
        // A header that a torn encoding locked already reads right or never will.
        let locked = page < 8 && locks >> page & 1 == 1;
        match (locked, *there == bytes) {
            (true, true) => {}
            (true, false) => return Err(EncodeFault::EncodedBefore),
            (false, _) => link.write(page, bytes)?,
        }
    }
    let [lock_keys, ..] = link.read(PAGE_LOCK_KEYS)?;
    if lock_keys & LOCK_KEYS == 0 {
        for (first, key) in [(PAGE_KEY0, job.auth_key), (PAGE_KEY1, job.uid_key)] {
            // The memory holds keys backwards.
            let mut backwards = key;
            backwards.reverse();
            for (page, bytes) in (first..).zip(backwards.as_chunks::<4>().0) {
                link.write(page, *bytes)?;
            }
        }
    }
    Ok(())
}

fn finish<F: Field>(mut link: Link<F>, job: &Encoding, key: &AesKey, random: Block) -> Result<F, EncodeFault> {
    authenticated(&mut link, key, random, true)?;
    let mut unfit = checked(&mut link)?;
    let header = link.read(FIRST_PAGE)?;
    let guarded = link.read_pages(FIRST_PAGE + 4, LAST_PAGE)?;
    if [&header[..], &guarded].concat() != job.image.pages.concat() {
        unfit.push(Unfit::Pages);
    }
    if unfit.is_empty() {
        Ok(link.into_field())
    } else {
        Err(EncodeFault::DidNotTake(unfit))
    }
}

/// What is not as it must be on a chip, read through its channel.
pub fn audit<F: Field>(field: F, auth_key: &Block, random: Block) -> Result<(F, Vec<Unfit>), LinkFault> {
    let mut link = Link::new(field);
    link.authenticate(KeyNumber::DataProt, &AesKey::new(auth_key), random, true)?;
    let unfit = checked(&mut link)?;
    Ok((link.into_field(), unfit))
}

/// The same of a chip that answers without a channel, to which [`audit`] cannot speak: a finding by itself.
pub fn audit_in_clear<F: Field>(field: F, auth_key: &Block, random: Block) -> Result<(F, Vec<Unfit>), LinkFault> {
    let mut link = Link::new(field);
    link.authenticate(KeyNumber::DataProt, &AesKey::new(auth_key), random, false)?;
    let unfit = checked(&mut link)?;
    Ok((link.into_field(), unfit))
}

/// Looks twice: a page that was torn may read right once.
fn checked<F: Field>(link: &mut Link<F>) -> Result<Vec<Unfit>, LinkFault> {
    let mut unfit = findings(link)?;
    for finding in findings(link)? {
        if !unfit.contains(&finding) {
            unfit.push(finding);
        }
    }
    Ok(unfit)
}

fn findings<F: Field>(link: &mut Link<F>) -> Result<Vec<Unfit>, LinkFault> {
    let page = |read: [u8; 16], index: usize| read.as_chunks::<4>().0.get(index).copied().unwrap_or_default();
    let [_, _, locks, _] = page(link.read(PAGE_LOCKS)?, 0);
    let config = link.read(PAGE_CFG0)?;
    let ([flags, _, _, auth0], [access, _, limit_low, limit_high]) = (page(config, 0), page(config, 1));
    let [lock_keys, ..] = page(link.read(PAGE_LOCK_KEYS)?, 0);
    let limit = u16::from_le_bytes([limit_low, limit_high]) & 0x03FF;
    let findings = [
        (lock_keys & LOCK_KEYS != LOCK_KEYS, Unfit::KeysOpen),
        (locks & HEADER_LOCKS != HEADER_LOCKS, Unfit::HeaderOpen),
        (access & 0x40 == 0, Unfit::ConfigurationOpen),
        (flags & 0x02 == 0, Unfit::NoChannel),
        (auth0 > 0x08 || access & 0x80 == 0, Unfit::PagesOpen),
        (access & 0x0C != 0, Unfit::CounterOpen),
        (flags & 0x01 != 0, Unfit::RandomId),
        (limit != 0 && limit < 1_000, Unfit::AuthenticationLimited),
    ];
    Ok(findings
        .into_iter()
        .filter_map(|(bad, unfit)| bad.then_some(unfit))
        .collect())
}
