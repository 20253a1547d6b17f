//! A desk takes cash without a network and dies. What it took is on a stick and at a neighbour, and comes into the books once.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use core_ffi::mirror::{KeeperKey, MirrorFault, MirrorState, files};
use core_ffi::{Mirror, MirrorTo, MirroredQueue, QueueReader, keys};
use e2e::{Crewed, Server};
use fixtures::paper::PaperTill;
use fixtures::sample;
use groschen::keep;
use shared_protocol::TillId;
use shared_protocol::message::Certificate;
use shared_protocol::mirror::{
    FORMAT, Mirror as File, MirroredEntry, Opening, PROOF_HEADER, Record, UPLOAD_MAX_BYTES, upload_path,
};
use shared_protocol::order::OrderKind;
use store::Role;
use terminal::screen::{Page, Pill};

const PATIENCE: Duration = Duration::from_secs(30);
const KEY: [u8; 32] = [9; 32];

/// A desk's laptop with its second places. When its screen has said something, every place that keeps up has it.
struct Laptop {
    desk: Crewed,
    mirrors: Vec<Mirror>,
}

impl Laptop {
    fn switch_on(data: &Path, server: &Server, places: &[MirrorTo]) -> Self {
        let start = |to| {
            let signer = Box::new(keys::device_key(&data.join("device.key")).unwrap());
            Mirror::start(to, QueueReader::new(data.join("queue.db")), signer).unwrap()
        };
        let mut mirrors = Vec::new();
        let desk = Crewed::with_queue(data, server, |queue| {
            mirrors.extend(places.iter().map(start));
            MirroredQueue::new(queue, mirrors.clone())
        });
        Self { desk, mirrors }
    }

    async fn copied(&self) {
        for mirror in &self.mirrors {
            state(mirror, |state| state == MirrorState::UpToDate).await;
        }
    }
}

fn top_up_till() -> TillId {
    PaperTill::that_books(&[OrderKind::TopUp], 1).till
}

