//! One column's pass: every cell counts for the profile, a uniform choice of distinct values is kept.

use std::collections::BTreeMap;
use std::fmt;

use tdm_core::detector::ColumnSample;
use tdm_core::profile::ColumnProfile;
use tdm_core::scalar::{ScalarRef, canonical};
use tdm_core::time::{Day, Instant, TimeOfDay};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::distinct::Distinct;
use super::pattern::Patterns;
use super::quantile::Reservoir;

/// How much one column may keep.
#[derive(Debug, Clone, Copy)]
pub struct GatherLimits {
    /// Distinct values.
    pub values_max: usize,
    /// Bytes of a value.
    pub value_bytes_max: usize,
    /// Values of a pattern below which it is not kept.
    pub pattern_count_min: u64,
    /// Seed of the choice among values.
    pub seed: u64,
}

/// Gathers one column, cell by cell, in bounded memory. `Debug` shows counts only.
pub struct Gatherer {
    limits: GatherLimits,
    decimal: bool,
    rows: u64,
    nulls: u64,
    blanks: u64,
    distinct: Distinct,
    kept: BTreeMap<u64, (String, u64)>,
    lengths: Option<(u32, u32)>,
    texts: u64,
    length_sum: u64,
    patterns: Patterns,
    numbers: Reservoir,
    scratch: Vec<u8>,
}

impl fmt::Debug for Gatherer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gatherer")
            .field("rows", &self.rows)
            .field("nulls", &self.nulls)
            .finish_non_exhaustive()
    }
}

impl Gatherer {
    /// A gatherer; `decimal` says that texts are numbers.
    pub fn new(limits: GatherLimits, decimal: bool) -> Self {
        Self {
            limits,
            decimal,
            rows: 0,
            nulls: 0,
            blanks: 0,
            distinct: Distinct::default(),
            kept: BTreeMap::new(),
            lengths: None,
            texts: 0,
            length_sum: 0,
            patterns: Patterns::default(),
            numbers: Reservoir::new(limits.seed),
            scratch: Vec::new(),
        }
    }

    /// Takes one cell.
    pub fn add(&mut self, cell: ScalarRef<'_>) {
        self.rows += 1;
        if cell.is_null() {
            self.nulls += 1;
            return;
        }
        self.scratch.clear();
        canonical(cell, self.decimal, &mut self.scratch);
        // Values with the lowest hashes are the sample: every distinct value has the same chance, and the order of
        // rows and the way they are cut change nothing. A value that stays was there from its first occurrence, so
        // its count is exact.
        let hash = xxh3_64_with_seed(&self.scratch, self.limits.seed);
        self.distinct.add(hash);
        if let Some((_, count)) = self.kept.get_mut(&hash) {
            *count += 1;
        } else {
            let highest = self.kept.last_key_value().map(|(hash, _)| *hash);
            let full = self.kept.len() >= self.limits.values_max;
            if !full || highest.is_some_and(|highest| hash < highest) {
                if full {
                    self.kept.pop_last();
                }
                if self.limits.values_max > 0 {
                    let text = shown(cell, self.limits.value_bytes_max);
                    self.kept.insert(hash, (text, 1));
                }
            }
        }
        match cell {
            ScalarRef::Text(text) if self.decimal => {
                if let Ok(number) = text.trim().parse() {
                    self.numbers.add(number);
                }
            }
            ScalarRef::Text(text) => self.add_text(text),
            ScalarRef::Int(number) | ScalarRef::Time(number) | ScalarRef::Timestamp(number) => {
                self.numbers.add(rounded(number));
            }
            ScalarRef::Float(number) => self.numbers.add(number),
            ScalarRef::Date(day) => self.numbers.add(f64::from(day)),
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        if text.trim().is_empty() {
            self.blanks += 1;
        }
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let (low, high) = self.lengths.unwrap_or((length, length));
        self.lengths = Some((low.min(length), high.max(length)));
        self.texts += 1;
        self.length_sum += u64::from(length);
        self.patterns.add(text);
    }

    /// What was gathered; `complete` says that every row of the table was given.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean needs no more than 53 bits"
    )]
    pub fn finish(self, complete: bool) -> (ColumnProfile, ColumnSample) {
        let profile = ColumnProfile {
            rows: self.rows,
            nulls: self.nulls,
            blanks: self.blanks,
            distinct: self.distinct.count(),
            complete,
            length_min: self.lengths.map(|(low, _)| low),
            length_max: self.lengths.map(|(_, high)| high),
            length_mean: (self.texts > 0).then(|| self.length_sum as f64 / self.texts as f64),
            patterns: self.patterns.shares(self.limits.pattern_count_min),
            quantiles: self.numbers.quantiles(),
        };
        let values = self.kept.into_values().collect();
        (profile, ColumnSample::new(values, self.nulls))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "quantiles need no more than 53 bits"
)]
const fn rounded(number: i64) -> f64 {
    number as f64
}

