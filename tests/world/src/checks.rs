//! What has to hold when everything is at rest. The numbers of the invariants are those of the reliability notes; the cheap ones were checked
//! after every event already, by the observer.

use std::collections::{BTreeMap, BTreeSet};

use festival::CaseKind;
use ledger::{Account, AccountKey, TransferCode};
use shared_protocol::chain::link;
use shared_protocol::crypto::Hash32;
use shared_protocol::{AssetId, EventId, OrderId, TagId};
use store::{ChainKey, EntryStatus, JournalRow, Reader, StoredCase, TerminalNo, TerminalRow};

use crate::books::Books;
use crate::faults::Kind;
use crate::observer::describe;
use crate::permission::is_forbidden;
use crate::world::{EPOCH_MS, World};

/// Everything that the server has stored.
struct Stored {
    rows: Vec<JournalRow>,
    cases: Vec<StoredCase>,
    terminals: Vec<TerminalRow>,
    accounts: BTreeMap<AccountKey, i128>,
    totals: BTreeMap<AccountKey, i128>,
    projected: bool,
}

/// How far the estimate of the server's clock may be off: the longest way of a message, and a day of drift.
const CLOCK_ERROR_MS: u64 = 60_000;
/// Whatever a connection's end met with, nobody holds on to it for longer, unless it works.
const OLD_CONNECTION_MS: u64 = 3 * 60 * 1_000;
/// How long a session may last.
const SESSION_MS: u64 = 48 * 60 * 60 * 1_000;

const EVENT: EventId = fixtures::sample::EVENT;

fn read(world: &mut World) -> Result<Stored, String> {
    world.project_all()?;
    let mut reader = world.server.reader();
    let failed = |error: store::StoreError| error.to_string();
    let totals = reader.totals(EVENT).map_err(failed)?;
    let view = reader.balances(EVENT).map_err(failed)?;
    Ok(Stored {
        rows: reader.journal(1, u64::MAX).map_err(failed)?,
        cases: reader.cases(1, u64::MAX).map_err(failed)?,
        terminals: reader.terminals().map_err(failed)?,
        accounts: view
            .accounts
            .iter()
            .map(|(key, balance)| (*key, i128::from(balance.balance.0)))
            .collect(),
        projected: totals.projected_no == totals.last_no,
        totals: totals.accounts,
    })
}

impl World {
    /// Judges a world that has come to rest.
    pub(crate) fn check_at_rest(&mut self) {
        self.reconcile(0);
        let stored = match read(self) {
            Ok(stored) => stored,
            Err(error) => return self.violation("I4", &format!("the server's disk cannot be read: {error}")),
        };
        let found = [
            Self::conservation(&stored),
            self.books_agree(&stored),
            self.exactly_once(&stored),
            self.continuity(&stored),
            Self::overdrafts_have_cases(&stored),
            self.cases_are_explained(&stored),
            self.days(&stored),
            self.liveness(),
            self.purses_agree(&stored),
            self.copies_cost_what_was_promised(&stored),
            self.signing_holds(&stored.rows),
            self.slips_hold(&stored.terminals),
            self.authorization(&stored.rows, &stored.cases, &stored.terminals),
        ];
        for (invariant, what) in found.into_iter().flatten() {
            self.violation(invariant, &what);
        }
        for case in &stored.cases {
            *self.cases.entry(case.case.case.kind.code()).or_default() += 1;
        }
        self.note_cases(&stored);
        self.note_permissions(&stored.rows);
    }

    /// I10 of wristbands that thieves had in their hands.
    fn copies_cost_what_was_promised(&mut self, stored: &Stored) -> Vec<(&'static str, String)> {
        let told: BTreeSet<TagId> = stored.cases.iter().filter_map(|case| case.case.case.tag).collect();
        let (found, losses) = self.losses_hold(!self.several_copies(), |tag| told.contains(&tag));
        if losses.lost > 0 {
            self.sometimes.reach("loss_by_a_copy");
        }
        self.losses = losses;
        found
    }

