//! The event day of a sale: the date after a cut-off in the event's time zone, set once at booking.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_protocol::config::Event;
use shared_protocol::entry::Entry;

/// A clock that is off by more than this is not believed.
pub const CLOCK_DOUBTFUL_MS: u64 = 30 * 60 * 1_000;

/// An event day as `yyyymmdd`, the way reports group and people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventDay(pub u32);

impl EventDay {
    /// When it begins, ms since 1970; none for a number that is no date and a time zone that is none.
    pub fn begins_ms(self, event: &Event) -> Option<u64> {
        let zone = TimeZone::get(&event.time_zone).ok()?;
        let (year, month, date) = (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100);
        let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, date.try_into().ok()?).ok()?;
        let (hour, minute) = (event.day_cut_off_min / 60, event.day_cut_off_min % 60);
        let at = date.at(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0);
        u64::try_from(at.to_zoned(zone).ok()?.timestamp().as_millisecond()).ok()
    }
}

/// When something happened, by the server's clock as the terminal estimated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrected {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Whether the device's own clock was far off or never compared.
    pub doubtful: bool,
}

/// The corrected time of an entry.
pub fn corrected(entry: &Entry) -> Corrected {
    let at_ms = entry.wall_ms.saturating_add_signed(entry.offset_ms.unwrap_or_default());
    Corrected {
        at_ms,
        doubtful: entry
            .offset_ms
            .is_none_or(|offset| offset.unsigned_abs() > CLOCK_DOUBTFUL_MS),
    }
}

/// The day of a time, or none for a time zone or a time that no calendar has.
pub fn event_day(event: &Event, at_ms: u64) -> Option<EventDay> {
    let zone = TimeZone::get(&event.time_zone).ok()?;
    let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    let local = at.to_zoned(zone).datetime();
    // By the clock on the wall, not by six hours passed: the night of the change to winter time has one more.
    let minutes = i32::from(local.hour()) * 60 + i32::from(local.minute());
    let before_cut_off = minutes < i32::from(event.day_cut_off_min);
    let date = if before_cut_off {
        local.date().yesterday().ok()?
    } else {
        local.date()
    };
    let number = i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day());
    u32::try_from(number).ok().map(EventDay)
}

#[cfg(test)]
mod tests {
    use shared_protocol::catalogue::Text;
    use shared_protocol::{EventId, OrganisationId};

    use super::*;

    #[test]
    fn the_day_changes_at_the_cut_off_and_not_at_midnight() {
        let event = Event::new(OrganisationId([1; 16]), EventId([2; 16]), Text::same("x"));
        let at = |text: &str| u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap();
        assert_eq!(
            event_day(&event, at("2026-07-18T21:59:59Z")),
            Some(EventDay(20_260_718))
        );
        assert_eq!(
            event_day(&event, at("2026-07-19T03:59:59Z")),
            Some(EventDay(20_260_718))
        );
        assert_eq!(
            event_day(&event, at("2026-07-19T04:00:00Z")),
            Some(EventDay(20_260_719))
        );
        // The night of the change to winter time has 25 hours; every one of them is on one day.
        assert_eq!(
            event_day(&event, at("2026-10-25T04:59:59Z")),
            Some(EventDay(20_261_024))
        );
        assert_eq!(
            event_day(&event, at("2026-10-25T05:00:00Z")),
            Some(EventDay(20_261_025))
        );
        assert_eq!(event_day(&event, u64::MAX), None);
    }

    #[test]
    fn a_day_begins_at_its_cut_off_also_in_the_night_of_the_time_change() {
        let event = Event::new(OrganisationId([1; 16]), EventId([2; 16]), Text::same("x"));
        let at = |text: &str| u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).ok();
        assert_eq!(EventDay(20_260_718).begins_ms(&event), at("2026-07-18T04:00:00Z"));
        assert_eq!(EventDay(20_261_025).begins_ms(&event), at("2026-10-25T05:00:00Z"));
        assert_eq!(EventDay(0).begins_ms(&event), None);
        let begin = EventDay(20_260_718).begins_ms(&event).unwrap();
        assert_eq!(event_day(&event, begin), Some(EventDay(20_260_718)));
        assert_eq!(event_day(&event, begin - 1), Some(EventDay(20_260_717)));
    }
}
