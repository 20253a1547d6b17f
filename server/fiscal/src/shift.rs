//! What is said of the beginning and the end of a shift. The law asks for neither: they are told to a TSE (`SonstigerVorgang` of DSFinV-K, annex I) so
//! that who stood at a till is as well protected as what was sold there.

use shared_protocol::order::Order;
use shared_protocol::shift::ShiftMark;

/// What it is called: to a TSE, and as `BON_NAME` of DSFinV-K.
pub const fn name(mark: ShiftMark) -> &'static str {
    match mark {
        ShiftMark::Begin => "Schichtbeginn",
        ShiftMark::End => "Schichtende",
    }
}

/// What a TSE is told, as readable text: who, and which shift. No semicolon is in it, since one ends a field of the code on receipts.
pub fn told(order: &Order, mark: ShiftMark) -> String {
    format!("{}, Bediener {}, Schicht {}", name(mark), order.cashier, order.session)
}

#[cfg(test)]
mod tests {
    use fixtures::paper::PaperTill;
    use shared_protocol::order::OrderKind;
    use shared_protocol::{SessionId, StaffId};

    use super::*;
    use crate::ProcessType;

    #[test]
    fn a_shift_is_told_in_words_that_fit_the_code_on_receipts() {
        let mut order = PaperTill::that_books(&[OrderKind::Sale], 1).order(OrderKind::Shift);
        order.cashier = StaffId(9_001);
        order.session = SessionId([0xab; 16]);
        let id = order.session.to_string();
        for (mark, called) in [(ShiftMark::Begin, "Schichtbeginn"), (ShiftMark::End, "Schichtende")] {
            let told = told(&order, mark);
            assert_eq!(told, format!("{called}, Bediener 9001, Schicht {id}"));
            assert_eq!(ProcessType::of(&told), ProcessType::SonstigerVorgang);
            assert!(!told.contains(';'));
        }
    }
}
