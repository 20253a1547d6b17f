//! The second copy of a dead till's journal comes into the books.

use engine::import::{Import, Preview, Unusable};
use engine::{PushResult, Reply, Request};
use festival::CaseKind;
use fixtures::sample;
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::Ed25519Signer;
use shared_protocol::ids::Bytes;
use shared_protocol::mirror::{Damage, FORMAT, Mirror, MirroredEntry, Opening, Record};
use shared_protocol::order::OrderKind;

use crate::common::{Server, Till, config_signer, tag, till_that_books};

fn opening(till: &Till) -> Record {
    Record::Opening(Opening {
        format: FORMAT,
        epoch: till.epoch,
        certificate: till.certificate(config_signer().as_ref()),
    })
}

fn entry(till: &Till, seq: u64) -> Record {
    let index = usize::try_from(seq).unwrap() - 1;
    let previous = index
        .checked_sub(1)
        .map_or(till.epoch.root(till.id), |before| till.entries[before].1);
    Record::Entry(MirroredEntry {
        seq,
        previous,
        bytes: Bytes(till.entries[index].0.clone()),
    })
}

fn head(till: &Till, seq: u64) -> Record {
    let hash = till.entries[usize::try_from(seq).unwrap() - 1].1;
    Record::Head(SignedHead::sign(&Till::signer(till.seed), till.id, till.epoch.epoch, seq, hash).unwrap())
}

/// What a stick has of a till: these entries, and a head at each of these.
fn stick(till: &Till, entries: impl IntoIterator<Item = u64>, heads: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut records = vec![opening(till)];
    records.extend(entries.into_iter().map(|seq| entry(till, seq)));
    records.extend(heads.into_iter().map(|seq| head(till, seq)));
    records.iter().flat_map(Record::bytes).collect()
}

fn check(server: &Server, file: &[u8]) -> Result<Import, Unusable> {
    let mirror = Mirror::read(file).unwrap();
    let id = mirror.opening.registration().unwrap().terminal;
    let row = server.engine.terminals().find(|row| row.id == id).cloned();
    Import::check(mirror, sample::EVENT, row.as_ref())
}

fn looked(server: &mut Server, file: &[u8]) -> Import {
    let mut import = check(server, file).unwrap();
    for question in import.questions() {
        let Reply::Traced(known) = server.ask(question) else {
            panic!()
        };
        import.learn(known);
    }
    import
}

fn preview(server: &mut Server, file: &[u8]) -> Preview {
    looked(server, file).preview()
}

fn import(server: &mut Server, file: &[u8]) -> engine::import::Imported {
    let mut import = looked(server, file);
    for push in import.pushes() {
        let Reply::Push(reply) = server.ask(Request::Push(Box::new(push.clone()))) else {
            panic!()
        };
        import.took(&push, &reply);
    }
    import.result().clone()
}

fn dead_desk(server: &mut Server, top_ups: u32) -> Till {
    let mut till = till_that_books(server, &[OrderKind::TopUp], 3);
    for number in 0..top_ups {
        till.top_up(tag(number), 1_000);
    }
    till
}

#[test]
fn a_dead_desks_top_ups_are_booked_once_and_a_second_import_brings_nothing() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 5);
    let file = stick(&till, 1..=5, [2, 5]);
    let before = preview(&mut server, &file);
    assert_eq!((before.signed, before.known, before.new, before.unsigned), (5, 0, 5, 0));
    assert_eq!(before.orders[&OrderKind::TopUp], (5, 5_000));
    assert_eq!(server.money(tag(0)), 0, "looking books nothing");
    assert_eq!(import(&mut server, &file).new, 5);
    assert!((0..5).all(|number| server.money(tag(number)) == 1_000));
    let after = preview(&mut server, &file);
    assert_eq!((after.known, after.new, after.orders.len()), (5, 0, 0));
    assert_eq!(import(&mut server, &file), engine::import::Imported::default());
    assert!(server.cases().is_empty());
    server.assert_balanced();
}

