//! `groschen export dsfinvk`: the closings of tills for tax auditors, one folder for each taxpayer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::dsfinvk::map::{self, Booked, CameOff, Target};
use ::dsfinvk::model::Closing;
use ::dsfinvk::write::{Options, Supplier, Written};
use ::dsfinvk::{Taxonomy, Writer};
use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use festival::booking::posting_id;
use fiscal::signer::client_of;
use fiscal::tax::Choices;
use fiscal::{Job, Jobs};
use fixtures::sample;
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, EventId, OrderId, TagId, TaxpayerId};
use store::{ClosedItem, ClosedReceipt, ClosingRow, OutageRow, Reader, TseRow};
use store_sqlite::SqliteReader;

use exports::ExportFolder;

use crate::Exit;
use crate::keys::sealed_seed;
use crate::progress::Progress;
use crate::settings::{Flags, ListenFlags, Settings};
use crate::tax;

/// Receipts that are read at once.
const PAGE: u64 = 1_024;
/// Characters of a certificate's column, and how many columns there may be.
const CERTIFICATE_CHARS: usize = 1_000;

/// Arguments of `export dsfinvk`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// The folder to write to; each taxpayer gets a new one in it.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only this taxpayer, by its number.
    #[arg(long, value_name = "NO")]
    taxpayer: Option<u16>,
    /// Only closings of event days from this one on, `yyyymmdd`.
    #[arg(long, value_name = "DAY", default_value_t = 0)]
    from: u32,
    /// Only closings of event days up to and with this one, `yyyymmdd`.
    #[arg(long, value_name = "DAY", default_value_t = u32::MAX)]
    until: u32,
    /// Name version 2.3 of the standard instead of 2.4.
    #[arg(long)]
    v2_3: bool,
    /// Name cashiers besides their numbers.
    #[arg(long)]
    staff_names: bool,
    /// Write a JSON object for each folder, one a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let mut books = Books::open(settings.reader()?, &settings)?;
    let range = Range {
        taxpayer: arguments.taxpayer.map(TaxpayerId),
        from: arguments.from,
        until: arguments.until,
        v2_3: arguments.v2_3,
        staff_names: arguments.staff_names,
    };
    let mut progress = Progress::new("exporting", books.receipts_in(&range));
    let made = write(&mut books, &range, &arguments.out, &mut |done| {
        progress.at(done);
        Ok(())
    })?;
    drop(progress);
    for (taxpayer, path, written) in made {
        tell(taxpayer, &path, &written, arguments.json);
    }
    Ok(Exit::Done)
}

/// Exports everything of a database, with the wristbands named by the key of the settings. Gives how many taxpayers had closings.
pub(crate) fn write_all(reader: SqliteReader, settings: &Settings, out: &Path) -> anyhow::Result<usize> {
    let mut books = Books::open(reader, settings)?;
    if books.closings.is_empty() {
        return Ok(0);
    }
    Ok(write(&mut books, &Range::ALL, out, &mut |_| Ok(()))?.len())
}

/// What of the books is exported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// Of this taxpayer; none for all.
    pub taxpayer: Option<TaxpayerId>,
    /// Closings of event days from this one on, `yyyymmdd`.
    pub from: u32,
    /// Up to and with this one.
    pub until: u32,
    /// Whether version 2.3 of the standard is named.
    pub v2_3: bool,
    /// Whether cashiers are named besides their numbers.
    pub staff_names: bool,
}

impl Range {
    /// Everything, by the newest version of the standard, without names of people.
    const ALL: Self = Self {
        taxpayer: None,
        from: 0,
        until: u32::MAX,
        v2_3: false,
        staff_names: false,
    };

    fn holds(&self, row: &ClosingRow) -> bool {
        (self.from..=self.until).contains(&row.day) && self.taxpayer.is_none_or(|no| row.taxpayer == no)
    }
}

/// What was written for a taxpayer, and where.
pub(crate) type Made = (TaxpayerId, PathBuf, Written);

