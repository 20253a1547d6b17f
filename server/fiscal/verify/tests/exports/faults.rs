//! Faults that were planted, each found under its own name and at its place.

use fiscal::log_message::Operation::{self, Finish, Start};
use fiscal::tse::Curve;
use verify::{Code, Options, Severity};

use crate::archive::{Files, complete, found, places};
use crate::tse::{AnyTse, NOW, export, root};

/// The export of a TSE that signed just these: operation, transaction, client, counter, seconds.
fn signed(steps: &[(Operation, u64, &str, u64, i64)]) -> Files {
    let tse = AnyTse::new(9);
    let mut files = tse.files();
    let messages = steps.iter().map(|(operation, number, client, counter, after_s)| {
        tse.message(*operation, *number, client, *counter, *after_s)
    });
    files.0.extend(messages);
    files
}

fn severity(files: &Files, options: &Options, code: Code) -> Option<Severity> {
    let report = files.judge_by(options);
    report
        .counts
        .iter()
        .find(|count| count.code == code)
        .map(|count| count.severity)
}

#[test]
fn a_changed_byte_anywhere_in_a_message_is_an_error_that_names_it() {
    let good = export(Curve::P256, 2);
    let place = good.place("Sig-2");
    for byte in 0..good.0[place].1.len() {
        let mut bad = good.clone();
        bad.0[place].1[byte] ^= 1;
        let report = bad.judge();
        assert!(!report.holds, "byte {byte}");
        assert_eq!(
            report.keys.first().map_or(0, |key| key.valid),
            2,
            "byte {byte}: {report}"
        );
        let named = report.findings.iter().any(|finding| finding.place.en == bad.0[place].0);
        assert!(named, "byte {byte}: {report}");
    }
}

#[test]
fn swapped_names_are_seen_although_the_signatures_hold() {
    let mut files = export(Curve::P256, 3);
    let (one, two) = (files.place("Sig-1_"), files.place("Sig-4_"));
    let name = files.0[one].0.clone();
    files.0[one].0 = std::mem::replace(&mut files.0[two].0, name);
    let report = files.judge();
    assert_eq!(found(&report), ["name-differs"], "{report}");
    assert_eq!(report.count(Code::NameDiffers), 2);
    let finding = &report.findings[0];
    assert!(finding.what.en.contains("the signature counter") && finding.what.en.contains("the operation"));
    assert_eq!(report.keys[0].wrong, 0);
}

#[test]
fn a_missing_message_is_a_warning_and_an_error_where_nothing_may_be_missing() {
    let mut files = export(Curve::P256, 4);
    let place = files.place("Sig-3_");
    files.0.remove(place);
    let report = files.judge();
    assert!(report.holds, "{report}");
    assert_eq!(found(&report), ["counter-gap", "start-missing"]);
    assert!(places(&report, Code::CounterGap)[0].contains("Sig-4_"));
    let report = files.judge_by(&complete());
    assert_eq!((report.holds, report.errors), (false, 2));
    // A whole transaction is missed by its number, too.
    let place = files.place("Sig-4_");
    files.0.remove(place);
    assert_eq!(found(&files.judge()), ["counter-gap", "number-gap"]);
    // What comes before the first message is told as well.
    let late = signed(&[(Start, 5, "a", 9, 0), (Finish, 5, "a", 10, 1)]);
    assert_eq!(found(&late.judge()), ["begins-late"]);
    assert_eq!(severity(&late, &complete(), Code::BeginsLate), Some(Severity::Error));
}

#[test]
fn a_doubled_counter_is_an_error() {
    let mut files = export(Curve::P256, 3);
    let copy = files.0[files.place("Sig-2_")].clone();
    files.0.push((copy.0.replace(".log", "_Fc-1.log"), copy.1));
    let report = files.judge();
    assert_eq!(found(&report), ["counter-twice", "finish-twice"], "{report}");
    let other = signed(&[(Start, 1, "a", 1, 0), (Start, 2, "a", 1, 0)]);
    assert_eq!(found(&other.judge()), ["counter-twice"]);
}

