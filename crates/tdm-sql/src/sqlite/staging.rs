//! A staged database: a new file beside the destination, on a thread of its own.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tdm_core::batch::BatchSchema;
use tdm_core::catalog::{ForeignKey, MatchType, TableKind, TableSchema};
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::port::{
    Publication, RowSink, RowSource, ServerIdentity, StageRequest, Staging, TableWriter,
};
use tdm_core::types::Engine;

use super::failure::Doing;
use super::lock::StagingFile;
use super::source::{SqliteSource, name};
use super::target::APPLICATION_ID;
use super::worker::{Worker, blocking};
use super::writer::SqliteWriter;
use super::{ddl, failure, introspect, publish};
use crate::quote::Dialect;

/// Name of no table, under which `sqlite_stat1` keeps who made the file.
const OWNER_ROW: &str = "tdm:owner";

/// A staging area in a file of its own.
#[derive(Debug)]
pub(super) struct SqliteStaging {
    worker: Arc<Worker>,
    destination: PathBuf,
    lock_wait: Duration,
    request: StageRequest,
    /// The tables as the file has them.
    made: HashMap<TableRef, Arc<TableSchema>>,
    /// Whether a writer is open.
    writing: Arc<AtomicBool>,
}

impl SqliteStaging {
    /// Makes the file with its tables.
    pub(super) async fn create(
        destination: PathBuf,
        request: StageRequest,
        lock_wait: Duration,
    ) -> PortResult<Self> {
        check_names(&request)?;
        let object = format!("staging of {}", name(&destination));
        let (place, shown, job) = (destination.clone(), object.clone(), request.mark.job);
        let worker = Worker::start(object, move || {
            let staging = claim(&place, job)?;
            let connection = open(staging.path(), &shown)?;
            Ok((connection, Some(staging)))
        })
        .await?;
        let wanted = request.clone();
        let made = worker
            .run(move |connection| create_tables(connection, &wanted))
            .await?;
        Ok(Self {
            worker: Arc::new(worker),
            destination,
            lock_wait,
            request,
            made,
            writing: Arc::new(AtomicBool::new(false)),
        })
    }

    fn table(&self, table: &TableRef) -> PortResult<&Arc<TableSchema>> {
        self.made.get(table).ok_or_else(|| PortError::NotFound {
            kind: "table",
            name: table.to_string(),
        })
    }

    fn at_rest(&self) -> PortResult<()> {
        if self.writing.load(Ordering::Acquire) {
            return Err(PortError::Conflict {
                kind: "staging",
                name: name(&self.destination),
                reason: "a writer is still open; a SQLite file has one at a time".to_owned(),
            });
        }
        Ok(())
    }
}

/// Tables that the target can make, under names that differ.
fn check_names(request: &StageRequest) -> PortResult<()> {
    let mut names = BTreeSet::new();
    for table in &request.tables {
        // SQLite compares names without regard to ASCII case.
        if !names.insert(table.table.name.to_ascii_lowercase()) {
            return Err(PortError::Conflict {
                kind: "table",
                name: table.table.to_string(),
                reason:
                    "another table of the set has this name, and a SQLite file has one namespace"
                        .to_owned(),
            });
        }
        if !table.kind.holds_rows() && table.kind != TableKind::View {
            return Err(PortError::Unsupported {
                engine: Engine::Sqlite,
                what: format!("creating {}, which is not an ordinary table", table.table),
            });
        }
    }
    Ok(())
}

fn claim(destination: &Path, job: tdm_core::ident::JobId) -> PortResult<StagingFile> {
    let failed = |error: std::io::Error| failure::io("stage beside", &name(destination), &error);
    if let Some(directory) = destination.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    StagingFile::claim(destination, job).map_err(failed)
}

/// A database that nobody else sees and that a crash may spoil: no journal on disk, no syncs, one lock.
fn open(path: &Path, object: &str) -> PortResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        super::source::harden(&connection)?;
        // Texts of tables may say "x" for 'x', as the source allowed when it stored them.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true)?;
        connection.execute_batch(
            "PRAGMA page_size = 16384;
             PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA journal_mode = MEMORY;
             PRAGMA synchronous = OFF;
             PRAGMA cache_size = -65536;
             PRAGMA foreign_keys = OFF;",
        )?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        Ok(connection)
    };
    open().map_err(|error| {
        let doing = Doing {
            operation: "create",
            object,
        };
        doing.failed(error)
    })
}

fn create_tables(
    connection: &Connection,
    request: &StageRequest,
) -> PortResult<HashMap<TableRef, Arc<TableSchema>>> {
    let same_engine = request.source_engine == Engine::Sqlite;
    let failed = |error: rusqlite::Error| {
        let doing = Doing {
            operation: "create tables in",
            object: "the staging file",
        };
        doing.failed(error)
    };
    connection.execute_batch("BEGIN").map_err(failed)?;
    let mut made = HashMap::new();
    for table in request.tables.iter().filter(|t| t.kind != TableKind::View) {
        ddl::create_table(connection, table, same_engine)?;
        let read = introspect::table(connection, &table.table.name).map_err(failed)?;
        let read = read.ok_or_else(|| PortError::NotFound {
            kind: "table",
            name: table.table.to_string(),
        })?;
        made.insert(table.table.clone(), Arc::new(read));
    }
    connection.execute_batch("COMMIT").map_err(failed)?;
    Ok(made)
}

