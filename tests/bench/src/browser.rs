//! A browser as far as a server sees it: a login, pages, and a page that goes on hearing of changes.
//!
//! It speaks HTTP/1.0, in which an answer ends with its connection: nothing to take apart, and a connection for each page is the slower way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Browser {
    address: SocketAddr,
    cookie: String,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// Until its last byte.
    pub took: Duration,
    /// Until its first byte.
    pub began: Duration,
}

/// A page that hears of changes.
pub struct Listening {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Browser {
    /// Logs in.
    pub async fn log_in(address: SocketAddr, name: &str, password: &str) -> anyhow::Result<Self> {
        let form = format!("name={name}&password={}", password.replace(' ', "+"));
        let request = format!(
            "POST /login HTTP/1.0\r\nHost: {address}\r\nOrigin: http://{address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let answer = exchange(address, &request).await?;
        let cookies = answer.head.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let cookie = value.trim().split(';').next()?;
            name.eq_ignore_ascii_case("set-cookie").then(|| cookie.to_owned())
        });
        let cookie = cookies.collect::<Vec<_>>().join("; ");
        ensure!(!cookie.is_empty(), "no login: {} {}", answer.status, answer.head);
        Ok(Self { address, cookie })
    }

    fn request(&self, path: &str) -> String {
        format!(
            "GET {path} HTTP/1.0\r\nHost: {}\r\nCookie: {}\r\nAccept-Language: de\r\n\r\n",
            self.address, self.cookie
        )
    }

    /// Gets a page.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        exchange(self.address, &self.request(path)).await
    }

    /// Begins to hear of changes.
    pub async fn listen(&self, path: &str) -> anyhow::Result<Listening> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(self.request(path).as_bytes()).await?;
        let mut listening = Listening {
            stream,
            unread: Vec::new(),
        };
        let head = listening.next_until(b"\r\n\r\n").await?;
        ensure!(head.starts_with("HTTP/1.") && head.contains(" 200 "), "{head}");
        Ok(listening)
    }
}

impl Listening {
    /// The next message.
    pub async fn next(&mut self) -> anyhow::Result<String> {
        self.next_until(b"\n\n").await
    }

    async fn next_until(&mut self, end: &[u8]) -> anyhow::Result<String> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|part| part == end) {
                let later = self.unread.split_off(at + end.len());
                let part = std::mem::replace(&mut self.unread, later);
                return Ok(String::from_utf8_lossy(&part).into_owned());
            }
            ensure!(self.stream.read_buf(&mut self.unread).await? > 0, "the server closed");
        }
    }
}

async fn exchange(address: SocketAddr, request: &str) -> anyhow::Result<Answer> {
    let since = Instant::now();
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::with_capacity(1 << 16);
    stream.read_buf(&mut bytes).await?;
    let began = since.elapsed();
    stream.read_to_end(&mut bytes).await?;
    let took = since.elapsed();
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
    let body = bytes.split_off(end.context("an answer has a head")? + 4);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.context("an answer has a status")?,
        head,
        body,
        took,
        began,
    })
}
