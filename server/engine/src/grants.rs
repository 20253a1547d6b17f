//! Value that the organiser gives to a wristband: vouchers, points, money of the server.

use festival::authorise::units;
use ledger::{Account, Authority, Limits, Outcome, Posting, PostingId, Transfer, TransferCode};
use shared_protocol::catalogue::Text;
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, AssetId, TagId, encode};
use store::{Need, Store};

use crate::Engine;
use crate::batch::Batch;
use crate::purses::granted_id;
use crate::request::Settled;

/// Granted of an asset for a wristband.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted {
    pub tag: TagId,
    pub asset: AssetId,
    pub amount: Amount,
    pub expires_at_ms: Option<u64>,
}

impl<S: Store> Engine<S> {
    pub(crate) fn need_of_grant(&self, posting: PostingId, tag: TagId, asset: AssetId, need: &mut Need) {
        need.ledger.postings.insert(posting);
        need.ledger.accounts.insert(units(&self.current.event, tag, asset));
        self.need_of_moves(granted_id(posting), &[tag], need);
    }

    /// Granted from the outside of an asset to a wristband, and onto its purse where that counts them.
    pub(crate) fn grant(&self, batch: &mut Batch, id: PostingId, granted: &Granted) -> Settled {
        let transfer = Transfer {
            from: Account::Issuer,
            to: Account::Wristband {
                tag: granted.tag,
                authority: Authority::Server,
            },
            asset: granted.asset,
            amount: granted.amount,
            code: TransferCode::Issue,
            expires_at_ms: granted.expires_at_ms,
        };
        let posting = Posting {
            id,
            content: Hash32::of("groschen grant 1", &[&encode(&transfer)]),
            event: self.event,
            transfers: vec![transfer],
            captures: Vec::new(),
            reverses: None,
            limits: Limits::Enforced,
            mirrored: None,
        };
        match batch.fold.post(posting, batch.now_ms, None) {
            Outcome::Booked { .. } | Outcome::Duplicate { .. } => {
                self.vouchers_into_purse(batch, id, granted.tag, granted.asset);
                Settled::Done
            }
            Outcome::Refused(refusal) => Settled::Refused(Text::new(
                &format!("Nicht gebucht (Code {}).", refusal.code()),
                &format!("Not booked: {refusal}."),
            )),
        }
    }
}
