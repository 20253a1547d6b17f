//! Value that changes who decides about it, or whose it is: from the books into a purse, from a purse back to the books, from one wristband to
//! another.
//!
//! Each is one posting under the caller's key. A credit that was given to a purse is never taken back: any till may hold it by then.

use ledger::{Account, AccountKey, Authority, Fold, Limits, Outcome, Posting, PostingId, Transfer, TransferCode};
use serde::Serialize;
use shared_protocol::catalogue::Text;
use shared_protocol::config::{Config, OfflineLimits};
use shared_protocol::crypto::Hash32;
use shared_protocol::purse::ChainId;
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::wristband::{Batch, BatchAuthority, CHAIN_SERVER, PurseTotals};
use shared_protocol::{Amount, AssetId, Overflow, TagId, encode};

use crate::authorise::owed;
use crate::purse::Purse;

/// Why nothing moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmoved {
    /// The wristband has no purse, or its purse no longer decides.
    NoPurse,
    /// The amount is not one that the server's chain can say: it goes in steps of so many cents.
    Step(u16),
    /// The server's chain of this purse ends before.
    ChainEnds,
    /// The balance is smaller.
    TooLittle,
    /// It is not above zero.
    Nothing,
    /// The key of the server's chain is not here.
    NoKey,
    /// The wristband would be its own successor.
    Same,
    /// The ledger says no, by this code.
    Ledger(u16),
}

impl Unmoved {
    /// For a person: what is wrong, that nothing moved, what now.
    pub fn explain(&self) -> Text {
        match self {
            Self::NoPurse => Text::new(
                "Dieses Band hat keine Börse, die der Server füllen kann. Nichts bewegt. Das Guthaben bleibt auf dem Server.",
                "This wristband has no purse that the server can fill. Nothing moved. The money stays on the server.",
            ),
            Self::Step(cents) => Text::new(
                &format!(
                    "Der Server kann dieser Börse nur Vielfache von {cents} Cent gutschreiben. Nichts bewegt. Bitte den Betrag anpassen."
                ),
                &format!(
                    "The server can credit this purse in steps of {cents} cents only. Nothing moved. Please change the amount."
                ),
            ),
            Self::ChainEnds => Text::new(
                "Diese Börse kann vom Server nicht mehr so viel gutgeschrieben bekommen. Nichts bewegt. Dem Gast ein neues Band geben.",
                "This purse cannot take that much more from the server. Nothing moved. Give the guest a new wristband.",
            ),
            Self::TooLittle => Text::new(
                "So viel ist nicht da. Nichts bewegt.",
                "There is not that much. Nothing moved.",
            ),
            Self::Nothing => Text::new("Es gibt nichts zu bewegen.", "There is nothing to move."),
            Self::NoKey => Text::new(
                "Der Schlüssel der Serverkette ist nicht eingerichtet. Nichts bewegt. Das Guthaben bleibt auf dem Server.",
                "The key of the server's chain is not set up. Nothing moved. The money stays on the server.",
            ),
            Self::Same => Text::new(
                "Altes und neues Band sind dasselbe. Nichts bewegt.",
                "The old and the new wristband are the same. Nothing moved.",
            ),
            Self::Ledger(code) => Text::new(
                &format!("Nicht gebucht (Code {code}). Bitte melden."),
                &format!("Not booked (code {code}). Please report it."),
            ),
        }
    }
}

/// All balances of a wristband that these moves read.
pub fn needs(config: &Config, tag: TagId) -> impl Iterator<Item = AccountKey> + '_ {
    held_by(config, tag).chain([owed(&config.event, tag)])
}

/// All balances of what a wristband has.
pub fn held_by(config: &Config, tag: TagId) -> impl Iterator<Item = AccountKey> + '_ {
    let assets = config.assets.keys().copied().chain([AssetId::EURO]);
    assets
        .flat_map(move |asset| [Authority::Server, Authority::Chip].map(|authority| key(config, tag, authority, asset)))
}

