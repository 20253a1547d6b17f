//! Wristbands from their keys to the books, as people run it: with virtual wristbands, some of them torn, false, or stubborn.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chips::KeyRole;
use core_ffi::purse_keys::{KeyFile, Role, SealedKeys, Secret};
use core_ffi::tags::derive::master;
use engine::{CreditMaker as _, Engine, Reply, Request, Settled, check_push};
use festival::registration::{Slot, SlotState, secret_digest};
use fixtures::paper::{NOW, PaperTill};
use fixtures::sample;
use groschen::credits::{self, SealedCredits};
use shared_protocol::crypto::{Ed25519Signer, Hash32, Signer as _};
use shared_protocol::order::{LineKind, OrderKind, Permission, Tender, TenderKind};
use shared_protocol::purse::ChainId;
use shared_protocol::purse::chain::token_at;
use shared_protocol::stream::Stream;
use shared_protocol::wristband::{Batch, BatchAuthority, PurseMove, PurseTotals};
use shared_protocol::{Amount, SlotId, TagId, decode};
use store::Reader as _;
use store_sqlite::{Options, SqliteReader, SqliteStore};

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_groschen"))
        .args(arguments)
        .env_remove("GROSCHEN_DATA")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses first does not read it.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn tags(arguments: &[&str]) -> Output {
    run(&[&["tags"], arguments].concat(), "")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    out(output) + &String::from_utf8_lossy(&output.stderr)
}

fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    out(output)
}

/// A folder with everything of one batch.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        done(&tags(&[
            "new-batch",
            "--sample",
            "--batch",
            "5",
            "--voucher",
            "DRINK=950",
            // Short chains: walking long ones is what a real encoder waits for.
            "--lengths",
            "1100,2000,100",
            "--out",
            &bench.at("batch.keys"),
            "--key-file",
            &bench.at("batch.secret"),
        ]));
        done(&tags(&[
            "export",
            "--keys",
            &bench.at("batch.keys"),
            "--key-file",
            &bench.at("batch.secret"),
            "--role",
            "server",
            "--out",
            &bench.at("server.keys"),
            "--out-key-file",
            &bench.at("server.secret"),
        ]));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn encoder(&self, arguments: &[&str]) -> Output {
        let (keys, secret) = (self.at("batch.keys"), self.at("batch.secret"));
        let command = arguments.first().copied().unwrap_or_default();
        let rest = arguments.get(1..).unwrap_or_default();
        tags(
            &[
                &[command, "--keys", &keys, "--key-file", &secret, "--language", "en"],
                rest,
            ]
            .concat(),
        )
    }

    fn encode(&self, count: &str, faults: &str) -> Output {
        let (work, drawer) = (self.at("work"), self.at("drawer"));
        let fixed = ["encode", "--out", &work, "--drawer", &drawer, "--simulated", count];
        let faults = if faults.is_empty() {
            vec![]
        } else {
            vec!["--simulate-faults", faults]
        };
        self.encoder(&[&fixed[..], &faults].concat())
    }

    fn bands(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("work/bands.csv")).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    fn data(&self) -> String {
        let data = self.path("data");
        if !data.exists() {
            std::fs::create_dir(&data).unwrap();
            let mut store = SqliteStore::open(data.join("groschen.db"), &Options::default()).unwrap();
            engine::bootstrap(&mut store, sample::EVENT, &sample::items()).unwrap();
        }
        self.at("data")
    }

    fn import(&self) -> Output {
        tags(&[
            "import",
            "--data",
            &self.data(),
            "--list",
            &self.at("work/batch.list"),
            "--bands",
            &self.at("work/bands.csv"),
            "--purse-keys",
            &self.at("server.keys"),
            "--purse-key-file",
            &self.at("server.secret"),
        ])
    }

    fn reader(&self) -> SqliteReader {
        SqliteReader::open(self.path("data/groschen.db"), None).unwrap()
    }

    fn batch(&self) -> Batch {
        let copy = self
            .reader()
            .stream(sample::EVENT, Stream::Batches, None)
            .unwrap()
            .unwrap();
        decode(&copy.items[&5_u16.to_be_bytes().to_vec()]).unwrap()
    }

    fn engine(&self) -> Engine<SqliteStore> {
        let store = SqliteStore::open(self.path("data/groschen.db"), &Options::default()).unwrap();
        let seed: [u8; 32] = std::fs::read(self.path("data/config.key")).unwrap().try_into().unwrap();
        let mut engine =
            Engine::open(store, sample::EVENT, Box::new(Ed25519Signer::from_seed(&seed).unwrap())).unwrap();
        let keys = credits::open(&[self.path("server.keys")], &self.path("server.secret")).unwrap();
        engine.make_credits_with(Box::new(SealedCredits::new(keys)));
        engine
    }
}

