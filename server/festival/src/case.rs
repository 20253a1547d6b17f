//! Cases: what the books cannot settle by themselves and a person has to look at. A case says what happened, how much money is at stake, and
//! what to do, in both languages; it is stored as numbers, so that its words can become better later.

use serde::{Deserialize, Serialize};
use shared_protocol::catalogue::Text;
use shared_protocol::{Amount, EventId, OrderId, TagId};

mod bands;
mod purses;

pub use bands::SwapFault;

shared_protocol::open_enum! {
    /// What kind of case it is.
    pub enum CaseKind {
        /// Goods were handed out that the wristband could not pay.
        Overdraft = 1,
        /// An order charged other prices, taxes, discounts or deposits than the catalogue it names.
        PriceMismatch = 2,
        /// An order names a configuration that this server never had.
        UnknownRevision = 3,
        /// The cashier or the till may not do what was done.
        NotPermitted = 4,
        /// A till took more offline than the event allows.
        OfflineLimit = 5,
        /// A blocked wristband paid.
        BlockedTag = 6,
        /// An order takes back one that is not known.
        ReversalUnknown = 7,
        /// An order was taken back a second time.
        ReversedTwice = 8,
        /// An order contradicts itself and was not booked.
        OrderFault = 9,
        /// An order id is known with other content.
        IdConflict = 10,
        /// An entry cannot be read.
        Unreadable = 11,
        /// Entries whose signature does not match.
        BadSignature = 12,
        /// A terminal's journal forked: restored from a backup, or two devices with one identity.
        Fork = 13,
        /// A terminal announced entries that never came.
        EntriesMissing = 14,
        /// A kind of order that this version keeps but does not book.
        KindNotBooked = 15,
        /// A terminal wrote in an epoch that this server did not issue (it was restored from an older backup).
        UnknownEpoch = 16,
        /// A terminal's clock was off by more than 30 minutes, or never compared with the server's.
        ClockDoubtful = 17,
        /// A terminal is known by its certificate only (the server was restored from an older backup).
        TerminalReadopted = 18,
        /// An order of another event or organisation.
        WrongEvent = 19,
        /// What was taken back differs from what had been booked.
        ReversalMismatch = 20,
        /// A till's drawer was counted against another sum than the books have.
        DrawerMismatch = 21,
        /// Two orders have the same part of a purse: a copy of the wristband was used.
        PurseOverlap = 22,
        /// A till saw less on a purse than it had seen before: the wristband was set back, or is a copy.
        PurseSetBack = 23,
        /// A purse has more of the server's credits than the server ever gave.
        UnknownCredit = 24,
        /// A purse moved by another amount than its order says.
        PurseMismatch = 25,
        /// A purse was spent or credited by a till that never sent the order.
        PurseGap = 26,
        /// A payment was interrupted, and its till cannot tell whether the purse paid.
        PurseInterrupted = 27,
        /// A payment was interrupted and the purse did pay, but no till says that goods were handed out.
        PurseCompleted = 28,
        /// A purse was credited by a desk or a till that never sent the order: it is lost, or its key was stolen.
        CreditGap = 29,
        /// A desk ordered a swap or a block of a wristband that was not done; the number says why.
        SwapUndone = 30,
        /// A guest got another wristband, and some of the money stayed on the old one.
        SwapRest = 31,
        /// Money came to a wristband whose guest has another one by now.
        AfterSwap = 32,
        /// What a guest's new wristband got is in the books and could not be given to its purse.
        PurseNotFilled = 33,
    }
}

/// A case as it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What kind.
    pub kind: CaseKind,
    /// Which event.
    pub event: EventId,
    /// Money at stake in cents, zero or above.
    pub stake: Amount,
    /// The order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The wristband it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagId>,
    /// A number that belongs to the kind: how many entries, which refusal code, which article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
}

/// Cents as people write them in either language.
fn euros(cents: i64) -> (String, String) {
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    (format!("{whole},{rest:02} €"), format!("€{whole}.{rest:02}"))
}

impl Case {
    /// A case about an order.
    pub fn of_order(kind: CaseKind, event: EventId, order: OrderId, stake: Amount) -> Self {
        Self {
            kind,
            event,
            stake: Amount(stake.0.saturating_abs()),
            order: Some(order),
            tag: None,
            number: None,
        }
    }

