//! Dataset versions are files of their own beside the target.

use tdm_core::error::PortError;
use tdm_core::port::{Namespace, NamespaceState, RowFilter, TargetDatabase as _};
use tdm_core::transform::Form;
use tdm_core::types::Engine;
use tdm_sql::sqlite::SqliteTarget;
use tdm_sql::{DatabaseUrl, open_source, open_target};

use crate::place::{Place, batches, catalog, copied, digest, request, table};

fn version(dataset: &str, version: u32) -> Namespace {
    Namespace::Dataset {
        dataset: dataset.to_owned(),
        version,
    }
}

#[tokio::test]
async fn versions_live_side_by_side_and_go_one_by_one() {
    let place = Place::new();
    let source = place
        .source("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2)")
        .await;
    let target = SqliteTarget::open(place.path("deep/er/t.sqlite")).unwrap();
    for number in [1, 2] {
        copied(&source, &target, version("shop", number)).await;
    }
    let file = target.file(&version("shop", 2)).unwrap();
    assert!(file.ends_with("deep/er/t.sqlite.d/shop/v2.sqlite"));
    assert!(file.is_file());
    assert_eq!(
        target.state(&version("shop", 1)).await.unwrap(),
        NamespaceState::Ours
    );
    assert_eq!(
        target.state(&version("shop", 3)).await.unwrap(),
        NamespaceState::Empty
    );
    assert_eq!(
        target.state(&Namespace::Main).await.unwrap(),
        NamespaceState::Empty
    );

    let wanted = request(
        &table(&catalog(&source).await, "t"),
        Form::Carried,
        RowFilter::All,
    );
    let expected = digest(&batches(&source, wanted.clone()).await.unwrap());
    let published = target.read(&version("shop", 1)).await.unwrap();
    assert_eq!(
        digest(&batches(published.as_ref(), wanted).await.unwrap()),
        expected
    );
    drop(published);
    let missing = target.read(&version("shop", 9)).await;
    assert!(matches!(missing, Err(PortError::NotFound { .. })));

    target.remove(&version("shop", 1)).await.unwrap();
    target.remove(&version("shop", 1)).await.unwrap();
    assert!(file.is_file());
    target.remove(&version("shop", 2)).await.unwrap();
    assert!(!place.path("deep/er/t.sqlite.d").exists());
}

#[tokio::test]
async fn a_dataset_cannot_climb_out_of_its_directory() {
    let place = Place::new();
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let long = "x".repeat(201);
    for name in ["", "../x", "a/b", "a\\b", "a\0b", "x\n", &long] {
        let error = target.state(&version(name, 1)).await.unwrap_err();
        assert!(matches!(error, PortError::Invalid { .. }), "{name:?}");
    }
    let directory = place.path("t.sqlite.d");
    for name in [
        ".",
        "..",
        ".hidden",
        "a:b",
        "%2E",
        "Kunden – klein 2",
        "\"q'",
    ] {
        let file = target.file(&version(name, 1)).unwrap();
        assert_eq!(
            file.parent().unwrap().parent(),
            Some(directory.as_path()),
            "{name}"
        );
        assert!(!file.parent().unwrap().ends_with(".."), "{name}");
    }
    let file = |name| target.file(&version(name, 1)).unwrap();
    assert_ne!(file("."), file("%2E"));
}

#[tokio::test]
async fn leftovers_of_dead_jobs_go_and_those_of_live_ones_stay() {
    let place = Place::new();
    let source = place.source("CREATE TABLE t (v)").await;
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let live = crate::place::staged(&source, &target, version("shop", 1)).await;
    let directory = place.path("t.sqlite.d/shop");
    let dead = [
        directory.join(".v2.sqlite.tdm-staging-00000000-0000-0000-0000-000000000001-1-1"),
        place.path(".t.sqlite.tdm-staging-00000000-0000-0000-0000-000000000001-1-1"),
    ];
    for path in &dead {
        std::fs::write(path, "half a database").unwrap();
        std::fs::write(format!("{}.lock", path.display()), "").unwrap();
    }
    assert_eq!(target.remove_leftovers().await.unwrap(), 2);
    assert_eq!(target.remove_leftovers().await.unwrap(), 0);
    assert!(dead.iter().all(|path| !path.exists()));
    live.publish().await.unwrap();
    assert_eq!(
        target.state(&version("shop", 1)).await.unwrap(),
        NamespaceState::Ours
    );
}

#[tokio::test]
async fn urls_open_what_they_name_and_refuse_what_is_not_there_yet() {
    let place = Place::new();
    let path = place.database("s.sqlite", "CREATE TABLE t (v)").await;
    let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
    let source = open_source(&url).await.unwrap();
    assert_eq!(source.introspect().await.unwrap().catalog.tables.len(), 1);
    let target = open_target(&url).await.unwrap();
    assert_eq!(target.engine(), Engine::Sqlite);
    assert_eq!(
        source.identity().await.unwrap(),
        target.identity().await.unwrap()
    );
    let server = DatabaseUrl::parse("postgres://ann:s3cr3t@localhost/shop").unwrap();
    let error = open_source(&server).await.map(|_| ()).unwrap_err();
    assert!(matches!(
        error,
        PortError::Unsupported {
            engine: Engine::Postgres,
            ..
        }
    ));
    assert!(!error.to_string().contains("s3cr3t"));
    assert!(open_target(&server).await.is_err());
}
