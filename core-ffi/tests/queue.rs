//! The offline queue against power cuts and failing disks: what was stored is there, what was not is not, and nothing is half there.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use core_ffi::{MemoryQueue, Queue, QueueError, SqliteQueue};
use crash_vfs::{Fault, Recorder};
use fixtures::paper::PaperTill;
use shared_protocol::TerminalId;
use shared_protocol::chain::{EpochStart, SignedHead, link};
use shared_protocol::crypto::{Ed25519Signer, Signer};
use shared_protocol::ids::Bytes;
use shared_protocol::stream::{Change, Stream, Version};
use terminal::{MetaKey, StoredEntry, Write};

const TERMINAL: TerminalId = TerminalId([1; 16]);

/// Entries of an epoch with their true hashes.
fn entries(count: u64) -> Vec<StoredEntry> {
    let mut head = EpochStart::FIRST.root(TERMINAL);
    (1..=count)
        .map(|seq| {
            let bytes = vec![u8::try_from(seq % 251).unwrap(); 300];
            head = link(&head, seq, &bytes);
            StoredEntry {
                epoch: 1,
                seq,
                hash: head,
                bytes,
            }
        })
        .collect()
}

fn head(entry: &StoredEntry) -> SignedHead {
    let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
    SignedHead::sign(&signer, TERMINAL, 1, entry.seq, entry.hash).unwrap()
}

/// What a till writes while it sells: an order, now and then its head, the cart beside it, acknowledgements, a stream.
fn script(count: u64) -> Vec<Vec<Write>> {
    let config_key = PaperTill::signer(42);
    let till = *fixtures::sample::config().tills.keys().next().unwrap();
    let certificate = PaperTill::new(till, 1).certificate(&config_key);
    let identity = terminal::identity_meta(&certificate, &config_key.public_key());
    let registered = Write::Meta {
        key: MetaKey::Identity,
        value: Some(identity),
    };
    let mut writes = vec![vec![registered, Write::Epoch(EpochStart::FIRST)]];
    for entry in entries(count) {
        let seq = entry.seq;
        let signed = head(&entry);
        let mut write = vec![
            Write::Entry(entry),
            Write::Meta {
                key: MetaKey::Cart,
                value: (seq % 2 == 0).then(|| vec![7; 40]),
            },
        ];
        if seq.is_multiple_of(5) {
            let change = Change {
                key: Bytes(vec![1]),
                value: Some(Bytes(seq.to_be_bytes().to_vec())),
            };
            let version = Version {
                generation: 1,
                rev: seq,
            };
            write.push(Write::Stream {
                stream: Stream::Config,
                version,
                snapshot: seq == 5,
                changes: vec![change],
            });
        }
        writes.push(write);
        if seq.is_multiple_of(3) {
            writes.push(vec![Write::Head(signed), Write::Acked { epoch: 1, seq: seq - 1 }]);
        }
    }
    writes
}

fn last_entry(writes: &[Write]) -> Option<u64> {
    writes.iter().rev().find_map(|write| {
        if let Write::Entry(entry) = write {
            Some(entry.seq)
        } else {
            None
        }
    })
}

/// Opens what a cut left and checks that it is a prefix of the script with everything that was promised.
fn check(disk: &Recorder, promised: u64, context: &str) {
    let all = entries(20);
    let mut queue = SqliteQueue::open("queue.db".as_ref(), Some(disk.vfs_name()))
        .unwrap_or_else(|error| panic!("{error}: {context}"));
    let found = queue.fetch(1, 1, 100).unwrap();
    let count = found.entries.len() as u64;
    assert!(
        count >= promised,
        "{promised} entries were shown as paid, {count} are there: {context}"
    );
    assert_eq!(found.entries, all[..usize::try_from(count).unwrap()], "{context}");
    assert!(
        found
            .heads
            .iter()
            .all(|head| head.seq <= count && head.hash == all[usize::try_from(head.seq - 1).unwrap()].hash),
        "{context}"
    );
    queue.restore().unwrap_or_else(|error| panic!("{error}: {context}"));
    // It goes on selling.
    if count > 0 && count < 20 {
        queue
            .write(&[Write::Entry(all[usize::try_from(count).unwrap()].clone())])
            .unwrap_or_else(|error| panic!("{error}: {context}"));
    }
}

#[test]
fn no_power_cut_takes_back_what_was_shown_as_paid() {
    let disk = Recorder::new();
    let mut queue = SqliteQueue::open("queue.db".as_ref(), Some(disk.vfs_name())).unwrap();
    for writes in script(20) {
        queue.write(&writes).unwrap();
        if let Some(seq) = last_entry(&writes) {
            disk.mark(seq);
        }
    }
    drop(queue);
    let log = disk.log();
    let mut points = log.crash_points().subsets(4).seed(1);
    for crash in &mut points {
        let promised = crash.numbers().max().unwrap_or(0);
        check(&crash.recorder(), promised, &crash.to_string());
    }
    println!("queue, one cut: {}", points.tally());
}

