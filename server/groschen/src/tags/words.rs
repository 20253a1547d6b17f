//! What is said about a wristband, in both languages.

use chips::purse::LoadRefusal;
use chips::purse::encode::Unfit;
use chips::{Authentication, Guard, Originality, PurseKind, Refused};
use core_ffi::tags::gates::Trial;
use core_ffi::tags::station::{NotHere, Reject};
use core_ffi::tags::{Failing, Inspection, Opened, Verdict};
use pages::Language;
use pages::format::cents;
use shared_protocol::purse::{ChainId, Purse, Record, Slot};

/// What is missing, and what to do about it.
pub(super) const fn failing(failing: Failing, words: Language) -> &'static str {
    match failing {
        Failing::Kind => words.of(
            "kein Chip, der eine Börse tragen kann",
            "no chip that can carry a purse",
        ),
        Failing::Counterfeit => words.of(
            "die Unterschrift des Herstellers stimmt nicht: Fälschung, aussortieren und die Lieferung reklamieren",
            "the maker's signature does not hold: a counterfeit, sort it out and complain about the delivery",
        ),
        Failing::NoHeader => words.of("nie codiert: codieren", "never encoded: encode it"),
        Failing::KeysNotHere => words.of(
            "die Schlüssel seiner Charge sind hier nicht: mit --keys angeben",
            "the keys of its batch are not here: give them with --keys",
        ),
        Failing::FactoryKey => words.of(
            "öffnet mit dem Schlüssel aus der Fabrik: codieren oder aussortieren",
            "opens with the factory's key: encode it or sort it out",
        ),
        Failing::OtherKey => words.of(
            "öffnet nicht mit dem Schlüssel, der für ihn abgeleitet ist: aussortieren",
            "does not open with the key that is derived for it: sort it out",
        ),
        Failing::FactoryIdKey => words.of(
            "der zweite Schlüssel ist noch der aus der Fabrik: aussortieren",
            "its second key is still the factory's: sort it out",
        ),
        Failing::ReadsOpen => words.of(
            "die Börse ist ohne Schlüssel lesbar: aussortieren",
            "the purse can be read without a key: sort it out",
        ),
        Failing::Unfit(unfit) => match unfit {
            Unfit::KeysOpen => words.of(
                "die Schlüssel sind überschreibbar (2D): aussortieren",
                "the keys can be overwritten (2D): sort it out",
            ),
            Unfit::HeaderOpen => words.of(
                "der Kopf ist überschreibbar (02): aussortieren",
                "the header can be overwritten (02): sort it out",
            ),
            Unfit::ConfigurationOpen => words.of(
                "die Konfiguration ist änderbar (2A): aussortieren",
                "the configuration can be changed (2A): sort it out",
            ),
            Unfit::NoChannel => words.of(
                "antwortet ohne Prüfsumme (29): aussortieren",
                "answers without a MAC (29): sort it out",
            ),
            Unfit::PagesOpen => words.of(
                "Seiten sind ohne Schlüssel lesbar oder schreibbar (29, 2A): aussortieren",
                "pages can be read or written without a key (29, 2A): sort it out",
            ),
            Unfit::CounterOpen => words.of(
                "der Zähler ist ohne Schlüssel lesbar oder zählbar (2A): aussortieren",
                "the counter can be read or advanced without a key (2A): sort it out",
            ),
            Unfit::RandomId => words.of(
                "gibt jedes Mal eine andere Nummer (29): aussortieren",
                "gives another id each time (29): sort it out",
            ),
            Unfit::AuthenticationLimited => words.of(
                "wenige falsche Schlüssel legen ihn still (2A): aussortieren",
                "a few wrong keys put it out of use (2A): sort it out",
            ),
            Unfit::Pages => words.of(
                "die Seiten sind nicht die geschriebenen: aussortieren",
                "the pages are not those that were written: sort it out",
            ),
        },
    }
}

const fn refused(refused: Refused, words: Language) -> &'static str {
    match refused {
        Refused::Classic => words.of(
            "MIFARE Classic: mit dem Handy kopierbar, wird nicht angenommen",
            "MIFARE Classic: can be copied with a phone and is not accepted",
        ),
        Refused::UltralightC => words.of(
            "MIFARE Ultralight C: kein gesicherter Kanal, wird nicht angenommen",
            "MIFARE Ultralight C: no guarded channel, not accepted",
        ),
        Refused::RandomId => words.of(
            "kein Band: die Nummer ist jedes Mal eine andere (Handy, Bankkarte)",
            "no wristband: its number changes each time (phone, bank card)",
        ),
        Refused::Unknown => words.of(
            "unbekannter Chip, wird nicht angenommen",
            "an unknown kind of chip, not accepted",
        ),
    }
}

