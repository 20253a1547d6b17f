//! `index.xml` and the document type beside it.
//!
//! The document type is written here from the elements that the description uses. The one of the tax administration is not copied: it has the same
//! file name, because descriptions refer to it by that name, and it declares more than this export needs.

use crate::tables::{CERTIFICATES_MIN, Kind, MORE_CERTIFICATES, TABLES, Table};
use crate::words::Taxonomy;

/// The file name under which descriptions refer to the document type.
pub const DTD_FILE: &str = "gdpdu-01-09-2004.dtd";

/// The description.
pub const INDEX_FILE: &str = "index.xml";

/// The document type: what an `index.xml` of this export may hold.
pub const DTD: &str = r"<!-- Elements of the description of a data export as this program writes it. -->
<!ELEMENT DataSet (Version, DataSupplier, Media+)>
<!ELEMENT DataSupplier (Name, Location, Comment)>
<!ELEMENT Media (Name, Table+)>
<!ELEMENT Table (URL, Name, Description, UTF8, DecimalSymbol, DigitGroupingSymbol, Range, VariableLength)>
<!ELEMENT Range (From)>
<!ELEMENT VariableLength (ColumnDelimiter, RecordDelimiter, TextEncapsulator, VariableColumn+)>
<!ELEMENT VariableColumn (Name, (AlphaNumeric, MaxLength | Numeric))>
<!ELEMENT Numeric (Accuracy?)>
<!ELEMENT Version (#PCDATA)>
<!ELEMENT Name (#PCDATA)>
<!ELEMENT Location (#PCDATA)>
<!ELEMENT Comment (#PCDATA)>
<!ELEMENT URL (#PCDATA)>
<!ELEMENT Description (#PCDATA)>
<!ELEMENT DecimalSymbol (#PCDATA)>
<!ELEMENT DigitGroupingSymbol (#PCDATA)>
<!ELEMENT From (#PCDATA)>
<!ELEMENT ColumnDelimiter (#PCDATA)>
<!ELEMENT RecordDelimiter (#PCDATA)>
<!ELEMENT TextEncapsulator (#PCDATA)>
<!ELEMENT Accuracy (#PCDATA)>
<!ELEMENT MaxLength (#PCDATA)>
<!ELEMENT UTF8 EMPTY>
<!ELEMENT AlphaNumeric EMPTY>
";

/// Who hands the export over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supplier {
    /// Name of the taxpayer.
    pub name: String,
    /// Where the taxpayer has its seat.
    pub location: String,
    /// Anything a reader should know, such as the event.
    pub comment: String,
}

/// The description of an export.
pub fn index(supplier: &Supplier, taxonomy: Taxonomy, certificates: usize) -> String {
    let mut xml = String::with_capacity(40_000);
    xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE DataSet SYSTEM \"");
    xml.push_str(DTD_FILE);
    xml.push_str("\">\n<DataSet>\n  <Version>1.0</Version>\n  <DataSupplier>\n");
    element(&mut xml, 4, "Name", &supplier.name);
    element(&mut xml, 4, "Location", &supplier.location);
    let comment = format!("DSFinV-K {}. {}", taxonomy.as_str(), supplier.comment);
    element(&mut xml, 4, "Comment", comment.trim_end());
    xml.push_str("  </DataSupplier>\n  <Media>\n");
    element(&mut xml, 4, "Name", "DSFinV-K");
    for described in TABLES {
        table(&mut xml, described, certificates);
    }
    xml.push_str("  </Media>\n</DataSet>\n");
    xml
}

fn table(xml: &mut String, table: &Table, certificates: usize) {
    xml.push_str("    <Table>\n");
    element(xml, 6, "URL", table.file);
    element(xml, 6, "Name", table.name);
    element(xml, 6, "Description", table.name);
    xml.push_str("      <UTF8/>\n");
    element(xml, 6, "DecimalSymbol", ",");
    element(xml, 6, "DigitGroupingSymbol", ".");
    xml.push_str("      <Range>\n        <From>2</From>\n      </Range>\n      <VariableLength>\n");
    element(xml, 8, "ColumnDelimiter", ";");
    // A character reference, which an end of line must be: a bare one becomes a single line feed when the XML is read.
    xml.push_str("        <RecordDelimiter>&#13;&#10;</RecordDelimiter>\n");
    element(xml, 8, "TextEncapsulator", "\"");
    for (name, kind) in columns(table, certificates) {
        xml.push_str("        <VariableColumn>\n");
        element(xml, 10, "Name", name);
        match kind {
            Kind::Text(max) => {
                xml.push_str("          <AlphaNumeric/>\n");
                element(xml, 10, "MaxLength", &max.to_string());
            }
            // Whole numbers without an accuracy: with a zero, readers look for a comma.
            Kind::Number(0) => xml.push_str("          <Numeric/>\n"),
            Kind::Number(places) => {
                xml.push_str("          <Numeric>\n");
                element(xml, 12, "Accuracy", &places.to_string());
                xml.push_str("          </Numeric>\n");
            }
        }
        xml.push_str("        </VariableColumn>\n");
    }
    xml.push_str("      </VariableLength>\n    </Table>\n");
}

/// The columns of a table in an export with so many columns for certificates.
pub(super) fn columns(table: &Table, certificates: usize) -> impl Iterator<Item = crate::tables::Column> + '_ {
    let more = if table.file == "tse.csv" {
        certificates - CERTIFICATES_MIN
    } else {
        0
    };
    table.all().chain(MORE_CERTIFICATES.into_iter().take(more))
}

fn element(xml: &mut String, indent: usize, name: &str, text: &str) {
    xml.extend(std::iter::repeat_n(' ', indent));
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    for character in text.chars() {
        match character {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            // XML 1.0 has no way to write the other control characters.
            control if control.is_control() => xml.push(' '),
            other => xml.push(other),
        }
    }
    xml.push_str("</");
    xml.push_str(name);
    xml.push_str(">\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_xml_whatever_the_names_are() {
        let supplier = Supplier {
            name: "Bier & Söhne <\"GbR\">".to_owned(),
            location: "Lichten\u{0}heide".to_owned(),
            comment: String::new(),
        };
        let xml = index(&supplier, Taxonomy::V2_3, 3);
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..roxmltree::ParsingOptions::default()
        };
        let read = roxmltree::Document::parse_with_options(&xml, options).unwrap();
        let text = |name: &str| read.descendants().find(|node| node.has_tag_name(name)).unwrap().text();
        assert_eq!(text("Name"), Some(supplier.name.as_str()));
        assert_eq!(text("RecordDelimiter"), Some("\r\n"));
        assert_eq!(text("Comment"), Some("DSFinV-K 2.3."));
        let columns = read
            .descendants()
            .filter(|node| node.has_tag_name("VariableColumn"))
            .count();
        assert_eq!(columns, 219 + 1);
    }

    #[test]
    fn every_element_of_the_description_is_declared() {
        let xml = index(&Supplier::default(), Taxonomy::V2_4, CERTIFICATES_MIN);
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..roxmltree::ParsingOptions::default()
        };
        let read = roxmltree::Document::parse_with_options(&xml, options).unwrap();
        for node in read.descendants().filter(roxmltree::Node::is_element) {
            let declared = format!("<!ELEMENT {} ", node.tag_name().name());
            assert!(DTD.contains(&declared), "{declared}");
        }
    }
}
