//! Log messages of TR-03151, versions 2 and 3, and the bytes in them that were signed.
//!
//! ```text
//! SEQUENCE {
//!   version · type of the certified data · certified data (tags of context, without a wrapper)
//!   serial number · algorithm · [audit data] · signature counter · log time · signature
//! }
//! ```
//! What was signed is the content of the sequence up to the signature, byte for byte as it stands.

use wording::{Both, both};

use crate::algorithm::Algorithm;
use crate::time::LogTime;
use crate::tlv::{Tlv, TlvFault, Values};

/// `0.4.0.127.0.7.3.7.1.n`: kinds of certified data; n is 1 for transactions, 2 for the system, 3 for audits.
const CERTIFIED_DATA: [u8; 8] = [0x04, 0x00, 0x7f, 0x00, 0x07, 0x03, 0x07, 0x01];

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// What a TSE was asked to do with a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// It begins.
    Start,
    /// It goes on.
    Update,
    /// It ends.
    Finish,
}

impl Operation {
    /// As file names have it.
    pub const fn in_names(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Update => "Update",
            Self::Finish => "Finish",
        }
    }

    /// Of a file name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Start, Self::Update, Self::Finish]
            .into_iter()
            .find(|operation| operation.in_names() == name)
    }

    fn of_message(name: &[u8]) -> Option<Self> {
        Self::of_name(std::str::from_utf8(name).ok()?.strip_suffix("Transaction")?)
    }
}

/// What was certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certified<'a> {
    /// A step of a transaction.
    Transaction {
        /// Which step.
        operation: Operation,
        /// The till, as the TSE knows it.
        client: &'a str,
        /// What the transaction says, put together where it comes in parts.
        process_data: Vec<u8>,
        /// The form of what it says.
        process_type: &'a [u8],
        /// The transaction's number.
        number: u64,
    },
    /// Something that happened in the TSE. What else it carries is for its maker to read.
    System {
        /// What, where the message says it as messages of version 2 do.
        operation: Option<&'a str>,
    },
    /// Something for the maker to look into; it has no certified data.
    Audit,
}

/// A log message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// 2 or 3.
    pub version: u8,
    /// What was certified.
    pub certified: Certified<'a>,
    /// SHA-256 of the public key that signed.
    pub serial: [u8; 32],
    /// How it was signed.
    pub algorithm: Algorithm,
    /// The how-manieth signature this is.
    pub counter: u64,
    /// When.
    pub time: LogTime,
    /// The bytes that were signed, as they stand.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

/// Why a file is not a log message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub enum MessageFault {
    /// It is not made of tags, lengths and values.
    Encoding(#[from] TlvFault),
    /// A part is missing, twice there, or at the wrong place.
    Part(Both<&'static str>),
    /// Something follows.
    Behind(Both<&'static str>),
    /// Versions 2 and 3 are known.
    Version(u64),
}

impl MessageFault {
    /// It in words.
    pub fn said(self) -> Both {
        match self {
            Self::Encoding(fault) => Both::new(
                format!("sie ist nicht so codiert wie Log-Nachrichten: {}", fault.said().de),
                format!("it is not encoded as log messages are: {}", fault.said().en),
            ),
            Self::Part(part) => Both::new(
                format!(
                    "{} fehlt, steht an der falschen Stelle oder ist nicht, wie es sein muss",
                    part.de
                ),
                format!("{} is missing, at the wrong place or not as it must be", part.en),
            ),
            Self::Behind(part) => Both::new(
                format!("nach {} folgt noch etwas", part.de),
                format!("something follows {}", part.en),
            ),
            Self::Version(version) => both!(
                "sie hat Version {version}, bekannt sind 2 und 3",
                "it has version {version}, known are 2 and 3"
            ),
        }
    }

    const fn part(de: &'static str, en: &'static str) -> Self {
        Self::Part(Both::new(de, en))
    }

    const fn behind(de: &'static str, en: &'static str) -> Self {
        Self::Behind(Both::new(de, en))
    }
}

impl<'a> Message<'a> {
    /// Reads a log message.
    pub fn read(bytes: &'a [u8]) -> Result<Self, MessageFault> {
        let part = MessageFault::part;
        let mut file = Values::of(bytes);
        let outer = file
            .expect(SEQUENCE)?
            .ok_or(part("die äußere Sequenz", "the outer sequence"))?;
        if !file.rest().is_empty() {
            return Err(MessageFault::behind("der Nachricht", "the message"));
        }
        let mut values = Values::of(outer.value);
        let version = values.expect(INTEGER)?.and_then(|value| value.unsigned());
        let version = match version.ok_or(part("die Version", "the version"))? {
            2 => 2,
            3 => 3,
            other => return Err(MessageFault::Version(other)),
        };
        let kind = values
            .expect(OBJECT)?
            .ok_or(part("die Art der Nachricht", "the kind of the message"))?;
        let kind = match kind.value.strip_prefix(&CERTIFIED_DATA) {
            Some([kind @ 1..=3]) => *kind,
            _ => return Err(part("die Art der Nachricht", "the kind of the message")),
        };
        let certified = Fields::take(&mut values)?.certified(kind)?;
        let serial = values.expect(OCTETS)?.and_then(|value| value.value.try_into().ok());
        let serial = serial.ok_or(part("die Seriennummer von 32 Byte", "the serial number of 32 bytes"))?;
        let algorithm = values
            .expect(SEQUENCE)?
            .ok_or(part("der Algorithmus", "the algorithm"))?;
        let mut within = Values::of(algorithm.value);
        let algorithm = Algorithm::of(
            within
                .expect(OBJECT)?
                .ok_or(part("der Algorithmus", "the algorithm"))?
                .value,
        );
        let audit = values.expect(OCTETS)?;
        if audit.is_some() != (kind == 3) {
            return Err(part("das Feld der Audit-Daten", "the audit data"));
        }
        let counter = values.expect(INTEGER)?.and_then(|value| value.unsigned());
        let time = values.take()?.and_then(|value| LogTime::of(&value));
        let signed = outer.value.len() - values.rest().len();
        let signature = values
            .expect(OCTETS)?
            .ok_or(part("die Signatur", "the signature"))?
            .value;
        if !values.rest().is_empty() {
            return Err(MessageFault::behind("der Signatur", "the signature"));
        }
        Ok(Self {
            version,
            certified,
            serial,
            algorithm,
            counter: counter.ok_or(part("der Signaturzähler", "the signature counter"))?,
            time: time.ok_or(part("die Zeit", "the log time"))?,
            signed: outer.value.get(..signed).ok_or(part("die Signatur", "the signature"))?,
            signature,
        })
    }
}

/// The certified data by the number of their tags; audits have none.
#[derive(Default)]
struct Fields<'a>([Option<Tlv<'a>>; 7]);

