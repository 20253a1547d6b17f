//! The office: it has the key of the server's chain, and puts vouchers that were granted onto the wristbands of guests with a purse.
//!
//! What it asks for is counted like everything else: [`crate::books::Books`] has to come to the same sums.

use chips::simulated::SimulatedBatch;
use engine::{CreditMaker, Request};
use fixtures::sample::{self, DRINK};
use ledger::{Account, AccountKey, Authority, PostingId};
use shared_protocol::purse::{ChainId, Token};
use shared_protocol::{Amount, AssetId, OrderId, TagId};
use store::Reader as _;

use crate::chips::WEIGHT;
use crate::world::World;

/// One wristband in so many has drink tokens, and so many each.
const WITH_TOKENS: usize = 4;
const TOKENS: i64 = 3;

/// The key of the server's chain.
pub(crate) struct Maker(pub SimulatedBatch);

impl CreditMaker for Maker {
    fn token(&self, batch: u16, tag: TagId, count: u16) -> Option<Token> {
        let index = self.0.index(tag).filter(|_| batch == self.0.batch)?;
        (count <= self.0.settings.length_of(ChainId::Server)).then(|| self.0.token(index, ChainId::Server, count))
    }
}

fn tokens_of(tag: TagId) -> AccountKey {
    AccountKey {
        event: sample::EVENT,
        account: Account::Wristband {
            tag,
            authority: Authority::Server,
        },
        asset: DRINK,
    }
}

impl World {
    fn with_tokens(&self) -> Vec<TagId> {
        let of_batch = self.chips.tags().filter(|tag| self.chips.batch.index(*tag).is_some());
        of_batch.step_by(WITH_TOKENS).collect()
    }

    /// Guests with a purse get tokens, like the crew.
    pub(crate) fn grant_to_purses(&mut self) {
        for tag in self.with_tokens() {
            let posting = PostingId(OrderId(self.people_random.bytes()));
            self.observer.granted(posting, tag, DRINK, Amount(TOKENS));
            self.admin(Request::Grant {
                posting,
                tag,
                asset: DRINK,
                amount: Amount(TOKENS),
                expires_at_ms: Some(crate::world::EPOCH_MS + 10 * 24 * 60 * 60 * 1_000),
            });
        }
    }

    /// Tokens that lie in the books, because nobody knew the purse when they were granted, go onto it.
    pub(crate) fn fill_purses(&mut self) {
        for tag in self.with_tokens() {
            let there = self.observer.balances.get(&tokens_of(tag)).copied().unwrap_or(0);
            let known = self.server.reader().purse(sample::EVENT, tag).ok().flatten();
            if there <= 0 || known.is_none() {
                continue;
            }
            let posting = PostingId(OrderId(self.people_random.bytes()));
            let weight = Amount(i64::try_from(there).unwrap_or(0) * i64::from(WEIGHT));
            self.observer.granted(posting, tag, AssetId::EURO, weight);
            self.admin(Request::IntoPurse {
                posting,
                tag,
                amount: None,
            });
            self.sometimes.reach("vouchers_put_on_a_wristband");
        }
    }
}
