//! How often devices do what costs others something. A loop without a growing wait shows here (I15).

use std::collections::{BTreeMap, VecDeque};

use shared_protocol::crypto::Hash32;

use crate::events::DeviceNo;

/// Attempts to connect within a minute that no growing wait allows. The first waits are short, and a person who scans a code or a process that
/// is started again begins anew.
const CONNECTS_A_MINUTE: usize = 40;
/// The same entries again within ten minutes: more than a connection every few seconds explains.
const REPEATS_IN_TEN_MINUTES: u32 = 150;
/// Frames of one device within ten seconds that only a loop without a wait can cause.
const FRAMES_IN_TEN_SECONDS: u32 = 600;

/// What devices did lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    connects: BTreeMap<DeviceNo, VecDeque<u64>>,
    frames: BTreeMap<DeviceNo, (u64, u32)>,
    /// How often the same head was sent within a while, by device.
    repeats: BTreeMap<(DeviceNo, Hash32), (u64, u32)>,
    /// Who did what too often.
    pub too_often: Option<String>,
}

/// Counts what falls into the same slot of time.
fn count(counted: &mut (u64, u32), slot: u64) -> u32 {
    *counted = if counted.0 == slot {
        (slot, counted.1 + 1)
    } else {
        (slot, 1)
    };
    counted.1
}

impl Pace {
    pub fn tried_to_connect(&mut self, device: DeviceNo, now_ms: u64) {
        let tries = self.connects.entry(device).or_default();
        tries.push_back(now_ms);
        while tries.front().is_some_and(|first| first + 60_000 < now_ms) {
            tries.pop_front();
        }
        let times = tries.len();
        if times > CONNECTS_A_MINUTE {
            self.too_often = Some(format!("device {} connects {times} times in a minute", device.0));
        }
    }

    pub fn sent_frame(&mut self, device: DeviceNo, now_ms: u64) {
        let times = count(self.frames.entry(device).or_default(), now_ms / 10_000);
        if times > FRAMES_IN_TEN_SECONDS {
            self.too_often = Some(format!("device {} sends {times} frames in ten seconds", device.0));
        }
    }

    pub fn sent_entries(&mut self, device: DeviceNo, head: Hash32, now_ms: u64) {
        let times = count(self.repeats.entry((device, head)).or_default(), now_ms / 600_000);
        if times > REPEATS_IN_TEN_MINUTES {
            self.too_often = Some(format!(
                "device {} sends the same entries {times} times in ten minutes",
                device.0
            ));
        }
    }
}
