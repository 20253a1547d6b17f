//! What stands above the numbers: of whom a report is, how final it is, and what must be known first.

use shared_protocol::TaxpayerId;
use wording::Language;
use wording::format::{Clock, count};

use crate::books::{Arrival, Books};
use crate::document::Cell;
use crate::document::{Document, Kind, Row, Table};
use crate::sums::Sums;
use crate::words::{self, Names};

/// How far what a report says may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Final {
    /// It is about a closing, which never changes.
    Closing,
    /// What arrives changes it.
    Open,
}

/// Begins reports.
pub(crate) struct Head<'a> {
    pub books: &'a Books,
    pub words: Language,
    pub clock: Clock,
}

impl<'a> Head<'a> {
    /// Of these books, in a language, with the times of their event.
    pub fn new(books: &'a Books, words: Language) -> Self {
        let clock = Clock::new(&books.config.event.time_zone, words);
        Self { books, words, clock }
    }

    /// A report without numbers, with everything that must be known first.
    pub fn document(&self, file: String, title: &str, subtitle: String, sums: &Sums, is: Final) -> Document {
        let words = self.words;
        Document {
            file,
            language: words,
            zone: self.books.config.event.time_zone.clone(),
            made_ms: self.books.as_of_ms,
            title: title.to_owned(),
            subtitle,
            warnings: self.warnings(sums, is),
            facts: vec![
                (
                    words.of("Veranstaltung", "Event").to_owned(),
                    words.name(&self.books.config.event.name).to_owned(),
                ),
                (
                    words.of("Stand der Zahlen", "Figures as of").to_owned(),
                    self.clock.full(self.books.as_of_ms),
                ),
            ],
            tables: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn warnings(&self, sums: &Sums, is: Final) -> Vec<String> {
        let words = self.words;
        let mut warnings = Vec::new();
        let software = self.books.tses.iter().filter(|tse| sums.tses.contains(&tse.no));
        if software.clone().any(|tse| !tse.certified) {
            warnings.push(words::not_certified(words).to_owned());
        }
        if is == Final::Open {
            warnings.extend(self.provisional());
        }
        let number = |number: u64| count(number, words);
        if sums.came_off.unsigned_in_outage > 0 {
            warnings.push(match words {
                Language::De => format!(
                    "{} Belege sind unsigniert: sie entstanden in einem Ausfall.",
                    number(sums.came_off.unsigned_in_outage)
                ),
                Language::En => format!(
                    "{} receipts are unsigned: they were made in an outage.",
                    number(sums.came_off.unsigned_in_outage)
                ),
            });
        }
        if sums.came_off.unsigned > 0 {
            warnings.push(match words {
                Language::De => format!(
                    "{} Belege sind noch unsigniert und warten.",
                    number(sums.came_off.unsigned)
                ),
                Language::En => format!("{} receipts are unsigned yet and wait.", number(sums.came_off.unsigned)),
            });
        }
        warnings
    }

    fn provisional(&self) -> Option<String> {
        let words = self.words;
        match &self.books.arrival {
            Arrival::NotAsked => Some(
                words
                    .of(
                        "VORLÄUFIG: ohne laufenden Server ist nicht bekannt, ob Geräte noch Buchungen haben. Die Konsole weiß es.",
                        "PROVISIONAL: without a running server it is not known whether terminals still have orders. The console knows.",
                    )
                    .to_owned(),
            ),
            Arrival::Missing(terminals) if terminals.is_empty() => None,
            Arrival::Missing(terminals) => {
                let known: u64 = terminals.iter().filter_map(|terminal| terminal.at_least).sum();
                let unheard = terminals.iter().filter(|terminal| terminal.at_least.is_none()).count();
                let late = terminals.len() - unheard;
                let missing = match words {
                    Language::De => format!("mindestens {} Einträge von {late} Geräten fehlen noch.", count(known, words)),
                    Language::En => format!("at least {} entries of {late} terminals have not arrived.", count(known, words)),
                };
                let silent = match words {
                    Language::De => format!("{unheard} Geräte haben sich seit dem Start des Servers nicht gemeldet."),
                    Language::En => format!("{unheard} terminals were not heard since the server started."),
                };
                let mut says = vec![words.of("VORLÄUFIG:", "PROVISIONAL:").to_owned()];
                says.extend((known > 0).then_some(missing));
                says.extend((unheard > 0).then_some(silent));
                Some(says.join(" "))
            }
        }
    }

    /// The terminals that miss something.
    pub fn missing(&self) -> Option<Table> {
        let words = self.words;
        let names = self.names();
        let Arrival::Missing(terminals) = &self.books.arrival else {
            return None;
        };
        if terminals.is_empty() {
            return None;
        }
        let mut table = Table::new(
            words.of("Fehlt noch", "Not arrived"),
            words.of("Was noch nicht angekommen ist", "What has not arrived"),
            &[
                (words.of("Kasse", "Till"), Kind::Text),
                (words.of("Gerät", "Device"), Kind::Text),
                (words.of("Einträge, mindestens", "Entries, at least"), Kind::Number),
                (words.of("Zuletzt gehört", "Last heard"), Kind::Text),
            ],
        );
        for terminal in terminals {
            table.rows.push(Row::of([
                Cell::text(names.till(terminal.till)),
                Cell::text(&terminal.device),
                terminal
                    .at_least
                    .map_or_else(|| Cell::text(words.of("unbekannt", "unknown")), Cell::count),
                terminal.heard_ms.map_or_else(
                    || Cell::text(words.of("nicht seit dem Start", "not since the start")),
                    Cell::Moment,
                ),
            ]));
        }
        Some(table)
    }

    pub fn names(&self) -> Names<'_> {
        Names {
            books: self.books,
            words: self.words,
        }
    }

    /// Who a taxpayer is, as receipts have to say it.
    pub fn taxpayer(&self, taxpayer: TaxpayerId) -> Vec<(String, String)> {
        let words = self.words;
        let known = self.books.config.taxpayers.get(&taxpayer);
        let mut facts = vec![(
            words.of("Steuerpflichtiger", "Taxpayer").to_owned(),
            self.names().taxpayer(taxpayer),
        )];
        if let Some(known) = known {
            let address = known.address.as_ref().map(receipt::words::address);
            facts.extend(address.map(|address| (words.of("Anschrift", "Address").to_owned(), address)));
            facts.push((
                receipt::words::number_of(&known.tax_number, words).to_owned(),
                known.tax_number.clone(),
            ));
        }
        facts
    }
}
