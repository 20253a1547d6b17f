//! How often what happened, how receipts came off, and who signed them.

use shared_protocol::order::OrderKind;

use super::Tables;
use crate::document::{Cell, Kind, Row, Table};
use crate::sums::Sums;
use crate::words;

impl Tables<'_> {
    /// How often what happened; practice and given-up carts apart.
    pub fn counts(&self, sums: &Sums) -> Table {
        let words = self.words;
        let mut table = Table::new(
            words.of("Vorgänge", "Orders"),
            words.of("Vorgänge", "Orders"),
            &[
                (words.of("Vorgang", "Kind"), Kind::Text),
                (words.of("Anzahl", "Count"), Kind::Number),
                (words.of("Summe EUR", "Sum EUR"), Kind::Number),
            ],
        );
        let always = [OrderKind::Cancel, OrderKind::Correction];
        let kinds = OrderKind::ALL.iter().copied();
        for kind in kinds.filter(|kind| sums.kinds.contains_key(kind) || always.contains(kind)) {
            let tally = sums.kind(kind);
            table.rows.push(Row::of([
                Cell::text(words::order(kind, words)),
                Cell::count(tally.count),
                Cell::Money(tally.sum),
            ]));
        }
        for (name, tally) in [
            (
                words.of(
                    "Abgebrochen, mit Artikeln (nicht gezählt)",
                    "Given up with articles (not counted)",
                ),
                sums.given_up,
            ),
            (
                words.of("Training (nicht gezählt)", "Training (not counted)"),
                sums.training,
            ),
        ] {
            let row = [Cell::text(name), Cell::count(tally.count), Cell::Money(tally.sum)];
            table.rows.push(Row::of(row));
        }
        table.rows.push(Row::of([
            Cell::text(words.of("Abgebrochen ohne Vorgang", "Given up before any order")),
            Cell::count(sums.given_up_empty),
            Cell::Empty,
        ]));
        table.rows.push(Row::total([
            Cell::text(words.of("Belege", "Receipts")),
            Cell::count(sums.receipts),
            Cell::Empty,
        ]));
        table
    }

    /// How receipts came off.
    pub fn came_off(&self, sums: &Sums) -> Table {
        let words = self.words;
        let mut table = Table::new(
            words.of("Signaturen", "Signatures"),
            words.of("Signaturen", "Signatures"),
            &[
                (words.of("Wie abgesichert", "How it came off"), Kind::Text),
                (words.of("Belege", "Receipts"), Kind::Number),
            ],
        );
        let came_off = sums.came_off;
        let rows = [
            (words.of("signiert", "signed"), came_off.signed),
            (
                words.of("nachsigniert (im Ausfall gemacht)", "signed late (made in an outage)"),
                came_off.signed_late,
            ),
            (
                words.of("unsigniert im Ausfall", "unsigned in an outage"),
                came_off.unsigned_in_outage,
            ),
            (
                words.of("unsigniert, wartet noch", "unsigned, still waiting"),
                came_off.unsigned,
            ),
        ];
        table
            .rows
            .extend(rows.map(|(name, count)| Row::of([Cell::text(name), Cell::count(count)])));
        table
    }

    /// Outages that receipts were made in.
    pub fn outages(&self, sums: &Sums) -> Option<Table> {
        let words = self.words;
        let found: Vec<_> = sums
            .outages
            .iter()
            .filter_map(|id| self.books.outages.get(id))
            .collect();
        if found.is_empty() {
            return None;
        }
        let mut table = Table::new(
            words.of("Ausfälle", "Outages"),
            words.of(
                "Ausfälle, in denen Belege entstanden",
                "Outages in which receipts were made",
            ),
            &[
                (words.of("Nr.", "No."), Kind::Text),
                (words.of("Was", "What"), Kind::Text),
                (words.of("Von", "From"), Kind::Text),
                (words.of("Bis", "Until"), Kind::Text),
                (words.of("Warum", "Why"), Kind::Text),
            ],
        );
        for outage in found {
            let what = match (outage.tse, &outage.client) {
                (Some(tse), _) => format!("TSE {}", tse.0),
                (None, Some(client)) => client.clone(),
                (None, None) => "–".to_owned(),
            };
            table.rows.push(Row::of([
                Cell::text(outage.id.to_string()),
                Cell::text(what),
                Cell::Moment(outage.from_ms),
                outage
                    .until_ms
                    .map_or_else(|| Cell::text(words.of("dauert an", "goes on")), Cell::Moment),
                Cell::text(words::reason(&outage.reason, words)),
            ]));
        }
        Some(table)
    }

    /// The TSEs that signed, or would have.
    pub fn tses(&self, sums: &Sums) -> Option<Table> {
        let words = self.words;
        let found: Vec<_> = self
            .books
            .tses
            .iter()
            .filter(|tse| sums.tses.contains(&tse.no))
            .collect();
        if found.is_empty() {
            return None;
        }
        let mut table = Table::new(
            "TSE",
            words.of("Technische Sicherheitseinrichtungen", "Security devices (TSE)"),
            &[
                (words.of("Nr.", "No."), Kind::Text),
                (words.of("Seriennummer", "Serial number"), Kind::Text),
                (words.of("Zertifikat des BSI", "Certificate of the BSI"), Kind::Text),
            ],
        );
        for tse in found {
            table.rows.push(Row::of([
                Cell::text(tse.no.0.to_string()),
                Cell::text(shared_protocol::ids::hex(&tse.serial)),
                Cell::text(if tse.certified {
                    words.of("ja, laut Einstellungen", "yes, by the settings")
                } else {
                    words.of("NEIN, Software-TSE", "NO, TSE in software")
                }),
            ]));
        }
        Some(table)
    }
}
