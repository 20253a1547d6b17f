//! `groschen serve`: the server until it is told to stop.

use std::io::IsTerminal as _;

use anyhow::Context;
use engine::{Known, Reply, Request};
use shared_protocol::ids::mint;
use shared_protocol::invitation::Invitation;
use shared_protocol::{SlotId, TerminalId, TillId};
use sync::server::random;
use sync::writer::now_ms;
use tokio::io::{AsyncBufReadExt, BufReader};
use tracing_subscriber::EnvFilter;

use crate::Exit;
use crate::instance::Instance;
use crate::settings::{Flags, ListenFlags, Settings};

/// Arguments of `serve`.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    listen: ListenFlags,
    /// Put the sample festival into an empty database.
    #[arg(long)]
    sample: bool,
    /// Open a registration slot for this till and print its code; may be given more than once.
    #[arg(long, value_name = "TILL")]
    register: Vec<u32>,
    /// Registrations need no person to confirm their code. For tests only: whoever has the code first becomes the terminal.
    #[arg(long)]
    no_confirm: bool,
    /// Put the batch of simulated wristbands in force, whose keys are no secret: for tests, where no money is.
    #[arg(long, requires = "sample", hide = true)]
    simulated_wristbands: bool,
    /// Write one JSON object a line instead of sentences.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &arguments.listen)?;
    start_log(arguments.json);
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    runtime.block_on(serve(arguments, &settings))
}

/// These libraries write whole frames and requests into their traces: wristbands, amounts, a registration's secret, the password of a TSE. No setting
/// brings that into a log.
const SPEAKS_OF_FRAMES: [&str; 4] = ["tungstenite", "tokio_tungstenite", "hyper", "reqwest"];

/// What is asked for, less what may not be said. A directive for a part of a library would win over one for all of it, so these go as well.
fn discreet(asked: &str) -> EnvFilter {
    let may_be_said = |directive: &&str| {
        !SPEAKS_OF_FRAMES
            .iter()
            .any(|library| directive.trim().starts_with(library))
    };
    let silenced = SPEAKS_OF_FRAMES.map(|library| format!("{library}=off"));
    let with = |asked: &str| {
        let kept = asked.split(',').filter(may_be_said).map(str::to_owned);
        kept.chain(silenced.clone()).collect::<Vec<_>>().join(",")
    };
    EnvFilter::try_new(with(asked)).unwrap_or_else(|_| with("info").into())
}

/// Log lines go to standard error: a sentence with fields, or JSON.
pub fn start_log(json: bool) {
    let asked = std::env::var("GROSCHEN_LOG").unwrap_or_else(|_| "info".to_owned());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(discreet(&asked))
        .with_writer(std::io::stderr);
    // A second subscriber in one process is a test's; the first one stays.
    let _set = if json {
        builder.json().try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}

fn say(json: bool, value: &serde_json::Value, sentence: &str) {
    if json {
        println!("{value}");
    } else {
        println!("{sentence}");
    }
}

async fn serve(arguments: &Arguments, settings: &Settings) -> anyhow::Result<Exit> {
    let instance = Instance::start_with(settings, arguments.sample, arguments.simulated_wristbands).await?;
    let scheme = if settings.tls.is_some() { "wss" } else { "ws" };
    let url = format!("{scheme}://{}{}", instance.address, sync::server::PATH);
    tracing::info!(%url, "the server has started");
    say(
        arguments.json,
        &serde_json::json!({ "listening": url }),
        &format!("Terminals connect to {url}"),
    );
    for till in &arguments.register {
        let slot = instance.open_slot(TillId(*till), !arguments.no_confirm).await?;
        let secret: String = shared_protocol::ids::hex(&slot.secret);
        let code = Invitation {
            slot: slot.id,
            secret: slot.secret,
            server: settings.terminals_at().unwrap_or_else(|| url.clone()),
            config_key: Some(terminal::config_key_digest(&instance.config_key)),
            authority: instance.authority,
        };
        let code = code.text();
        let value = serde_json::json!({ "till": till, "slot": slot.id.to_string(), "secret": secret, "code": code });
        say(
            arguments.json,
            &value,
            &format!(
                "Till {till}: slot {} secret {secret} (once, within 24 hours)\n  groschen desk --code {code}",
                slot.id
            ),
        );
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut reading = true;
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut watch = tokio::time::interval(std::time::Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            _ = terminated.recv() => break,
            _ = watch.tick() => if instance.has_ended() { break },
            line = lines.next_line(), if reading => match line {
                Ok(Some(line)) => confirm(&instance, &line).await?,
                Ok(None) | Err(_) => reading = false,
            },
        }
    }
    instance.stop().await?;
    tracing::info!("the server has ended in order");
    Ok(Exit::Done)
}

/// A line "SLOT CODE" on standard input confirms a registration.
async fn confirm(instance: &Instance, line: &str) -> anyhow::Result<()> {
    let Some((slot, code)) = line
        .split_once(' ')
        .and_then(|(slot, code)| Some((SlotId::parse(slot)?, code.trim())))
    else {
        println!("To confirm a registration type its slot and the six digits that both screens show.");
        return Ok(());
    };
    let terminal = TerminalId(mint(now_ms(), random()));
    let reply = instance
        .ask(Request::Confirm {
            slot,
            code: code.to_owned(),
            terminal,
        })
        .await?;
    if let Reply::Register(known) = reply {
        match &known {
            Known::Registered { terminal, .. } => {
                println!("Registered as terminal {} of till {}.", terminal.id, terminal.till);
            }
            Known::Denied(denied) => println!("Not registered: {denied}."),
            Known::Pending { .. } => println!("Not registered: the code is not the one on the device."),
        }
        if matches!(known, Known::Registered { .. }) {
            instance.hub.confirmed(slot, known);
        }
    }
    Ok(())
}
