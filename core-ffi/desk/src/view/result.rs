//! What the last hold or action came to: a colour, a shape and words, never one of them alone.

use maud::{Markup, html};
use pages::Language;
use shared_protocol::{Amount, StaffId};
use terminal::screen::{CartKind, Done, DoneKind, Notice, PurseRefusal, Refusal, Screen};

use super::guest::{self, Guest, asset_name};
use super::{Look, band, button, cart, currency, money, receipt};
use crate::act::{Money, Side};

/// The four shapes: a tick in a circle, an octagon with a bar, two arcs, a square.
fn shape(path: &str) -> Markup {
    html! {
        svg .shape viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round" { path d=(path) {} }
    }
}

pub(super) const TICK: &str = "M24 4a20 20 0 1 0 .01 0zM14 25l7 7 13-15";
pub(super) const OCTAGON: &str = "M16 4h16l12 12v16L32 44H16L4 32V16zM14 24h20";
pub(super) const ARCS: &str = "M5 33a19 19 0 0 1 38 0M14 35a10 10 0 0 1 20 0M24 38v.01";
pub(super) const SQUARE: &str = "M6 6h36v36H6zM24 22v12M24 14v.01";

pub(super) fn card(class: &str, path: &str, what: &Markup, more: &Markup) -> Markup {
    html! {
        section .result.(class) {
            (shape(path))
            h2 { (what) }
            (more)
        }
    }
}

pub(super) fn result(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    match &screen.notice {
        Notice::None => html! {},
        Notice::Working => card(
            "working",
            ARCS,
            &html! { (words.of("Noch kurz halten …", "Keep holding …")) },
            &html! {},
        ),
        Notice::Done(done) => paid(look, done),
        Notice::Refused(refusal) => refused(look, refusal),
        Notice::Balance {
            tag,
            money,
            owed,
            units,
            blocked,
            last_sale,
        } => guest::balance(
            look,
            Guest {
                tag: *tag,
                money: *money,
                owed: *owed,
                units,
                blocked: *blocked,
                last_sale: *last_sale,
            },
        ),
        Notice::AlreadyPaid { total, at_ms } => {
            let (total, time) = (words.euros(*total), words.clock.minute(*at_ms));
            let what = match (words.language, look.model.side_shown()) {
                (Language::De, Side::Sale) => format!("Schon bezahlt um {time}"),
                (Language::En, Side::Sale) => format!("Already paid at {time}"),
                (Language::De, Side::Money) => format!("Schon gebucht um {time}"),
                (Language::En, Side::Money) => format!("Already booked at {time}"),
            };
            card(
                "info",
                SQUARE,
                &html! { (what) },
                &html! { p { (total) " – " (words.of("nicht doppelt gebucht", "not booked twice")) } },
            )
        }
        wanted @ Notice::PinWanted { .. } => pin(look, wanted),
        Notice::CopyReceived { orders, total, .. } => copy_received(look, *orders, *total),
        Notice::OwnBand { .. } => own_band(look),
        Notice::SwapCashier { staff } => swap_cashier(look, *staff),
        Notice::NextPart => card(
            "again",
            ARCS,
            &html! { (words.of("Nächstes Band hinhalten", "Hold the next wristband")) },
            &html! {},
        ),
        Notice::HoldAgain { tag, total } => {
            let money = screen
                .cart
                .as_ref()
                .is_some_and(|cart| matches!(cart.kind, CartKind::TopUp { .. }));
            let total = words.euros(*total);
            card(
                "again hold-again",
                ARCS,
                &html! { (words.of("DASSELBE Band nochmal hinhalten", "Hold the SAME wristband again")) },
                &html! {
                    p .of-wristband { (look.wristband(*tag)) " · " (total) }
                    p { strong { @if money { (words.of("Noch kein zweites Mal Geld nehmen.", "Take no money a second time.")) } @else { (words.of("Noch nichts ausgeben.", "Hand out nothing yet.")) } } }
                    p { (words.of("Zu früh weg. Das Band sagt gleich selbst, ob es schon gebucht ist – nie doppelt.", "It left too early. The wristband itself tells whether it is booked – never twice.")) }
                },
            )
        }
        Notice::LastCart { booked, total, at_ms } => {
            let time = words.clock.second(*at_ms);
            let total = words.euros(*total);
            if *booked {
                card(
                    "good",
                    TICK,
                    &html! { (words.of("Letzte Zahlung gebucht", "Last payment booked")) },
                    &html! {
                        p { (total) " · " (time) }
                        (button("dismiss", "", Some("Escape"), words.of("Weiter", "Go on")))
                    },
                )
            } else {
                card(
                    "again",
                    ARCS,
                    &html! { (words.of("Letzter Versuch NICHT gebucht", "Last try NOT booked")) },
                    &html! {
                        @if screen.cart.as_ref().is_some_and(|cart| matches!(cart.kind, CartKind::Swap { .. })) { p { (time) " – " (words.of("der Tausch ist noch offen, bitte das neue Band hinhalten.", "the swap is still open, please hold the new wristband.")) } }
                        @else { p { (total) " · " (time) " – " (words.of("der Warenkorb ist wieder da, bitte nochmal hinhalten.", "the cart is back, please hold again.")) } }
                    },
                )
            }
        }
    }
}

