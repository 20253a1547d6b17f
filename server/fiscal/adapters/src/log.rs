//! A TSE's own log as its export gives it: a TAR with one log message of TR-03151 a file. Read to find out what became of a request whose answer
//! was lost. Nothing is judged: signatures and certificates are a verifier's business.

use std::collections::BTreeMap;
use std::io::Read;

use fiscal::tse::{Finished, Logged, Started};

use crate::tlv;

/// More is no log message of a transaction.
const MESSAGE_MAX_BYTES: u64 = 1 << 16;

/// What the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A transaction of a till began.
    Started { client: String, started: Started },
    /// One ended, with what it said.
    Ended {
        transaction: u64,
        process_data: String,
        finished: Finished,
    },
}

/// Hands on what a TAR of log messages says about transactions.
pub(crate) fn each(tar: impl Read, mut hear: impl FnMut(Event)) -> std::io::Result<()> {
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if !name.contains("_Log-Tra_") || name.contains("_Update_") {
            continue;
        }
        let mut message = Vec::new();
        entry.by_ref().take(MESSAGE_MAX_BYTES).read_to_end(&mut message)?;
        let unreadable = || std::io::Error::other(format!("the log message {name} cannot be read"));
        hear(event(&message).ok_or_else(unreadable)?);
    }
    Ok(())
}

/// Transactions of tills whose names begin so, whose starts were heard, in order.
pub(crate) fn transactions(events: impl IntoIterator<Item = Event>, clients: &str) -> Vec<Logged> {
    let mut all = BTreeMap::<u64, Logged>::new();
    for event in events {
        match event {
            Event::Started { client, started } if client.starts_with(clients) => {
                let end = None;
                all.insert(started.transaction, Logged { client, started, end });
            }
            Event::Started { .. } => {}
            Event::Ended {
                transaction,
                process_data,
                finished,
            } => {
                if let Some(logged) = all.get_mut(&transaction) {
                    logged.end = Some((process_data, finished));
                }
            }
        }
    }
    all.into_values().collect()
}

/// A log message of version 2 or 3 about the start or end of a transaction, with its time as seconds since 1970.
fn event(message: &[u8]) -> Option<Event> {
    let (0x30, mut rest, _) = tlv::next(message)? else {
        return None;
    };
    let (mut operation, mut client, mut data, mut transaction) = (None, None, "", None);
    let (mut counter, mut time_s, mut last) = (None, None, None);
    let mut is_first = true;
    while let Some((tag, content, after)) = tlv::next(rest) {
        let text = std::str::from_utf8(content).ok();
        match tag {
            0x80 => operation = text,
            0x81 => client = text,
            0x82 => data = text?,
            0x85 => transaction = tlv::number(content),
            // The first is the version, then come the counter and the time.
            0x02 if is_first => is_first = false,
            0x02 if counter.is_none() => counter = tlv::number(content),
            0x02 => time_s = tlv::number(content),
            0x04 => last = Some(content),
            _ => {}
        }
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    let (transaction, counter, time_s, signature) = (transaction?, counter?, time_s?, last?.to_vec());
    match operation? {
        "StartTransaction" => Some(Event::Started {
            client: client?.to_owned(),
            started: Started {
                transaction,
                counter,
                time_s,
                signature,
            },
        }),
        "FinishTransaction" => Some(Event::Ended {
            transaction,
            process_data: data.to_owned(),
            finished: Finished {
                counter,
                time_s,
                signature,
            },
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fiscal::tse::Curve;
    use tse_mocks::{Double, Make};

    use super::*;

    fn logged() -> (Vec<u8>, Double) {
        let mut double = Double::new(Make::unit(), Curve::BrainpoolP384);
        double.register("till").unwrap();
        double.start("till").unwrap();
        double.start("till").unwrap();
        double.finish("till", 1, "Kassenbeleg-V1", "Beleg^").unwrap();
        (double.export(0, u64::MAX), double)
    }

    #[test]
    fn starts_and_ends_are_read_with_their_signatures() {
        let (tar, double) = logged();
        let mut events = Vec::new();
        each(tar.as_slice(), |event| events.push(event)).unwrap();
        assert_eq!(events.len(), 3);
        let Event::Started { client, started } = &events[1] else {
            panic!("{events:?}");
        };
        assert_eq!((client.as_str(), started.transaction, started.counter), ("till", 2, 2));
        assert_eq!(started.signature, double.log[1].signature);
        let Event::Ended {
            transaction,
            process_data,
            finished,
        } = &events[2]
        else {
            panic!("{events:?}");
        };
        assert_eq!(
            (*transaction, process_data.as_str(), finished.counter),
            (1, "Beleg^", 3)
        );
        assert_eq!(finished.time_s, double.log[2].time_s);
    }

    #[test]
    fn a_cut_or_changed_log_is_an_error_and_never_a_panic() {
        let (tar, _) = logged();
        for at in (0..tar.len()).step_by(7) {
            let _ignored = each(&tar[..at], |_| ());
            let mut changed = tar.clone();
            changed[at] ^= 0x55;
            let _ignored = each(changed.as_slice(), |_| ());
        }
        assert!(each(&tar[..700], |_| ()).is_err());
    }
}