fn key(config: &Config, tag: TagId, authority: Authority, asset: AssetId) -> AccountKey {
    AccountKey {
        event: config.event.id,
        account: Account::Wristband { tag, authority },
        asset,
    }
}

/// The books a move is posted to.
pub struct Books<'a> {
    /// What was loaded and decided so far.
    pub fold: &'a mut Fold,
    /// The configuration in force.
    pub config: &'a Config,
    /// The server's clock, ms since 1970.
    pub now_ms: u64,
}

impl Books<'_> {
    fn post(&mut self, id: PostingId, asked: &[u8], transfers: Vec<Transfer>) -> Result<(), Unmoved> {
        let posting = Posting {
            id,
            content: Hash32::of("groschen holding 1", &[asked]),
            event: self.config.event.id,
            transfers,
            captures: Vec::new(),
            reverses: None,
            limits: Limits::Fact,
            mirrored: None,
        };
        match self.fold.post(posting, self.now_ms, None) {
            Outcome::Booked { .. } | Outcome::Duplicate { .. } => Ok(()),
            Outcome::Refused(ledger::Refusal::BelowFloor { .. }) => Err(Unmoved::TooLittle),
            Outcome::Refused(refusal) => Err(Unmoved::Ledger(refusal.code())),
        }
    }
}

/// All that is on one side of a wristband, to the books' side of another. Units that are over stay where they are. What a purse has set aside for
/// its vouchers goes back to who pays for them: in the books a voucher is not money.
fn moves(
    (fold, config, now_ms): (&Fold, &Config, u64),
    (from, authority): (TagId, Authority),
    to: TagId,
    hold_back: Amount,
    batch: Option<&Batch>,
) -> Vec<Transfer> {
    let move_to = |to, asset, amount| Transfer {
        from: Account::Wristband { tag: from, authority },
        to,
        asset,
        amount,
        code: TransferCode::Move,
        expires_at_ms: None,
    };
    let books = Account::Wristband {
        tag: to,
        authority: Authority::Server,
    };
    let there = |asset| fold.spendable(&key(config, from, authority, asset), now_ms);
    let assets = config.assets.keys().copied().filter(|asset| *asset != AssetId::EURO);
    let units = assets.filter_map(|asset| Some((asset, there(asset).filter(|units| units.is_positive())?)));
    let units: Vec<(AssetId, Amount)> = units.collect();
    let batch = batch.filter(|_| authority == Authority::Chip);
    let set_aside = units.iter().filter_map(|(voucher, units)| {
        let weight = batch?.weight(*voucher)?;
        let cents = Amount(i64::from(weight)).times(units.0).ok()?;
        let funding = Account::VoucherFunding { voucher: *voucher };
        cents.is_positive().then(|| move_to(funding, AssetId::EURO, cents))
    });
    let set_aside: Vec<Transfer> = set_aside.collect();
    let aside = Amount::sum(set_aside.iter().map(|back| back.amount)).unwrap_or_default();
    let money = there(AssetId::EURO).and_then(|free| free.minus(hold_back.plus(aside).ok()?).ok());
    let money = money
        .filter(|money| money.is_positive())
        .map(|money| move_to(books, AssetId::EURO, money));
    let units = units.iter().map(|(asset, units)| move_to(books, *asset, *units));
    money.into_iter().chain(units).chain(set_aside).collect()
}

/// Up to where the server's chain of a purse goes with a credit of so much more.
pub fn end_of_credit(purse: &Purse, batch: &Batch, amount: Amount) -> Result<u16, Unmoved> {
    if purse.authority != BatchAuthority::Chip {
        return Err(Unmoved::NoPurse);
    }
    if !amount.is_positive() {
        return Err(Unmoved::Nothing);
    }
    let unit = batch.list.settings.unit_of(ChainId::Server);
    let steps = amount
        .0
        .checked_div(i64::from(unit))
        .filter(|steps| steps.checked_mul(i64::from(unit)) == Some(amount.0))
        .ok_or(Unmoved::Step(unit))?;
    let length = batch.list.settings.length_of(ChainId::Server);
    i64::from(purse.issued)
        .checked_add(steps)
        .and_then(|end| u16::try_from(end).ok())
        .filter(|end| *end <= length)
        .ok_or(Unmoved::ChainEnds)
}

