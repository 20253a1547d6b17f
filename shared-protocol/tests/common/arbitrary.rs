//! Any value of every wire type.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::{Algorithm, Hash32, PublicKey, Signature};
use shared_protocol::currency::Foreign;
use shared_protocol::entry::{
    self, Content, Entry, EntryKind, Intent, IntentOutcome, IntentResult, OrderEntry, content_hash,
};
use shared_protocol::ids::Bytes;
use shared_protocol::message::{
    Ack, Authorise, AuthoriseRefusal, AuthoriseResult, Bye, CartAborted, CartAck, CartOpened, Certificate, Challenge,
    Command, CommandDone, CommandKind, Delta, EntryNote, EntryOutcome, Error, ErrorCode, Fork, Gap, Handover,
    HandoverAck, HandoverOutcome, Hello, LogUpload, Message, Ping, Pong, Push, Query, QueryResult, Register,
    RegisterPending, Registered, Release, SnapshotBegin, SnapshotChunk, SnapshotEnd, SnapshotRequest, StreamAck,
    TerminalState, Units, Welcome,
};
use shared_protocol::order::{
    CancelReason, GroupPart, Line, LineKind, Order, OrderKind, Permission, Tender, TenderKind, VoucherUse,
};
use shared_protocol::shift::ShiftMark;
use shared_protocol::stream::{BlockReason, Cursor, Step, Stream, Version};
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::wristband::{BandChange, PurseMove, PurseTotals, ShownPurse};
use shared_protocol::{
    Amount, ArticleId, AssetId, BootId, CartId, CommandId, EventId, GroupId, HoldId, OrderId, OrganisationId,
    RequestId, SessionId, SlotId, StaffId, TagId, TaxpayerId, TerminalId, TillId, encode,
};

type Id = [u8; 16];

fn id() -> impl Strategy<Value = Id> {
    any::<Id>()
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes)
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn hash() -> impl Strategy<Value = Hash32> {
    any::<[u8; 32]>().prop_map(Hash32)
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![(-100_000_i64..100_000), any::<i64>()].prop_map(Amount)
}

fn tag() -> impl Strategy<Value = TagId> {
    vec(any::<u8>(), 4..=10).prop_map(|uid| TagId::from_slice(&uid).expect("4 to 10 bytes"))
}

fn key() -> impl Strategy<Value = PublicKey> {
    (select(Algorithm::ALL), bytes()).prop_map(|(algorithm, bytes)| PublicKey { algorithm, bytes })
}

fn signature() -> impl Strategy<Value = Signature> {
    (select(Algorithm::ALL), bytes()).prop_map(|(algorithm, bytes)| Signature { algorithm, bytes })
}

fn version() -> impl Strategy<Value = Version> {
    (any::<u32>(), any::<u64>()).prop_map(|(generation, rev)| Version { generation, rev })
}

fn epoch() -> impl Strategy<Value = EpochStart> {
    (any::<u32>(), any::<u64>(), hash()).prop_map(|(epoch, previous_seq, previous_head)| EpochStart {
        epoch,
        previous_seq,
        previous_head,
    })
}

fn step() -> impl Strategy<Value = Step> {
    (
        select(Stream::ALL),
        version(),
        option::of(any::<u64>()),
        any::<u64>(),
        hash(),
        signature(),
    )
        .prop_map(|(stream, to, from_rev, size_bytes, digest, signature)| Step {
            stream,
            to,
            from_rev,
            size_bytes,
            digest,
            signature,
        })
}

fn line() -> impl Strategy<Value = Line> {
    let vouchers = (any::<u16>(), any::<u32>()).prop_map(|(asset, units)| VoucherUse {
        asset: AssetId(asset),
        units,
    });
    let quantity = prop_oneof![-20..20_i32, any::<i32>()];
    (
        select(LineKind::ALL),
        any::<u32>(),
        quantity,
        amount(),
        any::<(u8, u16)>(),
        option::of(vouchers),
    )
        .prop_map(|(kind, article, quantity, unit_price, (tax, rate), vouchers)| Line {
            kind,
            article: ArticleId(article),
            quantity,
            unit_price,
            tax: TaxKey(tax),
            rate: TaxRate(rate),
            vouchers,
        })
}

