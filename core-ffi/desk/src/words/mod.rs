//! What the till says to people. A refusal says what is wrong, that no money moved, and what to do now.

mod refusals;

use core_ffi::mirror::{MirrorFault, MirrorState};
use core_ffi::readers::Unusable;
use pages::format::{Clock, count, duration, euros};
use pages::{Language, format};
use shared_protocol::Amount;
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::order::TenderKind;
use shared_protocol::wristband::short_till;
use terminal::cash;
use terminal::screen::{Balance, Concern, Pill};

use crate::act::Unclear;

/// Words in one language, with what they need to write times and names.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub language: Language,
    pub clock: &'a Clock,
    pub config: Option<&'a Config>,
}

/// A headline, and what to do now.
pub(crate) struct Said {
    pub what: String,
    pub now: String,
}

impl Words<'_> {
    pub fn of<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        self.language.of(de, en)
    }

    pub fn euros(&self, amount: Amount) -> String {
        euros(amount, self.language)
    }

    fn said(&self, de: (&str, &str), en: (&str, &str)) -> Said {
        let (what, now) = match self.language {
            Language::De => de,
            Language::En => en,
        };
        Said {
            what: what.to_owned(),
            now: now.to_owned(),
        }
    }

    /// Money on a wristband after some came onto it.
    pub fn has(&self, balance: Balance) -> String {
        let amount = self.euros(balance.amount);
        match (
            self.language,
            balance.as_of_ms.map(|as_of_ms| self.clock.minute(as_of_ms)),
        ) {
            (Language::De, None) => format!("jetzt {amount}"),
            (Language::En, None) => format!("now {amount}"),
            (Language::De, Some(time)) => format!("jetzt etwa {amount} (Stand {time})"),
            (Language::En, Some(time)) => format!("now about {amount} (as of {time})"),
        }
    }

    /// Money on a wristband, with how fresh that is when it is not the server's word.
    pub fn left(&self, balance: Balance) -> String {
        let amount = self.euros(balance.amount);
        match balance.as_of_ms {
            None => format!("{} {amount}", self.of("noch", "left")),
            Some(as_of_ms) => {
                let time = self.clock.minute(as_of_ms);
                match self.language {
                    Language::De => format!("noch etwa {amount} (Stand {time})"),
                    Language::En => format!("about {amount} left (as of {time})"),
                }
            }
        }
    }

    /// Cash in another currency: `50,00 CHF`.
    pub fn foreign(&self, given: Foreign) -> String {
        let currency = self.config.and_then(|config| config.currency(given.asset));
        let code = currency.map_or_else(|| given.asset.to_string(), |currency| currency.code.to_owned());
        format!("{} {code}", format::decimal(given.amount, self.language))
    }

    pub fn tender(&self, kind: TenderKind) -> &'static str {
        match kind {
            TenderKind::Wristband => self.language.of("Band", "wristband"),
            TenderKind::Cash => self.language.of("Bar", "Cash"),
            TenderKind::Card => self.language.of("Karte", "Card"),
            TenderKind::Voucher => self.language.of("Gutschein", "Voucher"),
        }
    }

    fn article(&self, id: shared_protocol::ArticleId) -> String {
        let found = self.config.and_then(|config| config.articles.get(&id));
        found.map_or_else(
            || id.to_string(),
            |article| self.language.name(&article.name).to_owned(),
        )
    }

    /// The reader is not there. Whoever pays in cash need not wait for it.
    pub fn reader_missing(&self) -> Said {
        self.said(
            (
                "Leser fehlt – einstecken",
                "Er meldet sich von selbst. Eine begonnene Zahlung geht mit demselben Band weiter.",
            ),
            (
                "Reader missing – plug it in",
                "It reports by itself. A payment that was begun goes on with the same wristband.",
            ),
        )
    }

    /// Why what lies on the reader cannot be spoken to.
    pub fn unusable(&self, why: &Unusable) -> Said {
        match why {
            Unusable::OtherCard => self.said(
                ("Das ist kein Festivalband", "Wegnehmen und ein Festivalband hinhalten."),
                (
                    "This is no festival wristband",
                    "Take it away and hold a festival wristband.",
                ),
            ),
            Unusable::Mute => self.said(
                (
                    "Das Band antwortet nicht",
                    "Nochmal mittig auflegen, andere Seite probieren; sonst Infopunkt.",
                ),
                (
                    "The wristband does not answer",
                    "Lay it in the middle again, try the other side; else Info point.",
                ),
            ),
            Unusable::Busy => self.said(
                (
                    "Ein anderes Programm hält den Leser fest",
                    "Das andere Programm schließen.",
                ),
                ("Another program holds the reader", "Close the other program."),
            ),
            Unusable::Refused(_) => self.said(
                (
                    "Dieser Leser reicht nichts an das Band weiter",
                    "Einen anderen Leser einstecken und die Technik rufen.",
                ),
                (
                    "This reader passes nothing on to the wristband",
                    "Plug in another reader and call the tech team.",
                ),
            ),
        }
    }

    /// Where a sale was made, as far as the record of a purse says it.
    pub fn short_till(&self, short: u16) -> String {
        let tills = self.config.iter().flat_map(|config| config.tills.values());
        let mut known = tills.filter(|till| short_till(till.id) == short);
        known.next().map_or_else(
            || format!("{} {short}", self.of("Kasse", "till")),
            |till| till.name.clone(),
        )
    }

    /// Money in notes and coins: `20 € + 10 €`.
    pub fn in_pieces(&self, amount: Amount) -> String {
        let pieces = cash::in_pieces(amount).into_iter().map(|(worth, count)| {
            let piece = self.piece(worth);
            if count == 1 {
                piece
            } else {
                format!("{count} × {piece}")
            }
        });
        pieces.collect::<Vec<_>>().join(" + ")
    }

    /// A note or coin, without the cents that no note has.
    fn piece(&self, worth: Amount) -> String {
        let cents = worth.0;
        if cents % 100 != 0 {
            return self.euros(worth);
        }
        match self.language {
            Language::De => format!("{}\u{a0}€", cents / 100),
            Language::En => format!("€{}", cents / 100),
        }
    }

    /// What the frame says of a second copy; nothing while all is well, and nothing of a moment's delay.
    pub fn mirror(&self, state: MirrorState, now_ms: u64) -> Option<Said> {
        match state {
            MirrorState::Starting | MirrorState::UpToDate => None,
            MirrorState::Behind { since_ms, .. } if now_ms.saturating_sub(since_ms) < COPY_LATE_MS => None,
            MirrorState::Behind { entries, since_ms } => {
                let (time, entries) = (self.clock.minute(since_ms), count(entries, self.language));
                Some(self.said(
                    (
                        &format!("Zweitkopie hinkt nach seit {time}, {entries} Einträge"),
                        "Der Verkauf geht weiter. Ist das in fünf Minuten noch so: Technik rufen.",
                    ),
                    (
                        &format!("Second copy late since {time}, {entries} entries"),
                        "Selling goes on. If this is still here in five minutes: call tech.",
                    ),
                ))
            }
            MirrorState::Missing {
                fault,
                since_ms,
                bookings,
            } => {
                let time = self.clock.minute(since_ms);
                let number = count(bookings, self.language);
                let (lack, lacks) = match bookings {
                    1 => ("1 Buchung".to_owned(), "1 booking".to_owned()),
                    _ => (format!("{number} Buchungen"), format!("{number} bookings")),
                };
                let now = mirror_fault(fault);
                Some(self.said(
                    (&format!("Zweitkopie fehlt seit {time}, {lack}"), now.0),
                    (&format!("Second copy missing since {time}, {lacks}"), now.1),
                ))
            }
        }
    }

    /// The pill: its class, a sign and what it says. A count above zero shows also when online.
    pub fn pill(&self, pill: Pill, now_ms: u64) -> (&'static str, &'static str, String) {
        match pill {
            Pill::Online => ("online", "✓", self.of("Online", "Online").to_owned()),
            Pill::Sending { entries } => ("sending", "↑", entries.to_string()),
            Pill::Offline { entries, since_ms, .. } => {
                let for_ms = since_ms.map(|since| now_ms.saturating_sub(since));
                let concern = pill.concern(now_ms);
                let word = concern.map_or("Offline", |concern| self.concern(concern));
                let count = (entries > 0).then(|| entries.to_string());
                let long = for_ms.filter(|ms| *ms >= 60_000).map(|ms| duration(ms, self.language));
                let text = [Some(word.to_owned()), count, long]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" · ");
                match concern {
                    Some(_) => ("late", "▲", text),
                    None => ("offline", "●", text),
                }
            }
        }
    }

    fn concern(&self, concern: Concern) -> &'static str {
        match concern {
            Concern::Replaced => self.language.of("Anderes Gerät angemeldet", "Another device is on"),
            Concern::Version => self
                .language
                .of("Programm zu alt oder zu neu", "Program too old or too new"),
            Concern::Unknown => self
                .language
                .of("Server kennt dieses Gerät nicht", "Server does not know this device"),
            Concern::Late => self.language.of("Achtung", "Attention"),
        }
    }

    pub fn unclear(&self, unclear: &Unclear) -> String {
        match unclear {
            Unclear::Command => self
                .of(
                    "Das hat diese Seite nicht verstanden. Lade sie neu; nichts ist gebucht.",
                    "This page did not understand that. Load it anew; nothing was booked.",
                )
                .to_owned(),
            Unclear::Tile(word) => format!(
                "{}: {word}",
                self.of("Diese Kachel gibt es nicht", "There is no such tile")
            ),
            Unclear::Price => self
                .of(
                    "Anzahl oder Preis passt nicht: 3*12 sind drei von Kachel 12, 4,50*12 ist ein freier Preis.",
                    "Count or price does not fit: 3*12 is three of tile 12, 4.50*12 is a free price.",
                )
                .to_owned(),
            Unclear::Amount(word) => format!("{}: {word}", self.of("Das ist kein Betrag", "That is no amount")),
            Unclear::Method => self
                .of(
                    "Wie? Tippe 20* für bar, 20/ für Karte, 20- zum Auszahlen.",
                    "How? Type 20* for cash, 20/ for card, 20- to pay out.",
                )
                .to_owned(),
            Unclear::Wristband => self
                .of(
                    "So viele Bänder liegen hier nicht.",
                    "There are not that many wristbands here.",
                )
                .to_owned(),
            Unclear::Elsewhere => self
                .of(
                    "Dieses Band liegt gerade an einer anderen Kasse. Nimm es dort weg.",
                    "This wristband lies at another till right now. Take it away there.",
                )
                .to_owned(),
            Unclear::Pin => self
                .of(
                    "Eine PIN hat vier bis acht Ziffern. Tippe sie nochmal.",
                    "A PIN has four to eight digits. Type it again.",
                )
                .to_owned(),
            Unclear::Number(word) => format!(
                "{}: {word}",
                self.of(
                    "Das ist keine Bandnummer, nichts gesperrt und nichts getauscht",
                    "That is no number of a wristband, nothing was blocked or swapped"
                )
            ),
            Unclear::Invitation => self
                .of(
                    "Das ist kein Registrierungscode von Groschen, oder nicht der ganze.",
                    "That is no registration code of Groschen, or not all of it.",
                )
                .to_owned(),
        }
    }
}

