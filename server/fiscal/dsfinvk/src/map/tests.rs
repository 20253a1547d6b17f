use std::collections::BTreeMap;
use std::sync::LazyLock;

use fiscal::process_data::ForeignCash;
use fixtures::paper::{NOW, PaperTill};
use fixtures::sample::{self, MEAL, ORGANISER};
use proptest::prelude::*;
use shared_protocol::catalogue::FiscalClass;
use shared_protocol::currency::Foreign;
use shared_protocol::order::{Line as OrderLine, LineKind, OrderKind, Tender, TenderKind, VoucherUse};
use shared_protocol::shift::ShiftMark;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{ArticleId, CartId, OrderId};
use store::{TransactionEnd, TransactionRow, TseNo, TseRow};

use super::*;
use crate::check::check;
use crate::memory::Memory;
use crate::model::{BASE_CURRENCY, Closing, Vat};
use crate::words::{CaseKind, PaymentKind};
use crate::write::{Options, Writer};

static CONFIG: LazyLock<Config> = LazyLock::new(sample::config_with_currencies);

fn called(tag: TagId) -> String {
    pseudonym(&[1; 32], tag)
}

fn settings(model: VoucherModel) -> Settings<'static> {
    Settings {
        model,
        in_house: true,
        staff_names: true,
        wristband: &called,
    }
}

fn booked(order: &Order) -> Booked<'_> {
    Booked {
        order,
        replaced: None,
        config: &CONFIG,
        came_off: CameOff::default(),
        number: 1,
        ended_ms: order.closed_at_ms,
        owed: Amount::ZERO,
        takes_back: None,
    }
}

fn till() -> PaperTill {
    PaperTill::that_books(&[OrderKind::Sale, OrderKind::Correction], 1)
}

/// A receipt's sums and payments in the form in which a TSE is told them.
fn told(receipt: &Receipt<'_>) -> ([Amount; 5], Amount, BTreeMap<String, ForeignCash>, Amount) {
    let mut groups = [Amount::ZERO; 5];
    for line in &receipt.lines {
        let group = u8::try_from(line.vat).map_or(4, |key| fiscal::process_data::group(TaxKey(key)));
        groups[group] = groups[group].plus(line.charged.gross).unwrap();
    }
    let sum = |cash: bool| {
        let of = receipt
            .payments
            .iter()
            .filter(|payment| (payment.kind == PaymentKind::Bar) == cash && payment.currency == BASE_CURRENCY);
        Amount::sum(of.map(|payment| payment.amount)).unwrap()
    };
    let foreign = receipt
        .payments
        .iter()
        .filter(|payment| payment.currency != BASE_CURRENCY);
    let foreign = foreign.map(|payment| {
        let (amount, worth) = (payment.in_currency, payment.amount);
        (payment.currency.clone().into_owned(), ForeignCash { amount, worth })
    });
    (groups, sum(true), foreign.collect(), sum(false))
}

#[test]
fn what_is_taken_back_stays_the_business_case_it_was() {
    let mut till = till();
    let mut sold = till.order(OrderKind::Sale);
    let deposit = |quantity| OrderLine {
        kind: LineKind::Deposit,
        ..PaperTill::money_line(LineKind::Deposit, quantity, 200)
    };
    sold.lines = vec![deposit(2), deposit(-1)];
    sold.tenders = vec![PaperTill::tender(TenderKind::Wristband, Amount(200))];
    sold.holder = Some(sample::wristband(1));
    let cases = |order: &Order| -> Vec<(CaseKind, i64)> {
        let receipt = receipt(&booked(order), &settings(VoucherModel::VoucherLines));
        receipt
            .lines
            .iter()
            .map(|line| (line.case, line.charged.gross.0))
            .collect()
    };
    let as_sold = cases(&sold);
    assert_eq!(
        as_sold,
        [
            (CaseKind::Pfand, 400),
            (CaseKind::PfandRueckzahlung, -200),
            (CaseKind::MehrzweckgutscheinEinloesung, -200)
        ]
    );
    let mut back = sold.clone();
    back.kind = OrderKind::Cancel;
    back.reverses = Some(sold.id);
    back.lines.iter_mut().for_each(|line| line.quantity = -line.quantity);
    back.tenders
        .iter_mut()
        .for_each(|tender| tender.amount = Amount(-tender.amount.0));
    let turned: Vec<(CaseKind, i64)> = as_sold.into_iter().map(|(case, cents)| (case, -cents)).collect();
    assert_eq!(cases(&back), turned);
}

#[test]
fn an_order_whose_sums_nobody_can_give_is_named_and_shows_its_lines_without_amounts() {
    let mut order = till().order(OrderKind::Sale);
    order.lines = vec![PaperTill::money_line(LineKind::Goods, 1, i64::MAX)];
    let receipt = receipt(&booked(&order), &settings(VoucherModel::VoucherLines));
    assert_eq!(receipt.kind, ReceiptKind::Sonstige);
    assert!(!receipt.name.is_empty() && receipt.payments.is_empty());
    assert!(receipt.lines[0].dropped && receipt.lines[0].charged.gross.is_zero());
    assert_eq!(receipt.lines[0].text, "Artikel 0");
}

