//! Quantiles from a bounded, seeded reservoir; minimum and maximum are exact.

use tdm_core::profile::Quantiles;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Numbers that are kept.
const RESERVOIR: usize = 4_096;

/// Vitter's algorithm R with draws derived from the seed and the position.
#[derive(Debug)]
pub(super) struct Reservoir {
    kept: Vec<f64>,
    seen: u64,
    bounds: Option<(f64, f64)>,
    seed: u64,
}

impl Reservoir {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            kept: Vec::new(),
            seen: 0,
            bounds: None,
            seed,
        }
    }

    pub(super) fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        let (low, high) = self.bounds.unwrap_or((number, number));
        self.bounds = Some((low.min(number), high.max(number)));
        if self.kept.len() < RESERVOIR {
            self.kept.push(number);
        } else {
            let draw = xxh3_64_with_seed(&self.seen.to_le_bytes(), self.seed) % (self.seen + 1);
            if let Some(slot) = usize::try_from(draw)
                .ok()
                .and_then(|i| self.kept.get_mut(i))
            {
                *slot = number;
            }
        }
        self.seen += 1;
    }

    pub(super) fn quantiles(mut self) -> Option<Quantiles> {
        let (minimum, maximum) = self.bounds?;
        self.kept.sort_by(f64::total_cmp);
        let last = self.kept.len() - 1;
        // Nearest rank: a number that occurs, not a mean of two.
        let at = |quarter: usize| self.kept[(last * quarter + 2) / 4];
        Some(Quantiles {
            minimum,
            lower_quartile: at(1),
            median: at(2),
            upper_quartile: at(3),
            maximum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Quantiles> {
        let mut reservoir = Reservoir::new(7);
        numbers.into_iter().for_each(|n| reservoir.add(n));
        reservoir.quantiles()
    }

    #[test]
    fn quartiles_of_few_numbers_are_exact() {
        let q = of((0..=100).rev().map(f64::from)).unwrap();
        let five = [
            q.minimum,
            q.lower_quartile,
            q.median,
            q.upper_quartile,
            q.maximum,
        ];
        assert_eq!(five, [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(of([f64::NAN, f64::INFINITY]), None);
        assert_eq!(of([3.0]).unwrap().median, 3.0);
    }

    #[test]
    fn quartiles_of_many_numbers_are_close_and_repeat() {
        let many = || of((0..200_000).map(f64::from));
        let q = many().unwrap();
        assert!((q.median - 100_000.0).abs() < 8_000.0, "{}", q.median);
        assert_eq!((q.minimum, q.maximum), (0.0, 199_999.0));
        assert_eq!(many(), Some(q));
    }
}
