//! Every TSE behind the trait passes one suite.

use fiscal::SoftwareTse;
use fiscal::software::Memory;
use fiscal::tse::Curve;
use tse_mocks::conformance;

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
