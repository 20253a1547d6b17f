//! A spreadsheet (ECMA-376): first what must be known, then a sheet for each table, its head frozen. Amounts are numbers, days and moments are dates by the
//! event's clock, totals are values and no formulas: what is read is what was added up.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use shared_protocol::Amount;
use wording::format::Clock;

use crate::document::{Cell, Document, Kind, Table};

/// Characters of a column, at most.
const COLUMN_MAX: usize = 60;

/// The formats of cells; a total is bold beneath a line.
struct Formats {
    title: Format,
    strong: Format,
    wrapped: Format,
    head: [Format; 2],
}

impl Formats {
    fn new() -> Self {
        let head = Format::new()
            .set_bold()
            .set_border_bottom(FormatBorder::Thin)
            .set_text_wrap();
        Self {
            title: Format::new().set_bold().set_font_size(16),
            strong: Format::new().set_bold(),
            wrapped: Format::new().set_text_wrap(),
            head: [head.clone(), head.set_align(FormatAlign::Right)],
        }
    }
}

fn format_of(cell: &Cell, is_total: bool) -> Format {
    let format = match cell {
        Cell::Money(_) => Format::new().set_num_format("#,##0.00"),
        Cell::Count(_) => Format::new().set_num_format("#,##0"),
        Cell::Rate(_) => Format::new().set_num_format("0.##%").set_align(FormatAlign::Left),
        Cell::Day(_) => Format::new().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left),
        Cell::Moment(_) => Format::new()
            .set_num_format("yyyy-mm-dd hh:mm:ss")
            .set_align(FormatAlign::Left),
        Cell::Empty | Cell::Text(_) => Format::new(),
    };
    if is_total {
        format.set_bold().set_border_top(FormatBorder::Thin)
    } else {
        format
    }
}

/// Whole units of a last decimal place as the number that a spreadsheet keeps.
#[expect(
    clippy::disallowed_types,
    reason = "numbers of a spreadsheet are doubles (ECMA-376, 18.3.1.96); nothing is computed with them here"
)]
fn number(units: i64, places: usize) -> f64 {
    let digits = units.unsigned_abs().to_string();
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    let sign = if units < 0 { "-" } else { "" };
    // Its nearest double, which shows these digits again.
    format!("{sign}{whole}.{rest}").parse().unwrap_or_default()
}

fn moment(at_ms: u64, clock: &Clock) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::parse_from_str(clock.iso(at_ms).get(..19).unwrap_or_default())
}

fn put(sheet: &mut Worksheet, at: (u32, u16), cell: &Cell, is_total: bool, clock: &Clock) -> Result<(), XlsxError> {
    let format = format_of(cell, is_total);
    let (row, column) = at;
    match cell {
        Cell::Empty => sheet.write_blank(row, column, &format)?,
        Cell::Text(text) => sheet.write_string_with_format(row, column, text, &format)?,
        Cell::Count(count) => sheet.write_number_with_format(row, column, number(*count, 0), &format)?,
        Cell::Money(Amount(cents)) => sheet.write_number_with_format(row, column, number(*cents, 2), &format)?,
        Cell::Rate(rate) => sheet.write_number_with_format(row, column, number(rate.0.into(), 4), &format)?,
        Cell::Day(day) => {
            let year = u16::try_from(day / 10_000).unwrap_or_default();
            let [month, date] = [day / 100 % 100, day % 100].map(|part| u8::try_from(part).unwrap_or_default());
            match ExcelDateTime::from_ymd(year, month, date) {
                Ok(day) => sheet.write_datetime_with_format(row, column, &day, &format)?,
                // A day that no calendar has.
                Err(_) => sheet.write_string_with_format(row, column, day.to_string(), &format)?,
            }
        }
        Cell::Moment(at_ms) => match moment(*at_ms, clock) {
            Ok(moment) => sheet.write_datetime_with_format(row, column, &moment, &format)?,
            Err(_) => sheet.write_string_with_format(row, column, at_ms.to_string(), &format)?,
        },
    };
    Ok(())
}

/// Rows and columns as a spreadsheet counts them; reports have few.
fn place(index: usize) -> (u32, u16) {
    (
        u32::try_from(index).unwrap_or(u32::MAX),
        u16::try_from(index).unwrap_or(u16::MAX),
    )
}

fn width(sheet: &mut Worksheet, column: usize, characters: usize) -> Result<(), XlsxError> {
    let wide = u16::try_from(characters.clamp(8, COLUMN_MAX) + 2).unwrap_or(u16::MAX);
    sheet.set_column_width(place(column).1, wide).map(drop)
}

fn front(document: &Document, formats: &Formats, sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_name(document.language.of("Bericht", "Report"))?;
    sheet.write_string_with_format(0, 0, &document.title, &formats.title)?;
    sheet.write_string_with_format(1, 0, &document.subtitle, &formats.strong)?;
    let mut row = 3;
    for warning in &document.warnings {
        sheet.write_string_with_format(row, 0, warning, &formats.strong)?;
        row += 1;
    }
    row += 1;
    let mut widest = 0;
    for (name, value) in &document.facts {
        sheet.write_string(row, 0, name)?;
        sheet.write_string_with_format(row, 1, value, &formats.wrapped)?;
        widest = widest.max(name.chars().count());
        row += 1;
    }
    row += 1;
    for remark in &document.remarks {
        sheet.write_string(row, 0, remark)?;
        row += 1;
    }
    width(sheet, 0, widest)?;
    width(sheet, 1, COLUMN_MAX)
}

fn table(table: &Table, document: &Document, formats: &Formats, sheet: &mut Worksheet) -> Result<(), XlsxError> {
    let clock = document.clock();
    sheet.set_name(&table.name)?;
    for (column, (name, kind)) in table.columns.iter().enumerate() {
        let [left, right] = &formats.head;
        let format = if *kind == Kind::Number { right } else { left };
        sheet.write_string_with_format(0, place(column).1, name, format)?;
        let cells = table.rows.iter().filter_map(|row| row.cells.get(column));
        let shown = cells.map(|cell| cell.show(&clock, document.language).chars().count());
        width(sheet, column, shown.max().unwrap_or(0).max(name.chars().count()))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (index, row) in table.rows.iter().enumerate() {
        for (column, cell) in row.cells.iter().enumerate() {
            put(sheet, (place(index + 1).0, place(column).1), cell, row.is_total, &clock)?;
        }
    }
    if let Some(note) = &table.note {
        sheet.write_string(place(table.rows.len() + 2).0, 0, note)?;
    }
    Ok(())
}

/// The file's bytes. It names no author, and was made when the report was.
pub fn render(document: &Document) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut workbook = Workbook::new();
    let made = moment(document.made_ms, &Clock::new("UTC", document.language))?;
    let properties = DocProperties::new()
        .set_title(format!("{} {}", document.title, document.subtitle))
        .set_creation_datetime(&made);
    workbook.set_properties(&properties);
    front(document, &formats, workbook.add_worksheet())?;
    for one in &document.tables {
        table(one, document, &formats, workbook.add_worksheet())?;
    }
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_the_number_that_shows_them() {
        for (cents, text) in [
            (0, "0"),
            (-5, "-0.05"),
            (123_456, "1234.56"),
            (i64::MAX / 1_000, "92233720368547.75"),
        ] {
            assert_eq!(number(cents, 2).to_string(), text);
        }
        assert_eq!(number(1_900, 4).to_string(), "0.19");
        assert_eq!(number(-7, 0).to_string(), "-7");
    }
}
