//! Wristbands with a purse on their chip: by keys alone, over real frames of a virtual chip.

use std::time::Duration;

use browser::{Browser, Look};
use desk::Desk;
use pages::Language;
use terminal::screen::{Pill, Screen};

use crate::desk::type_line;
use crate::festival::{BAR, ENTRY, Festival, TOP_UP, picture};

/// The first wristband with a purse in the tray, as it is typed.
const CHIP: &str = "/4";

/// For some seconds after a booking the same wristband is only told that it is booked.
const TOLD_SO: Duration = Duration::from_secs(5);

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

/// Amount first, with change.
async fn money_in(browser: &Browser, top_up: &Desk, language: Language) -> anyhow::Result<()> {
    at(browser, top_up).await?;
    browser.picture(&picture(&format!("purse-empty-{language}"))).await?;
    type_line(browser, "20*").await?;
    browser
        .wait_for("#cart", language.of("Geld nehmen", "Take the money"))
        .await?;
    type_line(browser, "50").await?;
    let given = browser
        .wait_for("#given", language.of("zurück 30,00", "back €30.00"))
        .await?;
    let pieces = language.of("20\u{a0}€ + 10\u{a0}€", "€20 + €10");
    assert!(given.contains(pieces), "{given}");
    browser.picture(&picture(&format!("purse-armed-{language}"))).await?;
    type_line(browser, "").await?;
    browser
        .wait_for("#result", language.of("Aufgeladen 20,00", "Topped up €20.00"))
        .await?;
    browser
        .wait_for("#result", language.of("jetzt 20,00", "now €20.00"))
        .await?;
    browser
        .picture(&picture(&format!("purse-topped-up-{language}")))
        .await?;
    on_paper(browser, language).await
}

/// What a printer gets: the slip with its code, and nothing else of the page.
async fn on_paper(browser: &Browser, language: Language) -> anyhow::Result<()> {
    let as_printed = "for (const sheet of document.styleSheets) for (const rule of sheet.cssRules)
        if (rule.media?.mediaText === 'print') rule.media.mediaText = 'all'";
    browser.run(as_printed, vec![]).await?;
    let code = browser.qr_code("#slip .qr").await?;
    assert!(code.contains("/receipt/"), "{code}");
    let seen = "return [...document.querySelectorAll('.desk > *')].filter((one) => one.checkVisibility()).map((one) => one.id).join()";
    assert_eq!(browser.run(seen, vec![]).await?, "slip");
    browser.picture(&picture(&format!("purse-slip-{language}"))).await?;
    browser.reload().await
}

