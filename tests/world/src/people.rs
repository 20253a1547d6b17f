//! Guests and cashiers. They look at the screen and nothing else, and they do what people do: hold twice, hold too long, type the wrong thing, take
//! it back, take it back again, walk away with a cart open.

use std::collections::{BTreeMap, VecDeque};

use chips::{Chip, ReaderEvent};
use fixtures::sample::{self, CROWN, FRANC};
use shared_protocol::currency::Foreign;
use shared_protocol::order::{CancelReason, OrderKind, TenderKind};
use shared_protocol::{Amount, StaffId, TagId};
use terminal::screen::{CartKind, DoneKind, Notice, Page, PurseRefusal, Refusal, Registering};
use terminal::{Action, Input, Pin, Terminal};

use crate::events::{DeviceNo, Event};
use crate::faults::Kind;
use crate::world::World;

/// One thing that somebody does at a till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The cashier does something.
    Act(Action),
    /// A wristband comes into the field.
    Hold(TagId),
    /// The field is empty again.
    Leave,
    /// Two wristbands at once.
    Several,
    /// A bank card or a phone.
    Stranger,
    /// They look what became of it.
    Look,
    /// The next guest.
    Finish,
}

/// A guest is being served.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    no: u64,
    plan: VecDeque<(u64, Deed)>,
    tag: TagId,
    looks: u32,
    second_chance: bool,
}

/// How often somebody looks at a screen that says "a moment".
const LOOKS_MAX: u32 = 12;
/// Spare wristbands are numbered from here on, far behind those of the guests.
const SPARES_FROM: u32 = 1_000_000;
/// Money that guests put on their wristbands, in cents.
const TOP_UPS: [i64; 7] = [500, 1_000, 2_000, 2_000, 3_000, 5_000, 10_000];

/// The guests.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    pub tags: Vec<TagId>,
    /// What each believes to have.
    pub purses: BTreeMap<TagId, i64>,
    pub next_service: u64,
    /// Orders that the run should come to.
    pub orders_wanted: u64,
    pub open: bool,
    /// Milliseconds of opening hours that are left.
    pub open_left_ms: u64,
    pub open_since_ms: u64,
    /// Wristbands that were lost before anybody used them, and those that took their place.
    pub spares: u32,
}

impl Guests {
    /// Somebody saw on a screen what was booked.
    pub fn feel(&mut self, tag: TagId, cents: i64) {
        *self.purses.entry(tag).or_default() += cents;
    }
}

fn amount(cents: u64) -> Amount {
    Amount(i64::try_from(cents).unwrap_or(i64::MAX))
}

impl World {
    /// The next guest comes, so often that the run has its orders when the doors close.
    pub(crate) fn arrival(&mut self) {
        let booked = self.observer.orders_made();
        let wanted = self.guests.orders_wanted.saturating_sub(booked).max(10);
        let left_ms = self
            .guests
            .open_left_ms
            .saturating_sub(self.now_ms - self.guests.open_since_ms.min(self.now_ms));
        let mean = (left_ms / wanted).clamp(250, 600_000);
        if !self.guests.open {
            return;
        }
        let wait = self.people_random.wait(mean).max(1);
        self.put(wait, Event::Arrival);
        for _ in 0..6 {
            let no = DeviceNo(self.people_random.index(self.devices.len()));
            if self.serve(no) {
                return;
            }
        }
    }

    pub(crate) fn somebody(&mut self) -> TagId {
        let pick = |world: &mut Self| {
            world
                .people_random
                .pick(&world.guests.tags)
                .unwrap_or_else(|| sample::wristband(0))
        };
        let (one, other) = (pick(self), pick(self));
        let purse = |tag: &TagId| self.guests.purses.get(tag).copied().unwrap_or(0);
        if purse(&one) >= purse(&other) { one } else { other }
    }

