//! All that one wristband gets, from the masters of its batch.

use chips::purse::encode::Encoding;
use chips::{KeyName, KeyRefusal, KeyRole, KeyStore};
use shared_protocol::purse::cipher::{chip_key, diversified};
use shared_protocol::purse::{
    AesKey, Block, BlockEncrypt, ChainId, Header, Image, ListEntry, Purpose, PurseSettings, Token, Uid,
};

/// One master of a store.
pub struct MasterOf<'a> {
    /// The store.
    pub store: &'a dyn KeyStore,
    /// Which.
    pub name: KeyName,
}

impl BlockEncrypt for MasterOf<'_> {
    type Refusal = KeyRefusal;

    fn encrypt(&self, block: Block) -> Result<Block, KeyRefusal> {
        self.store.encrypt(self.name, block)
    }
}

/// A master by its batch and role.
pub fn master(store: &dyn KeyStore, batch: u16, role: KeyRole) -> MasterOf<'_> {
    MasterOf {
        store,
        name: KeyName { batch, role },
    }
}

/// The key that a chip of this header checks.
pub fn auth_key(store: &dyn KeyStore, header: &Header, uid: Uid) -> Result<Block, KeyRefusal> {
    chip_key(
        &master(store, header.batch, KeyRole::Auth),
        uid,
        Purpose::Auth,
        header.keyset,
    )
}

/// All that one wristband gets.
#[derive(Clone)]
pub struct Derived {
    header: Header,
    uid: Uid,
    auth_key: Block,
    uid_key: Block,
    record_key: AesKey,
    anchors: [Token; 3],
    event: u32,
}

impl Derived {
    /// Derives it; needs all keys of the batch. Walking the chains down to their anchors is most of the work.
    pub fn new(store: &dyn KeyStore, settings: &PurseSettings, header: Header, uid: Uid) -> Result<Self, KeyRefusal> {
        let auth = master(store, header.batch, KeyRole::Auth);
        let mac = master(store, header.batch, KeyRole::Mac);
        // It guards nothing, random ids being off; it is another on each chip so that the factory's does not stay.
        let word = [&uid.0[..], b"uid", &[header.keyset]].concat();
        let uid_key = diversified(&auth, &word).unwrap_or_else(|| unreachable!("11 bytes"))?;
        Ok(Self {
            header,
            uid,
            auth_key: auth_key(store, &header, uid)?,
            uid_key,
            record_key: AesKey::new(&chip_key(&mac, uid, Purpose::Purse, header.keyset)?),
            anchors: anchors(store, settings, header.batch, uid)?,
            event: settings.event,
        })
    }

    /// What is written on it. `text` is the number that is printed on the wristband.
    pub fn encoding(&self, text: [u8; 8]) -> Encoding {
        Encoding {
            image: Image::fresh(&self.header, text, &self.anchors, &self.record_key, self.uid),
            auth_key: self.auth_key,
            uid_key: self.uid_key,
        }
    }

    /// What the batch's list says of it.
    pub fn entry(&self) -> ListEntry {
        ListEntry::of(self.event, &self.header, self.uid, &self.anchors)
    }
}

/// The anchors of a chip; needs the keys of all three chains.
pub fn anchors(store: &dyn KeyStore, settings: &PurseSettings, batch: u16, uid: Uid) -> Result<[Token; 3], KeyRefusal> {
    let anchor = |chain| settings.anchor(&master(store, batch, KeyRole::Chain(chain)), uid, chain);
    Ok([
        anchor(ChainId::Desk)?,
        anchor(ChainId::Server)?,
        anchor(ChainId::Return)?,
    ])
}
