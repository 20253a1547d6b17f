//! `groschen secret`: seals what must not be read from a copy of the disk.
//!
//! A sealed file has the name of the plain one, so settings stay as they are. What must never happen here: a secret that is printed, or a plain file that
//! goes before its sealed one was opened once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sealed::{Opener, SECRETS, Secret};

use crate::Exit;

/// Arguments of `secret`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Seal files in place: passwords, PINs and keys of TSEs, `tse.key`. The server opens them with the same key file.
    Seal(Seal),
}

#[derive(Debug, Clone, clap::Args)]
struct Seal {
    /// The files, each readable by its owner only.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The key file; it is made where there is none. Keep it on another disk than the files, and a copy in a safe.
    #[arg(long, env = "GROSCHEN_SECRET_KEY_FILE", value_name = "FILE")]
    secret_key_file: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Command::Seal(seal) = &arguments.command;
    let (key, is_new) = Secret::from_key_file_or_new(&seal.secret_key_file)?;
    if is_new {
        println!(
            "{} is new: without it the sealed files are lost. Put a copy into a safe.",
            seal.secret_key_file.display()
        );
    }
    let opener = Opener {
        key: Some(key),
        refuses_plain: false,
    };
    for file in &seal.files {
        if in_place(file, &opener)? {
            println!("{} is sealed.", file.display());
        } else {
            println!("{} was sealed already, and opens.", file.display());
        }
    }
    println!(
        "What was there before may still be on the disk and in backups: change passwords and PINs that can be changed."
    );
    Ok(Exit::Done)
}

/// Puts the sealed file into the place of the plain one. Gives whether it was plain.
fn in_place(file: &Path, opener: &Opener) -> anyhow::Result<bool> {
    let before = opener.read(file)?;
    if before.was_sealed {
        return Ok(false);
    }
    let Some(key) = &opener.key else {
        bail!("no key file was given");
    };
    if before.content.is_empty() {
        bail!("{} is empty; nothing was changed", file.display());
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".sealing");
    let beside = file.with_file_name(name);
    sealed::put(&beside, &sealed::seal(SECRETS, 0, key, &before.content)?)?;
    let again = opener.read(&beside)?;
    if again.content != before.content {
        bail!(
            "{} does not open as it should; {} was not changed",
            beside.display(),
            file.display()
        );
    }
    fs::rename(&beside, file).with_context(|| format!("{} cannot be replaced", file.display()))?;
    let folder = file
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("{} cannot be synced", folder.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn seal(files: Vec<PathBuf>, key: &Path) -> anyhow::Result<Exit> {
        run(&Arguments {
            command: Command::Seal(Seal {
                files,
                secret_key_file: key.to_owned(),
            }),
        })
    }

    #[test]
    fn a_secret_is_sealed_in_its_place_once_and_opens_with_its_key_file_only() {
        let dir = tempfile::tempdir().unwrap();
        let (file, key) = (dir.path().join("tse-1.admin"), dir.path().join("server.secret"));
        sealed::put(&file, b"12345\n").unwrap();
        seal(vec![file.clone()], &key).unwrap();
        let bytes = fs::read(&file).unwrap();
        assert!(sealed::is_sealed(SECRETS, &bytes) && !bytes.windows(5).any(|window| window == b"12345"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        seal(vec![file.clone()], &key).unwrap();
        assert_eq!(fs::read(&file).unwrap(), bytes, "it is sealed once");
        let error = seal(vec![file.clone()], &dir.path().join("other.secret"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("does not open"), "{error}");
        fs::write(&file, &bytes[..60]).unwrap();
        assert!(seal(vec![file.clone()], &key).is_err(), "a damaged file stays as it is");
        assert_eq!(fs::read(&file).unwrap(), bytes[..60]);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = seal(vec![file], &key).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 3, "nothing is left behind");
    }
}