    /// Begins to serve a guest at a till, if one can be served there.
    fn serve(&mut self, no: DeviceNo) -> bool {
        let Some(device) = self.devices.get(no.0).filter(|device| device.service.is_none()) else {
            return false;
        };
        let Some(page) = device.page() else { return false };
        if *page == Page::Locked {
            // Somebody tries all the same, now and then.
            if self.people_random.percent(5) {
                let tag = self.somebody();
                self.sometimes.reach("locked_till_tried");
                self.begin(
                    no,
                    tag,
                    vec![(500, Deed::Hold(tag)), (500, Deed::Leave), (100, Deed::Finish)],
                );
                return true;
            }
            return false;
        }
        if *page != Page::Sale {
            return false;
        }
        let kinds = device
            .terminal
            .as_ref()
            .and_then(|terminal| terminal.config())
            .and_then(|config| config.tills.get(&device.till));
        let Some(till) = kinds.cloned() else { return false };
        // Who finds a swap open after the power went begins anew.
        let shown = device.terminal.as_ref().and_then(|terminal| terminal.shown());
        let cart = shown.and_then(|screen| screen.cart.as_ref());
        if cart.is_some_and(|cart| matches!(cart.kind, CartKind::Swap { .. })) {
            let tag = self.somebody();
            self.begin(no, tag, vec![(800, Deed::Act(Action::Clear)), (200, Deed::Finish)]);
            return true;
        }
        if till.order_kinds.contains(&OrderKind::Swap) && self.people_random.percent(3) {
            let (tag, plan) = self.plan_swap();
            self.begin(no, tag, plan);
            return true;
        }
        if let Some(plan) = self.plan_drawer(no) {
            let tag = self.somebody();
            self.begin(no, tag, plan);
            return true;
        }
        if self.plan.strikes(Kind::Overstep, 20_000)
            && let Some(plan) = self.plan_overstep(no)
        {
            self.count(Kind::Overstep);
            let tag = self.somebody();
            self.begin(no, tag, plan);
            return true;
        }
        let sells = till.order_kinds.contains(&OrderKind::Sale);
        let tops_up = till.order_kinds.contains(&OrderKind::TopUp);
        let tag = self.thief_shops(no).unwrap_or_else(|| self.somebody());
        let random = &mut self.people_random;
        let mistakes = if self.plan.has(Kind::Mistake) { 6 } else { 0 };
        let plan = match (sells, tops_up) {
            (true, tops_up) => {
                let weights = [78, if tops_up { 60 } else { 0 }, 0, 4, 4, 3, 3, 3, 3, mistakes, 2, 5];
                random.weighted(&weights)
            }
            (false, true) => random.weighted(&[0, 84, 8, 4, 4, 2, 2, 0, 0, 0, 0, 3]),
            (false, false) => return false,
        };
        let plan = match plan {
            0 => self.plan_sale(no, tag),
            1 => self.plan_top_up(tag),
            2 => self.plan_pay_out(tag),
            3 => vec![(500, Deed::Hold(tag)), (700, Deed::Leave), (600, Deed::Look)],
            4 => self.plan_undo(no),
            5 => self.plan_cancel(no),
            6 => self.plan_deposit_return(no, tag),
            7 => self.plan_correct(no),
            8 => self.plan_split(no, tag),
            9 => self.plan_mistake(no, tag),
            10 => vec![
                (800, Deed::Act(Action::SameAgain)),
                (900, Deed::Hold(tag)),
                (600, Deed::Leave),
                (300, Deed::Look),
            ],
            _ => self.plan_plain(no, &till.tenders),
        };
        if plan.is_empty() {
            return false;
        }
        self.begin(no, tag, plan);
        true
    }

    fn begin(&mut self, no: DeviceNo, tag: TagId, plan: Vec<(u64, Deed)>) {
        self.guests.next_service += 1;
        let service = self.guests.next_service;
        let first = plan.first().map_or(1, |(delay, _)| *delay);
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        device.service = Some(Service {
            no: service,
            plan: plan.into(),
            tag,
            looks: 0,
            second_chance: true,
        });
        self.put(first, Event::Person { device: no, service });
    }

