//! Who watches: what tills showed and what reached a disk, noted by somebody who asks neither the till nor the engine. It reads journal entries and
//! rows of the server's journal, and keeps its own sums of them.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Account, AccountKey, PostingId};
use shared_protocol::config::OfflineLimits;
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{CommandKind, Content, Entry};
use shared_protocol::limits::{FRAME_FROM_SERVER_MAX_BYTES, FRAME_FROM_TERMINAL_MAX_BYTES};
use shared_protocol::message::{EntryOutcome, Message};
use shared_protocol::order::{LineKind, Order, OrderKind, Permission, TenderKind, TipFor};
use shared_protocol::{Amount, AssetId, OrderId, TagId, TerminalId};
use store::{EntryStatus, JournalRow, Reader};
use terminal::screen::{DoneKind, Notice, Page, PurseRefusal, Refusal, Registering, RegistrationRefusal, Screen};

use crate::disk::{Added, Image};
use crate::events::DeviceNo;
use crate::exposure::Exposure;
use crate::faults::Kind;
use crate::pace::Pace;
use crate::shifts::Shifts;
use crate::slips::Slips;
use crate::world::World;

/// A posting in one line.
pub(crate) fn describe(posting: &ledger::Posting) -> String {
    let transfers = posting.transfers.iter().map(|transfer| {
        format!(
            "{:?} {} {:?} > {:?}",
            transfer.code, transfer.amount, transfer.from, transfer.to
        )
    });
    format!(
        "{} reverses {:?}: {}",
        posting.id.0,
        posting.reverses,
        transfers.collect::<Vec<_>>().join("; ")
    )
}

/// An order that reached a till's disk.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub order: Order,
    pub content: Hash32,
    /// The entry that carries it.
    pub entry: Hash32,
    pub shown: bool,
    /// When it reached the disk, in true time.
    pub at_ms: u64,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    /// Every entry that ever was durable on a device.
    pub entries: BTreeSet<Hash32>,
    pub orders: BTreeMap<OrderId, Seen>,
    /// Entries that nobody has any more, and why that is nobody's fault.
    pub excused: BTreeMap<Hash32, &'static str>,
    /// Entries in the server's journal.
    pub stored: BTreeSet<Hash32>,
    ever_stored: BTreeSet<Hash32>,
    rows: u64,
    /// Where each line of a terminal's journal ends on the server.
    pub ends: BTreeMap<(u32, u32, u16), u64>,
    numbers: BTreeMap<TerminalId, u32>,
    pub balances: BTreeMap<AccountKey, i128>,
    pub grants: BTreeMap<PostingId, (TagId, AssetId, Amount)>,
    pub forged: BTreeSet<OrderId>,
    pub forged_entries: BTreeSet<Hash32>,
    exposure: Exposure,
    shown_on: BTreeMap<DeviceNo, u64>,
    pub pace: Pace,
    pub shown: u64,
    pub slips: Slips,
    pub shifts: Shifts,
}

impl Observer {
    pub fn new(limits: OfflineLimits) -> Self {
        Self {
            exposure: Exposure::new(limits),
            ..Self::default()
        }
    }

    /// How many orders tills have made.
    pub fn orders_made(&self) -> u64 {
        self.orders.len() as u64
    }

    pub fn holder_of(&self, order: OrderId) -> Option<TagId> {
        self.orders.get(&order)?.order.holder
    }

    pub fn granted(&mut self, posting: PostingId, tag: TagId, asset: AssetId, units: Amount) {
        self.grants.insert(posting, (tag, asset, units));
    }

    pub fn forged(&mut self, order: OrderId, true_entry: Hash32, false_entry: Hash32) {
        self.forged.insert(order);
        self.forged_entries.insert(false_entry);
        // Whoever holds the key can take an entry's place; that the true one then may stay behind is what a stolen key costs.
        self.excused.insert(true_entry, "forged in its place");
        // What the till is told is that this place in its journal is durable; so it is right to count the order no more.
        self.ever_stored.insert(true_entry);
    }

    /// A stranger got through to a till.
    pub fn deceived(&mut self, device: DeviceNo) {
        self.exposure.forget(device);
    }

    pub fn shown_on(&self, device: DeviceNo) -> u64 {
        self.shown_on.get(&device).copied().unwrap_or(0)
    }

