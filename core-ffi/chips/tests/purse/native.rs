//! A purse that the chip keeps itself: separate keys for debit and credit, one commit.

use chips::desfire::{NativeFiles, NativeIntent, NativeTap, load_native};
use chips::purse::{LoadRefusal, Outcome, PlanRefusal, Resolution};
use chips::simulated::{DesfireChip, Fault, SimulatedBatch, SimulatedField, Tear};
use chips::ultralight::LinkFault;
use chips::{Capabilities, Field as _, FieldFault, KeyRole, MemoryKeys, identify};
use shared_protocol::purse::cipher::chip_key;
use shared_protocol::purse::{AesKey, ChainId, Purpose};

use crate::common::settings;

type Reader = SimulatedField<DesfireChip>;

const FILES: NativeFiles = NativeFiles {
    application: [0x47, 0x52, 0x4F],
    value_file: 1,
    record_file: 2,
    debit_key: 1,
    credit_key: 2,
};
const RANDOM: [u8; 16] = *b"sixteen bytes 1.";

struct Stand {
    desk: MemoryKeys,
    sale: MemoryKeys,
    reader: Reader,
}

fn stand() -> Stand {
    let batch = SimulatedBatch::new(settings(), 6);
    let uid = batch.uid(0);
    let Ok(credit) = chip_key(&AesKey::new(&[0x21; 16]), uid, Purpose::Auth, 1);
    let desk_key = [0x21; 16];
    let mut desk = batch.sale_keys();
    desk.insert(6, KeyRole::Chain(ChainId::Desk), &desk_key);
    let chip = DesfireChip::new(uid, FILES, batch.chip_key(0, Purpose::Auth), credit);
    Stand {
        desk,
        sale: batch.sale_keys(),
        reader: SimulatedField::new(chip),
    }
}

impl Stand {
    fn tap(&mut self, credits: bool) -> Result<NativeTap<&mut Reader>, LoadRefusal> {
        let selected = self
            .reader
            .reselect()
            .map_err(|fault| LoadRefusal::Link(fault.into()))?;
        let keys = if credits { &self.desk } else { &self.sale };
        load_native(&mut self.reader, &selected, keys, (6, 1), FILES, credits, RANDOM)
    }

    fn does(&mut self, cents: i32) -> (NativeIntent, Outcome) {
        self.reader.restart();
        let mut tap = self.tap(cents > 0).expect("a purse");
        let intent = tap.plan(cents, 9, 3).expect("a plan");
        (intent, tap.commit(&intent).0)
    }
}

#[test]
fn a_desk_credits_and_a_till_debits_in_one_commit_each() {
    let mut stand = stand();
    let selected = stand.reader.reselect().unwrap();
    assert_eq!(
        identify(&mut stand.reader, &selected).unwrap().capabilities,
        Capabilities::DESFIRE
    );
    assert_eq!(stand.does(4_000).1, Outcome::Committed);
    assert_eq!(stand.does(-450).1, Outcome::Committed);
    assert_eq!(
        stand.reader.exchanges(),
        8,
        "select, two of authentication, two reads, debit, record, commit"
    );
    stand.reader.restart();
    let tap = stand.tap(false).unwrap();
    assert_eq!(
        (tap.balance, tap.newest.map(|newest| newest.sequence)),
        (3_550, Some(2))
    );
    assert!(matches!(tap.plan(-3_551, 9, 3), Err(PlanRefusal::TooLow { .. })));
    assert_eq!(tap.plan(50, 9, 3), Err(PlanRefusal::WrongChainKey));
}

#[test]
fn the_debit_key_cannot_credit_whatever_the_till_says() {
    let mut stand = stand();
    stand.does(1_000);
    stand.reader.restart();
    // A thief who changed the till's program: he says that his key may credit.
    let files = NativeFiles {
        credit_key: FILES.debit_key,
        ..FILES
    };
    let keys = {
        let batch = SimulatedBatch::new(settings(), 6);
        let mut keys = batch.sale_keys();
        keys.insert(6, KeyRole::Chain(ChainId::Desk), &master_of_auth());
        keys
    };
    let selected = stand.reader.reselect().unwrap();
    let mut tap = load_native(&mut stand.reader, &selected, &keys, (6, 1), files, true, RANDOM).unwrap();
    let intent = tap.plan(9_000, 9, 3).unwrap();
    assert_eq!(tap.commit(&intent).0, Outcome::Void);
    drop(tap);
    assert_eq!(stand.reader.chip.value(), 1_000);
}

/// The master that [`SimulatedBatch`] gives its role of authentication.
fn master_of_auth() -> [u8; 16] {
    let mut key = [7; 16];
    key[..2].copy_from_slice(&6_u16.to_le_bytes());
    key
}

#[test]
fn a_transaction_cut_anywhere_happens_whole_or_not_at_all_and_the_next_tap_tells() {
    let faults = [
        Fault::RemovedBefore,
        Fault::RemovedAfter,
        Fault::Torn(Tear::NotStarted),
        Fault::Torn(Tear::Done),
    ];
    let (mut committed, mut void) = (0, 0);
    for cents in [-450, 700] {
        for exchange in 0..8 {
            for fault in faults {
                let mut stand = stand();
                stand.does(4_000);
                stand.reader.restart();
                stand.reader.faults.insert(exchange, fault);
                let attempt = stand.tap(cents > 0).map(|mut tap| {
                    let intent = tap.plan(cents, 9, 3).expect("a plan");
                    (intent, tap.commit(&intent).0)
                });
                let value = stand.reader.chip.value();
                assert!([4_000, 4_000 + cents].contains(&value), "{exchange} {fault:?}");
                stand.reader.restart();
                let (intent, outcome) = match attempt {
                    Ok(done) => done,
                    Err(LoadRefusal::Link(_)) => {
                        assert_eq!(value, 4_000);
                        continue;
                    }
                    Err(other) => panic!("{other}"),
                };
                assert_ne!(outcome, Outcome::Committed);
                let tap = stand.tap(cents > 0).expect("a purse");
                match tap.resolve(&intent) {
                    Resolution::Committed => {
                        assert_eq!((value, outcome), (4_000 + cents, Outcome::Unknown));
                        committed += 1;
                    }
                    Resolution::Void => {
                        assert_eq!(value, 4_000);
                        void += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!((committed, void), (4, 20));
}

#[test]
fn a_frame_that_is_changed_on_the_air_ends_the_conversation() {
    struct Changed<'a>(&'a mut Reader, usize);
    impl chips::Field for Changed<'_> {
        fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
            let mut answer = self.0.transceive(frame)?;
            if self.0.exchanges() == self.1
                && let Some(byte) = answer.first_mut()
            {
                *byte ^= 1;
            }
            Ok(answer)
        }
        fn reselect(&mut self) -> Result<chips::Selected, FieldFault> {
            self.0.reselect()
        }
    }
    for exchange in 2..=5 {
        let mut stand = stand();
        stand.does(4_000);
        stand.reader.restart();
        let selected = stand.reader.reselect().unwrap();
        let field = Changed(&mut stand.reader, exchange);
        let refused = load_native(field, &selected, &stand.sale, (6, 1), FILES, false, RANDOM);
        assert!(
            matches!(
                refused,
                Err(LoadRefusal::Link(LinkFault::BadMac | LinkFault::NotAuthentic))
            ),
            "{exchange}"
        );
    }
}