async fn state(mirror: &Mirror, wanted: impl Fn(MirrorState) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !wanted(mirror.status().state) {
        assert!(Instant::now() < until, "{:?}", mirror.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn keeper(folder: &Path) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = keep::routes(folder, KeeperKey::new(&KEY));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

fn to_keeper(address: SocketAddr, key: [u8; 32]) -> MirrorTo {
    MirrorTo::Keeper {
        url: format!("http://{address}"),
        key: KeeperKey::new(&key),
        authority: None,
    }
}

/// A browser of somebody of the office.
struct Office {
    client: reqwest::Client,
    base: String,
    cookie: String,
}

impl Office {
    async fn of(server: &Server) -> Self {
        let cookie = server.instance.admit("finn", Role::Finance).await.unwrap();
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(no_tls())
            .build()
            .unwrap();
        let base = format!("http://{}", server.instance.address);
        Self { client, base, cookie }
    }

    async fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> String {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("origin", &self.base)
            .header("content-type", kind)
            .body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 303, "{path}");
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Uploads files; gives the page where they can be looked at.
    async fn upload(&self, files: &[PathBuf]) -> String {
        let mut body = Vec::new();
        for file in files {
            body.extend(b"--m\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.groschen\"\r\n\r\n");
            body.extend(std::fs::read(file).unwrap());
            body.extend(b"\r\n");
        }
        body.extend(b"--m--\r\n");
        self.post("/import", "multipart/form-data; boundary=m", body).await
    }

    async fn look(&self, path: &str) -> String {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        request.send().await.unwrap().text().await.unwrap()
    }
}

/// Clients of plain http still need to be told whom they would trust: nobody.
fn no_tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn all_money(server: &Server) -> Vec<i64> {
    (1..=5).map(|number| server.money(number)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_dies_offline_loses_no_top_up_and_coming_back_doubles_none() {
    let server = Server::start().await;
    let (data, stick, kept) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let places = [
        MirrorTo::Folder {
            path: stick.path().to_owned(),
            not_beside: None,
        },
        to_keeper(keeper(kept.path()).await, KEY),
    ];
    let mut laptop = Laptop::switch_on(data.path(), &server, &places);
    laptop.desk.register(&server, top_up_till()).await;
    laptop.desk.top_up(sample::wristband(1), 1_000).await;
    laptop.desk.wait_for(|screen| screen.pill == Pill::Online).await;
    laptop.desk.cut().await;
    for (number, cents) in [(2, 2_000), (3, 3_000), (4, 4_000)] {
        laptop.desk.top_up(sample::wristband(number), cents).await;
    }
    laptop.copied().await;
    laptop.desk.till.pull_the_battery().await;
    drop(laptop);
    // The laptop is in the lake, with its disk.
    let lake = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(data.path()).unwrap() {
        let file = file.unwrap();
        std::fs::rename(file.path(), lake.path().join(file.file_name())).unwrap();
    }
    assert_eq!(all_money(&server), [1_000, 0, 0, 0, 0]);

    // The stick and the neighbour have the same.
    let (on_stick, at_neighbour) = (files(stick.path()).unwrap(), files(kept.path()).unwrap());
    let read = |paths: &[PathBuf]| File::read(&std::fs::read(&paths[0]).unwrap()).unwrap();
    assert_eq!((on_stick.len(), at_neighbour.len()), (1, 1));
    assert!(read(&on_stick).entries == read(&at_neighbour).entries);

    let office = Office::of(&server).await;
    let upload = office.upload(&on_stick).await;
    let page = office.look(&upload).await;
    assert!(page.contains("90,00"), "{page}");
    assert_eq!(all_money(&server), [1_000, 0, 0, 0, 0], "looking books nothing");
    office
        .post(
            &format!("{upload}/book"),
            "application/x-www-form-urlencoded",
            Vec::new(),
        )
        .await;
    assert_eq!(all_money(&server), [1_000, 2_000, 3_000, 4_000, 0]);

    // Somebody dries the laptop, and it goes on where it was.
    let laptop = Laptop::switch_on(lake.path(), &server, &places);
    laptop.desk.wait_for(|screen| screen.pill == Pill::Online).await;
    laptop.desk.wait_for(|screen| screen.page == Page::Sale).await;
    laptop.desk.top_up(sample::wristband(5), 5_000).await;
    laptop.desk.wait_for(|screen| screen.pill == Pill::Online).await;
    laptop.copied().await;
    assert_eq!(all_money(&server), [1_000, 2_000, 3_000, 4_000, 5_000]);

    // Both copies once more.
    let again = office.upload(&[on_stick, at_neighbour].concat()).await;
    let page = office.look(&again).await;
    assert!(page.contains("nichts zu buchen"), "{page}");
    assert_eq!(all_money(&server), [1_000, 2_000, 3_000, 4_000, 5_000]);
    laptop.desk.till.stop().await.unwrap();
    // And the beginning of a shift.
    server.assert_books(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_is_away_or_knows_another_key_is_said_and_gets_everything_when_it_is_there() {
    let server = Server::start().await;
    let (data, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Nobody listens there yet.
    let spare = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = spare.local_addr().unwrap();
    drop(spare);
    let right = keeper(kept.path()).await;
    let places = [
        to_keeper(address, KEY),
        to_keeper(right, [1; 32]),
        to_keeper(right, KEY),
    ];
    let laptop = Laptop::switch_on(data.path(), &server, &places);
    laptop.desk.register(&server, top_up_till()).await;
    laptop.desk.top_up(sample::wristband(1), 1_000).await;
    let missing = |fault| move |state| matches!(state, MirrorState::Missing { fault: known, .. } if known == fault);
    state(&laptop.mirrors[0], missing(MirrorFault::Unreachable)).await;
    state(&laptop.mirrors[1], missing(MirrorFault::Key)).await;
    state(&laptop.mirrors[2], |state| state == MirrorState::UpToDate).await;

    let late = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let routes = keep::routes(late.path(), KeeperKey::new(&KEY));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    state(&laptop.mirrors[0], |state| state == MirrorState::UpToDate).await;
    let read = |folder: &Path| File::read(&std::fs::read(&files(folder).unwrap()[0]).unwrap()).unwrap();
    assert!(read(late.path()).entries == read(kept.path()).entries);
    laptop.desk.till.stop().await.unwrap();
}

/// What a desk would upload: these entries, with this end.
fn body(till: &PaperTill, certificate: &Certificate, entries: std::ops::Range<usize>, end: Option<Record>) -> Vec<u8> {
    let opening = Opening {
        format: FORMAT,
        epoch: till.epoch,
        certificate: certificate.clone(),
    };
    let mut records = vec![Record::Opening(opening)];
    for index in entries {
        let previous = index
            .checked_sub(1)
            .map_or(till.epoch.root(till.id), |before| till.entries[before].1);
        records.push(Record::Entry(MirroredEntry {
            seq: index as u64 + 1,
            previous,
            bytes: shared_protocol::ids::Bytes(till.entries[index].0.clone()),
        }));
    }
    records.extend(end);
    records.iter().flat_map(Record::bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_keeps_what_the_terminal_signed_in_order_and_nothing_else() {
    let kept = tempfile::tempdir().unwrap();
    let address = keeper(kept.path()).await;
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    for number in 1..=4 {
        till.top_up(sample::wristband(number), 100);
    }
    let certificate = till.certificate(&PaperTill::signer(42));
    let head = |till: &PaperTill, seq: usize| {
        let mut part = till.clone();
        part.entries.truncate(seq);
        Some(Record::Head(part.push_from(1).head))
    };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(no_tls())
        .build()
        .unwrap();
    let send = async |key: [u8; 32], path: &str, body: Vec<u8>| {
        let proof = KeeperKey::new(&key).proof("POST", path, &body);
        let request = client
            .post(format!("http://{address}{path}"))
            .header(PROOF_HEADER, proof)
            .body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let path = upload_path(till.id, 1);
    let first = body(&till, &certificate, 0..2, head(&till, 2));
    assert_eq!(send([1; 32], &path, first.clone()).await, 401, "another key");
    assert_eq!(
        send(KEY, &path, body(&till, &certificate, 0..2, None)).await,
        409,
        "no head"
    );
    assert_eq!(
        send(KEY, &path, body(&till, &certificate, 0..2, head(&till, 1))).await,
        409,
        "a head that does not cover it"
    );
    assert_eq!(
        send(KEY, &path, body(&till, &certificate, 2..4, head(&till, 4))).await,
        409,
        "a hole"
    );
    assert_eq!(
        send(KEY, &upload_path(till.id, 2), first.clone()).await,
        409,
        "another journal"
    );
    assert_eq!(send(KEY, &path, vec![0; UPLOAD_MAX_BYTES + 1]).await, 409, "too large");
    let mut thief = till.clone();
    thief.seed = 2;
    assert_eq!(
        send(KEY, &path, body(&till, &certificate, 0..2, head(&thief, 2))).await,
        409,
        "another's signature"
    );
    // None of it left a trace in the way of the true one.
    assert_eq!(send(KEY, &path, first.clone()).await, 200);
    assert_eq!(send(KEY, &path, first).await, 200, "again");
    let mut richer = till.clone();
    richer.entries.truncate(1);
    richer.top_up(sample::wristband(9), 100_000);
    assert_eq!(
        send(KEY, &path, body(&richer, &certificate, 0..2, head(&richer, 2))).await,
        200,
        "what is known is not changed"
    );
    assert_eq!(
        send(KEY, &path, body(&till, &certificate, 1..4, head(&till, 4))).await,
        200
    );
    let file = File::read(&std::fs::read(&files(kept.path()).unwrap()[0]).unwrap()).unwrap();
    let mut seqs: Vec<_> = file.entries.iter().map(|(hash, entry)| (entry.seq, *hash)).collect();
    seqs.sort_unstable();
    let wanted: Vec<_> = (1..).zip(till.entries.iter().map(|(_, hash)| *hash)).collect();
    assert_eq!(seqs, wanted);
    assert_eq!(file.heads.len(), 2);
}
