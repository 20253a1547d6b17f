//! A reader, and one wristband after another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chips::field::Field;
use chips::originality::NXP_ULTRALIGHT_AES;
use chips::simulated::simulated_maker;
use core_ffi::purse_keys::{Role, SealedKeys};
use core_ffi::readers::{self as hardware, Backing, Happening, HardwareReader, Over, Unusable};
use core_ffi::tags::audit::AuditFault;
use core_ffi::tags::gates::GatesFault;
use core_ffi::tags::station::{Station, StationFault};
use core_ffi::tags::{self, Drawer, Failing, ReadList, SimulatedFault, Verdict};
use pages::Language;
use shared_protocol::purse::BatchList;

use super::keys::KeyFlags;
use super::words;
use crate::Exit;

/// All who can open a wristband.
const OPENERS: [Role; 5] = [
    Role::Encoder,
    Role::SaleTill,
    Role::ReturnTill,
    Role::Desk,
    Role::DeskWithReturns,
];

/// Arguments of `readers`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Readers {
    /// Write one JSON object a reader.
    #[arg(long)]
    json: bool,
}

pub(super) fn readers(arguments: &Readers) -> anyhow::Result<Exit> {
    if !cfg!(any(feature = "pcsc", feature = "libnfc")) {
        eprintln!("This program was built without readers; build it with `--features pcsc` (or libnfc).");
        return Ok(Exit::Found);
    }
    let all = hardware::list().context("is pcscd installed and running?")?;
    for reader in &all {
        let how = match reader.over {
            Over::Pcsc(None) => "no antenna".to_owned(),
            Over::Pcsc(Some(framing)) => match framing.backing() {
                Backing::Used => format!("{framing:?}"),
                Backing::Documented => format!("{framing:?}, not yet seen on this reader: try it before the event"),
            },
            Over::Libnfc => "libnfc".to_owned(),
            Over::Nothing => "simulated".to_owned(),
        };
        if arguments.json {
            println!(
                "{}",
                serde_json::json!({ "name": reader.name, "framing": how, "holds": reader.holds })
            );
        } else {
            println!(
                "{} ({how}){}",
                reader.name,
                if reader.holds { ", something lies on it" } else { "" }
            );
        }
    }
    if all.is_empty() && !arguments.json {
        println!("No reader is plugged in.");
    }
    Ok(if all.is_empty() { Exit::Found } else { Exit::Done })
}

/// Where wristbands come from.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Source {
    /// A reader by a part of its name; without it any reader will do.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// Virtual wristbands in this folder instead of a reader. They are simulated.
    #[arg(long, value_name = "DIR")]
    drawer: Option<PathBuf>,
    /// Stop after so many wristbands.
    #[arg(long, value_name = "N")]
    count: Option<u32>,
    /// Words in this language.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
    /// Write one JSON object a wristband instead of sentences.
    #[arg(long)]
    json: bool,
}

#[cfg(feature = "pcsc")]
fn reader(only: Option<&str>) -> anyhow::Result<Box<dyn HardwareReader>> {
    Ok(Box::new(hardware::pcsc::PcscReader::new(only)))
}

#[cfg(not(feature = "pcsc"))]
fn reader(_only: Option<&str>) -> anyhow::Result<Box<dyn HardwareReader>> {
    bail!(
        "this program was built without readers; build it with `--features pcsc`, or try it out with --drawer or --simulated"
    )
}

/// Whether to go on with the next wristband.
enum Next {
    On,
    Counted,
}

