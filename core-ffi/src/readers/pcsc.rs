//! Readers over the system's PC/SC service (pcscd).
//!
//! Nothing is polled: the wait is one call that the service answers when a reader or a card comes or goes. All readers are watched at once, or those
//! whose name is asked for; one card is held at a time, exclusively, and its connection is kept until it has left, so that nobody powers it down or
//! selects it anew in between.
//!
//! What must never happen here: a reader that has to be started again by hand. Pulled out and put back, or with its service restarted, it comes back.

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::time::Duration;

use chips::field::{Field, FieldFault, Selected};
use pcsc::{Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};
use shared_protocol::TagId;

use super::bell::Bell;
use super::{Framing, Happening, HardwareReader, ListFault, Over, ReaderInfo, Unusable, Waker, atr};

/// While the service is away it is asked this often if it is back. It has no way to call.
const SERVICE_RETRY: Duration = Duration::from_millis(500);
/// The longest wait before all readers are listed again. The service compares how many there are only from when the wait begins, so one that comes
/// in the instant before would else stay unseen.
const WAIT: Duration = Duration::from_mins(1);
/// Longest answer: 256 bytes and a status word, and some more for the forms of readers.
const ANSWER_BYTES_MAX: usize = 512;

const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];
const GET_ATS: [u8; 5] = [0xFF, 0xCA, 0x01, 0x00, 0x00];

/// Readers over PC/SC.
pub struct PcscReader {
    only: Option<String>,
    framing: Option<Framing>,
    bell: Arc<Bell>,
    link: Option<Link>,
    /// The service went away: it is given a moment before it is asked again.
    lost: bool,
    told: VecDeque<Happening>,
    field: CardField,
}

/// The service, and what is known of its readers.
struct Link {
    context: Context,
    /// Says when readers come or go.
    plug: ReaderState,
    slots: Vec<Slot>,
}

/// One reader of the service.
struct Slot {
    name: CString,
    label: String,
    framing: Framing,
    set_up: bool,
    state: Option<ReaderState>,
    /// The count of comings and goings at which what lies there was told.
    told_at: Option<u32>,
}

impl PcscReader {
    /// All readers, or those whose name contains `only`.
    pub fn new(only: Option<&str>) -> Self {
        Self {
            only: only.map(str::to_owned),
            framing: None,
            bell: Arc::default(),
            link: None,
            lost: false,
            told: VecDeque::new(),
            field: CardField { held: None },
        }
    }

    /// Passes frames in this form, whatever a reader's name calls for: for a reader that is sold under a name of its own.
    #[must_use]
    pub fn with_framing(mut self, framing: Framing) -> Self {
        self.framing = Some(framing);
        self
    }

    /// Finds what there is to tell, without waiting for it.
    fn look(&mut self) -> Result<(), Error> {
        let link = match &mut self.link {
            Some(link) => link,
            None => self.link.insert(Link::establish()?),
        };
        for slot in link.pulled(&names(&link.context)?) {
            slot.unplugged(&mut self.field, &mut self.told);
        }
        link.plugged(self.only.as_deref(), self.framing, &mut self.told)?;
        if self.told.is_empty() {
            link.digest(&mut self.field, &mut self.told);
        }
        Ok(())
    }

    /// The service is gone or talks nonsense: with it all readers and what lay on them.
    fn lose(&mut self, error: Error) {
        self.lost = true;
        if let Some(link) = self.link.take() {
            tracing::warn!(%error, "the PC/SC service is gone");
            for slot in link.slots {
                slot.unplugged(&mut self.field, &mut self.told);
            }
        }
    }
}

impl HardwareReader for PcscReader {
    fn wait(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.told.pop_front() {
                return happening;
            }
            if self.bell.take() {
                return Happening::Woken;
            }
            if std::mem::take(&mut self.lost) {
                self.bell.sleep(SERVICE_RETRY);
            }
            if let Err(error) = self.look() {
                self.lose(error);
            } else if self.told.is_empty()
                && let Some(link) = &mut self.link
            {
                match link.block(&self.bell) {
                    None | Some(Ok(()) | Err(Error::Timeout | Error::Cancelled | Error::UnknownReader)) => {}
                    Some(Err(error)) => self.lose(error),
                }
            }
        }
    }

    fn field(&mut self) -> &mut dyn Field {
        &mut self.field
    }

    fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.bell))
    }
}

