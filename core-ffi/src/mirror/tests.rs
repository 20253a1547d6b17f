//! The copier against places that fail, hang and come back.

use std::sync::{Arc, Mutex, PoisonError};

use fixtures::paper::PaperTill;
use fixtures::sample;
use fixtures::seeded::Seeded;
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::Signer as _;
use shared_protocol::message::Certificate;
use shared_protocol::mirror::{Mirror as File, MirroredEntry, Opening, Record, file_name};
use terminal::{StoredEntry, identity_meta};

use super::*;
use crate::queue::MemoryQueue;

/// A memory queue that till and copier share.
#[derive(Clone)]
struct Journals {
    queue: Arc<Mutex<MemoryQueue>>,
    certificate: Certificate,
    starts: Arc<Mutex<Vec<EpochStart>>>,
}

impl Journals {
    fn with<T>(&self, work: impl FnOnce(&mut MemoryQueue) -> T) -> T {
        work(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Queue for Journals {
    fn write(&mut self, writes: &[Write]) -> Result<(), QueueError> {
        for write in writes {
            if let Write::Epoch(start) = write {
                self.starts.lock().unwrap().push(*start);
            }
        }
        self.with(|queue| queue.write(writes))
    }
    fn fetch(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        self.with(|queue| queue.fetch(epoch, from_seq, entries_max))
    }
    fn restore(&mut self) -> Result<Restored, QueueError> {
        self.with(Queue::restore)
    }
}

impl Journal for Journals {
    fn certificate(&mut self) -> Result<Option<Certificate>, QueueError> {
        Ok(Some(self.certificate.clone()))
    }
    fn epochs(&mut self) -> Result<Vec<EpochStart>, QueueError> {
        Ok(self.starts.lock().unwrap().clone())
    }
    fn entries(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        self.with(|queue| queue.fetch(epoch, from_seq, entries_max))
    }
    fn heads(&mut self, epoch: u32, from_seq: u64, to_seq: u64) -> Result<Vec<SignedHead>, QueueError> {
        let heads = self.with(|queue| queue.fetch(epoch, from_seq, u32::MAX))?.heads;
        Ok(heads.into_iter().filter(|head| head.seq <= to_seq).collect())
    }
}

/// What a test does to a place.
#[derive(Default)]
struct Weather {
    /// Every call fails like this.
    fault: Option<MirrorFault>,
    /// The next append writes only part of it before it fails.
    tear: bool,
    /// Every call takes this long.
    hangs_ms: u64,
}

/// A real folder in weather.
struct Stormy {
    folder: Folder,
    weather: Arc<Mutex<Weather>>,
}

impl Stormy {
    fn weather(&self) -> Result<bool, MirrorFault> {
        let (fault, tear, hangs_ms) = {
            let mut weather = self.weather.lock().unwrap();
            (weather.fault, std::mem::take(&mut weather.tear), weather.hangs_ms)
        };
        std::thread::sleep(Duration::from_millis(hangs_ms));
        fault.map_or(Ok(tear), Err)
    }
}

impl Place for Stormy {
    fn open(&mut self, of: &Opening) -> Result<There, MirrorFault> {
        self.weather()?;
        self.folder.open(of)
    }
    fn append(&mut self, of: &Opening, records: &[u8]) -> Result<(), MirrorFault> {
        if self.weather()? {
            self.folder.append(of, &records[..records.len() / 2])?;
            return Err(MirrorFault::Io);
        }
        self.folder.append(of, records)
    }
    fn look(&mut self) -> Result<(), MirrorFault> {
        self.weather()?;
        self.folder.look()
    }
}

struct Rig {
    till: PaperTill,
    queue: MirroredQueue<Journals>,
    mirror: Mirror,
    weather: Arc<Mutex<Weather>>,
    dir: tempfile::TempDir,
    written: u64,
}

impl Rig {
    fn new() -> Self {
        let till = PaperTill::that_books(&[shared_protocol::order::OrderKind::TopUp], 5);
        let certificate = till.certificate(&PaperTill::signer(42));
        let mut journals = Journals {
            queue: Arc::default(),
            certificate: certificate.clone(),
            starts: Arc::default(),
        };
        let identity = Write::Meta {
            key: terminal::MetaKey::Identity,
            value: Some(identity_meta(&certificate, &PaperTill::signer(42).public_key())),
        };
        journals.write(&[identity, Write::Epoch(till.epoch)]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (weather, mirror) = Self::start(&journals, dir.path());
        Self {
            queue: MirroredQueue::new(journals, vec![mirror.clone()]),
            till,
            mirror,
            weather,
            dir,
            written: 0,
        }
    }

    fn start(journals: &Journals, folder: &std::path::Path) -> (Arc<Mutex<Weather>>, Mirror) {
        let weather = Arc::<Mutex<Weather>>::default();
        let place = Stormy {
            folder: Folder::new(folder.to_owned(), None),
            weather: Arc::clone(&weather),
        };
        let signer = Box::new(PaperTill::signer(5));
        let mirror = Mirror::run(Box::new(place), "stick".to_owned(), journals.clone(), signer).unwrap();
        (weather, mirror)
    }

    /// The program ends and starts again.
    fn restart(&mut self) {
        self.mirror.stop();
        let journals = self.queue.queue.clone();
        let (weather, mirror) = Self::start(&journals, self.dir.path());
        self.queue = MirroredQueue::new(journals, vec![mirror.clone()]);
        (self.weather, self.mirror) = (weather, mirror);
    }

    fn top_up(&mut self) {
        self.till.top_up(sample::wristband(1), 2_000);
        self.write(1);
    }

    /// Writes the last entries of the till on paper into the queue, with a head when that is due.
    fn write(&mut self, entries: u64) {
        let mut writes = Vec::new();
        for _ in 0..entries {
            let (bytes, hash) = self.till.entries[usize::try_from(self.written).unwrap()].clone();
            self.written += 1;
            writes.push(Write::Entry(StoredEntry {
                epoch: 1,
                seq: self.written,
                hash,
                bytes,
            }));
        }
        if self.written.is_multiple_of(5) {
            let head = SignedHead::sign(&PaperTill::signer(5), self.till.id, 1, self.written, self.till.head());
            writes.push(Write::Head(head.unwrap()));
        }
        self.queue.write(&writes).unwrap();
    }

    fn set(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.weather.lock().unwrap());
    }

    fn wait_for(&self, wanted: impl Fn(MirrorState) -> bool) -> MirrorState {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let state = self.mirror.status().state;
            if wanted(state) {
                return state;
            }
            assert!(Instant::now() < until, "still {state:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_up_to_date(&self) {
        self.wait_for(|state| state == MirrorState::UpToDate);
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(file_name(self.till.id, 1))
    }

    fn file(&self) -> File {
        File::read(&std::fs::read(self.path()).unwrap()).unwrap()
    }

    /// The file holds what the till wrote, all of it and nothing else, and a head of the last entry that holds.
    fn assert_equal(&self) {
        let file = self.file();
        let mut entries: Vec<&MirroredEntry> = file.entries.values().collect();
        entries.sort_by_key(|entry| entry.seq);
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.bytes.0.clone(), entry.hash()))
            .collect();
        let wanted = self.till.entries[..usize::try_from(self.written).unwrap()].to_vec();
        assert!(found == wanted, "{} entries instead of {}", found.len(), wanted.len());
        let key = PaperTill::signer(5).public_key();
        assert!(
            file.heads
                .values()
                .all(|head| head.verify(&key, self.till.id) == Ok(()))
        );
        let seqs: Vec<u64> = file.heads.keys().map(|(seq, ..)| *seq).collect();
        assert!(
            (5..=self.written).step_by(5).all(|seq| seqs.contains(&seq)),
            "heads of the queue are missing"
        );
        assert_eq!(seqs.last(), Some(&self.written));
    }
}

#[test]
fn an_entry_is_in_both_places_before_its_booking_is_shown() {
    let mut rig = Rig::new();
    rig.is_up_to_date();
    let mut in_time = 0;
    for _ in 0..20 {
        rig.top_up();
        // A disk of a busy machine may be slower than the bound; then that is said.
        if rig.mirror.status().state == MirrorState::UpToDate {
            rig.assert_equal();
            in_time += 1;
        } else {
            rig.is_up_to_date();
        }
    }
    assert!(in_time > 0);
}

#[test]
fn a_place_that_fails_is_said_and_gets_exactly_what_it_missed() {
    let mut rig = Rig::new();
    rig.is_up_to_date();
    rig.top_up();
    rig.set(|weather| weather.fault = Some(MirrorFault::Gone));
    for _ in 0..3 {
        rig.top_up();
    }
    let missing = |state| {
        matches!(
            state,
            MirrorState::Missing {
                fault: MirrorFault::Gone,
                bookings: 3,
                ..
            }
        )
    };
    rig.wait_for(missing);
    rig.set(|weather| weather.fault = None);
    rig.is_up_to_date();
    rig.assert_equal();
}

#[test]
fn a_place_that_is_pulled_is_said_before_the_next_booking() {
    let rig = Rig::new();
    rig.is_up_to_date();
    rig.set(|weather| weather.fault = Some(MirrorFault::Gone));
    rig.wait_for(|state| matches!(state, MirrorState::Missing { bookings: 0, .. }));
}

#[test]
fn a_place_that_hangs_delays_one_booking_by_the_bound_and_no_other() {
    let mut rig = Rig::new();
    rig.is_up_to_date();
    rig.top_up();
    rig.set(|weather| weather.hangs_ms = 1_500);
    let waited = |rig: &mut Rig| {
        let begun = Instant::now();
        rig.top_up();
        begun.elapsed()
    };
    let first = waited(&mut rig);
    assert!(first < WAIT * 5, "{first:?}");
    let others: Duration = (0..50).map(|_| waited(&mut rig)).sum();
    assert!(
        others < WAIT * 5,
        "{others:?} for fifty bookings beside a stick that hangs"
    );
    assert!(matches!(
        rig.mirror.status().state,
        MirrorState::Behind { entries: 1.., .. }
    ));
    rig.set(|weather| weather.hangs_ms = 0);
    rig.is_up_to_date();
    rig.assert_equal();
}

#[test]
fn a_write_that_does_not_come_back_counts_as_missing() {
    let progress = Progress::new("stick".to_owned());
    progress.done(1, Ok(()));
    progress.busy(true);
    let state = |after| progress.status(Instant::now() + after).state;
    assert_eq!(state(Duration::ZERO), MirrorState::UpToDate);
    assert!(matches!(
        state(HANG),
        MirrorState::Missing {
            fault: MirrorFault::Hangs,
            ..
        }
    ));
    progress.busy(false);
    assert_eq!(state(HANG), MirrorState::UpToDate);
}

#[test]
fn whatever_order_faults_tears_and_restarts_come_in_the_copies_end_equal() {
    for seed in 0..24 {
        let mut chance = Seeded::new(seed);
        let mut rig = Rig::new();
        for _ in 0..30 {
            match chance.below(9) {
                0 => rig.set(|weather| weather.fault = Some(MirrorFault::Gone)),
                1 | 2 => rig.set(|weather| weather.fault = None),
                3 => rig.set(|weather| weather.tear = true),
                4 => rig.restart(),
                5 => {
                    // Somebody else's hands on the stick: the file is gone, or its end is.
                    if let Ok(bytes) = std::fs::read(rig.path()) {
                        rig.mirror.stop();
                        let end = chance.below(u32::try_from(bytes.len()).unwrap() + 1);
                        std::fs::write(rig.path(), &bytes[..usize::try_from(end).unwrap()]).unwrap();
                        rig.restart();
                    }
                }
                _ => rig.top_up(),
            }
        }
        rig.top_up();
        rig.set(|weather| *weather = Weather::default());
        rig.is_up_to_date();
        rig.assert_equal();
        assert_eq!(rig.file().damage.torn_bytes, 0, "seed {seed}");
    }
}

#[test]
fn a_torn_end_at_any_byte_is_cut_and_written_again() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.top_up();
    }
    rig.is_up_to_date();
    rig.mirror.stop();
    let whole = std::fs::read(rig.path()).unwrap();
    let (bytes, hash) = rig.till.entries[2].clone();
    let previous = rig.till.entries[1].1;
    let record = Record::Entry(MirroredEntry {
        seq: 3,
        previous,
        bytes: shared_protocol::ids::Bytes(bytes),
    })
    .bytes();
    let begin = whole.windows(record.len()).position(|part| part == record).unwrap();
    let opening = rig.file().opening;
    assert_eq!(rig.file().entries.len(), 3);
    for end in begin..begin + record.len() {
        std::fs::write(rig.path(), &whole[..end]).unwrap();
        let mut folder = Folder::new(rig.dir.path().to_owned(), None);
        let there = Place::open(&mut folder, &opening).unwrap();
        assert!(there.hashes.len() == 2 && !there.hashes.contains(&hash), "cut at {end}");
        folder.append(&opening, &record).unwrap();
        let mended = rig.file();
        assert_eq!(
            (mended.entries.len(), mended.damage),
            (3, shared_protocol::mirror::Damage::default())
        );
    }
}

