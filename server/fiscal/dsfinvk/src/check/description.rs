//! `index.xml`: what it declares against what the standard does.

use std::collections::BTreeMap;
use std::io::Read as _;

use roxmltree::{Document, Node, ParsingOptions};
use wording::{Both, both};

use super::Source;
use super::report::Report;
use super::rule::Rule;
use crate::tables::{Kind, MORE_CERTIFICATES, TABLES, Table};
use crate::write::INDEX_FILE;

/// The largest description that is read; the standard's has 50 kB.
const SIZE_MAX: u64 = 4 * 1024 * 1024;

/// The columns that each file declares.
pub(super) type Declared = BTreeMap<String, Vec<String>>;

/// Reads the description and compares it with the standard. Nothing is declared by one that cannot be read.
pub(super) fn read(source: &dyn Source, report: &mut Report) -> Declared {
    let mut text = String::new();
    let read = match source.open(INDEX_FILE) {
        Ok(Some(file)) => file
            .take(SIZE_MAX)
            .read_to_string(&mut text)
            .map_err(|error| unreadable(&error)),
        Ok(None) => Err(both!("sie ist nicht da", "it is not there")),
        Err(error) => Err(unreadable(&error)),
    };
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = match read.map(|_| Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)) {
        Ok(Ok(document)) => document,
        Ok(Err(error)) => {
            report.find(
                Rule::NoDescription,
                INDEX_FILE,
                Some(u64::from(error.pos().row)),
                || unreadable(&error),
            );
            return Declared::new();
        }
        Err(error) => {
            report.find(Rule::NoDescription, INDEX_FILE, None, || error);
            return Declared::new();
        }
    };
    document_type(&text, source, report);
    let mut declared = Declared::new();
    for node in document.descendants().filter(|node| node.has_tag_name("Table")) {
        let Some(url) = child_text(node, "URL") else { continue };
        let columns = columns(node);
        if let Some(table) = Table::find(url) {
            let line = document.text_pos_at(node.range().start).row;
            compare(table, &columns, u64::from(line), report);
        }
        declared.insert(url.to_owned(), columns.into_iter().map(|(name, _)| name).collect());
    }
    for table in TABLES.iter().filter(|table| !declared.contains_key(table.file)) {
        report.find(Rule::Undeclared, INDEX_FILE, None, || {
            both!("{} ist nicht genannt", "{} is not declared", table.file)
        });
    }
    declared
}

fn unreadable(error: &dyn std::fmt::Display) -> Both {
    both!("sie ist nicht lesbar: {error}", "{error}")
}

/// The document type has to lie beside the description, under the name that it gives.
fn document_type(text: &str, source: &dyn Source, report: &mut Report) {
    let declaration = text.split("<!DOCTYPE").nth(1).and_then(|rest| rest.split('>').next());
    let Some(declaration) = declaration else {
        report.find(Rule::NoDocumentType, INDEX_FILE, None, || {
            both!("sie nennt keinen Dokumenttyp", "it names no document type")
        });
        return;
    };
    let Some(name) = declaration.split(['"', '\'']).nth(1) else {
        return;
    };
    if !matches!(source.open(name), Ok(Some(_))) {
        report.find(Rule::NoDocumentType, INDEX_FILE, None, || {
            both!("{name} ist nicht da", "{name} is not there")
        });
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn child_text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim)
}

/// Names and types of the columns of a table; none for a type of another kind.
fn columns(table: Node<'_, '_>) -> Vec<(String, Option<Kind>)> {
    let columns = table.descendants().filter(|node| node.has_tag_name("VariableColumn"));
    columns
        .map(|column| {
            let name = child_text(column, "Name").unwrap_or_default().to_owned();
            let kind = if let Some(numeric) = child(column, "Numeric") {
                let places = child_text(numeric, "Accuracy").map_or(Some(0), |places| places.parse().ok());
                places.map(Kind::Number)
            } else {
                let max = child_text(column, "MaxLength").and_then(|max| max.parse().ok());
                max.filter(|_| child(column, "AlphaNumeric").is_some()).map(Kind::Text)
            };
            (name, kind)
        })
        .collect()
}

fn compare(table: &Table, declared: &[(String, Option<Kind>)], line: u64, report: &mut Report) {
    let mut found = declared.iter();
    for (name, kind) in table.all() {
        let next = found.next();
        if next.is_none_or(|(declared, of)| declared != name || *of != Some(kind)) {
            report.find(Rule::Columns, INDEX_FILE, Some(line), || {
                let is = next.map_or(both!("nichts", "nothing"), |(name, kind)| {
                    Both::from(format!("{name} {kind:?}"))
                });
                let file = table.file;
                Both::new(
                    format!("{file}: wo der Standard {name} {kind:?} hat, ist {}", is.de),
                    format!("{file}: where the standard has {name} {kind:?} there is {}", is.en),
                )
            });
            return;
        }
    }
    // Only a certificate may be so long that it needs more columns.
    let more = found.filter(|(name, _)| !MORE_CERTIFICATES.iter().any(|(known, _)| known == name));
    for (name, _) in more {
        report.find(Rule::Columns, INDEX_FILE, Some(line), || {
            both!(
                "{}: {name} ist eine Spalte, die der Standard nicht hat",
                "{}: {name} is a column that the standard does not have",
                table.file
            )
        });
    }
}
