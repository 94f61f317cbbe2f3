//! Many measurements of one thing, and what is told of them.

use std::fmt;

use serde::Serialize;

/// The median of several measurements, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are no larger.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(measurements: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        Self {
            median,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
        }
    }

    /// The smallest and the largest.
    pub fn range(&self) -> String {
        format!("{:.1} – {:.1}", self.min, self.max)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.median)
    }
}

/// How long most of many things took, and the slowest of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tail {
    /// Half of them took no longer.
    pub p50: f64,
    /// Ninety-nine of a hundred.
    pub p99: f64,
    /// All but one of a thousand.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl Tail {
    /// Of at least one measurement.
    pub fn of(measurements: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank: no value that was not measured.
        let at = |thousandths: usize| sorted[(sorted.len() * thousandths).div_ceil(1000) - 1];
        Self {
            p50: at(500),
            p99: at(990),
            p999: at(999),
            max: at(1000),
        }
    }

    /// Its cells in a table.
    pub fn cells(&self) -> impl Iterator<Item = String> {
        let shown = [self.p50, self.p99, self.p999, self.max];
        shown.into_iter().map(|value| format!("{value:.2}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0]).to_string(), "2.5");
    }

    #[test]
    fn a_tail_is_of_what_was_measured() {
        let tail = Tail::of((1..=1000).rev().map(f64::from));
        let told = (tail.p50, tail.p99, tail.p999, tail.max);
        assert_eq!(told, (500.0, 990.0, 999.0, 1000.0));
        let of_one = Tail::of([7.0]);
        assert_eq!((of_one.p50, of_one.max), (7.0, 7.0));
    }
}
