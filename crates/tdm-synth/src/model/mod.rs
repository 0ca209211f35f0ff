//! What is learned from real rows of one table, and rows made after it.
//!
//! A model holds, for each column that is neither a key nor personal, a few codes: NULL, frequent values, and
//! ranges of numbers or times cut at quantiles. Codes of one row depend on each other by a tree (Chow and Liu,
//! "Approximating discrete probability distributions with dependence trees", 1968), and children per parent by
//! the counts that were seen. No row is kept; values that fewer than [`RARE`] rows share are pooled, and the
//! ends of ranges are pulled in, so that no extreme is repeated. It is not differentially private.

mod fit;
mod sample;

use serde::{Deserialize, Serialize};
use tdm_core::ident::TableRef;

pub use self::fit::{FitError, FitRequest};
pub(crate) use self::sample::ModelMaker;

/// A value that fewer rows share is never emitted.
pub const RARE: u64 = 5;

/// What was learned from one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableModel {
    /// The table.
    pub table: TableRef,
    /// Rows it was learned from.
    pub rows: u64,
    /// Columns, each after the one that it depends on.
    pub(crate) columns: Vec<ColumnModel>,
    /// References, with the number of children that parents have.
    pub(crate) references: Vec<ReferenceModel>,
}

impl TableModel {
    /// Names of the columns that were learned.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| c.name.as_str())
    }

    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    pub(crate) fn reference(&self, child_columns: &[&str]) -> Option<&ReferenceModel> {
        self.references.iter().find(|r| r.columns == child_columns)
    }
}

/// One column: what its codes mean and how likely each is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnModel {
    pub(crate) name: String,
    /// Digits after the point of numbers.
    pub(crate) scale: u32,
    pub(crate) unit: Unit,
    pub(crate) codes: Vec<Code>,
    /// The column that this one depends on, by position.
    pub(crate) parent: Option<usize>,
    /// For each code of the parent (or once), running sums of the codes' shares in parts of 2^32.
    pub(crate) sums: Vec<Vec<u64>>,
}

/// What the numbers of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Text,
    Boolean,
    Number,
    Float,
    Day,
    TimeMicro,
    TimestampMicro,
}

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    Null,
    /// A frequent text.
    Label(String),
    /// A frequent number.
    Atom(i64),
    /// Quantiles of the numbers of a range, ascending.
    Range(Vec<i64>),
}

/// How many children parents have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReferenceModel {
    pub(crate) columns: Vec<String>,
    pub(crate) null_share: f64,
    /// Number of children and how many parents have it, ascending.
    pub(crate) counts: Vec<(u64, u64)>,
}
