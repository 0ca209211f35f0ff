//! Errors of planning: each names a place, says why and what would help. No variant holds a cell.

use std::fmt;

use tdm_core::ident::{ColumnRef, TableRef};

/// Why data cannot be made as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// A column cannot be filled.
    #[error("column {column}: {reason}; {remedy}")]
    Column {
        /// The column.
        column: ColumnRef,
        /// Why not.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// A table cannot be made.
    #[error("table {table}: {reason}; {remedy}")]
    Table {
        /// The table.
        table: TableRef,
        /// Why not.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// More unique values are asked for than exist.
    #[error(
        "table {table}, unique ({columns}): {rows} rows are asked for and there are {capacity} different values; {remedy}"
    )]
    Capacity {
        /// The table.
        table: TableRef,
        /// The columns that must be unique together.
        columns: String,
        /// How many different values there are.
        capacity: u64,
        /// How many rows are asked for, existing ones included.
        rows: u64,
        /// What would help.
        remedy: String,
    },
    /// A check constraint cannot be met.
    #[error("table {table}, constraint `{constraint}`: {reason}; {remedy}")]
    Constraint {
        /// The table.
        table: TableRef,
        /// Name of the constraint, or its position.
        constraint: String,
        /// Why not.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// A reference cannot be met.
    #[error("reference {reference}: {reason}; {remedy}")]
    Reference {
        /// `child(columns) -> parent(columns)`.
        reference: String,
        /// Why not.
        reason: String,
        /// What would help.
        remedy: String,
    },
}

/// Everything that is wrong, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthErrors(pub Vec<SynthError>);

impl fmt::Display for SynthErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SynthErrors {}
