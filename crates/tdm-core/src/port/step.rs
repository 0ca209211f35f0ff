//! What the steps of a job share.

use std::sync::Arc;

use serde_json::Value;

use super::{Clock, Progress};
use crate::cancel::CancelToken;
use crate::ident::JobId;

/// What every step knows of the job it belongs to.
#[derive(Debug, Clone)]
pub struct StepContext {
    /// The job.
    pub job: JobId,
    /// Raised when the job is to end.
    pub cancel: CancelToken,
    /// Who listens.
    pub progress: Arc<dyn Progress>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What a step found or made: counts and names that can be stored and shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepOutput {
    /// One line for people.
    pub summary: String,
    /// The same and more for machines; no cell values.
    pub details: Value,
}
