//! Detectors: pure objects that look at a column's name, type and sampled values and make claims.

use std::fmt;
use std::ops::Range;

use crate::catalog::{Column, TableSchema};
use crate::category::Category;
use crate::finding::Finding;
use crate::profile::ColumnProfile;

/// What a detector may know of a column besides its values.
#[derive(Debug, Clone, Copy)]
pub struct ColumnContext<'a> {
    /// The table, with all siblings, keys and comments.
    pub table: &'a TableSchema,
    /// The column.
    pub column: &'a Column,
    /// Measured statistics, when a profile was made.
    pub profile: Option<&'a ColumnProfile>,
}

/// Distinct sampled values of one column with their counts. `Debug` shows counts only.
#[derive(Clone, Default)]
pub struct ColumnSample {
    values: Vec<(String, u64)>,
    nulls: u64,
}

impl ColumnSample {
    /// A sample of `values` (distinct, with counts) among which `nulls` rows were NULL.
    pub const fn new(values: Vec<(String, u64)>, nulls: u64) -> Self {
        Self { values, nulls }
    }

    /// Distinct values and how often each was seen.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.values
            .iter()
            .map(|(value, count)| (value.as_str(), *count))
    }

    /// Rows looked at that were NULL.
    pub const fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Rows looked at.
    pub fn rows(&self) -> u64 {
        self.nulls + self.values.iter().map(|(_, count)| count).sum::<u64>()
    }
}

impl fmt::Debug for ColumnSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnSample")
            .field("distinct", &self.values.len())
            .field("nulls", &self.nulls)
            .finish_non_exhaustive()
    }
}

/// Finds personal data in columns. Infallible and pure: the same input gives the same findings.
pub trait Detector: fmt::Debug + Send + Sync {
    /// Name, as findings cite it.
    fn name(&self) -> &'static str;

    /// Claims about the column; an empty list is no claim. Evidence holds counts, never values.
    fn inspect(&self, column: &ColumnContext<'_>, sample: &ColumnSample) -> Vec<Finding>;
}

/// A piece of a text that is personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Byte range within the text, on character boundaries.
    pub range: Range<usize>,
    /// What it is.
    pub category: Category,
    /// Probability that it is, 0 to 1.
    pub confidence: f64,
}

/// Finds personal data inside text, for masking it in place.
pub trait TextDetector: fmt::Debug + Send + Sync {
    /// Spans in order, not overlapping.
    fn spans(&self, text: &str) -> Vec<Span>;
}
