//! Why something was not done, and what a person does now.

use shared_protocol::Amount;
use shared_protocol::currency::Foreign;
use shared_protocol::stream::BlockReason;
use terminal::StorageFault;
use terminal::screen::{DeviceFault, OfflineLimit, PurseRefusal, Refusal, RegistrationRefusal};

use super::{Said, Words};

impl Words<'_> {
    /// Why the purse on a wristband was not used.
    fn purse(&self, why: PurseRefusal) -> Said {
        match why {
            PurseRefusal::Left => self.said(
                ("Zu kurz gehalten", "Dasselbe Band nochmal hinhalten und liegen lassen."),
                ("Not held long enough", "Hold the same wristband again and leave it there."),
            ),
            PurseRefusal::HoldSame => self.said(
                ("Erst dasselbe Band nochmal hinhalten", "Es hat vielleicht schon bezahlt. Ist der Gast weg: Warenkorb leeren."),
                ("Hold the same wristband first", "It may have paid already. If the guest is gone: clear the cart."),
            ),
            PurseRefusal::Unknown => self.said(
                ("Nicht zu klären, ob bezahlt ist", "Nichts ausgeben und nichts nochmal kassieren: den Gast zum Infopunkt schicken. Der Fall ist gemeldet."),
                ("Whether it has paid cannot be told here", "Hand out nothing and charge nothing again: send the guest to the Info point. The case is reported."),
            ),
            PurseRefusal::NoKey => self.said(
                ("Diese Kasse darf das mit diesem Band nicht", "Zu einer anderen Kasse schicken und die Technik rufen: hier fehlt ein Schlüssel."),
                ("This till may not do that with this wristband", "Send the guest to another till and call the tech team: a key is missing here."),
            ),
            PurseRefusal::UnknownBatch { batch } => self.said(
                (&format!("Band aus Charge {batch} gilt hier nicht"), "Infopunkt: Band tauschen. Ist es von heute, braucht die Kasse einmal Netz."),
                (&format!("Wristbands of batch {batch} are not valid here"), "Info point: exchange it. If it is from today, this till needs the network once."),
            ),
            PurseRefusal::Forged => self.said(
                ("Dieses Band ist nicht echt", "Nicht kassieren. Band einbehalten, wenn möglich, und den Infopunkt rufen."),
                ("This wristband is not genuine", "Take no payment. Keep the wristband if you can and call the Info point."),
            ),
            PurseRefusal::SetBack => self.said(
                ("Dieses Band hat weniger gebucht als vorher", "Nicht kassieren: Es wurde zurückgesetzt oder kopiert. Zum Infopunkt schicken."),
                ("This wristband holds less than before", "Take no payment: it was set back or copied. Send the guest to the Info point."),
            ),
            PurseRefusal::Damaged => self.said(
                ("Dieses Band ist beschädigt", "Infopunkt: Band tauschen. Das Guthaben ist in den Büchern."),
                ("This wristband is damaged", "Info point: exchange it. The money is in the books."),
            ),
            PurseRefusal::Full => self.said(
                ("Auf dieses Band passt nichts mehr", "Infopunkt: Band tauschen. Das Guthaben geht mit."),
                ("This wristband is full", "Info point: exchange it. The money goes with it."),
            ),
            PurseRefusal::Frozen => self.said(
                ("Aufladen ist gerade abgeschaltet", "An einer Kasse mit Netz aufladen lassen."),
                ("Top-up is switched off right now", "Let the guest top up at a till with network."),
            ),
            PurseRefusal::Step { unit } => {
                let step = self.euros(Amount(i64::from(unit)));
                self.said(
                    (&format!("Nur in Schritten von {step}"), "Einen passenden Betrag eintippen."),
                    (&format!("In steps of {step} only"), "Type an amount that fits."),
                )
            }
            PurseRefusal::Vouchers => self.said(
                ("Diese Gutscheine gehen hier nicht", "Ohne Gutscheine kassieren, oder zum Infopunkt schicken."),
                ("These vouchers do not work here", "Charge without vouchers, or send the guest to the Info point."),
            ),
            PurseRefusal::NoSplit => self.said(
                ("Teilen geht mit diesen Bändern nicht", "Den Warenkorb aufteilen und einzeln kassieren."),
                ("These wristbands cannot share a cart", "Make a cart for each and charge them one by one."),
            ),
        }
    }

    /// Why something was not done. No money moved, and the page says so beside this.
    #[expect(clippy::too_many_lines, reason = "one table of words, complete by the compiler")]
    pub fn refusal(&self, refusal: &Refusal) -> Said {
        match refusal {
            Refusal::BalanceTooLow { missing, .. } => {
                let missing = self.euros(*missing);
                self.said(
                    (
                        &format!("Es fehlen {missing}"),
                        "Zweites Band hinhalten oder etwas weglassen.",
                    ),
                    (
                        &format!("{missing} short"),
                        "Hold a second wristband, or take something off.",
                    ),
                )
            }
            Refusal::OfflineLimit { limit, possible } => self.offline_limit(*limit, *possible),
            Refusal::Blocked(reason) => self.blocked(*reason),
            Refusal::Purse(why) => self.purse(*why),
            Refusal::SeveralWristbands => self.said(
                (
                    "Bitte nur ein Band",
                    "Ein Band wegnehmen, das andere nochmal hinhalten.",
                ),
                ("Only one wristband", "Take one away, hold the other one again."),
            ),
            Refusal::NotAWristband => self.said(
                (
                    "Kein Band von diesem Festival",
                    "Ein Festivalband hinhalten. Geht es nicht: Infopunkt.",
                ),
                (
                    "Not one of our wristbands",
                    "Hold a festival wristband. If it fails: Info point.",
                ),
            ),
            Refusal::OtherWristband => self.said(
                ("Das ist ein anderes Band", "Das Band hinhalten, das bezahlt hat."),
                ("That is another wristband", "Hold the wristband that paid."),
            ),
            Refusal::SameWristband => self.said(
                ("Dieses Band ist schon dabei", "Das nächste Band hinhalten."),
                ("This wristband is in it already", "Hold the next wristband."),
            ),
            Refusal::LoggedOut => self.said(
                (
                    "Niemand ist angemeldet",
                    "Dein Crew-Band hinhalten oder dich in der Liste wählen.",
                ),
                (
                    "Nobody is logged in",
                    "Hold your staff wristband, or choose yourself from the list.",
                ),
            ),
            Refusal::NotStaff => self.said(
                ("Das ist kein Crew-Band", "Halte dein eigenes Crew-Band hin."),
                ("This is no staff wristband", "Hold your own staff wristband."),
            ),
            Refusal::PinLocked { wait_ms } => {
                let minutes = wait_ms.div_ceil(60_000);
                self.said(
                    (
                        "Zu oft eine falsche PIN",
                        &format!("Hole die Standleitung: Meldet sie sich hier an, darfst du nochmal. Sonst warte {minutes} min."),
                    ),
                    (
                        "Wrong PIN too often",
                        &format!("Get the bar lead: once they log in here you may try again. Else wait {minutes} min."),
                    ),
                )
            }
            Refusal::Unsent { orders, total, .. } => {
                let total = self.euros(*total);
                self.said(
                    (
                        &format!("{orders} Buchungen ({total}) sind noch nicht gesendet"),
                        "Warte, bis sie gesendet sind, oder lass das Gerät mit offener Schicht hier.",
                    ),
                    (
                        &format!("{orders} bookings ({total}) are not sent yet"),
                        "Wait until they are sent, or leave the device here with the shift open.",
                    ),
                )
            }
            Refusal::NoCopy => self.said(
                (
                    "Das ist keine Kopie einer Kasse von diesem Festival",
                    "Mache die Kopie auf dem anderen Gerät nochmal und übertrage sie ganz.",
                ),
                (
                    "This is no copy of a till of this festival",
                    "Make the copy on the other device again and transfer all of it.",
                ),
            ),
            Refusal::OwnCopy => self.said(
                ("Diese Kopie ist von diesem Gerät", "Gib sie einem anderen Gerät."),
                ("This copy is of this device", "Give it to another device."),
            ),
            Refusal::CopyTooLarge => self.said(
                (
                    "Hier ist kein Platz für noch eine Kopie",
                    "Dieses Gerät braucht erst Netz. Gib die Kopie einem anderen.",
                ),
                (
                    "There is no room for another copy here",
                    "This device needs the network first. Give the copy to another one.",
                ),
            ),
            Refusal::CopiesWait => self.said(
                ("Hier warten Kopien von anderen Kassen", "Warte, bis sie gesendet sind."),
                ("Copies of other tills wait here", "Wait until they are sent."),
            ),
            Refusal::ParkedAlready => self.said(
                (
                    "Du hast schon einen Warenkorb geparkt",
                    "Kassiere diesen ab, oder leere ihn und hole den anderen zurück.",
                ),
                (
                    "You have parked a cart already",
                    "Charge this one, or clear it and take the other one back.",
                ),
            ),
            Refusal::UnknownStaff => self.said(
                ("Nicht auf der Crew-Liste", "Wende dich an die Standleitung."),
                ("Not on the staff list", "Ask the bar lead."),
            ),
            Refusal::Locked => self.said(
                ("Diese Kasse ist gesperrt", "Wende dich an die Technik."),
                ("This till is locked", "Ask the tech team."),
            ),
            Refusal::NotPermitted => self.said(
                (
                    "Das darf diese Kasse oder deine Rolle nicht",
                    "Wende dich an die Standleitung.",
                ),
                ("This till or your role may not do that", "Ask the bar lead."),
            ),
            Refusal::TenderNotHere(kind) => {
                let kind = self.tender(*kind);
                self.said(
                    (&format!("{kind} geht hier nicht"), "Anders bezahlen lassen."),
                    (&format!("{kind} is not taken here"), "Let the guest pay another way."),
                )
            }
            Refusal::CurrencyNotHere(_) => self.said(
                ("Diese Währung geht hier nicht", "Anders bezahlen lassen."),
                ("This currency is not taken here", "Let the guest pay another way."),
            ),
            Refusal::ForeignAmount { asset, needed } => {
                let (asset, amount) = (*asset, *needed);
                let needed = self.foreign(Foreign { asset, amount });
                self.said(
                    (
                        &format!("Das reicht nicht: mindestens {needed}"),
                        "Mehr geben lassen. Nichts ist gebucht.",
                    ),
                    (
                        &format!("Not enough: at least {needed}"),
                        "Ask for more. Nothing was booked.",
                    ),
                )
            }
            Refusal::OnlineOnly => self.said(
                (
                    "Offline nicht möglich",
                    "Warten, bis die Verbindung wieder da ist, oder zu einer anderen Kasse schicken.",
                ),
                (
                    "Not possible offline",
                    "Wait for the connection, or send the guest to another till.",
                ),
            ),
            Refusal::CartFull => self.said(
                ("Mehr passt nicht in einen Bon", "Erst kassieren, dann weiter."),
                ("No more fits on one receipt", "Take the money first, then go on."),
            ),
            Refusal::Busy => self.said(
                ("Noch kurz halten", "Die Kasse arbeitet noch."),
                ("Keep holding", "The till is still busy."),
            ),
            Refusal::CartOpen => self.said(
                ("Es ist noch ein Warenkorb offen", "Erst kassieren oder leeren."),
                ("A cart is open", "Take the money first, or clear it."),
            ),
            Refusal::CartEmpty => self.said(
                ("Der Warenkorb ist leer", "Erst etwas antippen."),
                ("The cart is empty", "Tap something first."),
            ),
            Refusal::Price(article) => {
                let name = self.article(*article);
                self.said(
                    (
                        &format!("{name}: Preis passt nicht"),
                        "Einen Preis über null eintippen.",
                    ),
                    (&format!("{name}: the price does not fit"), "Type a price above zero."),
                )
            }
            Refusal::UnknownArticle(article) => self.said(
                (
                    &format!("Artikel {article} gibt es nicht mehr"),
                    "Etwas anderes wählen.",
                ),
                (&format!("Article {article} is gone"), "Choose something else."),
            ),
            Refusal::NotReturnable(article) => {
                let name = self.article(*article);
                self.said(
                    (&format!("{name} nehmen wir nicht zurück"), "Nur Pfand kommt zurück."),
                    (&format!("{name} cannot come back"), "Only deposit items do."),
                )
            }
            Refusal::TooManyReturns { max } => self.said(
                (
                    &format!("Höchstens {max} Becher auf einmal"),
                    "Auf mehrere Male zurücknehmen oder die Standleitung holen.",
                ),
                (
                    &format!("At most {max} cups at once"),
                    "Take them in several goes, or get the bar lead.",
                ),
            ),
            Refusal::TopUpRange { min, max } => {
                let (min, max) = (self.euros(*min), self.euros(*max));
                self.said(
                    (&format!("Aufladen geht von {min} bis {max}"), "Anderen Betrag wählen."),
                    (&format!("A top-up is {min} to {max}"), "Choose another amount."),
                )
            }
            Refusal::BalanceCeiling { possible } => {
                let possible = self.euros(*possible);
                self.said(
                    (
                        &format!("So viel passt nicht auf das Band: noch {possible} möglich"),
                        "Weniger aufladen oder ein zweites Band.",
                    ),
                    (
                        &format!("The wristband cannot hold that much: {possible} possible"),
                        "Top up less, or use a second wristband.",
                    ),
                )
            }
            Refusal::NoSuchOrder => self.said(
                (
                    "Diese Buchung kennt diese Kasse nicht",
                    "An der Kasse stornieren, an der bezahlt wurde.",
                ),
                (
                    "This till does not know that sale",
                    "Cancel it at the till where it was paid.",
                ),
            ),
            Refusal::TakenBack => self.said(
                ("Schon storniert", "Nichts weiter zu tun."),
                ("Cancelled already", "Nothing more to do."),
            ),
            Refusal::TooLate => self.said(
                ("Storno jetzt nur noch mit Standleitung", "Hole die Standleitung."),
                ("Only the bar lead can cancel this now", "Get the bar lead."),
            ),
            Refusal::NotCancellable => self.said(
                ("Das lässt sich so nicht stornieren", "Hole die Standleitung."),
                ("This cannot be cancelled like that", "Get the bar lead."),
            ),
            Refusal::Overflow => self.said(
                ("Dieser Betrag ist zu groß", "Prüfe die Eingabe."),
                ("This amount is too large", "Check what you typed."),
            ),
            Refusal::Storage(fault) => self.storage(*fault),
            Refusal::DrawerOpen => self.said(
                ("Die Kasse ist schon offen", "Erst zählen, dann neu öffnen."),
                ("The drawer is open already", "Count it first, then open it again."),
            ),
            Refusal::DrawerClosed => self.said(
                ("Die Kasse ist nicht offen", "Erst mit dem Wechselgeld öffnen."),
                ("The drawer is not open", "Open it with its float first."),
            ),
            Refusal::DrawerAmount => self.said(
                (
                    "Dieser Betrag passt nicht",
                    "Den gezählten Betrag eintragen, null oder mehr.",
                ),
                ("This amount does not fit", "Enter what was counted, zero or more."),
            ),
            Refusal::HoldOldFirst => self.said(
                (
                    "Welches Band?",
                    "Altes Band hinhalten, oder bei verlorenem die Nummer eintippen.",
                ),
                (
                    "Which wristband?",
                    "Hold the old one, or type the number of a lost one.",
                ),
            ),
            Refusal::SwapSame => self.said(
                (
                    "Das ist das alte Band",
                    "Ein frisches Band hinhalten. Der Tausch ist noch offen.",
                ),
                ("This is the old wristband", "Hold a fresh one. The swap is still open."),
            ),
            Refusal::BandInUse => self.said(
                (
                    "Auf diesem Band ist schon etwas",
                    "Ein frisches Band nehmen. Der Tausch ist noch offen.",
                ),
                (
                    "This wristband has something on it",
                    "Take a fresh one. The swap is still open.",
                ),
            ),
            Refusal::OfCrew => self.said(
                (
                    "Das ist ein Band der Crew",
                    "Ein Gastband nehmen. Crew-Bänder tauscht die Leitung.",
                ),
                (
                    "This is a wristband of the crew",
                    "Take a guest's one. Crew wristbands are swapped by the lead.",
                ),
            ),
            Refusal::SplitTimeout => self.said(
                ("Abgebrochen – niemand hat bezahlt", "Von vorn beginnen."),
                ("Cancelled – nobody was charged", "Start again."),
            ),
        }
    }

    fn offline_limit(&self, limit: OfflineLimit, possible: Amount) -> Said {
        let possible = self.euros(possible);
        let (de, en) = match limit {
            OfflineLimit::Order => ("pro Bestellung", "for one order"),
            OfflineLimit::Tag => ("mit diesem Band", "with this wristband"),
            OfflineLimit::UnknownTag => (
                "mit einem Band, das diese Kasse nicht kennt",
                "with a wristband this till does not know",
            ),
            OfflineLimit::Terminal => ("an dieser Kasse", "at this till"),
            OfflineLimit::PayOut => ("bei einer Auszahlung", "for a pay-out"),
        };
        self.said(
            (
                &format!("Offline: noch {possible} {de}"),
                "Teilen, etwas weglassen oder auf die Verbindung warten.",
            ),
            (
                &format!("Offline: {possible} left {en}"),
                "Split it, take something off, or wait for the connection.",
            ),
        )
    }

    /// Why a wristband must not pay, without telling the queue more than it needs.
    pub fn blocked(&self, reason: BlockReason) -> Said {
        let (de, en) = match reason {
            BlockReason::Lost => ("Als verloren gemeldet", "Reported lost"),
            BlockReason::Replaced => ("Altes Band – es gibt ein neues", "Old wristband – there is a new one"),
            BlockReason::Blocked | BlockReason::Overdrawn | BlockReason::Other(_) => {
                ("Band ist gesperrt", "Wristband is blocked")
            }
        };
        self.said((de, "Bitte zum Infopunkt."), (en, "Please go to the Info point."))
    }

    fn storage(&self, fault: StorageFault) -> Said {
        match fault {
            StorageFault::Full => self.said(
                (
                    "Der Speicher dieses Geräts ist voll",
                    "Platz schaffen oder Gerät tauschen. Technik rufen.",
                ),
                (
                    "This device's disk is full",
                    "Free space or swap the device. Call tech.",
                ),
            ),
            StorageFault::Io | StorageFault::Conflict => self.said(
                ("Dieses Gerät kann nicht speichern", "Gerät tauschen. Technik rufen."),
                ("This device cannot store", "Swap the device. Call tech."),
            ),
        }
    }

    pub fn device_fault(&self, fault: DeviceFault) -> Said {
        match fault {
            DeviceFault::Storage(fault) => self.storage(fault),
            DeviceFault::Queue => self.said(
                (
                    "Die Warteschlange dieses Geräts ist beschädigt",
                    "Weiterverkaufen geht. Gerät nicht zurücksetzen; Technik rufen.",
                ),
                (
                    "This device's queue is damaged",
                    "Selling goes on. Do not reset the device; call tech.",
                ),
            ),
            DeviceFault::Key => self.said(
                ("Der Schlüssel dieses Geräts geht nicht", "Technik rufen."),
                ("This device's key does not work", "Call tech."),
            ),
            DeviceFault::Config => self.said(
                (
                    "Neue Preisliste ist unbrauchbar; die alte gilt weiter",
                    "Technik rufen.",
                ),
                (
                    "The new price list cannot be used; the old one still holds",
                    "Call tech.",
                ),
            ),
        }
    }

    pub fn registration(&self, refusal: RegistrationRefusal) -> Said {
        match refusal {
            RegistrationRefusal::Server => self.said(
                (
                    "Der Server nimmt diesen Code nicht",
                    "Er ist falsch, benutzt oder abgelaufen. Einen neuen holen.",
                ),
                (
                    "The server does not take this code",
                    "It is wrong, used or expired. Get a new one.",
                ),
            ),
            RegistrationRefusal::Forged => self.said(
                (
                    "Die Antwort kam nicht von diesem Festival",
                    "Nicht weitermachen. Technik rufen.",
                ),
                ("The answer is not from this festival", "Do not go on. Call tech."),
            ),
            RegistrationRefusal::Key => self.said(
                ("Der Schlüssel dieses Geräts geht nicht", "Technik rufen."),
                ("This device's key does not work", "Call tech."),
            ),
        }
    }
}