fn tag_of(line: &str) -> TagId {
    TagId::parse(line.split(',').nth(1).unwrap()).unwrap()
}

#[test]
fn twenty_wristbands_go_from_the_virtual_factory_into_the_books_and_out_of_the_chips_authority() {
    let bench = Bench::new();
    let made = bench.encode(
        "20",
        "2=torn:1,3=torn:40,4=torn:52,7=torn:56,11=counterfeit,12=stubborn:2A,13=stubborn:2D,14=used",
    );
    let text = done(&made);
    assert!(said(&made).contains("SIMULATED"), "{}", said(&made));
    assert_eq!(text.matches("GOOD ").count(), 16, "{text}");
    assert_eq!(text.matches("AGAIN ").count(), 4, "{text}");
    assert_eq!(
        text.matches("resumed").count(),
        3,
        "torn before a place was given is no resumption: {text}"
    );
    for wanted in [
        "counterfeit",
        "the configuration can be changed (2A)",
        "the keys can be overwritten (2D)",
        "used before",
        "16 good, 3 rejected",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let rejected = std::fs::read_to_string(bench.path("work/rejected.csv")).unwrap();
    assert_eq!(rejected.lines().count(), 4, "{rejected}");
    let bands = bench.bands();
    assert_eq!(bands.len(), 16);

    // Every wristband that is counted as good passes the audit, every other one fails it.
    let audit = bench.encoder(&["audit", "--drawer", &bench.at("drawer"), "--json"]);
    assert_eq!(audit.status.code(), Some(1));
    let rows: Vec<serde_json::Value> = out(&audit)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let good = bands.iter().any(|line| line.contains(row["uid"].as_str().unwrap()));
        assert_eq!(row["passes"], good, "{row}");
    }
    let inspect = bench.encoder(&["inspect", "--drawer", &bench.at("drawer"), "--count", "1"]);
    let words = done(&inspect);
    for wanted in [
        "Batch 5, index 0",
        "Genuine. Balance",
        "All locks hold",
        "Printed 000001",
    ] {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
    let gates = bench.encoder(&["gates", "--drawer", &bench.at("drawer"), "--use-up"]);
    let words = done(&gates);
    assert_eq!(words.matches("pass ").count(), 6, "{words}");

    // Into the books, twice: the second time changes nothing.
    for _ in 0..2 {
        assert!(done(&bench.import()).contains("16 wristbands"));
    }
    let batch = bench.batch();
    assert_eq!(batch.authority, BatchAuthority::Chip);
    let tag = tag_of(&bands[0]);
    let purse = bench.reader().purse(sample::EVENT, tag).unwrap().unwrap();
    let pin = bands[0].rsplit(',').next().unwrap();
    assert!(purse.label.unwrap().fits(tag, pin));

    pay_from_a_purse(&bench, tag);

    // The event's keys are stolen: the server decides from now on.
    let data = bench.data();
    let asked = tags(&["switch-batch", "--data", &data, "--batch", "5"]);
    assert_eq!(asked.status.code(), Some(1));
    assert_eq!(bench.batch().authority, BatchAuthority::Chip, "only with --yes");
    assert!(done(&tags(&["switch-batch", "--data", &data, "--batch", "5", "--yes"])).contains("16 purses"));
    assert_eq!(bench.batch().authority, BatchAuthority::Server);
    let mut reader = bench.reader();
    let purse = reader.purse(sample::EVENT, tag).unwrap().unwrap();
    assert_eq!(purse.authority, BatchAuthority::Server);
    assert!(done(&tags(&["freeze", "--data", &data, "--batch", "5"])).contains("as far as"));
    assert!(bench.batch().desk_frozen);
    done(&tags(&["freeze", "--data", &data, "--batch", "5", "--off"]));
    done(&tags(&["revoke", "--data", &data, "--batch", "5", "--yes"]));
    assert!(bench.batch().revoked && !bench.batch().desk_frozen);
    let what: Vec<String> = reader
        .audit(None, None, 100)
        .unwrap()
        .into_iter()
        .map(|(_, row)| row.what)
        .collect();
    for wanted in [
        "batch.import",
        "batch.switch",
        "batch.freeze",
        "batch.thaw",
        "batch.revoke",
    ] {
        assert!(what.iter().any(|row| row == wanted), "{wanted}: {what:?}");
    }
    let unknown = tags(&["freeze", "--data", &data, "--batch", "6"]);
    assert!(said(&unknown).contains("Batch 6 is not known"), "{}", said(&unknown));
    let books = run(&["audit", "--data", &data], "");
    assert_eq!(books.status.code(), Some(0), "{}", said(&books));
}

/// A desk adds 20 €, a bar sells a beer, the server gives 2 € more: all on the purse of a wristband that was imported.
fn pay_from_a_purse(bench: &Bench, tag: TagId) {
    let mut engine = bench.engine();
    let mut ask = |request: Request| engine.process(NOW, &[request]).unwrap().pop().unwrap();
    let mut till = PaperTill::that_books(&[OrderKind::TopUp, OrderKind::Sale], 1);
    let (id, nonce) = (SlotId([1; 16]), Hash32([1; 32]));
    let slot = Slot {
        id,
        event: sample::EVENT,
        till: till.till,
        secret: secret_digest(id, &[1; 16]),
        expires_at_ms: NOW + 1_000,
        confirm: false,
        state: SlotState::Open,
    };
    ask(Request::OpenSlot(Box::new(slot)));
    ask(Request::Register {
        register: Box::new(till.register(id, &[1; 16], &nonce)),
        nonce,
        terminal: till.id,
    });
    let mut order = till.order(OrderKind::TopUp);
    order.lines = vec![PaperTill::money_line(LineKind::TopUp, 1, 20_00)];
    order.tenders = vec![Tender::plain(TenderKind::Cash, Amount(20_00))];
    let full = PurseTotals {
        debited: 0,
        credited: [40, 0, 0],
    };
    let moved = |before: PurseTotals, after: PurseTotals| PurseMove {
        batch: 5,
        before,
        after,
        record: None,
    };
    (order.holder, order.purse) = (Some(tag), Some(moved(PurseTotals::default(), full)));
    till.append(&order);
    let mut sale = till
        .cart(tag, &[(sample::PILS, 1)], &std::collections::BTreeMap::new(), None)
        .remove(0);
    let debited = u32::try_from(sale.total().unwrap().0).unwrap();
    sale.tenders[0].permission = Permission::Chip;
    sale.purse = Some(moved(full, PurseTotals { debited, ..full }));
    till.append(&sale);
    let push = check_push(till.push_from(1), &PaperTill::signer(1).public_key()).unwrap();
    ask(Request::Push(Box::new(push)));
    ask(Request::Grant {
        posting: ledger::PostingId(shared_protocol::OrderId([9; 16])),
        tag,
        asset: shared_protocol::AssetId::EURO,
        amount: Amount(2_00),
        expires_at_ms: None,
    });
    let into = ask(Request::IntoPurse {
        posting: ledger::PostingId(shared_protocol::OrderId([10; 16])),
        tag,
        amount: Some(Amount(2_00)),
    });
    assert_eq!(into, Reply::Settled(Settled::Done));
    let mut reader = engine.reader().unwrap();
    assert_eq!(reader.cases(0, 9).unwrap(), []);
    let purse = reader.purse(sample::EVENT, tag).unwrap().unwrap();
    assert_eq!((purse.seen.debited, purse.seen.credited[0]), (debited, 40));
    // The credit that waits is the one that the encoder's own key would make.
    let waiting = purse.waiting.unwrap();
    let encoder = KeyFile::open(
        &bench.path("batch.keys"),
        &Secret::from_key_file(&bench.path("batch.secret")).unwrap(),
    )
    .unwrap();
    let keys = SealedKeys::from(&encoder);
    let settings = keys.facts(5).unwrap().settings;
    let token = token_at(
        &master(&keys, 5, KeyRole::Chain(ChainId::Server)),
        settings.event,
        shared_protocol::purse::Uid::of(tag).unwrap(),
        ChainId::Server,
        settings.length_of(ChainId::Server),
        40,
    );
    assert_eq!((waiting.units, Some(waiting.token)), (40, token.unwrap()));
    let maker = SealedCredits::new(keys);
    assert_eq!(maker.token(6, tag, 1), None);
    drop(reader);
    drop(engine.into_store());
}

#[test]
fn a_file_with_one_bad_line_imports_nothing() {
    let bench = Bench::new();
    done(&bench.encode("3", ""));
    let path = bench.path("work/bands.csv");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replacen("04", "0x", 1)).unwrap();
    let refused = bench.import();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("line 2: the uid") && said(&refused).contains("Nothing was imported"));
    assert!(
        bench
            .reader()
            .stream(sample::EVENT, Stream::Batches, None)
            .unwrap()
            .is_none()
    );
    assert_eq!(bench.reader().purses(sample::EVENT, None, 9).unwrap(), []);
    std::fs::write(&path, good).unwrap();
    done(&bench.import());
    assert_eq!(bench.reader().purses(sample::EVENT, None, 9).unwrap().len(), 3);

    // More are made later: the same place, the list grows.
    let drawer = bench.at("drawer2");
    let more = bench.encoder(&[
        "encode",
        "--out",
        &bench.at("work"),
        "--drawer",
        &drawer,
        "--simulated",
        "5",
    ]);
    assert!(done(&more).contains("2 good"), "{}", said(&more));
    done(&bench.import());
    assert_eq!(bench.batch().list.entries.0.len(), 5 * 12);
}

