//! The content of an export as values, in the standard's own words: a [`Closing`] is `Kassenabschluss` with its master data, a [`Receipt`] is `Bon`.
//!
//! Amounts are cents of the till's base currency, gross, below zero where something is taken back; times are milliseconds since 1970. Texts are borrowed
//! where they can be. What is derived (sums by tax key, sums of a closing) is not here: [`write`](crate::write) derives it, so it cannot contradict.

use std::borrow::Cow;

use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, Overflow};

use crate::amount::{Fine, Split, tax_in};
use crate::words::{CaseKind, Encoding, PaymentKind, PriceKind, ReceiptKind, ReferenceKind, TimeFormat};

/// A text of any length; the writer cuts what is longer than its column and says so.
pub type Word<'a> = Cow<'a, str>;

/// The currency of the sums (`KASSE_BASISWAEH_CODE`).
pub const BASE_CURRENCY: &str = "EUR";

/// Name and address, as several tables have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address<'a> {
    /// Name.
    pub name: Word<'a>,
    /// Street and number.
    pub street: Word<'a>,
    /// Postcode.
    pub postcode: Word<'a>,
    /// Town.
    pub town: Word<'a>,
    /// ISO 3166 alpha-3: `DEU`.
    pub country: Word<'a>,
}

/// Somebody with a tax number: the taxpayer, or an agency on whose account something is sold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Business<'a> {
    /// Name and address.
    pub address: Address<'a>,
    /// `STNR`: tax number.
    pub tax_number: Word<'a>,
    /// `USTID`: VAT id.
    pub vat_id: Word<'a>,
}

/// A device and its software, as till (`cashregister.csv`) or as input device (`slaves.csv`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device<'a> {
    /// `TERMINAL_ID`; not used for the till itself.
    pub id: Word<'a>,
    /// Maker.
    pub brand: Word<'a>,
    /// Model.
    pub model: Word<'a>,
    /// Serial number; of a till the one that it is registered with at its TSE.
    pub serial: Word<'a>,
    /// Maker of the software.
    pub software: Word<'a>,
    /// Version of the software.
    pub version: Word<'a>,
}

/// A rate by its key (`vat.csv`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vat<'a> {
    /// `UST_SCHLUESSEL`.
    pub key: u16,
    /// `UST_SATZ`.
    pub rate: TaxRate,
    /// `UST_BESCHR`.
    pub text: Word<'a>,
}

/// A TSE (`tse.csv`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TseUnit<'a> {
    /// `TSE_ID`, by which receipts name it.
    pub id: u32,
    /// SHA-256 of its public key, hexadecimal.
    pub serial: Word<'a>,
    /// `ecdsa-plain-SHA384` and the like.
    pub algorithm: Word<'a>,
    /// How it writes the time.
    pub time: TimeFormat,
    /// How process data is encoded.
    pub encoding: Encoding,
    /// Its public key, base64.
    pub public_key: Word<'a>,
    /// Its certificate, base64; it is cut into columns of 1,000.
    pub certificate: Word<'a>,
}

/// An agency with the number that lines name it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency<'a> {
    /// `AGENTUR_ID`, above zero: zero is the taxpayer itself.
    pub id: u32,
    /// Who.
    pub business: Business<'a>,
}

/// A closing of one till (`Z`), with the master data as they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closing<'a> {
    /// `Z_KASSE_ID`.
    pub till: Word<'a>,
    /// `Z_NR`: 1, 2, 3 … for each till.
    pub number: u64,
    /// `Z_ERSTELLUNG`.
    pub created_ms: u64,
    /// `Z_BUCHUNGSTAG`, `2027-07-17`, where it is not the day of `created_ms`.
    pub booking_day: Option<Word<'a>>,
    /// Whose till it is.
    pub taxpayer: Business<'a>,
    /// Where it stands.
    pub place: Address<'a>,
    /// The till.
    pub register: Device<'a>,
    /// Its input devices.
    pub terminals: Vec<Device<'a>>,
    /// On whose account it sells besides the taxpayer's.
    pub agencies: Vec<Agency<'a>>,
    /// Every key that a line has.
    pub vat: Vec<Vat<'a>>,
    /// Every TSE that a receipt names.
    pub tses: Vec<TseUnit<'a>>,
}

