use chips::Field as _;
use chips::simulated::{SimulatedBatch, SimulatedField, VirtualChip as _};
use shared_protocol::purse::PurseSettings;

use super::*;

fn tried(change: impl FnOnce(&mut chips::simulated::UltralightAesChip)) -> (Vec<Gate>, u32, bool) {
    let batch = SimulatedBatch::new(PurseSettings::usual(77), 5);
    let mut reader = SimulatedField::new(batch.chip(0));
    change(&mut reader.chip);
    reader.restart();
    let before: Vec<_> = (4..0x28).map(|page| reader.chip.page(page)).collect();
    let selected = reader.reselect().unwrap();
    let gates = gates(&mut reader, &selected, &batch.sale_keys()).unwrap();
    reader.chip.power_off();
    let same = before == (4..0x28).map(|page| reader.chip.page(page)).collect::<Vec<_>>();
    (gates, reader.chip.counter(2), same)
}

fn failed(gates: &[Gate]) -> Vec<Trial> {
    gates
        .iter()
        .filter(|gate| !gate.passed)
        .map(|gate| gate.trial)
        .collect()
}

#[test]
fn a_virtual_chip_passes_all_gates_and_keeps_its_pages() {
    let (gates, counter, same) = tried(|_| {});
    assert_eq!((failed(&gates), counter, same), (Vec::new(), ADDEND, true));
    assert_eq!(gates.len(), 6);
    assert!(gates.iter().any(|gate| gate.figures == "0 + 7 = 7"));
    let timed = gates.iter().filter(|gate| gate.took.is_some()).count();
    assert_eq!(timed, 4);
}

#[test]
fn a_chip_with_open_locks_fails_the_gate_of_the_lock() {
    let (gates, ..) = tried(|chip| {
        let [b0, b1, ..] = chip.page(2);
        chip.set_page(2, [b0, b1, 0x70, 0]);
    });
    assert_eq!(failed(&gates), [Trial::HeaderLocked]);
    assert!(gates.iter().any(|gate| gate.figures == "open: 07"));
    let (gates, ..) = tried(|chip| chip.set_page(0x2A, [0x80, 5, 0, 0]));
    assert_eq!(failed(&gates), [Trial::ConfigurationLocked]);
}

#[test]
fn what_has_no_purse_is_not_tried() {
    let batch = SimulatedBatch::new(PurseSettings::usual(77), 5);
    let mut reader = SimulatedField::new(chips::simulated::UltralightAesChip::factory(batch.uid(0)));
    let selected = reader.reselect().unwrap();
    let fault = gates(&mut reader, &selected, &batch.sale_keys()).unwrap_err();
    assert!(matches!(fault, GatesFault::NoPurse));
}
