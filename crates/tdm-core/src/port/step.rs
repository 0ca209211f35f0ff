use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Clock, Progress};
use crate::cancel::CancelToken;
use crate::error::PortError;
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

/// A do-undo stage of a job. Both directions are idempotent: a step may run twice, and undo may run after a
/// run that failed anywhere.
#[async_trait]
pub trait Step: fmt::Debug + Send {
    /// Why a step fails.
    type Error: std::error::Error + From<PortError> + Send;

    /// Name, as logs and reports cite it.
    fn name(&self) -> &'static str;

    /// Does it.
    async fn run(&mut self, context: &StepContext) -> Result<StepOutput, Self::Error>;

    /// Takes back what it did as far as it must not stay.
    async fn undo(&mut self, context: &StepContext) -> Result<(), Self::Error>;
}
