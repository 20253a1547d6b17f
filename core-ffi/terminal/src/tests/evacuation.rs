use shared_protocol::chain::{EpochStart, SignedHead, link};
use shared_protocol::crypto::{Ed25519Signer, Signer};
use shared_protocol::ids::Bytes;
use shared_protocol::message::{Certificate, HandoverOutcome, Registration};
use shared_protocol::mirror::{FORMAT, MirroredEntry, Opening, Record};
use shared_protocol::{Amount, TerminalId, TillId};

use crate::screen::{HandoverState, Notice, Page, Pill, Refusal};
use crate::testing::{EVENT, FREE, LEAD, PIN, Rig, TERMINAL, certificate, config_signer};
use crate::{Action, Input, PART_BYTES_MAX, RECEIVED_MAX_BYTES, StorageFault};

const OTHER: TerminalId = TerminalId([0x88; 16]);

fn free(rig: &mut Rig, cents: i64, band: u8) {
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(cents),
    });
    rig.hold(band);
}

/// The journal of another phone, with so many orders.
struct Other {
    signer: Ed25519Signer,
    entries: Vec<MirroredEntry>,
    heads_every: usize,
}

impl Other {
    fn with(orders: u8) -> Self {
        let mut rig = Rig::offline();
        for number in 0..orders {
            free(&mut rig, 100, number);
        }
        let mut head = EpochStart::FIRST.root(OTHER);
        let mut entries = Vec::new();
        for ((_, seq), entry) in &rig.disk.entries {
            let bytes = Bytes(entry.bytes.clone());
            let previous = head;
            head = link(&previous, *seq, &entry.bytes);
            entries.push(MirroredEntry {
                seq: *seq,
                previous,
                bytes,
            });
        }
        Self {
            signer: Ed25519Signer::from_seed(&[9; 32]).unwrap(),
            entries,
            heads_every: 20,
        }
    }

    fn certificate(&self, by: &dyn Signer) -> Certificate {
        let registration = Registration {
            organisation: certificate(&self.signer)
                .read(&config_signer().public_key())
                .unwrap()
                .organisation,
            event: EVENT,
            terminal: OTHER,
            till: TillId(7),
            key: self.signer.public_key(),
            registered_at_ms: 1,
        };
        Certificate::issue(by, &registration).unwrap()
    }

    /// The copy of these entries.
    fn copy(&self, entries: std::ops::Range<usize>, by: &dyn Signer) -> Vec<u8> {
        let opening = Opening {
            format: FORMAT,
            epoch: EpochStart::FIRST,
            certificate: self.certificate(by),
        };
        let mut bytes = Record::Opening(opening).bytes();
        let entries = &self.entries[entries];
        for (number, entry) in (1..).zip(entries) {
            bytes.extend(Record::Entry(entry.clone()).bytes());
            if number % self.heads_every == 0 || number == entries.len() {
                let head = SignedHead::sign(&self.signer, OTHER, 1, entry.seq, entry.hash()).unwrap();
                bytes.extend(Record::Head(head).bytes());
            }
        }
        bytes
    }

    fn whole(&self) -> Vec<u8> {
        self.copy(0..self.entries.len(), &config_signer())
    }
}

fn receive(rig: &mut Rig, file: &[u8]) {
    rig.input(Input::Received(file.to_vec()));
}

#[test]
fn another_phones_copy_waits_over_a_restart_and_is_handed_over_in_parts_once() {
    let other = Other::with(100);
    let mut rig = Rig::offline();
    receive(&mut rig, &other.whole());
    assert_eq!(
        rig.screen().notice,
        Notice::CopyReceived {
            till: TillId(7),
            orders: 100,
            total: Amount(10_000)
        }
    );
    rig.crash();
    let waits = &rig.screen().received;
    assert_eq!((waits[0].orders, waits[0].state), (100, HandoverState::Waiting));
    rig.mend();
    assert!(rig.screen().received.is_empty());
    let parts = &rig.server.handed_over;
    assert!(parts.len() > 1 && parts.iter().all(|part| part.entries.len() <= 64));
    let sent: Vec<_> = parts.iter().flat_map(|part| part.entries.clone()).collect();
    let all: Vec<_> = other.entries.iter().map(|entry| entry.bytes.clone()).collect();
    assert_eq!(sent, all);
    assert!(
        parts
            .iter()
            .all(|part| part.head.verify(&other.signer.public_key(), OTHER).is_ok())
    );
    rig.crash();
    rig.mend();
    assert!(rig.screen().received.is_empty());
    assert_eq!(
        rig.server.handed_over.iter().flat_map(|part| &part.entries).count(),
        all.len()
    );
}

#[test]
fn a_copy_that_is_scanned_again_or_grew_is_there_once() {
    let other = Other::with(30);
    let mut rig = Rig::offline();
    receive(&mut rig, &other.copy(0..20, &config_signer()));
    receive(&mut rig, &other.copy(0..20, &config_signer()));
    assert_eq!(rig.screen().received.len(), 1);
    receive(&mut rig, &other.whole());
    assert_eq!((rig.screen().received.len(), rig.screen().received[0].orders), (1, 30));
    receive(&mut rig, &other.copy(10..20, &config_signer()));
    assert_eq!(rig.screen().received.len(), 1);
}

