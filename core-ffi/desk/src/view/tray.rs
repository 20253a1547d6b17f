//! The virtual reader and its wristbands, marked as what they are.

use maud::{Markup, html};

use super::Look;
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
    // An id each: focus must not slip from one that is gone to another that does something else.
    let control = |act: &str, class: &str, label: &str| {
        html! { button class=(class) #(format!("tray-{}", act.replace(' ', "-"))) form="act" name="do" value=(act) { (label) } }
    };
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
                (control("hold two", "small", words.of("Zwei zugleich", "Two at once")))
                (control("hold foreign", "small", words.of("Fremde Karte", "Foreign card")))
                @if tray.held.is_some() { (control("leave", "small", words.of("Wegnehmen", "Take away"))) }
                @else if let Some(picked) = tray.picked() {
                    (control("leave", "small", &format!("{} {}", words.language.name(&picked.label), words.of("liegen lassen", "left lying"))))
                }
                @if look.options.simulation.faults {
                    @if let Some(picked) = tray.picked().filter(|picked| picked.purse && tray.held.is_none()) {
                        (control("too-early", "small", &format!("{} {}", words.language.name(&picked.label), words.of("zu früh wegziehen", "pulled away too early"))))
                        (control("too-early plug", "small", words.of("mittendrin Leser ausstecken", "unplug the reader in the middle")))
                    }
                    @if unplugged { (control("plug in", "small mend", words.of("Leser einstecken", "Plug the reader in"))) }
                    @else { (control("plug out", "small", words.of("Leser ausstecken", "Unplug the reader"))) }
                    @if look.model.cut { (control("cut off", "small mend", words.of("Netz wieder an", "Network back on"))) }
                    @else { (control("cut on", "small", words.of("Netz kappen", "Cut the network"))) }
                    (control("crash", "small", words.of("Akku ziehen", "Pull the battery")))
                }
            }
        }
    }
}
