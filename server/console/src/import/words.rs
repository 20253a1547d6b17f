//! Why a second copy is not imported, in words. Each says that nothing was booked, and what to do now.

use engine::import::Unusable;
use pages::Language;
use shared_protocol::mirror::NoMirror;

pub(super) fn unusable(why: Unusable, words: Language) -> String {
    let forged = |seq: u64| match words {
        Language::De => format!(
            "Eintrag {seq} ist nicht das, was das Gerät unterschrieben hat. Jemand hat diese Kopie verändert. Nichts daraus ist gebucht; nimm die Kopie vom anderen Ort und gib diese der Technik."
        ),
        Language::En => format!(
            "Entry {seq} is not what the device signed. Somebody changed this copy. Nothing of it was booked; take the copy from the other place and give this one to tech."
        ),
    };
    let plain = |de: &str, en: &str| words.of(de, en).to_owned();
    match why {
        Unusable::Unreadable => plain(
            "Die Kopie sagt nicht, wessen Journal sie ist. Nichts ist gebucht; nimm die Kopie vom anderen Ort.",
            "The copy does not say whose journal it is. Nothing was booked; take the copy from the other place.",
        ),
        Unusable::OtherEvent => plain(
            "Das ist die Kopie eines anderen Festivals. Nichts ist gebucht; lies sie bei dem Server ein, zu dem das Gerät gehört.",
            "This is the copy of another event. Nothing was booked; import it at the server that the device belongs to.",
        ),
        Unusable::UnknownTerminal(id) => match words {
            Language::De => format!(
                "Das Gerät {id} ist hier nicht registriert. Nichts ist gebucht; prüf, ob dies der richtige Server ist und ob er aus einer alten Sicherung kommt."
            ),
            Language::En => format!(
                "The device {id} is not registered here. Nothing was booked; check whether this is the right server and whether it comes from an old backup."
            ),
        },
        Unusable::OtherKey => plain(
            "Die Kopie nennt einen anderen Schlüssel als den, mit dem das Gerät registriert ist. Sie ist gefälscht oder von einem anderen Server. Nichts ist gebucht; gib sie der Technik.",
            "The copy names another key than the one the device is registered with. It is forged, or from another server. Nothing was booked; give it to tech.",
        ),
        Unusable::BadSignature(seq) | Unusable::Edited(seq) => forged(seq),
    }
}

pub(super) fn no_mirror(why: &NoMirror, words: Language) -> String {
    let plain = |de: &str, en: &str| words.of(de, en).to_owned();
    match why {
        NoMirror::Nothing => plain(
            "Das ist keine Zweitkopie von Groschen, oder nichts daran ist lesbar. Nichts ist gebucht.",
            "This is no second copy of Groschen, or nothing of it can be read. Nothing was booked.",
        ),
        NoMirror::NoOpening => plain(
            "Der Teil ist zerstört, der sagt, wessen Journal das ist. Nichts ist gebucht; nimm die Kopie vom anderen Ort.",
            "The part is destroyed that says whose journal it is. Nothing was booked; take the copy from the other place.",
        ),
        NoMirror::Mixed => plain(
            "Die Datei enthält zwei verschiedene Journale. Nichts ist gebucht; gib sie der Technik.",
            "The file holds two different journals. Nothing was booked; give it to tech.",
        ),
        NoMirror::Newer(_) => plain(
            "Die Kopie ist von einem neueren Programm. Nichts ist gebucht; bring erst den Server auf denselben Stand.",
            "The copy is from a newer program. Nothing was booked; update the server first.",
        ),
    }
}
