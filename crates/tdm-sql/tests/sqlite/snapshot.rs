//! One state for the whole job, whatever is written meanwhile.

use futures_util::StreamExt as _;
use tdm_core::batch::BatchLimit;
use tdm_core::port::{Introspector as _, RowFilter, RowSource as _, ScanRequest};
use tdm_core::transform::Form;

use crate::place::{Place, batches, catalog, digest, open, request, table};

#[tokio::test]
async fn a_writer_changes_nothing_that_the_job_sees() {
    let place = Place::new();
    let path = place
        .database(
            "source.sqlite",
            "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO a SELECT i, 'old' FROM n; INSERT INTO b SELECT id FROM a",
        )
        .await;
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .unwrap();

    let before = open(&path).await;
    let schema = catalog(&before).await;
    let scan = |name: &str| request(&table(&schema, name), Form::Carried, RowFilter::All);
    let expected_a = digest(&batches(&before, scan("a")).await.unwrap());
    let expected_b = digest(&batches(&before, scan("b")).await.unwrap());
    drop(before);

    let source = open(&path).await;
    let small = ScanRequest {
        limit: BatchLimit {
            rows_max: 100,
            bytes_max: 1 << 20,
        },
        ..scan("a")
    };
    let mut stream = source.scan(small).await.unwrap();
    let mut seen = vec![stream.next().await.unwrap().unwrap()];
    writer
        .execute_batch(
            "UPDATE a SET v = 'new'; DELETE FROM a WHERE id > 1000; INSERT INTO a VALUES (9999, 'x');
             DELETE FROM b; ALTER TABLE b ADD COLUMN more TEXT; CREATE TABLE c (x)",
        )
        .unwrap();
    while let Some(batch) = stream.next().await {
        seen.push(batch.unwrap());
    }
    assert_eq!(digest(&seen), expected_a);
    // Scans and schema read after the change are of the same state.
    assert_eq!(
        digest(&batches(&source, scan("b")).await.unwrap()),
        expected_b
    );
    assert_eq!(source.introspect().await.unwrap().catalog, schema);

    let after = open(&path).await;
    let changed = batches(&after, scan("a")).await.unwrap();
    assert_ne!(digest(&changed), expected_a);
}

#[tokio::test]
async fn the_source_file_is_not_touched() {
    let place = Place::new();
    let path = place
        .database(
            "source.sqlite",
            "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        )
        .await;
    let bytes = std::fs::read(&path).unwrap();
    let source = open(&path).await;
    let wanted = request(
        &table(&catalog(&source).await, "t"),
        Form::Carried,
        RowFilter::All,
    );
    batches(&source, wanted).await.unwrap();
    drop(source);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(place.files(), ["source.sqlite"]);
}

#[tokio::test]
async fn two_roads_to_one_file_have_one_identity() {
    let place = Place::new();
    let path = place.database("source.sqlite", "CREATE TABLE t (a)").await;
    let other = place.database("other.sqlite", "CREATE TABLE t (a)").await;
    let link = place.path("link.sqlite");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let identity = async |path| open(path).await.identity().await.unwrap();
    assert_eq!(identity(&path).await, identity(&link).await);
    assert_ne!(identity(&path).await, identity(&other).await);
}
