//! The chapters about what the system is: general description, technique, choices.

use pages::Language;
use pages::format::Clock;
use ring::digest::{SHA256, digest};
use shared_protocol::ids::hex;

use super::operation::{controls, not_covered, operation};
use super::{Block, Chapter, Document, Facts};

/// Words, times and what stands in every chapter's maker.
pub(super) struct Writer<'a> {
    pub facts: &'a Facts,
    pub words: Language,
    pub clock: Clock,
}

impl Writer<'_> {
    pub fn text(&self, de: &str, en: &str) -> Block {
        Block::Text(self.words.of(de, en).to_owned())
    }

    pub fn list(&self, points: &[(&str, &str)]) -> Block {
        Block::List(points.iter().map(|(de, en)| self.words.of(de, en).to_owned()).collect())
    }

    pub fn table(&self, head: &[(&str, &str)], rows: Vec<Vec<String>>) -> Block {
        if rows.is_empty() {
            return self.text("Keine.", "None.");
        }
        Block::Table(
            head.iter().map(|(de, en)| self.words.of(de, en).to_owned()).collect(),
            rows,
        )
    }

    pub fn chapter(&self, de: &str, en: &str, blocks: Vec<Block>) -> Chapter {
        Chapter {
            heading: self.words.of(de, en).to_owned(),
            blocks,
        }
    }

    pub fn yes(&self, is: bool) -> String {
        self.words
            .of(if is { "ja" } else { "nein" }, if is { "yes" } else { "no" })
            .to_owned()
    }
}

/// The document.
pub(super) fn document(facts: &Facts, words: Language) -> Document {
    let writer = Writer {
        facts,
        words,
        clock: Clock::new(&facts.config.event.time_zone, words),
    };
    let name = words.name(&facts.config.event.name);
    let title = format!(
        "{} – {name}",
        words.of("Verfahrensdokumentation", "Documentation of procedures")
    );
    let chapters = vec![
        about(&writer),
        general(&writer),
        users(&writer),
        technique(&writer),
        signing(&writer),
        choices(&writer),
        operation(&writer),
        controls(&writer),
        not_covered(&writer),
    ];
    let numbered = (1..).zip(chapters).map(|(no, chapter): (u32, Chapter)| Chapter {
        heading: format!("{no}. {}", chapter.heading),
        ..chapter
    });
    Document {
        title,
        chapters: numbered.collect(),
    }
}

fn about(writer: &Writer<'_>) -> Chapter {
    let facts = writer.facts;
    let moment = format!(
        "{} {}. {} {}",
        writer.words.of("Stand:", "As of:"),
        writer.clock.full(facts.at_ms),
        writer.words.of(
            "Prüfsumme der Einstellungen (SHA-256):",
            "Digest of the settings (SHA-256):"
        ),
        facts.digest()
    );
    writer.chapter(
        "Über dieses Dokument",
        "About this document",
        vec![
            Block::Text(moment),
            writer.text(
                "Ein Programm hat es aus den geltenden Einstellungen erzeugt. Es beschreibt, was das System tut, und sagt nicht, dass es einem Gesetz genügt. Ohne das letzte Kapitel, das der Betreiber schreibt, ist es keine vollständige Verfahrensdokumentation (GoBD, Rz. 151 ff., nach allgemeiner Kenntnis, hier nicht nachgelesen [?]).",
                "A program made it from the settings in force. It describes what the system does and does not say that it satisfies a law. Without the last chapter, which the operator writes, it is no complete documentation of procedures (GoBD, no. 151 ff., from general knowledge, not read here [?]).",
            ),
        ],
    )
}

fn general(writer: &Writer<'_>) -> Chapter {
    let config = &writer.facts.config;
    let taxpayers = config.taxpayers.values().map(|taxpayer| {
        let address = taxpayer.address.as_ref();
        let address = address.map(|at| format!("{}, {} {}", at.street, at.postcode, at.town));
        vec![
            taxpayer.id.0.to_string(),
            taxpayer.name.clone(),
            taxpayer.tax_number.clone(),
            address.unwrap_or_else(|| "–".to_owned()),
        ]
    });
    writer.chapter(
        "Allgemeine Beschreibung",
        "General description",
        vec![
            writer.text(
                "Gäste laden Guthaben auf Bänder und bezahlen an Kassen damit, bar oder mit Karte. Jede Kasse schreibt jede Buchung zuerst in ein eigenes, verkettetes Journal und sendet sie an den Server. Der Server prüft, bucht doppelt (Soll und Haben) in ein Journal ohne Lücken und bestätigt erst, wenn die Zeile auf dem Datenträger ist. Danach sichert eine TSE jede Buchung ab. Ohne Netz verkaufen Kassen in festgelegten Grenzen weiter und senden später.",
                "Guests put money on wristbands and pay with it at tills, in cash or by card. Each till first writes every order into a chained journal of its own and sends it to the server. The server checks it, books it twice (debit and credit) in a journal without gaps, and acknowledges only once the row is on the disk. Then a TSE protects each order. Without network, tills go on selling within limits and send later.",
            ),
            writer.table(
                &[("Steuerpflichtiger Nr.", "Taxpayer no."), ("Name", "Name"), ("Steuernummer", "Tax number"), ("Anschrift", "Address")],
                taxpayers.collect(),
            ),
        ],
    )
}