fn tender() -> impl Strategy<Value = Tender> {
    let known = (option::of(amount()), option::of(any::<u32>()), option::of(any::<u16>()));
    let foreign = (any::<u16>(), amount()).prop_map(|(asset, amount)| Foreign {
        asset: AssetId(asset),
        amount,
    });
    (
        select(TenderKind::ALL),
        amount(),
        select(Permission::ALL),
        option::of(tag()),
        option::of(id()),
        known,
        option::of(foreign),
    )
        .prop_map(
            |(kind, amount, permission, tag, hold, (known_balance, known_age_s, voucher), foreign)| Tender {
                kind,
                amount,
                permission,
                tag,
                hold: hold.map(HoldId),
                known_balance,
                known_age_s,
                voucher: voucher.map(AssetId),
                foreign,
            },
        )
}

fn purse_totals() -> impl Strategy<Value = PurseTotals> {
    any::<(u32, [u16; 3])>().prop_map(|(debited, credited)| PurseTotals { debited, credited })
}

fn purse_move() -> impl Strategy<Value = PurseMove> {
    (
        any::<u16>(),
        purse_totals(),
        purse_totals(),
        option::of(any::<[u8; 24]>()),
    )
        .prop_map(|(batch, before, after, record)| PurseMove {
            batch,
            before,
            after,
            record: record.map(shared_protocol::purse::Record::from_body),
        })
}

fn band_change() -> impl Strategy<Value = BandChange> {
    let shown =
        (any::<u16>(), purse_totals(), option::of(any::<[u8; 24]>())).prop_map(|(batch, totals, record)| ShownPurse {
            batch,
            totals,
            record: record.map(shared_protocol::purse::Record::from_body),
        });
    (any::<u16>(), option::of(tag()), option::of(shown)).prop_map(|(reason, new, shown)| BandChange {
        reason: BlockReason::from_code(reason),
        new,
        shown,
    })
}

/// Any order, whether it makes sense or not.
pub fn order() -> impl Strategy<Value = Order> {
    let ids = (
        id(),
        id(),
        any::<u32>(),
        any::<u32>(),
        id(),
        id(),
        id(),
        version(),
        any::<u16>(),
    );
    let content = (any::<u64>(), any::<u32>(), vec(line(), 0..5), vec(tender(), 0..3));
    let group = (id(), any::<u16>(), any::<u16>());
    let whose = (
        option::of(tag()),
        option::of(id()),
        option::of(select(CancelReason::ALL)),
        option::of(group),
        option::of(purse_move()),
        option::of(band_change()),
        option::of(select(ShiftMark::ALL)),
    );
    (select(OrderKind::ALL), ids, content, whose).prop_map(|(kind, ids, content, whose)| {
        let (organisation, event, till, cashier, session, order, cart, config, taxpayer) = ids;
        let (closed_at_ms, open_for_ms, lines, payments) = content;
        let (holder, reverses, reason, group, purse, band, shift) = whose;
        Order {
            kind,
            organisation: OrganisationId(organisation),
            event: EventId(event),
            till: TillId(till),
            cashier: StaffId(cashier),
            session: SessionId(session),
            id: OrderId(order),
            cart: CartId(cart),
            config,
            taxpayer: TaxpayerId(taxpayer),
            closed_at_ms,
            open_for_ms,
            lines,
            tenders: payments,
            holder,
            reverses: reverses.map(OrderId),
            reason,
            group: group.map(|(group, part, of)| GroupPart {
                group: GroupId(group),
                part,
                of,
            }),
            purse,
            band,
            shift,
        }
    })
}

