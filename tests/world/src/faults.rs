//! The kinds of faults, and which of them a seed has. A run with everything on at once never gets deep into anything, so each seed turns a
//! random half off and draws how often the others strike (swarm testing, Groce et al. 2012).

use std::collections::BTreeSet;

use crate::random::Random;

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident = $text:literal, $mean:literal,)+) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$meta])* $name,)+ }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name in reports and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// How often it strikes in 24 hours at the lowest rate; zero for those that are a property of frames, clocks or guests.
            const fn strikes(self) -> u32 {
                match self { $(Self::$name => $mean,)+ }
            }
        }
    };
}

kinds! {
    /// A device has no network for a while, minutes to hours.
    Offline = "offline", 10,
    /// Nobody has network for a while.
    SiteCut = "site-cut", 2,
    /// Devices lose their network one after the other and get it back in another order.
    Swizzle = "swizzle", 1,
    /// A connection is reset.
    Reset = "reset", 40,
    /// A connection dies and one side or both hear nothing of it.
    HalfOpen = "half-open", 12,
    /// One direction of a device's network is silent for a while.
    OneWay = "one-way", 8,
    /// Frames take long, up to many seconds.
    Slow = "slow", 0,
    /// A frame arrives cut off.
    Truncate = "truncate", 0,
    /// A frame arrives with a flipped bit.
    BitFlip = "bit-flip", 0,
    /// A frame is replaced by noise.
    Garbage = "garbage", 0,
    /// A frame is larger than it may be.
    Oversize = "oversize", 0,
    /// A frame arrives twice.
    Duplicate = "duplicate", 0,
    /// Frames of an old connection arrive after the next one stands.
    Late = "late", 0,
    /// A stranger answers in the server's place.
    Rogue = "rogue", 4,
    /// The server's process dies.
    ServerKill = "server-kill", 4,
    /// The server dies after a commit and before its acknowledgements.
    KillAfterCommit = "kill-after-commit", 4,
    /// A commit of the server fails and is not on its disk.
    CommitFails = "commit-fails", 2,
    /// A commit of the server fails and is on its disk.
    CommitUnknown = "commit-unknown", 2,
    /// The server's disk is slow for a while.
    ServerSlow = "server-slow", 3,
    /// The server is restored from an older backup.
    ServerRestore = "server-restore", 2,
    /// A till's process dies.
    TillKill = "till-kill", 12,
    /// A device loses power.
    PowerCut = "power-cut", 10,
    /// A device's disk is full for a while.
    DiskFull = "disk-full", 5,
    /// A write of a device fails and is not on its disk.
    DiskError = "disk-error", 12,
    /// A write of a device fails and nobody knows whether it is on its disk.
    DiskUnknown = "disk-unknown", 6,
    /// A device's disk is slow.
    DiskSlow = "disk-slow", 0,
    /// A device's queue cannot be read back.
    ReadError = "read-error", 0,
    /// A device's key does not sign for a while.
    KeyFault = "key-fault", 4,
    /// A device is put back to an old backup.
    Rollback = "rollback", 2,
    /// A device is copied: two phones, one identity.
    Clone = "clone", 1,
    /// A device is destroyed; another one takes its till.
    PhoneLost = "phone-lost", 1,
    /// A phone gives what the server lacks to another phone, and is destroyed afterwards as often as not.
    Handover = "handover", 4,
    /// Clocks are off, up to days.
    Skew = "skew", 0,
    /// A device that lost power wakes up in 1970.
    Year1970 = "1970", 0,
    /// A device's clock jumps.
    ClockJump = "clock-jump", 8,
    /// Clocks run too fast or too slow.
    Drift = "drift", 0,
    /// Guests hold their wristband again at once.
    DoubleTap = "double-tap", 0,
    /// Guests leave their wristband in the field.
    HoldTooLong = "hold-too-long", 0,
    /// Cashiers type the wrong thing, cancel twice, use another wristband.
    Mistake = "mistake", 0,
    /// Cashiers leave with a cart open.
    LogOut = "log-out", 0,
    /// Prices change.
    PriceChange = "price-change", 5,
    /// Tills and people lose permissions, and get them back.
    Permission = "permission", 6,
    /// People try what they or their till may not do.
    Overstep = "overstep", 0,
    /// Wristbands are blocked.
    Block = "block", 8,
    /// Tills are locked.
    Lock = "lock", 3,
    /// A device registers with a wrong secret.
    WrongSecret = "wrong-secret", 0,
    /// A device registers with a secret that was used.
    UsedSecret = "used-secret", 0,
    /// A device registers with a secret whose time is over.
    ExpiredSecret = "expired-secret", 0,
    /// Two devices race for one slot.
    Race = "race", 0,
    /// A TSE does not answer for a while, hangs, or never answers again.
    TseDown = "tse-down", 5,
    /// A TSE does what it was asked to and its answer is lost, or it says no; at any of its calls.
    TseSilent = "tse-silent", 20,
    /// Wristbands leave the field at any exchange, and pages tear.
    TornTap = "torn-tap", 0,
    /// A wristband is copied with everything on it.
    ChipCopied = "chip-copied", 1,
    /// A wristband is copied into an emulator, which can set everything back.
    ChipEmulated = "chip-emulated", 1,
    /// Another chip takes the id of a wristband.
    IdBorrowed = "id-borrowed", 2,
    /// A page of a wristband no longer keeps what is written.
    ChipWorn = "chip-worn", 2,
    /// Pages of a wristband are put back to what they were.
    ChipReplayed = "chip-replayed", 4,
    /// Somebody with the keys of a till that sells writes on wristbands.
    ChipForged = "chip-forged", 2,
    /// Somebody with the keys of a desk credits wristbands.
    StolenDesk = "stolen-desk", 2,
    /// Somebody with a till's key changes its orders on their way.
    StolenKey = "stolen-key", 1,
}

