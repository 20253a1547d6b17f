//! Master data of a closing, from the configuration and from what is known of TSEs.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fiscal::tax::is_vat_id;
use shared_protocol::TillId;
use shared_protocol::catalogue::Taxpayer;
use shared_protocol::config::Config;
use shared_protocol::tax::TaxKey;
use store::TseRow;

use super::lines::WITHOUT_TAX;
use crate::model::{Address, Business, Device, TseUnit, Vat, Word};
use crate::words::{Encoding, TimeFormat};

/// What stands where a certificate would, for a TSE that has none.
const NO_CERTIFICATE: &str = "KEIN ZERTIFIKAT: TSE IN SOFTWARE, NICHT ZERTIFIZIERT, NUR FUER TESTS";

/// A taxpayer. One number is known of it: a VAT id where it begins as one of Germany, else a tax number.
pub fn taxpayer(taxpayer: &Taxpayer) -> Business<'static> {
    let number = taxpayer.tax_number.trim();
    let (tax_number, vat_id) = if is_vat_id(number) { ("", number) } else { (number, "") };
    let address = taxpayer.address.as_ref();
    let part = |of: Option<&String>| -> Word<'static> { of.map_or(Word::default(), |text| Cow::Owned(text.clone())) };
    Business {
        address: Address {
            name: Cow::Owned(taxpayer.name.clone()),
            street: part(address.map(|address| &address.street)),
            postcode: part(address.map(|address| &address.postcode)),
            town: part(address.map(|address| &address.town)),
            country: Cow::Borrowed("DEU"),
        },
        tax_number: Cow::Owned(tax_number.to_owned()),
        vat_id: Cow::Owned(vat_id.to_owned()),
    }
}

/// Where a till stands: the event and the stand. The configuration knows no address of the site; who does fills it in.
pub fn place(config: &Config, till: TillId) -> Address<'static> {
    let stand = config.tills.get(&till).and_then(|till| config.stands.get(&till.stand));
    let name = match stand {
        Some(stand) => format!("{}, {}", config.event.name.de, stand.name.de),
        None => config.event.name.de.clone(),
    };
    Address {
        name: Cow::Owned(name),
        country: Cow::Borrowed("DEU"),
        ..Address::default()
    }
}

/// A till: `client` is the name under which it is registered with its TSE, `version` that of the software.
pub fn register(client: &str, version: &str) -> Device<'static> {
    Device {
        id: Cow::Owned(client.to_owned()),
        brand: Cow::Borrowed("Groschen"),
        model: Cow::Borrowed("Groschen"),
        serial: Cow::Owned(client.to_owned()),
        software: Cow::Borrowed("Groschen"),
        version: Cow::Owned(version.to_owned()),
    }
}

/// All tax keys of an event, and the one of everything that has no tax.
pub fn vat_table(config: &Config) -> Vec<Vat<'static>> {
    let mut taxes = config.taxes.clone();
    taxes.entry(WITHOUT_TAX.0).or_insert(WITHOUT_TAX.1);
    let rows = taxes.into_iter().map(|(key, rate)| Vat {
        key: u16::from(key.0),
        rate,
        text: described(key),
    });
    rows.collect()
}

fn described(key: TaxKey) -> Word<'static> {
    Cow::Borrowed(match key.0 {
        1 => "Allgemeiner Steuersatz",
        2 => "Ermäßigter Steuersatz",
        3 => "Durchschnittsatz § 24 Abs. 1 Nr. 3 UStG",
        4 => "Durchschnittsatz § 24 Abs. 1 Nr. 1 UStG",
        5 => "Nicht steuerbar",
        6 => "Umsatzsteuerfrei",
        7 => "Umsatzsteuer nicht ermittelbar",
        11 | 21 => "Allgemeiner Steuersatz, früher",
        12 | 22 => "Ermäßigter Steuersatz, früher",
        other => return Cow::Owned(format!("Steuerschlüssel {other}")),
    })
}

/// A TSE. `certificate` is base64; one in software has none, and its row says so.
pub fn tse_unit(row: &TseRow, certificate: Option<&str>) -> TseUnit<'static> {
    TseUnit {
        id: u32::from(row.no.0),
        serial: Cow::Owned(shared_protocol::ids::hex(&row.serial)),
        algorithm: Cow::Owned(row.algorithm.clone()),
        // A name that is none is a damaged row; every TSE here has written seconds so far.
        time: TimeFormat::from_name(&row.time_format).unwrap_or(TimeFormat::UnixTime),
        encoding: Encoding::Utf8,
        public_key: Cow::Owned(STANDARD.encode(&row.public_key)),
        certificate: Cow::Owned(certificate_of(row, certificate).to_owned()),
    }
}

fn certificate_of<'a>(row: &TseRow, certificate: Option<&'a str>) -> &'a str {
    certificate.unwrap_or(if row.certified { "" } else { NO_CERTIFICATE })
}
