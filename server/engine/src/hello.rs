//! A terminal comes back: who is it, how far is its journal here, and must it go on in a new epoch?

use festival::case::{Case, CaseKind};
use shared_protocol::chain::EpochStart;
use shared_protocol::message::{HelloBody, TerminalState};
use store::{Chain, Store, TerminalNo, TerminalRow};

use crate::Engine;
use crate::batch::Batch;
use crate::request::Greeting;

impl<S: Store> Engine<S> {
    /// `None` for a terminal that is not known and whose certificate is not from this event.
    pub(crate) fn hello(&mut self, batch: &mut Batch, hello: &HelloBody) -> Option<Greeting> {
        let mut row = match self.terminal(batch, hello.terminal) {
            Some(row) => row,
            None => self.readopt(batch, hello)?,
        };
        let epoch = hello.epoch.epoch;
        let chains = self.chains.get(&(row.no, epoch)).map_or(&[][..], Vec::as_slice);
        let main = chains.iter().find(|chain| chain.key.branch == 0).copied();
        let (durable_seq, durable_head) =
            main.map_or((0, hello.epoch.root(row.id)), |chain| (chain.last_seq, chain.head));
        let written = hello.next_seq.saturating_sub(1);
        self.missing(batch, &row, hello, durable_seq);
        self.announced.insert(row.no, (epoch, hello.next_seq));
        if epoch > row.epoch.epoch {
            let case = Case::of_journal(CaseKind::UnknownEpoch, self.event(), Some(i64::from(epoch)));
            batch.open(case, Some(row.no), None);
            row.epoch = hello.epoch;
            batch.terminals.insert(row.id, row.clone());
        }
        let behind = written < durable_seq || written == durable_seq && hello.head != durable_head;
        let new_epoch = if epoch < row.epoch.epoch {
            Some(self.reissue(batch, &mut row))
        } else if behind {
            Some(issue(batch, &mut row, main))
        } else {
            None
        };
        Some(Greeting {
            terminal: row,
            durable_seq,
            durable_head,
            new_epoch,
        })
    }

    /// Opens a case when the device had announced more than it still has and than ever came.
    fn missing(&self, batch: &mut Batch, row: &TerminalRow, hello: &HelloBody, durable_seq: u64) {
        let Some((epoch, next_seq)) = self.announced.get(&row.no).copied() else {
            return;
        };
        let there = durable_seq.max(hello.next_seq.saturating_sub(1));
        let lost = next_seq.saturating_sub(1).saturating_sub(there);
        if epoch == hello.epoch.epoch && lost > 0 {
            let case = Case::of_journal(CaseKind::EntriesMissing, self.event(), i64::try_from(lost).ok());
            batch.open(case, Some(row.no), None);
        }
    }

    /// The terminal still writes in an older epoch than the newest one. If nobody ever wrote in that one, the grant was lost on its way; else
    /// another device with this identity did, and this one needs its own.
    fn reissue(&self, batch: &mut Batch, row: &mut TerminalRow) -> EpochStart {
        let newest = self
            .chains
            .get(&(row.no, row.epoch.epoch))
            .and_then(|chains| chains.first())
            .copied();
        match newest {
            Some(chain) if chain.last_seq > 0 => issue(batch, row, Some(chain)),
            _ => row.epoch,
        }
    }

    /// Takes a terminal back that a restored server does not know.
    fn readopt(&self, batch: &mut Batch, hello: &HelloBody) -> Option<TerminalRow> {
        let registration = hello.certificate.read(&self.config_key()).ok()?;
        if registration.terminal != hello.terminal || registration.event != self.event() {
            return None;
        }
        let row = TerminalRow {
            no: self.next_terminal_no(batch),
            event: registration.event,
            id: registration.terminal,
            till: registration.till,
            key: registration.key,
            state: TerminalState::Active,
            epoch: hello.epoch,
            device: String::new(),
            registered_at_ms: registration.registered_at_ms,
        };
        batch.open(
            Case::of_journal(CaseKind::TerminalReadopted, self.event(), None),
            Some(row.no),
            None,
        );
        batch.terminals.insert(row.id, row.clone());
        Some(row)
    }

    /// The next free short number.
    pub(crate) fn next_terminal_no(&self, batch: &Batch) -> TerminalNo {
        let used = self
            .terminals()
            .chain(batch.terminals.values())
            .map(|row| row.no.0)
            .max();
        TerminalNo(used.unwrap_or(0).saturating_add(1))
    }
}

/// A new epoch that names the end of the one before.
fn issue(batch: &mut Batch, row: &mut TerminalRow, end: Option<Chain>) -> EpochStart {
    let next = EpochStart {
        epoch: row.epoch.epoch.saturating_add(1),
        previous_seq: end.map_or(0, |chain| chain.last_seq),
        previous_head: end.map_or(shared_protocol::crypto::Hash32::ZERO, |chain| chain.head),
    };
    row.epoch = next;
    batch.terminals.insert(row.id, row.clone());
    next
}
