//! A database of its own for each test, on every engine that can be had.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement};
use tdm_model::{DatabaseOptions, MetadataDatabase};
use tempfile::TempDir;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A database that nobody else uses.
pub(crate) struct Scratch {
    pub(crate) url: String,
    server: Option<(String, String)>,
    _directory: Option<TempDir>,
}

impl Scratch {
    /// SQLite always; PostgreSQL and MariaDB where the environment names a server.
    pub(crate) async fn every() -> Vec<Self> {
        let mut all = vec![Self::sqlite().await];
        all.extend(Self::on_server("TDM_TEST_POSTGRES_URL").await);
        all.extend(Self::on_server("TDM_TEST_MYSQL_URL").await);
        all
    }

    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!(
            "sqlite:{}",
            directory.path().join("made/meta.sqlite").display()
        );
        assert!(tdm_model::create_database_if_missing(&url).await.unwrap());
        Self {
            url,
            server: None,
            _directory: Some(directory),
        }
    }

    pub(crate) async fn on_server(variable: &str) -> Option<Self> {
        let Ok(server) = env::var(variable) else {
            assert!(
                env::var("CI").is_err(),
                "{variable} must name a server under CI"
            );
            eprintln!("skipped: {variable} names no server");
            return None;
        };
        let number = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("tdm_model_{}_{number}", std::process::id());
        let url = with_database(&server, &name);
        assert!(tdm_model::create_database_if_missing(&url).await.unwrap());
        assert!(!tdm_model::create_database_if_missing(&url).await.unwrap());
        Some(Self {
            url,
            server: Some((server, name)),
            _directory: None,
        })
    }

    pub(crate) fn engine(&self) -> &str {
        self.url.split(':').next().unwrap()
    }

    /// The database at the newest migration.
    pub(crate) async fn migrated(&self) -> MetadataDatabase {
        migration::up(&self.url, None).await.unwrap();
        self.open().await
    }

    pub(crate) async fn open(&self) -> MetadataDatabase {
        MetadataDatabase::connect(&self.url, &DatabaseOptions::default())
            .await
            .unwrap()
    }

    /// One text per row of a query.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = connect(&self.url).await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        let texts = rows
            .iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect();
        connection.close().await.unwrap();
        texts
    }

    /// The statement that would make `table`, on MariaDB.
    pub(crate) async fn show_create(&self, table: &str) -> Vec<String> {
        let connection = connect(&self.url).await;
        let show = format!("SHOW CREATE TABLE `{table}`");
        let statement = Statement::from_string(connection.get_database_backend(), show);
        let rows = connection.query_all_raw(statement).await.unwrap();
        connection.close().await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(1).unwrap())
            .collect()
    }

    pub(crate) async fn execute(&self, sql: &str) -> bool {
        let connection = connect(&self.url).await;
        let done = connection.execute_unprepared(sql).await.is_ok();
        connection.close().await.unwrap();
        done
    }

    pub(crate) async fn remove(self) {
        if let Some((server, name)) = self.server {
            let admin = connect(&server).await;
            let force = if server.starts_with("postgres") {
                " WITH (FORCE)"
            } else {
                ""
            };
            admin
                .execute_unprepared(&format!("DROP DATABASE {name}{force}"))
                .await
                .unwrap();
            admin.close().await.unwrap();
        }
    }
}

/// `server` with another database.
pub(crate) fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server
        .split_once('?')
        .map_or((server, None), |(a, q)| (a, Some(q)));
    let authority = address.find("://").unwrap() + 3;
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |slash| authority + slash);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &address[..end])
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

pub(crate) async fn drop_database(server: &str, quoted: &str) {
    let admin = connect(server).await;
    admin
        .execute_unprepared(&format!("DROP DATABASE {quoted}"))
        .await
        .unwrap();
    admin.close().await.unwrap();
}
