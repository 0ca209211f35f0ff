//! What can go wrong with the metadata database. No variant holds an address, a value or a message of the driver.

use std::fmt;

use sea_orm::DbErr;
use sea_orm::sqlx::Error as DriverError;
use tdm_core::error::PortError;

use crate::cause::{self, Cause};

/// Why a call about the database itself stopped. Stores answer with [`PortError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be understood. The address itself is not repeated: it may hold a password.
    #[error("address of the database: {reason}")]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The database, or the way to it, refused.
    #[error("failed to {operation} {object}: {}", Reason(*.cause, .code.as_deref()))]
    Database {
        /// What was being done, as a verb.
        operation: &'static str,
        /// To what, as a noun.
        object: &'static str,
        /// What stopped it.
        cause: Cause,
        /// The engine's code: SQLSTATE, or the number that MariaDB and SQLite use.
        code: Option<String>,
    },
}

impl Error {
    /// What stopped the call, for a program that wants to give advice.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Database { cause, .. } => *cause,
            Self::Address { .. } => Cause::Other,
        }
    }

    pub(crate) fn driver(
        operation: &'static str,
        object: &'static str,
        error: &DriverError,
    ) -> Self {
        let (cause, code) = cause::of_driver(error);
        Self::Database {
            operation,
            object,
            cause,
            code,
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        const OBJECT: &str = "metadata database";
        let (operation, object, cause, code) = match error {
            Error::Address { reason } => {
                return Self::Invalid {
                    object: OBJECT.to_owned(),
                    reason: reason.to_owned(),
                };
            }
            Error::Database {
                operation,
                object,
                cause,
                code,
            } => (operation, object, cause, code),
        };
        let reason = Reason(cause, code.as_deref()).to_string();
        match cause {
            Cause::Unreachable | Cause::Encryption => Self::Unavailable {
                object: OBJECT.to_owned(),
                reason,
            },
            Cause::Credentials | Cause::PermissionDenied => Self::Denied {
                object: OBJECT.to_owned(),
                reason,
            },
            Cause::DatabaseMissing => Self::NotFound {
                kind: "database",
                name: "metadata".to_owned(),
            },
            _ => Self::Backend {
                operation,
                object: object.to_owned(),
                reason,
                transient: cause == Cause::Busy,
            },
        }
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What stops a store half way: an answer for the caller, or a refusal that another attempt may not meet.
#[derive(Debug)]
pub(crate) enum Stop {
    Answer(PortError),
    Refusal(Error),
}

impl Stop {
    /// Whether somebody else wrote at the same time, so that looking again helps.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Refusal(error) if matches!(error.cause(), Cause::Busy | Cause::Duplicate))
    }

    /// A stored row that does not have the form that this program gives it.
    pub(crate) const fn unreadable(object: &'static str) -> Self {
        Self::Refusal(Error::Database {
            operation: "read",
            object,
            cause: Cause::Unreadable,
            code: None,
        })
    }
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Answer(error)
    }
}

impl From<Stop> for PortError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Answer(error) => error,
            Stop::Refusal(error) => error.into(),
        }
    }
}

/// Says what was being done when the database refused.
pub(crate) trait Doing<T> {
    fn doing(self, operation: &'static str, object: &'static str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, DbErr> {
    fn doing(self, operation: &'static str, object: &'static str) -> Result<T> {
        self.map_err(|error| {
            let (cause, code) = cause::of(&error);
            Error::Database {
                operation,
                object,
                cause,
                code,
            }
        })
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refusal(error)
    }
}

pub(crate) fn not_found(kind: &'static str, name: &impl ToString) -> PortError {
    PortError::NotFound {
        kind,
        name: name.to_string(),
    }
}

pub(crate) fn conflict(
    kind: &'static str,
    name: &impl ToString,
    reason: impl Into<String>,
) -> PortError {
    PortError::Conflict {
        kind,
        name: name.to_string(),
        reason: reason.into(),
    }
}

struct Reason<'a>(Cause, Option<&'a str>);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.1.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}
