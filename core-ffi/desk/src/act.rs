//! What a person did, as one line of text: the value of a button, or what was typed. `add 101` is a tile, `top-up cash 2000` money.

use pages::format::typed_cents;
use shared_protocol::catalogue::ArticleKind;
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::order::{CancelReason, TenderKind};
use shared_protocol::{Amount, ArticleId, AssetId, OrderId, StaffId, TagId, TillId};
use terminal::{Action, Invitation, Pin};

use crate::tray::Held;

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// The till's business, in this order.
    Till(Vec<Action>),
    /// Another wristband is picked up.
    Pick(usize),
    /// The next wristband is picked up.
    PickNext,
    /// Something is held to the reader, and taken away when the till has answered.
    Hold(Held),
    /// The wristband that is picked up is held.
    HoldPicked,
    /// It is put on the reader and left there, or taken away.
    Leave,
    /// It is held, and leaves in the middle of the writing; with `plug` it is the reader that is unplugged.
    TooEarly { plug: bool },
    /// The simulated reader's plug is put in or pulled.
    Plug(bool),
    /// The guest gives so much cash for the top-up that is open.
    Given(Amount),
    /// Another page of the till.
    Turn(Side),
    /// The device becomes a terminal.
    Register(Box<Invitation>),
    /// The network is cut or mended.
    Cut(bool),
    /// The battery is pulled, and the till started again.
    Crash,
}

/// The sides of a till that both sells and takes money in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Side {
    /// Goods.
    #[default]
    Sale,
    /// Money in and out.
    Money,
}

/// A line that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// There is no such command: a page of another version.
    Command,
    /// No tile has this number.
    Tile(String),
    /// The tile needs a price before it, or must not have one.
    Price,
    /// It is no amount.
    Amount(String),
    /// An amount alone says not how it is paid.
    Method,
    /// There is no such wristband in the tray.
    Wristband,
    /// It is held at another till.
    Elsewhere,
    /// It is no number of a wristband.
    Number(String),
    /// It is no PIN. What was typed is not said again.
    Pin,
    /// The registration code is not whole.
    Invitation,
}

/// Numbers of the deposit row follow those of the tiles from here on, so that they stay where they are when tiles are added.
pub(crate) const DEPOSIT_ROW_FROM: usize = 91;

/// The tiles of a till by the numbers that are typed for them.
pub(crate) fn tiles(config: &Config, till: TillId) -> impl Iterator<Item = (usize, ArticleId)> + '_ {
    let layout = config
        .tills
        .get(&till)
        .and_then(|till| config.layouts.get(&till.layout));
    let goods = layout.into_iter().flat_map(|layout| (1..).zip(&layout.tiles));
    let back = layout
        .into_iter()
        .flat_map(|layout| (DEPOSIT_ROW_FROM..).zip(&layout.deposit_row));
    goods.chain(back).map(|(number, article)| (number, *article))
}

fn number<T: std::str::FromStr>(word: Option<&str>) -> Result<T, Unclear> {
    word.and_then(|word| word.parse().ok()).ok_or(Unclear::Command)
}

fn method(word: Option<&str>) -> Result<TenderKind, Unclear> {
    match word {
        Some("cash") => Ok(TenderKind::Cash),
        Some("card") => Ok(TenderKind::Card),
        _ => Err(Unclear::Command),
    }
}

fn cents(word: Option<&str>) -> Result<Amount, Unclear> {
    number(word).map(Amount)
}

/// A currency by its asset's number, and how much of it: on the button, or typed.
fn foreign<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    typed: impl FnOnce() -> Result<Amount, Unclear>,
) -> Result<Foreign, Unclear> {
    Ok(Foreign {
        asset: AssetId(number(words.next())?),
        amount: words.next().map_or_else(typed, |word| cents(Some(word)))?,
    })
}

/// The wristband whose number was typed.
fn band(text: &str) -> Result<TagId, Unclear> {
    TagId::typed(text).ok_or_else(|| Unclear::Number(text.trim().to_owned()))
}

