//! The chapters about running it: who does what, what is checked, and what the operator has to write.

use store::Role;

use super::content::Writer;
use super::{Block, Chapter};

pub(super) fn operation(writer: &Writer<'_>) -> Chapter {
    let facts = writer.facts;
    let name = |role| match role {
        Role::Admin => writer.words.of(
            "Admin: alles, auch Nutzer und Wahlen",
            "Admin: everything, users and choices too",
        ),
        Role::Finance => writer.words.of(
            "Finanzen: liest alles, exportiert, bearbeitet Fälle",
            "Finance: reads everything, exports, works on cases",
        ),
        Role::Crew => writer
            .words
            .of("Crew: liest, Geräte, Fälle", "Crew: reads, terminals, cases"),
    };
    let users = Role::ALL.iter().map(|role| {
        let count = facts.users.get(role).copied().unwrap_or(0);
        vec![name(*role).to_owned(), count.to_string()]
    });
    let programs: Vec<_> = facts
        .said
        .iter()
        .map(|(_, row)| row)
        .filter(|row| row.key == fiscal::tax::PROGRAM)
        .collect();
    let ends = programs.iter().skip(1).map(|row| Some(row.at_ms)).chain([None]);
    let versions = programs.iter().zip(ends).map(|(row, until)| {
        vec![
            row.value.clone(),
            writer.clock.full(row.at_ms),
            until.map_or_else(
                || writer.words.of("läuft", "runs").to_owned(),
                |until| writer.clock.full(until),
            ),
        ]
    });
    writer.chapter(
        "Betrieb",
        "Operation",
        vec![
            writer.text("Nutzer der Konsole nach Rolle (nur Anzahlen):", "Users of the console by role (counts only):"),
            writer.table(&[("Rolle", "Role"), ("Aktive Nutzer", "Active users")], users.collect()),
            writer.text("Fassungen des Programms:", "Versions of the program:"),
            writer.table(&[("Fassung", "Version"), ("Von", "From"), ("Bis", "Until")], versions.collect()),
            writer.text(
                "Sicherungen: Das Programm macht von sich aus keine; groschen archive schreibt eine vollständige Kopie der Datenbank mit allen Exporten. Wie oft, wohin und von wem, steht im letzten Kapitel.",
                "Backups: the program makes none by itself; groschen archive writes a complete copy of the database with all exports. How often, where to and by whom stands in the last chapter.",
            ),
            writer.text(
                "Schlüssel: welche es gibt, wer sie hat und was ihr Verlust kostet, steht in docs/keys.md.",
                "Keys: which there are, who has them and what a leak costs stands in docs/keys.md.",
            ),
        ],
    )
}

pub(super) fn controls(writer: &Writer<'_>) -> Chapter {
    let facts = writer.facts;
    let (all, open) = facts.cases;
    let audit = match &facts.audit {
        None => writer
            .words
            .of(
                "Für dieses Dokument wurde das Journal nicht geprüft; groschen procedures --audit tut es.",
                "The journal was not checked for this document; groschen procedures --audit does.",
            )
            .to_owned(),
        Some(found) => format!(
            "{} {} {}, {} {}.",
            writer
                .words
                .of("Für dieses Dokument geprüft:", "Checked for this document:"),
            found.rows,
            writer.words.of("Zeilen des Journals", "rows of the journal"),
            found.faults_total,
            if found.clean() {
                writer.words.of("Fehler; alles stimmt", "faults; everything holds")
            } else {
                writer
                    .words
                    .of("Fehler; die Bücher stimmen nicht", "faults; the books do not hold")
            },
        ),
    };
    writer.chapter(
        "Internes Kontrollsystem",
        "Internal controls",
        vec![
            Block::Text(audit),
            Block::Text(format!("{}: {all}; {}: {open}", writer.words.of("Fälle insgesamt", "Cases in all"), writer.words.of("davon offen", "open among them"))),
            writer.list(&[
                ("groschen audit rechnet jede Zeile, jeden Hash und jeden Saldo nach.", "groschen audit computes every row, hash and balance again."),
                ("Was nicht zusammenpasst (Preis, Doppelbuchung, fehlendes Guthaben, fremde Kasse), wird gebucht, wie es war, und öffnet einen Fall mit Verantwortlichem und Notizen.", "What does not fit (price, double booking, missing balance, a strange till) is booked as it was and opens a case with an owner and notes."),
                ("groschen verify prüft Exporte der TSE, der DSFinV-K und Codes auf Belegen.", "groschen verify checks exports of TSEs, of the DSFinV-K, and codes of receipts."),
                ("Das Protokoll der Konsole nennt, wer wann was geändert hat, und lässt sich nicht ändern.", "The audit log of the console names who changed what when, and cannot be changed."),
                ("Neue Geräte bestätigt ein Mensch durch Vergleich von sechs Ziffern.", "A person confirms new devices by comparing six digits."),
            ]),
        ],
    )
}

pub(super) fn not_covered(writer: &Writer<'_>) -> Chapter {
    writer.chapter(
        "Was hier fehlt und der Betreiber schreibt",
        "What is missing here and the operator writes",
        vec![
            writer.text("Das Programm kann es nicht wissen:", "The program cannot know it:"),
            writer.list(&[
                (
                    "Wer die Veranstaltung betreibt, wer wofür verantwortlich ist und wer wen vertritt",
                    "Who runs the event, who is responsible for what, and who stands in for whom",
                ),
                (
                    "Wie Bargeld gezählt, transportiert und eingezahlt wird; Wechselgeld, Tresor, Vier-Augen-Prinzip",
                    "How cash is counted, moved and paid in; float, safe, two-person rule",
                ),
                (
                    "Wie Kartenzahlungen abgeglichen werden; Verträge mit Zahlungsdienstleistern",
                    "How card payments are reconciled; contracts with payment providers",
                ),
                (
                    "Sicherungen: wie oft, wohin, wie lange, wer eine Wiederherstellung übt",
                    "Backups: how often, where to, how long, who rehearses a restore",
                ),
                (
                    "Geräte, Netz und Strom vor Ort; wer Zugang zum Server hat",
                    "Devices, network and power on site; who has access to the server",
                ),
                (
                    "Schulung der Kassierer und was sie bei einem Ausfall tun",
                    "Training of cashiers and what they do in an outage",
                ),
                (
                    "Was die Steuerberatung zu den Wahlen schriftlich gesagt hat",
                    "What the tax advisor said about the choices in writing",
                ),
                (
                    "Aufbewahrung: Ort, Dauer, Verantwortliche, lesbare Technik bis zum Ende der Frist",
                    "Retention: place, duration, who is responsible, readable technique until its end",
                ),
                (
                    "Datenschutz: Zwecke, Löschung, Auskunft",
                    "Data protection: purposes, deletion, access",
                ),
                (
                    "Systeme daneben: Ticketverkauf, Buchhaltung, Lohn",
                    "Systems beside it: tickets, accounting, payroll",
                ),
            ]),
        ],
    )
}
