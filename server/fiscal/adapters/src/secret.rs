//! Passwords, PINs and keys to services: read from a file of their own, sealed or plain, wiped when they go, never shown.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealed::{Fault, Opener};
use zeroize::Zeroizing;

/// More is no password.
const MAX_BYTES: usize = 4_096;

/// A secret. Its memory is wiped when it goes; what a library copied to send it is not in our hands.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret cannot be had. The message names the file, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is not there, others may read it, or it does not open.
    #[error(transparent)]
    File(#[from] Fault),
    /// There is no text of a sensible length in it.
    #[error("{0} holds no secret: it has to be one line of text")]
    Empty(PathBuf),
}

impl Secret {
    /// From text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The one line of a file that only its owner may read, without the line's end.
    pub fn read(path: &Path, opener: &Opener) -> Result<Self, SecretError> {
        let found = opener.read(path)?;
        if !found.was_sealed {
            tracing::warn!(file = %path.display(), "a secret lies there unsealed; `groschen secret seal` seals it");
        }
        let text = std::str::from_utf8(&found.content).map_err(|_| SecretError::Empty(path.to_owned()))?;
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains('\n') || line.len() > MAX_BYTES {
            return Err(SecretError::Empty(path.to_owned()));
        }
        Ok(Self::new(line))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use sealed::{SECRETS, put, seal};

    use super::*;

    fn lax() -> Opener {
        Opener::default()
    }

    #[test]
    fn a_secret_is_read_from_a_closed_file_and_shown_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.password");
        std::fs::write(&path, "12345\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let secret = Secret::read(&path, &lax()).unwrap();
        assert_eq!((secret.expose(), secret.base64().as_str()), ("12345", "MTIzNDU="));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = Secret::read(&path, &lax()).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("12345"), "{error}");
    }

    #[test]
    fn a_sealed_secret_is_opened_by_its_key_file_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = |byte| Some(sealed::Secret::KeyFile(Zeroizing::new([byte; 32])));
        let path = dir.path().join("pin");
        put(&path, &seal(SECRETS, 0, &key(9).unwrap(), b"12345\n").unwrap()).unwrap();
        let read = |key, refuses_plain| Secret::read(&path, &Opener { key, refuses_plain });
        assert_eq!(read(key(9), true).unwrap().expose(), "12345");
        for (key, says) in [(key(8), "does not open"), (None, "--secret-key-file")] {
            let error = read(key, false).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("12345"), "{error}");
        }
    }

    #[test]
    fn what_is_no_single_line_is_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        assert!(matches!(
            Secret::read(&path, &lax()),
            Err(SecretError::File(Fault::File { .. }))
        ));
        for text in ["", "\n", "one\ntwo\n"] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                matches!(Secret::read(&path, &lax()), Err(SecretError::Empty(_))),
                "{text:?}"
            );
        }
    }
}
