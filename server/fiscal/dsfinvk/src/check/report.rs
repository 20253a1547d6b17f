//! What a check found: rules with a code, a reason, and the place.

use std::collections::BTreeMap;

use serde::Serialize;

/// Findings of one rule that are told in full; a broken export can have millions.
const TOLD_MAX: usize = 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The export contradicts the standard or itself.
    Error,
    /// It looks odd, and an auditor will ask.
    Warning,
}

macro_rules! rules {
    ($($(#[$meta:meta])* $name:ident $code:literal $severity:ident $why:literal,)+) => {
        /// A rule. Its code stays the same for ever; codes of rules that go are not used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each says itself why it is there: `why`")]
        pub enum Rule { $($(#[$meta])* $name,)+ }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// How bad it is to break it.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }

            /// Why it is there.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)+ }
            }
        }
    };
}

rules! {
    NoDescription "F01" Error "without a readable index.xml no program can import the export",
    NoDocumentType "F02" Error "index.xml names a document type, and it has to lie beside it under that name",
    Undeclared "F03" Error "all 20 tables of the standard are declared in index.xml, empty ones too",
    MissingFile "F04" Error "what index.xml declares has to be there",
    Columns "F05" Error "columns have the names, the order and the types of the standard; more may only follow at the end",
    Header "F06" Error "the first line of a table names its columns as index.xml declares them",
    Width "F07" Error "every row has as many fields as its table has columns",
    Unicode "F08" Error "index.xml declares UTF-8",
    LineEnd "F09" Warning "the standard ends lines with carriage return and line feed",

    Number "V01" Error "numbers have a comma, no mark for thousands, and exactly the places of their column",
    Length "V02" Error "a text is not longer than its column",
    Word "V03" Error "only the words of the standard's lists are understood, upper and lower case as there",
    Time "V04" Error "times are written as RFC 3339 has them",
    Date "V05" Error "days are written as year-month-day",
    Flag "V06" Error "a mark is 0 or 1",
    Required "V07" Error "the standard cannot do without this field",
    TaxonomyVersion "V08" Error "the export names the version of the standard it follows, 2.3 or 2.4",

    ClosingUnknown "S01" Error "every row belongs to a closing of cashpointclosing.csv",
    ClosingTwice "S02" Error "a closing is there once",
    Scattered "S03" Error "rows of a closing stand together, in the order of cashpointclosing.csv; what stands elsewhere is not added up here",
    ClosingIncomplete "S04" Error "a closing has a place, a till and tax keys",
    TotalsIncomplete "S05" Error "a closing with sums has them by business case, by payment and by currency",
    ReceiptUnknown "S06" Error "every row of a receipt belongs to one of transactions.csv",
    ReceiptTwice "S07" Error "a receipt is there once",
    NoLines "S08" Error "a receipt has at least one line",
    NoPayment "S09" Error "a receipt has at least one payment, `Keine` where nothing was paid",
    LineUnknown "S10" Error "what belongs to a line names one of lines.csv",
    LineTwice "S11" Error "a line's number is there once in a receipt",
    NoSignatureRow "S12" Error "every receipt is signed or says why not",
    TwoSignatures "S13" Error "a receipt is signed once",
    Unexplained "S14" Error "a receipt without a signature says why (TSE_TA_FEHLER)",
    TseUnknown "S15" Error "a signature names a TSE of its closing",
    TseIncomplete "S16" Error "without its serial number, algorithm, time format, key and certificate a TSE's signatures cannot be checked",
    SignatureIncomplete "S17" Error "a signature has its number, times, counter, kind and data",
    VatUnknown "S18" Error "a tax key is one of its closing's",
    AgencyUnknown "S19" Error "an agency is one of its closing's",
    TerminalUnknown "S20" Warning "a receipt was made at its till or at one of the till's terminals",
    CreationDiffers "S21" Error "all rows of a closing have the same time of creation",
    NameMissing "S22" Error "AVSonstige says in its name what it is",
    ReferenceIncomplete "S23" Error "a reference to a receipt names its till and its id",
    LineWithoutTax "S24" Error "every line has its amounts",

    LinesAgainstTax "A01" Error "the lines of a receipt add up to its sums by tax key",
    TaxAgainstTotal "A02" Error "the sums by tax key add up to the receipt",
    PaymentsAgainstTotal "A03" Error "the payments add up to the receipt",
    GrossNetTax "A04" Error "gross is net and tax",
    TaxRate "A05" Error "tax is what the rate of its key makes of the gross amount",
    ProcessDataForm "A06" Error "process data has the form of annex I",
    ProcessDataKind "A07" Error "the TSE was told the same kind of business as the receipt has",
    ProcessDataGroups "A08" Error "the TSE was told the same sums as the receipt has",
    ProcessDataPayments "A09" Error "the TSE was told the same payments as the receipt has",
    UnitPrice "A10" Warning "pieces times price is what a line costs",
    GivenUp "A11" Error "a cart that was given up has neither sums nor payments",
    PriceParts "A12" Warning "the parts of a price add up to it",
    BaseCurrency "A13" Error "an amount in the currency of the till is the same in both columns",

    CaseSums "C01" Error "the lines of a closing's receipts add up to its business cases",
    PaymentSums "C02" Error "the payments of a closing's receipts add up to its payments",
    ClosingTotal "C03" Error "Z_SE_ZAHLUNGEN is the sum of the payments",
    ClosingCash "C04" Error "Z_SE_BARZAHLUNGEN is the sum of the cash",
    CurrencySums "C05" Error "cash by currency is the cash of the receipts",

    ClosingGap "N01" Error "closings of a till are numbered without a gap",
    ReceiptGap "N02" Error "receipts of a till are numbered without a gap",
    FirstAndLast "N03" Error "a closing names its first and its last receipt",
    EndBeforeStart "N04" Error "a receipt begins before it ends",
    TransactionTwice "N05" Error "a TSE numbers each transaction once",
    CounterTwice "N06" Error "a TSE counts each signature once",
    TseEndBeforeStart "N07" Error "a transaction begins before it ends",
    ClosedBefore "N08" Warning "a closing is made after its receipts",
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// The line in it, from 1; none where it is about the file, or about something that is missing.
    pub line: Option<u64>,
    /// What is there and what should be.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
}

/// What a check found, and how much it saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Closings.
    pub closings: u64,
    /// Receipts.
    pub receipts: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Errors, those that are not told included.
    pub errors: u64,
    /// Warnings, those that are not told included.
    pub warnings: u64,
    /// How often each rule was broken, by code.
    pub counts: BTreeMap<&'static str, u64>,
    /// The first of each rule.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether there is no error.
    pub const fn holds(&self) -> bool {
        self.errors == 0
    }

    pub(super) fn find(&mut self, rule: Rule, file: &str, line: Option<u64>, what: impl FnOnce() -> String) {
        match rule.severity() {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        let count = self.counts.entry(rule.code()).or_default();
        *count += 1;
        if *count > TOLD_MAX as u64 {
            return;
        }
        self.findings.push(Finding {
            code: rule.code(),
            severity: rule.severity(),
            file: file.to_owned(),
            line,
            what: what(),
            why: rule.why(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_rules_have_one_code() {
        let codes: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
    }
}
