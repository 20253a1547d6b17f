//! A receipt's content, read from the database: the order, the configuration it was priced with, and how it came off.

use std::sync::Arc;

use anyhow::bail;
use fiscal::Jobs;
use fiscal::jobs::recorded_order;
use fiscal::qr::ReceiptCode;
use shared_protocol::OrderId;
use shared_protocol::config::Config;
use shared_protocol::order::Order;
use store::{Reader as _, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow};
use store_sqlite::SqliteReader;

/// What a TSE signed.
pub struct Signature {
    /// The TSE.
    pub tse: TseRow,
    /// The transaction.
    pub transaction: TransactionRow,
    /// Its end.
    pub end: TransactionEnd,
    /// Whether the order was made in an outage and signed afterwards.
    pub late: bool,
}

/// How an order came off, with what belongs to it.
pub enum Signed {
    /// A TSE signed it.
    By(Box<Signature>),
    /// It was made in an outage, for this reason, and is marked as unsigned.
    InOutage(String),
    /// It waits for its signature.
    NotYet,
}

/// One receipt.
pub struct Receipt {
    /// What was booked.
    pub order: Order,
    /// What it was priced with; none when this server never had it.
    pub config: Option<Arc<Config>>,
    /// How it came off.
    pub signed: Signed,
}

/// Reads receipts. It remembers configurations.
pub struct Receipts {
    reader: SqliteReader,
    tses: Vec<TseRow>,
    /// Made with the first order, which names the event.
    jobs: Option<Jobs>,
}

impl Receipts {
    /// Over a database.
    pub fn new(reader: SqliteReader) -> Self {
        Self {
            reader,
            tses: Vec::new(),
            jobs: None,
        }
    }

    /// The last journal number.
    pub fn last_no(&mut self) -> anyhow::Result<u64> {
        Ok(self.reader.head()?.0)
    }

    /// The receipt of an order; none when it is not booked here.
    pub fn of(&mut self, order: OrderId) -> anyhow::Result<Option<Receipt>> {
        let no = self.reader.posting_no(festival::booking::posting_id(order))?;
        Ok(match no {
            Some(no) => self.page(no, 1)?.pop(),
            None => None,
        })
    }

    /// The receipts of some journal rows; rows without an order have none.
    pub fn page(&mut self, from_no: u64, rows: u64) -> anyhow::Result<Vec<Receipt>> {
        let mut receipts = Vec::new();
        for row in self.reader.journal(from_no, rows)? {
            let Some((_, order)) = recorded_order(&row) else {
                continue;
            };
            let signed = self.signed(row.record.no)?;
            let jobs = match &mut self.jobs {
                Some(jobs) => jobs,
                None => self.jobs.insert(Jobs::new(&mut self.reader, order.event)?),
            };
            let config = jobs.config(&mut self.reader, order.config)?;
            receipts.push(Receipt { order, config, signed });
        }
        Ok(receipts)
    }

    fn signed(&mut self, no: u64) -> anyhow::Result<Signed> {
        let Some(row) = self.reader.signing(no)? else {
            return Ok(Signed::NotYet);
        };
        let Some(number) = row.transaction else {
            let outage = row.outage.unwrap_or_default();
            let reason = self.reader.outages(outage, 1)?.pop().map(|row| row.reason);
            return Ok(Signed::InOutage(reason.unwrap_or_default()));
        };
        let tse = self.tse(row.tse)?;
        let transaction = self.reader.transaction(row.tse, number)?;
        let end = transaction.as_ref().and_then(|row| row.end.clone());
        match (tse, transaction, end) {
            (Some(tse), Some(transaction), Some(end)) => {
                let late = row.state == SigningState::SignedLate;
                Ok(Signed::By(Box::new(Signature {
                    tse,
                    transaction,
                    end,
                    late,
                })))
            }
            _ => bail!("the transaction {number} of journal number {no} is not there; run `groschen audit`"),
        }
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

impl Receipt {
    /// The content of its QR code; none without a signature.
    pub fn code(&self) -> Option<String> {
        code(&self.signed).map(|code| code.to_string())
    }
}

fn code(signed: &Signed) -> Option<ReceiptCode> {
    let Signed::By(signature) = signed else {
        return None;
    };
    let Signature {
        tse, transaction, end, ..
    } = signature.as_ref();
    Some(ReceiptCode {
        client: transaction.client.clone(),
        process_type: end.process_type.clone(),
        process_data: end.process_data.clone(),
        transaction: transaction.transaction,
        counter: end.counter,
        started_s: transaction.started_s,
        finished_s: end.time_s,
        algorithm: tse.algorithm.clone(),
        signature: end.signature.clone(),
        public_key: tse.public_key.clone(),
    })
}
