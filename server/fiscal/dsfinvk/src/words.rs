//! The closed lists of words of DSFinV-K (annexes B, C and D), spelled as the standard spells them.

/// `TSE_ZEITFORMAT`: how a TSE writes the time into what it signs.
pub use fiscal::tse::TimeFormat;

macro_rules! words {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$note:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$note])* $variant,)+ }

        impl $name {
            /// All of them, in the order of the standard.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As the standard writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads it; upper and lower case count.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    )+};
}

words! {
    /// The version of the standard that an export names (`TAXONOMIE_VERSION`). 2.4 changed no table of 2.3.
    pub enum Taxonomy {
        /// Of July 2022, still accepted.
        V2_3 = "2.3",
        /// Of January 2024.
        V2_4 = "2.4",
    }

    /// `BON_TYP`, annex B: what a receipt is. Only the first changes what a business owns, so only it is in the sums of a closing.
    pub enum ReceiptKind {
        /// A finished business case.
        Beleg = "Beleg",
        /// An invoice that is written elsewhere.
        Rechnung = "AVRechnung",
        /// A move between till and elsewhere that is no business case.
        Transfer = "AVTransfer",
        /// An order that is paid later.
        Bestellung = "AVBestellung",
        /// Practice.
        Training = "AVTraining",
        /// A receipt taken back without a TSE; not used with one.
        Belegstorno = "AVBelegstorno",
        /// A cart that was given up.
        Belegabbruch = "AVBelegabbruch",
        /// Payment in kind to staff.
        Sachbezug = "AVSachbezug",
        /// Anything else; needs a name.
        Sonstige = "AVSonstige",
    }

    /// `GV_TYP`, annex C: what a line of a receipt is.
    pub enum CaseKind {
        /// Goods or a service.
        Umsatz = "Umsatz",
        /// A deposit taken.
        Pfand = "Pfand",
        /// A deposit paid back.
        PfandRueckzahlung = "PfandRueckzahlung",
        /// Something taken off the price.
        Rabatt = "Rabatt",
        /// Something added to the price.
        Aufschlag = "Aufschlag",
        /// A grant that is no consideration.
        ZuschussEcht = "ZuschussEcht",
        /// A grant that is consideration.
        ZuschussUnecht = "ZuschussUnecht",
        /// A tip to the owner.
        TrinkgeldAg = "TrinkgeldAG",
        /// A tip to staff.
        TrinkgeldAn = "TrinkgeldAN",
        /// A voucher sold that is taxed now.
        EinzweckgutscheinKauf = "EinzweckgutscheinKauf",
        /// A voucher used that was taxed when it was sold.
        EinzweckgutscheinEinloesung = "EinzweckgutscheinEinloesung",
        /// A voucher sold that is taxed when it is used.
        MehrzweckgutscheinKauf = "MehrzweckgutscheinKauf",
        /// A voucher used that is taxed now.
        MehrzweckgutscheinEinloesung = "MehrzweckgutscheinEinloesung",
        /// Somebody owes something from now on.
        Forderungsentstehung = "Forderungsentstehung",
        /// Somebody owes something no longer.
        Forderungsaufloesung = "Forderungsaufloesung",
        /// An advance payment.
        Anzahlungseinstellung = "Anzahlungseinstellung",
        /// An advance payment settled.
        Anzahlungsaufloesung = "Anzahlungsaufloesung",
        /// The float of a drawer.
        Anfangsbestand = "Anfangsbestand",
        /// Taken out by the owner.
        Privatentnahme = "Privatentnahme",
        /// Brought in by the owner.
        Privateinlage = "Privateinlage",
        /// Between drawer and safe.
        Geldtransit = "Geldtransit",
        /// Wages.
        Lohnzahlung = "Lohnzahlung",
        /// Paid in otherwise.
        Einzahlung = "Einzahlung",
        /// Paid out otherwise.
        Auszahlung = "Auszahlung",
        /// What a counted drawer has more or less than it should.
        DifferenzSollIst = "DifferenzSollIst",
    }

    /// `ZAHLART_TYP`, annex D: how something was paid.
    pub enum PaymentKind {
        /// Cash.
        Bar = "Bar",
        /// Not cash, kind unknown.
        Unbar = "Unbar",
        /// Nothing was paid.
        Keine = "Keine",
        /// Debit card.
        EcKarte = "ECKarte",
        /// Credit card.
        Kreditkarte = "Kreditkarte",
        /// A payment service on the net.
        ElZahlungsdienstleister = "ElZahlungsdienstleister",
        /// A card of an issuer of electronic money, which third parties take too.
        Guthabenkarte = "Guthabenkarte",
    }

    /// `REF_TYP`: what a receipt refers to.
    pub enum ReferenceKind {
        /// A receipt of a till.
        Transaktion = "Transaktion",
        /// An invoice.
        ExterneRechnung = "ExterneRechnung",
        /// A delivery note.
        ExternerLieferschein = "ExternerLieferschein",
        /// Something else.
        ExterneSonstige = "ExterneSonstige",
    }

    /// `TYP` of a price's parts.
    pub enum PriceKind {
        /// The price before anything.
        Base = "base_amount",
        /// What came off.
        Discount = "discount",
        /// What came on.
        Extra = "extra_amount",
    }

    /// `TSE_PD_ENCODING`.
    pub enum Encoding {
        /// Process data in UTF-8.
        Utf8 = "UTF-8",
        /// Process data in ASCII.
        Ascii = "ASCII",
    }
}

impl ReceiptKind {
    /// Whether a receipt of this kind is in the sums of its closing.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Beleg)
    }
}