/// A sale, and one that is too much.
async fn sales(browser: &Browser, bar: &Desk, language: Language) -> anyhow::Result<()> {
    at(browser, bar).await?;
    type_line(browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    type_line(browser, "").await?;
    browser
        .wait_for("#result", language.of("Bezahlt 6,50", "Paid €6.50"))
        .await?;
    browser
        .wait_for("#result", language.of("noch 13,50", "left €13.50"))
        .await?;
    browser.picture(&picture(&format!("purse-paid-{language}"))).await?;
    type_line(browser, "3*1").await?;
    browser.wait_for("#cart .total", "19").await?;
    type_line(browser, "").await?;
    browser
        .wait_for("#result", language.of("Es fehlen 6,00", "€6.00 short"))
        .await?;
    browser
        .wait_for("#result", language.of("Nichts abgebucht", "Nothing was charged"))
        .await?;
    browser.picture(&picture(&format!("purse-too-low-{language}"))).await?;
    type_line(browser, "-").await?;
    type_line(browser, "-").await?;
    browser.wait_for("#cart .total", "6").await?;
    Ok(())
}

/// Without the network, pulled away at the worst moment; then the same wristband again.
async fn torn(browser: &Browser, bar: &Desk, language: Language) -> anyhow::Result<()> {
    bar.cut(true).await;
    browser.wait_for(".pill", "Offline").await?;
    tab_to(browser, "too-early").await?;
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
    type_line(browser, "/5").await?;
    browser.wait_for("#tray [aria-current]", "/5").await?;
    type_line(browser, "").await?;
    browser
        .wait_for(
            "#result",
            language.of("Das ist ein anderes Band", "That is another wristband"),
        )
        .await?;
    type_line(browser, CHIP).await?;
    browser.wait_for("#tray [aria-current]", "/4").await?;
    type_line(browser, "").await?;
    browser
        .wait_for("#result", language.of("Bezahlt 6,50", "Paid €6.50"))
        .await?;
    browser
        .wait_for("#result", language.of("noch 7,00", "left €7.00"))
        .await?;
    Ok(())
}

/// The reader is unplugged in the middle; it is missing, and the payment goes on when it is back.
async fn unplugged(browser: &Browser, language: Language) -> anyhow::Result<()> {
    type_line(browser, "1").await?;
    browser.wait_for("#cart .total", "6").await?;
    tab_to(browser, "too-early plug").await?;
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
    tab_to(browser, "plug in").await?;
    type_line(browser, CHIP).await?;
    type_line(browser, "").await?;
    browser
        .wait_for("#result", language.of("noch 0,50", "left €0.50"))
        .await?;
    assert_eq!(count(browser, "#reader").await?, 0, "the reader is there again");
    Ok(())
}

async fn an_evening(language: Language) -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (top_up, bar) = counters(&festival).await?;
    let look = Look {
        language: language.code(),
        ..Look::default()
    };
    let browser = Browser::start(look).await?;

    money_in(&browser, &top_up, language).await?;
    sales(&browser, &bar, language).await?;
    torn(&browser, &bar, language).await?;
    unplugged(&browser, language).await?;
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
    tokio::time::sleep(TOLD_SO).await;
    type_line(&browser, "").await?;
    let shown = browser
        .wait_for("#result", language.of("Zuletzt bezahlt", "Last paid"))
        .await?;
    assert!(
        shown.contains(language.of("0,50", "€0.50")) && shown.contains('6'),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_still_owes_something_is_told_what_goes_where() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (top_up, bar) = counters(&festival).await?;
    let other = festival.staffed(ENTRY).await?;
    let browser = Browser::start(Look::default()).await?;
    browser.open(&top_up.url()).await?;
    type_line(&browser, "10*").await?;
    browser.wait_for("#cart", "Geld nehmen").await?;
    type_line(&browser, "").await?;
    browser.wait_for("#result", "Aufgeladen 10,00").await?;
    // Two tills without the network sell for the same ten euros.
    for till in [&bar, &other] {
        browser.open(&till.url()).await?;
        browser.wait_for("main", "€").await?;
        type_line(&browser, "").await?;
        browser.wait_for("#result", "Guthaben 10,00").await?;
        till.cut(true).await;
        browser.wait_for(".pill", "Offline").await?;
    }
    for (till, tile) in [(&bar, "1"), (&other, "1")] {
        browser.open(&till.url()).await?;
        browser.wait_for(".pill", "Offline").await?;
        till.press("side sale").await;
        type_line(&browser, tile).await?;
        browser.wait_for("#cart .total", "€").await?;
        type_line(&browser, "").await?;
        browser.wait_for("#result", "Bezahlt").await?;
    }
    for till in [&bar, &other] {
        till.cut(false).await;
        browser.open(&till.url()).await?;
        browser.wait_for(".pill", "Online").await?;
    }
    browser.open(&top_up.url()).await?;
    browser.wait_for("main", "€").await?;
    tokio::time::sleep(TOLD_SO).await;
    browser.click("#tray-leave").await?;
    let card = browser.wait_for("#result", "von früher sind noch offen").await?;
    assert!(card.contains("von 20,00"), "{card}");
    browser.picture(&picture("purse-owed")).await?;
    // The wristband lies there: the amount is all that is still missing.
    type_line(&browser, "20*").await?;
    let booked = browser.wait_for("#result", "Aufgeladen 20,00").await?;
    assert!(booked.contains("ab, die noch offen waren"), "{booked}");
    browser.picture(&picture("purse-settled")).await?;
    browser.stop().await?;
    for desk in [top_up, bar, other] {
        desk.stop().await;
    }
    festival.server.stop().await
}

/// Bookings that a till has made without the network in a long night.
const UNSENT: usize = 212;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_without_the_network_is_seen_on_every_screen_and_everybody_can_use_them() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (top_up, bar) = counters(&festival).await?;
    for line in ["top-up cash 2000", "hold 3"] {
        assert!(top_up.press(line).await);
    }
    bar.cut(true).await;
    for sold in 1..=UNSENT {
        for line in ["add 101", "pay card"] {
            assert!(bar.press(line).await);
        }
        while bar.screen().is_none_or(|screen| unsent(&screen) < sold) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let axe = browser::axe();
    let night = |look: Look| Look { night: true, ..look };
    let english = |look: Look| Look { language: "en", ..look };
    for (name, look) in [
        ("day", Look::default()),
        ("night-en", english(night(Look::default()))),
        ("phone", Look::phone()),
        ("phone-night-en", english(night(Look::phone()))),
    ] {
        let browser = Browser::start(look).await?;
        let look = async |what: &str| -> anyhow::Result<()> {
            // A page may still be on its way in.
            tokio::time::sleep(Duration::from_millis(250)).await;
            browser.picture(&picture(&format!("purse-{what}-{name}"))).await?;
            if let Some(axe) = &axe {
                let found = browser.axe(axe).await?;
                assert!(found.is_empty(), "{name}, {what}: {found:#?}");
            }
            let wide = browser
                .run("return document.documentElement.scrollWidth - innerWidth", vec![])
                .await?;
            assert_eq!(wide, 0, "{name}, {what}: the page scrolls sideways");
            Ok(())
        };
        let waiting = bar.screen().map_or(0, |screen| unsent(&screen)).to_string();
        browser.open(&bar.url()).await?;
        browser.wait_for(".pill", &waiting).await?;
        look("late").await?;
        browser.click(".pill").await?;
        browser.wait_for("#sync", &waiting).await?;
        look("sync").await?;
        browser.click("#sync [command='close']").await?;
        bar.press("add 101").await;
        bar.press("pick 3").await;
        bar.press("too-early").await;
        browser.wait_for("#result, .hold", "").await?;
        look("hold-again").await?;
        // The wristband comes back and pays; the cashier hands the drink out, and takes it back for the next look.
        bar.press("hold 3").await;
        browser.wait_for("#result", "6").await?;
        bar.press("undo").await;
        bar.press("hold 3").await;
        tokio::time::sleep(Duration::from_millis(2_600)).await;

        browser.open(&top_up.url()).await?;
        browser.wait_for("main", "€").await?;
        look("money").await?;
        top_up.press("pick 3").await;
        top_up.press("leave").await;
        browser.wait_for("#result", "20").await?;
        look("balance").await?;
        top_up.press("leave").await;
        browser.wait_for("#tray", "1").await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        top_up.press("top-up cash 1000").await;
        top_up.press("given 5000").await;
        browser.wait_for("#given", "40").await?;
        look("taking").await?;
        top_up.press("clear").await;
        top_up.press("plug out").await;
        browser.wait_for("#reader", "").await?;
        browser
            .run("document.querySelector(\"[commandfor='band']\").click()", vec![])
            .await?;
        browser.wait_for("#band[open]", "20").await?;
        look("band").await?;
        top_up.press("plug in").await;
        browser.stop().await?;
    }
    top_up.stop().await;
    bar.stop().await;
    festival.server.stop().await
}

fn unsent(screen: &Screen) -> usize {
    match screen.pill {
        Pill::Online => 0,
        Pill::Sending { entries } | Pill::Offline { entries, .. } => usize::try_from(entries).unwrap_or(usize::MAX),
    }
}
