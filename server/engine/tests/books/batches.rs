//! Batches of wristbands: made known, grown, switched, frozen, withdrawn; and the wristbands that belong to them.

use std::collections::BTreeMap;

use crate::common::{Server, config_signer, tag};
use engine::{BatchChange, Enrolment, Reply, Request, Settled};
use festival::purse::Label;
use fixtures::sample;
use shared_protocol::ids::Bytes;
use shared_protocol::purse::{BatchList, PurseSettings};
use shared_protocol::stream::{Stream, Version};
use shared_protocol::wristband::{Batch, BatchAuthority};
use shared_protocol::{AssetId, TagId, decode};

fn list(batch: u16, entries: &[u8]) -> BatchList {
    BatchList {
        settings: PurseSettings::usual(1),
        batch,
        entries: Bytes(entries.iter().flat_map(|entry| [*entry; 12]).collect()),
    }
}

fn change(server: &mut Server, batch: u16, change: BatchChange) -> Settled {
    let change = Box::new(change);
    match server.ask(Request::Batch { batch, change }) {
        Reply::Settled(settled) => settled,
        other => panic!("{other:?}"),
    }
}

fn put(server: &mut Server, batch: u16, entries: &[u8]) -> Settled {
    let list = list(batch, entries);
    let vouchers = vec![AssetId(1)];
    change(server, batch, BatchChange::List { list, vouchers })
}

fn enrol(server: &mut Server, batch: u16, tags: &[TagId]) -> Settled {
    let one = |tag: &TagId| Enrolment {
        tag: *tag,
        label: Some(Label::new(*tag, "A000001", "K7WM4PXQ9TRC")),
    };
    let tags = tags.iter().map(one).collect();
    match server.ask(Request::Enrol { batch, tags }) {
        Reply::Settled(settled) => settled,
        other => panic!("{other:?}"),
    }
}

fn said(settled: Settled) -> String {
    match settled {
        Settled::Refused(text) => {
            assert_ne!(text.de, text.en);
            text.en
        }
        Settled::Done => panic!("done"),
    }
}

fn batch(server: &Server, number: u16) -> Batch {
    let copy = server
        .engine
        .reader()
        .unwrap()
        .stream(sample::EVENT, Stream::Batches, None);
    let copy = copy.unwrap().unwrap();
    decode(&copy.items[&number.to_be_bytes().to_vec()]).unwrap()
}

fn purse(server: &Server, tag: TagId) -> Option<festival::purse::Purse> {
    server.engine.reader().unwrap().purse(sample::EVENT, tag).unwrap()
}

#[test]
fn a_list_is_signed_here_and_only_grows() {
    let mut server = Server::new();
    assert_eq!(put(&mut server, 5, &[1, 0, 3]), Settled::Done);
    let first = batch(&server, 5);
    assert_eq!(first.authority, BatchAuthority::Chip);
    let key = config_signer().public_key();
    assert_eq!(first.list.verify(&key, &first.signature), Ok(()));
    let version = server.engine.stream_version(Stream::Batches);
    assert_eq!(put(&mut server, 5, &[1, 0, 3]), Settled::Done);
    assert_eq!(
        server.engine.stream_version(Stream::Batches),
        version,
        "nothing new, nothing sent"
    );
    // A place that was never finished may be filled, others may be added.
    assert_eq!(put(&mut server, 5, &[1, 2, 3, 4]), Settled::Done);
    assert!(said(put(&mut server, 5, &[1, 2, 3])).contains("index 3"));
    assert!(said(put(&mut server, 5, &[1, 9, 3, 4])).contains("index 1"));
    let other = BatchChange::List {
        list: BatchList {
            settings: PurseSettings::usual(2),
            ..list(5, &[1, 2, 3, 4])
        },
        vouchers: vec![AssetId(1)],
    };
    assert!(said(change(&mut server, 5, other)).contains("other settings"));
    let grown = batch(&server, 5);
    assert_eq!(grown.list, list(5, &[1, 2, 3, 4]));
    assert_eq!(grown.list.verify(&key, &grown.signature), Ok(()));
    assert_eq!(batch(&server.restarted(), 5), grown);
    assert!(
        server
            .engine
            .step_from(Stream::Batches, Version::default())
            .unwrap()
            .is_some()
    );
}

