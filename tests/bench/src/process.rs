//! The server as a process of its own, and what the system says of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use shared_protocol::{SlotId, TillId};

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Codes to register with, one per till asked for.
    pub codes: Vec<(SlotId, Vec<u8>)>,
    /// From the start of the process to its first line.
    pub ready_after: Duration,
}

impl Server {
    /// Starts this program again as the server.
    pub fn start(data: &Path, tills: &[TillId]) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "server",
                "--sample",
                "--json",
                "--no-confirm",
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data);
        for till in tills {
            command.args(["--register", &till.to_string()]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .env("GROSCHEN_LOG", "warn")
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("the server's output")?).lines();
        let mut next = || -> anyhow::Result<serde_json::Value> {
            Ok(serde_json::from_str(&lines.next().context("the server ended")??)?)
        };
        let first = next()?;
        let ready_after = begun.elapsed();
        let url = first["listening"].as_str().context("an address")?;
        let address = url
            .trim_start_matches("ws://")
            .split('/')
            .next()
            .context("an address")?
            .parse()?;
        let mut codes = Vec::new();
        for _ in tills {
            let code = next()?;
            let slot = code["slot"].as_str().and_then(SlotId::parse).context("a slot")?;
            codes.push((
                slot,
                code["secret"]
                    .as_str()
                    .and_then(shared_protocol::ids::parse_hex)
                    .context("a secret")?,
            ));
        }
        Ok(Self {
            child,
            address,
            codes,
            ready_after,
        })
    }

    /// Processor time used so far, in microseconds.
    pub fn cpu_us(&self) -> u64 {
        cpu_us(self.child.id())
    }

    /// The same of its writer's thread alone, which is the one that no second core can help.
    pub fn writer_cpu_us(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let tasks = tasks.into_iter().flatten().filter_map(Result::ok);
        let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
        stats
            .filter(|stat| stat.contains("(writer)"))
            .map(|stat| ticks_us(&stat))
            .sum()
    }

    /// The largest memory it ever had, in KiB.
    pub fn peak_kib(&self) -> u64 {
        status(self.child.id(), "VmHWM:")
    }

    /// The memory it has now, in KiB.
    pub fn resident_kib(&self) -> u64 {
        status(self.child.id(), "VmRSS:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it acknowledged is durable; nothing is measured any more.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _closed = std::io::stdout().flush();
    }
}

/// Processor time of a process.
pub fn cpu_us(pid: u32) -> u64 {
    ticks_us(&std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default())
}

/// User and system time of a `stat` line, in clock ticks of 10 ms (Linux on every common machine).
fn ticks_us(stat: &str) -> u64 {
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index: usize| {
        let field = after.split_whitespace().nth(index);
        field.and_then(|field| field.parse::<u64>().ok()).unwrap_or_default()
    };
    (ticks(11) + ticks(12)) * 10_000
}

/// The largest memory this process ever had, in KiB.
pub fn peak_kib() -> u64 {
    status(std::process::id(), "VmHWM:")
}

fn status(pid: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
