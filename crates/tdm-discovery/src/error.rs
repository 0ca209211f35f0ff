//! Why discovery fails. What it could not look at is a diagnostic, not an error.

use tdm_core::catalog::RelationshipKind;
use tdm_core::error::{ErrorClass, PortError};

/// Discovery could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database could not be read.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A relationship that a person wrote does not fit the schema.
    #[error("{} relationship {relationship}: {reason}", kind.as_str())]
    Relationship {
        /// Its kind.
        kind: RelationshipKind,
        /// `child(columns) -> parent(columns)`.
        relationship: String,
        /// What is wrong, by names of the schema.
        reason: String,
    },
    /// A table that a picture or an option names does not exist.
    #[error("table `{name}` does not exist{}", suggestion.as_ref().map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
    UnknownTable {
        /// As it was written.
        name: String,
        /// The name that is most like it.
        suggestion: Option<String>,
    },
    /// A table that was named could be one of several.
    #[error("table `{name}` could be any of {}", candidates.join(", "))]
    AmbiguousTable {
        /// As it was written.
        name: String,
        /// The tables that it could mean.
        candidates: Vec<String>,
    },
}

impl Error {
    /// What kind of thing went wrong.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Port(error) => error.class(),
            Self::Relationship { .. } => ErrorClass::Schema,
            Self::UnknownTable { .. } | Self::AmbiguousTable { .. } => ErrorClass::Config,
        }
    }

    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Port(error) => error.is_transient(),
            _ => false,
        }
    }
}
