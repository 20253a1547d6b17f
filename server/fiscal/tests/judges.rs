//! Receipts before outside judges: a verifier that shares no line with this project reads the codes and checks the signatures.
#![expect(clippy::expect_used, reason = "what cannot be fails the test")]

use fiscal::process_data::{KASSENBELEG_V1, Kassenbeleg};
use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, TransactionKey, Tse as _};
use fiscal::{ReceiptCode, SoftwareTse};

const NOW: u64 = 1_815_998_400_000;

fn codes(curve: Curve) -> Vec<String> {
    let mut tse = SoftwareTse::new(&[3; 32], curve, Memory::default()).expect("a seed");
    (0_u64..20)
        .map(|number| {
            let client = format!("TILL-{}", number % 3);
            let at = NOW + number * 7_300;
            tse.register(&client, at).expect("any till");
            let key = TransactionKey([1; 16]);
            let started = tse.start(key, &client, at).expect("a registered till");
            let data = Kassenbeleg::ABORTED
                .to_string()
                .replace("0.00^", &format!("{number}.00^"));
            let document = Document {
                process_type: KASSENBELEG_V1,
                process_data: &data,
                receipt: None,
            };
            let finished = tse
                .finish(key, &client, started.transaction, document, at + 3_000)
                .expect("an open transaction");
            ReceiptCode::new(tse.info(), &client, KASSENBELEG_V1, &data, &started, &finished).to_string()
        })
        .collect()
}

#[test]
fn the_outside_verifier_accepts_every_code_and_no_changed_one() {
    for (curve, name) in [(Curve::BrainpoolP384, "brainpoolP384r1"), (Curve::P256, "secp256r1")] {
        let good = codes(curve);
        let Some(verdicts) = judges::receipt_codes(&good.join("\n")) else {
            return;
        };
        assert_eq!(verdicts.len(), good.len());
        assert!(
            verdicts
                .iter()
                .all(|verdict| verdict.starts_with("(True") && verdict.contains(name)),
            "{verdicts:#?}"
        );
        let changed: Vec<String> = good.iter().map(|code| code.replace(".00^;", ".01^;")).collect();
        let verdicts = judges::receipt_codes(&changed.join("\n")).expect("it was there a moment ago");
        assert!(
            verdicts.iter().all(|verdict| verdict.starts_with("(False")),
            "{verdicts:#?}"
        );
    }
}