/// Writes a folder for each taxpayer. `step` hears how many receipts are done, and ends it by failing.
pub(crate) fn write(
    books: &mut Books,
    range: &Range,
    out: &Path,
    step: &mut dyn FnMut(u64) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Made>> {
    let mut by_taxpayer = BTreeMap::<TaxpayerId, Vec<ClosingRow>>::new();
    for row in books.closings.values().filter(|row| range.holds(row)) {
        by_taxpayer.entry(row.taxpayer).or_default().push(row.clone());
    }
    if by_taxpayer.is_empty() {
        bail!("there is no closing to export: a server closes each event day half an hour after it ended");
    }
    let (mut made, mut done) = (Vec::new(), 0);
    for (taxpayer, mut rows) in by_taxpayer {
        rows.sort_by(|one, other| (&one.client, one.z_no).cmp(&(&other.client, other.z_no)));
        let path = out.join(format!("taxpayer-{}", taxpayer.0));
        let folder = ExportFolder::make(&path)?;
        let mut writer = Writer::new(folder, books.options(taxpayer, range.v2_3))?;
        for row in &rows {
            writer.begin(books.closing(row)?)?;
            books.receipts(row, range.staff_names, &mut writer, |count| {
                done += count;
                step(done)
            })?;
            writer.end()?;
        }
        made.push((taxpayer, path, writer.finish()?));
    }
    Ok(made)
}

fn tell(taxpayer: TaxpayerId, path: &Path, written: &Written, json: bool) {
    if json {
        let line = serde_json::json!({
            "taxpayer": taxpayer.0,
            "folder": path.display().to_string(),
            "closings": written.closings,
            "receipts": written.receipts,
            "cut": written.cuts.total,
        });
        println!("{line}");
    } else {
        println!(
            "Taxpayer {taxpayer}: {} closings with {} receipts in {}; {} texts were too long for their columns and were cut.",
            written.closings,
            written.receipts,
            path.display(),
            written.cuts.total
        );
        println!("Check it with: groschen verify dsfinvk {}", path.display());
    }
}

/// What the exports are made of.
pub(crate) struct Books {
    reader: SqliteReader,
    event: EventId,
    jobs: Jobs,
    closings: BTreeMap<u64, ClosingRow>,
    tses: Vec<TseRow>,
    outages: BTreeMap<u64, OutageRow>,
    /// By which wristbands are named.
    secret: [u8; 32],
    /// What the operator chose, and when.
    choices: Choices,
}

impl Books {
    /// Reads what every export of a database needs.
    pub(crate) fn open(mut reader: SqliteReader, settings: &Settings) -> anyhow::Result<Self> {
        let key = settings.data.join("tse.key");
        ensure!(
            key.exists(),
            "{} is not there; put it back: wristbands are named by what it holds, the same in every export",
            key.display()
        );
        let opener = settings.signing.secrets.opener()?;
        let seed = sealed_seed(
            &key,
            "put the right file back, wristbands are named by what it holds",
            &opener,
        )?;
        let event = sample::EVENT;
        Ok(Self {
            jobs: Jobs::new(&mut reader, event)?,
            tses: reader.tses()?,
            outages: reader
                .outages(0, u64::MAX)?
                .into_iter()
                .map(|row| (row.id, row))
                .collect(),
            secret: Hash32::of("groschen wristbands in exports 1", &[&seed]).0,
            choices: tax::choices(&mut reader, event)?,
            closings: reports::load::closings(&mut reader)?,
            reader,
            event,
        })
    }

    /// How many receipts an export has.
    pub(crate) fn receipts_in(&self, range: &Range) -> u64 {
        let rows = self.closings.values().filter(|row| range.holds(row));
        rows.map(|row| row.receipts).sum()
    }

    fn options(&self, taxpayer: TaxpayerId, v2_3: bool) -> Options {
        let known = self.jobs.newest().taxpayers.get(&taxpayer);
        let address = known.and_then(|known| known.address.as_ref());
        let columns = self
            .tses
            .iter()
            .filter_map(certificate)
            .map(|text| text.len().div_ceil(CERTIFICATE_CHARS));
        let options = Options::default();
        Options {
            taxonomy: if v2_3 { Taxonomy::V2_3 } else { Taxonomy::V2_4 },
            supplier: Supplier {
                name: known.map_or_else(String::new, |known| known.name.clone()),
                location: address.map_or_else(String::new, |address| address.town.clone()),
                comment: self.jobs.newest().event.name.de.clone(),
            },
            certificates: columns.max().unwrap_or(0).max(options.certificates),
        }
    }

    fn closing(&self, row: &ClosingRow) -> anyhow::Result<Closing<'static>> {
        let config = self.jobs.newest();
        let taxpayer = config.taxpayers.get(&row.taxpayer).with_context(|| {
            format!(
                "the configuration has no taxpayer {} any more; put it back, its closings name it",
                row.taxpayer
            )
        })?;
        let of_taxpayer = self.tses.iter().filter(|tse| tse.taxpayer == row.taxpayer);
        Ok(Closing {
            till: Cow::Owned(row.client.clone()),
            number: row.z_no,
            created_ms: row.made_at_ms,
            // A closing is made after its day.
            booking_day: Some(Cow::Owned(day(row.day))),
            taxpayer: map::taxpayer(taxpayer),
            place: map::place(config, row.till),
            register: map::register(&row.client, env!("CARGO_PKG_VERSION")),
            vat: map::vat_table(config),
            tses: of_taxpayer
                .map(|tse| map::tse_unit(tse, certificate(tse).as_deref()))
                .collect(),
            ..Closing::default()
        })
    }

    fn receipts(
        &mut self,
        row: &ClosingRow,
        staff_names: bool,
        writer: &mut Writer<ExportFolder>,
        mut done: impl FnMut(u64) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let secret = self.secret;
        let wristband = |tag: TagId| map::pseudonym(&secret, tag);
        let shown = map::Settings {
            model: self.choices.wristband_is,
            in_house: self.choices.in_house.newest(),
            staff_names,
            wristband: &wristband,
        };
        let mut from = row.first_receipt;
        loop {
            let receipts = self.reader.closed_receipts(row.id, from, PAGE)?;
            let Some(last) = receipts.last() else { return Ok(()) };
            from = last.number + 1;
            done(receipts.len() as u64)?;
            for receipt in receipts {
                match receipt.item {
                    ClosedItem::Order(no) => self.order(no, receipt, &shown, writer)?,
                    ClosedItem::GivenUp(..) => {
                        let transaction = receipt.transaction;
                        let transaction = transaction.context("a transaction of a closing is not in the books")?;
                        let came_off = CameOff {
                            transaction: Some(&transaction),
                            ..CameOff::default()
                        };
                        writer.push(&map::given_up(&transaction, &came_off, receipt.number))?;
                    }
                }
            }
        }
    }

    fn order(
        &mut self,
        no: u64,
        receipt: ClosedReceipt,
        shown: &map::Settings<'_>,
        writer: &mut Writer<ExportFolder>,
    ) -> anyhow::Result<()> {
        let ClosedReceipt {
            number,
            journal,
            signing,
            transaction,
            ..
        } = receipt;
        let journal = journal.with_context(|| format!("journal row {no} of a closing is not in the books"))?;
        let job = self.jobs.of(&mut self.reader, &journal)?;
        let job = job.with_context(|| format!("journal row {no} of a closing is no order"))?;
        let outage = signing.as_ref().and_then(|row| self.outages.get(&row.outage?)).cloned();
        // An export tells what held when the order was booked, however late it is made.
        let in_house = self.choices.in_house.at(journal.record.booked_at_ms);
        let owed = journal.record.posting.as_ref().map_or(Ok(Amount::ZERO), map::owed)?;
        let takes_back = match job.order.reverses {
            Some(before) => self.target(before)?,
            None => None,
        };
        writer.push(&map::receipt(
            &Booked {
                order: &job.order,
                replaced: job.replaced.as_ref(),
                config: &job.config,
                came_off: CameOff {
                    signing: signing.as_ref(),
                    transaction: transaction.as_ref(),
                    outage: outage.as_ref(),
                },
                number,
                ended_ms: ended_ms(&job),
                owed,
                takes_back: takes_back.as_ref(),
            },
            &map::Settings {
                model: shown.model,
                in_house,
                staff_names: shown.staff_names,
                wristband: shown.wristband,
            },
        ))?;
        Ok(())
    }

    /// The receipt that another one takes back.
    fn target(&mut self, order: OrderId) -> anyhow::Result<Option<Target>> {
        let Some(no) = self.reader.posting_no(posting_id(order))? else {
            return Ok(None);
        };
        if let Some((closing, _)) = self.reader.closing_of(no)?
            && let Some(row) = self.closings.get(&closing)
        {
            return Ok(Some(Target {
                till: row.client.clone(),
                closing: Some(row.z_no),
                receipt: order.to_string(),
                day: day(row.day),
            }));
        }
        let journal = self.reader.journal(no, 1)?.pop();
        let job = match &journal {
            Some(row) => self.jobs.of(&mut self.reader, row)?,
            None => None,
        };
        let of_day = journal.and_then(|row| row.entry?.day);
        Ok(job.map(|job| Target {
            till: client_of(self.event, job.order.till),
            closing: None,
            receipt: order.to_string(),
            day: of_day.map(day).unwrap_or_default(),
        }))
    }
}

fn ended_ms(job: &Job) -> u64 {
    job.sold_at_ms.unwrap_or(job.order.closed_at_ms)
}

fn certificate(tse: &TseRow) -> Option<String> {
    tse.certificates.first().map(|der| STANDARD.encode(der))
}

/// `20270717` as `2027-07-17`.
fn day(number: u32) -> String {
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}
