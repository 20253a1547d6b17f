//! The virtual reader and its wristbands, marked as what they are.

use maud::{Markup, html};

use super::{Look, button};
use crate::tray::Held;

pub(super) fn tray(look: Look<'_>) -> Markup {
    let words = look.words;
    let tray = &look.model.tray;
    if tray.wristbands.is_empty() {
        return html! {};
    }
    let unplugged = look
        .model
        .readers
        .simulated
        .as_ref()
        .is_some_and(|plugged| plugged.names.is_empty());
    html! {
        section #tray .tray aria-label=(words.of("Simulierter Leser", "Simulated reader")) {
            h2 { (words.of("Bänder zum Hinhalten", "Wristbands to hold")) " " span .simulated { (words.of("simulierter Leser", "simulated reader")) } }
            div .row {
                @for (place, wristband) in tray.wristbands.iter().enumerate() {
                    @let held = tray.held == Some(Held::One(place));
                    button .wristband.crew[wristband.crew].held[held] #(format!("wristband-{place}")) form="act" name="do" value=(format!("hold {place}"))
                        aria-current=[(tray.picked == place).then_some("true")] {
                        span .number aria-hidden="true" { "/" (place + 1) } " " (words.language.name(&wristband.label))
                        @if wristband.purse { " " span .chip { (words.of("Geld auf dem Chip", "money on the chip")) } }
                        @if held { " " span { (words.of("· am Leser", "· on the reader")) } }
                    }
                }
            }
            div .row.quiet {
                (button("hold two", "small", None, words.of("Zwei zugleich", "Two at once")))
                (button("hold foreign", "small", None, words.of("Fremde Karte", "Foreign card")))
                @if tray.held.is_some() { (button("leave", "small", None, words.of("Wegnehmen", "Take away"))) }
                @else if let Some(picked) = tray.picked() {
                    (button("leave", "small", None, &format!("{} {}", words.language.name(&picked.label), words.of("liegen lassen", "left lying"))))
                }
                @if look.options.simulation.faults {
                    @if let Some(picked) = tray.picked().filter(|picked| picked.purse && tray.held.is_none()) {
                        (button("too-early", "small", None, &format!("{} {}", words.language.name(&picked.label), words.of("zu früh wegziehen", "pulled away too early"))))
                        (button("too-early plug", "small", None, words.of("mittendrin Leser ausstecken", "unplug the reader in the middle")))
                    }
                    @if unplugged { (button("plug in", "small mend", None, words.of("Leser einstecken", "Plug the reader in"))) }
                    @else { (button("plug out", "small", None, words.of("Leser ausstecken", "Unplug the reader"))) }
                    @if look.model.cut { (button("cut off", "small mend", None, words.of("Netz wieder an", "Network back on"))) }
                    @else { (button("cut on", "small", None, words.of("Netz kappen", "Cut the network"))) }
                    (button("crash", "small", None, words.of("Akku ziehen", "Pull the battery")))
                }
            }
        }
    }
}
