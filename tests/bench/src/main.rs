//! Speed and size, measured: `cargo run --release -p bench -- ledger|store|codec|e2e|idle|storm|till|sign|queue|export|chips|console|reports [--json]`.
//!
//! Nothing here judges; a figure belongs to the machine and the load it was measured under, so both stand beside it. The generator runs on the
//! same machine as the server and has its tills on paper, with their queues in memory; the server is a process of its own, this same program
//! started again as `groschen serve`.

mod audit;
mod browser;
mod chips;
mod codec;
mod console;
mod e2e;
mod festival;
mod figure;
mod idle;
mod journals;
mod ledger;
mod link;
mod prefill;
mod process;
mod queue;
mod reports;
mod sign;
mod store;
mod storm;
mod tap;
mod tape;
mod till;
mod waits;

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
#[expect(clippy::large_enum_variant, reason = "one is made, from the command line")]
enum What {
    /// The rules of value alone, without a disk.
    Ledger,
    /// Commits of the `SQLite` store with the rules before them.
    Store {
        /// Orders in the database before the measured ones.
        #[arg(long, default_value_t = 0)]
        prefill: u64,
    },
    /// Encoding, decoding, scanning; bytes of an order.
    Codec,
    /// Acknowledged orders over real websockets.
    E2e {
        /// Orders in the database before the measured ones.
        #[arg(long, default_value_t = 0)]
        prefill: u64,
        /// Only the rows whose names have this in them.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Memory of a server with connected terminals that do nothing, and how soon a server with a long history is ready.
    Idle {
        /// How many terminals.
        #[arg(long, default_value_t = 5_000)]
        terminals: usize,
        /// Orders in the database of the start that is measured.
        #[arg(long, default_value_t = 1_000_000)]
        orders: u64,
    },
    /// Tills that come back with a long queue while others authorise.
    Storm {
        /// Tills with a queue.
        #[arg(long, default_value_t = 24)]
        tills: usize,
        /// Orders in each of their queues.
        #[arg(long, default_value_t = 400)]
        orders: u64,
    },
    /// Orders that a TSE in software signs on one core.
    Sign,
    /// The signing queue without the time of a TSE: orders that wait in the journal come off.
    Queue {
        /// Orders that wait.
        #[arg(long, default_value_t = 50_000)]
        orders: u64,
    },
    /// The export of all closings for tax auditors, from a database.
    Export {
        /// Orders in the database.
        #[arg(long, default_value_t = 1_000_000)]
        orders: u64,
        /// Keep the database in this folder, or take the one that is there.
        #[arg(long)]
        data: Option<std::path::PathBuf>,
    },
    /// A till's decision and its journal, offline.
    Till,
    /// Wristbands with a purse: our own processor for each tap, the modelled air, a whole tap at a till, and the books.
    Chips,
    /// The console's pages over a long history, how soon they hear of a sale, and what it costs that they are looked at.
    Console {
        /// Orders in the database.
        #[arg(long, default_value_t = 1_000_000)]
        orders: u64,
        /// Browsers that look at the dashboard while orders come.
        #[arg(long, default_value_t = 50)]
        browsers: usize,
    },
    /// Loading a day and an event for reports, and making their forms.
    Reports {
        /// Orders of each of three days.
        #[arg(long, default_value_t = 60_000)]
        orders_per_day: u64,
    },
    /// The server of the other commands, in a process of its own.
    #[command(hide = true)]
    Server(groschen::serve::Arguments),
    /// The export, in a process of its own, and the memory that it took.
    #[command(hide = true)]
    Exported(groschen::export::Arguments),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let shape = figure::Shape {
        json: arguments.json,
        seconds: arguments.seconds,
        runs: arguments.runs.max(1),
    };
    match arguments.what {
        What::Ledger => ledger::run(&shape)?,
        What::Store { prefill } => store::run(&shape, prefill)?,
        What::Codec => codec::run(&shape),
        What::E2e { prefill, only } => e2e::run(&shape, prefill, &only)?,
        What::Idle { terminals, orders } => idle::run(&shape, terminals, orders)?,
        What::Storm { tills, orders } => storm::run(&shape, tills, orders)?,
        What::Sign => sign::run(&shape)?,
        What::Queue { orders } => queue::run(&shape, orders)?,
        What::Export { orders, data } => audit::run(&shape, orders, data.as_ref())?,
        What::Till => till::run(&shape)?,
        What::Chips => chips::run(&shape)?,
        What::Console { orders, browsers } => console::run(&shape, orders, browsers)?,
        What::Reports { orders_per_day } => reports::run(&shape, orders_per_day)?,
        What::Server(arguments) => drop(groschen::serve::run(&arguments)?),
        What::Exported(arguments) => {
            groschen::export::run(&arguments)?;
            println!("{}", serde_json::json!({ "peak_kib": process::peak_kib() }));
        }
    }
    Ok(())
}
