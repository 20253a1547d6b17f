//! The next version of the protocol, as far as it is agreed how it may differ: fields are appended as `Option`, kinds are added. This version and that one read
//! each other, both ways; whatever else a next version might do is caught by the golden bytes.

#[path = "common/arbitrary.rs"]
mod arbitrary;
#[path = "common/golden.rs"]
mod golden;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use serde::{Deserialize, Serialize};
use serde_cbor::Value;
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{Content, Entry, EntryKind, content_hash};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::FRAME_FROM_SERVER_MAX_BYTES;
use shared_protocol::message::{
    Authorise, EntryNote, EntryOutcome, Envelope, ErrorCode, FLAG_OPTIONAL, FrameError, Message, TerminalState,
};
use shared_protocol::order::{
    CancelReason, GroupPart, LineKind, Order, OrderFault, OrderKind, Permission, TenderKind, VoucherUse,
};
use shared_protocol::shift::ShiftMark;
use shared_protocol::stream::Version;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::wristband::{BandChange, PurseMove};
use shared_protocol::{
    Amount, ArticleId, CartId, EventId, HoldId, OrderId, OrganisationId, RequestId, SessionId, StaffId, TagId,
    TaxpayerId, TerminalId, TillId, decode, encode,
};

/// [`Line`](shared_protocol::order::Line) with a field more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextLine {
    kind: LineKind,
    article: ArticleId,
    quantity: i32,
    unit_price: Amount,
    tax: TaxKey,
    rate: TaxRate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vouchers: Option<VoucherUse>,
    /// New: a wish of the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// [`Tender`](shared_protocol::order::Tender) with a field more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextTender {
    kind: TenderKind,
    amount: Amount,
    permission: Permission,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<TagId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<HoldId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_balance: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_age_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voucher: Option<shared_protocol::AssetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreign: Option<shared_protocol::currency::Foreign>,
    /// New: what a card acquirer calls the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acquirer: Option<NextAcquirer>,
}

/// A struct that this version does not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextAcquirer {
    name: String,
    reference: Bytes,
}

/// [`Order`](shared_protocol::order::Order) with a field more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextOrder {
    kind: OrderKind,
    organisation: OrganisationId,
    event: EventId,
    till: TillId,
    cashier: StaffId,
    session: SessionId,
    id: OrderId,
    cart: CartId,
    config: Version,
    taxpayer: TaxpayerId,
    closed_at_ms: u64,
    open_for_ms: u32,
    lines: Vec<NextLine>,
    tenders: Vec<NextTender>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<TagId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reverses: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<CancelReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<GroupPart>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purse: Option<PurseMove>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    band: Option<BandChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shift: Option<ShiftMark>,
    /// New: tips by taxpayer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tips: Option<Vec<(TaxpayerId, Amount)>>,
}

/// [`Push`](shared_protocol::message::Push) with a field more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextPush {
    terminal: TerminalId,
    epoch: EpochStart,
    first_seq: u64,
    previous: Hash32,
    entries: Vec<Bytes>,
    head: SignedHead,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    battery_percent: Option<u8>,
}

/// [`EntryNote`](shared_protocol::message::EntryNote) with a field more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextNote {
    seq: u64,
    outcome: EntryOutcome,
    code: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// [`Ack`](shared_protocol::message::Ack) with a field more, and one more in its notes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextAck {
    epoch: u32,
    durable_seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<u16>,
    window: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u32>,
    notes: Vec<NextNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    committed_at_ms: Option<u64>,
}

/// [`Welcome`](shared_protocol::message::Welcome) with a field more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextWelcome {
    proto: u16,
    server_ms: u64,
    incarnation: u64,
    durable_seq: u64,
    durable_head: Hash32,
    window: u32,
    max_frame: u32,
    state: TerminalState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_epoch: Option<EpochStart>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    motd: Option<String>,
}

/// A kind that this version does not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextTide {
    level_mm: i32,
}

const NEXT_KIND: u16 = 120;

fn frame<T: Serialize>(kind: u16, flags: u8, body: &T) -> Vec<u8> {
    encode(&Envelope {
        kind,
        flags,
        body: Bytes(encode(body)),
    })
}

fn read(frame: &[u8]) -> Result<Message, FrameError> {
    Message::read(frame, FRAME_FROM_SERVER_MAX_BYTES)
}

fn golden_frame(name: &str) -> Vec<u8> {
    let files = golden::files("message");
    files
        .into_iter()
        .find(|(file, _)| file == name)
        .map(|(_, bytes)| bytes)
        .expect("a golden file of this kind")
}

