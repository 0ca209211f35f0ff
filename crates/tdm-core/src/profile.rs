//! Measured statistics of a column: counts and shapes, no values.

use serde::{Deserialize, Serialize};

/// What one bounded pass over a sample measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Rows looked at.
    pub rows: u64,
    /// NULLs among them.
    pub nulls: u64,
    /// Empty or blank texts among them.
    pub blanks: u64,
    /// Estimated distinct non-NULL values.
    pub distinct: u64,
    /// Whether every row of the table was looked at.
    pub complete: bool,
    /// Shortest text in characters.
    pub length_min: Option<u32>,
    /// Longest text in characters.
    pub length_max: Option<u32>,
    /// Mean length of texts in characters.
    pub length_mean: Option<f64>,
    /// Character-class patterns (`A` upper, `a` lower, `9` digit, others as they are; runs collapsed with `+`)
    /// and their share of the non-NULL values, most frequent first. Rare ones are left out.
    #[serde(default)]
    pub patterns: Vec<PatternShare>,
    /// Quantiles of numbers and of times (days or microseconds since 1970-01-01), when the column is not personal.
    #[serde(default)]
    pub quantiles: Option<Quantiles>,
}

/// A pattern and how much of the sample it covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatternShare {
    /// The pattern.
    pub pattern: String,
    /// Share of the non-NULL values, 0 to 1.
    pub share: f64,
}

/// Five numbers that describe a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the definition")]
pub struct Quantiles {
    pub minimum: f64,
    pub lower_quartile: f64,
    pub median: f64,
    pub upper_quartile: f64,
    pub maximum: f64,
}
