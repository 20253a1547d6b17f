//! The console.

use browser::{Browser, Look};
use shared_protocol::OrderId;

use crate::festival::{BAR, Festival, PASSWORD, TOP_UP, USER, picture};

/// Logs in as somebody does who has only a keyboard: the name has the focus, Tab leads to the password, Enter sends.
pub async fn log_in(browser: &Browser, festival: &Festival) -> anyhow::Result<()> {
    browser.open(&format!("http://{}/", festival.server.address)).await?;
    browser.wait_for("main", "").await?;
    browser.click("input[name='name']").await?;
    browser.keys(USER).await?;
    browser.tab().await?;
    browser.keys(PASSWORD).await?;
    browser.enter().await?;
    browser.wait_for("header", USER).await?;
    Ok(())
}

/// Money on a wristband and a sale, so that the pages have something to show. Gives the sale.
async fn sell(festival: &Festival, browser: &Browser) -> anyhow::Result<OrderId> {
    let (top_up, bar) = (festival.staffed(TOP_UP).await?, festival.staffed(BAR).await?);
    browser.open(&top_up.url()).await?;
    browser.click("#top-up-cash-2000").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "20").await?;
    browser.open(&bar.url()).await?;
    browser.click("#tile-1").await?;
    browser.click("#wristband-0").await?;
    browser.wait_for("#result", "6").await?;
    let script = "return document.querySelector('#receipt a').href.split('/').pop()";
    let order = browser.run(script, vec![]).await?;
    let order = order
        .as_str()
        .and_then(OrderId::parse)
        .ok_or_else(|| anyhow::anyhow!("no receipt"))?;
    bar.cut(true).await;
    Ok(order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_appears_on_the_dashboard_by_itself_and_leads_to_its_receipt() -> anyhow::Result<()> {
    let festival = Festival::start().await?;
    let look = Look {
        language: "en",
        ..Look::default()
    };
    let browser = Browser::start(look).await?;
    log_in(&browser, &festival).await?;
    browser.wait_for("main", "€0.00").await?;
    let selling = Browser::start(Look::default()).await?;
    let order = sell(&festival, &selling).await?;
    selling.stop().await?;
    // Nothing is pressed here: the page hears of it.
    browser.wait_for("main", "€20.00").await?;
    browser.wait_for("main", "€13.50").await?;
    browser
        .open(&format!("http://{}/orders/{order}", festival.server.address))
        .await?;
    browser.wait_for("main", "Pils").await?;
    browser.click("main a[href^='/receipt/']").await?;
    browser.wait_for("main", "Heidelicht Kultur").await?;
    browser.stop().await?;
    festival.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_can_use_the_console_by_day_and_by_night() -> anyhow::Result<()> {
    let night = Look {
        night: true,
        language: "en",
        ..Look::default()
    };
    everybody_can_use_the_console([("day", Look::default()), ("night", night)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_can_use_the_console_on_a_phone_and_at_double_size() -> anyhow::Result<()> {
    let phone = Look {
        night: true,
        ..Look::phone()
    };
    let large = Look {
        zoom_percent: 200,
        ..Look::default()
    };
    everybody_can_use_the_console([("phone", phone), ("large", large)]).await
}

/// Every page, as people with these looks see it.
async fn everybody_can_use_the_console(looks: [(&str, Look); 2]) -> anyhow::Result<()> {
    let Some(axe) = browser::axe() else { return Ok(()) };
    let festival = Festival::start().await?;
    let selling = Browser::start(Look::default()).await?;
    let order = sell(&festival, &selling).await?;
    selling.stop().await?;
    let tag = groschen::wristbands::by_id(1).remove(0).tag;
    let terminal = festival.server.reader()?.terminals()?.remove(0).id;
    let newest = store::OrderFilter::default();
    let newest = festival
        .server
        .reader()?
        .orders(fixtures::sample::EVENT, &newest, None, 1)?;
    let day = newest.first().and_then(|row| row.day).unwrap_or_default();
    let pages = [
        ("dashboard", "/".to_owned()),
        ("tv", "/tv".to_owned()),
        ("orders", "/orders".to_owned()),
        ("order", format!("/orders/{order}")),
        ("terminals", "/terminals".to_owned()),
        ("terminal", format!("/terminals/{terminal}")),
        ("registrations", "/registrations".to_owned()),
        ("cases", "/cases?state=".to_owned()),
        ("wristband", format!("/wristbands?tag={tag}")),
        ("tse", "/tse".to_owned()),
        ("tse-one", "/tse/1".to_owned()),
        ("tse-till", format!("/tse/tills/{}", BAR.0)),
        ("exports", "/exports".to_owned()),
        ("verify", "/verify".to_owned()),
        ("tax", "/tax".to_owned()),
        ("reports", "/reports".to_owned()),
        ("closings", "/closings".to_owned()),
        ("report-day", format!("/reports/day/{day}")),
        ("report-till", format!("/reports/till/{}", BAR.0)),
        ("report-settlement", "/reports/settlement/1".to_owned()),
        ("report-vat", "/reports/vat".to_owned()),
        ("report-locations", "/reports/locations".to_owned()),
        ("audit", "/audit".to_owned()),
        ("users", "/users".to_owned()),
        ("account", "/account".to_owned()),
    ];
    let mut found = Vec::new();
    for (name, look) in looks {
        let browser = Browser::start(look).await?;
        browser
            .open(&format!("http://{}/login", festival.server.address))
            .await?;
        found.extend(
            browser
                .axe(&axe)
                .await?
                .into_iter()
                .map(|fault| format!("{name}, login: {fault}")),
        );
        browser.picture(&picture(&format!("console-{name}-login"))).await?;
        log_in(&browser, &festival).await?;
        for (page, path) in &pages {
            browser
                .open(&format!("http://{}{path}", festival.server.address))
                .await?;
            browser.wait_for("main", "").await?;
            browser.picture(&picture(&format!("console-{name}-{page}"))).await?;
            found.extend(
                browser
                    .axe(&axe)
                    .await?
                    .into_iter()
                    .map(|fault| format!("{name}, {page}: {fault}")),
            );
            let wide = browser
                .run("return document.documentElement.scrollWidth - innerWidth", vec![])
                .await?;
            if wide != 0 {
                found.push(format!("{name}, {page}: scrolls sideways by {wide}"));
            }
        }
        browser.stop().await?;
    }
    assert!(found.is_empty(), "{found:#?}");
    festival.server.stop().await
}
