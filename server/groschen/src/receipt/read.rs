//! A receipt's content, read from the database: the order, the configuration it was priced with, and how it came off.

use std::path::Path;
use std::sync::Arc;

use ::receipt::{Content, Logo, Module, Signature, Subject, TseSignature};
use anyhow::bail;
use fiscal::jobs::recorded_order;
use fiscal::{Jobs, ReceiptCode, VoucherModel};
use shared_protocol::OrderId;
use store::{JournalRow, Reader as _, SigningState, TseNo, TseRow};
use store_sqlite::SqliteReader;

use super::page::PATH;
use crate::settings::Settings;

/// The event's logo beside the database: a PNG, which stands above receipts on paper.
const LOGO: &str = "receipt-logo.png";

/// What all receipts of a server have in common.
#[derive(Debug, Clone)]
pub struct Face {
    model: VoucherModel,
    address: Option<String>,
    logo: Option<Logo>,
}

impl Face {
    /// As this server is set up. A logo that cannot be read is said and left out.
    pub fn new(settings: &Settings) -> Self {
        Self {
            model: settings.signing.model,
            address: settings.public_url.clone(),
            logo: logo(&settings.data.join(LOGO)),
        }
    }
}

fn logo(path: &Path) -> Option<Logo> {
    let read = match std::fs::read(path) {
        Ok(bytes) => Logo::from_png(&bytes).map_err(anyhow::Error::from),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => Err(error.into()),
    };
    read.inspect_err(|error| tracing::warn!(%error, path = %path.display(), "receipts have no logo"))
        .ok()
}

/// Reads receipts. It remembers configurations.
pub struct Receipts {
    reader: SqliteReader,
    face: Face,
    tses: Vec<TseRow>,
    /// Made with the first order, which names the event.
    jobs: Option<Jobs>,
}

impl Receipts {
    /// Over a database.
    pub fn new(reader: SqliteReader, face: Face) -> Self {
        Self {
            reader,
            face,
            tses: Vec::new(),
            jobs: None,
        }
    }

    /// The last journal number.
    pub fn last_no(&mut self) -> anyhow::Result<u64> {
        Ok(self.reader.head()?.0)
    }

    /// The receipt of an order, marked as a copy where a guest may have had it before; none when it is not booked here.
    pub fn of(&mut self, order: OrderId, copy: bool) -> anyhow::Result<Option<Content>> {
        let no = self.reader.posting_no(festival::booking::posting_id(order))?;
        Ok(match no {
            Some(no) => self.page(no, 1, copy)?.pop(),
            None => None,
        })
    }

    /// The receipts of some journal rows; rows without an order have none.
    pub fn page(&mut self, from_no: u64, rows: u64, copy: bool) -> anyhow::Result<Vec<Content>> {
        let mut receipts = Vec::new();
        for row in self.reader.journal(from_no, rows)? {
            receipts.extend(self.content(&row, copy)?);
        }
        Ok(receipts)
    }

    fn content(&mut self, row: &JournalRow, copy: bool) -> anyhow::Result<Option<Content>> {
        let Some((_, order)) = recorded_order(row) else {
            return Ok(None);
        };
        let signature = self.signature(row.record.no)?;
        let jobs = match &mut self.jobs {
            Some(jobs) => jobs,
            None => self.jobs.insert(Jobs::new(&mut self.reader, order.event)?),
        };
        let config = jobs.config(&mut self.reader, order.config)?;
        let replaced = jobs.of(&mut self.reader, row)?.and_then(|job| job.replaced);
        let link = self.face.address.as_ref();
        let subject = Subject {
            order: &order,
            replaced: replaced.as_ref(),
            config: config.as_ref().map(Arc::as_ref),
            signature,
            model: self.face.model,
            link: link.map(|address| format!("{address}{PATH}/{}", order.id)),
            copy,
            logo: self.face.logo.clone(),
        };
        Ok(Some(Content::of(subject)?))
    }

    fn signature(&mut self, no: u64) -> anyhow::Result<Signature> {
        let Some(row) = self.reader.signing(no)? else {
            return Ok(Signature::Pending);
        };
        let tse = self.tse(row.tse)?;
        let module = tse.as_ref().map(|tse| Module {
            serial: tse.serial.to_vec(),
            certified: tse.certified,
        });
        let Some(number) = row.transaction else {
            return Ok(Signature::Outage { tse: module });
        };
        let transaction = self.reader.transaction(row.tse, number)?;
        let end = transaction.as_ref().and_then(|row| row.end.clone());
        let (Some(tse), Some(module), Some(transaction), Some(end)) = (tse, module, transaction, end) else {
            bail!("the transaction {number} of journal number {no} is not there; run `groschen audit`");
        };
        Ok(Signature::Tse(Box::new(TseSignature {
            code: ReceiptCode {
                client: transaction.client,
                process_type: end.process_type,
                process_data: end.process_data,
                transaction: transaction.transaction,
                counter: end.counter,
                started_s: transaction.started_s,
                finished_s: end.time_s,
                algorithm: tse.algorithm,
                signature: end.signature,
                public_key: tse.public_key,
            },
            tse: module,
            late: row.state == SigningState::SignedLate,
        })))
    }

    fn tse(&mut self, no: TseNo) -> anyhow::Result<Option<TseRow>> {
        let known = |tses: &[TseRow]| tses.iter().find(|tse| tse.no == no).cloned();
        if let Some(tse) = known(&self.tses) {
            return Ok(Some(tse));
        }
        self.tses = self.reader.tses()?;
        Ok(known(&self.tses))
    }
}
