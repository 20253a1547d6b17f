//! `groschen desk`: a till as a page on this machine.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use core_ffi::mirror::KeeperKey;
use core_ffi::purse_keys::Role;
use core_ffi::{Endpoint, Keys, MirrorTo, ServerAddress};
use desk::{Desk, Options, Simulation, UsbReader};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use shared_protocol::invitation::Invitation;

use crate::serve::start_log;
use crate::tags::KeyFlags;
use crate::{Exit, wristbands};

/// Arguments of `desk`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The registration code (`GROSCHEN:1:…`), needed once. It names the server, too.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Where the server is, `ws://HOST:PORT/terminal` or `wss://…`; kept from the registration code when not given.
    #[arg(long, env = "GROSCHEN_SERVER", value_name = "URL")]
    server: Option<String>,
    /// The authority of the server's certificate (PEM); needed for `wss://`.
    #[arg(long, env = "GROSCHEN_AUTHORITY", value_name = "FILE")]
    authority: Option<PathBuf>,
    /// The folder with this till's key and its offline queue.
    #[arg(
        long,
        env = "GROSCHEN_DESK_DATA",
        value_name = "DIR",
        default_value = "groschen-desk"
    )]
    data: PathBuf,
    /// Where the page is served; only this machine may be able to reach it.
    #[arg(
        long,
        env = "GROSCHEN_DESK_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8460"
    )]
    listen: SocketAddr,
    /// Where guests find receipts.
    #[arg(long, env = "GROSCHEN_RECEIPTS", value_name = "URL")]
    receipts: Option<String>,
    /// Where the console is, for what a desk cannot do by itself (a lost wristband).
    #[arg(long, env = "GROSCHEN_CONSOLE", value_name = "URL")]
    console: Option<String>,
    /// The USB reader: a part of its name, `first` for any that is plugged in, a connection of libnfc (`pn532_uart:…`), or `none`.
    #[arg(long, env = "GROSCHEN_READER", value_name = "NAME", default_value = UsbReader::USUAL)]
    reader: String,
    /// A sealed file with keys of wristbands, for what this till does (made by `groschen tags`); may be given more than once.
    #[arg(long, env = "GROSCHEN_PURSE_KEYS", value_name = "FILE", value_delimiter = ':')]
    purse_keys: Vec<PathBuf>,
    /// The key file that opens them. Without it the passphrase is read from standard input.
    #[arg(long, env = "GROSCHEN_PURSE_KEY_FILE", value_name = "FILE", requires = "purse_keys")]
    purse_key_file: Option<PathBuf>,
    /// So many virtual wristbands lie beside the till. They are simulated. Without a reader there are six.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=20))]
    wristbands: Option<u32>,
    /// A folder on another disk (a USB stick) that gets a second copy of every booking.
    #[arg(long, env = "GROSCHEN_MIRROR", value_name = "DIR")]
    mirror: Option<PathBuf>,
    /// The folder may be on the same disk as the queue; then it is no second place. For trying out.
    #[arg(long, requires = "mirror")]
    mirror_same_disk: bool,
    /// A neighbour that runs `groschen keep` and gets a second copy of every booking, `http://HOST:PORT` or `https://…`.
    #[arg(long, env = "GROSCHEN_MIRROR_TO", value_name = "URL", requires = "mirror_key")]
    mirror_to: Option<String>,
    /// The file with the key of that keeper.
    #[arg(long, env = "GROSCHEN_MIRROR_KEY", value_name = "FILE")]
    mirror_key: Option<PathBuf>,
    /// The authority of the keeper's certificate (PEM); needed for https.
    #[arg(long, value_name = "FILE")]
    mirror_authority: Option<PathBuf>,
    /// The page has buttons to cut the network and to pull the battery.
    #[arg(long)]
    faults: bool,
}

