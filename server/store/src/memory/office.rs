//! What the office stores and asks, in plain maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_protocol::EventId;

use super::State;
use crate::{
    AuditRow, CaseFilter, CaseNote, CaseRow, CaseState, Commit, ExportRow, HourKey, HourRow, Office, OrderFilter,
    OrderRow, SessionRow, StoreError, StoredCase, TaxRow, UserRow,
};

#[derive(Debug, Clone, Default)]
pub(super) struct OfficeState {
    pub(super) users: BTreeMap<String, UserRow>,
    pub(super) sessions: BTreeMap<[u8; 32], SessionRow>,
    pub(super) notes: BTreeMap<u64, Vec<CaseNote>>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) exports: BTreeMap<u64, ExportRow>,
    pub(super) tax: Vec<TaxRow>,
    /// Booked orders as far as they are projected, in the order of the journal.
    pub(super) orders: Vec<(EventId, Arc<OrderRow>)>,
}

impl OfficeState {
    pub(super) fn apply(&mut self, office: &Office) {
        self.users
            .extend(office.users.iter().map(|user| (user.name.clone(), user.clone())));
        for session in &office.sessions {
            self.sessions
                .retain(|_, before| before.expires_at_ms > session.opened_at_ms);
            self.sessions.insert(session.token, session.clone());
        }
        for token in &office.closed_sessions {
            self.sessions.remove(token);
        }
        for note in &office.notes {
            self.notes.entry(note.case).or_default().push(note.clone());
        }
        self.audit.extend(office.audit.iter().cloned());
        self.exports
            .extend(office.exports.iter().map(|row| (row.id, row.clone())));
        self.tax.extend(office.tax.iter().cloned());
    }
}

impl State {
    pub(super) fn check_office(&self, commit: &Commit) -> Result<(), StoreError> {
        let Office {
            users, sessions, notes, ..
        } = &commit.office;
        let known = |name: &String| self.office.users.contains_key(name) || users.iter().any(|user| user.name == *name);
        if let Some(session) = sessions.iter().find(|session| !known(&session.user)) {
            return Err(StoreError::Invalid(format!("there is no user {}", session.user)));
        }
        crate::export::check(&commit.office.exports, |id| self.office.exports.get(&id).cloned())?;
        let cases = (self.cases.len() + commit.cases.len()) as u64;
        match notes.iter().find(|note| !(1..=cases).contains(&note.case)) {
            Some(note) => Err(StoreError::Invalid(format!("there is no case {}", note.case))),
            None => Ok(()),
        }
    }

    /// Orders that fit, newest first.
    pub(super) fn orders(&self, event: EventId, filter: &OrderFilter) -> impl Iterator<Item = OrderRow> {
        let signed_to = self.signed.done_to;
        let of_event = self.office.orders.iter().rev().filter(move |(of, _)| *of == event);
        let rows = of_event.map(|(_, row)| OrderRow {
            signing: self.signed.orders.get(&row.no).map(|signing| signing.state),
            ..OrderRow::clone(row)
        });
        rows.filter(move |row| filter.fits(row, signed_to))
    }

    pub(super) fn hours(&self, event: EventId, from_ms: u64, to_ms: u64) -> Vec<HourRow> {
        let sums = self.hours.iter();
        let wanted = sums.filter(|(key, _)| key.event == event && (from_ms..to_ms).contains(&key.hour_ms));
        HourRow::collect(wanted.map(|(key, (orders, total))| (*key, *orders, *total)))
    }

    pub(super) fn first_waiting(&self) -> Option<(u64, u64)> {
        let waits = |row: &OrderRow| {
            row.no > self.signed.done_to && !self.signed.orders.contains_key(&row.no) && !row.kind.is_of_band()
        };
        let mut waiting = self.office.orders.iter().filter(|(_, row)| waits(row));
        let (_, first) = waiting.next()?;
        Some((waiting.count() as u64 + 1, first.closed_at_ms))
    }

    pub(super) fn case(&self, stored: &StoredCase) -> CaseRow {
        let newest = self.office.notes.get(&stored.id).and_then(|notes| notes.last());
        CaseRow {
            stored: stored.clone(),
            state: newest.map_or(CaseState::Open, |note| note.state),
            owner: newest.and_then(|note| note.owner.clone()),
        }
    }

    /// Cases that fit, newest first.
    pub(super) fn case_rows(&self, filter: &CaseFilter) -> impl Iterator<Item = CaseRow> {
        let rows = self.cases.iter().rev().map(|stored| self.case(stored));
        rows.filter(|row| filter.fits(row))
    }

    pub(super) fn add_hours(&mut self, hours: BTreeMap<HourKey, crate::projection::Turnover>) {
        for (key, change) in hours {
            let sums = self.hours.entry(key).or_default();
            *sums = (sums.0 + change.orders, sums.1 + change.total);
        }
    }
}
