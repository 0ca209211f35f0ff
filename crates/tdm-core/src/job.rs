//! Jobs: one execution each, with its log.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::Severity;
use crate::ident::JobId;
use crate::time::UtcMicros;

/// What a job is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Operation: `run`, `discover`, `provision`…
    pub operation: String,
    /// The request, without secrets and without cell values.
    pub request: Value,
    /// Hash of the plan it executes.
    pub plan_hash: String,
    /// Who started it.
    pub user: String,
}

/// Where a job stands. The only moves are pending → running → completed, failed or cancelled,
/// and pending → cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are their own definition")]
pub enum JobStatus {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl JobStatus {
    /// The word that the metadata database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a job may go from here to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Running | Self::Cancelled)
                | (
                    Self::Running,
                    Self::Completed | Self::Failed | Self::Cancelled
                )
        )
    }
}

/// A job as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Identifier.
    pub id: JobId,
    /// What it was asked to do.
    pub new: NewJob,
    /// Where it stands.
    pub status: JobStatus,
    /// What came of it: counts and names.
    pub result: Option<Value>,
    /// When it began to run.
    pub started: Option<UtcMicros>,
    /// When it ended.
    pub finished: Option<UtcMicros>,
    /// Who drives it and until when nobody else may.
    pub lease: Option<Lease>,
}

/// A time-bound right to drive a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub holder: String,
    /// Until when.
    pub until: UtcMicros,
}

/// One line of a job's log: places and counts, never a value.
#[derive(Debug, Clone, PartialEq)]
pub struct JobLogEntry {
    /// Step, for example `subset`.
    pub step: String,
    /// Level.
    pub level: Severity,
    /// Stable code, for example `step.completed`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// Counts and names.
    pub details: Value,
    /// When.
    pub time: UtcMicros,
}