    /// Takes in a row of the server's journal. Gives what is wrong with it.
    fn row(&mut self, row: &JournalRow) -> Result<(), (&'static str, String)> {
        self.rows = row.record.no;
        if let Some(entry) = &row.entry {
            let line = (entry.chain.terminal.0, entry.chain.epoch, entry.chain.branch);
            // I13: by sequence and nothing else, whatever clocks said.
            if let Some(end) = self.ends.get(&line).filter(|end| entry.seq != **end + 1) {
                return Err((
                    "I13",
                    format!(
                        "row {} has entry {} of line {line:?} after {end}",
                        row.record.no, entry.seq
                    ),
                ));
            }
            self.ends.insert(line, entry.seq);
            self.stored.insert(entry.hash);
            self.ever_stored.insert(entry.hash);
            let made = self.entries.contains(&entry.hash) || self.forged_entries.contains(&entry.hash);
            if !made && entry.status != EntryStatus::Parked {
                return Err((
                    "I3",
                    format!("row {} has an entry that no till ever wrote", row.record.no),
                ));
            }
        }
        let Some(posting) = &row.record.posting else {
            return Ok(());
        };
        for transfer in &posting.transfers {
            *self.balances.entry(posting.source(transfer)).or_default() -= i128::from(transfer.amount.0);
            *self.balances.entry(posting.target(transfer)).or_default() += i128::from(transfer.amount.0);
        }
        for transfer in &posting.transfers {
            for key in [posting.source(transfer), posting.target(transfer)] {
                let balance = self.balances.get(&key).copied().unwrap_or(0);
                let wrong = match key.account {
                    // What a purse decides has no floor: the books hear of it in any sequence. I6 looks at it at the end.
                    Account::Wristband { authority, .. } => authority == ledger::Authority::Server && balance < 0,
                    Account::Overdraft { .. } => balance > 0,
                    _ => false,
                };
                if wrong {
                    return Err((
                        "I9",
                        format!(
                            "{:?} is at {balance} of asset {} after row {}: {}",
                            key.account,
                            key.asset,
                            row.record.no,
                            describe(posting)
                        ),
                    ));
                }
            }
        }
        let made = match &row.entry {
            Some(entry) => self
                .orders
                .get(&posting.id.0)
                .is_some_and(|seen| seen.content == posting.content || self.forged_entries.contains(&entry.hash)),
            None => self.grants.contains_key(&posting.id),
        };
        if made {
            Ok(())
        } else {
            Err((
                "I2",
                format!("row {} books {:?}, which nobody made", row.record.no, posting.id),
            ))
        }
    }
}

impl World {
    /// A transaction of a device is durable.
    pub(crate) fn observe_durable(&mut self, no: DeviceNo, added: &Added) {
        self.observe_shifts(no, added);
        for stored in &added.entries {
            self.observer.entries.insert(stored.hash);
            let place = format!("{} {}/{} {}", no.0, stored.epoch, stored.seq, stored.hash);
            self.log.note(&["durable", &place]);
            let Ok((entry, content)) = Entry::read(&stored.bytes) else {
                return self.violation("I5", &format!("device {} wrote an entry that cannot be read", no.0));
            };
            if entry.offset_ms.is_none() {
                self.sometimes.reach("entry_without_offset");
            }
            match content {
                Content::Command(command) if command.kind == CommandKind::ClockJump => {
                    self.sometimes.reach("clock_jump_noted");
                }
                Content::Order(read) => {
                    let stored_there = &self.observer.ever_stored;
                    let over = self.observer.exposure.note(no, stored.hash, &read.order, stored_there);
                    if let Some(what) = over {
                        self.violation("I10", &format!("device {}: {what}", no.0));
                    }
                    self.note_order(&read.order);
                    self.note_shift(&read.order);
                    self.observe_drawer_order(no, &read.order);
                    self.observe_permission(no, &read.order);
                    self.observe_blocked(no, &read.order);
                    let seen = Seen {
                        order: read.order.clone(),
                        content: read.content,
                        entry: stored.hash,
                        shown: false,
                        at_ms: self.now_ms,
                    };
                    if let Some(before) = self.observer.orders.insert(read.order.id, seen) {
                        self.violation("I3", &format!("two entries have the order id {}", before.order.id));
                    }
                }
                _ => {}
            }
        }
    }

