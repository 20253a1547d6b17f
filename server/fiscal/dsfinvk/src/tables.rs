//! The 20 tables: names, columns, types, as the `index.xml` of version 2.4 declares them. Writer, description and checker read them from here.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    /// A number with exactly so many decimal places.
    Number(usize),
}

/// A column: its name and what it holds.
pub type Column = (&'static str, Kind);

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// The file.
    pub file: &'static str,
    /// What the standard calls it.
    pub name: &'static str,
    /// How its rows begin.
    pub scope: Scope,
    /// The columns after those of the scope.
    pub columns: &'static [Column],
}

/// What a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A closing: till, creation, number.
    Closing,
    /// A receipt: the same and the receipt.
    Receipt,
}

const KEY: [Column; 4] = [
    ("Z_KASSE_ID", Kind::Text(50)),
    ("Z_ERSTELLUNG", Kind::Text(30)),
    ("Z_NR", Kind::Number(0)),
    ("BON_ID", Kind::Text(40)),
];

impl Table {
    /// All columns, those of the scope first.
    pub fn all(&self) -> impl Iterator<Item = Column> + '_ {
        KEY.iter().take(self.scope.columns()).chain(self.columns).copied()
    }

    /// How many columns it has.
    pub const fn width(&self) -> usize {
        self.scope.columns() + self.columns.len()
    }

    /// A table by its file.
    pub fn find(file: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.file == file)
    }
}

impl Scope {
    /// How many columns name it.
    pub const fn columns(self) -> usize {
        match self {
            Self::Closing => 3,
            Self::Receipt => 4,
        }
    }
}

/// The columns of `tse.csv` for certificates that the standard names; longer certificates need more, which are declared.
pub const CERTIFICATES_MIN: usize = 2;
/// The most columns for certificates.
pub const CERTIFICATES_MAX: usize = 7;

/// The columns for certificates beyond those in the table, in order.
pub const MORE_CERTIFICATES: [Column; CERTIFICATES_MAX - CERTIFICATES_MIN] = [
    ("TSE_ZERTIFIKAT_III", Kind::Text(1_000)),
    ("TSE_ZERTIFIKAT_IV", Kind::Text(1_000)),
    ("TSE_ZERTIFIKAT_V", Kind::Text(1_000)),
    ("TSE_ZERTIFIKAT_VI", Kind::Text(1_000)),
    ("TSE_ZERTIFIKAT_VII", Kind::Text(1_000)),
];

macro_rules! tables {
    ($($constant:ident $file:literal $name:literal $scope:ident { $($column:ident $kind:ident $size:literal,)* })+) => {
        /// Places in [`TABLES`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(usize)]
        #[expect(missing_docs, reason = "each is the table of the same name")]
        pub enum Id { $($constant,)+ }

        impl Id {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$constant,)+];

            /// The table.
            pub const fn table(self) -> &'static Table {
                match self { $(Self::$constant => &Table {
                    file: $file,
                    name: $name,
                    scope: Scope::$scope,
                    columns: &[$((stringify!($column), Kind::$kind($size)),)*],
                },)+ }
            }
        }

        /// All of them, in the order of the description.
        pub const TABLES: &[Table] = &[$(*Id::$constant.table(),)+];
    };
}

