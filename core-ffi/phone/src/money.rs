//! Amounts that are typed, and cash as the view has it.

use shared_protocol::Amount;
use terminal::cash;

use crate::ids::count;
use crate::view::{ChangeOffer, Pieces};

/// More is not typed into a phone, in cents: one more digit is not taken.
const TYPED_MAX: i64 = 9_999_999;

/// What is typed, cent by cent from the right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Typed(pub i64);

impl Typed {
    pub fn digit(&mut self, digit: i32) {
        let longer = self.0 * 10 + i64::from(digit.clamp(0, 9));
        if longer <= TYPED_MAX {
            self.0 = longer;
        }
    }

    pub fn erase(&mut self) {
        self.0 /= 10;
    }
}

/// Notes a guest may give for an amount, with what goes back.
pub(crate) fn offers(amount: Amount) -> Vec<ChangeOffer> {
    let offers = cash::offers(amount).into_iter().map(|(given, change)| ChangeOffer {
        given: given.0,
        change: change.0,
    });
    offers.collect()
}

/// An amount in notes and coins.
pub(crate) fn in_pieces(amount: Amount) -> Vec<Pieces> {
    let pieces = cash::in_pieces(amount).into_iter().map(|(worth, number)| Pieces {
        worth: worth.0,
        count: count(number),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_from_the_right_and_stop_before_nobody_can_read_them() {
        let mut typed = Typed::default();
        for digit in [1, 2, 5, 0] {
            typed.digit(digit);
        }
        assert_eq!(typed, Typed(1_250));
        typed.erase();
        assert_eq!(typed, Typed(125));
        for _ in 0..20 {
            typed.digit(9);
        }
        assert_eq!(typed, Typed(1_259_999));
    }
}
