//! `groschen audit`: checks a database row by row and says what it found, down to the first bad row.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Record;
use ledger::journal::Replay;
use shared_protocol::chain::{head_message, link};
use shared_protocol::crypto::{Hash32, verify};
use shared_protocol::{Amount, EventId};
use store::{ChainKey, EntryRow, EntryStatus, Reader, TerminalNo, TerminalRow};

use crate::Exit;
use crate::progress::Progress;
use crate::settings::{Flags, ListenFlags, Settings};

/// Arguments of `audit`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Write a JSON object instead of sentences.
    #[arg(long)]
    json: bool,
}

/// Journal rows read at a time.
const PAGE_ROWS: u64 = 4_096;

/// Faults that are told in full; a damaged database can have millions.
const FAULTS_TOLD_MAX: usize = 20;

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Findings {
    /// Journal rows checked.
    pub rows: u64,
    /// Postings among them.
    pub postings: u64,
    /// Terminals' entries among them.
    pub entries: u64,
    /// Cases in the database.
    pub cases: u64,
    /// The last row's hash.
    pub head: String,
    /// Whether every asset's balances add up to zero.
    pub balanced: bool,
    /// What is wrong, the first ones.
    pub faults: Vec<String>,
    /// How many things are wrong.
    pub faults_total: u64,
}

impl Findings {
    /// Whether everything holds.
    pub const fn clean(&self) -> bool {
        self.faults_total == 0 && self.balanced
    }

    fn fault(&mut self, what: String) {
        self.faults_total += 1;
        if self.faults.len() < FAULTS_TOLD_MAX {
            self.faults.push(what);
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut reader = Settings::resolve(&arguments.flags, &ListenFlags::default())?.reader()?;
    let findings = check(&mut reader)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        println!(
            "{} journal rows, {} postings, {} entries of terminals, {} cases.",
            findings.rows, findings.postings, findings.entries, findings.cases
        );
        findings.faults.iter().for_each(|fault| println!("WRONG: {fault}"));
        if findings.faults_total > findings.faults.len() as u64 {
            println!("… {} faults in all.", findings.faults_total);
        }
        println!(
            "{}",
            if findings.clean() {
                "Everything holds."
            } else {
                "The books do not hold. Stop the server, keep a copy, and restore a backup: the tills send again what it lacks."
            }
        );
    }
    Ok(if findings.clean() { Exit::Done } else { Exit::Found })
}

/// Hashes of the lines of terminals' journals as they are read.
#[derive(Default)]
struct Lines {
    heads: BTreeMap<ChainKey, (u64, Hash32)>,
    /// All hashes of epochs that have branches: a branch hangs on the middle of another line.
    points: BTreeMap<(TerminalNo, u32), BTreeSet<(u64, Hash32)>>,
    roots: BTreeMap<(TerminalNo, u32), Hash32>,
    terminals: BTreeMap<TerminalNo, TerminalRow>,
    /// Booked entries since the last signed head of their line.
    unsigned: BTreeMap<ChainKey, u64>,
}

impl Lines {
    fn new(reader: &mut dyn Reader, terminals: &[TerminalRow]) -> anyhow::Result<Self> {
        let mut lines = Self {
            terminals: terminals.iter().map(|row| (row.no, row.clone())).collect(),
            ..Self::default()
        };
        for terminal in terminals {
            for chain in reader.chains(terminal.no)? {
                let epoch = (terminal.no, chain.key.epoch);
                lines.roots.insert(epoch, chain.start.root(terminal.id));
                if chain.key.branch > 0 {
                    lines
                        .points
                        .entry(epoch)
                        .or_default()
                        .insert((0, chain.start.root(terminal.id)));
                }
            }
        }
        Ok(lines)
    }

    fn add(&mut self, entry: &EntryRow) -> Result<(), &'static str> {
        let epoch = (entry.chain.terminal, entry.chain.epoch);
        let previous = match self.heads.get(&entry.chain) {
            Some((seq, head)) if seq.checked_add(1) == Some(entry.seq) => Some(*head),
            Some(_) => return Err("its sequence does not follow"),
            None if entry.seq == 1 => self.roots.get(&epoch).copied(),
            None => self.points.get(&epoch).and_then(|points| {
                let before = entry.seq.saturating_sub(1);
                let mut near = points
                    .range((before, Hash32::ZERO)..)
                    .take_while(|(seq, _)| *seq == before);
                near.find(|(_, hash)| link(hash, entry.seq, &entry.raw) == entry.hash)
                    .map(|(_, hash)| *hash)
            }),
        };
        let previous = previous.ok_or("nothing is known before it")?;
        if link(&previous, entry.seq, &entry.raw) != entry.hash {
            return Err("its hash does not match its bytes");
        }
        self.heads.insert(entry.chain, (entry.seq, entry.hash));
        if let Some(points) = self.points.get_mut(&epoch) {
            points.insert((entry.seq, entry.hash));
        }
        self.check_signature(entry)
    }

