//! PINs: what was typed, who is asked for one, and how often it was wrong. Whether a PIN fits its hash is for the shell to say: it has the
//! memory and the time that a slow hash takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use shared_protocol::catalogue::Role;
use shared_protocol::{StaffId, decode, encode};

use crate::Terminal;
use crate::output::{Cue, MetaKey, Output, Write};
use crate::screen::{Notice, Refusal};
use crate::step::Step;

/// Digits of the shortest PIN.
pub const PIN_DIGITS_MIN: usize = 4;
/// Digits of the longest PIN.
pub const PIN_DIGITS_MAX: usize = 8;

/// So often a PIN may be wrong.
const TRIES_MAX: u8 = 5;
/// After that there is one try each time this long has passed.
const WAIT_MS: u64 = 5 * 60 * 1_000;

/// A PIN as it was typed. It is neither stored nor printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    digits: [u8; PIN_DIGITS_MAX],
    count: usize,
}

impl Pin {
    /// Takes digits as they were typed; none when it cannot be a PIN.
    pub fn typed(text: &str) -> Option<Self> {
        let fits = (PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&text.len());
        if !fits || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let mut digits = [0; PIN_DIGITS_MAX];
        digits.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        Some(Self {
            digits,
            count: text.len(),
        })
    }

    /// The digits.
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(..)")
    }
}

/// Names one [`Output::VerifyPin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinJob(pub u64);

/// How often somebody's PIN was wrong in a row.
#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u8,
    /// When it was last, on the monotonic clock; a start counts as a try, so that restarting shortens nothing.
    since_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    staff: StaffId,
    wrong: u8,
}

/// Who is asked for a PIN, and who was wrong how often.
#[derive(Debug, Clone, Default)]
pub(crate) struct PinPad {
    /// Whose PIN the screen asks for.
    asked: Option<StaffId>,
    /// What the shell is looking at.
    checking: Option<(PinJob, StaffId)>,
    tries: BTreeMap<StaffId, Tries>,
}

impl PinPad {
    pub fn restored(saved: Option<&Vec<u8>>, now_ms: u64) -> Self {
        let saved: Vec<Saved> = saved.and_then(|bytes| decode(bytes).ok()).unwrap_or_default();
        let tries = |saved: Saved| {
            let tries = Tries {
                wrong: saved.wrong,
                since_ms: now_ms,
            };
            (saved.staff, tries)
        };
        Self {
            tries: saved.into_iter().map(tries).collect(),
            ..Self::default()
        }
    }

    fn saved(&self) -> Option<Vec<u8>> {
        let saved = |(staff, tries): (&StaffId, &Tries)| Saved {
            staff: *staff,
            wrong: tries.wrong,
        };
        let all: Vec<Saved> = self.tries.iter().map(saved).collect();
        (!all.is_empty()).then(|| encode(&all))
    }

    /// The screen shows something else: nobody is asked any more.
    pub fn put_away(&mut self) {
        self.asked = None;
    }

    /// How often somebody may still be wrong, or how long they have to wait.
    fn left(&self, staff: StaffId, now_ms: u64) -> Result<u8, Refusal> {
        let Some(tries) = self.tries.get(&staff) else {
            return Ok(TRIES_MAX);
        };
        let left = TRIES_MAX.saturating_sub(tries.wrong);
        let wait_ms = tries.since_ms.saturating_add(WAIT_MS).saturating_sub(now_ms);
        match (left, wait_ms) {
            (0, 0) => Ok(1),
            (0, wait_ms) => Err(Refusal::PinLocked { wait_ms }),
            (left, _) => Ok(left),
        }
    }
}

impl Terminal {
    /// Asks for somebody's PIN.
    pub(crate) fn ask_pin(&mut self, step: &mut Step<'_>, staff: StaffId) -> Result<(), Refusal> {
        let left = self.pins.left(staff, step.now.mono_ms)?;
        step.cue(Cue::Info);
        self.want_pin(step, staff, left, false);
        Ok(())
    }

    fn want_pin(&mut self, step: &mut Step<'_>, staff: StaffId, left: u8, wrong: bool) {
        let notice = Notice::PinWanted {
            staff,
            left,
            wrong,
            checking: self.pins.checking.is_some(),
        };
        self.notify(step, notice);
        self.pins.asked = Some(staff);
    }

    /// A PIN was typed. It counts as wrong until the shell has said otherwise, so that a device that is switched off in between has not forgotten
    /// the try.
    pub(crate) fn pin_typed(&mut self, step: &mut Step<'_>, pin: Pin) -> Result<(), Refusal> {
        let Some(staff) = self.pins.asked.filter(|_| self.pins.checking.is_none()) else {
            return Ok(());
        };
        let now_ms = step.now.mono_ms;
        let left = self.pins.left(staff, now_ms)?;
        let person = self.config.as_ref().and_then(|config| config.staff.get(&staff));
        let hash = person.ok_or(Refusal::UnknownStaff)?.pin.clone();
        let Some(hash) = hash else {
            return self.take_till(step, staff);
        };
        let tries = self.pins.tries.entry(staff).or_insert(Tries { wrong: 0, since_ms: 0 });
        (tries.wrong, tries.since_ms) = (tries.wrong.saturating_add(1), now_ms);
        self.keep_tries(step);
        let job = PinJob(self.next_job);
        self.next_job += 1;
        self.pins.checking = Some((job, staff));
        step.out.push(Output::VerifyPin { job, hash, pin });
        self.want_pin(step, staff, left, false);
        Ok(())
    }

    fn keep_tries(&mut self, step: &mut Step<'_>) {
        let value = self.pins.saved();
        let write = Write::Meta {
            key: MetaKey::Pins,
            value,
        };
        self.store.later(write, step.now.mono_ms);
        self.store.flush(step);
    }

    /// The shell has compared a PIN with its hash.
    pub(crate) fn pin_verified(&mut self, step: &mut Step<'_>, job: PinJob, ok: bool) {
        let Some((_, staff)) = self.pins.checking.take_if(|(checking, _)| *checking == job) else {
            return;
        };
        let is_asked = self.pins.asked == Some(staff);
        if ok {
            let person = self.config.as_ref().and_then(|config| config.staff.get(&staff));
            if person.and_then(|person| person.role).is_some_and(Role::helps_others) {
                self.pins.tries.clear();
            }
            self.pins.tries.remove(&staff);
            self.keep_tries(step);
        }
        if !is_asked {
            return;
        }
        let goes_on = if ok {
            self.pins.asked = None;
            self.take_till(step, staff)
        } else {
            self.pins.left(staff, step.now.mono_ms).map(|left| {
                step.cue(Cue::Refused);
                self.want_pin(step, staff, left, true);
            })
        };
        if let Err(refusal) = goes_on {
            self.refuse(step, refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_four_to_eight_digits_and_is_not_printed() {
        assert_eq!(Pin::typed("0042").unwrap().digits(), b"0042");
        assert_eq!(Pin::typed("12345678").unwrap().digits(), b"12345678");
        for wrong in ["", "123", "123456789", "12a4", "12 4", "１２３４"] {
            assert_eq!(Pin::typed(wrong), None, "{wrong}");
        }
        assert!(!format!("{:?}", Pin::typed("4711").unwrap()).contains("47"));
    }
}
