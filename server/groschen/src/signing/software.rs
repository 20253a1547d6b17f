//! TSEs in software, for rehearsals and demonstrations: not certified. Their keys come from `tse.key` and the life of the database, so that a restored
//! database has other TSEs and no number is used twice.

use fiscal::software::Memory;
use fiscal::{SoftwareTse, Tse, TseInfo};
use shared_protocol::TaxpayerId;
use shared_protocol::crypto::Hash32;
use store::{Reader as _, TseNo};
use store_sqlite::SqliteReader;
use sync::writer::now_ms;

use super::Settings;
use crate::interrupted::Interrupted;

/// One that was made.
pub(super) struct Made {
    /// What it is called among the ways to TSEs.
    pub link: String,
    pub info: TseInfo,
    pub tse: Box<dyn Tse>,
}

pub(super) struct Software {
    settings: Settings,
    seed: [u8; 32],
}

impl Software {
    pub const fn new(settings: Settings, seed: [u8; 32]) -> Self {
        Self { settings, seed }
    }

    /// Those of a taxpayer.
    pub fn of(&self, reader: &mut SqliteReader, taxpayer: TaxpayerId) -> anyhow::Result<Vec<Made>> {
        (1..=self.settings.count.max(1))
            .map(|place| self.one(reader, taxpayer, place))
            .collect()
    }

    fn one(&self, reader: &mut SqliteReader, taxpayer: TaxpayerId, place: u8) -> anyhow::Result<Made> {
        let incarnation = reader.fact(store::memory::INCARNATION)?.unwrap_or_default();
        let taxpayer_id = taxpayer.0.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&self.seed, &incarnation, &taxpayer_id];
        let place_id = [place];
        // The first is the one that databases have from when there was one.
        if place > 1 {
            parts.push(&place_id);
        }
        let seed = Hash32::of("groschen tse key 1", &parts);
        let fresh = SoftwareTse::new(&seed.0, self.settings.curve, Memory::default())?;
        let known = reader.tses()?;
        let tse = match known.iter().find(|row| row.serial == fresh.info().serial) {
            Some(row) => {
                let memory = memory(reader, row.no)?;
                SoftwareTse::new(&seed.0, self.settings.curve, memory)?
            }
            None => fresh,
        };
        Ok(Made {
            link: format!("{} {place}", store::TseRow::SOFTWARE),
            info: tse.info().clone(),
            tse: Box::new(Interrupted::new(
                tse,
                self.settings.interruption.filter(|_| place == 1),
                now_ms,
            )),
        })
    }
}

/// What a TSE in software remembers is what the database says.
fn memory(reader: &mut SqliteReader, tse: TseNo) -> anyhow::Result<Memory> {
    let (transactions, signatures, time_s) = reader.tse_counters(tse)?;
    let open = reader.open_transactions()?.into_iter().filter(|row| row.tse == tse);
    Ok(Memory {
        transactions,
        signatures,
        time_s,
        open: open
            .map(|row| {
                let started = fiscal::Started {
                    transaction: row.transaction,
                    counter: row.start_counter,
                    time_s: row.started_s,
                    signature: row.start_signature,
                };
                (row.transaction, (row.client, started))
            })
            .collect(),
        ..Memory::default()
    })
}
