//! The rules by their codes, and why each of them is there.

use wording::Both;

use super::report::Severity;

macro_rules! rules {
    ($($name:ident $code:literal $severity:ident $de:literal / $en:literal,)+) => {
        /// A rule. Its code stays the same for ever; codes of rules that go are not used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each says itself why it is there: `why`")]
        pub enum Rule { $($name,)+ }

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
            pub const fn why(self) -> Both<&'static str> {
                match self { $(Self::$name => Both::new($de, $en),)+ }
            }
        }
    };
}

rules! {
    NoDescription "F01" Error
        "ohne eine lesbare index.xml kann kein Programm den Export einlesen" /
        "without a readable index.xml no program can import the export",
    NoDocumentType "F02" Error
        "index.xml nennt einen Dokumenttyp, und der muss unter diesem Namen daneben liegen" /
        "index.xml names a document type, and it has to lie beside it under that name",
    Undeclared "F03" Error
        "alle 20 Tabellen des Standards stehen in index.xml, auch leere" /
        "all 20 tables of the standard are declared in index.xml, empty ones too",
    MissingFile "F04" Error
        "was index.xml nennt, muss da sein" /
        "what index.xml declares has to be there",
    Columns "F05" Error
        "Spalten haben Namen, Reihenfolge und Typ des Standards; weitere dürfen nur am Ende folgen" /
        "columns have the names, the order and the types of the standard; more may only follow at the end",
    Header "F06" Error
        "die erste Zeile einer Tabelle nennt ihre Spalten so wie index.xml" /
        "the first line of a table names its columns as index.xml declares them",
    Width "F07" Error
        "jede Zeile hat so viele Felder, wie ihre Tabelle Spalten hat" /
        "every row has as many fields as its table has columns",
    Unicode "F08" Error
        "index.xml nennt UTF-8 als Zeichensatz" /
        "index.xml declares UTF-8",
    LineEnd "F09" Warning
        "nach dem Standard enden Zeilen mit Wagenrücklauf und Zeilenvorschub" /
        "the standard ends lines with carriage return and line feed",

    Number "V01" Error
        "Zahlen haben ein Komma, kein Zeichen für Tausender und genau die Nachkommastellen ihrer Spalte" /
        "numbers have a comma, no mark for thousands, and exactly the places of their column",
    Length "V02" Error
        "ein Text ist nicht länger, als seine Spalte erlaubt" /
        "a text is not longer than its column",
    Word "V03" Error
        "nur die Wörter aus den Listen des Standards werden verstanden, groß und klein geschrieben wie dort" /
        "only the words of the standard's lists are understood, upper and lower case as there",
    Time "V04" Error
        "Zeiten sind so geschrieben, wie RFC 3339 es vorgibt" /
        "times are written as RFC 3339 has them",
    Date "V05" Error
        "Tage sind als Jahr-Monat-Tag geschrieben" /
        "days are written as year-month-day",
    Flag "V06" Error
        "ein Kennzeichen ist 0 oder 1" /
        "a mark is 0 or 1",
    Required "V07" Error
        "der Standard kommt ohne dieses Feld nicht aus" /
        "the standard cannot do without this field",
    TaxonomyVersion "V08" Error
        "der Export nennt die Version des Standards, der er folgt, 2.3 oder 2.4" /
        "the export names the version of the standard it follows, 2.3 or 2.4",

    ClosingUnknown "S01" Error
        "jede Zeile gehört zu einem Kassenabschluss in cashpointclosing.csv" /
        "every row belongs to a closing of cashpointclosing.csv",
    ClosingTwice "S02" Error
        "einen Kassenabschluss gibt es einmal" /
        "a closing is there once",
    Scattered "S03" Error
        "Zeilen eines Kassenabschlusses stehen beieinander, in der Reihenfolge von cashpointclosing.csv; was woanders steht, ist hier nicht mitgerechnet" /
        "rows of a closing stand together, in the order of cashpointclosing.csv; what stands elsewhere is not added up here",
    ClosingIncomplete "S04" Error
        "zu einem Kassenabschluss gehören ein Ort, eine Kasse und Steuerschlüssel" /
        "a closing has a place, a till and tax keys",
    TotalsIncomplete "S05" Error
        "ein Kassenabschluss mit Summen hat sie nach Geschäftsvorfall, nach Zahlart und nach Währung" /
        "a closing with sums has them by business case, by payment and by currency",
    ReceiptUnknown "S06" Error
        "jede Zeile eines Belegs gehört zu einem aus transactions.csv" /
        "every row of a receipt belongs to one of transactions.csv",
    ReceiptTwice "S07" Error
        "einen Beleg gibt es einmal" /
        "a receipt is there once",
    NoLines "S08" Error
        "ein Beleg hat mindestens eine Position" /
        "a receipt has at least one line",
    NoPayment "S09" Error
        "ein Beleg hat mindestens eine Zahlung; wo nichts bezahlt wurde, heißt sie `Keine`" /
        "a receipt has at least one payment, `Keine` where nothing was paid",
    LineUnknown "S10" Error
        "was zu einer Position gehört, nennt eine aus lines.csv" /
        "what belongs to a line names one of lines.csv",
    LineTwice "S11" Error
        "die Nummer einer Position gibt es in einem Beleg einmal" /
        "a line's number is there once in a receipt",
    NoSignatureRow "S12" Error
        "jeder Beleg ist signiert oder sagt, warum nicht" /
        "every receipt is signed or says why not",
    TwoSignatures "S13" Error
        "ein Beleg wird einmal signiert" /
        "a receipt is signed once",
    Unexplained "S14" Error
        "ein Beleg ohne Signatur sagt, warum (TSE_TA_FEHLER)" /
        "a receipt without a signature says why (TSE_TA_FEHLER)",
    TseUnknown "S15" Error
        "eine Signatur nennt eine TSE ihres Kassenabschlusses" /
        "a signature names a TSE of its closing",
    TseIncomplete "S16" Error
        "ohne Seriennummer, Algorithmus, Zeitformat, Schlüssel und Zertifikat lassen sich die Signaturen einer TSE nicht prüfen" /
        "without its serial number, algorithm, time format, key and certificate a TSE's signatures cannot be checked",
    SignatureIncomplete "S17" Error
        "zu einer Signatur gehören Transaktionsnummer, Zeiten, Signaturzähler, Vorgangsart und Daten" /
        "a signature has its number, times, counter, kind and data",
    VatUnknown "S18" Error
        "ein Steuerschlüssel ist einer seines Kassenabschlusses" /
        "a tax key is one of its closing's",
    AgencyUnknown "S19" Error
        "eine Agentur ist eine ihres Kassenabschlusses" /
        "an agency is one of its closing's",
    TerminalUnknown "S20" Warning
        "ein Beleg entstand an seiner Kasse oder an einem ihrer Terminals" /
        "a receipt was made at its till or at one of the till's terminals",
    CreationDiffers "S21" Error
        "alle Zeilen eines Kassenabschlusses haben dieselbe Zeit der Erstellung" /
        "all rows of a closing have the same time of creation",
    NameMissing "S22" Error
        "AVSonstige sagt in seinem Namen, was es ist" /
        "AVSonstige says in its name what it is",
    ReferenceIncomplete "S23" Error
        "ein Verweis auf einen Beleg nennt dessen Kasse und dessen Kennung" /
        "a reference to a receipt names its till and its id",
    LineWithoutTax "S24" Error
        "jede Position hat ihre Beträge" /
        "every line has its amounts",

    LinesAgainstTax "A01" Error
        "die Positionen eines Belegs ergeben seine Summen nach Steuerschlüssel" /
        "the lines of a receipt add up to its sums by tax key",
    TaxAgainstTotal "A02" Error
        "die Summen nach Steuerschlüssel ergeben den Beleg" /
        "the sums by tax key add up to the receipt",
    PaymentsAgainstTotal "A03" Error
        "die Zahlungen ergeben den Beleg" /
        "the payments add up to the receipt",
    GrossNetTax "A04" Error
        "brutto ist netto und Steuer zusammen" /
        "gross is net and tax",
    TaxRate "A05" Error
        "die Steuer ist, was der Steuersatz ihres Schlüssels aus dem Bruttobetrag macht" /
        "tax is what the rate of its key makes of the gross amount",
    ProcessDataForm "A06" Error
        "Prozessdaten haben die Form von Anhang I" /
        "process data has the form of annex I",
    ProcessDataKind "A07" Error
        "der TSE wurde dieselbe Vorgangsart gesagt, die der Beleg hat" /
        "the TSE was told the same kind of business as the receipt has",
    ProcessDataGroups "A08" Error
        "der TSE wurden dieselben Summen gesagt, die der Beleg hat" /
        "the TSE was told the same sums as the receipt has",
    ProcessDataPayments "A09" Error
        "der TSE wurden dieselben Zahlungen gesagt, die der Beleg hat" /
        "the TSE was told the same payments as the receipt has",
    UnitPrice "A10" Warning
        "Menge mal Einzelpreis ist, was eine Position kostet" /
        "pieces times price is what a line costs",
    GivenUp "A11" Error
        "ein abgebrochener Vorgang hat weder Summen noch Zahlungen" /
        "a cart that was given up has neither sums nor payments",
    PriceParts "A12" Warning
        "die Teile eines Preises ergeben ihn" /
        "the parts of a price add up to it",
    BaseCurrency "A13" Error
        "ein Betrag in der Währung der Kasse ist in beiden Spalten gleich" /
        "an amount in the currency of the till is the same in both columns",

    CaseSums "C01" Error
        "die Positionen der Belege eines Kassenabschlusses ergeben seine Geschäftsvorfälle" /
        "the lines of a closing's receipts add up to its business cases",
    PaymentSums "C02" Error
        "die Zahlungen der Belege eines Kassenabschlusses ergeben seine Summen nach Zahlart" /
        "the payments of a closing's receipts add up to its payments",
    ClosingTotal "C03" Error
        "Z_SE_ZAHLUNGEN ist die Summe der Zahlungen" /
        "Z_SE_ZAHLUNGEN is the sum of the payments",
    ClosingCash "C04" Error
        "Z_SE_BARZAHLUNGEN ist die Summe der Barzahlungen" /
        "Z_SE_BARZAHLUNGEN is the sum of the cash",
    CurrencySums "C05" Error
        "das Bargeld nach Währung ist das der Belege" /
        "cash by currency is the cash of the receipts",

    ClosingGap "N01" Error
        "Kassenabschlüsse einer Kasse sind ohne Lücke nummeriert" /
        "closings of a till are numbered without a gap",
    ReceiptGap "N02" Error
        "Belege einer Kasse sind ohne Lücke nummeriert" /
        "receipts of a till are numbered without a gap",
    FirstAndLast "N03" Error
        "ein Kassenabschluss nennt seinen ersten und seinen letzten Beleg" /
        "a closing names its first and its last receipt",
    EndBeforeStart "N04" Error
        "ein Beleg beginnt, bevor er endet" /
        "a receipt begins before it ends",
    TransactionTwice "N05" Error
        "eine TSE nummeriert jede Transaktion einmal" /
        "a TSE numbers each transaction once",
    CounterTwice "N06" Error
        "eine TSE zählt jede Signatur einmal" /
        "a TSE counts each signature once",
    TseEndBeforeStart "N07" Error
        "eine Transaktion beginnt, bevor sie endet" /
        "a transaction begins before it ends",
    ClosedBefore "N08" Warning
        "ein Kassenabschluss entsteht nach seinen Belegen" /
        "a closing is made after its receipts",
}

impl Rule {
    /// The rule of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_a_code_of_its_own_and_says_why_in_both_languages() {
        let codes: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
        let reasons: BTreeSet<_> = Rule::ALL
            .iter()
            .flat_map(|rule| [rule.why().de, rule.why().en])
            .collect();
        assert_eq!(reasons.len(), 2 * Rule::ALL.len(), "no two of them are the same");
        for rule in Rule::ALL {
            assert!(!rule.why().de.is_empty() && !rule.why().en.is_empty(), "{rule:?}");
            assert_eq!(Rule::of_code(rule.code()), Some(*rule));
        }
        assert_eq!(Rule::of_code("F00"), None);
    }
}
