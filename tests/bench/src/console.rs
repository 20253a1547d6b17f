//! The console over a long history: how long each page takes and how large it is, how soon the dashboard knows of a sale, and what it costs the
//! tills that somebody looks.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use fixtures::sample;
use pages::Language;
use pages::format::Clock;
use store::{OrderFilter, Reader as _};
use store_sqlite::SqliteReader;
use sync::writer::now_ms;

use crate::browser::Browser;
use crate::e2e::{FRAMES_OF_16, Seen, TERMINALS, Till, drive};
use crate::festival::{self, PASSWORD, USER};
use crate::figure::{Shape, tell};
use crate::journals::tills;
use crate::process::Server;
use crate::waits::Waits;

/// Requests of each page after the first.
const REQUESTS: usize = 40;
/// Figures of the dashboard are kept for a second; a page after this long reads them anew.
const FIGURES_OLD: Duration = Duration::from_millis(1_100);
/// A sale that a page has not heard of by then never comes.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// Half of the time that a page about half an hour asks for.
const QUARTER_MS: u64 = 15 * 60 * 1_000;

/// Runs the rows.
pub fn run(shape: &Shape, orders: u64, browsers: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let begun = Instant::now();
    festival::database(dir.path(), orders)?;
    let bytes = std::fs::metadata(dir.path().join("groschen.db"))?.len();
    let more = [("database_bytes_per_order", bytes / orders.max(1))];
    let took = u64::try_from(begun.elapsed().as_millis())?;
    tell(
        shape,
        &format!("console_prefill_{orders}_orders"),
        "ms",
        vec![took],
        &more,
    );
    tokio::runtime::Runtime::new()?.block_on(rows(shape, dir.path(), browsers))
}

async fn rows(shape: &Shape, data: &Path, browsers: usize) -> anyhow::Result<()> {
    let mut ids = tills(1 + TERMINALS);
    let paths = paths(data)?;
    let server = Server::start(data, &ids)?;
    let browser = Browser::log_in(server.address, USER, PASSWORD).await?;
    pages(shape, &browser, &paths).await?;
    assets(shape, &browser).await?;
    let others = ids.split_off(1);
    let mut one = Till::connect_all(&server, ids).await?;
    let before = cost_of_nothing(&server, shape).await?;
    heard(shape, &browser, &mut one).await?;
    let after = cost_of_nothing(&server, shape).await?;
    let listening = listen(&browser, browsers).await?;
    let looked_at = cost_of_nothing(&server, shape).await?;
    for task in listening {
        task.abort();
    }
    let more = [("nobody_looks_any_more", after), ("browsers_look", looked_at)];
    tell(shape, "console_idle_cpu_us_per_s", "us/s", vec![before], &more);
    // Only now: the server closes connections of tills that say nothing for long.
    let others = Till::connect_from(&server, 1, others).await?;
    looked_at_while_selling(shape, &server, &browser, others, browsers).await
}