    fn note_order(&mut self, order: &Order) {
        let reach = &mut self.sometimes;
        match order.kind {
            OrderKind::Cancel => reach.reach("cancelled"),
            OrderKind::Correction => reach.reach("corrected"),
            OrderKind::DepositReturn => reach.reach("deposit_returned"),
            OrderKind::PayOut => reach.reach("paid_out"),
            _ => {}
        }
        let paying: BTreeSet<TagId> = order
            .tenders
            .iter()
            .filter(|tender| tender.kind == TenderKind::Wristband)
            .filter_map(|tender| order.tender_tag(tender))
            .collect();
        if paying.len() > 1 {
            reach.reach("paid_by_two_wristbands");
        }
        if order.group.is_some() {
            reach.reach("orders_of_two_taxpayers");
        }
        if order.lines.iter().any(|line| line.vouchers.is_some()) {
            if order.purse.is_some() {
                reach.reach("vouchers_used_from_a_wristband");
            }
            reach.reach("voucher_redeemed");
        }
        for line in &order.lines {
            match line.tip_for() {
                Some(TipFor::Staff) => reach.reach("tip_to_the_staff"),
                Some(TipFor::Business) => reach.reach("tip_to_the_business"),
                None => {}
            }
        }
        if order.tenders.iter().any(|tender| tender.foreign.is_some()) {
            match order.kind {
                OrderKind::Sale => reach.reach("foreign_cash_sale"),
                OrderKind::TopUp => reach.reach("foreign_cash_topped_up"),
                OrderKind::Cancel => reach.reach("foreign_cash_taken_back"),
                _ => {}
            }
        }
        for tender in &order.tenders {
            match (tender.kind, tender.permission) {
                (TenderKind::Voucher, _) => reach.reach("voucher_tender"),
                (TenderKind::Wristband, Permission::Held) => reach.reach("authorisation_captured"),
                (TenderKind::Wristband, Permission::OfflineKnown) => reach.reach("offline_known_sale"),
                (TenderKind::Wristband, Permission::OfflineUnknown) => reach.reach("offline_unknown_sale"),
                (TenderKind::Cash | TenderKind::Card, _)
                    if order.lines.iter().all(|line| line.kind != LineKind::TopUp) =>
                {
                    reach.reach("card_or_cash_sale");
                }
                _ => {}
            }
        }
    }

    /// A till shows something.
    pub(crate) fn observe_screen(&mut self, no: DeviceNo, screen: &Screen) {
        if self.observer.slips.shown(screen) {
            self.sometimes.reach("slip_taken_along");
        }
        match &screen.page {
            Page::Locked => self.sometimes.reach("lock_shown"),
            Page::Unregistered(Registering::Refused(RegistrationRefusal::Server)) => {
                let scanned = self.devices.get_mut(no.0).and_then(|device| device.scanned.take());
                match scanned {
                    Some(Kind::WrongSecret) => self.sometimes.reach("registration_wrong"),
                    Some(Kind::UsedSecret) => self.sometimes.reach("registration_used"),
                    Some(Kind::ExpiredSecret) => self.sometimes.reach("registration_expired"),
                    Some(Kind::Race) => self.sometimes.reach("registration_race_lost"),
                    _ => {}
                }
            }
            _ => {}
        }
        match &screen.notice {
            Notice::Done(done) => {
                for id in &done.orders {
                    let there = self
                        .devices
                        .get(no.0)
                        .is_some_and(|device| device.disk.image.has_order(*id));
                    if !there {
                        self.violation(
                            "I4",
                            &format!(
                                "device {} shows order {id} as booked, and its disk does not have it",
                                no.0
                            ),
                        );
                    }
                    let Some(seen) = self.observer.orders.get_mut(id).filter(|seen| !seen.shown) else {
                        continue;
                    };
                    seen.shown = true;
                    let order = seen.order.clone();
                    self.observe_drawer_shown(no, &done.kind, &order);
                    self.observer.shown += 1;
                    *self.observer.shown_on.entry(no).or_default() += 1;
                    if let Some(tag) = done.tag {
                        let cents = match done.kind {
                            DoneKind::ToppedUp { after_sync } => {
                                if after_sync {
                                    self.sometimes.reach("topped_up_offline");
                                }
                                done.total.0
                            }
                            _ => -done.total.0,
                        };
                        self.guests.feel(tag, cents);
                        if let Some(device) = self.devices.get_mut(no.0) {
                            device.last_tag = Some(tag);
                        }
                    }
                }
            }
            Notice::AlreadyPaid { .. } => self.sometimes.reach("already_paid_shown"),
            Notice::Refused(Refusal::OfflineLimit { .. }) => self.sometimes.reach("offline_limit_refused"),
            Notice::Refused(Refusal::Purse(PurseRefusal::Full)) => self.sometimes.reach("full_wristband_refused"),
            Notice::Refused(Refusal::Purse(PurseRefusal::Frozen)) => self.sometimes.reach("frozen_desk_refused"),
            Notice::Refused(Refusal::Purse(PurseRefusal::Forged | PurseRefusal::Damaged)) => {
                self.sometimes.reach("changed_wristband_refused");
            }
            Notice::Refused(Refusal::Blocked(_)) => self.sometimes.reach("blocked_wristband_refused"),
            Notice::Refused(Refusal::TakenBack) => self.sometimes.reach("cancelled_twice_refused"),
            Notice::Refused(Refusal::NotPermitted) => self.sometimes.reach("not_permitted_refused"),
            Notice::Refused(Refusal::ForeignAmount { .. }) => self.sometimes.reach("foreign_cash_was_too_little"),
            Notice::Refused(Refusal::TenderNotHere(_)) => self.sometimes.reach("tender_not_taken_here_refused"),
            Notice::Refused(Refusal::CartOpen) => self.sometimes.reach("logout_refused_with_cart"),
            Notice::LastCart { booked, total, .. } => self.observe_last_cart(no, *booked, *total),
            _ => {}
        }
    }