/// The cell as detectors read it, cut at a character when it is longer than `bytes_max`.
fn shown(cell: ScalarRef<'_>, bytes_max: usize) -> String {
    let mut text = match cell {
        ScalarRef::Text(text) => text[..text.floor_char_boundary(bytes_max)].to_owned(),
        ScalarRef::Boolean(value) => value.to_string(),
        ScalarRef::Int(value) => value.to_string(),
        ScalarRef::Float(value) => value.to_string(),
        ScalarRef::Date(value) => Day(value).to_string(),
        ScalarRef::Time(value) => TimeOfDay(value).to_string(),
        ScalarRef::Timestamp(value) => Instant(value).to_string(),
        _ => String::new(),
    };
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn limits(values_max: usize) -> GatherLimits {
        GatherLimits {
            values_max,
            value_bytes_max: 10,
            pattern_count_min: 5,
            seed: 3,
        }
    }

    fn gathered(cells: &[Option<String>], values_max: usize) -> (ColumnProfile, ColumnSample) {
        let mut gatherer = Gatherer::new(limits(values_max), false);
        for cell in cells {
            gatherer.add(cell.as_deref().map_or(ScalarRef::Null, ScalarRef::Text));
        }
        gatherer.finish(true)
    }

    proptest! {
        #[test]
        fn counts_agree_with_a_naive_count_and_order_does_not_matter(
            mut cells in prop::collection::vec(prop::option::of("[a-c]{0,2}"), 0..200),
            values_max in 0usize..20,
        ) {
            let (profile, sample) = gathered(&cells, values_max);
            let mut naive: HashMap<&str, u64> = HashMap::new();
            for text in cells.iter().flatten() {
                *naive.entry(text).or_default() += 1;
            }
            prop_assert_eq!(profile.rows, cells.len() as u64);
            prop_assert_eq!(profile.nulls, cells.iter().filter(|c| c.is_none()).count() as u64);
            prop_assert_eq!(profile.distinct, naive.len() as u64);
            prop_assert_eq!(profile.blanks, naive.get("").copied().unwrap_or(0));
            prop_assert_eq!(sample.values().len(), naive.len().min(values_max));
            for (value, count) in sample.values() {
                prop_assert_eq!(naive[value], count);
            }
            cells.reverse();
            let (again, other) = gathered(&cells, values_max);
            prop_assert_eq!(again, profile);
            let (a, b): (Vec<_>, Vec<_>) = (sample.values().collect(), other.values().collect());
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let (profile, sample) = gathered(&[Some("\u{e9}".repeat(30))], 5);
        assert_eq!(profile.length_max, Some(30));
        let (value, _) = sample.values().next().unwrap();
        assert_eq!(value, "\u{e9}".repeat(5));
    }

    #[test]
    fn decimals_in_text_are_numbers() {
        let mut gatherer = Gatherer::new(limits(5), true);
        for text in ["1.50", "1.5", "2"] {
            gatherer.add(ScalarRef::Text(text));
        }
        let (profile, _) = gatherer.finish(false);
        assert_eq!(profile.distinct, 2, "trailing zeros carry no meaning");
        assert_eq!(profile.quantiles.unwrap().maximum, 2.0);
        assert!(profile.patterns.is_empty() && profile.length_max.is_none());
    }

    #[test]
    fn debug_shows_no_value() {
        let mut gatherer = Gatherer::new(limits(5), false);
        gatherer.add(ScalarRef::Text("secret"));
        assert!(!format!("{gatherer:?}").contains("secret"));
        assert!(!format!("{:?}", gatherer.finish(true)).contains("secret"));
    }
}
