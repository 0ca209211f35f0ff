//! What is wrong with a URL or a name before any database is asked.

use tdm_core::error::PortError;

/// A URL or a name that no database can be asked about. Holds neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The text is not a database URL that TDM understands.
    #[error("not a database URL: {reason}")]
    Url {
        /// What is missing or too much.
        reason: &'static str,
    },
    /// A name holds a NUL character, which no dialect can quote.
    #[error("a name holds a NUL character")]
    NulInName,
    /// A name is empty where the dialect has no empty names.
    #[error("a name is empty")]
    EmptyName,
    /// A name is longer than the server keeps; it would be cut to another name.
    #[error("a name is longer than {limit}")]
    NameTooLong {
        /// The limit with its unit.
        limit: &'static str,
    },
}

impl From<SqlError> for PortError {
    fn from(error: SqlError) -> Self {
        let object = match error {
            SqlError::Url { .. } => "database URL",
            _ => "identifier",
        };
        Self::Invalid {
            object: object.to_owned(),
            reason: error.to_string(),
        }
    }
}
