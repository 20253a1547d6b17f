//! What a judgement found, as values: how bad it is, where, what, why it matters, and what to do now.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not hold.
    Error,
    /// It may be in order, and somebody has to know why; or it could not be checked.
    Warning,
    /// Good to know.
    Note,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $severity:ident, $why:literal, $next:literal;)*) => {
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
            pub const fn why(self) -> &'static str {
                match self { $(Self::$code => $why,)* }
            }

            /// What to do now.
            pub const fn next(self) -> &'static str {
                match self { $(Self::$code => $next,)* }
            }
        }
    };
}

codes! {
    /// No TAR archive, or one that is damaged.
    TarUnreadable = "tar-unreadable", Error,
        "What comes after the damage was not judged.", "Export again and copy the file without changing it.";
    /// The archive ends before its end mark.
    TarCut = "tar-cut", Error,
        "Messages may be missing at the end.", "Export or copy again; the file is not whole.";
    /// Something follows the archive's end mark.
    TarBehindEnd = "tar-behind-end", Error,
        "What follows is seen by no reader of archives, and was not judged.", "Export again; no TSE writes this.";
    /// A link, a folder or the like.
    EntryKind = "entry-kind", Warning,
        "An export has plain files only, so this was not judged.", "Find out who packed the archive; keep the original.";
    /// A name with a folder before it.
    Folder = "folder", Warning,
        "An export has no folders: the archive was packed again.", "Keep and judge the original as well.";
    /// A file larger than any the standard has.
    FileTooLarge = "file-too-large", Error,
        "It was not read.", "Export again; if it is the same, ask the maker of the TSE.";
    /// More messages, keys or the like than a TSE can have.
    TooMany = "too-many", Error,
        "The rest was not judged.", "Export a part of it, by transactions or by time, and judge each part.";
    /// A name that the standard does not know.
    FileUnknown = "file-unknown", Warning,
        "It belongs to no export, so it was not judged.", "Look what it is; an export is best kept as it came.";
    /// No `info.csv`.
    NoInfo = "no-info", Warning,
        "The export does not say whose TSE it is from.", "Note it beside the export; ask the maker of the TSE.";
    /// No log message at all.
    NoMessages = "no-messages", Error,
        "There is nothing that proves anything.", "Check that the right file was given and that the export was not filtered to nothing.";
    /// A certificate that cannot be read.
    CertificateUnreadable = "certificate-unreadable", Error,
        "Messages of its key cannot be checked.", "Export again, or export the certificates alone.";
    /// A certificate whose name is not the hash of its key.
    CertificateName = "certificate-name", Error,
        "The name is how an export says which key is whose.", "Treat the certificate as foreign until the maker explains it.";
    /// A card verifiable certificate.
    CertificateCard = "certificate-card", Warning,
        "Card verifiable certificates are not read here; messages of their keys count as not checked.", "Judge the export with the maker's tool, too.";
    /// A curve that no library here has.
    KeyUnsupported = "key-unsupported", Warning,
        "What this key signed cannot be checked here.", "Judge the export with the maker's tool, too.";
    /// A point that lies on no curve.
    KeyWrong = "key-wrong", Error,
        "It is no key, so nothing can be signed with it.", "Treat the certificate as forged or damaged; export again.";
    /// A certificate whose issuer did not sign it.
    ChainBroken = "chain-broken", Error,
        "Anybody may have made this certificate.", "Export again; if it is the same, the key is not proven to be a TSE's.";
    /// A certificate whose issuer is not there.
    ChainIncomplete = "chain-incomplete", Warning,
        "Who issued the key is not shown.", "Ask the maker for the missing certificate and give it with --root if it is the root.";
    /// A chain that ends at none of the given roots.
    ChainRoot = "chain-root", Error,
        "None of the authorities you trust stands behind this key.", "Check that the right root was given; if so, the export is not from a TSE you trust.";
    /// An issuer that may not issue.
    ChainNotAuthority = "chain-not-authority", Error,
        "Only an authority may issue certificates: a TSE's own key could otherwise vouch for any other.", "Treat the key as not proven.";
    /// A link of a chain that cannot be checked here.
    ChainUnchecked = "chain-unchecked", Warning,
        "Who issued the key could not be checked.", "Have the chain checked with the maker's tool.";
    /// No root was given.
    NoRoot = "no-root-given", Note,
        "The export proves that it agrees with itself, not who made it.", "Give the authority's root, fetched from a place you trust, with --root.";
    /// Signed before or after a certificate was valid.
    Validity = "validity", Error,
        "Outside its time a certificate vouches for nothing.", "Check the TSE's clock; a TSE past its time must be replaced.";
    /// Messages of more than one key.
    SeveralKeys = "several-keys", Warning,
        "A TSE's export holds the messages of one key.", "Find out who put exports together; judge each alone.";
    /// A log message that cannot be read.
    MessageUnreadable = "message-unreadable", Error,
        "What it says is not proven.", "Export again; if it is the same, ask the maker of the TSE.";
    /// A name that says something else than the message.
    NameDiffers = "name-differs", Error,
        "Who looks for a message by its name finds the wrong one.", "Treat the name as changed; what the message says is judged by itself.";
    /// A message of a key without a certificate.
    SerialUnknown = "serial-unknown", Error,
        "Without the key nobody can tell whether it was signed.", "Export the certificates, too, and judge both together.";
    /// A signature that does not hold.
    SignatureWrong = "signature-wrong", Error,
        "The message or its signature is not what the TSE made.", "Export again from the device; if it is the same, the message proves nothing: keep both files and ask the maker and a tax adviser.";
    /// A signature that cannot be checked here.
    NotChecked = "not-checked", Warning,
        "Whether it was signed is not known.", "Judge the export with the maker's tool, too.";
    /// Some messages of a key in an algorithm that is known, others not.
    AlgorithmsMixed = "algorithms-mixed", Error,
        "A TSE signs everything in one way: what could not be checked may have been put in to escape the check.", "Treat what was not checked as not proven; ask the maker of the TSE.";
    /// Two messages with one signature counter.
    CounterTwice = "counter-twice", Error,
        "A TSE counts every signature once.", "Find out which of them is a copy or was put in.";
    /// Signature counters that are missing.
    CounterGap = "counter-gap", Warning,
        "Messages are not there: the export was filtered, or somebody took them out.", "Export without a filter and judge with --complete.";
    /// An export that does not begin with the first signature.
    BeginsLate = "begins-late", Warning,
        "What was signed before is not there: an earlier export holds it, or it was filtered.", "Keep the earlier export as well.";
    /// A time before the one of the message before it.
    TimeFalls = "time-falls", Error,
        "A TSE's clock goes back only when it is set, which is a message of its own.", "Ask the maker how the clock could go back.";
    /// A transaction without a start.
    StartMissing = "start-missing", Warning,
        "When it began and at which till is not proven.", "Export without a filter and judge with --complete.";
    /// A transaction with more than one start.
    StartTwice = "start-twice", Error,
        "Every start has a number of its own.", "Ask the maker of the TSE.";
    /// A transaction with more than one end.
    FinishTwice = "finish-twice", Error,
        "What it says cannot be told: one of the ends was put in.", "Find the receipt and compare its signature counter.";
    /// A step before the start or after the end.
    OutOfOrder = "out-of-order", Error,
        "A transaction begins, goes on, and ends.", "Ask the maker of the TSE.";
    /// Steps of one transaction by different clients.
    ClientDiffers = "client-differs", Error,
        "A transaction belongs to one till.", "Ask the maker of the TSE.";
    /// Transaction numbers that are missing.
    NumberGap = "number-gap", Warning,
        "Transactions are not there: the export was filtered, or somebody took them out.", "Export without a filter and judge with --complete.";
    /// A transaction without an end.
    Open = "transaction-open", Note,
        "It has not ended, or its end is in a later export.", "Compare with the till: nothing may stay open at a closing.";
    /// A receipt code that cannot be read.
    CodeUnreadable = "code-unreadable", Error,
        "Nothing in it can be checked.", "Scan again; if it is the same, the receipt does not carry the code of DSFinV-K, annex I.";
    /// A TSE that is none of those given.
    TseUnknown = "tse-unknown", Error,
        "Anybody can make a key and sign a receipt with it.", "Compare the serial number with the one reported to the tax office.";
    /// A code that was judged by itself.
    KeyUnknown = "key-of-code", Note,
        "The code agrees with the key that it carries itself; whose key that is it does not prove.", "Give the serial numbers of the TSEs you know with --tse.";
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding it is.
    pub code: Code,
    /// The file, the message or the line.
    pub place: String,
    /// What was found there.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do now.
    pub next: &'static str,
}