    /// After a start a till says what became of the last cart; its disk knows.
    fn observe_last_cart(&mut self, no: DeviceNo, booked: bool, total: Amount) {
        let Some(image) = self.devices.get(no.0).map(|device| &device.disk.image) else {
            return;
        };
        let orders: Vec<Order> = image
            .entries
            .values()
            .rev()
            .take(64)
            .filter_map(|entry| match Entry::read(&entry.bytes).ok()?.1 {
                Content::Order(read) => Some(read.order),
                _ => None,
            })
            // A shift is no cart.
            .filter(|order| order.shift.is_none())
            .collect();
        let cart = orders.first().map(|order| order.cart);
        let sum: i64 = orders
            .iter()
            .filter(|order| Some(order.cart) == cart)
            .filter_map(|order| order.total().ok())
            .map(|total| total.0)
            .sum();
        let open = image.metas.contains_key(&terminal::MetaKey::Cart);
        if booked {
            self.sometimes.reach("last_cart_booked_after_restart");
            if cart.is_none() || sum != total.0 {
                self.violation(
                    "I4",
                    &format!(
                        "device {} says its last cart was booked with {}, its disk says {sum}",
                        no.0, total.0
                    ),
                );
            }
        } else {
            self.sometimes.reach("cart_came_back_after_restart");
            if !open {
                self.violation(
                    "I4",
                    &format!("device {} opens a cart again that its disk does not have", no.0),
                );
            }
        }
    }

    /// A process starts: what it shows is judged when it shows it.
    pub(crate) fn observe_start(&mut self, no: DeviceNo) {
        let known = &self.observer.entries;
        let strange = self
            .devices
            .get(no.0)
            .and_then(|device| device.disk.image.hashes().find(|hash| !known.contains(hash)));
        if strange.is_some() {
            self.violation("I5", &format!("device {} has an entry that nobody wrote", no.0));
        }
    }

    /// A till sends a frame: nothing leaves it that is not on its disk.
    pub(crate) fn observe_till_frame(&mut self, no: DeviceNo, frame: &[u8]) {
        self.observer.pace.sent_frame(no, self.now_ms);
        if frame.len() < 200 || !frame.starts_with(&[0xa3, 0, 3]) {
            return;
        }
        if let Ok(Message::Push(push)) = Message::read(frame, FRAME_FROM_TERMINAL_MAX_BYTES) {
            self.observer.pace.sent_entries(no, push.head.hash, self.now_ms);
            if !self.observer.entries.contains(&push.head.hash) {
                self.violation(
                    "I4",
                    &format!("device {} sends entry {} before its disk has it", no.0, push.head.seq),
                );
            }
            if self.observer.stored.contains(&push.head.hash) {
                self.sometimes.reach("entries_repeated");
            }
        }
    }

