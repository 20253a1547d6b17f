//! What states of TSEs and what is short are called, with what to do about it.

use fiscal::capacity::{Severity, Short, Warning};
use fiscal::signer::{Cause, Refused};
use pages::Language;
use pages::format::{Clock, count};
use shared_protocol::catalogue::Text;
use store::TseNo;

use crate::fault::Fault;
use crate::signer::NotTaken;

/// What is the matter, and what to do now.
pub(crate) const fn cause(cause: Cause, words: Language) -> (&'static str, &'static str) {
    match cause {
        Cause::Silent => (
            words.of("antwortet nicht", "does not answer"),
            words.of(
                "Strom, Kabel und Netz der TSE prüfen. Der Server versucht es alle 20 Sekunden von selbst wieder.",
                "Check power, cable and network of the TSE. The server tries again every 20 seconds by itself.",
            ),
        ),
        Cause::TimeNotSet => (
            words.of("hat keine Uhrzeit", "has no time"),
            words.of(
                "Der Server stellt sie beim nächsten Versuch. Bleibt es so, die TSE aus- und einschalten.",
                "The server sets it with the next try. If it stays so, switch the TSE off and on.",
            ),
        ),
        Cause::CertificateExpired => (
            words.of("Zertifikat abgelaufen", "certificate over"),
            words.of(
                "Sie kommt nicht wieder: eine andere TSE anschließen, diese exportieren und außer Betrieb nehmen.",
                "It does not come back: connect another TSE, export this one and take it out of service.",
            ),
        ),
        Cause::Full => (
            words.of("Speicher voll oder defekt", "memory full or broken"),
            words.of(
                "Jetzt exportieren und den Export aufheben; eine andere TSE anschließen.",
                "Export it now and keep the export; connect another TSE.",
            ),
        ),
        Cause::Disabled => (
            words.of("außer Betrieb gesetzt", "put out of use"),
            words.of(
                "Sie signiert nie wieder: eine andere TSE anschließen.",
                "It never signs again: connect another TSE.",
            ),
        ),
        Cause::AccessDenied => (
            words.of("Passwort falsch oder gesperrt", "password wrong or blocked"),
            words.of(
                "Nicht weiter probieren: nach drei Fehlversuchen sperrt sie sich. Datei mit dem Passwort prüfen, mit der PUK entsperren, Server neu starten.",
                "Do not go on trying: three wrong ones block it. Check the file with the password, unblock it with the PUK, restart the server.",
            ),
        ),
        Cause::Other => (
            words.of("gestört", "out of order"),
            words.of(
                "Den Grund nennt der Ausfall unten. Der Server versucht es von selbst wieder.",
                "The outage below has the reason. The server tries again by itself.",
            ),
        ),
    }
}

/// The class of a severity, and its sign.
pub(crate) const fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Severe => ("bad", "⛔"),
        Severity::Soon => ("warn", "⚠"),
        Severity::Note => ("", "ℹ"),
    }
}

fn tse(no: TseNo) -> String {
    format!("TSE {}", no.0)
}

/// What is short, and what to do.
pub(crate) fn short(warning: &Warning, clock: &Clock, words: Language) -> (String, &'static str) {
    let number = |number: u64| count(number, words);
    let add = words.of(
        "Eine weitere TSE für diesen Steuerzahler anschließen.",
        "Connect another TSE for this taxpayer.",
    );
    match warning.short {
        Short::NoTse => (
            words
                .of(
                    "Keine TSE arbeitet: Belege werden als unsigniert markiert.",
                    "No TSE works: receipts are marked as unsigned.",
                )
                .to_owned(),
            words.of(
                "Verkauf ist erlaubt. Technik rufen, siehe unten bei der TSE.",
                "Selling is allowed. Call tech, see below at the TSE.",
            ),
        ),
        Short::Clients { tills, places } => {
            let places = number(places);
            let text = match words {
                Language::De => format!("{tills} Kassen, aber Platz für {places}."),
                Language::En => format!("{tills} tills, but room for {places}."),
            };
            (text, add)
        }
        Short::Speed { wanted, possible } => {
            let (wanted, possible) = (number(wanted), number(possible));
            let text = match words {
                Language::De => {
                    format!("Zu langsam: {wanted} Belege in der stärksten Minute, sicher signiert werden {possible}.")
                }
                Language::En => {
                    format!("Too slow: {wanted} receipts in the busiest minute, {possible} are signed with certainty.")
                }
            };
            (text, add)
        }
        Short::Spare { possible, places } => {
            let (possible, places) = (number(possible), number(places));
            let text = match words {
                Language::De => format!(
                    "Keine Reserve: fällt eine TSE aus, bleiben {possible} Belege in der Minute und Platz für {places} Kassen."
                ),
                Language::En => format!(
                    "No reserve: if one TSE fails, {possible} receipts a minute and room for {places} tills remain."
                ),
            };
            let next = words.of(
                "Eine TSE mehr anschließen, als gebraucht wird.",
                "Connect one TSE more than is needed.",
            );
            (text, next)
        }
        Short::Open { tills, possible } => {
            let possible = number(possible);
            let text = match words {
                Language::De => {
                    format!("{tills} Kassen können zugleich einen Korb offen haben, möglich sind {possible}.")
                }
                Language::En => format!("{tills} tills may have a cart open at once, {possible} are possible."),
            };
            (text, add)
        }
        alone => short_alone(alone, clock, words),
    }
}