impl Source {
    fn open(&self) -> anyhow::Result<Box<dyn HardwareReader>> {
        match &self.drawer {
            Some(folder) => {
                let drawer = Drawer::open(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
                Ok(Box::new(drawer))
            }
            None => reader(self.reader.as_deref()),
        }
    }

    fn simulated(&self) -> bool {
        self.drawer.is_some()
    }

    fn announce(&self, simulated: bool) {
        let words = self.language;
        if simulated {
            eprintln!(
                "{}",
                words.of(
                    "SIMULIERT: virtuelle Bänder, keines ist etwas wert.",
                    "SIMULATED: virtual wristbands, none of them is worth anything."
                )
            );
        } else {
            eprintln!(
                "{}",
                words.of("Band hinhalten; Ende mit Strg-C.", "Hold a wristband; end with Ctrl-C.")
            );
        }
    }

    /// One wristband after another. A drawer ends by itself, a reader when it was asked for so many or with Ctrl-C: everything is durable by then.
    fn each(
        &self,
        mut reader: Box<dyn HardwareReader>,
        simulated: bool,
        mut on: impl FnMut(&mut dyn Field, &chips::Selected) -> anyhow::Result<Next>,
    ) -> anyhow::Result<()> {
        let words = self.language;
        let mut counted = 0;
        loop {
            match reader.wait() {
                Happening::Plugged(info) => eprintln!("{}: {}", words.of("Leser", "Reader"), info.name),
                Happening::Unplugged { .. } if simulated => return Ok(()),
                Happening::Unplugged { name } => eprintln!(
                    "{name}: {}",
                    words.of("weg; wieder einstecken", "gone; plug it in again")
                ),
                Happening::Chip(selected) => {
                    if let Next::Counted = on(reader.field(), &selected)? {
                        counted += 1;
                    }
                    if self.count.is_some_and(|count| counted >= count) {
                        // A drawer puts back what was taken out.
                        if simulated {
                            let _left = reader.wait();
                        }
                        return Ok(());
                    }
                }
                Happening::Unusable(why) => eprintln!("{}", unusable(&why, words)),
                Happening::Left | Happening::Woken => {}
            }
        }
    }

    fn again(&self) {
        eprintln!(
            "{}",
            self.language.of(
                "NOCHMAL: dasselbe Band noch einmal hinhalten",
                "AGAIN: hold the same wristband again"
            )
        );
    }
}

const fn unusable(why: &Unusable, words: Language) -> &'static str {
    match why {
        Unusable::OtherCard => words.of("Das ist kein Band.", "That is no wristband."),
        Unusable::Mute => words.of(
            "Keine Antwort: näher heran, sonst beschädigt.",
            "No answer: closer, or it is damaged.",
        ),
        Unusable::Busy => words.of("Ein anderes Programm hat den Leser.", "Another program has the reader."),
        Unusable::Refused(_) => words.of(
            "Dieser Leser kann mit dem Chip nicht sprechen.",
            "This reader cannot speak with the chip.",
        ),
    }
}

fn makers(simulated: bool, allow_unoriginal: bool, words: Language) -> Vec<[u8; 49]> {
    match (allow_unoriginal, simulated) {
        (true, _) => {
            eprintln!(
                "{}",
                words.of(
                    "ACHTUNG: Die Unterschrift des Herstellers wird NICHT geprüft. Fälschungen mit schwachem Schlüsselspeicher fallen nicht auf; mit solchen Bändern kann Geld kopiert werden.",
                    "WARNING: the maker's signature is NOT checked. Counterfeits with a weak key store are not noticed; with such wristbands money can be copied."
                )
            );
            Vec::new()
        }
        (false, true) => vec![simulated_maker()],
        (false, false) => NXP_ULTRALIGHT_AES.to_vec(),
    }
}

/// Arguments of `encode`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Encode {
    #[command(flatten)]
    keys: KeyFlags,
    #[command(flatten)]
    source: Source,
    /// Which batch, where the keys are those of several.
    #[arg(long, value_name = "N")]
    batch: Option<u16>,
    /// The folder of the batch: what was begun, what is good, the list for the server. It holds pins; keep it private.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// So many virtual wristbands, fresh from a virtual factory; with --drawer they are kept there.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=20_000))]
    simulated: Option<u16>,
    /// A class that every wristband of this run gets, such as a kind of ticket.
    #[arg(long, value_name = "N", default_value_t = 0)]
    class: u8,
    /// What stands before the printed number, three letters or digits at most.
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// Take chips whose maker's signature does not hold. Only for samples.
    #[arg(long)]
    allow_unoriginal: bool,
    /// For simulations: what is wrong with which, `3=torn:20,5=counterfeit,9=stubborn:2A,4=used`.
    #[arg(
        long,
        value_name = "FAULTS",
        value_delimiter = ',',
        requires = "simulated",
        hide = true
    )]
    simulate_faults: Vec<String>,
}

fn faults(texts: &[String]) -> anyhow::Result<BTreeMap<u16, SimulatedFault>> {
    let read = |text: &String| {
        let (number, fault) = text.split_once('=')?;
        let fault = match fault.split_once(':').unwrap_or((fault, "")) {
            ("torn", exchange) => SimulatedFault::Torn(exchange.parse().ok()?),
            ("counterfeit", _) => SimulatedFault::Counterfeit,
            ("used", _) => SimulatedFault::Used,
            ("stubborn", page) => SimulatedFault::Stubborn(u8::from_str_radix(page, 16).ok()?),
            _ => return None,
        };
        Some((number.parse().ok()?, fault))
    };
    let each = texts
        .iter()
        .map(|text| read(text).with_context(|| format!("{text} is no fault")));
    each.collect()
}

