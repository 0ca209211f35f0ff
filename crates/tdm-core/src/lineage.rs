//! Lineage: where every column of a target came from, and what was done to it.

use serde::{Deserialize, Serialize};

use crate::ident::{ColumnRef, JobId, LineageId};

/// One end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LineageEnd {
    /// What it is: `connection`, `schema_version`, `dataset_version`, `environment`.
    pub kind: String,
    /// Identifier or name of it.
    pub id: String,
}

impl LineageEnd {
    /// An end of `kind`.
    pub fn new(kind: impl Into<String>, id: &impl ToString) -> Self {
        Self {
            kind: kind.into(),
            id: id.to_string(),
        }
    }
}

/// How one target column was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnLineage {
    /// The column it was made from; `None` when it was generated.
    pub source: Option<ColumnRef>,
    /// The column that was made.
    pub target: ColumnRef,
    /// The masking function, generator or `copy`.
    pub transformation: String,
    /// Whether the source's values are hidden.
    pub masked: bool,
    /// The rule that decided.
    pub rule: Option<String>,
}

/// A fact: `target` was made from `source` by a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageEdge {
    /// What was read.
    pub source: LineageEnd,
    /// What was written.
    pub target: LineageEnd,
    /// Operation: `discover`, `build`, `provision`.
    pub operation: String,
    /// The job.
    pub job: Option<JobId>,
    /// Column by column.
    pub columns: Vec<ColumnLineage>,
}

/// An edge as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEdge {
    /// Identifier.
    pub id: LineageId,
    /// The edge.
    pub edge: LineageEdge,
}
