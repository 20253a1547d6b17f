//! Receipts of both adapters before an outside judge, which shares no line with this project.

use fiscal::ReceiptCode;
use fiscal::process_data::KASSENBELEG_V1;
use tse_mocks::conformance::{TILL, sale};

#[test]
fn an_outside_verifier_accepts_what_the_adapters_hand_on() {
    let ((mut unit, _one), (mut service, _other)) = (crate::common::dn(), crate::common::fiskaly());
    let mut codes = Vec::new();
    for number in 1..=5 {
        for sold in [
            crate::common::sell(&mut unit, number),
            crate::common::sell(&mut service, number),
        ] {
            let data = sale(u64::from(number));
            let code = ReceiptCode::new(&sold.info, TILL, KASSENBELEG_V1, &data, &sold.started, &sold.finished);
            codes.push(code.to_string());
        }
    }
    if let Some(verdicts) = ::judges::receipt_codes(&codes.join("\n")) {
        assert_eq!(verdicts.len(), codes.len());
        assert!(
            verdicts.iter().all(|verdict| verdict.starts_with("(True")),
            "{verdicts:#?}"
        );
        let changed: Vec<String> = codes.iter().map(|code| code.replace(".00^;", ".01^;")).collect();
        let verdicts = ::judges::receipt_codes(&changed.join("\n")).expect("it was there a moment ago");
        assert!(
            verdicts.iter().all(|verdict| verdict.starts_with("(False")),
            "{verdicts:#?}"
        );
    }
}
