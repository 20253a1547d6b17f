use super::*;

/// Of a throw-away key that is used nowhere else, made by other software and checked by other software.
const SALE: &str = "V0;TILL-0001;Kassenbeleg-V1;Beleg^4.50_7.00_0.00_0.00_-11.50^;1;4;2026-11-21T01:54:16.000Z;2026-11-21T01:54:17.000Z;\
    ecdsa-plain-SHA384;unixTime;RTsNWDDGWIyAkzMF1WLWKOFjaS99TV/kH8zRfZAaQCSAUhnHJbiTeB6HFOIsuI+eGb+Ju90gbRzRY5hqDV9JaIW4V0P+I2WQHjBUChMP9/\
    BWsR4Ib/ohxdRXK3vOs2jb;BK+ok1V99N1hB/s08CABTE7qtlwSl/io6lKAB7BId+eN3Skhhf5hDJDea8gHG1wuRb5baGz/bhLIOyfCLy4Q83NgVxL7DVq51DzSfvZY4qyc/\
    s2ZWGeyoZzUwOyXwxCuUw==";
const TOP_UP: &str = "V0;TILL-0002;Kassenbeleg-V1;Beleg^0.00_0.00_0.00_0.00_50.00^50.00:Bar;2;6;2026-11-21T01:54:17.000Z;\
    2026-11-21T01:54:18.000Z;ecdsa-plain-SHA384;unixTime;6dEso1J7C73CCLPcjDBJQpazUlnyC6e3xfSrf2XFm8ng7/b04zdqb23ge+7qIXTQgM18nWTQDS2EvPW7Z3+\
    Wj29xrRkIiQU4yTCByQSr0/2sTxmFKc8bh+1cVb/jYNnY;BK+ok1V99N1hB/s08CABTE7qtlwSl/io6lKAB7BId+eN3Skhhf5hDJDea8gHG1wuRb5baGz/\
    bhLIOyfCLy4Q83NgVxL7DVq51DzSfvZY4qyc/s2ZWGeyoZzUwOyXwxCuUw==";
/// The serial number of their key.
const SERIAL: &str = "82aa74de53856a1afd3b6d6702da887e7bce9e4e01b95ab075d55de7ad842870";

fn known() -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&SERIAL[2 * place..2 * place + 2], 16).unwrap();
    }
    bytes
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.findings.iter().map(|finding| finding.code.name()).collect()
}

#[test]
fn a_code_that_holds_says_so_and_whose_key_it_is_only_when_that_is_known() {
    for code in [SALE, TOP_UP] {
        let alone = judge("line 1", code, &[]);
        assert!(alone.holds, "{alone}");
        assert_eq!((alone.serial.as_str(), alone.curve), (SERIAL, Some(Curve::P384)));
        let form = Form {
            version: 2,
            encoding: Encoding::Primitive,
            sequence: false,
        };
        assert_eq!((alone.form, alone.known_tse), (Some(form), None));
        assert_eq!(codes(&alone), ["key-of-code"]);
        assert!(
            alone
                .to_string()
                .contains("only shows that the code agrees with itself")
        );
        let ours = judge("line 1", code, &[[1; 32], known()]);
        assert_eq!((ours.holds, ours.known_tse, codes(&ours)), (true, Some(true), vec![]));
        let foreign = judge("line 1", code, &[[1; 32]]);
        assert_eq!((foreign.holds, codes(&foreign)), (false, vec!["tse-unknown"]));
    }
}

#[test]
fn every_changed_field_is_noticed() {
    for (from, to) in [
        ("TILL-0001", "TILL-0002"),
        ("Kassenbeleg-V1", "Kassenbeleg-V2"),
        ("4.50", "4.51"),
        (";1;4;", ";2;4;"),
        (";1;4;", ";1;5;"),
        ("54:17.000Z", "54:18.000Z"),
        ("ecdsa-plain-SHA384", "ecdsa-plain-SHA256"),
        ("unixTime", "utcTime"),
        ("unixTime", "generalizedTimeWithMilliseconds"),
        ("RTsN", "RTsM"),
    ] {
        let verdict = judge("line 1", &SALE.replacen(from, to, 1), &[known()]);
        assert_eq!(codes(&verdict), ["signature-wrong"], "{from} → {to}");
    }
    // The start is not part of what was signed at the end.
    assert!(judge("line 1", &SALE.replace("54:16", "54:15"), &[known()]).holds);
}