/// Pages, with something that is there at each of their parameters.
fn paths(data: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut reader = SqliteReader::open(data.join("groschen.db"), None)?;
    let (last, _) = reader.head()?;
    let middle = (last / 2).max(1);
    let row = reader.orders(sample::EVENT, &OrderFilter::default(), Some(middle + 1), 1)?;
    let row = row.first().context("an order")?;
    let journal = reader.journal(middle, 1)?.pop().context("an order")?;
    let (_, order) = fiscal::jobs::booked_order(&journal).context("an order")?;
    let tag = row.holder.context("a wristband")?;
    let day = row.day.context("a day")?;
    let day = format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100);
    let clock = Clock::new(&sample::event().time_zone, Language::De);
    let minute = |at_ms| clock.iso(at_ms).get(..16).unwrap_or_default().to_owned();
    let (from, to) = (
        minute(row.closed_at_ms - QUARTER_MS),
        minute(row.closed_at_ms + QUARTER_MS),
    );
    let case = reader.case_list(&store::CaseFilter::default(), None, 1)?;
    let case = case.first().map_or(1, |case| case.stored.id);
    let terminal = reader.terminals()?.first().context("a terminal")?.id;
    let till = row.till;
    Ok(vec![
        ("dashboard", "/".to_owned()),
        ("tv", "/tv".to_owned()),
        ("orders", "/orders".to_owned()),
        ("orders_deep", format!("/orders?before={middle}")),
        ("orders_till", format!("/orders?till={till}")),
        ("orders_till_deep", format!("/orders?till={till}&before={middle}")),
        ("orders_stand", "/orders?stand=1".to_owned()),
        ("orders_sales", "/orders?kind=1".to_owned()),
        ("orders_top_ups", "/orders?kind=4".to_owned()),
        ("orders_cancelled", "/orders?kind=2".to_owned()),
        ("orders_day", format!("/orders?day={day}")),
        ("orders_day_till_sales", format!("/orders?day={day}&till={till}&kind=1")),
        ("orders_half_hour", format!("/orders?from={from}&to={to}")),
        ("orders_signed", "/orders?state=1".to_owned()),
        ("orders_signed_late", "/orders?state=2".to_owned()),
        ("orders_in_outage", "/orders?state=3".to_owned()),
        ("orders_waiting", "/orders?state=4".to_owned()),
        ("orders_day_in_outage", format!("/orders?state=3&day={day}")),
        ("orders_day_signed", format!("/orders?state=1&day={day}")),
        ("orders_wristband", format!("/orders?tag={tag}")),
        ("order", format!("/orders/{middle}")),
        ("order_newest", format!("/orders/{last}")),
        ("receipt", format!("/receipt/{}", order.id)),
        ("terminals", "/terminals".to_owned()),
        ("terminal", format!("/terminals/{terminal}")),
        ("registrations", "/registrations".to_owned()),
        ("cases", "/cases".to_owned()),
        ("cases_all", "/cases?state=all".to_owned()),
        ("cases_mine", format!("/cases?owner={USER}")),
        ("case", format!("/cases/{case}")),
        ("wristband", format!("/wristbands?tag={tag}")),
        ("tse", "/tse".to_owned()),
        ("audit", "/audit".to_owned()),
        ("audit_object", "/audit?object=3".to_owned()),
        ("users", "/users".to_owned()),
        ("search_text", "/search?q=bar".to_owned()),
        ("search_wristband", format!("/search?q={tag}")),
        ("search_number", format!("/search?q={middle}")),
        ("csv_day", format!("/orders.csv?day={day}")),
        ("csv_day_till", format!("/orders.csv?day={day}&till={till}")),
    ])
}

