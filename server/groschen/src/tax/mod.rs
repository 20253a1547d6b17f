//! What was said about taxes: read from the database, and what a starting server has to add to it.
//!
//! What must never happen here: a rule about choices (`fiscal::tax` has them), or a change of a row that is there.

use anyhow::{Context as _, bail};
use engine::{Reply, Request, Settled};
pub use fiscal::tax::rows;
use fiscal::tax::{self, Choice, Choices, Fixed, Place};
use shared_protocol::EventId;
use store::{Office, Reader, TaxRow};
use store_sqlite::{FORMAT, SqliteStore};
use sync::writer::{Writer, now_ms};

/// The choices of an event.
pub fn choices(reader: &mut dyn Reader, event: EventId) -> anyhow::Result<Choices> {
    Ok(Choices::read(&rows(reader, event)?)?)
}

/// This program: its version, the build's name where whoever built it gave one (`GROSCHEN_BUILD`), and the database's format.
pub fn program() -> String {
    let build = option_env!("GROSCHEN_BUILD").unwrap_or("unnamed");
    format!("{}; build {build}; database format {FORMAT}", env!("CARGO_PKG_VERSION"))
}

/// A statement of the server's settings, now.
fn statement(event: EventId, key: &str, value: String, why: &str) -> TaxRow {
    TaxRow {
        event,
        at_ms: now_ms(),
        by: None,
        key: key.to_owned(),
        value,
        why: why.to_owned(),
    }
}

/// What the sample festival says of itself before anybody else does: orders of an outage are signed later, so that this can be seen.
pub fn of_sample(event: EventId) -> Office {
    let choice = Choice::OutagePolicy;
    Office {
        tax: vec![statement(
            event,
            choice.key(),
            "resign-marked".to_owned(),
            tax::BY_SAMPLE,
        )],
        ..Office::default()
    }
}

/// Adds to the history what the settings of a starting server say otherwise than it does, and which program runs.
pub async fn begin(
    writer: &Writer<SqliteStore>,
    reader: &mut dyn Reader,
    event: EventId,
    fixed: &Fixed,
) -> anyhow::Result<()> {
    let known = rows(reader, event)?;
    // A history that this program cannot read stops it before it signs anything.
    Choices::read(&known)?;
    for said in tax::to_say(&known, fixed) {
        let why = match fixed.of(said.choice).map(|fix| fix.place) {
            Some(Place::Flag) => tax::BY_FLAG,
            Some(Place::File) => tax::BY_FILE,
            None => tax::BY_ITSELF,
        };
        let office = Office {
            tax: vec![statement(event, said.choice.key(), said.value.to_owned(), why)],
            before_orders: said.changes && said.choice.only_before_orders(),
            ..Office::default()
        };
        keep(writer, office)
            .await
            .with_context(|| format!("the server's settings say {} = {}", said.choice.key(), said.value))?;
    }
    let program = program();
    if tax::last(&known, tax::PROGRAM).is_none_or(|row| row.value != program) {
        let office = Office {
            tax: vec![statement(event, tax::PROGRAM, program, tax::PROGRAM_STARTED)],
            ..Office::default()
        };
        keep(writer, office).await?;
    }
    Ok(())
}

async fn keep(writer: &Writer<SqliteStore>, office: Office) -> anyhow::Result<()> {
    match writer.ask(Request::Office(Box::new(office))).await? {
        Reply::Settled(Settled::Refused(text)) => bail!("{}", text.en),
        _ => Ok(()),
    }
}
