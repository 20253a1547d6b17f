//! What a judgement says, in the sentences of a language.

use std::fmt;

use wording::{Both, Language, both};

use crate::algorithm::Curve;
use crate::chain::Trust;
use crate::finding::{Finding, Severity, shown};
use crate::receipt::{Encoding, Verdict};
use crate::report::{Count, KeyReport, Report};
use crate::time;

/// A judgement in a language, line by line.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a, T> {
    judgement: &'a T,
    words: Language,
}

impl Report {
    /// It in sentences.
    pub const fn told(&self, words: Language) -> Told<'_, Self> {
        Told { judgement: self, words }
    }
}

impl Verdict {
    /// It in sentences.
    pub const fn told(&self, words: Language) -> Told<'_, Self> {
        Told { judgement: self, words }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told(Language::En).fmt(f)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told(Language::En).fmt(f)
    }
}

/// Writes lines of one language.
struct Lines<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    words: Language,
}

impl Lines<'_, '_> {
    fn put(&mut self, line: &Both) -> fmt::Result {
        writeln!(self.to, "{}", line.of(self.words))
    }

    fn finding(&mut self, finding: &Finding) -> fmt::Result {
        let severity = match finding.severity {
            Severity::Error => self.words.of("FEHLER", "ERROR"),
            Severity::Warning => self.words.of("WARNUNG", "WARNING"),
            Severity::Note => self.words.of("HINWEIS", "NOTE"),
        };
        let [place, what, why, next] = [
            finding.place.of(self.words),
            finding.what.of(self.words),
            finding.why.of(self.words),
            finding.next.of(self.words),
        ];
        writeln!(self.to, "{severity} {}: {place}", finding.code.name())?;
        writeln!(self.to, "    {what}")?;
        writeln!(self.to, "    {why} {next}")
    }

    fn key(&mut self, key: &KeyReport) -> fmt::Result {
        let span = &key.span;
        self.put(&both!("Schlüssel {}", "Key {}", key.serial))?;
        let unchecked = self.words.of(
            "eine Kurve, die hier nicht geprüft wird",
            "a curve that is not checked here",
        );
        let curve = key.curve.map_or(unchecked, Curve::name);
        writeln!(self.to, "    {curve}, {}", key.algorithm)?;
        self.put(&both!(
            "    {} Nachrichten, Signaturzähler {} bis {}, {} bis {}",
            "    {} messages, signature counters {} to {}, {} to {}",
            span.messages,
            span.first_counter,
            span.last_counter,
            time::shown(span.first_s),
            time::shown(span.last_s)
        ))?;
        self.put(&both!(
            "    {} Signaturen stimmen, {} nicht, {} sind nicht geprüft",
            "    {} signatures hold, {} do not, {} were not checked",
            key.valid,
            key.wrong,
            key.unchecked
        ))?;
        if let (Some(from), Some(to)) = (key.valid_from_s, key.valid_to_s) {
            self.put(&both!(
                "    Zertifikat gültig von {} bis {}",
                "    certificate valid from {} to {}",
                time::shown(from),
                time::shown(to)
            ))?;
        }
        for subject in &key.chain {
            writeln!(self.to, "    ← {subject}")?;
        }
        let trust = match key.trust {
            Trust::GivenRoot => self.words.of(
                "die Zertifikatskette endet an einem Wurzelzertifikat, das du angegeben hast",
                "the chain ends at a root you gave",
            ),
            Trust::OwnRoot => self.words.of(
                "die Zertifikatskette endet an einem Wurzelzertifikat, das der Export selbst mitbringt; angegeben ist keines",
                "the chain ends at a root that the export brings itself; none was given",
            ),
            Trust::None => self.words.of(
                "keine Zertifikatskette bis zu einem Wurzelzertifikat",
                "no chain to a root",
            ),
        };
        writeln!(self.to, "    {trust}")
    }
}

