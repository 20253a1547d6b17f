//! Cases of wristbands with a purse.

use shared_protocol::Amount;
use shared_protocol::catalogue::Text;

use super::CaseKind;
use crate::purse::Finding;

impl CaseKind {
    /// The case that a finding about a purse opens, with the cents it is about.
    pub(crate) fn of_finding(finding: Finding) -> (Self, Amount) {
        match finding {
            Finding::Overlap { cents } => (Self::PurseOverlap, cents),
            Finding::SetBack { cents } => (Self::PurseSetBack, cents),
            Finding::UnknownCredit { cents } => (Self::UnknownCredit, cents),
            Finding::Mismatch { cents } => (Self::PurseMismatch, cents),
        }
    }
}

/// What happened and what to do; the money as people write it in German and in English.
pub(super) fn explain(kind: CaseKind, (german, english): (String, String)) -> Text {
    match kind {
        CaseKind::PurseOverlap => Text::new(
            &format!(
                "Zwei Buchungen beanspruchen dasselbe Stück der Börse ({german}): Mit einer Kopie dieses Bands wurde bezahlt, oder eine Aufladung wurde nach einer Störung wiederholt. Band sperren, wenn der Gast nur eines hat; Kassen und Uhrzeiten vergleichen."
            ),
            &format!(
                "Two orders claim the same part of the purse ({english}): a copy of this wristband paid, or a top-up was repeated after a failure. Block the wristband if the guest has only one; compare tills and times."
            ),
        ),
        CaseKind::PurseSetBack => Text::new(
            &format!(
                "Eine Kasse sah auf diesem Band weniger Umsatz als vorher ({german}): Das Band wurde zurückgesetzt oder ist eine Kopie. Band sperren und den Gast an den Infopunkt bitten."
            ),
            &format!(
                "A till saw less spent or credited on this wristband than before ({english}): it was set back, or it is a copy. Block the wristband and ask the guest to come to the information desk."
            ),
        ),
        CaseKind::UnknownCredit => Text::new(
            &format!(
                "Auf dem Band ist Guthaben des Servers, das der Server nie gegeben hat ({german}). Das geht nur mit seinem Schlüssel: sofort den Schlüssel tauschen und die Charge auf Serverführung umstellen."
            ),
            &format!(
                "The wristband has credit of the server that the server never gave ({english}). That takes its key: replace the key at once and switch the batch to the server's authority."
            ),
        ),
        CaseKind::PurseMismatch => Text::new(
            &format!(
                "Die Börse hat sich um einen anderen Betrag bewegt, als die Bestellung sagt (Unterschied {german}). Gebucht wie bestellt; das Gerät prüfen und den Unterschied ausgleichen."
            ),
            &format!(
                "The purse moved by another amount than its order says (a difference of {english}). Booked as ordered; check the device and settle the difference."
            ),
        ),
        CaseKind::PurseGap => Text::new(
            &format!(
                "Auf dem Band fehlen Buchungen über genau {german}: Eine Kasse hat sie nie gesendet. Kassen mit ungesendeten Buchungen suchen, sonst die Zweitkopie des verlorenen Geräts einlesen."
            ),
            &format!(
                "Orders of exactly {english} are missing on this wristband: a till never sent them. Look for tills with unsent orders, or import the second copy of the lost device."
            ),
        ),
        CaseKind::CreditGap => Text::new(
            &format!(
                "Auf dem Band ist Guthaben über {german}, das keine Kasse gemeldet hat: Ein Aufladeplatz ist verloren gegangen, oder sein Schlüssel wurde gestohlen. Aufladeplätze senden lassen und Zweitkopien einlesen; bleibt es ungeklärt, die Kette der Aufladeplätze einfrieren."
            ),
            &format!(
                "The wristband has credit of {english} that no till has reported: a top-up desk is lost, or its key was stolen. Let the desks send and import second copies; if it stays unexplained, freeze the desks' chain."
            ),
        ),
        CaseKind::PurseInterrupted => Text::new(
            &format!(
                "Eine Zahlung über {german} wurde unterbrochen, und die Kasse kann nicht sagen, ob das Band bezahlt hat. Es wurde nichts ausgegeben. Sobald alle Kassen gesendet haben, wissen es die Bücher."
            ),
            &format!(
                "A payment of {english} was interrupted, and the till cannot tell whether the wristband paid. Nothing was handed out. The books know as soon as all tills have sent."
            ),
        ),
        CaseKind::PurseCompleted => Text::new(
            &format!(
                "Eine unterbrochene Zahlung über {german} war doch auf dem Band, aber keine Kasse sagt, dass Ware ausgegeben wurde. Nicht als Verkauf gebucht; Kassenkraft fragen und dem Gast den Betrag gutschreiben."
            ),
            &format!(
                "An interrupted payment of {english} was on the wristband after all, but no till says that goods were handed out. Not booked as a sale; ask the cashier and credit the guest."
            ),
        ),
        _ => Text::new(&german, &english),
    }
}
