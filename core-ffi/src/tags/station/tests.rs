use std::path::Path;

use chips::simulated::{
    Fault, IdentityChip, SimulatedField, Tear, UltralightAesChip, VirtualChip, simulated_maker, simulated_signature,
};
use chips::{Field as _, KeyRole};
use shared_protocol::AssetId;
use shared_protocol::purse::PurseSettings;

use super::*;
use crate::purse_keys::{BatchKeys, KeyFile, Role};
use crate::tags::work::ReadList;
use crate::tags::{Opened, audit, inspect};

/// Short chains: what is tested here does not walk them.
fn settings() -> PurseSettings {
    PurseSettings {
        length: [8, 8, 8],
        ..PurseSettings::usual(77)
    }
}

fn keys() -> SealedKeys {
    let mut batch = BatchKeys::known(5, settings());
    batch.vouchers = vec![AssetId(1)];
    SealedKeys::from(&KeyFile {
        role: Role::Encoder,
        batches: vec![batch],
    })
}

fn uid(number: u8) -> Uid {
    Uid([4, 1, 2, 3, 4, number, 0x80])
}

fn chip(number: u8) -> UltralightAesChip {
    UltralightAesChip::factory(uid(number)).with_signature(simulated_signature(uid(number)))
}

fn station<'a>(keys: &'a SealedKeys, folder: &Path) -> Station<'a> {
    of_makers(keys, folder, vec![simulated_maker()])
}

fn of_makers<'a>(keys: &'a SealedKeys, folder: &Path, makers: Vec<[u8; 49]>) -> Station<'a> {
    let of_batch = (5, keys.facts(5).unwrap());
    Station::open(keys, of_batch, 0, makers, folder, "A").unwrap()
}

fn held<C: VirtualChip>(station: &mut Station<'_>, reader: &mut SimulatedField<C>) -> Verdict {
    reader.restart();
    let selected = reader.chip.selected();
    station.hold(reader, &selected).unwrap()
}

fn made(verdict: Verdict) -> (Made, bool) {
    match verdict {
        Verdict::Good { made, resumed, .. } => (made, resumed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wristband_is_good_once_and_its_purse_opens_to_nothing() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), keys());
    let mut station = station(&keys, dir.path());
    let mut reader = SimulatedField::new(chip(1));
    let (first, resumed) = made(held(&mut station, &mut reader));
    assert_eq!((first.index, first.number.as_str(), resumed), (0, "A000001", false));
    assert_eq!(first.pin.len(), 12);
    assert_eq!(held(&mut station, &mut reader), Verdict::Already(first.clone()));

    let list = ReadList::open(&station.work().list_path(), &keys).unwrap();
    assert_eq!((list.uids.len(), list.vouchers.as_slice()), (1, &[AssetId(1)][..]));
    reader.restart();
    let selected = reader.reselect().unwrap();
    let lists = BTreeMap::from([(5, list.list)]);
    let found = inspect(&mut reader, &selected, &keys, &lists, &[simulated_maker()]).unwrap();
    assert_eq!(found.failing, []);
    assert_eq!(found.text, "A000001");
    match found.opened {
        Some(Opened::Purse(purse)) => assert_eq!(purse.balance(None).0, 0),
        other => panic!("{other:?}"),
    }
}

/// Pulled away at every exchange, whatever the page then holds: held again the chip is good, or it is named as one for the bin, and never
/// counted as good with a lock that is open.
#[test]
fn a_chip_torn_at_any_exchange_is_good_in_the_end_or_rejected_by_name() {
    let keys = keys();
    let count = {
        let dir = tempfile::tempdir().unwrap();
        let mut reader = SimulatedField::new(chip(1));
        made(held(&mut of_makers(&keys, dir.path(), Vec::new()), &mut reader));
        reader.exchanges()
    };
    assert!(count > 60, "{count}");
    let (mut good, mut rejected) = (0, 0);
    let pulled = [Fault::RemovedBefore, Fault::RemovedAfter];
    let torn = Tear::OF_A_PAGE.map(Fault::Torn);
    for fault in pulled.into_iter().chain(torn) {
        let dir = tempfile::tempdir().unwrap();
        // Curves take most of the time and add nothing to a tear.
        let mut station = of_makers(&keys, dir.path(), Vec::new());
        for exchange in 0..count {
            let number = u8::try_from(exchange).unwrap();
            let mut reader = SimulatedField::new(chip(number));
            reader.faults.insert(exchange, fault);
            let selected = reader.chip.selected();
            let broken = station.hold(&mut reader, &selected).unwrap();
            assert!(
                matches!(broken, Verdict::Again { .. }),
                "{exchange} {fault:?}: {broken:?}"
            );
            let begun = station.work().begun(uid(number));
            match held(&mut station, &mut reader) {
                Verdict::Good { made, resumed, .. } => {
                    assert_eq!(
                        (Some(made.index).filter(|_| resumed), resumed),
                        (begun, begun.is_some())
                    );
                    reader.restart();
                    let selected = reader.reselect().unwrap();
                    assert_eq!(
                        audit(&mut reader, &selected, &keys, &[]).unwrap(),
                        [],
                        "{exchange} {fault:?}"
                    );
                    good += 1;
                }
                // A tear that leaves other bytes than the old or the new ones can hit a lock or a configuration page.
                other @ (Verdict::Rejected { .. } | Verdict::Refused(_) | Verdict::Again { .. }) => {
                    let whole = [Tear::NotStarted, Tear::Done, Tear::AllZero].map(Fault::Torn);
                    let open = !whole.contains(&fault) && !pulled.contains(&fault);
                    assert!(open, "{exchange} {fault:?}: {other:?}");
                    assert!(station.work().find(uid(number)).is_none());
                    rejected += 1;
                }
                Verdict::Already(_) => panic!("{exchange} {fault:?}: counted before it was read back"),
            }
        }
        let listed = ReadList::open(&station.work().list_path(), &keys).unwrap();
        assert_eq!(listed.uids.len(), station.work().made().count());
    }
    println!("{count} exchanges, {good} good after a tear, {rejected} rejected");
    assert!(good > 15 * rejected, "{good} good, {rejected} rejected");
}

