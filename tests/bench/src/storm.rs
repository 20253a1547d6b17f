//! The network is back: tills with long queues send all they have while others, with a guest in front of them, ask whether a wristband can pay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sync::writer::now_ms;

use crate::e2e::{Seen, Till};
use crate::figure::{Shape, tell};
use crate::journals::tills;
use crate::prefill;
use crate::process::Server;

/// Tills that sell with authorisation meanwhile.
const OTHERS: usize = 8;
/// Each of them asks this often.
const ASKS_EVERY: Duration = Duration::from_millis(50);
/// Entries in a frame of a queue.
const FRAME: usize = 16;

/// Runs the row.
pub fn run(shape: &Shape, count: usize, orders: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    prefill::database(dir.path(), 0)?;
    tokio::runtime::Runtime::new()?.block_on(rows(shape, dir.path(), count, orders))
}

async fn rows(shape: &Shape, data: &std::path::Path, count: usize, orders: u64) -> anyhow::Result<()> {
    let ids = tills(count + OTHERS);
    let server = Server::start(data, &ids)?;
    let mut queued = Till::connect_all(&server, ids).await?;
    let mut others = queued.split_off(count);
    let (mut drained_ms, mut all) = (Vec::new(), Seen::default());
    for _ in 0..shape.runs {
        for till in &mut queued {
            (0..orders).for_each(|_| till.seller.sell(now_ms()));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = others
            .drain(..)
            .map(|till| tokio::spawn(ask(till, Arc::clone(&stop))))
            .collect();
        // They are in their stride before the storm begins.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        let draining: Vec<_> = queued.drain(..).map(|till| tokio::spawn(drain(till))).collect();
        for task in draining {
            queued.push(task.await??);
        }
        drained_ms.push(u64::try_from(begun.elapsed().as_millis())?);
        stop.store(true, Ordering::Relaxed);
        for task in asking {
            let (till, seen) = task.await??;
            all.answers.append(seen.answers);
            others.push(till);
        }
    }
    let more = [
        ("authorise_p50_us", all.answers.permille(500)),
        ("authorise_p99_us", all.answers.permille(990)),
        ("authorise_max_us", all.answers.permille(1_000)),
        ("server_peak_kib", server.peak_kib()),
    ];
    tell(
        shape,
        &format!("storm_{count}_tills_{orders}_orders_each"),
        "ms",
        drained_ms,
        &more,
    );
    Ok(())
}

/// Sends a queue as fast as the window opens.
async fn drain(mut till: Till) -> anyhow::Result<Till> {
    let mut seen = Seen::default();
    loop {
        if till.seller.unsent() > 0 && till.room() >= FRAME as u64 {
            till.push_some(FRAME, Instant::now()).await?;
        } else if till.under_way.is_empty() {
            return Ok(till);
        } else {
            till.hear(&mut seen).await?;
        }
    }
}

/// Sells with authorisation at its pace; a late question counts from when it was due.
async fn ask(mut till: Till, stop: Arc<AtomicBool>) -> anyhow::Result<(Till, Seen)> {
    let mut seen = Seen::default();
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep_until(due.into()).await;
        let order = till.seller.next(now_ms());
        let hold = till.authorise(order.question(), &mut seen).await?;
        seen.answers.ended(due);
        till.seller.write(order, Some(hold));
        till.push(Instant::now()).await?;
        due += ASKS_EVERY;
    }
    while !till.under_way.is_empty() {
        till.hear(&mut seen).await?;
    }
    Ok((till, seen))
}
