//! The till as a page.

use browser::{Browser, Look};
use fiscal::qr::ReceiptCode;
use pages::Language;
use shared_protocol::OrderId;

use crate::festival::{BAR, ENTRY, Festival, TOP_UP, picture};

/// Nothing but keys: logs the first person of the list in.
async fn log_in_by_keys(browser: &Browser) -> anyhow::Result<()> {
    for _ in 0..20 {
        let at = browser.run("return document.activeElement.value", vec![]).await?;
        if at == "login" {
            return browser.enter().await;
        }
        browser.tab().await?;
    }
    anyhow::bail!("twenty tabs did not lead to the button that logs in")
}

/// Types a line into the page, wherever the focus is, and sends it.
pub async fn type_line(browser: &Browser, line: &str) -> anyhow::Result<()> {
    browser.keys(line).await?;
    browser.enter().await
}

/// The ids of the receipts that the last result leads to.
pub async fn receipts(browser: &Browser) -> anyhow::Result<Vec<OrderId>> {
    let script = "return [...document.querySelectorAll('#receipt a')].map((link) => new URL(link.href).pathname.split('/').pop()).join(' ')";
    let ids = browser.run(script, vec![]).await?;
    Ok(ids
        .as_str()
        .unwrap_or_default()
        .split(' ')
        .filter_map(OrderId::parse)
        .collect())
}

