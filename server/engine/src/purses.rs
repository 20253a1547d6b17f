//! Purses of wristbands: what the tills' orders alone do not explain, and value that goes into a purse, out of it, or to another wristband.

use std::sync::Arc;

use festival::booking::{BandDone, credit_id, intents};
use festival::case::{Case, CaseKind};
use festival::holding::{self, Books, Filling, Unmoved};
use ledger::PostingId;
use shared_protocol::crypto::Hash32;
use shared_protocol::purse::{Flags, PendingCredit, Token};
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::BatchAuthority;
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

/// The key under which a purse is taken over. It happens once.
pub(crate) fn take_over_id(tag: TagId) -> PostingId {
    derived("groschen take over 1", tag.as_slice())
}

/// The key under which granted vouchers go into a purse.
pub(crate) fn granted_id(grant: PostingId) -> PostingId {
    derived("groschen grant into purse 1", grant.0.bytes())
}

fn derived(why: &str, of: &[u8]) -> PostingId {
    let digest = Hash32::of(why, &[of]);
    let mut id = [0; 16];
    id.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    PostingId(OrderId(id))
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
        let known = batch.purses.get(&tag);
        let of_batch = known.and_then(|purse| self.batches.get(&purse.batch));
        let (Some(purse), Some(of_batch)) = (known, of_batch) else {
            return settled(Err(Unmoved::NoPurse));
        };
        let most = Filling::most(tag, of_batch, purse, (&batch.fold, &config, batch.now_ms));
        let filling = match wanted {
            Wanted::All => most,
            Wanted::Vouchers => Filling {
                money: Amount::ZERO,
                ..most
            },
            Wanted::Money(amount) => Filling::money(amount),
        };
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

    /// Vouchers that were granted to a wristband whose purse counts them go onto it. Where they cannot, they stay in the books, and a case says so.
    pub(crate) fn vouchers_into_purse(&self, batch: &mut Batch, grant: PostingId, tag: TagId, asset: AssetId) {
        let id = granted_id(grant);
        if batch.fold.known(&id).is_some() {
            return;
        }
        let purse = batch
            .purses
            .get(&tag)
            .filter(|purse| purse.authority == BatchAuthority::Chip);
        let Some((purse, of_batch)) = purse.and_then(|purse| Some((purse, self.batches.get(&purse.batch)?))) else {
            return;
        };
        let most = Filling::most(tag, of_batch, purse, (&batch.fold, &batch.config, batch.now_ms));
        let weight = most.weight(of_batch).unwrap_or_default();
        if of_batch.weight(asset).is_none() || !weight.is_positive() {
            return;
        }
        if self.credit_purse(batch, id, tag, Wanted::Vouchers) != Settled::Done {
            let case = Case::of_order(CaseKind::PurseNotFilled, self.event(), grant.0, weight)
                .with_tag(Some(tag))
                .with_number(weight.0);
            batch.open(case, None, None);
        }
    }

    fn batch_of(&self, batch: &Batch, tag: TagId) -> Option<&shared_protocol::wristband::Batch> {
        self.batches.get(&batch.purses.get(&tag)?.batch)
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
    pub(crate) fn band_changed(
        &self,
        batch: &mut Batch,
        order: OrderId,
        done: BandDone,
        (terminal, no): (TerminalNo, u64),
    ) {
        batch.blocks.insert(done.old, Some(done.reason));
        let Some(new) = done.new else { return };
        Self::move_flags(batch, (done.old, new), done.flags);
        let purse = batch
            .purses
            .get(&new)
            .filter(|purse| purse.authority == BatchAuthority::Chip);
        let Some(of_batch) = purse.and_then(|purse| self.batches.get(&purse.batch)) else {
            return;
        };
        // Less than a step of the chain stays in the books, as always.
        let most = purse.map(|purse| Filling::most(new, of_batch, purse, (&batch.fold, &batch.config, batch.now_ms)));
        let free = most.and_then(|most| most.worth(of_batch).ok()).unwrap_or_default();
        if free.is_positive() && self.credit_purse(batch, credit_id(order), new, Wanted::All) != Settled::Done {
            let case = Case::of_order(CaseKind::PurseNotFilled, self.event(), order, free)
                .with_tag(Some(new))
                .with_number(free.0);
            batch.open(case, Some(terminal), Some(no));
        }
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