fn users(writer: &Writer<'_>) -> Chapter {
    writer.chapter(
        "Anwenderdokumentation",
        "Documentation for users",
        vec![
            writer.text(
                "Was Menschen am System tun, steht bei dem, womit sie es tun:",
                "What people do with the system is told where they do it:",
            ),
            writer.list(&[
                (
                    "Kassen: die Oberfläche führt durch Verkauf, Aufladen, Auszahlung, Storno und Schichtende",
                    "Tills: the screen leads through sale, top-up, pay-out, cancellation and end of shift",
                ),
                (
                    "Konsole: Übersicht, Buchungen, Fälle, Geräte, Bänder, TSE, Steuern, Protokoll, Nutzer",
                    "Console: dashboard, orders, cases, terminals, wristbands, TSE, taxes, audit, users",
                ),
                (
                    "Befehle: groschen --help und die Hilfe jedes Befehls",
                    "Commands: groschen --help and the help of each command",
                ),
                (
                    "Texte im Ordner docs: Belege, Abschlüsse, Exporte, Schlüssel, Protokoll der Kassen",
                    "Texts in the folder docs: receipts, closings, exports, keys, protocol of the tills",
                ),
            ]),
        ],
    )
}

fn technique(writer: &Writer<'_>) -> Chapter {
    let facts = writer.facts;
    let config = &facts.config;
    let version = config.version;
    let tills = config.tills.values().map(|till| {
        vec![
            fiscal::signer::client_of(config.event.id, till.id),
            till.id.0.to_string(),
            till.name.clone(),
        ]
    });
    let taxes = config
        .taxes
        .iter()
        .map(|(key, rate)| vec![key.0.to_string(), pages::format::percent(rate.0, writer.words)]);
    writer.chapter(
        "Technische Systemdokumentation",
        "Technical documentation",
        vec![
            Block::Text(format!("{} {}", writer.words.of("Programm: Groschen", "Program: Groschen"), facts.program)),
            Block::Text(format!(
                "{} {}.{}; {} {:02}:{:02} ({})",
                writer.words.of("Konfiguration der Veranstaltung, Fassung", "Configuration of the event, revision"),
                version.generation,
                version.rev,
                writer.words.of("ein Veranstaltungstag endet um", "an event day ends at"),
                config.event.day_cut_off_min / 60,
                config.event.day_cut_off_min % 60,
                config.event.time_zone
            )),
            Block::Text(format!(
                "{} {}, {} {}",
                writer.words.of("Journal: Zeilen 1 bis", "Journal: rows 1 to"),
                facts.journal.0,
                writer.words.of("Hash der letzten Zeile", "hash of the last row"),
                facts.journal.1
            )),
            writer.list(&[
                ("Die Hashkette: Jede Zeile des Journals enthält den SHA-256 der vorigen; die Datenbank lehnt Ändern und Löschen ab, groschen audit rechnet alles nach.", "The hash chain: each row of the journal holds the SHA-256 of the one before; the database refuses changes and deletions, groschen audit computes all of it again."),
                ("Jede Kasse hat einen eigenen Schlüssel und unterschreibt die Köpfe ihres Journals.", "Each till has a key of its own and signs the heads of its journal."),
                ("Jede Fassung der Konfiguration bleibt erhalten; eine Buchung nennt die, mit der sie bepreist wurde.", "Every revision of the configuration is kept; an order names the one it was priced with."),
                ("Nichts wird gelöscht.", "Nothing is deleted."),
            ]),
            Block::Text(format!(
                "{}: {}; {}: {}",
                writer.words.of("TLS am Server", "TLS at the server"),
                writer.yes(facts.tls),
                writer.words.of("Adresse von außen", "address from outside"),
                facts.public_url.as_deref().unwrap_or("–")
            )),
            writer.text("Kassen:", "Tills:"),
            writer.table(&[("Seriennummer", "Serial number"), ("Nr.", "No."), ("Name", "Name")], tills.collect()),
            writer.text("Steuerschlüssel:", "Tax keys:"),
            writer.table(&[("Schlüssel", "Key"), ("Satz", "Rate")], taxes.collect()),
        ],
    )
}