fn person(look: Look<'_>, staff: StaffId) -> String {
    let config = look.model.config.as_ref();
    let found = config.and_then(|config| config.staff.get(&staff));
    found.map_or_else(String::new, |person| person.name.clone())
}

fn copy_received(look: Look<'_>, orders: u64, total: Amount) -> Markup {
    let words = look.words;
    card(
        "good",
        TICK,
        &html! { (words.of("Kopie ist hier gesichert", "The copy is safe here")) },
        &html! { p { (words.of("Buchungen:", "Bookings:")) " " (orders) " · " (words.euros(total)) } },
    )
}

fn swap_cashier(look: Look<'_>, staff: StaffId) -> Markup {
    let words = look.words;
    let name = person(look, staff);
    let what = match words.language {
        Language::De => format!("Zu {name} wechseln?"),
        Language::En => format!("Change to {name}?"),
    };
    question(&what, ("swap-cashier", words.of("Wechseln", "Change")))
}

fn own_band(look: Look<'_>) -> Markup {
    let words = look.words;
    let what = words.of(
        "Das ist dein eigenes Band. Damit bezahlen?",
        "That is your own wristband. Pay with it?",
    );
    question(what, ("pay-with-own", words.of("Bezahlen", "Pay")))
}

/// Something to say yes to.
fn question(what: &str, (act, yes): (&str, &str)) -> Markup {
    card(
        "info",
        SQUARE,
        &html! { (what) },
        &html! { (button(act, "main", None, yes)) },
    )
}

/// Asks for the PIN of somebody who wants to log in.
pub(super) fn pin(look: Look<'_>, wanted: &Notice) -> Markup {
    let Notice::PinWanted {
        staff,
        left,
        wrong,
        checking,
    } = wanted
    else {
        return html! {};
    };
    let words = look.words;
    let name = person(look, *staff);
    let what = match words.language {
        Language::De => format!("PIN von {name}"),
        Language::En => format!("PIN of {name}"),
    };
    let class = if *wrong { "again" } else { "info" };
    card(
        class,
        SQUARE,
        &html! { (what) },
        &html! {
            @if *wrong { p role="alert" { (words.of("Falsche PIN. Versuche noch:", "Wrong PIN. Tries left:")) " " (left) } }
            @if *checking { p { (words.of("Wird geprüft …", "Checking …")) } }
            @else {
                form .stack method="post" action="/act" data-quiet="reset" {
                    label { "PIN" input type="password" name="text" inputmode="numeric" autocomplete="off" required autofocus pattern="[0-9]{4,8}" maxlength="8"; }
                    button .main name="do" value="pin" { (words.of("Anmelden", "Log in")) }
                }
            }
        },
    )
}

