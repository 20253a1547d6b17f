//! Who holds all keys of a sale and any number of wristbands, blank chips and emulators, gains nothing that was not certified.

use chips::purse::{Knowledge, LastKnown, LoadRefusal, PlanRefusal};
use chips::simulated::UltralightAesChip;
use chips::{KeyRole, MemoryKeys};
use shared_protocol::Amount;
use shared_protocol::purse::chain::Chain;
use shared_protocol::purse::image::{BUFFERS, buffer_page, slot_page};
use shared_protocol::purse::{AesKey, ChainId, Credit, Image, Purpose, Purse, Record, Slot, Token, Vouchers};

use crate::common::{Deed, Festival, Reader, credit, image, issue, pay, settings, top_up};

/// What an honest till reads of this image on a chip of this index.
fn read(festival: &Festival, index: u16, image: Image) -> Option<Amount> {
    let key = AesKey::new(&festival.batch.chip_key(index, Purpose::Purse));
    Purse::check(image, festival.batch.uid(index), &festival.lists[&5], &key, None)
        .ok()
        .map(|purse| purse.balance(None))
}

fn put(image: &mut Image, first: u8, bytes: &[u8]) {
    for (page, bytes) in (first..).zip(bytes.as_chunks::<4>().0) {
        image.set_page(page, *bytes);
    }
}

/// A wristband with a life: every content its memory ever had.
fn life(festival: &Festival, index: u16) -> (Reader, Vec<Image>) {
    let mut reader = festival.reader(index);
    let mut images = vec![image(&reader.chip)];
    let claim = |units| Deed::Claim(festival.batch.pending(index, units));
    for deed in [
        top_up(4_000, 200),
        pay(450, 3),
        claim(30),
        pay(250, 4),
        credit(ChainId::Return, 200, 7),
        top_up(1_000, 201),
        pay(700, 3),
        issue([1, 0], 200),
        claim(90),
        pay(150, 5),
    ] {
        festival.does(&mut reader, &deed);
        images.push(image(&reader.chip));
    }
    (reader, images)
}

#[derive(Default)]
struct Count {
    tried: u64,
    refused: u64,
    poorer: u64,
    same: u64,
}

impl Count {
    fn note(&mut self, before: Amount, after: Option<Amount>, what: &dyn std::fmt::Debug) {
        self.tried += 1;
        match after {
            None => self.refused += 1,
            Some(after) if after < before => self.poorer += 1,
            Some(after) if after == before => self.same += 1,
            Some(after) => panic!("{before} became {after}: {what:?}"),
        }
    }

    fn say(&self, what: &str) {
        crate::say(&format!(
            "{what}: {} tried, {} refused, {} poorer, {} the same, 0 gained",
            self.tried, self.refused, self.poorer, self.same
        ));
    }
}

#[test]
fn any_mixture_of_what_a_wristband_ever_held_gains_nothing() {
    let festival = Festival::new(settings());
    let (_, images) = life(&festival, 0);
    let now = images[images.len() - 1];
    let balance = read(&festival, 0, now).unwrap();
    let mut count = Count::default();
    let contents = |first: u8, pages: u8| {
        let mut seen: Vec<Vec<u8>> = images
            .iter()
            .map(|image| (first..first + pages).flat_map(|page| image.page(page)).collect())
            .collect();
        seen.sort();
        seen.dedup();
        seen
    };
    let buffers: Vec<Vec<Vec<u8>>> = (0..BUFFERS).map(|buffer| contents(buffer_page(buffer), 4)).collect();
    let slots = Slot::ALL.map(|slot| contents(slot_page(slot), 8));
    for b0 in &buffers[0] {
        for b1 in &buffers[1] {
            for b2 in &buffers[2] {
                for b3 in &buffers[3] {
                    for slot in 0..slots[0].len().max(slots[1].len()) {
                        let mut mixed = now;
                        for (buffer, bytes) in [b0, b1, b2, b3].into_iter().enumerate() {
                            put(&mut mixed, buffer_page(buffer), bytes);
                        }
                        put(&mut mixed, slot_page(Slot::First), &slots[0][slot % slots[0].len()]);
                        put(&mut mixed, slot_page(Slot::Second), &slots[1][slot % slots[1].len()]);
                        count.note(balance, read(&festival, 0, mixed), &mixed);
                    }
                }
            }
        }
    }
    count.say("mixtures of old contents");
    assert!(count.tried > 540 && count.same > 0 && count.poorer > 0 && count.refused > 0);
}

