//! Every power cut a run could have met, and what each may leave on the disk.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::device::Device;
use crate::image::Image;
use crate::log::{Log, Mark, Op};
use crate::recorder::Recorder;
use crate::remains::{Remains, Sampling, Variant};

const SAMPLING: Sampling = Sampling { subsets: 4, seed: 0 };

/// Walks over the prefixes of a log and over what may be left at each; gives each image once.
///
/// Two cuts that leave the same bytes are the same image only if the same was said before them: an acknowledgement more is a stricter
/// demand on the same bytes.
pub struct CrashPoints<'log> {
    log: &'log Log,
    sampling: Sampling,
    wanted: (Bound<usize>, Bound<usize>),
    remains: Remains<'log>,
    marks: Arc<[Mark]>,
    place: Arc<str>,
    cut: usize,
    variants: VecDeque<Variant>,
    begun: bool,
    cuts: usize,
    seen: BTreeSet<(u64, usize)>,
    images: u64,
    start: Instant,
}

impl<'log> CrashPoints<'log> {
    pub(crate) fn new(log: &'log Log) -> Self {
        Self {
            log,
            sampling: SAMPLING,
            wanted: (Bound::Unbounded, Bound::Unbounded),
            remains: Remains::new(log),
            marks: log.earlier_marks.as_slice().into(),
            place: "at the start".into(),
            cut: 0,
            variants: VecDeque::new(),
            begun: false,
            cuts: 0,
            seen: BTreeSet::new(),
            images: 0,
            start: Instant::now(),
        }
    }

    /// How many pseudo-random subsets of what is not synced survive at each cut; 4 unless told.
    #[must_use]
    pub fn subsets(mut self, count: u32) -> Self {
        self.sampling.subsets = count;
        self
    }

    /// Which subsets those are: the same seed gives the same for the same log.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.sampling.seed = seed;
        self
    }

    /// Cuts only at these places, counted in operations before the cut; all unless told.
    #[must_use]
    pub fn cuts(mut self, places: impl RangeBounds<usize>) -> Self {
        self.wanted = (places.start_bound().cloned(), places.end_bound().cloned());
        self
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        Tally {
            cuts: self.cuts,
            images: self.images,
            unique: self.seen.len(),
            elapsed: self.start.elapsed(),
        }
    }

    /// False at the end of the log.
    fn advance(&mut self) -> bool {
        if self.begun {
            let Some(op) = self.log.ops.get(self.cut) else {
                return false;
            };
            if let Op::Mark(mark) = op {
                self.marks = self.marks.iter().chain([mark]).cloned().collect();
            }
            self.remains.apply(op);
            self.cut += 1;
            if self.wanted.contains(&self.cut) {
                self.place = format!("after {}", self.log.describe(op)).into();
            }
        }
        self.begun = true;
        if self.wanted.contains(&self.cut) {
            self.cuts += 1;
            self.variants = self.remains.variants(self.sampling.subsets).into();
        }
        true
    }
}

impl Iterator for CrashPoints<'_> {
    type Item = Crash;

    fn next(&mut self) -> Option<Crash> {
        loop {
            let Some(variant) = self.variants.pop_front() else {
                if self.advance() {
                    continue;
                }
                return None;
            };
            let image = self.remains.image(variant, self.sampling, self.cut);
            self.images += 1;
            if self.seen.insert((image.digest(), self.marks.len())) {
                return Some(Crash {
                    image,
                    marks: Arc::clone(&self.marks),
                    device: self.log.device,
                    cut: self.cut,
                    place: Arc::clone(&self.place),
                    variant,
                });
            }
        }
    }
}

/// A disk after one power cut.
#[derive(Clone)]
pub struct Crash {
    image: Image,
    marks: Arc<[Mark]>,
    device: Device,
    cut: usize,
    place: Arc<str>,
    variant: Variant,
}

impl Crash {
    /// What the disk holds.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// What had been said before the power went: what has to be true of the disk.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The marks that are numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Number(number) => Some(*number),
            Mark::Label(_) => None,
        })
    }

    /// Whether `label` had been said.
    pub fn said(&self, label: &str) -> bool {
        self.marks
            .iter()
            .any(|mark| matches!(mark, Mark::Label(said) if said == label))
    }

    /// How many operations of the log came before the cut.
    pub fn cut(&self) -> usize {
        self.cut
    }

    /// What survived of the operations that were not synced.
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Power is back: the same disk, recording again, with what was said before as the beginning of its marks.
    pub fn recorder(&self) -> Recorder {
        Recorder::with_history(self.device, self.image.clone(), self.marks.to_vec())
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {} ({}), {}", self.cut, self.place, self.variant)
    }
}

