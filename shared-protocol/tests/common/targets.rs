//! What is thrown at the protocol by fuzzers and by stable tests alike. Each takes any bytes and panics when a promise is broken.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_cbor::Value;
use shared_protocol::codec::scan;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::limits::{FRAME_FROM_TERMINAL_MAX_BYTES, LINE_QUANTITY_MAX};
use shared_protocol::message::{Envelope, Message};
use shared_protocol::pricing::{CartLine, price, verify};
use shared_protocol::slip::Slip;
use shared_protocol::{Amount, ArticleId, AssetId, DecodeError, OrderId, TaxpayerId, decode, encode};

use crate::shop::{DEPOSITS, FIRST_ARTICLE, Goods, VOUCHERS, shop};

/// Whether `foreign` says what `own` says and more: fields with higher numbers than any of `own`'s, anywhere.
fn says_no_less(foreign: &Value, own: &Value) -> bool {
    match (foreign, own) {
        (Value::Map(foreign), Value::Map(own)) => {
            let last = own.keys().next_back();
            let known = own
                .iter()
                .all(|(key, value)| foreign.get(key).is_some_and(|there| says_no_less(there, value)));
            known
                && foreign
                    .keys()
                    .all(|key| own.contains_key(key) || last.is_none_or(|last| key > last))
        }
        (Value::Array(foreign), Value::Array(own)) => {
            foreign.len() == own.len() && foreign.iter().zip(own).all(|(foreign, own)| says_no_less(foreign, own))
        }
        (foreign, own) => foreign == own,
    }
}

/// What was read is written back as it came, except for fields that a newer version appended.
fn writes_back<T: Serialize>(read: &T, came: &[u8]) {
    let own = encode(read);
    if own != came {
        let value = |bytes: &[u8]| serde_cbor::from_slice::<Value>(bytes).expect("what was read is CBOR");
        assert!(
            says_no_less(&value(came), &value(&own)),
            "{came:02x?} was read and would be written as {own:02x?}"
        );
    }
}

/// A frame from a stranger.
pub fn frame_decode(data: &[u8]) {
    let Ok(message) = Message::read(data, FRAME_FROM_TERMINAL_MAX_BYTES) else {
        return;
    };
    assert!(data.len() <= FRAME_FROM_TERMINAL_MAX_BYTES);
    let envelope: Envelope = decode(data).expect("a frame that was read has an envelope");
    writes_back(&envelope, data);
    assert_eq!(envelope.kind, message.kind());
    if matches!(message, Message::Unknown(_)) {
        return;
    }
    let again: Envelope = decode(&message.frame()).expect("own frames are read");
    let value = |bytes: &[u8]| serde_cbor::from_slice::<Value>(bytes).expect("a message that was read is CBOR");
    assert!(
        says_no_less(&value(&envelope.body.0), &value(&again.body.0)),
        "{data:02x?}"
    );
    assert_eq!(Message::read(&message.frame(), usize::MAX), Ok(message.clone()));
    if let Message::Push(push) = message {
        push.entries.iter().for_each(|entry| entry_decode(&entry.0));
    }
}

/// An entry of a stranger's journal.
pub fn entry_decode(data: &[u8]) {
    let Ok((entry, content)) = Entry::read(data) else {
        return;
    };
    writes_back(&entry, data);
    match content {
        Content::Order(read) => {
            writes_back(&read.order, &entry.body.0);
            // Whatever the figures are, sums are a number or an overflow, and what passes the check has sums.
            let sums = (read.order.total(), read.order.paid(), read.order.taxes());
            if read.order.check().is_ok() {
                assert!(sums.0.is_ok() && sums.1.is_ok());
            }
            verify(&shop(&[]), read.order.taxpayer, &read.order.lines);
        }
        Content::Intent(intent) => writes_back(&intent, &entry.body.0),
        Content::Outcome(outcome) => writes_back(&outcome, &entry.body.0),
        Content::Command(command) => writes_back(&command, &entry.body.0),
    }
}

/// A slip in an address that a stranger typed.
pub fn slip_read(data: &[u8]) {
    let Ok(slip) = Slip::from_bytes(data) else {
        return;
    };
    assert_eq!(slip.bytes(), data, "one spelling for every slip");
    let shown = &slip.body().shown;
    let order = shown.order(OrderId([0x0d; 16]));
    assert!(shown.fits(&order, shown.replaced_order().as_ref()));
}