#[test]
fn a_second_cut_while_it_starts_again_takes_nothing_either() {
    let disk = Recorder::new();
    let mut queue = SqliteQueue::open("queue.db".as_ref(), Some(disk.vfs_name())).unwrap();
    for writes in script(6) {
        queue.write(&writes).unwrap();
        if let Some(seq) = last_entry(&writes) {
            disk.mark(seq);
        }
    }
    drop(queue);
    let log = disk.log();
    let cuts = log.ops().len();
    let mut points = log
        .crash_points()
        .subsets(1)
        .seed(2)
        .cuts(cuts.saturating_sub(12)..=cuts);
    let mut second_images = 0;
    for crash in &mut points {
        let again = crash.recorder();
        drop(SqliteQueue::open("queue.db".as_ref(), Some(again.vfs_name())).unwrap());
        let second_log = again.log();
        for second in second_log.crash_points().subsets(1).seed(3) {
            let promised = crash.numbers().chain(second.numbers()).max().unwrap_or(0);
            check(&second.recorder(), promised, &format!("{crash}, then {second}"));
            second_images += 1;
        }
    }
    println!("queue, two cuts: {}, {second_images} second images", points.tally());
}

#[test]
fn a_failing_disk_is_an_error_and_never_a_lie() {
    for (fault, name) in [
        (Fault::Enospc, "full"),
        (Fault::Eio, "broken"),
        (Fault::EioOnSync, "sync"),
    ] {
        let mut runs = 0_u64;
        for n in 1.. {
            let disk = Recorder::new();
            disk.fail_nth(n, fault, false);
            let mut promised = 0;
            if let Ok(mut queue) = SqliteQueue::open("queue.db".as_ref(), Some(disk.vfs_name())) {
                for writes in script(8) {
                    match queue.write(&writes) {
                        Ok(()) => promised = last_entry(&writes).unwrap_or(promised),
                        // After an entry that was not stored the next one would leave a hole: that is refused too.
                        Err(QueueError::NotStored(_)) => {}
                        Err(QueueError::Unknown(_)) => break,
                        Err(error) => panic!("{error} at {n} ({name})"),
                    }
                }
            }
            let hit = disk.faults_hit();
            disk.clear_fault();
            if hit == 0 {
                break;
            }
            runs += 1;
            check(&disk, promised, &format!("{name} at operation {n}"));
        }
        assert!(runs > 10, "the {name} disk was met {runs} times");
        println!("queue, {name}: {runs} runs");
    }
}

#[test]
fn a_hole_a_repetition_and_an_unknown_epoch_are_refused_by_both_queues() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = SqliteQueue::open(&dir.path().join("queue.db"), None).unwrap();
    let all = entries(3);
    let tries = vec![
        vec![Write::Entry(all[0].clone())],
        vec![Write::Epoch(EpochStart::FIRST)],
        vec![Write::Entry(all[0].clone())],
        vec![Write::Entry(all[0].clone())],
        vec![Write::Entry(all[2].clone())],
        vec![Write::Entry(all[1].clone()), Write::Entry(all[2].clone())],
    ];
    let wanted = [false, true, true, false, false, true];
    assert_eq!(answers(sqlite, &tries), wanted);
    assert_eq!(answers(MemoryQueue::default(), &tries), wanted);
}

fn answers<Q: Queue>(mut queue: Q, tries: &[Vec<Write>]) -> Vec<bool> {
    tries.iter().map(|writes| queue.write(writes).is_ok()).collect()
}

#[test]
fn both_queues_give_back_the_same_and_the_file_is_never_changed_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db");
    let (mut sqlite, mut memory) = (SqliteQueue::open(&path, None).unwrap(), MemoryQueue::default());
    for writes in script(20) {
        sqlite.write(&writes).unwrap();
        memory.write(&writes).unwrap();
    }
    for (from, max) in [(1, 100), (7, 5), (20, 1), (21, 1)] {
        let (left, right) = (sqlite.fetch(1, from, max).unwrap(), memory.fetch(1, from, max).unwrap());
        assert_eq!(left, right);
    }
    assert_eq!(sqlite.fetch(1, 7, 1).unwrap().previous, Some(entries(6)[5].hash));
    drop(sqlite);
    let raw = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        "UPDATE entries SET bytes = x'00'",
        "DELETE FROM entries",
        "DELETE FROM heads",
        "UPDATE heads SET hash = x'00'",
    ] {
        assert!(raw.execute(sql, []).is_err(), "{sql}");
    }
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    assert!(matches!(
        SqliteQueue::open(&path, None),
        Err(QueueError::Newer { found: 99 })
    ));
    std::fs::write(
        &path,
        b"this is no database, it is a text that is long enough to be looked at",
    )
    .unwrap();
    assert!(matches!(SqliteQueue::open(&path, None), Err(QueueError::Unreadable(_))));
}
