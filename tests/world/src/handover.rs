//! A phone without a network gives what the server lacks to another phone, as codes or a file would, and is destroyed afterwards as often as not. What the
//! other one has on its disk then is excused no more: it has to be booked, once.

use std::collections::BTreeSet;

use shared_protocol::crypto::Hash32;
use shared_protocol::mirror::Mirror;
use terminal::{Action, Input, MetaKey};

use crate::disk::Image;
use crate::events::{DeviceNo, Event};
use crate::faults::Kind;
use crate::stick::copy;
use crate::world::World;

/// Two people have to find each other.
const TOGETHER_MS: u64 = 30_000;
/// A phone that is busy or whose disk is full is asked again after this.
const AGAIN_MS: u64 = 5_000;
const TRIES_MAX: u32 = 60;
/// How often somebody looks what became of the copy.
const LOOK_MS: u64 = 10 * 60_000;

/// A copy of a journal.
struct File {
    bytes: Vec<u8>,
    hashes: BTreeSet<Hash32>,
}

/// What one phone gives to another.
pub(crate) struct Handover {
    giver: DeviceNo,
    holder: DeviceNo,
    files: Vec<File>,
    /// Files that were on the other phone's disk.
    taken: usize,
    tries: u32,
    /// The giver is destroyed, and something of it was nowhere else.
    brings: bool,
}

fn is_on(image: &Image, file: &File) -> bool {
    let kept = image.metas.get(&MetaKey::Received);
    kept.is_some_and(|kept| kept.windows(file.bytes.len()).any(|part| part == file.bytes))
}

impl World {
    /// Somebody whose phone cannot send finds another one that has a chance.
    pub(crate) fn gives_a_copy(&mut self) -> Option<()> {
        let giver = self.running_where(Kind::Handover, |_, terminal| terminal.evacuable().is_some())?;
        let holder = self.running_where(Kind::Handover, |no, _| no != giver)?;
        let device = self.devices.get(giver.0)?;
        let what = device.terminal.as_ref()?.evacuable()?;
        let files = what.epochs.iter().filter_map(|epoch| {
            let bytes = copy(device, &epoch.start, epoch.from_seq)?;
            let hashes = Mirror::read(&bytes)
                .ok()?
                .entries
                .into_values()
                .map(|entry| entry.hash())
                .collect();
            Some(File { bytes, hashes })
        });
        let files: Vec<File> = files.collect();
        let up_to = what
            .epochs
            .iter()
            .map(|epoch| (epoch.start.epoch, epoch.to_seq))
            .collect();
        self.step(giver, Input::Copied { up_to });
        self.handovers.push(Handover {
            giver,
            holder,
            files,
            taken: 0,
            tries: 0,
            brings: false,
        });
        let handover = self.handovers.len() - 1;
        self.put(TOGETHER_MS, Event::Handover { handover });
        Some(())
    }

    /// One file after the other, until the other phone has all of them; and later, what became of them.
    pub(crate) fn copy_goes_over(&mut self, number: usize) {
        let Some(handover) = self.handovers.get_mut(number) else {
            return;
        };
        let (giver, holder) = (handover.giver, handover.holder);
        let stored = &self.observer.stored;
        let Some(file) = handover.files.get(handover.taken) else {
            let mut all = handover.files.iter().flat_map(|file| &file.hashes);
            if all.all(|hash| stored.contains(hash)) {
                if std::mem::take(&mut handover.brings) {
                    self.sometimes.reach("copy_of_a_lost_phone_booked");
                }
                return;
            }
            return self.put(LOOK_MS, Event::Handover { handover: number });
        };
        if (self.devices.get(holder.0)).is_some_and(|device| is_on(&device.disk.image, file)) {
            handover.taken += 1;
            if handover.taken == handover.files.len() {
                self.taken_over(number, giver);
            }
        } else if handover.tries < TRIES_MAX {
            handover.tries += 1;
            let bytes = file.bytes.clone();
            self.step(holder, Input::Received(bytes));
        } else {
            return;
        }
        self.put(AGAIN_MS, Event::Handover { handover: number });
    }

    fn taken_over(&mut self, number: usize, giver: DeviceNo) {
        self.step(giver, Input::Act(Action::CopyTaken));
        if self.plan.armed && self.plan.random(Kind::Handover).percent(50) {
            let lost = self.phone_is_lost(giver).is_some();
            let stored = &self.observer.stored;
            if let Some(handover) = self.handovers.get_mut(number) {
                let mut all = handover.files.iter().flat_map(|file| &file.hashes);
                handover.brings = lost && !all.all(|hash| stored.contains(hash));
            }
        }
    }

    /// Entries of others that are on this disk.
    pub(crate) fn copies_on(&self, image: &Image) -> BTreeSet<Hash32> {
        let files = self.handovers.iter().flat_map(|handover| &handover.files);
        let here = files.filter(|file| is_on(image, file));
        here.flat_map(|file| file.hashes.iter().copied()).collect()
    }

    /// Entries of others that are on any device's disk.
    pub(crate) fn copies_held(&self) -> BTreeSet<Hash32> {
        let devices = self.devices.iter().filter(|device| !device.gone);
        devices.flat_map(|device| self.copies_on(&device.disk.image)).collect()
    }

    /// A phone keeps a copy until the server has said that it has it. A server that is restored behind that moment, or that now lacks what a copy continues,
    /// gets it from the giver, if there still is one.
    pub(crate) fn restored_behind_handovers(&mut self) {
        for handover in &self.handovers {
            let still = (self.devices.get(handover.giver.0)).is_some_and(|device| !device.gone);
            let all = handover.files.iter().flat_map(|file| &file.hashes);
            for hash in all.filter(|hash| !still && !self.observer.stored.contains(hash)) {
                (self.observer.excused).insert(*hash, "handed over to a server that was restored");
            }
        }
    }
}
