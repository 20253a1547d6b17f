//! Numbers and ids as the shell has them, and back. What does not fit is none of ours.

use shared_protocol::{ArticleId, OrderId, TagId};

pub(crate) fn article(number: i64) -> Option<ArticleId> {
    u32::try_from(number).ok().map(ArticleId)
}

pub(crate) fn number(article: ArticleId) -> i64 {
    i64::from(article.0)
}

pub(crate) fn order(text: &str) -> Option<OrderId> {
    OrderId::parse(text)
}

/// What is said of a wristband in front of a queue: its last four digits.
pub(crate) fn last_four(tag: TagId) -> String {
    let digits = tag.to_string();
    let from = digits.len().saturating_sub(4);
    digits.get(from..).unwrap_or(&digits).to_ascii_uppercase()
}

pub(crate) fn millis(at_ms: u64) -> i64 {
    i64::try_from(at_ms).unwrap_or(i64::MAX)
}

/// A count that is shown; more than a screen can say is as much as it can say.
pub(crate) fn count<N: TryInto<i32>>(number: N) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
