//! The metadata database: reaching it, making it, and telling it from another one.

use std::fmt;
use std::time::Duration;

use sea_orm::sqlx::mysql::MySqlConnection;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::SqliteJournalMode;
use sea_orm::sqlx::{Database, Executor as _, MySql, Postgres, Sqlite};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use tdm_core::port::ServerIdentity;
use tdm_core::types::Engine;

use crate::address::Address;
use crate::entity::schema;
use crate::error::{Doing as _, Result};
use crate::identity;

/// How a database is used by this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Most connections at once. An in-memory database has one, whatever this says.
    pub connections_max: u32,
    /// Longest wait for a connection of the pool to come free.
    pub acquire_wait: Duration,
    /// Longest wait for another process that writes to the same SQLite file.
    pub lock_wait: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            connections_max: 8,
            acquire_wait: Duration::from_secs(30),
            lock_wait: Duration::from_secs(30),
        }
    }
}

/// The metadata database; it is every store of [`tdm_core::port`].
///
/// Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct MetadataDatabase {
    connection: DatabaseConnection,
}

impl fmt::Debug for MetadataDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetadataDatabase({})", self.engine())
    }
}

impl MetadataDatabase {
    /// Connects to the database at `url`: `sqlite:<path>`, `postgres://…`, `mysql://…` or `mariadb://…`.
    ///
    /// The database must exist ([`create_database_if_missing`]); its tables need not. Statements are never logged:
    /// some hold what people wrote.
    ///
    /// # Errors
    /// [`Error::Address`](crate::Error::Address), or [`Error::Database`](crate::Error::Database) with the cause that [`Error::cause`](crate::Error::cause) names.
    pub async fn connect(url: &str, options: &DatabaseOptions) -> Result<Self> {
        let address = Address::parse(url)?;
        address.knock().await?;
        let connection = match address {
            Address::Postgres(server) => {
                pool::<Postgres>(options).connect_lazy_with(*server).into()
            }
            Address::MySql(server) => {
                let pool =
                    pool::<MySql>(options).after_connect(|connection: &mut MySqlConnection, _| {
                        Box::pin(async move {
                            // Without it the server cuts texts that are too long and says nothing.
                            let strict =
                                "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')";
                            connection.execute(strict).await.map(drop)
                        })
                    });
                pool.connect_lazy_with(*server).into()
            }
            Address::Sqlite {
                options: file,
                in_memory,
            } => {
                let file = file.foreign_keys(true).busy_timeout(options.lock_wait);
                if in_memory {
                    let one = pool::<Sqlite>(options)
                        .max_connections(1)
                        .idle_timeout(None)
                        .max_lifetime(None);
                    one.connect_lazy_with(file).into()
                } else {
                    // Readers and the writer do not wait for each other.
                    let file = file.journal_mode(SqliteJournalMode::Wal);
                    pool::<Sqlite>(options).connect_lazy_with(file).into()
                }
            }
        };
        let database = Self { connection };
        database.ping().await?;
        Ok(database)
    }

    /// Engine of the database.
    pub fn engine(&self) -> Engine {
        match self.connection.get_database_backend() {
            DbBackend::Postgres => Engine::Postgres,
            DbBackend::MySql => Engine::MySql,
            _ => Engine::Sqlite,
        }
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database).
    pub async fn ping(&self) -> Result<()> {
        let select = Statement::from_string(self.connection.get_database_backend(), "SELECT 1");
        self.connection
            .query_one_raw(select)
            .await
            .map(drop)
            .doing("reach", "database")
    }

    /// Names of the tables in the database (on PostgreSQL, in the current schema), sorted.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database).
    pub async fn list_tables(&self) -> Result<Vec<String>> {
        let backend = self.connection.get_database_backend();
        let sql = match backend {
            DbBackend::Postgres => {
                "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
            }
            DbBackend::MySql => {
                "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
            }
            _ => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
        };
        let read = async {
            let rows = self
                .connection
                .query_all_raw(Statement::from_string(backend, sql))
                .await?;
            rows.iter()
                .map(|row| row.try_get_by_index(0))
                .collect::<Result<Vec<String>, _>>()
        };
        let mut tables = read.await.doing("list", "tables")?;
        tables.sort();
        Ok(tables)
    }

    /// Which database this is, whatever address led to it. Compare only with identities from this crate.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database).
    pub async fn identity(&self) -> Result<ServerIdentity> {
        identity::of(&self.connection).await
    }

    /// Creates every table from the entities, in an empty database.
    ///
    /// Only for comparing entities with migrations on a scratch database: such a database has no record of its
    /// migrations.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database).
    pub async fn create_schema_from_entities(&self) -> Result<()> {
        schema::create_all(&self.connection)
            .await
            .doing("create", "tables")
    }

    /// Closes every connection. Dropping the last clone does the same, later.
    pub async fn close(self) {
        // Everything that was acknowledged is committed; a failing goodbye changes nothing.
        let _ = self.connection.close().await;
    }

    pub(crate) const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// A transaction that will write. Dropped without commit, it is rolled back.
    ///
    /// SQLite takes the write lock at once: a reader that becomes a writer half way is refused without waiting.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction> {
        let sqlite = self.connection.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.connection
            .begin_with_options(options)
            .await
            .doing("begin", "transaction")
    }
}

/// Makes the database at `url` when it does not exist and the role may; says whether it did. Its tables are made by
/// migrations.
///
/// On SQLite the file and its directories are made, the file readable by its owner only.
///
/// # Errors
/// [`Error::Address`](crate::Error::Address) and [`Error::Database`](crate::Error::Database).
pub async fn create_database_if_missing(url: &str) -> Result<bool> {
    Address::parse(url)?.create_if_missing().await
}

fn pool<D: Database>(options: &DatabaseOptions) -> PoolOptions<D> {
    PoolOptions::new()
        .max_connections(options.connections_max.max(1))
        .acquire_timeout(options.acquire_wait)
}
