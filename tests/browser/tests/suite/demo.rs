//! The demo: what somebody sees who has just typed `scripts/demo`.

use browser::{Browser, Look};
use groschen::demo::Demo;
use pages::Language;

use crate::festival::picture;

/// The three steps of the page, done as it says.
async fn first_minute(language: Language) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), 12, 20, 0).await?;
    let look = Look {
        width: 1_600,
        height: 1_000,
        language: language.code(),
        ..Look::default()
    };
    let browser = Browser::start(look).await?;
    browser.open(&demo.url).await?;
    let done = language.of("erledigt", "done");
    browser.within("#till").await?;
    for (tile, wristband) in [("#tile-1", "#wristband-0")] {
        browser.click(tile).await?;
        browser.click(wristband).await?;
        browser
            .wait_for("#result", language.of("Bezahlt 6,50", "Paid €6.50"))
            .await?;
    }
    browser.outside().await?;
    browser.wait_for("#tour li:nth-child(1)", done).await?;
    browser.picture(&picture(&format!("demo-sold-{language}"))).await?;
    browser.click("#tour [value='all cut']").await?;
    browser.within("#till").await?;
    browser.wait_for(".pill", "Offline").await?;
    browser.click("#tile-4").await?;
    browser.click("#wristband-1").await?;
    browser
        .wait_for("#result", language.of("Bezahlt 5,80", "Paid €5.80"))
        .await?;
    browser.outside().await?;
    browser.picture(&picture(&format!("demo-offline-{language}"))).await?;
    browser.click("#tour [value='all mend']").await?;
    browser.wait_for("#tour li:nth-child(2)", done).await?;
    // The console beside it is open without a password and shows what was sold.
    browser.within("#console").await?;
    browser.wait_for("main", "€").await?;
    browser.outside().await?;
    browser.click("#tour a[href='/receipt']").await?;
    browser.wait_for("#tour li:nth-child(3)", done).await?;
    browser.picture(&picture(&format!("demo-done-{language}"))).await?;
    let console = browser
        .run("return document.getElementById('console').src", vec![])
        .await?;
    browser.open(console.as_str().unwrap_or_default()).await?;
    browser.wait_for("main", "€").await?;
    browser.picture(&picture(&format!("demo-console-{language}"))).await?;
    browser.open(&demo.url).await?;
    if let Some(axe) = browser::axe() {
        let found = browser.axe(&axe).await?;
        assert!(found.is_empty(), "{found:#?}");
    }
    browser.stop().await?;
    demo.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_minute_of_the_demo_is_what_its_page_says() -> anyhow::Result<()> {
    first_minute(Language::De).await?;
    first_minute(Language::En).await
}
