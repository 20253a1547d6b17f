//! `groschen user`: who may log in to the console. Here because somebody has to be the first; all others come from the page.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use store::Role;
use store_sqlite::{Options, SqliteStore};
use sync::writer::now_ms;

use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};

/// Arguments of `user`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Add somebody. The server must not run meanwhile. The password is made and printed once, or read with --password-stdin.
    Add(Add),
}

#[derive(Debug, Clone, clap::Args)]
struct Add {
    #[command(flatten)]
    flags: Flags,
    /// The login name.
    name: String,
    /// What they may do.
    #[arg(long, value_enum)]
    role: RoleName,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RoleName {
    /// Everything, users too.
    Admin,
    /// Reads everything, exports, works on cases.
    Finance,
    /// Reads, terminals, wristbands, cases.
    Crew,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Command::Add(add) = &arguments.command;
    let settings = Settings::resolve(&add.flags, &ListenFlags::default())?;
    std::fs::create_dir_all(&settings.data)
        .with_context(|| format!("the folder {} cannot be made", settings.data.display()))?;
    let options = Options {
        created_at_ms: now_ms(),
        ..Options::default()
    };
    let mut store = SqliteStore::open(settings.database(), &options)?;
    let role = match add.role {
        RoleName::Admin => Role::Admin,
        RoleName::Finance => Role::Finance,
        RoleName::Crew => Role::Crew,
    };
    let (password, is_ours) = if add.password_stdin {
        if std::io::stdin().is_terminal() {
            eprintln!("The password will be seen while you type it.");
        }
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("the password cannot be read")?;
        (line.trim_end_matches(['\r', '\n']).to_owned(), false)
    } else {
        (
            console::fresh_password().context("this system has no randomness")?,
            true,
        )
    };
    console::create_user(&mut store, &add.name, &password, role, now_ms())?;
    if is_ours {
        println!(
            "{} may log in with this password, which is shown only now: {password}",
            add.name
        );
    } else {
        println!("{} may log in.", add.name);
    }
    Ok(Exit::Done)
}