impl Link {
    fn establish() -> Result<Self, Error> {
        Ok(Self {
            context: Context::establish(Scope::User)?,
            plug: ReaderState::new(pcsc::PNP_NOTIFICATION(), State::UNAWARE),
            slots: Vec::new(),
        })
    }

    /// The readers that are gone, or were for a moment.
    fn pulled(&mut self, names: &[CString]) -> Vec<Slot> {
        let (stay, gone) = std::mem::take(&mut self.slots)
            .into_iter()
            .partition(|slot| names.contains(&slot.name) && !slot.was_gone());
        self.slots = stay;
        gone
    }

    /// The readers that are new.
    fn plugged(
        &mut self,
        only: Option<&str>,
        framing: Option<Framing>,
        told: &mut VecDeque<Happening>,
    ) -> Result<(), Error> {
        for name in names(&self.context)? {
            let label = name.to_string_lossy().into_owned();
            let known = self.slots.iter().any(|slot| slot.name == name);
            let Some(framing) = framing.or_else(|| Framing::for_reader(&label)) else {
                continue;
            };
            if known || only.is_some_and(|only| !label.contains(only)) {
                continue;
            }
            told.push_back(Happening::Plugged(ReaderInfo {
                name: label.clone(),
                over: Over::Pcsc(Some(framing)),
                holds: false,
            }));
            self.slots.push(Slot {
                name,
                label,
                framing,
                set_up: false,
                state: None,
                told_at: None,
            });
        }
        Ok(())
    }

    /// What the states say of cards: first what has left, and only when nothing is held any more, what has come.
    fn digest(&mut self, field: &mut CardField, told: &mut VecDeque<Happening>) {
        for slot in &mut self.slots {
            if slot.told_at.is_some() && slot.told_at != slot.card() {
                slot.told_at = None;
                field.held = None;
                told.push_back(Happening::Left);
                return;
            }
        }
        if self.slots.iter().any(|slot| slot.told_at.is_some()) {
            return;
        }
        for slot in &mut self.slots {
            let Some(count) = slot.card() else { continue };
            let happening = match Held::connect(&self.context, slot) {
                Ok((held, selected)) => {
                    field.held = Some(held);
                    Happening::Chip(selected)
                }
                // Gone again before anybody could speak to it; the next states say so.
                Err(None) => continue,
                Err(Some(unusable)) => Happening::Unusable(unusable),
            };
            slot.told_at = Some(count);
            told.push_back(happening);
            return;
        }
    }

    /// Waits for the service; `None` when somebody rang.
    fn block(&mut self, bell: &Bell) -> Option<Result<(), Error>> {
        // The states travel in one array; each goes back to its slot afterwards.
        let mut states: Vec<ReaderState> = self
            .slots
            .iter_mut()
            .map(|slot| {
                let mut state = slot
                    .state
                    .take()
                    .unwrap_or_else(|| ReaderState::new(slot.name.clone(), State::UNAWARE));
                state.sync_current_state();
                state
            })
            .collect();
        self.plug.sync_current_state();
        let plug = std::mem::replace(
            &mut self.plug,
            ReaderState::new(pcsc::PNP_NOTIFICATION(), State::UNAWARE),
        );
        states.push(plug);

        let context = self.context.clone();
        let end = move || {
            // It fails while the wait has not begun yet; the bell asks again.
            let _asked_again = context.cancel();
        };
        let result = bell.block(end, || self.context.get_status_change(WAIT, &mut states));

        if let Some(plug) = states.pop() {
            self.plug = plug;
        }
        let valid = matches!(result, Some(Ok(())));
        for (slot, state) in self.slots.iter_mut().zip(states) {
            // After a wait that was cut off the event states are half written: they are asked for anew.
            slot.state = valid.then_some(state);
        }
        result
    }
}