#[test]
fn a_desk_that_comes_back_to_life_sends_everything_and_goes_on_and_nothing_doubles() {
    let mut server = Server::new();
    let mut till = dead_desk(&mut server, 4);
    till.sent = 1;
    server.push(dead_push(&till, 1));
    assert_eq!(import(&mut server, &stick(&till, 1..=4, [1, 4])).new, 3);
    let greeting = server.hello(&till);
    assert_eq!(
        (greeting.durable_seq, greeting.durable_head, greeting.new_epoch),
        (4, till.head(), None)
    );
    till.top_up(tag(9), 700);
    till.sent = 1;
    let result = server.sync(&mut till);
    assert!(
        matches!(
            result,
            PushResult::Durable {
                durable_seq: 5,
                branch: 0,
                fork: None,
                ..
            }
        ),
        "{result:?}"
    );
    assert!((0..4).all(|number| server.money(tag(number)) == 1_000));
    assert_eq!(server.money(tag(9)), 700);
    assert!(server.cases().is_empty());
}

fn dead_push(till: &Till, entries: usize) -> shared_protocol::message::Push {
    let mut part = till.clone();
    part.entries.truncate(entries);
    part.push_from(1)
}

#[test]
fn what_no_head_covers_is_told_and_not_booked() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 5);
    let file = stick(&till, 1..=5, [3]);
    let preview = preview(&mut server, &file);
    assert_eq!((preview.signed, preview.new, preview.unsigned), (3, 3, 2));
    let left_out: Vec<_> = preview
        .left_out
        .iter()
        .map(|left| (left.seq, left.order.holder))
        .collect();
    assert_eq!(left_out, [(4, Some(tag(3))), (5, Some(tag(4)))]);
    assert_eq!(import(&mut server, &file).new, 3);
    assert_eq!((server.money(tag(2)), server.money(tag(3))), (1_000, 0));
    // When the desk comes back after all, it signs and sends them itself.
    let mut till = till;
    let result = server.sync(&mut till);
    assert!(
        matches!(
            result,
            PushResult::Durable {
                durable_seq: 5,
                fork: None,
                ..
            }
        ),
        "{result:?}"
    );
    assert_eq!((server.money(tag(2)), server.money(tag(3))), (1_000, 1_000));
    let after = self::preview(&mut server, &file);
    assert_eq!(
        (after.unsigned, after.left_out.len()),
        (0, 0),
        "what is here needs nobody's decision"
    );
}

#[test]
fn entries_behind_a_hole_wait_for_what_is_missing_and_another_copy_brings_it() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 5);
    let holed = stick(&till, [1, 2, 4, 5], [2, 5]);
    let before = preview(&mut server, &holed);
    assert_eq!((before.new, before.behind_hole, before.left_out.len()), (2, 2, 2));
    assert_eq!(import(&mut server, &holed).new, 2);
    let mut both = Mirror::read(&holed).unwrap();
    assert!(both.merge(Mirror::read(&stick(&till, [3], [])).unwrap()));
    let row = server.engine.terminals().next().cloned();
    let mut whole = Import::check(both, sample::EVENT, row.as_ref()).unwrap();
    for question in whole.questions() {
        let Reply::Traced(known) = server.ask(question) else {
            panic!()
        };
        whole.learn(known);
    }
    assert_eq!((whole.preview().known, whole.preview().new), (2, 3));
    for push in whole.pushes() {
        server.ask(Request::Push(Box::new(push)));
    }
    assert!((0..5).all(|number| server.money(tag(number)) == 1_000));
}

#[test]
fn a_hole_in_what_the_server_has_already_costs_nothing() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 5);
    server.push(dead_push(&till, 3));
    let file = stick(&till, [1, 4, 5], [5]);
    let before = preview(&mut server, &file);
    assert_eq!((before.new, before.behind_hole), (2, 0));
    assert_eq!(import(&mut server, &file).new, 2);
    assert_eq!(server.money(tag(4)), 1_000);
}

