//! What connected terminals that do nothing cost.

use std::time::{Duration, Instant};

use anyhow::bail;
use fixtures::paper::PaperTill;

use crate::e2e::Link;
use crate::figure::{Shape, tell};
use crate::journals::tills;
use crate::process::Server;

/// Slots a server is started with at a time: each is an argument.
const PART: usize = 2_000;

/// Runs the rows.
pub fn run(shape: &Shape, terminals: usize) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(rows(shape, terminals))
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