#[test]
fn an_order_without_lines_has_one_that_says_so() {
    let order = till().order(OrderKind::Ticket);
    let receipt = receipt(&booked(&order), &settings(VoucherModel::VoucherLines));
    assert_eq!((receipt.kind, receipt.lines.len()), (ReceiptKind::Beleg, 1));
    assert_eq!(receipt.payments[0].kind, PaymentKind::Keine);
}

#[test]
fn a_shift_charges_nothing_and_says_what_it_was() {
    for (mark, name) in [(ShiftMark::Begin, "Schichtbeginn"), (ShiftMark::End, "Schichtende")] {
        let mut order = till().order(OrderKind::Shift);
        order.shift = Some(mark);
        let receipt = receipt(&booked(&order), &settings(VoucherModel::VoucherLines));
        assert_eq!((receipt.kind, &*receipt.name), (ReceiptKind::Sonstige, name));
        assert!(receipt.lines.is_empty() && receipt.payments.is_empty());
        assert_eq!(receipt.operator, order.cashier.to_string());
    }
}

#[test]
fn what_waits_for_its_signature_says_so() {
    let order = till().order(OrderKind::Sale);
    let receipt = receipt(&booked(&order), &settings(VoucherModel::VoucherLines));
    assert_eq!(receipt.tse.fault, "Noch nicht signiert");
    assert_eq!(receipt.tse.tse, None);
}

#[test]
fn a_wristband_is_called_the_same_everywhere_and_by_another_name_with_another_secret() {
    let [a, b] = [1, 2].map(sample::wristband);
    assert_eq!(pseudonym(&[1; 32], a), pseudonym(&[1; 32], a));
    assert_ne!(pseudonym(&[1; 32], a), pseudonym(&[1; 32], b));
    assert_ne!(pseudonym(&[1; 32], a), pseudonym(&[2; 32], a));
    assert_eq!(pseudonym(&[1; 32], a).len(), 16);
}

#[test]
fn a_german_vat_id_is_told_from_a_tax_number() {
    let of = |id| taxpayer(&CONFIG.taxpayers[&id]);
    let caterer = of(sample::CATERER);
    assert_eq!((&*caterer.tax_number, &*caterer.vat_id), ("", "DE999999991"));
    let organiser = of(ORGANISER);
    assert_eq!((&*organiser.tax_number, &*organiser.vat_id), ("27/640/01234", ""));
}

const KINDS: [OrderKind; 11] = [
    OrderKind::Sale,
    OrderKind::Cancel,
    OrderKind::TopUp,
    OrderKind::PayOut,
    OrderKind::DepositReturn,
    OrderKind::CashMovement,
    OrderKind::DrawerCount,
    OrderKind::Ticket,
    OrderKind::Training,
    OrderKind::AbortedCart,
    OrderKind::Shift,
];

const RATES: [(u8, u16); 8] = [
    (1, 1_900),
    (2, 700),
    (3, 1_070),
    (4, 550),
    (5, 0),
    (6, 0),
    (7, 0),
    (21, 1_600),
];

/// What an order is made of: kind, lines, how it is split among tenders, an order that it replaces, what is owed.
type Made = (usize, Vec<(usize, usize, i32, i64, bool)>, [i64; 3], bool, i64);

fn line((kind, rate, quantity, cents, voucher): (usize, usize, i32, i64, bool)) -> OrderLine {
    let (key, rate) = RATES[rate];
    let meal = CONFIG
        .articles
        .values()
        .find(|article| article.vouchers.is_some_and(|price| price.asset == MEAL));
    OrderLine {
        tax: TaxKey(key),
        rate: TaxRate(rate),
        article: if voucher { meal.unwrap().id } else { ArticleId(101) },
        vouchers: voucher.then_some(VoucherUse { asset: MEAL, units: 1 }),
        ..PaperTill::money_line(LineKind::ALL[kind], quantity, cents)
    }
}

fn order(number: u64, made: &Made) -> Order {
    let mut order = till().order(KINDS[made.0]);
    order.id = OrderId(u128::from(number).to_be_bytes());
    order.cart = CartId(order.id.0);
    order.taxpayer = ORGANISER;
    order.lines = made.1.iter().copied().map(line).collect();
    order.holder = Some(sample::wristband(1));
    let covered = shared_protocol::pricing::covered_by_vouchers(&CONFIG, &order.lines).unwrap();
    let due = covered
        .values()
        .fold(order.total().unwrap().0, |due, (_, cents)| due - cents.0);
    let francs = CONFIG.currency(sample::FRANC).unwrap();
    let worth = francs.worth(Amount(made.2[2])).unwrap();
    let parts = [made.2[0], made.2[1], due - made.2[0] - made.2[1] - worth.0];
    let kinds = [TenderKind::Cash, TenderKind::Card, TenderKind::Wristband];
    order.tenders = kinds
        .into_iter()
        .zip(parts)
        .map(|(kind, cents)| PaperTill::tender(kind, Amount(cents)))
        .collect();
    if made.2[2] % 2 == 0 {
        order.tenders.push(Tender {
            foreign: Some(Foreign {
                asset: sample::FRANC,
                amount: Amount(made.2[2]),
            }),
            ..Tender::plain(TenderKind::Cash, worth)
        });
    } else {
        order.tenders.push(Tender::plain(TenderKind::Cash, worth));
    }
    order
}