#[test]
fn transactions_that_cannot_be_are_errors_although_all_is_signed() {
    for (steps, code) in [
        (vec![(Start, 1, "a", 1, 0), (Finish, 1, "b", 2, 1)], "client-differs"),
        (
            vec![(Start, 1, "a", 1, 0), (Finish, 1, "a", 2, 1), (Finish, 1, "a", 3, 2)],
            "finish-twice",
        ),
        (
            vec![(Start, 1, "a", 1, 0), (Start, 1, "a", 2, 1), (Finish, 1, "a", 3, 2)],
            "start-twice",
        ),
        (vec![(Finish, 1, "a", 1, 0), (Start, 1, "a", 2, 1)], "out-of-order"),
        (vec![(Start, 1, "a", 1, 5), (Finish, 1, "a", 2, 4)], "time-falls"),
    ] {
        let report = signed(&steps).judge();
        assert!(!report.holds && found(&report).contains(&code), "{code}: {report}");
        assert_eq!(report.keys[0].wrong + report.keys[0].unchecked, 0, "{code}");
    }
}

#[test]
fn a_clock_that_was_set_may_go_back() {
    let tse = AnyTse::new(9);
    let mut files = tse.files();
    files.0.push(tse.message(Start, 1, "a", 1, 50));
    files.0.push(tse.system("updateTime", &[], 2, 51));
    files.0.push(tse.message(Finish, 1, "a", 3, 2));
    let report = files.judge_by(&complete());
    assert!(report.holds && found(&report).is_empty(), "{report}");
    assert_eq!((report.system_messages, report.keys[0].valid), (1, 3));
    // Another message of the system explains nothing.
    let place = files.place("updateTime");
    files.0[place] = tse.system("selfTest", &[], 2, 51);
    assert_eq!(found(&files.judge()), ["time-falls"]);
    // Where a message is missing, it may have been the one.
    files.0.remove(place);
    assert_eq!(
        severity(&files, &Options::default(), Code::TimeFalls),
        Some(Severity::Warning)
    );
    assert_eq!(severity(&files, &complete(), Code::TimeFalls), Some(Severity::Error));
}

#[test]
fn a_foreign_certificate_and_a_foreign_root_are_errors() {
    // The certificate of another key under the name of ours.
    let mut files = export(Curve::P256, 2);
    let place = files.place("_X509.cer");
    let foreign = AnyTse::new(11).files();
    files.0[place].1.clone_from(&foreign.0[foreign.place("_X509.cer")].1);
    assert_eq!(found(&files.judge()), ["certificate-name", "serial-unknown"]);
    // A root that is not the one that was given.
    let report = export(Curve::P256, 2).judge_by(&Options {
        roots: root(Curve::BrainpoolP384),
        ..Options::default()
    });
    assert_eq!(found(&report), ["chain-root"], "{report}");
    // A certificate whose bytes were changed, with the name of its key.
    let mut files = export(Curve::P256, 2);
    let content = files.content("_X509.cer");
    let end = content.len() - 4;
    content[end] ^= 1;
    assert_eq!(found(&files.judge()), ["chain-broken"]);
    // No issuer.
    let mut files = export(Curve::P256, 2);
    let last = files.0.iter().rposition(|(name, _)| name.contains("_X509")).unwrap();
    files.0.remove(last);
    assert_eq!(found(&files.judge()), ["chain-incomplete"]);
    let given = Options {
        roots: root(Curve::BrainpoolP384),
        ..Options::default()
    };
    assert!(files.judge().holds && !files.judge_by(&given).holds);
    // The root itself signs messages: whoever issued is no TSE, but a root without issuer is known.
    let given = Options {
        roots: root(Curve::P256),
        ..Options::default()
    };
    assert!(files.judge_by(&given).holds, "the missing root was given");
}

#[test]
fn a_tse_may_not_vouch_for_another() {
    // The leaf of one TSE issues a certificate for a second key.
    let (one, two) = (AnyTse::new(9), AnyTse::new(10));
    let mut files = two.files();
    let leaf = files.0[files.place("_X509.cer")].1.clone();
    let issuer = one.files().0[1].1.clone();
    let forged = reissued(&leaf, &issuer, &one);
    *files.content("_X509.cer") = forged;
    files
        .0
        .push((format!("{}_X509.cer", shared_protocol::ids::hex(&one.serial())), issuer));
    files.0.push(two.message(Start, 1, "a", 1, 0));
    files.0.push(two.message(Finish, 1, "a", 2, 0));
    let report = files.judge_by(&Options {
        roots: root(Curve::P256),
        ..Options::default()
    });
    assert_eq!(found(&report), ["chain-not-authority"], "{report}");
}

