//! The step from sensitive to cleared.

use std::fmt;
use std::sync::Arc;

use crate::batch::{Batch, BatchSchema, Cleared, Sensitive};
use crate::catalog::Column;
use crate::error::TransformError;

/// How a source is asked to deliver a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// In the server's own bytes.
    Carried,
    /// In the encoding in which functions compute, see [`crate::port::RowSource::encoding`].
    Decoded,
}

/// One column of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRequest {
    /// The column.
    pub column: Column,
    /// In which form.
    pub form: Form,
}

/// Turns what a source read into what a target may take.
pub trait Transform: fmt::Debug + Send + Sync {
    /// Columns to read and in which form.
    fn input(&self) -> &[ColumnRequest];

    /// Schema of the cleared batches.
    fn output(&self) -> &Arc<BatchSchema>;

    /// Clears one batch.
    ///
    /// # Errors
    /// With table, column, rule and row number. Nothing passes half done.
    fn apply(&self, batch: &Batch<Sensitive>) -> Result<Batch<Cleared>, TransformError>;
}
