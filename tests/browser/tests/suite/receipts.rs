//! A receipt in every form a guest and a crew can open: the page, the paper in a preview, the files.

use browser::{Browser, Look};
use fiscal::qr::ReceiptCode;
use serde_json::Value;

use crate::desk::{address_with_slip, receipts, type_line};
use crate::festival::{BAR, Festival, TOP_UP, picture};

/// What an address of the page's own server answers: status, kind and the first letters.
async fn fetched(browser: &Browser, address: &str) -> anyhow::Result<Vec<String>> {
    let script = "const done = arguments[1]; fetch(arguments[0]).then(async (answer) => done([String(answer.status),
        answer.headers.get('content-type'), (await answer.text()).slice(0, 5)]))";
    let answer: Value = browser.run_async(script, vec![address.into()]).await?;
    Ok(serde_json::from_value(answer)?)
}

async fn is_accessible(browser: &Browser, what: &str) -> anyhow::Result<()> {
    let Some(axe) = browser::axe() else { return Ok(()) };
    let found = browser.axe(&axe).await?;
    anyhow::ensure!(found.is_empty(), "{what}: {found:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_read_printed_and_taken_along_on_a_phone_by_day_and_by_night() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let till = festival.staffed(TOP_UP).await?;
    let browser = Browser::start(Look::default()).await?;
    browser.open(&till.url()).await?;
    browser.wait_for(".target", "Bereit").await?;
    type_line(&browser, "20*").await?;
    browser.wait_for("#cart", "Geld nehmen").await?;
    type_line(&browser, "").await?;
    browser.wait_for("#result", "Aufgeladen 20,00").await?;
    let order = receipts(&browser).await?.remove(0);
    browser.stop().await?;

    let address = format!("http://{}/receipt/{order}", festival.server.address);
    for (language, night, marked, headed) in [
        ("de", false, "NICHT ZERTIFIZIERT", "Aufladung"),
        ("en", true, "NOT CERTIFIED", "Top-up"),
    ] {
        let look = Look {
            language,
            night,
            ..Look::phone()
        };
        let browser = Browser::start(look).await?;
        browser.open(&address).await?;
        browser.wait_for(".marks", marked).await?;
        let page = browser.wait_for("main", headed).await?;
        for item in [
            "27/640/01234",
            "Am Heidesee 4, 19999 Lichtenheide",
            "48656964-01101",
            "20",
        ] {
            anyhow::ensure!(page.contains(item), "{item} is not in {page}");
        }
        anyhow::ensure!(!page.contains("KOPIE") && !page.contains("COPY"), "{page}");
        let code = browser.qr_code(".tse .code").await?;
        is_accessible(&browser, "the receipt").await?;
        browser.picture(&picture(&format!("receipt-phone-{language}"))).await?;

        // What a crew prints again says so in every form.
        browser.open(&format!("{address}?copy=1")).await?;
        let copy = if language == "de" { "KOPIE" } else { "COPY" };
        browser.wait_for(".marks", copy).await?;
        for width in ["58", "80"] {
            browser.open(&format!("{address}?copy=1")).await?;
            browser.click(&format!(".forms [href*='width={width}']")).await?;
            let roll = browser.wait_for(".roll", copy).await?;
            anyhow::ensure!(roll.contains(marked) && roll.contains(headed), "{roll}");
            anyhow::ensure!(browser.qr_code(".roll .code").await? == code, "another code");
            is_accessible(&browser, "the preview").await?;
            browser
                .picture(&picture(&format!("receipt-roll-{width}-{language}")))
                .await?;
        }
        let code = ReceiptCode::parse(&code)?;
        anyhow::ensure!(code.process_data.ends_with("^20.00:Bar"), "{code}");
        let bytes = "application/octet-stream";
        let files = [
            ("receipt.pdf", "application/pdf", "%PDF-"),
            ("receipt.escpos?width=58", bytes, "\u{1b}@\u{1b}t\u{13}"),
            (
                "receipt.escpos?page=1252&codes=raster&cut=0",
                bytes,
                "\u{1b}@\u{1b}t\u{10}",
            ),
        ];
        for (file, kind, begins) in files {
            let answer = fetched(&browser, &format!("{address}/{file}")).await?;
            anyhow::ensure!(answer == ["200", kind, begins], "{file}: {answer:?}");
        }
        let answer = fetched(
            &browser,
            &format!("http://{}/receipt/none/receipt.pdf", festival.server.address),
        )
        .await?;
        anyhow::ensure!(answer.first().is_some_and(|status| status == "404"), "{answer:?}");
        browser.stop().await?;
    }
    till.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_reads_a_receipt_before_its_till_was_heard_and_sees_that_a_forged_one_is_none() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let till = festival.staffed(BAR).await?;
    let browser = Browser::start(Look::default()).await?;
    browser.open(&till.url()).await?;
    browser.wait_for(".target", "Bereit").await?;
    till.cut(true).await;
    browser.wait_for(".pill", "Offline").await?;
    type_line(&browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    type_line(&browser, "").await?;
    browser.wait_for("#result", "Bezahlt 6,50").await?;
    let address = address_with_slip(&browser).await?;
    // The dialog with the code, as the guest sees it at the counter.
    browser
        .run("document.getElementById('receipt').showModal()", vec![])
        .await?;
    browser.wait_for("#receipt", "Der Beleg steht im Code selbst").await?;
    let code = browser.qr_code("#receipt svg.dense").await?;
    anyhow::ensure!(code == address, "the code says {code}");
    is_accessible(&browser, "the till with a receipt's code").await?;
    browser.picture(&picture("desk-receipt-offline")).await?;
    browser.stop().await?;

    // Somebody changed an amount: the signature is of other words.
    let at = address.len() - 40;
    let other = if address[at..].starts_with('A') { "B" } else { "A" };
    let forged = format!("{}{other}{}", &address[..at], &address[at + 1..]);
    for (language, night, marked, unproven, total) in [
        ("de", false, "NOCH NICHT BEIM SERVER", "UNBELEGT", "Summe"),
        ("en", true, "NOT AT THE SERVER YET", "UNPROVEN", "Total"),
    ] {
        for (name, look) in [("phone", Look::phone()), ("wide", Look::default())] {
            let browser = Browser::start(Look {
                language,
                night,
                ..look
            })
            .await?;
            browser.open(&address).await?;
            browser.wait_for(".marks", marked).await?;
            let page = browser.wait_for("main", total).await?;
            anyhow::ensure!(page.contains("48656964-00201"), "{page}");
            is_accessible(&browser, "the receipt from a slip").await?;
            browser
                .picture(&picture(&format!("receipt-slip-{name}-{language}")))
                .await?;
            browser.click(".forms [href*='width=58']").await?;
            let roll = browser
                .wait_for(".roll", marked.split(' ').next().unwrap_or_default())
                .await?;
            anyhow::ensure!(roll.contains("TSE"), "{roll}");
            is_accessible(&browser, "the preview from a slip").await?;
            browser
                .picture(&picture(&format!("receipt-slip-roll-{name}-{language}")))
                .await?;
            browser.open(&forged).await?;
            let page = browser.wait_for("main", unproven).await?;
            anyhow::ensure!(!page.contains(marked) && !page.contains("PDF"), "{page}");
            is_accessible(&browser, "a forged receipt").await?;
            browser
                .picture(&picture(&format!("receipt-forged-{name}-{language}")))
                .await?;
            browser.stop().await?;
        }
    }

    // The page that is open turns into the receipt when the till comes back.
    let browser = Browser::start(Look::phone()).await?;
    browser.open(&address).await?;
    browser.wait_for(".marks", "NOCH NICHT BEIM SERVER").await?;
    till.cut(false).await;
    browser.wait_for("main", "TSE-Seriennummer").await?;
    browser.stop().await?;
    till.stop().await;
    festival.server.stop().await
}
