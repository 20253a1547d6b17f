//! One spelling for every value, and nothing that a stranger sends can panic, allocate much or be read as something else.

#[path = "common/arbitrary.rs"]
mod arbitrary;
#[path = "common/golden.rs"]
mod golden;
#[path = "common/shop.rs"]
mod shop;
#[path = "common/targets.rs"]
mod targets;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_cbor::Value;
use shared_protocol::codec::scan;
use shared_protocol::entry::Entry;
use shared_protocol::ids::Bytes;
use shared_protocol::limits::{FRAME_FROM_SERVER_MAX_BYTES, FRAME_FROM_TERMINAL_MAX_BYTES};
use shared_protocol::message::{Envelope, FrameError, Message};
use shared_protocol::{DecodeError, decode, encode};

/// What happens to bytes on the way.
#[derive(Debug, Clone)]
enum Damage {
    /// One byte is another.
    Byte(Index, u8),
    /// One bit is flipped.
    Bit(Index, u8),
    /// The end is missing.
    Cut(Index),
    /// A byte is missing.
    Drop(Index),
    /// A byte comes in.
    Insert(Index, u8),
    /// A part comes twice.
    Twice(Index, Index),
    /// Another one follows.
    Followed(Index),
    /// The end is that of another one.
    Spliced(Index, Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Bit(at, bit)),
        at().prop_map(Damage::Cut),
        at().prop_map(Damage::Drop),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        (at(), at()).prop_map(|(from, to)| Damage::Twice(from, to)),
        at().prop_map(Damage::Followed),
        (at(), at(), at()).prop_map(|(which, at, from)| Damage::Spliced(which, at, from)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>, others: &[(String, Vec<u8>)]) {
        let size = bytes.len();
        if size == 0 {
            return;
        }
        match self {
            Self::Byte(at, byte) => bytes[at.index(size)] = *byte,
            Self::Bit(at, bit) => bytes[at.index(size)] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at.index(size)),
            Self::Drop(at) => drop(bytes.remove(at.index(size))),
            Self::Insert(at, byte) => bytes.insert(at.index(size), *byte),
            Self::Twice(from, to) => {
                let (from, to) = (from.index(size), to.index(size));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(from.max(to)..from.max(to), part);
            }
            Self::Followed(which) => bytes.extend_from_slice(&others[which.index(others.len())].1),
            Self::Spliced(which, at, from) => {
                let other = &others[which.index(others.len())].1;
                bytes.truncate(at.index(size));
                bytes.extend_from_slice(&other[from.index(other.len())..]);
            }
        }
    }
}

