//! The filter of the orders' list as it stands in the address, so that it can be sent to somebody.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use pages::Language;
use serde::Deserialize;
use shared_protocol::config::{Config, Event};
use shared_protocol::order::OrderKind;
use shared_protocol::{StandId, TagId, TillId};
use store::{OrderFilter, OrderState};

use crate::frame::address;
use crate::words::{Names, order_kind, order_state};

/// What stands in the address. Everything is text: a form that is half filled in is no fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub till: String,
    pub stand: String,
    pub kind: String,
    pub state: String,
    pub day: String,
    pub tag: String,
    pub from: String,
    pub to: String,
    /// The journal number the page ends before.
    pub before: String,
}

/// Kinds that are booked by this version and make sense to look for.
const KINDS: [OrderKind; 12] = [
    OrderKind::Sale,
    OrderKind::TopUp,
    OrderKind::PayOut,
    OrderKind::Cancel,
    OrderKind::Correction,
    OrderKind::DepositReturn,
    OrderKind::AbortedCart,
    OrderKind::DrawerOpen,
    OrderKind::CashMovement,
    OrderKind::DrawerCount,
    OrderKind::Shift,
    OrderKind::Training,
];

/// `2026-07-18` as `20260718`.
fn day_number(text: &str) -> Option<u32> {
    let date: Date = text.parse().ok()?;
    let number = i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day());
    u32::try_from(number).ok()
}

/// `20260718` as `2026-07-18`, for fields of browsers.
pub(crate) fn day_text(day: u32) -> String {
    format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
}

/// `2026-07-18T21:04` in the event's zone.
fn moment(text: &str, event: &Event) -> Option<u64> {
    let zone = TimeZone::get(&event.time_zone).ok()?;
    let local: jiff::civil::DateTime = text.parse().ok()?;
    u64::try_from(local.to_zoned(zone).ok()?.timestamp().as_millisecond()).ok()
}

impl Asked {
    /// The filter, and whether every field could be read.
    pub(crate) fn filter(&self, config: &Config) -> (OrderFilter, bool) {
        let mut readable = true;
        let mut field = |text: &str, read: bool| readable &= text.is_empty() || read;
        let till = self.till.parse().ok().map(TillId);
        field(&self.till, till.is_some());
        let stand = self.stand.parse().ok().map(StandId);
        field(&self.stand, stand.is_some());
        let kind = self.kind.parse().ok().and_then(OrderKind::from_code);
        field(&self.kind, kind.is_some());
        let state = self.state.parse().ok().and_then(OrderState::from_code);
        field(&self.state, state.is_some());
        let day = day_number(&self.day);
        field(&self.day, day.is_some());
        let holder = TagId::parse(&self.tag.trim().to_lowercase());
        field(&self.tag, holder.is_some());
        let (from_ms, to_ms) = (moment(&self.from, &config.event), moment(&self.to, &config.event));
        field(&self.from, from_ms.is_some());
        field(&self.to, to_ms.is_some());
        let of_stand = |stand| {
            let tills = config.tills.values().filter(move |till| till.stand == stand);
            tills.map(|till| till.id).collect()
        };
        let filter = OrderFilter {
            till,
            kind,
            holder,
            day,
            stand_tills: stand.map(of_stand),
            state,
            from_ms,
            to_ms,
            ..OrderFilter::default()
        };
        (filter, readable)
    }

    pub(crate) fn before_no(&self) -> Option<u64> {
        self.before.parse().ok()
    }

    /// The address of the same filter, from the newest order or from one on.
    pub(crate) fn address(&self, path: &str, before: Option<u64>) -> String {
        let before = before.map(|no| no.to_string()).unwrap_or_default();
        let fields = [
            ("till", self.till.as_str()),
            ("stand", &self.stand),
            ("kind", &self.kind),
            ("state", &self.state),
            ("day", &self.day),
            ("tag", &self.tag),
            ("from", &self.from),
            ("to", &self.to),
            ("before", &before),
        ];
        address(path, &fields)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.address("", None).is_empty()
    }