/// A certificate with another issuer, signed by it.
fn reissued(leaf: &[u8], issuer: &[u8], key: &AnyTse) -> Vec<u8> {
    use der::{Decode as _, Encode as _};
    use verify::tlv::Values;
    let name_of = |bytes| {
        let parsed = x509_cert::Certificate::from_der(bytes).unwrap();
        let certificate = parsed.tbs_certificate();
        (
            certificate.issuer().to_der().unwrap(),
            certificate.subject().to_der().unwrap(),
        )
    };
    let tlv = |tag: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        match value.len() {
            0..0x80 => [&[tag, length[1]], value].concat(),
            0x80..0x100 => [&[tag, 0x81, length[1]], value].concat(),
            _ => [&[tag, 0x82, length[0], length[1]], value].concat(),
        }
    };
    let outer = Values::of(leaf).take().unwrap().unwrap();
    let mut parts = Values::of(outer.value);
    let signed = parts.take().unwrap().unwrap();
    let algorithm = parts.take().unwrap().unwrap().raw;
    let (before, after) = (name_of(leaf).0, name_of(issuer).1);
    let at = signed
        .value
        .windows(before.len())
        .position(|window| window == before)
        .unwrap();
    let changed = [&signed.value[..at], &after, &signed.value[at + before.len()..]].concat();
    let signed = tlv(0x30, &changed);
    let plain = key.sign(&signed);
    let number = |half: &[u8]| {
        let half = &half[half.iter().take_while(|byte| **byte == 0).count()..];
        tlv(
            2,
            &if half[0] < 0x80 {
                half.to_vec()
            } else {
                [&[0], half].concat()
            },
        )
    };
    let signature = tlv(0x30, &[number(&plain[..32]), number(&plain[32..])].concat());
    let signature = tlv(3, &[&[0], signature.as_slice()].concat());
    tlv(0x30, &[signed.as_slice(), algorithm, &signature].concat())
}

#[test]
fn what_was_signed_outside_of_a_certificates_time_is_an_error() {
    let long = 9 * 365 * 86_400;
    let report = signed(&[(Start, 1, "a", 1, 0), (Finish, 1, "a", 2, long)]).judge();
    assert_eq!(found(&report), ["validity"], "{report}");
    let report = signed(&[(Start, 1, "a", 1, -1), (Finish, 1, "a", 2, 0)]).judge();
    assert_eq!(found(&report), ["validity"]);
}

#[test]
fn messages_of_two_keys_are_told_apart() {
    let mut files = signed(&[(Start, 1, "a", 1, 0), (Finish, 1, "a", 2, 0)]);
    let other = AnyTse::new(10);
    files.0.push(other.files().0[1].clone());
    files.0.push(other.message(Start, 1, "b", 1, 0));
    files.0.push(other.message(Finish, 1, "b", 2, 0));
    let report = files.judge_by(&complete());
    assert_eq!(found(&report), ["several-keys"], "{report}");
    assert_eq!((report.keys.len(), report.transactions), (2, 2));
}

#[test]
fn an_algorithm_that_is_not_known_is_never_passed_in_silence() {
    let tse = AnyTse::new(9);
    let mut files = tse.files();
    files.0.push(tse.message(Start, 1, "a", 1, 0));
    let (name, mut odd) = tse.message(Finish, 1, "a", 2, 0);
    // ecdsa-plain-SHA256 becomes a Schnorr signature, which the standard knows and nobody uses.
    let object = [0x04, 0x00, 0x7f, 0x00, 0x07, 0x01, 0x01, 0x04, 0x01, 0x03];
    let at = odd.windows(10).position(|window| window == object).unwrap();
    odd[at + 8] = 4;
    files.0.push((name, odd));
    let report = files.judge();
    assert_eq!(found(&report), ["algorithms-mixed", "not-checked"], "{report}");
    // Alone it is a warning that names why.
    let place = files.place("Sig-1_");
    files.0.remove(place);
    let report = files.judge();
    assert!(report.holds && report.unchecked() == 1, "{report}");
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.code == Code::NotChecked)
        .unwrap();
    assert!(
        finding.what.en.contains("0.4.0.127.0.7.1.1.4.4.3"),
        "{}",
        finding.what.en
    );
    assert!(report.to_string().contains("Messages not checked: 1."));
}