    /// A case about a terminal's journal.
    pub fn of_journal(kind: CaseKind, event: EventId, number: Option<i64>) -> Self {
        Self {
            kind,
            event,
            stake: Amount::ZERO,
            order: None,
            tag: None,
            number,
        }
    }

    /// The same about a wristband.
    #[must_use]
    pub fn with_tag(self, tag: Option<TagId>) -> Self {
        Self { tag, ..self }
    }

    /// The same with its number.
    #[must_use]
    pub fn with_number(self, number: i64) -> Self {
        Self {
            number: Some(number),
            ..self
        }
    }

    /// What happened and what to do, for a person.
    #[expect(clippy::too_many_lines, reason = "one text for each kind, read side by side")]
    pub fn explain(&self) -> Text {
        let number = self.number.unwrap_or_default();
        match self.kind {
            CaseKind::Overdraft => Text::new(
                "Ware ausgegeben, die das Band nicht decken konnte. Der Rest ist als Forderung gebucht und wird von der nächsten Aufladung beglichen; sonst den Gast ansprechen oder ausbuchen.",
                "Goods were handed out that the wristband could not pay. The rest is booked as owed and is settled from the next top-up; otherwise talk to the guest or write it off.",
            ),
            CaseKind::PriceMismatch => Text::new(
                "Die Kasse hat andere Preise, Steuern, Rabatte oder Pfand berechnet als der Katalog, den sie nennt. Gebucht wie kassiert; bitte Katalog und Gerät vergleichen.",
                "The till charged other prices, taxes, discounts or deposits than the catalogue it names. Booked as charged; please compare catalogue and device.",
            ),
            CaseKind::UnknownRevision => Text::new(
                "Die Bestellung nennt einen Katalogstand, den dieser Server nicht kennt. Gebucht wie kassiert.",
                "The order names a catalogue revision that this server does not know. Booked as charged.",
            ),
            CaseKind::NotPermitted => Text::new(
                "Kassenkraft oder Kasse durfte das nicht. Gebucht wie geschehen; bitte Rollen und Gerät prüfen.",
                "The cashier or the till was not allowed to do this. Booked as it happened; please check roles and device.",
            ),
            CaseKind::OfflineLimit => Text::new(
                "Die Kasse hat offline mehr angenommen als erlaubt. Gebucht; bitte Gerät und Grenzen prüfen.",
                "The till took more offline than allowed. Booked; please check the device and the limits.",
            ),
            CaseKind::BlockedTag => Text::new(
                "Ein gesperrtes Band hat bezahlt, bevor die Kasse davon wusste. Gebucht; bitte mit dem Besitzer klären.",
                "A blocked wristband paid before the till knew of the block. Booked; please settle it with its owner.",
            ),
            CaseKind::ReversalUnknown => Text::new(
                "Ein Storno nennt eine Bestellung, die hier nicht bekannt ist. Nach seinen eigenen Zeilen gebucht; die andere Kasse hat vielleicht noch nicht gesendet.",
                "A cancellation names an order that is not known here. Booked from its own lines; the other till may not have sent yet.",
            ),
            CaseKind::ReversedTwice => Text::new(
                "Diese Bestellung war schon storniert. Das zweite Storno hat nichts bewegt; bitte mit dem Gast klären.",
                "This order had been cancelled before. The second cancellation moved nothing; please settle it with the guest.",
            ),
            CaseKind::OrderFault => Text::new(
                "Die Bestellung widerspricht sich selbst und ist nicht gebucht. Ihr Inhalt ist aufbewahrt; bitte von Hand prüfen.",
                "The order contradicts itself and is not booked. Its content is kept; please check it by hand.",
            ),
            CaseKind::IdConflict => Text::new(
                "Eine Bestellung kam mit einer schon gebuchten Nummer und anderem Inhalt. Nicht gebucht, aber aufbewahrt; das Gerät prüfen.",
                "An order came with an id that is booked already, and with other content. Not booked but kept; check the device.",
            ),
            CaseKind::Unreadable => Text::new(
                "Ein Eintrag ist nicht lesbar. Er ist aufbewahrt, nichts ist gebucht; bitte das Gerät prüfen.",
                "An entry cannot be read. It is kept, nothing is booked; please check the device.",
            ),
            CaseKind::BadSignature => Text::new(
                "Einträge kamen mit falscher Signatur. Sie sind aufbewahrt, nichts ist gebucht; das Gerät nicht weiter benutzen.",
                "Entries came with a wrong signature. They are kept, nothing is booked; stop using the device.",
            ),
            CaseKind::Fork => Text::new(
                "Das Journal eines Geräts hat zwei Fassungen: aus einer alten Sicherung wiederhergestellt oder zwei Geräte mit einer Identität. Beide sind gebucht; bitte die Geräte ansehen.",
                "A device's journal has two versions: restored from an old backup, or two devices with one identity. Both are booked; please look at the devices.",
            ),
            CaseKind::EntriesMissing => Text::new(
                &format!(
                    "{number} angekündigte Einträge eines Geräts sind nie angekommen. Das Gerät suchen und senden lassen."
                ),
                &format!("{number} entries that a device announced never came. Find the device and let it send."),
            ),
            CaseKind::KindNotBooked => Text::new(
                &format!("Eine Buchung der Art {number} wird von dieser Version aufbewahrt, aber nicht gebucht."),
                &format!("An order of kind {number} is kept by this version but not booked."),
            ),
            CaseKind::UnknownEpoch => Text::new(
                "Ein Gerät schreibt in einem Abschnitt, den dieser Server nicht ausgegeben hat. Das ist nach dem Einspielen einer Sicherung normal; sonst das Gerät prüfen.",
                "A device writes in an epoch that this server did not issue. That is normal after restoring a backup; otherwise check the device.",
            ),
            CaseKind::ClockDoubtful => Text::new(
                "Die Uhr des Geräts war nicht verlässlich. Der Veranstaltungstag stammt aus der Sitzung; bei Bedarf zuordnen.",
                "The device's clock was not reliable. The event day comes from the session; assign it if needed.",
            ),
            CaseKind::TerminalReadopted => Text::new(
                "Ein Gerät ist nur durch sein Zertifikat bekannt. Das ist nach dem Einspielen einer Sicherung normal.",
                "A device is known by its certificate only. That is normal after restoring a backup.",
            ),
            CaseKind::WrongEvent => Text::new(
                "Eine Bestellung gehört zu einer anderen Veranstaltung. Sie ist aufbewahrt, aber nicht gebucht.",
                "An order belongs to another event. It is kept but not booked.",
            ),
            CaseKind::ReversalMismatch => Text::new(
                "Ein Storno nennt andere Beträge als die gebuchte Bestellung. Zurückgenommen ist die Buchung, wie sie war.",
                "A cancellation names other amounts than the order had. What was booked is what was taken back.",
            ),
            CaseKind::DrawerMismatch => {
                let de = if number < 0 { "weniger" } else { "mehr" };
                let en = if number < 0 { "less" } else { "more" };
                let (german, english) = euros(number);
                Text::new(
                    &format!(
                        "Beim Zählen der Lade hatten die Bücher {german} {de} als die Kasse selbst. Gebucht wie gezählt; bitte prüfen, ob an dieser Kasse ein zweites Gerät oder ohne offene Lade kassiert wurde."
                    ),
                    &format!(
                        "When the drawer was counted, the books had {english} {en} than the till itself. Booked as counted; please check whether another device took cash at this till, or cash was taken with no drawer open."
                    ),
                )
            }
            CaseKind::PurseOverlap
            | CaseKind::PurseSetBack
            | CaseKind::UnknownCredit
            | CaseKind::PurseMismatch
            | CaseKind::PurseGap
            | CaseKind::CreditGap
            | CaseKind::PurseInterrupted
            | CaseKind::PurseCompleted => purses::explain(self.kind, euros(number)),
            CaseKind::SwapUndone | CaseKind::SwapRest | CaseKind::AfterSwap | CaseKind::PurseNotFilled => {
                bands::explain(self.kind, number, euros(number))
            }
            CaseKind::Other(code) => Text::new(&format!("Unbekannte Art {code}."), &format!("Unknown kind {code}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_explained_in_both_languages() {
        for kind in CaseKind::ALL {
            let text = Case::of_journal(*kind, EventId([0; 16]), Some(3)).explain();
            assert!(
                text.de.len() > 40 && text.en.len() > 40 && text.de != text.en,
                "{kind:?}"
            );
        }
    }
}