fn makes() -> impl Strategy<Value = Made> {
    let line = (
        0..LineKind::ALL.len(),
        0..RATES.len(),
        -20_i32..20,
        0_i64..100_000,
        any::<bool>(),
    );
    (
        0..KINDS.len(),
        proptest::collection::vec(line, 0..8),
        [-5_000_i64..5_000, -5_000_i64..5_000, -5_000_i64..5_000],
        any::<bool>(),
        -500_i64..500,
    )
}

fn transaction(number: u64, data: String) -> TransactionRow {
    TransactionRow {
        tse: TseNo(1),
        transaction: number,
        client: "TILL".to_owned(),
        cart: CartId([0; 16]),
        started_s: NOW / 1_000,
        start_counter: number * 2 - 1,
        start_signature: vec![1],
        end: Some(TransactionEnd {
            time_s: NOW / 1_000 + 1,
            counter: number * 2,
            process_type: "Kassenbeleg-V1".to_owned(),
            process_data: data,
            signature: vec![1, 2, 3],
        }),
    }
}

fn closing() -> Closing<'static> {
    let row = TseRow {
        no: TseNo(1),
        serial: [7; 32],
        name: String::new(),
        public_key: vec![4],
        algorithm: "ecdsa-plain-SHA256".to_owned(),
        link: "software".to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: None,
        clients_max: 100,
        signature_ms: 250,
        certified: false,
        taxpayer: ORGANISER,
    };
    let id = till().till;
    let client = client_of(sample::EVENT, id);
    Closing {
        till: Cow::Owned(client.clone()),
        number: 1,
        created_ms: NOW + 1_000,
        taxpayer: taxpayer(&CONFIG.taxpayers[&ORGANISER]),
        place: place(&CONFIG, id),
        register: register(&client, "0"),
        vat: RATES
            .into_iter()
            .map(|(key, rate)| Vat {
                key: u16::from(key),
                rate: TaxRate(rate),
                text: Cow::Borrowed("x"),
            })
            .collect(),
        tses: vec![tse_unit(&row, None)],
        ..Closing::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn a_receipt_says_what_its_tse_was_told(made in makes(), replaced in makes(), electronic in any::<bool>()) {
        let model = if electronic { VoucherModel::ElectronicMoney } else { VoucherModel::VoucherLines };
        let (mut order, replaced) = (order(1, &made), made.3.then(|| order(2, &replaced)));
        if replaced.is_some() {
            order.kind = OrderKind::Correction;
        }
        let booked = Booked { replaced: replaced.as_ref(), owed: Amount(made.4), ..booked(&order) };
        let receipt = receipt(&booked, &settings(model));
        let should = Kassenbeleg::of_order(&order, replaced.as_ref(), &CONFIG, model).unwrap();
        prop_assert_eq!(receipt.kind.as_str(), should.kind.as_str());
        let mut foreign = should.foreign.clone();
        foreign.retain(|_, cash| !cash.amount.is_zero() || !cash.worth.is_zero());
        prop_assert_eq!(told(&receipt), (should.groups, should.cash, foreign, should.other));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_export_of_any_orders_adds_up(makes in proptest::collection::vec((makes(), makes()), 1..12), electronic in any::<bool>()) {
        let model = if electronic { VoucherModel::ElectronicMoney } else { VoucherModel::VoucherLines };
        let mut memory = Memory::default();
        let mut writer = Writer::new(&mut memory, Options::default()).unwrap();
        writer.begin(closing()).unwrap();
        for (number, (made, before)) in (1..).zip(&makes) {
            let (mut order, replaced) = (order(number, made), made.3.then(|| order(number + 1_000, before)));
            if replaced.is_some() {
                order.kind = OrderKind::Correction;
            }
            let data = Kassenbeleg::of_order(&order, replaced.as_ref(), &CONFIG, model).unwrap().to_string();
            let row = transaction(number, data);
            let came_off = CameOff { transaction: Some(&row), ..CameOff::default() };
            let owed = Amount(made.4);
            let booked = Booked { replaced: replaced.as_ref(), owed, number, came_off, ..booked(&order) };
            writer.push(&receipt(&booked, &settings(model))).unwrap();
        }
        writer.end().unwrap();
        writer.finish().unwrap();
        let report = check(&memory.files());
        prop_assert_eq!(report.findings, vec![]);
    }
}

#[test]
fn the_sample_has_vouchers_that_pay_and_the_orders_above_use_them() {
    assert_eq!(CONFIG.assets[&MEAL].fiscal, FiscalClass::MultiPurpose);
}