    /// The people at a till do the next thing.
    pub(crate) fn person(&mut self, no: DeviceNo, service_no: u64) {
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let Some(service) = device.service.as_mut().filter(|service| service.no == service_no) else {
            return;
        };
        let deed = service.plan.pop_front().map_or(Deed::Finish, |(_, deed)| deed);
        match deed {
            Deed::Act(action) => self.step(no, Input::Act(action)),
            Deed::Hold(tag) => {
                let event = self.lays_down(no, tag);
                self.step(no, Input::Reader(event));
            }
            Deed::Leave => {
                self.takes_up(no);
                self.step(no, Input::Reader(ReaderEvent::Left));
            }
            Deed::Several => self.step(no, Input::Reader(ReaderEvent::Several)),
            Deed::Stranger => {
                let phone = TagId::from_slice(&[0x08, 1, 2, 3]);
                let event = phone.map_or(ReaderEvent::Unsupported, |tag| ReaderEvent::Held(Chip::identity(tag)));
                self.step(no, Input::Reader(event));
            }
            Deed::Look => self.look(no),
            Deed::Finish => return self.finish(no),
        }
        let next = self
            .devices
            .get(no.0)
            .and_then(|device| device.service.as_ref())
            .map(|service| service.plan.front().map_or(200, |(delay, _)| *delay));
        if let Some(delay) = next {
            self.put(
                delay,
                Event::Person {
                    device: no,
                    service: service_no,
                },
            );
        }
    }

    /// What they see decides what they do.
    fn look(&mut self, no: DeviceNo) {
        let other = self.somebody();
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let Some(notice) = device
            .terminal
            .as_ref()
            .and_then(|terminal| terminal.shown())
            .map(|screen| screen.notice.clone())
        else {
            return;
        };
        let Some(service) = device.service.as_mut() else { return };
        service.looks += 1;
        let (tag, looks) = (service.tag, service.looks);
        if looks > LOOKS_MAX {
            return;
        }
        let again = |service: &mut Service, deeds: Vec<(u64, Deed)>| {
            for deed in deeds.into_iter().rev() {
                service.plan.push_front(deed);
            }
        };
        let hold = |tag| vec![(700, Deed::Hold(tag)), (600, Deed::Leave), (300, Deed::Look)];
        match notice {
            Notice::Working => again(service, vec![(250, Deed::Look)]),
            Notice::Done(done) => match done.kind {
                DoneKind::Swapped { after_sync: false, .. } => self.sometimes.reach("wristband_swapped"),
                DoneKind::Swapped { after_sync: true, .. } => self.sometimes.reach("wristband_swapped_offline"),
                DoneKind::Blocked { .. } => self.sometimes.reach("wristband_blocked_by_a_desk"),
                _ => {}
            },
            Notice::NextPart => {
                let next = if other == tag { tag } else { other };
                service.tag = next;
                again(service, hold(next));
            }
            Notice::HoldAgain { tag, .. } => {
                self.sometimes.reach("hold_again_shown");
                again(service, hold(tag));
            }
            Notice::Refused(Refusal::Purse(PurseRefusal::Left | PurseRefusal::HoldSame)) => again(service, hold(tag)),
            Notice::Refused(
                Refusal::Busy | Refusal::SeveralWristbands | Refusal::NotAWristband | Refusal::SameWristband,
            ) => again(service, hold(other)),
            Notice::Refused(Refusal::BalanceTooLow { .. } | Refusal::OfflineLimit { .. } | Refusal::Blocked(_))
                if service.second_chance =>
            {
                service.second_chance = false;
                match self.people_random.below(4) {
                    0 => again(service, hold(other)),
                    1 => again(
                        service,
                        vec![(2_000, Deed::Act(Action::Pay(TenderKind::Card))), (300, Deed::Look)],
                    ),
                    _ => {}
                }
            }
            Notice::Refused(Refusal::OtherWristband | Refusal::Storage(_)) if service.second_chance => {
                service.second_chance = false;
                again(service, hold(tag));
            }
            _ => {}
        }
    }

    /// The next guest: whatever lies open is put away.
    fn finish(&mut self, no: DeviceNo) {
        let open = |device: &crate::till::Device| device.terminal.as_ref()?.shown().map(|screen| screen.cart.is_some());
        let cart_is_open = self.devices.get(no.0).and_then(open).unwrap_or(false);
        if cart_is_open {
            self.step(no, Input::Act(Action::Clear));
        }
        self.takes_up(no);
        if let Some(device) = self.devices.get_mut(no.0) {
            device.service = None;
        }
    }

    fn pause(&mut self) -> u64 {
        self.people_random.between(250, 1_400)
    }

