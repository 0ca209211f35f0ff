//! The verbs of `tdm migrate` on every engine, through the public API.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::path::Path;

use tdm::migrate::{self, MigrationState};
use tdm::{Error, Settings};
use tdm_testkit::server::{Database, Server};
use tdm_testkit::{require_mysql, require_postgres};

/// Settings that name the metadata database by `url`.
fn settings(directory: &Path, url: &str) -> Settings {
    let environment = BTreeMap::from([("DATABASE_URL".to_owned(), url.to_owned())]);
    Settings::resolve(directory, &environment).unwrap()
}

/// Up, status, the question before rows are lost, down to zero and fresh; `insert` makes a row in `connections`.
async fn there_and_back(settings: &Settings, insert: impl AsyncFn()) {
    let empty = migrate::status(settings).await.unwrap();
    assert!(!empty.current && !empty.migrations.is_empty());
    for migration in &empty.migrations {
        assert_eq!(
            (migration.state, &migration.applied_at),
            (MigrationState::Pending, &None)
        );
    }
    let all = empty.migrations.len();
    let steps = u32::try_from(all).unwrap();

    assert_eq!(
        migrate::up(settings, Some(1)).await.unwrap().applied.len(),
        1
    );
    assert_eq!(
        migrate::up(settings, None).await.unwrap().applied.len(),
        all - 1
    );
    let again = migrate::up(settings, None).await.unwrap();
    assert!(again.applied.is_empty() && again.to_string().ends_with("nothing to do"));

    let status = migrate::status(settings).await.unwrap();
    assert!(status.current);
    for migration in &status.migrations {
        assert_eq!(migration.state, MigrationState::Applied);
        let time = migration.applied_at.as_deref().unwrap();
        assert!(
            time.len() == 20 && time.starts_with("20") && time.ends_with('Z'),
            "{time}"
        );
    }
    let shown = format!(
        "{status} {status:?} {}",
        serde_json::to_string(&status).unwrap()
    );
    assert!(
        shown.contains("applied at") && shown.contains("\"current\":true"),
        "{shown}"
    );
    if let Some(password) = password(settings) {
        assert!(!shown.contains(&password));
    }

    // Without rows nobody is asked.
    let down = migrate::down(settings, steps, false).await.unwrap();
    assert_eq!(down.rolled_back.len(), all);
    assert!(
        migrate::down(settings, 1, false)
            .await
            .unwrap()
            .rolled_back
            .is_empty()
    );
    migrate::up(settings, None).await.unwrap();

    insert().await;
    let refused = [
        migrate::down(settings, steps, false).await,
        migrate::fresh(settings, false).await,
    ];
    for error in refused.map(Result::unwrap_err) {
        assert!(matches!(error, Error::Guard(_)), "{error}");
        assert_eq!(error.exit_code(), 4);
        let text = error.to_string();
        assert!(
            text.starts_with("1 table holds rows") && text.contains("--yes"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(migrate::status(settings).await.unwrap().current);
    assert!(
        migrate::down(settings, 0, false)
            .await
            .unwrap()
            .rolled_back
            .is_empty()
    );

    let fresh = migrate::fresh(settings, true).await.unwrap();
    assert_eq!((fresh.rolled_back.len(), fresh.applied.len()), (all, all));
    // The row is gone, so there is nothing left to ask about.
    let down = migrate::down(settings, steps, false).await.unwrap();
    assert_eq!(down.rolled_back.len(), all);
    assert!(!migrate::status(settings).await.unwrap().current);
}

fn password(settings: &Settings) -> Option<String> {
    let url = settings.metadata_url.expose();
    let user = url.split_once("//")?.1.rsplit_once('@')?.0;
    user.split_once(':')
        .map(|(_, password)| password.to_owned())
}

const COLUMNS: &str = "id, name, engine, location, options, lineage_namespace";

async fn on_server(server: &'static Server, id: &str) {
    let directory = tempfile::tempdir().unwrap();
    let database: Database = server.create_database().unwrap();
    let settings = settings(directory.path(), database.url());
    let insert = format!(
        "INSERT INTO connections ({COLUMNS}) VALUES ({id}, 'canary', 'sqlite', 'x', '{{}}', 'x')"
    );
    there_and_back(&settings, async || {
        database.execute(&insert).unwrap();
    })
    .await;
}

#[tokio::test]
async fn there_and_back_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("meta/tdm.sqlite");
    let settings = settings(directory.path(), &format!("sqlite:{}", path.display()));
    let error = migrate::status(&settings).await.unwrap_err();
    assert!(
        error.to_string().ends_with("run `tdm init`") && !path.exists(),
        "{error}"
    );
    migrate::up(&settings, None).await.unwrap();
    migrate::down(&settings, 100, false).await.unwrap();
    there_and_back(&settings, async || {
        let insert = format!(
            "INSERT INTO connections ({COLUMNS}) VALUES (zeroblob(16), 'canary', 'sqlite', 'x', '{{}}', 'x')"
        );
        tdm_sql::sqlite::execute_script(&path, insert).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn there_and_back_on_postgres() {
    if let Some(server) = require_postgres!() {
        on_server(server, "'00000000-0000-0000-0000-000000000001'").await;
    }
}

#[tokio::test]
async fn there_and_back_on_mysql() {
    if let Some(server) = require_mysql!() {
        on_server(server, "X'00000000000000000000000000000001'").await;
    }
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() {
    let directory = tempfile::tempdir().unwrap();
    if let Some(server) = require_postgres!() {
        let database = server.reserve_database();
        let settings = settings(directory.path(), database.url());
        let error = migrate::up(&settings, None).await.unwrap_err();
        assert!(
            error.to_string().contains("the database does not exist"),
            "{error}"
        );
        assert_eq!(error.exit_code(), 5);
    }
}

#[tokio::test]
async fn a_bad_address_is_refused_and_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path(), "oracle://ann:canary@host/x");
    let error = migrate::status(&settings).await.unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(
        text.contains("DATABASE_URL") && !text.contains("canary"),
        "{text}"
    );
}

#[tokio::test]
async fn entities_and_migrations_agree() {
    let report = migrate::check().await.unwrap();
    assert!(report.agrees() && report.tables == 14, "{report}");
}