#[test]
fn a_mirror_that_somebody_changed_or_made_up_is_refused_whole() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 4);
    let richer = |seq: u32| {
        let mut other = till.clone();
        other.entries.truncate(usize::try_from(seq).unwrap() - 1);
        other.top_up(tag(seq - 1), 1_000_000);
        entry(&other, seq.into())
    };
    let with = |records: Vec<Record>| -> Vec<u8> { records.iter().flat_map(Record::bytes).collect() };
    let middle = with(vec![
        opening(&till),
        entry(&till, 1),
        richer(2),
        entry(&till, 3),
        entry(&till, 4),
        head(&till, 4),
    ]);
    assert_eq!(check(&server, &middle).unwrap_err(), Unusable::Edited(2));
    let last = with(vec![
        opening(&till),
        entry(&till, 1),
        entry(&till, 2),
        entry(&till, 3),
        richer(4),
        head(&till, 4),
    ]);
    assert_eq!(check(&server, &last).unwrap_err(), Unusable::Edited(4));
    // Somebody signs a richer end with a key of their own.
    let thief = Ed25519Signer::from_seed(&[99; 32]).unwrap();
    let Record::Entry(made_up) = richer(4) else { panic!() };
    let forged = SignedHead::sign(&thief, till.id, 1, 4, made_up.hash()).unwrap();
    let forged = with(vec![
        opening(&till),
        entry(&till, 1),
        entry(&till, 2),
        entry(&till, 3),
        richer(4),
        Record::Head(forged),
    ]);
    assert_eq!(check(&server, &forged).unwrap_err(), Unusable::BadSignature(4));
    // … and names that key as the terminal's.
    let mut other_key = till.clone();
    other_key.seed = 99;
    let file = with(vec![opening(&other_key), entry(&till, 1)]);
    assert_eq!(check(&server, &file).unwrap_err(), Unusable::OtherKey);
    let stranger = Till::new(till.till, 7);
    assert_eq!(
        check(&server, &with(vec![opening(&stranger)])).unwrap_err(),
        Unusable::UnknownTerminal(stranger.id)
    );
    assert_eq!(server.money(tag(1)), 0);
}

#[test]
fn a_journal_that_went_another_way_meanwhile_becomes_a_branch_with_a_case() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 2);
    let mut twin = till.clone();
    server.push(dead_push(&till, 2));
    let mut dead = till;
    dead.top_up(tag(5), 500);
    twin.next += 10;
    twin.top_up(tag(6), 600);
    server.push(twin.push_from(3));
    let done = import(&mut server, &stick(&dead, 1..=3, [3]));
    assert_eq!((done.new, done.forked), (1, true));
    assert_eq!((server.money(tag(5)), server.money(tag(6))), (500, 600));
    assert_eq!(server.case_kinds(), [CaseKind::Fork]);
    assert_eq!(import(&mut server, &stick(&dead, 1..=3, [3])).new, 0);
}

#[test]
fn both_lives_of_a_journal_in_one_file_are_both_booked() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 2);
    let mut twin = till.clone();
    let mut dead = till;
    dead.top_up(tag(5), 500);
    twin.next += 10;
    twin.top_up(tag(6), 600);
    let mut file = stick(&dead, 1..=3, [3]);
    file.extend(stick(&twin, 3..=3, [3]));
    assert_eq!(import(&mut server, &file).new, 4);
    assert_eq!(
        (server.money(tag(0)), server.money(tag(5)), server.money(tag(6))),
        (1_000, 500, 600)
    );
}

#[test]
fn a_long_day_is_pushed_in_frames_and_a_long_stretch_without_a_head_in_one() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 500);
    let file = stick(&till, 1..=500, (20..=300).step_by(20).chain([500]));
    let import_of = looked(&mut server, &file);
    let sizes: Vec<usize> = import_of.pushes().iter().map(|push| push.entries.len()).collect();
    assert_eq!(sizes, [60, 60, 60, 60, 60, 200]);
    assert_eq!(import(&mut server, &file).new, 500);
    assert_eq!(server.money(tag(499)), 1_000);
    assert!(server.cases().is_empty());
}

#[test]
fn damage_is_counted_and_what_is_whole_is_saved() {
    let mut server = Server::new();
    let till = dead_desk(&mut server, 3);
    let mut file = stick(&till, 1..=3, [1, 2, 3]);
    let middle = file.len() / 2;
    file[middle] ^= 0x40;
    file.truncate(file.len() - 3);
    let preview = preview(&mut server, &file);
    assert_ne!(preview.damage, Damage::default());
    assert!(preview.signed < 3 && preview.damage.places == 1 && preview.damage.torn_bytes > 0);
}

#[test]
fn a_terminal_that_moved_on_to_a_new_epoch_is_imported_with_its_old_one() {
    let mut server = Server::new();
    let mut till = dead_desk(&mut server, 2);
    let old = stick(&till, 1..=2, [2]);
    till.epoch = EpochStart {
        epoch: 2,
        previous_seq: 2,
        previous_head: till.head(),
    };
    till.entries.clear();
    till.top_up(tag(8), 800);
    assert_eq!(import(&mut server, &old).new, 2);
    assert_eq!(import(&mut server, &stick(&till, 1..=1, [1])).new, 1);
    assert_eq!((server.money(tag(0)), server.money(tag(8))), (1_000, 800));
}
