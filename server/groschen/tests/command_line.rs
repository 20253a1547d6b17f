//! The binary as people run it: a simulated day, its audit, the demo, and wrong calls.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Output, Stdio};

fn groschen(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_groschen"))
        .args(arguments)
        .env_remove("GROSCHEN_DATA")
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn last_json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no output; {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(line).unwrap()
}

/// An outside verifier accepts the code of each, and each form can be had.
fn every_order_has_its_receipt(data: &str, orders: Option<u64>) {
    let receipts = groschen(&["receipt", "--all", "--qr", "--data", data]);
    let codes = String::from_utf8_lossy(&receipts.stdout).into_owned();
    let count = codes.lines().count() as u64;
    assert_eq!(Some(count), orders, "{}", String::from_utf8_lossy(&receipts.stderr));
    assert!(codes.lines().all(|code| code.starts_with("V0;")));
    if let Some(verdicts) = judges::receipt_codes(&codes) {
        assert_eq!(verdicts.len() as u64, count);
        let refused: Vec<&String> = verdicts
            .iter()
            .filter(|verdict| !verdict.starts_with("(True"))
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
    its_tses_prove_every_order(data, &codes);
    let text = groschen(&["receipt", "--all", "--language", "de", "--data", data]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert_eq!(
        text.matches("NICHT ZERTIFIZIERT").count() as u64,
        count,
        "each says that it is not certified"
    );
    let addresses = [
        "Am Heidesee 4, 19999",
        "Alte Röstergasse 17, 10999",
        "Kelterweg 2, 55999",
    ];
    let named: usize = addresses.iter().map(|address| text.matches(address).count()).sum();
    assert_eq!(named as u64, count, "each names the full address of the business");
    assert_eq!(
        text.matches("KOPIE").count() as u64,
        count,
        "whoever prints it again says so"
    );
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("Belegnummer"))
        .unwrap()
        .trim();
    let pdf = groschen(&["receipt", id, "--form", "pdf", "--data", data]);
    assert!(pdf.stdout.starts_with(b"%PDF-") && pdf.stdout.trim_ascii_end().ends_with(b"%%EOF"));
    let printer = groschen(&[
        "receipt",
        id,
        "--form",
        "escpos",
        "--width",
        "58",
        "--original",
        "--data",
        data,
    ]);
    assert!(printer.stdout.starts_with(b"\x1b@\x1bt\x13"), "{:?}", printer.stderr);
    assert!(!String::from_utf8_lossy(&printer.stdout).contains("COPY"));
    let narrow = groschen(&["receipt", id, "--width", "57", "--data", data]);
    assert_ne!(narrow.status.code(), Some(0));
    let unknown = groschen(&["receipt", "00", "--data", data]);
    assert_eq!(unknown.status.code(), Some(3));
}

#[test]
fn a_plain_day_has_nothing_in_suspense_and_a_clean_audit() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let output = groschen(&[
        "simulate",
        "--terminals",
        "12",
        "--orders",
        "600",
        "--rate",
        "120",
        "--data",
        data,
        "--json",
    ]);
    let verdict = last_json(&output);
    for (name, wanted) in [
        ("lost", 0),
        ("doubled", 0),
        ("refused", 0),
        ("in_suspense", 0),
        ("cases", 0),
        ("unanswered", 0),
        ("unsigned", 0),
        ("unsigned_in_outage", 0),
    ] {
        assert_eq!(verdict[name], wanted, "{name}: {verdict}");
    }
    assert_eq!(
        (&verdict["ledger_balanced"], &verdict["shown_paid"]),
        (&true.into(), &verdict["acknowledged"]),
        "{verdict}"
    );
    assert!(verdict["shown_paid"].as_u64().unwrap() >= 600, "{verdict}");
    assert_eq!(output.status.code(), Some(0));

    let server = dir.path();
    let audit = groschen(&["audit", "--data", server.to_str().unwrap(), "--json"]);
    let findings = last_json(&audit);
    assert_eq!(
        (audit.status.code(), &findings["faults_total"]),
        (Some(0), &0.into()),
        "{findings}"
    );

    // Each till begins one shift.
    assert_eq!(verdict["shifts"], 12, "{verdict}");
    every_order_has_its_receipt(data, verdict["signed"].as_u64());

    // One changed byte in one stored order: the audit names the row.
    let database = rusqlite::Connection::open(server.join("groschen.db")).unwrap();
    let tables: Vec<String> = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for name in tables {
        database.execute_batch(&format!("DROP TRIGGER \"{name}\"")).unwrap();
    }
    let changed = database
        .execute("UPDATE journal SET raw = zeroblob(length(raw)) WHERE no = 300", [])
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);
    let audit = groschen(&["audit", "--data", server.to_str().unwrap(), "--json"]);
    let findings = last_json(&audit);
    assert_eq!(audit.status.code(), Some(1));
    assert!(findings["faults"][0].as_str().unwrap().contains("no 300"), "{findings}");
}

