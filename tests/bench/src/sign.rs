//! What a TSE in software does in a second on one core: a start and a finish for each order.

use std::time::{Duration, Instant};

use fiscal::process_data::KASSENBELEG_V1;
use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, TransactionKey};
use fiscal::{SoftwareTse, Tse as _};

use crate::figure::{Shape, tell};

/// Runs the rows.
pub fn run(shape: &Shape) -> anyhow::Result<()> {
    for (curve, name) in [(Curve::BrainpoolP384, "brainpool_p384"), (Curve::P256, "p256")] {
        let mut tse = SoftwareTse::new(&[9; 32], curve, Memory::default())?;
        tse.register("TILL-1", 0)?;
        let mut rates = Vec::new();
        for _ in 0..shape.runs {
            let (begun, mut orders) = (Instant::now(), 0_u64);
            let key = TransactionKey([9; 16]);
            while begun.elapsed() < Duration::from_secs(shape.seconds) {
                let started = tse.start(key, "TILL-1", 1_000 * orders)?;
                let document = Document {
                    process_type: KASSENBELEG_V1,
                    process_data: "Beleg^4.50_7.00_0.00_0.00_-11.50^",
                    receipt: None,
                };
                tse.finish(key, "TILL-1", started.transaction, document, 1_000 * orders)?;
                orders += 1;
            }
            rates.push(orders * 1_000 / u64::try_from(begun.elapsed().as_millis())?.max(1));
        }
        tell(shape, &format!("software_tse_{name}"), "orders/s", rates, &[]);
    }
    Ok(())
}
