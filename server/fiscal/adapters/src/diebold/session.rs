//! From nothing to a unit that listens: connecting, logging in, reading its log, and finding out what became of a request whose answer was lost.

use std::time::{Duration, Instant};

use fiscal::TseError;
use serde_json::{Value, json};

use super::book::Pending;
use super::codes::Refusal;
use super::export::Export;
use super::frame::{Fields, fields};
use super::link::Failed;
use super::{BACKOFF_MIN, Diebold, Session, protocol};
use crate::log::{self, Event};

/// Why a command was not answered with a yes.
pub(super) enum Fault {
    NotDone(String),
    Unknown(String),
    Refused(Refusal),
    /// It could not be asked at all.
    Failed(TseError),
}

impl Fault {
    /// As the trait says it.
    pub fn into_error(self, client: &str, transaction: u64) -> TseError {
        match self {
            Self::NotDone(why) | Self::Unknown(why) => TseError::Unavailable(why),
            Self::Refused(refusal) => refusal.into_error(client, transaction),
            Self::Failed(error) => error,
        }
    }
}

pub(super) fn not_prepared() -> TseError {
    TseError::Unavailable("it was not made ready yet".to_owned())
}

impl Diebold {
    pub(super) fn now_ms(&self) -> Result<u64, TseError> {
        let (then, at) = self.clock.ok_or_else(not_prepared)?;
        let since = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(then.saturating_add(since))
    }

    /// Sends a command on the session's connection.
    fn command(&mut self, connection: u64, command: &'static str, of: Fields) -> Result<Fields, Fault> {
        let deadline = Instant::now() + Duration::from_millis(self.settings.times.command_ms);
        self.command_until(connection, command, of, deadline)
    }

    pub(super) fn command_until(
        &mut self,
        connection: u64,
        command: &'static str,
        of: Fields,
        deadline: Instant,
    ) -> Result<Fields, Fault> {
        let body = match self.link.command(connection, command, of, deadline) {
            Ok(body) => body,
            Err(failed) => {
                self.session = None;
                tracing::debug!(command, ?failed, "the TSE did not answer");
                return Err(match failed {
                    Failed::NotDone(why) => Fault::NotDone(why),
                    Failed::Unknown(why) => Fault::Unknown(why),
                });
            }
        };
        if body.get("Status").and_then(Value::as_str) == Some("ok") {
            return Ok(body);
        }
        let description = body.get("Desc").and_then(Value::as_str).unwrap_or_default();
        let refusal = Refusal {
            code: body.get("Code").and_then(Value::as_u64).unwrap_or(0),
            description: description.chars().take(100).collect(),
        };
        tracing::debug!(command, refusal.code, refusal.description, "the TSE refused");
        if refusal.is_wrong_password() {
            self.locked_out = Some(format!("code {} ({})", refusal.code, refusal.description));
        }
        Err(Fault::Refused(refusal))
    }

    /// A command that is sent again on a new connection where the old one was lost before it was sent.
    pub(super) fn run(&mut self, command: &'static str, of: &Fields, now_ms: u64) -> Result<Fields, Fault> {
        for _try in 0..2 {
            let connection = self.ready(now_ms).map_err(Fault::Failed)?;
            match self.command(connection, command, of.clone()) {
                Err(Fault::NotDone(_)) => {}
                done => return done,
            }
        }
        Err(Fault::NotDone("the connection is lost again and again".to_owned()))
    }

    /// Connected, logged in, and with nothing pending. Gives the connection.
    pub(super) fn ready(&mut self, now_ms: u64) -> Result<u64, TseError> {
        self.clock = Some((now_ms, Instant::now()));
        if let Some(why) = &self.locked_out {
            return Err(TseError::AccessDenied(format!(
                "{why}; nothing more is sent, so that the user is not blocked"
            )));
        }
        let connection = match &self.session {
            Some(session) => session.connection,
            None => self.log_in(now_ms)?,
        };
        self.find_out(connection)?;
        Ok(connection)
    }

    fn connect(&mut self, deadline: Instant) -> Result<u64, TseError> {
        if let Some(at) = self.retry_at.filter(|at| Instant::now() < *at) {
            let wait = at.saturating_duration_since(Instant::now()).as_millis();
            return Err(TseError::Unavailable(format!(
                "no connection; tried again in {wait} ms"
            )));
        }
        match self.link.connect(deadline) {
            Ok(connection) => {
                (self.retry_at, self.backoff) = (None, BACKOFF_MIN);
                Ok(connection)
            }
            Err(Failed::NotDone(why) | Failed::Unknown(why)) => {
                let longest = Duration::from_millis(self.settings.times.backoff_max_ms);
                self.retry_at = Some(Instant::now() + self.backoff.min(longest));
                self.backoff = (self.backoff * 2).min(longest);
                Err(TseError::Unavailable(why))
            }
        }
    }

