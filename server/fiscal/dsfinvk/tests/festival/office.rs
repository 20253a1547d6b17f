//! The TSE of the festival and what it signed, and the master data of its closings.

use std::borrow::Cow;

use dsfinvk::map;
use dsfinvk::model::{Address, Closing};
use fiscal::ProcessType;
use fiscal::SoftwareTse;
use fiscal::signer::client_of;
use fiscal::tse::{Curve, Document, TransactionKey, Tse as _};
use fixtures::paper::NOW;
use fixtures::sample::{self, ORGANISER};
use shared_protocol::config::Config;
use shared_protocol::{CartId, TillId};
use store::{TransactionEnd, TransactionRow, TseNo, TseRow};

/// The TSE and what it did, as rows of the books.
pub struct Office {
    tse: SoftwareTse,
    row: TseRow,
    /// The festival's clock.
    pub at_ms: u64,
}

impl Office {
    /// A TSE that signed nothing yet.
    pub fn new() -> Self {
        let tse = SoftwareTse::new(&[11; 32], Curve::P256, fiscal::software::Memory::default()).expect("a seed");
        let info = tse.info();
        let row = info.row(TseNo(1), ORGANISER, "software");
        Self { tse, row, at_ms: NOW }
    }

    /// A transaction from start to end.
    pub fn transaction(&mut self, client: &str, cart: CartId, data: &str, after_ms: u64) -> TransactionRow {
        let at = self.at_ms + after_ms;
        self.tse.register(client, at).expect("any till");
        let key = TransactionKey(cart.0);
        let document = Document {
            process_type: ProcessType::of(data).as_str(),
            process_data: data,
            receipt: None,
        };
        let started = self.tse.start(key, client, at).expect("a registered till");
        let done = at + 3_000;
        let finished = self
            .tse
            .finish(key, client, started.transaction, document, done)
            .expect("an open transaction");
        TransactionRow {
            tse: self.row.no,
            transaction: started.transaction,
            client: client.to_owned(),
            cart,
            started_s: started.time_s,
            start_counter: started.counter,
            start_signature: started.signature,
            end: Some(TransactionEnd {
                time_s: finished.time_s,
                counter: finished.counter,
                process_type: ProcessType::of(data).as_str().to_owned(),
                process_data: data.to_owned(),
                signature: finished.signature,
            }),
        }
    }

    /// The master data of a closing of a till.
    pub fn closing(&self, config: &Config, till: TillId, number: u64) -> Closing<'static> {
        let client = client_of(sample::EVENT, till);
        Closing {
            till: Cow::Owned(client.clone()),
            number,
            created_ms: self.at_ms,
            booking_day: Some(Cow::Borrowed("2027-07-19")),
            taxpayer: map::taxpayer(&config.taxpayers[&ORGANISER]),
            place: Address {
                street: Cow::Borrowed("Am Heidesee 4"),
                postcode: Cow::Borrowed("19999"),
                town: Cow::Borrowed("Lichtenheide"),
                ..map::place(config, till)
            },
            register: map::register(&client, "0.1.0"),
            terminals: Vec::new(),
            agencies: Vec::new(),
            vat: map::vat_table(config),
            tses: vec![map::tse_unit(&self.row, None)],
        }
    }
}