#[test]
fn keys_are_made_once_and_only_for_prices_that_can_be_counted() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let make = |extra: &[&str], words: &str| {
        let fixed = ["tags", "new-batch", "--sample", "--batch", "7", "--out"];
        run(&[&fixed[..], &[&at("a.keys")], extra].concat(), words)
    };
    let odd = make(&["--units", "50,30,10"], "vier Wörter für Bänder\n");
    assert_eq!(odd.status.code(), Some(1));
    assert!(
        said(&odd).contains("steps of 30 cents") && said(&odd).contains("No keys were made"),
        "{}",
        said(&odd)
    );
    let cheap = make(&["--voucher", "DRINK=10"], "vier Wörter für Bänder\n");
    assert!(said(&cheap).contains("worth less than"), "{}", said(&cheap));
    let short = make(&[], "kurz\n");
    assert!(said(&short).contains("at least 12 characters"), "{}", said(&short));
    assert!(!Path::new(&at("a.keys")).exists());
    done(&make(&[], "vier Wörter für Bänder\n"));
    let again = make(&[], "vier Wörter für Bänder\n");
    assert_eq!(again.status.code(), Some(3));
    assert!(said(&again).contains("is there already"), "{}", said(&again));

    let keys = at("a.keys");
    let export = |to: &str, role: &str, words: &str| {
        run(
            &["tags", "export", "--keys", &keys, "--role", role, "--out", &at(to)],
            words,
        )
    };
    let wrong = export("till.keys", "sale-till", "vier andere Wörter\nein anderes Geheimnis\n");
    assert!(said(&wrong).contains("does not open"), "{}", said(&wrong));
    done(&export(
        "till.keys",
        "sale-till",
        "vier Wörter für Bänder\nein anderes Geheimnis\n",
    ));
    let till = KeyFile::open(
        Path::new(&at("till.keys")),
        &Secret::passphrase("ein anderes Geheimnis"),
    )
    .unwrap();
    assert_eq!(till.role, Role::SaleTill);
    // A till's file makes no wristbands.
    let encode = run(
        &[
            "tags",
            "encode",
            "--keys",
            &at("till.keys"),
            "--out",
            &at("work"),
            "--simulated",
            "1",
        ],
        "ein anderes Geheimnis\n",
    );
    assert!(
        said(&encode).contains("needed is one of role encoder"),
        "{}",
        said(&encode)
    );
}

