//! The names of files in an export (TR-03153-1, chapter on the export; TR-03151).
//!
//! | name | what it holds |
//! |---|---|
//! | `info.csv` | whose TSE it is |
//! | `<hash>_X509.<cer, crt, pem, der>` | a certificate, named after the SHA-256 of its public key |
//! | `<time>_Sig-<n>_Log-Tra_No-<number>_<Start, Update, Finish>_Client-<client>[_Fc-<k>].log` | a step of a transaction |
//! | `<time>_Sig-<n>_Log-Sys_<operation>[_Fc-<k>].log` | something that happened in the TSE |
//! | `<time>_Sig-<n>_Log-Aud[_Fc-<k>].log` | an audit |

use wording::Both;

use crate::message::{Certified, Message, Operation};
use crate::time::LogTime;

/// What a file is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileName<'a> {
    /// `info.csv`.
    Info,
    /// A certificate.
    Certificate {
        /// SHA-256 of its public key, or none where the name does not say it.
        key: Option<[u8; 32]>,
        /// Whether it is a card verifiable certificate, which is not X.509.
        card: bool,
    },
    /// A log message.
    Log(LogName<'a>),
    /// Something the standard does not name.
    Other,
}

/// What the name of a log message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogName<'a> {
    /// When.
    pub time: LogTime,
    /// The signature counter.
    pub counter: u64,
    /// What.
    pub what: LogWhat<'a>,
}