/// Any entry with its content.
pub fn entry() -> impl Strategy<Value = (Entry, Content)> {
    let order = order().prop_map(|order| {
        let body = encode(&order);
        let content = content_hash(&body);
        (
            EntryKind::Order,
            body,
            Content::Order(Box::new(OrderEntry { order, content })),
        )
    });
    let intent = (id(), bytes(), bytes(), option::of(bytes())).prop_map(|(order, before, after, draft)| {
        let intent = Intent {
            order: OrderId(order),
            before,
            after,
            draft,
        };
        (EntryKind::Intent, encode(&intent), Content::Intent(intent))
    });
    let outcome = (id(), select(IntentResult::ALL), option::of(tag())).prop_map(|(order, result, tag)| {
        let outcome = IntentOutcome {
            order: OrderId(order),
            result,
            tag,
        };
        (EntryKind::Outcome, encode(&outcome), Content::Outcome(outcome))
    });
    let command = (
        select(entry::CommandKind::ALL),
        option::of(any::<u32>()),
        option::of(id()),
    );
    let command = command.prop_map(|(kind, staff, session)| {
        let command = entry::Command {
            kind,
            staff: staff.map(StaffId),
            session: session.map(SessionId),
        };
        (EntryKind::Command, encode(&command), Content::Command(command))
    });
    let clocks = (id(), any::<u64>(), any::<u64>(), option::of(any::<i64>()));
    (clocks, prop_oneof![3 => order, 1 => intent, 1 => outcome, 1 => command]).prop_map(
        |((boot, mono_ms, wall_ms, offset_ms), (kind, body, content))| {
            let entry = Entry {
                kind,
                boot: BootId(boot),
                mono_ms,
                wall_ms,
                offset_ms,
                body: Bytes(body),
            };
            (entry, content)
        },
    )
}

fn head() -> impl Strategy<Value = SignedHead> {
    (any::<u32>(), any::<u64>(), hash(), signature()).prop_map(|(epoch, seq, hash, signature)| SignedHead {
        epoch,
        seq,
        hash,
        signature,
    })
}

fn from_terminal() -> impl Strategy<Value = Message> {
    let stream = || select(Stream::ALL);
    let push = (id(), epoch(), any::<u64>(), hash(), vec(bytes(), 0..4), head());
    let pong = (any::<(u64, u32, u64, u64, u64)>(), option::of(any::<u8>()));
    prop_oneof![
        (id(), bytes(), key(), text(), signature()).prop_map(|(slot, secret, key, device, proof)| Register {
            slot: SlotId(slot),
            secret,
            key,
            device,
            proof
        }
        .into()),
        (bytes(), signature()).prop_map(|(body, signature)| Hello { body, signature }.into()),
        (any::<bool>(), push).prop_map(|(other, (terminal, epoch, first_seq, previous, entries, head))| {
            let push = Push {
                terminal: TerminalId(terminal),
                epoch,
                first_seq,
                previous,
                entries,
                head,
            };
            if other { Handover { push }.into() } else { push.into() }
        }),
        (id(), tag()).prop_map(|(request, tag)| Query {
            request: RequestId(request),
            tag
        }
        .into()),
        (id(), id(), tag(), amount()).prop_map(|(request, cart, tag, amount)| {
            Authorise {
                request: RequestId(request),
                cart: CartId(cart),
                tag,
                amount,
            }
            .into()
        }),
        id().prop_map(|hold| Release { hold: HoldId(hold) }.into()),
        (stream(), version()).prop_map(|(stream, version)| StreamAck {
            cursor: Cursor { stream, version }
        }
        .into()),
        stream().prop_map(|stream| SnapshotRequest { stream }.into()),
        pong.prop_map(|((no, epoch, next_seq, mono_ms, wall_ms), battery_percent)| {
            Pong {
                no,
                epoch,
                next_seq,
                mono_ms,
                wall_ms,
                battery_percent,
            }
            .into()
        }),
        (id(), any::<u64>()).prop_map(|(cart, opened_at_ms)| CartOpened {
            cart: CartId(cart),
            opened_at_ms
        }
        .into()),
        id().prop_map(|cart| CartAborted { cart: CartId(cart) }.into()),
        (id(), any::<bool>()).prop_map(|(command, done)| CommandDone {
            command: CommandId(command),
            done
        }
        .into()),
        (id(), text()).prop_map(|(command, text)| LogUpload {
            command: CommandId(command),
            text
        }
        .into()),
        any::<u64>().prop_map(|unsent| Bye { unsent }.into()),
    ]
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let state = any::<u16>().prop_map(TerminalState::from_code);
    let numbers = any::<(u16, u64, u64, u64, u32, u32)>();
    (numbers, hash(), state, option::of(epoch())).prop_map(
        |((proto, server_ms, incarnation, durable_seq, window, max_frame), durable_head, state, new_epoch)| Welcome {
            proto,
            server_ms,
            incarnation,
            durable_seq,
            durable_head,
            window,
            max_frame,
            state,
            new_epoch,
        },
    )
}

