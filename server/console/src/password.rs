//! Passwords: argon2id, at most two at a time, never on a thread that serves others.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;

use crate::fault::Fault;

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords that are hashed at once; more would let a flood of logins take the memory and both cores.
const AT_ONCE: usize = 2;

/// NIST SP 800-63B asks for at least 8; people here also have the money of thousands in front of them.
pub(crate) const CHARACTERS_MIN: usize = 10;
/// Longer ones only cost time.
pub(crate) const BYTES_MAX: usize = 1_024;

/// Bytes of salt that RFC 9106 recommends.
const SALT_BYTES: usize = 16;

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    room: Arc<Semaphore>,
    /// A hash that nobody's password has: an unknown name costs as much time as a wrong password.
    nobody: String,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(AT_ONCE)),
            nobody: hash("nobody has this").unwrap_or_default(),
        }
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of a password with a fresh salt. None where the system has no randomness or no memory.
pub(crate) fn hash(password: &str) -> Option<String> {
    let mut salt = [0; SALT_BYTES];
    SystemRandom::new().fill(&mut salt).ok()?;
    let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// Whether a password has this hash, with the parameters that the hash names.
fn matches(password: &str, hash: &str) -> bool {
    let Some((argon2, hash)) = argon2().zip(PasswordHash::new(hash).ok()) else {
        return false;
    };
    argon2.verify_password(password.as_bytes(), &hash).is_ok()
}

impl Passwords {
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        let permit = permit.map_err(|_| Fault::Unavailable)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|_| Fault::Unavailable)
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Fault> {
        self.run(move || hash(&password)).await?.ok_or(Fault::Unavailable)
    }

    /// Checks a password against the hash of a user; with none it works as long and says no.
    pub(crate) async fn check(&self, password: String, stored: Option<String>) -> Result<bool, Fault> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        Ok(self.run(move || matches(&password, &stored)).await? && known)
    }
}

/// Whether a password can be taken.
pub(crate) fn check_new(password: &str) -> Result<(), Fault> {
    if password.chars().count() < CHARACTERS_MIN {
        return Err(Fault::refused(
            "Das Passwort ist zu kurz: mindestens 10 Zeichen. Nichts ist geändert.",
            "The password is too short: at least 10 characters. Nothing was changed.",
        ));
    }
    if password.len() > BYTES_MAX {
        return Err(Fault::refused(
            "Das Passwort ist zu lang. Nichts ist geändert.",
            "The password is too long. Nothing was changed.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_names_its_parameters_and_fits_only_its_password() {
        let stored = hash("zwölf Zeichen").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(matches("zwölf Zeichen", &stored));
        assert!(!matches("zwölf zeichen", &stored) && !matches("", &stored));
        assert!(!matches("x", "") && !matches("x", "plain"));
        assert_ne!(stored, hash("zwölf Zeichen").unwrap());
    }

    #[tokio::test]
    async fn nobody_logs_in_with_the_password_of_nobody() {
        let passwords = Passwords::default();
        assert!(!passwords.check("nobody has this".to_owned(), None).await.unwrap());
        let stored = passwords.hash("long enough".to_owned()).await.unwrap();
        assert!(passwords.check("long enough".to_owned(), Some(stored)).await.unwrap());
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(check_new("123456789").is_err() && check_new("ÄÖÜäöüßÄÖÜ").is_ok());
        assert!(check_new(&"x".repeat(1_025)).is_err());
    }
}
