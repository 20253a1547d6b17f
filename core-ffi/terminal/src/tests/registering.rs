use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Ed25519Signer, Hash32, PublicKey, Signer};
use shared_protocol::message::{Error, ErrorCode, Message, RegisterPending, Registered};
use shared_protocol::{SlotId, TillId};

use crate::screen::{Page, Registering, RegistrationRefusal};
use crate::testing::{Disk, Rig, TERMINAL, certificate, config_signer};
use crate::{Input, Invitation, config_key_digest};

fn invited(config_key: Option<Hash32>) -> Rig {
    let mut rig = Rig::with_disk(Disk::default(), true);
    assert_eq!(rig.screen().page, Page::Unregistered(Registering::Waiting));
    let device = "phone 7".to_owned();
    rig.input(Input::Register(Invitation {
        slot: SlotId([3; 16]),
        secret: [8; 16],
        device,
        config_key,
    }));
    rig
}

fn answer(config_key: PublicKey, key_seed: u8) -> Registered {
    let device = Ed25519Signer::from_seed(&[key_seed; 32]).unwrap();
    Registered {
        certificate: certificate(&device),
        config_key,
        epoch: EpochStart::FIRST,
    }
}

#[test]
fn a_device_becomes_a_terminal_when_a_person_has_confirmed_the_code() {
    let mut rig = invited(Some(config_key_digest(&config_signer().public_key())));
    assert!(matches!(rig.sent.last(), Some(Message::Register(register)) if register.secret.0 == [8; 16]));
    rig.say(RegisterPending {
        code: "123456".to_owned(),
    });
    assert_eq!(
        rig.screen().page,
        Page::Unregistered(Registering::Confirm {
            code: "123456".to_owned()
        })
    );
    rig.say(answer(config_signer().public_key(), 1));
    assert_eq!(
        (rig.terminal.id(), rig.screen().till),
        (Some(TERMINAL), Some(TillId(1)))
    );
    assert_eq!(rig.screen().page, Page::NoConfig);
    assert!(matches!(
        rig.sent
            .iter()
            .rev()
            .find(|message| matches!(message, Message::Hello(_))),
        Some(Message::Hello(_))
    ));
    rig.crash();
    assert_eq!(rig.terminal.id(), Some(TERMINAL));
}

#[test]
fn another_config_key_than_the_code_s_is_not_believed() {
    let mut rig = invited(Some(Hash32([1; 32])));
    rig.say(answer(config_signer().public_key(), 1));
    assert_eq!(
        rig.screen().page,
        Page::Unregistered(Registering::Refused(RegistrationRefusal::Forged))
    );
    assert_eq!(rig.terminal.id(), None);
}

#[test]
fn a_certificate_for_another_device_or_by_another_key_is_not_believed() {
    for answer in [
        answer(config_signer().public_key(), 2),
        answer(Ed25519Signer::from_seed(&[3; 32]).unwrap().public_key(), 1),
    ] {
        let mut rig = invited(None);
        rig.say(answer);
        assert_eq!(
            rig.screen().page,
            Page::Unregistered(Registering::Refused(RegistrationRefusal::Forged))
        );
        assert!(rig.disk.metas.is_empty());
    }
}

#[test]
fn a_code_that_was_used_is_said_so_and_another_can_be_scanned() {
    let mut rig = invited(None);
    rig.say(Error {
        code: ErrorCode::Registration,
        fatal: true,
        retry_after_ms: None,
        detail: String::new(),
    });
    assert_eq!(
        rig.screen().page,
        Page::Unregistered(Registering::Refused(RegistrationRefusal::Server))
    );
    let sent = rig.sent.len();
    rig.wait(60_000);
    assert_eq!(rig.sent.len(), sent, "a refused code is not tried again");
    rig.input(Input::Register(Invitation {
        slot: SlotId([4; 16]),
        secret: [9; 16],
        device: String::new(),
        config_key: None,
    }));
    assert!(matches!(rig.sent.last(), Some(Message::Register(register)) if register.slot == SlotId([4; 16])));
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    let mut rig = invited(None);
    rig.cut();
    rig.mend();
    let asked = rig
        .sent
        .iter()
        .filter(|message| matches!(message, Message::Register(_)))
        .count();
    assert!(asked >= 2);
    rig.say(answer(config_signer().public_key(), 1));
    assert_eq!(rig.terminal.id(), Some(TERMINAL));
}