    /// The server sends a frame: nothing is acknowledged that is not on its disk.
    pub(crate) fn observe_server_frame(&mut self, terminal: Option<TerminalId>, frame: &[u8]) {
        let Some(terminal) = terminal.filter(|_| frame.starts_with(&[0xa3, 0, 0x18])) else {
            return;
        };
        if !matches!(frame.get(3), Some(67..=70)) {
            return;
        }
        let number = self.observer.numbers.get(&terminal).copied().unwrap_or(0);
        let end = |world: &Self, epoch, branch| world.observer.ends.get(&(number, epoch, branch)).copied().unwrap_or(0);
        match Message::read(frame, FRAME_FROM_SERVER_MAX_BYTES) {
            Ok(Message::Ack(ack)) => {
                let durable = end(self, ack.epoch, ack.branch.unwrap_or(0));
                if ack.durable_seq > durable {
                    let what = format!(
                        "entry {} of epoch {} is acknowledged, {durable} are durable",
                        ack.durable_seq, ack.epoch
                    );
                    self.violation("I4", &what);
                }
                if ack.branch.is_some() {
                    self.sometimes.reach("branch_stored");
                }
                for note in &ack.notes {
                    if note.outcome == EntryOutcome::Conflict {
                        self.sometimes.reach("id_conflict");
                    }
                }
            }
            Ok(Message::Gap(_)) => self.sometimes.reach("gap_answered"),
            Ok(Message::Fork(_)) => self.sometimes.reach("fork_answered"),
            _ => {}
        }
    }

    /// The server committed something.
    pub(crate) fn observe_commit(&mut self) {
        let mut reader = self.server.reader();
        if let Ok(terminals) = reader.terminals() {
            self.observer.numbers = terminals.iter().map(|row| (row.id, row.no.0)).collect();
        }
        let rows = match reader.journal(self.observer.rows + 1, u64::MAX) {
            Ok(rows) => rows,
            Err(error) => return self.violation("I4", &format!("the server's journal cannot be read: {error}")),
        };
        for row in &rows {
            if let Err((invariant, what)) = self.observer.row(row) {
                self.violation(invariant, &what);
            }
        }
    }

    fn anywhere(&self, hash: Hash32, except: Option<DeviceNo>) -> bool {
        let on_a_stick = self.sticks.iter().any(|stick| stick.hashes.contains(&hash));
        let mut devices = self
            .devices
            .iter()
            .enumerate()
            .filter(|(no, _)| Some(DeviceNo(*no)) != except);
        on_a_stick || devices.any(|(_, device)| device.disk.image.hashes().any(|mine| mine == hash))
    }

    /// The server lives on with an older disk: what is on no device either is lost, and that is the price of two disasters.
    pub(crate) fn observe_restored_server(&mut self) {
        let before = std::mem::take(&mut self.observer.stored);
        self.observer.rows = 0;
        self.observer.ends.clear();
        self.observer.balances.clear();
        self.observe_commit();
        let on_devices: BTreeSet<Hash32> = self
            .devices
            .iter()
            .flat_map(|device| device.disk.image.hashes())
            .chain(self.sticks.iter().flat_map(|stick| stick.hashes.iter().copied()))
            .collect();
        let gone: Vec<Hash32> = before
            .iter()
            .filter(|hash| !self.observer.stored.contains(hash))
            .copied()
            .collect();
        if !gone.is_empty() {
            self.sometimes.reach("server_restored_without_orders");
        }
        self.restored_behind_handovers();
        for hash in gone {
            if !on_devices.contains(&hash) {
                self.observer
                    .excused
                    .insert(hash, "on no device when the server was restored");
            }
        }
    }

    /// A device has another disk now.
    pub(crate) fn observe_rollback(&mut self, no: DeviceNo, before: &Image) {
        let others_have = self.copies_held();
        let had = before.hashes().chain(self.copies_on(before));
        let gone: Vec<Hash32> = had
            .filter(|hash| !self.observer.stored.contains(hash))
            .filter(|hash| !others_have.contains(hash) && !self.anywhere(*hash, None))
            .collect();
        for hash in gone {
            self.sometimes.reach("lost_with_the_phone");
            self.observer.excused.insert(hash, "lost with the phone");
        }
        // What it forgot it cannot count against its limits.
        let kept: BTreeSet<Hash32> = self
            .devices
            .get(no.0)
            .map(|device| device.disk.image.hashes().collect())
            .unwrap_or_default();
        self.observer.exposure.keep(no, &kept);
    }
}