fn ack() -> impl Strategy<Value = Ack> {
    let note = any::<(u64, u16, u16)>().prop_map(|(seq, outcome, code)| EntryNote {
        seq,
        outcome: EntryOutcome::from_code(outcome),
        code,
    });
    (
        any::<(u32, u64, u32)>(),
        option::of(any::<u16>()),
        option::of(any::<u32>()),
        vec(note, 0..4),
    )
        .prop_map(|((epoch, durable_seq, window), branch, retry_after_ms, notes)| Ack {
            epoch,
            durable_seq,
            branch,
            window,
            retry_after_ms,
            notes,
        })
}

fn answers() -> impl Strategy<Value = Message> {
    let blocked = || option::of(any::<u16>().prop_map(BlockReason::from_code));
    let units = (any::<u16>(), amount()).prop_map(|(asset, amount)| Units {
        asset: AssetId(asset),
        amount,
    });
    let result = (
        id(),
        tag(),
        (amount(), amount(), amount()),
        vec(units, 0..4),
        blocked(),
        any::<u64>(),
    );
    let refusal = option::of(any::<u16>().prop_map(AuthoriseRefusal::from_code));
    let decision = (id(), option::of(id()), refusal, blocked(), amount(), any::<u64>());
    prop_oneof![
        result.prop_map(|(request, tag, (free, held, owed), units, blocked, as_of_ms)| {
            QueryResult {
                request: RequestId(request),
                tag,
                free,
                held,
                owed,
                units,
                blocked,
                as_of_ms,
            }
            .into()
        }),
        decision.prop_map(|(request, hold, refusal, blocked, free, as_of_ms)| {
            let hold = hold.map(HoldId);
            AuthoriseResult {
                request: RequestId(request),
                hold,
                refusal,
                blocked,
                free,
                as_of_ms,
            }
            .into()
        }),
    ]
}

fn from_server() -> impl Strategy<Value = Message> {
    let certificate = || (bytes(), signature()).prop_map(|(body, signature)| Certificate { body, signature });
    let error = (any::<u16>(), any::<bool>(), option::of(any::<u32>()), text());
    let challenge = (hash(), any::<(u64, u64, u16, u16)>());
    prop_oneof![
        challenge.prop_map(|(nonce, (server_ms, incarnation, proto_min, proto_max))| {
            Challenge {
                nonce,
                server_ms,
                incarnation,
                proto_min,
                proto_max,
            }
            .into()
        }),
        text().prop_map(|code| RegisterPending { code }.into()),
        (certificate(), key(), epoch()).prop_map(|(certificate, config_key, epoch)| Registered {
            certificate,
            config_key,
            epoch
        }
        .into()),
        welcome().prop_map(Message::from),
        ack().prop_map(Message::from),
        any::<(u32, u64)>().prop_map(|(epoch, expected_seq)| Gap { epoch, expected_seq }.into()),
        (any::<u32>(), any::<u64>(), epoch()).prop_map(|(epoch, seq, new_epoch)| Fork { epoch, seq, new_epoch }.into()),
        step().prop_map(|step| SnapshotBegin { step }.into()),
        (select(Stream::ALL), any::<u32>(), bytes()).prop_map(|(stream, index, bytes)| SnapshotChunk {
            stream,
            index,
            bytes
        }
        .into()),
        select(Stream::ALL).prop_map(|stream| SnapshotEnd { stream }.into()),
        (step(), bytes()).prop_map(|(step, changes)| Delta { step, changes }.into()),
        (id(), any::<u16>()).prop_map(|(command, kind)| {
            Command {
                command: CommandId(command),
                kind: CommandKind::from_code(kind),
            }
            .into()
        }),
        answers(),
        any::<(u64, u64)>().prop_map(|(no, server_ms)| Ping { no, server_ms }.into()),
        error.prop_map(|(code, fatal, retry_after_ms, detail)| {
            Error {
                code: ErrorCode::from_code(code),
                fatal,
                retry_after_ms,
                detail,
            }
            .into()
        }),
        id().prop_map(|cart| CartAck { cart: CartId(cart) }.into()),
        (id(), any::<(u32, u64, u16)>()).prop_map(|(terminal, (epoch, seq, outcome))| {
            HandoverAck {
                terminal: TerminalId(terminal),
                epoch,
                seq,
                outcome: HandoverOutcome::from_code(outcome),
            }
            .into()
        }),
    ]
}

/// Any message of any kind.
pub fn message() -> impl Strategy<Value = Message> {
    prop_oneof![from_terminal(), from_server()]
}