#[test]
fn places_survive_the_power_and_are_never_given_twice() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), keys());
    let mut torn = SimulatedField::new(chip(1));
    {
        let mut station = station(&keys, dir.path());
        torn.faults.insert(20, Fault::RemovedBefore);
        let selected = torn.chip.selected();
        assert!(matches!(
            station.hold(&mut torn, &selected).unwrap(),
            Verdict::Again { .. }
        ));
        assert_eq!(made(held(&mut station, &mut SimulatedField::new(chip(2)))).0.index, 1);
    }
    // A line that was being written when the power went, and a list that is behind.
    let bands = dir.path().join("bands.csv");
    let mut text = std::fs::read_to_string(&bands).unwrap();
    text.push_str("7,0401");
    std::fs::write(&bands, text).unwrap();
    std::fs::remove_file(dir.path().join("batch.list")).unwrap();
    let mut station = station(&keys, dir.path());
    let (first, resumed) = made(held(&mut station, &mut torn));
    assert_eq!((first.index, resumed), (0, true));
    assert_eq!(made(held(&mut station, &mut SimulatedField::new(chip(3)))).0.index, 2);
    let list = ReadList::open(&station.work().list_path(), &keys).unwrap();
    assert_eq!(list.uids, BTreeMap::from([(0, uid(1)), (1, uid(2)), (2, uid(3))]));
    assert_eq!(std::fs::read_to_string(&bands).unwrap().lines().count(), 4);
}

#[test]
fn two_encoders_cannot_work_in_one_folder() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), keys());
    let _first = station(&keys, dir.path());
    let of_batch = (5, keys.facts(5).unwrap());
    let second = Station::open(&keys, of_batch, 0, Vec::new(), dir.path(), "A");
    assert!(matches!(second.err(), Some(StationFault::Work(WorkFault::Busy(_)))));
}

#[test]
fn what_is_not_ours_is_refused_and_stays_as_it_was() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), keys());
    let mut station = station(&keys, dir.path());
    let mut counterfeit = SimulatedField::new(UltralightAesChip::factory(uid(1)));
    let why = Reject::Counterfeit;
    assert_eq!(
        held(&mut station, &mut counterfeit),
        Verdict::Rejected { uid: uid(1), why }
    );
    let mut used = chip(2);
    used.set_counter(2, 7);
    assert_eq!(
        held(&mut station, &mut SimulatedField::new(used)),
        Verdict::Refused(NotHere::Used)
    );
    let mut ntag = SimulatedField::new(IdentityChip::ntag213(uid(3).tag()));
    assert_eq!(held(&mut station, &mut ntag), Verdict::Refused(NotHere::IdOnly));
    let mut classic = SimulatedField::new(IdentityChip::classic(uid(4).tag()));
    assert_eq!(
        held(&mut station, &mut classic),
        Verdict::Refused(NotHere::Kind(Refused::Classic))
    );
    let mut elsewhere = chip(5);
    let header = header(keys.facts(5).unwrap(), 9, 3, 0);
    let bytes = header.bytes();
    let [p4, p5] = bytes.as_chunks::<4>().0 else { panic!() };
    elsewhere.set_page(4, *p4);
    elsewhere.set_page(5, *p5);
    assert_eq!(
        held(&mut station, &mut SimulatedField::new(elsewhere)),
        Verdict::Refused(NotHere::Elsewhere(header))
    );
    let mut locked = chip(6);
    locked.set_page(0x2D, [0xE0, 0, 0, 0]);
    locked.set_page(0x30, [1; 4]);
    assert_eq!(
        held(&mut station, &mut SimulatedField::new(locked)),
        Verdict::Refused(NotHere::EncodedBefore)
    );
    assert_eq!((station.work().made().count(), station.work().rejected()), (0, 1));
}

#[test]
fn a_list_that_was_changed_or_made_with_other_keys_is_not_believed() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), keys());
    let mut station = station(&keys, dir.path());
    made(held(&mut station, &mut SimulatedField::new(chip(1))));
    let path = station.work().list_path();
    let bytes = std::fs::read(&path).unwrap();
    let stranger = SealedKeys::from(&KeyFile {
        role: Role::Encoder,
        batches: vec![BatchKeys::generate(5, settings(), Vec::new()).unwrap()],
    });
    assert!(matches!(
        ReadList::open(&path, &stranger),
        Err(WorkFault::NotVouched(_))
    ));
    let mut changed = bytes.clone();
    let place = changed.len() - 20;
    changed[place] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert!(ReadList::open(&path, &keys).is_err());
    let mac = [KeyRole::Mac, KeyRole::Chain(shared_protocol::purse::ChainId::Server)];
    assert_eq!(Role::Server.keys(), mac, "the server can check a list");
}