    /// The form that makes it.
    pub(crate) fn form(&self, config: &Config, words: Language) -> Markup {
        let names = Names { config, words };
        let any = words.of("alle", "all");
        html! {
            form.filters method="get" action="/orders" data-auto {
                label { (words.of("Stand", "Stand"))
                    select name="stand" {
                        option value="" { (any) }
                        @for stand in config.stands.values() {
                            @let value = stand.id.to_string();
                            option value=(value) selected[value == self.stand] { (words.name(&stand.name)) }
                        }
                    }
                }
                label { (words.of("Kasse", "Till"))
                    select name="till" {
                        option value="" { (any) }
                        @for till in config.tills.keys() {
                            @let value = till.to_string();
                            option value=(value) selected[value == self.till] { (names.till(*till)) }
                        }
                    }
                }
                label { (words.of("Art", "Kind"))
                    select name="kind" {
                        option value="" { (any) }
                        @for kind in KINDS {
                            @let value = kind.code().to_string();
                            option value=(value) selected[value == self.kind] { (order_kind(kind, words)) }
                        }
                    }
                }
                label { (words.of("Signatur", "Signature"))
                    select name="state" {
                        option value="" { (any) }
                        @for state in OrderState::ALL {
                            @let value = state.code().to_string();
                            option value=(value) selected[value == self.state] { (order_state(*state, words)) }
                        }
                    }
                }
                label { (words.of("Veranstaltungstag", "Event day")) input type="date" name="day" value=(self.day); }
                label { (words.of("Band", "Wristband")) input.id name="tag" value=(self.tag) maxlength="20" size="16" autocomplete="off" spellcheck="false"; }
                label { (words.of("Von", "From")) input type="datetime-local" name="from" value=(self.from); }
                label { (words.of("Bis vor", "Until")) input type="datetime-local" name="to" value=(self.to); }
                div.row.end {
                    button { (words.of("Zeigen", "Show")) }
                    @if !self.is_empty() { a.button href="/orders" { (words.of("Alle", "All")) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fixtures::sample;

    use super::*;

    #[test]
    fn an_address_is_the_filter_and_the_filter_is_the_address() {
        let config = sample::config();
        let asked = Asked {
            stand: "2".to_owned(),
            kind: "1".to_owned(),
            day: "2026-07-18".to_owned(),
            tag: "04A1000000".to_owned(),
            from: "2026-07-18T21:04".to_owned(),
            ..Asked::default()
        };
        let (filter, readable) = asked.filter(&config);
        assert!(readable);
        assert_eq!((filter.kind, filter.day), (Some(OrderKind::Sale), Some(20_260_718)));
        assert_eq!(filter.from_ms, Some(1_784_401_440_000));
        assert!(filter.stand_tills.is_some_and(|tills| !tills.is_empty()));
        assert_eq!(filter.holder, TagId::parse("04a1000000"));
        assert_eq!(
            asked.address("/orders", Some(7)),
            "/orders?stand=2&kind=1&day=2026-07-18&tag=04A1000000&from=2026-07-18T21%3A04&before=7"
        );
        assert_eq!(Asked::default().address("/orders", None), "/orders");
        assert_eq!(day_text(20_260_718), "2026-07-18");
    }

    #[test]
    fn what_cannot_be_read_is_said_and_not_dropped_silently() {
        let config = sample::config();
        for asked in [
            Asked {
                till: "x".into(),
                ..Asked::default()
            },
            Asked {
                kind: "250".into(),
                ..Asked::default()
            },
            Asked {
                day: "2026-13-40".into(),
                ..Asked::default()
            },
            Asked {
                tag: "zz".into(),
                ..Asked::default()
            },
            Asked {
                from: "gestern".into(),
                ..Asked::default()
            },
        ] {
            assert!(!asked.filter(&config).1, "{asked:?}");
        }
    }
}
