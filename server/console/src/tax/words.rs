//! What each choice means, in plain words of both languages, with where that is from and how sure it is.
//!
//! Law is named by its paragraph; what was read at second hand says so; [?] is what nobody here could verify. Nothing here recommends.

use fiscal::tax::Choice;
use pages::Language;

/// Words in both languages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    de: &'static str,
    en: &'static str,
}

impl Words {
    pub(super) const fn of(self, words: Language) -> &'static str {
        words.of(self.de, self.en)
    }
}

const fn say(de: &'static str, en: &'static str) -> Words {
    Words { de, en }
}

/// One value of a choice.
#[derive(Debug)]
pub(super) struct Meaning {
    pub value: &'static str,
    pub name: Words,
    pub guest: Words,
    pub office: Words,
    pub speaks: Words,
}

/// A choice.
#[derive(Debug)]
pub(super) struct Explained {
    pub title: Words,
    pub question: Words,
    pub options: &'static [Meaning],
    pub decides: Words,
    pub source: Words,
    pub holds: Words,
    pub confirm: Words,
}

impl Explained {
    /// What a value is called; a value of another program is its own name.
    pub(super) fn name_of<'a>(&self, value: &'a str, words: Language) -> &'a str {
        let known = self.options.iter().find(|option| option.value == value);
        known.map_or(value, |option| option.name.of(words))
    }
}

pub(super) const fn explained(choice: Choice) -> Explained {
    match choice {
        Choice::WristbandIs => WRISTBAND_IS,
        Choice::OutagePolicy => OUTAGE_POLICY,
        Choice::TransactionBegins => TRANSACTION_BEGINS,
        Choice::InHouse => IN_HOUSE,
    }
}

const HOLDS: Words = say(
    "Für alles, was nach der Änderung beginnt; was vorher begonnen hat, bleibt, wie es war. Ein Neustart ist nicht nötig.",
    "For everything that begins after the change; what began before stays as it was. No restart is needed.",
);

const CONFIRM: Words = say(
    "Das ist mit der Steuerberatung abgestimmt, und ich weiß, dass die Änderung für immer im Verlauf steht.",
    "This is agreed with the tax advisor, and I know that the change stands in the history for ever.",
);

const WRISTBAND_IS: Explained = Explained {
    title: say(
        "Was das Guthaben eines Bandes ist",
        "What the balance of a wristband is",
    ),
    question: say(
        "Wenn ein Gast mit dem Band bezahlt: Löst er einen Gutschein ein, oder zahlt er mit elektronischem Geld?",
        "When a guest pays with the wristband: is that a voucher being redeemed, or a payment with electronic money?",
    ),
    options: &[
        Meaning {
            value: "voucher",
            name: say("Mehrzweckgutschein", "Multi-purpose voucher"),
            guest: say(
                "Ein Kauf zeigt die Waren mit ihrer Steuer und eine Zeile „Gutschein eingelöst“ ohne Steuer; zu zahlen bleiben 0 €. Aufladen zeigt den Betrag ohne Steuer.",
                "A sale shows the goods with their tax and a line “voucher redeemed” without tax; 0 € are left to pay. Adding money shows the amount without tax.",
            ),
            office: say(
                "Signiert wird der Umsatz je Steuersatz und der Gutschein mit umgekehrtem Vorzeichen in der Gruppe ohne Steuer, ohne Zahlung. In der DSFinV-K: MehrzweckgutscheinKauf und -Einlösung, Zahlart „Keine“.",
                "Signed are the sales by rate, and the voucher with the opposite sign in the group without tax, with no payment. In the DSFinV-K: MehrzweckgutscheinKauf and -Einloesung, payment “Keine”.",
            ),
            speaks: say(
                "Guthaben, das nur beim Ausgeber gilt und für Waren verschiedener Steuersätze reicht. So lesen es ein veröffentlichter Fragenkatalog und zwei andere Kassensysteme.",
                "A balance that is good at its issuer only and buys goods of several rates. This is how a published list of questions and two other systems read it.",
            ),
        },
        Meaning {
            value: "e-money",
            name: say("Elektronisches Geld", "Electronic money"),
            guest: say(
                "Ein Kauf zeigt die Waren mit ihrer Steuer und eine unbare Zahlung mit dem Band.",
                "A sale shows the goods with their tax and a cashless payment by wristband.",
            ),
            office: say(
                "Signiert wird der Umsatz je Steuersatz und eine unbare Zahlung in voller Höhe. In der DSFinV-K: Zahlart Guthabenkarte.",
                "Signed are the sales by rate and a cashless payment of all of it. In the DSFinV-K: payment type Guthabenkarte.",
            ),
            speaks: say(
                "Guthaben eines E-Geld-Instituts, das auch Dritte annehmen, oder Guthaben, das jederzeit ohne Bedingung ausgezahlt wird: das nennt ein Kommentar ein bloßes Zahlungsmittel.",
                "A balance of an e-money institution that third parties take too, or one that is paid out at any time without condition: a commentary calls that a mere means of payment.",
            ),
        },
    ],
    decides: say(
        "Welches der beiden euer Guthaben ist; bei auszahlbarem Guthaben streiten die Quellen [?]. Auch, wie eine Auszahlung heißt [?] und wer der Verkäufer ist, wenn der Ausgeber des Guthabens nicht selbst liefert [?].",
        "Which of the two your balance is; for a balance that is paid out the sources disagree [?]. Also what a pay-out is called [?], and who the seller is where the issuer of the balance does not supply [?].",
    ),
    source: say(
        "§ 3 Abs. 13 bis 15 UStG. Haufe HI16191599 (Fragen und Antworten zum Kassengesetz, aus zweiter Hand), Haufe HI12654072 zu § 3 Abs. 13 Rz. 18 (aus zweiter Hand). Ein amtlicher Text zu Festivalbändern lag nicht vor [?].",
        "§ 3 (13) to (15) UStG. Haufe HI16191599 (questions and answers on the cash act, second hand), Haufe HI12654072 on § 3 (13) no. 18 (second hand). No official text about festival wristbands was at hand [?].",
    ),
    holds: say(
        "Nur solange es keine Buchung gibt. Danach steht die Wahl in Signaturen und lässt sich für diese Veranstaltung nicht mehr ändern.",
        "Only while there is no order. After that the choice stands in signatures and cannot be changed for this event any more.",
    ),
    confirm: CONFIRM,
};

