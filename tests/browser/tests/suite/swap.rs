//! A top-up desk swaps and blocks wristbands by itself, by keys alone.

use browser::{Browser, Look, axe};
use pages::Language;
use shared_protocol::TillId;

use crate::desk::type_line;
use crate::festival::{Festival, TOP_UP, picture};

/// Picks a wristband by its place and holds it.
async fn hold(browser: &Browser, place: usize) -> anyhow::Result<()> {
    type_line(browser, &format!("/{place}")).await?;
    browser.wait_for("[aria-current]", &format!("{place}")).await?;
    type_line(browser, "").await
}

async fn assert_no_barrier(browser: &Browser, what: &str) -> anyhow::Result<()> {
    if let Some(axe) = axe() {
        let found = browser.axe(&axe).await?;
        assert!(found.is_empty(), "{what}: {found:?}");
    }
    Ok(())
}

async fn swaps(language: Language, look: Look, name: &str) -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let (earlier, top_up) = (
        festival.staffed(TOP_UP).await?,
        festival.staffed(TillId(TOP_UP.0 + 1)).await?,
    );
    let browser = Browser::start(look).await?;
    browser.open(&earlier.url()).await?;
    browser.wait_for(".target", language.of("Bereit", "Ready")).await?;
    type_line(&browser, "20*").await?;
    browser
        .wait_for("#cart", language.of("Geld nehmen", "Take the money"))
        .await?;
    type_line(&browser, "").await?;
    let topped_up = language.of("Aufgeladen 20,00", "Topped up €20.00");
    browser.wait_for("#result", topped_up).await?;
    browser.wait_for(".pill", "Online").await?;
    browser.open(&top_up.url()).await?;
    browser.wait_for(".target", language.of("Bereit", "Ready")).await?;

    // The old wristband is here: hold it, F2, Enter, hold the new one.
    hold(&browser, 1).await?;
    browser.wait_for("#result", language.of("20,00", "€20.00")).await?;
    browser.wait_for("#result", language.of("Guthaben", "Balance")).await?;
    browser.function_key(2).await?;
    browser
        .wait_for("#band[open]", language.of("Altes Band ist da", "old wristband is here"))
        .await?;
    browser.picture(&picture(&format!("swap-dialog-{name}"))).await?;
    assert_no_barrier(&browser, "the dialog").await?;
    browser.enter().await?;
    let hold_new = language.of("Neues Band hinhalten", "Hold the new wristband");
    browser.wait_for("#cart", hold_new).await?;
    browser.picture(&picture(&format!("swap-open-{name}"))).await?;
    // The old one again is no new one.
    type_line(&browser, "").await?;
    browser
        .wait_for(
            "#result",
            language.of("Das ist das alte Band", "This is the old wristband"),
        )
        .await?;
    hold(&browser, 2).await?;
    let done = browser
        .wait_for("#result", language.of("Band getauscht", "Wristband swapped"))
        .await?;
    assert!(done.contains(language.of("20,00", "€20.00")), "{done}");
    browser.picture(&picture(&format!("swap-done-{name}"))).await?;
    assert_no_barrier(&browser, "what was done").await?;
    browser.keys("\u{e00c}").await?;
    browser.wait_for(".target", language.of("Bereit", "Ready")).await?;
    hold(&browser, 2).await?;
    browser.wait_for("#result", language.of("20,00", "€20.00")).await?;
    hold(&browser, 1).await?;
    browser
        .wait_for("#result", language.of("es gibt ein neues", "there is a new one"))
        .await?;

    // One that is lost: F2, its number, and only the block. Then without the network, for a swap.
    let lost = festival.tray[2].tag;
    browser.wait_for(".target", language.of("Bereit", "Ready")).await?;
    browser.function_key(2).await?;
    browser.wait_for("#band[open]", language.of("verloren", "lost")).await?;
    type_into_dialog(&browser, "12 34").await?;
    browser
        .wait_for(".entry", language.of("keine Bandnummer", "no number of a wristband"))
        .await?;
    top_up.cut(true).await;
    browser.wait_for(".pill", "Offline").await?;
    browser.function_key(2).await?;
    browser
        .wait_for("#band[open]", language.of("Ohne Netz", "Without network"))
        .await?;
    browser.picture(&picture(&format!("swap-offline-{name}"))).await?;
    type_into_dialog(&browser, &lost.to_string().to_uppercase()).await?;
    browser.wait_for("#cart", hold_new).await?;
    hold(&browser, 4).await?;
    let offline = language.of("Offline aufgeschrieben", "Written down offline");
    browser.wait_for("#result", offline).await?;
    browser.picture(&picture(&format!("swap-done-offline-{name}"))).await?;
    browser.keys("\u{e00c}").await?;
    hold(&browser, 3).await?;
    browser
        .wait_for("#result", language.of("es gibt ein neues", "there is a new one"))
        .await?;
    top_up.cut(false).await;
    browser.wait_for(".pill", "Online").await?;
    browser.stop().await?;
    earlier.stop().await;
    top_up.stop().await;
    festival.server.stop().await
}

/// Types into the field that has the focus when the dialog opens, and sends it.
async fn type_into_dialog(browser: &Browser, text: &str) -> anyhow::Result<()> {
    let at = browser.run("return document.activeElement.name", vec![]).await?;
    assert_eq!(at, "text", "the number can be typed at once");
    browser.keys(text).await?;
    browser.enter().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_swaps_and_blocks_wristbands_by_keys_alone_with_and_without_the_network() -> anyhow::Result<()> {
    swaps(Language::De, Look::default(), "de").await?;
    let phone = Look {
        language: Language::En.code(),
        night: true,
        ..Look::phone()
    };
    swaps(Language::En, phone, "phone-dark-en").await
}