impl Slot {
    /// Whether it was gone when it was looked at last. A reader that is only unavailable is still listed and may recover.
    fn was_gone(&self) -> bool {
        let gone = State::UNKNOWN | State::IGNORE;
        self.state
            .as_ref()
            .is_some_and(|state| state.event_state().intersects(gone))
    }

    /// The count of comings and goings, if a card lies there; what is told stays told while nobody knows better.
    fn card(&self) -> Option<u32> {
        match &self.state {
            Some(state) if state.event_state().contains(State::PRESENT) => Some(state.event_count()),
            Some(_) => None,
            None => self.told_at,
        }
    }

    fn unplugged(self, field: &mut CardField, told: &mut VecDeque<Happening>) {
        if self.told_at.is_some() {
            field.held = None;
            told.push_back(Happening::Left);
        }
        told.push_back(Happening::Unplugged { name: self.label });
    }
}

/// The field of the card that is held.
struct CardField {
    held: Option<Held>,
}

struct Held {
    /// Taken only when this ends.
    card: Option<pcsc::Card>,
    context: Context,
    name: CString,
    framing: Framing,
    layer_3: bool,
}

impl Held {
    /// Takes the card on a reader; `None` as the reason when it has left again.
    fn connect(context: &Context, slot: &mut Slot) -> Result<(Self, Selected), Option<Unusable>> {
        let card = context
            .connect(&slot.name, ShareMode::Exclusive, Protocols::ANY)
            .map_err(unusable)?;
        let mut held = Self {
            card: Some(card),
            context: context.clone(),
            name: slot.name.clone(),
            framing: slot.framing,
            layer_3: false,
        };
        if !slot.set_up {
            for apdu in slot.framing.set_up() {
                // A reader that does not know it works without.
                held.transmit(apdu).map_err(unusable)?;
            }
            slot.set_up = true;
        }
        let selected = held.describe()?;
        Ok((held, selected))
    }

    fn card(&self) -> Result<&pcsc::Card, Error> {
        self.card.as_ref().ok_or(Error::RemovedCard)
    }

    fn transmit(&self, apdu: &[u8]) -> Result<Vec<u8>, Error> {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        Ok(self.card()?.transmit(apdu, &mut buffer)?.to_vec())
    }

    /// What was selected, and the reader made ready for frames.
    fn describe(&mut self) -> Result<Selected, Option<Unusable>> {
        let status = self.card().and_then(pcsc::Card::status2_owned).map_err(unusable)?;
        let card = atr::Card::from_atr(status.atr());
        if card == atr::Card::Other {
            return Err(Some(Unusable::OtherCard));
        }
        let answer = self.transmit(&GET_UID).map_err(unusable)?;
        let uid = match answer.as_slice() {
            [uid @ .., 0x90, 0x00] => TagId::from_slice(uid),
            _ => None,
        };
        let uid = uid.ok_or_else(|| Some(Unusable::Refused(format!("no id of the card: {answer:02X?}"))))?;
        let selected = match card {
            atr::Card::Layer3 { atqa, sak } => Selected {
                uid,
                atqa,
                sak,
                ats: None,
            },
            atr::Card::IsoDep { historical } => Selected {
                uid,
                // What the chips of this kind that a festival meets (DESFire and its kin) answer; PC/SC does not hand it on.
                atqa: [0x03, 0x44],
                sak: 0x20,
                ats: Some(match self.transmit(&GET_ATS).as_deref() {
                    Ok([ats @ .., 0x90, 0x00]) if !ats.is_empty() => ats.to_vec(),
                    _ => historical,
                }),
            },
            atr::Card::Other => return Err(Some(Unusable::OtherCard)),
        };
        self.layer_3 = selected.ats.is_none();
        if self.layer_3 {
            self.open()?;
        }
        Ok(selected)
    }

