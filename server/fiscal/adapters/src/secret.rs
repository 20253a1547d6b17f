//! Passwords, PINs and keys to services: read from a file of their own, wiped when they go, never shown.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// More is no password.
const MAX_BYTES: u64 = 4_096;

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
    /// It cannot be read.
    #[error("the secret in {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// Others may read it.
    #[error("{0} may be read by others; run `chmod 600` on it, and think about who could have copied it")]
    Open(PathBuf),
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
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let unreadable = |error| SecretError::Unreadable(path.to_owned(), error);
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SecretError::Open(path.to_owned()));
        }
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let room = usize::try_from(MAX_BYTES).unwrap_or(0);
        let mut text = Zeroizing::new(String::with_capacity(room));
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains('\n') {
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
    use super::*;

    #[test]
    fn a_secret_is_read_from_a_closed_file_and_shown_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.password");
        std::fs::write(&path, "12345\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let secret = Secret::read(&path).unwrap();
        assert_eq!((secret.expose(), secret.base64().as_str()), ("12345", "MTIzNDU="));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = Secret::read(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("12345"), "{error}");
    }

    #[test]
    fn what_is_no_single_line_is_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        assert!(matches!(Secret::read(&path), Err(SecretError::Unreadable(..))));
        for text in ["", "\n", "one\ntwo\n"] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(Secret::read(&path), Err(SecretError::Empty(_))), "{text:?}");
        }
    }
}