/// The scan against a decoder that was written by others: what passes is CBOR, and that decoder writes it in the same way.
pub fn scan_vs_serde(data: &[u8]) {
    let scanned = scan(data);
    let value = serde_cbor::from_slice::<Value>(data);
    if scanned.is_ok() {
        match value {
            Ok(value) => assert_eq!(serde_cbor::to_vec(&value).expect("a value is written"), data),
            // The scan leaves texts to serde; nothing else may be left to it.
            Err(error) => assert!(has_text(data), "{error}: {data:02x?}"),
        }
    } else if matches!(scanned, Err(DecodeError::Truncated { .. })) {
        assert!(value.is_err(), "{data:02x?} was called too short and is whole");
    }
}

/// Whether a text could be in there at all.
fn has_text(data: &[u8]) -> bool {
    data.iter().any(|byte| byte >> 5 == 3)
}

/// Numbers out of bytes; zero when they are used up.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> i64 {
        (0..8).fold(0, |number, _| number << 8 | i64::from(self.byte()))
    }

    /// Mostly amounts as people pay, sometimes any.
    fn cents(&mut self) -> i64 {
        match self.byte() {
            255 => self.number(),
            254 => i64::MAX,
            byte => i64::from(byte) * 25,
        }
    }

    fn goods(&mut self) -> Goods {
        let flags = self.byte();
        let cents = self.cents().checked_abs().unwrap_or(i64::MAX);
        Goods {
            price: (flags & 1 == 0).then_some(cents),
            tax: self.byte() % 3,
            taxpayer: u16::from(self.byte() % 3) + 1,
            deposit: (flags & 2 != 0).then(|| self.byte() % DEPOSITS),
            voucher: (flags & 5 == 4).then(|| (u16::from(self.byte() % VOUCHERS) + 1, u32::from(self.byte() % 4) + 1)),
        }
    }

    fn line(&mut self, articles: u32) -> CartLine {
        let article = match self.byte() {
            deposit @ 0..64 => u32::from(deposit % DEPOSITS) + 1,
            goods => FIRST_ARTICLE + u32::from(goods) % articles.max(1),
        };
        let quantity = match self.byte() {
            255 => i32::try_from(self.number() >> 32).unwrap_or(i32::MIN),
            254 => LINE_QUANTITY_MAX,
            byte => i32::from(byte) - 8,
        };
        let free = self.byte();
        let free_price = (free & 3 == 3).then(|| Amount(self.cents()));
        CartLine {
            article: ArticleId(article),
            quantity,
            free_price,
        }
    }
}

/// Any cart in any shop: it is refused, or its orders add up.
pub fn order_price(data: &[u8]) {
    let mut numbers = Numbers(data);
    let goods: Vec<Goods> = (0..numbers.byte() % 6).map(|_| numbers.goods()).collect();
    let articles = u32::try_from(goods.len()).expect("a few");
    let config = shop(&goods);
    let owned: BTreeMap<AssetId, u32> = (1..=u16::from(VOUCHERS))
        .map(|asset| (AssetId(asset), u32::from(numbers.byte())))
        .collect();
    let home = TaxpayerId(u16::from(numbers.byte() % 3) + 1);
    let mut cart = Vec::new();
    while !numbers.0.is_empty() && cart.len() < 200 {
        cart.push(numbers.line(articles));
    }
    let Ok(orders) = price(&config, home, &cart, &owned) else {
        return;
    };
    let mut used: BTreeMap<AssetId, u32> = BTreeMap::new();
    for order in &orders {
        let sum: i128 = order
            .lines
            .iter()
            .map(|line| i128::from(line.unit_price.0) * i128::from(line.quantity))
            .sum();
        assert_eq!(i128::from(order.total.0), sum);
        for (asset, units) in order.vouchers_used() {
            *used.entry(asset).or_default() += units;
        }
        order.due().expect("what vouchers pay is at most the goods");
        verify(&config, order.taxpayer, &order.lines);
    }
    assert!(
        used.iter().all(|(asset, units)| *units <= owned[asset]),
        "{used:?} of {owned:?}"
    );
}
