//! From the driver's errors to ports' errors: names and codes stay, values go.

use rusqlite::{Error, ErrorCode, ffi};
use tdm_core::error::PortError;

use crate::scrub;

/// What was being done when the driver failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doing<'a> {
    /// A verb: `open`, `read`, `create table`.
    pub(super) operation: &'static str,
    /// The object by name.
    pub(super) object: &'a str,
}

impl Doing<'_> {
    /// The port error for a failure while doing this.
    #[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
    pub(super) fn failed(&self, error: Error) -> PortError {
        self.explained(&error, None)
    }

    /// The same for a statement that a person wrote.
    pub(super) fn explained(&self, error: &Error, statement: Option<&str>) -> PortError {
        let (code, message) = parts(error);
        let reason = match code {
            Some(code) => scrub::sqlite(code, message, statement),
            None => "the driver refused the call".to_owned(),
        };
        let object = self.object.to_owned();
        let operation = self.operation;
        match code.map(|c| c.code) {
            Some(ErrorCode::OperationInterrupted) => PortError::Cancelled,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => PortError::Backend {
                operation,
                object,
                reason: "another connection holds a lock on it".to_owned(),
                transient: true,
            },
            Some(ErrorCode::CannotOpen) => PortError::Unavailable {
                object,
                reason: "the file cannot be opened".to_owned(),
            },
            Some(ErrorCode::NotADatabase) => PortError::Invalid {
                object,
                reason: "the file is not an SQLite database".to_owned(),
            },
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                PortError::Denied { object, reason }
            }
            Some(ErrorCode::DiskFull) => PortError::Backend {
                operation,
                object,
                reason: "the disk is full".to_owned(),
                transient: true,
            },
            _ if statement.is_some() => PortError::Invalid { object, reason },
            _ => PortError::Backend {
                operation,
                object,
                reason,
                transient: false,
            },
        }
    }

    /// The port error for a row that the target refused, or for any other failure of a write.
    pub(super) fn refused(&self, error: &Error) -> PortError {
        let (code, message) = parts(error);
        let refusal = code.filter(|c| {
            matches!(
                c.code,
                ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
            )
        });
        let Some(code) = refusal else {
            return self.failed_ref(error);
        };
        let table = self.object;
        // SQLite names columns and constraints after the colon, and nothing else.
        let named = message.split_once("failed: ").map(|(_, names)| names);
        let (object, word) = match code.extended_code {
            ffi::SQLITE_CONSTRAINT_NOTNULL => (named.map(str::to_owned), "not null"),
            ffi::SQLITE_CONSTRAINT_UNIQUE => (named.map(str::to_owned), "unique"),
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                (named.map(str::to_owned), "primary key")
            }
            ffi::SQLITE_CONSTRAINT_CHECK => {
                (named.map(|check| format!("{table} check {check}")), "check")
            }
            ffi::SQLITE_CONSTRAINT_DATATYPE => {
                let column = message.rsplit_once(" column ").map(|(_, column)| column);
                (column.map(str::to_owned), "type")
            }
            ffi::SQLITE_MISMATCH => (None, "type"),
            ffi::SQLITE_TOOBIG => (None, "too big"),
            _ => (None, "constraint"),
        };
        PortError::RowRefused {
            object: scrub::one_line(object.as_deref().unwrap_or(table)),
            code: word.to_owned(),
        }
    }

    fn failed_ref(&self, error: &Error) -> PortError {
        self.explained(error, None)
    }
}

/// The port error for a failure of the file system.
pub(super) fn io(operation: &'static str, object: &str, error: &std::io::Error) -> PortError {
    use std::io::ErrorKind;
    let reason = error.kind().to_string();
    let object = object.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            PortError::Denied { object, reason }
        }
        kind => PortError::Backend {
            operation,
            object,
            reason,
            transient: matches!(
                kind,
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::Interrupted
            ),
        },
    }
}

fn parts(error: &Error) -> (Option<ffi::Error>, &str) {
    match error {
        Error::SqliteFailure(code, message) => (Some(*code), message.as_deref().unwrap_or("")),
        Error::SqlInputError { error, msg, .. } => (Some(*error), msg),
        _ => (None, ""),
    }
}