pub(super) fn encode(arguments: &Encode) -> anyhow::Result<Exit> {
    let words = arguments.source.language;
    anyhow::ensure!(
        arguments.prefix.len() <= 3 && arguments.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "--prefix takes three letters or digits at most"
    );
    let keys = arguments.keys.open(&[Role::Encoder])?;
    let batch = one_batch(&keys, arguments.batch)?;
    let facts = keys
        .facts(batch)
        .with_context(|| format!("the keys of batch {batch} are not in these files"))?;
    let simulated = arguments.simulated.is_some() || arguments.source.simulated();
    let reader: Box<dyn HardwareReader> = match arguments.simulated {
        Some(count) => {
            let faults = faults(&arguments.simulate_faults)?;
            Box::new(Drawer::new(count, batch, &faults, arguments.source.drawer.as_deref()))
        }
        None => arguments.source.open()?,
    };
    let makers = makers(simulated, arguments.allow_unoriginal, words);
    let mut station = Station::open(
        &keys,
        (batch, facts),
        arguments.class,
        makers,
        &arguments.out,
        &arguments.prefix,
    )?;
    arguments.source.announce(simulated);
    let before = station.work().made().count();
    let mut rejected = BTreeSet::new();
    arguments.source.each(reader, simulated, |field, selected| {
        let verdict = match station.hold(field, selected) {
            Ok(verdict) => verdict,
            // What was begun goes on when it is held again.
            Err(StationFault::Reader(why)) => {
                eprintln!("{why}");
                arguments.source.again();
                return Ok(Next::On);
            }
            Err(fault) => return Err(fault.into()),
        };
        if let Verdict::Rejected { uid, .. } = &verdict {
            rejected.insert(*uid);
        }
        say(&verdict, arguments.source.json, words);
        Ok(match verdict {
            Verdict::Good { .. } => Next::Counted,
            _ => Next::On,
        })
    })?;
    let made = station.work().made().count();
    let list = station.work().list_path();
    if arguments.source.json {
        println!(
            "{}",
            serde_json::json!({ "good": made - before, "rejected": rejected.len(), "in_batch": made, "list": list, "simulated": simulated })
        );
    } else {
        println!(
            "{} {}, {} {}, {} {made}. {} {}",
            made - before,
            words.of("gut", "good"),
            rejected.len(),
            words.of("Ausschuss", "rejected"),
            words.of("in der Charge jetzt", "in the batch now"),
            words.of("Für den Server:", "For the server:"),
            list.display()
        );
    }
    Ok(Exit::Done)
}

fn one_batch(keys: &SealedKeys, wanted: Option<u16>) -> anyhow::Result<u16> {
    let all: Vec<u16> = keys.batches().map(|(batch, _)| batch).collect();
    match (wanted, all.as_slice()) {
        (Some(batch), _) => Ok(batch),
        (None, [only]) => Ok(*only),
        (None, []) => bail!("give the encoder's keys with --keys"),
        (None, _) => bail!("these are the keys of several batches; say which with --batch"),
    }
}

fn say(verdict: &Verdict, json: bool, words: Language) {
    let text = words::verdict(verdict, words);
    if json {
        let (kind, uid, index) = match verdict {
            Verdict::Good { made, .. } => ("good", Some(made.uid), Some(made.index)),
            Verdict::Already(made) => ("already", Some(made.uid), Some(made.index)),
            Verdict::Again { uid, .. } => ("again", Some(*uid), None),
            Verdict::Rejected { uid, .. } => ("rejected", Some(*uid), None),
            Verdict::Refused(_) => ("refused", None, None),
        };
        let uid = uid.map(|uid| uid.to_string());
        println!(
            "{}",
            serde_json::json!({ "is": kind, "uid": uid, "index": index, "says": text })
        );
    } else {
        println!("{text}");
    }
}

/// Arguments of `inspect`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Inspect {
    #[command(flatten)]
    keys: KeyFlags,
    #[command(flatten)]
    source: Source,
    /// The list of its batch, from the encoder's folder; the encoder's own keys need none.
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
    /// Do not ask for the maker's signature.
    #[arg(long)]
    allow_unoriginal: bool,
}

fn lists(paths: &[PathBuf], keys: &SealedKeys) -> anyhow::Result<BTreeMap<u16, BatchList>> {
    let open = |path: &PathBuf| {
        let read = ReadList::open(Path::new(path), keys)?;
        Ok((read.list.batch, read.list))
    };
    paths.iter().map(open).collect()
}