#[test]
fn the_holder_of_all_sale_keys_gains_nothing() {
    let festival = Festival::new(settings());
    let (_, images) = life(&festival, 0);
    let (_, rich) = life(&festival, 1);
    let (now, rich) = (images[images.len() - 1], rich[rich.len() - 1]);
    let balance = read(&festival, 0, now).unwrap();
    let uid = festival.batch.uid(0);
    let mut count = Count::default();

    // Tokens that the thief can have: of this chip's past and of another's, of chains of his own, hashed on, or drawn.
    let own_key = AesKey::new(&[0x77; 16]);
    let mut tokens: Vec<Token> = Vec::new();
    for image in images.iter().chain([&rich]) {
        for buffer in 0..BUFFERS {
            tokens.extend(Credit::read(&image.buffer(buffer), &festival.batch.settings).map(|credit| credit.token));
        }
    }
    for (seed, chain) in (1..).zip(ChainId::ALL) {
        tokens.push(Token([seed; 12]));
        tokens.push(festival.batch.settings.anchor(&own_key, uid, *chain).unwrap());
        tokens.push(Chain::new(77, uid, *chain).down(9, Token([seed; 12]), 3).unwrap());
    }
    tokens.sort_unstable();
    tokens.dedup();
    for chain in ChainId::ALL {
        let there = now_units(&festival, now)[chain.index()];
        for units in (there + 1..=there + 40).chain([festival.batch.settings.length_of(*chain)]) {
            for token in &tokens {
                for buffer in 0..BUFFERS {
                    let mut forged = now;
                    let credit = Credit {
                        chain: *chain,
                        units,
                        hint: 1,
                        token: *token,
                    };
                    put(&mut forged, buffer_page(buffer), &credit.bytes());
                    count.note(balance, read(&festival, 0, forged), &credit);
                }
            }
        }
    }

    forged_records(&festival, now, &mut count);

    // Slots and buffers exchanged, headers changed, the other wristband's pages in every mixture of buffers.
    for first in 0..BUFFERS {
        for second in 0..BUFFERS {
            let mut swapped = now;
            put(&mut swapped, buffer_page(first), &now.buffer(second));
            put(&mut swapped, buffer_page(second), &now.buffer(first));
            count.note(balance, read(&festival, 0, swapped), &(first, second));
        }
    }
    let mut swapped = now;
    put(&mut swapped, slot_page(Slot::First), &now.slot(Slot::Second));
    put(&mut swapped, slot_page(Slot::Second), &now.slot(Slot::First));
    count.note(balance, read(&festival, 0, swapped), &"slots");
    for byte in 0..8_usize {
        for value in 0..=255 {
            let mut changed = now;
            let page = 0x04 + u8::try_from(byte / 4).unwrap();
            let mut bytes = changed.page(page);
            if bytes[byte % 4] == value {
                continue;
            }
            bytes[byte % 4] = value;
            changed.set_page(page, bytes);
            let after = read(&festival, 0, changed);
            assert_eq!(after, None, "the header is bound by the list");
            count.note(balance, after, &byte);
        }
    }
    for mask in 0..64_u8 {
        let mut mixed = now;
        for buffer in 0..BUFFERS {
            if mask >> buffer & 1 == 1 {
                put(&mut mixed, buffer_page(buffer), &rich.buffer(buffer));
            }
        }
        for slot in Slot::ALL {
            if mask >> (4 + slot.index()) & 1 == 1 {
                put(&mut mixed, slot_page(slot), &rich.slot(slot));
            }
        }
        for with_header in [false, true] {
            let mut mixed = mixed;
            if with_header {
                put(&mut mixed, 4, &rich.header().unwrap().bytes());
            }
            count.note(balance, read(&festival, 0, mixed), &(mask, with_header));
        }
    }
    count.say("holder of all sale keys");
    assert!(count.tried > 8_105, "{}", count.tried);
}

/// Records with a good MAC, saying anything.
fn forged_records(festival: &Festival, now: Image, count: &mut Count) {
    let balance = read(festival, 0, now).expect("a purse");
    let record_key = AesKey::new(&festival.batch.chip_key(0, Purpose::Purse));
    let uid = festival.batch.uid(0);
    for (after, amount, version, issued) in [0, 1, 1_000, 0x00FF_FFFF]
        .into_iter()
        .flat_map(|after| [0, 450, 0x00FF_FFFF].map(|amount| (after, amount)))
        .flat_map(|(after, amount)| [0, 9, 65_535].map(|version| (after, amount, version)))
        .flat_map(|(after, amount, version)| [0, 1, 65_535].map(|issued| (after, amount, version, issued)))
    {
        for slot in Slot::ALL {
            let record = Record {
                after,
                amount,
                version,
                vouchers: [Vouchers { issued, used: 0 }; 2],
                ..Record::first()
            };
            let mut forged = now;
            put(&mut forged, slot_page(slot), &record.bytes(&record_key, uid, slot));
            count.note(balance, read(festival, 0, forged), &record);
        }
    }
}

fn now_units(festival: &Festival, image: Image) -> [u16; 3] {
    let key = AesKey::new(&festival.batch.chip_key(0, Purpose::Purse));
    Purse::check(image, festival.batch.uid(0), &festival.lists[&5], &key, None)
        .expect("a purse")
        .units()
}

