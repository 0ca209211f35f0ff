//! The right to change the schema: the write transaction itself on SQLite, an advisory lock of the transaction on
//! PostgreSQL, a named lock of the session on MariaDB. None of them outlives its process.

use sea_orm_migration::sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::{DbErr, SchemaManager};

use crate::LOCK_WAIT;
use crate::cause::Cause;
use crate::error::{Error, Result};

/// The right to change the schema, held by at most one process.
pub(crate) enum Lock<'c> {
    Transaction(DatabaseTransaction),
    Session(&'c DatabaseConnection),
}

impl<'c> Lock<'c> {
    pub(crate) async fn take(connection: &'c DatabaseConnection) -> Result<Self> {
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

    pub(crate) fn executor(&self) -> DatabaseExecutor<'_> {
        match self {
            Self::Transaction(transaction) => DatabaseExecutor::from(transaction),
            Self::Session(connection) => DatabaseExecutor::from(*connection),
        }
    }

    pub(crate) fn manager(&self) -> SchemaManager<'_> {
        SchemaManager::new(self.executor())
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.executor().get_database_backend()
    }

    pub(crate) const fn is_transactional(&self) -> bool {
        matches!(self, Self::Transaction(_))
    }

    /// Keeps what was done.
    pub(crate) async fn release(self) -> Result<()> {
        match self {
            Self::Transaction(transaction) => transaction.commit().await,
            Self::Session(connection) => release_session(connection).await,
        }
        .map_err(|e| Error::database("commit", &e))
    }

    /// Undoes what can be undone. The error that led here is the one to report.
    pub(crate) async fn abandon(self) {
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