/// A golden file after one to three accidents.
fn damaged(folder: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let files = golden::files(folder);
    (any::<Index>(), prop::collection::vec(damage(), 1..4)).prop_map(move |(which, accidents)| {
        let mut bytes = files[which.index(files.len())].1.clone();
        for accident in accidents {
            accident.apply(&mut bytes, &files);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn every_message_survives_the_wire(message in arbitrary::message()) {
        let frame = message.frame();
        prop_assert_eq!(Message::read(&frame, FRAME_FROM_SERVER_MAX_BYTES), Ok(message));
        targets::frame_decode(&frame);
        targets::scan_vs_serde(&frame);
    }

    #[test]
    fn every_entry_survives_the_wire(entry in arbitrary::entry()) {
        let bytes = entry.0.bytes();
        prop_assert_eq!(Entry::read(&bytes), Ok(entry));
        targets::entry_decode(&bytes);
    }

    #[test]
    fn every_order_survives_the_wire_and_adds_up_or_says_why_not(order in arbitrary::order()) {
        let bytes = encode(&order);
        targets::scan_vs_serde(&bytes);
        let wide = |amounts: Vec<i128>| amounts.into_iter().sum::<i128>();
        if order.check().is_ok() {
            let lines = order.lines.iter().map(|line| i128::from(line.unit_price.0) * i128::from(line.quantity));
            prop_assert_eq!(order.total().map(|total| i128::from(total.0)), Ok(wide(lines.collect())));
        }
        prop_assert_eq!(decode(&bytes), Ok(order));
    }

    #[test]
    fn damaged_frames_are_refused_or_mean_what_they_say(frame in damaged("message")) {
        targets::frame_decode(&frame);
        targets::scan_vs_serde(&frame);
    }

    #[test]
    fn damaged_entries_are_refused_or_mean_what_they_say(entry in damaged("entry")) {
        targets::entry_decode(&entry);
        targets::scan_vs_serde(&entry);
    }

    #[test]
    fn damaged_slips_are_refused_or_mean_what_they_say(slip in damaged("slip")) {
        targets::slip_read(&slip);
        targets::scan_vs_serde(&slip);
    }

    #[test]
    fn any_bytes_at_all_are_refused_or_mean_what_they_say(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        targets::frame_decode(&bytes);
        targets::entry_decode(&bytes);
        targets::slip_read(&bytes);
        targets::scan_vs_serde(&bytes);
        targets::order_price(&bytes);
    }
}

#[test]
fn every_single_changed_byte_of_an_order_entry_is_refused_or_means_what_it_says() {
    let (_, bytes) = golden::files("entry")
        .into_iter()
        .find(|(name, _)| name == "order-every-field")
        .unwrap();
    let (_, original) = Entry::read(&bytes).unwrap();
    let (mut read, mut other) = (0_u32, 0_u32);
    for at in 0..bytes.len() {
        for byte in 0..=u8::MAX {
            let mut changed = bytes.clone();
            changed[at] = byte;
            targets::entry_decode(&changed);
            if let Ok((entry, content)) = Entry::read(&changed) {
                read += 1;
                other += u32::from(content != original || entry.bytes() != bytes);
            }
        }
    }
    // Each byte's own value reads as the original; every other reading is another content. Two spellings of one content would show here.
    assert_eq!(read - other, u32::try_from(bytes.len()).unwrap());
}

#[test]
fn every_cut_of_every_golden_file_is_refused() {
    for (name, frame) in golden::files("message") {
        for end in 0..frame.len() {
            assert!(
                Message::read(&frame[..end], FRAME_FROM_SERVER_MAX_BYTES).is_err(),
                "{name} cut at {end}"
            );
        }
        let twice = [frame.as_slice(), frame.as_slice()].concat();
        assert!(
            matches!(
                Message::read(&twice, usize::MAX),
                Err(FrameError::Decode(DecodeError::Trailing { .. }))
            ),
            "{name} twice"
        );
    }
}

/// All ways to write a head: in the first byte or in 1, 2, 4 or 8 bytes more.
fn spellings(major: u8, number: u64) -> Vec<Vec<u8>> {
    let bytes = number.to_be_bytes();
    let short = u8::try_from(number).ok().filter(|number| *number < 24);
    let longer = [(24, 1), (25, 2), (26, 4), (27, 8)]
        .into_iter()
        .filter(|(_, width)| bytes[..8 - width] == [0; 8][..8 - width]);
    let longer = longer.map(|(info, width)| [&[major << 5 | info], &bytes[8 - width..]].concat());
    short
        .map(|number| vec![major << 5 | number])
        .into_iter()
        .chain(longer)
        .collect()
}

#[test]
fn a_number_has_one_spelling_the_shortest() {
    let edges = [
        0,
        23,
        24,
        0xff,
        0x100,
        0xffff,
        0x1_0000,
        0xffff_ffff,
        0x1_0000_0000,
        u64::MAX,
    ];
    for (major, number) in [0, 1].into_iter().flat_map(|major| edges.map(|number| (major, number))) {
        for (index, spelling) in spellings(major, number).into_iter().enumerate() {
            assert_eq!(scan(&spelling).is_ok(), index == 0, "{spelling:02x?}");
        }
    }
    // The same for lengths: of bytes, of texts, of lists.
    for (major, item) in [(2, 0x61), (3, 0x61), (4, 0x00)] {
        for length in [0_usize, 1, 23, 24, 0xff, 0x100] {
            for (index, mut spelling) in spellings(major, length as u64).into_iter().enumerate() {
                spelling.resize(spelling.len() + length, item);
                assert_eq!(scan(&spelling).is_ok(), index == 0, "{spelling:02x?}");
            }
        }
    }
}

/// The same value with the struct of this number, counted from inside, written as a list of its fields.
fn as_list(value: &Value, left: &mut usize) -> Value {
    match value {
        Value::Map(map) => {
            let map: std::collections::BTreeMap<Value, Value> = map
                .iter()
                .map(|(key, value)| (key.clone(), as_list(value, left)))
                .collect();
            *left = left.wrapping_sub(1);
            if *left == usize::MAX {
                Value::Array(map.into_values().collect())
            } else {
                Value::Map(map)
            }
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| as_list(item, left)).collect()),
        other => other.clone(),
    }
}

#[test]
fn a_list_in_place_of_any_struct_of_any_message_is_refused() {
    let mut tried = 0;
    for (name, frame) in golden::files("message") {
        let envelope: Envelope = decode(&frame).unwrap();
        let Ok(body) = serde_cbor::from_slice::<Value>(&envelope.body.0) else {
            continue;
        };
        for wanted in 0.. {
            let mut left = wanted;
            let changed = as_list(&body, &mut left);
            if changed == body {
                break;
            }
            let body = Bytes(serde_cbor::to_vec(&changed).unwrap());
            let read = Message::read(
                &encode(&Envelope {
                    body,
                    ..envelope.clone()
                }),
                FRAME_FROM_SERVER_MAX_BYTES,
            );
            let unknown = matches!(read, Ok(Message::Unknown(_)));
            assert!(unknown || read.is_err(), "{name}, struct {wanted}: {read:?}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} structs");
}

#[test]
fn an_oversized_frame_is_refused_by_its_size_alone() {
    for max in [FRAME_FROM_TERMINAL_MAX_BYTES, FRAME_FROM_SERVER_MAX_BYTES] {
        let refused = Err(FrameError::Decode(DecodeError::TooLarge { size: max + 1, max }));
        // Were a byte of it read, the answer would be another: none of these is CBOR of this protocol.
        for byte in [0x00, 0x9f, 0xff] {
            assert_eq!(Message::read(&vec![byte; max + 1], max), refused);
        }
        let fits = Message::read(&vec![0xff; max], max);
        assert!(
            matches!(fits, Err(FrameError::Decode(DecodeError::NotCanonical { at: 0, .. }))),
            "{fits:?}"
        );
    }
}
