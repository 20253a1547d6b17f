//! What the TSE in software exports holds, in this verifier and in one that shares no line with this project.

use fiscal::tse::Curve;
use verify::chain::Trust;
use verify::{Options, Severity};
use wording::Language;

use crate::archive::{Files, complete, found, places};
use crate::tse::{export, root};

#[test]
fn the_export_of_the_tse_in_software_holds_on_both_curves_with_nothing_missing() {
    for (curve, name) in [(Curve::BrainpoolP384, "brainpoolP384r1"), (Curve::P256, "P-256")] {
        let files = export(curve, 10);
        let options = Options {
            roots: root(curve),
            ..complete()
        };
        let report = files.judge_by(&options);
        assert!(report.holds, "{report}");
        assert_eq!(found(&report), [""; 0], "{report}");
        assert_eq!((report.messages, report.transactions, report.open_total), (19, 10, 1));
        assert_eq!(report.clients, ["TILL-0", "TILL-1", "TILL-2"]);
        assert_eq!((report.open[0].number, report.open[0].client.as_str()), (10, "TILL-1"));
        assert_eq!(places(&report, verify::Code::Open).len(), 1, "what is open is listed");
        let [key] = report.keys.as_slice() else {
            panic!("one key: {report}")
        };
        assert_eq!(
            (key.trust, key.valid, key.wrong, key.unchecked),
            (Trust::GivenRoot, 19, 0, 0)
        );
        assert_eq!((key.span.first_counter, key.span.last_counter), (1, 19));
        assert_eq!(key.curve.map(verify::algorithm::Curve::name), Some(name));
        assert!(
            report.info[0]
                .description
                .contains("not certified / nicht zertifiziert")
        );
        assert!(
            key.chain.iter().all(|subject| subject.contains("nicht zertifiziert")),
            "{:?}",
            key.chain
        );
    }
}

#[test]
fn without_a_root_the_report_says_what_is_not_proven() {
    let report = export(Curve::P256, 2).judge();
    assert!(report.holds && report.keys[0].trust == Trust::OwnRoot);
    let note = &report
        .findings
        .iter()
        .find(|finding| finding.code.name() == "no-root-given");
    assert!(note.is_some_and(|note| note.severity == Severity::Note));
    assert!(report.to_string().contains("none was given"));
    let german = report.told(Language::De).to_string();
    assert!(
        german.contains("HINWEIS no-root-given")
            && german.contains("angegeben ist keines")
            && german.contains("Der Export stimmt:"),
        "{german}"
    );
    let json = serde_json::to_value(note).unwrap();
    let english = "the chain ends at a root that the export brings itself";
    assert_eq!(json["what"], english, "programs read English");
}

#[test]
fn certificates_may_come_after_the_messages_and_in_pem() {
    let mut files = export(Curve::BrainpoolP384, 3);
    files.0.reverse();
    for (name, content) in &mut files.0 {
        if let Some(stem) = name.strip_suffix(".cer") {
            let pem = der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::CRLF, content);
            (*name, *content) = (format!("{stem}_Fc-1.PEM"), pem.unwrap().into_bytes());
        }
    }
    let report = files.judge_by(&complete());
    assert!(report.holds && found(&report).is_empty(), "{report}");
    assert_eq!(report.keys[0].valid, 5);
}

#[test]
fn a_certificate_that_the_export_lacks_can_be_given() {
    let mut files = export(Curve::P256, 3);
    let place = files.place("_X509.cer");
    let (_, leaf) = files.0.remove(place);
    let without = files.judge();
    assert_eq!(found(&without), ["serial-unknown"], "{without}");
    let roots = verify::Certificate::read_all(&leaf).unwrap();
    assert!(files.judge_by(&Options { roots, ..complete() }).holds);
}

#[test]
fn the_outside_verifier_agrees_with_every_export_of_ours() {
    for curve in [Curve::BrainpoolP384, Curve::P256] {
        let good = export(curve, 6);
        let mut bad = good.clone();
        bad.content("Sig-4")[60] ^= 1;
        let Some(verdict) = judges::tse_export(&good.packed()) else {
            return;
        };
        assert_eq!((verdict.hold, verdict.do_not), (11, 0), "{}", verdict.text);
        let verdict = judges::tse_export(&bad.packed()).unwrap();
        assert_eq!((verdict.hold, verdict.do_not), (10, 1), "{}", verdict.text);
    }
}

#[test]
fn a_report_is_json_for_programs() {
    let report = Files::default().judge();
    let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(json["holds"], false);
    assert_eq!(json["findings"][0]["code"], "no-messages");
    assert_eq!(json["findings"][0]["severity"], "error");
    assert!(json["findings"][0]["why"].is_string() && json["findings"][0]["next"].is_string());
}