/// The address of the receipt that the last result leads to, with the till's slip in it.
pub async fn address_with_slip(browser: &Browser) -> anyhow::Result<String> {
    let script = "return document.querySelector(\"#receipt a[href*='?slip=']\")?.href ?? ''";
    for _ in 0..200 {
        if let Some(address) = browser
            .run(script, vec![])
            .await?
            .as_str()
            .filter(|address| !address.is_empty())
        {
            return Ok(address.to_owned());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("ten seconds after the sale there is no slip")
}

async fn a_newcomer_sells(language: Language) -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (top_up, bar) = (festival.desk(TOP_UP).await?, festival.desk(BAR).await?);
    let look = Look {
        language: language.code(),
        ..Look::default()
    };
    let browser = Browser::start(look).await?;
    browser.open(&top_up.url()).await?;
    log_in_by_keys(&browser).await?;
    browser
        .wait_for("#result, .target", language.of("Bereit", "Ready"))
        .await?;
    type_line(&browser, "20*").await?;
    browser
        .wait_for("#cart", language.of("Geld nehmen", "Take the money"))
        .await?;
    type_line(&browser, "").await?;
    browser
        .wait_for("#result", language.of("Aufgeladen 20,00", "Topped up €20.00"))
        .await?;

    browser.open(&bar.url()).await?;
    log_in_by_keys(&browser).await?;
    browser.wait_for(".target", language.of("Bereit", "Ready")).await?;
    type_line(&browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    type_line(&browser, "").await?;
    let paid = browser
        .wait_for("#result", language.of("Bezahlt 6,50", "Paid €6.50"))
        .await?;
    assert!(paid.contains(language.of("noch 13,50", "left €13.50")), "{paid}");
    browser.picture(&picture(&format!("desk-paid-{language}"))).await?;
    let online = receipts(&browser).await?;

    bar.cut(true).await;
    browser.wait_for(".pill", "Offline").await?;
    type_line(&browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    type_line(&browser, "").await?;
    let paid = browser
        .wait_for("#result", language.of("noch etwa 7,00", "about €7.00 left"))
        .await?;
    assert!(paid.contains(language.of("Bezahlt 6,50", "Paid €6.50")), "{paid}");
    browser.wait_for(".pill", "Offline · 1").await?;
    browser.picture(&picture(&format!("desk-offline-{language}"))).await?;
    let offline = receipts(&browser).await?;
    bar.cut(false).await;
    browser.wait_for(".pill", "Online").await?;

    // The guest opens the receipts; the page waits for the signature by itself, and an outside judge reads the code from the picture.
    let address = |order: OrderId| format!("http://{}/receipt/{order}", festival.server.address);
    browser.open(&address(online[0])).await?;
    browser
        .wait_for(".marks", language.of("NICHT ZERTIFIZIERT", "NOT CERTIFIED"))
        .await?;
    browser.picture(&picture(&format!("receipt-{language}"))).await?;
    let code = browser.qr_code(".tse .code").await?;
    assert_eq!(ReceiptCode::parse(&code)?.process_type, "Kassenbeleg-V1");
    if let Some(verdicts) = judges::receipt_codes(&code) {
        assert!(verdicts.iter().all(|verdict| verdict.contains("True")), "{verdicts:?}");
    }
    browser.open(&address(offline[0])).await?;
    // What was sold without the network has its receipt once the till has sent it.
    browser.wait_for("main", language.of("Summe", "Total")).await?;
    browser.stop().await?;
    top_up.stop().await;
    bar.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_tops_up_and_sells_a_beer_by_keys_alone_with_the_network_cut_in_between() -> anyhow::Result<()> {
    a_newcomer_sells(Language::De).await?;
    a_newcomer_sells(Language::En).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_at_the_counter_says_what_it_is_and_what_to_do() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (top_up, bar) = (festival.staffed(TOP_UP).await?, festival.staffed(BAR).await?);
    let browser = Browser::start(Look::default()).await?;
    browser.open(&top_up.url()).await?;
    browser.wait_for(".target", "Bereit").await?;
    type_line(&browser, "10*").await?;
    browser.wait_for("#cart", "Geld nehmen").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "Aufgeladen 10,00").await?;
    type_line(&browser, "5*").await?;
    browser.wait_for("#cart", "Geld nehmen").await?;
    type_line(&browser, "/2").await?;
    browser.wait_for("[aria-current]", "Band 2").await?;
    browser.click("[value='leave']").await?;
    browser.wait_for("#result", "Aufgeladen 5,00").await?;
    // A wristband that was left lying is not booked twice.
    browser.click("#wristband-1").await?;
    browser.wait_for("#result", "nicht doppelt gebucht").await?;

    browser.open(&bar.url()).await?;
    browser.click("#tile-1").await?;
    browser.click("#tile-1").await?;
    browser.wait_for("#cart .total", "13,00").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "Es fehlen 3,00").await?;
    browser.wait_for("#result", "Nichts abgebucht").await?;
    browser.picture(&picture("desk-too-low")).await?;
    // The second wristband pays the rest, without a button.
    browser.click("#wristband-1").await?;
    browser.wait_for("#result", "Bezahlt 13,00").await?;

    browser.click("[value='hold two']").await?;
    browser.wait_for("#result", "Bitte nur ein Band").await?;
    browser.click("[value='hold foreign']").await?;
    browser.wait_for("#result", "Kein Band von diesem Festival").await?;
    browser.keys("77").await?;
    browser.enter().await?;
    browser.wait_for(".entry", "Diese Kachel gibt es nicht: 77").await?;

    // The battery falls out with a cart open: it is back, and the page says that nothing was booked.
    browser.click("#tile-4").await?;
    browser.wait_for("#cart .total", "5,80").await?;
    browser.click("[value='crash']").await?;
    browser.wait_for("#result", "Letzter Versuch NICHT gebucht").await?;
    browser.wait_for("#cart .total", "5,80").await?;
    browser.picture(&picture("desk-after-crash")).await?;
    browser.click("[value='clear']").await?;

    // What was sold by mistake is undone by holding the same wristband; what it paid with two is not corrected by one.
    browser.function_key(1).await?;
    browser.wait_for("#history", "13,00").await?;
    browser.picture(&picture("desk-history")).await?;
    browser.stop().await?;
    top_up.stop().await;
    bar.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_is_corrected_and_undone_and_a_drawer_is_counted() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let till = festival.staffed(ENTRY).await?;
    let look = Look {
        language: "en",
        ..Look::default()
    };
    let browser = Browser::start(look).await?;
    browser.open(&till.url()).await?;
    browser.wait_for(".target", "Ready").await?;
    browser.function_key(9).await?;
    browser.fill("#drawer [name=text]", "100").await?;
    browser.enter().await?;
    browser.wait_for("#result", "Drawer open with €100.00").await?;
    browser.click("[value='side money']").await?;
    browser.click("#top-up-cash-5000").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "Topped up €50.00").await?;
    browser.click("[value='side sale']").await?;
    // A tile without a price asks for it.
    browser.click("#tile-5").await?;
    browser.fill("dialog:modal [name=text]", "7.50").await?;
    browser.enter().await?;
    browser.wait_for("#cart .total", "7.50").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "Paid €7.50").await?;
    browser.function_key(7).await?;
    browser.wait_for("#cart", "Correct").await?;
    browser.keys("1").await?;
    browser.enter().await?;
    browser.wait_for("#cart .total", "17.50").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "Corrected: was €7.50, now €17.50").await?;
    browser.function_key(6).await?;
    browser.wait_for("#cart", "Hold the guest's wristband").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "Cancelled").await?;
    // In the drawer are the float and what was topped up; one euro is missing.
    browser.function_key(9).await?;
    browser.fill("[name='pieces-5000']", "2").await?;
    browser.fill("[name='pieces-100']", "49").await?;
    browser.picture(&picture("desk-drawer")).await?;
    browser.enter().await?;
    browser.wait_for("#result", "€1.00 less than expected").await?;
    browser.picture(&picture("desk-drawer-counted")).await?;
    browser.stop().await?;
    till.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_can_use_the_till_by_day_by_night_on_a_phone_and_at_double_size() -> anyhow::Result<()> {
    let Some(axe) = browser::axe() else { return Ok(()) };
    let festival = Festival::start().await?;
    let till = festival.staffed(ENTRY).await?;
    let looks = [
        ("day", Look::default()),
        (
            "night",
            Look {
                night: true,
                ..Look::default()
            },
        ),
        (
            "phone",
            Look {
                night: true,
                language: "en",
                ..Look::phone()
            },
        ),
        (
            "large",
            Look {
                zoom_percent: 200,
                ..Look::default()
            },
        ),
    ];
    for (name, look) in looks {
        let browser = Browser::start(look).await?;
        browser.open(&till.url()).await?;
        browser.click("[value='side sale']").await?;
        browser.click("#tile-1").await?;
        browser.wait_for("#cart", "10").await?;
        for (state, act) in [("cart", None), ("low", Some("#wristband-2")), ("sync", Some(".pill"))] {
            if let Some(act) = act {
                browser.click(act).await?;
                tokio::time::sleep(std::time::Duration::from_millis(400)).await;
            }
            browser.picture(&picture(&format!("desk-{name}-{state}"))).await?;
            let found = browser.axe(&axe).await?;
            assert!(found.is_empty(), "{name}, {state}: {found:#?}");
        }
        let wide = browser
            .run("return document.documentElement.scrollWidth - innerWidth", vec![])
            .await?;
        assert_eq!(wide, 0, "{name}: the page scrolls sideways");
        browser.click("#sync [command='close']").await?;
        browser.click("[value='clear']").await?;
        browser.wait_for(".target", "").await?;
        browser.stop().await?;
    }
    till.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_has_the_key_uses_the_till() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let till = festival.staffed(BAR).await?;
    let browser = Browser::start(Look::default()).await?;
    let address = format!("http://{}", till.address);
    for path in ["/", "/open?key=0123456789abcdef0123456789abcdef"] {
        browser.open(&format!("{address}{path}")).await?;
        browser
            .wait_for("main", "Diese Kasse kennt diesen Browser nicht")
            .await?;
    }
    // The same machine by another name, as a page from elsewhere would reach it.
    browser.open(&till.url().replace("127.0.0.1", "localhost")).await?;
    browser.wait_for("main", "Tippen").await?;
    let other = format!("http://x.localhost:{}/", till.address.port());
    browser.open(&other).await?;
    browser.wait_for("body", "this machine only").await?;
    // A page of another origin cannot press a button, key or not.
    browser.open(&till.url()).await?;
    browser.wait_for("main", "Tippen").await?;
    browser
        .open(&format!("http://{}/receipt/none", festival.server.address))
        .await?;
    let script = "const [to, done] = arguments; fetch(to, { method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams('do=add 101') }).then(() => done('sent'), () => done('refused'))";
    let _either = browser.run_async(script, vec![format!("{address}/act").into()]).await?;
    browser.open(&till.url()).await?;
    browser.wait_for(".target", "Bereit").await?;
    assert!(!browser.has("#cart").await?, "another page put something into the cart");
    browser.stop().await?;
    till.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn francs_pay_a_beer_and_fill_a_wristband_and_the_change_is_large_and_in_euros() -> anyhow::Result<()> {
    let festival = Festival::near_borders().await?;
    let till = festival.staffed(ENTRY).await?;
    let axe = browser::axe();
    let phone = Look {
        night: true,
        language: "en",
        ..Look::phone()
    };
    for (name, look) in [("day", Look::default()), ("phone", phone)] {
        let words = |de, en| if name == "day" { de } else { en };
        let browser = Browser::start(look).await?;
        browser.open(&till.url()).await?;
        browser.click("[value='side sale']").await?;
        browser.click("#tile-1").await?;
        browser.wait_for("#cart .total", "10").await?;
        browser.click("[commandfor='foreign']").await?;
        // 10.00 EUR at 1.07 are 9.345 francs.
        browser
            .wait_for("#foreign", words("mindestens 9,35 CHF", "at least 9.35 CHF"))
            .await?;
        let judged = async |state: &str| {
            browser
                .picture(&picture(&format!("desk-francs-{name}-{state}")))
                .await?;
            if let Some(axe) = &axe {
                let found = browser.axe(axe).await?;
                anyhow::ensure!(found.is_empty(), "{name}, {state}: {found:#?}");
            }
            let wide = "return document.documentElement.scrollWidth - innerWidth";
            anyhow::ensure!(
                browser.run(wide, vec![]).await? == 0,
                "{name}, {state}: it scrolls sideways"
            );
            Ok(())
        };
        judged("offers").await?;
        browser.click("[value='pay-foreign 7 2000']").await?;
        browser.wait_for("#result .change-due", words("11,40", "11.40")).await?;
        judged("change").await?;
        browser.click("[value='dismiss']").await?;
        browser.click("[value='side money']").await?;
        browser
            .fill("form:has([value='top-up-foreign 7']) [name=text]", "50")
            .await?;
        browser.click("[value='top-up-foreign 7']").await?;
        browser.wait_for("#given", "50").await?;
        judged("top-up").await?;
        browser.click("#wristband-0").await?;
        browser
            .wait_for("#result", words("Aufgeladen 53,50", "Topped up €53.50"))
            .await?;
        browser.function_key(9).await?;
        browser
            .fill("#drawer form:has([value='hand-in 7']) [name=text]", "70")
            .await?;
        judged("hand-in").await?;
        browser.click("[value='hand-in 7']").await?;
        browser
            .wait_for("#result", words("Abgegeben 70,00 CHF", "Handed in 70.00 CHF"))
            .await?;
        browser.stop().await?;
    }
    till.stop().await;
    festival.server.stop().await
}
