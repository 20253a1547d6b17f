//! What somebody asks for.

use maud::{Markup, html};
use serde::Deserialize;
use shared_protocol::TaxpayerId;
use store::{ExportKind, ExportRange, TseNo, TseRow};

use crate::fault::Fault;
use crate::frame::Page;

/// Versions of the standard, the newest first.
const VERSIONS: [&str; 2] = ["2.4", "2.3"];

/// What was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    kind: String,
    taxpayer: String,
    tse: String,
    from: String,
    until: String,
    version: String,
    staff_names: String,
}

fn unreadable() -> Fault {
    Fault::refused(
        "Ein Feld ist nicht lesbar. Nichts ist begonnen; prüf die Felder.",
        "A field cannot be read. Nothing was begun; check the fields.",
    )
}

/// A day of a date field, `2027-07-17`, as `yyyymmdd`.
fn day(text: &str, otherwise: u32) -> Result<u32, Fault> {
    if text.is_empty() {
        return Ok(otherwise);
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| unreadable())?;
    let (year, month, day) = (
        date.year().unsigned_abs(),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
    );
    Ok(u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day))
}

/// A number, or none for an empty field.
fn number<T: std::str::FromStr>(text: &str) -> Result<Option<T>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| unreadable())
}

impl Asked {
    pub(super) fn range(&self) -> Result<ExportRange, Fault> {
        let kind = match self.kind.as_str() {
            "dsfinvk" => ExportKind::Dsfinvk,
            "tse" => ExportKind::Tse,
            _ => return Err(unreadable()),
        };
        let is_books = kind == ExportKind::Dsfinvk;
        let version = if is_books && VERSIONS.contains(&self.version.as_str()) {
            self.version.clone()
        } else {
            String::new()
        };
        if is_books && version.is_empty() {
            return Err(unreadable());
        }
        let range = ExportRange {
            kind,
            taxpayer: number(&self.taxpayer)?.map(TaxpayerId),
            tse: number(&self.tse)?.map(TseNo).filter(|_| !is_books),
            from_day: if is_books { day(&self.from, 0)? } else { 0 },
            until_day: if is_books {
                day(&self.until, u32::MAX)?
            } else {
                u32::MAX
            },
            version,
            staff_names: is_books && !self.staff_names.is_empty(),
        };
        if range.from_day > range.until_day {
            return Err(Fault::refused(
                "Der letzte Tag liegt vor dem ersten. Nichts ist begonnen.",
                "The last day is before the first. Nothing was begun.",
            ));
        }
        Ok(range)
    }

    /// For the audit log.
    pub(super) fn told(&self) -> String {
        let parts = [
            ("", &self.kind),
            ("taxpayer ", &self.taxpayer),
            ("TSE ", &self.tse),
            ("from ", &self.from),
            ("until ", &self.until),
            ("version ", &self.version),
            ("names ", &self.staff_names),
        ];
        let said = parts.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| format!("{name}{value}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

pub(super) fn forms(page: &Page, tses: &[TseRow], tse: &str) -> Result<Markup, Fault> {
    let words = page.words;
    let taxpayers = &page.config()?.taxpayers;
    Ok(html! {
        p { (words.of("Exporte entstehen im Hintergrund; du kannst die Seite verlassen. Was herauskommt, prüfen wir selbst und sagen, was wir gefunden haben. Ob es einer Prüfung genügt, entscheidet dein Steuerberater.", "Exports are made in the background; you may leave the page. We check what comes out ourselves and say what we found. Whether it satisfies an audit is for your tax advisor.")) }
        div.columns {
            form.sheet.stack method="post" action="/exports" {
                h2 { (super::kind_name(ExportKind::Dsfinvk, words)) }
                p.quiet { (words.of("Alle Kassenabschlüsse der Tage, je Steuerzahler ein Ordner. Tage, die noch nicht abgeschlossen sind, sind nicht dabei.", "All closings of the days, a folder for each taxpayer. Days that are not closed yet are not in it.")) }
                input type="hidden" name="kind" value="dsfinvk";
                label { (words.of("Steuerzahler", "Taxpayer")) select name="taxpayer" {
                    option value="" { (words.of("alle", "all")) }
                    @for (id, taxpayer) in taxpayers { option value=(id.0) { (taxpayer.name) } }
                } }
                div.row {
                    label { (words.of("Von Tag", "From day")) input type="date" name="from"; }
                    label { (words.of("Bis Tag", "To day")) input type="date" name="until"; }
                }
                label { (words.of("Version", "Version")) select name="version" { @for version in VERSIONS { option { (version) } } } }
                label.choice { input type="checkbox" name="staff_names" value="1"; (words.of("Kassenkräfte mit Namen, nicht nur mit Nummer", "Cashiers with names, not only numbers")) }
                div.row { button.main { (words.of("Export beginnen", "Begin the export")) } }
            }
            form.sheet.stack method="post" action="/exports" {
                h2 { (super::kind_name(ExportKind::Tse, words)) }
                p.quiet { (words.of("Das Protokoll einer TSE, wie sie es herausgibt. Ein Gerät wird nur gelesen, solange niemand auf eine Signatur wartet: am besten, wenn nicht verkauft wird.", "The log of a TSE as it gives it out. A device is read only while nobody waits for a signature: best when nothing is sold.")) }
                input type="hidden" name="kind" value="tse";
                label { "TSE" select name="tse" {
                    option value="" { (words.of("alle", "all")) }
                    @for row in tses { option value=(row.no.0) selected[row.no.0.to_string() == tse] { "TSE " (row.no.0) ": " (row.name) } }
                } }
                div.row { button.main { (words.of("Export beginnen", "Begin the export")) } }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &str, from: &str, until: &str, version: &str) -> Asked {
        Asked {
            kind: kind.to_owned(),
            from: from.to_owned(),
            until: until.to_owned(),
            version: version.to_owned(),
            ..Asked::default()
        }
    }

    #[test]
    fn days_are_read_and_what_makes_no_sense_is_refused() {
        let range = asked("dsfinvk", "2027-07-17", "", "2.3").range().unwrap();
        assert_eq!(
            (range.from_day, range.until_day, range.version.as_str()),
            (20_270_717, u32::MAX, "2.3")
        );
        assert_eq!(
            asked("tse", "2027-07-17", "x", "").range().unwrap().from_day,
            0,
            "an archive has no days"
        );
        for wrong in [
            asked("", "", "", "2.4"),
            asked("dsfinvk", "yesterday", "", "2.4"),
            asked("dsfinvk", "", "", "9"),
            asked("dsfinvk", "2027-07-18", "2027-07-17", "2.4"),
        ] {
            assert!(wrong.range().is_err(), "{wrong:?}");
        }
    }
}