    pub(crate) fn paying(&mut self, tag: TagId) -> Vec<(u64, Deed)> {
        let mut plan = Vec::new();
        if self.people_random.percent(2) {
            plan.push((600, Deed::Several));
        }
        if self.people_random.percent(1) {
            plan.push((600, Deed::Stranger));
        }
        plan.push((self.people_random.between(700, 4_000), Deed::Hold(tag)));
        if self.plan.strikes(Kind::HoldTooLong, 40_000) {
            self.count(Kind::HoldTooLong);
            plan.extend((0..7).map(|_| (900, Deed::Hold(tag))));
        }
        plan.push((self.people_random.between(300, 900), Deed::Leave));
        if self.plan.strikes(Kind::DoubleTap, 40_000) {
            self.count(Kind::DoubleTap);
            let soon = self.plan.random(Kind::DoubleTap).between(100, 3_000);
            plan.extend([(soon, Deed::Hold(tag)), (400, Deed::Leave)]);
        }
        plan.push((300, Deed::Look));
        plan
    }

    /// Things from the screen go into the cart.
    pub(crate) fn typing(&mut self, no: DeviceNo, pieces_max: usize) -> Vec<(u64, Deed)> {
        let mut plan = Vec::new();
        let Some(device) = self.devices.get(no.0) else {
            return plan;
        };
        let Some(config) = device.terminal.as_ref().and_then(|terminal| terminal.config()).cloned() else {
            return plan;
        };
        let Some(layout) = config
            .tills
            .get(&device.till)
            .and_then(|till| config.layouts.get(&till.layout))
        else {
            return plan;
        };
        let count = 1 + self.people_random.index(pieces_max);
        for _ in 0..count {
            let early = self
                .people_random
                .index(layout.tiles.len())
                .min(self.people_random.index(layout.tiles.len()));
            let Some(article) = layout.tiles.get(early).copied() else {
                continue;
            };
            let free = config
                .articles
                .get(&article)
                .is_some_and(|article| article.price.is_none());
            let action = if free {
                Action::FreePrice {
                    article,
                    price: amount(50 + 50 * self.people_random.below(20)),
                }
            } else {
                Action::Add {
                    article,
                    count: [1, 1, 1, 2, 3].get(self.people_random.index(5)).copied().unwrap_or(1),
                }
            };
            plan.push((self.pause(), Deed::Act(action)));
        }
        if self.people_random.percent(14)
            && let Some(article) = self.people_random.pick(&layout.deposit_row)
        {
            plan.push((self.pause(), Deed::Act(Action::Return { article, count: 1 })));
        }
        plan
    }

    fn plan_sale(&mut self, no: DeviceNo, tag: TagId) -> Vec<(u64, Deed)> {
        let mut plan = self.typing(no, 3);
        if self.people_random.percent(5) {
            plan.push((self.pause(), Deed::Act(Action::UseVouchers(false))));
        }
        if self.plan.strikes(Kind::LogOut, 10_000) {
            self.count(Kind::LogOut);
            plan.push((self.pause(), Deed::Act(Action::Logout)));
        }
        plan.extend(self.paying(tag));
        plan
    }

    /// Notes of another currency, as a guest has them: mostly enough for what is bought.
    fn notes(&mut self) -> Option<Foreign> {
        let (asset, notes) = if self.people_random.percent(50) {
            (FRANC, [1_000, 5_000, 10_000, 20_000])
        } else {
            (CROWN, [20_000, 100_000, 200_000, 500_000])
        };
        let amount = Amount(self.people_random.pick(&notes)?);
        Some(Foreign { asset, amount })
    }

    fn plan_plain(&mut self, no: DeviceNo, tenders: &[TenderKind]) -> Vec<(u64, Deed)> {
        let mut plan = self.typing(no, 3);
        let by_hand: Vec<TenderKind> = tenders
            .iter()
            .copied()
            .filter(|kind| matches!(kind, TenderKind::Cash | TenderKind::Card))
            .collect();
        let Some(kind) = self.people_random.pick(&by_hand) else {
            return Vec::new();
        };
        let foreign = kind == TenderKind::Cash && self.people_random.percent(25);
        let action = match self.notes().filter(|_| foreign) {
            Some(given) => Action::PayForeign(given),
            None => Action::Pay(kind),
        };
        plan.extend([(2_500, Deed::Act(action)), (300, Deed::Look)]);
        plan
    }

