//! Values of several rounds: the one in the middle, and how far they lie apart.

use serde::Serialize;

use super::output::figure;

/// The median with the least and the largest value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    #[serde(skip)]
    values: usize,
}

impl Spread {
    /// None without a value. What is infinite or not a number does not count.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, least, most, values: values.len() })
    }

    /// Such as `0.93 (0.89-0.94)`; of one round only its value.
    pub(crate) fn shown(self) -> String {
        let median = figure(Some(self.median), 2);
        if self.values == 1 {
            return median;
        }
        format!("{median} ({:.2}-{:.2})", self.least, self.most)
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    Spread::of(values).map(|spread| spread.median)
}

/// A number of rounds, and which of their values a table has.
pub(crate) fn of_rounds(rounds: u32) -> String {
    match rounds {
        1 => "one round".to_owned(),
        _ if rounds.is_multiple_of(2) => {
            format!("median (the mean of the middle two) of {rounds} rounds")
        }
        _ => format!("median of {rounds} rounds"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Spread, median, of_rounds};

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median([f64::NAN].into_iter()), None);
        assert_eq!(of_rounds(3), "median of 3 rounds");
        assert_eq!(of_rounds(4), "median (the mean of the middle two) of 4 rounds");
    }

    #[test]
    fn a_spread_has_the_least_and_the_largest_value() {
        let shown = |values: &[f64]| Spread::of(values.iter().copied()).map(Spread::shown);
        assert_eq!(shown(&[0.94, 0.888, 0.93]).as_deref(), Some("0.93 (0.89-0.94)"));
        assert_eq!(shown(&[1.0, 1.0]).as_deref(), Some("1.00 (1.00-1.00)"));
        assert_eq!(shown(&[0.9, f64::INFINITY]).as_deref(), Some("0.90"));
        assert_eq!(shown(&[]), None);
    }
}
