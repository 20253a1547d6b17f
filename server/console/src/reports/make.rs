//! Which report is asked for, and how it is made of the books.

use std::collections::BTreeSet;
use std::sync::Arc;

use fiscal::tax::{self, Choices};
use pages::Language;
use reports::{Arrival, Document, LoadError, Missing, Wanted};
use shared_protocol::{EventId, SessionId, StaffId, TaxpayerId, TillId};
use store::{Reader, StoreError};
use sync::hub::Hub;

use crate::context::Context;
use crate::fault::Fault;
use crate::figures;
use crate::frame::address;

/// How reports of a server look.
#[derive(Debug, Clone)]
pub struct ReportFace {
    /// The event's logo.
    pub logo: Option<receipt::Logo>,
}

/// A report that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Closing(u64),
    Till(TillId),
    Shift(TillId, SessionId),
    Day(u32),
    Locations,
    Settlement(TaxpayerId, (u32, u32)),
    Vat(Option<TaxpayerId>),
}

/// The whole event.
pub(super) const ALL_DAYS: (u32, u32) = (0, u32::MAX);

impl Asked {
    /// Where its page is; its files are below that.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Closing(closing) => format!("/closings/{closing}"),
            Self::Till(till) => format!("/reports/till/{till}"),
            Self::Shift(till, session) => format!("/reports/shift/{till}/{session}"),
            Self::Day(day) => format!("/reports/day/{day}"),
            Self::Locations => "/reports/locations".to_owned(),
            Self::Settlement(seller, _) => format!("/reports/settlement/{seller}"),
            Self::Vat(_) => "/reports/vat".to_owned(),
        }
    }

    pub(super) fn file(self, form: &str) -> String {
        let path = format!("{}/{form}", self.path());
        match self {
            Self::Settlement(_, days) if days != ALL_DAYS => {
                let (from, until) = (days.0.to_string(), days.1.to_string());
                address(&path, &[("from", &from), ("until", &until)])
            }
            Self::Vat(Some(taxpayer)) => address(&path, &[("taxpayer", &taxpayer.to_string())]),
            _ => path,
        }
    }

    fn wanted(self, reader: &mut dyn Reader) -> Result<Option<Wanted>, StoreError> {
        Ok(Some(match self {
            Self::Closing(closing) => {
                let Some(row) = reader.closings(closing, 1)?.pop().filter(|row| row.id == closing) else {
                    return Ok(None);
                };
                Wanted::closing(&row)
            }
            Self::Till(till) | Self::Shift(till, _) => Wanted {
                till: Some(till),
                ..Wanted::ALL
            },
            Self::Day(day) => Wanted::day(day),
            Self::Settlement(_, (from, until)) => Wanted {
                from,
                until,
                ..Wanted::ALL
            },
            Self::Locations | Self::Vat(_) => Wanted::ALL,
        }))
    }
}

/// What is known of what terminals have not sent. One that was not heard since the server started may have anything.
fn arrival(reader: &mut dyn Reader, event: EventId, hub: &Hub, till: Option<TillId>) -> Result<Arrival, StoreError> {
    let mut all = figures::terminals(reader, event, hub)?;
    all.retain(|terminal| till.is_none_or(|till| terminal.row.till == till));
    let missing = all
        .into_iter()
        .filter(|terminal| terminal.unsent > 0 || terminal.heard.is_none());
    let missing = missing.map(|terminal| Missing {
        till: terminal.row.till,
        device: terminal.row.device,
        at_least: terminal.heard.map(|_| terminal.unsent),
        heard_ms: terminal.heard.map(|heard| heard.at_ms),
    });
    Ok(Arrival::Missing(missing.collect()))
}

/// A report, and the shifts that are in it.
pub(crate) struct Made {
    pub document: Document,
    pub shifts: BTreeSet<(StaffId, SessionId)>,
}

/// Makes a report, on a thread that may block.
pub(crate) async fn make(context: &Arc<Context>, asked: Asked, words: Language) -> Result<Made, Fault> {
    let (event, hub, now_ms) = (context.event, Arc::clone(&context.hub), context.now_ms());
    let made = context.read(move |reader| {
        let Some(wanted) = asked.wanted(reader)? else {
            return Ok(None);
        };
        let arrival = arrival(reader, event, &hub, wanted.till)?;
        let damaged = |error: &dyn std::fmt::Display| StoreError::Damaged(error.to_string());
        let choices = Choices::read(&tax::rows(reader, event)?).map_err(|error| damaged(&error))?;
        let model = choices.wristband_is;
        let books = reports::load(reader, event, model, &wanted, arrival, now_ms).map_err(|error| match error {
            LoadError::Store(error) => error,
            LoadError::Overflow(error) => damaged(&error),
        })?;
        let document = match asked {
            Asked::Closing(closing) => {
                let Some(row) = books.closings.get(&closing) else {
                    return Ok(None);
                };
                reports::z_report(&books, row, words).map(Some)
            }
            Asked::Till(till) => reports::x_report(&books, (till, None), words).map(Some),
            Asked::Shift(till, session) => reports::shift_report(&books, till, session, words),
            Asked::Day(day) => reports::day_report(&books, day, words).map(Some),
            Asked::Locations => reports::stands_report(&books, words).map(Some),
            Asked::Settlement(seller, days) => reports::settlement(&books, seller, days, words).map(Some),
            Asked::Vat(taxpayer) => reports::vat_summary(&books, taxpayer, words).map(Some),
        };
        let shifts = books.groups.keys().filter_map(|key| key.shift).collect();
        let document = document.map_err(|error| damaged(&error))?;
        Ok(document.map(|document| Made { document, shifts }))
    });
    made.await?.ok_or(Fault::NotFound)
}
