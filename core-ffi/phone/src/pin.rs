//! A PIN as it is typed: only its length is ever shown.

use terminal::{PIN_DIGITS_MAX, Pin};

/// What is typed so far. It is neither shown nor printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct TypedPin(String);

impl std::fmt::Debug for TypedPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedPin(..)")
    }
}

impl TypedPin {
    pub fn digit(&mut self, digit: i32) {
        if let Some(sign) = u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10))
            && self.0.len() < PIN_DIGITS_MAX
        {
            self.0.push(sign);
        }
    }

    pub fn erase(&mut self) {
        self.0.pop();
    }

    pub fn digits(&self) -> usize {
        self.0.len()
    }

    /// What was typed, if it can be a PIN; a wrong one is typed anew from its beginning.
    pub fn take(&mut self) -> Option<Pin> {
        let pin = Pin::typed(&self.0)?;
        self.0.clear();
        Some(pin)
    }
}