const OUTAGE_POLICY: Explained = Explained {
    title: say(
        "Buchungen während eines Ausfalls der TSE",
        "Orders made in an outage of the TSE",
    ),
    question: say(
        "Antwortet die TSE nicht, oder erreicht eine Kasse sie nicht, wird weiter verkauft; die Belege sind als Ausfall markiert. Wird danach noch signiert?",
        "If the TSE does not answer, or a till does not reach it, selling goes on; receipts are marked as made in an outage. Is it signed afterwards?",
    ),
    options: &[
        Meaning {
            value: "mark-only",
            name: say("Nur markieren", "Mark only"),
            guest: say(
                "Der Beleg sagt „TSE ausgefallen“ und bleibt so.",
                "The receipt says “TSE out of order” and stays so.",
            ),
            office: say(
                "Die Buchung steht mit den Zeiten der Kasse und einem Fehlertext (TSE_TA_FEHLER) im Export; Beginn, Ende und Grund des Ausfalls sind festgehalten.",
                "The order stands in the export with the till's times and a text of the fault (TSE_TA_FEHLER); begin, end and reason of the outage are logged.",
            ),
            speaks: say(
                "Kein gelesener Text verlangt ein Nachsignieren; ein Anbieter hält es für unzulässig, ohne eine amtliche Stelle zu nennen [?].",
                "No text that was read asks for signing later; one maker holds it for not permitted, without naming an official source [?].",
            ),
        },
        Meaning {
            value: "resign-marked",
            name: say("Markieren und nachsignieren", "Mark, and sign later"),
            guest: say(
                "Der ausgegebene Beleg bleibt markiert. Eine spätere Kopie sagt, dass und wann nachsigniert wurde.",
                "The receipt that was given out stays marked. A later copy says that, and when, it was signed later.",
            ),
            office: say(
                "Die Buchung behält ihre Zeiten und ihren Eintrag im Ausfall; dazu kommt eine Transaktion der TSE mit einer späteren Zeit.",
                "The order keeps its times and its place in the outage; a transaction of the TSE with a later time is added.",
            ),
            speaks: say(
                "Jede Buchung hat am Ende eine Signatur. Mehrere andere Programme tun es; eines räumt ein, dass es zum Wortlaut über den Beginn einer Transaktion in Spannung steht [?].",
                "Every order has a signature in the end. Several other programs do it; one admits a tension with the wording about when a transaction begins [?].",
            ),
        },
    ],
    decides: say(
        "Ob nachträglich signiert werden soll. Ein amtlicher Satz dafür oder dagegen wurde nicht gefunden [?].",
        "Whether to sign afterwards. No official sentence for or against it was found [?].",
    ),
    source: say(
        "AEAO zu § 146a, Nr. 1.14 und 2.7 (aus zweiter Hand; spätere Änderungen nicht gelesen [?]); BSI TR-03153-1, 9.4: Ein wiederholter Beginn hat eine neue Transaktionsnummer (im Text gelesen).",
        "AEAO to § 146a, nos. 1.14 and 2.7 (second hand; later amendments not read [?]); BSI TR-03153-1, 9.4: a repeated start has a new transaction number (read in the text).",
    ),
    holds: HOLDS,
    confirm: CONFIRM,
};