/// Reads the value of a button. `text` is a field that belongs to it.
pub(crate) fn pressed(line: &str, text: Option<&str>, device: &str) -> Result<Act, Unclear> {
    let mut words = line.split(' ');
    let typed = || text.unwrap_or_default();
    let amount = || typed_cents(typed()).ok_or_else(|| Unclear::Amount(typed().to_owned()));
    let verb = words.next().unwrap_or_default();
    let action = match verb {
        "add" => Action::Add {
            article: ArticleId(number(words.next())?),
            count: words.next().map_or(Ok(1), |word| number(Some(word)))?,
        },
        "remove" => Action::Remove {
            article: ArticleId(number(words.next())?),
        },
        "clear-line" => Action::ClearLine {
            article: ArticleId(number(words.next())?),
        },
        "return" => Action::Return {
            article: ArticleId(number(words.next())?),
            count: 1,
        },
        "price" => Action::FreePrice {
            article: ArticleId(number(words.next())?),
            price: amount()?,
        },
        "tip" => Action::Tip {
            amount: cents(words.next())?,
        },
        "clear" => Action::Clear,
        "vouchers" => Action::UseVouchers(words.next() == Some("on")),
        "pay" => Action::Pay(method(words.next())?),
        "split" => Action::Split {
            ways: number(words.next())?,
        },
        "same-again" => Action::SameAgain,
        "undo" => Action::UndoLast,
        "correct" => Action::CorrectLast,
        "cancel" => {
            let reason = match words.next() {
                Some("mistyped") => CancelReason::Mistyped,
                Some("changed") => CancelReason::GuestChanged,
                Some("out-of-stock") => CancelReason::OutOfStock,
                _ => return Err(Unclear::Command),
            };
            let order = words.next().and_then(OrderId::parse).ok_or(Unclear::Command)?;
            Action::Cancel { order, reason }
        }
        "top-up" => {
            let method = method(words.next())?;
            Action::TopUp {
                amount: words.next().map_or_else(amount, |word| cents(Some(word)))?,
                method,
            }
        }
        "pay-foreign" => Action::PayForeign(foreign(&mut words, amount)?),
        "top-up-foreign" => Action::TopUpForeign {
            given: foreign(&mut words, amount)?,
            amount: None,
        },
        "hand-in" => Action::HandIn(foreign(&mut words, amount)?),
        "pay-out" => Action::PayOut {
            amount: words.next().map_or_else(amount, |word| cents(Some(word)))?,
        },
        "swap" => Action::Swap,
        "swap-lost" => Action::SwapLost { old: band(typed())? },
        "block-lost" => Action::Block { tag: band(typed())? },
        "open-drawer" => Action::OpenDrawer { float: amount()? },
        "bring-cash" => Action::MoveCash { amount: amount()? },
        "pick-up-cash" => Action::MoveCash {
            amount: amount()?.negated().map_err(|_| Unclear::Amount(typed().to_owned()))?,
        },
        "count-drawer" => Action::CountDrawer {
            counted: cents(Some(typed()))?,
        },
        "login" => Action::Login {
            staff: StaffId(text.map_or_else(|| number(words.next()), |text| number(Some(text)))?),
        },
        "pin" => Action::Pin(Pin::typed(typed().trim()).ok_or(Unclear::Pin)?),
        "swap-cashier" => Action::SwapCashier,
        "pay-with-own" => Action::PayWithOwn,
        "park" => Action::Park,
        "unpark" => Action::Unpark,
        "logout" => Action::Logout,
        "dismiss" => Action::Dismiss,
        _ => return besides(verb, &mut words, typed(), device),
    };
    Ok(Act::Till(vec![action]))
}