/// What is better built after the data.
fn complete(connection: &Connection, request: &StageRequest) -> PortResult<()> {
    let same_engine = request.source_engine == Engine::Sqlite;
    let failed = |error: rusqlite::Error| {
        let doing = Doing {
            operation: "complete",
            object: "the staging file",
        };
        doing.failed(error)
    };
    let mut taken: BTreeSet<String> = connection
        .prepare("SELECT lower(name) FROM sqlite_master")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .map_err(failed)?;
    for table in &request.tables {
        for index in &table.indexes {
            ddl::create_index(connection, table, index, same_engine, &mut taken)?;
        }
    }
    if same_engine {
        for view in request.tables.iter().filter(|t| t.kind == TableKind::View) {
            ddl::create_view(connection, view)?;
        }
    }
    let mark = || -> rusqlite::Result<()> {
        connection.execute_batch("PRAGMA analysis_limit = 1000; ANALYZE")?;
        connection.execute(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, NULL, ?2)",
            [
                OWNER_ROW,
                &format!("{} {}", request.mark.job, request.mark.dataset),
            ],
        )?;
        Ok(())
    };
    mark().map_err(failed)
}

/// Counts child rows whose reference finds no parent.
///
/// A polymorphic reference holds only for rows whose type column reads as its value, which is bound as `?1`.
fn dangling_sql(key: &ForeignKey) -> PortResult<String> {
    let quoted = |name: &str| Dialect::Sqlite.identifier(name);
    let (mut present, mut absent, mut same) = (Vec::new(), Vec::new(), Vec::new());
    let kind = match &key.predicate {
        Some((column, _)) => format!("CAST(c.{} AS TEXT) = ?1 AND ", quoted(column)?),
        None => String::new(),
    };
    for (child, parent) in &key.columns {
        let (child, parent) = (quoted(child)?, quoted(parent)?);
        present.push(format!("c.{child} IS NOT NULL"));
        absent.push(format!("c.{child} IS NULL"));
        // The parent's column stands first: its collation decides, as it does for foreign keys.
        same.push(format!("p.{parent} = c.{child}"));
    }
    let orphan = format!(
        "({} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {}))",
        present.join(" AND "),
        quoted(&key.parent.name)?,
        same.join(" AND ")
    );
    let condition = match key.match_type {
        MatchType::Simple => orphan,
        // All or none: a key that is NULL in part is an orphan too.
        MatchType::Full => format!(
            "{orphan} OR (({}) AND NOT ({}))",
            absent.join(" OR "),
            absent.join(" AND ")
        ),
    };
    Ok(format!(
        "SELECT count(*) FROM {} AS c WHERE {kind}({condition})",
        quoted(&key.child.name)?
    ))
}

#[async_trait]
impl RowSink for SqliteStaging {
    async fn open(
        &mut self,
        table: &TableRef,
        schema: &Arc<BatchSchema>,
    ) -> PortResult<Box<dyn TableWriter>> {
        let made = Arc::clone(self.table(table)?);
        self.at_rest()?;
        let writer = SqliteWriter::open(
            Arc::clone(&self.worker),
            table.clone(),
            made,
            schema,
            Arc::clone(&self.writing),
        )
        .await?;
        Ok(Box::new(writer))
    }
}

#[async_trait]
impl Staging for SqliteStaging {
    async fn complete(&mut self) -> PortResult<()> {
        self.at_rest()?;
        let request = self.request.clone();
        self.worker
            .run(move |connection| {
                super::writer::roll_back(connection)?;
                complete(connection, &request)
            })
            .await
    }

    async fn dangling(&mut self, foreign_key: &ForeignKey) -> PortResult<u64> {
        self.at_rest()?;
        let mut child_columns = foreign_key.child_columns();
        child_columns.extend(
            foreign_key
                .predicate
                .iter()
                .map(|(column, _)| column.as_str()),
        );
        for (table, columns) in [
            (&foreign_key.child, child_columns),
            (&foreign_key.parent, foreign_key.parent_columns()),
        ] {
            let made = self.table(table)?;
            if let Some(missing) = columns.iter().find(|name| made.column(name).is_none()) {
                return Err(PortError::NotFound {
                    kind: "column",
                    name: table.column(*missing).to_string(),
                });
            }
        }
        let sql = dangling_sql(foreign_key)?;
        let object = foreign_key.describe();
        let value = foreign_key.predicate.clone().map(|(_, value)| value);
        self.worker
            .run(move |connection| {
                let parameters = rusqlite::params_from_iter(value);
                let count = connection.query_row(&sql, parameters, |row| row.get::<_, i64>(0));
                let doing = Doing {
                    operation: "check reference",
                    object: &object,
                };
                let count = count.map_err(|error| doing.failed(error))?;
                Ok(u64::try_from(count).unwrap_or(0))
            })
            .await
    }

    async fn read(&mut self) -> PortResult<Arc<dyn RowSource>> {
        self.at_rest()?;
        let identity = ServerIdentity(format!("sqlite:{}", self.worker.object()));
        Ok(Arc::new(SqliteSource::over(
            Arc::clone(&self.worker),
            identity,
        )))
    }

    async fn publish(self: Box<Self>) -> PortResult<Publication> {
        self.at_rest()?;
        let staging = self.worker.close().await?;
        let destination = self.destination.clone();
        let location = name(&destination);
        let lock_wait = self.lock_wait;
        blocking(&location, move || match staging {
            Some(staging) => publish::publish(staging, &destination, lock_wait),
            None => Err(PortError::NotFound {
                kind: "staging file",
                name: name(&destination),
            }),
        })
        .await?;
        Ok(Publication { location })
    }

    async fn discard(self: Box<Self>) -> PortResult<()> {
        // Dropped here, the staging file removes itself.
        drop(self.worker.close().await?);
        Ok(())
    }
}
