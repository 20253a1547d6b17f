//! The code on a receipt: twelve fields joined by semicolons, version 0 (DSFinV-K, annex I).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::log_message::{LogMessage, Operation};
use crate::tse::{Finished, Started, TimeFormat, TseInfo};

/// What the code of a signed receipt says. Who reads it can rebuild what the TSE signed at the end, and check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptCode {
    /// The till's serial number, under which it is registered with the TSE.
    pub client: String,
    /// The form of the data.
    pub process_type: String,
    /// What was signed at the end.
    pub process_data: String,
    /// The transaction.
    pub transaction: u64,
    /// The signature counter of the end.
    pub counter: u64,
    /// The TSE's time of the start in seconds since 1970.
    pub started_s: u64,
    /// The TSE's time of the end in seconds since 1970.
    pub finished_s: u64,
    /// The signature algorithm, as receipts name it.
    pub algorithm: String,
    /// The signature of the end.
    pub signature: Vec<u8>,
    /// The TSE's public key.
    pub public_key: Vec<u8>,
}

/// The form of the time in what was signed.
const UNIX_TIME: &str = TimeFormat::UnixTime.as_str();

/// A code that is none of version 0, or not with a time this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a receipt code of version 0: {0}")]
pub struct NoReceiptCode(&'static str);

impl ReceiptCode {
    /// The code of a finished transaction.
    pub fn new(
        tse: &TseInfo,
        client: &str,
        process_type: &str,
        process_data: &str,
        started: &Started,
        finished: &Finished,
    ) -> Self {
        Self {
            client: client.to_owned(),
            process_type: process_type.to_owned(),
            process_data: process_data.to_owned(),
            transaction: started.transaction,
            counter: finished.counter,
            started_s: started.time_s,
            finished_s: finished.time_s,
            algorithm: tse.curve.algorithm().to_owned(),
            signature: finished.signature.clone(),
            public_key: tse.public_key.clone(),
        }
    }

    /// Reads a code. Process data may hold semicolons itself, so the fields are counted from both ends.
    pub fn parse(text: &str) -> Result<Self, NoReceiptCode> {
        let wrong = NoReceiptCode;
        let mut front = text.splitn(4, ';');
        let (version, client, process_type) = (front.next(), front.next(), front.next());
        if version != Some("V0") {
            return Err(wrong("it does not begin with V0"));
        }
        let mut back = front.next().ok_or(wrong("fields are missing"))?.rsplitn(9, ';');
        let mut field = || back.next().ok_or(wrong("fields are missing"));
        let (public_key, signature) = (field()?, field()?);
        if field()? != UNIX_TIME {
            return Err(wrong("its times are of another kind"));
        }
        let algorithm = field()?;
        let (finished, started, counter, transaction) = (field()?, field()?, field()?, field()?);
        let time = |text: &str| {
            let seconds = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
            seconds
                .and_then(|seconds| u64::try_from(seconds).ok())
                .ok_or(wrong("a time cannot be read"))
        };
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong("a number cannot be read"));
        let bytes = |text: &str| {
            STANDARD
                .decode(text)
                .map_err(|_| wrong("key or signature cannot be read"))
        };
        Ok(Self {
            client: client.ok_or(wrong("fields are missing"))?.to_owned(),
            process_type: process_type.ok_or(wrong("fields are missing"))?.to_owned(),
            process_data: field()?.to_owned(),
            transaction: number(transaction)?,
            counter: number(counter)?,
            started_s: time(started)?,
            finished_s: time(finished)?,
            algorithm: algorithm.to_owned(),
            signature: bytes(signature)?,
            public_key: bytes(public_key)?,
        })
    }

    /// What the TSE signed at the end, rebuilt.
    pub fn to_be_signed(&self, tse: &TseInfo) -> Vec<u8> {
        LogMessage {
            operation: Operation::Finish,
            client: &self.client,
            process_data: &self.process_data,
            process_type: &self.process_type,
            transaction: self.transaction,
            serial: tse.serial,
            curve: tse.curve,
            counter: self.counter,
            time_s: self.finished_s,
        }
        .to_be_signed()
    }
}

/// Seconds since 1970 as `2026-11-21T01:54:16.000Z`, whatever form the TSE's own times have.
fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

impl fmt::Display for ReceiptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "V0;{};{};{};{};{};{};{};{};{UNIX_TIME};{};{}",
            self.client,
            self.process_type,
            self.process_data,
            self.transaction,
            self.counter,
            time(self.started_s),
            time(self.finished_s),
            self.algorithm,
            STANDARD.encode(&self.signature),
            STANDARD.encode(&self.public_key),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a throw-away key that is used nowhere else, made by other software.
    const ELSEWHERE: &str = "V0;TILL-0002;Kassenbeleg-V1;Beleg^0.00_0.00_0.00_0.00_50.00^50.00:Bar;2;6;2026-11-21T01:54:17.000Z;\
        2026-11-21T01:54:18.000Z;ecdsa-plain-SHA384;unixTime;6dEso1J7C73CCLPcjDBJQpazUlnyC6e3xfSrf2XFm8ng7/b04zdqb23ge+7qIXTQgM18nWTQDS\
        2EvPW7Z3+Wj29xrRkIiQU4yTCByQSr0/2sTxmFKc8bh+1cVb/jYNnY;BK+ok1V99N1hB/s08CABTE7qtlwSl/io6lKAB7BId+eN3Skhhf5hDJDea8gHG1wuRb5baGz/\
        bhLIOyfCLy4Q83NgVxL7DVq51DzSfvZY4qyc/s2ZWGeyoZzUwOyXwxCuUw==";

    fn text() -> String {
        ELSEWHERE.replace([' ', '\n'], "")
    }

    #[test]
    fn a_code_of_other_software_reads_and_writes_back() {
        let code = ReceiptCode::parse(&text()).unwrap();
        assert_eq!(
            (code.client.as_str(), code.transaction, code.counter),
            ("TILL-0002", 2, 6)
        );
        assert_eq!((code.signature.len(), code.public_key.len()), (96, 97));
        assert_eq!(code.to_string(), text());
    }

    #[test]
    fn process_data_may_hold_semicolons() {
        let mut code = ReceiptCode::parse(&text()).unwrap();
        code.process_data = "1;\"Bars\";1.00".to_owned();
        assert_eq!(ReceiptCode::parse(&code.to_string()), Ok(code));
    }

    #[test]
    fn what_is_no_code_is_told_why() {
        for (from, to) in [
            ("V0;", "V1;"),
            ("unixTime", "utcTime"),
            (";2;6;", ";2;x;"),
            ("T01:54:17", "T25:54:17"),
            ("==", "!"),
        ] {
            assert!(ReceiptCode::parse(&text().replace(from, to)).is_err(), "{to}");
        }
        assert!(ReceiptCode::parse("V0;a;b").is_err());
        assert!(ReceiptCode::parse("").is_err());
    }
}