/// Reads a frame of this version as the next one does.
fn next_reads<T: serde::de::DeserializeOwned + Serialize>(frame: &[u8]) -> T {
    let envelope: Envelope = decode(frame).expect("an envelope");
    decode(&envelope.body.0).expect("a message of this version")
}

#[test]
fn messages_of_this_version_and_the_next_read_each_other() {
    for name in ["push", "push.min"] {
        let old = golden_frame(name);
        let mut next: NextPush = next_reads(&old);
        assert_eq!(next.battery_percent, None);
        assert_eq!(
            frame(3, 0, &next),
            old,
            "the next version writes what this one wrote when the field is absent"
        );
        next.battery_percent = Some(55);
        assert_eq!(read(&frame(3, 0, &next)), read(&old));
    }
    for name in ["welcome", "welcome.min"] {
        let old = golden_frame(name);
        let mut next: NextWelcome = next_reads(&old);
        assert_eq!(frame(67, 0, &next), old);
        next.motd = Some("Guten Abend".to_owned());
        assert_eq!(read(&frame(67, 0, &next)), read(&old));
    }
    for name in ["ack", "ack.min"] {
        let old = golden_frame(name);
        let mut next: NextAck = next_reads(&old);
        assert_eq!(frame(68, 0, &next), old);
        next.committed_at_ms = Some(1);
        next.notes
            .iter_mut()
            .for_each(|note| note.text = Some("siehe Fall 12".to_owned()));
        assert_eq!(read(&frame(68, 0, &next)), read(&old));
    }
}

#[test]
fn a_number_of_an_open_enum_that_only_the_next_version_names_is_kept() {
    let mut next: NextAck = next_reads(&golden_frame("ack"));
    next.notes = vec![NextNote {
        seq: 1,
        outcome: EntryOutcome::Other(700),
        code: 3,
        text: None,
    }];
    let Ok(Message::Ack(ack)) = read(&frame(68, 0, &next)) else {
        panic!("an acknowledgement")
    };
    assert_eq!(
        ack.notes,
        [EntryNote {
            seq: 1,
            outcome: EntryOutcome::Other(700),
            code: 3
        }]
    );
    assert_eq!(EntryOutcome::from_code(700).code(), 700);
}

#[test]
fn a_kind_that_only_the_next_version_knows_is_ignored_when_it_may_be_and_refused_when_not() {
    let body = NextTide { level_mm: -120 };
    assert_eq!(
        read(&frame(NEXT_KIND, FLAG_OPTIONAL, &body)),
        Ok(Message::Unknown(NEXT_KIND))
    );
    assert_eq!(
        read(&frame(NEXT_KIND, 0, &body)),
        Err(FrameError::UnsupportedKind(NEXT_KIND))
    );
    assert_eq!(ErrorCode::UnsupportedKind.code(), 2, "what the sender is told");
    assert!(Message::KINDS.iter().all(|(kind, _)| *kind != NEXT_KIND));
}

fn order_entry<T: Serialize>(order: &T) -> Entry {
    Entry {
        kind: EntryKind::Order,
        boot: shared_protocol::BootId([1; 16]),
        mono_ms: 1,
        wall_ms: 2,
        offset_ms: None,
        body: Bytes(encode(order)),
    }
}

fn golden_order(name: &str) -> (Bytes, Order) {
    let files = golden::files("entry");
    let (_, bytes) = files.into_iter().find(|(file, _)| file == name).expect("a golden file");
    let Ok((entry, Content::Order(read))) = Entry::read(&bytes) else {
        panic!("{name} holds an order")
    };
    (entry.body, read.order)
}

/// The number of [`Order::band`], which the first orders of version 1 did not have.
const BAND: i128 = 19;

#[test]
fn a_swap_is_the_order_it_was_before_it_said_which_wristband_comes_next() {
    for (name, before) in [("order-swap-band", "order-swap"), ("order-block-band", "order-block")] {
        let (bytes, order) = golden_order(name);
        assert!(order.band.is_some() && order.check().is_ok(), "{name}");
        let Value::Map(mut fields) = serde_cbor::from_slice::<Value>(&bytes.0).unwrap() else {
            panic!("an order")
        };
        assert!(fields.remove(&Value::Integer(BAND)).is_some(), "{name}");
        let (former_bytes, former) = golden_order(before);
        // What a till of before wrote is read, written back byte by byte, and says nothing about another wristband.
        assert_eq!((encode(&former), former.band.clone()), (former_bytes.0.clone(), None));
        assert_eq!(former.check(), Ok(()), "{before}");
        // What a reader of before sees of the new order is just that.
        assert_eq!(serde_cbor::to_vec(&Value::Map(fields)).unwrap(), former_bytes.0);
        assert_eq!(Order { band: None, ..order }, former);
    }
}

