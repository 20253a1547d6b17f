//! What a TSE was told, read back from process data of `Kassenbeleg-V1`.

use std::collections::BTreeMap;

use fiscal::process_data::{GROUPS, group};
use shared_protocol::tax::TaxKey;

/// Process data, in cents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<'a> {
    /// The kind of business.
    pub kind: &'a str,
    /// Gross sums by category.
    pub groups: [i128; GROUPS],
    /// Payments by whether they are cash, and currency; zero ones are left out.
    pub payments: Payments,
}

/// Payments by whether they are cash, and currency.
pub(super) type Payments = BTreeMap<(bool, String), i128>;

impl<'a> Told<'a> {
    /// Reads process data; none when they have another form.
    pub fn read(data: &'a str) -> Option<Self> {
        let mut parts = data.split('^');
        let (kind, sums, paid) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let mut groups = [0; GROUPS];
        let mut amounts = sums.split('_');
        for group in &mut groups {
            *group = cents(amounts.next()?)?;
        }
        if amounts.next().is_some() {
            return None;
        }
        let mut payments = Payments::new();
        for payment in paid.split('_').filter(|payment| !payment.is_empty()) {
            let mut fields = payment.split(':');
            let amount = cents(fields.next()?)?;
            let is_cash = match fields.next()? {
                "Bar" => true,
                "Unbar" => false,
                _ => return None,
            };
            let currency = fields.next().unwrap_or("EUR");
            if fields.next().is_some() {
                return None;
            }
            *payments.entry((is_cash, currency.to_owned())).or_default() += amount;
        }
        payments.retain(|_, amount| *amount != 0);
        Some(Self { kind, groups, payments })
    }
}

/// The place of a tax key of an export among the five sums.
pub(super) fn group_of(key: i64) -> usize {
    u8::try_from(key).map_or(GROUPS - 1, |key| group(TaxKey(key)))
}

/// An amount with a point and two places.
fn cents(text: &str) -> Option<i128> {
    if text.contains(',') {
        return None;
    }
    crate::amount::parse(&text.replacen('.', ",", 1), 2).map(i128::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annex_one_reads() {
        let told = Told::read("Beleg^75.33_7.99_0.00_0.00_-0.05^10.00:Bar_5.00:Bar:CHF_64.30:Unbar").unwrap();
        assert_eq!((told.kind, told.groups), ("Beleg", [7_533, 799, 0, 0, -5]));
        assert_eq!(told.payments[&(true, "CHF".to_owned())], 500);
        assert_eq!(told.payments.len(), 3);
        assert!(
            Told::read("AVBelegabbruch^0.00_0.00_0.00_0.00_0.00^")
                .unwrap()
                .payments
                .is_empty()
        );
    }

    #[test]
    fn another_form_does_not_read() {
        for data in [
            "",
            "Beleg^0.00_0.00_0.00_0.00^",
            "Beleg^0.00_0.00_0.00_0.00_0.00_0.00^",
            "Beleg^0,00_0.00_0.00_0.00_0.00^",
            "Beleg^0.00_0.00_0.00_0.00_0.00^1.00:bar",
            "Beleg^0.00_0.00_0.00_0.00_0.00^^",
            "Beleg^0.0_0.00_0.00_0.00_0.00^",
        ] {
            assert_eq!(Told::read(data), None, "{data}");
        }
    }
}