#[test]
fn a_copy_of_another_event_of_this_device_unsigned_or_damaged_is_refused() {
    let other = Other::with(10);
    let mut rig = Rig::offline();
    let stranger = Ed25519Signer::from_seed(&[3; 32]).unwrap();
    let mut unsigned = other.whole();
    unsigned.truncate(unsigned.len() - 150);
    let mut damaged = other.whole();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let mut hole = other.copy(0..5, &config_signer());
    hole.extend(other.copy(7..12, &config_signer()));
    let mut swapped = other.whole();
    let head = SignedHead::sign(&stranger, OTHER, 1, 3, other.entries[2].hash()).unwrap();
    swapped.extend(Record::Head(head).bytes());
    for wrong in [
        Vec::new(),
        b"junk".to_vec(),
        other.copy(0..other.entries.len(), &stranger),
        unsigned,
        damaged,
        hole,
        Record::Opening(Opening {
            format: FORMAT,
            epoch: EpochStart::FIRST,
            certificate: other.certificate(&config_signer()),
        })
        .bytes(),
    ] {
        receive(&mut rig, &wrong);
        assert_eq!(rig.refusal(), Refusal::NoCopy);
    }
    // A head that is not the terminal's is no reason to lose what is signed; that line is sent as it was signed.
    receive(&mut rig, &swapped);
    assert!(matches!(rig.screen().notice, Notice::CopyReceived { .. }));
    receive(&mut rig, &vec![0; RECEIVED_MAX_BYTES]);
    assert_eq!(rig.refusal(), Refusal::CopyTooLarge);
    assert_eq!(rig.screen().received.len(), 1);
}

#[test]
fn a_copy_is_not_said_to_be_here_before_the_disk_has_it() {
    let other = Other::with(5);
    let mut rig = Rig::offline();
    rig.disk_fault = Some(StorageFault::Full);
    receive(&mut rig, &other.whole());
    assert_eq!(rig.refusal(), Refusal::Storage(StorageFault::Full));
    assert!(rig.screen().received.is_empty());
    rig.disk_fault = None;
    receive(&mut rig, &other.whole());
    assert_eq!(rig.screen().received.len(), 1);
}

#[test]
fn a_server_that_does_not_take_a_copy_is_asked_again_with_the_next_connection() {
    let other = Other::with(5);
    let mut rig = Rig::online();
    rig.server.handover_outcome = Some(HandoverOutcome::Gap);
    receive(&mut rig, &other.whole());
    assert_eq!(
        rig.screen().received[0].state,
        HandoverState::Refused(HandoverOutcome::Gap)
    );
    rig.wait(60_000);
    rig.server.handover_outcome = None;
    rig.cut();
    rig.mend();
    assert!(rig.screen().received.is_empty());
    assert_eq!(rig.server.handed_over.len(), 1);
}

#[test]
fn a_part_whose_answer_is_lost_is_sent_again() {
    let other = Other::with(5);
    let mut rig = Rig::online();
    rig.server.silent = true;
    receive(&mut rig, &other.whole());
    assert_eq!(rig.screen().received[0].state, HandoverState::Sending);
    rig.server.silent = false;
    rig.wait(31_000);
    assert!(rig.screen().received.is_empty());
}

#[test]
fn a_device_with_copies_of_others_is_not_let_go() {
    let mut rig = Rig::online();
    rig.server.handover_outcome = Some(HandoverOutcome::UnknownTerminal);
    receive(&mut rig, &Other::with(5).whole());
    rig.hold_crew(LEAD);
    rig.act(Action::SwapCashier);
    rig.pin(PIN);
    rig.act(Action::Unregister);
    assert_eq!(rig.refusal(), Refusal::CopiesWait);
}

#[test]
fn what_the_server_lacks_can_be_copied_and_a_shift_ends_on_a_copy_that_somebody_has() {
    let mut rig = Rig::online();
    assert_eq!(rig.terminal.evacuable(), None);
    rig.cut();
    free(&mut rig, 500, 1);
    free(&mut rig, 500, 2);
    let what = rig.terminal.evacuable().unwrap();
    assert_eq!((what.terminal, what.epochs.len()), (TERMINAL, 1));
    let epoch = what.epochs[0];
    assert_eq!(
        (epoch.from_seq, epoch.to_seq),
        (rig.server.durable[&1].0 + 1, rig.disk.last(1).0)
    );
    let refused = |rig: &mut Rig| {
        rig.act(Action::EndShift);
        matches!(rig.refusal(), Refusal::Unsent { .. })
    };
    rig.input(Input::Copied {
        up_to: vec![(1, epoch.to_seq)],
    });
    assert!(refused(&mut rig), "made is not taken");
    rig.act(Action::CopyTaken);
    rig.crash();
    free(&mut rig, 300, 3);
    assert!(refused(&mut rig), "one order is not in the copy");
    let again = rig.terminal.evacuable().unwrap();
    rig.input(Input::Copied {
        up_to: vec![(1, again.epochs[0].to_seq)],
    });
    rig.act(Action::CopyTaken);
    rig.act(Action::EndShift);
    assert_eq!(rig.screen().page, Page::LoggedOut);
    assert!(matches!(rig.screen().pill, Pill::Offline { entries, .. } if entries > 0));
    rig.mend();
    assert_eq!(
        rig.server.orders.len(),
        3,
        "and it sends everything itself all the same"
    );
}

#[test]
fn a_part_fits_a_frame() {
    const { assert!(PART_BYTES_MAX + 8 * 1_024 < shared_protocol::limits::FRAME_FROM_TERMINAL_MAX_BYTES) };
}
