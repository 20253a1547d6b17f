//! `groschen demo`: the sample festival alive in the browser. Server, tills and guests run in this process over real websockets, in time-lapse; one
//! page shows a till to sell with, the console, and a switch for every till's network.

mod festival;
mod page;
mod tour;

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use pages::Language;

use crate::Exit;
use festival::Festival;

/// Arguments of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// How many tills sell by themselves.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=24))]
    tills: u32,
    /// Orders a second over all tills.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=200))]
    rate: u32,
    /// The port of the page on this machine; another one when it is taken.
    #[arg(long, default_value_t = 8400)]
    port: u16,
    /// Do not open a browser.
    #[arg(long)]
    no_browser: bool,
    /// End by itself after so many seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// Words in the terminal; the pages speak the browser's language.
    #[arg(long, value_enum, default_value_t = Language::from_environment())]
    language: Language,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = tempfile::tempdir().context("a folder for the demo")?;
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    runtime.block_on(show(arguments, dir.path()))?;
    Ok(Exit::Done)
}

/// How often the terminal says how it is.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// A demo that runs.
pub struct Demo {
    /// Where its page is.
    pub url: String,
    festival: Arc<Festival>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Demo {
    /// Starts everything in a folder of its own; the page is at this port of this machine, or at another one when it is taken.
    pub async fn start(dir: &std::path::Path, tills: u32, rate: u32, port: u16) -> anyhow::Result<Self> {
        let at = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let listener = match tokio::net::TcpListener::bind(at(port)).await {
            Ok(listener) => listener,
            Err(_) => tokio::net::TcpListener::bind(at(0)).await.context("no port is free")?,
        };
        let url = format!("http://{}/", listener.local_addr()?);
        let festival = Arc::new(Festival::start(dir, tills, rate, &url).await?);
        let routes = page::routes(Arc::clone(&festival));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, festival, serving })
    }

    /// Ends everything in order.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.serving.abort();
        self.festival.stop().await
    }
}

async fn show(arguments: &Arguments, dir: &std::path::Path) -> anyhow::Result<()> {
    let words = arguments.language;
    eprintln!(
        "{}",
        words.of("Server und Kassen werden gestartet …", "Starting server and tills …")
    );
    let demo = Demo::start(dir, arguments.tills, arguments.rate, arguments.port).await?;
    println!("{}", demo.url);
    eprintln!(
        "{}",
        words.of(
            "Öffne diese Adresse im Browser. Strg-C beendet die Demo und löscht ihre Daten.",
            "Open this address in a browser. Ctrl-C ends the demo and deletes its data.",
        )
    );
    if !arguments.no_browser {
        open_browser(&demo.url);
    }
    let done = watch(arguments, &demo.festival).await;
    demo.stop().await?;
    done
}

/// Opens the page where there is a screen to open it on. Whoever has none reads the address.
fn open_browser(url: &str) {
    let has_screen = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
    if has_screen && std::io::stdout().is_terminal() {
        let silent = std::process::Stdio::null;
        let started = std::process::Command::new("xdg-open")
            .arg(url)
            .stdout(silent())
            .stderr(silent())
            .spawn();
        if let Err(error) = started {
            tracing::debug!(%error, "no browser could be opened");
        }
    }
}

async fn watch(arguments: &Arguments, festival: &Festival) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut lines = tokio::time::interval(LINE_EVERY);
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    // At a terminal one line that changes; in a file or a pipe one after the other.
    let end = if std::io::stdout().is_terminal() {
        "\x1b[K\r"
    } else {
        "\n"
    };
    loop {
        tokio::select! {
            _ = lines.tick() => {
                let parts: Vec<String> = festival.figures(arguments.language)?.into_iter().map(|(what, value)| format!("{what} {value}")).collect();
                print!("{:>4} s  {}{end}", begun.elapsed().as_secs(), parts.join(" · "));
                std::io::Write::flush(&mut std::io::stdout())?;
                if arguments.seconds.is_some_and(|seconds| begun.elapsed() >= Duration::from_secs(seconds)) {
                    return Ok(());
                }
            }
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = terminated.recv() => return Ok(()),
        }
    }
}
