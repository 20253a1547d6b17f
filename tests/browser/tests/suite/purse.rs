//! Wristbands with a purse on their chip: by keys alone, over real frames of a virtual chip.

use browser::{Browser, Look};
use desk::Desk;
use pages::Language;

use crate::desk::type_line;
use crate::festival::{BAR, Festival, TOP_UP, picture};

/// The first wristband with a purse in the tray, as it is typed.
const CHIP: &str = "/4";

/// A desk that takes money and one that sells, both with somebody at it.
async fn counters(festival: &Festival) -> anyhow::Result<(Desk, Desk)> {
    Ok((festival.staffed(TOP_UP).await?, festival.staffed(BAR).await?))
}

async fn at(browser: &Browser, desk: &Desk) -> anyhow::Result<()> {
    browser.open(&desk.url()).await?;
    browser.wait_for("main", "€").await?;
    type_line(browser, CHIP).await?;
    browser.wait_for("#tray [aria-current]", "/4").await?;
    Ok(())
}

async fn count(browser: &Browser, css: &str) -> anyhow::Result<u64> {
    let found = browser
        .run(
            "return document.querySelectorAll(arguments[0]).length",
            vec![css.into()],
        )
        .await?;
    Ok(found.as_u64().unwrap_or_default())
}

/// Walks with the tabulator to a button and presses it.
async fn tab_to(browser: &Browser, value: &str) -> anyhow::Result<()> {
    for _ in 0..80 {
        let at = browser.run("return document.activeElement.value ?? ''", vec![]).await?;
        if at == value {
            return browser.enter().await;
        }
        browser.tab().await?;
    }
    anyhow::bail!("eighty tabs did not lead to {value}")
}

async fn an_evening(language: Language) -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (top_up, bar) = counters(&festival).await?;
    let look = Look {
        language: language.code(),
        ..Look::default()
    };
    let browser = Browser::start(look).await?;

    // Money in: amount first, with change; then the wristband first.
    at(&browser, &top_up).await?;
    browser.picture(&picture(&format!("purse-empty-{language}"))).await?;
    type_line(&browser, "20*").await?;
    browser
        .wait_for("#cart", language.of("Geld nehmen", "Take the money"))
        .await?;
    type_line(&browser, "50").await?;
    let given = browser
        .wait_for("#given", language.of("zurück 30,00", "back €30.00"))
        .await?;
    let pieces = language.of("20\u{a0}€ + 10\u{a0}€", "€20 + €10");
    assert!(given.contains(pieces), "{given}");
    browser.picture(&picture(&format!("purse-armed-{language}"))).await?;
    type_line(&browser, "").await?;
    browser
        .wait_for("#result", language.of("Aufgeladen 20,00", "Topped up €20.00"))
        .await?;
    browser
        .wait_for("#result", language.of("noch 20,00", "left €20.00"))
        .await?;
    browser
        .picture(&picture(&format!("purse-topped-up-{language}")))
        .await?;

    // A sale, and one that is too much.
    at(&browser, &bar).await?;
    type_line(&browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    type_line(&browser, "").await?;
    browser
        .wait_for("#result", language.of("Bezahlt 6,50", "Paid €6.50"))
        .await?;
    browser
        .wait_for("#result", language.of("noch 13,50", "left €13.50"))
        .await?;
    browser.picture(&picture(&format!("purse-paid-{language}"))).await?;
    type_line(&browser, "3*1").await?;
    browser.wait_for("#cart .total", "19").await?;
    type_line(&browser, "").await?;
    browser
        .wait_for("#result", language.of("Es fehlen 6,00", "€6.00 short"))
        .await?;
    browser
        .wait_for("#result", language.of("Nichts abgebucht", "Nothing was charged"))
        .await?;
    browser.picture(&picture(&format!("purse-too-low-{language}"))).await?;
    type_line(&browser, "-").await?;
    type_line(&browser, "-").await?;
    browser.wait_for("#cart .total", "6").await?;

    // Without the network, pulled away at the worst moment; then the same wristband again.
    bar.cut(true).await;
    browser.wait_for(".pill", "Offline").await?;
    tab_to(&browser, "too-early").await?;
    browser
        .wait_for(
            "#result",
            language.of("DASSELBE Band nochmal", "Hold the SAME wristband again"),
        )
        .await?;
    browser
        .picture(&picture(&format!("purse-hold-again-{language}")))
        .await?;
    // Another wristband is no way out.
    type_line(&browser, "/5").await?;
    browser.wait_for("#tray [aria-current]", "/5").await?;
    type_line(&browser, "").await?;
    browser
        .wait_for(
            "#result",
            language.of("Das ist ein anderes Band", "That is another wristband"),
        )
        .await?;
    type_line(&browser, CHIP).await?;
    browser.wait_for("#tray [aria-current]", "/4").await?;
    type_line(&browser, "").await?;
    browser
        .wait_for("#result", language.of("Bezahlt 6,50", "Paid €6.50"))
        .await?;
    browser
        .wait_for("#result", language.of("noch 7,00", "left €7.00"))
        .await?;

    // The reader is unplugged in the middle; it is missing, and comes back with the wristband still on it.
    type_line(&browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    tab_to(&browser, "too-early plug").await?;
    browser
        .wait_for(
            "#reader",
            language.of("Leser fehlt – einstecken", "Reader missing – plug it in"),
        )
        .await?;
    browser
        .wait_for(
            "#result",
            language.of("DASSELBE Band nochmal", "Hold the SAME wristband again"),
        )
        .await?;
    browser
        .picture(&picture(&format!("purse-unplugged-{language}")))
        .await?;
    tab_to(&browser, "plug in").await?;
    type_line(&browser, CHIP).await?;
    type_line(&browser, "").await?;
    browser
        .wait_for("#result", language.of("noch 0,50", "left €0.50"))
        .await?;
    assert_eq!(count(&browser, "#reader").await?, 0, "the reader is there again");
    bar.cut(false).await;
    browser.wait_for(".pill", "Online").await?;

    // Three beers were paid, and nothing twice: the wristband and the till's history say the same.
    let history = browser
        .run(
            "return [...document.querySelectorAll('#history .amount')].map((one) => one.innerText).join(' ')",
            vec![],
        )
        .await?;
    let sold = history.as_str().unwrap_or_default().matches("50").count();
    assert_eq!(sold, 3, "{history}");
    at(&browser, &top_up).await?;
    type_line(&browser, "").await?;
    let shown = browser
        .wait_for("#result", language.of("Zuletzt bezahlt", "Last paid"))
        .await?;
    assert!(
        shown.contains(language.of("0,50", "€0.50")) && shown.contains("6"),
        "{shown}"
    );
    browser.picture(&picture(&format!("purse-balance-{language}"))).await?;
    browser.stop().await?;
    top_up.stop().await;
    bar.stop().await;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purse_is_filled_paid_from_torn_and_repaired_by_keys_alone() -> anyhow::Result<()> {
    an_evening(Language::De).await?;
    an_evening(Language::En).await
}
