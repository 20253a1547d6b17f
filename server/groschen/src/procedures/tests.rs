//! The document of one moment is one text.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::sample;
use pages::Language;
use shared_protocol::crypto::Hash32;
use store::{OutageRow, Role, SigningState, TaxRow, TseNo, TseRow};

use super::*;

const NOON: u64 = 1_815_732_000_000;

fn said(at_ms: u64, by: Option<&str>, key: &str, value: &str, why: &str) -> TaxRow {
    TaxRow {
        event: sample::EVENT,
        at_ms,
        by: by.map(str::to_owned),
        key: key.to_owned(),
        value: value.to_owned(),
        why: why.to_owned(),
    }
}

fn facts() -> Facts {
    let rows = [
        said(
            NOON,
            None,
            "outage_policy",
            "mark-only",
            "held by itself when the history began",
        ),
        said(
            NOON,
            None,
            "program",
            "0.1.0; build unnamed; database format 7",
            "this program was started",
        ),
        said(
            NOON + 60_000,
            Some("ada"),
            "outage_policy",
            "resign-marked",
            "Brief der Steuerberatung",
        ),
    ];
    let rows: Vec<_> = (1..).zip(rows).collect();
    Facts {
        at_ms: NOON + 3_600_000,
        program: "0.1.0; build unnamed; database format 7".to_owned(),
        config: Arc::new(sample::config()),
        said: rows,
        tses: vec![TseRow {
            no: TseNo(1),
            serial: [0x5a; 32],
            name: "TSE in Software (nicht zertifiziert)".to_owned(),
            link: TseRow::SOFTWARE.to_owned(),
            public_key: Vec::new(),
            algorithm: "ecdsa-plain-SHA384".to_owned(),
            time_format: "unixTime".to_owned(),
            certificates: Vec::new(),
            valid_until_ms: None,
            certified: false,
            taxpayer: sample::ORGANISER,
            clients_max: 100,
            signature_ms: 1,
        }],
        outages: vec![OutageRow {
            id: 1,
            tse: Some(TseNo(1)),
            client: None,
            from_ms: NOON,
            until_ms: Some(NOON + 9_000),
            reason: "no answer for 10 s".to_owned(),
        }],
        notifications: Vec::new(),
        closings: 2,
        journal: (41, Hash32([7; 32])),
        counts: BTreeMap::from([(SigningState::Signed, 40), (SigningState::InOutage, 1)]),
        users: BTreeMap::from([(Role::Admin, 1), (Role::Crew, 3)]),
        cases: (2, 1),
        audit: None,
        tls: true,
        public_url: Some("https://till.example".to_owned()),
    }
}

fn golden(name: &str, made: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/procedures/golden")
        .join(name);
    if std::env::var_os("GROSCHEN_WRITE_GOLDEN").is_some_and(|what| what == "1") && !path.exists() {
        std::fs::write(&path, made).unwrap();
    }
    let known = std::fs::read(&path).unwrap_or_default();
    assert!(
        known == made,
        "{} is another one; GROSCHEN_WRITE_GOLDEN=1 writes one that is missing",
        path.display()
    );
}

#[test]
fn the_document_is_the_golden_one_in_both_languages() {
    let facts = facts();
    for words in [Language::De, Language::En] {
        golden(
            &format!("procedures-{}.txt", words.code()),
            &made(&facts, words, Form::Text),
        );
    }
}

#[test]
fn every_form_holds_every_chapter_and_claims_nothing() {
    let facts = facts();
    for words in [Language::De, Language::En] {
        let page = String::from_utf8(made(&facts, words, Form::Html)).unwrap();
        assert_eq!(page.matches("<h2>").count(), 9);
        for claim in ["GoBD-konform", "gesetzeskonform", "KassenSichV-konform", "compliant"] {
            assert!(!page.contains(claim), "{claim}");
        }
        assert!(
            page.contains(&facts.digest().to_string()),
            "it names the digest of the settings"
        );
        assert!(made(&facts, words, Form::Pdf).starts_with(b"%PDF-"));
    }
}

#[test]
fn the_digest_changes_with_the_settings_and_not_with_the_moment() {
    let facts = facts();
    let later = Facts {
        at_ms: NOON * 2,
        ..facts.clone()
    };
    assert_eq!(later.digest(), facts.digest());
    let mut changed = facts.clone();
    changed.said[0].1.value = "resign-marked".to_owned();
    assert_ne!(changed.digest(), facts.digest());
}
