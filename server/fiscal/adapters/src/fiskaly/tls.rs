//! Whom to trust: the authorities of the system, or one that is pinned.
//!
//! The service is a public one and may change its authority any day, so the system's list is the rule, and its updates come with the system. No list is
//! built in: it would age with the program, and its licence (CDLA-Permissive-2.0) would need an exception. Who pins an authority answers for its change.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::SetupError;

pub(super) fn config(authority: Option<&Path>) -> Result<ClientConfig, SetupError> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(path) => {
            let wrong = |why: String| SetupError::Authority(path.to_owned(), why);
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it".to_owned()));
            }
        }
        None => {
            // Those that cannot be read are left out, as browsers do; without any, every connection says so.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| SetupError::Client(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
