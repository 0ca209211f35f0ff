//! One connection to the metadata database, for the time of one command.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm_migration::sea_orm::DatabaseConnection;
use sea_orm_migration::sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm_migration::sea_orm::sqlx::pool::PoolOptions;
use sea_orm_migration::sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm_migration::sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm_migration::sea_orm::sqlx::{
    ConnectOptions as _, Connection, Database, MySql, Pool, Postgres, Sqlite,
};

use crate::LOCK_WAIT;
use crate::cause::{self, Cause};
use crate::error::{Error, Result};

/// Longest wait for an answer to the first knock.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Opens the database at `url`. It must exist: a typing error must not make a second, empty one.
pub(crate) async fn open(url: &str) -> Result<DatabaseConnection> {
    let unreadable = |_| Error::Address {
        reason: "it cannot be read as a URL",
    };
    let (scheme, _) = url.split_once(':').ok_or(Error::Address {
        reason: "it names no engine",
    })?;
    match scheme {
        "postgres" | "postgresql" => {
            let options = PgConnectOptions::from_str(url)
                .map_err(unreadable)?
                .application_name("tdm migrate");
            if options.get_database().is_none() {
                return Err(Error::Address {
                    reason: "it names no database",
                });
            }
            Ok(single::<Postgres>(options.disable_statement_logging())
                .await?
                .into())
        }
        "mysql" | "mariadb" => {
            let options = MySqlConnectOptions::from_str(url).map_err(unreadable)?;
            if options.get_database().is_none() {
                return Err(Error::Address {
                    reason: "it names no database",
                });
            }
            Ok(single::<MySql>(options.disable_statement_logging())
                .await?
                .into())
        }
        "sqlite" => {
            let options = SqliteConnectOptions::from_str(url).map_err(unreadable)?;
            // SQLite cannot alter a table in place; rebuilding it would delete the rows that refer to it while keys are
            // enforced. References are checked before each commit instead.
            let options = options
                .create_if_missing(false)
                .foreign_keys(false)
                .busy_timeout(LOCK_WAIT);
            Ok(single::<Sqlite>(options.disable_statement_logging())
                .await?
                .into())
        }
        _ => Err(Error::Address {
            reason: "its engine is none of postgres, mysql, mariadb, sqlite",
        }),
    }
}

/// Knocks once, so that the exact cause is known at once: a pool would try again and only say that time is up.
async fn single<D: Database>(options: <D::Connection as Connection>::Options) -> Result<Pool<D>> {
    let refused = |cause, code| Error::Database {
        operation: "connect",
        cause,
        code,
    };
    let knock = tokio::time::timeout(CONNECT_WAIT, D::Connection::connect_with(&options)).await;
    let connection = knock
        .map_err(|_| refused(Cause::Unreachable, None))?
        .map_err(|error| {
            let (cause, code) = cause::of_driver(&error);
            refused(cause, code)
        })?;
    // The answer is all that was wanted; whether the goodbye arrives does not matter.
    let _ = connection.close().await;
    // Locks belong to a connection, so there is one, and it is kept.
    let pool = PoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options);
    Ok(pool)
}