#[test]
fn a_folder_on_the_queues_own_disk_is_no_second_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = Folder::new(dir.path().to_owned(), Some(dir.path().to_owned()));
    assert_eq!(folder.look(), Err(MirrorFault::SameDisk));
    let mut gone = Folder::new(dir.path().join("stick"), None);
    assert_eq!(gone.look(), Err(MirrorFault::Gone));
    assert!(
        !dir.path().join("stick").exists(),
        "an empty folder of a pulled stick must not look like one"
    );
}

#[test]
fn a_file_that_was_deleted_under_the_copier_is_written_again_whole() {
    let mut rig = Rig::new();
    rig.top_up();
    rig.is_up_to_date();
    std::fs::remove_file(rig.path()).unwrap();
    rig.wait_for(|state| matches!(state, MirrorState::Missing { .. }));
    rig.is_up_to_date();
    rig.assert_equal();
}

#[test]
fn a_file_of_another_journal_is_left_alone() {
    let rig = Rig::new();
    rig.is_up_to_date();
    rig.mirror.stop();
    let other = PaperTill::new(rig.till.till, 5).certificate(&PaperTill::signer(9));
    let opening = Opening {
        format: shared_protocol::mirror::FORMAT,
        epoch: EpochStart::FIRST,
        certificate: other,
    };
    let bytes = Record::Opening(opening).bytes();
    std::fs::write(rig.path(), &bytes).unwrap();
    let journals = rig.queue.queue.clone();
    let (_, mirror) = Rig::start(&journals, rig.dir.path());
    let until = Instant::now() + Duration::from_secs(10);
    while !matches!(
        mirror.status().state,
        MirrorState::Missing {
            fault: MirrorFault::Foreign,
            ..
        }
    ) {
        assert!(Instant::now() < until, "{:?}", mirror.status());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(std::fs::read(rig.path()).unwrap(), bytes);
}
