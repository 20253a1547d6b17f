//! Pages of the counter: selling, the cart, the split, orders of this till.

/// Selling.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SalePage {
    /// Tiles in reading order; they never move while a cart is open.
    pub tiles: Vec<Tile>,
    /// In so many columns.
    pub columns: i32,
    /// Bearer goods that come back: a row that never scrolls away.
    pub deposits: Vec<Tile>,
    /// The open cart.
    pub cart: Option<CartStrip>,
    /// What a wristband does that is held now.
    pub hold: Hold,
    /// The total of the sale that "same again" repeats.
    pub same_again: Option<i64>,
    /// The last sale, as long as it can be undone or corrected.
    pub last: Option<OrderRow>,
    /// What the cart comes to that this cashier has put aside.
    pub parked: Option<i64>,
    /// Whether new prices wait until the cart is done.
    pub prices_wait: bool,
}

/// An article on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Tile {
    /// Which.
    pub article: i64,
    /// Its name.
    pub name: String,
    /// Its price; what a deposit gives back is below zero; none is typed by the cashier.
    pub price: Option<i64>,
    /// The deposit that comes with it.
    pub deposit: i64,
    /// For who does not read the name: a letter.
    pub letter: String,
    /// And a colour, 0 to 7. The same article has the same one everywhere.
    pub colour: i32,
    /// Pieces in the cart.
    pub count: i32,
    /// From which age.
    pub min_age: i32,
    /// Whether vouchers buy it.
    pub vouchers: bool,
}

/// What a wristband does that is held now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Hold {
    /// It shows what it has.
    Balance,
    /// It pays.
    Pays,
    /// It gets money back.
    Credited,
    /// Only the one that may have paid already; it settles the cart.
    SameBand,
    /// The next one of a split.
    NextBand,
    /// The one that paid; its order is taken back.
    PaidBand,
    /// Nothing, as long as this is open.
    Nothing,
}

/// The open cart, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CartStrip {
    /// What it is for.
    pub purpose: Purpose,
    /// Pieces in it.
    pub pieces: i32,
    /// What is to be paid; below zero goes to the guest.
    pub total: i64,
    /// The deposits in it; below zero when more comes back.
    pub deposits: i64,
    /// What it says in the strip: the newest lines.
    pub lines: Vec<Line>,
    /// Whether the guest's vouchers are used; none where nothing in it has a voucher price.
    pub use_vouchers: Option<bool>,
    /// Whether anything in it can be changed.
    pub changeable: bool,
    /// Whether it can be split.
    pub can_split: bool,
    /// Whether it can be paid in cash.
    pub cash: bool,
    /// Whether it can be paid by card.
    pub card: bool,
    /// Whether it can be paid in cash of another currency.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub foreign: bool,
}

/// What an open cart is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Purpose {
    /// A sale.
    Sale,
    /// Orders are taken back.
    Cancel,
    /// Orders are taken back and sold anew.
    Correct,
    /// Money in.
    TopUp,
    /// Money out.
    PayOut,
    /// A wristband is swapped.
    Swap,
}

/// A line of a cart or an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Line {
    /// Which article.
    pub article: i64,
    /// Its name.
    pub name: String,
    /// How many; below zero come back.
    pub quantity: i32,
    /// What all of them cost with the deposit that comes with them; none when it cannot be told.
    pub total: Option<i64>,
    /// How much of that is deposit; nothing for bearer goods by themselves.
    pub deposit: i64,
}

/// A price is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PadPage {
    /// For what.
    pub name: String,
    /// What is typed so far.
    pub typed: i64,
    /// Whether it can be taken.
    pub ready: bool,
}

/// The cart, line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CartPage {
    /// All lines.
    pub lines: Vec<Line>,
    /// The strip.
    pub cart: CartStrip,
    /// Whether it is turned to the guest.
    pub for_guest: bool,
    /// What the guest may give on top; none where this till takes no tips or nothing can be changed.
    pub tip: Option<Tip>,
}

/// What a guest may give on top of the cart. Nothing is chosen beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Tip {
    /// How much is given; zero is none.
    pub given: i64,
    /// Amounts to touch.
    pub offers: Vec<TipOffer>,
}

/// A tip to touch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TipOffer {
    /// How much.
    pub amount: i64,
    /// What the cart comes to with it, where that is what is said: a sum that is rounded up, or a deposit that is left there.
    pub makes: Option<i64>,
}

/// The cart is split.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SplitPage {
    /// What is to be paid.
    pub total: i64,
    /// In how many parts; none while that is chosen.
    pub parts: Option<i32>,
    /// Who is in it.
    pub paid: Vec<SplitPart>,
    /// What is not covered yet.
    pub missing: i64,
}

/// A part of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SplitPart {
    /// The last four digits of the wristband.
    pub band: String,
    /// Its part.
    pub amount: i64,
}

/// Orders of this till.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct HistoryPage {
    /// The newest first.
    pub orders: Vec<OrderRow>,
    /// What was searched for.
    pub search: String,
    /// How many there are without the search.
    pub of: i32,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OrderRow {
    /// Its id.
    pub order: String,
    /// What it was.
    pub kind: OrderKind,
    /// Its total; below zero went to the guest.
    pub total: i64,
    /// When.
    pub at_ms: i64,
    /// The last four digits of its wristband.
    pub band: Option<String>,
    /// Whether the server has it.
    pub sent: bool,
    /// Whether it was taken back.
    pub taken_back: bool,
    /// Whether it can be taken back here, with its wristband.
    pub cancellable: bool,
}

/// What an order was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum OrderKind {
    /// A sale.
    Sale,
    /// Only deposits came back.
    DepositReturn,
    /// Taken back.
    Cancel,
    /// Taken back and sold anew.
    Correction,
    /// Money in.
    TopUp,
    /// Money out.
    PayOut,
    /// Something else.
    Other,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OrderPage {
    /// It.
    pub order: OrderRow,
    /// Whether a receipt can be shown.
    pub receipt: bool,
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ReceiptPage {
    /// The text of the QR code: an address that opens the receipt without a login. None where the event has no public address.
    pub link: Option<String>,
    /// Of which order.
    pub order: OrderRow,
    /// Whether the server has the order. It was made without network, so far, where it has not.
    pub sent: bool,
    /// Whether the address carries the order itself: then it shows the receipt also before the server has the order.
    pub carried: bool,
}
