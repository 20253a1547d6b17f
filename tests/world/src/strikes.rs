//! What a fault does when it strikes.

use engine::Request;
use fixtures::sample;
use shared_protocol::chain::{SignedHead, link};
use shared_protocol::config::Item;
use shared_protocol::encode;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::FRAME_FROM_TERMINAL_MAX_BYTES;
use shared_protocol::message::{CommandKind, Message, TerminalState};
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, StaffId};
use terminal::Terminal;

use crate::disk::Image;
use crate::events::{ConnNo, DeviceNo, Event};
use crate::faults::Kind;
use crate::random::Random;
use crate::server_disk::CommitFault;
use crate::till::Device;
use crate::world::{EPOCH_MS, World};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Who is in no configuration.
const NOBODY: StaffId = StaffId(7);

impl World {
    /// One of the devices that run and are wanted.
    pub(crate) fn running_where(
        &mut self,
        kind: Kind,
        wanted: impl Fn(DeviceNo, &Terminal) -> bool,
    ) -> Option<DeviceNo> {
        let devices = (0..).map(DeviceNo).zip(&self.devices);
        let running = devices.filter_map(|(no, device)| Some((no, device.terminal.as_ref()?)));
        let running: Vec<DeviceNo> = running
            .filter(|(no, terminal)| wanted(*no, terminal))
            .map(|(no, _)| no)
            .collect();
        self.plan.random(kind).pick(&running)
    }

    fn running(&mut self, kind: Kind) -> Option<DeviceNo> {
        self.running_where(kind, |_, _| true)
    }

    fn draw(&mut self, kind: Kind, low: u64, high: u64) -> u64 {
        self.plan.random(kind).between(low, high)
    }

    /// A fault strikes, and the next of its kind is planned.
    pub(crate) fn fault(&mut self, kind: Kind) {
        if !self.plan.armed {
            return;
        }
        if let Some(wait) = self.plan.next(kind) {
            self.put(wait.max(1), Event::Fault(kind));
        }
        if self.strike(kind).is_some() {
            self.count(kind);
            self.log.note(&["fault", kind.name()]);
        }
    }

    /// Gives nothing when there was nothing to strike at.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of fault")]
    fn strike(&mut self, kind: Kind) -> Option<()> {
        match kind {
            Kind::ChipCopied
            | Kind::ChipEmulated
            | Kind::IdBorrowed
            | Kind::ChipWorn
            | Kind::ChipReplayed
            | Kind::ChipForged
            | Kind::StolenDesk => self.strike_chip(kind)?,
            Kind::Offline => {
                let no = self.running(kind)?;
                let long = self.plan.random(kind).percent(20);
                let for_ms = if long {
                    self.draw(kind, HOUR_MS, 5 * HOUR_MS)
                } else {
                    self.draw(kind, 10_000, 30 * MINUTE_MS)
                };
                self.goes_offline(no, for_ms);
            }
            Kind::SiteCut => {
                let for_ms = self.draw(kind, MINUTE_MS, 40 * MINUTE_MS);
                for no in self.device_numbers() {
                    self.goes_offline(no, for_ms);
                }
            }
            Kind::Swizzle => {
                let mut order = self.device_numbers();
                self.plan.random(kind).shuffle(&mut order);
                for no in order {
                    let for_ms = self.draw(kind, MINUTE_MS, 20 * MINUTE_MS);
                    self.goes_offline(no, for_ms);
                }
            }
            Kind::Reset | Kind::HalfOpen => {
                let all: Vec<ConnNo> = self.network.conns.keys().copied().collect();
                let no = self.plan.random(kind).pick(&all)?;
                self.breaks(no, kind == Kind::HalfOpen);
            }
            Kind::OneWay => {
                let no = self.running(kind)?;
                let (up, for_ms) = (
                    self.plan.random(kind).percent(50),
                    self.draw(kind, 20_000, 15 * MINUTE_MS),
                );
                let reach = &mut self.devices.get_mut(no.0)?.reach;
                (reach.mute, reach.deaf) = (up, !up);
                self.put(for_ms, Event::Audible { device: no });
            }
            Kind::Rogue => {
                let no = self.running(kind)?;
                let for_ms = self.draw(kind, MINUTE_MS, 15 * MINUTE_MS);
                self.devices.get_mut(no.0)?.reach.rogue_until_ms = self.now_ms + for_ms;
                for conn in self.conns_of(no) {
                    self.breaks(conn, false);
                }
            }
            Kind::ServerKill => {
                let back_ms = self.draw(kind, 1_000, 10 * MINUTE_MS);
                self.server_dies(back_ms);
            }
            Kind::KillAfterCommit => self.server.die_after_commit = true,
            Kind::CommitFails => self.server.arm(CommitFault::Full),
            Kind::CommitUnknown => self.server.arm(CommitFault::Unknown),
            Kind::ServerSlow => {
                self.server.slow = true;
                let for_ms = self.draw(kind, MINUTE_MS, 10 * MINUTE_MS);
                self.put(for_ms, Event::ServerFast);
            }
            Kind::ServerRestore => {
                let count = self.server.backups.len();
                let index = self.plan.random(kind).index(count);
                if count == 0 {
                    return None;
                }
                self.server_restores(index);
            }
            Kind::TseDown | Kind::TseSilent => self.tse_strikes(kind),
            Kind::Handover => self.gives_a_copy()?,
            Kind::PriceChange => self.change_prices(kind),
            Kind::Block => {
                let tags = self.guests.tags.clone();
                let tag = self.plan.random(kind).pick(&tags)?;
                self.admin(Request::Block {
                    tag,
                    reason: Some(BlockReason::Lost),
                });
                self.blocked.push(tag);
                let for_ms = self.draw(kind, 10 * MINUTE_MS, 3 * HOUR_MS);
                self.put(for_ms, Event::Pardon);
            }
            Kind::Lock => {
                let terminals = self.server.terminals();
                let terminal = self.plan.random(kind).pick(&terminals)?;
                if self.plan.random(kind).percent(30) {
                    self.command(terminal, CommandKind::LogOut);
                } else {
                    self.admin(Request::SetState {
                        terminal,
                        state: TerminalState::Locked,
                    });
                    self.command(terminal, CommandKind::Lock);
                    self.locked.push(terminal);
                    let for_ms = self.draw(kind, MINUTE_MS, 40 * MINUTE_MS);
                    self.put(for_ms, Event::Pardon);
                }
            }
            device => self.strike_device(device)?,
        }
        Some(())
    }