impl fmt::Display for Told<'_, Report> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (report, words) = (self.judgement, self.words);
        let mut lines = Lines { to: f, words };
        for info in &report.info {
            lines.put(&both!(
                "TSE {:?} von {:?}, Version {:?}",
                "TSE {:?} of {:?}, version {:?}",
                info.description,
                info.manufacturer,
                info.version
            ))?;
        }
        lines.put(&both!(
            "{} Nachrichten: {} von Transaktionen, {} der TSE, {} Audits",
            "{} messages: {} of transactions, {} of the TSE, {} audits",
            report.messages,
            report.transaction_messages,
            report.system_messages,
            report.audit_messages
        ))?;
        lines.put(&both!(
            "{} Transaktionen von {} Clients, {} davon offen",
            "{} transactions of {} clients, {} of them open",
            report.transactions,
            report.clients.len(),
            report.open_total
        ))?;
        for key in &report.keys {
            lines.key(key)?;
        }
        for finding in &report.findings {
            lines.finding(finding)?;
        }
        let told = |of: &Count| {
            let same = |finding: &&Finding| (finding.severity, finding.code) == (of.severity, of.code);
            report.findings.iter().filter(same).count() as u64
        };
        for count in report.counts.iter().filter(|count| count.count > told(count)) {
            let (count, code) = (count.count, count.code.name());
            lines.put(&both!("… insgesamt {count} {code}", "… {count} {code} in all"))?;
        }
        let unchecked = match report.unchecked() {
            0 => Both::from(""),
            count => both!(
                " Nicht geprüfte Nachrichten: {count}.",
                " Messages not checked: {count}."
            ),
        };
        let (errors, warnings, notes) = (report.errors, report.warnings, report.notes);
        let holds = if report.holds {
            Both::new("Der Export stimmt", "It holds")
        } else {
            Both::new("Der Export stimmt NICHT", "It does NOT hold")
        };
        lines.put(&Both::new(
            format!(
                "{}: Fehler {errors}, Warnungen {warnings}, Hinweise {notes}.{} Sperrlisten wurden nicht gelesen.",
                holds.de, unchecked.de
            ),
            format!(
                "{}: errors {errors}, warnings {warnings}, notes {notes}.{} Lists of revoked certificates were not read.",
                holds.en, unchecked.en
            ),
        ))
    }
}

impl fmt::Display for Told<'_, Verdict> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, words) = (self.judgement, self.words);
        let mut lines = Lines { to: f, words };
        if let Some(form) = verdict.form {
            let how = match form.encoding {
                Encoding::Primitive => words.of("Daten in einem Stück", "data in one piece"),
                Encoding::Constructed => words.of("Daten in Teilen", "data in parts"),
            };
            lines.put(&both!(
                "Die Signatur stimmt: Transaktion {} von {}, Signaturzähler {}, Log-Nachricht der Version {}, {how}",
                "The signature holds: transaction {} of {}, counter {}, log message of version {}, {how}",
                verdict.transaction,
                shown(&verdict.client),
                verdict.counter,
                form.version
            ))?;
            let (kind, data) = (shown(&verdict.process_type), shown(&verdict.process_data));
            writeln!(lines.to, "    {kind} {data}")?;
        }
        if let Some(curve) = verdict.curve {
            let known = match verdict.known_tse {
                Some(true) => words.of("eine der TSEs, die du angegeben hast", "one of the TSEs you gave"),
                Some(false) => words.of("KEINE der TSEs, die du angegeben hast", "NONE of the TSEs you gave"),
                None if verdict.form.is_some() => words.of(
                    "was nur zeigt, dass der Code in sich stimmt",
                    "which only shows that the code agrees with itself",
                ),
                None => words.of("zu dem er nicht passt", "with which it does not agree"),
            };
            lines.put(&both!(
                "    Schlüssel {} ({}), {known}",
                "    key {} ({}), {known}",
                verdict.serial,
                curve.name()
            ))?;
        }
        for finding in &verdict.findings {
            lines.finding(finding)?;
        }
        Ok(())
    }
}
