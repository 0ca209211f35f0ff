//! The history on every engine: forwards, backwards, twice at once, and with something in the way.
//!
//! SQLite runs always, PostgreSQL and MariaDB where they can be had; each test has databases of its own.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicU32, Ordering};

use migration::{Cause, Error, MIGRATION_TABLE};
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement,
};
use tdm_testkit::server::{self, ServerKind};
use tempfile::TempDir;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A database that nobody else uses, gone when the handle is.
struct Scratch {
    url: String,
    _directory: Option<TempDir>,
    _database: Option<server::Database>,
}

/// SQLite always; PostgreSQL and MariaDB where they can be had, else the calling test is reported as skipped on them.
macro_rules! scratches {
    () => {
        Scratch::every(tdm_testkit::test_name!())
    };
}

impl Scratch {
    fn every(test: &str) -> Vec<Self> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("meta.sqlite");
        std::fs::File::create(&file).unwrap();
        let mut all = vec![Self {
            url: format!("sqlite:{}", file.display()),
            _directory: Some(directory),
            _database: None,
        }];
        for server in ServerKind::ALL
            .into_iter()
            .filter_map(|kind| server::require(kind, test))
        {
            let database = server.create_database().unwrap();
            let url = database.url().to_owned();
            all.push(Self {
                url,
                _directory: None,
                _database: Some(database),
            });
        }
        all
    }

    async fn execute(&self, sql: &str) {
        let connection = connect(&self.url).await;
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn tables(&self) -> Vec<String> {
        let sql = match self.url.split(':').next().unwrap() {
            "sqlite" => "SELECT name FROM sqlite_master WHERE type = 'table'",
            "mysql" => {
                "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
            _ => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        };
        let connection = connect(&self.url).await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        let mut tables: Vec<String> = rows
            .iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect();
        connection.close().await.unwrap();
        tables.sort();
        tables
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

fn expected(more: &[&str]) -> Vec<String> {
    let mut tables: Vec<String> = migration::tables()
        .into_iter()
        .chain(more.iter().copied())
        .map(str::to_owned)
        .collect();
    tables.sort();
    tables
}

#[tokio::test]
async fn up_makes_fifteen_tables_and_down_takes_all_but_the_record() {
    for scratch in scratches!() {
        let before = migration::status(&scratch.url).await.unwrap();
        assert_eq!(before.applied, []);
        assert!(!before.is_current());
        assert_eq!(
            scratch.tables().await,
            Vec::<String>::new(),
            "status writes nothing"
        );

        let applied = migration::up(&scratch.url, None).await.unwrap();
        assert_eq!(applied, before.pending);
        assert_eq!(scratch.tables().await, expected(&[MIGRATION_TABLE]));
        assert_eq!(scratch.tables().await.len(), 15);
        let status = migration::status(&scratch.url).await.unwrap();
        assert!(status.is_current());
        assert!(
            status
                .applied
                .iter()
                .all(|entry| entry.applied_at > Some(1_700_000_000))
        );

        assert_eq!(
            migration::up(&scratch.url, None).await.unwrap(),
            Vec::<String>::new()
        );
        let reverted = migration::down(&scratch.url, u32::MAX).await.unwrap();
        assert_eq!(reverted, applied.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(scratch.tables().await, [MIGRATION_TABLE]);

        assert_eq!(migration::up(&scratch.url, Some(1)).await.unwrap().len(), 1);
        assert_eq!(migration::up(&scratch.url, Some(0)).await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn two_processes_that_start_together_apply_each_migration_once() {
    for scratch in scratches!() {
        let (one, two, three) = tokio::join!(
            migration::up(&scratch.url, None),
            migration::up(&scratch.url, None),
            migration::up(&scratch.url, None),
        );
        let total = one.unwrap().len() + two.unwrap().len() + three.unwrap().len();
        let status = migration::status(&scratch.url).await.unwrap();
        assert!(status.is_current());
        assert_eq!(total, status.applied.len());
    }
}

#[tokio::test]
async fn fresh_drops_what_the_history_made_and_nothing_else() {
    for scratch in scratches!() {
        migration::up(&scratch.url, None).await.unwrap();
        scratch
            .execute("CREATE TABLE somebody_elses (id INTEGER)")
            .await;
        scratch
            .execute("INSERT INTO environments (id, name, kind, config) SELECT id, name, 'test', options FROM connections")
            .await;
        let applied = migration::fresh(&scratch.url).await.unwrap();
        assert_eq!(
            applied.len(),
            migration::status(&scratch.url).await.unwrap().applied.len()
        );
        assert_eq!(
            scratch.tables().await,
            expected(&[MIGRATION_TABLE, "somebody_elses"])
        );
    }
}

#[tokio::test]
async fn a_table_of_somebody_else_is_left_alone() {
    for scratch in scratches!() {
        scratch.execute("CREATE TABLE jobs (salary INTEGER)").await;
        for attempt in [
            migration::up(&scratch.url, None).await,
            migration::fresh(&scratch.url).await,
        ] {
            let error = attempt.unwrap_err();
            assert!(
                matches!(&error, Error::TableInTheWay { table, .. } if table == "jobs"),
                "{error}"
            );
        }
        let tables = scratch.tables().await;
        assert!(
            tables
                .iter()
                .all(|table| table == "jobs" || table == MIGRATION_TABLE),
            "{tables:?}"
        );
        scratch
            .execute("INSERT INTO jobs (salary) VALUES (1)")
            .await;
        assert!(!migration::status(&scratch.url).await.unwrap().is_current());
    }
}

#[tokio::test]
async fn a_newer_database_is_not_touched() {
    for scratch in scratches!() {
        migration::up(&scratch.url, None).await.unwrap();
        scratch.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_tomorrow', 1)").await;
        let before = scratch.tables().await;
        for attempt in [
            migration::up(&scratch.url, None).await,
            migration::down(&scratch.url, 1).await,
            migration::fresh(&scratch.url).await,
        ] {
            assert_eq!(
                attempt.unwrap_err(),
                Error::Unknown {
                    migration: "m29991231_tomorrow".to_owned()
                }
            );
        }
        assert_eq!(scratch.tables().await, before);
        let status = migration::status(&scratch.url).await.unwrap();
        assert!(!status.is_current());
        assert_eq!(
            status.applied.iter().filter(|entry| !entry.known).count(),
            1
        );
    }
}

#[tokio::test]
async fn a_migration_that_died_is_named_and_can_be_rolled_back() {
    for scratch in scratches!() {
        let name = migration::up(&scratch.url, Some(1))
            .await
            .unwrap()
            .remove(0);
        scratch
            .execute("UPDATE seaql_migrations SET applied_at = 0")
            .await;
        scratch.execute("DROP TABLE environments").await;
        let status = migration::status(&scratch.url).await.unwrap();
        assert!(!status.is_current());
        assert_eq!(status.applied[0].applied_at, None);
        assert_eq!(
            migration::up(&scratch.url, None).await.unwrap_err(),
            Error::HalfApplied {
                migration: name.clone()
            }
        );
        assert_eq!(migration::down(&scratch.url, 1).await.unwrap(), [name]);
        migration::up(&scratch.url, None).await.unwrap();
        assert_eq!(scratch.tables().await, expected(&[MIGRATION_TABLE]));
    }
}

#[tokio::test]
async fn words_outside_the_lists_are_refused_by_every_engine() {
    for scratch in scratches!() {
        migration::up(&scratch.url, None).await.unwrap();
        let connection = connect(&scratch.url).await;
        for (kind, accepted) in [
            ("test", true),
            ("Test", false),
            ("", false),
            ("productive", false),
        ] {
            let id = format!("0000000000000{:03}", SERIAL.fetch_add(1, Ordering::Relaxed));
            let id = match scratch.url.split(':').next().unwrap() {
                "sqlite" => format!("CAST('{id}' AS BLOB)"),
                "mysql" => format!("'{id}'"),
                _ => "gen_random_uuid()".to_owned(),
            };
            let sql = format!(
                "INSERT INTO environments (id, name, kind, config) \
                 VALUES ({id}, 'e-{kind}', '{kind}', '{{}}')"
            );
            assert_eq!(
                connection.execute_unprepared(&sql).await.is_ok(),
                accepted,
                "{kind:?} in {id}"
            );
        }
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn each_way_to_fail_has_its_cause_and_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    std::fs::write(
        &text,
        "this is no database, and long enough to be read as a header of one".repeat(20),
    )
    .unwrap();
    let free_port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut cases = vec![
        (
            format!("sqlite:{}/absent.sqlite", directory.path().display()),
            Cause::DatabaseMissing,
        ),
        (format!("sqlite:{}", text.display()), Cause::NotADatabase),
        (
            format!("postgres://canary:hunter2@127.0.0.1:{free_port}/meta"),
            Cause::Unreachable,
        ),
        (
            format!("mysql://canary:hunter2@127.0.0.1:{free_port}/meta"),
            Cause::Unreachable,
        ),
        (
            "postgres://canary:hunter2@localhost".to_owned(),
            Cause::Other,
        ),
        (
            "mysql://canary:hunter2@localhost:port/meta".to_owned(),
            Cause::Other,
        ),
        (
            "oracle://canary:hunter2@localhost/meta".to_owned(),
            Cause::Other,
        ),
        ("hunter2".to_owned(), Cause::Other),
    ];
    let mut databases = Vec::new();
    for kind in ServerKind::ALL {
        let Some(server) = server::require(kind, tdm_testkit::test_name!()) else {
            continue;
        };
        cases.push((server.url_of("tdm_surely_absent"), Cause::DatabaseMissing));
        let database = server.create_database().unwrap();
        cases.push((database.url_as("canary", "hunter2"), Cause::Credentials));
        databases.push(database);
    }
    for (url, cause) in cases {
        for error in [
            migration::status(&url).await.unwrap_err(),
            migration::up(&url, None).await.unwrap_err(),
        ] {
            assert_eq!(error.cause(), cause, "{error}");
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("canary"),
                "{shown}"
            );
            assert!(!error.to_string().contains('\n'), "one line");
        }
    }
    assert!(
        !directory.path().join("absent.sqlite").exists(),
        "a missing database is not made by accident"
    );
}
