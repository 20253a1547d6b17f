//! Whatever an order holds, its receipt can be written: no line is wider than the paper, no amount is cut, and what is printed is what was signed.

use std::collections::BTreeMap;

use fiscal::process_data::{ForeignCash, GROUPS, Kassenbeleg, group};
use fiscal::{ReceiptCode, VoucherModel};
use fixtures::paper::PaperTill;
use fixtures::sample;
use proptest::prelude::*;
use receipt::escpos::{self, Printer};
use receipt::layout::{self, Line};
use receipt::{Content, Module, Paper, Sheet, Signature, Subject, TseSignature, pdf, text};
use shared_protocol::catalogue::Text;
use shared_protocol::order::{Line as OrderLine, LineKind, Order, OrderKind, TenderKind};
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, ArticleId};
use wording::Language;
use wording::format::{decimal, euros};

use crate::cases;

/// What an order can be made of: lines with their names, tenders, and how it came off.
type Ingredients = (Vec<(String, i32, i64, u8, u8)>, Vec<(u8, i64)>, String, u8);

fn ingredients() -> impl Strategy<Value = Ingredients> {
    let any_line = (any::<String>(), -9_999..9_999_i32, any::<i64>(), 0..12_u8, any::<u8>());
    let usual = (
        "[A-Za-zäöüßé €,.0-9-]{0,40}",
        -20..20_i32,
        0..100_000_i64,
        1..6_u8,
        0..30_u8,
    );
    let lines = prop::collection::vec(prop_oneof![usual, any_line], 0..12);
    let tenders = prop::collection::vec((1..4_u8, any::<i32>().prop_map(i64::from)), 0..4);
    (lines, tenders, any::<String>(), 0..4_u8)
}

fn content((lines, tenders, words, signed): &Ingredients) -> Option<Content> {
    let mut till = PaperTill::that_books(&[OrderKind::Sale], 1);
    let mut config = sample::config();
    let mut order = till.order(OrderKind::Sale);
    for (number, (name, quantity, price, key, rate)) in (10_000..).zip(lines) {
        let id = ArticleId(number);
        let known = config
            .articles
            .values()
            .next()
            .cloned()
            .expect("the sample sells something");
        let named = shared_protocol::catalogue::Article {
            id,
            name: Text::same(name),
            ..known
        };
        config.articles.insert(id, named);
        order.lines.push(OrderLine {
            kind: LineKind::ALL[usize::from(*rate) % LineKind::ALL.len()],
            article: id,
            quantity: *quantity,
            unit_price: Amount(*price),
            tax: TaxKey(*key),
            rate: TaxRate(u16::from(*rate) * 100),
            vouchers: None,
        });
    }
    let kinds = [TenderKind::Wristband, TenderKind::Cash, TenderKind::Card];
    order.tenders = tenders
        .iter()
        .map(|(kind, amount)| PaperTill::tender(kinds[usize::from(*kind) % 3], Amount(*amount)))
        .collect();
    for taxpayer in config.taxpayers.values_mut() {
        taxpayer.name.clone_from(words);
    }
    let code = |late| {
        let code = ReceiptCode {
            client: words.clone(),
            process_type: "Kassenbeleg-V1".to_owned(),
            process_data: words.clone(),
            transaction: u64::MAX,
            counter: u64::MAX,
            started_s: u64::MAX,
            finished_s: 0,
            algorithm: "ecdsa-plain-SHA384".to_owned(),
            signature: vec![7; 96],
            public_key: vec![4; 97],
        };
        Signature::Tse(Box::new(TseSignature {
            code,
            tse: Module {
                serial: vec![9; 32],
                certified: true,
            },
            late,
        }))
    };
    let signature = match signed {
        0 => Signature::Pending,
        1 => Signature::Outage { tse: None },
        other => code(*other == 2),
    };
    let subject = Subject {
        order: &order,
        replaced: None,
        config: Some(&config),
        signature,
        model: VoucherModel::VoucherLines,
        link: Some(words.clone()),
        copy: *signed == 3,
        logo: None,
    };
    // What does not fit is refused, and no receipt says something else.
    Content::of(subject).ok()
}

/// Every amount, as it must stand in one piece.
fn amounts(content: &Content, language: Language) -> Vec<String> {
    let items = content
        .items
        .iter()
        .filter_map(|item| item.total)
        .map(|total| decimal(total, language));
    let sums = [content.total]
        .into_iter()
        .chain(content.payments.iter().map(|payment| payment.amount));
    let taxes = content.taxes.iter().flat_map(|row| [row.net, row.tax, row.gross]);
    let all = items
        .chain(sums.map(|amount| euros(amount, language)))
        .chain(taxes.map(|amount| decimal(amount, language)));
    all.map(|amount| amount.replace('\u{2212}', "-").replace('\u{202f}', " "))
        .collect()
}