/// How much a suite tried.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// Places in the log where the power was cut.
    pub cuts: usize,
    /// Disks made.
    pub images: u64,
    /// Disks that differ from all earlier ones, and were given to the test.
    pub unique: usize,
    /// Time since the walk began, the work of the test included.
    pub elapsed: Duration,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cuts,
            images,
            unique,
            elapsed,
        } = self;
        let rate = u128::from(*images) * 1_000_000 / elapsed.as_micros().max(1);
        let checked = *unique as u128 * 1_000_000 / elapsed.as_micros().max(1);
        let ms = elapsed.as_millis();
        write!(
            f,
            "{cuts} cuts, {images} images, {unique} unique, {ms} ms ({rate} images/s, {checked} checked/s)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SECTOR_BYTES;
    use crate::log::FileId;

    const FILE: FileId = FileId(0);

    fn bytes(sectors: &[u8]) -> Vec<u8> {
        sectors.iter().flat_map(|byte| [*byte; SECTOR_BYTES]).collect()
    }

    fn write(offset: usize, sectors: &[u8]) -> Op {
        let data = bytes(sectors).into();
        Op::Write {
            file: FILE,
            offset,
            data,
        }
    }

    fn recording(device: Device, ops: Vec<Op>) -> Log {
        let mut start = Image::new();
        start.insert("a", &bytes(&[1, 1]));
        let earlier_marks = Vec::new();
        Log {
            device,
            start,
            earlier_marks,
            ops,
        }
    }

    /// The first byte of each sector of file `a`, for each image of the last cut.
    fn left(device: Device, ops: Vec<Op>, subsets: u32) -> Vec<Option<Vec<u8>>> {
        let log = recording(device, ops);
        let end = log.ops.len();
        let points = log.crash_points().subsets(subsets).cuts(end..);
        let sectors = |crash: Crash| {
            Some(
                crash
                    .image()
                    .file("a")?
                    .chunks(SECTOR_BYTES)
                    .map(|sector| sector[0])
                    .collect(),
            )
        };
        let mut images: Vec<_> = points.map(sectors).collect();
        images.sort();
        images
    }

    fn some(images: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        images.iter().map(|image| Some(image.to_vec())).collect()
    }

    #[test]
    fn an_unsynced_write_is_there_or_not_or_torn_at_each_sector() {
        let images = left(Device::default(), vec![write(0, &[2, 3])], 0);
        assert_eq!(images, some(&[&[1, 1], &[1, 3], &[2, 1], &[2, 3]]));
    }

    #[test]
    fn a_short_list_of_unsynced_writes_is_left_in_every_combination() {
        let ops = vec![write(0, &[2]), write(512, &[3])];
        assert_eq!(
            left(Device::default(), ops, 2),
            some(&[&[1, 1], &[1, 3], &[2, 1], &[2, 3]])
        );
    }

    #[test]
    fn a_synced_write_is_there_and_a_later_one_may_be() {
        let ops = vec![write(0, &[2]), Op::Sync { file: FILE }, write(512, &[3])];
        assert_eq!(left(Device::default(), ops, 4), some(&[&[2, 1], &[2, 3]]));
    }

    #[test]
    fn a_later_sync_does_not_vouch_for_what_a_failed_one_lost() {
        let ops = vec![
            write(0, &[2]),
            Op::SyncFailed { file: FILE },
            write(512, &[3]),
            Op::Sync { file: FILE },
        ];
        assert_eq!(left(Device::default(), ops.clone(), 4), some(&[&[1, 3], &[2, 3]]));
        let again = [ops, vec![write(0, &[4]), Op::Sync { file: FILE }]].concat();
        assert_eq!(
            left(Device::default(), again, 4),
            some(&[&[4, 3]]),
            "written again is written"
        );
    }

    #[test]
    fn a_hole_before_a_surviving_write_is_zero() {
        let ops = vec![write(1024, &[2]), write(1536, &[3])];
        let images = left(Device::default(), ops, 2);
        assert_eq!(images, some(&[&[1, 1], &[1, 1, 0, 3], &[1, 1, 2], &[1, 1, 2, 3]]));
    }

    #[test]
    fn names_follow_the_directory_and_bytes_follow_the_file() {
        let name = || "a".to_owned();
        let other = FileId(1);
        let create = Op::Create {
            file: other,
            name: name(),
        };
        let data = bytes(&[7]).into();
        let fill = Op::Write {
            file: other,
            offset: 0,
            data,
        };
        let replace = vec![Op::Delete { name: name() }, create, fill, Op::Sync { file: other }];
        let images = left(Device::default(), replace.clone(), 2);
        assert_eq!(
            images,
            [None, Some(vec![1, 1]), Some(vec![7])],
            "the synced bytes of a file without a name are lost"
        );
        let directory = String::new();
        let synced = [replace, vec![Op::SyncDirectory { directory }]].concat();
        assert_eq!(left(Device::default(), synced, 2), some(&[&[7]]));
    }

    #[test]
    fn only_a_plain_device_spoils_the_neighbours_of_a_write() {
        let data: Arc<[u8]> = vec![9; 8].into();
        let ops = vec![Op::Write {
            file: FILE,
            offset: 100,
            data,
        }];
        assert_eq!(left(Device::PowersafeOverwrite, ops.clone(), 0).len(), 2);
        let log = recording(Device::PlainSectors, ops);
        let spoilt = log
            .crash_points()
            .find(|crash| crash.variant() == Variant::SpoiltAround)
            .unwrap();
        let file = spoilt.image().file("a").unwrap();
        assert!(file[..100].iter().chain(&file[108..512]).all(|byte| *byte == 0xa5));
        assert_eq!((&file[100..108], &file[512..]), (&[9; 8][..], &[1; 512][..]));
    }

    #[test]
    fn equal_bytes_with_one_more_mark_are_another_image() {
        let ops = vec![Op::Mark(Mark::Number(1)), Op::Mark(Mark::Label("said".into()))];
        let log = recording(Device::default(), ops);
        let mut points = log.crash_points();
        let said: Vec<_> = (&mut points)
            .map(|crash| (crash.cut(), crash.numbers().count(), crash.said("said")))
            .collect();
        assert_eq!(said, [(0, 0, false), (1, 1, false), (2, 1, true)]);
        let tally = points.tally();
        assert_eq!((tally.cuts, tally.images, tally.unique), (3, 3, 3));
    }
}
