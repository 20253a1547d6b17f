//! Batches of wristbands: which there are, who decides about them, and which wristband belongs to which.

use festival::purse::Purse;
use shared_protocol::AssetId;
use shared_protocol::catalogue::Text;
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::purse::{BatchList, ListEntry};
use shared_protocol::wristband::{Batch as Wristbands, BatchAuthority};
use store::Store;

use crate::Engine;
use crate::batch::Batch;
use crate::request::{BatchChange, Enrolment, Settled};

/// The entry of a place whose wristband was never finished. It is that of no chip.
const NOBODY: [u8; ListEntry::BYTES] = [0; ListEntry::BYTES];

fn refused(de: &str, en: &str) -> Settled {
    Settled::Refused(Text::new(de, en))
}

impl<S: Store> Engine<S> {
    fn wristbands<'a>(&'a self, batch: &'a Batch, number: u16) -> Option<&'a Wristbands> {
        batch.wristbands.get(&number).or_else(|| self.batches.get(&number))
    }

    pub(crate) fn change_batch(&self, batch: &mut Batch, number: u16, change: &BatchChange) -> Settled {
        let known = self.wristbands(batch, number).cloned();
        let changed = match (change, known.clone()) {
            (BatchChange::List { list, vouchers }, known) => match self.listed(number, list, vouchers, known) {
                Ok(changed) => changed,
                Err(settled) => return settled,
            },
            (_, None) => {
                return refused(
                    &format!("Die Charge {number} ist hier nicht bekannt. Nichts ist geändert."),
                    &format!("Batch {number} is not known here. Nothing was changed."),
                );
            }
            (BatchChange::ToServer, Some(known)) => Wristbands {
                authority: BatchAuthority::Server,
                ..known
            },
            (BatchChange::FreezeDesks(desk_frozen), Some(known)) => Wristbands {
                desk_frozen: *desk_frozen,
                ..known
            },
            // Without its keys nobody can say what a chip holds: the books have to.
            (BatchChange::Revoke, Some(known)) => Wristbands {
                revoked: true,
                authority: BatchAuthority::Server,
                ..known
            },
        };
        if known.as_ref() != Some(&changed) {
            batch.wristbands.insert(number, changed);
        }
        Settled::Done
    }

    /// A list only grows: what a terminal has of it stays true.
    fn listed(
        &self,
        number: u16,
        list: &BatchList,
        vouchers: &[AssetId],
        known: Option<Wristbands>,
    ) -> Result<Wristbands, Settled> {
        let whole = list.batch == number
            && list.entries.0.len().is_multiple_of(ListEntry::BYTES)
            && vouchers.len() <= VOUCHER_KINDS;
        if !whole {
            return Err(refused(
                "Das ist nicht die Liste dieser Charge. Nichts ist geändert.",
                "This is not the list of this batch. Nothing was changed.",
            ));
        }
        if let Some(known) = &known {
            let entries = |list: &BatchList| list.entries.0.as_chunks::<{ ListEntry::BYTES }>().0.to_vec();
            let (old, new) = (entries(&known.list), entries(list));
            let mut old = old.iter().enumerate().filter(|(_, entry)| **entry != NOBODY);
            let gone = old.find(|(index, entry)| new.get(*index) != Some(*entry));
            if known.list.settings != list.settings || known.vouchers != vouchers {
                return Err(refused(
                    &format!(
                        "Die Charge {number} ist hier mit anderen Einstellungen bekannt. Nichts ist geändert. Nimm eine neue Chargennummer."
                    ),
                    &format!(
                        "Batch {number} is known here with other settings. Nothing was changed. Take a new batch number."
                    ),
                ));
            }
            if let Some((index, _)) = gone {
                return Err(refused(
                    &format!(
                        "Der Liste fehlt das Band mit Index {index}, das hier schon bekannt ist. Nichts ist geändert. Nimm die neueste Liste aus dem Ordner des Encoders."
                    ),
                    &format!(
                        "The list lacks the wristband with index {index}, which is known here. Nothing was changed. Take the newest list from the encoder's folder."
                    ),
                ));
            }
            if known.list == *list {
                return Ok(known.clone());
            }
        }
        let Ok(signature) = self.signer.sign(&list.message()) else {
            return Err(refused(
                "Der Schlüssel der Veranstaltung kann nicht unterschreiben. Nichts ist geändert. Ruf die Technik.",
                "The event's key cannot sign. Nothing was changed. Call tech.",
            ));
        };
        let (list, vouchers) = (list.clone(), vouchers.to_vec());
        Ok(match known {
            Some(known) => Wristbands {
                list,
                signature,
                ..known
            },
            None => Wristbands {
                vouchers,
                ..Wristbands::new(list, signature)
            },
        })
    }

    /// All of them or none: the first that belongs elsewhere stops it.
    pub(crate) fn enrol(&self, batch: &mut Batch, number: u16, tags: &[Enrolment]) -> Settled {
        let Some(authority) = self.wristbands(batch, number).map(|known| known.authority) else {
            return refused(
                &format!("Die Charge {number} ist hier nicht bekannt. Kein Band wurde aufgenommen."),
                &format!("Batch {number} is not known here. No wristband was taken in."),
            );
        };
        let elsewhere = tags
            .iter()
            .find_map(|one| Some((one.tag, batch.purses.get(&one.tag)?.batch)).filter(|(_, other)| *other != number));
        if let Some((tag, other)) = elsewhere {
            return refused(
                &format!("Das Band {tag} gehört schon zu Charge {other}. Kein Band wurde aufgenommen."),
                &format!("Wristband {tag} belongs to batch {other} already. No wristband was taken in."),
            );
        }
        for one in tags {
            let purse = batch
                .purses
                .entry(one.tag)
                .or_insert_with(|| Purse::new(number, authority));
            if let Some(label) = &one.label {
                purse.label = Some(label.clone());
            }
        }
        Settled::Done
    }
}
