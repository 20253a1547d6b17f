//! How devices become terminals: an admin opens a slot, somebody scans its code, a person confirms. Codes are wrong, used, too late, or scanned by two.

use festival::registration::{Slot, SlotState, secret_digest};
use fixtures::sample;
use shared_protocol::{SlotId, TillId};
use terminal::{Input, Invitation, config_key_digest};

use crate::events::DeviceNo;
use crate::faults::Kind;
use crate::world::{EPOCH_MS, World};

/// A code on a console.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    slot: SlotId,
    secret: [u8; 16],
    till: TillId,
}

/// How often a scan goes wrong, in a million.
const STRIKES: u32 = 150_000;
/// How long a code is good.
const LIFETIME_MS: u64 = 24 * 60 * 60 * 1_000;

impl World {
    fn fresh_code(&mut self, till: TillId, lifetime_ms: u64) -> Code {
        let code = Code {
            slot: SlotId(self.people_random.bytes()),
            secret: self.people_random.bytes(),
            till,
        };
        let confirm = self.people_random.percent(50);
        self.open_slot(Slot {
            id: code.slot,
            event: sample::EVENT,
            till: code.till,
            secret: secret_digest(code.slot, &code.secret),
            expires_at_ms: EPOCH_MS + self.now_ms + lifetime_ms,
            confirm,
            state: SlotState::Open,
        });
        self.codes.push(code);
        code
    }

    /// Somebody scans a code on a device that is no terminal yet.
    pub(crate) fn scan_code(&mut self, no: DeviceNo) {
        if !self.server.is_up() {
            return;
        }
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let till = device.till;
        device.scans += 1;
        // Nobody is wrong for ever.
        let wrong = device.scans <= 2;
        let used = self.codes.first().copied().filter(|_| wrong);
        let mut fault = None;
        let code = if let Some(used) = used.filter(|_| self.plan.strikes(Kind::UsedSecret, STRIKES)) {
            fault = Some(Kind::UsedSecret);
            used
        } else if wrong && self.plan.strikes(Kind::ExpiredSecret, STRIKES) {
            fault = Some(Kind::ExpiredSecret);
            self.fresh_code(till, 0)
        } else {
            self.fresh_code(till, LIFETIME_MS)
        };
        let mut secret = code.secret;
        if wrong && fault.is_none() && self.plan.strikes(Kind::WrongSecret, STRIKES) {
            fault = Some(Kind::WrongSecret);
            secret[0] ^= 1;
        }
        if wrong && fault.is_none() && self.plan.strikes(Kind::Race, STRIKES) {
            let waits = |device: &crate::till::Device| {
                device.terminal.as_ref().is_some_and(|terminal| terminal.id().is_none())
                    && device.scanned.is_none()
                    && !device.gone
            };
            let rival = self
                .device_numbers()
                .into_iter()
                .find(|other| *other != no && self.devices.get(other.0).is_some_and(waits));
            if let Some(rival) = rival {
                self.count(Kind::Race);
                self.scan(rival, code, code.secret, Some(Kind::Race));
                fault = Some(Kind::Race);
            }
        }
        if let Some(kind) = fault.filter(|kind| *kind != Kind::Race) {
            self.count(kind);
        }
        self.scan(no, code, secret, fault);
    }

    fn scan(&mut self, no: DeviceNo, code: Code, secret: [u8; 16], fault: Option<Kind>) {
        // Without the key's digest in the code a server in between could pass off its own; where there are strangers the code has it.
        let bound = self.plan.has(Kind::Rogue) || self.people_random.percent(50);
        let config_key = bound.then(|| config_key_digest(&self.server.config_key));
        if let Some(device) = self.devices.get_mut(no.0) {
            device.scanned = fault.or(device.scanned);
        }
        self.step(
            no,
            Input::Register(Invitation {
                slot: code.slot,
                secret,
                device: format!("phone {}", no.0),
                config_key,
            }),
        );
    }
}
