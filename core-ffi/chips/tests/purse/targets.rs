//! What is thrown at chips and their machine by fuzzers and by stable tests alike. Each takes any bytes and panics when a promise is broken.

use std::sync::LazyLock;

use chips::purse::encode::{audit, encode};
use chips::purse::{Books, Knowledge, LoadRefusal, Outcome, Payment, load};
use chips::simulated::{SimulatedField, UltralightAesChip};
use chips::{Field, FieldFault, Selected, identify};
use shared_protocol::purse::image::{FIRST_PAGE, LAST_PAGE, slot_page};
use shared_protocol::purse::{
    AesKey, BatchList, ChainId, Credit, Flags, Header, Image, Purpose, Purse, PurseSettings, Record, Slot, Vouchers,
};

use crate::common::{Deed, Festival, Reader, credit, image, issue, pay, settings, top_up};

/// One festival for all inputs, with short chains: making it anew, and walking it, would take most of a fuzzer's time.
static FESTIVAL: LazyLock<Festival> = LazyLock::new(|| {
    Festival::new(PurseSettings {
        length: [48, 48, 24],
        ..settings()
    })
});

/// Bytes to decide by; zeros when they are at their end.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }
}

/// A field in which anything may answer.
struct Hostile<'a> {
    inner: Reader,
    script: Script<'a>,
}

impl Field for Hostile<'_> {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        match self.script.byte() {
            0xE0..=0xE7 => {
                let length = usize::from(self.script.byte());
                Ok((0..length).map(|_| self.script.byte()).collect())
            }
            0xE8..=0xEF => {
                let mut answer = self.inner.transceive(frame)?;
                let at = usize::from(self.script.byte());
                let bit = self.script.byte();
                if let Some(byte) = answer.get_mut(at) {
                    *byte ^= bit;
                }
                Ok(answer)
            }
            0xF0..=0xF7 => {
                let _ = self.inner.transceive(frame);
                Err(FieldFault::Silent)
            }
            0xF8..=0xFB => Err(FieldFault::Nak(self.script.byte() & 0xF)),
            0xFC..=0xFD => Ok(frame.to_vec()),
            0xFE => {
                self.inner.present = false;
                Err(FieldFault::Gone)
            }
            0xFF => Err(FieldFault::Reader("broken".to_owned())),
            _ => self.inner.transceive(frame),
        }
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        self.inner.reselect()
    }
}

/// Everything that is read from a chip or about one, from any bytes.
pub fn chip_parsers(data: &[u8]) {
    let festival: &Festival = &FESTIVAL;
    let list = &festival.lists[&5];
    let key = AesKey::new(&festival.batch.chip_key(0, Purpose::Purse));
    let uid = festival.batch.uid(0);
    let mut script = Script(data);
    let Some(mut read) = Image::new(&script.array::<144>(), u32::from_le_bytes(script.array()) & 0x00FF_FFFF) else {
        panic!("144 bytes are an image")
    };
    assert_eq!(Image::from_wire(read.wire()), read);
    if let Some(header) = read.header() {
        assert_eq!(Header::read(header.bytes()), Some(header));
    }
    for buffer in 0..4 {
        if let Some(credit) = Credit::read(&read.buffer(buffer), &list.settings) {
            assert_eq!(credit.bytes(), read.buffer(buffer));
        }
    }
    for slot in Slot::ALL {
        let [body @ .., _, _, _, _, _, _, _, _] = read.slot(slot);
        let record = Record::from_body(body);
        assert_eq!(record.body(), body);
        assert_eq!(
            Record::read(&record.bytes(&key, uid, slot), &key, uid, slot),
            Some(record)
        );
    }
    let _ = shared_protocol::decode::<BatchList>(data);
    let _ = shared_protocol::decode::<Image>(data);
    // The header of a true chip, so that more than the first check is reached.
    read.set_page(4, [0xF2, 1, 5, 0]);
    read.set_page(5, [0, 0, 0, 0]);
    if let Ok(purse) = Purse::check(read, uid, list, &key, None) {
        assert_eq!(purse.credited(None).0, 0, "nothing was ever credited to this chip");
    }
}

