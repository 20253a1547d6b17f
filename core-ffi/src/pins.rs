//! Whether a PIN fits its hash. The hash is slow on purpose; it is computed away from the till's own task.
//!
//! What must never happen here: a PIN or a hash in a log; memory as a hash asks for it, whatever it asks for.

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params};
use terminal::Pin;

/// What a hash may ask for. A cheap phone has a gigabyte, and OWASP's settings ask for 19 MiB and two passes.
const MEMORY_MAX_KIB: u32 = 64 * 1_024;
/// See [`MEMORY_MAX_KIB`].
const PASSES_MAX: u32 = 8;

/// Whether a PIN has this hash (argon2id in PHC form). No when the hash cannot be read or asks for more than a phone has.
pub fn matches(pin: &Pin, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let bearable = Params::try_from(&hash).is_ok_and(|params| {
        params.m_cost() <= MEMORY_MAX_KIB && params.t_cost() <= PASSES_MAX && params.p_cost() <= PASSES_MAX
    });
    let is_argon2id = Algorithm::try_from(hash.algorithm.as_str()) == Ok(Algorithm::Argon2id);
    bearable && is_argon2id && Argon2::default().verify_password(pin.digits(), &hash).is_ok()
}

/// The same where it may take its time.
pub async fn verify(pin: Pin, hash: String) -> bool {
    let checked = tokio::task::spawn_blocking(move || matches(&pin, &hash)).await;
    checked.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use fixtures::sample;

    use super::*;

    fn pin(digits: &str) -> Pin {
        Pin::typed(digits).unwrap()
    }

    #[test]
    fn everybody_of_the_sample_who_has_a_pin_gets_in_with_it_and_with_no_other() {
        let people = sample::config().staff;
        let with_pin: Vec<_> = people
            .values()
            .filter_map(|person| Some((person.id, person.pin.as_ref()?)))
            .collect();
        assert_eq!(with_pin.len(), 6);
        for (id, hash) in with_pin {
            assert!(matches(&pin(sample::pin_of(id).unwrap()), hash), "{id}");
            assert!(!matches(&pin("0000"), hash), "{id}");
        }
    }

    #[test]
    fn a_hash_of_another_kind_or_of_a_size_no_phone_has_fits_nothing() {
        for hash in [
            "",
            "2468",
            "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
            "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
            "$argon2id$v=19$m=19456,t=4000000000,p=1$c2FsdHNhbHQ$aGFzaA",
        ] {
            assert!(!matches(&pin("2468"), hash), "{hash}");
        }
    }
}
