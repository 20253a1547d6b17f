//! The notification of recording systems and TSEs to the tax office (§ 146a (4) AO): what is known, what is missing, and until when it is due.
//!
//! One notification names all systems of one taxpayer at one place of business (AEAO to § 146a, no. 1.16.1.4, by secondary sources), within one month of
//! acquisition or decommissioning. What the program cannot know, people say: dates of acquisition, commissioning and decommissioning, the form of a TSE.
//! Those are rows of the history of taxes, each under a key of [`Said`]; what nobody said is named as [`Missing`] and never made up.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use shared_protocol::catalogue::Taxpayer;
use shared_protocol::config::Config;
use shared_protocol::ids::hex;
use shared_protocol::{EventId, TaxpayerId};
use store::{ClientRow, Reader, StoreError, TaxRow, TseRow};

use crate::jobs::Jobs;
use crate::signer::client_of;
use crate::tax::last;

mod xml;

pub use jiff::civil::Date as Day;
pub use xml::{Fault, check, write};

/// What people say about a till or a TSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// When a till was acquired or rented, `yyyy-mm-dd`.
    Acquired,
    /// When a till was put into use.
    Commissioned,
    /// When a till was put out of use.
    Decommissioned,
    /// Why it was put out of use.
    Reason,
    /// When a TSE was put into use.
    TseCommissioned,
    /// What form a TSE has: [`TSE_KINDS`].
    TseKind,
}

/// Forms of TSEs, with the number that stands for each in the notification (after another program, not verified).
pub const TSE_KINDS: [(&str, &str); 3] = [("sd", "1"), ("usb", "2"), ("cloud", "3")];

/// The longest reason for decommissioning.
const REASON_CHARACTERS_MAX: usize = 100;

impl Said {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Acquired,
        Self::Commissioned,
        Self::Decommissioned,
        Self::Reason,
        Self::TseCommissioned,
        Self::TseKind,
    ];

    /// Its name, the first word of its key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acquired => "acquired",
            Self::Commissioned => "commissioned",
            Self::Decommissioned => "decommissioned",
            Self::Reason => "decommissioned-why",
            Self::TseCommissioned => "tse-commissioned",
            Self::TseKind => "tse-kind",
        }
    }

    /// Whether it is about a TSE, by its serial number; else it is about a till, by its own.
    pub const fn is_of_tse(self) -> bool {
        matches!(self, Self::TseCommissioned | Self::TseKind)
    }

    /// The key of a statement about a till or a TSE.
    pub fn key(self, serial: &str) -> String {
        format!("{} {serial}", self.name())
    }

    /// Whether a value can be used.
    pub fn fits(self, value: &str) -> bool {
        match self {
            Self::Reason => (1..=REASON_CHARACTERS_MAX).contains(&value.chars().count()),
            Self::TseKind => TSE_KINDS.iter().any(|(name, _)| *name == value),
            _ => value.parse::<Date>().is_ok(),
        }
    }
}

/// The key under which it is noted that a notification of a taxpayer was sent.
pub fn sent_key(taxpayer: TaxpayerId) -> String {
    format!("notification-sent {}", taxpayer.0)
}

/// A recording system: a till, with the TSE it is with or was with last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Its serial number.
    pub serial: String,
    /// Its TSE.
    pub tse: TseRow,
    /// When the server first saw it with this TSE, ms since 1970.
    pub with_tse_since_ms: u64,
    /// What people said.
    pub acquired: Option<Date>,
    /// What people said.
    pub commissioned: Option<Date>,
    /// What people said; none while it is in use.
    pub decommissioned: Option<Date>,
    /// Why it is no longer in use.
    pub reason: Option<String>,
    /// What people said of its TSE.
    pub tse_commissioned: Option<Date>,
    /// The number of its TSE's form.
    pub tse_kind: Option<&'static str>,
}

impl System {
    /// The serial number of its TSE, 64 hex digits.
    pub fn tse_serial(&self) -> String {
        hex(&self.tse.serial)
    }

    /// `nnnn-yyyy` of the TSE's certificate, where one was entered for it and it showed one itself.
    pub fn certificate(&self) -> Option<&str> {
        let (_, rest) = self.tse.name.rsplit_once("BSI-K-TR-")?;
        let number = rest.get(..9)?;
        (self.tse.certified && is_certificate(number)).then_some(number)
    }
}

/// Whether a text is `nnnn-yyyy`.
fn is_certificate(text: &str) -> bool {
    text.len() == 9
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// What a notification lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// Nobody said this about the till or TSE of this serial number.
    Unsaid(Said, String),
    /// The TSE of this serial number has no certificate of the BSI entered: with it nothing can be notified.
    NotCertified(String),
    /// The taxpayer has no tax number (`Steuernummer`), or a VAT id in its place.
    TaxNumber(String),
}

/// All recording systems of a taxpayer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Whose.
    pub taxpayer: Taxpayer,
    /// The tills, by serial number.
    pub systems: Vec<System>,
    /// When a notification was last noted as sent, ms since 1970.
    pub sent_ms: Option<u64>,
    zone: TimeZone,
}

/// A notification that has to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The first day of a month's time: the earliest of what is new.
    pub since: Date,
    /// The last day (§ 146a (4) AO: within one month).
    pub until: Date,
    /// Serial numbers of the tills that are new, moved to another TSE, or put out of use.
    pub systems: Vec<String>,
}

