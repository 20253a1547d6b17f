//! A small festival with a console: three tills on paper, orders, cases, users of every role.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request as HttpRequest, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use console::{
    Asked, Board, Context, ExportFault, ExportProgress, Exports, Mode, NotTaken, Parts, ReportFace, SignerView, Taken,
    TseOrder, create_user,
};
use engine::{Engine, Reply, Request, bootstrap, check_push};
use festival::registration::{Slot, SlotState, secret_digest};
use fixtures::paper::{NOW, PaperTill};
use fixtures::sample;
use ring::digest::{SHA256, digest};
use shared_protocol::config::Item;
use shared_protocol::crypto::{Ed25519Signer, Hash32, Signer as _};
use shared_protocol::ids::Bytes;
use shared_protocol::mirror::{FORMAT, MirroredEntry, Opening, Record};
use shared_protocol::order::OrderKind;
use shared_protocol::{SessionId, SlotId, TagId, TillId};
use store::{
    ExportRange, ExportRow, MemoryStore, Office, Reader as _, Role, SessionRow, Store as _, StoreError, UserRow,
};
use sync::hub::{Heard, Hub};
use sync::writer::Writer;
use tower::ServiceExt as _;

/// The password of every user here.
pub const PASSWORD: &str = "correct horse battery";

/// Writes a page with one word.
pub struct NoPapers;

impl console::Papers for NoPapers {
    fn procedures(&self, words: pages::Language, form: &str) -> Result<Option<console::Paper>, String> {
        Ok((form == "text").then(|| console::Paper {
            name: "procedures.txt".to_owned(),
            media: "text/plain; charset=utf-8",
            bytes: words.of("Verfahren", "procedures").as_bytes().to_vec(),
        }))
    }
}

#[derive(Default)]
pub struct Signer {
    pub out: AtomicBool,
    pub board: Mutex<Arc<Board>>,
    /// What admins asked for.
    pub asked: Mutex<Vec<TseOrder>>,
    /// Why it refuses everything.
    pub refuses: Mutex<Option<NotTaken>>,
}

impl SignerView for Signer {
    fn outage(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }

    fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board.lock().unwrap())
    }

    fn ask(&self, order: TseOrder) -> Taken<'_> {
        let refuses = *self.refuses.lock().unwrap();
        self.asked.lock().unwrap().push(order);
        Box::pin(async move { refuses.map_or(Ok(()), Err) })
    }
}

/// Makes no exports, and remembers what it was asked.
#[derive(Default)]
pub struct Exporter {
    pub started: Mutex<Vec<(ExportRange, String)>>,
    pub progress: Mutex<Vec<ExportProgress>>,
    pub cancelled: Mutex<Vec<u64>>,
    pub deleted: Mutex<Vec<(u64, String)>>,
    pub busy: AtomicBool,
    pub content: Mutex<Vec<u8>>,
}

impl Exports for Exporter {
    fn start(&self, range: ExportRange, by: String) -> Asked<'_, u64> {
        self.started.lock().unwrap().push((range, by));
        let busy = self.busy.load(Ordering::Relaxed);
        Box::pin(async move { if busy { Err(ExportFault::Busy) } else { Ok(1) } })
    }

    fn cancel(&self, id: u64) -> bool {
        self.cancelled.lock().unwrap().push(id);
        true
    }

    fn progress(&self) -> Vec<ExportProgress> {
        self.progress.lock().unwrap().clone()
    }

    fn open(&self, _row: &ExportRow) -> std::io::Result<std::fs::File> {
        let mut file = tempfile::tempfile()?;
        std::io::Write::write_all(&mut file, &self.content.lock().unwrap())?;
        std::io::Seek::rewind(&mut file)?;
        Ok(file)
    }

    fn delete(&self, row: ExportRow, by: String) -> Asked<'_, ()> {
        self.deleted.lock().unwrap().push((row.id, by));
        Box::pin(async { Ok(()) })
    }
}

pub struct World {
    pub context: Arc<Context>,
    pub router: Router,
    pub clock: Arc<AtomicU64>,
    pub writer: Writer<MemoryStore>,
    pub store: MemoryStore,
    pub hub: Arc<Hub>,
    pub signer: Arc<Signer>,
    pub exports: Arc<Exporter>,
    pub bar: PaperTill,
    pub desk: PaperTill,
    /// A second copy that somebody looks at.
    pub import: String,
    thread: Option<JoinHandle<Result<MemoryStore, StoreError>>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.writer.stop();
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// An answer, read.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub fn config_signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[42; 32]).unwrap()
}

pub fn tag(number: u32) -> TagId {
    sample::wristband(number)
}

/// Hashing is slow on purpose: once for all tests.
fn stored_password() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    let made = HASH.get_or_init(|| {
        let mut store = MemoryStore::new(1);
        create_user(&mut store, "x", PASSWORD, Role::Admin, 0).unwrap();
        store.memory_reader().user("x").unwrap().unwrap().password
    });
    made.clone()
}

