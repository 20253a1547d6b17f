//! Speed and size, measured: `cargo run --release -p bench -- codec|store|e2e|idle [--json]`.
//!
//! Nothing here judges; a figure belongs to the machine and the load it was measured under, so both stand beside it. The generator runs on the
//! same machine as the server and has its tills on paper, with their queues in memory; the server is a process of its own.

mod codec;
mod e2e;
mod figure;
mod idle;
mod journals;
mod process;
mod store;

use clap::{Parser, Subcommand};

/// Speed and size of Groschen on this machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// One JSON object a line.
    #[arg(long, global = true)]
    json: bool,
    /// Seconds a row runs.
    #[arg(long, global = true, default_value_t = 10)]
    seconds: u64,
    /// How often each row is repeated.
    #[arg(long, global = true, default_value_t = 3)]
    runs: usize,
}

#[derive(Subcommand)]
enum What {
    /// Encoding, decoding, scanning; bytes of an order.
    Codec,
    /// Commits of the `SQLite` store with the rules before them.
    Store {
        /// Orders in the database before the measured ones.
        #[arg(long, default_value_t = 0)]
        prefill: u64,
    },
    /// Acknowledged orders over real websockets.
    E2e {
        /// Orders in the database before the measured ones.
        #[arg(long, default_value_t = 0)]
        prefill: u64,
    },
    /// Memory of a server with connected terminals that do nothing.
    Idle {
        /// How many.
        #[arg(long, default_value_t = 5_000)]
        terminals: usize,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let shape = figure::Shape {
        json: arguments.json,
        seconds: arguments.seconds,
        runs: arguments.runs.max(1),
    };
    match arguments.what {
        What::Codec => codec::run(&shape),
        What::Store { prefill } => store::run(&shape, prefill)?,
        What::E2e { prefill } => e2e::run(&shape, prefill)?,
        What::Idle { terminals } => idle::run(&shape, terminals)?,
    }
    Ok(())
}
