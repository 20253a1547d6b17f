//! What lies in an archive, for whoever opens it after years: German first.

use pages::Language;
use pages::format::Clock;

use crate::procedures::Facts;

pub(super) fn text(facts: &Facts, notes: &[String]) -> String {
    let (moment, digest) = (Clock::new("UTC", Language::En).iso(facts.moment_ms()), facts.digest());
    let notes = if notes.is_empty() {
        "-".to_owned()
    } else {
        notes.join("\n- ")
    };
    format!(
        "# Archiv / Archive

{moment}, {digest}

## Deutsch

| Ordner | Was |
|---|---|
| `database` | die ganze Datenbank in einem Zustand (SQLite), mit Journal, Hashkette und allen Signaturen |
| `dsfinvk` | Abschlüsse der Kassen, ein Ordner je Steuerpflichtigem |
| `tse` | Protokolle der TSEs in Software (nicht zertifiziert) mit ihren Wurzelzertifikaten |
| `tse-devices` | Protokolle anderer TSEs, wie die Konsole sie zuletzt exportiert hat |
| `notification` | Mitteilung nach § 146a Abs. 4 AO |
| `configuration` | jede Fassung der Konfiguration, lesbar |
| `procedures` | Verfahrensdokumentation aus den Einstellungen |
| `outages.csv` | Ausfälle, Zeiten in UTC |
| `keys` | öffentliche Schlüssel; private sind nie darin |
| `MANIFEST.sha256` | SHA-256 jeder Datei (`sha256sum --check MANIFEST.sha256`) |

Getrennt und sicher aufzubewahren: `tse.key` (nach ihm heißen die Bänder in den Exporten; ohne ihn lässt sich ein Band keiner Zeile zuordnen), `config.key`, Schlüsseldateien der Bänder.

Prüfen: `groschen archive verify ORDNER`.

## English

| folder | what |
|---|---|
| `database` | the whole database in one state (SQLite), with journal, hash chain and all signatures |
| `dsfinvk` | closings of tills, a folder for each taxpayer |
| `tse` | logs of TSEs in software (not certified) with their root certificates |
| `tse-devices` | logs of other TSEs as the console exported them last |
| `notification` | notification of § 146a (4) AO |
| `configuration` | every revision of the configuration, readable |
| `procedures` | documentation of procedures from the settings |
| `outages.csv` | outages, times in UTC |
| `keys` | public keys; private ones are never in it |
| `MANIFEST.sha256` | SHA-256 of every file (`sha256sum --check MANIFEST.sha256`) |

To be kept apart and safe: `tse.key` (wristbands are named by it in exports; without it no wristband can be told from a row), `config.key`, key files of wristbands.

Check it: `groschen archive verify FOLDER`.

## Was fehlt / What is missing

- {notes}
"
    )
}
