//! Runs a script of statements: how fixtures and demonstration databases are made.

use std::path::Path;

use rusqlite::Connection;
use tdm_core::error::PortResult;

use super::failure::Doing;
use super::source::{absolute, name};
use super::worker::blocking;

/// Runs the statements of `sql` in the file at `path`, which is made when it does not exist, in one
/// transaction unless the script has transactions of its own.
///
/// # Errors
/// When a statement fails; nothing of the script stays then. The message holds no text of the script.
pub async fn execute_script(path: impl AsRef<Path>, sql: impl Into<String>) -> PortResult<()> {
    let path = absolute(path.as_ref())?;
    let object = name(&path);
    let sql = sql.into();
    let shown = object.clone();
    blocking(&object, move || {
        let doing = Doing {
            operation: "run a script in",
            object: &shown,
        };
        let run = || -> rusqlite::Result<()> {
            let connection = Connection::open(&path)?;
            let upper = sql.to_ascii_uppercase();
            let own = upper.contains("BEGIN;") || upper.contains("BEGIN TRANSACTION");
            connection.execute_batch(if own { "" } else { "BEGIN" })?;
            connection.execute_batch(&sql)?;
            connection.execute_batch(if own { "" } else { "COMMIT" })?;
            connection.close().map_err(|(_, error)| error)
        };
        run().map_err(|error| doing.failed(error))
    })
    .await
}
