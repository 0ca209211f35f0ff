//! What to look at and how much of it.

use serde::{Deserialize, Serialize};
use tdm_core::batch::BatchLimit;
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::ForeignKey;
use tdm_core::port::{Clock, Progress, StepContext};

/// How many rows of each table to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Depth {
    /// None: the schema only.
    Schema,
    /// At most so many rows a table; smaller tables whole.
    Sample {
        /// Rows.
        rows: u64,
    },
    /// Every row.
    Full,
}

/// How far the search for undeclared references goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InferOptions {
    /// Score from which a candidate is proposed, 0 to 1.
    pub score_min: f64,
    /// Values of a child column that are looked up in the parent.
    pub keys_max: usize,
    /// Look-ups against the source in all.
    pub checks_max: usize,
    /// Share of looked-up values that may be missing in the parent.
    pub orphans_max: f64,
}

impl Default for InferOptions {
    fn default() -> Self {
        Self {
            score_min: 0.6,
            keys_max: 200,
            checks_max: 2_000,
            orphans_max: 0.05,
        }
    }
}

/// What to look at.
#[derive(Debug, Clone)]
pub struct DiscoverOptions {
    /// Rows of each table.
    pub depth: Depth,
    /// Distinct values of a column that are kept for detectors, in memory only.
    pub values_max: usize,
    /// Bytes of a kept value; longer ones are cut at a character.
    pub value_bytes_max: usize,
    /// Rows of all tables together.
    pub rows_total_max: u64,
    /// Seconds of reading after which the remaining tables are left out.
    pub seconds_max: Option<u32>,
    /// Seed of every sample. The same seed and state give the same samples.
    pub seed: u64,
    /// How large batches may grow.
    pub limit: BatchLimit,
    /// Values of a pattern below which it is not kept.
    pub pattern_count_min: u64,
    /// Tables to read, by name or `namespace.name`; empty for all. The catalog is whole in any case.
    pub tables: Vec<String>,
    /// References that a person wrote.
    pub relationships: Vec<ForeignKey>,
    /// References that a person rejected: they are never proposed again.
    pub rejected: Vec<ForeignKey>,
    /// Whether to search for undeclared references.
    pub infer: Option<InferOptions>,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self {
            depth: Depth::Sample { rows: 1_000 },
            values_max: 200,
            value_bytes_max: 4_096,
            rows_total_max: 20_000_000,
            seconds_max: Some(600),
            seed: 0,
            limit: BatchLimit::default(),
            pattern_count_min: 5,
            tables: Vec::new(),
            relationships: Vec::new(),
            rejected: Vec::new(),
            infer: None,
        }
    }
}

/// The world that discovery runs in.
#[derive(Debug, Clone, Copy)]
pub struct DiscoverContext<'a> {
    /// Looked at before each batch.
    pub cancel: &'a CancelToken,
    /// Told of every table.
    pub progress: &'a dyn Progress,
    /// What time it is.
    pub clock: &'a dyn Clock,
}

impl<'a> From<&'a StepContext> for DiscoverContext<'a> {
    fn from(context: &'a StepContext) -> Self {
        Self {
            cancel: &context.cancel,
            progress: context.progress.as_ref(),
            clock: context.clock.as_ref(),
        }
    }
}
