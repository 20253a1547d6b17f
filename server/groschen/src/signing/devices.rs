//! TSEs of makers that the settings name (`[[tse]]`), each behind its adapter.
//!
//! A device that never answered here has no key in the books yet: it is met on a thread of its own, however long that takes, and signs from then on. One
//! that did is known by its link, also while it is silent. What must never happen here: a secret in a value that is printed.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fiscal::{Tse, TseInfo};
use sealed::Opener;
use serde::Deserialize;
use shared_protocol::TaxpayerId;
use store::{Reader as _, StoreError, TseNo, TseRow};
use store_sqlite::SqliteReader;
use sync::writer::now_ms;
use tse_adapters::{Diebold, Fiskaly, diebold, fiskaly};

/// A device that does not answer is asked again after this time, then after twice as long.
const ASK_EVERY: Duration = Duration::from_secs(2);
const ASK_MAX: Duration = Duration::from_mins(1);

/// A TSE of a maker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// What it is called; the books know it by this name. Another device in its place gets another name.
    pub name: String,
    /// Whose tills it signs for, by the taxpayer's number.
    pub taxpayer: u16,
    /// What it is.
    #[serde(flatten)]
    pub device: Device,
}

/// What can be behind an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Device {
    /// Diebold Nixdorf's web service.
    Diebold(diebold::Settings),
    /// fiskaly SIGN DE.
    Fiskaly(fiskaly::Settings),
}

impl Link {
    /// Whether it takes several connections, so that an export disturbs nobody.
    pub const fn takes_several(&self) -> bool {
        matches!(self.device, Device::Fiskaly(_))
    }

    /// Whose tills it signs for.
    pub const fn taxpayer(&self) -> TaxpayerId {
        TaxpayerId(self.taxpayer)
    }
}

/// Names are what the books know devices by.
pub(super) fn check(links: &[Link]) -> anyhow::Result<()> {
    for (at, link) in links.iter().enumerate() {
        ensure!(
            !link.name.is_empty() && !link.name.starts_with(TseRow::SOFTWARE),
            "the TSE {:?} in the settings needs another name: names that begin with \"{}\" are those of TSEs in software",
            link.name,
            TseRow::SOFTWARE
        );
        let twice = links.iter().take(at).any(|other| other.name == link.name);
        ensure!(
            !twice,
            "two TSEs in the settings are called {:?}; give each a name of its own",
            link.name
        );
    }
    Ok(())
}

/// The adapter of a device; `next` is the first of its transactions that the books have no end of.
pub(crate) fn adapter(link: &Link, next: u64, opener: &Opener) -> anyhow::Result<Box<dyn Tse>> {
    let faulty = || format!("the TSE {} in the settings", link.name);
    Ok(match &link.device {
        Device::Diebold(settings) => {
            let passwords = diebold::Passwords::read(settings, opener).with_context(faulty)?;
            let mut adapter = Diebold::new(settings.clone(), passwords).with_context(faulty)?;
            adapter.begin_at(next);
            Box::new(adapter)
        }
        Device::Fiskaly(settings) => {
            let credentials = fiskaly::Credentials::read(settings, opener).with_context(faulty)?;
            Box::new(Fiskaly::new(settings.clone(), credentials).with_context(faulty)?)
        }
    })
}

/// The first transaction of a TSE that the books have no end of.
pub(super) fn next_of(reader: &mut SqliteReader, tse: TseNo) -> Result<u64, StoreError> {
    let open = reader.open_transactions()?.into_iter().filter(|row| row.tse == tse);
    let oldest = open.map(|row| row.transaction).min();
    Ok(oldest.unwrap_or(reader.tse_counters(tse)?.0 + 1))
}

/// A device that answered for the first time.
pub(super) struct Met {
    pub link: Link,
    pub info: TseInfo,
    pub tse: Box<dyn Tse>,
}

/// Asks a device that the books do not know until it answers.
pub(super) fn meet(link: Link, mut tse: Box<dyn Tse>, to: Sender<Met>) -> anyhow::Result<()> {
    std::thread::Builder::new()
        .name(format!("meet {}", link.name))
        .spawn(move || {
            let mut pause = ASK_EVERY;
            loop {
                match tse.prepare(now_ms()) {
                    Ok(info) => {
                        // Nobody listens any more when the server ends.
                        let _ended = to.send(Met { link, info, tse });
                        return;
                    }
                    Err(error) => tracing::warn!(tse = link.name, %error, "a TSE does not answer yet; its orders wait"),
                }
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(ASK_MAX);
            }
        })
        .context("the thread of a TSE cannot be started")?;
    Ok(())
}

impl Link {
    /// The files with its secrets.
    pub fn secrets(&self) -> Vec<&Path> {
        match &self.device {
            Device::Diebold(settings) => vec![&settings.admin_password, &settings.time_admin_password],
            Device::Fiskaly(settings) => vec![&settings.api_key, &settings.api_secret, &settings.admin_pin],
        }
    }
}

/// Paths in the settings are beside the settings file.
pub(crate) fn beside(links: &mut [Link], folder: &Path) {
    for link in links {
        let paths: Vec<&mut std::path::PathBuf> = match &mut link.device {
            Device::Diebold(settings) => vec![&mut settings.admin_password, &mut settings.time_admin_password],
            Device::Fiskaly(settings) => {
                let mut paths = vec![&mut settings.api_key, &mut settings.api_secret, &mut settings.admin_pin];
                paths.extend(settings.authority.as_mut());
                paths
            }
        };
        for path in paths {
            *path = folder.join(&*path);
        }
    }
}
