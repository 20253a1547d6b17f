use super::*;
use crate::crypto::{Ed25519Signer, Signer as _};
use crate::ids::{EventId, OrganisationId, TillId};

const TERMINAL: TerminalId = TerminalId([7; 16]);

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[3; 32]).unwrap()
}

fn opening(event: u8) -> Opening {
    let registration = Registration {
        organisation: OrganisationId([1; 16]),
        event: EventId([event; 16]),
        terminal: TERMINAL,
        till: TillId(4),
        key: signer().public_key(),
        registered_at_ms: 5,
    };
    Opening {
        format: FORMAT,
        epoch: EpochStart::FIRST,
        certificate: Certificate::issue(&signer(), &registration).unwrap(),
    }
}

/// An opening, so many entries of growing size, and a head.
fn journal(entries: u64) -> Vec<Record> {
    let mut records = vec![Record::Opening(opening(2))];
    let mut previous = EpochStart::FIRST.root(TERMINAL);
    for seq in 1..=entries {
        let bytes = Bytes(vec![0x47; usize::try_from(seq).unwrap() * 40]);
        let entry = MirroredEntry { seq, previous, bytes };
        previous = entry.hash();
        records.push(Record::Entry(entry));
    }
    let head = SignedHead::sign(&signer(), TERMINAL, 1, entries, previous).unwrap();
    records.push(Record::Head(head));
    records
}

fn file(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::bytes).collect()
}

#[test]
fn what_was_written_is_read_whole_in_any_order_and_however_often() {
    let records = journal(5);
    let read = Mirror::read(&file(&records)).unwrap();
    assert_eq!(
        (read.entries.len(), read.heads.len(), read.damage),
        (5, 1, Damage::default())
    );
    let mut shuffled: Vec<Record> = records.iter().rev().cloned().collect();
    shuffled.extend(records.clone());
    let again = Mirror::read(&file(&shuffled)).unwrap();
    assert_eq!(
        (&again.entries, &again.heads, &again.opening),
        (&read.entries, &read.heads, &read.opening)
    );
}

#[test]
fn a_file_that_ends_at_any_byte_of_its_last_record_gives_everything_before_it() {
    let records = journal(6);
    let whole = file(&records);
    let before = file(&records[..records.len() - 2]);
    let entry_end = file(&records[..records.len() - 1]).len();
    for end in before.len()..entry_end {
        let read = Mirror::read(&whole[..end]).unwrap();
        assert_eq!(read.entries.len(), 5, "cut at {end}");
        assert_eq!(read.end, before.len());
        let torn = (end - before.len()) as u64;
        assert_eq!(
            read.damage,
            Damage {
                torn_bytes: torn,
                ..Damage::default()
            }
        );
        // Whoever goes on after cutting the torn end has a whole file again.
        let mended = [&whole[..read.end], &whole[before.len()..]].concat();
        assert_eq!(Mirror::read(&mended).unwrap().entries.len(), 6);
    }
}

#[test]
fn any_changed_byte_in_the_middle_costs_its_own_record_and_no_other() {
    let records = journal(4);
    let whole = file(&records);
    let begin = file(&records[..2]).len();
    let end = file(&records[..3]).len();
    for at in begin..end {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            let read = Mirror::read(&damaged).unwrap();
            let seqs: Vec<u64> = {
                let mut seqs: Vec<u64> = read.entries.values().map(|entry| entry.seq).collect();
                seqs.sort_unstable();
                seqs
            };
            assert_eq!(seqs, [1, 3, 4], "byte {at}");
            assert_eq!(
                (read.damage.places, read.damage.torn_bytes, read.heads.len()),
                (1, 0, 1)
            );
            assert_eq!(read.damage.bytes, (end - begin) as u64);
        }
    }
}

#[test]
fn a_hole_in_one_copy_is_filled_from_another() {
    let records = journal(4);
    let mut one = Mirror::read(&file(&[&records[..2], &records[3..]].concat())).unwrap();
    let other = Mirror::read(&file(&records[..4])).unwrap();
    assert!(one.merge(other));
    assert_eq!((one.entries.len(), one.heads.len()), (4, 1));
    let foreign = Mirror::read(&Record::Opening(opening(9)).bytes()).unwrap();
    assert!(!one.merge(foreign));
}