/// The export of each TSE holds with nothing missing up to its root, here and before an outside verifier, and knows the keys of all receipts.
fn its_tses_prove_every_order(data: &str, codes: &str) {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().to_str().unwrap();
    let output = groschen(&["export", "tse", "--data", data, "--out", audit, "--json"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let field = |name: &str| -> Vec<&str> { lines.iter().map(|line| line[name].as_str().unwrap()).collect() };
    assert!(!lines.is_empty() && lines.iter().all(|line| line["certified"] == false));

    let root = field("root")[0];
    let mut arguments = vec!["verify", "tse", "--complete", "--json", "--root", root];
    arguments.extend(field("file"));
    let output = groschen(&arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let mut ended = 0;
    for (line, exported) in text.lines().zip(&lines) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let report = &line["report"];
        assert_eq!(
            (&report["errors"], &report["warnings"]),
            (&0.into(), &0.into()),
            "{report}"
        );
        assert_eq!(report["messages"], exported["messages"]);
        assert_eq!(report["keys"][0]["trust"], "given-root");
        assert_eq!(report["keys"][0]["serial"], exported["serial"]);
        ended += report["transactions"].as_u64().unwrap() - report["open_total"].as_u64().unwrap();
    }
    // Carts that were given up are signed besides.
    assert!(ended >= codes.lines().count() as u64, "{ended}");
    for file in field("file") {
        if let Some(verdict) = judges::tse_export(&std::fs::read(file).unwrap()) {
            assert_eq!(verdict.do_not, 0, "{}", verdict.text);
        }
    }

    let mut arguments = vec!["verify", "receipt"];
    for serial in field("serial") {
        arguments.extend(["--tse", serial]);
    }
    let (all, changed) = (codes.to_owned(), codes.replacen(".00_0.00", ".01_0.00", 1));
    for (codes, code) in [(all, 0), (changed, 1)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_groschen"))
            .args(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let writing = std::thread::spawn(move || input.write_all(codes.as_bytes()).unwrap());
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert_eq!(
            text.matches("ERROR signature-wrong").count(),
            usize::try_from(code).unwrap()
        );
    }
}

#[test]
fn with_outages_dead_tills_and_a_killed_server_nothing_is_lost_or_doubled() {
    let output = groschen(&[
        "simulate",
        "--terminals",
        "12",
        "--orders",
        "900",
        "--rate",
        "100",
        "--tse-outage",
        "10/3",
        "--outage",
        "3",
        "--kill-tills",
        "4",
        "--kill-server",
        "--json",
    ]);
    let verdict = last_json(&output);
    for (name, wanted) in [("lost", 0), ("doubled", 0), ("tills_unsent", 0)] {
        assert_eq!(verdict[name], wanted, "{name}: {verdict}");
    }
    assert_eq!(
        (&verdict["ledger_balanced"], &verdict["unsigned"]),
        (&true.into(), &0.into()),
        "{verdict}"
    );
    assert!(verdict["signed_late"].as_u64().unwrap() > 0, "{verdict}");
    assert!(verdict["shown_paid"].as_u64().unwrap() > 500, "{verdict}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_demo_runs_where_nobody_looks() {
    let output = groschen(&[
        "demo",
        "--port",
        "0",
        "--no-browser",
        "--tills",
        "4",
        "--rate",
        "30",
        "--seconds",
        "3",
        "--language",
        "de",
    ]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.lines().count() >= 4 && text.contains("Umsatz") && text.contains("mind. "),
        "{text}"
    );
    assert!(!text.lines().last().unwrap().contains("Buchungen 0 "), "{text}");
}

/// A page of a server, by hand: status line, headers, body.
fn page(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_server_says_how_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_groschen"))
        .args(["serve", "--sample", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let url = first["listening"].as_str().unwrap();
    let address = url.trim_start_matches("ws://").split('/').next().unwrap();
    assert!(page(address, "/healthz").starts_with("HTTP/1.1 200"));
    let ready = page(address, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    for check in ["store", "tse", "clock", "not certified"] {
        assert!(ready.contains(check), "{ready}");
    }
    let metrics = page(address, "/metrics");
    for row in [
        "groschen_journal_rows 0",
        "groschen_tse_outage 0",
        "groschen_signer_behind_rows",
    ] {
        assert!(metrics.contains(row), "{metrics}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn the_doctor_names_what_is_wrong() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let call = ["doctor", "--data", data, "--listen", "127.0.0.1:0", "--json"];
    let healthy = groschen(&call);
    let found = last_json(&healthy);
    assert_eq!(
        (healthy.status.code(), &found["state"]),
        (Some(0), &"warn".into()),
        "{found}"
    );
    let key = dir.path().join("config.key");
    std::fs::write(&key, [1; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(dir.path().join("groschen.db"), vec![7; 4_096]).unwrap();
    let ill = groschen(&call);
    let found = last_json(&ill);
    assert_eq!(ill.status.code(), Some(1));
    let failed: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["state"] == "fail")
        .map(|check| check["what"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["config.key", "database"], "{found}");
    let german = groschen(&["doctor", "--data", data, "--listen", "127.0.0.1:0", "--language", "de"]);
    assert!(String::from_utf8_lossy(&german.stdout).contains("können andere lesen"));
}

#[test]
fn wrong_calls_say_what_is_wrong_and_have_their_own_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let settings = dir.path().join("groschen.toml");
    std::fs::write(&settings, "datta = \"x\"\n").unwrap();
    let garbage = settings.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 11] = [
        (&[], 2, "Usage"),
        (&["sell"], 2, "unrecognized subcommand"),
        (&["simulate", "--terminals", "1"], 2, "not in 2..=2000"),
        (&["audit", "--config", settings.to_str().unwrap()], 2, "datta"),
        (&["audit", "--data", data], 3, "there is no database"),
        (&["serve", "--data", data, "--listen", "127.0.0.1:0"], 3, "no event yet"),
        (
            &["export", "tse", "--data", data, "--out", data],
            3,
            "there is no TSE in software",
        ),
        (&["verify", "tse", "not-there.tar"], 2, "not-there.tar cannot be read"),
        (
            &["verify", "tse", garbage, "--root", garbage],
            2,
            "cannot be used as a root",
        ),
        (&["verify", "receipt", "--tse", "12"], 2, "64 hexadecimal digits"),
        (&["verify", "receipt"], 2, "no code on the standard input"),
    ];
    for (arguments, code, wanted) in cases {
        let output = groschen(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(wanted), "{arguments:?}: {text}");
    }
    let output = groschen(&["verify", "tse", garbage]);
    assert_eq!(output.status.code(), Some(1), "what is no archive does not hold");
    assert!(String::from_utf8_lossy(&output.stdout).contains("ERROR tar-"));
    let german = groschen(&["verify", "tse", garbage, "--language", "de"]);
    let text = String::from_utf8_lossy(&german.stdout);
    assert!(
        text.contains("FEHLER tar-") && text.contains("das Archiv") && text.contains("Der Export stimmt NICHT"),
        "{text}"
    );
    let english = groschen(&["verify", "tse", garbage, "--json"]).stdout;
    let german = groschen(&["verify", "tse", garbage, "--json", "--language", "de"]).stdout;
    assert_eq!(german, english, "programs read English");
    std::fs::write(dir.path().join("groschen.db"), vec![7; 4_096]).unwrap();
    let output = groschen(&["audit", "--data", data]);
    assert_eq!(
        output.status.code(),
        Some(3),
        "an unreadable database is said to be one"
    );
}

#[test]
fn the_first_user_comes_from_the_command_line_with_a_password_shown_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let add = |name: &str| groschen(&["user", "add", name, "--role", "admin", "--data", data]);
    let output = add("lena");
    let says = String::from_utf8(output.stdout).unwrap();
    let password = says.trim().rsplit(' ').next().unwrap();
    assert_eq!((output.status.code(), password.len()), (Some(0), 23), "{says}");
    let database = std::fs::read(dir.path().join("groschen.db")).unwrap();
    assert!(
        !database
            .windows(password.len())
            .any(|bytes| bytes == password.as_bytes())
    );
    assert_eq!(add("lena").status.code(), Some(3), "there is a lena");
    assert_eq!(add("<lena>").status.code(), Some(3), "no name");
    assert_eq!(
        groschen(&["user", "add", "x", "--role", "boss", "--data", data])
            .status
            .code(),
        Some(2)
    );
}