pub fn name_of(role: Role) -> &'static str {
    match role {
        Role::Admin => "ada",
        Role::Finance => "finn",
        Role::Crew => "carla",
    }
}

async fn read(response: axum::response::Response) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 10_000_000).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// What the stick of a till has, signed up to this entry.
pub fn stick(till: &PaperTill, signed: u64) -> Vec<u8> {
    let mut signed_part = till.clone();
    signed_part.entries.truncate(usize::try_from(signed).unwrap());
    let head = signed_part.push_from(1).head;
    let opening = Opening {
        format: FORMAT,
        epoch: till.epoch,
        certificate: till.certificate(&config_signer()),
    };
    let mut previous = till.epoch.root(till.id);
    let mut records = vec![Record::Opening(opening)];
    for (seq, (bytes, hash)) in (1..).zip(&till.entries) {
        let bytes = Bytes(bytes.clone());
        records.push(Record::Entry(MirroredEntry { seq, previous, bytes }));
        previous = *hash;
    }
    records.push(Record::Head(head));
    records.iter().flat_map(Record::bytes).collect()
}

impl World {
    pub async fn new() -> Self {
        Self::with(sample::items(), "paper").await
    }

    /// With a configuration and a device name of one's own.
    pub async fn with(items: Vec<Item>, device: &str) -> Self {
        let mut store = MemoryStore::new(1);
        bootstrap(&mut store, sample::EVENT, &items).unwrap();
        let users = Role::ALL.iter().map(|role| UserRow {
            name: name_of(*role).to_owned(),
            role: *role,
            password: stored_password(),
            active: true,
            changed_at_ms: 0,
        });
        let office = Office {
            users: users.collect(),
            ..Office::default()
        };
        let commit = store::Commit {
            office,
            ..store::Commit::default()
        };
        store.commit(&commit).unwrap();
        let hub = Arc::new(Hub::default());
        let engine = Engine::open(store.clone(), sample::EVENT, Box::new(config_signer())).unwrap();
        let (writer, thread) = Writer::start(engine, Arc::clone(&hub)).unwrap();
        let clock = Arc::new(AtomicU64::new(NOW + 60_000));
        let (own, signer) = (Arc::clone(&clock), Arc::new(Signer::default()));
        let exports = Arc::new(Exporter::default());
        let context = Context::new(Parts {
            event: sample::EVENT,
            mode: Mode::Demo,
            ask: Box::new(writer.clone()),
            readers: (0..4).map(|_| store.reader().unwrap()).collect(),
            hub: Arc::clone(&hub),
            signer: Arc::clone(&signer) as Arc<dyn SignerView>,
            exports: Arc::clone(&exports) as Arc<dyn Exports>,
            ends_ms: None,
            clock: Arc::new(move || own.load(Ordering::Relaxed)),
            secure: false,
            terminals_at: None,
            reports: ReportFace { logo: None },
            config_key: Hash32([3; 32]),
            authority: None,
            papers: Box::new(NoPapers),
            fixed: fiscal::tax::Fixed::default().with(
                fiscal::tax::Choice::InHouse,
                Some(fiscal::tax::Fix {
                    value: "no",
                    place: fiscal::tax::Place::File,
                }),
            ),
        });
        let mut world = Self {
            router: console::routes(&context),
            context,
            clock,
            writer,
            store,
            hub,
            signer,
            exports,
            bar: PaperTill::that_books(&[OrderKind::Sale, OrderKind::Cancel], 1),
            desk: PaperTill::that_books(&[OrderKind::TopUp, OrderKind::PayOut], 2),
            import: String::new(),
            thread: Some(thread),
        };
        for seed in [1, 2] {
            world.register(seed, device).await;
        }
        world
    }

    async fn register(&mut self, seed: u8, device: &str) {
        let till = if seed == 1 { &self.bar } else { &self.desk };
        let (id, nonce) = (SlotId([seed; 16]), Hash32([seed; 32]));
        self.open_slot(id, till.till).await;
        let mut register = till.register(id, &[1; 16], &nonce);
        device.clone_into(&mut register.device);
        let request = Request::Register {
            register: Box::new(register),
            nonce,
            terminal: till.id,
        };
        self.writer.ask(request).await.unwrap();
        let hello = till.hello(till.certificate(&config_signer()));
        self.hub.learn([(till.id, PaperTill::signer(seed).public_key())]);
        self.writer.ask(Request::Hello(Box::new(hello))).await.unwrap();
    }

    async fn open_slot(&self, id: SlotId, till: TillId) {
        let slot = Slot {
            id,
            event: sample::EVENT,
            till,
            secret: secret_digest(id, &[1; 16]),
            expires_at_ms: NOW + 1_000,
            confirm: false,
            state: SlotState::Open,
        };
        self.writer.ask(Request::OpenSlot(Box::new(slot))).await.unwrap();
    }

