//! Applying and rolling back, one migration at a time, one process at a time.
//!
//! Each migration runs under a lock and looks again, once it has the lock, at what is recorded: two processes that
//! start together apply each migration once.
//!
//! SQLite and PostgreSQL run a migration and its record in one transaction. MariaDB commits each change of the schema,
//! so there the record is written first with time zero and completed at the end; a migration that fails is undone by
//! its own `down`, and one that died is found by its record.

use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm_migration::sea_orm::{
    ActiveValue, ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, DatabaseExecutor,
    DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _, Statement,
};
use sea_orm_migration::seaql_migrations::{ActiveModel, Column, Entity, Model};
use sea_orm_migration::{MigratorTrait as _, SchemaManager};

use crate::connect;
use crate::error::{Error, Result};
use crate::history::{self, Entry, MIGRATION_TABLE, Migrator};
use crate::lock::Lock;

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
    let applied = apply(&connection, history::entries, steps).await;
    close(connection).await;
    applied
}

/// Rolls back the last `steps` migrations and returns their names, newest first.
///
/// # Errors
/// Any [`Error`]. Migrations rolled back before the failing one stay rolled back.
pub async fn down(url: &str, steps: u32) -> Result<Vec<String>> {
    let connection = connect::open(url).await?;
    let reverted = revert(&connection, history::entries, Some(steps)).await;
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
    let applied = match revert(&connection, history::entries, None).await {
        Ok(_) => apply(&connection, history::entries, None).await,
        Err(error) => Err(error),
    };
    close(connection).await;
    applied
}

/// The migrations to choose from, oldest first.
pub(crate) type History = fn() -> Vec<Entry>;

pub(crate) async fn apply(
    connection: &DatabaseConnection,
    history: History,
    steps: Option<u32>,
) -> Result<Vec<String>> {
    let mut names = Vec::new();
    while steps.is_none_or(|steps| names.len() < steps as usize) {
        let lock = Lock::take(connection).await?;
        match apply_next(&lock, history).await {
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

pub(crate) async fn revert(
    connection: &DatabaseConnection,
    history: History,
    steps: Option<u32>,
) -> Result<Vec<String>> {
    let mut names = Vec::new();
    while steps.is_none_or(|steps| names.len() < steps as usize) {
        let lock = Lock::take(connection).await?;
        match revert_last(&lock, history).await {
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
async fn apply_next(lock: &Lock<'_>, history: History) -> Result<Option<String>> {
    let recorded = recorded(lock, history).await?;
    let Some(entry) = history()
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
        complete(lock, &name).await?;
    }
    Ok(Some(name))
}

/// Rolls back the last recorded migration, whole or not.
async fn revert_last(lock: &Lock<'_>, history: History) -> Result<Option<String>> {
    let recorded = recorded_or_half(lock, history).await?;
    let Some(entry) = history()
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
async fn recorded(lock: &Lock<'_>, history: History) -> Result<Vec<Model>> {
    let recorded = recorded_or_half(lock, history).await?;
    if let Some(half) = recorded.iter().find(|model| model.applied_at == 0) {
        return Err(Error::HalfApplied {
            migration: half.version.clone(),
        });
    }
    Ok(recorded)
}

/// Recorded migrations, half applied ones among them; an error when one of them is unknown.
async fn recorded_or_half(lock: &Lock<'_>, history: History) -> Result<Vec<Model>> {
    let executor = lock.executor();
    Migrator::install(&executor)
        .await
        .map_err(|e| Error::database("create the migration table", &e))?;
    let recorded = read_records(&executor).await?;
    let known = history();
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

async fn complete(lock: &Lock<'_>, name: &str) -> Result<()> {
    let row = ActiveModel {
        version: ActiveValue::Unchanged(name.to_owned()),
        applied_at: ActiveValue::Set(now()),
    };
    let update = Entity::update_many()
        .set(row)
        .filter(Column::Version.eq(name));
    let update = update.exec(&lock.executor()).await;
    update
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use sea_orm_migration::DbErr;
    use tdm_testkit::server::{self, ServerKind};

    struct Step {
        name: &'static str,
        statements: &'static [&'static str],
    }

    impl sea_orm_migration::MigrationName for Step {
        fn name(&self) -> &str {
            self.name
        }
    }

    #[async_trait::async_trait]
    impl sea_orm_migration::MigrationTrait for Step {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            for statement in self.statements {
                manager
                    .get_connection()
                    .execute_unprepared(statement)
                    .await?;
            }
            Ok(())
        }

        async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let table = format!("DROP TABLE IF EXISTS {}", self.name);
            manager
                .get_connection()
                .execute_unprepared(&table)
                .await
                .map(drop)
        }
    }

    fn entry(
        name: &'static str,
        creates: &'static [&'static str],
        statements: &'static [&'static str],
    ) -> Entry {
        Entry {
            migration: Box::new(Step { name, statements }),
            creates,
            drops: &[],
        }
    }

    fn failing() -> Vec<Entry> {
        vec![
            entry("m1", &["m1"], &["CREATE TABLE m1 (a INTEGER)"]),
            entry(
                "m2",
                &["m2"],
                &["CREATE TABLE m2 (a INTEGER)", "CREATE TABLE m1 (a INTEGER)"],
            ),
        ]
    }

    fn dangling() -> Vec<Entry> {
        vec![entry(
            "m3",
            &["m3", "m3_parent"],
            &[
                "CREATE TABLE m3_parent (a INTEGER PRIMARY KEY)",
                "CREATE TABLE m3 (a INTEGER REFERENCES m3_parent (a))",
                "INSERT INTO m3 VALUES (1)",
            ],
        )]
    }

    async fn has_table(connection: &DatabaseConnection, table: &str) -> bool {
        SchemaManager::new(DatabaseExecutor::from(connection))
            .has_table(table)
            .await
            .unwrap()
    }

    async fn check(url: &str) {
        let connection = connect::open(url).await.unwrap();
        let error = apply(&connection, failing, None).await.unwrap_err();
        assert!(
            matches!(&error, Error::Migration { migration, .. } if migration == "m2"),
            "{error}"
        );
        assert_eq!(error.cause(), Cause::TableExists);
        assert!(has_table(&connection, "m1").await && !has_table(&connection, "m2").await);
        let recorded = read_records(&DatabaseExecutor::from(&connection)).await;
        assert_eq!(recorded.unwrap().len(), 1);
        assert_eq!(revert(&connection, failing, None).await.unwrap(), ["m1"]);
        assert!(!has_table(&connection, "m1").await);
        connection.close().await.unwrap();
    }

    fn sqlite(directory: &tempfile::TempDir) -> String {
        let file = directory.path().join("meta.sqlite");
        std::fs::File::create(&file).unwrap();
        format!("sqlite:{}", file.display())
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing_and_the_ones_before_it_stay() {
        let directory = tempfile::tempdir().unwrap();
        check(&sqlite(&directory)).await;
        for kind in ServerKind::ALL {
            let Some(server) = server::require(kind, tdm_testkit::test_name!()) else {
                continue;
            };
            check(server.create_database().unwrap().url()).await;
        }
    }

    #[tokio::test]
    async fn a_migration_that_leaves_dangling_rows_is_rolled_back() {
        let directory = tempfile::tempdir().unwrap();
        let connection = connect::open(&sqlite(&directory)).await.unwrap();
        let error = apply(&connection, dangling, None).await.unwrap_err();
        let expected = Error::Dangling {
            migration: "m3".to_owned(),
            table: "m3".to_owned(),
        };
        assert_eq!(error, expected);
        assert!(!has_table(&connection, "m3").await);
    }
}