    fn plan_top_up(&mut self, tag: TagId) -> Vec<(u64, Deed)> {
        let method = if self.people_random.percent(45) {
            TenderKind::Cash
        } else {
            TenderKind::Card
        };
        let amount = Amount(self.people_random.pick(&TOP_UPS).unwrap_or(1_000));
        let foreign = method == TenderKind::Cash && self.people_random.percent(20);
        let whole = self.people_random.percent(50);
        let action = match self.notes().filter(|_| foreign) {
            Some(given) => Action::TopUpForeign {
                given,
                amount: (!whole).then_some(amount),
            },
            None => Action::TopUp { amount, method },
        };
        let mut plan = Vec::new();
        if self.people_random.percent(30) {
            // The balance first; then nothing has to be held again.
            plan.extend([
                (500, Deed::Hold(tag)),
                (500, Deed::Leave),
                (900, Deed::Look),
                (1_500, Deed::Act(action)),
                (900, Deed::Look),
            ]);
        } else {
            plan.push((1_000, Deed::Act(action)));
            plan.extend(self.paying(tag));
        }
        plan
    }

    /// Somebody has lost a wristband that was never used, or it is broken; it is blocked, or another one takes its place.
    fn plan_swap(&mut self) -> (TagId, Vec<(u64, Deed)>) {
        let spare = SPARES_FROM.saturating_add(2 * self.guests.spares);
        self.guests.spares += 1;
        let (old, new) = (sample::wristband(spare), sample::wristband(spare + 1));
        let mut plan = match self.people_random.below(4) {
            0 => {
                let block = Deed::Act(Action::Block { tag: old });
                return (old, vec![(2_000, block), (400, Deed::Look)]);
            }
            1 => vec![(2_000, Deed::Act(Action::SwapLost { old }))],
            _ => vec![
                (700, Deed::Hold(old)),
                (500, Deed::Leave),
                (900, Deed::Look),
                (900, Deed::Act(Action::Swap)),
            ],
        };
        if self.people_random.percent(10) {
            // The old one again.
            plan.extend([(600, Deed::Hold(old)), (500, Deed::Leave)]);
        }
        plan.extend(self.paying(new));
        (new, plan)
    }

    fn plan_pay_out(&mut self, tag: TagId) -> Vec<(u64, Deed)> {
        let amount = amount(100 * self.people_random.between(1, 25));
        let mut plan = vec![(1_000, Deed::Act(Action::PayOut { amount }))];
        plan.extend(self.paying(tag));
        plan
    }

    fn plan_deposit_return(&mut self, no: DeviceNo, tag: TagId) -> Vec<(u64, Deed)> {
        let Some(device) = self.devices.get(no.0) else {
            return Vec::new();
        };
        let Some(config) = device.terminal.as_ref().and_then(|terminal| terminal.config()) else {
            return Vec::new();
        };
        let layout = config
            .tills
            .get(&device.till)
            .and_then(|till| config.layouts.get(&till.layout));
        let Some(article) = layout.and_then(|layout| self.people_random.pick(&layout.deposit_row)) else {
            return Vec::new();
        };
        let count = u16::try_from(self.people_random.between(1, 5)).unwrap_or(1);
        let mut plan = vec![(800, Deed::Act(Action::Return { article, count }))];
        plan.extend(self.paying(tag));
        plan
    }

    fn plan_undo(&mut self, no: DeviceNo) -> Vec<(u64, Deed)> {
        let Some(last) = self.devices.get(no.0).and_then(|device| device.last_tag) else {
            return Vec::new();
        };
        let mut plan = vec![(1_000, Deed::Act(Action::UndoLast))];
        if self.plan.has(Kind::Mistake) && self.people_random.percent(25) {
            plan.extend([(700, Deed::Hold(self.somebody())), (400, Deed::Leave)]);
        }
        plan.extend(self.paying(last));
        plan
    }

    fn plan_correct(&mut self, no: DeviceNo) -> Vec<(u64, Deed)> {
        let Some(last) = self.devices.get(no.0).and_then(|device| device.last_tag) else {
            return Vec::new();
        };
        let mut plan = vec![(1_000, Deed::Act(Action::CorrectLast))];
        plan.extend(self.typing(no, 1));
        plan.extend(self.paying(last));
        plan
    }

