//! The sums of a statement, from receipts and from the ledger.

use dsfinvk::words::CaseKind;
use ledger::Account;
use shared_protocol::{Amount, Overflow, TaxpayerId};

use crate::books::Books;

/// The sums of a statement, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// Goods at their price.
    pub goods: Amount,
    /// Discounts, below zero.
    pub discounts: Amount,
    /// Deposits of cups that others lend, taken less paid back.
    pub foreign_deposits: Amount,
    /// What the books have and receipts do not say; below zero the other way.
    pub unexplained: Amount,
    /// What the ledger credited to the seller for sales.
    pub payable: Amount,
    /// What the ledger has the lenders of those cups owe it.
    pub cleared: Amount,
    /// What the ledger keeps for the seller's staff.
    pub tips: Amount,
    /// Owed to the seller, with what is its staff's; below zero by it.
    pub owed: Amount,
    /// Deposits of its own cups that are out, by the ledger.
    pub deposits: Amount,
    /// Cash in its drawers that was not taken to the safe, by its receipts.
    pub cash: Amount,
    /// What the ledger says is owed over the whole event.
    pub ledger_owed: Amount,
    /// What the ledger says of deposits over the whole event.
    pub ledger_deposits: Amount,
}

/// What moved on accounts, those of a seller.
fn moved(
    accounts: impl IntoIterator<Item = (Account, i128)>,
    of: impl Fn(&Account) -> bool,
) -> Result<Amount, Overflow> {
    let mut wanted = accounts.into_iter().filter(|(account, _)| of(account));
    let sum = wanted.try_fold(0_i128, |sum, (_, cents)| sum.checked_add(cents).ok_or(Overflow))?;
    Amount::from_wide(sum)
}

impl Settled {
    /// The sums of a seller over what was loaded. All sellers have to be loaded: another's receipt may move its deposits.
    pub fn of(books: &Books, seller: TaxpayerId) -> Result<Self, Overflow> {
        let own = books.sum(|key| key.taxpayer == seller)?;
        let all = books.sum(|_| true)?;
        let payable = |account: &Account| *account == Account::Payable { taxpayer: seller };
        let staffs = |account: &Account| *account == Account::Tips { taxpayer: seller };
        let cleared = |account: &Account| matches!(account, Account::Clearing { creditor, .. } if *creditor == seller);
        let deposit = |account: &Account| matches!(account, Account::Deposit { taxpayer, .. } if *taxpayer == seller);
        let here = || all.accounts.iter().map(|(account, cents)| (*account, *cents));
        let ledger = || books.ledger.iter().map(|(key, cents)| (key.account, *cents));
        let goods = own.gross(|key| key.is_turnover() && !key.is_deposit() && key.case != CaseKind::Rabatt)?;
        let discounts = own.gross(|key| key.case == CaseKind::Rabatt)?;
        let foreign = own.deposits.iter().filter(|((_, owner), _)| *owner != seller);
        let foreign_deposits = foreign.map(|(_, moved)| moved.out.1.minus(moved.back.1));
        let foreign_deposits = Amount::sum(foreign_deposits.collect::<Result<Vec<_>, _>>()?)?;
        let of_receipts = goods.plus(discounts)?.plus(foreign_deposits)?;
        let (in_books, clearing) = (moved(here(), payable)?, moved(here(), cleared)?);
        let tips = moved(here(), staffs)?;
        let balance = [
            moved(ledger(), payable)?,
            moved(ledger(), cleared)?,
            moved(ledger(), staffs)?,
        ];
        Ok(Self {
            goods,
            discounts,
            foreign_deposits,
            unexplained: in_books.minus(of_receipts)?,
            payable: in_books,
            cleared: clearing,
            tips,
            owed: in_books.plus(clearing)?.plus(tips)?,
            deposits: moved(here(), deposit)?,
            cash: books
                .sum(|key| books.config.home_taxpayer(key.till) == Some(seller))?
                .drawer
                .moved,
            ledger_owed: Amount::sum(balance)?,
            ledger_deposits: moved(ledger(), deposit)?,
        })
    }
}
