//! A guest opens the receipt of an order that its till could not send: first as the till's slip says it, with its marks, and by the same link as it was
//! booked, once the till has been heard.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::time::Duration;

use core_ffi::TillInput;
use e2e::{Crewed, Server, settings};
use fiscal::tax::{Choice, Fix, Fixed, Place};
use fixtures::sample;
use groschen::instance::Instance;
use groschen::receipt::page::PATH;
use shared_protocol::slip::{Address, Slip};
use shared_protocol::{ArticleId, OrderId, TillId};
use terminal::screen::{Notice, PastOrder};
use terminal::{Action, Screen};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A till that has been silent for so long was in an outage.
const OUTAGE: Duration = Duration::from_millis(5_200);
const BAR: TillId = TillId(201);
const PILS: ArticleId = ArticleId(101);

async fn server_with(policy: &'static str) -> Server {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    let fix = Fix {
        value: policy,
        place: Place::Flag,
    };
    settings.signing.fixed = Fixed::default().with(Choice::OutagePolicy, Some(fix));
    let instance = Instance::start(&settings, true).await.unwrap();
    Server { dir, instance }
}

/// Sells a beer without network; gives the order as the till remembers it, with its slip.
async fn sold_offline(bar: &Crewed) -> PastOrder {
    bar.cut().await;
    bar.act(Action::Add {
        article: PILS,
        count: 1,
    })
    .await;
    bar.hand.hold(sample::wristband(1)).await;
    bar.wait_for(|screen| matches!(screen.notice, Notice::Done(_))).await;
    bar.hand.take_away().await;
    let has_slip = |screen: &Screen| screen.history.first().is_some_and(|past| past.slip.is_some());
    bar.wait_for(has_slip).await.history[0].clone()
}

/// Head and body of an answer.
async fn get(server: &Server, path: &str) -> String {
    let mut socket = TcpStream::connect(server.instance.address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.0\r\nHost: here\r\nAccept-Language: de\r\n\r\n");
    socket.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn path(order: OrderId, slip: &str) -> String {
    let address = Address::of(PATH, order, Some(slip));
    assert!(address.has_slip);
    address.text
}

async fn a_guest_keeps_one_link(policy: &'static str, in_the_end: &[&str], never: &[&str]) {
    let server = server_with(policy).await;
    let data = tempfile::tempdir().unwrap();
    let bar = Crewed::switch_on(data.path(), &server);
    bar.register(&server, BAR).await;
    let before = server.instance.reader().unwrap().head().unwrap();
    let past = sold_offline(&bar).await;
    let text = past.slip.clone().unwrap();
    let link = path(past.order, &text);

    // The till's own record, marked, with all that the server knows of the till.
    let page = get(&server, &link).await;
    for part in [
        "200 OK",
        "NOCH NICHT BEIM SERVER",
        "ihre Signatur passt",
        "TSE AUSGEFALLEN",
        "Ohne Signatur einer TSE",
        "Pils",
        "48656964-00201",
        "refresh: 15",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(
        !page.contains(&sample::wristband(1).to_string()),
        "a receipt names no guest"
    );
    for file in ["receipt.pdf", "receipt.escpos", "preview"] {
        let answer = get(&server, &format!("{PATH}/{}/{file}?slip={text}", past.order)).await;
        assert!(answer.starts_with("HTTP/1.0 200"), "{file}: {answer}");
    }
    // Whoever runs the server is told that this till has more than it sent, and nothing was booked.
    let slip = Slip::read(&text).unwrap();
    let told = server.instance.hub.told_by_slip(slip.terminal()).unwrap();
    assert_eq!(told, (slip.body().epoch, slip.body().seq));
    assert_eq!(server.instance.reader().unwrap().head().unwrap(), before);

    // A link that somebody changed shows nothing that looks like ours.
    let forged = |at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let other = OrderId([0x11; 16]);
    let forgeries = [
        (past.order, forged(text.len() / 2)),
        (past.order, forged(text.len() - 20)),
        (other, text.to_string()),
    ];
    for (order, forged) in forgeries {
        let page = get(&server, &path(order, &forged)).await;
        assert!(page.contains("UNBELEGT") || page.contains("404 Not Found"), "{page}");
        assert!(
            !page.contains("27/640/01234") && !page.contains("NOCH NICHT BEIM SERVER: "),
            "{page}"
        );
        let paper = get(&server, &format!("{PATH}/{order}/receipt.pdf?slip={forged}")).await;
        assert!(paper.starts_with("HTTP/1.0 404"), "{paper}");
    }
    assert!(
        get(&server, &format!("{PATH}/{}", past.order))
            .await
            .contains("noch nicht da")
    );

    // The till comes back, and the same link shows what was booked.
    tokio::time::sleep(OUTAGE).await;
    bar.till.input(TillInput::Cut(false)).await;
    bar.till.input(TillInput::TryNow).await;
    let screen = bar.wait_for(|screen| screen.history[0].sent).await;
    assert_eq!(screen.history[0].slip, None);
    let page = loop {
        let page = get(&server, &link).await;
        if !page.contains("NOCH NICHT BEIM SERVER") && !page.contains("Signatur steht noch aus") {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for part in in_the_end {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    for part in never.iter().chain(&["DER LINK SAGT ETWAS ANDERES", "UNBELEGT"]) {
        assert!(!page.contains(part), "{part} is in {page}");
    }
    let plain = get(&server, &format!("{PATH}/{}", past.order)).await;
    assert!(plain.contains("200 OK") && plain.contains("TSE AUSGEFALLEN"), "{plain}");

    // A link with another content than what was booked says so, and shows what was booked.
    let page = get(&server, &path(past.order, &other_content(&text))).await;
    assert!(
        page.contains("DER LINK SAGT ETWAS ANDERES") && page.contains("27/640/01234"),
        "{page}"
    );
    bar.till.stop().await.unwrap();
    server.instance.stop().await.unwrap();
}

/// A slip that says one more of everything, with a signature that is not the till's.
fn other_content(text: &str) -> String {
    use shared_protocol::slip::Unsigned;
    let slip = Slip::read(text).unwrap();
    let mut body = slip.body().clone();
    body.shown.lines.iter_mut().for_each(|line| line.quantity += 1);
    let unsigned = Unsigned::new(slip.terminal(), OrderId([0; 16]), &body);
    let signer = fixtures::paper::PaperTill::signer(9);
    let signature = shared_protocol::crypto::Signer::sign(&signer, &unsigned.message()).unwrap();
    unsigned.signed(signature).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_offline_opens_at_once_and_stays_marked() {
    let marked = ["TSE AUSGEFALLEN", "Ohne Signatur einer TSE", "Pils", "27/640/01234"];
    a_guest_keeps_one_link("mark-only", &marked, &["TSE-Transaktion", "Nachsigniert"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_offline_opens_at_once_and_is_signed_later_by_the_same_link() {
    let signed = [
        "TSE AUSGEFALLEN",
        "Nachsigniert",
        "TSE-Transaktion",
        "Pils",
        "27/640/01234",
    ];
    a_guest_keeps_one_link("resign-marked", &signed, &["Ohne Signatur einer TSE"]).await;
}
