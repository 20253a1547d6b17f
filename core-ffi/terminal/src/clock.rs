//! Two clocks: the monotonic one drives timers, the wall clock is data. And what is known of the server's.

use crate::step::Now;

/// A wall clock that moves this much against the monotonic one has jumped.
const JUMP_MS: i64 = 2 * 60 * 1_000;

/// What the terminal knows of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    /// The server's clock minus the monotonic one. Every message was on its way for a while, which only makes the difference smaller:
    /// the largest of a connection is the best.
    server_minus_mono: Option<i64>,
    /// The server's clock minus the wall clock, from an earlier connection or start.
    offset_ms: Option<i64>,
    /// Whether the server was heard since this start. Somebody may have set the wall clock while the device was off, so an older estimate is
    /// good for judging ages and for nothing that is written down.
    heard_since_start: bool,
    /// Wall minus monotonic clock at the last step.
    wall_minus_mono: Option<i64>,
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

impl Clock {
    pub fn restored(offset_ms: Option<i64>) -> Self {
        Self {
            offset_ms,
            ..Self::default()
        }
    }

    /// Notes the time of a step; says whether the wall clock jumped since the last.
    pub fn tick(&mut self, now: &Now) -> bool {
        let difference = signed(now.wall_ms).saturating_sub(signed(now.mono_ms));
        let moved = self
            .wall_minus_mono
            .map_or(0, |before| difference.saturating_sub(before));
        self.wall_minus_mono = Some(difference);
        let jumped = moved.saturating_abs() > JUMP_MS;
        if jumped {
            self.offset_ms = self.offset_ms.map(|offset| offset.saturating_sub(moved));
        }
        jumped
    }

    /// Begins a connection: its delays have nothing to do with those of the one before.
    pub fn begin_link(&mut self, now: &Now) {
        self.offset_ms = self.offset_ms(now);
        self.server_minus_mono = None;
    }

    /// The server said what time it is.
    pub fn heard(&mut self, now: &Now, server_ms: u64) {
        let difference = signed(server_ms).saturating_sub(signed(now.mono_ms));
        self.heard_since_start = true;
        self.server_minus_mono = Some(self.server_minus_mono.map_or(difference, |best| best.max(difference)));
    }

    /// The server's clock minus the wall clock, when it was ever estimated.
    pub fn offset_ms(&self, now: &Now) -> Option<i64> {
        match self.server_minus_mono {
            Some(difference) => Some(
                difference
                    .saturating_add(signed(now.mono_ms))
                    .saturating_sub(signed(now.wall_ms)),
            ),
            None => self.offset_ms,
        }
    }

    /// The estimate as an entry states it: none before the server was heard since this start.
    pub fn stated_offset_ms(&self, now: &Now) -> Option<i64> {
        self.offset_ms(now).filter(|_| self.heard_since_start)
    }

    /// How far the wall clock is ahead of the server's, in whole minutes: nothing less worries anybody, and a screen that counted more would change with every
    /// message.
    pub fn ahead_min(&self, now: &Now) -> Option<i64> {
        let ahead_ms = self.stated_offset_ms(now)?.saturating_neg();
        Some(ahead_ms / 60_000)
    }

    /// What the server's clock shows, as far as is known.
    pub fn server_ms(&self, now: &Now) -> u64 {
        let offset = self.offset_ms(now).unwrap_or(0);
        u64::try_from(signed(now.wall_ms).saturating_add(offset)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64, wall_ms: u64) -> Now {
        Now {
            mono_ms,
            wall_ms,
            entropy: [0; 32],
        }
    }

    #[test]
    fn the_message_with_the_smallest_delay_gives_the_offset() {
        let mut clock = Clock::default();
        assert_eq!(clock.offset_ms(&at(0, 1_000)), None);
        clock.heard(&at(300, 1_300), 5_000);
        clock.heard(&at(1_010, 2_010), 6_000);
        clock.heard(&at(2_500, 3_500), 7_000);
        assert_eq!(clock.offset_ms(&at(2_500, 3_500)), Some(3_990));
        assert_eq!(clock.server_ms(&at(2_500, 3_500)), 7_490);
    }

    #[test]
    fn a_clock_that_is_off_is_told_in_whole_minutes_once_the_server_was_heard() {
        let mut clock = Clock::restored(Some(400_000));
        assert_eq!(
            clock.ahead_min(&at(0, 1_000_000)),
            None,
            "somebody may have set it since"
        );
        clock.heard(&at(0, 1_000_000), 1_000_000 + 59_000);
        assert_eq!(clock.ahead_min(&at(0, 1_000_000)), Some(0));
        assert_eq!(clock.ahead_min(&at(0, 1_000_000 + 8 * 60_000)), Some(7));
        assert_eq!(clock.ahead_min(&at(0, 1_000_000 - 5 * 60_000)), Some(-5));
    }

    #[test]
    fn a_wall_clock_that_jumps_is_noticed_and_the_offset_follows() {
        let mut clock = Clock::restored(Some(100));
        assert!(!clock.tick(&at(0, 1_000_000)));
        assert!(!clock.tick(&at(60_000, 1_060_500)));
        assert!(clock.tick(&at(61_000, 1_061_500 + 600_000)));
        assert_eq!(clock.offset_ms(&at(61_000, 0)), Some(100 - 600_000));
        assert!(clock.tick(&at(62_000, 0)), "back to 1970");
    }
}
