use std::collections::BTreeMap;

use chips::Field as _;
use chips::simulated::{SimulatedField, UltralightAesChip, VirtualChip as _, simulated_maker, simulated_signature};
use shared_protocol::purse::PurseSettings;

use super::*;
use crate::purse_keys::{BatchKeys, KeyFile, Role, SealedKeys};
use crate::tags::station::{Station, Verdict};

const UID: Uid = Uid([4, 1, 2, 3, 4, 5, 0x80]);

fn keys() -> SealedKeys {
    let settings = PurseSettings {
        length: [8, 8, 8],
        ..PurseSettings::usual(77)
    };
    SealedKeys::from(&KeyFile {
        role: Role::Encoder,
        batches: vec![BatchKeys::known(5, settings)],
    })
}

fn encoded(keys: &SealedKeys) -> UltralightAesChip {
    let dir = tempfile::tempdir().unwrap();
    let of_batch = (5, keys.facts(5).unwrap());
    let mut station = Station::open(keys, of_batch, 0, vec![simulated_maker()], dir.path(), "").unwrap();
    let mut reader = SimulatedField::new(UltralightAesChip::factory(UID).with_signature(simulated_signature(UID)));
    let selected = reader.chip.selected();
    let verdict = station.hold(&mut reader, &selected).unwrap();
    assert!(matches!(verdict, Verdict::Good { .. }), "{verdict:?}");
    reader.chip
}

fn failing(chip: UltralightAesChip, keys: &SealedKeys) -> Vec<Failing> {
    let mut reader = SimulatedField::new(chip);
    reader.restart();
    let selected = reader.reselect().unwrap();
    audit(&mut reader, &selected, keys, &[simulated_maker()]).unwrap()
}

#[test]
fn each_single_protection_that_is_missing_is_found() {
    let keys = keys();
    let whole = encoded(&keys);
    assert_eq!(failing(whole.clone(), &keys), []);
    let [l0, l1, ..] = whole.page(2);
    let cases: BTreeMap<&str, (u8, [u8; 4], Vec<Failing>)> = BTreeMap::from([
        (
            "keys not locked",
            (0x2D, [0x20, 0, 0, 0], vec![Failing::Unfit(Unfit::KeysOpen)]),
        ),
        (
            "key locks not frozen",
            (0x2D, [0xC0, 0, 0, 0], vec![Failing::Unfit(Unfit::KeysOpen)]),
        ),
        (
            "header not locked",
            (0x02, [l0, l1, 0x70, 0], vec![Failing::Unfit(Unfit::HeaderOpen)]),
        ),
        (
            "no channel",
            (0x29, [0, 0, 0, 8], vec![Failing::Unfit(Unfit::NoChannel)]),
        ),
        ("random id", (0x29, [3, 0, 0, 8], vec![Failing::Kind])),
        (
            "guard begins too late",
            (
                0x29,
                [2, 0, 0, 0x0C],
                vec![Failing::ReadsOpen, Failing::Unfit(Unfit::PagesOpen)],
            ),
        ),
        (
            "reading is free",
            (
                0x2A,
                [0x40, 5, 0, 0],
                vec![Failing::ReadsOpen, Failing::Unfit(Unfit::PagesOpen)],
            ),
        ),
        (
            "configuration not locked",
            (0x2A, [0x80, 5, 0, 0], vec![Failing::Unfit(Unfit::ConfigurationOpen)]),
        ),
        (
            "counting is free",
            (0x2A, [0xC8, 5, 0, 0], vec![Failing::Unfit(Unfit::CounterOpen)]),
        ),
        (
            "reading the counter is free",
            (0x2A, [0xC4, 5, 0, 0], vec![Failing::Unfit(Unfit::CounterOpen)]),
        ),
        (
            "a few wrong keys kill it",
            (
                0x2A,
                [0xC0, 5, 100, 0],
                vec![Failing::Unfit(Unfit::AuthenticationLimited)],
            ),
        ),
        ("another key", (0x30, [9; 4], vec![Failing::OtherKey])),
        ("no header", (0x04, [0; 4], vec![Failing::NoHeader])),
        (
            "a batch whose keys are not here",
            (0x04, [0xF2, 1, 6, 0], vec![Failing::KeysNotHere]),
        ),
    ]);
    for (name, (page, bytes, wanted)) in cases {
        let mut chip = whole.clone();
        chip.set_page(page, bytes);
        assert_eq!(failing(chip, &keys), wanted, "{name}");
    }
    let mut factory_id_key = whole.clone();
    let mut factory_key = whole.clone();
    for page in 0..4 {
        factory_id_key.set_page(0x34 + page, [0; 4]);
        factory_key.set_page(0x30 + page, [0; 4]);
    }
    assert_eq!(failing(factory_id_key, &keys), [Failing::FactoryIdKey]);
    assert_eq!(failing(factory_key, &keys), [Failing::FactoryKey, Failing::OtherKey]);
    assert_eq!(failing(whole.with_signature([0; 48]), &keys), [Failing::Counterfeit]);
}

#[test]
fn a_chip_from_the_factory_fails_by_name() {
    let chip = UltralightAesChip::factory(UID).with_signature(simulated_signature(UID));
    assert_eq!(
        failing(chip, &keys()),
        [Failing::FactoryKey, Failing::FactoryIdKey, Failing::NoHeader]
    );
}

#[test]
fn an_audit_changes_nothing_on_the_chip() {
    let keys = keys();
    let whole = encoded(&keys);
    let mut reader = SimulatedField::new(whole.clone());
    let selected = reader.reselect().unwrap();
    audit(&mut reader, &selected, &keys, &[]).unwrap();
    assert_eq!(reader.chip.fingerprint(), whole.fingerprint());
}
