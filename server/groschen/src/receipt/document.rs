//! A receipt as a page: the same content as on paper, and the paper itself as a preview.

use ::receipt::content::{Item, Mark};
use ::receipt::layout::{Line, Weight};
use ::receipt::{Content, Paper, Proof, Sheet, Signature, text, words};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use pages::format::{Clock, euros, percent};
use pages::{Language, Preferences, Shell, qr};
use shared_protocol::ids::hex;

use super::page::PATH;

/// A module of the TSE's code: with 89 of them it is nearly as wide as a phone.
const MODULE_PX: u8 = 4;

/// The same on the preview of a roll.
const MODULE_ON_ROLL_PX: u8 = 3;

/// What the address of a receipt says of it besides its order. Every form of the receipt is asked for with the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Way<'a> {
    /// The guest may have had it before.
    pub copy: bool,
    /// The slip of the till that the guest came with.
    pub slip: Option<&'a str>,
}

/// An address of this receipt that stays what this one is.
fn address(content: &Content, what: &str, way: Way<'_>) -> String {
    let mut address = format!("{PATH}/{}{what}", content.order);
    let copy = way.copy.then_some(("copy", "1"));
    for (key, value) in copy.into_iter().chain(way.slip.map(|slip| ("slip", slip))) {
        let mark = if address.contains('?') { '&' } else { '?' };
        address = format!("{address}{mark}{key}={value}");
    }
    address
}

/// The receipt.
pub fn html(content: &Content, preferences: Preferences, way: Way<'_>) -> Markup {
    let language = preferences.language;
    html! {
        main #main .receipt {
            (head(content, language))
            @if content.shift.is_none() {
                (items(content, language))
                (payments(content, language))
                (taxes(content, language))
            }
            (signature(content, language))
            @if is_for_paper(content) {
                nav .forms .no-print aria-label=(language.of("Andere Formen", "Other forms")) {
                    a .button href=(address(content, "/receipt.pdf", way)) { "PDF" }
                    a .button href=(address(content, "/preview?width=58", way)) { "58 mm" }
                    a .button href=(address(content, "/preview?width=80", way)) { "80 mm" }
                    button type="button" data-print="" { (language.of("Drucken", "Print")) }
                }
            }
            (Shell::preferences_form(preferences))
        }
    }
}

/// Whether it may leave the page. What nobody vouches for is shown with its mark, and is given to nobody to take along.
pub fn is_for_paper(content: &Content) -> bool {
    let proof = match &content.signature {
        Signature::Till { proof, .. } => *proof,
        Signature::Tse(_) | Signature::Outage { .. } | Signature::Pending => Proof::Holds,
    };
    proof == Proof::Holds
}

fn head(content: &Content, language: Language) -> Markup {
    let clock = Clock::new(&content.zone, language);
    let (began, ended) = content.times();
    let seller = content.seller.as_ref();
    html! {
        header {
            h1 { (seller.map_or(words::heading(content, language), |seller| &seller.name)) }
            @if let Some(seller) = seller {
                @if let Some(address) = &seller.address { p { (words::address(address)) } }
                p { (words::number_of(&seller.tax_number, language)) " " (seller.tax_number) }
            }
            @if let Some(event) = &content.event { p .quiet { (language.name(event)) } }
        }
        @if !content.marks.is_empty() {
            ul .marks aria-label=(language.of("Vermerke", "Marks")) {
                @for mark in &content.marks { li .note .warn { strong { (words::mark(*mark, language)) } } }
            }
        }
        h2 { (words::heading(content, language)) }
        dl {
            dt { (language.of("Belegnummer", "Receipt number")) } dd .id { (content.order) }
            @if let Some(reverses) = content.reverses {
                dt { (language.of("Zu Beleg", "Takes back")) } dd .id { a href=(format!("{PATH}/{reverses}")) { (reverses) } }
            }
            dt { (language.of("Belegdatum", "Date of issue")) } dd { (clock.date(ended)) }
            dt { (language.of("Beginn", "Start")) } dd { (clock.full(began)) }
            dt { (language.of("Ende", "End")) } dd { (clock.full(ended)) }
            dt { (language.of("Kasse", "Till")) } dd { (content.till) }
            dt { (language.of("Kassen-Seriennummer", "Till serial number")) } dd .id { (content.serial) }
        }
    }
}

fn items(content: &Content, language: Language) -> Markup {
    let each = |item: &Item| {
        let is_one = item.quantity.unsigned_abs() == 1;
        (!is_one).then(|| format!("{} {}", language.of("je", "at"), euros(item.unit_price, language)))
    };
    html! {
        table .items {
            caption .visually-hidden { (language.of("Positionen", "Items")) }
            thead { tr {
                th scope="col" .amount { (language.of("Menge", "Qty")) } th scope="col" { (language.of("Artikel", "Item")) }
                th scope="col" .amount { (language.of("USt", "VAT")) } th scope="col" .amount { (language.of("Betrag", "Amount")) }
            } }
            tbody { @for item in &content.items {
                tr {
                    td .amount { (item.quantity.to_string().replace('-', "\u{2212}")) " ×" }
                    td {
                        (words::item_name(item, language))
                        @for note in each(item).into_iter().chain(words::item_notes(item, language)) { br; small { (note) } }
                    }
                    td .amount { (percent(item.rate.0, language)) }
                    td .amount { @if let Some(total) = item.total { (euros(total, language)) } }
                }
            } }
            tfoot { tr { th scope="row" colspan="3" { (language.of("Summe", "Total")) } td .amount.sum { (euros(content.total, language)) } } }
        }
    }
}

