//! Keys of batches in sealed files: made once, and given to those who may have some of them.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use core_ffi::purse_keys::{BatchKeys, KeyFile, Role, SealedKeys, Secret};
use fixtures::sample;
use shared_protocol::AssetId;
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use shared_protocol::purse::PurseSettings;
use shared_protocol::stream::Stream;
use store::Reader as _;

use super::prices;
use crate::Exit;
use crate::settings::{Flags, ListenFlags, Settings};

/// Sealed keys and what opens them.
#[derive(Debug, Clone, clap::Args)]
pub struct KeyFlags {
    /// A sealed key file; may be given more than once.
    #[arg(long = "keys", value_name = "FILE")]
    pub keys: Vec<PathBuf>,
    /// The key file that opens them (32 bytes, readable by its owner only). Without it the passphrase is read from standard input.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl KeyFlags {
    /// Opens all of them; they must be for one of these roles.
    pub fn open(&self, wanted: &[Role]) -> anyhow::Result<SealedKeys> {
        let mut all = SealedKeys::default();
        for file in self.files(wanted)? {
            all.add(&file);
        }
        Ok(all)
    }

    fn files(&self, wanted: &[Role]) -> anyhow::Result<Vec<KeyFile>> {
        if self.keys.is_empty() {
            return Ok(Vec::new());
        }
        let secret = secret(self.key_file.as_deref(), "Passphrase of the keys")?;
        let open = |path: &PathBuf| KeyFile::open_as(path, &secret, wanted);
        Ok(self.keys.iter().map(open).collect::<Result<_, _>>()?)
    }
}

/// One line of standard input.
fn line(what: &str) -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("{what} (it will be seen while you type it): ");
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("the passphrase cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn secret(key_file: Option<&Path>, what: &str) -> anyhow::Result<Secret> {
    match key_file {
        Some(path) => Ok(Secret::from_key_file(path)?),
        None => Ok(Secret::passphrase(&line(what)?)),
    }
}

fn new_secret(key_file: Option<&Path>, what: &str) -> anyhow::Result<Secret> {
    let Some(path) = key_file else {
        return Ok(Secret::new_passphrase(&line(what)?)?);
    };
    let (secret, is_new) = Secret::from_key_file_or_new(path)?;
    if is_new {
        println!(
            "{} was made: whoever has it and the sealed file has the keys. Keep them apart.",
            path.display()
        );
    }
    Ok(secret)
}

/// Arguments of `new-batch`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct NewBatch {
    #[command(flatten)]
    flags: Flags,
    /// Check against the sample festival's prices instead of those in the database.
    #[arg(long)]
    sample: bool,
    /// The number of the batch: never one that was used before.
    #[arg(long, value_name = "N")]
    batch: u16,
    /// Where the sealed keys go. They stay with whoever makes wristbands.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Seal with this key file (made if it is not there) instead of a passphrase from standard input.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The event's number inside every token [default: from the event's id].
    #[arg(long, value_name = "N")]
    event_number: Option<u32>,
    /// Cents of one step: desks, server, returns [default: 50, and for the others what all prices are multiples of].
    #[arg(long, value_name = "D,S,R", value_delimiter = ',')]
    units: Vec<u16>,
    /// How many steps a wristband has in its life: desks, server, returns.
    #[arg(long, value_name = "D,S,R", value_delimiter = ',', default_values_t = [8_000, 20_000, 1_000])]
    lengths: Vec<u16>,
    /// A voucher that purses count, and the cents one sets aside, `CODE=CENTS`; at most two.
    #[arg(long = "voucher", value_name = "CODE=CENTS")]
    vouchers: Vec<String>,
}

/// The event's number inside every token.
pub(super) fn event_number(config: &Config) -> u32 {
    let Hash32([b0, b1, b2, b3, ..]) = Hash32::of("groschen purse event 1", &[config.event.id.bytes()]);
    u32::from_be_bytes([b0, b1, b2, b3])
}

fn triple(name: &str, numbers: &[u16]) -> anyhow::Result<[u16; 3]> {
    let three = numbers.try_into().ok();
    three.with_context(|| format!("--{name} takes three numbers: desks, server, returns"))
}

fn config_of(flags: &Flags, is_sample: bool) -> anyhow::Result<Config> {
    if is_sample {
        return Ok(sample::config());
    }
    let settings = Settings::resolve(flags, &ListenFlags::default())?;
    let copy = settings.reader()?.stream(sample::EVENT, Stream::Config, None)?;
    let copy = copy.context("this database has no event yet")?;
    Ok(Config::read(&copy)?)
}

