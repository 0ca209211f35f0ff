//! All or nothing: what readers of the published file see, before, during and after.

use futures_util::StreamExt as _;
use rusqlite::Connection;
use rusqlite::types::Value;
use tdm_core::error::PortError;
use tdm_core::port::{Namespace, NamespaceState, RowFilter, TargetDatabase as _};
use tdm_core::transform::Form;
use tdm_sql::sqlite::{APPLICATION_ID, SqliteTarget, TargetOptions};

use crate::place::{Place, catalog, copied, query, request, staged, table};

const NEW: &str = "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('new')";
const OLD: &str = "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('old')";

fn text(value: &str) -> Vec<Vec<Value>> {
    vec![vec![Value::Text(value.to_owned())]]
}

#[tokio::test]
async fn the_published_file_is_old_until_it_is_new() {
    let place = Place::new();
    let source = place.source(NEW).await;
    let path = place.database("t.sqlite", OLD).await;
    let target = SqliteTarget::open(&path).unwrap();
    let staging = staged(&source, &target, Namespace::Main).await;
    assert_eq!(query(&path, "SELECT v FROM t"), text("old"));
    let publication = staging.publish().await.unwrap();
    assert_eq!(publication.location, path.display().to_string());
    assert_eq!(query(&path, "SELECT v FROM t"), text("new"));
    let id = query(&path, "PRAGMA application_id");
    assert_eq!(id, [[Value::Integer(APPLICATION_ID.into())]]);
    assert_eq!(place.files(), ["source.sqlite", "t.sqlite"]);
    let owner = query(
        &path,
        "SELECT stat FROM sqlite_stat1 WHERE tbl = 'tdm:owner'",
    );
    assert!(matches!(&owner[0][0], Value::Text(mark) if mark.ends_with(" shop@1")));
}

#[tokio::test]
async fn a_stream_that_publication_cuts_ends_with_an_error() {
    let place = Place::new();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
    let sql = format!("CREATE TABLE t (v); {fill} INSERT INTO t SELECT i FROM n");
    let source = place.source(&sql).await;
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let mut staging = staged(&source, &target, Namespace::Main).await;
    let table = table(&catalog(&source).await, "t");
    let mut wanted = request(&table, Form::Carried, RowFilter::All);
    wanted.limit.rows_max = 10;
    let mut stream = staging.read().await.unwrap().scan(wanted).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    staging.publish().await.unwrap();
    let rest: Vec<_> = stream.collect().await;
    assert!(rest.len() < 499);
    assert!(matches!(
        rest.last().unwrap(),
        Err(PortError::Unavailable { .. })
    ));
}

#[tokio::test]
async fn discarded_and_dropped_stagings_leave_the_old_data_and_no_files() {
    let place = Place::new();
    let source = place.source(NEW).await;
    let path = place.database("t.sqlite", OLD).await;
    let target = SqliteTarget::open(&path).unwrap();
    staged(&source, &target, Namespace::Main)
        .await
        .discard()
        .await
        .unwrap();
    assert_eq!(place.files(), ["source.sqlite", "t.sqlite"]);
    drop(staged(&source, &target, Namespace::Main).await);
    // The thread that owns the file removes it once it is told.
    for _ in 0..500 {
        if place.files().len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(place.files(), ["source.sqlite", "t.sqlite"]);
    assert_eq!(query(&path, "SELECT v FROM t"), text("old"));
}

#[tokio::test]
async fn the_log_of_the_old_file_is_not_applied_to_the_new_one() {
    let place = Place::new();
    let source = place.source(NEW).await;
    let path = place.path("t.sqlite");
    // A database in WAL mode whose last process died: the log holds what the file does not.
    let live = place.database("live.sqlite", OLD).await;
    let writer = Connection::open(&live).unwrap();
    writer
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .unwrap();
    writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    writer
        .execute("INSERT INTO t VALUES ('in the log')", [])
        .unwrap();
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", live.display());
        std::fs::copy(from, format!("{}{suffix}", path.display())).unwrap();
    }
    drop(writer);
    let target = SqliteTarget::open(&path).unwrap();
    copied(&source, &target, Namespace::Main).await;
    assert_eq!(query(&path, "SELECT v FROM t"), text("new"));
    assert!(!place.files().contains(&"t.sqlite-wal".to_owned()));
}