fn besides<'a>(
    verb: &str,
    words: &mut impl Iterator<Item = &'a str>,
    typed: &str,
    device: &str,
) -> Result<Act, Unclear> {
    Ok(match verb {
        "pick" => Act::Pick(number(words.next())?),
        "hold" => Act::Hold(match words.next() {
            Some("two") => Held::Two,
            Some("foreign") => Held::Foreign,
            place => Held::One(number(place)?),
        }),
        "hold-picked" => Act::HoldPicked,
        "leave" => Act::Leave,
        "too-early" => Act::TooEarly {
            plug: words.next() == Some("plug"),
        },
        "plug" => Act::Plug(words.next() == Some("in")),
        "given" => Act::Given(cents(words.next())?),
        "side" => Act::Turn(if words.next() == Some("money") {
            Side::Money
        } else {
            Side::Sale
        }),
        "register" => {
            let found =
                shared_protocol::invitation::Invitation::parse(typed.trim()).map_err(|_| Unclear::Invitation)?;
            Act::Register(Box::new(Invitation::of(&found, device)))
        }
        "cut" => Act::Cut(words.next() == Some("on")),
        "crash" => Act::Crash,
        _ => return Err(Unclear::Command),
    })
}

/// The sum of notes and coins: fields `pieces-500` and the like with how many there are; none is as good as zero.
pub(crate) fn counted<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Amount, Unclear> {
    let mut sum = Amount::ZERO;
    for (name, count) in fields.filter(|(_, count)| !count.trim().is_empty()) {
        let worth = name.strip_prefix("pieces-").and_then(|cents| cents.parse::<u32>().ok());
        let count: Option<u32> = count.trim().parse().ok();
        let together = worth
            .zip(count)
            .and_then(|(worth, count)| Amount(i64::from(worth)).times(i64::from(count)).ok());
        sum = together
            .and_then(|together| sum.plus(together).ok())
            .ok_or_else(|| Unclear::Amount(name.to_owned()))?;
    }
    Ok(sum)
}

/// Where the person who types is.
#[derive(Clone, Copy)]
pub(crate) struct Typing<'a> {
    /// The side that is shown.
    pub side: Side,
    /// What the numbers of tiles mean.
    pub config: &'a Config,
    /// At which till.
    pub till: TillId,
    /// The article that was put into the cart last.
    pub last: Option<ArticleId>,
    /// What is open on the side of money.
    pub money: Money,
}

/// What is open on the side of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Money {
    /// Nothing, or goods.
    #[default]
    Nothing,
    /// Cash is being taken.
    TakingCash,
    /// Money comes by card or goes out.
    Other,
    /// A wristband may have it already: the open cart stays what it is.
    Settling,
}