pub(super) fn new_batch(arguments: &NewBatch) -> anyhow::Result<Exit> {
    let config = config_of(&arguments.flags, arguments.sample)?;
    let mut settings = PurseSettings {
        unit_cents: match arguments.units.as_slice() {
            [] => prices::units(&config),
            units => triple("units", units)?,
        },
        length: triple("lengths", &arguments.lengths)?,
        ..PurseSettings::usual(arguments.event_number.unwrap_or_else(|| event_number(&config)))
    };
    let mut vouchers: Vec<AssetId> = Vec::new();
    for (text, place) in arguments.vouchers.iter().zip(0..) {
        let parsed = text.split_once('=').and_then(|(code, cents)| {
            let asset = config.assets.values().find(|asset| asset.code == code)?;
            Some((asset.id, cents.parse().ok()?))
        });
        let (asset, cents) =
            parsed.with_context(|| format!("--voucher {text}: write CODE=CENTS with the code of an asset"))?;
        let Some(weight) = settings.weight_cents.get_mut(place) else {
            bail!(
                "a purse counts {} kinds of vouchers at most",
                settings.weight_cents.len()
            );
        };
        *weight = cents;
        vouchers.push(asset);
    }
    let misfits = prices::misfits(&config, &settings, &vouchers);
    if !misfits.is_empty() {
        for misfit in &misfits {
            eprintln!("{misfit}.");
        }
        eprintln!(
            "No keys were made. Change the prices, or the units with --units; once wristbands are encoded neither can be put right."
        );
        return Ok(Exit::Found);
    }
    anyhow::ensure!(
        !arguments.out.exists(),
        "{} is there already and was not touched; a batch's keys are made once",
        arguments.out.display()
    );
    let secret = new_secret(arguments.key_file.as_deref(), "Passphrase that seals the keys")?;
    let file = KeyFile {
        role: Role::Encoder,
        batches: vec![BatchKeys::generate(arguments.batch, settings, vouchers)?],
    };
    file.seal(&arguments.out, &secret)?;
    let step = prices::step(&config, settings.unit_cents[0]);
    println!(
        "Batch {} of event {}: keys sealed in {}.",
        arguments.batch,
        settings.event,
        arguments.out.display()
    );
    println!(
        "Prices go in steps of {step} cents. Desks credit {} x {} cents, the server {} x {}, returns {} x {}.",
        settings.length[0],
        settings.unit_cents[0],
        settings.length[1],
        settings.unit_cents[1],
        settings.length[2],
        settings.unit_cents[2]
    );
    if config.articles.values().any(|article| article.price.is_none()) {
        println!(
            "Some articles have a free price: an amount between two steps can be paid, but only the server's books can give it back."
        );
    }
    println!(
        "Keep a copy of both files in a safe: without them no wristband of this batch is ever made or opened again."
    );
    Ok(Exit::Done)
}

/// Arguments of `export`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    keys: KeyFlags,
    /// For whom.
    #[arg(long, value_enum)]
    role: RoleName,
    /// Where the sealed file for them goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Seal with this key file (made if it is not there) instead of a passphrase from standard input, which is the second line there.
    #[arg(long, value_name = "FILE")]
    out_key_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RoleName {
    /// A till that only sells.
    SaleTill,
    /// A till that also takes deposits back and cancels.
    ReturnTill,
    /// A desk that adds money.
    Desk,
    /// A desk that adds money, takes deposits back and cancels.
    DeskWithReturns,
    /// The server.
    Server,
    /// Another place where wristbands are made: all keys.
    Encoder,
}

pub(super) fn export(arguments: &Export) -> anyhow::Result<Exit> {
    let role = match arguments.role {
        RoleName::SaleTill => Role::SaleTill,
        RoleName::ReturnTill => Role::ReturnTill,
        RoleName::Desk => Role::Desk,
        RoleName::DeskWithReturns => Role::DeskWithReturns,
        RoleName::Server => Role::Server,
        RoleName::Encoder => Role::Encoder,
    };
    let files = arguments.keys.files(&[Role::Encoder])?;
    anyhow::ensure!(!files.is_empty(), "give the encoder's file with --keys");
    let all = KeyFile {
        role: Role::Encoder,
        batches: files.into_iter().flat_map(|file| file.batches).collect(),
    };
    let secret = new_secret(arguments.out_key_file.as_deref(), "Passphrase for whom it is")?;
    all.for_role(role)?.seal(&arguments.out, &secret)?;
    let batches: Vec<String> = all.batches.iter().map(|batch| batch.batch.to_string()).collect();
    println!(
        "{}: the keys of role {} for batch {}.",
        arguments.out.display(),
        role.name(),
        batches.join(", ")
    );
    Ok(Exit::Done)
}