#[test]
fn what_happens_to_a_wristband_is_said_by_orders_of_its_kinds_alone() {
    let (_, swap) = golden_order("order-swap-band");
    let (_, block) = golden_order("order-block-band");
    let (_, sale) = golden_order("order-sale");
    let (_, purse) = golden_order("order-purse");
    let shape = Err(OrderFault::Shape);
    let broken = [
        Order {
            band: block.band.clone(),
            ..swap.clone()
        },
        Order {
            band: swap.band.clone(),
            ..block.clone()
        },
        Order {
            band: swap.band.clone(),
            ..sale.clone()
        },
        Order {
            holder: None,
            ..swap.clone()
        },
        Order {
            purse: purse.purse.clone(),
            ..swap.clone()
        },
        Order {
            group: sale.group,
            ..swap.clone()
        },
        Order {
            lines: sale.lines.clone(),
            tenders: sale.tenders.clone(),
            ..swap.clone()
        },
        Order {
            lines: sale.lines.clone(),
            tenders: sale.tenders.clone(),
            ..block.clone()
        },
    ];
    for order in broken {
        assert_eq!(order.check(), shape, "{order:?}");
    }
}

#[test]
fn a_shift_is_marked_by_an_order_that_does_nothing_else() {
    let (_, bare) = golden_order("order-shift");
    assert_eq!(
        (bare.shift, bare.check()),
        (None, Ok(())),
        "as tills of before could have said it"
    );
    let (_, sale) = golden_order("order-sale");
    for (name, mark) in [
        ("order-shift-begin", ShiftMark::Begin),
        ("order-shift-end", ShiftMark::End),
    ] {
        let (_, order) = golden_order(name);
        assert_eq!((order.shift, order.check()), (Some(mark), Ok(())));
        let broken = [
            Order {
                lines: sale.lines.clone(),
                tenders: sale.tenders.clone(),
                holder: sale.holder,
                ..order.clone()
            },
            Order {
                holder: sale.holder,
                ..order.clone()
            },
            Order {
                group: sale.group,
                ..order.clone()
            },
            Order {
                shift: order.shift,
                ..sale.clone()
            },
            Order {
                kind: OrderKind::Training,
                ..order
            },
        ];
        for order in broken {
            assert_eq!(order.check(), Err(OrderFault::Shape), "{order:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn orders_of_this_version_and_the_next_read_each_other(
        order in arbitrary::order(),
        note in prop::option::of(".{0,8}"),
        tips in prop::option::of(prop::collection::vec((any::<u16>(), any::<i64>()), 0..3)),
        reference in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
    ) {
        let mut next: NextOrder = decode(&encode(&order)).unwrap();
        prop_assert_eq!(encode(&next), encode(&order));
        next.lines.iter_mut().for_each(|line| line.note.clone_from(&note));
        next.tips = tips.map(|tips| tips.into_iter().map(|(to, cents)| (TaxpayerId(to), Amount(cents))).collect());
        let acquirer = reference.map(|reference| NextAcquirer { name: "Kartenhaus".to_owned(), reference: Bytes(reference) });
        next.tenders.iter_mut().for_each(|tender| tender.acquirer.clone_from(&acquirer));

        let entry = order_entry(&next);
        let (read, content) = Entry::read(&entry.bytes()).unwrap();
        prop_assert_eq!(&read, &entry);
        let Content::Order(content) = content else { panic!("an order") };
        prop_assert_eq!(&content.order, &order);
        // The digest is that of the bytes, so a server of this version and one of the next agree whether an order is the same.
        prop_assert_eq!(content.content, content_hash(&encode(&next)));
    }

    #[test]
    fn a_field_appended_to_any_part_of_any_message_changes_nothing(
        message in arbitrary::message(),
        field in NEW_FIELDS,
        at in any::<Index>(),
        value in next_value(),
    ) {
        let mut envelope: Envelope = decode(&message.frame()).unwrap();
        envelope.body = Bytes(appended(&envelope.body.0, at, field, &value));
        prop_assert_eq!(read(&encode(&envelope)), Ok(message));
    }

    #[test]
    fn a_field_appended_to_any_part_of_any_entry_changes_nothing(
        entry in arbitrary::entry(),
        field in NEW_FIELDS,
        (at, inside) in any::<(Index, Index)>(),
        value in next_value(),
    ) {
        let (mut next, content) = entry.clone();
        prop_assert_eq!(Entry::read(&appended(&next.bytes(), at, field, &value)), Ok(entry));
        next.body = Bytes(appended(&next.body.0, inside, field, &value));
        let (read, next_content) = Entry::read(&next.bytes()).unwrap();
        prop_assert_eq!(read, next);
        match (next_content, content) {
            // The digest is that of the bytes as they came.
            (Content::Order(next), Content::Order(order)) => {
                prop_assert_eq!(&next.order, &order.order);
                prop_assert_ne!(next.content, order.content);
            }
            (next, content) => prop_assert_eq!(next, content),
        }
    }
}

/// Field numbers that version 1 is far from.
const NEW_FIELDS: std::ops::Range<i128> = 40..300;

/// Bytes of a struct with a field more in one of the structs inside it, or in itself.
fn appended(bytes: &[u8], at: Index, field: i128, value: &Value) -> Vec<u8> {
    let mut body: Value = serde_cbor::from_slice(bytes).expect("a value of this version");
    let mut maps = 0;
    each_map(&mut body, &mut |_| maps += 1);
    let (wanted, mut index) = (at.index(maps), 0);
    each_map(&mut body, &mut |map| {
        if index == wanted {
            map.insert(Value::Integer(field), value.clone());
        }
        index += 1;
    });
    serde_cbor::to_vec(&body).expect("a value is written")
}

/// Something that a next version might put into a new field.
fn next_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Integer(number.into())),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
        ".{0,5}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let map = prop::collection::btree_map(0..40_i128, inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            map.prop_map(|map| Value::Map(
                map.into_iter()
                    .map(|(key, value)| (Value::Integer(key), value))
                    .collect()
            )),
        ]
    })
}

