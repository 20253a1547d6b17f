//! What is asked of purses.

use festival::purse::Purse;
use shared_protocol::{EventId, TagId};

use super::{State, limited};

impl State {
    pub(super) fn purses(&self, event: EventId, after: Option<TagId>, rows_max: u64) -> Vec<(TagId, Purse)> {
        let of_event = self
            .purses
            .iter()
            .filter(|((of, tag), _)| *of == event && after.is_none_or(|after| tag.as_slice() > after.as_slice()));
        let mut found: Vec<_> = of_event.map(|((_, tag), purse)| (*tag, purse.clone())).collect();
        found.sort_by(|a, b| a.0.as_slice().cmp(b.0.as_slice()));
        found.truncate(limited(rows_max));
        found
    }

    pub(super) fn purse_gaps(&self, event: EventId, since_ms: u64, rows_max: u64) -> Vec<TagId> {
        let gaps = self.purses.iter().filter_map(|((of, tag), purse)| {
            let since = purse.gap_since_ms.filter(|_| *of == event && !purse.told)?;
            (since <= since_ms).then_some((since, *tag))
        });
        let mut gaps: Vec<_> = gaps.collect();
        gaps.sort_by(|a, b| (a.0, a.1.as_slice()).cmp(&(b.0, b.1.as_slice())));
        gaps.into_iter().take(limited(rows_max)).map(|(_, tag)| tag).collect()
    }
}