/// What goes from the books into a purse with one credit of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Filling {
    /// Money.
    pub money: Amount,
    /// Vouchers, by the kinds of the purse's batch.
    pub vouchers: [u16; VOUCHER_KINDS],
}

impl Filling {
    /// Money and nothing else.
    pub fn money(money: Amount) -> Self {
        Self {
            money,
            ..Self::default()
        }
    }

    /// The most that a purse takes of what the books have: money in steps of the server's chain, and vouchers that are still good.
    pub fn most(tag: TagId, batch: &Batch, purse: &Purse, (fold, config, now_ms): (&Fold, &Config, u64)) -> Self {
        let unit = batch.list.settings.unit_of(ChainId::Server);
        let free = fold
            .available(&key(config, tag, Authority::Server, AssetId::EURO))
            .unwrap_or_default();
        let rest = free.0.checked_rem(i64::from(unit)).unwrap_or(free.0);
        let mut vouchers = [0; VOUCHER_KINDS];
        let kinds = vouchers.iter_mut().zip(purse.vouchers).zip(batch.voucher_weights());
        for ((count, issued), (asset, _)) in kinds.filter(|(_, (_, weight))| *weight > 0) {
            let there = fold.spendable(&key(config, tag, Authority::Server, asset), now_ms);
            let there = u16::try_from(there.unwrap_or_default().0.max(0)).unwrap_or(u16::MAX);
            *count = there.min(u16::MAX - issued);
        }
        Self {
            money: Amount(free.0.saturating_sub(rest).max(0)),
            vouchers,
        }
    }

    /// What the vouchers set aside in the purse.
    pub fn weight(&self, batch: &Batch) -> Result<Amount, Overflow> {
        let weights = batch.voucher_weights().zip(self.vouchers);
        let weights = weights.map(|((_, weight), count)| Amount(i64::from(weight)).times(i64::from(count)));
        Amount::sum(weights.collect::<Result<Vec<_>, _>>()?)
    }

    /// What the credit is worth: the money, and what the vouchers set aside.
    pub fn worth(&self, batch: &Batch) -> Result<Amount, Overflow> {
        self.money.plus(self.weight(batch)?)
    }
}

/// Moves money and vouchers of a wristband from the books into its purse: they can be used at any till as soon as one has written the credit that goes
/// with them. What the vouchers set aside comes from who pays for them, and goes back there when they are used.
pub fn into_purse(
    tag: TagId,
    filling: &Filling,
    batch: &Batch,
    id: PostingId,
    books: &mut Books<'_>,
) -> Result<(), Unmoved> {
    let side = |authority| Account::Wristband { tag, authority };
    let moved = |from, asset, amount| Transfer {
        from,
        to: side(Authority::Chip),
        asset,
        amount,
        code: TransferCode::Move,
        expires_at_ms: None,
    };
    let mut transfers = vec![moved(side(Authority::Server), AssetId::EURO, filling.money)];
    for ((asset, weight), count) in batch.voucher_weights().zip(filling.vouchers) {
        let cents = Amount(i64::from(weight)).times(i64::from(count));
        let cents = cents.map_err(|_| Unmoved::ChainEnds)?;
        transfers.push(moved(side(Authority::Server), asset, Amount(i64::from(count))));
        transfers.push(moved(Account::VoucherFunding { voucher: asset }, AssetId::EURO, cents));
    }
    transfers.retain(|transfer| transfer.amount.is_positive());
    // A credit of money alone has said only its amount ever since: its repetition has to be known by that.
    let asked = if filling.vouchers == [0; VOUCHER_KINDS] {
        encode(&(tag, filling.money))
    } else {
        encode(&(tag, filling))
    };
    books.post(id, &asked, transfers)
}

