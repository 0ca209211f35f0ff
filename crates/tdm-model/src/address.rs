//! What an address means, and how the database behind it is reached or made.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, Connection, Executor as _};

use crate::cause::Cause;
use crate::error::{Error, Result};

/// Longest wait for an answer to the first knock.
pub(crate) const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// A database that can be connected to. Holds a password; has no `Debug` for that reason.
#[derive(Clone)]
pub(crate) enum Address {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite {
        options: Box<SqliteConnectOptions>,
        in_memory: bool,
    },
}

impl Address {
    /// Reads `sqlite:<path>`, `postgres://…`, `mysql://…` and `mariadb://…`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let unreadable = |_| Error::Address {
            reason: "it cannot be read as a URL",
        };
        let nameless = Error::Address {
            reason: "it names no database",
        };
        let (scheme, rest) = url.split_once(':').ok_or(Error::Address {
            reason: "it names no engine",
        })?;
        match scheme {
            "postgres" | "postgresql" => {
                let options = PgConnectOptions::from_str(url).map_err(unreadable)?;
                options.get_database().ok_or(nameless)?;
                let options = options.application_name("tdm").disable_statement_logging();
                Ok(Self::Postgres(Box::new(options)))
            }
            "mysql" | "mariadb" => {
                let options = MySqlConnectOptions::from_str(url).map_err(unreadable)?;
                options.get_database().ok_or(nameless)?;
                Ok(Self::MySql(Box::new(options.disable_statement_logging())))
            }
            "sqlite" => {
                let options = SqliteConnectOptions::from_str(url).map_err(unreadable)?;
                if options.get_filename().as_os_str().is_empty() {
                    return Err(nameless);
                }
                let in_memory = rest.contains(":memory:") || rest.contains("mode=memory");
                // A typing error must not make a second, empty database.
                let options = options
                    .create_if_missing(in_memory)
                    .disable_statement_logging();
                Ok(Self::Sqlite {
                    options: Box::new(options),
                    in_memory,
                })
            }
            _ => Err(Error::Address {
                reason: "its engine is none of postgres, mysql, mariadb, sqlite",
            }),
        }
    }

    /// Connects once and leaves, so that the exact cause is known at once: a pool would try again until time is up.
    pub(crate) async fn knock(&self) -> Result<()> {
        match self {
            Self::Postgres(options) => leave(connect::<PgConnection>(options).await?).await,
            Self::MySql(options) => leave(connect::<MySqlConnection>(options).await?).await,
            Self::Sqlite {
                in_memory: true, ..
            } => {}
            Self::Sqlite { options, .. } => {
                let file = options.get_filename();
                match fs::metadata(file) {
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                        return Err(refused("open", Cause::DatabaseMissing));
                    }
                    Err(_) => return Err(refused("open", Cause::PermissionDenied)),
                    Ok(_) => leave(connect::<SqliteConnection>(options).await?).await,
                }
            }
        }
        Ok(())
    }

    /// Makes the database when it does not exist; says whether it did.
    pub(crate) async fn create_if_missing(&self) -> Result<bool> {
        match self {
            Self::Postgres(options) => create_postgres(options).await,
            Self::MySql(options) => create_mysql(options).await,
            Self::Sqlite {
                in_memory: true, ..
            } => Ok(false),
            Self::Sqlite { options, .. } => create_file(options.get_filename()),
        }
    }
}

/// One connection, or the cause why there is none, within [`CONNECT_WAIT`].
pub(crate) async fn connect<C: Connection>(options: &C::Options) -> Result<C> {
    match tokio::time::timeout(CONNECT_WAIT, C::connect_with(options)).await {
        Ok(connection) => connection.map_err(|e| Error::driver("connect to", "database", &e)),
        Err(_) => Err(refused("connect to", Cause::Unreachable)),
    }
}

async fn leave(connection: impl Connection) {
    // The answer is all that was wanted; whether the goodbye arrives does not matter.
    let _ = connection.close().await;
}

fn refused(operation: &'static str, cause: Cause) -> Error {
    Error::Database {
        operation,
        object: "database",
        cause,
        code: None,
    }
}

async fn create_postgres(options: &PgConnectOptions) -> Result<bool> {
    match connect::<PgConnection>(options).await {
        Ok(connection) => {
            leave(connection).await;
            return Ok(false);
        }
        Err(error) if error.cause() == Cause::DatabaseMissing => {}
        Err(error) => return Err(error),
    }
    let name = options
        .get_database()
        .unwrap_or_default()
        .replace('"', "\"\"");
    let mut admin = match connect::<PgConnection>(&options.clone().database("postgres")).await {
        Err(error) if error.cause() == Cause::DatabaseMissing => {
            connect::<PgConnection>(&options.clone().database("template1")).await?
        }
        other => other?,
    };
    let create = format!("CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'");
    let mut made = admin.execute(AssertSqlSafe(create.clone())).await;
    if let Err(error) = &made
        && error
            .as_database_error()
            .and_then(sea_orm::sqlx::error::DatabaseError::code)
            .as_deref()
            == Some("22023")
    {
        // The server's locale is not one of UTF-8; the C locale goes with every encoding.
        let create = format!("{create} LC_COLLATE 'C' LC_CTYPE 'C'");
        made = admin.execute(AssertSqlSafe(create)).await;
    }
    let made = made
        .map(|_| true)
        .map_err(|e| Error::driver("create", "database", &e));
    leave(admin).await;
    match made {
        Err(error) if error.cause() == Cause::Duplicate => Ok(false),
        other => other,
    }
}

async fn create_mysql(options: &MySqlConnectOptions) -> Result<bool> {
    match connect::<MySqlConnection>(options).await {
        Ok(connection) => {
            leave(connection).await;
            return Ok(false);
        }
        // A role without rights on other databases is denied whether the database exists or not.
        Err(error) if matches!(&error, Error::Database { code: Some(code), .. } if code == "1044" || code == "1049") =>
            {}
        Err(error) => return Err(error),
    }
    let name = options
        .get_database()
        .unwrap_or_default()
        .replace('`', "``");
    // An empty name is no name for the protocol: the connection has no default database.
    let mut admin = connect::<MySqlConnection>(&options.clone().database("")).await?;
    let create = format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4");
    let made = admin.execute(AssertSqlSafe(create)).await;
    let made = made.map(|done| done.rows_affected() > 0);
    let made = made.map_err(|e| Error::driver("create", "database", &e));
    leave(admin).await;
    made
}

/// Makes an empty file, which is an empty database, that only its owner may read.
fn create_file(file: &Path) -> Result<bool> {
    let denied = |_| refused("create", Cause::PermissionDenied);
    if let Some(parent) = file.parent().filter(|parent| *parent != PathBuf::new()) {
        fs::create_dir_all(parent).map_err(denied)?;
    }
    let mut open = fs::OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(file) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) if e.kind() == std::io::ErrorKind::StorageFull => {
            Err(refused("create", Cause::Full))
        }
        Err(e) => Err(denied(e)),
    }
}