/// One line of a receipt (`lines.csv`, with its row of `lines_vat.csv`). A line has one tax key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// `ARTIKELTEXT`.
    pub text: Word<'a>,
    /// `GV_TYP`.
    pub case: CaseKind,
    /// `GV_NAME`.
    pub case_name: Word<'a>,
    /// `GUTSCHEIN_NR`.
    pub voucher: Word<'a>,
    /// `INHAUS`: consumed on the spot.
    pub in_house: bool,
    /// `P_STORNO`: it never came to a charge and is in no sum; its amounts are written as zero.
    pub dropped: bool,
    /// `AGENTUR_ID`; zero is the taxpayer itself.
    pub agency: u32,
    /// `ART_NR`.
    pub article: Word<'a>,
    /// `GTIN`.
    pub gtin: Word<'a>,
    /// `WARENGR_ID` and `WARENGR`.
    pub group: (Word<'a>, Word<'a>),
    /// `MENGE` in thousandths, below zero for what is taken back.
    pub quantity: i64,
    /// `EINHEIT`.
    pub unit: Word<'a>,
    /// `STK_BR` in cents.
    pub unit_gross: Amount,
    /// `UST_SCHLUESSEL`.
    pub vat: u16,
    /// What the key stands for.
    pub rate: TaxRate,
    /// What was charged; zero when `dropped`. The tax is filled in by [`Receipt::tax`].
    pub charged: Split,
    /// How the price came about (`itemamounts.csv`).
    pub prices: Vec<Price>,
    /// What is in it (`subitems.csv`).
    pub parts: Vec<Part<'a>>,
}

impl Line<'_> {
    /// A line of one piece of nothing, to be filled in.
    pub const fn empty(case: CaseKind) -> Self {
        Self {
            text: Cow::Borrowed(""),
            case,
            case_name: Cow::Borrowed(""),
            voucher: Cow::Borrowed(""),
            in_house: false,
            dropped: false,
            agency: 0,
            article: Cow::Borrowed(""),
            gtin: Cow::Borrowed(""),
            group: (Cow::Borrowed(""), Cow::Borrowed("")),
            quantity: 1_000,
            unit: Cow::Borrowed("Stk"),
            unit_gross: Amount::ZERO,
            vat: 5,
            rate: TaxRate::ZERO,
            charged: Split {
                gross: Amount::ZERO,
                tax: Fine::ZERO,
            },
            prices: Vec::new(),
            parts: Vec::new(),
        }
    }
}

/// A part of a line's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Which.
    pub kind: PriceKind,
    /// `UST_SCHLUESSEL`.
    pub vat: u16,
    /// How much.
    pub amount: Split,
}

/// An article within a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// `ZI_ART_NR`.
    pub article: Word<'a>,
    /// `ZI_NAME`.
    pub name: Word<'a>,
    /// `ZI_MENGE` in thousandths.
    pub quantity: i64,
    /// `ZI_UST_SCHLUESSEL`.
    pub vat: u16,
    /// The basic price.
    pub price: Split,
}

/// How (a part of) a receipt was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment<'a> {
    /// `ZAHLART_TYP`.
    pub kind: PaymentKind,
    /// `ZAHLART_NAME`.
    pub name: Word<'a>,
    /// `ZAHLWAEH_CODE`.
    pub currency: Word<'a>,
    /// `ZAHLWAEH_BETRAG`, in hundredths of that currency.
    pub in_currency: Amount,
    /// `BASISWAEH_BETRAG`.
    pub amount: Amount,
}

/// What a receipt, or one line of it, refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The line, from 1; none is the whole receipt.
    pub line: Option<u32>,
    /// What it is.
    pub kind: ReferenceKind,
    /// `REF_NAME`, for something outside.
    pub name: Word<'a>,
    /// `REF_DATUM`, `2027-07-17`.
    pub date: Word<'a>,
    /// `REF_Z_KASSE_ID`.
    pub till: Word<'a>,
    /// `REF_Z_NR`.
    pub closing: Option<u64>,
    /// `REF_BON_ID`.
    pub receipt: Word<'a>,
}

/// What a TSE signed of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<'a> {
    /// `TSE_TANR`.
    pub transaction: u64,
    /// The TSE's time of the start, in seconds since 1970.
    pub started_s: u64,
    /// The TSE's time of the end, in seconds since 1970.
    pub ended_s: u64,
    /// `TSE_TA_VORGANGSART`.
    pub process_type: Word<'a>,
    /// `TSE_TA_SIGZ` of the end.
    pub counter: u64,
    /// The signature of the end, base64.
    pub signature: Word<'a>,
    /// `TSE_VORGANGSDATEN`.
    pub process_data: Word<'a>,
}