/// Reads what each taxpayer has to notify. Tills are those of the newest configuration and all that have a TSE or a closing.
pub fn read(reader: &mut dyn Reader, event: EventId, said: &[(u64, TaxRow)]) -> Result<Vec<Notification>, StoreError> {
    let jobs = Jobs::new(reader, event)?;
    let config = jobs.newest();
    let tills = config.tills.keys().map(|till| client_of(event, *till));
    let mut serials: BTreeSet<String> = tills.collect();
    serials.extend(reader.clients()?.into_iter().map(|row| row.client));
    serials.extend(reader.closing_ends()?.into_iter().map(|end| end.client));
    let mut clients = Vec::new();
    for serial in serials {
        clients.append(&mut reader.client_history(&serial)?);
    }
    Ok(notifications(config, &reader.tses()?, &clients, said))
}

/// What each taxpayer that ever had a till has to notify. `clients` is the whole history of tills and TSEs.
pub fn notifications(
    config: &Config,
    tses: &[TseRow],
    clients: &[ClientRow],
    said: &[(u64, TaxRow)],
) -> Vec<Notification> {
    let zone = TimeZone::get(&config.event.time_zone).unwrap_or(TimeZone::UTC);
    let of = |taxpayer: &Taxpayer| {
        let mut newest: Vec<&ClientRow> = clients.iter().filter(|row| row.taxpayer == taxpayer.id).collect();
        newest
            .sort_by(|one, other| (&one.client, one.from_ms, one.tse).cmp(&(&other.client, other.from_ms, other.tse)));
        let mut systems: Vec<System> = Vec::new();
        for row in newest {
            let Some(tse) = tses.iter().find(|tse| tse.no == row.tse) else {
                continue;
            };
            systems.retain(|system| system.serial != row.client);
            systems.push(system(row, tse, said));
        }
        Notification {
            taxpayer: taxpayer.clone(),
            systems,
            sent_ms: last(said, &sent_key(taxpayer.id)).map(|row| row.at_ms),
            zone: zone.clone(),
        }
    };
    let all = config.taxpayers.values().map(of);
    all.filter(|notification| !notification.systems.is_empty()).collect()
}

fn system(row: &ClientRow, tse: &TseRow, said: &[(u64, TaxRow)]) -> System {
    let serial = hex(&tse.serial);
    let text = |what: Said| {
        let object = if what.is_of_tse() { &serial } else { &row.client };
        last(said, &what.key(object)).map(|row| row.value.as_str())
    };
    let date = |what| text(what).and_then(|text| text.parse().ok());
    let kind = text(Said::TseKind);
    System {
        serial: row.client.clone(),
        tse: tse.clone(),
        with_tse_since_ms: row.from_ms,
        acquired: date(Said::Acquired),
        commissioned: date(Said::Commissioned),
        decommissioned: date(Said::Decommissioned),
        reason: text(Said::Reason).map(str::to_owned),
        tse_commissioned: date(Said::TseCommissioned),
        tse_kind: TSE_KINDS
            .iter()
            .find(|(name, _)| Some(*name) == kind)
            .map(|(_, number)| *number),
    }
}

impl Notification {
    /// What it lacks, each thing once.
    pub fn missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        let number = &self.taxpayer.tax_number;
        // A VAT id begins with letters; the notification wants the tax number.
        if number.is_empty() || number.starts_with(|first: char| first.is_ascii_alphabetic()) {
            missing.push(Missing::TaxNumber(self.taxpayer.name.clone()));
        }
        for system in &self.systems {
            let tse = system.tse_serial();
            let unsaid = [
                (Said::Acquired, system.acquired.is_none()),
                (Said::Commissioned, system.commissioned.is_none()),
                (Said::Reason, system.decommissioned.is_some() && system.reason.is_none()),
                (Said::TseCommissioned, system.tse_commissioned.is_none()),
                (Said::TseKind, system.tse_kind.is_none()),
            ];
            for (what, _) in unsaid.into_iter().filter(|(_, is)| *is) {
                let object = if what.is_of_tse() {
                    tse.clone()
                } else {
                    system.serial.clone()
                };
                missing.push(Missing::Unsaid(what, object));
            }
            if system.certificate().is_none() {
                missing.push(Missing::NotCertified(tse));
            }
        }
        missing.sort();
        missing.dedup();
        missing
    }

    /// Whether something is new since the last one was sent, and until when that has to be notified.
    pub fn due(&self, said: &[(u64, TaxRow)]) -> Option<Due> {
        let sent_ms = self.sent_ms.unwrap_or(0);
        let never = self.sent_ms.is_none();
        let mut days = Vec::new();
        let mut systems = Vec::new();
        for system in &self.systems {
            let out = last(said, &Said::Decommissioned.key(&system.serial)).filter(|row| row.at_ms > sent_ms || never);
            let came = never || system.with_tse_since_ms > sent_ms;
            if !came && out.is_none() {
                continue;
            }
            systems.push(system.serial.clone());
            let first = system
                .acquired
                .filter(|_| never)
                .or_else(|| self.day(system.with_tse_since_ms));
            days.extend(first.filter(|_| came));
            days.extend(system.decommissioned.filter(|_| out.is_some()));
        }
        let since = days.into_iter().min()?;
        Some(Due {
            since,
            until: since.checked_add(1.month()).unwrap_or(since),
            systems,
        })
    }

    fn day(&self, at_ms: u64) -> Option<Date> {
        let time = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
        Some(time.to_zoned(self.zone.clone()).date())
    }
}

#[cfg(test)]
mod tests;
