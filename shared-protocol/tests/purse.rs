//! The known answers of the purse: keys, chains, entry, signed list, and what the pages hold after encoding, a top-up and two sales.

use std::path::{Path, PathBuf};

use serde_json::Value;
use shared_protocol::Amount;
use shared_protocol::crypto::{Algorithm, Ed25519Signer, PublicKey, Signature, Signer as _};
use shared_protocol::ids::{Bytes, parse_hex};
use shared_protocol::purse::chain::token_at;
use shared_protocol::purse::cipher::chip_key;
use shared_protocol::purse::{
    AesKey, BatchList, ChainId, Credit, Header, Image, ListEntry, Purpose, Purse, PurseFault, PurseSettings, Record,
    Slot, Token, Uid,
};

/// The answers that lie in this repository.
fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/purse/known-answers.json")
}

/// The answers as they were found, where they are at hand.
fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/fp2.json")
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    let hex = value.as_str().expect("a text");
    parse_hex(hex).expect("hexadecimal").try_into().expect("so many bytes")
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value
        .as_u64()
        .and_then(|number| T::try_from(number).ok())
        .expect("a number")
}

fn numbers<T: TryFrom<u64> + Copy, const N: usize>(value: &Value) -> [T; N] {
    let numbers: Vec<T> = value.as_array().expect("a list").iter().map(number).collect();
    numbers.try_into().ok().expect("so many numbers")
}

struct Known {
    uid: Uid,
    header: Header,
    list: BatchList,
    record_key: AesKey,
    chain_keys: [AesKey; 3],
    anchors: [Token; 3],
    answers: Value,
}

