//! Settings: flags before environment before file. An unknown key in the file is refused, because a misspelt limit is no limit.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fiscal::tax::{Choice, Fix, Fixed, Place};
use fiscal::tse::Curve;
use serde::Deserialize;
use store_sqlite::SqliteReader;

use crate::interrupted::Interruption;
use crate::signing::{self, Link};

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read ({why}); check the path given with --config or GROSCHEN_CONFIG")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file does not say what it should.
    #[error("the settings file {path} is wrong: {why}")]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        why: Box<toml::de::Error>,
    },
    /// One of two that belong together is missing.
    #[error("--tls-cert and --tls-key belong together; give both or none")]
    HalfTls,
    /// The last day is none.
    #[error("{0} is no day; write the last day of the event as YYYY-MM-DD")]
    EventEnds(String),
    /// The public address is none.
    #[error("{0} is no public address; write https://HOST or https://HOST:PORT, without a path")]
    PublicUrl(String),
}

/// What can be set in the file, by flags of the same name, and by `GROSCHEN_…` in the environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the fields are called as the flags are")]
struct File {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    public_url: Option<String>,
    outage_policy: Option<Policy>,
    wristband_is: Option<Model>,
    transaction_begins: Option<Begins>,
    in_house: Option<InHouse>,
    tse_curve: Option<TseCurve>,
    tse_count: Option<u8>,
    event_ends: Option<String>,
    tse: Option<Vec<Link>>,
    secret_key_file: Option<PathBuf>,
    plain_secrets: Option<PlainSecrets>,
    purse_keys: Option<Vec<PathBuf>>,
    purse_key_file: Option<PathBuf>,
    purse_patience_min: Option<u64>,
}

/// What becomes of orders made in an outage of the TSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// They are marked and stay so.
    MarkOnly,
    /// They are marked, and signed when that is possible again.
    ResignMarked,
}

/// What the balance of a wristband is to the tax office; ask your tax advisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// A multi-purpose voucher.
    Voucher,
    /// Electronic money.
    EMoney,
}

/// When the transaction of a sale begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Begins {
    /// With the first item, where the till reaches its server.
    FirstItem,
    /// With the payment.
    Payment,
}

/// Whether what is sold is consumed on the premises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum InHouse {
    /// It is.
    Yes,
    /// It is taken away.
    No,
}

/// What becomes of secrets that lie on the disk unsealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PlainSecrets {
    /// They are used, and the log and `doctor` warn of them.
    Warn,
    /// They are refused.
    Refuse,
}

/// A choice of the settings as the history names it: the flag before the file.
fn fix<T: clap::ValueEnum>(choice: Choice, flag: Option<T>, file: Option<T>) -> Option<Fix> {
    let (value, place) = match (flag, file) {
        (Some(value), _) => (value, Place::Flag),
        (None, Some(value)) => (value, Place::File),
        (None, None) => return None,
    };
    let value = choice.value(value.to_possible_value()?.get_name())?;
    Some(Fix { value, place })
}

/// The curve of TSEs in software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TseCurve {
    /// brainpoolP384r1.
    BrainpoolP384,
    /// NIST P-256.
    P256,
}

