//! The second place of a desk's journal, as the cashier and the office see it.

use std::path::Path;
use std::time::Duration;

use browser::{Browser, Look};
use core_ffi::MirrorTo;
use pages::Language;

use crate::console::log_in;
use crate::festival::{Festival, TOP_UP, picture};

async fn top_up(browser: &Browser, wristband: u32, words: Language) -> anyhow::Result<()> {
    for line in [format!("/{}", wristband + 1), "20*".to_owned()] {
        browser.keys(&line).await?;
        browser.enter().await?;
    }
    browser
        .wait_for("#cart", words.of("Geld nehmen", "Take the money"))
        .await?;
    browser.enter().await?;
    browser
        .wait_for("#result", words.of("Aufgeladen 20,00", "Topped up €20.00"))
        .await?;
    Ok(())
}

/// Whether axe finds nothing and nothing scrolls sideways.
async fn is_usable(browser: &Browser, name: &str) -> anyhow::Result<()> {
    browser.picture(&picture(name)).await?;
    let wide = browser
        .run("return document.documentElement.scrollWidth - innerWidth", vec![])
        .await?;
    anyhow::ensure!(wide == 0, "{name}: the page scrolls sideways");
    if let Some(axe) = browser::axe() {
        let found = browser.axe(&axe).await?;
        anyhow::ensure!(found.is_empty(), "{name}: {found:#?}");
    }
    Ok(())
}

async fn gone(browser: &Browser, css: &str) -> anyhow::Result<()> {
    for _ in 0..200 {
        if !browser.has(css).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{css} does not go")
}

fn only_file(folder: &Path) -> anyhow::Result<String> {
    let files = core_ffi::mirror::files(folder)?;
    let [file] = files.as_slice() else {
        anyhow::bail!("{files:?}")
    };
    Ok(file.display().to_string())
}

async fn a_pulled_stick(look: Look, name: &str) -> anyhow::Result<()> {
    let words = if look.language == "en" {
        Language::En
    } else {
        Language::De
    };
    let festival = Festival::start().await?;
    let (stick, pulled) = (festival.dir.path().join("stick"), festival.dir.path().join("pulled"));
    std::fs::create_dir_all(&stick)?;
    let mirror = MirrorTo::Folder {
        path: stick.clone(),
        not_beside: None,
    };
    let desk = Festival::staff(TOP_UP, festival.desk_with(TOP_UP, vec![mirror]).await?).await?;
    let browser = Browser::start(look).await?;
    browser.open(&desk.url()).await?;
    top_up(&browser, 0, words).await?;
    gone(&browser, ".copy").await?;

    std::fs::rename(&stick, &pulled)?;
    browser
        .wait_for(".copy", words.of("Zweitkopie fehlt seit", "Second copy missing since"))
        .await?;
    // The stick is not there, and the sale does not mind.
    desk.cut(true).await;
    browser.wait_for(".pill", "Offline").await?;
    top_up(&browser, 1, words).await?;
    top_up(&browser, 2, words).await?;
    browser.wait_for(".copy", words.of("2 Buchungen", "2 bookings")).await?;
    is_usable(&browser, &format!("second-copy-missing-{name}")).await?;
    std::fs::rename(&pulled, &stick)?;
    gone(&browser, ".copy").await?;
    browser.click(".pill").await?;
    browser
        .wait_for("#sync", words.of("hat alles", "has everything"))
        .await?;
    let file = only_file(&stick)?;
    desk.stop().await;

    // The laptop is dead. The office takes the stick.
    log_in(&browser, &festival).await?;
    browser
        .open(&format!("http://{}/import", festival.server.address))
        .await?;
    is_usable(&browser, &format!("import-{name}")).await?;
    browser.choose("[type=file]", &file).await?;
    browser.click("main form button").await?;
    browser.wait_for("main table", "40").await?;
    is_usable(&browser, &format!("import-look-{name}")).await?;
    browser.click("form[action$=book] button").await?;
    browser
        .wait_for("main [role=status]", words.of("Einträge gebucht", "entries booked"))
        .await?;
    is_usable(&browser, &format!("import-booked-{name}")).await?;
    let mut reader = festival.server.reader()?;
    for wristband in groschen::wristbands::by_id(3) {
        let balance = reader.balance(fixtures::sample::EVENT, wristband.tag)?;
        let money: i64 = balance.iter().map(|(_, amount)| amount.0).sum();
        anyhow::ensure!(money == 2_000, "{money} on {}", wristband.tag);
    }
    browser.stop().await?;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulled_stick_is_said_and_caught_up_and_what_is_on_it_is_booked_by_the_office() -> anyhow::Result<()> {
    a_pulled_stick(Look::default(), "de").await?;
    let phone = Look {
        night: true,
        language: "en",
        ..Look::phone()
    };
    a_pulled_stick(phone, "en-phone-night").await
}