const fn not_here(why: &NotHere, words: Language) -> &'static str {
    match why {
        NotHere::Kind(kind) => refused(*kind, words),
        NotHere::IdOnly => words.of(
            "dieser Chip kann keine Börse tragen, er taugt nur als Nummer",
            "this chip cannot carry a purse, it is good as an id only",
        ),
        NotHere::Elsewhere(_) => words.of(
            "dieses Band hat schon einen Platz in einer Charge, aber nicht in diesem Ordner",
            "this wristband has a place in a batch already, but not in this folder",
        ),
        NotHere::EncodedBefore => words.of(
            "dieser Chip wurde schon mit anderen Schlüsseln codiert",
            "this chip was encoded before, with other keys",
        ),
        NotHere::Used => words.of(
            "der Zähler steht nicht am Anfang: dieser Chip wurde schon benutzt",
            "the counter is not at its beginning: this chip was used before",
        ),
    }
}

fn reject(why: &Reject, words: Language) -> String {
    match why {
        Reject::Counterfeit => failing(Failing::Counterfeit, words).to_owned(),
        Reject::DidNotTake(unfit) => {
            let all: Vec<&str> = unfit.iter().map(|one| failing(Failing::Unfit(*one), words)).collect();
            all.join("; ")
        }
        Reject::KeysTorn => words
            .of(
                "mitten im Schlüssel abgerissen und nicht mehr zu öffnen",
                "torn in the middle of its keys and cannot be opened any more",
            )
            .to_owned(),
        Reject::Unsteady => words.of("reißt jedes Mal ab", "breaks off each time").to_owned(),
    }
}

/// What became of a chip at the encoder, as one line.
pub(super) fn verdict(verdict: &Verdict, words: Language) -> String {
    match verdict {
        Verdict::Good { made, resumed, checked } => {
            let resumed = if *resumed {
                words.of(", fortgesetzt", ", resumed")
            } else {
                ""
            };
            let unchecked = if *checked {
                ""
            } else {
                words.of(", HERSTELLER NICHT GEPRÜFT", ", MAKER NOT CHECKED")
            };
            format!(
                "{} {} {} ({}{resumed}{unchecked})",
                words.of("GUT", "GOOD"),
                made.number,
                made.uid,
                made.index
            )
        }
        Verdict::Already(made) => format!(
            "{} {} {}",
            words.of("SCHON FERTIG", "DONE BEFORE"),
            made.number,
            made.uid
        ),
        Verdict::Again { uid, .. } => format!(
            "{} {uid}: {}",
            words.of("NOCHMAL", "AGAIN"),
            words.of("dasselbe Band noch einmal hinhalten", "hold the same wristband again")
        ),
        Verdict::Rejected { uid, why } => format!("{} {uid}: {}", words.of("AUSSCHUSS", "REJECT"), reject(why, words)),
        Verdict::Refused(why) => format!("{}: {}", words.of("NICHT ANGENOMMEN", "REFUSED"), not_here(why, words)),
    }
}

/// A gate's name.
pub(super) const fn trial(trial: Trial, words: Language) -> &'static str {
    match trial {
        Trial::FastRead => words.of("Börse in einem Zug lesen", "read the purse in one frame"),
        Trial::CounterTwice => words.of("Zähler liest gleich", "the counter reads the same"),
        Trial::Increment => words.of("um mehr als eins zählen", "count by more than one"),
        Trial::HeaderLocked => words.of("Kopf gesperrt (04-07)", "header locked (04-07)"),
        Trial::ConfigurationLocked => words.of("Konfiguration gesperrt", "configuration locked"),
        Trial::TokenPage => words.of("letzte Seite eines Tokens", "last page of a token"),
    }
}

const fn chain(chain: ChainId, words: Language) -> &'static str {
    match chain {
        ChainId::Desk => words.of("Aufladeplätze", "desks"),
        ChainId::Server => words.of("Server", "server"),
        ChainId::Return => words.of("Rückgaben", "returns"),
    }
}

fn capabilities(found: &Inspection, words: Language) -> Vec<String> {
    let chip = match &found.chip {
        Err(why) => return vec![refused(*why, words).to_owned()],
        Ok(chip) => chip.capabilities,
    };
    let can = [
        (chip.stable_id, words.of("feste Nummer", "a number that stays")),
        (
            chip.authentication == Authentication::Aes,
            words.of("weist sich mit AES aus", "proves itself with AES"),
        ),
        (
            chip.guard != Guard::None,
            words.of("gesicherter Kanal", "a guarded channel"),
        ),
        (
            chip.purse != PurseKind::None,
            words.of("kann eine Börse tragen", "can carry a purse"),
        ),
        (chip.counter, words.of("Einweg-Zähler", "a one-way counter")),
        (
            chip.originality != Originality::None,
            words.of("Unterschrift des Herstellers", "the maker's signature"),
        ),
    ];
    let names: Vec<&str> = can.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    vec![format!("{}: {}", words.of("Kann", "Can"), names.join(", "))]
}

fn record(record: Record, words: Language) -> String {
    format!(
        "{} {}: {} {}, {} {}, {} {}/{} {}/{}",
        words.of("Satz", "Record"),
        record.version,
        words.of("Betrag", "amount"),
        cents(i128::from(record.amount), words),
        words.of("Kasse", "till"),
        record.terminal,
        words.of("Gutscheine ausgegeben/benutzt", "vouchers issued/used"),
        record.vouchers[0].issued,
        record.vouchers[0].used,
        record.vouchers[1].issued,
        record.vouchers[1].used,
    )
}

