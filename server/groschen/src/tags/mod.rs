//! `groschen tags`: makes wristbands, looks at them, and brings them into the books.
//!
//! | file | commands |
//! |---|---|
//! | `keys` | `new-batch`, `export`: keys in sealed files |
//! | `prices` | whether a batch can count what the event charges |
//! | `bench` | `readers`, `encode`, `inspect`, `audit`, `gates`: a reader, and one wristband after another |
//! | `books` | `import`, `switch-batch`, `freeze`, `revoke`: where the server does not run |
//! | `words` | what is said about a wristband, in both languages |

mod bench;
mod books;
mod keys;
mod prices;
mod words;

pub use keys::KeyFlags;

use crate::Exit;

/// Arguments of `tags`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Make the keys of a new batch of wristbands and fix how its purses count.
    NewBatch(keys::NewBatch),
    /// Seal the keys that somebody may have, out of the encoder's file.
    Export(keys::Export),
    /// List the readers that are plugged in.
    Readers(bench::Readers),
    /// Make wristbands: one after another is held to the reader.
    Encode(bench::Encode),
    /// Say in words what a wristband is, what is on it, and what is wrong with it.
    Inspect(bench::Inspect),
    /// Go through the checklist of a finished wristband, one after another.
    Audit(bench::Audit),
    /// Try on a real chip what the purse relies on. The wristband is used up.
    Gates(bench::Gates),
    /// Bring a batch that was encoded into the books: list and pins.
    Import(books::Import),
    /// The server decides from now on what the wristbands of a batch have.
    SwitchBatch(books::Switch),
    /// Credits of the desks count only as far as the server has seen them: a desk's key was stolen.
    Freeze(books::Freeze),
    /// The keys of a batch are known to strangers: no till opens its wristbands any more.
    Revoke(books::Revoke),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::NewBatch(arguments) => keys::new_batch(arguments),
        Command::Export(arguments) => keys::export(arguments),
        Command::Readers(arguments) => bench::readers(arguments),
        Command::Encode(arguments) => bench::encode(arguments),
        Command::Inspect(arguments) => bench::inspect(arguments),
        Command::Audit(arguments) => bench::audit(arguments),
        Command::Gates(arguments) => bench::gates(arguments),
        Command::Import(arguments) => books::import(arguments),
        Command::SwitchBatch(arguments) => books::switch(arguments),
        Command::Freeze(arguments) => books::freeze(arguments),
        Command::Revoke(arguments) => books::revoke(arguments),
    }
}
