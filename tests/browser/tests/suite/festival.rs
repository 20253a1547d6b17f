//! A festival on this machine: the server with the sample catalogue, and tills as pages.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_ffi::{Endpoint, MirrorTo};
use desk::{Desk, Options, Simulation, Wristband};
use groschen::instance::Instance;
use groschen::settings::Settings;
use groschen::{receipt, signing, wristbands};
use shared_protocol::TillId;
use store::Role;

/// The first till of the bar at the lake.
pub const BAR: TillId = TillId(201);
/// The first till of the top-up desk in the north.
pub const TOP_UP: TillId = TillId(1_101);
/// A till at the entry, which sells and takes money in.
pub const ENTRY: TillId = TillId(101);

/// Who may log in to the console.
pub const USER: &str = "lena";
/// Her password.
pub const PASSWORD: &str = "seven bells at noon";

/// How long a till may take to be registered on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A server and its folder.
pub struct Festival {
    pub server: Instance,
    /// Wristbands that lie beside every till.
    pub tray: Vec<Wristband>,
    pub dir: tempfile::TempDir,
}

impl Festival {
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(fixtures::sample::items()).await
    }

    /// The festival as it is near borders, with francs and crowns.
    pub async fn near_borders() -> anyhow::Result<Self> {
        Self::start_with(fixtures::sample::config_with_currencies().items()).await
    }

    async fn start_with(items: Vec<shared_protocol::config::Item>) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let settings = Settings {
            data: dir.path().join("server"),
            listen: ANY_PORT,
            tls: None,
            signing: signing::Settings::default(),
            public_url: None,
            tses: Vec::new(),
            framed_by: None,
            purses: groschen::settings::Purses::default(),
        };
        std::fs::create_dir_all(&settings.data)?;
        let options = store_sqlite::Options::default();
        let mut books = store_sqlite::SqliteStore::open(settings.database(), &options)?;
        engine::bootstrap(&mut books, fixtures::sample::EVENT, &items)?;
        let office = groschen::tax::of_sample(fixtures::sample::EVENT);
        let commit = store::Commit {
            office,
            ..store::Commit::default()
        };
        store::Store::commit(&mut books, &commit)?;
        console::create_user(&mut books, USER, PASSWORD, Role::Admin, 0)?;
        drop(books);
        let server = Instance::start_with(&settings, true, true).await?;
        let tray = wristbands::by_id(3)
            .into_iter()
            .chain(wristbands::with_purses(2))
            .collect();
        Ok(Self { server, tray, dir })
    }

    /// A till that is registered; nobody is logged in.
    pub async fn desk(&self, till: TillId) -> anyhow::Result<Desk> {
        self.desk_with(till, Vec::new()).await
    }

    /// The same with second places for its journal.
    pub async fn desk_with(&self, till: TillId, mirrors: Vec<MirrorTo>) -> anyhow::Result<Desk> {
        let slot = self.server.open_slot(till, false).await?;
        let desk = Desk::start(Options {
            listen: ANY_PORT,
            data: self.desk_folder(till),
            server: Endpoint::new(&format!("ws://{}{}", self.server.address, sync::server::PATH), None)?,
            receipts: Some(format!("http://{}{}", self.server.address, receipt::page::PATH)),
            console: Some(format!("http://{}", self.server.address)),
            reader: None,
            keys: Some(wristbands::desk_keys()),
            wristbands: self.tray.clone(),
            simulation: Simulation { faults: true },
            framed_by: None,
            mirrors,
        })
        .await?;
        desk.register(terminal::Invitation {
            slot: slot.id,
            secret: slot.secret,
            device: "browser test".to_owned(),
            config_key: None,
        })
        .await;
        anyhow::ensure!(desk.registered(PATIENCE).await, "till {till} was not registered");
        Ok(desk)
    }

    /// The same with somebody at it.
    pub async fn staffed(&self, till: TillId) -> anyhow::Result<Desk> {
        Self::staff(till, self.desk(till).await?).await
    }

    /// Logs somebody in.
    pub async fn staff(till: TillId, desk: Desk) -> anyhow::Result<Desk> {
        desk.log_in(fixtures::sample::cashier_of(till)).await;
        anyhow::ensure!(desk.ready(PATIENCE).await, "till {till} cannot sell");
        Ok(desk)
    }

    fn desk_folder(&self, till: TillId) -> PathBuf {
        self.dir.path().join(format!("till-{till}"))
    }
}

/// Where pictures of pages go: `CARGO_TARGET_TMPDIR`, to be looked at after a run.
pub fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("pictures")
        .join(format!("{name}.png"))
}