pub(super) fn inspect(arguments: &Inspect) -> anyhow::Result<Exit> {
    let (source, words) = (&arguments.source, arguments.source.language);
    let keys = arguments.keys.open(&OPENERS)?;
    let lists = lists(&arguments.list, &keys)?;
    let makers = makers(source.simulated(), arguments.allow_unoriginal, words);
    source.announce(source.simulated());
    let mut wrong = 0;
    source.each(source.open()?, source.simulated(), |field, selected| {
        let found = match tags::inspect(field, selected, &keys, &lists, &makers) {
            Ok(found) => found,
            Err(AuditFault::Link(_)) => {
                source.again();
                return Ok(Next::On);
            }
            Err(fault) => return Err(fault.into()),
        };
        let lines = words::inspection(&found, words);
        let is_wrong = lines.iter().any(|line| line.starts_with('!')) || found.chip.is_err();
        wrong += u32::from(is_wrong);
        if source.json {
            let uid = found.selected.uid.to_string();
            println!(
                "{}",
                serde_json::json!({ "uid": uid, "in_order": !is_wrong, "says": lines })
            );
        } else {
            println!("{}\n", lines.join("\n"));
        }
        Ok(Next::Counted)
    })?;
    Ok(if wrong > 0 { Exit::Found } else { Exit::Done })
}

/// Arguments of `audit`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Audit {
    #[command(flatten)]
    keys: KeyFlags,
    #[command(flatten)]
    source: Source,
    /// Do not ask for the maker's signature.
    #[arg(long)]
    allow_unoriginal: bool,
}

pub(super) fn audit(arguments: &Audit) -> anyhow::Result<Exit> {
    let (source, words) = (&arguments.source, arguments.source.language);
    let keys = arguments.keys.open(&OPENERS)?;
    let makers = makers(source.simulated(), arguments.allow_unoriginal, words);
    source.announce(source.simulated());
    let mut seen: BTreeMap<String, Vec<Failing>> = BTreeMap::new();
    source.each(source.open()?, source.simulated(), |field, selected| {
        let failing = match tags::audit(field, selected, &keys, &makers) {
            Ok(failing) => failing,
            Err(AuditFault::Link(_)) => {
                source.again();
                return Ok(Next::On);
            }
            Err(fault) => return Err(fault.into()),
        };
        let uid = selected.uid.to_string();
        let says: Vec<&str> = failing.iter().map(|one| words::failing(*one, words)).collect();
        if source.json {
            println!(
                "{}",
                serde_json::json!({ "uid": uid, "passes": failing.is_empty(), "fails": says })
            );
        } else if failing.is_empty() {
            println!("{} {uid}", words.of("IN ORDNUNG", "PASSES"));
        } else {
            println!("{} {uid}: {}", words.of("FÄLLT DURCH", "FAILS"), says.join("; "));
        }
        seen.insert(uid, failing);
        Ok(Next::Counted)
    })?;
    let failed = seen.values().filter(|failing| !failing.is_empty()).count();
    if !source.json {
        println!(
            "{} {}, {failed} {}",
            seen.len(),
            words.of("geprüft", "looked at"),
            words.of("fallen durch", "fail")
        );
    }
    Ok(if failed > 0 { Exit::Found } else { Exit::Done })
}

/// Arguments of `gates`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Gates {
    #[command(flatten)]
    keys: KeyFlags,
    #[command(flatten)]
    source: Source,
    /// This wristband is used up by it: its counter moves by 7 cents. It must not be handed out.
    #[arg(long, required = true)]
    use_up: bool,
}

pub(super) fn gates(arguments: &Gates) -> anyhow::Result<Exit> {
    let (source, words) = (&arguments.source, arguments.source.language);
    let keys = arguments.keys.open(&OPENERS)?;
    source.announce(source.simulated());
    let source = Source {
        count: source.count.or(Some(1)),
        ..source.clone()
    };
    let mut failed = 0;
    source.each(source.open()?, source.simulated(), |field, selected| {
        let gates = match tags::gates(field, selected, &keys) {
            Ok(gates) => gates,
            Err(GatesFault::Link(why)) => {
                eprintln!("{why}");
                source.again();
                return Ok(Next::On);
            }
            Err(fault) => return Err(fault.into()),
        };
        for gate in &gates {
            failed += u32::from(!gate.passed);
            let took_us = gate.took.map(|took| took.as_micros());
            if source.json {
                println!(
                    "{}",
                    serde_json::json!({ "gate": format!("{:?}", gate.trial), "passed": gate.passed, "figures": gate.figures, "took_us": took_us.map(|us| us.to_string()) })
                );
            } else {
                let passed = if gate.passed {
                    words.of("ja  ", "pass")
                } else {
                    words.of("NEIN", "FAIL")
                };
                let took = took_us.map_or(String::new(), |us| format!(", {us} µs"));
                println!("{passed} {}: {}{took}", words::trial(gate.trial, words), gate.figures);
            }
        }
        Ok(Next::Counted)
    })?;
    Ok(if failed > 0 { Exit::Found } else { Exit::Done })
}
