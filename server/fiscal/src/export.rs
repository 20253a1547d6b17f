//! The export of a TSE in software: a TAR archive with the names and contents of the standard, from the rows of a database.
//!
//! | file | what it holds |
//! |---|---|
//! | `info.csv` | that it is software and not certified |
//! | `<hash of the key>_X509.cer` | its certificate, and the root's, both of which say the same |
//! | `Unixt_<seconds>_Sig-<n>_Log-Tra_No-<number>_<Start, Finish>_Client-<till>.log` | the messages as they were signed |
//!
//! The export of a certified TSE comes from the device, and from nowhere else.
//!
//! Sources: BSI TR-03153-1 (export), TR-03151 (names).

pub mod authority;

use std::io::{self, Write};

use store::{TransactionRow, TseRow};
use tar::{Builder, Header};

use crate::log_message::{LogMessage, Operation};
use crate::tse::Curve;
use authority::{Authority, CertificateFault};

/// What the certificates and `info.csv` say.
pub const NOT_CERTIFIED: &str = "not certified / nicht zertifiziert";

/// Why an export cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A TSE that is not in software.
    #[error("the TSE is a device or a service: its export comes from the device itself, not from this database")]
    Device,
    /// A TSE that none of this program's are like.
    #[error("the TSE signs with {0}, which no TSE in software does; nothing was exported")]
    Algorithm(String),
    /// A transaction of another TSE.
    #[error("transaction {0} is one of another TSE; this is a fault of the program, please report it")]
    OtherTse(u64),
    /// A till whose name cannot be a part of a file name.
    #[error("the till {0:?} of transaction {1} cannot be named in a file name; the export was not finished")]
    Client(String, u64),
    /// The certificates.
    #[error("the certificates cannot be made: {0}")]
    Certificate(#[from] CertificateFault),
    /// Writing failed.
    #[error("the export cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// When, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// From when the TSE's certificate is valid: not after its first signature.
    pub valid_from_s: u64,
    /// When the export is made; every file carries it.
    pub made_s: u64,
}

/// An export that is being written.
pub struct TseExport<W: Write> {
    archive: Builder<W>,
    tse: TseRow,
    curve: Curve,
    made_s: u64,
    messages: u64,
}

impl<W: Write> std::fmt::Debug for TseExport<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TseExport")
            .field("tse", &self.tse.no)
            .finish_non_exhaustive()
    }
}

impl<W: Write> TseExport<W> {
    /// Begins: whose it is, and its certificates, so that a reader knows the key before the first message.
    pub fn begin(out: W, tse: &TseRow, authority: &Authority, times: Times) -> Result<Self, ExportError> {
        if !tse.is_in_software() {
            return Err(ExportError::Device);
        }
        let curve = [Curve::BrainpoolP384, Curve::P256]
            .into_iter()
            .find(|curve| curve.algorithm() == tse.algorithm)
            .ok_or_else(|| ExportError::Algorithm(tse.algorithm.clone()))?;
        let mut export = Self {
            archive: Builder::new(out),
            tse: tse.clone(),
            curve,
            made_s: times.made_s,
            messages: 0,
        };
        let info = format!(
            "\"description:\",\"TSE in software, {NOT_CERTIFIED}\",\"manufacturer:\",\"Groschen\",\"version:\",\"{}\"\n",
            env!("CARGO_PKG_VERSION")
        );
        export.file("info.csv", info.as_bytes())?;
        for certificate in [
            authority.certify(curve, &tse.public_key, times.valid_from_s)?,
            authority.root(curve)?,
        ] {
            export.file(&certificate.file_name(), &certificate.der)?;
        }
        Ok(export)
    }

    /// The messages of a transaction: its start, and its end if it has one.
    pub fn transaction(&mut self, row: &TransactionRow) -> Result<(), ExportError> {
        if row.tse != self.tse.no {
            return Err(ExportError::OtherTse(row.transaction));
        }
        let odd = |letter: char| letter == '/' || letter == '\\' || letter.is_control();
        if row.client.is_empty() || row.client.contains(odd) {
            return Err(ExportError::Client(row.client.clone(), row.transaction));
        }
        let start = LogMessage {
            operation: Operation::Start,
            client: &row.client,
            process_data: "",
            process_type: "",
            transaction: row.transaction,
            serial: self.tse.serial,
            curve: self.curve,
            counter: row.start_counter,
            time_s: row.started_s,
        };
        self.message(&start, &row.start_signature)?;
        if let Some(end) = &row.end {
            let finish = LogMessage {
                operation: Operation::Finish,
                process_data: &end.process_data,
                process_type: &end.process_type,
                counter: end.counter,
                time_s: end.time_s,
                ..start
            };
            self.message(&finish, &end.signature)?;
        }
        Ok(())
    }

    fn message(&mut self, message: &LogMessage<'_>, signature: &[u8]) -> Result<(), ExportError> {
        let operation = match message.operation {
            Operation::Start => "Start",
            Operation::Finish => "Finish",
        };
        let name = format!(
            "Unixt_{}_Sig-{}_Log-Tra_No-{}_{operation}_Client-{}.log",
            message.time_s, message.counter, message.transaction, message.client
        );
        self.messages += 1;
        self.file(&name, &message.signed(signature))
    }

    fn file(&mut self, name: &str, content: &[u8]) -> Result<(), ExportError> {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(self.made_s);
        Ok(self.archive.append_data(&mut header, name, content)?)
    }

    /// Ends the archive. Gives what it was written to, and how many messages are in it.
    pub fn finish(self) -> Result<(W, u64), ExportError> {
        Ok((self.archive.into_inner()?, self.messages))
    }
}

#[cfg(test)]
mod tests;
