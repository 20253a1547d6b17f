//! A whole tap at a till: a wristband whose purse decides, the terminal's state machine, and the queue on the disk, without a network.
//!
//! The virtual chip's own work is taken out: what is told are the terminal's steps, our side of the conversation, and the disk.

use std::time::{Duration, Instant};

use chips::{Capabilities, Chip, Field, FieldFault, ReaderEvent, Selected};
use terminal::screen::Notice;
use terminal::{Action, Input, serve_hold};

use crate::chips::Desk;
use crate::figure::{Shape, tell};
use crate::journals::{Seller, tills};
use crate::till::{Counter, p99};

/// Taps that are timed.
const TAPS: usize = 1_000;
/// Guests who take turns. Their first taps walk all that was ever put on their wristbands.
const GUESTS: u16 = 5;
/// What each has on the wristband: the whole chain of the desks.
const UNITS: u16 = 8_000;

/// A field that knows how long its chip took.
struct Timed<F> {
    field: F,
    chip: Duration,
    exchanges: u64,
}

impl<F: Field> Field for Timed<F> {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        let begun = Instant::now();
        let answer = self.field.transceive(frame);
        self.chip += begun.elapsed();
        self.exchanges += 1;
        answer
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        self.field.reselect()
    }
}

/// Runs the rows.
pub fn run(shape: &Shape, desk: &Desk) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut counter = Counter::open(dir.path(), Some(&desk.signed()?))?;
    let cart = Seller::new(tills(1).first().copied().unwrap_or(shared_protocol::TillId(1)), 1, 0).articles();
    let mut bands = (0..GUESTS)
        .map(|guest| desk.rich(guest, [UNITS, 0, 0]))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (mut decided_us, mut spoken_us, mut stored_us) = (Vec::new(), Vec::new(), Vec::new());
    let (mut exchanges, mut commits) = (0, 0);
    for number in 0..TAPS {
        for article in &cart {
            counter.input(Input::Act(Action::Add {
                article: *article,
                count: 1,
            }))?;
        }
        counter.passes(60_000);
        // What could wait is written while nobody waits.
        counter.input(Input::Tick)?;
        let guest = number % bands.len();
        let Some(band) = bands.get_mut(guest) else { break };
        band.restart();
        let selected = band.reselect()?;
        let chip = Chip {
            tag: selected.uid,
            capabilities: Capabilities::ULTRALIGHT_AES,
        };
        let mut field = Timed {
            field: band,
            chip: Duration::ZERO,
            exchanges: 0,
        };
        counter.begin();
        counter.input(Input::Reader(ReaderEvent::Held(chip)))?;
        let (begun, mut elsewhere, mut failed) = (Instant::now(), Duration::ZERO, None);
        serve_hold(&mut field, &selected, &desk.keys, |answer| {
            let begun = Instant::now();
            if let Some((job, answer)) = answer
                && let Err(error) = counter.input(Input::Purse { job, answer })
            {
                failed = Some(error);
            }
            elsewhere += begun.elapsed();
            counter.work()
        });
        let held = begun.elapsed();
        failed.map_or(Ok(()), Err)?;
        let (decided, stored) = counter.taken();
        anyhow::ensure!(
            matches!(counter.shown, Notice::Done(_)),
            "tap {number}: {:?}",
            counter.shown
        );
        let spoken = held.saturating_sub(elsewhere).saturating_sub(field.chip);
        for (values, took) in [
            (&mut decided_us, decided),
            (&mut spoken_us, spoken),
            (&mut stored_us, stored),
        ] {
            values.push(u64::try_from(took.as_micros())?);
        }
        (exchanges, commits) = (field.exchanges, counter.commits);
        counter.input(Input::Reader(ReaderEvent::Left))?;
    }
    for (name, values, more) in [
        ("chips_till_tap_decision", decided_us, None),
        ("chips_till_tap_conversation", spoken_us, Some(("exchanges", exchanges))),
        ("chips_till_tap_durable_journal", stored_us, Some(("commits", commits))),
    ] {
        let more: Vec<_> = [("p99_us", p99(&values))].into_iter().chain(more).collect();
        tell(shape, name, "us", values, &more);
    }
    Ok(())
}
