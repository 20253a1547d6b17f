//! The readers beside the till: which one was asked for, and how each stands.

use std::collections::BTreeSet;

use core_ffi::readers::{Happening, ReaderThread, Unusable};
use core_ffi::{Keys, Till};

/// A USB reader, or any of them that is plugged in.
#[derive(Debug, Clone)]
pub struct UsbReader(Over);

/// Over what it is reached. In a program without readers there is no value of this.
#[derive(Debug, Clone)]
enum Over {
    #[cfg(feature = "pcsc")]
    Pcsc(Option<String>),
    #[cfg(feature = "libnfc")]
    Libnfc(String),
}

/// This program was built without such readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this program was built without such readers; build it with --features pcsc or libnfc (Debian: libpcsclite-dev, libnfc-dev), or give --reader none"
)]
pub struct NoReaders;

impl UsbReader {
    /// What a desk asks for when nothing is said: any reader, in a program that was built with readers.
    pub const USUAL: &str = if cfg!(feature = "pcsc") { "first" } else { "none" };

    /// `none`, `first` for any that is there, a part of a reader's name, or a connection of libnfc (`pn532_uart:/dev/ttyUSB0`).
    pub fn asked(name: &str) -> Result<Option<Self>, NoReaders> {
        match name {
            "none" => Ok(None),
            #[cfg(feature = "libnfc")]
            name if name.starts_with("pn53") => Ok(Some(Self(Over::Libnfc(name.to_owned())))),
            #[cfg(feature = "pcsc")]
            "first" => Ok(Some(Self(Over::Pcsc(None)))),
            #[cfg(feature = "pcsc")]
            name => Ok(Some(Self(Over::Pcsc(Some(name.to_owned()))))),
            #[cfg(not(feature = "pcsc"))]
            _ => Err(NoReaders),
        }
    }

    /// Lets it tell a till what lies on it, and `told` what happens to it.
    pub(crate) fn attach(
        &self,
        till: &Till,
        keys: Keys,
        told: impl FnMut(&Happening) + Send + 'static,
    ) -> std::io::Result<ReaderThread> {
        #[cfg(not(any(feature = "pcsc", feature = "libnfc")))]
        let _ = (till, keys, told);
        match self.0 {
            #[cfg(feature = "pcsc")]
            Over::Pcsc(ref only) => {
                let reader = core_ffi::readers::pcsc::PcscReader::new(only.as_deref());
                till.attach_hardware(reader, keys, told)
            }
            #[cfg(feature = "libnfc")]
            Over::Libnfc(ref connection) => {
                let reader = core_ffi::readers::nfc1::NfcReader::new(connection.as_str());
                till.attach_hardware(reader, keys, told)
            }
        }
    }
}

/// How the reader of one kind stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plugged {
    /// The ones that are plugged in.
    pub names: BTreeSet<String>,
    /// Why what lies there cannot be spoken to.
    pub unusable: Option<Unusable>,
}

impl Plugged {
    /// Takes note of a happening; gives whether it changed anything.
    fn note(&mut self, happening: &Happening) -> bool {
        let unusable = match happening {
            Happening::Plugged(info) => return self.names.insert(info.name.clone()),
            Happening::Unplugged { name } => return self.names.remove(name),
            Happening::Woken => return false,
            Happening::Unusable(why) => Some(why.clone()),
            Happening::Chip(_) | Happening::Left => None,
        };
        std::mem::replace(&mut self.unusable, unusable.clone()) != unusable
    }
}

/// How the readers stand; none of a kind that this desk does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Readers {
    pub simulated: Option<Plugged>,
    pub usb: Option<Plugged>,
}

/// A kind of reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Simulated,
    Usb,
}

impl Readers {
    fn of(&mut self, kind: Kind) -> &mut Option<Plugged> {
        match kind {
            Kind::Simulated => &mut self.simulated,
            Kind::Usb => &mut self.usb,
        }
    }

    /// A reader of this kind belongs to the desk; nothing is known of it yet.
    pub fn expect(&mut self, kind: Kind) {
        *self.of(kind) = Some(Plugged::default());
    }

    /// Takes note of a happening; gives whether the page looks different now.
    pub fn note(&mut self, kind: Kind, happening: &Happening) -> bool {
        self.of(kind).get_or_insert_default().note(happening)
    }
}

#[cfg(test)]
mod tests {
    use core_ffi::readers::{Over, ReaderInfo};

    use super::{Happening, Kind, Readers, UsbReader};

    #[test]
    fn a_reader_that_is_pulled_out_and_put_back_is_missing_in_between() {
        let plugged = Happening::Plugged(ReaderInfo {
            name: "one".to_owned(),
            over: Over::Nothing,
            holds: false,
        });
        let gone = Happening::Unplugged { name: "one".to_owned() };
        let mut readers = Readers::default();
        readers.expect(Kind::Usb);
        let names = |readers: &Readers| readers.usb.as_ref().unwrap().names.len();
        assert_eq!(names(&readers), 0);
        assert!(readers.note(Kind::Usb, &plugged));
        assert_eq!(names(&readers), 1);
        assert!(readers.note(Kind::Usb, &gone) && !readers.note(Kind::Usb, &gone));
        assert_eq!((names(&readers), readers.simulated), (0, None));
    }

    #[test]
    fn a_desk_without_readers_is_asked_for_none() {
        assert!(UsbReader::asked("none").unwrap().is_none());
        assert_eq!(UsbReader::asked("first").is_ok(), cfg!(feature = "pcsc"));
        assert_eq!(UsbReader::asked("ACR122U").is_ok(), cfg!(feature = "pcsc"));
        assert!(UsbReader::asked(UsbReader::USUAL).is_ok());
    }
}