    /// A signed head covers every entry of its line before it.
    fn check_signature(&mut self, entry: &EntryRow) -> Result<(), &'static str> {
        let unsigned = self.unsigned.entry(entry.chain).or_default();
        let Some(signature) = &entry.signature else {
            *unsigned += u64::from(entry.status != EntryStatus::Parked);
            return Ok(());
        };
        *unsigned = 0;
        let terminal = self
            .terminals
            .get(&entry.chain.terminal)
            .ok_or("its terminal is not known")?;
        let message = head_message(terminal.id, entry.chain.epoch, entry.seq, &entry.hash);
        verify(&terminal.key, &message, signature).map_err(|_| "its signature does not hold")
    }
}

/// Checks everything that a database says about itself.
pub fn check(reader: &mut dyn Reader) -> anyhow::Result<Findings> {
    let mut findings = Findings {
        balanced: true,
        ..Findings::default()
    };
    let (last_no, stored_head) = reader.head()?;
    let terminals = reader.terminals()?;
    let mut lines = Lines::new(reader, &terminals)?;
    let mut progress = Progress::new("checking", last_no);
    let (mut replay, mut broken) = (Replay::default(), false);
    let (mut no, mut head) = (0, Hash32::ZERO);
    let mut events: BTreeSet<EventId> = terminals.iter().map(|terminal| terminal.event).collect();
    loop {
        let rows = reader.journal(no + 1, PAGE_ROWS)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let record: &Record = &row.record;
            match ledger::journal::verify([(record, row.hash)], head, no) {
                Ok(next) => (no, head) = next,
                Err(fault) => {
                    findings.fault(fault.to_string());
                    (no, head) = (record.no, row.hash);
                }
            }
            if !broken && let Err(fault) = replay.add(record) {
                findings.fault(fault.to_string());
                broken = true;
            }
            if let Some(posting) = &record.posting {
                findings.postings += 1;
                events.insert(posting.event);
            }
            if let Some(entry) = &row.entry {
                findings.entries += 1;
                if record.origin != Some(entry.hash) {
                    findings.fault(format!("journal no {no} is booked from another entry than it stores"));
                }
                if let Err(why) = lines.add(entry) {
                    findings.fault(format!(
                        "journal no {no}: entry {} of terminal {}: {why}",
                        entry.seq, entry.chain.terminal.0
                    ));
                }
            }
            findings.rows += 1;
        }
        progress.at(no);
    }
    drop(progress);
    for (line, count) in lines.unsigned.iter().filter(|(_, count)| **count > 0) {
        findings.fault(format!(
            "{count} booked entries of terminal {} are covered by no signed head",
            line.terminal.0
        ));
    }
    if (no, head) != (last_no, stored_head) {
        findings.fault(format!("the journal ends at {no}, the database says {last_no}"));
    }
    findings.head = head.to_string();
    if !broken {
        compare(reader, &replay, &events, &mut findings)?;
    }
    findings.cases = reader.case_counts()?.values().map(|(count, _)| count).sum();
    Ok(findings)
}

/// Stored balances and lots against those that the journal gives.
fn compare(
    reader: &mut dyn Reader,
    replay: &Replay,
    events: &BTreeSet<EventId>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let (mut balances, mut lots): (BTreeMap<_, Amount>, BTreeMap<_, Amount>) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let view = reader.balances(*event)?;
        balances.extend(view.accounts.into_iter().map(|(key, balance)| (key, balance.balance)));
        lots.extend(view.lots);
    }
    let differences = replay.totals().compare(&balances, |key| key.account.is_bounded());
    for difference in differences.into_iter().chain(replay.totals().compare_lots(&lots)) {
        findings.fault(format!(
            "{:?}: the journal gives {}, stored is {}",
            difference.key, difference.journal, difference.stored
        ));
    }
    findings.balanced = replay
        .totals()
        .sums()
        .is_ok_and(|sums| sums.values().all(|sum| *sum == 0));
    Ok(())
}
