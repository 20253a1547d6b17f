//! The unit's log, read piece by piece. The parameters are assumed: a range of transactions, and where in the TAR to go on.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Diebold;
use super::session::Fault;

pub(super) struct Export<'a> {
    unit: &'a mut Diebold,
    connection: u64,
    from: Option<u64>,
    /// Bytes of the TAR that were fetched.
    fetched: u64,
    piece: Vec<u8>,
    /// Bytes of the piece that were handed on.
    read: usize,
    is_whole: bool,
    deadline: Instant,
    fault: Option<Fault>,
}

impl<'a> Export<'a> {
    /// From a transaction on, or everything.
    pub fn of(unit: &'a mut Diebold, connection: u64, from: Option<u64>) -> Self {
        let deadline = Instant::now() + Duration::from_millis(unit.settings.times.export_ms);
        Self {
            unit,
            connection,
            from,
            fetched: 0,
            piece: Vec::new(),
            read: 0,
            is_whole: false,
            deadline,
            fault: None,
        }
    }

    /// Why it ended early, where the unit was to blame.
    pub fn fault(self) -> Option<Fault> {
        self.fault
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        let mut of = self
            .unit
            .as_admin([("Format", json!("Base64")), ("Offset", json!(self.fetched))]);
        if let Some(from) = self.from {
            of.insert("TransactionNumberStart".to_owned(), json!(from));
        }
        let soon = Instant::now() + Duration::from_millis(self.unit.settings.times.command_ms);
        let until = soon.min(self.deadline);
        let answer = self.unit.command_until(self.connection, "Export", of, until)?;
        let value = answer.get("Value").and_then(Value::as_str);
        let total = answer.get("Total").and_then(Value::as_u64);
        let piece = value.and_then(|value| STANDARD.decode(value).ok());
        let unreadable = || Fault::Unknown("the answer to an export cannot be read".to_owned());
        (self.piece, self.read) = (piece.ok_or_else(unreadable)?, 0);
        let total = total.ok_or_else(unreadable)?;
        self.fetched += self.piece.len() as u64;
        self.is_whole = self.fetched >= total;
        if self.piece.is_empty() && !self.is_whole {
            return Err(unreadable());
        }
        Ok(())
    }
}

impl Read for Export<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len()
            && !self.is_whole
            && let Err(fault) = self.fetch()
        {
            self.fault = Some(fault);
            return Err(io::Error::other("the unit did not go on"));
        }
        let rest = self.piece.get(self.read..).unwrap_or_default();
        let count = rest.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        Ok(count)
    }
}
