//! Applying and rolling back, one migration at a time, one process at a time.
//!
//! Each migration runs under a lock and looks again, once it has the lock, at what is recorded: two processes that
//! start together apply each migration once. The lock is the write transaction itself on SQLite, an advisory lock of
//! the transaction on PostgreSQL, and a named lock of the session on MariaDB.
//!
//! SQLite and PostgreSQL run a migration and its record in one transaction. MariaDB commits each change of the schema,
//! so there the record is written first with time zero and completed at the end; a migration that fails is undone by
//! its own `down`, and one that died is found by its record.

use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm_migration::sea_orm::{
    ActiveValue, ConnectionTrait, DatabaseConnection, DatabaseExecutor, DatabaseTransaction,
    DbBackend, EntityTrait, QueryOrder, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::seaql_migrations::{ActiveModel, Column, Entity, Model};
use sea_orm_migration::{DbErr, MigratorTrait as _, SchemaManager};

use crate::LOCK_WAIT;
use crate::cause::Cause;
use crate::connect;
use crate::error::{Error, Result};
use crate::history::{self, Entry, MIGRATION_TABLE, Migrator};

/// A migration that the database records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its name.
    pub name: String,
    /// When it was applied, in seconds since 1970 UTC. `None`: it began and did not end.
    pub applied_at: Option<i64>,
    /// Whether this program has it.
    pub known: bool,
}

/// What a database has of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Recorded migrations, by name.
    pub applied: Vec<Applied>,
    /// Names of migrations that wait, in the order in which they will be applied.
    pub pending: Vec<String>,
}

impl Status {
    /// Whether the database holds exactly the whole history.
    pub fn is_current(&self) -> bool {
        self.pending.is_empty()
            && self
                .applied
                .iter()
                .all(|entry| entry.known && entry.applied_at.is_some())
    }
}

/// What the database at `url` has of the history. Writes nothing.
///
/// # Errors
/// [`Error::Address`] and [`Error::Database`].
pub async fn status(url: &str) -> Result<Status> {
    let connection = connect::open(url).await?;
    let status = read_status(&DatabaseExecutor::from(&connection)).await;
    close(connection).await;
    status
}

/// Applies the next `steps` migrations, all of them without a number, and returns the names of those it applied.
///
/// Safe to call from several processes at once: each migration is applied by one of them.
///
/// # Errors
/// Any [`Error`]. Migrations applied before the failing one stay applied.
pub async fn up(url: &str, steps: Option<u32>) -> Result<Vec<String>> {
    let connection = connect::open(url).await?;
    let applied = apply(&connection, steps).await;
    close(connection).await;
    applied
}

/// Rolls back the last `steps` migrations and returns their names, newest first.
///
/// # Errors
/// Any [`Error`]. Migrations rolled back before the failing one stay rolled back.
pub async fn down(url: &str, steps: u32) -> Result<Vec<String>> {
    let connection = connect::open(url).await?;
    let reverted = revert(&connection, Some(steps)).await;
    close(connection).await;
    reverted
}

/// Rolls back every recorded migration and applies the whole history again: all metadata is lost.
///
/// Only tables of recorded migrations are dropped; whatever else the database holds stays.
///
/// # Errors
/// Any [`Error`].
pub async fn fresh(url: &str) -> Result<Vec<String>> {
    let connection = connect::open(url).await?;
    let applied = match revert(&connection, None).await {
        Ok(_) => apply(&connection, None).await,
        Err(error) => Err(error),
    };
    close(connection).await;
    applied
}

async fn apply(connection: &DatabaseConnection, steps: Option<u32>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    while steps.is_none_or(|steps| names.len() < steps as usize) {
        let lock = Lock::take(connection).await?;
        match apply_next(&lock).await {
            Ok(Some(name)) => {
                lock.release().await?;
                names.push(name);
            }
            Ok(None) => {
                lock.release().await?;
                break;
            }
            Err(error) => {
                lock.abandon().await;
                return Err(error);
            }
        }
    }
    Ok(names)
}

async fn revert(connection: &DatabaseConnection, steps: Option<u32>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    while steps.is_none_or(|steps| names.len() < steps as usize) {
        let lock = Lock::take(connection).await?;
        match revert_last(&lock).await {
            Ok(Some(name)) => {
                lock.release().await?;
                names.push(name);
            }
            Ok(None) => {
                lock.release().await?;
                break;
            }
            Err(error) => {
                lock.abandon().await;
                return Err(error);
            }
        }
    }
    Ok(names)
}

