//! What kinds of findings there are: a name for programs, and in both languages why it matters and what to do now.

use serde::{Serialize, Serializer};
use wording::Both;

use super::Severity;

macro_rules! codes {
    ($(
        $(#[$doc:meta])* $code:ident = $name:literal, $severity:ident,
            why $why_de:literal / $why_en:literal,
            next $next_de:literal / $next_en:literal;
    )*) => {
        /// What kind of finding it is. Its name, and what it means, never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// Its name, for programs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// How bad it is where nothing makes it worse.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// Why it matters.
            pub const fn why(self) -> Both<&'static str> {
                match self { $(Self::$code => Both::new($why_de, $why_en),)* }
            }

            /// What to do now.
            pub const fn next(self) -> Both<&'static str> {
                match self { $(Self::$code => Both::new($next_de, $next_en),)* }
            }
        }
    };
}

codes! {
    /// No TAR archive, or one that is damaged.
    TarUnreadable = "tar-unreadable", Error,
        why "Was nach dem Schaden kommt, ist nicht geprüft." /
            "What comes after the damage was not judged.",
        next "Exportier noch einmal und kopier die Datei, ohne sie zu ändern." /
            "Export again and copy the file without changing it.";
    /// The archive ends before its end mark.
    TarCut = "tar-cut", Error,
        why "Am Ende können Nachrichten fehlen." /
            "Messages may be missing at the end.",
        next "Exportier oder kopier noch einmal; die Datei ist nicht vollständig." /
            "Export or copy again; the file is not whole.";
    /// Something follows the archive's end mark.
    TarBehindEnd = "tar-behind-end", Error,
        why "Was folgt, sieht kein Programm für Archive, und es ist nicht geprüft." /
            "What follows is seen by no reader of archives, and was not judged.",
        next "Exportier noch einmal; keine TSE schreibt das." /
            "Export again; no TSE writes this.";
    /// A link, a folder or the like.
    EntryKind = "entry-kind", Warning,
        why "Ein Export hat nur gewöhnliche Dateien, deshalb ist das nicht geprüft." /
            "An export has plain files only, so this was not judged.",
        next "Find heraus, wer das Archiv gepackt hat; heb das Original auf." /
            "Find out who packed the archive; keep the original.";
    /// A name with a folder before it.
    Folder = "folder", Warning,
        why "Ein Export hat keine Ordner: das Archiv wurde neu gepackt." /
            "An export has no folders: the archive was packed again.",
        next "Heb auch das Original auf und prüf es." /
            "Keep and judge the original as well.";
    /// A file larger than any the standard has.
    FileTooLarge = "file-too-large", Error,
        why "Sie ist nicht gelesen." /
            "It was not read.",
        next "Exportier noch einmal; ist es dann genauso, frag den Hersteller der TSE." /
            "Export again; if it is the same, ask the maker of the TSE.";
    /// More messages, keys or the like than a TSE can have.
    TooMany = "too-many", Error,
        why "Der Rest ist nicht geprüft." /
            "The rest was not judged.",
        next "Exportier einen Teil, nach Transaktionen oder nach der Zeit, und prüf jeden Teil." /
            "Export a part of it, by transactions or by time, and judge each part.";
    /// A name that the standard does not know.
    FileUnknown = "file-unknown", Warning,
        why "Sie gehört zu keinem Export, deshalb ist sie nicht geprüft." /
            "It belongs to no export, so it was not judged.",
        next "Sieh nach, was es ist; ein Export bleibt am besten, wie er kam." /
            "Look what it is; an export is best kept as it came.";
    /// No `info.csv`.
    NoInfo = "no-info", Warning,
        why "Der Export sagt nicht, von wessen TSE er ist." /
            "The export does not say whose TSE it is from.",
        next "Schreib es zum Export dazu; frag den Hersteller der TSE." /
            "Note it beside the export; ask the maker of the TSE.";
    /// No log message at all.
    NoMessages = "no-messages", Error,
        why "Es ist nichts da, was etwas beweist." /
            "There is nothing that proves anything.",
        next "Sieh nach, ob es die richtige Datei ist und ob der Export nicht alles ausgelassen hat." /
            "Check that the right file was given and that the export was not filtered to nothing.";
    /// A certificate that cannot be read.
    CertificateUnreadable = "certificate-unreadable", Error,
        why "Nachrichten seines Schlüssels lassen sich nicht prüfen." /
            "Messages of its key cannot be checked.",
        next "Exportier noch einmal, oder exportier die Zertifikate allein." /
            "Export again, or export the certificates alone.";
    /// A certificate whose name is not the hash of its key.
    CertificateName = "certificate-name", Error,
        why "Am Namen erkennt man in einem Export, welcher Schlüssel wem gehört." /
            "The name is how an export says which key is whose.",
        next "Behandle das Zertifikat als fremd, bis der Hersteller es erklärt." /
            "Treat the certificate as foreign until the maker explains it.";
    /// A card verifiable certificate.
    CertificateCard = "certificate-card", Warning,
        why "Kartenzertifikate (CVC) werden hier nicht gelesen; Nachrichten ihrer Schlüssel gelten als nicht geprüft." /
            "Card verifiable certificates are not read here; messages of their keys count as not checked.",
        next "Prüf den Export auch mit dem Programm des Herstellers." /
            "Judge the export with the maker's tool, too.";
    /// A curve that no library here has.
    KeyUnsupported = "key-unsupported", Warning,
        why "Was dieser Schlüssel signiert hat, lässt sich hier nicht prüfen." /
            "What this key signed cannot be checked here.",
        next "Prüf den Export auch mit dem Programm des Herstellers." /
            "Judge the export with the maker's tool, too.";
    /// A point that lies on no curve.
    KeyWrong = "key-wrong", Error,
        why "Das ist kein Schlüssel, also kann nichts damit signiert sein." /
            "It is no key, so nothing can be signed with it.",
        next "Behandle das Zertifikat als gefälscht oder beschädigt; exportier noch einmal." /
            "Treat the certificate as forged or damaged; export again.";
    /// A certificate whose issuer did not sign it.
    ChainBroken = "chain-broken", Error,
        why "Jeder kann dieses Zertifikat gemacht haben." /
            "Anybody may have made this certificate.",
        next "Exportier noch einmal; ist es dann genauso, ist nicht bewiesen, dass der Schlüssel einer TSE gehört." /
            "Export again; if it is the same, the key is not proven to be a TSE's.";
    /// A certificate whose issuer is not there.
    ChainIncomplete = "chain-incomplete", Warning,
        why "Wer den Schlüssel ausgestellt hat, ist nicht gezeigt." /
            "Who issued the key is not shown.",
        next "Lass dir vom Hersteller das fehlende Zertifikat geben; ist es das Wurzelzertifikat, gib es mit --root an." /
            "Ask the maker for the missing certificate and give it with --root if it is the root.";
    /// A chain that ends at none of the given roots.
    ChainRoot = "chain-root", Error,
        why "Keine der Stellen, denen du vertraust, steht hinter diesem Schlüssel." /
            "None of the authorities you trust stands behind this key.",
        next "Sieh nach, ob es das richtige Wurzelzertifikat war; wenn ja, ist der Export nicht von einer TSE, der du vertraust." /
            "Check that the right root was given; if so, the export is not from a TSE you trust.";
    /// An issuer that may not issue.
    ChainNotAuthority = "chain-not-authority", Error,
        why "Nur eine Zertifizierungsstelle darf Zertifikate ausstellen: sonst könnte der Schlüssel einer TSE für jeden anderen bürgen." /
            "Only an authority may issue certificates: a TSE's own key could otherwise vouch for any other.",
        next "Behandle den Schlüssel als nicht bewiesen." /
            "Treat the key as not proven.";
    /// A link of a chain that cannot be checked here.
    ChainUnchecked = "chain-unchecked", Warning,
        why "Wer den Schlüssel ausgestellt hat, ließ sich nicht prüfen." /
            "Who issued the key could not be checked.",
        next "Lass die Zertifikatskette mit dem Programm des Herstellers prüfen." /
            "Have the chain checked with the maker's tool.";
    /// No root was given.
    NoRoot = "no-root-given", Note,
        why "Der Export beweist, dass er in sich stimmt, nicht, wer ihn gemacht hat." /
            "The export proves that it agrees with itself, not who made it.",
        next "Gib mit --root das Wurzelzertifikat der Stelle an, geholt von einem Ort, dem du vertraust." /
            "Give the authority's root, fetched from a place you trust, with --root.";
    /// Signed before or after a certificate was valid.
    Validity = "validity", Error,
        why "Außerhalb seiner Zeit bürgt ein Zertifikat für nichts." /
            "Outside its time a certificate vouches for nothing.",
        next "Sieh nach der Uhr der TSE; eine TSE, deren Zeit um ist, muss ersetzt werden." /
            "Check the TSE's clock; a TSE past its time must be replaced.";
    /// Messages of more than one key.
    SeveralKeys = "several-keys", Warning,
        why "Der Export einer TSE enthält die Nachrichten eines Schlüssels." /
            "A TSE's export holds the messages of one key.",
        next "Find heraus, wer Exporte zusammengelegt hat; prüf jeden für sich." /
            "Find out who put exports together; judge each alone.";
    /// A log message that cannot be read.
    MessageUnreadable = "message-unreadable", Error,
        why "Was sie sagt, ist nicht bewiesen." /
            "What it says is not proven.",
        next "Exportier noch einmal; ist es dann genauso, frag den Hersteller der TSE." /
            "Export again; if it is the same, ask the maker of the TSE.";
    /// A name that says something else than the message.
    NameDiffers = "name-differs", Error,
        why "Wer eine Nachricht nach ihrem Namen sucht, findet die falsche." /
            "Who looks for a message by its name finds the wrong one.",
        next "Behandle den Namen als geändert; was die Nachricht sagt, wird für sich geprüft." /
            "Treat the name as changed; what the message says is judged by itself.";
    /// A message of a key without a certificate.
    SerialUnknown = "serial-unknown", Error,
        why "Ohne den Schlüssel kann niemand sagen, ob sie signiert ist." /
            "Without the key nobody can tell whether it was signed.",
        next "Exportier auch die Zertifikate und prüf beides zusammen." /
            "Export the certificates, too, and judge both together.";
    /// A signature that does not hold.
    SignatureWrong = "signature-wrong", Error,
        why "Die Nachricht oder ihre Signatur ist nicht das, was die TSE gemacht hat." /
            "The message or its signature is not what the TSE made.",
        next "Exportier noch einmal vom Gerät; ist es dann genauso, beweist die Nachricht nichts: heb beide Dateien auf und frag den Hersteller und eine Steuerberatung." /
            "Export again from the device; if it is the same, the message proves nothing: keep both files and ask the maker and a tax adviser.";
    /// A signature that cannot be checked here.
    NotChecked = "not-checked", Warning,
        why "Ob sie signiert ist, ist nicht bekannt." /
            "Whether it was signed is not known.",
        next "Prüf den Export auch mit dem Programm des Herstellers." /
            "Judge the export with the maker's tool, too.";
    /// Some messages of a key in an algorithm that is known, others not.
    AlgorithmsMixed = "algorithms-mixed", Error,
        why "Eine TSE signiert alles auf eine Weise: was sich nicht prüfen ließ, kann eingefügt sein, um der Prüfung zu entgehen." /
            "A TSE signs everything in one way: what could not be checked may have been put in to escape the check.",
        next "Behandle, was nicht geprüft ist, als nicht bewiesen; frag den Hersteller der TSE." /
            "Treat what was not checked as not proven; ask the maker of the TSE.";
    /// Two messages with one signature counter.
    CounterTwice = "counter-twice", Error,
        why "Eine TSE zählt jede Signatur einmal." /
            "A TSE counts every signature once.",
        next "Find heraus, welche von beiden eine Kopie ist oder eingefügt wurde." /
            "Find out which of them is a copy or was put in.";
    /// Signature counters that are missing.
    CounterGap = "counter-gap", Warning,
        why "Nachrichten fehlen: der Export ließ welche aus, oder jemand hat sie entfernt." /
            "Messages are not there: the export was filtered, or somebody took them out.",
        next "Exportier ohne Filter und prüf mit --complete." /
            "Export without a filter and judge with --complete.";
    /// An export that does not begin with the first signature.
    BeginsLate = "begins-late", Warning,
        why "Was davor signiert wurde, fehlt: es steht in einem früheren Export oder wurde ausgelassen." /
            "What was signed before is not there: an earlier export holds it, or it was filtered.",
        next "Heb auch den früheren Export auf." /
            "Keep the earlier export as well.";
    /// A time before the one of the message before it.
    TimeFalls = "time-falls", Error,
        why "Die Uhr einer TSE geht nur zurück, wenn sie gestellt wird, und das ist eine eigene Nachricht." /
            "A TSE's clock goes back only when it is set, which is a message of its own.",
        next "Frag den Hersteller, wie die Uhr zurückgehen konnte." /
            "Ask the maker how the clock could go back.";
    /// A transaction without a start.
    StartMissing = "start-missing", Warning,
        why "Wann sie begann und an welcher Kasse, ist nicht bewiesen." /
            "When it began and at which till is not proven.",
        next "Exportier ohne Filter und prüf mit --complete." /
            "Export without a filter and judge with --complete.";
    /// A transaction with more than one start.
    StartTwice = "start-twice", Error,
        why "Jeder Beginn hat seine eigene Nummer." /
            "Every start has a number of its own.",
        next "Frag den Hersteller der TSE." /
            "Ask the maker of the TSE.";
    /// A transaction with more than one end.
    FinishTwice = "finish-twice", Error,
        why "Was sie sagt, lässt sich nicht entscheiden: eines der Enden wurde eingefügt." /
            "What it says cannot be told: one of the ends was put in.",
        next "Such den Beleg und vergleich seinen Signaturzähler." /
            "Find the receipt and compare its signature counter.";
    /// A step before the start or after the end.
    OutOfOrder = "out-of-order", Error,
        why "Eine Transaktion beginnt, geht weiter und endet." /
            "A transaction begins, goes on, and ends.",
        next "Frag den Hersteller der TSE." /
            "Ask the maker of the TSE.";
    /// Steps of one transaction by different clients.
    ClientDiffers = "client-differs", Error,
        why "Eine Transaktion gehört zu einer Kasse." /
            "A transaction belongs to one till.",
        next "Frag den Hersteller der TSE." /
            "Ask the maker of the TSE.";
    /// Transaction numbers that are missing.
    NumberGap = "number-gap", Warning,
        why "Transaktionen fehlen: der Export ließ welche aus, oder jemand hat sie entfernt." /
            "Transactions are not there: the export was filtered, or somebody took them out.",
        next "Exportier ohne Filter und prüf mit --complete." /
            "Export without a filter and judge with --complete.";
    /// A transaction without an end.
    Open = "transaction-open", Note,
        why "Sie ist nicht beendet, oder ihr Ende steht in einem späteren Export." /
            "It has not ended, or its end is in a later export.",
        next "Vergleich mit der Kasse: bei einem Kassenabschluss darf nichts offen bleiben." /
            "Compare with the till: nothing may stay open at a closing.";
    /// A receipt code that cannot be read.
    CodeUnreadable = "code-unreadable", Error,
        why "Nichts darin lässt sich prüfen." /
            "Nothing in it can be checked.",
        next "Scann noch einmal; ist es dann genauso, trägt der Beleg nicht den Code nach DSFinV-K, Anhang I." /
            "Scan again; if it is the same, the receipt does not carry the code of DSFinV-K, annex I.";
    /// A TSE that is none of those given.
    TseUnknown = "tse-unknown", Error,
        why "Jeder kann sich einen Schlüssel machen und einen Beleg damit signieren." /
            "Anybody can make a key and sign a receipt with it.",
        next "Vergleich die Seriennummer mit der, die dem Finanzamt gemeldet ist." /
            "Compare the serial number with the one reported to the tax office.";
    /// A code that was judged by itself.
    KeyUnknown = "key-of-code", Note,
        why "Der Code passt zu dem Schlüssel, den er selbst trägt; wessen Schlüssel das ist, beweist er nicht." /
            "The code agrees with the key that it carries itself; whose key that is it does not prove.",
        next "Gib mit --tse die Seriennummern der TSEs an, die du kennst." /
            "Give the serial numbers of the TSEs you know with --tse.";
}

impl Code {
    /// The code of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_says_why_and_what_now_in_both_languages() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            for text in [code.why(), code.next()] {
                assert!(text.de.ends_with('.') && text.en.ends_with('.'), "{code:?}: {text:?}");
                assert_ne!(text.de, text.en, "{code:?}");
            }
            assert_eq!(Code::of_name(code.name()), Some(*code));
        }
        assert_eq!(Code::of_name("sound"), None);
    }
}