#[test]
fn a_curve_that_no_library_has_is_a_warning_that_names_it() {
    let mut files = signed(&[(Start, 1, "a", 1, 0), (Finish, 1, "a", 2, 0)]);
    // P-256 becomes P-192; without the root nobody sees that the certificate was changed.
    let object = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let content = files.content("_X509.cer");
    let at = content.windows(8).position(|window| window == object).unwrap();
    content[at + 7] = 1;
    assert_eq!(
        found(&files.judge()),
        ["chain-broken", "key-unsupported", "not-checked"]
    );
    let root = files.0.iter().rposition(|(name, _)| name.contains("_X509")).unwrap();
    files.0.remove(root);
    let report = files.judge();
    assert_eq!(
        found(&report),
        ["key-unsupported", "chain-incomplete", "not-checked"],
        "{report}"
    );
    assert!(report.holds && report.unchecked() == 2);
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.code == Code::NotChecked)
        .unwrap();
    assert!(finding.what.en.contains("P-192"), "{}", finding.what.en);
}

#[test]
fn archives_that_are_cut_or_none_are_errors_and_never_more() {
    let good = export(Curve::P256, 3).packed();
    for length in (0..good.len()).step_by(101) {
        let report = verify::judge(&good[..length], &Options::default());
        assert!(!report.holds, "{length} of {} bytes", good.len());
    }
    let without_end = good.len() - 1_024;
    let report = verify::judge(&good[..without_end], &Options::default());
    assert_eq!(found(&report), ["tar-cut"], "only the end mark is missing");
    let mut longer = good.clone();
    longer.extend([0; 4_096]);
    assert!(
        verify::judge(longer.as_slice(), &Options::default()).holds,
        "zeros may follow"
    );
    longer.push(1);
    let report = verify::judge(longer.as_slice(), &Options::default());
    assert_eq!(found(&report), ["tar-behind-end"]);
    for garbage in [&b"no archive at all"[..], &[0xff; 2_000], &[0; 600], b""] {
        let report = verify::judge(garbage, &Options::default());
        assert!(!report.holds && report.messages == 0, "{report}");
    }
}

#[test]
fn files_that_belong_to_no_export_are_told() {
    let mut files = export(Curve::P256, 2);
    files.0.push(("notes.txt".to_owned(), b"hello".to_vec()));
    let info = files.place("info.csv");
    files.0.remove(info);
    let report = files.judge();
    assert_eq!(found(&report), ["file-unknown", "no-info"]);
    assert_eq!(places(&report, Code::FileUnknown), ["notes.txt"]);
    // Packed again, in a folder, with a name that needs an extension of the format.
    let long = "x".repeat(120);
    let tse = AnyTse::new(9);
    let mut files = tse.files();
    files.0.push(tse.message(Start, 1, &long, 1, 0));
    files.0.push(tse.message(Finish, 1, &long, 2, 0));
    for (name, _) in &mut files.0 {
        *name = format!("export/{name}");
    }
    let report = files.judge();
    assert!(report.holds && report.clients == [long], "{report}");
    assert_eq!(found(&report), ["folder"]);
    // Too large, and no plain file.
    let mut files = export(Curve::P256, 2);
    files.0.push((
        format!("Unixt_{NOW}_Sig-9_Log-Aud.log"),
        vec![0; (verify::FILE_MAX + 1).try_into().unwrap()],
    ));
    assert_eq!(found(&files.judge()), ["file-too-large"]);
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "info.csv", "/etc/passwd").unwrap();
    let report = verify::judge(builder.into_inner().unwrap().as_slice(), &Options::default());
    assert!(found(&report).contains(&"entry-kind") && found(&report).contains(&"no-info"));
}
