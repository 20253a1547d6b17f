//! The notification as XML, and a check of what such a file says.
//!
//! Names and order of the elements are those that another open project sends to ELSTER; the official schema was not at hand. The file says so, and
//! nothing here is a promise that ELSTER takes it. Where a value is missing its element is, too, and a comment says which.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::{Missing, Notification, System, is_certificate};

/// The namespace of the data (read in another program, not in the schema).
pub const NAMESPACE: &str = "http://finkonsens.de/elster/elsternachricht/aufzeichnung146a/v1";

/// The number of a till that runs on a computer or a phone (read in another program, not in the schema).
const KIND: &str = "1";

/// Elements of a system, in their order, and whether each has to be there.
const ELEMENTS: [(&str, bool); 14] = [
    ("Art", true),
    ("Software", true),
    ("SoftwareVersion", true),
    ("SeriennummerAS", true),
    ("Hersteller", true),
    ("Modell", true),
    ("SeriennummerTSE", true),
    ("InbetriebnahmeTSE", true),
    ("BSIID", true),
    ("ArtTSE", true),
    ("AnschaffungAS", true),
    ("InbetriebnahmeAS", true),
    ("AusserbetriebnahmeAS", false),
    ("GrundAusserbetriebnahme", false),
];

/// Text as it may stand in an element, and in a comment, where two hyphens must not meet.
fn escaped(text: &str) -> String {
    let clean = text.chars().filter(|one| !one.is_control());
    let mut out = String::with_capacity(text.len());
    for one in clean {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

fn comment(xml: &mut String, indent: usize, text: &str) {
    let clean: String = text.chars().filter(|one| !one.is_control()).collect();
    let clean = clean.replace('-', "\u{2010}");
    // Writing to a string cannot fail.
    let _written = writeln!(xml, "{:indent$}<!-- {clean} -->", "");
}

fn german(date: Date) -> String {
    date.strftime("%d.%m.%Y").to_string()
}

/// The notification; `version` is that of the software.
pub fn write(notification: &Notification, version: &str) -> String {
    let taxpayer = &notification.taxpayer;
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    for line in [
        "Mitteilung nach § 146a Abs. 4 AO. Elemente und Reihenfolge nach einem anderen Programm; das amtliche Schema lag nicht vor.",
        "Vor dem Absenden in Mein ELSTER prüfen: Steuerpflichtiger, Steuernummer und Betriebsstätte werden dort eingetragen, sie stehen nur als Kommentar hier.",
    ] {
        comment(&mut xml, 0, line);
    }
    comment(&mut xml, 0, &format!("Name: {}", taxpayer.name));
    comment(&mut xml, 0, &format!("Steuernummer: {}", taxpayer.tax_number));
    if let Some(address) = &taxpayer.address {
        let text = format!("Sitz: {}, {} {}", address.street, address.postcode, address.town);
        comment(&mut xml, 0, &text);
    }
    comment(
        &mut xml,
        0,
        &format!("Aufzeichnungssysteme: {}", notification.systems.len()),
    );
    for missing in notification.missing() {
        comment(&mut xml, 0, &format!("FEHLT: {}", lacks(&missing)));
    }
    let _written = writeln!(
        xml,
        "<Aufzeichnung146a xmlns=\"{NAMESPACE}\" version=\"1\">\n  <Aufzeichnung146a>"
    );
    for system in &notification.systems {
        xml.push_str("    <AngabenAufzeichnungssystem>\n");
        for ((name, _), value) in ELEMENTS.iter().zip(values(system, version)) {
            if let Some(value) = value {
                let _written = writeln!(xml, "      <{name}>{}</{name}>", escaped(&value));
            }
        }
        xml.push_str("    </AngabenAufzeichnungssystem>\n");
    }
    xml.push_str("  </Aufzeichnung146a>\n</Aufzeichnung146a>\n");
    xml
}

/// Values in the order of [`ELEMENTS`].
fn values(system: &System, version: &str) -> [Option<String>; 14] {
    let said = |text: &str| Some(text.to_owned());
    let out = system.decommissioned;
    [
        said(KIND),
        said("Groschen"),
        said(version),
        said(&system.serial),
        said("Groschen"),
        said("Groschen"),
        Some(system.tse_serial()),
        system.tse_commissioned.map(german),
        system.certificate().map(str::to_owned),
        system.tse_kind.map(str::to_owned),
        system.acquired.map(german),
        system.commissioned.map(german),
        out.map(german),
        system.reason.clone().filter(|_| out.is_some()),
    ]
}

/// What is missing, in German, as the file and who sends it read it.
fn lacks(missing: &Missing) -> String {
    match missing {
        Missing::Unsaid(what, object) => format!("{} von {object}", what.name()),
        Missing::NotCertified(serial) => {
            format!("die TSE {serial} ist nicht zertifiziert, oder ihre BSI-Kennung ist nicht eingetragen")
        }
        Missing::TaxNumber(name) => format!("die Steuernummer von {name}"),
    }
}

/// Something in a file that is not as it is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which system, 1, 2, 3 …; none for the file itself.
    pub system: Option<usize>,
    /// What is wrong.
    pub says: String,
}

/// Checks a file against what is known of the data: names, order, presence and form of each value. It is no schema of the administration.
pub fn check(text: &str) -> Vec<Fault> {
    let of_file = |says: String| Fault { system: None, says };
    let document = match roxmltree::Document::parse(text) {
        Ok(document) => document,
        Err(error) => return vec![of_file(format!("it is no XML: {error}"))],
    };
    let mut faults = Vec::new();
    let root = document.root_element();
    if !root.has_tag_name((NAMESPACE, "Aufzeichnung146a")) || root.attribute("version") != Some("1") {
        faults.push(of_file(format!(
            "it begins with {:?}, not with Aufzeichnung146a of version 1",
            root.tag_name().name()
        )));
        return faults;
    }
    let inner: Vec<_> = root.children().filter(roxmltree::Node::is_element).collect();
    let [data] = inner.as_slice() else {
        return vec![of_file("it has to hold one Aufzeichnung146a".to_owned())];
    };
    let mut serials = std::collections::BTreeSet::new();
    let systems = data.children().filter(roxmltree::Node::is_element);
    for (at, system) in (1..).zip(systems) {
        let mut fault = |says: String| faults.push(Fault { system: Some(at), says });
        if !system.has_tag_name((NAMESPACE, "AngabenAufzeichnungssystem")) {
            fault(format!("{} is no system", system.tag_name().name()));
            continue;
        }
        let mut expected = ELEMENTS.iter();
        let mut seen = Vec::new();
        for value in system.children().filter(roxmltree::Node::is_element) {
            let name = value.tag_name().name();
            if expected.any(|(known, _)| *known == name) {
                if let Some(says) = wrong(name, value.text().unwrap_or_default()) {
                    fault(says);
                }
                if name == "SeriennummerAS" && !serials.insert(value.text().unwrap_or_default().to_owned()) {
                    fault("its serial number is there twice".to_owned());
                }
                seen.push(name);
            } else {
                fault(format!("{name} is not known or not in its place"));
                break;
            }
        }
        for (name, _) in ELEMENTS.iter().filter(|(name, must)| *must && !seen.contains(name)) {
            fault(format!("{name} is missing"));
        }
        if seen.contains(&"AusserbetriebnahmeAS") != seen.contains(&"GrundAusserbetriebnahme") {
            fault("the day and the reason of decommissioning belong together".to_owned());
        }
    }
    if serials.is_empty() {
        faults.push(of_file("it names no system".to_owned()));
    }
    faults
}

/// What is wrong with a value.
fn wrong(name: &str, value: &str) -> Option<String> {
    let date = || Date::strptime("%d.%m.%Y", value).is_ok() && value.len() == 10;
    let good = match name {
        "Art" => value == KIND,
        "ArtTSE" => super::TSE_KINDS.iter().any(|(_, number)| *number == value),
        "SeriennummerTSE" => value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "BSIID" => is_certificate(value),
        "InbetriebnahmeTSE" | "AnschaffungAS" | "InbetriebnahmeAS" | "AusserbetriebnahmeAS" => date(),
        _ => !value.trim().is_empty(),
    };
    (!good).then(|| format!("{name} cannot be {value:?}"))
}