/// A refusal; the same colour says in every case that nothing was taken.
pub(super) fn refused(look: Look<'_>, refusal: &Refusal) -> Markup {
    let words = look.words;
    let mut said = words.refusal(refusal);
    // Where wristbands cannot share a cart, a second one is no way out.
    let shares = look
        .model
        .screen
        .as_ref()
        .and_then(|screen| screen.cart.as_ref()?.split.as_ref())
        .is_some();
    if matches!(refusal, Refusal::BalanceTooLow { .. }) && !shares {
        words
            .of(
                "Etwas weglassen oder erst aufladen.",
                "Take something off, or top up first.",
            )
            .clone_into(&mut said.now);
    }
    let takes_money = !matches!(look.model.money_open(), Money::Nothing);
    let again = matches!(
        refusal,
        Refusal::BalanceTooLow { .. }
            | Refusal::Busy
            | Refusal::SeveralWristbands
            | Refusal::OtherWristband
            | Refusal::SameWristband
            | Refusal::Purse(PurseRefusal::Left | PurseRefusal::HoldSame)
    );
    let (class, path) = if again { ("again", ARCS) } else { ("bad", OCTAGON) };
    card(
        class,
        path,
        &html! { (said.what) },
        &html! {
            p { (said.now) }
            // Here alone nobody knows yet.
            @if *refusal != Refusal::Purse(PurseRefusal::Unknown) { p .nothing { @if takes_money { (words.of("Nichts gebucht.", "Nothing was booked.")) } @else { (words.of("Nichts abgebucht.", "Nothing was charged.")) } } }
            @if let Refusal::BalanceTooLow { has, .. } = refusal { p { (words.of("Auf dem Band:", "On the wristband:")) " " (words.euros(has.amount)) } }
        },
    )
}

pub(super) fn headline(look: Look<'_>, done: &Done) -> String {
    let words = look.words;
    let total = words.euros(done.total);
    let back = words.euros(Amount(done.total.0.saturating_neg()));
    match (&done.kind, words.language) {
        (DoneKind::Paid, Language::De) if done.total.is_negative() => format!("Gutschrift {back}"),
        (DoneKind::Paid, Language::En) if done.total.is_negative() => format!("Credited {back}"),
        (DoneKind::Paid, Language::De) => format!("Bezahlt {total}"),
        (DoneKind::Paid, Language::En) => format!("Paid {total}"),
        (DoneKind::Cancelled, Language::De) => format!("Storniert – {back} zurück"),
        (DoneKind::Cancelled, Language::En) => format!("Cancelled – {back} back"),
        (DoneKind::Corrected { was }, language) => {
            let (was, change) = (words.euros(*was), was.minus(done.total).unwrap_or_default());
            let to_guest = words.euros(Amount(change.0.saturating_abs()));
            match (language, change.is_negative()) {
                (Language::De, false) => format!("Korrigiert: statt {was} jetzt {total} – {to_guest} zurück"),
                (Language::De, true) => format!("Korrigiert: statt {was} jetzt {total} – {to_guest} mehr"),
                (Language::En, false) => format!("Corrected: was {was}, now {total} – {to_guest} back"),
                (Language::En, true) => format!("Corrected: was {was}, now {total} – {to_guest} more"),
            }
        }
        (DoneKind::ToppedUp { .. }, Language::De) => format!("Aufgeladen {total}"),
        (DoneKind::ToppedUp { .. }, Language::En) => format!("Topped up {total}"),
        (DoneKind::DrawerOpened, Language::De) => format!("Kasse offen mit {total}"),
        (DoneKind::DrawerOpened, Language::En) => format!("Drawer open with {total}"),
        (DoneKind::CashMoved, Language::De) if done.total.is_negative() => format!("Abgeholt {back}"),
        (DoneKind::CashMoved, Language::En) if done.total.is_negative() => format!("Picked up {back}"),
        (DoneKind::CashMoved, Language::De) => format!("Wechselgeld {total} dazu"),
        (DoneKind::CashMoved, Language::En) => format!("Change {total} brought"),
        (DoneKind::HandedIn(given), Language::De) => format!("Abgegeben {}", words.foreign(*given)),
        (DoneKind::HandedIn(given), Language::En) => format!("Handed in {}", words.foreign(*given)),
        (DoneKind::DrawerCounted { expected, counted }, language) => {
            let difference = counted.minus(*expected).unwrap_or_default();
            let by = words.euros(Amount(difference.0.saturating_abs()));
            match (language, difference.0.signum()) {
                (Language::De, 0) => "Kasse stimmt".to_owned(),
                (Language::En, 0) => "The drawer is right".to_owned(),
                (Language::De, 1) => format!("{by} mehr als erwartet"),
                (Language::En, 1) => format!("{by} more than expected"),
                (Language::De, _) => format!("{by} weniger als erwartet"),
                (Language::En, _) => format!("{by} less than expected"),
            }
        }
        (DoneKind::Swapped { .. }, Language::De) => "Band getauscht".to_owned(),
        (DoneKind::Swapped { .. }, Language::En) => "Wristband swapped".to_owned(),
        (DoneKind::Blocked { .. }, Language::De) => "Band gesperrt".to_owned(),
        (DoneKind::Blocked { .. }, Language::En) => "Wristband blocked".to_owned(),
        (DoneKind::PaidOut, Language::De) => format!("Ausgezahlt {back}"),
        (DoneKind::PaidOut, Language::En) => format!("Paid out {back}"),
    }
}