fn purse(purse: &Purse, words: Language) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {}, {} {}, {} {}",
        words.of("Echt. Guthaben", "Genuine. Balance"),
        cents(i128::from(purse.balance(None).0), words),
        words.of("davon frei", "of it free"),
        cents(i128::from(purse.free(None).0), words),
        words.of("ausgegeben", "spent"),
        cents(i128::from(purse.debited().0), words),
    )];
    for id in ChainId::ALL {
        let units = purse.credit(*id).credit.units;
        let length = purse.settings.length_of(*id);
        lines.push(format!(
            "{} {}: {units}/{length} x {} ct",
            words.of("Aufgeladen über", "Credited by"),
            chain(*id, words),
            purse.settings.unit_of(*id)
        ));
    }
    let records = Slot::ALL.iter().filter_map(|slot| purse.committed(*slot));
    lines.extend(records.map(|one| record(one, words)));
    if purse.newest_record().is_none() {
        lines.push(
            words
                .of(
                    "! Beide Sätze sind beschädigt: das Geld ist sicher, Gutscheine sind unbekannt. Am Infopunkt tauschen.",
                    "! Both records are damaged: the money is safe, vouchers are not known. Exchange it at the information desk.",
                )
                .to_owned(),
        );
    }
    if let Some(open) = purse.open_intent() {
        lines.push(format!(
            "! {}: {}. {}",
            words.of("Unterbrochene Zahlung", "Interrupted payment"),
            cents(i128::from(open.amount), words),
            words.of(
                "Nichts ist abgebucht; die nächste Zahlung überschreibt sie.",
                "Nothing was taken; the next payment overwrites it.",
            )
        ));
    }
    if purse.old.is_some() {
        lines.push(
            words
                .of(
                    "! Die letzte Aufladung ist noch nicht bestätigt: an einem Aufladeplatz noch einmal hinhalten.",
                    "! The last top-up is not confirmed yet: hold it to a desk once more.",
                )
                .to_owned(),
        );
    }
    lines
}

fn load_refusal(refusal: &LoadRefusal, words: Language) -> String {
    let says = match refusal {
        LoadRefusal::NoPurse => words.of("keine Börse darauf", "there is no purse on it"),
        LoadRefusal::Blocked => words.of("gesperrt", "it is blocked"),
        LoadRefusal::UnknownBatch(_) => words.of(
            "die Liste seiner Charge ist hier nicht: mit --list angeben",
            "the list of its batch is not here: give it with --list",
        ),
        LoadRefusal::Keys(_) => words.of(
            "die Schlüssel seiner Charge sind hier nicht: mit --keys angeben",
            "the keys of its batch are not here: give them with --keys",
        ),
        LoadRefusal::Link(_) => words.of(
            "öffnet nicht mit seinem Schlüssel, oder zu früh weggezogen",
            "does not open with its key, or was taken away too early",
        ),
        LoadRefusal::Purse(_) => words.of(
            "was darauf steht, ist nicht echt: sperren und am Infopunkt tauschen",
            "what is on it is not genuine: block it and exchange it at the information desk",
        ),
        LoadRefusal::Regression => words.of(
            "weniger darauf als vorher: zurückgesetzt oder eine Kopie, sperren",
            "less on it than before: set back or a copy, block it",
        ),
        LoadRefusal::UnstableCounter => words.of(
            "der Zähler ist beschädigt: am Infopunkt tauschen",
            "the counter is damaged: exchange it at the information desk",
        ),
    };
    format!("! {says} ({refusal})")
}

/// Everything that was found, one line each; what is wrong begins with `!`.
pub(super) fn inspection(found: &Inspection, words: Language) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {}",
        words.of("Nummer (UID)", "Number (UID)"),
        found.selected.uid
    )];
    lines.extend(capabilities(found, words));
    if let Some(header) = &found.header {
        lines.push(format!(
            "{} {}, {} {}, {} {}, {} {}",
            words.of("Charge", "Batch"),
            header.batch,
            words.of("Index", "index"),
            header.index,
            words.of("Schlüsselsatz", "keyset"),
            header.keyset,
            words.of("Klasse", "class"),
            header.class
        ));
        if !found.text.is_empty() {
            lines.push(format!("{} {}", words.of("Aufgedruckt", "Printed"), found.text));
        }
    }
    match &found.opened {
        Some(Opened::Purse(open)) => lines.extend(purse(open, words)),
        Some(Opened::Refused(refusal)) => lines.push(load_refusal(refusal, words)),
        None => {}
    }
    lines.extend(found.failing.iter().map(|one| format!("! {}", failing(*one, words))));
    if found.failing.is_empty() && matches!(found.opened, Some(Opened::Purse(_))) {
        lines.push(
            words
                .of(
                    "Alle Sperren sitzen. Nichts zu tun.",
                    "All locks hold. Nothing is to be done.",
                )
                .to_owned(),
        );
    }
    lines
}