    fn plan_cancel(&mut self, no: DeviceNo) -> Vec<(u64, Deed)> {
        let Some(screen) = self
            .devices
            .get(no.0)
            .and_then(|device| device.terminal.as_ref()?.shown())
        else {
            return Vec::new();
        };
        let mistaken = self.plan.has(Kind::Mistake) && self.people_random.percent(40);
        let past: Vec<_> = screen
            .history
            .iter()
            .filter(|past| past.cancellable || mistaken)
            .map(|past| past.order)
            .collect();
        let Some(order) = self.people_random.pick(&past) else {
            return Vec::new();
        };
        let Some(tag) = self.observer.holder_of(order) else {
            return Vec::new();
        };
        let cancel = Deed::Act(Action::Cancel {
            order,
            reason: CancelReason::GuestChanged,
        });
        let mut plan = vec![(1_000, cancel.clone())];
        plan.extend(self.paying(tag));
        if mistaken {
            self.count(Kind::Mistake);
            // Cancelled twice.
            plan.push((1_500, cancel));
            plan.extend(self.paying(tag));
        }
        plan
    }

    fn plan_split(&mut self, no: DeviceNo, tag: TagId) -> Vec<(u64, Deed)> {
        let ways = if self.people_random.percent(70) { 2 } else { 3 };
        let mut plan = self.typing(no, 3);
        plan.push((900, Deed::Act(Action::Split { ways })));
        for _ in 1..ways {
            plan.extend([(900, Deed::Hold(self.somebody())), (500, Deed::Leave)]);
        }
        plan.extend(self.paying(tag));
        plan
    }

    /// Something goes wrong on the way.
    fn plan_mistake(&mut self, no: DeviceNo, tag: TagId) -> Vec<(u64, Deed)> {
        self.count(Kind::Mistake);
        let mut plan = self.typing(no, 3);
        let first = plan.iter().find_map(|(_, deed)| match deed {
            Deed::Act(Action::Add { article, .. }) => Some(*article),
            _ => None,
        });
        match (self.people_random.below(5), first) {
            (0, Some(article)) => plan.push((600, Deed::Act(Action::Remove { article }))),
            (1, Some(article)) => plan.push((600, Deed::Act(Action::ClearLine { article }))),
            (2, _) => plan.push((900, Deed::Act(Action::Clear))),
            (3, Some(article)) => plan.push((
                600,
                Deed::Act(Action::Add {
                    article,
                    count: u16::MAX,
                }),
            )),
            _ => plan.push((600, Deed::Act(Action::UndoLast))),
        }
        plan.extend(self.paying(tag));
        plan
    }

    /// Somebody looks after a device: a code is scanned, a cashier logs in, and again later.
    pub(crate) fn attend(&mut self, no: DeviceNo, boot: u32) {
        let lives = |device: &&crate::till::Device| device.terminal.is_some() && device.boot == boot;
        let Some(device) = self.devices.get(no.0).filter(lives) else {
            return;
        };
        let (till, busy) = (device.till, device.service.is_some());
        let page = device.page().cloned();
        let notice = device
            .terminal
            .as_ref()
            .and_then(Terminal::shown)
            .map(|screen| &screen.notice);
        let wanted = match notice {
            Some(Notice::PinWanted { staff, .. }) => Some(*staff),
            _ => None,
        };
        let again_ms = match page {
            None | Some(Page::Unregistered(Registering::Waiting | Registering::Refused(_))) => {
                self.scan_code(no);
                20_000
            }
            Some(Page::LoggedOut) if wanted.is_some() => {
                let pin = if self.people_random.percent(80) {
                    wanted.and_then(sample::pin_of)
                } else {
                    Some("0000")
                };
                if let Some(pin) = pin.and_then(Pin::typed) {
                    self.step(no, Input::Act(Action::Pin(pin)));
                }
                20_000
            }
            Some(Page::LoggedOut) if !busy => {
                let staff = if self.plan.strikes(Kind::Overstep, 30_000) {
                    // Whoever works elsewhere helps out.
                    let no = self.plan.random(Kind::Overstep).index(self.devices.len());
                    sample::cashier_of(self.devices.get(no).map_or(till, |other| other.till))
                } else if self.people_random.percent(90) {
                    sample::cashier_of(till)
                } else {
                    StaffId(9_201)
                };
                self.step(no, Input::Act(Action::Login { staff }));
                60_000
            }
            Some(Page::Sale) => 600_000,
            Some(_) => 30_000,
        };
        let wait = self.people_random.between(again_ms / 2, again_ms);
        self.put(wait, Event::Attend { device: no, boot });
    }
}
