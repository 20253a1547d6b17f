//! A receipt from the slip that a till gave its guest, for as long as the order itself has not come; and whether a slip says what was booked.
//!
//! Whoever has an address may ask, and may have made the slip up: nothing is booked from one, what the registered key of the till did not sign gets no name
//! of ours beside it, and what a sum or a list of it does not fit into is no receipt.

use ::receipt::{Content, Module, Proof, Signature, Subject};
use fiscal::signer::client_of;
use shared_protocol::OrderId;
use shared_protocol::message::TerminalState;
use shared_protocol::order::Order;
use shared_protocol::slip::{Body, Slip};
use store::{JournalRow, Reader as _, TerminalRow};

use super::read::Receipts;
use crate::tax;

/// What a slip is worth.
fn proof(slip: &Slip, order: OrderId, terminal: Option<&TerminalRow>) -> Proof {
    let Some(terminal) = terminal else {
        return Proof::Unknown;
    };
    let shown = &slip.body().shown;
    // One key, one till, one event: a terminal that speaks for another is not believed.
    let speaks_for_itself = (shown.event, shown.till) == (terminal.event, terminal.till);
    if slip.verify(order, &terminal.key).is_err() || !speaks_for_itself {
        Proof::Broken
    } else if terminal.state == TerminalState::Locked {
        Proof::Locked
    } else {
        Proof::Holds
    }
}

impl Receipts {
    /// The receipt of an order that is not booked here, from its slip; none where a sum of it does not fit.
    pub(super) fn of_slip(&mut self, order: OrderId, slip: &Slip, copy: bool) -> anyhow::Result<Option<Content>> {
        let terminal = self.reader.terminal(slip.terminal())?;
        let proof = proof(slip, order, terminal.as_ref());
        let Body { epoch, seq, shown, .. } = slip.body();
        let (mut config, mut tse) = (None, None);
        if let Some(terminal) = terminal.filter(|_| proof == Proof::Holds) {
            config = self.config(terminal.event, shown.config)?;
            tse = self.module_of(slip)?;
            if self.noted.note_slip(terminal.id, *epoch, *seq) {
                tracing::warn!(till = %terminal.till, terminal = %terminal.id, epoch, seq, "a guest has a receipt of an order that this till has not sent");
            }
        }
        let model = tax::choices(&mut self.reader, shown.event)?.wristband_is;
        let (shown, replaced) = (shown.order(order), shown.replaced_order());
        let subject = Subject {
            order: &shown,
            replaced: replaced.as_ref(),
            config: config.as_deref(),
            signature: Signature::Till { proof, tse },
            model,
            link: self.face.link(order),
            copy,
            logo: self.face.logo.clone().filter(|_| proof == Proof::Holds),
        };
        Ok(Content::of(subject).ok())
    }

    /// The TSE that the till's orders of this seller go to, so far; of a till that none has signed for, one of the seller's.
    fn module_of(&mut self, slip: &Slip) -> anyhow::Result<Option<Module>> {
        let shown = &slip.body().shown;
        let history = self.reader.client_history(&client_of(shown.event, shown.till))?;
        let last = history.iter().rfind(|row| row.taxpayer == shown.taxpayer);
        let mut tse = last.map(|row| self.tse(row.tse)).transpose()?.flatten();
        if tse.is_none() {
            let all = self.reader.tses()?.into_iter();
            // Where they differ nobody knows which it will be: then the receipt claims the least.
            tse = all
                .filter(|tse| tse.taxpayer == shown.taxpayer)
                .min_by_key(|tse| tse.certified);
        }
        Ok(tse.map(|tse| Module {
            serial: tse.serial.to_vec(),
            certified: tse.certified,
        }))
    }

    /// Whether a slip says something else than what was booked. Where the till itself signed that, it is said to whoever runs the server.
    pub(super) fn differs(
        &mut self,
        slip: &Slip,
        row: &JournalRow,
        order: &Order,
        replaced: Option<&Order>,
    ) -> anyhow::Result<bool> {
        let Body {
            epoch,
            seq,
            link,
            shown,
        } = slip.body();
        let terminal = self.reader.terminal(slip.terminal())?;
        let shows_other = !shown.fits(order, replaced);
        // One place in one journal has one content, or the journal was forked.
        let is_forked = row
            .entry
            .as_ref()
            .zip(terminal.as_ref())
            .is_some_and(|(entry, terminal)| {
                let place = (entry.chain.terminal, entry.chain.epoch, entry.seq);
                place == (terminal.no, *epoch, *seq) && entry.hash != *link
            });
        let is_signed = matches!(proof(slip, order.id, terminal.as_ref()), Proof::Holds | Proof::Locked);
        if is_signed && (shows_other || is_forked) {
            tracing::warn!(order = %order.id, terminal = %slip.terminal(), epoch, seq, "a till signed another receipt than what its journal says");
        }
        Ok(shows_other)
    }
}

#[cfg(test)]
mod tests {
    use fixtures::wire;
    use shared_protocol::chain::EpochStart;
    use shared_protocol::crypto::{Ed25519Signer, Signer as _};
    use shared_protocol::order::OrderKind;
    use shared_protocol::{EventId, TillId};
    use store::TerminalNo;

    use super::*;

    fn registered(order: &Order) -> TerminalRow {
        TerminalRow {
            no: TerminalNo(1),
            event: order.event,
            id: wire::TERMINAL,
            till: order.till,
            // The key in which golden bytes are signed.
            key: Ed25519Signer::from_seed(&[7; 32]).unwrap().public_key(),
            state: TerminalState::Active,
            epoch: EpochStart::FIRST,
            device: String::new(),
            registered_at_ms: 0,
        }
    }

    #[test]
    fn a_slip_is_worth_what_its_registered_till_vouches_for() {
        let order = wire::order(OrderKind::Sale);
        let slip = Slip::read(&wire::slip_of(&order, None)).unwrap();
        let good = registered(&order);
        let of = |terminal: &TerminalRow| proof(&slip, order.id, Some(terminal));
        assert_eq!(of(&good), Proof::Holds);
        assert_eq!(proof(&slip, OrderId([1; 16]), Some(&good)), Proof::Broken);
        assert_eq!(proof(&slip, order.id, None), Proof::Unknown);
        let with_state = |state| TerminalRow { state, ..good.clone() };
        assert_eq!(of(&with_state(TerminalState::Locked)), Proof::Locked);
        // Its journal forked, and it may sell: its guests are owed receipts.
        assert_eq!(of(&with_state(TerminalState::Quarantined)), Proof::Holds);
        let other_key = Ed25519Signer::from_seed(&[8; 32]).unwrap().public_key();
        let strangers = [
            TerminalRow {
                key: other_key,
                ..good.clone()
            },
            TerminalRow {
                till: TillId(9),
                ..good.clone()
            },
            TerminalRow {
                event: EventId([9; 16]),
                ..good.clone()
            },
        ];
        for stranger in strangers {
            assert_eq!(of(&stranger), Proof::Broken, "{stranger:?}");
        }
    }
}