    fn log_in(&mut self, now_ms: u64) -> Result<u64, TseError> {
        let times = self.settings.times;
        let deadline = Instant::now() + Duration::from_millis(times.prepare_ms);
        let soon = || deadline.min(Instant::now() + Duration::from_millis(times.command_ms));
        let connection = self.connect(soon())?;
        let (admin, time_admin) = (self.passwords.admin.base64(), self.passwords.time_admin.base64());
        let mut ask = |command, of, deadline| {
            let done = self.command_until(connection, command, of, deadline);
            done.map_err(|fault| fault.into_error("", 0))
        };
        let _done = ask("SetDefaultClientID", protocol::default_client(), soon())?;
        let device = ask("GetDeviceInfo", Fields::new(), soon())?;
        // It may take its time, and is the only command that may.
        let _done = ask("PerformSelfTest", protocol::self_test(&admin), deadline)?;
        let _done = ask("UpdateTime", protocol::update_time(&time_admin, now_ms), soon())?;
        let status = ask("GetDeviceStatus", protocol::status(&admin), soon())?;
        let key = ask("GetDeviceData", protocol::device_data("PublicKey"), soon())?;
        let certificates = ask("GetDeviceData", protocol::device_data("Certificates"), soon())?;
        let info = protocol::info(&self.settings, &device, &status, &key, &certificates)?;
        if info.valid_until_ms.is_none() {
            tracing::warn!("the TSE's certificates cannot be read; nobody is warned before they end");
        }
        let clients = protocol::clients(&status);
        self.session = Some(Session {
            connection,
            info,
            clients,
        });
        self.log_once(connection)?;
        Ok(connection)
    }

    /// Reads the log for the first time, so that what is open and where it ends is known before any answer is lost.
    fn log_once(&mut self, connection: u64) -> Result<(), TseError> {
        if self.log != Some(false) {
            return Ok(());
        }
        match self.read_log(connection, self.book.next()) {
            Ok(()) => {
                self.log = Some(true);
                Ok(())
            }
            Err(Fault::Refused(refusal)) if !refusal.is_wrong_password() => {
                tracing::warn!(
                    refusal.code,
                    refusal.description,
                    "the TSE's log cannot be read; a start whose answer is lost will stay open at the TSE"
                );
                self.log = None;
                Ok(())
            }
            Err(fault) => Err(fault.into_error("", 0)),
        }
    }

    /// Takes in the log from a transaction on.
    pub(super) fn read_log(&mut self, connection: u64, from: u64) -> Result<(), Fault> {
        for event in self.logged(connection, from)? {
            self.book.hear(event);
        }
        Ok(())
    }

    /// What the log says from a transaction on.
    pub(super) fn logged(&mut self, connection: u64, from: u64) -> Result<Vec<Event>, Fault> {
        let mut events = Vec::new();
        let mut export = Export::of(self, connection, Some(from));
        let read = log::each(&mut export, |event| events.push(event));
        let fault = export.fault();
        read.map_err(|error| fault.unwrap_or_else(|| Fault::Unknown(format!("the TSE's log: {error}"))))?;
        Ok(events)
    }

    /// Finds out what became of a request whose answer was lost, before anything else is asked.
    fn find_out(&mut self, connection: u64) -> Result<(), TseError> {
        let from = match self.book.pending() {
            None => return Ok(()),
            Some(Pending::Start { from, .. }) => *from,
            Some(Pending::Finish { transaction }) => *transaction,
        };
        if self.log.is_some() {
            self.read_log(connection, from)
                .map_err(|fault| fault.into_error("", from))?;
        }
        self.book.settle();
        Ok(())
    }

    pub(super) fn is_valid(&self, now_ms: u64) -> Result<(), TseError> {
        let until = self.session.as_ref().and_then(|session| session.info.valid_until_ms);
        match until {
            Some(until) if until < now_ms => Err(TseError::CertificateExpired),
            _ => Ok(()),
        }
    }

    /// An error that a login may mend takes the login with it.
    pub(super) fn failed(&mut self, fault: Fault, client: &str, transaction: u64) -> TseError {
        let error = fault.into_error(client, transaction);
        if error == TseError::TimeNotSet {
            self.session = None;
        }
        error
    }

    pub(super) fn as_time_admin<const N: usize>(&self, of: [(&str, Value); N]) -> Fields {
        let mut of = fields(of);
        of.insert(
            "Password".to_owned(),
            json!(self.passwords.time_admin.base64().as_str()),
        );
        of
    }

    pub(super) fn as_admin<const N: usize>(&self, of: [(&str, Value); N]) -> Fields {
        let mut of = fields(of);
        of.insert("Password".to_owned(), json!(self.passwords.admin.base64().as_str()));
        of
    }
}