tables! {
    Closings "cashpointclosing.csv" "Stamm_Abschluss" Closing {
        Z_BUCHUNGSTAG Text 25, TAXONOMIE_VERSION Text 10, Z_START_ID Text 40, Z_ENDE_ID Text 40, NAME Text 60, STRASSE Text 60, PLZ Text 10,
        ORT Text 62, LAND Text 3, STNR Text 20, USTID Text 15, Z_SE_ZAHLUNGEN Number 2, Z_SE_BARZAHLUNGEN Number 2,
    }
    Locations "location.csv" "Stamm_Orte" Closing {
        LOC_NAME Text 60, LOC_STRASSE Text 60, LOC_PLZ Text 10, LOC_ORT Text 62, LOC_LAND Text 3, LOC_USTID Text 15,
    }
    Registers "cashregister.csv" "Stamm_Kassen" Closing {
        KASSE_BRAND Text 50, KASSE_MODELL Text 50, KASSE_SERIENNR Text 70, KASSE_SW_BRAND Text 50, KASSE_SW_VERSION Text 50,
        KASSE_BASISWAEH_CODE Text 3, KEINE_UST_ZUORDNUNG Text 1,
    }
    Terminals "slaves.csv" "Stamm_Terminals" Closing {
        TERMINAL_ID Text 50, TERMINAL_BRAND Text 50, TERMINAL_MODELL Text 50, TERMINAL_SERIENNR Text 70, TERMINAL_SW_BRAND Text 50,
        TERMINAL_SW_VERSION Text 50,
    }
    Agencies "pa.csv" "Stamm_Agenturen" Closing {
        AGENTUR_ID Number 0, AGENTUR_NAME Text 60, AGENTUR_STRASSE Text 60, AGENTUR_PLZ Text 10, AGENTUR_ORT Text 62, AGENTUR_LAND Text 3,
        AGENTUR_STNR Text 20, AGENTUR_USTID Text 15,
    }
    Vat "vat.csv" "Stamm_USt" Closing {
        UST_SCHLUESSEL Number 0, UST_SATZ Number 2, UST_BESCHR Text 55,
    }
    Tses "tse.csv" "Stamm_TSE" Closing {
        TSE_ID Number 0, TSE_SERIAL Text 68, TSE_SIG_ALGO Text 21, TSE_ZEITFORMAT Text 31, TSE_PD_ENCODING Text 5, TSE_PUBLIC_KEY Text 512,
        TSE_ZERTIFIKAT_I Text 1000, TSE_ZERTIFIKAT_II Text 1000,
    }
    Cases "businesscases.csv" "Z_GV_Typ" Closing {
        GV_TYP Text 30, GV_NAME Text 40, AGENTUR_ID Number 0, UST_SCHLUESSEL Number 0, Z_UMS_BRUTTO Number 5, Z_UMS_NETTO Number 5, Z_UST Number 5,
    }
    Payments "payment.csv" "Z_Zahlart" Closing {
        ZAHLART_TYP Text 25, ZAHLART_NAME Text 60, Z_ZAHLART_BETRAG Number 2,
    }
    Currencies "cash_per_currency.csv" "Z_Waehrungen" Closing {
        ZAHLART_WAEH Text 3, ZAHLART_BETRAG_WAEH Number 2,
    }
    Receipts "transactions.csv" "Bonkopf" Receipt {
        BON_NR Number 0, BON_TYP Text 30, BON_NAME Text 60, TERMINAL_ID Text 50, BON_STORNO Text 1, BON_START Text 30, BON_ENDE Text 30,
        BEDIENER_ID Text 50, BEDIENER_NAME Text 50, UMS_BRUTTO Number 2, KUNDE_NAME Text 50, KUNDE_ID Text 50, KUNDE_TYP Text 50,
        KUNDE_STRASSE Text 60, KUNDE_PLZ Text 10, KUNDE_ORT Text 62, KUNDE_LAND Text 3, KUNDE_USTID Text 15, BON_NOTIZ Text 255,
    }
    ReceiptVat "transactions_vat.csv" "Bonkopf_USt" Receipt {
        UST_SCHLUESSEL Number 0, BON_BRUTTO Number 5, BON_NETTO Number 5, BON_UST Number 5,
    }
    ReceiptPayments "datapayment.csv" "Bonkopf_Zahlarten" Receipt {
        ZAHLART_TYP Text 25, ZAHLART_NAME Text 60, ZAHLWAEH_CODE Text 3, ZAHLWAEH_BETRAG Number 2, BASISWAEH_BETRAG Number 2,
    }
    Allocations "allocation_groups.csv" "Bonkopf_AbrKreis" Receipt {
        ABRECHNUNGSKREIS Text 50,
    }
    References "references.csv" "Bon_Referenzen" Receipt {
        POS_ZEILE Text 50, REF_TYP Text 20, REF_NAME Text 40, REF_DATUM Text 30, REF_Z_KASSE_ID Text 50, REF_Z_NR Number 0, REF_BON_ID Text 40,
    }
    Signatures "transactions_tse.csv" "TSE_Transaktionen" Receipt {
        TSE_ID Number 0, TSE_TANR Number 0, TSE_TA_START Text 30, TSE_TA_ENDE Text 30, TSE_TA_VORGANGSART Text 30, TSE_TA_SIGZ Number 0,
        TSE_TA_SIG Text 512, TSE_TA_FEHLER Text 200, TSE_VORGANGSDATEN Text 1000,
    }
    Lines "lines.csv" "Bonpos" Receipt {
        POS_ZEILE Text 50, GUTSCHEIN_NR Text 50, ARTIKELTEXT Text 255, POS_TERMINAL_ID Text 50, GV_TYP Text 30, GV_NAME Text 40, INHAUS Text 1,
        P_STORNO Text 1, AGENTUR_ID Number 0, ART_NR Text 50, GTIN Text 50, WARENGR_ID Text 40, WARENGR Text 50, MENGE Number 3, FAKTOR Number 3,
        EINHEIT Text 50, STK_BR Number 5,
    }
    LineVat "lines_vat.csv" "Bonpos_USt" Receipt {
        POS_ZEILE Text 50, UST_SCHLUESSEL Number 0, POS_BRUTTO Number 5, POS_NETTO Number 5, POS_UST Number 5,
    }
    Prices "itemamounts.csv" "Bonpos_Preisfindung" Receipt {
        POS_ZEILE Text 50, TYP Text 20, UST_SCHLUESSEL Number 0, PF_BRUTTO Number 5, PF_NETTO Number 5, PF_UST Number 5,
    }
    Parts "subitems.csv" "Bonpos_Zusatzinfo" Receipt {
        POS_ZEILE Text 50, ZI_ART_NR Text 50, ZI_GTIN Text 50, ZI_NAME Text 60, ZI_WARENGR_ID Text 40, ZI_WARENGR Text 50, ZI_MENGE Number 3,
        ZI_FAKTOR Number 3, ZI_EINHEIT Text 50, ZI_UST_SCHLUESSEL Number 0, ZI_BASISPREIS_BRUTTO Number 5, ZI_BASISPREIS_NETTO Number 5,
        ZI_BASISPREIS_UST Number 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_20_tables_with_219_columns() {
        assert_eq!(TABLES.len(), 20);
        assert_eq!(TABLES.iter().map(|table| table.all().count()).sum::<usize>(), 219);
        assert!(TABLES.iter().all(|table| table.width() == table.all().count()));
    }
}
