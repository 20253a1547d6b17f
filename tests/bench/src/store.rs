//! The engine with the `SQLite` store, without sockets: rules, load, commit.

use std::time::{Duration, Instant};

use fixtures::paper::PaperTill;
use store::Store;
use store_sqlite::{Options, SqliteStore};

use crate::figure::{Shape, tell};
use crate::prefill::Books;
use crate::process::cpu_us;

/// Runs the rows.
pub fn run(shape: &Shape, prefill: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let store = SqliteStore::open(dir.path().join("groschen.db"), &Options::default())?;
    let mut books = Books::start(store, PaperTill::signer(200))?;
    books.grow(prefill)?;
    for size in [1, 16, 128, 512] {
        row(
            shape,
            &mut books,
            size,
            &format!("engine_and_store_batch_{size}_after_{prefill}"),
        )?;
    }
    Ok(())
}

/// One row: batches of a size as fast as they go. Projection is part of it, as the writer does it between batches.
pub fn row<S: Store>(shape: &Shape, books: &mut Books<S>, size: usize, name: &str) -> anyhow::Result<()> {
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..shape.runs {
        let (begun, cpu) = (Instant::now(), cpu_us(std::process::id()));
        let (mut orders, mut unprojected) = (0, 0);
        while begun.elapsed() < Duration::from_secs(shape.seconds) {
            let more = books.batch(size)?;
            (orders, unprojected) = (orders + more, unprojected + more);
            if unprojected >= 4_096 {
                while books.engine.project(4_096)? {}
                unprojected = 0;
            }
        }
        rates.push(orders * 1_000 / u64::try_from(begun.elapsed().as_millis())?.max(1));
        costs.push((cpu_us(std::process::id()) - cpu) / orders.max(1));
    }
    let cost = costs.iter().sum::<u64>() / costs.len().max(1) as u64;
    tell(
        shape,
        name,
        "orders/s",
        rates,
        &[("cpu_us_per_order_with_generator", cost)],
    );
    Ok(())
}
