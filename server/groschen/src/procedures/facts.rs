//! What the document is made of: read once, so that one document tells one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use fiscal::notification::{self, Notification};

use fiscal::{Jobs, tax};
use fixtures::sample;
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use store::{OutageRow, Reader, Role, SigningState, TaxRow, TseRow};
use store_sqlite::FORMAT;
use sync::writer::now_ms;

use crate::audit::{self, Findings};
use crate::settings::Settings;

/// Everything that is told.
#[derive(Debug, Clone)]
pub struct Facts {
    pub(super) at_ms: u64,
    pub(super) program: String,
    pub(super) config: Arc<Config>,
    pub(super) said: Vec<(u64, TaxRow)>,
    pub(super) tses: Vec<TseRow>,
    pub(super) outages: Vec<OutageRow>,
    pub(super) notifications: Vec<Notification>,
    pub(super) closings: u64,
    pub(super) journal: (u64, Hash32),
    pub(super) counts: BTreeMap<SigningState, u64>,
    pub(super) users: BTreeMap<Role, u64>,
    pub(super) cases: (u64, u64),
    pub(super) audit: Option<Findings>,
    pub(super) tls: bool,
    pub(super) public_url: Option<String>,
}

impl Facts {
    /// Reads everything; with `with_audit` the whole journal is checked, too.
    pub fn read(settings: &Settings, with_audit: bool) -> anyhow::Result<Self> {
        let mut reader = settings.reader()?;
        let event = sample::EVENT;
        let said = tax::rows(&mut reader, event)?;
        let mut users: BTreeMap<Role, u64> = BTreeMap::new();
        for user in reader.users()?.into_iter().filter(|user| user.active) {
            *users.entry(user.role).or_default() += 1;
        }
        let all_cases: u64 = reader.case_counts()?.values().map(|(count, _)| count).sum();
        let mut closings = 0;
        while let Some(last) = reader.closings(closings + 1, 4_096)?.last() {
            closings = last.id;
        }
        Ok(Self {
            at_ms: now_ms(),
            program: crate::tax::program(),
            config: Arc::new(Jobs::new(&mut reader, event)?.newest().clone()),
            tses: reader.tses()?,
            outages: reader.outages(0, u64::MAX)?,
            notifications: notification::read(&mut reader, event, &said)?,
            closings,
            journal: reader.head()?,
            counts: reader.signing_counts()?,
            users,
            cases: (all_cases, reader.open_cases()?.0),
            audit: with_audit.then(|| audit::check(&mut reader)).transpose()?,
            tls: settings.tls.is_some(),
            public_url: settings.public_url.clone(),
            said,
        })
    }

    /// A digest of the settings that the document tells: the program, the configuration's revision, the choices with their history, the TSEs. Two documents
    /// with the same digest describe the same system; the format of the database is part of the program's name.
    pub fn digest(&self) -> Hash32 {
        let version = self.config.version;
        let mut parts = vec![
            self.program.clone(),
            format!("{}.{} {FORMAT}", version.generation, version.rev),
        ];
        parts.extend(self.said.iter().map(|(no, row)| {
            let by = row.by.as_deref().unwrap_or_default();
            format!("{no} {} {by} {} {} {}", row.at_ms, row.key, row.value, row.why)
        }));
        parts.extend(self.tses.iter().map(|tse| shared_protocol::ids::hex(&tse.serial)));
        let bytes: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        Hash32::of("groschen procedures 1", &bytes)
    }
}

impl Facts {
    /// The moment that they tell, in ms since 1970.
    pub const fn moment_ms(&self) -> u64 {
        self.at_ms
    }
}
