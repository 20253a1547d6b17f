//! A receipt's content, read from the database: the order, the configuration it was priced with, and how it came off.

use std::path::Path;
use std::sync::Arc;

use ::receipt::content::Mark;
use ::receipt::{Content, Logo, Module, Signature, Subject, TseSignature};
use anyhow::bail;
use fiscal::jobs::recorded_order;
use fiscal::{Jobs, ReceiptCode};
use shared_protocol::config::Config;
use shared_protocol::slip::Slip;
use shared_protocol::stream::Version;
use shared_protocol::{EventId, OrderId};
use store::{JournalRow, Reader as _, SigningState, TseNo, TseRow};
use store_sqlite::SqliteReader;
use sync::hub::Hub;

use super::page::PATH;
use crate::settings::Settings;
use crate::tax;

/// The event's logo beside the database: a PNG, which stands above receipts on paper.
const LOGO: &str = "receipt-logo.png";

/// What all receipts of a server have in common.
#[derive(Debug, Clone)]
pub struct Face {
    address: Option<String>,
    pub(super) logo: Option<Logo>,
}

impl Face {
    /// As this server is set up. A logo that cannot be read is said and left out.
    pub fn new(settings: &Settings) -> Self {
        Self {
            address: settings.public_url.clone(),
            logo: logo(&settings.data.join(LOGO)),
        }
    }

    /// Where a guest finds the receipt of an order.
    pub(super) fn link(&self, order: OrderId) -> Option<String> {
        let address = self.address.as_ref();
        address.map(|address| format!("{address}{PATH}/{order}"))
    }

    /// The event's logo, where it has one.
    pub const fn logo(&self) -> Option<&Logo> {
        self.logo.as_ref()
    }

    /// How reports of this server look.
    pub fn reports(&self) -> console::ReportFace {
        console::ReportFace {
            logo: self.logo.clone(),
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
    pub(super) reader: SqliteReader,
    pub(super) face: Face,
    /// Who is told of orders that have not come.
    pub(super) noted: Arc<Hub>,
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
            noted: Arc::default(),
            tses: Vec::new(),
            jobs: None,
        }
    }

    /// Says there what slips tell of tills that have not sent.
    #[must_use]
    pub fn noting(mut self, hub: Arc<Hub>) -> Self {
        self.noted = hub;
        self
    }

    /// The last journal number.
    pub fn last_no(&mut self) -> anyhow::Result<u64> {
        Ok(self.reader.head()?.0)
    }

    /// The receipt of an order, marked as a copy where a guest may have had it before; none when it is not booked here. One who comes with the till's slip
    /// sees what that says until it is booked, and from then on what was booked, with a mark where the slip says something else.
    pub fn of(&mut self, order: OrderId, slip: Option<&Slip>, copy: bool) -> anyhow::Result<Option<Content>> {
        let no = self.reader.posting_no(festival::booking::posting_id(order))?;
        let row = match no {
            Some(no) => self.reader.journal(no, 1)?.pop(),
            None => None,
        };
        match (row, slip) {
            (Some(row), slip) => self.content(&row, slip, copy),
            (None, Some(slip)) => self.of_slip(order, slip, copy),
            (None, None) => Ok(None),
        }
    }

    /// The receipts of some journal rows; rows without an order have none.
    pub fn page(&mut self, from_no: u64, rows: u64, copy: bool) -> anyhow::Result<Vec<Content>> {
        let mut receipts = Vec::new();
        for row in self.reader.journal(from_no, rows)? {
            receipts.extend(self.content(&row, None, copy)?);
        }
        Ok(receipts)
    }

    /// What an event's order was priced with; none where it is not known here.
    pub(super) fn config(&mut self, event: EventId, version: Version) -> anyhow::Result<Option<Arc<Config>>> {
        let jobs = match &mut self.jobs {
            Some(jobs) => jobs,
            None => self.jobs.insert(Jobs::new(&mut self.reader, event)?),
        };
        Ok(jobs.config(&mut self.reader, version)?)
    }

    fn content(&mut self, row: &JournalRow, slip: Option<&Slip>, copy: bool) -> anyhow::Result<Option<Content>> {
        let Some((_, order)) = recorded_order(row) else {
            return Ok(None);
        };
        let signature = self.signature(row.record.no)?;
        let config = self.config(order.event, order.config)?;
        let job = match &mut self.jobs {
            Some(jobs) => jobs.of(&mut self.reader, row)?,
            None => None,
        };
        let replaced = job.and_then(|job| job.replaced);
        let differs = match slip {
            Some(slip) => self.differs(slip, row, &order, replaced.as_ref())?,
            None => false,
        };
        let subject = Subject {
            order: &order,
            replaced: replaced.as_ref(),
            config: config.as_deref(),
            signature,
            model: tax::choices(&mut self.reader, order.event)?.wristband_is,
            link: self.face.link(order.id),
            copy,
            logo: self.face.logo.clone(),
        };
        let mut content = Content::of(subject)?;
        if differs {
            content.marks.insert(0, Mark::SlipDiffers);
        }
        Ok(Some(content))
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

    pub(super) fn tse(&mut self, no: TseNo) -> anyhow::Result<Option<TseRow>> {
        let known = |tses: &[TseRow]| tses.iter().find(|tse| tse.no == no).cloned();
        if let Some(tse) = known(&self.tses) {
            return Ok(Some(tse));
        }
        self.tses = self.reader.tses()?;
        Ok(known(&self.tses))
    }
}