/// The flags every command with a database has.
#[derive(Debug, Clone, clap::Args)]
pub struct Flags {
    /// The key file that opens sealed secrets: `tse.key`, and the passwords, PINs and keys of TSEs.
    #[arg(long, env = "GROSCHEN_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// The settings file (TOML).
    #[arg(long, env = "GROSCHEN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder with the database and the keys.
    #[arg(long, env = "GROSCHEN_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The flags of a command that listens.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListenFlags {
    /// The address to listen on.
    #[arg(long, env = "GROSCHEN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The server's certificate chain (PEM). Terminals pin the authority it is from.
    #[arg(long, env = "GROSCHEN_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, env = "GROSCHEN_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Where browsers and terminals reach this server from outside, `https://HOST[:PORT]`: printed into registration codes. Needed behind a proxy.
    #[arg(long, env = "GROSCHEN_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// What becomes of orders made in an outage of the TSE [default: what the console's page on taxes says, and mark-only where that says nothing].
    #[arg(long, env = "GROSCHEN_OUTAGE_POLICY", value_name = "POLICY")]
    pub outage_policy: Option<Policy>,
    /// What the balance of a wristband is to the tax office; ask your tax advisor [default: what the console's page on taxes says, and voucher where that
    /// says nothing]. It cannot be changed once there are orders.
    #[arg(long, env = "GROSCHEN_WRISTBAND_IS", value_name = "WHAT")]
    pub wristband_is: Option<Model>,
    /// When the transaction of a sale begins at its TSE; ask your tax advisor [default: what the console's page on taxes says, and first-item where that
    /// says nothing].
    #[arg(long, env = "GROSCHEN_TRANSACTION_BEGINS", value_name = "WHEN")]
    pub transaction_begins: Option<Begins>,
    /// Whether what is sold is consumed on the premises, for exports [default: what the console's page on taxes says, and yes where that says nothing].
    #[arg(long, env = "GROSCHEN_IN_HOUSE", value_name = "YES")]
    pub in_house: Option<InHouse>,
    /// The curve of TSEs in software, which are not certified [default: brainpool-p384].
    #[arg(long, env = "GROSCHEN_TSE_CURVE", value_name = "CURVE")]
    pub tse_curve: Option<TseCurve>,
    /// How many TSEs in software each taxpayer has; where one is out of order, its tills go to the next [default: 1].
    #[arg(long, env = "GROSCHEN_TSE_COUNT", value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub tse_count: Option<u8>,
    /// The last day of the event, `YYYY-MM-DD`: certificates of TSEs have to outlast it.
    #[arg(long, env = "GROSCHEN_EVENT_ENDS", value_name = "DAY")]
    pub event_ends: Option<String>,
    /// The server's sealed keys of wristbands, as `groschen tags export --role server` makes them; may be given more than once.
    #[arg(
        long,
        env = "GROSCHEN_PURSE_KEYS",
        value_name = "FILE",
        value_delimiter = ',',
        requires = "purse_key_file"
    )]
    pub purse_keys: Vec<PathBuf>,
    /// The key file that opens them.
    #[arg(long, env = "GROSCHEN_PURSE_KEY_FILE", value_name = "FILE")]
    pub purse_key_file: Option<PathBuf>,
    /// How many minutes something may be missing on a wristband's purse before a case tells of it [default: 30].
    #[arg(long, env = "GROSCHEN_PURSE_PATIENCE_MIN", value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub purse_patience_min: Option<u64>,
    /// What becomes of secrets that lie on the disk unsealed [default: warn].
    #[arg(long, env = "GROSCHEN_PLAIN_SECRETS", value_name = "WHAT")]
    pub plain_secrets: Option<PlainSecrets>,
    /// For simulations: of every so many seconds the first TSE of each taxpayer is silent for some, `EVERY/FOR`.
    #[arg(long, value_name = "EVERY/FOR", hide = true)]
    pub simulate_tse_outage: Option<Interruption>,
}

/// Certificate and key of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The chain (PEM).
    pub cert: PathBuf,
    /// The key (PEM).
    pub key: PathBuf,
}

/// Settings as they are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder with the database and the keys.
    pub data: PathBuf,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// TLS, unless something in front of the server does it.
    pub tls: Option<Tls>,
    /// Where browsers and terminals reach the server from outside, without a slash at the end; none takes what the browser says.
    pub public_url: Option<String>,
    /// How orders are signed.
    pub signing: signing::Settings,
    /// TSEs of makers. A taxpayer that has none signs in software, which is not certified.
    pub tses: Vec<Link>,
    /// A page that may show the server's pages inside it; only the demo has one.
    pub framed_by: Option<String>,
    /// The server's keys of wristbands, where it makes credits for purses.
    pub purses: Purses,
}

/// What the server has of wristbands with a purse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purses {
    /// Sealed keys.
    pub keys: Vec<PathBuf>,
    /// What opens them.
    pub key_file: Option<PathBuf>,
    /// How long something may be missing before a case tells of it.
    pub patience_ms: u64,
}

impl Default for Purses {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            key_file: None,
            patience_ms: engine::PATIENCE_MS,
        }
    }
}

/// A minute in ms.
const MINUTE_MS: u64 = 60_000;

/// Where a server keeps its data when nothing is said.
const DATA: &str = "groschen-data";
/// Only this machine, unless something else is said.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8450);