    fn strike_device(&mut self, kind: Kind) -> Option<()> {
        let no = self.running(kind)?;
        match kind {
            Kind::TillKill | Kind::PowerCut => {
                if self.observer.shown_on(no) > 0 && kind == Kind::PowerCut {
                    self.sometimes.reach("acknowledged_before_power_cut");
                }
                let back_ms = self.draw(kind, 2_000, 8 * MINUTE_MS);
                if self.plan.random(kind).percent(50) {
                    self.devices.get_mut(no.0)?.disk.cut_armed = Some(kind == Kind::PowerCut);
                    return Some(());
                }
                self.process_dies(no, kind == Kind::PowerCut);
                if kind == Kind::PowerCut
                    && self.plan.has(Kind::Year1970)
                    && self.plan.random(Kind::Year1970).percent(30)
                {
                    self.count(Kind::Year1970);
                    let skew = i64::try_from(crate::world::EPOCH_MS + self.now_ms).unwrap_or(0);
                    self.devices.get_mut(no.0)?.clocks.skew_ms = -skew;
                }
                self.put(back_ms, Event::PowerOn { device: no });
            }
            Kind::DiskFull => {
                self.devices.get_mut(no.0)?.disk.full = true;
                let for_ms = self.draw(kind, 5_000, 5 * MINUTE_MS);
                self.put(for_ms, Event::Repaired { device: no });
            }
            Kind::DiskError => self.devices.get_mut(no.0)?.disk.error_armed = true,
            Kind::DiskUnknown => self.devices.get_mut(no.0)?.disk.unknown_armed = true,
            Kind::KeyFault => {
                self.devices.get_mut(no.0)?.key_broken = true;
                let for_ms = self.draw(kind, 5_000, 10 * MINUTE_MS);
                self.put(for_ms, Event::Repaired { device: no });
            }
            Kind::ClockJump => {
                let jump = i64::try_from(self.draw(kind, 0, 2 * 26 * HOUR_MS)).unwrap_or(0);
                let day = i64::try_from(26 * HOUR_MS).unwrap_or(0);
                let clocks = &mut self.devices.get_mut(no.0)?.clocks;
                // Back to the true time as often as away from it, as a phone does that meets a time server.
                clocks.skew_ms = if clocks.skew_ms == 0 { jump - day } else { 0 };
            }
            Kind::Rollback => {
                let backup = self.devices.get(no.0)?.backup.clone()?;
                self.replace_image(no, backup);
                let back_ms = self.draw(kind, MINUTE_MS, 20 * MINUTE_MS);
                self.put(back_ms, Event::PowerOn { device: no });
            }
            Kind::Clone => {
                let original = self.devices.get(no.0)?;
                original.terminal.as_ref()?.id()?;
                let random = Random::of(self.seed, 50_000 + self.devices.len() as u64);
                let mut twin = Device::new(original.till, original.key.clone(), random);
                twin.disk.image = original.disk.image.clone();
                twin.clocks = original.clocks;
                self.add_device(twin, 3_000);
            }
            Kind::PhoneLost => self.phone_is_lost(no)?,
            Kind::StolenKey => self.devices.get_mut(no.0)?.key_stolen = true,
            Kind::Permission => self.change_permissions(no)?,
            _ => return None,
        }
        Some(())
    }

    /// A phone is destroyed, and another one takes its till.
    pub(crate) fn phone_is_lost(&mut self, no: DeviceNo) -> Option<()> {
        let till = self.devices.get(no.0)?.till;
        self.stick_stays(no);
        self.replace_image(no, Image::default());
        self.devices.get_mut(no.0)?.gone = true;
        let curve = self.curve;
        let mut random = Random::of(self.seed, 60_000 + self.devices.len() as u64);
        let key = crate::till::Key::new(curve, &mut random);
        self.add_device(Device::new(till, key, random), 5 * MINUTE_MS);
        Some(())
    }