fn texts<'a>(sheet: &'a Sheet) -> Vec<&'a str> {
    let text = |line: &'a Line| match line {
        Line::Text { text, .. } => Some(text.as_str()),
        _ => None,
    };
    sheet.lines.iter().filter_map(text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_can_be_written_and_no_amount_is_cut(made_of in ingredients()) {
        let Some(content) = content(&made_of) else { return Ok(()) };
        for language in Language::ALL {
            for paper in Paper::ALL {
                let sheet = layout::sheet(&content, language, paper);
                let lines = texts(&sheet);
                for line in &lines {
                    prop_assert!(line.chars().count() <= paper.columns(), "{line}");
                    prop_assert!(!line.chars().any(char::is_control), "{line}");
                }
                for amount in amounts(&content, language) {
                    prop_assert!(lines.iter().any(|line| line.contains(&amount)), "{amount} in\n{}", text::render(&sheet));
                }
                prop_assert_eq!(text::render(&sheet).lines().count(), sheet.lines.len());
                prop_assert!(!escpos::render(&sheet, Printer::default()).is_empty());
                prop_assert!(pdf::render(&sheet).starts_with(b"%PDF-"));
            }
        }
    }
}

/// Gross by legal category, as a receipt prints it.
fn printed(content: &Content) -> [Amount; GROUPS] {
    let mut groups = [Amount::ZERO; GROUPS];
    for row in &content.taxes {
        let sum = &mut groups[group(row.key)];
        *sum = sum.plus(row.gross).expect("small amounts");
    }
    groups
}

fn is_what_was_signed(order: &Order, replaced: Option<&Order>, model: VoucherModel) {
    let config = sample::config_with_currencies();
    let told = Kassenbeleg::of_order(order, replaced, &config, model).expect("it balances");
    let subject = Subject {
        order,
        replaced,
        config: Some(&config),
        signature: Signature::Pending,
        model,
        link: None,
        copy: false,
        logo: None,
    };
    let content = Content::of(subject).expect("small amounts");
    assert_eq!(printed(&content), told.groups);
    let of = |cash: bool| {
        content
            .payments
            .iter()
            .filter(move |payment| payment.foreign.is_none() && (payment.kind == TenderKind::Cash) == cash)
    };
    let sum = |cash| Amount::sum(of(cash).map(|payment| payment.amount)).expect("small amounts");
    assert_eq!((sum(true), sum(false)), (told.cash, told.other));
    let given = content.payments.iter().filter_map(|payment| {
        let given = payment.foreign.as_ref()?;
        let (amount, worth) = (given.amount, payment.amount);
        Some((given.code.clone(), ForeignCash { amount, worth }))
    });
    assert_eq!(given.collect::<BTreeMap<_, _>>(), told.foreign);
    let foreign = told.foreign.values().map(|cash| cash.worth);
    let paid = Amount::sum(foreign.chain([told.cash, told.other]));
    assert_eq!(Ok(content.due), paid);
}

#[test]
fn what_is_printed_is_what_was_signed_whatever_kind_of_order_and_model() {
    for case in cases::all() {
        for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
            is_what_was_signed(&case.order, case.replaced.as_ref(), model);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_is_what_was_signed_whatever_is_in_the_cart(
        carts in prop::collection::vec(prop::collection::btree_map(0..60_usize, 1..6_i32, 1..5), 2),
        drinks in 0..4_u32,
        meals in 0..4_u32,
    ) {
        let mut till = PaperTill::that_books(&[OrderKind::Sale, OrderKind::Correction], 1);
        let articles: Vec<_> = till.config.articles.values().filter(|article| article.price.is_some()).map(|article| article.id).collect();
        let vouchers = BTreeMap::from([(sample::DRINK, drinks), (sample::MEAL, meals)]);
        let mut sold = Vec::new();
        for cart in &carts {
            let cart: Vec<_> = cart.iter().map(|(place, count)| (articles[place % articles.len()], *count)).collect();
            sold.push(till.cart(sample::wristband(1), &cart, &vouchers, None).remove(0));
        }
        for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
            is_what_was_signed(&sold[0], None, model);
            is_what_was_signed(&sold[0], Some(&sold[1]), model);
        }
    }
}
