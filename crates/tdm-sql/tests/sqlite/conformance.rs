//! The suites that every source and every target must pass.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use tdm_core::port::{Introspector as _, TargetDatabase};
use tdm_core::types::Engine;
use tdm_sql::sqlite::SqliteTarget;
use tdm_testkit::conformance::source::{Change, SourceUnderTest};
use tdm_testkit::conformance::{source, target};
use tdm_testkit::fixture::Fixture;

use crate::place::{Place, open};

#[tokio::test]
async fn the_source_conforms() {
    let places = Mutex::new(Vec::new());
    source::all(async |fixture: Fixture| {
        let place = Place::new();
        let sql = fixture.statements(Engine::Sqlite).join(";\n");
        let path = place.database("source.sqlite", &sql).await;
        let writer = rusqlite::Connection::open(&path).unwrap();
        let mode = writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        assert_eq!(mode, Ok("wal".to_owned()));
        places.lock().unwrap().push(place);
        let source = open(&path).await;
        let catalog = source.introspect().await.unwrap().catalog;
        let change: Change = Box::new(move || {
            let writer = rusqlite::Connection::open(&path).unwrap();
            writer
                .execute("INSERT INTO visit SELECT * FROM visit LIMIT 1", [])
                .unwrap();
            async {}.boxed()
        });
        SourceUnderTest {
            source: Arc::new(source),
            catalog,
            change: Some(change),
            fixture,
        }
    })
    .await;
}

#[tokio::test]
async fn the_target_conforms() {
    let places = Mutex::new(Vec::new());
    let make = async || {
        let place = Place::new();
        let target = SqliteTarget::open(place.path("target.sqlite")).unwrap();
        places.lock().unwrap().push(place);
        Arc::new(target) as Arc<dyn TargetDatabase>
    };
    target::all(make).await;
}
