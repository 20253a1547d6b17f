//! The rows of a closing's master data.

use super::row::Row;
use super::{Sink, WriteError, Writer};
use crate::model::{Address, BASE_CURRENCY, Closing, Device};
use crate::tables::Id;

impl<S: Sink> Writer<S> {
    /// Writes them all.
    pub(super) fn master_data(&mut self, closing: &Closing<'_>) -> Result<(), WriteError> {
        self.row(Id::Locations, |row| {
            address(row, &closing.place);
            row.text(&closing.taxpayer.vat_id);
            Ok(())
        })?;
        self.row(Id::Registers, |row| {
            device(row, &closing.register);
            row.text(BASE_CURRENCY);
            row.flag(false);
            Ok(())
        })?;
        for terminal in &closing.terminals {
            self.row(Id::Terminals, |row| {
                row.text(&terminal.id);
                device(row, terminal);
                Ok(())
            })?;
        }
        for agency in &closing.agencies {
            self.row(Id::Agencies, |row| {
                row.whole(u64::from(agency.id));
                address(row, &agency.business.address);
                row.text(&agency.business.tax_number);
                row.text(&agency.business.vat_id);
                Ok(())
            })?;
        }
        for vat in &closing.vat {
            self.row(Id::Vat, |row| {
                row.whole(u64::from(vat.key));
                row.rate(vat.rate);
                row.text(&vat.text);
                Ok(())
            })?;
        }
        let columns = self.options.certificates;
        for tse in &closing.tses {
            self.row(Id::Tses, |row| {
                row.whole(u64::from(tse.id));
                row.text(&tse.serial);
                row.text(&tse.algorithm);
                row.text(tse.time.as_str());
                row.text(tse.encoding.as_str());
                row.text(&tse.public_key);
                certificate(row, &tse.certificate, columns);
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Name and address, as three tables have them.
pub(super) fn address(row: &mut Row<'_>, address: &Address<'_>) {
    row.text(&address.name);
    row.text(&address.street);
    row.text(&address.postcode);
    row.text(&address.town);
    row.text(&address.country);
}

fn device(row: &mut Row<'_>, device: &Device<'_>) {
    row.text(&device.brand);
    row.text(&device.model);
    row.text(&device.serial);
    row.text(&device.software);
    row.text(&device.version);
}

/// Cut into columns of 1,000; what is longer than all of them is reported as cut.
fn certificate(row: &mut Row<'_>, certificate: &str, columns: usize) {
    let mut rest = certificate;
    for column in 1..=columns {
        let end = rest.char_indices().nth(1_000).map_or(rest.len(), |(at, _)| at);
        let (here, after) = rest.split_at(end);
        row.text(if column == columns { rest } else { here });
        rest = after;
    }
}