/// What is short with one TSE.
fn short_alone(short: Short, clock: &Clock, words: Language) -> (String, &'static str) {
    match short {
        Short::Storage { tse: no, permille } => {
            let (no, percent) = (tse(no), permille / 10);
            let text = match words {
                Language::De => format!("{no}: Speicher zu {percent} % voll."),
                Language::En => format!("{no}: memory {percent}% full."),
            };
            let next = words.of(
                "Exportieren und den Export prüfen; mit dem Hersteller klären, ob danach gelöscht werden darf.",
                "Export it and check the export; ask the maker whether deleting is allowed afterwards.",
            );
            (text, next)
        }
        Short::Signatures { tse: no, left } => {
            let (no, left) = (tse(no), count(left, words));
            let text = match words {
                Language::De => format!("{no}: noch {left} Signaturen."),
                Language::En => format!("{no}: {left} signatures left."),
            };
            let next = words.of(
                "Rechtzeitig eine andere TSE anschließen.",
                "Connect another TSE in time.",
            );
            (text, next)
        }
        Short::Certificate {
            tse: no,
            ends_ms,
            days,
            before_end,
        } => certificate((no, ends_ms, days, before_end), clock, words),
        Short::Clock { tse: no, ahead_ms } => {
            let (no, seconds) = (tse(no), ahead_ms.unsigned_abs() / 1_000);
            let way = if ahead_ms > 0 {
                words.of("vor", "ahead")
            } else {
                words.of("nach", "behind")
            };
            let text = match words {
                Language::De => format!("{no}: Uhr geht {seconds} s {way}."),
                Language::En => format!("{no}: clock is {seconds} s {way}."),
            };
            let next = words.of(
                "Uhr des Servers prüfen; der Server stellt die TSE beim nächsten Verbinden.",
                "Check the server's clock; the server sets the TSE when it connects next.",
            );
            (text, next)
        }
        // What is about all TSEs of a taxpayer is said above.
        Short::NoTse | Short::Clients { .. } | Short::Speed { .. } | Short::Spare { .. } | Short::Open { .. } => {
            (String::new(), "")
        }
    }
}

fn certificate(
    (no, ends_ms, days, before_end): (TseNo, u64, Option<u64>, bool),
    clock: &Clock,
    words: Language,
) -> (String, &'static str) {
    let date = clock.date(ends_ms);
    let text = match (days, words) {
        (None, Language::De) => format!("{}: Zertifikat seit {date} abgelaufen.", tse(no)),
        (None, Language::En) => format!("{}: certificate over since {date}.", tse(no)),
        (Some(days), Language::De) => format!("{}: Zertifikat endet am {date}, in {days} Tagen.", tse(no)),
        (Some(days), Language::En) => format!("{}: certificate ends on {date}, in {days} days.", tse(no)),
    };
    let next = if before_end {
        words.of(
            "Das ist vor dem Ende der Veranstaltung: vorher eine andere TSE anschließen.",
            "That is before the event is over: connect another TSE before.",
        )
    } else {
        words.of(
            "Bis dahin eine andere TSE anschließen und diese außer Betrieb nehmen.",
            "Connect another TSE by then and take this one out of service.",
        )
    };
    (text, next)
}

/// Why an admin's wish was not taken.
pub(crate) fn not_taken(why: NotTaken) -> Fault {
    let (de, en) = match why {
        NotTaken::Silent => (
            "Der Signierer antwortet nicht. Ob sich etwas geändert hat, zeigt die Seite gleich; sonst versuch es noch einmal.".to_owned(),
            "The signer does not answer. Whether anything changed shows in a moment; otherwise try again.".to_owned(),
        ),
        NotTaken::Refused(refused) => {
            let de = match refused {
                Refused::NoTse(no) => format!("TSE {} ist hier nicht angeschlossen. Nichts ist geändert.", no.0),
                Refused::OtherTaxpayer(no) => format!("TSE {} gehört zu einem anderen Steuerzahler. Nichts ist geändert; wähl eine eigene.", no.0),
                Refused::OutOfService(no) => format!("TSE {} ist oder geht außer Betrieb. Nichts ist geändert; wähl eine andere.", no.0),
                Refused::Full(no) => format!("TSE {} nimmt keine weitere Kasse. Nichts ist geändert; nimm zuerst eine andere Kasse weg.", no.0),
                Refused::NoOther(no) => format!(
                    "Keine andere TSE kann die Kassen von TSE {} übernehmen. Nichts ist geändert; schließ eine an, oder bestätige, dass Belege dann unsigniert sind.",
                    no.0
                ),
            };
            (de, capital(&refused.to_string()))
        }
    };
    Fault::Refused(Text::new(&de, &en))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