#[tokio::test]
async fn a_reader_of_the_old_file_delays_publication_and_is_named_as_the_cause() {
    let place = Place::new();
    let source = place.source(NEW).await;
    let path = place.database("t.sqlite", OLD).await;
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
    let target = SqliteTarget::open(&path).unwrap();
    let hasty = target.clone().with_options(TargetOptions {
        lock_wait: std::time::Duration::from_millis(50),
    });
    let staging = staged(&source, &hasty, Namespace::Main).await;
    let error = staging.publish().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(matches!(
        error,
        PortError::Backend {
            operation: "lock",
            ..
        }
    ));
    drop(reader);
    assert_eq!(query(&path, "SELECT v FROM t"), text("old"));
    assert_eq!(place.files(), ["source.sqlite", "t.sqlite"]);

    // A reader that ends in time only delays.
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
    let ending = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(reader);
    });
    copied(&source, &target, Namespace::Main).await;
    ending.join().unwrap();
    assert_eq!(query(&path, "SELECT v FROM t"), text("new"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let source = place.source(NEW).await;
    let path = place.database("t.sqlite", OLD).await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let link = place.path("link.sqlite");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let target = SqliteTarget::open(&link).unwrap();
    copied(&source, &target, Namespace::Main).await;
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(query(&path, "SELECT v FROM t"), text("new"));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn the_state_of_a_file_is_told_by_its_mark() {
    let place = Place::new();
    let source = place.source(NEW).await;
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let state = async || target.state(&Namespace::Main).await.unwrap();
    assert_eq!(state().await, NamespaceState::Empty);
    place
        .database("t.sqlite", "CREATE TABLE x (a); DROP TABLE x")
        .await;
    assert_eq!(state().await, NamespaceState::Empty);
    place
        .database("t.sqlite", "CREATE TABLE x (a); CREATE VIEW v AS SELECT 1")
        .await;
    assert_eq!(state().await, NamespaceState::Foreign { tables: 2 });
    let error = target.remove(&Namespace::Main).await.unwrap_err();
    assert!(matches!(error, PortError::Conflict { .. }));
    copied(&source, &target, Namespace::Main).await;
    assert_eq!(state().await, NamespaceState::Ours);
    target.remove(&Namespace::Main).await.unwrap();
    assert_eq!(state().await, NamespaceState::Empty);
    assert_eq!(place.files(), ["source.sqlite"]);
}

#[tokio::test]
async fn a_place_that_cannot_be_replaced_is_refused_before_anything_is_loaded() {
    let place = Place::new();
    let path = place.path("notes.txt");
    std::fs::write(
        &path,
        "no database, but long enough to be taken for one. ".repeat(40),
    )
    .unwrap();
    let target = SqliteTarget::open(&path).unwrap();
    let request = crate::place::stage_request(Namespace::Main, Vec::new());
    let error = target.stage(request).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, PortError::Invalid { .. }), "{error}");
    assert_eq!(place.files(), ["notes.txt"]);
    assert!(SqliteTarget::open(path.parent().unwrap()).is_err());
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_the_old_data() {
    // `max_page_count` stands in for the disk: SQLite reports both alike.
    let place = Place::new();
    let path = place.database("t.sqlite", OLD).await;
    let error = tdm_sql::sqlite::execute_script(
        &path,
        "PRAGMA max_page_count = 3; CREATE TABLE big (b); INSERT INTO big VALUES (zeroblob(1000000))",
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(query(&path, "SELECT v FROM t"), text("old"));
}
