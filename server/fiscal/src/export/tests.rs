use std::collections::BTreeMap;
use std::io::Read as _;

use shared_protocol::{CartId, TaxpayerId};
use store::{TransactionEnd, TseNo};

use super::*;
use crate::process_data::{KASSENBELEG_V1, Kassenbeleg};
use crate::software::Memory;
use crate::tse::{Document, TransactionKey};
use crate::{SoftwareTse, Tse as _};

const NOW: u64 = 1_815_998_400;
const KEY: TransactionKey = TransactionKey([1; 16]);
const TIMES: Times = Times {
    valid_from_s: NOW,
    made_s: NOW + 9,
};

fn signed(curve: Curve) -> (TseRow, Vec<TransactionRow>) {
    let mut tse = SoftwareTse::new(&[7; 32], curve, Memory::default()).unwrap();
    tse.register("TILL-1", NOW * 1_000).unwrap();
    let row = |tse: &mut SoftwareTse, ends: bool| {
        let started = tse.start(KEY, "TILL-1", NOW * 1_000).unwrap();
        let data = Kassenbeleg::ABORTED.to_string();
        let end = ends.then(|| {
            let document = Document {
                process_type: KASSENBELEG_V1,
                process_data: &data,
                receipt: None,
            };
            let finished = tse.finish(KEY, "TILL-1", started.transaction, document, NOW * 1_000);
            let finished = finished.unwrap();
            TransactionEnd {
                time_s: finished.time_s,
                counter: finished.counter,
                process_type: KASSENBELEG_V1.to_owned(),
                process_data: data,
                signature: finished.signature,
            }
        });
        TransactionRow {
            tse: TseNo(1),
            transaction: started.transaction,
            client: "TILL-1".to_owned(),
            cart: CartId([0; 16]),
            started_s: started.time_s,
            start_counter: started.counter,
            start_signature: started.signature,
            end,
        }
    };
    let rows = vec![row(&mut tse, true), row(&mut tse, false)];
    let info = tse.info();
    let tse = info.row(TseNo(1), TaxpayerId(1), "software");
    (tse, rows)
}

fn export(tse: &TseRow, rows: &[TransactionRow]) -> Result<Vec<u8>, ExportError> {
    let mut export = TseExport::begin(Vec::new(), tse, &Authority::new([3; 32]), TIMES)?;
    for row in rows {
        export.transaction(row)?;
    }
    export.finish().map(|(out, _)| out)
}

#[test]
fn an_export_has_the_standards_names_and_says_that_it_is_not_certified() {
    for (curve, signature) in [(Curve::BrainpoolP384, 96), (Curve::P256, 64)] {
        let (tse, rows) = signed(curve);
        let bytes = export(&tse, &rows).unwrap();
        assert_eq!(
            bytes,
            export(&tse, &rows).unwrap(),
            "the same rows are the same archive"
        );
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut files = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), TIMES.made_s);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        let start = format!("Unixt_{NOW}_Sig-1_Log-Tra_No-1_Start_Client-TILL-1.log");
        let finish = format!("Unixt_{NOW}_Sig-2_Log-Tra_No-1_Finish_Client-TILL-1.log");
        let open = format!("Unixt_{NOW}_Sig-3_Log-Tra_No-2_Start_Client-TILL-1.log");
        let leaf = format!("{}_X509.cer", shared_protocol::ids::hex(&tse.serial));
        assert_eq!(files.len(), 6);
        for name in [&start, &finish, &open, &leaf, "info.csv"] {
            assert!(files.contains_key(name), "{name} is missing");
        }
        assert!(String::from_utf8_lossy(&files["info.csv"]).contains(NOT_CERTIFIED));
        assert_eq!(files.keys().filter(|name| name.ends_with("_X509.cer")).count(), 2);
        for (_, certificate) in files.iter().filter(|(name, _)| name.contains("_X509")) {
            assert!(String::from_utf8_lossy(certificate).contains(NOT_CERTIFIED));
        }
        let message = &files[&finish];
        let end = rows[0].end.as_ref().unwrap();
        assert_eq!(message[message.len() - signature..], end.signature);
    }
}

#[test]
fn what_cannot_be_exported_is_refused_with_its_reason() {
    let (tse, rows) = signed(Curve::P256);
    let certified = TseRow {
        certified: true,
        ..tse.clone()
    };
    assert!(matches!(export(&certified, &rows), Err(ExportError::Device)));
    let other = TseRow {
        algorithm: "ecdsa-plain-SHA512".to_owned(),
        ..tse.clone()
    };
    assert!(matches!(export(&other, &rows), Err(ExportError::Algorithm(_))));
    let foreign = TransactionRow {
        tse: TseNo(2),
        ..rows[0].clone()
    };
    assert!(matches!(export(&tse, &[foreign]), Err(ExportError::OtherTse(1))));
    for client in ["a/b", "..\\c", "", "d\ne"] {
        let odd = TransactionRow {
            client: client.to_owned(),
            ..rows[0].clone()
        };
        assert!(
            matches!(export(&tse, &[odd]), Err(ExportError::Client(_, 1))),
            "{client}"
        );
    }
}