#[test]
fn what_was_decided_about_a_batch_survives_a_new_list() {
    let mut server = Server::new();
    assert!(said(change(&mut server, 5, BatchChange::ToServer)).contains("not known"));
    put(&mut server, 5, &[1]);
    assert_eq!(change(&mut server, 5, BatchChange::FreezeDesks(true)), Settled::Done);
    assert_eq!(change(&mut server, 5, BatchChange::ToServer), Settled::Done);
    put(&mut server, 5, &[1, 2]);
    let now = batch(&server, 5);
    assert_eq!(
        (now.authority, now.desk_frozen, now.revoked),
        (BatchAuthority::Server, true, false)
    );
    assert_eq!(change(&mut server, 5, BatchChange::FreezeDesks(false)), Settled::Done);
    assert!(!batch(&server, 5).desk_frozen);
}

#[test]
fn a_withdrawn_batch_is_the_servers() {
    let mut server = Server::new();
    put(&mut server, 5, &[1]);
    assert_eq!(change(&mut server, 5, BatchChange::Revoke), Settled::Done);
    let now = batch(&server, 5);
    assert_eq!((now.authority, now.revoked), (BatchAuthority::Server, true));
}

#[test]
fn wristbands_are_enrolled_all_or_none_and_as_often_as_one_likes() {
    let mut server = Server::new();
    assert!(said(enrol(&mut server, 5, &[tag(1)])).contains("not known"));
    put(&mut server, 5, &[1, 2]);
    put(&mut server, 6, &[1]);
    assert_eq!(enrol(&mut server, 5, &[tag(1), tag(2)]), Settled::Done);
    let first = purse(&server, tag(1)).unwrap();
    assert_eq!((first.batch, first.authority), (5, BatchAuthority::Chip));
    let label = first.label.clone().unwrap();
    assert!(label.fits(tag(1), "k7wm-4pxq-9trc") && !label.fits(tag(2), "K7WM4PXQ9TRC"));
    assert!(said(enrol(&mut server, 6, &[tag(3), tag(1)])).contains("batch 5"));
    assert_eq!(purse(&server, tag(3)), None);
    assert_eq!(enrol(&mut server, 5, &[tag(1), tag(2)]), Settled::Done);
    assert_eq!(purse(&server.restarted(), tag(1)), Some(first));
}

#[test]
fn a_batch_of_wristbands_that_nobody_used_is_taken_over_as_a_whole() {
    let mut server = Server::new();
    put(&mut server, 5, &[1, 2]);
    enrol(&mut server, 5, &[tag(1), tag(2)]);
    change(&mut server, 5, BatchChange::ToServer);
    let tags = vec![tag(1), tag(2)];
    assert_eq!(server.ask(Request::TakeOver { tags }), Reply::Settled(Settled::Done));
    assert_eq!(purse(&server, tag(2)).unwrap().authority, BatchAuthority::Server);
    // What comes to the batch afterwards is the server's from the beginning.
    put(&mut server, 5, &[1, 2, 3]);
    enrol(&mut server, 5, &[tag(3)]);
    assert_eq!(purse(&server, tag(3)).unwrap().authority, BatchAuthority::Server);
    server.assert_balanced();
}

#[test]
fn five_thousand_wristbands_are_enrolled_at_once() {
    let mut server = Server::new();
    put(&mut server, 5, &[1]);
    let tags: Vec<TagId> = (0..5_000_u32)
        .map(|number| {
            let [b0, b1, b2, b3] = number.to_be_bytes();
            TagId::from_slice(&[4, b0, b1, b2, b3, 1, 0x80]).unwrap()
        })
        .collect();
    assert_eq!(enrol(&mut server, 5, &tags), Settled::Done);
    let mut reader = server.engine.reader().unwrap();
    let found: BTreeMap<_, _> = reader.purses(sample::EVENT, None, 9_999).unwrap().into_iter().collect();
    assert_eq!(found.len(), 5_000);
}