/// Whether it is about a wristband itself and no money of this till.
const fn is_of_band(done: &Done) -> bool {
    matches!(done.kind, DoneKind::Swapped { .. } | DoneKind::Blocked { .. })
}

fn paid(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    let config = look.model.config.as_deref();
    let served = config
        .map(|config| cart::handed_out(config, &look.model.served))
        .unwrap_or_default();
    card(
        "good",
        TICK,
        &html! { (headline(look, done)) },
        &html! {
            @if let Some(tag) = done.tag.filter(|_| !is_of_band(done)) { p .of-wristband { (look.wristband(tag)) @if let Some(left) = done.left { " · " (if matches!(done.kind, DoneKind::ToppedUp { .. }) { words.has(left) } else { words.left(left) }) } } }
            @if is_of_band(done) { (band::done(look, done)) }
            @if let Some(settles) = done.settles { (guest::settled(look, done, settles)) }
            (money::given_back(look, done))
            (currency::change(look, done))
            @if done.kind == (DoneKind::ToppedUp { after_sync: true }) {
                p { (words.of("Offline: Guthaben gilt, sobald diese Kasse wieder verbunden ist.", "Offline: the money can be spent once this till is connected again.")) }
            }
            @if done.kind == DoneKind::Paid {
                @for (deposit, count) in &served {
                    @if let Some(article) = config.and_then(|config| config.articles.get(deposit)) {
                        p .handed-out { (count) " × " (words.language.name(&article.name)) " " (words.of("ausgeben", "to hand out")) }
                    }
                }
            }
            @if let DoneKind::DrawerCounted { expected, counted } = &done.kind {
            p { (words.of("gezählt", "counted")) " " (words.euros(*counted)) ", " (words.of("erwartet", "expected")) " " (words.euros(*expected)) }
        }
        @for (asset, used) in &done.vouchers { p { (used) " × " (asset_name(look, *asset)) " " (words.of("benutzt", "used")) } }
            div .row {
                @if matches!(done.kind, DoneKind::Paid | DoneKind::Corrected { .. } | DoneKind::ToppedUp { .. }) && done.tag.is_some() {
                    (button("undo", "", Some("F6"), words.of("Rückgängig", "Undo")))
                }
                @if matches!(done.kind, DoneKind::Paid | DoneKind::Corrected { .. }) && done.tag.is_some() {
                    (button("correct", "", Some("F7"), words.of("Korrigieren", "Correct")))
                }
                @if is_of_band(done) || done.change.is_positive() { (button("dismiss", "", Some("Escape"), words.of("Weiter", "Go on"))) }
                (receipt::button(look, done))
            }
        },
    )
}
