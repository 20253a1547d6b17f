//! Sealed files of any kind; those with keys of wristbands have their golden bytes where they are used.

use super::*;

const OTHER: Kind = Kind {
    magic: b"GROSELSE",
    domain: b"groschen something else 1",
};

fn key(byte: u8) -> Secret {
    Secret::KeyFile(Zeroizing::new([byte; 32]))
}

fn sealed() -> Vec<u8> {
    seal_with(SECRETS, 0, &key(9), ([3; 16], [4; 12]), b"12345").unwrap()
}

#[test]
fn a_secret_comes_back_and_stands_nowhere_in_its_file() {
    let bytes = sealed();
    assert!(is_sealed(SECRETS, &bytes) && !is_sealed(OTHER, &bytes));
    assert!(!bytes.windows(5).any(|window| window == b"12345"));
    let (whose, content) = open(SECRETS, &bytes, &key(9), Path::new("x")).unwrap();
    assert_eq!((whose, content.as_slice()), (0, &b"12345"[..]));
}

#[test]
fn a_file_that_was_changed_or_cut_anywhere_does_not_open() {
    let bytes = sealed();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(
            open(SECRETS, &changed, &key(9), Path::new("x")).is_err(),
            "byte {place}"
        );
        assert!(
            open(SECRETS, &bytes[..place], &key(9), Path::new("x")).is_err(),
            "cut at {place}"
        );
    }
}

#[test]
fn another_key_and_another_kind_do_not_open_it() {
    let bytes = sealed();
    let fault = |kind, secret: &Secret| open(kind, &bytes, secret, Path::new("x")).unwrap_err();
    assert!(matches!(fault(SECRETS, &key(8)), Fault::Locked(_)));
    assert!(matches!(fault(OTHER, &key(9)), Fault::NotSealed(_)));
    let words = Secret::passphrase("vier Wörter für Bänder");
    assert!(matches!(
        fault(SECRETS, &words),
        Fault::OtherSecret { passphrase: false, .. }
    ));
}

#[test]
fn an_opener_takes_plain_files_only_where_that_is_allowed_and_none_that_others_read() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, closed) = (dir.path().join("plain"), dir.path().join("closed"));
    put(&plain, b"12345\n").unwrap();
    put(&closed, &sealed()).unwrap();
    let opener = |key, refuses_plain| Opener { key, refuses_plain };
    let lax = opener(Some(key(9)), false);
    let read = |opener: &Opener, path: &Path| {
        opener
            .read(path)
            .map(|opened| (opened.content.to_vec(), opened.was_sealed))
    };
    assert_eq!(read(&lax, &plain).unwrap(), (b"12345\n".to_vec(), false));
    assert_eq!(read(&lax, &closed).unwrap(), (b"12345".to_vec(), true));
    assert!(matches!(opener(Some(key(9)), true).read(&plain), Err(Fault::Plain(_))));
    assert!(matches!(opener(None, false).read(&closed), Err(Fault::NoKey(_))));
    assert!(matches!(
        opener(Some(key(8)), false).read(&closed),
        Err(Fault::Locked(_))
    ));
    for path in [&plain, &closed] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(lax.read(path), Err(Fault::Open(_))));
    }
    assert!(matches!(lax.read(&dir.path().join("none")), Err(Fault::File { .. })));
}
