use shared_protocol::catalogue::Article;
use shared_protocol::config::Item;
use shared_protocol::crypto::Ed25519Signer;
use shared_protocol::ids::Bytes;
use shared_protocol::message::{Delta, Message, SnapshotBegin, SnapshotChunk, SnapshotEnd};
use shared_protocol::stream::{BlockReason, Change, KnownBalance, Stream, Version, sign_step};
use shared_protocol::{Amount, encode};

use crate::screen::{DeviceFault, Refusal};
use crate::testing::{BEER, EVENT, FREE, Rig, config, config_signer, config_step, tag};
use crate::{Action, StorageFault};

const SECOND: Version = Version { generation: 1, rev: 2 };

fn dearer() -> Item {
    let article = config().articles[&BEER].clone();
    Item::Article {
        item: Article {
            price: Some(Amount(600)),
            ..article
        },
    }
}

fn say_delta(rig: &mut Rig, to: Version, from: u64, items: &[Item]) {
    let (step, changes) = config_step(to, Some(from), items);
    rig.say(Delta {
        step,
        changes: Bytes(changes),
    });
}

fn acks(rig: &Rig) -> Vec<(Stream, u64)> {
    let ack = |message: &Message| match message {
        Message::StreamAck(ack) => Some((ack.cursor.stream, ack.cursor.version.rev)),
        _ => None,
    };
    rig.sent.iter().filter_map(ack).collect()
}

#[test]
fn a_new_price_waits_until_no_cart_is_open() {
    let mut rig = Rig::online();
    rig.add(BEER, 1);
    say_delta(&mut rig, SECOND, 1, &[dearer()]);
    assert_eq!(acks(&rig), [(Stream::Config, 2)], "it is on the disk");
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(700));
    rig.server.free.insert(tag(1), 5_000);
    rig.hold(1);
    assert_eq!(rig.last_order().config.rev, 1);
    rig.add(BEER, 1);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(800));
    rig.hold(1);
    assert_eq!(rig.last_order().config.rev, 2);
    rig.crash();
    assert_eq!(rig.screen().config, Some(SECOND));
}

#[test]
fn an_update_is_acknowledged_when_it_is_durable_and_not_before() {
    let mut rig = Rig::online();
    rig.disk_runs = false;
    say_delta(&mut rig, SECOND, 1, &[dearer()]);
    say_delta(&mut rig, Version { generation: 1, rev: 3 }, 2, &[dearer()]);
    assert_eq!(acks(&rig), []);
    rig.disk_runs = true;
    rig.run();
    assert_eq!(acks(&rig), [(Stream::Config, 2), (Stream::Config, 3)]);
}

#[test]
fn a_disk_that_refuses_an_update_gets_it_whole_later() {
    let mut rig = Rig::online();
    rig.disk_fault = Some(StorageFault::Full);
    say_delta(&mut rig, SECOND, 1, &[dearer()]);
    rig.disk_fault = None;
    assert!(matches!(rig.sent.last(), Some(Message::SnapshotRequest(ask)) if ask.stream == Stream::Config));
    let items: Vec<Item> = config().items();
    let (step, changes) = config_step(Version { generation: 1, rev: 3 }, None, &items);
    rig.say(SnapshotBegin { step });
    for (index, part) in (0..).zip(changes.chunks(100)) {
        rig.say(SnapshotChunk {
            stream: Stream::Config,
            index,
            bytes: Bytes(part.to_vec()),
        });
    }
    rig.say(SnapshotEnd { stream: Stream::Config });
    assert_eq!(acks(&rig), [(Stream::Config, 3)]);
    rig.crash();
    assert_eq!(rig.screen().config.unwrap().rev, 3);
}

#[test]
fn a_snapshot_with_a_hole_is_not_applied() {
    let mut rig = Rig::online();
    let (step, changes) = config_step(SECOND, None, &config().items());
    rig.say(SnapshotBegin { step });
    rig.say(SnapshotChunk {
        stream: Stream::Config,
        index: 1,
        bytes: Bytes(changes),
    });
    rig.say(SnapshotEnd { stream: Stream::Config });
    assert_eq!(acks(&rig), []);
    assert_eq!(rig.screen().config.unwrap().rev, 1);
}

#[test]
fn a_forged_or_unusable_configuration_changes_nothing() {
    let mut rig = Rig::online();
    let forger = Ed25519Signer::from_seed(&[0xbd; 32]).unwrap();
    let (step, changes) = sign_step(
        &forger,
        EVENT,
        Stream::Config,
        SECOND,
        Some(1),
        &vec![dearer().change()],
    )
    .unwrap();
    rig.say(Delta {
        step,
        changes: Bytes(changes),
    });
    let article = config().articles[&BEER].clone();
    let dangling = Item::Article {
        item: Article {
            deposit: Some(shared_protocol::ArticleId(99)),
            ..article
        },
    };
    say_delta(&mut rig, SECOND, 1, &[dangling]);
    assert_eq!(
        (rig.screen().config.unwrap().rev, rig.screen().fault),
        (1, Some(DeviceFault::Config))
    );
    assert_eq!(acks(&rig), []);
    say_delta(&mut rig, SECOND, 1, &[dearer()]);
    assert_eq!((rig.screen().config.unwrap().rev, rig.screen().fault), (2, None));
}

#[test]
fn a_delta_over_a_hole_asks_for_a_snapshot_once() {
    let mut rig = Rig::online();
    for _ in 0..3 {
        say_delta(&mut rig, Version { generation: 1, rev: 9 }, 8, &[dearer()]);
    }
    assert_eq!(
        rig.sent
            .iter()
            .filter(|message| matches!(message, Message::SnapshotRequest(_)))
            .count(),
        1
    );
}

fn say_item(rig: &mut Rig, stream: Stream, number: u8, value: Vec<u8>) {
    let changes = vec![Change {
        key: Bytes(tag(number).as_slice().to_vec()),
        value: Some(Bytes(value)),
    }];
    let (step, changes) = sign_step(&config_signer(), EVENT, stream, SECOND, None, &changes).unwrap();
    rig.say(Delta {
        step,
        changes: Bytes(changes),
    });
}

#[test]
fn the_block_list_counts_offline_and_after_a_restart() {
    let mut rig = Rig::online();
    say_item(&mut rig, Stream::BlockList, 1, encode(&BlockReason::Replaced));
    rig.cut();
    rig.crash();
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(100),
    });
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::Blocked(BlockReason::Replaced));
    rig.hold(2);
    assert_eq!(rig.done().total, Amount(100));
}

#[test]
fn balances_that_are_sent_round_count_like_those_that_were_seen() {
    let mut rig = Rig::online();
    let as_of_ms = rig.now.wall_ms;
    say_item(
        &mut rig,
        Stream::Balances,
        1,
        encode(&KnownBalance {
            free: Amount(3_000),
            as_of_ms,
        }),
    );
    rig.cut();
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(2_900),
    });
    rig.hold(1);
    assert_eq!(rig.done().left.unwrap().amount, Amount(100));
    rig.crash();
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(200),
    });
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(100),
            ..
        }
    ));
}