impl Kind {
    /// From its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Which faults a run has, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    on: BTreeSet<Kind>,
    /// By the kind's place: asked several times for every frame.
    rates: Vec<u32>,
    streams: Vec<Random>,
    spare: Random,
    /// Whether faults still strike.
    pub armed: bool,
}

/// How long a day is, for rates.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl Plan {
    /// The seed's faults, less those that are switched off from outside.
    pub fn of(seed: u64, off: &BTreeSet<Kind>) -> Self {
        let mut random = Random::of(seed, 1);
        let mut kinds = Kind::ALL.to_vec();
        random.shuffle(&mut kinds);
        let half = kinds.len() / 2;
        let on: BTreeSet<Kind> = kinds
            .into_iter()
            .take(half)
            .filter(|kind| !off.contains(kind))
            .collect();
        let rate = |kind: &Kind| {
            let rate = random.pick(&[1, 1, 2, 4]).unwrap_or(1);
            if on.contains(kind) { rate } else { 0 }
        };
        let rates = Kind::ALL.iter().map(rate).collect();
        let streams = (100..)
            .take(Kind::ALL.len())
            .map(|purpose| Random::of(seed, purpose))
            .collect();
        Self {
            on,
            rates,
            streams,
            spare: Random::of(seed, 99),
            armed: true,
        }
    }

    /// How many times the lowest rate; zero when it is off.
    fn rate(&self, kind: Kind) -> u32 {
        self.rates.get(kind as usize).copied().unwrap_or(0)
    }

    pub fn kinds(&self) -> &BTreeSet<Kind> {
        &self.on
    }

    /// Whether the run has this kind at all.
    pub fn has(&self, kind: Kind) -> bool {
        self.on.contains(&kind)
    }

    /// The kind's own numbers, so that nothing else moves when it is switched off.
    pub fn random(&mut self, kind: Kind) -> &mut Random {
        self.streams.get_mut(kind as usize).unwrap_or(&mut self.spare)
    }

    /// Whether a fault that is a property of something strikes now, `of_million` times at the lowest rate.
    pub fn strikes(&mut self, kind: Kind, of_million: u32) -> bool {
        let rate = self.rate(kind);
        self.armed && rate > 0 && self.random(kind).per_million(of_million.saturating_mul(rate))
    }

    /// How long until the next strike of a kind that comes by itself.
    pub fn next(&mut self, kind: Kind) -> Option<u64> {
        let strikes = kind.strikes() * self.rate(kind);
        (strikes > 0).then(|| self.random(kind).wait(DAY_MS / u64::from(strikes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_half_of_the_kinds_and_switching_one_off_leaves_the_rest() {
        let plan = Plan::of(5, &BTreeSet::new());
        assert_eq!(plan.kinds().len(), Kind::ALL.len() / 2);
        let first = *plan.kinds().iter().next().unwrap();
        let less = Plan::of(5, &BTreeSet::from([first]));
        assert_eq!(less.kinds().len() + 1, plan.kinds().len());
        for kind in less.kinds() {
            assert_eq!(less.clone().next(*kind), plan.clone().next(*kind));
        }
    }

    #[test]
    fn names_are_unique_and_read_back() {
        assert!(Kind::ALL.iter().all(|kind| Kind::parse(kind.name()) == Some(*kind)));
    }
}