/// Applies the first migration that is not recorded. Every migration before it must be recorded and whole.
async fn apply_next(lock: &Lock<'_>) -> Result<Option<String>> {
    let recorded = recorded(lock).await?;
    let Some(entry) = history::entries()
        .into_iter()
        .find(|entry| !has(&recorded, entry.migration.name()))
    else {
        return Ok(None);
    };
    let name = entry.migration.name().to_owned();
    let manager = lock.manager();
    for table in entry.creates {
        let exists = manager
            .has_table(table)
            .await
            .map_err(|e| Error::database("look for tables", &e))?;
        if exists {
            return Err(Error::TableInTheWay {
                table: (*table).to_owned(),
                migration: name,
            });
        }
    }
    if lock.is_transactional() {
        run_up(&entry, &manager).await?;
        check_references(lock, &name).await?;
        record(lock, &name, now()).await?;
    } else {
        record(lock, &name, 0).await?;
        if let Err(error) = run_up(&entry, &manager).await {
            // The table check above makes this safe: what `down` drops was made by this run.
            if entry.migration.down(&manager).await.is_ok() {
                forget(lock, &name).await?;
            }
            return Err(error);
        }
        forget(lock, &name).await?;
        record(lock, &name, now()).await?;
    }
    Ok(Some(name))
}

/// Rolls back the last recorded migration, whole or not.
async fn revert_last(lock: &Lock<'_>) -> Result<Option<String>> {
    let recorded = recorded_or_half(lock).await?;
    let Some(entry) = history::entries()
        .into_iter()
        .rfind(|entry| has(&recorded, entry.migration.name()))
    else {
        return Ok(None);
    };
    let name = entry.migration.name().to_owned();
    entry
        .migration
        .down(&lock.manager())
        .await
        .map_err(|e| Error::migration(&name, &e))?;
    check_references(lock, &name).await?;
    forget(lock, &name).await?;
    Ok(Some(name))
}

async fn run_up(entry: &Entry, manager: &SchemaManager<'_>) -> Result<()> {
    entry
        .migration
        .up(manager)
        .await
        .map_err(|e| Error::migration(entry.migration.name(), &e))
}

/// Recorded migrations; an error when one of them is unknown or half applied.
async fn recorded(lock: &Lock<'_>) -> Result<Vec<Model>> {
    let recorded = recorded_or_half(lock).await?;
    if let Some(half) = recorded.iter().find(|model| model.applied_at == 0) {
        return Err(Error::HalfApplied {
            migration: half.version.clone(),
        });
    }
    Ok(recorded)
}

/// Recorded migrations, half applied ones among them; an error when one of them is unknown.
async fn recorded_or_half(lock: &Lock<'_>) -> Result<Vec<Model>> {
    let executor = lock.executor();
    Migrator::install(&executor)
        .await
        .map_err(|e| Error::database("create the migration table", &e))?;
    let recorded = read_records(&executor).await?;
    let known = history::entries();
    let unknown = recorded.iter().find(|model| {
        known
            .iter()
            .all(|entry| entry.migration.name() != model.version)
    });
    if let Some(unknown) = unknown {
        return Err(Error::Unknown {
            migration: unknown.version.clone(),
        });
    }
    Ok(recorded)
}

async fn read_status(executor: &DatabaseExecutor<'_>) -> Result<Status> {
    let manager = SchemaManager::new(borrow(executor));
    let installed = manager
        .has_table(MIGRATION_TABLE)
        .await
        .map_err(|e| Error::database("look for tables", &e))?;
    let recorded = if installed {
        read_records(executor).await?
    } else {
        Vec::new()
    };
    let known: Vec<String> = history::entries()
        .iter()
        .map(|entry| entry.migration.name().to_owned())
        .collect();
    let pending = known
        .iter()
        .filter(|name| !has(&recorded, name))
        .cloned()
        .collect();
    let applied = recorded
        .into_iter()
        .map(|model| Applied {
            known: known.contains(&model.version),
            applied_at: Some(model.applied_at).filter(|&time| time != 0),
            name: model.version,
        })
        .collect();
    Ok(Status { applied, pending })
}

async fn read_records(executor: &DatabaseExecutor<'_>) -> Result<Vec<Model>> {
    let read = Entity::find()
        .order_by_asc(Column::Version)
        .all(executor)
        .await;
    read.map_err(|e| Error::database("read the migration table", &e))
}

async fn record(lock: &Lock<'_>, name: &str, applied_at: i64) -> Result<()> {
    let row = ActiveModel {
        version: ActiveValue::Set(name.to_owned()),
        applied_at: ActiveValue::Set(applied_at),
    };
    let insert = Entity::insert(row)
        .exec_without_returning(&lock.executor())
        .await;
    insert
        .map(drop)
        .map_err(|e| Error::database("record a migration", &e))
}

async fn forget(lock: &Lock<'_>, name: &str) -> Result<()> {
    let delete = Entity::delete_by_id(name.to_owned())
        .exec(&lock.executor())
        .await;
    delete
        .map(drop)
        .map_err(|e| Error::database("record a migration", &e))
}

