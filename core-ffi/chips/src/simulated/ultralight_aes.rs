//! A virtual MIFARE Ultralight AES (MF0AES20): memory, commands, both sides of the authentication, the MAC channel, and its tears.

use std::collections::BTreeMap;

use shared_protocol::TagId;
use shared_protocol::purse::{AesKey, Block, Uid};

use super::{Answer, Tear, VirtualChip};
use crate::channel::{Channel, MAC_BYTES, rotated, same};
use crate::field::Selected;

mod config;

pub use config::Quirks;
use config::{
    Config, NAK_ARGUMENT, NAK_LIMIT, PAGE_CFG0, PAGE_CFG1, PAGE_KEY0, PAGE_KEY1, PAGE_LOCK_KEYS, PAGE_LOCKS, PAGES,
};

#[derive(Debug, Clone)]
enum State {
    /// Selected, nobody authenticated.
    Active,
    /// A challenge was given; the answer is awaited.
    Challenged { key: u8, rnd_b: Block },
    /// Authenticated with this key, with a channel if the configuration asks for one.
    Open { key: u8, channel: Option<Box<Channel>> },
    /// After a NAK or a bad MAC: it listens to nothing until it is selected anew.
    Mute,
}

/// What is left when the power is gone: all that two chips can differ in for a reader that comes later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Persistent {
    pages: [[u8; 4]; PAGES as usize],
    /// Pages too weak to tell, with what the next reading but one gives.
    weak: Vec<(u8, [u8; 4])>,
    /// Bits of a page that no writing sets any more.
    worn: BTreeMap<u8, [u8; 4]>,
    counters: [u32; 3],
    weak_counter: Option<u32>,
    failures: [u16; 3],
    signature_locked: bool,
}

/// A virtual MIFARE Ultralight AES.
#[derive(Debug, Clone)]
pub struct UltralightAesChip {
    uid: Uid,
    kept: Persistent,
    quirks: Quirks,
    signature: [u8; 48],
    version: [u8; 8],
    /// The configuration as it stood at the last selection.
    active: Config,
    state: State,
    challenges: u64,
    tearing: Option<Tear>,
}

impl UltralightAesChip {
    /// A chip as it leaves the factory: keys all zero, nothing protected, nothing locked.
    pub fn factory(uid: Uid) -> Self {
        let [u0, u1, u2, u3, u4, u5, u6] = uid.0;
        let mut pages = [[0; 4]; PAGES as usize];
        let mut set = |page: u8, bytes: [u8; 4]| {
            if let Some(place) = pages.get_mut(usize::from(page)) {
                *place = bytes;
            }
        };
        // The check byte of the first cascade level covers the cascade tag 88h (ISO/IEC 14443-3, 6.5.4).
        set(0, [u0, u1, u2, 0x88 ^ u0 ^ u1 ^ u2]);
        set(1, [u3, u4, u5, u6]);
        set(2, [u3 ^ u4 ^ u5 ^ u6, 0x48, 0, 0]);
        set(PAGE_CFG0, [0, 0, 0, PAGES]);
        set(PAGE_CFG1, [0x8C, 0x05, 0, 0]);
        let mut chip = Self {
            uid,
            kept: Persistent {
                pages,
                weak: Vec::new(),
                worn: BTreeMap::new(),
                counters: [0; 3],
                weak_counter: None,
                failures: [0; 3],
                signature_locked: false,
            },
            quirks: Quirks::default(),
            signature: [0; 48],
            version: [0x00, 0x04, 0x03, 0x01, 0x04, 0x00, 0x0F, 0x03],
            active: Config {
                cfg0: [0; 4],
                cfg1: [0; 4],
            },
            state: State::Active,
            challenges: 0,
            tearing: None,
        };
        chip.power_off();
        chip
    }

    /// The same chip with other habits.
    #[must_use]
    pub fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// The same chip with this originality signature (all zero: none that holds).
    #[must_use]
    pub fn with_signature(mut self, signature: [u8; 48]) -> Self {
        self.signature = signature;
        self
    }

