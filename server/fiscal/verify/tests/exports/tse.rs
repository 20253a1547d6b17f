//! A TSE that signs whatever a test wants, also what no TSE would: so that a fault is seen where the signature holds.

use ecdsa::signature::hazmat::PrehashSigner as _;
use ecdsa::{Signature, SigningKey};
use fiscal::SoftwareTse;
use fiscal::export::authority::Authority;
use fiscal::export::{Times, TseExport};
use fiscal::log_message::{LogMessage, Operation};
use fiscal::process_data::{KASSENBELEG_V1, Kassenbeleg};
use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, TransactionKey, Tse as _};
use p256::NistP256;
use sha2::{Digest as _, Sha256};
use shared_protocol::{CartId, TaxpayerId};
use store::{TransactionEnd, TransactionRow, TseNo, TseRow};

use crate::archive::Files;

/// When all of it happens, in seconds since 1970.
pub const NOW: u64 = 1_815_998_400;

/// Transactions come one after another, so one key is enough for all.
const KEY: TransactionKey = TransactionKey([1; 16]);

const fn document(process_data: &str) -> Document<'_> {
    Document {
        process_type: KASSENBELEG_V1,
        process_data,
        receipt: None,
    }
}

/// Which data folder's root it is under.
pub const FOLDER: [u8; 32] = [3; 32];

/// A key that signs anything.
pub struct AnyTse {
    key: SigningKey<NistP256>,
    point: Vec<u8>,
}

impl AnyTse {
    /// With a key of its own.
    pub fn new(key: u8) -> Self {
        let key = SigningKey::from_slice(&[key; 32]).unwrap();
        let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { key, point }
    }

    /// The serial number.
    pub fn serial(&self) -> [u8; 32] {
        Sha256::digest(&self.point).into()
    }

    /// The certificates and `info.csv`.
    pub fn files(&self) -> Files {
        let (authority, valid_from_s) = (Authority::new(FOLDER), NOW);
        let row = row(Curve::P256, self.serial(), self.point.clone());
        let times = Times {
            valid_from_s,
            made_s: NOW,
        };
        let export = TseExport::begin(Vec::new(), &row, &authority, times).unwrap();
        Files::of(&export.finish().unwrap().0)
    }

    /// A message, by operation, transaction, client, counter and seconds after the beginning.
    pub fn message(
        &self,
        operation: Operation,
        number: u64,
        client: &str,
        counter: u64,
        after_s: i64,
    ) -> (String, Vec<u8>) {
        let time_s = NOW.checked_add_signed(after_s).unwrap();
        let message = LogMessage {
            operation,
            client,
            process_data: "",
            process_type: "",
            transaction: number,
            serial: self.serial(),
            curve: Curve::P256,
            counter,
            time_s,
        };
        let name = format!("Unixt_{time_s}_Sig-{counter}_Log-Tra_No-{number}_{operation:?}_Client-{client}.log");
        (name, message.signed(&self.sign(&message.to_be_signed())))
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let signature: Signature<NistP256> = self.key.sign_prehash(&Sha256::digest(bytes)).unwrap();
        signature.to_bytes().to_vec()
    }

    /// A message of the system: `content` are the tags of the certified data.
    pub fn system(&self, operation: &str, content: &[u8], counter: u64, after_s: i64) -> (String, Vec<u8>) {
        let time_s = NOW.checked_add_signed(after_s).unwrap();
        let tlv = |tag: u8, value: &[u8]| [&[tag, u8::try_from(value.len()).unwrap()], value].concat();
        let mut signed = [2, 1, 2].to_vec();
        signed.extend(tlv(6, &[4, 0, 0x7f, 0, 7, 3, 7, 1, 2]));
        signed.extend(tlv(0x80, operation.as_bytes()));
        signed.extend(content);
        signed.extend(tlv(4, &self.serial()));
        signed.extend(tlv(0x30, &tlv(6, &[4, 0, 0x7f, 0, 7, 1, 1, 4, 1, 3])));
        signed.extend(tlv(2, &[u8::try_from(counter).unwrap()]));
        signed.extend(tlv(2, &u32::try_from(time_s).unwrap().to_be_bytes()));
        let signature = tlv(4, &self.sign(&signed));
        let content = [signed, signature].concat();
        let mut message = vec![0x30, 0x81, u8::try_from(content.len()).unwrap()];
        message.extend(content);
        (format!("Unixt_{time_s}_Sig-{counter}_Log-Sys_{operation}.log"), message)
    }
}

fn row(curve: Curve, serial: [u8; 32], public_key: Vec<u8>) -> TseRow {
    TseRow {
        no: TseNo(1),
        serial,
        name: "Software TSE (not certified)".to_owned(),
        link: "software".to_owned(),
        public_key,
        algorithm: curve.algorithm().to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: None,
        certified: false,
        taxpayer: TaxpayerId(1),
        clients_max: 100,
        signature_ms: 1,
    }
}

/// An export of the TSE in software with so many transactions of three tills, of which the last is open.
pub fn export(curve: Curve, transactions: u64) -> Files {
    let mut tse = SoftwareTse::new(&[7; 32], curve, Memory::default()).unwrap();
    let info = tse.info().clone();
    let row = row(curve, info.serial, info.public_key);
    let authority = Authority::new(FOLDER);
    let times = Times {
        valid_from_s: NOW,
        made_s: NOW + 1_000_000,
    };
    let mut export = TseExport::begin(Vec::new(), &row, &authority, times).unwrap();
    for number in 1..=transactions {
        let (client, at) = (format!("TILL-{}", number % 3), (NOW + 3 * number) * 1_000);
        tse.register(&client, at).unwrap();
        let started = tse.start(KEY, &client, at).unwrap();
        let data = Kassenbeleg::ABORTED.to_string();
        let end = (number < transactions).then(|| {
            let finished = tse.finish(KEY, &client, started.transaction, document(&data), at + 2_000);
            let finished = finished.unwrap();
            TransactionEnd {
                time_s: finished.time_s,
                counter: finished.counter,
                process_type: KASSENBELEG_V1.to_owned(),
                process_data: data,
                signature: finished.signature,
            }
        });
        let transaction = TransactionRow {
            tse: TseNo(1),
            transaction: started.transaction,
            client,
            cart: CartId([0; 16]),
            started_s: started.time_s,
            start_counter: started.counter,
            start_signature: started.signature,
            end,
        };
        export.transaction(&transaction).unwrap();
    }
    Files::of(&export.finish().unwrap().0)
}

/// The root of the folder.
pub fn root(curve: Curve) -> Vec<verify::Certificate> {
    let root = Authority::new(FOLDER).root(curve).unwrap();
    verify::Certificate::read_all(&root.der).unwrap()
}
