//! Errors of the engine: place and remedy, never a value.

use tdm_core::error::{BatchError, ErrorClass, PortError, TransformError};
use tdm_core::ident::TableRef;

/// Why a subset, a build or a deployment cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A database failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A batch could not be cleared.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// A batch was malformed.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A subset names a table that the catalog does not have.
    #[error("subset: table `{table}` does not exist{hint}")]
    UnknownTable {
        /// As written.
        table: String,
        /// `; did you mean …?` or nothing.
        hint: String,
    },
    /// A subset cannot mean what it says.
    #[error("subset: {place}: {reason}")]
    Subset {
        /// Table or relationship.
        place: String,
        /// What is wrong and what would do.
        reason: String,
    },
    /// Fewer or more rows came than the closure had seen.
    #[error(
        "table {table}: the closure holds {expected} rows and the source delivered {found}; its snapshot did not hold"
    )]
    RowsDiffer {
        /// The table.
        table: TableRef,
        /// Rows of the closure.
        expected: u64,
        /// Rows delivered.
        found: u64,
    },
    /// A generator failed.
    #[error("table {table}: {reason}")]
    Generate {
        /// The table.
        table: TableRef,
        /// Column and reason.
        reason: String,
    },
    /// What the target holds is not what was written.
    #[error("table {table}: {check} does not hold after the load")]
    Mismatch {
        /// The table.
        table: TableRef,
        /// Which equality.
        check: &'static str,
    },
    /// References without a parent.
    #[error("{reference}: {rows} rows refer to a parent that is not there")]
    Dangling {
        /// The reference, as `child(columns) -> parent(columns)`.
        reference: String,
        /// Rows.
        rows: u64,
    },
    /// A guard refused.
    #[error("{0}")]
    Guard(String),
}

impl Error {
    /// What kind of thing went wrong.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Port(error) => error.class(),
            Self::Transform(_)
            | Self::RowsDiffer { .. }
            | Self::Mismatch { .. }
            | Self::Dangling { .. } => ErrorClass::Data,
            Self::Batch(_) => ErrorClass::Internal,
            Self::UnknownTable { .. } | Self::Subset { .. } | Self::Generate { .. } => {
                ErrorClass::Config
            }
            Self::Guard(_) => ErrorClass::Guard,
        }
    }

    /// Stable code for logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Port(PortError::Cancelled) => "cancelled",
            Self::Port(PortError::Unavailable { .. }) => "port.unavailable",
            Self::Port(PortError::Denied { .. }) => "port.denied",
            Self::Port(PortError::RowRefused { .. }) => "load.row_refused",
            Self::Port(_) => "port.failed",
            Self::Transform(_) => "mask.value",
            Self::Batch(_) => "internal.batch",
            Self::UnknownTable { .. } => "subset.unknown_table",
            Self::Subset { .. } => "subset.invalid",
            Self::RowsDiffer { .. } => "subset.rows_differ",
            Self::Generate { .. } => "synth.generate",
            Self::Mismatch { .. } => "verify.mismatch",
            Self::Dangling { .. } => "verify.dangling",
            Self::Guard(_) => "guard.refused",
        }
    }

    /// Whether the work was cancelled rather than failed.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Port(PortError::Cancelled))
    }
}

/// Result of the engine.
pub type Result<T> = std::result::Result<T, Error>;
