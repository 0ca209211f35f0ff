//! What can go wrong with the history. No variant holds an address, a password or a message of the driver.

use std::fmt;

use sea_orm_migration::sea_orm::DbErr;

use crate::cause::{self, Cause};

/// Why a migration command stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be understood. The address itself is not repeated: it may hold a password.
    #[error("address of the metadata database: {reason}")]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The database, or the way to it, refused.
    #[error("{operation}: {cause}{}", Code(.code.as_deref()))]
    Database {
        /// What was being done, as a verb.
        operation: &'static str,
        /// What stopped it.
        cause: Cause,
        /// The engine's code: SQLSTATE, or the number that MariaDB and SQLite use.
        code: Option<String>,
    },
    /// A migration failed; nothing of it is left.
    #[error("migration {migration}: {cause}{}", Code(.code.as_deref()))]
    Migration {
        /// Its name.
        migration: String,
        /// What stopped it.
        cause: Cause,
        /// The engine's code.
        code: Option<String>,
    },
    /// A table that a migration would create exists, and no migration is recorded that made it.
    #[error(
        "table {table} is in the way: migration {migration} would create it, and no recorded migration did"
    )]
    TableInTheWay {
        /// Its name.
        table: String,
        /// The migration that would create it.
        migration: String,
    },
    /// A migration began and did not end: the process died on an engine whose schema changes are not transactional.
    #[error(
        "migration {migration} began and did not end; roll it back with `down`, or rebuild with `fresh`"
    )]
    HalfApplied {
        /// Its name.
        migration: String,
    },
    /// The database records a migration that this program does not have: the database is newer.
    #[error(
        "migration {migration} is applied in the database and unknown to this program, which is older"
    )]
    Unknown {
        /// Its name.
        migration: String,
    },
    /// A migration left rows that refer to nothing. It was rolled back.
    #[error("migration {migration} would leave dangling references in table {table}")]
    Dangling {
        /// The migration.
        migration: String,
        /// The table with such rows.
        table: String,
    },
}

impl Error {
    /// What stopped the call, for a program that wants to give advice.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Database { cause, .. } | Self::Migration { cause, .. } => *cause,
            _ => Cause::Other,
        }
    }

    pub(crate) fn database(operation: &'static str, error: &DbErr) -> Self {
        let (cause, code) = cause::of(error);
        Self::Database {
            operation,
            cause,
            code,
        }
    }

    pub(crate) fn migration(migration: &str, error: &DbErr) -> Self {
        let (cause, code) = cause::of(error);
        Self::Migration {
            migration: migration.to_owned(),
            cause,
            code,
        }
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

struct Code<'a>(Option<&'a str>);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}
