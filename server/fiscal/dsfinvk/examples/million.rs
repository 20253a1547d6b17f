//! A festival's weekend of receipts through mapping, writer and checker, with the time and memory it took:
//! `cargo run --release -p dsfinvk --example million -- FOLDER [RECEIPTS]`. The folder is made, and stays.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a measurement writes files, looks at the clock and prints; what cannot be ends it"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dsfinvk::check::Source;
use dsfinvk::map::{self, Booked, CameOff, Settings};
use dsfinvk::model::Closing;
use dsfinvk::write::{Options, Sink, Writer, Written};
use fiscal::VoucherModel;
use fiscal::process_data::{KASSENBELEG_V1, Kassenbeleg};
use fiscal::signer::client_of;
use fixtures::paper::{NOW, PaperTill};
use fixtures::sample::{self, CUP, MATE, ORGANISER, PILS};
use shared_protocol::config::Config;
use shared_protocol::order::{Order, OrderKind, TenderKind};
use shared_protocol::{Amount, OrderId, TagId, TillId};
use store::{SigningRow, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow};

const TILLS: u32 = 100;
const DAYS: u64 = 5;

/// Spreads ids over all their bytes.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

struct Folder(PathBuf);

impl Sink for Folder {
    type File = File;

    fn create(&mut self, name: &str) -> std::io::Result<File> {
        File::create(self.0.join(name))
    }
}

impl Source for Folder {
    fn open(&self, name: &str) -> std::io::Result<Option<Box<dyn Read + '_>>> {
        Ok(Some(Box::new(File::open(self.0.join(name))?)))
    }
}

/// The most memory this process ever had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}

/// What a bar sells: about two lines each, mostly from wristbands.
fn carts(till: &mut PaperTill) -> Vec<Order> {
    let none = BTreeMap::new();
    let mut orders = Vec::new();
    for cart in [
        &[(PILS, 1)][..],
        &[(PILS, 2), (CUP, -2)],
        &[(MATE, 1)],
        &[(PILS, 3)],
        &[(CUP, -2)],
    ] {
        orders.extend(till.cart(sample::wristband(1), cart, &none, None));
    }
    let mut by_cash = orders.first().expect("a sale").clone();
    by_cash.tenders = vec![PaperTill::tender(
        TenderKind::Cash,
        by_cash.total().expect("small amounts"),
    )];
    by_cash.kind = OrderKind::Sale;
    orders.push(by_cash);
    orders
}

/// What a TSE would have signed: bytes of the right length, nothing more.
fn transaction(number: u64, order: &Order, ended_ms: u64, told: &str) -> TransactionRow {
    TransactionRow {
        tse: TseNo(1),
        transaction: number,
        client: String::new(),
        cart: order.cart,
        started_s: ended_ms / 1_000 - 3,
        start_counter: number * 2 - 1,
        start_signature: Vec::new(),
        end: Some(TransactionEnd {
            time_s: ended_ms / 1_000,
            counter: number * 2,
            process_type: KASSENBELEG_V1.to_owned(),
            process_data: told.to_owned(),
            signature: vec![u8::try_from(number % 251).expect("below 251"); 96],
        }),
    }
}

fn closing(config: &Config, till: TillId, day: u64) -> Closing<'static> {
    let client = client_of(sample::EVENT, till);
    let bar = config.tills.values().find(|till| till.stand == sample::MAIN_BAR);
    let tse = TseRow {
        link: "software".to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: None,
        clients_max: 100,
        signature_ms: 250,
        no: TseNo(1),
        serial: [7; 32],
        name: String::new(),
        public_key: vec![4; 97],
        algorithm: "ecdsa-plain-SHA384".to_owned(),
        certified: false,
        taxpayer: ORGANISER,
    };
    Closing {
        till: Cow::Owned(client.clone()),
        number: day + 1,
        created_ms: NOW + day * 86_400_000 + 80_000_000,
        taxpayer: map::taxpayer(config.taxpayers.get(&ORGANISER).expect("an organiser")),
        place: map::place(config, bar.expect("a bar").id),
        register: map::register(&client, "0"),
        vat: map::vat_table(config),
        tses: vec![map::tse_unit(&tse, None)],
        ..Closing::default()
    }
}

/// Writes the receipts of all closings: `each` a closing.
fn write(folder: &Path, each: u64) -> Written {
    let config = sample::config();
    let bar = config.tills.values().find(|till| till.stand == sample::MAIN_BAR);
    let mut orders = carts(&mut PaperTill::new(bar.expect("a bar").id, 1));
    let told = |order: &Order| Kassenbeleg::of_order(order, None, &config, VoucherModel::VoucherLines);
    let told: Vec<String> = orders
        .iter()
        .map(|order| told(order).expect("sums").to_string())
        .collect();
    let wristband = |tag: TagId| map::pseudonym(&[3; 32], tag);
    let settings = Settings {
        model: VoucherModel::VoucherLines,
        in_house: true,
        staff_names: false,
        wristband: &wristband,
    };
    let mut writer = Writer::new(Folder(folder.to_owned()), Options::default()).expect("a folder to write into");
    let mut written: u64 = 0;
    for (day, till) in (0..DAYS).flat_map(|day| (1..=TILLS).map(move |till| (day, TillId(till)))) {
        writer.begin(closing(&config, till, day)).expect("a closing");
        for index in 0..each {
            written += 1;
            let which = usize::try_from(written).expect("64 bits") % orders.len();
            let order = orders.get_mut(which).expect("an order");
            order.id = OrderId(u128::from(written).wrapping_mul(SPREAD).to_be_bytes());
            order.till = till;
            let ended_ms = NOW + day * 86_400_000 + index * 30_000;
            let transaction = transaction(written, order, ended_ms, told.get(which).expect("process data"));
            let signing = SigningRow {
                doubt: None,
                no: written,
                state: SigningState::Signed,
                tse: TseNo(1),
                transaction: Some(written),
                outage: None,
            };
            let booked = Booked {
                order,
                replaced: None,
                config: &config,
                came_off: CameOff {
                    signing: Some(&signing),
                    transaction: Some(&transaction),
                    outage: None,
                },
                number: day * each + index + 1,
                ended_ms,
                owed: Amount::ZERO,
                takes_back: None,
            };
            writer.push(&map::receipt(&booked, &settings)).expect("a receipt");
        }
        writer.end().expect("a closing");
    }
    writer.finish().expect("an export")
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let receipts: u64 = arguments
        .next()
        .map_or(1_000_000, |number| number.parse().expect("a number"));
    std::fs::create_dir_all(&folder).expect("a folder");

    let began = Instant::now();
    let done = write(&folder, receipts / (DAYS * u64::from(TILLS)));
    let (took, peak) = (began.elapsed(), peak_mib());
    println!(
        "written: {} receipts, {} closings, {took:.1?}, peak {peak} MiB",
        done.receipts, done.closings
    );

    let began = Instant::now();
    let report = dsfinvk::check(&Folder(folder));
    let (took, peak) = (began.elapsed(), peak_mib());
    println!(
        "checked: {} rows, {} errors, {} warnings, {took:.1?}, peak {peak} MiB",
        report.rows, report.errors, report.warnings
    );
    for finding in report.findings.iter().take(5) {
        println!("{finding:?}");
    }
}
