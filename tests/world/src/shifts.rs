//! Shifts as the journals on the devices tell them: every login comes with the beginning of a shift, none ends or begins twice, and none is told of
//! that nobody logged in for.

use std::collections::BTreeSet;

use shared_protocol::SessionId;
use shared_protocol::entry::{CommandKind, Content, Entry};
use shared_protocol::order::Order;
use shared_protocol::shift::ShiftMark;

use crate::disk::Added;
use crate::events::DeviceNo;
use crate::world::World;

/// What was told. A copy of a phone may end a shift that the phone ends too, so each device is looked at by itself.
#[derive(Debug, Default)]
pub(crate) struct Shifts {
    told: BTreeSet<(DeviceNo, SessionId, ShiftMark)>,
}

impl Shifts {
    /// Takes in one transaction of a device, in which a login or logout and what it is to shifts stand together.
    fn added(&mut self, no: DeviceNo, added: &Added) -> Result<(), String> {
        let mut begins: Option<SessionId> = None;
        let mut commands = 0;
        let mut marks: Vec<(SessionId, ShiftMark)> = Vec::new();
        for stored in &added.entries {
            match Entry::read(&stored.bytes) {
                Ok((_, Content::Command(command))) => {
                    commands += usize::from(matches!(command.kind, CommandKind::Login | CommandKind::Logout));
                    begins = command
                        .session
                        .filter(|_| command.kind == CommandKind::Login)
                        .or(begins);
                }
                Ok((_, Content::Order(read))) => {
                    let Order { session, shift, .. } = read.order;
                    marks.extend(shift.map(|mark| (session, mark)));
                }
                _ => {}
            }
        }
        let begun = marks.iter().filter(|(_, mark)| *mark == ShiftMark::Begin);
        let begun: Vec<SessionId> = begun.map(|(session, _)| *session).collect();
        if begun != begins.into_iter().collect::<Vec<_>>() {
            return Err(format!("the shift of {begins:?} begins, told are {begun:?}"));
        }
        if commands == 0 && !marks.is_empty() {
            return Err(format!("nobody came or went, told is {marks:?}"));
        }
        for (session, mark) in marks {
            if !self.told.insert((no, session, mark)) {
                return Err(format!("{mark:?} of shift {session} is told twice"));
            }
        }
        Ok(())
    }
}

impl World {
    /// I8 for shifts: the TSE is told what the journal says, so the journal has to say it rightly.
    pub(crate) fn observe_shifts(&mut self, no: DeviceNo, added: &Added) {
        if let Err(what) = self.observer.shifts.added(no, added) {
            self.violation("I8", &format!("device {}: {what}", no.0));
        }
    }

    /// A shift was told that reached the disk of a till.
    pub(crate) fn note_shift(&mut self, order: &Order) {
        match order.shift {
            Some(ShiftMark::Begin) => self.sometimes.reach("shift_begun"),
            Some(ShiftMark::End) => self.sometimes.reach("shift_ended"),
            None => {}
        }
    }
}