fn each_map(value: &mut Value, visit: &mut dyn FnMut(&mut BTreeMap<Value, Value>)) {
    match value {
        Value::Map(map) => {
            for value in map.values_mut() {
                each_map(value, visit);
            }
            visit(map);
        }
        Value::Array(items) => {
            for item in items {
                each_map(item, visit);
            }
        }
        _ => {}
    }
}

/// [`Authorise`] with cart and request changed about: the mistake that serde does not notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SwappedAuthorise {
    cart: CartId,
    request: RequestId,
    tag: TagId,
    amount: Amount,
}

#[test]
fn two_fields_of_one_type_that_changed_places_are_seen_by_the_golden_bytes_alone() {
    let file = golden_frame("authorise");
    let Ok(Message::Authorise(golden)) = read(&file) else {
        panic!("an authorisation")
    };
    let swapped: SwappedAuthorise = next_reads(&file);
    // It reads without an error, and cart and request are each other.
    assert_eq!((swapped.cart.0, swapped.request.0), (golden.request.0, golden.cart.0));
    // What such a version would write for the golden value is not the golden file: the comparison of bytes fails.
    let Authorise {
        request,
        cart,
        tag,
        amount,
    } = golden;
    assert_ne!(
        frame(
            5,
            0,
            &SwappedAuthorise {
                cart,
                request,
                tag,
                amount
            }
        ),
        file
    );
    assert_eq!(
        frame(
            5,
            0,
            &Authorise {
                request,
                cart,
                tag,
                amount
            }
        ),
        file
    );
}

#[test]
fn a_field_of_another_type_or_a_missing_one_is_refused() {
    let file = golden_frame("authorise");
    let envelope: Envelope = decode(&file).unwrap();
    let Value::Map(body) = serde_cbor::from_slice::<Value>(&envelope.body.0).unwrap() else {
        panic!("a message")
    };
    for field in 0..4 {
        let key = Value::Integer(field);
        let mut without = body.clone();
        without.remove(&key);
        let mut retyped = body.clone();
        retyped.insert(key, Value::Bool(true));
        for changed in [without, retyped] {
            let body = Bytes(serde_cbor::to_vec(&Value::Map(changed)).unwrap());
            let refused = read(&encode(&Envelope {
                body,
                ..envelope.clone()
            }));
            assert!(
                matches!(refused, Err(FrameError::Decode(_))),
                "field {field}: {refused:?}"
            );
        }
    }
}