/// How a receipt came off (`transactions_tse.csv`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TseRecord<'a> {
    /// `TSE_ID`; none where no TSE was known.
    pub tse: Option<u32>,
    /// What was signed; none without a signature.
    pub signed: Option<Signed<'a>>,
    /// `TSE_TA_FEHLER`: why it was not signed, or not when it was made. Not empty without a signature.
    pub fault: Word<'a>,
}

/// `KUNDE_*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer<'a> {
    /// `KUNDE_ID`.
    pub id: Word<'a>,
    /// `KUNDE_TYP`.
    pub kind: Word<'a>,
    /// Name and address.
    pub address: Address<'a>,
    /// `KUNDE_USTID`.
    pub vat_id: Word<'a>,
}

/// One transaction of a till (`Bon`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// `BON_ID`.
    pub id: Word<'a>,
    /// `BON_NR`: 1, 2, 3 … for each till.
    pub number: u64,
    /// `BON_TYP`.
    pub kind: ReceiptKind,
    /// `BON_NAME`, which [`ReceiptKind::Sonstige`] needs.
    pub name: Word<'a>,
    /// `TERMINAL_ID`.
    pub terminal: Word<'a>,
    /// `BON_STORNO`.
    pub cancelled: bool,
    /// `BON_START`.
    pub start_ms: u64,
    /// `BON_ENDE`.
    pub end_ms: u64,
    /// `BEDIENER_ID`.
    pub operator: Word<'a>,
    /// `BEDIENER_NAME`.
    pub operator_name: Word<'a>,
    /// Who bought, where that is known.
    pub customer: Option<Box<Customer<'a>>>,
    /// `BON_NOTIZ`.
    pub note: Word<'a>,
    /// What it says, in order; `POS_ZEILE` counts them from 1.
    pub lines: Vec<Line<'a>>,
    /// How it was paid.
    pub payments: Vec<Payment<'a>>,
    /// What it refers to.
    pub references: Vec<Reference<'a>>,
    /// `ABRECHNUNGSKREIS`: what it is settled together with.
    pub allocations: Vec<Word<'a>>,
    /// How it came off.
    pub tse: TseRecord<'a>,
}

/// The sums of a receipt by tax key, ascending.
pub type Sums = Vec<(u16, Split)>;

impl Receipt<'_> {
    /// A receipt without content.
    pub fn empty(kind: ReceiptKind) -> Self {
        Self {
            id: Word::default(),
            number: 0,
            kind,
            name: Word::default(),
            terminal: Word::default(),
            cancelled: false,
            start_ms: 0,
            end_ms: 0,
            operator: Word::default(),
            operator_name: Word::default(),
            customer: None,
            note: Word::default(),
            lines: Vec::new(),
            payments: Vec::new(),
            references: Vec::new(),
            allocations: Vec::new(),
            tse: TseRecord::default(),
        }
    }

    /// Works out the tax of every line, by the rule in [`amount`](crate::amount).
    pub fn tax(&mut self) -> Result<(), Overflow> {
        // A receipt has a handful of keys: a list is faster than a map and needs one allocation.
        let mut sums: Vec<((u16, TaxRate), Split)> = Vec::new();
        for line in &mut self.lines {
            let key = (line.vat, line.rate);
            let at = sums.iter().position(|(known, _)| *known == key).unwrap_or(sums.len());
            if at == sums.len() {
                sums.push((key, Split::default()));
            }
            let Some((_, sum)) = sums.get_mut(at) else { continue };
            let gross = sum.gross.plus(line.charged.gross)?;
            let tax = tax_in(gross, line.rate)?;
            line.charged.tax = tax.minus(sum.tax)?;
            *sum = Split { gross, tax };
        }
        Ok(())
    }

    /// Sums by tax key into `sums`, which is emptied first.
    pub fn sums(&self, sums: &mut Sums) -> Result<(), Overflow> {
        sums.clear();
        for line in &self.lines {
            match sums.binary_search_by_key(&line.vat, |(key, _)| *key) {
                Ok(at) => {
                    if let Some((_, sum)) = sums.get_mut(at) {
                        sum.add(line.charged)?;
                    }
                }
                Err(at) => sums.insert(at, (line.vat, line.charged)),
            }
        }
        Ok(())
    }
}
