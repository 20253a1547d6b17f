//! What the phone shows, whole: the shell draws it and adds nothing but words, in the language it names.
//!
//! Amounts are cents of the event's currency, moments are milliseconds since 1970 by the device's wall clock, numbers of articles and staff are those of
//! the catalogue. Counts are never below zero unless a field says so.
#![expect(
    clippy::struct_excessive_bools,
    reason = "a page says of each of its buttons whether it is there"
)]

mod band;
mod counter;
mod crew;
mod device;
mod frame;
mod money;

use crate::notice::Notice;

pub use band::*;
pub use counter::*;
pub use crew::*;
pub use device::*;
pub use frame::*;
pub use money::*;

/// All that is to be seen. The one before is of no more use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct View {
    /// Grows with every change: of two views that cross on their way the larger one is the newer.
    pub serial: i64,
    /// What is around every page.
    pub frame: Frame,
    /// The page.
    pub page: Page,
    /// What the last hold or touch came to; it lies over the page.
    pub notice: Notice,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Page {
    /// The queue is being opened.
    Starting,
    /// The device is no terminal yet.
    Register(RegisterPage),
    /// It is one and cannot sell now.
    Waiting {
        /// Why.
        reason: Waiting,
    },
    /// Nobody is logged in.
    Login(LoginPage),
    /// Before the shift begins.
    ShiftCheck(ShiftCheckPage),
    /// What there is to do.
    Home {
        /// In this order.
        tiles: Vec<HomeTile>,
    },
    /// Selling.
    Sale(SalePage),
    /// A price is typed.
    FreePrice(PadPage),
    /// The cart, line by line.
    Cart(CartPage),
    /// The cart is split.
    Split(SplitPage),
    /// Orders of this till.
    History(HistoryPage),
    /// One of them.
    Order(OrderPage),
    /// Money in.
    TopUp(TopUpPage),
    /// Cash of another currency.
    Foreign(ForeignPage),
    /// Money out.
    PayOut(PayOutPage),
    /// A wristband is swapped or blocked.
    Band(BandPage),
    /// A receipt.
    Receipt(ReceiptPage),
    /// How things stand with the server.
    Sync(SyncPage),
    /// Bookings are given to another phone.
    Evacuation(EvacuationPage),
    /// The device itself.
    Device(DevicePage),
    /// The shift ends.
    ShiftEnd(ShiftEndPage),
    /// Exercises.
    Training(TrainingPage),
    /// Picture cards.
    Guide,
    /// The terminal has ended: the shell ends the object and opens a new one.
    Ended,
    /// There is no terminal: the shell itself shows this, with what opening it said.
    Broken {
        /// What does not work.
        what: Broken,
        /// In the words of the disk or the Keystore, for technicians.
        reason: String,
    },
}

/// Why there is no terminal. Nothing was booked and nothing was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Broken {
    /// The queue's file cannot be used.
    Queue,
    /// The Keystore gives no key.
    Key,
    /// The device gives no folder or no threads.
    Device,
}

/// Why a registered device cannot sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Waiting {
    /// The event's first configuration is on its way.
    Config,
    /// Its till is not in the configuration (any more).
    Till,
    /// The server locked it.
    Locked,
}
