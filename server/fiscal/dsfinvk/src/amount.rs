//! Numbers as the tables have them: whole units of the last decimal place, written with a comma and exactly as many places as the column has.
//!
//! Rounding, which is ours, since the standard asks for five places and states no rule we could read: the tax of one key in a receipt is
//! `gross · rate / (100 % + rate)` of that key's gross sum, rounded half away from zero at the fifth place; a line's share is the difference of that
//! figure with and without the line, in line order; net is gross less tax. So lines add up to the receipt and receipts to the closing without a
//! difference, gross is net and tax exactly, and the tax of a receipt rounds to the cents that are printed on it.

use shared_protocol::money::round_half_away;
use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, Overflow};

/// Hundred-thousandths of the currency's unit: five decimal places. A cent is 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fine(pub i64);

/// [`Fine`] in one cent.
const IN_CENT: i64 = 1_000;

impl Fine {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Cents with three more places.
    pub const fn of(cents: Amount) -> Result<Self, Overflow> {
        match cents.0.checked_mul(IN_CENT) {
            Some(fine) => Ok(Self(fine)),
            None => Err(Overflow),
        }
    }

    /// The sum.
    pub const fn plus(self, other: Self) -> Result<Self, Overflow> {
        match self.0.checked_add(other.0) {
            Some(sum) => Ok(Self(sum)),
            None => Err(Overflow),
        }
    }

    /// The difference.
    pub const fn minus(self, other: Self) -> Result<Self, Overflow> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Ok(Self(difference)),
            None => Err(Overflow),
        }
    }
}

/// Gross and the tax inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Split {
    /// Gross in cents.
    pub gross: Amount,
    /// The tax inside it.
    pub tax: Fine,
}

impl Split {
    /// Gross less tax.
    pub const fn net(&self) -> Result<Fine, Overflow> {
        match Fine::of(self.gross) {
            Ok(gross) => gross.minus(self.tax),
            Err(overflow) => Err(overflow),
        }
    }

    /// Adds another one.
    pub const fn add(&mut self, other: Self) -> Result<(), Overflow> {
        match (self.gross.plus(other.gross), self.tax.plus(other.tax)) {
            (Ok(gross), Ok(tax)) => {
                *self = Self { gross, tax };
                Ok(())
            }
            _ => Err(Overflow),
        }
    }
}

/// The tax inside a gross amount, to the fifth place.
pub fn tax_in(gross: Amount, rate: TaxRate) -> Result<Fine, Overflow> {
    let rate = i128::from(rate.0);
    let tax = round_half_away(i128::from(gross.0) * i128::from(IN_CENT) * rate, 10_000 + rate);
    i64::try_from(tax).map(Fine).map_err(|_| Overflow)
}

/// Writes a whole number.
pub fn whole(out: &mut Vec<u8>, number: u64) {
    digits(out, number, 0);
}

/// Writes cents with two places: `-12,50`.
pub fn cents(out: &mut Vec<u8>, amount: Amount) {
    decimal(out, amount.0, 2);
}

/// Writes five places: `0,71849`.
pub fn fine(out: &mut Vec<u8>, amount: Fine) {
    decimal(out, amount.0, 5);
}

/// Writes thousandths with three places: `2,000`.
pub fn thousandths(out: &mut Vec<u8>, number: i64) {
    decimal(out, number, 3);
}

/// Writes a rate in hundredths of a percent: `19,00`.
pub fn rate(out: &mut Vec<u8>, rate: TaxRate) {
    decimal(out, i64::from(rate.0), 2);
}

/// `number` in units of its last place, of which there are `places`.
fn decimal(out: &mut Vec<u8>, number: i64, places: usize) {
    if number < 0 {
        out.push(b'-');
    }
    digits(out, number.unsigned_abs(), places);
}

/// From the right into a buffer: 20 digits and a comma are the most that 64 bits can need.
fn digits(out: &mut Vec<u8>, mut number: u64, places: usize) {
    let mut buffer = [b'0'; 24];
    let mut at = buffer.len();
    let mut written = 0;
    while number > 0 || written <= places {
        if written == places && places > 0 {
            at -= 1;
            if let Some(slot) = buffer.get_mut(at) {
                *slot = b',';
            }
        }
        at -= 1;
        if let Some(slot) = buffer.get_mut(at) {
            *slot = b'0' + u8::try_from(number % 10).unwrap_or_default();
        }
        number /= 10;
        written += 1;
    }
    out.extend_from_slice(buffer.get(at..).unwrap_or_default());
}

/// Reads a number that has exactly so many places, in units of the last one; `None` for anything else, a point for a comma included.
pub fn parse(text: &str, places: usize) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (before, after) = match (places, unsigned.split_once(',')) {
        (0, None) => (unsigned, ""),
        (0, Some(_)) | (_, None) => return None,
        (_, Some(parts)) => parts,
    };
    if before.is_empty() || after.len() != places {
        return None;
    }
    let number = before.bytes().chain(after.bytes()).try_fold(0_i64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: i64, places: usize) -> String {
        let mut out = Vec::new();
        decimal(&mut out, number, places);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_have_exactly_their_places_and_a_comma() {
        assert_eq!(text(0, 2), "0,00");
        assert_eq!(text(-5, 2), "-0,05");
        assert_eq!(text(1_250, 2), "12,50");
        assert_eq!(text(71_849, 5), "0,71849");
        assert_eq!(text(0, 0), "0");
        assert_eq!(text(i64::MIN, 5), "-92233720368547,75808");
    }

    #[test]
    fn a_number_of_another_form_is_not_read() {
        for (text, places) in [
            ("1.00", 2),
            ("1,0", 2),
            ("1,000", 2),
            ("1", 2),
            (",00", 2),
            ("1,00", 0),
            ("+1", 0),
            ("", 0),
            ("1 ", 0),
            ("--1", 0),
            ("99999999999999999999", 0),
        ] {
            assert_eq!(parse(text, places), None, "{text:?}");
        }
        assert_eq!(parse("-0,05", 2), Some(-5));
        assert_eq!(parse("007", 0), Some(7));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(number in (i64::MIN + 1)..i64::MAX, places in 0_usize..6) {
            prop_assert_eq!(parse(&text(number, places), places), Some(number));
        }

        #[test]
        fn tax_is_within_half_of_the_fifth_place_and_turns_with_the_sign(gross in -10_000_000_i64..10_000_000, rate in 0_u16..5_000) {
            let tax = tax_in(Amount(gross), TaxRate(rate)).unwrap();
            let exact = i128::from(gross) * 1_000 * i128::from(rate);
            let off = i128::from(tax.0) * (10_000 + i128::from(rate)) - exact;
            prop_assert!(off.abs() * 2 <= 10_000 + i128::from(rate));
            prop_assert_eq!(tax_in(Amount(-gross), TaxRate(rate)).unwrap().0, -tax.0);
        }
    }
}
