//! What connected terminals that do nothing cost, and how soon a server is ready.

use std::time::{Duration, Instant};

use anyhow::bail;
use fixtures::paper::PaperTill;

use crate::figure::{Shape, tell};
use crate::journals::tills;
use crate::link::Link;
use crate::prefill;
use crate::process::Server;

/// Slots a server is started with at a time: each is an argument.
const PART: usize = 2_000;

/// Runs the rows.
pub fn run(shape: &Shape, terminals: usize, orders: u64) -> anyhow::Result<()> {
    ready(shape, orders)?;
    tokio::runtime::Runtime::new()?.block_on(rows(shape, terminals))
}

/// From the start of the process to its first line, over a database with a history. The second start is measured too: the first one may have a
/// log to read back.
fn ready(shape: &Shape, orders: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    prefill::database(dir.path(), orders)?;
    let bytes = std::fs::metadata(dir.path().join("groschen.db"))?.len();
    let mut starts = Vec::new();
    for _ in 0..shape.runs {
        let server = Server::start(dir.path(), &[])?;
        starts.push(u64::try_from(server.ready_after.as_millis())?);
    }
    let more = [("database_bytes_per_order", bytes / orders.max(1))];
    tell(shape, &format!("ready_after_{orders}_orders"), "ms", starts, &more);
    Ok(())
}

async fn rows(shape: &Shape, terminals: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut known = Vec::new();
    while known.len() < terminals {
        let tills = tills(PART.min(terminals - known.len()));
        let server = Server::start(dir.path(), &tills)?;
        for (till, code) in tills.into_iter().zip(&server.codes) {
            let seed = u8::try_from(known.len() % 250)? + 1;
            let mut paper = PaperTill::new(till, seed);
            let (_, certificate) = Link::enter(server.address, &mut paper, code).await?;
            known.push((paper, certificate));
        }
    }
    let server = Server::start(dir.path(), &[])?;
    let before = server.resident_kib();
    let begun = Instant::now();
    let mut links = Vec::new();
    for (till, certificate) in &known {
        links.push(Link::hello(server.address, till, certificate).await?);
    }
    let connected_ms = u64::try_from(begun.elapsed().as_millis())?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    if links.len() != terminals {
        bail!("{} of {terminals} are connected", links.len());
    }
    let more = [
        ("connect_all_ms", connected_ms),
        ("before_kib", before),
        ("ready_ms", u64::try_from(server.ready_after.as_millis())?),
    ];
    tell(
        shape,
        &format!("idle_{terminals}_terminals"),
        "KiB",
        vec![server.resident_kib()],
        &more,
    );
    Ok(())
}