impl Settings {
    /// Flags (and the environment, which the command line reads) before the file before the defaults.
    pub fn resolve(flags: &Flags, listen: &ListenFlags) -> Result<Self, SettingsError> {
        let file = flags.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let fixed = fixed(listen, &file);
        let mut tses = file.tse.unwrap_or_default();
        if let Some(folder) = flags.config.as_deref().and_then(Path::parent) {
            signing::devices::beside(&mut tses, folder);
        }
        let cert = listen.tls_cert.clone().or(file.tls_cert);
        let key = listen.tls_key.clone().or(file.tls_key);
        let tls = match (cert, key) {
            (Some(cert), Some(key)) => Some(Tls { cert, key }),
            (None, None) => None,
            _ => return Err(SettingsError::HalfTls),
        };
        Ok(Self {
            tses,
            data: flags.data.clone().or(file.data).unwrap_or_else(|| DATA.into()),
            listen: listen.listen.or(file.listen).unwrap_or(LISTEN),
            tls,
            framed_by: None,
            purses: Purses {
                keys: if listen.purse_keys.is_empty() {
                    file.purse_keys.unwrap_or_default()
                } else {
                    listen.purse_keys.clone()
                },
                key_file: listen.purse_key_file.clone().or(file.purse_key_file),
                patience_ms: listen
                    .purse_patience_min
                    .or(file.purse_patience_min)
                    .map_or(engine::PATIENCE_MS, |minutes| minutes.saturating_mul(MINUTE_MS)),
            },
            public_url: listen
                .public_url
                .clone()
                .or(file.public_url)
                .as_deref()
                .map(public)
                .transpose()?,
            signing: signing::Settings {
                fixed,
                curve: match listen.tse_curve.or(file.tse_curve) {
                    Some(TseCurve::P256) => Curve::P256,
                    Some(TseCurve::BrainpoolP384) | None => Curve::BrainpoolP384,
                },
                count: listen
                    .tse_count
                    .or(file.tse_count)
                    .map_or(1, |count| count.clamp(1, 32)),
                ends_ms: listen
                    .event_ends
                    .clone()
                    .or(file.event_ends)
                    .as_deref()
                    .map(end_of)
                    .transpose()?,
                interruption: listen.simulate_tse_outage,
                secrets: signing::Secrets {
                    key_file: flags.secret_key_file.clone().or(file.secret_key_file),
                    refuses_plain: listen.plain_secrets.or(file.plain_secrets) == Some(PlainSecrets::Refuse),
                },
            },
        })
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data.join("groschen.db")
    }

    /// The database for reading; a fault where there is none.
    pub fn reader(&self) -> anyhow::Result<SqliteReader> {
        let database = self.database();
        anyhow::ensure!(database.exists(), "there is no database at {}", database.display());
        Ok(SqliteReader::open(&database, None)?)
    }
}

/// The end of a day, in UTC: what matters here are weeks.
fn end_of(day: &str) -> Result<u64, SettingsError> {
    let wrong = || SettingsError::EventEnds(day.to_owned());
    let date: jiff::civil::Date = day.parse().map_err(|_| wrong())?;
    let end = date.tomorrow().and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC));
    let end = end.map_err(|_| wrong())?;
    u64::try_from(end.timestamp().as_millisecond()).map_err(|_| wrong())
}

/// A scheme and a host, and nothing behind it.
fn public(url: &str) -> Result<String, SettingsError> {
    let url = url.trim_end_matches('/').to_owned();
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_host = |host: &str| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    if host.is_some_and(is_host) {
        Ok(url)
    } else {
        Err(SettingsError::PublicUrl(url))
    }
}

impl Settings {
    /// Where terminals connect to from outside.
    pub fn terminals_at(&self) -> Option<String> {
        let rest = self.public_url.as_ref()?.strip_prefix("http")?;
        Some(format!("ws{rest}{}", sync::server::PATH))
    }

    /// Whether browsers come by TLS, here or at a proxy in front.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some() || self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// The choices about taxes that the settings make.
fn fixed(listen: &ListenFlags, file: &File) -> Fixed {
    let policy = fix(Choice::OutagePolicy, listen.outage_policy, file.outage_policy);
    let model = fix(Choice::WristbandIs, listen.wristband_is, file.wristband_is);
    let begins = fix(
        Choice::TransactionBegins,
        listen.transaction_begins,
        file.transaction_begins,
    );
    let in_house = fix(Choice::InHouse, listen.in_house, file.in_house);
    Fixed::default()
        .with(Choice::OutagePolicy, policy)
        .with(Choice::WristbandIs, model)
        .with(Choice::TransactionBegins, begins)
        .with(Choice::InHouse, in_house)
}

fn read(path: &Path) -> Result<File, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|why| SettingsError::Unreadable {
        path: path.to_owned(),
        why,
    })?;
    toml::from_str(&text).map_err(|why| SettingsError::Wrong {
        path: path.to_owned(),
        why: Box::new(why),
    })
}

#[cfg(test)]
mod tests;
