//! Telling one database from another: two addresses may lead to the same one.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};
use tdm_core::port::ServerIdentity;
use uuid::Uuid;

use crate::address::Address;
use crate::database::{DatabaseOptions, MetadataDatabase};
use crate::error::{Doing as _, Error, Result};

/// The identity of the database at `url`, which need not be a metadata database. Writes nothing.
///
/// Compare only with identities from here: the server's own number or, where it has none or hides it, its host, port
/// and directory; then the database. On SQLite, the file.
///
/// # Errors
/// [`Error::Address`] and [`Error::Database`].
pub async fn database_identity(url: &str) -> Result<ServerIdentity> {
    if let Address::Sqlite {
        options,
        in_memory: false,
    } = Address::parse(url)?
    {
        let missing = || Error::Database {
            operation: "open",
            object: "database",
            cause: crate::cause::Cause::DatabaseMissing,
            code: None,
        };
        return of_file(options.get_filename().to_str().unwrap_or_default()).ok_or_else(missing);
    }
    let options = DatabaseOptions {
        connections_max: 1,
        ..DatabaseOptions::default()
    };
    let database = MetadataDatabase::connect(url, &options).await?;
    let identity = database.identity().await;
    database.close().await;
    identity
}

pub(crate) async fn of(connection: &DatabaseConnection) -> Result<ServerIdentity> {
    match connection.get_database_backend() {
        DbBackend::Postgres => of_postgres(connection).await,
        DbBackend::MySql => of_mysql(connection).await,
        _ => of_sqlite(connection).await,
    }
    .doing("identify", "database")
}

async fn of_postgres(connection: &DatabaseConnection) -> Result<ServerIdentity, DbErr> {
    let database =
        "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()";
    let database = first(connection, database).await?.unwrap_or_default();
    let number = first(
        connection,
        "SELECT system_identifier::text FROM pg_catalog.pg_control_system()",
    )
    .await;
    let server = match number {
        Ok(Some(number)) => number,
        // Some hosts close that function. When and where the server listens tells it from its neighbours too.
        Ok(None) | Err(_) => {
            let sql = "SELECT concat_ws('/', inet_server_addr(), inet_server_port(), \
                       extract(epoch FROM pg_postmaster_start_time()))";
            first(connection, sql).await?.unwrap_or_default()
        }
    };
    Ok(ServerIdentity(format!("postgres/{server}/{database}")))
}

async fn of_mysql(connection: &DatabaseConnection) -> Result<ServerIdentity, DbErr> {
    // MySQL has a number of its own, MariaDB has not. Where names ignore case, so does this.
    let database =
        "SELECT CAST(IF(@@lower_case_table_names = 0, DATABASE(), LOWER(DATABASE())) AS CHAR)";
    let database = first(connection, database).await?.unwrap_or_default();
    let number = first(connection, "SELECT CAST(@@server_uuid AS CHAR)").await;
    let server = match number {
        Ok(Some(number)) => number,
        Ok(None) | Err(_) => {
            let sql = "SELECT CAST(CONCAT_WS('/', @@hostname, @@port, @@datadir) AS CHAR)";
            first(connection, sql).await?.unwrap_or_default()
        }
    };
    Ok(ServerIdentity(format!("mysql/{server}/{database}")))
}

async fn of_sqlite(connection: &DatabaseConnection) -> Result<ServerIdentity, DbErr> {
    let file = first(
        connection,
        "SELECT file FROM pragma_database_list WHERE name = 'main'",
    )
    .await?;
    // Nobody else can reach it.
    let in_memory = || ServerIdentity(format!("sqlite/memory/{}", Uuid::now_v7()));
    Ok(file
        .filter(|file| !file.is_empty())
        .and_then(|file| of_file(&file))
        .unwrap_or_else(in_memory))
}

/// Links and relative paths lead to the same device and number.
fn of_file(file: &str) -> Option<ServerIdentity> {
    #[cfg(unix)]
    let server = {
        use std::os::unix::fs::MetadataExt as _;
        let facts = std::fs::metadata(file).ok()?;
        format!("{}/{}", facts.dev(), facts.ino())
    };
    #[cfg(not(unix))]
    let server = std::fs::canonicalize(file).ok()?.display().to_string();
    Some(ServerIdentity(format!("sqlite/{server}")))
}

async fn first(connection: &DatabaseConnection, sql: &str) -> Result<Option<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(None),
    }
}
