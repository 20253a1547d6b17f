//! Which setting wins, and which are refused.

use super::*;

fn flags(text: &str) -> (tempfile::TempDir, Flags) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("groschen.toml");
    std::fs::write(&path, text).unwrap();
    (
        dir,
        Flags {
            config: Some(path),
            data: None,
            secret_key_file: None,
        },
    )
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let (_dir, flags) = flags("data = \"/srv/groschen\"\nlisten = \"0.0.0.0:9000\"\n");
    let settings = Settings::resolve(&flags, &ListenFlags::default()).unwrap();
    assert_eq!(
        (settings.data.to_str(), settings.listen.port()),
        (Some("/srv/groschen"), 9_000)
    );
    let listen = ListenFlags {
        listen: Some("127.0.0.1:1".parse().unwrap()),
        ..ListenFlags::default()
    };
    let settings = Settings::resolve(
        &Flags {
            data: Some("x".into()),
            ..flags
        },
        &listen,
    )
    .unwrap();
    assert_eq!((settings.data.to_str(), settings.listen.port()), (Some("x"), 1));
}

#[test]
fn a_choice_about_taxes_is_fixed_by_the_flag_before_the_file() {
    let (_dir, flags) = flags("wristband_is = \"e-money\"\nin_house = \"no\"\n");
    let listen = ListenFlags {
        wristband_is: Some(Model::Voucher),
        ..ListenFlags::default()
    };
    let fixed = Settings::resolve(&flags, &listen).unwrap().signing.fixed;
    let of = |choice| fixed.of(choice).map(|fix| (fix.value, fix.place));
    assert_eq!(of(Choice::WristbandIs), Some(("voucher", Place::Flag)));
    assert_eq!(of(Choice::InHouse), Some(("no", Place::File)));
    assert_eq!(of(Choice::OutagePolicy), None);
}

#[test]
fn an_unknown_key_is_refused_and_named() {
    let (_dir, flags) = flags("lissten = \"0.0.0.0:9000\"\n");
    let error = Settings::resolve(&flags, &ListenFlags::default()).unwrap_err();
    assert!(error.to_string().contains("lissten"), "{error}");
}

#[test]
fn a_public_address_is_a_host_and_says_where_terminals_connect() {
    let with = |url: &str| {
        let listen = ListenFlags {
            public_url: Some(url.to_owned()),
            ..ListenFlags::default()
        };
        let flags = Flags {
            config: None,
            data: None,
            secret_key_file: None,
        };
        Settings::resolve(&flags, &listen)
    };
    let settings = with("https://till.example:8443/").unwrap();
    assert_eq!(
        settings.terminals_at().as_deref(),
        Some("wss://till.example:8443/terminal")
    );
    assert!(settings.is_secure() && !with("http://10.0.0.7:8450").unwrap().is_secure());
    for wrong in [
        "till.example",
        "https://",
        "https://till.example/console",
        "ftp://x",
        "https://a b",
    ] {
        assert!(matches!(with(wrong), Err(SettingsError::PublicUrl(_))), "{wrong}");
    }
}

#[test]
fn half_a_certificate_is_refused() {
    let flags = Flags {
        config: None,
        data: None,
        secret_key_file: None,
    };
    let listen = ListenFlags {
        tls_cert: Some("c.pem".into()),
        ..ListenFlags::default()
    };
    assert!(matches!(
        Settings::resolve(&flags, &listen),
        Err(SettingsError::HalfTls)
    ));
}
