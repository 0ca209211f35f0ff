//! Why the database said no, in one line and without its words.
//!
//! Messages of drivers quote statements, values and addresses; only codes that their documentation defines leave here.

use std::fmt;
use std::io::ErrorKind;

use sea_orm::sqlx::Error as DriverError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

/// What stopped a call to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing answers at the address: the server is stopped, or the name or the port is wrong.
    Unreachable,
    /// The two ends did not agree on an encrypted connection.
    Encryption,
    /// The server knows no such user, or the password is wrong.
    Credentials,
    /// The server, or the file system, has no such database.
    DatabaseMissing,
    /// The role may not do this.
    PermissionDenied,
    /// A table is missing: a migration has not been applied.
    TableMissing,
    /// A key has that value already.
    Duplicate,
    /// A row that is referred to does not exist, or is referred to still.
    Reference,
    /// A text or a document is larger than the column or the packet may be.
    TooLarge,
    /// Somebody else holds a lock for too long, or the server has no connection left.
    Busy,
    /// The file is not an SQLite database, or is damaged.
    NotADatabase,
    /// There is no space left.
    Full,
    /// A stored row does not have the form that this program gives it.
    Unreadable,
    /// Something else; the code says what.
    Other,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the server does not answer",
            Self::Encryption => "no encrypted connection could be agreed on",
            Self::Credentials => "wrong user or password",
            Self::DatabaseMissing => "the database does not exist",
            Self::PermissionDenied => "the role may not do this",
            Self::TableMissing => "a table is missing; the migrations are not applied",
            Self::Duplicate => "the key is taken",
            Self::Reference => "something it refers to does not exist",
            Self::TooLarge => "a text is too large",
            Self::Busy => "the database is busy",
            Self::NotADatabase => "the file is not an SQLite database or is damaged",
            Self::Full => "no space is left",
            Self::Unreadable => "a stored row has an unknown form",
            Self::Other => "the database refused",
        })
    }
}

/// The cause and the engine's code of an error, when it has one.
pub(crate) fn of(error: &DbErr) -> (Cause, Option<String>) {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => of_driver(e),
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => (Cause::Busy, None),
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => (Cause::Unreachable, None),
        DbErr::TryIntoErr { .. } | DbErr::Type(_) | DbErr::Json(_) => (Cause::Unreadable, None),
        _ => (Cause::Other, None),
    }
}

/// The same for an error of the driver.
pub(crate) fn of_driver(error: &DriverError) -> (Cause, Option<String>) {
    match error {
        DriverError::Io(io) if io.kind() == ErrorKind::PermissionDenied => {
            (Cause::PermissionDenied, None)
        }
        DriverError::Io(_) | DriverError::PoolClosed | DriverError::WorkerCrashed => {
            (Cause::Unreachable, None)
        }
        DriverError::Tls(_) => (Cause::Encryption, None),
        DriverError::PoolTimedOut => (Cause::Busy, None),
        DriverError::ColumnDecode { .. } | DriverError::Decode(_) => (Cause::Unreadable, None),
        DriverError::Database(refusal) => {
            if let Some(refusal) = refusal.try_downcast_ref::<MySqlDatabaseError>() {
                return (
                    of_mysql(refusal.number()),
                    Some(refusal.number().to_string()),
                );
            }
            let code = refusal.code().map(std::borrow::Cow::into_owned);
            let cause = match code.as_deref() {
                Some(code) if code.len() == 5 => of_postgres(code),
                Some(code) => of_sqlite(code, refusal.message()),
                None => Cause::Other,
            };
            (cause, code)
        }
        _ => (Cause::Other, None),
    }
}

fn of_postgres(state: &str) -> Cause {
    match state {
        "28P01" | "28000" => Cause::Credentials,
        "3D000" => Cause::DatabaseMissing,
        "42501" => Cause::PermissionDenied,
        "42P01" => Cause::TableMissing,
        "23505" | "42P04" => Cause::Duplicate,
        "23503" | "23001" => Cause::Reference,
        "22001" | "54000" => Cause::TooLarge,
        "53300" | "55P03" | "57014" | "57P03" | "40001" | "40P01" => Cause::Busy,
        "53100" => Cause::Full,
        "57P01" | "57P02" => Cause::Unreachable,
        state if state.starts_with("08") => Cause::Unreachable,
        _ => Cause::Other,
    }
}

fn of_mysql(number: u16) -> Cause {
    match number {
        1045 | 1698 => Cause::Credentials,
        1049 => Cause::DatabaseMissing,
        1044 | 1142 | 1143 | 1227 | 1290 | 1370 => Cause::PermissionDenied,
        1146 => Cause::TableMissing,
        1022 | 1062 | 1169 | 1586 => Cause::Duplicate,
        1216 | 1217 | 1451 | 1452 => Cause::Reference,
        1153 | 1406 => Cause::TooLarge,
        1020 | 1040 | 1203 | 1205 | 1213 | 1226 => Cause::Busy,
        1021 | 1114 => Cause::Full,
        1053 | 1927 => Cause::Unreachable,
        _ => Cause::Other,
    }
}

/// SQLite has no code of its own for a missing table; of its message only the fixed first words are looked at.
fn of_sqlite(code: &str, message: &str) -> Cause {
    match code {
        "787" => return Cause::Reference,
        "1555" | "2067" => return Cause::Duplicate,
        _ => {}
    }
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        3 | 8 | 23 => Cause::PermissionDenied,
        5 | 6 => Cause::Busy,
        11 | 26 => Cause::NotADatabase,
        13 => Cause::Full,
        14 => Cause::DatabaseMissing,
        18 => Cause::TooLarge,
        1 if message.starts_with("no such table") => Cause::TableMissing,
        _ => Cause::Other,
    }
}