    fn open(&self) -> Result<(), Option<Unusable>> {
        for apdu in self.framing.opening() {
            let answer = self.transmit(apdu).map_err(unusable)?;
            if !answer.ends_with(&[0x90, 0x00]) {
                let refused = format!("{:?} answered {answer:02X?} to {apdu:02X?}", self.name);
                return Err(Some(Unusable::Refused(refused)));
            }
        }
        Ok(())
    }

    fn fault(&self, error: Error) -> FieldFault {
        match error {
            Error::NoSmartcard | Error::RemovedCard | Error::ResetCard | Error::UnpoweredCard => FieldFault::Gone,
            // The exchange broke off; whether because the card left is known to the reader by now.
            Error::NotTransacted if !self.is_present() => FieldFault::Gone,
            Error::NotTransacted | Error::UnresponsiveCard => FieldFault::Silent,
            error => FieldFault::Reader(error.to_string()),
        }
    }

    fn is_present(&self) -> bool {
        let mut states = [ReaderState::new(self.name.clone(), State::UNAWARE)];
        let known = self.context.get_status_change(Duration::ZERO, &mut states);
        known.is_ok() && states.iter().all(|state| state.event_state().contains(State::PRESENT))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.layer_3 {
            for apdu in self.framing.closing() {
                // The card may be gone, and with it the session.
                let _gone = self.transmit(apdu);
            }
        }
        if let Some(card) = self.card.take()
            && let Err((card, _gone)) = card.disconnect(Disposition::ResetCard)
        {
            drop(card);
        }
    }
}

impl Field for CardField {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        let held = self.held.as_ref().ok_or(FieldFault::Gone)?;
        let send = |apdu: &[u8]| held.transmit(apdu).map_err(|error| held.fault(error));
        if !held.layer_3 {
            return send(frame);
        }
        let response = send(&held.framing.wrap(frame)?)?;
        held.framing.unwrap(frame, &response)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        let held = self.held.as_mut().ok_or(FieldFault::Gone)?;
        let card = held.card.as_mut().ok_or(FieldFault::Gone)?;
        if let Err(error) = card.reconnect(ShareMode::Exclusive, Protocols::ANY, Disposition::ResetCard) {
            return Err(held.fault(error));
        }
        held.describe().map_err(|unusable| match unusable {
            None => FieldFault::Gone,
            Some(Unusable::Mute) => FieldFault::Silent,
            Some(unusable) => FieldFault::Reader(format!("{unusable:?}")),
        })
    }
}

/// Why a card cannot be spoken to; `None` when it is gone.
fn unusable(error: Error) -> Option<Unusable> {
    match error {
        Error::NoSmartcard | Error::RemovedCard | Error::UnknownReader | Error::ReaderUnavailable => None,
        Error::UnresponsiveCard | Error::UnpoweredCard | Error::NotTransacted => Some(Unusable::Mute),
        Error::SharingViolation => Some(Unusable::Busy),
        error => Some(Unusable::Refused(error.to_string())),
    }
}

fn names(context: &Context) -> Result<Vec<CString>, Error> {
    match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        names => names,
    }
}

/// All readers of the service, also slots that hold no wristband.
pub fn list() -> Result<Vec<ReaderInfo>, ListFault> {
    let fault = |error| match error {
        Error::NoService | Error::ServiceStopped => ListFault::NoService,
        error => ListFault::Other(error.to_string()),
    };
    let context = Context::establish(Scope::User).map_err(fault)?;
    let holds = |name: &CStr| {
        let mut states = [ReaderState::new(name, State::UNAWARE)];
        let known = context.get_status_change(Duration::ZERO, &mut states);
        known.is_ok() && states.iter().any(|state| state.event_state().contains(State::PRESENT))
    };
    let infos = names(&context).map_err(fault)?.into_iter().map(|name| {
        let label = name.to_string_lossy().into_owned();
        ReaderInfo {
            over: Over::Pcsc(Framing::for_reader(&label)),
            name: label,
            holds: holds(&name),
        }
    });
    Ok(infos.collect())
}