#[test]
fn five_thousand_wristbands_are_imported_in_well_under_a_minute() {
    use std::fmt::Write as _;

    use core_ffi::tags::Work;
    use shared_protocol::purse::{ListEntry, Uid};
    let bench = Bench::new();
    let keys = KeyFile::open(
        &bench.path("batch.keys"),
        &Secret::from_key_file(&bench.path("batch.secret")).unwrap(),
    )
    .unwrap();
    let keys = SealedKeys::from(&keys);
    let facts = keys.facts(5).unwrap();
    let work = bench.path("work");
    std::fs::create_dir(&work).unwrap();
    // What an encoder leaves, without the encoding: whoever imports cannot tell.
    let mut text = "index,uid,number,pin\n".to_owned();
    for index in 0..5_000_u16 {
        let [high, low] = index.to_be_bytes();
        writeln!(
            text,
            "{index},0451{high:02x}{low:02x}000080,{:06},K7WM4PXQ9TRC",
            index + 1
        )
        .unwrap();
    }
    std::fs::write(work.join("bands.csv"), text).unwrap();
    let of_batch = (5, &facts.settings, facts.vouchers.as_slice());
    let entry = |index: u16, Uid(uid): Uid| {
        let [high, low] = index.to_be_bytes();
        let [.., last] = uid;
        Ok(ListEntry([1, high, low, last, 0, 0, 0, 0, 0, 0, 0, 0]))
    };
    drop(Work::open(&work, of_batch, "", &keys, entry).unwrap());
    bench.data();
    let begun = std::time::Instant::now();
    assert!(done(&bench.import()).contains("5000 wristbands"));
    let took = begun.elapsed();
    println!("5,000 wristbands imported in {took:?}");
    assert!(took.as_secs() < 30, "{took:?}");
    assert_eq!(bench.reader().purses(sample::EVENT, None, 9_999).unwrap().len(), 5_000);
}

#[test]
fn without_readers_the_program_says_what_to_do() {
    if cfg!(any(feature = "pcsc", feature = "libnfc")) {
        return;
    }
    let output = tags(&["readers"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("--features pcsc"), "{}", said(&output));
}
