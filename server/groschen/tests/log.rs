//! The log of a server that says all it can: lines for machines, and nothing in them that is anybody's secret or anybody's business.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use e2e::RawClient;
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::chain::EpochStart;
use shared_protocol::invitation::Invitation;
use shared_protocol::message::{Authorise, LogUpload, Message, Query};
use shared_protocol::order::OrderKind;
use shared_protocol::{CartId, CommandId, RequestId};

const PASSWORD: &str = "quarz und dunkelziffer";
const WRONG_PASSWORD: &str = "beinahe quarz und ziffer";
/// Cents that nothing else in a log can be.
const TOPPED_UP: i64 = 7_654_321;
const ASKED: i64 = 1_234_567;

fn groschen(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groschen"));
    command
        .env_remove("GROSCHEN_DATA")
        .env("GROSCHEN_LOG", "trace,tungstenite::protocol=trace")
        .env("GROSCHEN_DATA", data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn add_admin(data: &Path) {
    let mut adding = groschen(data)
        .args(["user", "add", "ada", "--role", "admin", "--password-stdin"])
        .spawn()
        .unwrap();
    writeln!(adding.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let output = adding.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A server as people run it, its log read as it comes: a full pipe would stop it.
struct Server {
    child: Child,
    address: SocketAddr,
    code: String,
    log: std::thread::JoinHandle<String>,
}

impl Server {
    fn start(data: &Path, till: u32) -> Self {
        let mut child = groschen(data)
            .args(["serve", "--sample", "--json", "--no-confirm", "--listen", "127.0.0.1:0"])
            .args(["--register", &till.to_string()])
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
        let url = said()["listening"].as_str().unwrap().to_owned();
        let code = said()["code"].as_str().unwrap().to_owned();
        let address = url.trim_start_matches("ws://").split('/').next().unwrap();
        Self {
            address: address.parse().unwrap(),
            code,
            child,
            log,
        }
    }

    fn http(&self, method: &str, path: &str, cookie: &str, form: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let (host, length) = (self.address, form.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{form}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn log_in(&self, password: &str) -> String {
        let form = format!("name=ada&password={}&next=/orders", password.replace(' ', "+"));
        self.http("POST", "/login", "", &form)
    }

    /// Asks it to end, as a service manager does, and gives its log.
    fn stop(mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

/// Registers, tops up, asks and sells, also in frames that cannot be read.
async fn sell(server: &Server, till: &mut PaperTill, invitation: &Invitation) {
    let tag = sample::wristband(1);
    let mut client = RawClient::connect(server.address).await;
    let register = till.register(invitation.slot, &invitation.secret, &client.challenge.nonce);
    let Message::Registered(registered) = client.ask(register).await else {
        panic!("not registered")
    };
    let registration = registered.certificate.read(&registered.config_key).unwrap();
    (till.id, till.epoch) = (registration.terminal, EpochStart::FIRST);
    let hello = till.hello(registered.certificate);
    let mut client = RawClient::connect(server.address).await;
    let seed = 1;
    assert!(matches!(client.hello(&hello, seed).await, Message::Welcome(_)));
    till.top_up(tag, TOPPED_UP);
    assert!(matches!(client.push(till.push_from(1)).await, Message::Ack(_)));
    let query = Query {
        request: RequestId([1; 16]),
        tag,
    };
    let Message::QueryResult(result) = client.ask(query).await else {
        panic!("no answer")
    };
    assert_eq!(result.free.0, TOPPED_UP);
    let authorise = Authorise {
        request: RequestId([2; 16]),
        cart: CartId([2; 16]),
        tag,
        amount: shared_protocol::Amount(ASKED),
    };
    assert!(matches!(client.ask(authorise).await, Message::AuthoriseResult(_)));
    let command = CommandId([3; 16]);
    let told = format!("{} had {TOPPED_UP}", shared_protocol::ids::hex(tag.as_slice()));
    client.send(LogUpload { command, text: told }).await;
    till.pay_out(tag, ASKED);
    assert!(matches!(client.push(till.push_from(2)).await, Message::Ack(_)));
    let cut_off = Message::from(till.push_from(1)).frame();
    client.send_bytes(cut_off[..cut_off.len() - 1].to_vec()).await;
    client.fatal().await;
}

/// Bytes in every way that a library writes them.
fn spellings(bytes: &[u8]) -> Vec<String> {
    let list = |write: &dyn Fn(&u8) -> String, between: &str| bytes.iter().map(write).collect::<Vec<_>>().join(between);
    let hex = shared_protocol::ids::hex(bytes);
    vec![
        hex.to_uppercase(),
        hex,
        list(&|byte| byte.to_string(), ", "),
        list(&|byte| byte.to_string(), ","),
        list(&|byte| format!("{byte:02x}"), " "),
        list(&|byte| format!("{byte:02x}"), ", "),
        list(&|byte| format!("{byte:x}"), ", "),
        list(&|byte| format!("0x{byte:02x}"), ", "),
        bytes.escape_ascii().to_string(),
        // As a string in JSON, where every backslash is two.
        bytes.escape_ascii().to_string().replace('\\', "\\\\"),
    ]
}

/// Money in cents and as people read it.
fn sums(cents: i64) -> Vec<String> {
    let (euros, rest) = (cents / 100, cents % 100);
    let mut grouped = String::new();
    for (place, digit) in euros.to_string().chars().enumerate() {
        if place > 0 && (euros.to_string().len() - place).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let english = grouped.replace('.', ",");
    let mut cbor = String::from("1a");
    write!(cbor, "{cents:08x}").unwrap();
    vec![
        cents.to_string(),
        format!("{euros}.{rest:02}"),
        format!("{euros},{rest:02}"),
        format!("{grouped},{rest:02}"),
        format!("{english}.{rest:02}"),
        cbor,
    ]
}

#[test]
fn a_log_that_says_everything_says_no_secret_and_nothing_of_a_guest() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    add_admin(data);
    let mut till = PaperTill::that_books(&[OrderKind::TopUp, OrderKind::PayOut], 1);
    let server = Server::start(data, till.till.0);
    let code = server.code.clone();
    let invitation = Invitation::parse(&code).unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(sell(&server, &mut till, &invitation));
    assert!(server.log_in(WRONG_PASSWORD).starts_with("HTTP/1.1 401"));
    let entered = server.log_in(PASSWORD);
    let cookie = entered
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next())
        .unwrap_or_else(|| panic!("no cookie: {entered}"))
        .to_owned();
    let tag = shared_protocol::ids::hex(sample::wristband(1).as_slice());
    let wristband = server.http("GET", &format!("/wristbands?tag={tag}"), &cookie, "");
    assert!(wristband.contains(&tag), "{wristband}");
    for path in [
        "/",
        "/orders",
        "/cases",
        "/terminals",
        "/audit",
        "/users",
        "/tse",
        "/nowhere",
    ] {
        let page = server.http("GET", path, &cookie, "");
        assert!(page.starts_with("HTTP/1.1 200") || path == "/nowhere", "{path}: {page}");
    }
    let form = format!("tag={tag}&reason=lost");
    server.http("POST", "/wristbands/block", &cookie, &form);
    let log = server.stop();

    for said in [
        "the server has started",
        "a terminal sent its log",
        "the server has ended in order",
    ] {
        assert!(log.lines().any(|line| line.contains(said)), "{said}: {log}");
    }
    for line in log.lines() {
        let read: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(read["level"].is_string() && read["target"].is_string(), "{line}");
    }
    let secret_of = |name: &str| std::fs::read(data.join(name)).unwrap();
    let mut secrets: Vec<(&str, Vec<String>)> = vec![
        ("a wristband's id", spellings(sample::wristband(1).as_slice())),
        ("the registration's secret", spellings(&invitation.secret)),
        ("the registration's code", vec![code]),
        (
            "the session's cookie",
            vec![cookie.split_once('=').unwrap().1.to_owned()],
        ),
        ("what was topped up", sums(TOPPED_UP)),
        ("what was asked for", sums(ASKED)),
        ("what is left", sums(TOPPED_UP - ASKED)),
        ("the config key", spellings(&secret_of("config.key"))),
        ("the TSE's key", spellings(&secret_of("tse.key"))),
        ("the till's key", spellings(&[1; 32])),
    ];
    for password in [PASSWORD, WRONG_PASSWORD] {
        let spelled = vec![
            password.to_owned(),
            password.replace(' ', "+"),
            password.replace(' ', "%20"),
        ];
        secrets.push(("a password", spelled));
    }
    for (what, spelled) in secrets {
        for text in spelled {
            let line = log.lines().find(|line| line.contains(&text));
            assert!(
                line.is_none(),
                "{what} is in the log as {text}: {}",
                line.unwrap_or_default()
            );
        }
    }
}
