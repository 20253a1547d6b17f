//! The pages of who sells: login, the shift from its beginning to its end, exercises.

use shared_protocol::Amount;
use shared_protocol::config::Config;
use shared_protocol::order::{OrderKind as Booked, TenderKind};
use terminal::cash;
use terminal::screen::{self, Screen, ShiftView};

use super::money::takes_foreign_cash;
use crate::Phone;
use crate::ids::{count, millis};
use crate::view::{
    CheckState, DrawerCount, Exercise, ExerciseKind, HomeTile, LoginPage, Pieces, PinPad, ShiftCheckPage, ShiftEndPage,
    StaffChoice, TrainingPage,
};

/// The exercises in the order in which they are learned.
const EXERCISES: [ExerciseKind; 9] = [
    ExerciseKind::Pays,
    ExerciseKind::TooLow,
    ExerciseKind::Two,
    ExerciseKind::Foreign,
    ExerciseKind::Blocked,
    ExerciseKind::Unreadable,
    ExerciseKind::Offline,
    ExerciseKind::Undo,
    ExerciseKind::Correct,
];

impl Phone {
    pub(super) fn login(&self, screen: &Screen) -> LoginPage {
        let pin = match screen.notice {
            screen::Notice::PinWanted {
                staff,
                left,
                wrong,
                checking,
            } => Some(PinPad {
                name: self.saying(screen).staff(staff),
                digits: count(self.pin.digits()),
                wrong,
                tries_left: i32::from(left),
                checking,
            }),
            _ => None,
        };
        let staff = self.config.iter().flat_map(|config| config.staff.values());
        LoginPage {
            names: staff
                .filter(|staff| staff.tag.is_none())
                .map(|staff| StaffChoice {
                    staff: i64::from(staff.id.0),
                    name: staff.name.clone(),
                })
                .collect(),
            pin,
            last: self.name_of_last(),
            left_open: screen
                .shift
                .filter(|shift| shift.left)
                .map(|shift| self.saying(screen).staff(shift.staff)),
        }
    }

    fn name_of_last(&self) -> Option<String> {
        let config = self.config.as_deref()?;
        Some(config.staff.get(&self.left_by?)?.name.clone())
    }

    pub(super) fn shift_check(&self, screen: &Screen) -> ShiftCheckPage {
        let unsent = screen.unsent.map_or(0, |unsent| count(unsent.orders));
        let checks = self
            .device
            .checks(screen.clock_ahead_min, self.config.is_some(), unsent);
        ShiftCheckPage {
            ready: checks.iter().all(|check| check.state != CheckState::Bad),
            checks,
        }
    }

    pub(crate) fn home_tiles(&self) -> Vec<HomeTile> {
        let may = |kind, tile| self.may(kind).then_some(tile);
        let main = [
            may(Booked::Sale, HomeTile::Sale),
            may(Booked::TopUp, HomeTile::TopUp),
            may(Booked::PayOut, HomeTile::PayOut),
            may(Booked::Swap, HomeTile::Band).or(may(Booked::Block, HomeTile::Band)),
        ];
        let always = [
            HomeTile::History,
            HomeTile::Training,
            HomeTile::Guide,
            HomeTile::Device,
            HomeTile::ShiftEnd,
        ];
        main.into_iter().flatten().chain(always).collect()
    }

    pub(crate) fn main_tiles(&self) -> usize {
        let main = [HomeTile::Sale, HomeTile::TopUp, HomeTile::PayOut, HomeTile::Band];
        self.home_tiles().iter().filter(|tile| main.contains(tile)).count()
    }

    pub(super) fn shift_end(&self, screen: &Screen, config: &Config, tenders: &[TenderKind]) -> ShiftEndPage {
        let unsent = screen.unsent;
        let drawer = screen.drawer.map(|_| DrawerCount {
            pieces: cash::PIECES
                .into_iter()
                .map(|worth| Pieces {
                    worth: worth.0,
                    count: self.counted.get(&worth.0).copied().unwrap_or(0),
                })
                .collect(),
            counted: self.counted().0,
        });
        let shift = screen.shift;
        let number = |of: fn(ShiftView) -> u32| shift.map_or(0, |shift| count(of(shift)));
        let amount = |of: fn(ShiftView) -> Amount| shift.map_or(0, |shift| of(shift).0);
        ShiftEndPage {
            since_ms: shift.and_then(|shift| shift.since_ms).map(millis),
            sales: number(|shift| shift.sales),
            sales_total: amount(|shift| shift.sold),
            cancelled: number(|shift| shift.cancellations),
            cancelled_total: amount(|shift| shift.cancelled),
            top_ups: number(|shift| shift.top_ups),
            topped_up: amount(|shift| shift.topped_up),
            pay_outs: number(|shift| shift.pay_outs),
            paid_out: amount(|shift| shift.paid_out),
            cups_out: number(|shift| shift.handed_out),
            cups_back: number(|shift| shift.came_back),
            vouchers: number(|shift| shift.vouchers),
            unsent: unsent.map_or(0, |unsent| count(unsent.orders)),
            unsent_total: unsent.map_or(0, |unsent| unsent.total.0),
            ready: unsent.is_none() && drawer.is_none() && screen.cart.is_none(),
            drawer,
            // Foreign money is in no count, and leaves the till by itself.
            foreign: takes_foreign_cash(config, tenders) && self.may(Booked::CashMovement),
        }
    }

    pub(super) fn training_page(&self) -> TrainingPage {
        let training = self.training.as_ref();
        TrainingPage {
            tasks: EXERCISES
                .into_iter()
                .map(|kind| Exercise {
                    kind,
                    done: training.is_some_and(|training| training.done.contains(&kind)),
                    current: training.is_some_and(|training| training.current == Some(kind)),
                })
                .collect(),
            running: training.is_some(),
        }
    }
}
