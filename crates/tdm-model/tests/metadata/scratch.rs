//! A database of its own for each test, on every engine that can be had.

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement};
use tdm_model::{DatabaseOptions, MetadataDatabase};
use tdm_testkit::server::{self, Server, ServerKind};
use tempfile::TempDir;

/// A database that nobody else uses, gone when the handle is.
pub(crate) struct Scratch {
    pub(crate) url: String,
    _directory: Option<TempDir>,
    _database: Option<server::Database>,
}

/// SQLite always; PostgreSQL and MariaDB where they can be had, else the calling test is reported as skipped on them.
macro_rules! scratches {
    () => {
        $crate::scratch::Scratch::every(tdm_testkit::test_name!()).await
    };
}
pub(crate) use scratches;

impl Scratch {
    pub(crate) async fn every(test: &str) -> Vec<Self> {
        let mut all = vec![Self::sqlite().await];
        for server in servers(test) {
            all.push(Self::on(server).await);
        }
        all
    }

    pub(crate) async fn on(server: &Server) -> Self {
        let database = server.reserve_database();
        let url = database.url().to_owned();
        assert!(tdm_model::create_database_if_missing(&url).await.unwrap());
        assert!(!tdm_model::create_database_if_missing(&url).await.unwrap());
        Self {
            url,
            _directory: None,
            _database: Some(database),
        }
    }

    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!(
            "sqlite:{}",
            directory.path().join("made/meta.sqlite").display()
        );
        assert!(tdm_model::create_database_if_missing(&url).await.unwrap());
        assert!(!tdm_model::create_database_if_missing(&url).await.unwrap());
        Self {
            url,
            _directory: Some(directory),
            _database: None,
        }
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
        self.column(sql, 0).await
    }

    /// The statement that would make `table`, on MariaDB.
    pub(crate) async fn show_create(&self, table: &str) -> Vec<String> {
        self.column(&format!("SHOW CREATE TABLE `{table}`"), 1)
            .await
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let connection = self.connect().await;
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn column(&self, sql: &str, index: usize) -> Vec<String> {
        let connection = self.connect().await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        connection.close().await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(index).unwrap())
            .collect()
    }

    async fn connect(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }
}

/// The servers that can be had; for the others, `test` is reported as skipped.
pub(crate) fn servers(test: &str) -> impl Iterator<Item = &'static Server> {
    ServerKind::ALL
        .into_iter()
        .filter_map(move |kind| server::require(kind, test))
}
