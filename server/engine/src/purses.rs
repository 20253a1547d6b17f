//! Purses of wristbands that the tills' orders alone do not explain.

use std::sync::Arc;

use festival::booking::intents;
use shared_protocol::TagId;
use store::{Store, StoreError};

use crate::Engine;
use crate::batch::Batch;

impl<S: Store> Engine<S> {
    /// Wristbands on whose lines something has been missing for at least this long and that no case tells of, the longest first, at most so many.
    /// Tills that are offline send late; so the patience is what a till may be offline.
    pub fn gaps(&mut self, now_ms: u64, patience_ms: u64, rows_max: u64) -> Result<Vec<TagId>, StoreError> {
        let since_ms = now_ms.saturating_sub(patience_ms);
        self.reader.purse_gaps(self.event, since_ms, rows_max)
    }

    pub(crate) fn reconcile(&self, batch: &mut Batch, tags: &[TagId]) {
        let config = Arc::clone(&batch.config);
        for tag in tags {
            let context = self.context(&config, None, batch.now_ms);
            for case in intents::reconcile(*tag, &mut batch.purses, &context) {
                batch.open(case, None, None);
            }
        }
    }
}