const TRANSACTION_BEGINS: Explained = Explained {
    title: say("Wann eine Transaktion beginnt", "When a transaction begins"),
    question: say(
        "Beginnt die Transaktion an der TSE mit dem ersten Artikel im Korb oder erst beim Bezahlen?",
        "Does the transaction at the TSE begin with the first item in the cart, or only with the payment?",
    ),
    options: &[
        Meaning {
            value: "first-item",
            name: say("Mit dem ersten Artikel", "With the first item"),
            guest: say(
                "Beginn und Ende des Vorgangs liegen so weit auseinander, wie bedient wurde.",
                "Begin and end of the transaction are as far apart as serving took.",
            ),
            office: say(
                "Auch aufgegebene Körbe haben eine Transaktion (AVBelegabbruch). Ist die Kasse ohne Netz, beginnt sie erst mit der Buchung.",
                "Carts that are given up have a transaction too (AVBelegabbruch). If the till has no network, it begins with the order only.",
            ),
            speaks: say(
                "§ 2 KassenSichV verlangt, dass jede Aufzeichnung unmittelbar beginnt; nach dem AEAO gehört der Start an den Anfang des Vorgangs, nicht zur Zahlung.",
                "§ 2 KassenSichV asks that each recording begins immediately; by the AEAO the start belongs to the beginning of the process, not to the payment.",
            ),
        },
        Meaning {
            value: "payment",
            name: say("Mit dem Bezahlen", "With the payment"),
            guest: say(
                "Beginn und Ende liegen dicht beieinander.",
                "Begin and end are close together.",
            ),
            office: say(
                "Aufgegebene Körbe hinterlassen keine Transaktion. Zwei Signaturen fallen direkt hintereinander an.",
                "Carts that are given up leave no transaction. Two signatures are made one right after the other.",
            ),
            speaks: say(
                "Weniger Last an der TSE und keine abgebrochenen Vorgänge. Ein verbreitetes Festivalsystem arbeitet so; neuere Projekte nennen das falsch.",
                "Less load on the TSE and no given-up transactions. A widely used festival system works like this; newer projects call it wrong.",
            ),
        },
    ],
    decides: say(
        "Ob bei eurem Verkauf ein Vorgang vor dem Bezahlen beginnt, etwa weil ein Korb länger offen ist.",
        "Whether a process begins before the payment in your way of selling, such as where a cart is open for long.",
    ),
    source: say(
        "§ 2 KassenSichV (im Text gelesen); AEAO zu § 146a, Nr. 2.2.2 (aus zweiter Hand).",
        "§ 2 KassenSichV (read in the text); AEAO to § 146a, no. 2.2.2 (second hand).",
    ),
    holds: HOLDS,
    confirm: CONFIRM,
};

const IN_HOUSE: Explained = Explained {
    title: say("Verzehr an Ort und Stelle", "Consumed on the premises"),
    question: say(
        "Wird, was Bars und Essensstände verkaufen, auf dem Gelände verzehrt?",
        "Is what bars and food stalls sell consumed on the site?",
    ),
    options: &[
        Meaning {
            value: "yes",
            name: say("Auf dem Gelände", "On the site"),
            guest: say("Nichts ändert sich.", "Nothing changes."),
            office: say(
                "Die Spalte INHAUS der DSFinV-K sagt bei Waren von Bars und Essensständen „im Haus“.",
                "The column INHAUS of the DSFinV-K says “in-house” for goods of bars and food stalls.",
            ),
            speaks: say(
                "Ein Gelände mit Einlass, Tischen und Bechern.",
                "A site with a gate, tables and cups.",
            ),
        },
        Meaning {
            value: "no",
            name: say("Zum Mitnehmen", "Taken away"),
            guest: say("Nichts ändert sich.", "Nothing changes."),
            office: say("Die Spalte sagt „außer Haus“.", "The column says “not in-house”."),
            speaks: say(
                "Ein Verkauf, bei dem die Gäste gehen.",
                "A sale after which guests leave.",
            ),
        },
    ],
    decides: say(
        "Was gilt und ob der Steuersatz der Artikel davon abhängt; der Satz selbst steht im Katalog und ändert sich hierdurch nicht.",
        "Which it is, and whether the rate of articles depends on it; the rate itself stands in the catalogue and does not change by this.",
    ),
    source: say(
        "DSFinV-K 2.4, Spalte INHAUS (nach anderen Programmen, das amtliche Dokument lag nicht vor [?]); § 12 Abs. 2 Nr. 15 UStG (aus zweiter Hand).",
        "DSFinV-K 2.4, column INHAUS (after other programs, the official document was not at hand [?]); § 12 (2) no. 15 UStG (second hand).",
    ),
    holds: say(
        "Für Buchungen nach der Änderung; ein Export sagt für jede Buchung, was bei ihr galt.",
        "For orders after the change; an export says for each order what held when it was booked.",
    ),
    confirm: CONFIRM,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_choice_is_explained() {
        for choice in Choice::ALL {
            let values: Vec<_> = explained(choice).options.iter().map(|option| option.value).collect();
            assert_eq!(values, choice.values());
        }
    }
}