fn payments(content: &Content, language: Language) -> Markup {
    html! {
        dl .paid {
            @for redeemed in &content.redeemed {
                @let off = redeemed.cents().negated().unwrap_or(redeemed.cents());
                dt { (words::redeemed(redeemed, language)) } dd .amount { (euros(off, language)) }
            }
            @if !content.redeemed.is_empty() {
                dt { (language.of("Zu zahlen", "To pay")) } dd .amount { strong { (euros(content.due, language)) } }
            }
            @for payment in &content.payments {
                dt { (words::payment(payment, content, language)) } dd .amount { (euros(payment.amount, language)) }
            }
        }
    }
}

fn taxes(content: &Content, language: Language) -> Markup {
    html! {
        @if !content.taxes.is_empty() {
            table .taxes {
                caption .visually-hidden { (language.of("Steuern", "Taxes")) }
                thead { tr {
                    th scope="col" { (language.of("USt", "VAT")) } th scope="col" .amount { (language.of("Netto", "Net")) }
                    th scope="col" .amount { (language.of("Steuer", "Tax")) } th scope="col" .amount { (language.of("Brutto", "Gross")) }
                } }
                tbody { @for row in &content.taxes {
                    tr {
                        td { (percent(row.rate.0, language)) }
                        @for amount in [row.net, row.tax, row.gross] { td .amount { (euros(amount, language)) } }
                    }
                } }
            }
            @if let Some(note) = words::untaxed(content, language) { p .quiet { (note) } }
        }
    }
}

fn signature(content: &Content, language: Language) -> Markup {
    let clock = Clock::new(&content.zone, language);
    let title = language.of("QR-Code mit den Daten der TSE", "QR code with the TSE's data");
    let serial = |serial: &[u8]| {
        html! { dt { (language.of("TSE-Seriennummer", "TSE serial number")) } dd .id { (hex(serial)) } }
    };
    html! {
        section .tse aria-label="TSE" {
            @match &content.signature {
                Signature::Tse(signature) => {
                    @let code = &signature.code;
                    @if let Some(picture) = qr::sharp(&code.to_string(), title, MODULE_PX) { (picture) }
                    dl {
                        dt { (language.of("TSE-Transaktion", "TSE transaction")) } dd { (code.transaction) }
                        dt { (language.of("Signaturzähler", "Signature counter")) } dd { (code.counter) }
                        // In an outage the till's own times stand above, and these say when it was signed.
                        @if let Some((began, ended)) = content.tse_times.filter(|_| content.marks.contains(&Mark::Outage)) {
                            dt { (language.of("TSE-Beginn", "TSE start")) } dd { (clock.full(began)) }
                            dt { (language.of("TSE-Ende", "TSE end")) } dd { (clock.full(ended)) }
                        }
                        (serial(&signature.tse.serial))
                        dt { (language.of("Prüfwert", "Check value")) } dd .id { (hex(&code.signature)) }
                    }
                }
                Signature::Outage { tse } | Signature::Till { tse, .. } => {
                    p { strong { (words::unsigned(language)) } }
                    @if let Some(tse) = tse { dl { (serial(&tse.serial)) } }
                }
                Signature::Pending => { p { (words::unsigned(language)) " …" } }
            }
        }
    }
}

/// What a printer prints, line by line.
pub fn preview(content: &Content, sheet: &Sheet, way: Way<'_>) -> Markup {
    let language = sheet.language;
    let (width, class, other) = match sheet.paper {
        Paper::Mm58 => (58, "mm58", 80),
        Paper::Mm80 | Paper::A4 => (80, "mm80", 58),
    };
    let escpos = address(content, &format!("/receipt.escpos?width={width}"), way);
    html! {
        main #main .receipt .preview {
            h1 .no-print { (language.of("Vorschau", "Preview")) ", " (width) " mm" }
            div class=(format!("roll {class}")) { @for line in &sheet.lines { (paper_line(sheet, line)) } }
            nav .forms .no-print aria-label=(language.of("Andere Formen", "Other forms")) {
                a .button href=(address(content, "", way)) { (language.of("Zurück", "Back")) }
                a .button href=(address(content, &format!("/preview?width={other}"), way)) { (other) " mm" }
                a .button href=(escpos) { "ESC/POS" }
                button type="button" data-print="" { (language.of("Drucken", "Print")) }
            }
        }
    }
}

fn paper_line(sheet: &Sheet, line: &Line) -> Markup {
    match line {
        Line::Text { text, weight } => {
            let class = match weight {
                Weight::Normal => "",
                Weight::Bold => "bold",
                Weight::Tall => "bold tall",
            };
            // An empty line is as high as any other.
            html! { pre class=(class) { (text) "\n" } }
        }
        Line::Rule => html! { pre aria-hidden="true" { (text::line(sheet, line)) "\n" } },
        Line::Picture(picture) => {
            let data = format!("data:image/png;base64,{}", STANDARD.encode(picture.png()));
            html! { img .logo src=(data) alt="Logo" width=(picture.width()) height=(picture.height()); }
        }
        Line::Code(code) => {
            html! { @if let Some(picture) = qr::sharp(code, text::code_place(sheet.language), MODULE_ON_ROLL_PX) { (picture) } }
        }
    }
}