async fn pages(shape: &Shape, browser: &Browser, paths: &[(&'static str, String)]) -> anyhow::Result<()> {
    for (name, path) in paths {
        let begun = Instant::now();
        let (mut took, mut waits) = (Vec::new(), Waits::default());
        let (mut first_us, mut first_byte, mut bytes, mut status) = (0, 0, 0, 0);
        for number in 0..=REQUESTS {
            let since = Instant::now();
            let answer = browser.get(path).await?;
            ensure!(matches!(answer.status, 200 | 303), "{path}: {}", answer.head);
            waits.ended(since);
            let us = u64::try_from(answer.took.as_micros())?;
            took.push(us);
            if number == 0 {
                first_us = us;
            }
            (first_byte, bytes, status) = (answer.began.as_micros(), answer.body.len(), answer.status);
            // Files are long; one or two tell.
            if begun.elapsed() > Duration::from_secs(shape.seconds) {
                break;
            }
        }
        let more = [
            ("p99_us", waits.permille(990)),
            ("first_us", first_us),
            ("first_byte_us", u64::try_from(first_byte)?),
            ("bytes", bytes as u64),
            ("status", u64::from(status)),
        ];
        tell(shape, &format!("console_page_{name}"), "us", took, &more);
    }
    let mut took = Vec::new();
    for _ in 0..2 * shape.seconds {
        tokio::time::sleep(FIGURES_OLD).await;
        took.push(u64::try_from(browser.get("/").await?.took.as_micros())?);
    }
    tell(shape, "console_page_dashboard_read_anew", "us", took, &[]);
    Ok(())
}

/// What a browser gets once.
async fn assets(shape: &Shape, browser: &Browser) -> anyhow::Result<()> {
    let page = browser.get("/").await?;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let mut sizes = Vec::new();
    for name in ["style.css", "script.js"] {
        let end = text.find(name).context("a page with style and script")? + name.len();
        let begin = text
            .get(..end)
            .and_then(|before| before.rfind('"'))
            .context("an address")?
            + 1;
        let address = text.get(begin..end).context("an address")?;
        sizes.push(browser.get(address).await?.body.len() as u64);
    }
    let more = [
        ("style", sizes.first().copied().unwrap_or(0)),
        ("script", sizes.last().copied().unwrap_or(0)),
    ];
    tell(shape, "console_assets", "bytes", vec![sizes.iter().sum()], &more);
    Ok(())
}

/// Processor time of the server that has nothing to do, per second.
async fn cost_of_nothing(server: &Server, shape: &Shape) -> anyhow::Result<u64> {
    // What came before has to come to rest: sums, signatures.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.cpu_us();
    tokio::time::sleep(Duration::from_secs(shape.seconds)).await;
    Ok((server.cpu_us() - before) / shape.seconds.max(1))
}

/// The sales of today that a dashboard shows.
fn sales(html: &str) -> Option<u64> {
    let (before, _) = html.split_once(" Verkäufe,").or_else(|| html.split_once(" Verkauf,"))?;
    let digits = before.rsplit('>').next()?;
    digits.replace('.', "").parse().ok()
}

/// From the acknowledgement of a sale to the message that carries it.
async fn heard(shape: &Shape, browser: &Browser, tills: &mut [Till]) -> anyhow::Result<()> {
    let mut page = browser.listen("/live/dashboard").await?;
    let till = tills.first_mut().context("a till")?;
    let mut took = Waits::default();
    let mut all = Vec::new();
    for number in 0..2 * shape.seconds {
        // Sales come at any moment between two looks.
        tokio::time::sleep(Duration::from_millis(2_000 + number * 137 % 1_000)).await;
        let before = browser.get("/").await?;
        let before = sales(&String::from_utf8_lossy(&before.body)).context("sales on the dashboard")?;
        till.seller.sell(now_ms());
        let mut seen = Seen::default();
        let since = Instant::now();
        till.push(since).await?;
        while seen.acked == 0 {
            till.hear(&mut seen).await?;
        }
        let carried = async {
            loop {
                let message = page.next().await?;
                if sales(&message).is_some_and(|now| now > before) {
                    return Ok::<_, anyhow::Error>(());
                }
            }
        };
        tokio::time::timeout(HEARD_WITHIN, carried)
            .await
            .context("the sale was never shown")??;
        took.ended(since);
        all.push(u64::try_from(since.elapsed().as_millis())?);
    }
    let more = [("p50_us", took.permille(500))];
    tell(shape, "console_live_sale_is_shown_after", "ms", all, &more);
    Ok(())
}

/// Browsers that look at the dashboard.
async fn listen(browser: &Browser, count: usize) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        let mut page = browser.listen("/live/dashboard").await?;
        tasks.push(tokio::spawn(async move { while page.next().await.is_ok() {} }));
    }
    Ok(tasks)
}

/// Acknowledged orders a second while nobody looks, and while many do; one after the other, because the machine is not the same all the time.
async fn looked_at_while_selling(
    shape: &Shape,
    server: &Server,
    browser: &Browser,
    mut tills: Vec<Till>,
    browsers: usize,
) -> anyhow::Result<()> {
    let (mut alone, mut looked_at) = (Vec::new(), Vec::new());
    let (mut alone_us, mut looked_at_us) = (0, 0);
    for _ in 0..shape.runs {
        for count in [0, browsers] {
            let listening = listen(browser, count).await?;
            let (begun, before_us) = (Instant::now(), server.cpu_us());
            let (tally, back) = drive(tills, FRAMES_OF_16, Duration::from_secs(shape.seconds)).await?;
            tills = back;
            let acked = tally.acked.load(Ordering::Relaxed).max(1);
            let rate = acked * 1_000 / u64::try_from(begun.elapsed().as_millis())?.max(1);
            let us = (server.cpu_us() - before_us) / acked;
            let (rates, cost) = if count == 0 {
                (&mut alone, &mut alone_us)
            } else {
                (&mut looked_at, &mut looked_at_us)
            };
            rates.push(rate);
            *cost = us;
            for task in listening {
                task.abort();
            }
        }
    }
    let more = |us| [("server_cpu_us_per_order", us)];
    tell(
        shape,
        "console_acked_orders_s_nobody_looks",
        "orders/s",
        alone,
        &more(alone_us),
    );
    let name = format!("console_acked_orders_s_{browsers}_browsers_look");
    tell(shape, &name, "orders/s", looked_at, &more(looked_at_us));
    Ok(())
}