#[test]
fn what_is_no_code_is_told_why() {
    for (from, to, why) in [
        ("V0;", "V1;", "does not begin with V0"),
        ("unixTime", "sundial", "form of time"),
        ("plain-SHA384", "plain-MD5", "algorithm"),
        (";1;4;", ";+1;4;", "no number"),
        ("T01:54:17", "T25:54:17", "no time"),
        ("==", "!", "not base64"),
        (
            ";Kassenbeleg-V1;Beleg^4.50_7.00_0.00_0.00_-11.50^",
            "",
            "fields are missing",
        ),
    ] {
        let verdict = judge("line 3", &SALE.replacen(from, to, 1), &[]);
        assert_eq!(
            (codes(&verdict), verdict.holds),
            (vec!["code-unreadable"], false),
            "{to}"
        );
        let finding = &verdict.findings[0];
        assert_ne!(finding.what.de, finding.what.en);
        assert!(
            finding.what.en.contains(why) && finding.place.en == "line 3",
            "{finding:?}"
        );
    }
    let off_curve = judge("line 1", &SALE.replace("BK+ok", "BK+ol"), &[]);
    assert_eq!(codes(&off_curve), ["key-wrong"]);
}

/// Signs what a code says in one of the forms, with a key made here.
fn signed(version: u8, encoding: Encoding, sequence: bool, form: &str) -> String {
    use ecdsa::signature::hazmat::PrehashSigner as _;
    use ecdsa::{Signature, SigningKey};
    let key = SigningKey::<p256::NistP256>::from_slice(&[0x23; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let code = |signature: &[u8]| {
        format!(
            "V0;till;Bestellung-V1;1;\"Bars; {}\";1.00;7;300;2021-08-30T09:33:14.000Z;2021-08-30T09:33:14.120Z;ecdsa-plain-SHA256;{form};{};{}",
            "x".repeat(200),
            STANDARD.encode(signature),
            STANDARD.encode(&point)
        )
    };
    let empty = code(&[]);
    let fields = Fields::read(&empty).unwrap();
    let serial = crate::key::serial(&point);
    let digest = fields.digest.of(&fields.signed(&serial, version, encoding));
    let signature: Signature<p256::NistP256> = key.sign_prehash(&digest).unwrap();
    if !sequence {
        return code(&signature.to_bytes());
    }
    let (mut numbers, mut der) = (Vec::new(), Vec::new());
    for half in signature.to_bytes().chunks(32) {
        let half = &half[half.iter().take_while(|byte| **byte == 0).count()..];
        let positive: Vec<u8> = if half[0] < 0x80 {
            half.to_vec()
        } else {
            [&[0], half].concat()
        };
        put(&mut numbers, 0x02, &positive);
    }
    put(&mut der, 0x30, &numbers);
    code(&der)
}

#[test]
fn all_versions_encodings_signatures_and_forms_of_time_are_found() {
    for version in [2, 3] {
        for encoding in [Encoding::Primitive, Encoding::Constructed] {
            for sequence in [false, true] {
                for time in [
                    "unixTime",
                    "utcTime",
                    "utcTimeWithSeconds",
                    "generalizedTime",
                    "generalizedTimeWithMilliseconds",
                ] {
                    let verdict = judge("line 1", &signed(version, encoding, sequence, time), &[]);
                    let form = Form {
                        version,
                        encoding,
                        sequence,
                    };
                    assert_eq!((verdict.holds, verdict.form), (true, Some(form)), "{verdict}");
                    assert_eq!(
                        verdict.process_data.matches(';').count(),
                        3,
                        "semicolons stay in the data"
                    );
                }
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic_and_none_holds(text in "(V0;)?[ -~]{0,60}(;[0-9A-Za-z=+/:.-]{0,24}){0,12}") {
        proptest::prop_assert!(!judge("line 1", &text, &[]).holds);
    }
}
