//! What the office did meets the store: nothing that it names may be missing, because a commit that names it would end the engine.

use shared_protocol::catalogue::Text;
use store::{Office, Store, StoreError};

use crate::Engine;
use crate::batch::Batch;
use crate::request::Settled;

impl<S: Store> Engine<S> {
    /// Takes all of it or nothing.
    pub(crate) fn office(&mut self, batch: &mut Batch, office: &Office) -> Result<Settled, StoreError> {
        if office.before_orders && self.has_orders(batch)? {
            return Ok(Settled::Refused(Text::new(
                "Dafür ist es zu spät: Es gibt schon Buchungen, und ihre Belege, Signaturen und Exporte müssen dieselbe Geschichte erzählen. Nichts ist geändert. Eine andere Wahl gilt erst für eine neue Veranstaltung; sprich mit eurem Steuerbüro, was mit den vorhandenen Buchungen zu tun ist.",
                "It is too late for that: there are orders already, and their receipts, signatures and exports have to tell the same story. Nothing was changed. Another choice holds for a new event only; ask your tax advisor what to do about the orders there are.",
            )));
        }
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

    /// Whether an order came off, or stands in the journal where the signer has not been yet: that one may be at the TSE by now.
    fn has_orders(&mut self, batch: &Batch) -> Result<bool, StoreError> {
        let came_off: u64 = self.reader.signing_counts()?.values().sum();
        Ok(came_off > 0 || batch.has_rows() || self.reader.head()?.0 > self.reader.signed_to()?)
    }
}