/// What to do about a second copy that is missing.
const fn mirror_fault(fault: MirrorFault) -> (&'static str, &'static str) {
    match fault {
        MirrorFault::Gone => (
            "Der Verkauf geht weiter. Stick wieder einstecken; was fehlt, wird nachgetragen.",
            "Selling goes on. Plug the stick in again; what is missing will be copied.",
        ),
        MirrorFault::SameDisk => (
            "Der Ordner liegt auf der Platte dieses Geräts und ginge mit ihr verloren. Stick einstecken.",
            "The folder is on this device's own disk and would be lost with it. Plug the stick in.",
        ),
        MirrorFault::Full => (
            "Der Platz dort ist voll. Der Verkauf geht weiter; anderen Stick nehmen, Technik rufen.",
            "There is no room left. Selling goes on; take another stick, call tech.",
        ),
        MirrorFault::NotWritable => (
            "Dort lässt sich nicht schreiben. Der Verkauf geht weiter; Schreibschutz prüfen, Technik rufen.",
            "It cannot be written. Selling goes on; check the write protection, call tech.",
        ),
        MirrorFault::Hangs | MirrorFault::Io => (
            "Der Stick antwortet nicht. Der Verkauf geht weiter; Stick neu einstecken, sonst einen anderen nehmen.",
            "The stick does not answer. Selling goes on; plug it in again, or take another one.",
        ),
        MirrorFault::Unreachable => (
            "Das Nachbargerät ist nicht erreichbar. Der Verkauf geht weiter; prüfen, ob es läuft und im Netz ist.",
            "The neighbour cannot be reached. Selling goes on; check that it runs and is on the network.",
        ),
        MirrorFault::Key => (
            "Das Nachbargerät kennt den Schlüssel nicht. Der Verkauf geht weiter; Technik rufen.",
            "The neighbour does not know the key. Selling goes on; call tech.",
        ),
        MirrorFault::Foreign => (
            "Dort liegt ein anderes Journal unter diesem Namen. Der Verkauf geht weiter; Technik rufen.",
            "There is another journal under this name. Selling goes on; call tech.",
        ),
        MirrorFault::Queue => (
            "Die Warteschlange dieses Geräts lässt sich nicht lesen. Der Verkauf geht weiter; Technik rufen.",
            "This device's queue cannot be read. Selling goes on; call tech.",
        ),
    }
}

/// A copy that is late for less than this is not worth a look.
const COPY_LATE_MS: u64 = 3_000;