/// Reads what was typed into the one field that takes all typing, so that a number pad is enough.
///
/// | typed | selling | money |
/// |---|---|---|
/// | nothing | hold the wristband | the same |
/// | `/` or `/3` | pick up the next wristband, or the third | the same |
/// | `12` | one of tile 12 | what the guest gives, while cash is taken |
/// | `3*12` | three of tile 12; for a tile without a price, 3 € | – |
/// | `-` or `-12` | one piece less, of the last line or of tile 12 | give up what is open |
/// | `--` | empty the cart | the same |
/// | `+` | the same again | – |
/// | `20*`, `20/`, `20-` | – | 20 € cash in, by card, paid out |
/// | `.` or `,` | the other side | the same |
pub(crate) fn typed(line: &str, at: Typing<'_>) -> Result<Act, Unclear> {
    let Typing {
        side,
        config,
        till,
        last,
        ..
    } = at;
    let line: String = line.chars().filter(|sign| !sign.is_whitespace()).collect();
    match line.as_str() {
        "" => return Ok(Act::HoldPicked),
        "/" => return Ok(Act::PickNext),
        "--" => return Ok(Act::Till(vec![Action::Clear])),
        "." | "," => {
            return Ok(Act::Turn(match side {
                Side::Sale => Side::Money,
                Side::Money => Side::Sale,
            }));
        }
        _ => {}
    }
    if let Some(place) = line.strip_prefix('/') {
        return place
            .parse::<usize>()
            .ok()
            .and_then(|place| place.checked_sub(1))
            .map(Act::Pick)
            .ok_or(Unclear::Wristband);
    }
    if side == Side::Money {
        return money(&line, at.money);
    }
    if line == "+" {
        return Ok(Act::Till(vec![Action::SameAgain]));
    }
    let named = |word: &str| {
        let number: Option<usize> = word.parse().ok();
        let found = number.and_then(|number| tiles(config, till).find(|(tile, _)| *tile == number));
        let article = found.and_then(|(_, article)| config.articles.get(&article));
        article.ok_or_else(|| Unclear::Tile(word.to_owned()))
    };
    if let Some(word) = line.strip_prefix('-') {
        let article = if word.is_empty() {
            last.ok_or(Unclear::Tile(line.clone()))?
        } else {
            named(word)?.id
        };
        return Ok(Act::Till(vec![Action::Remove { article }]));
    }
    let (before, word) = line
        .split_once('*')
        .map_or((None, line.as_str()), |(before, word)| (Some(before), word));
    let article = named(word)?;
    let action = match (article.price, before) {
        (None, Some(price)) => {
            let price = typed_cents(price).ok_or_else(|| Unclear::Amount(price.to_owned()))?;
            Action::FreePrice {
                article: article.id,
                price,
            }
        }
        (None, None) => return Err(Unclear::Price),
        (Some(_), before) => {
            let count = before
                .map_or(Ok(1), str::parse)
                .ok()
                .filter(|count| *count > 0_u16)
                .ok_or(Unclear::Price)?;
            if article.kind == ArticleKind::Deposit {
                Action::Return {
                    article: article.id,
                    count,
                }
            } else {
                Action::Add {
                    article: article.id,
                    count,
                }
            }
        }
    };
    Ok(Act::Till(vec![action]))
}

fn money(line: &str, open: Money) -> Result<Act, Unclear> {
    if line == "-" {
        return Ok(Act::Till(vec![Action::Clear]));
    }
    let signs = ['*', '/', '-'];
    let (amount, sign) = match line.strip_suffix(signs) {
        Some(amount) => (amount, line.chars().last()),
        None => (line, None),
    };
    let amount = typed_cents(amount).ok_or_else(|| Unclear::Amount(amount.to_owned()))?;
    let action = match sign {
        Some('*') => Action::TopUp {
            amount,
            method: TenderKind::Cash,
        },
        Some('/') => Action::TopUp {
            amount,
            method: TenderKind::Card,
        },
        Some('-') => Action::PayOut { amount },
        _ if open == Money::TakingCash => return Ok(Act::Given(amount)),
        _ => return Err(Unclear::Method),
    };
    // Whoever types another amount means it instead of the one before.
    Ok(Act::Till(match open {
        Money::TakingCash | Money::Other => vec![Action::Clear, action],
        Money::Nothing | Money::Settling => vec![action],
    }))
}

#[cfg(test)]
mod tests {
    use fixtures::sample;

    use super::*;

    const BAR: TillId = TillId(201);
    const FIRST: ArticleId = ArticleId(101);

    fn sale(line: &str) -> Result<Act, Unclear> {
        let config = sample::config();
        typed(line, at(Side::Sale, &config, BAR, Some(FIRST)))
    }

