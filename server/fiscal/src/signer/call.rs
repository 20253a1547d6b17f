//! What a signer asks a TSE, and what comes back: values, so that whoever makes the call may be a thread, a simulator or a test.

use shared_protocol::config::Config;
use shared_protocol::order::Order;
use store::TseNo;

use crate::process_data::{Kassenbeleg, ProcessType, VoucherModel};
use crate::shift;
use crate::tse::{Document, Finished, Logged, Started, TransactionKey, Tse, TseError, TseInfo};

/// What a transaction ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `processType`.
    pub kind: ProcessType,
    /// `processData`.
    pub data: String,
    /// The same as values; none for what is no receipt.
    pub receipt: Option<Kassenbeleg>,
}

impl Told {
    /// What an order is to a TSE; `replaced` as for [`Kassenbeleg::of_order`]. One whose sums nobody can give is protected as readable text, never left
    /// out.
    pub fn of_order(order: &Order, replaced: Option<&Order>, config: &Config, model: VoucherModel) -> Self {
        if let Some(mark) = order.shift {
            return Self::other(shift::told(order, mark));
        }
        match Kassenbeleg::of_order(order, replaced, config, model) {
            Ok(receipt) => Self::receipt(receipt),
            Err(error) => Self::other(format!("order {}: {error}", order.id)),
        }
    }

    /// A cart that was given up.
    pub fn aborted() -> Self {
        Self::receipt(Kassenbeleg::ABORTED)
    }

    /// A receipt.
    pub fn receipt(receipt: Kassenbeleg) -> Self {
        Self {
            kind: ProcessType::KassenbelegV1,
            data: receipt.to_string(),
            receipt: Some(receipt),
        }
    }

    /// What is no receipt, as readable text.
    pub const fn other(text: String) -> Self {
        Self {
            kind: ProcessType::SonstigerVorgang,
            data: text,
            receipt: None,
        }
    }
}

/// A question to a TSE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To get ready. The only one that is asked of a TSE that is out of order.
    Prepare,
    /// To register a till.
    Register {
        /// The till.
        client: String,
    },
    /// To let go of a till.
    Deregister {
        /// The till.
        client: String,
    },
    /// To begin a transaction.
    Start {
        /// Its key.
        key: TransactionKey,
        /// The till.
        client: String,
    },
    /// To end one.
    Finish {
        /// Its key.
        key: TransactionKey,
        /// The till.
        client: String,
        /// Its number.
        transaction: u64,
        /// What it was about.
        told: Told,
    },
    /// What its log has that the books may not.
    Since {
        /// From this transaction on.
        transaction: u64,
        /// Of tills whose names begin so.
        clients: String,
    },
    /// What is open.
    Open,
    /// How a transaction ended.
    Ended {
        /// Its number.
        transaction: u64,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is ready, and this is what it is.
    Ready(Box<TseInfo>),
    /// Done.
    Done,
    /// Begun.
    Started(Started),
    /// Ended.
    Finished(Finished),
    /// What its log has.
    Logged(Vec<Logged>),
    /// What is open, with the tills.
    Open(Vec<(String, Started)>),
    /// How it ended, with what it said; none where it has not, or is not known.
    Ended(Option<(String, Finished)>),
}

/// A call that may be made now: everything that has to be on the disk before it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whom to ask.
    pub tse: TseNo,
    /// Names the call; its answer comes with the same number.
    pub id: u64,
    /// What.
    pub ask: Ask,
}

impl Ask {
    /// Asks it.
    pub fn of(&self, tse: &mut dyn Tse, now_ms: u64) -> Result<Reply, TseError> {
        Ok(match self {
            Self::Prepare => Reply::Ready(Box::new(tse.prepare(now_ms)?)),
            Self::Register { client } => {
                tse.register(client, now_ms)?;
                Reply::Done
            }
            Self::Deregister { client } => {
                tse.deregister(client, now_ms)?;
                Reply::Done
            }
            Self::Start { key, client } => Reply::Started(tse.start(*key, client, now_ms)?),
            Self::Finish {
                key,
                client,
                transaction,
                told,
            } => {
                let document = Document {
                    process_type: told.kind.as_str(),
                    process_data: &told.data,
                    receipt: told.receipt.as_ref(),
                };
                Reply::Finished(tse.finish(*key, client, *transaction, document, now_ms)?)
            }
            Self::Since { transaction, clients } => Reply::Logged(tse.since(*transaction, clients)?),
            Self::Open => Reply::Open(tse.open()?),
            Self::Ended { transaction } => Reply::Ended(tse.ended(*transaction)?),
        })
    }
}