impl Known {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("known answers");
        let answers: Value = serde_json::from_str(&text).expect("JSON");
        let uid = Uid(bytes(&answers["uid"]));
        let header = Header {
            keyset: number(&answers["keyset"]),
            batch: number(&answers["batch"]),
            index: number(&answers["index"]),
            class: number(&answers["class"]),
        };
        let settings = PurseSettings {
            event: number(&answers["event"]),
            unit_cents: numbers(&answers["chain_unit_cents"]),
            length: numbers(&answers["chain_length"]),
            weight_cents: numbers(&answers["voucher_weight_cents"]),
        };
        let chain_keys = [0, 1, 2].map(|chain| AesKey::new(&bytes(&answers["k_chain"][chain])));
        let mut anchors = [Token([0; 12]); 3];
        for ((chain, key), anchor) in ChainId::ALL.iter().zip(&chain_keys).zip(&mut anchors) {
            *anchor = settings.anchor(key, uid, *chain).expect("software never refuses");
        }
        let entry = ListEntry::of(settings.event, &header, uid, &anchors);
        let record_key = chip_key(
            &AesKey::new(&bytes(&answers["k_mac_master"])),
            uid,
            Purpose::Purse,
            header.keyset,
        )
        .expect("software never refuses");
        Self {
            uid,
            header,
            list: BatchList {
                settings,
                batch: header.batch,
                entries: Bytes(entry.0.to_vec()),
            },
            record_key: AesKey::new(&record_key),
            chain_keys,
            anchors,
            answers,
        }
    }

    fn token(&self, chain: ChainId, place: u16) -> Token {
        let key = &self.chain_keys[chain.index()];
        let settings = &self.list.settings;
        token_at(key, settings.event, self.uid, chain, settings.length_of(chain), place)
            .expect("software never refuses")
            .expect("on the chain")
    }

    fn pages(&self, step: usize) -> Image {
        let state = &self.answers["user_memory_pages_04_to_27"][step];
        let pages: [u8; 144] = bytes(&state["pages"]);
        Image::new(&pages, number(&state["counter_cents"])).expect("an image")
    }

    fn check(&self, image: Image) -> Result<Purse, PurseFault> {
        Purse::check(image, self.uid, &self.list, &self.record_key, None)
    }

    fn put(image: &mut Image, first: u8, bytes: &[u8]) {
        for (page, bytes) in (first..).zip(bytes.as_chunks::<4>().0) {
            image.set_page(page, *bytes);
        }
    }

    fn keys_and_chains(&self) {
        let master = AesKey::new(&bytes(&self.answers["k_auth_master"]));
        let auth = chip_key(&master, self.uid, Purpose::Auth, self.header.keyset).expect("software never refuses");
        assert_eq!(auth, bytes(&self.answers["data_prot_key"]));
        let record_key = AesKey::new(&bytes(&self.answers["record_key"]));
        assert_eq!(record_key.encrypted([0; 16]), self.record_key.encrypted([0; 16]));
        for (chain, anchor) in ChainId::ALL.iter().zip(self.anchors) {
            let known = &self.answers["chains"][chain.index()];
            assert_eq!(anchor, Token(bytes(&known["anchor"])));
            let top = self.list.settings.length_of(*chain);
            for (place, name) in [(top, "top"), (1, "token_1"), (20, "token_20")] {
                assert_eq!(
                    self.token(*chain, place),
                    Token(bytes(&known[name])),
                    "{chain:?} {name}"
                );
            }
        }
    }

    fn list(&self) {
        let known = &self.answers["list_of_this_one_chip"];
        assert_eq!(self.list.entries.0, bytes::<12>(&self.answers["list_entry"]));
        let signer = Ed25519Signer::from_seed(&bytes(&known["ed25519_seed"])).expect("a seed");
        let key = PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes: Bytes(bytes::<32>(&known["public"]).to_vec()),
        };
        assert_eq!(signer.public_key(), key);
        let signature = Signature {
            algorithm: Algorithm::Ed25519,
            bytes: Bytes(bytes::<64>(&known["signature"]).to_vec()),
        };
        assert_eq!(signer.sign(&self.list.message()).expect("a signature"), signature);
        assert_eq!(self.list.verify(&key, &signature), Ok(()));
        let mut other = self.list.clone();
        other.settings.unit_cents = [500, 10, 10];
        assert!(other.verify(&key, &signature).is_err(), "units are signed");
    }

    fn pages_after_each_step(&self) {
        let mut image = Image::fresh(&self.header, [0; 8], &self.anchors, &self.record_key, self.uid);
        assert_eq!(image, self.pages(0), "encoded");
        let purse = self.check(image).expect("genuine");
        assert_eq!((purse.balance(None), purse.current), (Amount(0), Some(Slot::First)));

        let credit = Credit {
            chain: ChainId::Desk,
            units: 80,
            hint: 200,
            token: self.token(ChainId::Desk, 80),
        };
        Self::put(&mut image, 0x14, &credit.bytes());
        let purse = self.check(image).expect("genuine");
        assert_eq!(purse.old.map(|held| held.credit.units), Some(0), "not confirmed yet");
        image.set_page(0x0B, [0; 4]);
        assert_eq!(image, self.pages(1), "topped up");
        let purse = self.check(image).expect("genuine");
        assert_eq!(
            (purse.balance(None), purse.old, purse.spare()),
            (Amount(4_000), None, 0)
        );

        for (step, slot, amount, minute) in [(2, Slot::Second, 450, 9), (3, Slot::First, 1_200, 11)] {
            let last = self.check(image).expect("genuine").newest_record().expect("a record");
            let record = Record {
                after: image.counter + amount,
                amount,
                version: last.version + 1,
                terminal: 200,
                minute,
                ..last
            };
            let first_page = if slot == Slot::First { 0x18 } else { 0x20 };
            Self::put(&mut image, first_page, &record.bytes(&self.record_key, self.uid, slot));
            assert_eq!(self.check(image).expect("genuine").open_intent(), Some(record));
            image.counter += amount;
            assert_eq!(image, self.pages(step), "sale {step}");
            let purse = self.check(image).expect("genuine");
            assert_eq!((purse.current, purse.newest_record()), (Some(slot), Some(record)));
        }
        assert_eq!(self.check(image).expect("genuine").balance(None), Amount(2_350));
    }

    fn refusals(&self) {
        let image = self.pages(3);
        for page in 0x04..=0x05 {
            for byte in 0..4 {
                let mut changed = image;
                let mut bytes = changed.page(page);
                bytes[byte] ^= 1;
                changed.set_page(page, bytes);
                assert!(self.check(changed).is_err(), "page {page:02x} byte {byte}");
            }
        }
        let mut richer = image;
        richer.set_page(0x14, [81, 0, 0, 200]);
        assert_eq!(self.check(richer), Err(PurseFault::Forged));
        let mut forged = image;
        forged.set_page(0x18, [0xFF; 4]);
        let purse = self.check(forged).expect("credits are genuine");
        assert_eq!(purse.balance(None), Amount(2_350), "a record cannot change the total");
        assert_eq!(purse.current, Some(Slot::Second));
        assert_eq!(
            self.check(image).expect("genuine").credited(Some(50)),
            Amount(2_500),
            "frozen"
        );
    }

    fn a_known_walk_gives_the_same(&self) {
        let known = self.check(self.pages(0)).expect("genuine").walk();
        for step in 0..4 {
            let image = self.pages(step);
            let with = Purse::check(image, self.uid, &self.list, &self.record_key, Some(&known));
            assert_eq!(with, self.check(image));
        }
        let known = self.check(self.pages(3)).expect("genuine").walk();
        let mut forged = self.pages(3);
        forged.set_page(0x15, [7; 4]);
        let with = Purse::check(forged, self.uid, &self.list, &self.record_key, Some(&known));
        assert_eq!(with, Err(PurseFault::Forged));
        let mut lies = known;
        lies.anchors = [Token([1; 12]); 3];
        let with = Purse::check(self.pages(3), self.uid, &self.list, &self.record_key, Some(&lies));
        assert_eq!(with, self.check(self.pages(3)), "a cache for other anchors is not used");
    }

    fn all(&self) {
        self.keys_and_chains();
        self.list();
        self.pages_after_each_step();
        self.refusals();
        self.a_known_walk_gives_the_same();
    }
}

#[test]
fn the_known_answers_of_this_repository_come_out() {
    Known::read(&own()).all();
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a test that skips says so")]
fn the_known_answers_as_they_were_found_come_out() {
    if shared().exists() {
        Known::read(&shared()).all();
    } else {
        println!("SKIPPED: ../shared/vectors/fp2.json is not here; the copy in fixtures/purse was checked");
    }
}

#[test]
fn an_image_survives_the_wire() {
    let image = Known::read(&own()).pages(3);
    assert_eq!(Image::from_wire(image.wire()), image);
    let coded = shared_protocol::encode(&image);
    assert_eq!(shared_protocol::decode(&coded), Ok(image));
}
