//! Purses of wristbands: what the tills' orders alone do not explain, and value that goes into a purse, out of it, or to another wristband.

use std::sync::Arc;

use festival::booking::{BandDone, credit_id, derived_id, intents};
use festival::case::{Case, CaseKind};
use festival::holding::{self, Books, Filling, Unmoved};
use festival::purse::Purse;
use ledger::PostingId;
use shared_protocol::purse::{Flags, PendingCredit, Token};
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::{Batch as Wristbands, BatchAuthority};
use shared_protocol::{Amount, AssetId, OrderId, TagId};
use store::{Need, Store, StoreError, TerminalNo};

use crate::Engine;
use crate::batch::Batch;
use crate::request::{Request, Settled};

/// Whoever has the key of the server's chain. Nobody else can make a credit.
pub trait CreditMaker: Send {
    /// The token that proves so many units of the server's chain on a wristband of a batch; none where the key is not here.
    fn token(&self, batch: u16, tag: TagId, count: u16) -> Option<Token>;
}

/// What of a wristband's value in the books goes into its purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Money and vouchers.
    All,
    /// So much money.
    Money(Amount),
    /// Vouchers, as far as the purse counts them.
    Vouchers,
}

impl Wanted {
    fn of(self, tag: TagId, of_batch: &Wristbands, purse: &Purse, batch: &Batch) -> Filling {
        let most = || Filling::most(tag, of_batch, purse, (&batch.fold, &batch.config, batch.now_ms));
        match self {
            Self::All => most(),
            Self::Vouchers => Filling {
                money: Amount::ZERO,
                ..most()
            },
            Self::Money(amount) => Filling::money(amount),
        }
    }
}

/// The key under which a purse is taken over. It happens once.
pub(crate) fn take_over_id(tag: TagId) -> PostingId {
    derived_id("groschen take over 1", tag.as_slice())
}

/// The key under which granted vouchers go into a purse.
pub(crate) fn granted_id(grant: PostingId) -> PostingId {
    derived_id("groschen grant into purse 1", grant.0.bytes())
}

fn settled(result: Result<(), Unmoved>) -> Settled {
    match result {
        Ok(()) => Settled::Done,
        Err(unmoved) => Settled::Refused(unmoved.explain()),
    }
}

impl<S: Store> Engine<S> {
    /// Wristbands on whose lines something has been missing for at least this long and that no case tells of, the longest first, at most so many.
    /// Tills that are offline send late; so the patience is what a till may be offline.
    pub fn gaps(&mut self, now_ms: u64, patience_ms: u64, rows_max: u64) -> Result<Vec<TagId>, StoreError> {
        let since_ms = now_ms.saturating_sub(patience_ms);
        self.reader.purse_gaps(self.event, since_ms, rows_max)
    }

    /// How long something may be missing on a purse's line before a case tells of it.
    pub fn set_patience(&mut self, patience_ms: u64) {
        self.patience_ms = patience_ms;
    }

    /// Looks at purses on whose lines something has been missing for longer than the patience, at most so many. Gives how many there were.
    pub fn reconcile_gaps(&mut self, now_ms: u64, rows_max: u64) -> Result<usize, StoreError> {
        let tags = self.gaps(now_ms, self.patience_ms, rows_max)?;
        let count = tags.len();
        if count > 0 {
            self.process(now_ms, &[Request::Reconcile { tags }])?;
        }
        Ok(count)
    }

    /// Gives the engine the key of the server's chain. Without it no credit is given to a purse.
    pub fn make_credits_with(&mut self, maker: Box<dyn CreditMaker>) {
        self.credit_maker = Some(maker);
    }

    pub(crate) fn need_of_moves(&self, posting: PostingId, tags: &[TagId], need: &mut Need) {
        need.ledger.postings.insert(posting);
        for tag in tags {
            need.purses.insert((self.event, *tag));
            need.ledger.accounts.extend(holding::needs(&self.current, *tag));
        }
    }

    pub(crate) fn credit_purse(&self, batch: &mut Batch, posting: PostingId, tag: TagId, wanted: Wanted) -> Settled {
        if batch.fold.known(&posting).is_some() {
            return Settled::Done;
        }
        let config = Arc::clone(&batch.config);
        let Some((purse, of_batch)) = self.purse_of(batch, tag) else {
            return settled(Err(Unmoved::NoPurse));
        };
        let filling = wanted.of(tag, of_batch, purse, batch);
        // The token first: what cannot be proved must not be posted.
        let issued = purse.issued;
        let worth = filling.worth(of_batch).map_err(|_| Unmoved::ChainEnds);
        let end = match worth.and_then(|worth| holding::end_of_credit(purse, of_batch, worth)) {
            Ok(end) => end,
            Err(unmoved) => return settled(Err(unmoved)),
        };
        let maker = self.credit_maker.as_deref();
        let Some(token) = maker.and_then(|maker| maker.token(purse.batch, tag, end)) else {
            return settled(Err(Unmoved::NoKey));
        };
        let mut books = Books {
            fold: &mut batch.fold,
            config: &config,
            now_ms: batch.now_ms,
        };
        let posted = holding::into_purse(tag, &filling, of_batch, posting, &mut books);
        if let (Ok(()), Some(purse)) = (posted, batch.purses.get_mut(&tag)) {
            assert_eq!(purse.issued, issued, "one credit at a time");
            purse.issued = end;
            for (issued, more) in purse.vouchers.iter_mut().zip(filling.vouchers) {
                *issued = issued.saturating_add(more);
            }
            purse.waiting = Some(PendingCredit { units: end, token });
        }
        settled(posted)
    }