    /// Sends everything a till wrote, and waits until it is in the sums.
    pub async fn sync(&mut self, seed: u8) {
        let till = if seed == 1 { &mut self.bar } else { &mut self.desk };
        let push = till.push_from(till.sent + 1);
        till.sent = till.seq();
        let heard = Heard {
            epoch: till.epoch.epoch,
            next_seq: till.seq() + 1,
            at_ms: self.clock.load(Ordering::Relaxed),
        };
        self.hub.note_heard(till.id, heard);
        let checked = check_push(push, &PaperTill::signer(seed).public_key()).unwrap();
        self.writer.ask(Request::Push(Box::new(checked))).await.unwrap();
        self.writer
            .control(|engine| while engine.project(1_000).unwrap() {})
            .await
            .unwrap();
    }

    /// A guest tops up 50 €, buys a beer, and another guest buys one that the wristband cannot pay, which is a case.
    pub async fn trade(&mut self) {
        self.desk.top_up(tag(1), 5_000);
        self.sync(2).await;
        self.bar.sell(tag(1), &[(sample::PILS, 1)]);
        self.bar.sell(tag(2), &[(sample::PILS, 2)]);
        self.sync(1).await;
        let mut dead = self.desk.clone();
        dead.top_up(tag(3), 1_500);
        dead.top_up(tag(4), 2_500);
        let mut file = stick(&dead, 2);
        file.extend(&stick(&dead, 3)[..600]);
        let cookie = self.session(Role::Admin).await;
        let answer = self
            .upload(&cookie, &[("1.groschen", &file), ("photo.groschen", b"no mirror")])
            .await;
        let location = answer.header(header::LOCATION);
        location
            .strip_prefix("/import/")
            .unwrap_or_default()
            .clone_into(&mut self.import);
        assert!(!self.import.is_empty(), "{}", answer.text);
    }

    /// Sends files as the page's form does.
    pub async fn upload(&self, cookie: &str, files: &[(&str, &[u8])]) -> Answer {
        self.upload_to("/import", cookie, files).await
    }

    /// The same to another page.
    pub async fn upload_to(&self, path: &str, cookie: &str, files: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, file) in files {
            body.extend(format!("--mark\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n").bytes());
            body.extend(*file);
            body.extend(b"\r\n");
        }
        body.extend(b"--mark--\r\n");
        let request = HttpRequest::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, "console.example")
            .header(header::ORIGIN, "http://console.example")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=mark")
            .header(header::COOKIE, cookie)
            .body(Body::from(body))
            .unwrap();
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// A session of a role, as its cookie.
    pub async fn session(&self, role: Role) -> String {
        self.session_at(role, self.clock.load(Ordering::Relaxed)).await
    }

    /// One that was opened at another time.
    pub async fn session_at(&self, role: Role, opened_at_ms: u64) -> String {
        let secret: [u8; 32] = sync::server::random();
        let mut token = [0; 32];
        token.copy_from_slice(digest(&SHA256, &secret).as_ref());
        let row = SessionRow {
            token,
            user: name_of(role).to_owned(),
            opened_at_ms,
            expires_at_ms: opened_at_ms + 12 * 3_600_000,
        };
        let office = Office {
            sessions: vec![row],
            ..Office::default()
        };
        self.keep(office).await;
        format!("session={}", URL_SAFE_NO_PAD.encode(secret))
    }

    pub async fn keep(&self, office: Office) {
        let reply = self.writer.ask(Request::Office(Box::new(office))).await.unwrap();
        assert!(matches!(reply, Reply::Settled(engine::Settled::Done)));
    }

    /// An answer without its body, which may never end.
    pub async fn head(
        &self,
        method: &Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        form: &str,
    ) -> axum::response::Response {
        let mut request = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "console.example");
        if *method == Method::POST {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, "http://console.example");
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::from(form.to_owned())).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn call(
        &self,
        method: &Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        form: &str,
    ) -> Answer {
        read(self.head(method, path, headers, form).await).await
    }

    /// A page of somebody who is logged in, in German.
    pub async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.call(&Method::GET, path, &[(header::COOKIE, cookie)], "").await
    }

    pub async fn post(&self, cookie: &str, path: &str, form: &str) -> Answer {
        self.call(&Method::POST, path, &[(header::COOKIE, cookie)], form).await
    }

    /// The newest rows of the audit log.
    pub fn audit(&self) -> Vec<(String, String, String)> {
        let rows = self.store.memory_reader().audit(None, None, 1_000).unwrap();
        rows.into_iter()
            .map(|(_, row)| (row.by, row.what, row.object))
            .collect()
    }

    /// Paths with something at each of their parameters.
    pub fn filled(&self, path: &str) -> String {
        path.replace("{order}", "1")
            .replace("{terminal}", &self.bar.id.to_string())
            .replace("{slot}", &SlotId([1; 16]).to_string())
            .replace("{case}", "1")
            .replace("{import}", &self.import)
            .replace("{batch}", "5")
            .replace("{tse}", "1")
            .replace("{till}", &self.bar.till.0.to_string())
            .replace("{export}", "1")
            .replace("{choice}", "outage_policy")
            .replace("{day}", "20270719")
            .replace("{session}", &SessionId([1; 16]).to_string())
            .replace("{closing}", "1")
            .replace("{form}", "pdf")
            .replace("{taxpayer}", "1")
    }
}
