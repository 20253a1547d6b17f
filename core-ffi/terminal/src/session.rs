//! Who works at the till, and what the server told it: sessions, locks, and the entries that record them.

use serde::{Deserialize, Serialize};

use shared_protocol::entry::{Command, CommandKind, EntryKind};
use shared_protocol::message::{Command as Told, CommandDone, CommandKind as ToldKind, TerminalState};
use shared_protocol::{CommandId, SessionId, StaffId, encode};

use crate::Terminal;
use crate::output::{Cue, MetaKey, Write};
use crate::screen::{Notice, PurseRefusal, Refusal};
use crate::step::Step;
use crate::store::Then;

/// Commands of the server that are remembered as carried out.
const DONE_MAX: usize = 64;

/// Entries that wait for the disk. More than this many only pile up when it has failed for long; then the oldest is dropped.
const WAITING_MAX: usize = 64;

/// Who works at the till.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub staff: StaffId,
    pub id: SessionId,
    /// Since when, by the device's wall clock; none in a queue of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// The phone was left with the shift open: only the same person goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// What the server told the terminal so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ToldState {
    pub locked: bool,
    done: Vec<CommandId>,
}

/// What follows when a command entry is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandThen {
    Nothing,
    LoggedIn(Session),
    LoggedOut,
    /// Somebody else takes over.
    Relieved,
    Told(CommandId),
    ToldLogOut(CommandId),
}

impl CommandThen {
    fn told(self) -> Option<CommandId> {
        match self {
            Self::Told(id) | Self::ToldLogOut(id) => Some(id),
            Self::Nothing | Self::LoggedIn(_) | Self::LoggedOut | Self::Relieved => None,
        }
    }
}

/// A command entry that waits for its turn.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    command: Command,
    pub then: CommandThen,
}

impl Terminal {
    pub(crate) fn note_command(&mut self, kind: CommandKind, session: Option<Session>, then: CommandThen) {
        if self.identity.is_none() {
            return;
        }
        let command = Command {
            kind,
            staff: session.map(|session| session.staff),
            session: session.map(|session| session.id),
        };
        self.waiting.push_back(Waiting { command, then });
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_front();
        }
    }

    /// Writes the next command entry, when the journal is free.
    pub(crate) fn write_command(&mut self, step: &mut Step<'_>) {
        let Some(Waiting { command, then }) = self.waiting.pop_front() else {
            return;
        };
        let mut bodies = vec![self.entry(step, EntryKind::Command, encode(&command))];
        for order in self.shift_orders(step, then) {
            bodies.push(self.entry(step, EntryKind::Order, encode(&order)));
        }
        let Some(chain) = self.journal.last() else { return };
        let entries = chain.follow_all(bodies);
        let session = match then {
            CommandThen::LoggedIn(session) => Some(Some(encode(&session))),
            CommandThen::LoggedOut | CommandThen::Relieved | CommandThen::ToldLogOut(_) => Some(None),
            CommandThen::Nothing | CommandThen::Told(_) => None,
        };
        let mut more: Vec<Write> = session
            .map(|value| Write::Meta {
                key: MetaKey::Session,
                value,
            })
            .into_iter()
            .collect();
        if let Some(id) = then.told() {
            let state = encode(&self.told_with(id));
            more.push(Write::Meta {
                key: MetaKey::State,
                value: Some(state),
            });
        }
        self.store
            .persist(step, entries, more, Then::Command(Waiting { command, then }));
    }

    fn told_with(&self, id: CommandId) -> ToldState {
        let mut told = self.told.clone();
        told.done.push(id);
        if told.done.len() > DONE_MAX {
            told.done.remove(0);
        }
        told
    }

    pub(crate) fn command_is_durable(&mut self, step: &mut Step<'_>, then: CommandThen) {
        match then {
            CommandThen::Nothing | CommandThen::Told(_) => {}
            CommandThen::LoggedIn(session) => {
                self.session = Some(session);
                self.notify(step, Notice::None);
                // The cart they had put aside, if they had; nothing else can be open at a login.
                let _none_parked = self.unpark(step);
            }
            CommandThen::LoggedOut | CommandThen::ToldLogOut(_) => {
                if let Some(before) = self.session.take() {
                    self.drop_parked(step, before.staff);
                }
                self.notify(step, Notice::None);
            }
            CommandThen::Relieved => {
                self.session = None;
                self.notify(step, Notice::None);
            }
        }
        if let Some(id) = then.told() {
            self.told = self.told_with(id);
            self.send(
                step,
                CommandDone {
                    command: id,
                    done: true,
                },
            );
        }
    }

    /// A person is told and tries again; what the server said or the clock did is written when the disk is back.
    pub(crate) fn command_failed(&mut self, step: &mut Step<'_>, failed: Waiting, refusal: Refusal) {
        if matches!(
            failed.then,
            CommandThen::LoggedIn(_) | CommandThen::LoggedOut | CommandThen::Relieved
        ) {
            self.refuse(step, refusal);
        } else {
            self.waiting.push_front(failed);
        }
    }

    pub(crate) fn log_out(&mut self) -> Result<(), Refusal> {
        let session = self.session.ok_or(Refusal::LoggedOut)?;
        self.free_of_carts()?;
        self.note_command(CommandKind::Logout, Some(session), CommandThen::LoggedOut);
        Ok(())
    }

    /// The server told the terminal something; it is carried out once, however often it is said.
    pub(crate) fn told(&mut self, step: &mut Step<'_>, told: &Told) {
        if self.told.done.contains(&told.command) {
            self.send(
                step,
                CommandDone {
                    command: told.command,
                    done: true,
                },
            );
            return;
        }
        let waits = self
            .waiting
            .iter()
            .any(|waiting| waiting.then.told() == Some(told.command));
        if waits
            || self
                .store
                .commands_in_flight()
                .any(|then| then.told() == Some(told.command))
        {
            return;
        }
        let then = CommandThen::Told(told.command);
        match told.kind {
            ToldKind::Lock => {
                self.told.locked = true;
                self.note_command(CommandKind::Lock, self.session, then);
            }
            ToldKind::Unlock => {
                self.told.locked = false;
                self.note_command(CommandKind::Unlock, self.session, then);
            }
            ToldKind::LogOut if self.free_of_carts().is_ok() => {
                self.note_command(CommandKind::Logout, self.session, CommandThen::ToldLogOut(told.command));
            }
            // The pure terminal has no log to send, and does not know what a later version means.
            ToldKind::LogOut | ToldKind::SendLog | ToldKind::Other(_) => {
                self.send(
                    step,
                    CommandDone {
                        command: told.command,
                        done: false,
                    },
                );
            }
        }
    }

    /// What the server says of the terminal when it welcomes it.
    pub(crate) fn welcomed_as(&mut self, step: &mut Step<'_>, state: TerminalState) {
        let locked = state == TerminalState::Locked;
        if locked != self.told.locked {
            self.told.locked = locked;
            let value = Some(encode(&self.told));
            self.store.later(
                Write::Meta {
                    key: MetaKey::State,
                    value,
                },
                step.now.mono_ms,
            );
        }
    }

    pub(crate) fn refuse(&mut self, step: &mut Step<'_>, refusal: Refusal) {
        let cue = if matches!(
            refusal,
            Refusal::Busy
                | Refusal::SeveralWristbands
                | Refusal::OtherWristband
                | Refusal::SameWristband
                | Refusal::Purse(PurseRefusal::Left | PurseRefusal::HoldSame)
        ) {
            Cue::Again
        } else {
            Cue::Refused
        };
        step.cue(cue);
        self.notify(step, Notice::Refused(refusal));
    }
}