/// Letters of a text that is shown; names and texts come from files that anybody may have made.
const SHOWN_MAX: usize = 600;

/// A text from outside as it may be shown: what would move a cursor or turn the direction of writing is spelled out, and no text is endless.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN_MAX));
    for (place, letter) in text.chars().enumerate() {
        if place == SHOWN_MAX {
            out.push('…');
            break;
        }
        let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if letter.is_control() || turns {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Findings of one kind that are told one by one; a damaged export can have millions.
pub const TOLD_MAX: u64 = 100;

/// Everything that was found: the first of each kind in full, the others as a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    told: Vec<Finding>,
    counts: BTreeMap<(Severity, Code), u64>,
}

impl Findings {
    /// Something was found.
    pub fn add(&mut self, code: Code, place: impl Into<String>, what: impl Into<String>) {
        self.add_as(code.severity(), code, place, what);
    }

    /// Something was found that is worse, or less bad, than such a thing is by itself.
    pub fn add_as(&mut self, severity: Severity, code: Code, place: impl Into<String>, what: impl Into<String>) {
        let count = self.counts.entry((severity, code)).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.told.push(Finding {
                severity,
                code,
                place: shown(&place.into()),
                what: shown(&what.into()),
                why: code.why(),
                next: code.next(),
            });
        }
    }

    /// How often something of this kind was found.
    pub fn count(&self, code: Code) -> u64 {
        let all = self.counts.iter().filter(|((_, kind), _)| *kind == code);
        all.map(|(_, count)| count).sum()
    }

    /// How much of this severity was found.
    pub fn of(&self, severity: Severity) -> u64 {
        let all = self.counts.iter().filter(|((how, _), _)| *how == severity);
        all.map(|(_, count)| count).sum()
    }

    /// How often what was found, the worst first.
    pub const fn counts(&self) -> &BTreeMap<(Severity, Code), u64> {
        &self.counts
    }

    /// What is told in full, the worst first, otherwise in the order it was found.
    pub fn into_told(mut self) -> Vec<Finding> {
        self.told.sort_by_key(|finding| finding.severity);
        self.told
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_says_why_and_what_now() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.why().ends_with('.') && code.next().ends_with('.'), "{code:?}");
        }
    }

    #[test]
    fn texts_from_files_move_no_cursor_and_are_not_endless() {
        let mut findings = Findings::default();
        findings.add(Code::FileUnknown, "a\u{1b}[2Jb\u{202e}c\n", "ä".repeat(100_000));
        let told = findings.into_told();
        assert_eq!(told[0].place, "a\\u{1b}[2Jb\\u{202e}c\\n");
        assert_eq!(told[0].what.chars().count(), SHOWN_MAX + 1);
    }

    #[test]
    fn many_of_a_kind_are_counted_and_not_all_told() {
        let mut findings = Findings::default();
        for number in 0..TOLD_MAX + 50 {
            findings.add(Code::SignatureWrong, number.to_string(), "it does not hold");
        }
        findings.add(Code::NoInfo, "info.csv", "it is not there");
        findings.add_as(Severity::Error, Code::CounterGap, "Sig-2", "it is not there");
        assert_eq!(findings.count(Code::SignatureWrong), TOLD_MAX + 50);
        assert_eq!(
            (findings.of(Severity::Error), findings.of(Severity::Warning)),
            (TOLD_MAX + 51, 1)
        );
        let told = findings.into_told();
        assert_eq!(told.len() as u64, TOLD_MAX + 2);
        assert_eq!(told.last().map(|finding| finding.code), Some(Code::NoInfo));
    }
}