fn signing(writer: &Writer<'_>) -> Chapter {
    let facts = writer.facts;
    let tses = facts.tses.iter().map(|tse| {
        vec![
            tse.no.0.to_string(),
            hex(&tse.serial),
            tse.name.clone(),
            writer.yes(tse.certified),
            tse.algorithm.clone(),
            tse.taxpayer.0.to_string(),
            tse.valid_until_ms
                .map_or_else(|| "–".to_owned(), |until| writer.clock.date(until)),
            tse.certificates
                .first()
                .map_or_else(|| "–".to_owned(), |der| hex(digest(&SHA256, der).as_ref())),
        ]
    });
    let outages = facts.outages.iter().map(|outage| {
        let what = match (outage.tse, &outage.client) {
            (Some(tse), _) => format!("TSE {}", tse.0),
            (None, Some(client)) => client.clone(),
            (None, None) => "–".to_owned(),
        };
        vec![
            outage.id.to_string(),
            what,
            writer.clock.full(outage.from_ms),
            outage
                .until_ms
                .map_or_else(|| "–".to_owned(), |until| writer.clock.full(until)),
            outage.reason.clone(),
        ]
    });
    let state = |state| facts.counts.get(&state).copied().unwrap_or(0);
    let (signed, late, marked) = (
        state(store::SigningState::Signed),
        state(store::SigningState::SignedLate),
        state(store::SigningState::InOutage),
    );
    writer.chapter(
        "Absicherung, Abschlüsse, Ausfälle",
        "Protection, closings, outages",
        vec![
            writer.text(
                "Eine TSE, bei der „zertifiziert: nein“ steht, schützt nichts; ihre Belege und Exporte sagen es.",
                "A TSE of which it says “certified: no” protects nothing; its receipts and exports say so.",
            ),
            writer.table(
                &[("TSE", "TSE"), ("Seriennummer", "Serial number"), ("Name", "Name"), ("zertifiziert", "certified"), ("Verfahren", "Algorithm"), ("Steuerpflichtiger", "Taxpayer"), ("Zertifikat gültig bis", "Certificate valid until"), ("Zertifikat (SHA-256)", "Certificate (SHA-256)")],
                tses.collect(),
            ),
            Block::Text(format!(
                "{}: {signed}; {}: {late}; {}: {marked}; {}: {}",
                writer.words.of("Signiert", "Signed"),
                writer.words.of("nachsigniert", "signed later"),
                writer.words.of("im Ausfall markiert", "marked in an outage"),
                writer.words.of("Abschlüsse", "closings"),
                facts.closings
            )),
            writer.text(
                "Abschlüsse: eine halbe Stunde nach dem Ende eines Veranstaltungstags je Kasse und Steuerpflichtigem, ohne Lücke nummeriert, nie geändert; was später kommt, steht in einem Nachtrag mit der nächsten Nummer.",
                "Closings: half an hour after the end of an event day for each till and taxpayer, numbered without a gap, never changed; what comes later stands in a supplement with the next number.",
            ),
            writer.text(
                "Mitteilung nach § 146a Abs. 4 AO:",
                "Notification of § 146a (4) AO:",
            ),
            notified(writer),
            writer.text("Ausfälle:", "Outages:"),
            writer.table(
                &[("Nr.", "No."), ("Was", "What"), ("Von", "From"), ("Bis", "Until"), ("Grund", "Reason")],
                outages.collect(),
            ),
        ],
    )
}

fn notified(writer: &Writer<'_>) -> Block {
    let rows = writer.facts.notifications.iter().map(|notification| {
        let sent = notification.sent_ms.map(|sent| writer.clock.date(sent));
        vec![
            notification.taxpayer.name.clone(),
            notification.systems.len().to_string(),
            sent.unwrap_or_else(|| "–".to_owned()),
            notification.missing().len().to_string(),
        ]
    });
    writer.table(
        &[
            ("Steuerpflichtiger", "Taxpayer"),
            ("Kassen", "Tills"),
            ("Zuletzt als gesendet vermerkt", "Last noted as sent"),
            ("Fehlende Angaben", "Values missing"),
        ],
        rows.collect(),
    )
}

fn choices(writer: &Writer<'_>) -> Chapter {
    let facts = writer.facts;
    let now = fiscal::tax::Choice::ALL.map(|choice| {
        let said = fiscal::tax::last(&facts.said, choice.key());
        vec![
            choice.key().to_owned(),
            said.map_or(choice.default_value(), |row| row.value.as_str()).to_owned(),
        ]
    });
    let history = facts.said.iter().map(|(_, row)| {
        let server = writer.words.of("Server", "server");
        vec![
            writer.clock.full(row.at_ms),
            row.by.as_deref().unwrap_or(server).to_owned(),
            row.key.clone(),
            row.value.clone(),
            match writer.words {
                Language::De => fiscal::tax::why_in_german(row).to_owned(),
                Language::En => row.why.clone(),
            },
        ]
    });
    writer.chapter(
        "Steuerliche Wahlen und ihr Verlauf",
        "Choices about taxes and their history",
        vec![
            writer.text(
                "Was die Wahlen bedeuten, steht auf der Seite „Steuern“ der Konsole und in docs/fiscal-settings.md. Die Zeilen werden nie geändert; die letzte je Name gilt.",
                "What the choices mean stands on the console's page “Taxes” and in docs/fiscal-settings.md. The rows are never changed; the last one of a name holds.",
            ),
            writer.table(&[("Wahl", "Choice"), ("Es gilt", "In effect")], now.into()),
            writer.text("Verlauf, mit den Fassungen des Programms (program), die liefen:", "History, with the versions of the program that ran:"),
            writer.table(
                &[("Wann", "When"), ("Wer", "Who"), ("Was", "What"), ("Wert", "Value"), ("Warum", "Why")],
                history.collect(),
            ),
        ],
    )
}
