//! How a device becomes a terminal: a code is scanned, the key is proved, a person confirms, the answer is checked against the event's
//! config key, and all of it is on the disk before the terminal says who it is.

use serde::{Deserialize, Serialize};

use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Hash32, PublicKey, Signature};
use shared_protocol::ids::Bytes;
use shared_protocol::message::{Certificate, Register, Registered, Registration, register_message};
use shared_protocol::{decode, encode};

use crate::Terminal;
use crate::input::Invitation;
use crate::journal::Chain;
use crate::output::{MetaKey, Write};
use crate::screen::{Registering, RegistrationRefusal};
use crate::session::CommandThen;
use crate::step::Step;
use crate::store::Then;
use crate::sync::Signing;

/// The digest of an event's config key, as a registration code carries it.
pub fn config_key_digest(key: &PublicKey) -> Hash32 {
    Hash32::of("groschen config key 1", &[&encode(key)])
}

/// Who the terminal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub certificate: Certificate,
    pub config_key: PublicKey,
    pub registration: Registration,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    certificate: Certificate,
    config_key: PublicKey,
}

/// What is stored under [`MetaKey::Identity`] for a terminal that is registered.
pub fn identity_meta(certificate: &Certificate, config_key: &PublicKey) -> Vec<u8> {
    encode(&Saved {
        certificate: certificate.clone(),
        config_key: config_key.clone(),
    })
}

/// The certificate in what is stored under [`MetaKey::Identity`].
pub fn certificate_of(identity: &[u8]) -> Option<Certificate> {
    read_identity(identity).map(|(certificate, _)| certificate)
}

/// Reads what [`identity_meta`] wrote, without checking it.
pub(crate) fn read_identity(bytes: &[u8]) -> Option<(Certificate, PublicKey)> {
    let saved: Saved = decode(bytes).ok()?;
    Some((saved.certificate, saved.config_key))
}

impl Identity {
    /// Checks that the certificate is the event's and for this device's key.
    fn verified(certificate: Certificate, config_key: PublicKey, own_key: &PublicKey) -> Option<Self> {
        let registration = certificate
            .read(&config_key)
            .ok()
            .filter(|registration| registration.key == *own_key)?;
        Some(Self {
            certificate,
            config_key,
            registration,
        })
    }

    pub fn restore(bytes: &[u8], own_key: &PublicKey) -> Option<Self> {
        let (certificate, config_key) = read_identity(bytes)?;
        Self::verified(certificate, config_key, own_key)
    }
}

/// A registration under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registrar {
    pub invitation: Option<Invitation>,
    code: Option<String>,
    refused: Option<RegistrationRefusal>,
}

impl Registrar {
    pub fn view(&self) -> Registering {
        match (&self.refused, &self.code, &self.invitation) {
            (Some(refusal), ..) => Registering::Refused(*refusal),
            (None, Some(code), _) => Registering::Confirm { code: code.clone() },
            (None, None, Some(_)) => Registering::Asking,
            (None, None, None) => Registering::Waiting,
        }
    }
}

impl Terminal {
    pub(crate) fn invited(&mut self, step: &mut Step<'_>, invitation: Invitation) {
        if self.identity.is_none() {
            self.registrar = Registrar {
                invitation: Some(invitation),
                ..Registrar::default()
            };
            self.reconnect_now(step);
        }
    }

    /// The server's challenge came and there is a code to use.
    pub(crate) fn prove_for_registration(&mut self, step: &mut Step<'_>, nonce: &Hash32) {
        let Some(invitation) = &self.registrar.invitation else {
            return;
        };
        let message = register_message(nonce, invitation.slot, &self.setup.key);
        self.sign(step, Signing::Register, message);
    }

    pub(crate) fn send_registration(&mut self, step: &mut Step<'_>, proof: Signature) {
        let Some(invitation) = self.registrar.invitation.clone() else {
            return;
        };
        let register = Register {
            slot: invitation.slot,
            secret: Bytes(invitation.secret.to_vec()),
            key: self.setup.key.clone(),
            device: invitation.device,
            proof,
        };
        self.send(step, register);
    }

    pub(crate) fn registration_pending(&mut self, code: String) {
        if self.registrar.invitation.is_some() {
            self.registrar.code = Some(code);
        }
    }

    /// Nothing came of it; another code can be scanned.
    pub(crate) fn registration_refused(&mut self, step: &mut Step<'_>, refusal: RegistrationRefusal) {
        self.registrar = Registrar {
            refused: Some(refusal),
            ..Registrar::default()
        };
        self.hang_up(step);
    }

    pub(crate) fn registered(&mut self, step: &mut Step<'_>, answer: Registered) {
        let Some(invitation) = self.registrar.invitation.as_ref().filter(|_| self.identity.is_none()) else {
            return;
        };
        let expected = invitation
            .config_key
            .is_none_or(|digest| digest == config_key_digest(&answer.config_key));
        let identity = Identity::verified(answer.certificate, answer.config_key, &self.setup.key).filter(|_| expected);
        let Some(identity) = identity else {
            self.registration_refused(step, RegistrationRefusal::Forged);
            return;
        };
        if !self.store.journal_is_free(step.now.mono_ms) {
            return;
        }
        let value = Some(identity_meta(&identity.certificate, &identity.config_key));
        let writes = vec![
            Write::Meta {
                key: MetaKey::Identity,
                value,
            },
            Write::Epoch(answer.epoch),
        ];
        self.store.persist(
            step,
            Vec::new(),
            writes,
            Then::Registered(Box::new(identity), answer.epoch),
        );
    }

    pub(crate) fn registration_is_durable(&mut self, step: &mut Step<'_>, identity: Identity, epoch: EpochStart) {
        self.journal = vec![Chain::new(identity.registration.terminal, epoch)];
        self.identity = Some(identity);
        self.registrar = Registrar::default();
        self.note_command(shared_protocol::entry::CommandKind::Start, None, CommandThen::Nothing);
        // The challenge of this connection is used up; the terminal says who it is on a new one.
        self.reconnect_now(step);
    }
}
