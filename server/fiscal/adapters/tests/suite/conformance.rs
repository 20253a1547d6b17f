//! Every TSE behind the trait passes one suite.

use fiscal::SoftwareTse;
use fiscal::software::Memory;
use fiscal::tse::{Curve, Tse, TseError};
use tse_mocks::conformance::{self, TILL, document, key, sale};
use tse_mocks::now_ms;

use crate::common::sell;

#[test]
fn the_tse_in_software_conforms_on_both_curves() {
    for curve in [Curve::BrainpoolP384, Curve::P256] {
        conformance::all(|| (SoftwareTse::new(&[5; 32], curve, Memory::default()).expect("a key"), ()));
    }
}

#[test]
fn the_adapter_of_the_web_service_conforms() {
    conformance::all(crate::common::dn);
}

#[test]
fn the_adapter_of_the_cloud_conforms() {
    conformance::all(crate::common::fiskaly);
}

/// A TSE that takes two tills and two open transactions says so when there are more, and goes on once one has ended.
pub fn two_of_each_are_enough(tse: &mut impl Tse) {
    sell(tse, 1);
    tse.register("second", now_ms()).expect("a till");
    assert_eq!(tse.register("third", now_ms()), Err(TseError::TooManyClients));
    let open = tse.start(key(2), TILL, now_ms()).expect("a start");
    tse.start(key(3), "second", now_ms()).expect("a start");
    assert_eq!(tse.start(key(4), TILL, now_ms()), Err(TseError::TooManyOpen));
    assert!(matches!(tse.deregister("second", now_ms()), Err(TseError::Refused(_))));
    tse.finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms())
        .expect("an end");
    tse.start(key(4), TILL, now_ms()).expect("there is room again");
    let status = tse.status(now_ms()).expect("how it is");
    assert_eq!((status.clients, status.open), (Some(2), Some(2)));
}