/// What a purse held is the books' from now on. The place on its line where that happened is kept in [`Purse::seen`]; what its tills send later
/// is booked from the books' side.
pub fn take_over(
    tag: TagId,
    id: PostingId,
    batch: Option<&Batch>,
    books: &mut Books<'_>,
    purse: &mut Purse,
) -> Result<(), Unmoved> {
    if purse.authority == BatchAuthority::Server {
        return Ok(());
    }
    let all = (&*books.fold, books.config, books.now_ms);
    let transfers = moves(all, (tag, Authority::Chip), tag, Amount::ZERO, batch);
    books.post(id, &encode(&tag), transfers)?;
    (purse.authority, purse.waiting) = (BatchAuthority::Server, None);
    Ok(())
}

/// Everything of one wristband goes to another, into the books' side of it, but for `hold_back` of its money: what tills that have not sent
/// may still have sold on the old one.
pub fn replace(
    (old, new): (TagId, TagId),
    hold_back: Amount,
    batch: Option<&Batch>,
    id: PostingId,
    books: &mut Books<'_>,
) -> Result<(), Unmoved> {
    if old == new {
        return Err(Unmoved::Same);
    }
    if books.fold.known(&id).is_some() {
        return Ok(());
    }
    let transfers = all_of((old, new), hold_back, batch, (books.fold, books.config, books.now_ms));
    books.post(id, &encode(&(old, new, hold_back)), transfers)
}

/// What [`replace`] moves: what both sides of the old wristband have, and what its guest still owes, which is no way to be rid of.
pub fn all_of(
    (old, new): (TagId, TagId),
    hold_back: Amount,
    batch: Option<&Batch>,
    books: (&Fold, &Config, u64),
) -> Vec<Transfer> {
    let (fold, config, _) = books;
    let server = moves(books, (old, Authority::Server), new, Amount::ZERO, batch);
    let chip = moves(books, (old, Authority::Chip), new, hold_back, batch);
    let debt = fold.balance(&owed(&config.event, old)).unwrap_or_default().balance;
    let debt = debt
        .negated()
        .ok()
        .filter(|debt| debt.is_positive())
        .map(|amount| Transfer {
            from: Account::Overdraft { tag: new },
            to: Account::Overdraft { tag: old },
            asset: AssetId::EURO,
            amount,
            code: TransferCode::Move,
            expires_at_ms: None,
        });
    server.into_iter().chain(chip).chain(debt).collect()
}

/// How much of a purse's money stays behind when its guest gets another wristband, because tills that have not sent may have sold on it. A purse
/// that could be read says by itself what it still holds. Of one that is lost the books hold back what they know to be missing, and the risk
/// that the event takes of a wristband a till knows nothing of.
pub fn hold_back(
    purse: &Purse,
    batch: &Batch,
    shown: Option<&PurseTotals>,
    in_books: Amount,
    limits: &OfflineLimits,
) -> Result<Amount, Overflow> {
    let units = batch.units();
    let kept = if let Some(shown) = shown {
        // A credit of the server that no till has written yet is the guest's too.
        let written = shown.credited.get(CHAIN_SERVER).copied().unwrap_or_default();
        let unit = i64::from(batch.list.settings.unit_of(ChainId::Server));
        let unwritten = Amount(i64::from(purse.issued.saturating_sub(written)) * unit);
        in_books.minus(shown.held(&units)?.plus(unwritten)?)?
    } else {
        let missing = purse.gaps(units).into_iter().filter(|gap| gap.chain.is_none());
        Amount::sum(missing.map(|gap| gap.cents))?.plus(limits.unknown_tag_max)?
    };
    Ok(kept.clamp(Amount::ZERO, in_books.max(Amount::ZERO)))
}
