//! Puts a built file in the place of the published one, in one step, so that no journal of the old database is
//! ever applied to the new one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tdm_core::error::PortResult;

use super::failure::{self, Doing};
use super::lock::{StagingFile, remove_database};
use super::source::name;

/// Syncs the staged file and renames it over `destination`, waiting for its readers and writers for `lock_wait`.
pub(super) fn publish(
    mut staging: StagingFile,
    destination: &Path,
    lock_wait: Duration,
) -> PortResult<()> {
    let object = name(destination);
    let failed = |error: std::io::Error| failure::io("publish", &object, &error);
    File::open(staging.path())
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    // Held over the rename: nobody may begin a write to the old file that the new one would inherit.
    let old = Exclusive::take(destination, lock_wait)?;
    if let Ok(metadata) = std::fs::metadata(destination) {
        std::fs::set_permissions(staging.path(), metadata.permissions()).map_err(failed)?;
    }
    staging.rename_to(destination).map_err(failed)?;
    sync_directory(destination).map_err(failed)?;
    drop(old);
    Ok(())
}

/// Removes the file at `destination`.
pub(super) fn remove(destination: &Path, lock_wait: Duration) -> PortResult<()> {
    if !destination.exists() {
        return Ok(());
    }
    let old = Exclusive::take(destination, lock_wait)?;
    std::fs::remove_file(destination)
        .map_err(|error| failure::io("remove", &name(destination), &error))?;
    drop(old);
    remove_database(destination);
    Ok(())
}

/// Where `path` leads: publication replaces the file behind a link, not the link.
pub(super) fn behind_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// An exclusive lock on a published database whose journals are gone.
struct Exclusive {
    connection: Option<Connection>,
}

impl Exclusive {
    /// Rolls back or checkpoints what an earlier writer left, leaves WAL mode, and keeps everybody out.
    /// Nothing at `path`, or an empty file, needs no lock.
    fn take(path: &Path, lock_wait: Duration) -> PortResult<Self> {
        let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size == 0 {
            return Ok(Self { connection: None });
        }
        let object = name(path);
        let doing = Doing {
            operation: "lock",
            object: &object,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let lock = || -> rusqlite::Result<Connection> {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(lock_wait)?;
            // Leaving WAL mode checkpoints and removes the log; it fails while anybody is connected.
            connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            Ok(connection)
        };
        lock()
            .map_err(|error| doing.failed(error))
            .map(|connection| Self {
                connection: Some(connection),
            })
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

/// Makes a rename inside the file's directory survive a crash.
#[cfg(unix)]
fn sync_directory(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}
