//! Cash in other currencies than the event's.

use shared_protocol::Overflow;

use super::Tables;
use crate::document::{Cell, Kind, Row, Table};
use crate::sums::Sums;

impl Tables<'_> {
    /// What guests gave of each currency and what of it is still at the tills; none where nobody gave any.
    pub fn currencies(&self, sums: &Sums) -> Result<Option<Table>, Overflow> {
        let words = self.words;
        if sums.currencies.is_empty() {
            return Ok(None);
        }
        let mut table = Table::new(
            words.of("Fremdwährung", "Foreign cash"),
            words.of("Bargeld in anderen Währungen", "Cash in other currencies"),
            &[
                (words.of("Währung", "Currency"), Kind::Text),
                (words.of("Von Gästen", "From guests"), Kind::Number),
                (words.of("gezählt als EUR", "counted as EUR"), Kind::Number),
                (words.of("Abgegeben", "Handed in"), Kind::Number),
                (words.of("Noch an den Kassen", "Still at the tills"), Kind::Number),
                (words.of("Noch dort EUR", "Still there EUR"), Kind::Number),
            ],
        );
        for (asset, sum) in &sums.currencies {
            let code = self
                .books
                .config
                .currency(*asset)
                .map(|currency| currency.code.to_owned());
            table.rows.push(Row::of([
                Cell::text(code.unwrap_or_else(|| self.names().asset(*asset))),
                Cell::Money(sum.guests.0),
                Cell::Money(sum.guests.1),
                Cell::Money(sum.handed_in.0),
                Cell::Money(sum.guests.0.minus(sum.handed_in.0)?),
                Cell::Money(sum.guests.1.minus(sum.handed_in.1)?),
            ]));
        }
        Ok(Some(table.noted(words.of(
            "Beträge ohne EUR in der jeweiligen Währung. Gezählt wird bei der Kassenzählung nur die Währung der Veranstaltung; Fremdwährung verlässt die Lade, indem sie abgegeben wird.",
            "Amounts without EUR are in the currency itself. A drawer is counted in the event's currency only; foreign money leaves it by being handed in.",
        ))))
    }
}