    /// What stands in a page, read without a reader; of a weak page what the next reading gives.
    pub fn page(&self, page: u8) -> [u8; 4] {
        self.kept.pages.get(usize::from(page)).copied().unwrap_or_default()
    }

    /// Puts bytes into a page without a reader: for attackers with an emulator, and for arranging tests.
    pub fn set_page(&mut self, page: u8, bytes: [u8; 4]) {
        self.kept.weak.retain(|(weak, _)| *weak != page);
        if let Some(place) = self.kept.pages.get_mut(usize::from(page)) {
            *place = bytes;
        }
    }

    /// These bits of a page are worn out: what stands there stays, and from the next writing on they are 0 whatever is written. The chip
    /// acknowledges all the same, as EEPROM beyond its endurance does.
    pub fn wear(&mut self, page: u8, bits: [u8; 4]) {
        self.kept.worn.insert(page, bits);
    }

    /// One of the three counters.
    pub fn counter(&self, counter: u8) -> u32 {
        self.kept
            .counters
            .get(usize::from(counter))
            .copied()
            .unwrap_or_default()
    }

    /// Sets a counter without a reader: only an emulator can.
    pub fn set_counter(&mut self, counter: u8, value: u32) {
        self.kept.weak_counter = None;
        if let Some(place) = self.kept.counters.get_mut(usize::from(counter)) {
            *place = value;
        }
    }