    /// I6 and I7: purses and books.
    fn purses_agree(&self, stored: &Stored) -> Vec<(&'static str, String)> {
        let in_books = |tag| {
            let key = AccountKey {
                event: EVENT,
                account: Account::Wristband {
                    tag,
                    authority: ledger::Authority::Chip,
                },
                asset: AssetId::EURO,
            };
            stored.accounts.get(&key).copied().unwrap_or(0)
        };
        let of_tag = |tag, kinds: &[CaseKind]| -> Vec<i64> {
            let cases = stored.cases.iter().map(|case| &case.case.case);
            let mine = cases.filter(|case| case.tag == Some(tag) && kinds.contains(&case.kind));
            mine.filter_map(|case| case.number).collect()
        };
        self.purses_hold(
            in_books,
            |tag| {
                of_tag(tag, &[CaseKind::PurseMismatch])
                    .into_iter()
                    .map(i128::from)
                    .sum()
            },
            |tag| {
                let kinds = [CaseKind::PurseGap, CaseKind::CreditGap, CaseKind::PurseCompleted];
                !of_tag(tag, &kinds).is_empty()
            },
        )
    }

    /// I1: sums of zero, and balances that are the fold of the journal.
    fn conservation(stored: &Stored) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if let Err(fault) =
            ledger::journal::verify(stored.rows.iter().map(|row| (&row.record, row.hash)), Hash32::ZERO, 0)
        {
            found.push(("I1", fault.to_string()));
        }
        let mut fold: BTreeMap<AccountKey, i128> = BTreeMap::new();
        for posting in stored.rows.iter().filter_map(|row| row.record.posting.as_ref()) {
            for transfer in &posting.transfers {
                *fold.entry(posting.source(transfer)).or_default() -= i128::from(transfer.amount.0);
                *fold.entry(posting.target(transfer)).or_default() += i128::from(transfer.amount.0);
            }
        }
        let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
        for (key, balance) in &fold {
            *sums.entry(key.asset).or_default() += balance;
        }
        found.extend(
            sums.iter()
                .filter(|(_, sum)| **sum != 0)
                .map(|(asset, sum)| ("I1", format!("asset {asset} sums to {sum}"))),
        );
        let difference = |name: &str, kept: &BTreeMap<AccountKey, i128>, relevant: &dyn Fn(&AccountKey) -> bool| {
            let keys: BTreeSet<&AccountKey> = fold.keys().chain(kept.keys()).filter(|key| relevant(key)).collect();
            let of = |from: &BTreeMap<AccountKey, i128>, key: &AccountKey| from.get(key).copied().unwrap_or(0);
            let differs = keys.into_iter().find(|key| of(&fold, key) != of(kept, key));
            differs.map(|key| {
                (
                    "I1",
                    format!(
                        "{name} of {key:?} is {}, the journal gives {}",
                        of(kept, key),
                        of(&fold, key)
                    ),
                )
            })
        };
        found.extend(difference("balance", &stored.accounts, &|key| key.account.is_bounded()));
        found.extend(difference("sum", &stored.totals, &|_| true).filter(|_| stored.projected));
        if let Some((key, sum)) = fold
            .iter()
            .find(|(key, sum)| key.account == Account::Suspense && **sum != 0)
        {
            found.push(("I1", format!("{sum} of asset {} are in suspense", key.asset)));
        }
        found
    }

    /// I2: the ledger says what the observer added up. Where it does not, a case has to say why.
    fn books_agree(&self, stored: &Stored) -> Vec<(&'static str, String)> {
        let booked: Vec<OrderId> = stored
            .rows
            .iter()
            .filter_map(|row| Some(row.record.posting.as_ref()?.id.0))
            .collect();
        let books = Books::of(&self.observer, &booked);
        let ledger = Books::of_ledger(stored.rows.iter().filter_map(|row| row.record.posting.as_ref()));
        // What was taken back twice, or before it was known, is booked by other rules; the case names the order.
        let odd = |kind| {
            matches!(
                kind,
                CaseKind::ReversalUnknown | CaseKind::ReversedTwice | CaseKind::ReversalMismatch
            )
        };
        let explained: BTreeSet<_> = stored
            .cases
            .iter()
            .filter(|case| odd(case.case.case.kind))
            .filter_map(|case| case.case.case.tag)
            .collect();
        let keys: BTreeSet<_> = books.guests.keys().chain(ledger.guests.keys()).collect();
        let mut found = Vec::new();
        for key in keys.into_iter().filter(|key| !explained.contains(&key.0)) {
            let of = |from: &Books| from.guests.get(key).copied().unwrap_or(0);
            if of(&books) != of(&ledger) {
                let why = self.differing_order(stored, &books, *key);
                found.push((
                    "I2",
                    format!(
                        "wristband {} has {} of asset {}, tills showed {}: {why}",
                        key.0,
                        of(&ledger),
                        key.1,
                        of(&books)
                    ),
                ));
                break;
            }
        }
        if explained.is_empty() {
            if books.cash != ledger.cash {
                found.push((
                    "I2",
                    format!("drawers have {:?}, tills took {:?}", ledger.cash, books.cash),
                ));
            }
            if (&books.foreign, &books.notes) != (&ledger.foreign, &ledger.notes) {
                found.push((
                    "I2",
                    format!(
                        "foreign cash counts as {:?} and is {:?}, tills took {:?} and {:?}",
                        ledger.foreign, ledger.notes, books.foreign, books.notes
                    ),
                ));
            }
            if books.card != ledger.card {
                found.push((
                    "I2",
                    format!("cards paid {:?}, tills took {:?}", ledger.card, books.card),
                ));
            }
            if (books.safe, &books.differences) != (ledger.safe, &ledger.differences) {
                found.push((
                    "I2",
                    format!(
                        "the safe has {} and drawers {:?} over, tills said {} and {:?}",
                        ledger.safe, ledger.differences, books.safe, books.differences
                    ),
                ));
            }
            found.extend(self.drawers_agree(self.several_copies(), &ledger.cash));
            let earned = |of: &Books| (of.sellers, of.tips.clone());
            if earned(&books) != earned(&ledger) {
                let (have, paid) = (earned(&ledger), earned(&books));
                found.push(("I2", format!("sellers and staff have {have:?}, guests paid {paid:?}")));
            }
        }
        found
    }

    /// The first order that did something else to a wristband than its till showed.
    fn differing_order(&self, stored: &Stored, books: &Books, (tag, asset): (TagId, AssetId)) -> String {
        for posting in stored.rows.iter().filter_map(|row| row.record.posting.as_ref()) {
            let mine = |account: &Account| matches!(account, Account::Wristband { tag: of, .. } | Account::Overdraft { tag: of } if *of == tag);
            let of_asset = posting.transfers.iter().filter(|transfer| transfer.asset == asset);
            let moved: i128 = of_asset
                .map(|transfer| {
                    i128::from(transfer.amount.0) * (i128::from(mine(&transfer.to)) - i128::from(mine(&transfer.from)))
                })
                .sum();
            let shown = books.by_order.get(&(posting.id.0, tag, asset)).copied().unwrap_or(0);
            if moved != shown && !self.observer.grants.contains_key(&posting.id) {
                let order = self.observer.orders.get(&posting.id.0).map(|seen| &seen.order);
                return format!("showed {shown}, booked {moved}: {} {order:?}", describe(posting));
            }
        }
        "no single order differs".to_owned()
    }

    /// I3 and I4: every order that reached a disk, shown or not, is booked once, unless the last copy was lost with a phone.
    fn exactly_once(&self, stored: &Stored) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut booked: BTreeMap<OrderId, u64> = BTreeMap::new();
        for row in &stored.rows {
            let Some(posting) = &row.record.posting else { continue };
            if let Some(before) = booked.insert(posting.id.0, row.record.no) {
                found.push((
                    "I3",
                    format!("{:?} is booked in rows {before} and {}", posting.id, row.record.no),
                ));
            }
        }
        let missing = self.observer.orders.iter().find(|(id, seen)| {
            !booked.contains_key(id)
                && !self.observer.excused.contains_key(&seen.entry)
                && !self.observer.forged.contains(id)
        });
        if let Some((id, seen)) = missing {
            let what = format!(
                "order {id} ({:?}, shown: {}) is not in the ledger",
                seen.order.kind, seen.shown
            );
            found.push((if seen.shown { "I3" } else { "I4" }, what));
        }
        let conflict = |row: &&JournalRow| {
            row.entry
                .as_ref()
                .is_some_and(|entry| entry.status == EntryStatus::Conflict)
        };
        for entry in stored.rows.iter().filter(conflict).filter_map(|row| row.entry.as_ref()) {
            let alarmed = stored
                .cases
                .iter()
                .any(|case| case.case.case.kind == CaseKind::IdConflict && case.case.case.order == entry.order);
            if !alarmed {
                found.push((
                    "I3",
                    format!("order {:?} came with two contents and nobody was told", entry.order),
                ));
            }
        }
        found
    }

    /// I5: every line of every journal is whole from its root, forks are flagged, and what is on a device is on the server.
    fn continuity(&self, stored: &Stored) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut lines: BTreeMap<ChainKey, BTreeMap<u64, (Hash32, &[u8])>> = BTreeMap::new();
        for entry in stored.rows.iter().filter_map(|row| row.entry.as_ref()) {
            lines
                .entry(entry.chain)
                .or_default()
                .insert(entry.seq, (entry.hash, &entry.raw));
        }
        let mut reader = self.server.reader();
        for terminal in &stored.terminals {
            let chains = reader.chains(terminal.no).unwrap_or_default();
            let hash_before = |chain: &store::Chain| -> Vec<Hash32> {
                if chain.first_seq == 1 {
                    return vec![chain.start.root(terminal.id)];
                }
                let of_epoch = lines
                    .iter()
                    .filter(|(key, _)| key.terminal == chain.key.terminal && key.epoch == chain.key.epoch);
                of_epoch
                    .filter_map(|(_, line)| line.get(&(chain.first_seq - 1)).map(|(hash, _)| *hash))
                    .collect()
            };
            for chain in &chains {
                let empty = BTreeMap::new();
                let line = lines.get(&chain.key).unwrap_or(&empty);
                let whole = hash_before(chain).into_iter().any(|before| {
                    let mut head = before;
                    let follows = line
                        .iter()
                        .zip(chain.first_seq..)
                        .all(|((seq, (hash, raw)), expected)| {
                            head = link(&head, *seq, raw);
                            *seq == expected && head == *hash
                        });
                    follows && head == chain.head
                });
                if !whole {
                    found.push((
                        "I5",
                        format!("line {:?} of terminal {} is not whole", chain.key, terminal.id),
                    ));
                }
                if chain.key.branch > 0 && !self.has_case(stored, CaseKind::Fork, Some(terminal.no)) {
                    found.push(("I5", format!("terminal {} forked and nobody was told", terminal.id)));
                }
            }
        }
        for (no, device) in self.devices.iter().enumerate().filter(|(_, device)| !device.gone) {
            let terminal = device.terminal.as_ref().and_then(terminal::Terminal::id);
            if let Some(id) = terminal
                && let Some((epoch, seq)) = device.disk.image.broken_link(|start| start.root(id))
            {
                found.push((
                    "I5",
                    format!("device {no}: entry {seq} of epoch {epoch} does not continue its journal"),
                ));
            }
            let left = device.disk.image.entries.values().find(|entry| {
                !self.observer.stored.contains(&entry.hash) && !self.observer.excused.contains_key(&entry.hash)
            });
            if let Some(entry) = left {
                found.push((
                    "I5",
                    format!(
                        "device {no}: entry {} of epoch {} never reached the server ({})",
                        entry.seq, entry.epoch, entry.hash
                    ),
                ));
            }
        }
        found
    }

    fn has_case(&self, stored: &Stored, kind: CaseKind, terminal: Option<TerminalNo>) -> bool {
        // A case that was opened before the server was restored is gone with it.
        self.plan.has(Kind::ServerRestore)
            || stored
                .cases
                .iter()
                .any(|case| case.case.case.kind == kind && (terminal.is_none() || case.case.terminal == terminal))
    }

    /// I9: whatever was advanced to a wristband has a case.
    fn overdrafts_have_cases(stored: &Stored) -> Vec<(&'static str, String)> {
        let with_case: BTreeSet<OrderId> = stored
            .cases
            .iter()
            .filter(|case| case.case.case.kind == CaseKind::Overdraft)
            .filter_map(|case| case.case.case.order)
            .collect();
        let advanced = stored
            .rows
            .iter()
            .filter_map(|row| row.record.posting.as_ref())
            .filter(|posting| {
                posting.reverses.is_none()
                    && posting
                        .transfers
                        .iter()
                        .any(|transfer| transfer.code == TransferCode::Overdraft)
            });
        advanced
            .filter(|posting| !with_case.contains(&posting.id.0))
            .map(|posting| ("I9", format!("{:?} was advanced without a case", posting.id)))
            .take(1)
            .collect()
    }

    /// Whether journals were lost, forked or forged in this run, or two devices share a till and its drawer.
    fn several_copies(&self) -> bool {
        let kinds = [
            Kind::Rollback,
            Kind::Clone,
            Kind::PhoneLost,
            Kind::Handover,
            Kind::StolenKey,
            Kind::ServerRestore,
        ];
        let tills: BTreeSet<_> = self.devices.iter().map(|device| device.till).collect();
        tills.len() < self.devices.len() || kinds.iter().any(|kind| self.faults.contains_key(kind))
    }

    /// A case of a kind that nothing in this run can have caused is a bug, however politely it is worded.
    fn cases_are_explained(&self, stored: &Stored) -> Vec<(&'static str, String)> {
        let any = |kinds: &[Kind]| kinds.iter().any(|kind| self.plan.has(*kind));
        let loose = self.loose_tills();
        let till_of = |order: Option<OrderId>| Some(self.observer.orders.get(&order?)?.order.till);
        let strange = stored.cases.iter().find(|case| {
            let expected = match case.case.case.kind {
                // Whether somebody was not allowed to is judged order by order.
                // Gaps and interruptions: a wristband that left in between and never came back, or a device that never sent.
                CaseKind::Overdraft
                | CaseKind::ClockDoubtful
                | CaseKind::NotPermitted
                | CaseKind::PurseGap
                | CaseKind::CreditGap
                | CaseKind::PurseCompleted
                | CaseKind::PurseInterrupted => true,
                // Two phones with one identity are one device to the books, which sees it look back.
                CaseKind::PurseOverlap | CaseKind::PurseSetBack => {
                    any(&[Kind::ChipCopied, Kind::ChipEmulated, Kind::ChipForged]) || self.several_copies()
                }
                CaseKind::SwapUndone => is_forbidden(&case.case.case),
                CaseKind::BlockedTag => any(&[Kind::Block]),
                // A restored server has forgotten what it gave.
                CaseKind::UnknownRevision
                | CaseKind::UnknownEpoch
                | CaseKind::TerminalReadopted
                | CaseKind::UnknownCredit => any(&[Kind::ServerRestore]),
                CaseKind::Fork | CaseKind::ReversalUnknown | CaseKind::ReversedTwice => self.several_copies(),
                CaseKind::DrawerMismatch => {
                    self.several_copies() || till_of(case.case.case.order).is_some_and(|till| loose.contains(&till))
                }
                // A heartbeat is not signed: a flipped bit in it can announce what never was.
                CaseKind::EntriesMissing => any(&[
                    Kind::Rollback,
                    Kind::Clone,
                    Kind::PhoneLost,
                    Kind::Handover,
                    Kind::BitFlip,
                ]),
                CaseKind::IdConflict => any(&[Kind::StolenKey]),
                _ => false,
            };
            !expected
        });
        strange
            .map(|case| {
                let order = case.case.case.order.and_then(|id| self.observer.orders.get(&id));
                let said = order.map(|seen| format!("{:?}", seen.order)).unwrap_or_default();
                ("cases", format!("nothing here explains {:?} {said}", case.case))
            })
            .into_iter()
            .collect()
    }

    /// I13: an order is on the day it was sold on, whatever the till's clock said; where that cannot be known, a case says so.
    fn days(&self, stored: &Stored) -> Vec<(&'static str, String)> {
        let event = fixtures::sample::event();
        let day_of = |at_ms: u64| festival::day::event_day(&event, at_ms).map(|day| day.0);
        let doubted: BTreeSet<TerminalNo> = stored
            .cases
            .iter()
            .filter(|case| case.case.case.kind == CaseKind::ClockDoubtful)
            .filter_map(|case| case.case.terminal)
            .collect();
        for row in &stored.rows {
            let (Some(entry), Some(posting)) = (&row.entry, &row.record.posting) else {
                continue;
            };
            let (Some(day), Some(seen)) = (entry.day, self.observer.orders.get(&posting.id.0)) else {
                continue;
            };
            let sold_ms = EPOCH_MS + seen.at_ms;
            let near = [day_of(sold_ms - CLOCK_ERROR_MS), day_of(sold_ms + CLOCK_ERROR_MS)].contains(&Some(day));
            // In doubt it is the session's day, or that of the arrival.
            let plausible = day_of(sold_ms - SESSION_MS) <= Some(day) && Some(day) <= day_of(row.record.booked_at_ms);
            let excused = plausible && doubted.contains(&entry.chain.terminal);
            if !near && !excused {
                let what = format!(
                    "order {} of terminal {} was sold on {:?} and is booked on {day}",
                    posting.id.0,
                    entry.chain.terminal.0,
                    day_of(sold_ms)
                );
                return vec![("I13", what)];
            }
        }
        Vec::new()
    }

    /// I15: everything has drained.
    fn liveness(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for (no, unsent) in self.unsent().into_iter().filter(|(_, unsent)| *unsent > 0) {
            found.push((
                "I15",
                format!(
                    "device {} still has {unsent} unsent entries an hour after everything was healed",
                    no.0
                ),
            ));
        }
        if self.server.waiting() > 0 {
            found.push((
                "I15",
                format!("{} requests still wait on the server", self.server.waiting()),
            ));
        }
        if let Some(what) = &self.observer.pace.too_often {
            found.push(("I15", what.clone()));
        }
        // Two phones with one identity throw each other out for ever, and a server hears of some of the ends by silence only: young ones are many.
        let old = |conn: &&crate::network::Conn| conn.tried_at_ms + OLD_CONNECTION_MS < self.now_ms;
        let (connections, devices) = (self.network.conns.values().filter(old).count(), self.devices.len());
        if connections > 2 * devices {
            found.push((
                "I15",
                format!("{connections} old connections of {devices} devices are left"),
            ));
        }
        if self.agenda.len() > 5_000 {
            found.push(("I15", format!("{} events are still due", self.agenda.len())));
        }
        for (no, device) in self.devices.iter().enumerate().filter(|(_, device)| !device.gone) {
            if !device.disk.pending.is_empty() {
                found.push(("I15", format!("device {no} still waits for its disk")));
            }
        }
        found
    }

    fn note_cases(&mut self, stored: &Stored) {
        for case in &stored.cases {
            match case.case.case.kind {
                CaseKind::Overdraft => self.sometimes.reach("overdraft_booked"),
                CaseKind::DrawerMismatch => self.sometimes.reach("drawer_mismatch_found"),
                CaseKind::BlockedTag => self.sometimes.reach("blocked_wristband_paid"),
                CaseKind::TerminalReadopted => self.sometimes.reach("terminal_readopted"),
                _ => {}
            }
        }
        let mut newest = shared_protocol::stream::Version::default();
        for row in &stored.rows {
            let Some(posting) = &row.record.posting else { continue };
            if posting
                .transfers
                .iter()
                .any(|transfer| transfer.code == TransferCode::OverdraftSettled)
            {
                self.sometimes.reach("late_top_up_settled_debt");
            }
            let Some(seen) = self.observer.orders.get(&posting.id.0) else {
                continue;
            };
            if seen.order.config < newest {
                self.sometimes.reach("old_prices_booked");
            }
            newest = newest.max(seen.order.config);
            if seen.order.tenders.iter().any(|tender| tender.hold.is_some()) && posting.captures.is_empty() {
                self.sometimes.reach("hold_was_gone_when_captured");
            }
        }
    }
}