/// What is in a log message, by its name. Texts are without the mark of a clash of names (`_Fc-1`) and with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogWhat<'a> {
    /// A step of a transaction.
    Transaction {
        /// Its number.
        number: u64,
        /// Which step.
        operation: Operation,
        /// Whose.
        client: [&'a str; 2],
    },
    /// Something that happened in the TSE.
    System {
        /// What.
        operation: [&'a str; 2],
    },
    /// An audit.
    Audit,
}

impl<'a> FileName<'a> {
    /// Reads a name; no folder belongs to it.
    pub fn read(name: &'a str) -> Self {
        if name == "info.csv" {
            return Self::Info;
        }
        if let Some(log) = name.strip_suffix(".log").and_then(LogName::read) {
            return Self::Log(log);
        }
        let certificate = name.rsplit_once('.').filter(|(_, kind)| is_certificate(kind));
        match certificate.map(|(stem, _)| unclashed(stem)) {
            Some(stem) => match stem.rsplit_once('_') {
                Some((key, kind @ ("X509" | "CVC"))) => Self::Certificate {
                    key: hash(key),
                    card: kind == "CVC",
                },
                _ => Self::Certificate { key: None, card: false },
            },
            None => Self::Other,
        }
    }
}

fn is_certificate(extension: &str) -> bool {
    ["cer", "crt", "pem", "der"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// The hash in the name of a certificate.
fn hash(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Without the mark of a clash of names at its end.
fn unclashed(stem: &str) -> &str {
    match stem.rsplit_once("_Fc-") {
        Some((before, count)) if number(count).is_some() => before,
        _ => stem,
    }
}

fn number(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

impl<'a> LogName<'a> {
    fn read(stem: &'a str) -> Option<Self> {
        let (time, rest) = LogTime::of_name(stem)?;
        let (counter, what) = rest.strip_prefix("Sig-")?.split_once("_Log-")?;
        let what = if unclashed(what) == "Aud" {
            LogWhat::Audit
        } else if let Some(operation) = what.strip_prefix("Sys_") {
            LogWhat::System {
                operation: [unclashed(operation), operation],
            }
        } else {
            let (no, rest) = what.strip_prefix("Tra_No-")?.split_once('_')?;
            let (operation, client) = rest.split_once("_Client-")?;
            LogWhat::Transaction {
                number: number(no)?,
                operation: Operation::of_name(operation)?,
                client: [unclashed(client), client],
            }
        };
        Some(Self {
            time,
            counter: number(counter)?,
            what,
        })
    }

    /// What the name says otherwise than the message.
    pub fn differences(&self, message: &Message<'_>) -> Vec<Both<&'static str>> {
        let mut differences = Vec::new();
        let mut differs = |so: bool, de, en| {
            if so {
                differences.push(Both::new(de, en));
            }
        };
        differs(self.time.moment() != message.time.moment(), "die Zeit", "the time");
        differs(
            self.counter != message.counter,
            "der Signaturzähler",
            "the signature counter",
        );
        match (&self.what, &message.certified) {
            (
                LogWhat::Transaction {
                    number,
                    operation,
                    client,
                },
                Certified::Transaction {
                    operation: step,
                    client: whose,
                    number: no,
                    ..
                },
            ) => {
                differs(number != no, "die Transaktion", "the transaction");
                differs(operation != step, "der Vorgang", "the operation");
                differs(!client.contains(whose), "der Client", "the client");
            }
            // How version 3 names what happened in the TSE is not known here, so its names are taken as they are.
            (LogWhat::System { operation }, Certified::System { operation: inside }) => {
                let known = message.version == 2;
                differs(
                    known && !inside.is_some_and(|inside| operation.contains(&inside)),
                    "der Vorgang",
                    "the operation",
                );
            }
            (LogWhat::Audit, Certified::Audit) => {}
            _ => differs(true, "die Art der Nachricht", "the kind of message"),
        }
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> LogName<'_> {
        match FileName::read(name) {
            FileName::Log(log) => log,
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn names_of_the_standard_are_read() {
        let start = log("Utc_181109153045Z_Sig-1572_Log-Tra_No-713_Start_Client-03.log");
        assert_eq!((start.counter, start.time.seconds), (1_572, 1_541_777_445));
        assert_eq!(
            start.what,
            LogWhat::Transaction {
                number: 713,
                operation: Operation::Start,
                client: ["03", "03"],
            }
        );
        let clash = log("Unixt_1_Sig-4_Log-Tra_No-1_Finish_Client-137741-0007 Hioneu_Fc-2.log");
        assert!(matches!(
            clash.what,
            LogWhat::Transaction {
                client: ["137741-0007 Hioneu", "137741-0007 Hioneu_Fc-2"],
                ..
            }
        ));
        let system = log("Gent_20181109153045.5Z_Sig-2_Log-Sys_updateTime_Fc-1.log");
        assert!(matches!(
            system.what,
            LogWhat::System {
                operation: ["updateTime", _]
            }
        ));
        assert_eq!(log("Unixt_1_Sig-9_Log-Aud_Fc-12.log").what, LogWhat::Audit);
        assert_eq!(FileName::read("info.csv"), FileName::Info);
        for (end, card) in [
            ("_X509.cer", false),
            ("_X509_Fc-1.CRT", false),
            ("_X509.pem", false),
            ("_CVC.der", true),
        ] {
            let name = format!("{}{end}", "0A".repeat(32));
            let key = Some([10; 32]);
            assert_eq!(FileName::read(&name), FileName::Certificate { key, card }, "{name}");
        }
    }

    #[test]
    fn what_the_standard_does_not_name_is_told_apart() {
        for name in [
            "notes.txt",
            "Unixt_1_Sig-x_Log-Aud.log",
            "Unixt_1_Sig-1_Log-Tra_No-1_Begin_Client-1.log",
            "Unixt_1_Sig-1_Log-Tra_No-1_Start.log",
            "Unixt_1_Sig-1_Log-Aux.log",
            ".log",
            "",
        ] {
            assert_eq!(FileName::read(name), FileName::Other, "{name}");
        }
        let unnamed = FileName::Certificate { key: None, card: false };
        for name in ["root.cer", "zz_X509.cer", &format!("{}_X509.der", "é".repeat(32))] {
            assert_eq!(FileName::read(name), unnamed, "{name}");
        }
    }
}