impl<'a> Fields<'a> {
    /// Takes all values with tags of context.
    fn take(values: &mut Values<'a>) -> Result<Self, MessageFault> {
        let mut fields = Self::default();
        while let Some(tlv) = values.peek()? {
            if tlv.tag & 0xc0 != 0x80 {
                break;
            }
            values.take()?;
            // Later versions may carry more than is known here; what is known comes once.
            if let Some(field) = fields.0.get_mut(usize::from(tlv.tag & 0x1f))
                && field.replace(tlv).is_some()
            {
                return Err(MessageFault::part(
                    "ein Feld, das es einmal gibt,",
                    "a field that must come once",
                ));
            }
        }
        Ok(fields)
    }

    /// A field in one piece.
    fn whole(&self, number: usize) -> Option<&'a [u8]> {
        let field = (*self.0.get(number)?)?;
        (field.tag & 0x20 == 0).then_some(field.value)
    }

    /// A field that may come in parts, each an octet string.
    fn parts(&self, number: usize) -> Result<Option<Vec<u8>>, MessageFault> {
        let Some(Some(field)) = self.0.get(number) else {
            return Ok(None);
        };
        if field.tag & 0x20 == 0 {
            return Ok(Some(field.value.to_vec()));
        }
        let (mut values, mut whole) = (Values::of(field.value), Vec::new());
        while let Some(part) = values.take()? {
            if part.tag != OCTETS {
                return Err(MessageFault::part(
                    "ein Teil der Prozessdaten",
                    "a part of the process data",
                ));
            }
            whole.extend_from_slice(part.value);
        }
        Ok(Some(whole))
    }

    fn certified(&self, kind: u8) -> Result<Certified<'a>, MessageFault> {
        let part = MessageFault::part;
        let text = |number| self.whole(number).and_then(|value| std::str::from_utf8(value).ok());
        match kind {
            1 => {
                let number = self.0.get(5).copied().flatten();
                Ok(Certified::Transaction {
                    operation: self
                        .whole(0)
                        .and_then(Operation::of_message)
                        .ok_or(part("der Vorgang", "the operation"))?,
                    client: text(1).ok_or(part("der Client", "the client"))?,
                    process_data: self.parts(2)?.unwrap_or_default(),
                    process_type: self.whole(3).unwrap_or_default(),
                    number: number
                        .and_then(|value| value.unsigned())
                        .ok_or(part("die Transaktionsnummer", "the transaction number"))?,
                })
            }
            2 => Ok(Certified::System { operation: text(0) }),
            _ if self.0.iter().all(Option::is_none) => Ok(Certified::Audit),
            _ => Err(part(
                "der zertifizierte Inhalt, den ein Audit nicht hat,",
                "the certified data, of which an audit has none,",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