/// SQLite runs migrations with foreign keys switched off; the whole database must hold together again at the end.
async fn check_references(lock: &Lock<'_>, migration: &str) -> Result<()> {
    if lock.backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let check = Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_key_check");
    let broken = lock.executor().query_one_raw(check).await;
    match broken.map_err(|e| Error::database("check references", &e))? {
        None => Ok(()),
        Some(row) => Err(Error::Dangling {
            migration: migration.to_owned(),
            table: row
                .try_get_by_index(0)
                .map_err(|e| Error::database("check references", &e))?,
        }),
    }
}

fn has(recorded: &[Model], name: &str) -> bool {
    recorded.iter().any(|model| model.version == name)
}

/// Seconds since 1970 UTC, never zero: zero marks a migration that has not ended.
fn now() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX).max(1)
}

async fn close(connection: DatabaseConnection) {
    // The work is committed or reported by now; a failing goodbye changes neither.
    let _ = connection.close().await;
}

/// A fresh handle on the same executor.
fn borrow<'c>(executor: &'c DatabaseExecutor<'c>) -> DatabaseExecutor<'c> {
    match executor {
        DatabaseExecutor::Connection(connection) => DatabaseExecutor::Connection(connection),
        DatabaseExecutor::Transaction(transaction) => DatabaseExecutor::Transaction(transaction),
        DatabaseExecutor::OwnedTransaction(transaction) => {
            DatabaseExecutor::Transaction(transaction)
        }
    }
}

/// The right to change the schema, held by at most one process.
enum Lock<'c> {
    Transaction(DatabaseTransaction),
    Session(&'c DatabaseConnection),
}

impl<'c> Lock<'c> {
    async fn take(connection: &'c DatabaseConnection) -> Result<Self> {
        let refused = |e| Error::database("lock the history", &e);
        match connection.get_database_backend() {
            DbBackend::MySql => {
                let seconds = LOCK_WAIT.as_secs();
                // The name must be the database's own: named locks belong to the server.
                let sql = format!("SELECT GET_LOCK(CONCAT('tdm-', MD5(DATABASE())), {seconds})");
                let row = connection
                    .query_one_raw(Statement::from_string(DbBackend::MySql, sql))
                    .await;
                let taken: Option<i64> = match row.map_err(refused)? {
                    Some(row) => row.try_get_by_index(0).map_err(refused)?,
                    None => None,
                };
                if taken != Some(1) {
                    return Err(Error::Database {
                        operation: "lock the history",
                        cause: Cause::Busy,
                        code: None,
                    });
                }
                Ok(Self::Session(connection))
            }
            backend => {
                let options = TransactionOptions {
                    sqlite_transaction_mode: (backend == DbBackend::Sqlite)
                        .then_some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                let transaction = connection
                    .begin_with_options(options)
                    .await
                    .map_err(refused)?;
                if backend == DbBackend::Postgres {
                    let wait = format!("SET LOCAL lock_timeout = '{}s'", LOCK_WAIT.as_secs());
                    transaction
                        .execute_unprepared(&wait)
                        .await
                        .map_err(refused)?;
                    // Any number will do, as long as it never changes. Advisory locks belong to one database.
                    let lock = "SELECT pg_advisory_xact_lock(8391651972)";
                    transaction
                        .execute_unprepared(lock)
                        .await
                        .map_err(refused)?;
                }
                Ok(Self::Transaction(transaction))
            }
        }
    }

    fn executor(&self) -> DatabaseExecutor<'_> {
        match self {
            Self::Transaction(transaction) => DatabaseExecutor::from(transaction),
            Self::Session(connection) => DatabaseExecutor::from(*connection),
        }
    }

    fn manager(&self) -> SchemaManager<'_> {
        SchemaManager::new(self.executor())
    }

    fn backend(&self) -> DbBackend {
        self.executor().get_database_backend()
    }

    const fn is_transactional(&self) -> bool {
        matches!(self, Self::Transaction(_))
    }

    /// Keeps what was done.
    async fn release(self) -> Result<()> {
        match self {
            Self::Transaction(transaction) => transaction.commit().await,
            Self::Session(connection) => release_session(connection).await,
        }
        .map_err(|e| Error::database("commit", &e))
    }

    /// Undoes what can be undone. The error that led here is the one to report.
    async fn abandon(self) {
        let _ = match self {
            Self::Transaction(transaction) => transaction.rollback().await,
            Self::Session(connection) => release_session(connection).await,
        };
    }
}

async fn release_session(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let release = "DO RELEASE_LOCK(CONCAT('tdm-', MD5(DATABASE())))";
    connection.execute_unprepared(release).await.map(drop)
}