    fn tse_strikes(&mut self, kind: Kind) {
        let which = self.plan.random(kind).index(64);
        let how = self.plan.random(kind).index(7 * 11 * 4);
        if kind == Kind::TseDown {
            let for_ms = self.draw(kind, 10_000, 2 * HOUR_MS);
            self.server.signing.goes_down(which, how);
            self.put(for_ms, Event::TseMended);
        } else if which.is_multiple_of(2) {
            self.server.signing.loses_an_answer(which / 2, how);
        } else {
            self.server.signing.refuses(which / 2, how);
        }
    }

    fn change_prices(&mut self, kind: Kind) {
        let mut items = std::mem::take(&mut self.items);
        for _ in 0..4 {
            let place = self.plan.random(kind).index(items.len());
            let cents = i64::try_from(self.draw(kind, 0, 6)).unwrap_or(0) * 10 - 30;
            if let Some(Item::Article { item }) = items.get_mut(place) {
                item.price = item.price.map(|price| Amount((price.0 + cents).max(10)));
            }
        }
        self.publish(&items);
        self.items = items;
    }

    /// Who was locked out may come in again.
    pub(crate) fn pardon(&mut self) {
        if !self.server.is_up() {
            return self.put(MINUTE_MS, Event::Pardon);
        }
        for tag in std::mem::take(&mut self.blocked) {
            self.admin(Request::Block { tag, reason: None });
        }
        for terminal in std::mem::take(&mut self.locked) {
            self.admin(Request::SetState {
                terminal,
                state: TerminalState::Active,
            });
            self.command(terminal, CommandKind::Unlock);
        }
    }

    /// Somebody has a till's key and sits on its network: the last order of a frame becomes another one under the same id, signed all the same.
    pub(crate) fn tampered(&mut self, no: DeviceNo, frame: Vec<u8>) -> Vec<u8> {
        let Some(device) = self.devices.get_mut(no.0).filter(|device| device.key_stolen) else {
            return frame;
        };
        let Ok(Message::Push(mut push)) = Message::read(&frame, FRAME_FROM_TERMINAL_MAX_BYTES) else {
            return frame;
        };
        let Some(last) = push.entries.pop() else { return frame };
        let Ok((entry, Content::Order(read))) = Entry::read(&last.0) else {
            return frame;
        };
        let mut order = read.order;
        // The money stays, the content does not: so the books still show whether the order was booked once.
        order.open_for_ms = order.open_for_ms.wrapping_add(7);
        if self.plan.random(Kind::StolenKey).percent(50) {
            order.cashier = NOBODY;
        }
        let id = order.id;
        let forged = Entry {
            body: Bytes(encode(&order)),
            ..entry
        }
        .bytes();
        let mut head = push.previous;
        for (seq, bytes) in (push.first_seq..).zip(&push.entries) {
            head = link(&head, seq, &bytes.0);
        }
        let seq = push.first_seq + push.entries.len() as u64;
        head = link(&head, seq, &forged);
        push.entries.push(Bytes(forged));
        let signer = device.key.signer();
        let Ok(stolen_head) = SignedHead::sign(signer.as_ref(), push.terminal, push.epoch.epoch, seq, head) else {
            return frame;
        };
        device.key_stolen = false;
        self.observer.forged(id, push.head.hash, head);
        push.head = stolen_head;
        Message::from(push).frame()
    }

    /// All faults end, everything works again, and the guests go home.
    pub(crate) fn heal(&mut self) {
        self.plan.armed = false;
        self.server.signing.mend(EPOCH_MS + self.now_ms);
        self.guests.open = false;
        self.server.disarm();
        self.server_starts();
        self.pardon();
        for no in self.device_numbers() {
            let Some(device) = self.devices.get_mut(no.0) else {
                continue;
            };
            device.reach = crate::network::Reach::default();
            device.offline_until_ms = 0;
            device.disk.full = false;
            device.disk.error_armed = false;
            device.disk.unknown_armed = false;
            device.disk.cut_armed = None;
            device.key_broken = false;
            device.key_stolen = false;
            device.put_away = false;
            self.put(1_000, Event::PowerOn { device: no });
        }
        self.log.note(&["healed"]);
    }

    /// Crew gets its vouchers.
    pub(crate) fn grant_vouchers(&mut self) {
        self.grant_to_purses();
        let count = u32::try_from(self.guests.tags.len()).unwrap_or(0);
        for grant in sample::crew_grants(count) {
            let posting = ledger::PostingId(shared_protocol::OrderId(self.people_random.bytes()));
            let units = Amount(i64::from(grant.units));
            self.observer.granted(posting, grant.tag, grant.asset, units);
            let expires_at_ms = Some(crate::world::EPOCH_MS + 10 * 24 * HOUR_MS);
            self.admin(Request::Grant {
                posting,
                tag: grant.tag,
                asset: grant.asset,
                amount: units,
                expires_at_ms,
            });
        }
    }
}