/// Virtual wristbands of a desk without a reader.
const WRISTBANDS: u32 = 6;

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    start_log(false);
    let invitation = arguments.code.as_deref().map(Invitation::parse).transpose()?;
    std::fs::create_dir_all(&arguments.data)
        .with_context(|| format!("the folder {} cannot be made", arguments.data.display()))?;
    let server = server_address(arguments, invitation.as_ref())?;
    let reader = UsbReader::asked(&arguments.reader)?;
    let count = arguments
        .wristbands
        .unwrap_or(if reader.is_some() { 0 } else { WRISTBANDS });
    let authority = arguments.authority.as_deref().map(authority).transpose()?;
    let options = Options {
        listen: arguments.listen,
        data: arguments.data.clone(),
        server: match &authority {
            Some(authority) => Endpoint::new(&server.url, Some(authority))?,
            None => server.endpoint()?,
        },
        receipts: arguments.receipts.clone(),
        console: arguments.console.clone(),
        reader,
        keys: keys(arguments)?,
        wristbands: wristbands::by_id(count),
        simulation: Simulation {
            faults: arguments.faults,
        },
        framed_by: None,
        mirrors: mirrors(arguments)?,
    };
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    runtime.block_on(async {
        let desk = Desk::start(options).await?;
        if let Some(invitation) = invitation {
            desk.register(terminal::Invitation::of(&invitation, "Groschen desk"))
                .await;
        }
        println!("{}", desk.url());
        if std::io::stdout().is_terminal() {
            eprintln!("Open this address in a browser on this machine; it is the key to this till. Ctrl-C ends it.");
        }
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        desk.stop().await;
        Ok(Exit::Done)
    })
}

/// The keys of wristbands; none where none were given. A file that knows more than a till should is refused.
fn keys(arguments: &Arguments) -> anyhow::Result<Option<Keys>> {
    if arguments.purse_keys.is_empty() {
        return Ok(None);
    }
    let flags = KeyFlags {
        keys: arguments.purse_keys.clone(),
        key_file: arguments.purse_key_file.clone(),
    };
    let tills = [Role::DeskWithReturns, Role::Desk, Role::ReturnTill, Role::SaleTill];
    Ok(Some(Arc::new(flags.open(&tills)?)))
}

/// Where second copies go.
fn mirrors(arguments: &Arguments) -> anyhow::Result<Vec<MirrorTo>> {
    let mut mirrors = Vec::new();
    if let Some(path) = &arguments.mirror {
        mirrors.push(MirrorTo::Folder {
            path: path.clone(),
            not_beside: (!arguments.mirror_same_disk).then(|| arguments.data.clone()),
        });
    }
    if let Some((url, key)) = arguments.mirror_to.as_ref().zip(arguments.mirror_key.as_deref()) {
        mirrors.push(MirrorTo::Keeper {
            url: url.clone(),
            key: KeeperKey::load(key)?,
            authority: arguments.mirror_authority.as_deref().map(authority).transpose()?,
        });
    }
    Ok(mirrors)
}

fn server_address(arguments: &Arguments, invitation: Option<&Invitation>) -> anyhow::Result<ServerAddress> {
    let typed = arguments
        .server
        .clone()
        .map(|url| ServerAddress { url, authority: None });
    let given = typed.or_else(|| {
        invitation.map(|invitation| ServerAddress {
            url: invitation.server.clone(),
            authority: invitation.authority,
        })
    });
    if let Some(given) = given {
        let kept = given.keep(&arguments.data);
        kept.with_context(|| format!("the server's address cannot be kept in {}", arguments.data.display()))?;
        return Ok(given);
    }
    ServerAddress::load(&arguments.data)
        .context("no server is known yet; give the registration code with --code, or the address with --server")
}

fn authority(path: &Path) -> anyhow::Result<CertificateDer<'static>> {
    CertificateDer::from_pem_file(path).with_context(|| format!("{} holds no certificate (PEM)", path.display()))
}
