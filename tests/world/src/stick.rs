//! The second copy of a desk's journal outlives the desk: a till that takes cash for wristbands writes every entry to a stick, too, and when its
//! device is destroyed, somebody brings the stick to the office. What was on it is then excused no more: it has to be booked, once.

use std::collections::BTreeSet;

use engine::Request;
use engine::import::{Import, Unusable};
use fixtures::sample;
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::Bytes;
use shared_protocol::mirror::{FORMAT, Mirror, MirroredEntry, Opening, Record};
use shared_protocol::order::OrderKind;
use store::Reader as _;
use terminal::MetaKey;

use crate::events::{DeviceNo, Event};
use crate::till::Device;
use crate::world::World;

/// Somebody has to find it and walk to the office.
const WALK_MS: u64 = 20 * 60_000;
/// A server that does not have everything gets the stick again after this.
const AGAIN_MS: u64 = 10 * 60_000;

/// A stick that outlived its device.
pub(crate) struct Stick {
    /// A file for each epoch.
    files: Vec<Vec<u8>>,
    /// The hashes of all entries on it.
    pub hashes: BTreeSet<Hash32>,
    /// Something on it was nowhere else.
    brings: bool,
}

/// A copy of a device's journal of one epoch from an entry on, in the format of a second copy; none when nothing is there.
pub(crate) fn copy(device: &Device, start: &EpochStart, from_seq: u64) -> Option<Vec<u8>> {
    let image = &device.disk.image;
    let certificate = terminal::certificate_of(image.metas.get(&MetaKey::Identity)?)?;
    let opening = Opening {
        format: FORMAT,
        epoch: *start,
        certificate,
    };
    let registration = opening.registration().ok()?;
    let mut file = Record::Opening(opening).bytes();
    let before = from_seq
        .checked_sub(1)
        .and_then(|seq| image.entries.get(&(start.epoch, seq)));
    let mut previous = before.map_or_else(|| start.root(registration.terminal), |entry| entry.hash);
    let mut some = false;
    for (_, entry) in image.entries.range((start.epoch, from_seq)..=(start.epoch, u64::MAX)) {
        let record = MirroredEntry {
            seq: entry.seq,
            previous,
            bytes: Bytes(entry.bytes.clone()),
        };
        file.extend(Record::Entry(record).bytes());
        (previous, some) = (entry.hash, true);
        // The copier signs what it appends; sales come one by one.
        let signer = device.key.signer();
        let head = SignedHead::sign(
            signer.as_ref(),
            registration.terminal,
            start.epoch,
            entry.seq,
            entry.hash,
        );
        file.extend(head.map(|head| Record::Head(head).bytes()).unwrap_or_default());
    }
    some.then_some(file)
}

impl World {
    /// A desk is about to be destroyed; what is on its stick stays.
    pub(crate) fn stick_stays(&mut self, no: DeviceNo) {
        let Some(device) = self.devices.get(no.0) else { return };
        let config = sample::config();
        let till = config.tills.get(&device.till);
        if !till.is_some_and(|till| till.order_kinds.contains(&OrderKind::TopUp)) {
            return;
        }
        let image = &device.disk.image;
        let epochs = image.epochs.values();
        let files = epochs.filter_map(|(start, _)| copy(device, start, 1)).collect();
        self.sticks.push(Stick {
            files,
            hashes: image.hashes().collect(),
            brings: false,
        });
        let stick = self.sticks.len() - 1;
        self.put(WALK_MS, Event::Stick { stick });
    }

    /// The office imports a stick, and again until the server has everything that is on it.
    pub(crate) fn stick_comes(&mut self, number: usize) {
        let Some(stick) = self.sticks.get_mut(number) else {
            return;
        };
        // A server that is restored afterwards has forgotten it again.
        if stick.hashes.iter().all(|hash| self.observer.stored.contains(hash)) {
            if std::mem::take(&mut stick.brings) {
                self.sometimes.reach("second_copy_booked");
            }
        } else if self.server.is_up() {
            stick.brings = true;
            for file in stick.files.clone() {
                self.import(number, &file);
            }
        }
        self.put(AGAIN_MS, Event::Stick { stick: number });
    }

    fn import(&mut self, number: usize, file: &[u8]) {
        let mut reader = self.server.reader();
        let Ok(mirror) = Mirror::read(file) else {
            return self.violation("I3", "a second copy cannot be read");
        };
        let id = mirror
            .opening
            .registration()
            .ok()
            .map(|registration| registration.terminal);
        let row = id.and_then(|id| reader.terminal(id).ok().flatten());
        match Import::check(mirror, sample::EVENT, row.as_ref()) {
            Ok(import) => {
                for push in import.pushes() {
                    self.admin(Request::Push(Box::new(push)));
                }
            }
            // The backup is older than the registration, and the device that could show its certificate is gone.
            Err(Unusable::UnknownTerminal(_)) => {
                let hashes = self
                    .sticks
                    .get(number)
                    .map(|stick| stick.hashes.clone())
                    .unwrap_or_default();
                for hash in hashes.into_iter().filter(|hash| !self.observer.stored.contains(hash)) {
                    self.observer
                        .excused
                        .insert(hash, "of a terminal that a restored server does not know");
                }
            }
            Err(why) => self.violation("I3", &format!("a second copy is refused: {why}")),
        }
    }
}
