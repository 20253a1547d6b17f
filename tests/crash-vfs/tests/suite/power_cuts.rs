//! The instrument shows the damage that is known to be there, and none where there is none.

use crash_vfs::{Device, Image, Recorder, Tally, Variant};

use crate::book::{self, Damage, Mode, WAL_FULL, mode};

fn cut_everywhere(device: Device, mode: Mode) -> (Damage, Tally) {
    let disk = Recorder::on_device(device, Image::new());
    book::run(&disk, mode).unwrap();
    let log = disk.log();
    let mut points = log.crash_points();
    let mut damage = Damage::default();
    for crash in &mut points {
        damage.add(book::judge_crash(&crash));
    }
    let tally = points.tally();
    println!(
        "{} {} on {device:?}: {} operations, {} syncs, {tally}, {damage:?}",
        mode.journal,
        mode.synchronous,
        log.ops().len(),
        log.syncs()
    );
    (damage, tally)
}

#[test]
fn wal_with_full_sync_loses_nothing() {
    for device in [Device::PowersafeOverwrite, Device::PlainSectors] {
        let (damage, tally) = cut_everywhere(device, WAL_FULL);
        assert_eq!(damage, Damage::default(), "{device:?}");
        assert!(tally.unique > 300 && tally.images > tally.unique as u64, "{tally}");
    }
}

#[test]
fn wal_with_normal_sync_loses_acknowledged_orders_but_stays_whole() {
    let (damage, _) = cut_everywhere(Device::default(), mode("WAL", "NORMAL"));
    assert!(damage.lost > 0);
    assert_eq!((damage.corrupt, damage.half_applied), (0, 0));
}

#[test]
fn a_rollback_journal_without_syncs_is_corrupted() {
    let (damage, _) = cut_everywhere(Device::default(), mode("DELETE", "OFF"));
    assert!(damage.corrupt > 0 && damage.lost > 0);
}

/// The delete of the journal is the commit: without a sync of the directory the journal comes back and takes the order with it.
#[test]
fn a_deleted_journal_comes_back_unless_its_directory_is_synced() {
    let (damage, _) = cut_everywhere(Device::default(), mode("DELETE", "FULL"));
    assert!(damage.lost > 0);
    assert_eq!((damage.corrupt, damage.half_applied), (0, 0));
    let (damage, _) = cut_everywhere(Device::default(), mode("DELETE", "EXTRA"));
    assert_eq!(damage, Damage::default());
}

#[test]
fn a_truncated_journal_with_full_sync_loses_nothing() {
    let (damage, _) = cut_everywhere(Device::default(), mode("TRUNCATE", "FULL"));
    assert_eq!(damage, Damage::default());
}

/// The journals and write-ahead logs of `SQLite` differ in random salts from run to run, so the log is walked twice, not made twice.
#[test]
fn the_same_seed_makes_the_same_images_and_another_seed_others() {
    let disk = Recorder::new();
    book::run(&disk, mode("WAL", "NORMAL")).unwrap();
    let log = disk.log();
    let digests = |seed, subsets| -> Vec<u64> {
        let points = log.crash_points().seed(seed).subsets(subsets);
        points.map(|crash| crash.image().digest()).collect()
    };
    assert_eq!(digests(1, 4), digests(1, 4));
    assert_ne!(digests(1, 4), digests(2, 4));
    assert!(digests(1, 8).len() > digests(1, 4).len());
}

#[test]
fn the_last_cut_with_everything_is_the_disk_as_the_process_left_it() {
    let disk = Recorder::new();
    let mut connection = book::open(&disk, WAL_FULL).unwrap();
    book::create(&connection).unwrap();
    book::order(&mut connection, 1).unwrap();
    let living = disk.image();
    let log = disk.log();
    let ops = log.ops().len();
    let mut last = log.crash_points().cuts(ops..);
    assert!(last.any(|crash| crash.image().digest() == living.digest()));
    let first = log.crash_points().next().unwrap();
    assert_eq!(
        (first.cut(), first.variant(), first.image().names().count()),
        (0, Variant::Nothing, 0)
    );
}