    /// Vouchers that were granted to a wristband whose purse counts them go onto it.
    pub(crate) fn vouchers_into_purse(&self, batch: &mut Batch, grant: PostingId, tag: TagId, asset: AssetId) {
        let of_batch = self.batch_of(batch, tag);
        if of_batch.is_some_and(|of_batch| of_batch.weight(asset).is_some()) {
            self.fill(batch, granted_id(grant), tag, Wanted::Vouchers, (grant.0, None));
        }
    }

    /// Gives a purse what the books have for it, in steps of the chain as always. What cannot go there stays in the books, and a case says so.
    fn fill(
        &self,
        batch: &mut Batch,
        posting: PostingId,
        tag: TagId,
        wanted: Wanted,
        (order, row): (OrderId, Option<(TerminalNo, u64)>),
    ) {
        if batch.fold.known(&posting).is_some() {
            return;
        }
        let purse = self.purse_of(batch, tag);
        let Some((purse, of_batch)) = purse.filter(|(purse, _)| purse.authority == BatchAuthority::Chip) else {
            return;
        };
        let worth = wanted
            .of(tag, of_batch, purse, batch)
            .worth(of_batch)
            .unwrap_or_default();
        if worth.is_positive() && self.credit_purse(batch, posting, tag, wanted) != Settled::Done {
            let case = Case::of_order(CaseKind::PurseNotFilled, self.event(), order, worth)
                .with_tag(Some(tag))
                .with_number(worth.0);
            batch.open(case, row.map(|(terminal, _)| terminal), row.map(|(_, no)| no));
        }
    }

    /// A purse that the books know, with its batch.
    fn purse_of<'e, 'b>(&'e self, batch: &'b Batch, tag: TagId) -> Option<(&'b Purse, &'e Wristbands)> {
        let purse = batch.purses.get(&tag)?;
        Some((purse, self.batches.get(&purse.batch)?))
    }

    fn batch_of(&self, batch: &Batch, tag: TagId) -> Option<&Wristbands> {
        self.purse_of(batch, tag).map(|(_, of_batch)| of_batch)
    }

    pub(crate) fn replace(
        &self,
        batch: &mut Batch,
        posting: PostingId,
        (old, new): (TagId, TagId),
        hold_back: Amount,
        reason: BlockReason,
    ) -> Settled {
        let config = Arc::clone(&batch.config);
        let of_old = self.batch_of(batch, old);
        let mut books = Books {
            fold: &mut batch.fold,
            config: &config,
            now_ms: batch.now_ms,
        };
        let moved = holding::replace((old, new), hold_back, of_old, posting, &mut books);
        if moved.is_ok() {
            batch.blocks.insert(old, Some(reason));
            Self::move_flags(batch, (old, new), None);
        }
        settled(moved)
    }

    /// The age class goes with its guest: the next till that sells to the new wristband writes it.
    fn move_flags(batch: &mut Batch, (old, new): (TagId, TagId), shown: Option<Flags>) {
        let flags = shown.or_else(|| batch.purses.get(&old)?.flags_to_keep());
        if let (Some(flags), Some(purse)) = (flags, batch.purses.get_mut(&new)) {
            purse.wanted_flags = Some(flags);
        }
    }

    /// What follows a swap or a block that was booked: the old wristband is on the block list, and the new one's purse gets what came to it, as a
    /// credit that any till may write.
    pub(crate) fn band_changed(&self, batch: &mut Batch, order: OrderId, done: BandDone, row: (TerminalNo, u64)) {
        batch.blocks.insert(done.old, Some(done.reason));
        let Some(new) = done.new else { return };
        Self::move_flags(batch, (done.old, new), done.flags);
        self.fill(batch, credit_id(order), new, Wanted::All, (order, Some(row)));
    }

    pub(crate) fn take_over(&self, batch: &mut Batch, tags: &[TagId]) -> Settled {
        let config = Arc::clone(&batch.config);
        for tag in tags {
            let of_batch = self.batch_of(batch, *tag);
            let Some(purse) = batch.purses.get_mut(tag) else {
                continue;
            };
            let mut books = Books {
                fold: &mut batch.fold,
                config: &config,
                now_ms: batch.now_ms,
            };
            if let Err(unmoved) = holding::take_over(*tag, take_over_id(*tag), of_batch, &mut books, purse) {
                return settled(Err(unmoved));
            }
        }
        Settled::Done
    }

    pub(crate) fn reconcile(&self, batch: &mut Batch, tags: &[TagId]) {
        let config = Arc::clone(&batch.config);
        for tag in tags {
            let context = self.context(&config, self.blocks(&batch.blocks), None, batch.now_ms);
            for case in intents::reconcile(*tag, &mut batch.purses, &context) {
                batch.open(case, None, None);
            }
        }
    }
}
