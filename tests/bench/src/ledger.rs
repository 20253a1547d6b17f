//! The rules of value alone: postings in a fold, and the whole engine over a store in memory.

use std::hint::black_box;
use std::time::Instant;

use fixtures::paper::PaperTill;
use fixtures::sample;
use ledger::{
    Account, AccountKey, Authority, Balance, Chart, Fold, Limits, Outcome, Posting, PostingId, Transfer, TransferCode,
    View,
};
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::mint;
use shared_protocol::{Amount, ArticleId, AssetId, OrderId, TaxpayerId};
use store::MemoryStore;

use crate::figure::{Shape, tell};
use crate::journals::WRISTBANDS;
use crate::prefill::Books;
use crate::store::row;

/// Postings in one fold, as in a busy batch of the writer.
const BATCH: u64 = 128;
/// Batches that are timed together.
const BATCHES: u64 = 400;

/// Runs the rows.
pub fn run(shape: &Shape) -> anyhow::Result<()> {
    let mut rates = Vec::new();
    for run in 0..shape.runs {
        let postings: Vec<Posting> = (0..BATCH * BATCHES).map(|no| posting(run as u64, no)).collect();
        let begun = Instant::now();
        for batch in postings.chunks(usize::try_from(BATCH)?) {
            let mut fold = Fold::new(view(batch), &Chart::default());
            for posting in batch {
                let outcome = fold.post(posting.clone(), 1, None);
                anyhow::ensure!(matches!(outcome, Outcome::Booked { .. }), "{outcome:?}");
            }
            black_box(fold.into_effects());
        }
        rates.push(BATCH * BATCHES * 1_000_000 / u64::try_from(begun.elapsed().as_micros())?.max(1));
    }
    tell(shape, "ledger_postings_of_3_transfers_s", "postings/s", rates, &[]);
    let mut books = Books::start(MemoryStore::new(1), PaperTill::signer(200))?;
    row(shape, &mut books, 128, "engine_over_memory_batch_128")
}

fn payer(posting: &Posting) -> Option<AccountKey> {
    posting.transfers.first().map(|transfer| posting.source(transfer))
}

/// What a batch needs, as a store would load it.
fn view(batch: &[Posting]) -> View {
    let rich = Balance {
        balance: Amount(1_000_000),
        held: Amount::ZERO,
    };
    View {
        accounts: batch.iter().filter_map(payer).map(|key| (key, rich)).collect(),
        ..View::default()
    }
}

/// A sale of a wristband: food and drink with different tax, and a cup.
fn posting(run: u64, no: u64) -> Posting {
    let unique: [u8; 10] = std::array::from_fn(|index| no.to_be_bytes().get(index).copied().unwrap_or_default());
    let id = OrderId(mint(1 + run, unique));
    let tag = sample::wristband(u32::try_from(no % u64::from(WRISTBANDS)).unwrap_or_default() + 1);
    let from = Account::Wristband {
        tag,
        authority: Authority::Server,
    };
    let taxpayer = TaxpayerId(1);
    let transfer = |to, amount, code| Transfer {
        from,
        to,
        asset: AssetId::EURO,
        amount: Amount(amount),
        code,
        expires_at_ms: None,
    };
    Posting {
        id: PostingId(id),
        content: Hash32::of("bench", &[&id.0]),
        event: sample::EVENT,
        transfers: vec![
            transfer(Account::Payable { taxpayer }, 450, TransferCode::Sale),
            transfer(Account::Payable { taxpayer }, 800, TransferCode::Sale),
            transfer(
                Account::Deposit {
                    article: ArticleId(1),
                    taxpayer,
                },
                200,
                TransferCode::DepositTaken,
            ),
        ],
        captures: Vec::new(),
        reverses: None,
        limits: Limits::Enforced,
        mirrored: None,
    }
}