#[test]
fn a_damaged_memory_never_credits() {
    let festival = Festival::new(settings());
    let (_, images) = life(&festival, 0);
    let now = images[images.len() - 1];
    let balance = read(&festival, 0, now).unwrap();
    let mut count = Count::default();
    // A row of numbers that looks drawn and is the same in every run.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for _ in 0..40_000 {
        let mut damaged = now;
        for _ in 0..=draw(4) {
            let page = 4 + u8::try_from(draw(36)).unwrap();
            let mut bytes = damaged.page(page);
            match draw(4) {
                0 => bytes = [0; 4],
                1 => bytes = [0xFF; 4],
                2 => bytes[usize::try_from(draw(4)).unwrap()] ^= 1 << draw(8),
                _ => bytes = u32::try_from(draw(1 << 32)).unwrap().to_le_bytes(),
            }
            damaged.set_page(page, bytes);
        }
        count.note(balance, read(&festival, 0, damaged), &damaged);
    }
    count.say("damaged memories");
    assert!(count.same > 0 && count.refused > 0);
}

#[test]
fn a_clone_spends_what_was_certified_and_no_more_at_a_till_that_never_saw_it() {
    let festival = Festival::new(settings());
    let (_, images) = life(&festival, 0);
    let certified = {
        let mut rewound = images[images.len() - 1];
        rewound.counter = 0;
        read(&festival, 0, rewound).unwrap()
    };
    // An emulator with the chip's keys and a counter that it sets as it likes.
    let mut emulator: UltralightAesChip = festival.batch.chip(0);
    for (page, bytes) in (4..).zip(images[images.len() - 1].pages) {
        emulator.set_page(page, bytes);
    }
    emulator.set_counter(2, 0);
    let mut reader = Reader::new(emulator);
    let loaded = festival.look(&mut reader).unwrap();
    assert_eq!(loaded.balance(), certified, "never more than was credited");
    let seen = Knowledge {
        last_known: Some(LastKnown {
            counter: 1_550,
            units: [0; 3],
        }),
        ..Knowledge::default()
    };
    reader.restart();
    assert_eq!(festival.tap(&mut reader, &seen).unwrap_err(), LoadRefusal::Regression);
}

#[test]
fn a_stolen_return_key_is_worth_its_chain_and_a_stolen_desk_key_nothing_once_frozen() {
    let festival = Festival::new(settings());
    let thief: MemoryKeys = festival
        .batch
        .keys(&[KeyRole::Auth, KeyRole::Mac, KeyRole::Chain(ChainId::Return)]);
    let mut reader = festival.reader(0);
    let loaded = festival.look(&mut reader).unwrap();
    let cap = u32::from(festival.batch.settings.length[2]) * u32::from(festival.batch.settings.unit_cents[2]);
    let all = chips::purse::TopUp {
        chain: ChainId::Return,
        cents: cap,
        terminal: 66,
    };
    let limits = chips::purse::Limits::default();
    assert!(loaded.plan_top_up(&thief, &all, &limits).is_ok());
    let more = chips::purse::TopUp { cents: cap + 10, ..all };
    assert_eq!(
        loaded.plan_top_up(&thief, &more, &limits).unwrap_err(),
        PlanRefusal::ChainFull
    );

    festival.does(&mut reader, &top_up(2_000, 200));
    let table = festival.look(&mut reader).unwrap().purse.units()[0];
    festival.does(&mut reader, &top_up(9_000, 66));
    reader.restart();
    let frozen = Knowledge {
        frozen_desk: Some(table),
        ..Knowledge::default()
    };
    let tap = festival.tap(&mut reader, &frozen).unwrap();
    assert_eq!(
        tap.loaded.balance(),
        Amount(2_000),
        "what the thief credited is not believed"
    );
}

#[test]
fn a_chip_without_an_entry_of_its_own_holds_no_purse_whatever_is_written_on_it() {
    let festival = Festival::new(settings());
    let own_key = AesKey::new(&[0x77; 16]);
    for index in 0..4 {
        // A blank chip with chains of the thief's own, with the index of any chip of the list.
        let uid = festival.batch.uid(9);
        let anchors = [ChainId::Desk, ChainId::Server, ChainId::Return]
            .map(|chain| festival.batch.settings.anchor(&own_key, uid, chain).unwrap());
        let key = AesKey::new(&festival.batch.chip_key(9, Purpose::Purse));
        let mut header = festival.batch.header(index);
        header.class = 3;
        for header in [festival.batch.header(index), header] {
            let image = Image::fresh(&header, [0; 8], &anchors, &key, uid);
            assert!(Purse::check(image, uid, &festival.lists[&5], &key, None).is_err());
        }
    }
}
