//! Generators: values that nobody lived, each row without the others.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;

use crate::batch::{Batch, BatchColumn, BatchSchema, Cleared};
use crate::catalog::TableSchema;
use crate::function::{BindError, Descriptor, Params, Resources};

/// What a generator is bound to.
#[derive(Debug, Clone, Copy)]
pub struct GenerateRequest<'a> {
    /// Parameters of the recipe, already checked against the descriptor.
    pub params: &'a Params,
    /// The column to fill.
    pub column: &'a BatchColumn,
    /// The table it belongs to.
    pub table: &'a TableSchema,
    /// Seed of the whole run. With table, column name and row number it decides every cell.
    pub seed: u64,
    /// Dictionaries and lists.
    pub resources: &'a dyn Resources,
}

/// A named way to make values.
pub trait GeneratorFunction: fmt::Debug + Send + Sync {
    /// What it is.
    fn descriptor(&self) -> &Descriptor;

    /// Binds it to a column.
    ///
    /// # Errors
    /// Whatever would fail on a row for a reason known now.
    fn bind(&self, request: &GenerateRequest<'_>) -> Result<Box<dyn BoundGenerator>, BindError>;
}

/// A generator bound to one column.
pub trait BoundGenerator: fmt::Debug + Send + Sync {
    /// The column it makes.
    fn output(&self) -> &BatchColumn;

    /// Values for the rows of `rows`: a pure function of seed, table, column name and row number, so any
    /// split of a range gives the same data.
    ///
    /// # Errors
    /// When a value cannot be made, as a fixed sentence.
    fn generate(&self, rows: Range<u64>) -> Result<ArrayRef, &'static str>;
}

/// Makes whole rows of one table, ready to load.
pub trait RowGenerator: fmt::Debug + Send + Sync {
    /// The columns it makes.
    fn schema(&self) -> &Arc<BatchSchema>;

    /// Rows of `rows`, whose origin is the start of the range.
    ///
    /// # Errors
    /// When a value cannot be made; the text names column and reason, never a value.
    fn generate(&self, rows: Range<u64>) -> Result<Batch<Cleared>, String>;
}