#[test]
fn what_is_no_mirror_says_why() {
    assert_eq!(Mirror::read(b""), Err(NoMirror::Nothing));
    assert_eq!(Mirror::read(&[0x47; 5_000]), Err(NoMirror::Nothing));
    assert_eq!(Mirror::read(&file(&journal(2)[1..])), Err(NoMirror::NoOpening));
    let two = [Record::Opening(opening(2)), Record::Opening(opening(9))];
    assert_eq!(Mirror::read(&file(&two)), Err(NoMirror::Mixed));
    let newer = Opening {
        format: FORMAT + 1,
        ..opening(2)
    };
    assert_eq!(
        Mirror::read(&Record::Opening(newer).bytes()),
        Err(NoMirror::Newer(FORMAT + 1))
    );
}

#[test]
fn a_kind_that_a_newer_program_marked_as_optional_is_no_damage() {
    let record = |flags| {
        let body = encode(&Envelope {
            kind: 99,
            flags,
            body: Bytes(vec![0xa0]),
        });
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&MARK[..], &length, &check(&body), &body].concat()
    };
    let with = |flags| {
        let records = journal(2);
        [file(&records[..2]), record(flags), file(&records[2..])].concat()
    };
    assert_eq!(Mirror::read(&with(FLAG_OPTIONAL)).unwrap().damage, Damage::default());
    assert_eq!(Mirror::read(&with(0)).unwrap().damage.places, 1);
}

#[test]
fn a_file_full_of_false_beginnings_is_given_up_before_it_costs_much() {
    let claim = [
        &MARK[..],
        &u32::try_from(BODY_MAX_BYTES).unwrap().to_be_bytes(),
        &[0; 8],
    ]
    .concat();
    let mut hostile = Record::Opening(opening(2)).bytes();
    (0..20_000).for_each(|_| hostile.extend(&claim));
    let mut budget = hostile.len() * 4 + BODY_MAX_BYTES;
    let before = budget;
    let read = Mirror::read(&hostile).unwrap();
    assert_eq!(read.damage.torn_bytes, 320_000);
    assert!(matches!(record_at(&hostile, read.end, &mut budget), Found::Nothing));
    assert_eq!(before - budget, BODY_MAX_BYTES, "what is hashed in vain is counted");
}

#[test]
fn an_upload_is_proved_for_its_path_and_its_body() {
    let message = upload_message("POST", &upload_path(TERMINAL, 1), b"x");
    assert_ne!(message, upload_message("POST", &upload_path(TERMINAL, 2), b"x"));
    assert_ne!(message, upload_message("GET", &upload_path(TERMINAL, 1), b"x"));
    assert_ne!(message, upload_message("POST", &upload_path(TERMINAL, 1), b"y"));
    assert_eq!(file_name(TERMINAL, 3), format!("{}-3.groschen", "07".repeat(16)));
}

proptest::proptest! {
    #[test]
    fn whatever_happens_to_a_file_only_true_entries_are_read_from_it(
        changes in proptest::collection::vec((0_usize..2_000, 0_usize..40, proptest::arbitrary::any::<u8>()), 0..6),
    ) {
        let records = journal(6);
        let truth = Mirror::read(&file(&records)).unwrap();
        let mut damaged = file(&records);
        for (at, length, byte) in changes {
            let at = at.min(damaged.len());
            let end = (at + length).min(damaged.len());
            match byte % 3 {
                0 => drop(damaged.drain(at..end)),
                1 => damaged[at..end].fill(byte),
                _ => drop(damaged.splice(at..at, std::iter::repeat_n(byte, length))),
            }
        }
        if let Ok(read) = Mirror::read(&damaged) {
            proptest::prop_assert!(read.entries.iter().all(|(hash, entry)| truth.entries.get(hash) == Some(entry)));
            proptest::prop_assert_eq!(read.opening, truth.opening);
            proptest::prop_assert_eq!(read.end as u64 + read.damage.torn_bytes, damaged.len() as u64);
        }
    }
}
