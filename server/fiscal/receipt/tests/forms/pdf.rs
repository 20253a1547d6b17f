//! Receipts as PDF before a reader that shares no line with this project (poppler): what is read from it, and the code in its picture.

use std::io::Write as _;
use std::process::Command;

use receipt::content::Mark;
use receipt::{Content, Paper, layout, pdf, words};
use shared_protocol::ids::hex;
use wording::Language;
use wording::format::{Clock, decimal, euros};

use crate::cases;

fn poppler(program: &str, document: &[u8], arguments: &[&str]) -> Option<Vec<u8>> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(document).expect("a temporary file");
    // What it writes goes to its output: the one program wants to be told, the other takes the name for a file's.
    let out = (program == "pdftotext").then_some("-");
    let Ok(output) = Command::new(program)
        .args(arguments)
        .arg(file.path())
        .args(out)
        .output()
    else {
        // Past the test runner, which shows nothing of a test that passes.
        let _seen = writeln!(
            std::io::stderr(),
            "SKIPPED: {program} (Debian: poppler-utils) is not here, no PDF was read"
        );
        return None;
    };
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    Some(output.stdout)
}

/// Without spaces and line ends, in which a reader may differ.
fn dense(text: &str) -> String {
    let folded = text.replace('\u{2212}', "-");
    folded.chars().filter(|character| !character.is_whitespace()).collect()
}

/// Every item that § 6 `KassenSichV` and AEAO no. 2.4 want, as it must be found.
fn wanted(content: &Content, language: Language) -> Vec<String> {
    let seller = content.seller.as_ref().expect("the sample has sellers");
    let clock = Clock::new(&content.zone, language);
    let (began, ended) = content.times();
    let mut wanted = vec![
        seller.name.clone(),
        words::address(seller.address.as_ref().expect("the sample has addresses")),
        seller.tax_number.clone(),
        clock.full(began),
        clock.full(ended),
        content.serial.clone(),
        content.order.to_string(),
    ];
    if content.shift.is_none() {
        wanted.push(euros(content.total, language));
    }
    for item in &content.items {
        wanted.push(format!("{} × {}", item.quantity, words::item_name(item, language)));
        wanted.extend(item.total.map(|total| decimal(total, language)));
    }
    for row in &content.taxes {
        wanted.extend([row.net, row.tax, row.gross].map(|amount| decimal(amount, language)));
    }
    for payment in &content.payments {
        wanted.push(words::payment(payment, content, language));
        wanted.push(euros(payment.amount, language));
    }
    wanted.extend(
        content
            .redeemed
            .iter()
            .map(|redeemed| words::redeemed(redeemed, language)),
    );
    wanted.extend(content.marks.iter().map(|mark| words::mark(*mark, language).to_owned()));
    if let receipt::Signature::Tse(tse) = &content.signature {
        wanted.extend([hex(&tse.tse.serial), hex(&tse.code.signature)]);
        wanted.extend([tse.code.transaction, tse.code.counter].map(|number| number.to_string()));
    } else {
        wanted.push(words::unsigned(language).to_owned());
    }
    wanted
}

#[test]
fn a_reader_finds_every_prescribed_item_in_the_pdf() {
    for case in cases::all() {
        let content = case.content();
        for language in Language::ALL {
            let document = pdf::render(&layout::sheet(&content, language, Paper::A4));
            let Some(read) = poppler("pdftotext", &document, &["-layout"]) else {
                return;
            };
            let read = String::from_utf8(read).expect("text");
            let found = dense(&read);
            for item in wanted(&content, language) {
                assert!(found.contains(&dense(&item)), "{}: {item} is not in\n{read}", case.name);
            }
        }
    }
}

/// A picture as poppler writes it: `P5`, sides and depth, then a byte a dot.
fn grey(picture: &[u8]) -> (usize, usize, &[u8]) {
    let mut fields = picture.splitn(4, u8::is_ascii_whitespace);
    let mut number = || -> usize {
        let field = fields.next().expect("a header");
        String::from_utf8_lossy(field).parse().unwrap_or_default()
    };
    let (_, width, height) = (number(), number(), number());
    let dots = fields
        .next()
        .and_then(|rest| rest.get(4..))
        .expect("dots after 255 and a line end");
    (width, height, dots)
}

#[test]
fn the_code_in_the_picture_of_the_pdf_is_the_code_of_the_tse() {
    for name in ["sale", "late", "outage"] {
        let content = cases::named(name).content();
        let document = pdf::render(&layout::sheet(&content, Language::De, Paper::A4));
        let arguments = ["-gray", "-r", "150", "-f", "1", "-l", "1"];
        let Some(picture) = poppler("pdftoppm", &document, &arguments) else {
            return;
        };
        let (width, height, dots) = grey(&picture);
        let mut reader = quircs::Quirc::default();
        let code = reader.identify(width, height, dots).next().expect("a code on the page");
        let payload = code
            .expect("a whole code")
            .decode()
            .expect("a code without damage")
            .payload;
        let read = String::from_utf8(payload).expect("text");
        assert_eq!(Some(&read), content.code().as_ref(), "{name}");
        assert_eq!(
            read.starts_with("V0;"),
            !content.marks.contains(&Mark::Outage) || name == "late"
        );
    }
}

#[test]
fn the_same_receipt_is_the_same_bytes_and_a_long_one_goes_on_on_the_next_page() {
    let mut content = cases::named("sale").content();
    content.logo = Some(cases::logo());
    let written = |content: &Content| pdf::render(&layout::sheet(content, Language::De, Paper::A4));
    assert_eq!(written(&content), written(&content.clone()));
    let item = content.items.first().cloned().expect("a beer");
    content.items.extend(std::iter::repeat_n(item, 120));
    let document = written(&content);
    let Some(read) = poppler("pdftotext", &document, &["-layout"]) else {
        return;
    };
    let read = String::from_utf8(read).expect("text");
    let pages = read.matches('\u{c}').count();
    assert!(pages > 2 && read.contains(&format!("{pages}/{pages}")), "{read}");
}