    fn at(side: Side, config: &Config, till: TillId, last: Option<ArticleId>) -> Typing<'_> {
        Typing {
            side,
            config,
            till,
            last,
            money: Money::Nothing,
        }
    }

    fn does(action: Action) -> Act {
        Act::Till(vec![action])
    }

    #[test]
    fn a_number_pad_is_enough_to_sell() {
        assert_eq!(sale(""), Ok(Act::HoldPicked));
        assert_eq!(
            sale("1"),
            Ok(does(Action::Add {
                article: FIRST,
                count: 1
            }))
        );
        assert_eq!(
            sale("3 * 1"),
            Ok(does(Action::Add {
                article: FIRST,
                count: 3
            }))
        );
        assert_eq!(sale("-"), Ok(does(Action::Remove { article: FIRST })));
        assert_eq!(sale("-1"), Ok(does(Action::Remove { article: FIRST })));
        assert_eq!(sale("+"), Ok(does(Action::SameAgain)));
        assert_eq!((sale("/"), sale("/3")), (Ok(Act::PickNext), Ok(Act::Pick(2))));
        let config = sample::config();
        let (number, cup) = tiles(&config, BAR)
            .find(|(number, _)| *number >= DEPOSIT_ROW_FROM)
            .unwrap();
        assert_eq!(
            sale(&format!("2*{number}")),
            Ok(does(Action::Return { article: cup, count: 2 }))
        );
        for (line, why) in [
            ("77", Unclear::Tile("77".into())),
            ("0*1", Unclear::Price),
            ("70000*1", Unclear::Price),
            ("/0", Unclear::Wristband),
            ("x", Unclear::Tile("x".into())),
        ] {
            assert_eq!(sale(line), Err(why), "{line}");
        }
        assert_eq!(
            typed("-", at(Side::Sale, &config, BAR, None)),
            Err(Unclear::Tile("-".into()))
        );
    }

    #[test]
    fn a_tile_without_a_price_takes_what_is_typed_before_it() {
        let config = sample::config();
        let free = |till: &TillId| {
            tiles(&config, *till)
                .find(|(_, article)| config.articles[article].price.is_none())
                .map(|(number, article)| (*till, number, article))
        };
        let (till, number, article) = config.tills.keys().find_map(free).unwrap();
        let typed = |line: &str| typed(line, at(Side::Sale, &config, till, None));
        assert_eq!(
            typed(&format!("4,50*{number}")),
            Ok(does(Action::FreePrice {
                article,
                price: Amount(450)
            }))
        );
        assert_eq!(typed(&number.to_string()), Err(Unclear::Price));
        assert_eq!(typed(&format!("x*{number}")), Err(Unclear::Amount("x".into())));
    }

    #[test]
    fn a_number_pad_is_enough_for_money() {
        let config = sample::config();
        let money = |line: &str| typed(line, at(Side::Money, &config, BAR, None));
        let (cash, card) = (TenderKind::Cash, TenderKind::Card);
        assert_eq!(
            money("20*"),
            Ok(does(Action::TopUp {
                amount: Amount(2_000),
                method: cash
            }))
        );
        assert_eq!(
            money("12,5/"),
            Ok(does(Action::TopUp {
                amount: Amount(1_250),
                method: card
            }))
        );
        assert_eq!(money("7.20-"), Ok(does(Action::PayOut { amount: Amount(720) })));
        assert_eq!(money("20"), Err(Unclear::Method));
        assert_eq!(money("20**"), Err(Unclear::Amount("20*".into())));
        assert_eq!(
            (money("-"), money("--")),
            (Ok(does(Action::Clear)), Ok(does(Action::Clear)))
        );
        assert_eq!(
            (money("."), sale(",")),
            (Ok(Act::Turn(Side::Sale)), Ok(Act::Turn(Side::Money)))
        );
    }

    #[test]
    fn while_cash_is_taken_a_number_is_what_the_guest_gives_and_an_amount_replaces_the_one_before() {
        let config = sample::config();
        let money = |line: &str, money: Money| {
            let at = Typing {
                money,
                ..at(Side::Money, &config, BAR, None)
            };
            typed(line, at)
        };
        let (amount, method) = (Amount(3_000), TenderKind::Cash);
        let again = Action::TopUp { amount, method };
        assert_eq!(money("50", Money::TakingCash), Ok(Act::Given(Amount(5_000))));
        assert_eq!(money("50", Money::Other), Err(Unclear::Method));
        for open in [Money::TakingCash, Money::Other] {
            assert_eq!(money("30*", open), Ok(Act::Till(vec![Action::Clear, again])));
        }
        // What a wristband may have already is not replaced by a slip.
        assert_eq!(money("30*", Money::Settling), Ok(does(again)));
    }

    #[test]
    fn a_drawer_is_counted_piece_by_piece() {
        let drawer = [("pieces-5000", "2"), ("pieces-10", " 7 "), ("pieces-1", "")];
        assert_eq!(counted(drawer.into_iter()), Ok(Amount(10_070)));
        assert_eq!(
            counted([("pieces-5000", "-1")].into_iter()),
            Err(Unclear::Amount("pieces-5000".into()))
        );
        assert_eq!(counted(std::iter::empty()), Ok(Amount::ZERO));
        assert_eq!(
            pressed("pick-up-cash", Some("20"), "desk"),
            Ok(does(Action::MoveCash { amount: Amount(-2_000) }))
        );
    }

    #[test]
    fn foreign_cash_is_named_by_its_currency() {
        let press = |line: &str, text: Option<&str>| pressed(line, text, "desk");
        let given = |amount| Foreign {
            asset: AssetId(7),
            amount: Amount(amount),
        };
        assert_eq!(
            press("pay-foreign 7 2000", None),
            Ok(does(Action::PayForeign(given(2_000))))
        );
        assert_eq!(
            press("pay-foreign 7", Some("12,5")),
            Ok(does(Action::PayForeign(given(1_250))))
        );
        let (given_up, amount) = (given(5_000), None);
        assert_eq!(
            press("top-up-foreign 7", Some("50")),
            Ok(does(Action::TopUpForeign {
                given: given_up,
                amount
            }))
        );
        assert_eq!(press("hand-in 7", Some("50")), Ok(does(Action::HandIn(given(5_000)))));
        assert_eq!(press("hand-in 7", Some("x")), Err(Unclear::Amount("x".into())));
        assert_eq!(press("hand-in francs", Some("50")), Err(Unclear::Command));
    }

    #[test]
    fn a_lost_wristband_is_named_as_readers_and_labels_write_it() {
        let old = TagId::from_slice(&[4, 0xa1, 0xb2, 0xc3, 5, 6, 7]).unwrap();
        let press = |line: &str, text: &str| pressed(line, Some(text), "desk");
        assert_eq!(pressed("swap", None, "desk"), Ok(does(Action::Swap)));
        for text in ["04a1b2c3050607", " 04:A1:B2:C3:05:06:07", "04 a1 b2 c3 05 06 07"] {
            assert_eq!(press("swap-lost", text), Ok(does(Action::SwapLost { old })), "{text}");
            assert_eq!(
                press("block-lost", text),
                Ok(does(Action::Block { tag: old })),
                "{text}"
            );
        }
        for text in ["", "04a1", "Lena", "04a1b2c30506071"] {
            let unclear = Err(Unclear::Number(text.to_owned()));
            assert_eq!(press("swap-lost", text), unclear, "{text}");
            assert_eq!(press("block-lost", text), unclear, "{text}");
        }
    }

    #[test]
    fn buttons_say_what_they_do_and_nonsense_says_nothing() {
        let press = |line: &str| pressed(line, None, "desk");
        assert_eq!(
            press("add 101 2"),
            Ok(does(Action::Add {
                article: FIRST,
                count: 2
            }))
        );
        assert_eq!(
            press("top-up cash 2000"),
            Ok(does(Action::TopUp {
                amount: Amount(2_000),
                method: TenderKind::Cash
            }))
        );
        assert_eq!(
            pressed("top-up card", Some("7,50"), "desk"),
            Ok(does(Action::TopUp {
                amount: Amount(750),
                method: TenderKind::Card
            }))
        );
        assert_eq!(
            pressed("price 309", Some("x"), "desk"),
            Err(Unclear::Amount("x".into()))
        );
        assert_eq!(press("hold two"), Ok(Act::Hold(Held::Two)));
        for line in [
            "",
            "add",
            "add x",
            "cancel mistyped 12",
            "top-up gold 1",
            "pay",
            "hold",
            "jump",
            "split 999",
        ] {
            assert_eq!(press(line), Err(Unclear::Command), "{line}");
        }
        assert_eq!(
            pressed("register", Some("groschen:nonsense"), "desk"),
            Err(Unclear::Invitation)
        );
    }
}
