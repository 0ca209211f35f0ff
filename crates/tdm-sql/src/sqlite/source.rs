//! SQLite as a source: read only, one snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tdm_core::batch::{Encoding, WireForm};
use tdm_core::catalog::Column;
use tdm_core::error::{PortError, PortResult};
use tdm_core::port::{
    BatchStream, Introspection, Introspector, RowSource, ScanRequest, ServerIdentity,
    SourceCapability,
};
use tdm_core::types::Engine;
use tokio::sync::mpsc;

use super::failure::Doing;
use super::worker::{Piece, Worker};
use super::{introspect, keys, scan, types};

/// How a source is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOptions {
    /// How long to wait for a lock that a writer holds.
    pub busy_timeout: Duration,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
        }
    }
}

/// A SQLite database to read from.
///
/// Opening begins a read transaction that lasts as long as the source and its streams: every scan, and the
/// schema, are of that one state. A database in WAL mode goes on being written meanwhile; in the other
/// journal modes writers wait, as they do for any reader.
///
/// A value of another class than its column's is delivered as it is when the column is carried. Decoded, it
/// is an error with its place, except where nothing is lost: integers as reals, numbers as text.
///
/// A table's namespace is not looked at: a file has one.
///
/// The file itself is never written. Beside a database in WAL mode SQLite keeps a `-wal` and a `-shm` file for
/// its readers, and a reader that may not write leaves them there.
#[derive(Debug, Clone)]
pub struct SqliteSource {
    worker: Arc<Worker>,
    identity: ServerIdentity,
}

impl SqliteSource {
    /// Opens the file at `path` read only and takes its snapshot.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when there is no such file, [`PortError::Invalid`] when it is no SQLite
    /// database, a transient [`PortError::Backend`] when a writer keeps it locked.
    pub async fn open(path: impl AsRef<Path>, options: SourceOptions) -> PortResult<Self> {
        let path = absolute(path.as_ref())?;
        let object = name(&path);
        if !path.is_file() {
            return Err(PortError::NotFound {
                kind: "SQLite file",
                name: object,
            });
        }
        let identity = identity(&path)?;
        let shown = object.clone();
        let worker = Worker::start(object, move || {
            let connection = open_read_only(&path, &shown, options.busy_timeout)?;
            Ok((connection, None))
        })
        .await?;
        Ok(Self {
            worker: Arc::new(worker),
            identity,
        })
    }

    /// A source over a connection that is open already.
    pub(super) const fn over(worker: Arc<Worker>, identity: ServerIdentity) -> Self {
        Self { worker, identity }
    }
}

/// Opens a file for reading, with its snapshot taken.
pub(super) fn open_read_only(
    path: &Path,
    object: &str,
    busy_timeout: Duration,
) -> PortResult<Connection> {
    let doing = Doing {
        operation: "open",
        object,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        harden(&connection)?;
        connection.execute_batch("PRAGMA query_only = ON; BEGIN")?;
        // BEGIN alone takes no lock; the first read does.
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(connection)
    };
    open().map_err(|error| doing.failed(error))
}

/// Switches off what a hostile schema could use, and the reading of misspelt names as strings.
pub(super) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    keys::install(connection)
}

/// An absolute path: never taken for a URI by SQLite, and independent of later changes of directory.
pub(super) fn absolute(path: &Path) -> PortResult<PathBuf> {
    std::path::absolute(path).map_err(|error| PortError::Invalid {
        object: name(path),
        reason: format!("not a usable path: {}", error.kind()),
    })
}

/// How messages call a database: by its path, on one line.
pub(super) fn name(path: &Path) -> String {
    crate::scrub::one_line(&path.display().to_string())
}

/// Device and inode of the file, or of the directory it would be made in together with its name.
pub(super) fn identity(path: &Path) -> PortResult<ServerIdentity> {
    let unreadable = |error: std::io::Error| PortError::Unavailable {
        object: name(path),
        reason: error.kind().to_string(),
    };
    if path.exists() {
        return file_identity(path).map(ServerIdentity).map_err(unreadable);
    }
    // Up to the first directory that exists: two spellings of one future file agree.
    let mut rest = PathBuf::new();
    for ancestor in path.ancestors() {
        if ancestor.is_dir() {
            let base = ancestor.canonicalize().map_err(unreadable)?;
            return Ok(ServerIdentity(format!(
                "sqlite:{}",
                base.join(rest).display()
            )));
        }
        if let Some(part) = ancestor.file_name() {
            rest = Path::new(part).join(rest);
        }
    }
    Ok(ServerIdentity(format!("sqlite:{}", path.display())))
}

#[cfg(unix)]
fn file_identity(path: &Path) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok(format!("sqlite:{}:{}", metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_identity(path: &Path) -> std::io::Result<String> {
    Ok(format!("sqlite:{}", path.canonicalize()?.display()))
}

#[async_trait]
impl Introspector for SqliteSource {
    async fn introspect(&self) -> PortResult<Introspection> {
        let object = self.worker.object().to_owned();
        let read = move |connection: &Connection| {
            let doing = Doing {
                operation: "read the schema of",
                object: &object,
            };
            introspect::catalog(connection).map_err(|error| doing.failed(error))
        };
        self.worker.run(read).await
    }
}

#[async_trait]
impl RowSource for SqliteSource {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn capability(&self) -> SourceCapability {
        let mut capability = SourceCapability::none();
        capability.snapshot = true;
        capability.predicate = true;
        capability.key_set = true;
        capability.sample = true;
        capability.parallel_scans = true;
        capability
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        Ok(self.identity.clone())
    }

    fn encoding(&self, column: &Column) -> Encoding {
        types::encoding(&column.logical)
    }

    fn carried(&self, _: &Column) -> Encoding {
        Encoding::Carried(WireForm::Sqlite)
    }

    async fn check(&self, request: &ScanRequest) -> PortResult<()> {
        let request = request.clone();
        self.worker
            .run(move |connection| scan::check(connection, &request))
            .await
    }

    async fn scan(&self, request: ScanRequest) -> PortResult<BatchStream> {
        // One batch waits while the reader works on another and the thread fills a third.
        let (outlet, inbox) = mpsc::channel(1);
        self.worker.scan(request, outlet).await?;
        let object = self.worker.object().to_owned();
        let batches = stream::unfold(Some((inbox, object)), |state| async {
            let (mut inbox, object) = state?;
            match inbox.recv().await {
                Some(Piece::Batch(Ok(batch))) => Some((Ok(batch), Some((inbox, object)))),
                Some(Piece::Batch(Err(error))) => Some((Err(error), None)),
                Some(Piece::End) => None,
                None => {
                    let reason = "the connection was closed before the scan ended".to_owned();
                    Some((Err(PortError::Unavailable { object, reason }), None))
                }
            }
        });
        Ok(Box::pin(batches))
    }
}
