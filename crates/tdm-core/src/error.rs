//! Errors of the vocabulary: they say where and why, and no variant can hold a cell.

use crate::ident::{ColumnRef, TableRef};
use crate::types::Engine;

/// A batch does not have the shape its schema says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Wrong number of columns.
    #[error("table {table}: {found} columns where the schema has {expected}")]
    ColumnCount {
        /// The table.
        table: TableRef,
        /// Columns of the schema.
        expected: usize,
        /// Columns given.
        found: usize,
    },
    /// A column of another Arrow type or length than the schema says.
    #[error("column {column}: array does not have the type or the length of its schema")]
    ColumnShape {
        /// The column.
        column: ColumnRef,
    },
    /// Arrow refused the columns together.
    #[error("table {table}: columns do not form a batch")]
    Shape {
        /// The table.
        table: TableRef,
    },
}

/// A batch could not be cleared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// A value could not be masked.
    #[error("column {column}, rule `{rule}`, row {row}: {reason}")]
    Value {
        /// The column.
        column: ColumnRef,
        /// The rule.
        rule: String,
        /// Row number within the scan, from 0.
        row: u64,
        /// A fixed sentence.
        reason: &'static str,
    },
    /// The batch is not the one the plan was bound to.
    #[error("table {table}: batch does not have the columns of the plan")]
    Foreign {
        /// The table.
        table: TableRef,
    },
    /// The result does not have the shape that was promised.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// What kind of thing went wrong: decides the exit code and whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// What the user wrote.
    Config,
    /// The schema is not what the plan needs.
    Schema,
    /// A row.
    Data,
    /// A server could not be reached or went away.
    Unavailable,
    /// A server refused for another reason.
    Backend,
    /// A guard refused.
    Guard,
    /// Cancelled on request.
    Cancelled,
    /// A bug of ours.
    Internal,
}

/// A port failed. Adapters build it after scrubbing: SQLSTATE and names stay, values go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The server cannot be reached, or the connection broke.
    #[error("{object}: {reason}")]
    Unavailable {
        /// Which database, by name and never by URL.
        object: String,
        /// One line: `connection refused`, `connection lost`.
        reason: String,
    },
    /// The server knows us and says no, or does not know us.
    #[error("{object}: {reason}")]
    Denied {
        /// What was asked for.
        object: String,
        /// One line: `password authentication failed`, `permission denied`.
        reason: String,
    },
    /// A named thing does not exist.
    #[error("{kind} `{name}` does not exist")]
    NotFound {
        /// `table`, `database`, `dataset`, `job`…
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A named thing is in the way.
    #[error("{kind} `{name}`: {reason}")]
    Conflict {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The engine or this version cannot do it.
    #[error("{engine} does not support {what}")]
    Unsupported {
        /// The engine.
        engine: Engine,
        /// What was asked for.
        what: String,
    },
    /// What was asked for cannot be right, for example a condition that does not parse.
    #[error("{object}: {reason}")]
    Invalid {
        /// The place.
        object: String,
        /// Why, without values.
        reason: String,
    },
    /// The target refused a row.
    #[error("{object}: the target refused a row ({code})")]
    RowRefused {
        /// Table, and column or constraint where the server names it.
        object: String,
        /// SQLSTATE or the engine's own code.
        code: String,
    },
    /// The server failed.
    #[error("failed to {operation} {object}: {reason}")]
    Backend {
        /// A verb: `open snapshot`, `create table`.
        operation: &'static str,
        /// The object by name.
        object: String,
        /// Scrubbed reason with the server's code.
        reason: String,
        /// Whether the same call may succeed later.
        transient: bool,
    },
    /// A batch was malformed.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl PortError {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Backend {
                    transient: true,
                    ..
                }
        )
    }

    /// What kind of thing went wrong.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { .. } | Self::Denied { .. } => ErrorClass::Unavailable,
            Self::NotFound { .. } | Self::Invalid { .. } | Self::Unsupported { .. } => {
                ErrorClass::Config
            }
            Self::Conflict { .. } => ErrorClass::Guard,
            Self::RowRefused { .. } => ErrorClass::Data,
            Self::Backend { .. } => ErrorClass::Backend,
            Self::Batch(_) => ErrorClass::Internal,
            Self::Cancelled => ErrorClass::Cancelled,
        }
    }
}

/// Result of a port.
pub type PortResult<T> = Result<T, PortError>;
