//! What the office did meets the store: nothing that it names may be missing, because a commit that names it would end the engine.

use shared_protocol::catalogue::Text;
use store::{Office, Store, StoreError};

use crate::Engine;
use crate::batch::Batch;
use crate::request::Settled;

impl<S: Store> Engine<S> {
    /// Takes all of it or nothing.
    pub(crate) fn office(&mut self, batch: &mut Batch, office: &Office) -> Result<Settled, StoreError> {
        for note in &office.notes {
            if self.reader.case(note.case)?.is_none() {
                return Ok(Settled::Refused(Text::new(
                    &format!(
                        "Den Fall {} gibt es nicht. Nichts wurde gespeichert, kein Geld bewegt. Lade die Liste der Fälle neu.",
                        note.case
                    ),
                    &format!(
                        "There is no case {}. Nothing was stored, no money moved. Load the list of cases again.",
                        note.case
                    ),
                )));
            }
        }
        for session in &office.sessions {
            let mut new = batch.office.users.iter().chain(&office.users);
            if !new.any(|user| user.name == session.user) && self.reader.user(&session.user)?.is_none() {
                return Ok(Settled::Refused(Text::new(
                    "Diesen Zugang gibt es nicht. Nichts wurde gespeichert, kein Geld bewegt. Melde dich neu an.",
                    "There is no such login. Nothing was stored, no money moved. Log in again.",
                )));
            }
        }
        batch.office.append(office.clone());
        Ok(Settled::Done)
    }
}
