//! Cases of wristbands that a desk swapped or blocked.

use shared_protocol::catalogue::Text;

use super::CaseKind;

shared_protocol::closed_enum! {
    /// Why a swap or a block was not done. The number of a case of its kind.
    pub enum SwapFault {
        /// Till or cashier may not do it.
        NotPermitted = 1,
        /// Old and new are one wristband.
        Same = 2,
        /// The old one was replaced before.
        AlreadyReplaced = 3,
        /// The new one is blocked.
        NewBlocked = 4,
        /// The new one has money or units already.
        NewInUse = 5,
        /// What the purse showed is larger than any amount.
        Unclear = 6,
        /// The old one was blocked by the organiser, which a new wristband must not undo.
        OldBlocked = 7,
    }
}

impl SwapFault {
    fn explain(self) -> Text {
        match self {
            Self::NotPermitted => Text::new(
                "Kasse oder Kassenkraft darf keine Bänder tauschen oder sperren. Nichts bewegt, nichts gesperrt. Rollen prüfen; stimmt der Wunsch des Gastes, auf der Seite des Bands sperren oder übertragen.",
                "The till or the cashier may not swap or block wristbands. Nothing moved, nothing was blocked. Check the roles; if the guest's wish is true, block or move it on the wristband's page.",
            ),
            Self::Same => Text::new(
                "Ein Tausch nennt dasselbe Band als altes und als neues. Nichts bewegt, nichts gesperrt. Den Gast ansprechen und mit einem anderen Band tauschen.",
                "A swap names the same wristband as the old and the new one. Nothing moved, nothing was blocked. Talk to the guest and swap with another wristband.",
            ),
            Self::AlreadyReplaced => Text::new(
                "Dieses Band war schon durch ein anderes ersetzt. Der zweite Tausch hat nichts bewegt; zwei Leute haben vielleicht dasselbe Band gemeldet. Bitte klären, wem das Guthaben gehört.",
                "This wristband had been replaced by another one. The second swap moved nothing; two people may have reported the same wristband. Please settle whose money it is.",
            ),
            Self::OldBlocked => Text::new(
                "Das alte Band eines Tauschs war vom Veranstalter gesperrt. Nichts bewegt, die Sperre bleibt. Entscheiden, ob der Gast sein Guthaben bekommt; wenn ja, auf der Seite des Bands übertragen.",
                "The old wristband of a swap was blocked by the organiser. Nothing moved, the block stays. Decide whether the guest gets the money; if so, move it on the wristband's page.",
            ),
            Self::NewBlocked => Text::new(
                "Das neue Band eines Tauschs ist gesperrt. Nichts bewegt, das alte ist nicht gesperrt. Dem Gast ein anderes Band geben und noch einmal tauschen.",
                "The new wristband of a swap is blocked. Nothing moved, the old one is not blocked. Give the guest another wristband and swap again.",
            ),
            Self::NewInUse => Text::new(
                "Auf dem neuen Band eines Tauschs war schon etwas: Es gehört vielleicht jemand anderem. Nichts bewegt, das alte ist nicht gesperrt. Gehören beide demselben Gast, auf der Seite des alten Bands übertragen; sonst ein frisches Band geben.",
                "The new wristband of a swap had something on it already: it may be somebody else's. Nothing moved, the old one is not blocked. If both are the same guest's, move everything on the page of the old one; otherwise hand out a fresh wristband.",
            ),
            Self::Unclear => Text::new(
                "Was das alte Band gezeigt hat, ergibt keinen Betrag. Nichts bewegt, nichts gesperrt. Das Gerät prüfen und auf der Seite des Bands übertragen.",
                "What the old wristband showed makes no amount. Nothing moved, nothing was blocked. Check the device and move everything on the wristband's page.",
            ),
        }
    }
}

/// What happened and what to do; `number` is the case's, and the same as money in German and in English.
pub(super) fn explain(kind: CaseKind, number: i64, (german, english): (String, String)) -> Text {
    match kind {
        CaseKind::SwapUndone => {
            let fault = u8::try_from(number).ok().and_then(SwapFault::from_code);
            fault.map_or_else(
                || {
                    Text::new(
                        "Ein Tausch oder eine Sperre wurde nicht ausgeführt. Nichts bewegt; bitte auf der Seite des Bands erledigen.",
                        "A swap or a block was not done. Nothing moved; please do it on the wristband's page.",
                    )
                },
                SwapFault::explain,
            )
        }
        CaseKind::SwapRest => Text::new(
            &format!(
                "Beim Tausch blieben {german} auf dem alten Band, weil Kassen noch nicht alles gesendet haben. Haben alle gesendet, den Rest auf der Seite des alten Bands auf das neue übertragen."
            ),
            &format!(
                "At the swap {english} stayed on the old wristband, because tills have not sent everything yet. When all have sent, move the rest to the new one on the page of the old wristband."
            ),
        ),
        CaseKind::AfterSwap => Text::new(
            &format!(
                "Auf ein ersetztes Band kamen noch {german}. Der Gast hat ein neues: auf der Seite des alten Bands dorthin übertragen."
            ),
            &format!(
                "Another {english} came to a wristband that was replaced. Its guest has a new one: move the money there on the page of the old wristband."
            ),
        ),
        CaseKind::PurseNotFilled => Text::new(
            &format!(
                "Ein Band hat {german} in den Büchern, nach einem Tausch oder als Gutscheine, die nicht auf seinen Chip können. Auf der Seite des Bands gutschreiben, sobald der Schlüssel der Serverkette da ist, oder dem Gast ein anderes Band geben."
            ),
            &format!(
                "A wristband has {english} in the books, after a swap or as vouchers, that cannot go onto its chip. Credit it on the wristband's page as soon as the key of the server's chain is there, or give the guest another wristband."
            ),
        ),
        _ => Text::new(&german, &english),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_why_a_swap_was_not_done_is_explained_in_both_languages() {
        for fault in SwapFault::ALL {
            let number = i64::from(fault.code());
            let text = explain(CaseKind::SwapUndone, number, (String::new(), String::new()));
            assert!(
                text.de.contains("Nichts bewegt") || text.de.contains("nichts bewegt"),
                "{fault:?}"
            );
            assert!(
                text.en.to_lowercase().contains("nothing moved") || text.en.contains("moved nothing"),
                "{fault:?}"
            );
        }
        let unknown = explain(CaseKind::SwapUndone, 99, (String::new(), String::new()));
        assert!(unknown.en.contains("Nothing moved"));
    }
}