/// A chip that lived and was then changed by somebody who holds its keys.
fn emulator(festival: &Festival, script: &mut Script<'_>) -> (UltralightAesChip, i64) {
    let mut reader = festival.reader(0);
    let mut certified = 0;
    for _ in 0..script.byte() % 6 {
        let deed = match script.byte() % 5 {
            0 => top_up(1_000, 200),
            1 => credit(ChainId::Return, 100, 7),
            2 => Deed::Claim(festival.batch.pending(0, u16::from(script.byte()))),
            3 => issue([1, 1], 9),
            _ => pay(u32::from(script.byte()) + 1, 3),
        };
        reader.restart();
        if let Ok(mut tap) = festival.tap(&mut reader, &Knowledge::default())
            && let Ok(plan) = festival.plan(&tap.loaded, &deed)
        {
            tap.commit(&plan);
            certified = tap.loaded.purse.credited(None).0;
        }
    }
    let key = AesKey::new(&festival.batch.chip_key(0, Purpose::Purse));
    let mut chip = reader.chip;
    for _ in 0..script.byte() % 8 {
        match script.byte() % 4 {
            0 => {
                let page = FIRST_PAGE + script.byte() % (LAST_PAGE - FIRST_PAGE + 1);
                chip.set_page(page, script.array());
            }
            1 => {
                let slot = if script.byte() & 1 == 0 {
                    Slot::First
                } else {
                    Slot::Second
                };
                let record = Record {
                    after: u32::from_le_bytes(script.array()) & 0x00FF_FFFF,
                    amount: u32::from(script.byte()),
                    version: u16::from_le_bytes(script.array()),
                    terminal: u16::from(script.byte()),
                    flags: Flags(script.byte()),
                    vouchers: [Vouchers {
                        issued: u16::from_le_bytes(script.array()),
                        used: u16::from_le_bytes(script.array()),
                    }; 2],
                    ..Record::first()
                };
                let bytes = record.bytes(&key, festival.batch.uid(0), slot);
                for (page, bytes) in (slot_page(slot)..).zip(bytes.as_chunks::<4>().0) {
                    chip.set_page(page, *bytes);
                }
            }
            2 => chip.set_counter(2, u32::from_le_bytes(script.array()) & 0x00FF_FFFF),
            _ => {
                // One buffer over another.
                let (from, to) = (script.byte() % 4 * 4, script.byte() % 4 * 4);
                for page in 0..4 {
                    chip.set_page(8 + to + page, chip.page(8 + from + page));
                }
            }
        }
    }
    (chip, certified)
}

/// The machine against a chip that answers anything, and against an emulator with true keys and any memory.
pub fn chip_machine(data: &[u8]) {
    let festival: &Festival = &FESTIVAL;
    let mut script = Script(data);
    let (chip, certified) = emulator(festival, &mut script);
    let deeds = [
        pay(u32::from(script.byte()), 1),
        Deed::PayFolding(
            Payment {
                cents: u32::from(script.byte()),
                vouchers: [u16::from(script.byte() & 1), 0],
                terminal: 2,
                minute: u32::from_le_bytes(script.array()),
                flags: None,
            },
            festival.batch.pending(0, u16::from(script.byte())),
        ),
        top_up(u32::from(script.byte()) * 50, 3),
        issue([u16::from(script.byte()), u16::from(script.byte())], 4),
    ];
    let mut field = Hostile {
        inner: SimulatedField::new(chip),
        script,
    };
    let selected = festival.batch.chip(0);
    let selected = chips::simulated::VirtualChip::selected(&selected);
    let books = Books {
        keys: &festival.sale,
        lists: &festival.lists,
    };
    let mut knowledge = Knowledge::default();
    let mut credited = certified;
    for deed in deeds {
        field.inner.restart();
        let random = 0x1122_3344_5566_7788_99AA_BBCC_DDEE_FF00_u128.to_be_bytes();
        let mut tap = match load(&mut field, &selected, &books, &knowledge, random) {
            Ok(tap) => tap,
            Err(LoadRefusal::Blocked) => panic!("nobody blocked it"),
            Err(_) => continue,
        };
        assert!(tap.loaded.purse.credited(None).0 <= credited, "credit from nothing");
        for intent in &knowledge.open {
            let _ = tap.loaded.resolve(intent);
        }
        knowledge.open.clear();
        for plan in [festival.plan(&tap.loaded, &deed), tap.loaded.plan_settle()] {
            let Ok(plan) = plan else { continue };
            if plan.intent.before != tap.loaded.purse.image {
                continue;
            }
            credited = credited.max(plan.after.purse.credited(None).0);
            let free = tap.loaded.free();
            let done = tap.commit(&plan);
            if done.outcome == Outcome::Committed {
                assert_eq!(tap.loaded.purse.image, plan.intent.after);
                if plan.intent.debits() {
                    assert!(
                        !free.is_negative() || matches!(deed, Deed::PayFolding(..)),
                        "sold on less than nothing"
                    );
                }
            } else {
                knowledge.open.push(plan.intent);
            }
        }
    }
    // The rest of the script answers who encodes, audits and identifies.
    field.inner.restart();
    let _ = identify(&mut field, &selected);
    field.inner.restart();
    let random = [*b"sixteen bytes 1.", *b"sixteen bytes 2.", *b"sixteen bytes 3."];
    let _ = encode(
        &mut field,
        &selected,
        &festival.batch.encoding(0),
        &chips::originality::NXP_ULTRALIGHT_AES,
        random,
    );
    field.inner.restart();
    let _ = audit(&mut field, &festival.batch.chip_key(0, Purpose::Auth), random[0]);
    let _ = image(&field.inner.chip);
}