    /// All that survives without power, as bytes to tell two states apart.
    pub fn fingerprint(&self) -> Vec<u8> {
        let kept = &self.kept;
        let mut bytes = kept.pages.concat();
        for (page, other) in &kept.weak {
            bytes.push(*page);
            bytes.extend_from_slice(other);
        }
        bytes.push(0xFF);
        for number in kept.counters.iter().chain(kept.weak_counter.as_ref()) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn live(&self) -> Config {
        Config {
            cfg0: self.page(PAGE_CFG0),
            cfg1: self.page(PAGE_CFG1),
        }
    }

    fn config(&self) -> Config {
        if self.quirks.config_acts_at_once {
            self.live()
        } else {
            self.active
        }
    }

    /// A key in the order of FIPS 197; the memory holds it backwards.
    fn key(&self, number: u8) -> AesKey {
        let first = match number {
            0 => PAGE_KEY0,
            1 => PAGE_KEY1,
            // The maker's key: nobody has it.
            _ => return AesKey::new(&[0xA5; 16]),
        };
        let mut key = [0; 16];
        let stored = (first..first + 4).flat_map(|page| self.page(page));
        for (to, from) in key.iter_mut().rev().zip(stored) {
            *to = from;
        }
        AesKey::new(&key)
    }

    fn authenticated(&self) -> bool {
        matches!(self.state, State::Open { key: 0, .. })
    }

    /// First page that may not be read now.
    fn readable_end(&self) -> u8 {
        let config = self.config();
        if self.authenticated() || !config.protects_reading() {
            PAGES
        } else {
            config.auth0().min(PAGES)
        }
    }

    /// Reads a page as a command does: key pages are zero, a weak page changes.
    fn sense(&mut self, page: u8) -> [u8; 4] {
        if (PAGE_KEY0..PAGE_KEY1 + 4).contains(&page) {
            return [0; 4];
        }
        let traceable = matches!(self.state, State::Open { .. });
        if page < 2 && self.config().random_id() && !traceable {
            return [0; 4];
        }
        let shown = self.page(page);
        if let Some((_, other)) = self.kept.weak.iter_mut().find(|(weak, _)| *weak == page)
            && let Some(place) = self.kept.pages.get_mut(usize::from(page))
        {
            std::mem::swap(place, other);
        }
        shown
    }

    fn may_write(&self, page: u8) -> bool {
        let config = self.config();
        if page >= config.auth0() && !self.authenticated() {
            return false;
        }
        let [_, _, lock0, lock1] = self.page(2);
        let [lock2, lock3, ..] = self.page(PAGE_LOCKS);
        let [lock_keys, ..] = self.page(PAGE_LOCK_KEYS);
        let bit = |byte: u8, bit: u8| byte >> bit & 1 == 1;
        match page {
            2 | PAGE_LOCKS | 0x2E | 0x38..=0x3B => true,
            3..=7 => !bit(lock0, page),
            8..=0x0F => !bit(lock1, page - 8),
            0x10..=0x1F => !bit(lock2, (page - 0x10) / 2),
            0x20..=0x27 => !bit(lock3, (page - 0x20) / 2),
            PAGE_CFG0 | PAGE_CFG1 => {
                let locked = if self.quirks.config_locks_at_once {
                    self.live().locked()
                } else {
                    self.active.locked()
                };
                !locked
            }
            PAGE_LOCK_KEYS => !bit(lock_keys, 5),
            0x30..=0x33 => !bit(lock_keys, 6),
            0x34..=0x37 => !bit(lock_keys, 7),
            _ => false,
        }
    }

    /// What a write leaves in a page: lock bytes and OTP only ever gain bits.
    fn written(&self, page: u8, bytes: [u8; 4]) -> [u8; 4] {
        let old = self.page(page);
        let or = |mask: [u8; 4]| {
            let mut new = old;
            for (new, (byte, mask)) in new.iter_mut().zip(bytes.iter().zip(mask)) {
                *new |= byte & mask;
            }
            new
        };
        match page {
            2 => {
                // Block-locking bits freeze the lock bits they stand for.
                let [.., lock0, _] = old;
                let frozen = |bit: u8, mask: u8| if lock0 >> bit & 1 == 1 { !mask } else { 0xFF };
                or([
                    0,
                    0,
                    frozen(0, 0x08) & frozen(1, 0xF0),
                    frozen(1, 0x03) & frozen(2, 0xFC),
                ])
            }
            3 => or([0xFF; 4]),
            PAGE_LOCKS => or([0xFF, 0xFF, 0xFF, 0]),
            PAGE_LOCK_KEYS => or([0xE0, 0, 0, 0]),
            _ => bytes,
        }
    }

    fn store(&mut self, page: u8, bytes: [u8; 4]) {
        let old = self.page(page);
        let mut new = self.written(page, bytes);
        for (byte, worn) in new
            .iter_mut()
            .zip(self.kept.worn.get(&page).copied().unwrap_or_default())
        {
            *byte &= !worn;
        }
        self.kept.weak.retain(|(weak, _)| *weak != page);
        let tear = self.tearing.take().unwrap_or(Tear::Done);
        if let Some(place) = self.kept.pages.get_mut(usize::from(page)) {
            *place = tear.page(old, new);
        }
        match tear {
            Tear::Weak { new_first } if old != new => {
                self.kept.weak.push((page, if new_first { old } else { new }));
                self.kept.weak.sort_unstable();
            }
            _ => {}
        }
    }

    fn read_counter(&mut self, counter: u8) -> Answer {
        if counter > 2 || !self.counter_free(counter, self.config().counter_read_free()) {
            return Answer::Nak(NAK_ARGUMENT);
        }
        let value = self.counter(counter);
        if let (2, Some(other)) = (counter, self.kept.weak_counter.as_mut())
            && let Some(place) = self.kept.counters.get_mut(2)
        {
            std::mem::swap(place, other);
        }
        let [b0, b1, b2, _] = value.to_le_bytes();
        Answer::Bytes(vec![b0, b1, b2])
    }

    /// Counter 2 has bits of its own; the sources do not say what guards the others on a protected chip, so they are taken as guarded.
    fn counter_free(&self, counter: u8, bit: bool) -> bool {
        let free = if counter == 2 {
            bit
        } else {
            self.config().auth0() >= PAGES
        };
        free || self.authenticated()
    }

    fn increment(&mut self, counter: u8, addend: [u8; 3]) -> Answer {
        if counter > 2 || !self.counter_free(counter, self.config().counter_increment_free()) {
            return Answer::Nak(NAK_ARGUMENT);
        }
        let [b0, b1, b2] = addend;
        let old = self.counter(counter);
        let new = old + u32::from_le_bytes([b0, b1, b2, 0]);
        if new > 0x00FF_FFFF {
            return Answer::Nak(NAK_LIMIT);
        }
        let (value, weak) = match self.tearing.take().unwrap_or(Tear::Done) {
            Tear::Done => (new, None),
            Tear::Weak { new_first: true } => (new, Some(old)),
            Tear::Weak { new_first: false } => (old, Some(new)),
            // The counter's own anti-tearing gives the old value for everything between.
            _ => (old, None),
        };
        if counter == 2 {
            self.kept.weak_counter = weak.filter(|other| *other != value);
        }
        if let Some(place) = self.kept.counters.get_mut(usize::from(counter)) {
            *place = value;
        }
        Answer::Ack
    }

    fn challenge(&mut self, key: u8) -> Answer {
        if key > 2 {
            return Answer::Nak(NAK_ARGUMENT);
        }
        let limit = self.config().auth_limit();
        let failed = self.kept.failures.get(usize::from(key)).copied().unwrap_or_default();
        if limit > 0 && failed >= limit {
            return Answer::Nak(NAK_LIMIT);
        }
        // A simulated chip's random numbers: never the same twice, and the same in every run.
        self.challenges += 1;
        let mut seed = [0x42; 16];
        for (to, from) in seed
            .iter_mut()
            .zip(self.challenges.to_le_bytes().iter().chain(&self.uid.0))
        {
            *to = *from;
        }
        let rnd_b = AesKey::new(&[0x17; 16]).encrypted(seed);
        self.state = State::Challenged { key, rnd_b };
        let mut answer = vec![0xAF];
        answer.extend_from_slice(&self.key(key).encrypted(rnd_b));
        Answer::Bytes(answer)
    }

    fn response(&mut self, number: u8, rnd_b: Block, both: &[u8]) -> Answer {
        let key = self.key(number);
        let (first, second) = match both.as_chunks::<16>() {
            ([first, second], []) => (*first, *second),
            _ => return Answer::Nak(NAK_ARGUMENT),
        };
        let chained = u128::from_be_bytes(key.decrypted(second)) ^ u128::from_be_bytes(first);
        let rnd_a = key.decrypted(first);
        let failures = self.kept.failures.get_mut(usize::from(number));
        if number > 1 || chained.to_be_bytes() != rotated(rnd_b) {
            if let Some(failed) = failures {
                *failed = failed.saturating_add(1);
            }
            return Answer::Nak(NAK_ARGUMENT);
        }
        if let (Some(failed), true) = (failures, self.quirks.success_clears_failures) {
            *failed = 0;
        }
        let channel = self
            .config()
            .secure_messaging()
            .then(|| Box::new(Channel::open(&key, rnd_a, rnd_b)));
        self.state = State::Open { key: number, channel };
        let mut answer = vec![0x00];
        answer.extend_from_slice(&key.encrypted(rotated(rnd_a)));
        Answer::Bytes(answer)
    }

    fn read(&mut self, start: u8) -> Answer {
        let end = self.readable_end();
        if start >= end {
            return Answer::Nak(NAK_ARGUMENT);
        }
        let mut bytes = Vec::with_capacity(16);
        let mut page = start;
        for _ in 0..4 {
            bytes.extend_from_slice(&self.sense(page));
            page = if page + 1 >= end { 0 } else { page + 1 };
        }
        Answer::Bytes(bytes)
    }

    fn fast_read(&mut self, start: u8, end: u8) -> Answer {
        if start > end || end >= self.readable_end() {
            return Answer::Nak(NAK_ARGUMENT);
        }
        Answer::Bytes((start..=end).flat_map(|page| self.sense(page)).collect())
    }

    /// One command without its MAC.
    fn command(&mut self, command: &[u8]) -> Answer {
        match *command {
            [0x60] => Answer::Bytes(self.version.to_vec()),
            [0x30, page] => self.read(page),
            [0x3A, start, end] => self.fast_read(start, end),
            [0xA2, page, b0, b1, b2, b3] => {
                if !self.may_write(page) {
                    return Answer::Nak(NAK_ARGUMENT);
                }
                self.store(page, [b0, b1, b2, b3]);
                Answer::Ack
            }
            [0x39, counter] => self.read_counter(counter),
            [0xA5, counter, b0, b1, b2, _] => self.increment(counter, [b0, b1, b2]),
            [0x3C, 0x00] => Answer::Bytes(self.signature.to_vec()),
            [0x4B, ..] if command.len() == 21 => Answer::Bytes(vec![self.page(PAGE_CFG1)[1]]),
            // Seen to be acknowledged on silicon: whoever sends it locks the signature.
            [0xAC, 0..=2] => {
                self.kept.signature_locked = true;
                Answer::Ack
            }
            // HLTA, and every command it does not know.
            _ => Answer::Silence,
        }
    }

    fn secured(&mut self, frame: &[u8]) -> Answer {
        let State::Open {
            channel: Some(channel), ..
        } = &self.state
        else {
            return self.command(frame);
        };
        let Some((command, mac)) = frame
            .len()
            .checked_sub(MAC_BYTES)
            .and_then(|at| frame.split_at_checked(at))
        else {
            return Answer::Silence;
        };
        if !same(&channel.command_mac(command), mac) {
            return Answer::Silence;
        }
        let answer = self.command(command);
        let State::Open {
            channel: Some(channel), ..
        } = &mut self.state
        else {
            return Answer::Silence;
        };
        let body = match answer {
            Answer::Bytes(bytes) => bytes,
            Answer::Ack => Vec::new(),
            no => return no,
        };
        let mac = channel.answer_mac(&body);
        channel.advance();
        Answer::Bytes([&body[..], &mac].concat())
    }
}

impl VirtualChip for UltralightAesChip {
    fn selected(&self) -> Selected {
        let uid = if self.config().random_id() {
            let [b0, b1, b2, ..] = self.challenges.to_le_bytes();
            TagId::from_slice(&[0x08, b0, b1, b2]).unwrap_or_else(|| self.uid.tag())
        } else {
            self.uid.tag()
        };
        Selected {
            uid,
            atqa: [0x00, 0x44],
            sak: 0x00,
            ats: None,
        }
    }

    fn frame(&mut self, frame: &[u8]) -> Answer {
        let answer = match (&self.state, frame) {
            (State::Mute, _) => Answer::Silence,
            (_, [0x1A, key]) => self.challenge(*key),
            (State::Challenged { key, rnd_b }, [0xAF, both @ ..]) => {
                let (key, rnd_b) = (*key, *rnd_b);
                self.response(key, rnd_b, both)
            }
            (State::Challenged { .. }, _) => {
                self.state = State::Active;
                self.secured(frame)
            }
            _ => self.secured(frame),
        };
        if matches!(answer, Answer::Nak(_) | Answer::Silence) {
            self.state = State::Mute;
        }
        answer
    }

    fn power_off(&mut self) {
        self.state = State::Active;
        self.tearing = None;
        self.active = self.live();
        if self.active.random_id() {
            self.challenges += 1;
        }
    }

    fn torn(&mut self, frame: &[u8], tear: Tear) {
        self.tearing = Some(tear);
        let _ = self.frame(frame);
        self.power_off();
    }

    fn writes(&self, frame: &[u8]) -> u32 {
        match frame.first() {
            Some(0xA2) => 1,
            // Two copies, so that one survives a tear.
            Some(0xA5) => 2,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
