//! A database that nobody here wrote, copied whole.

use tdm_core::port::{Namespace, RowSource as _};
use tdm_sql::sqlite::SqliteTarget;

use crate::place::{Place, catalog, copied, open, query};

#[tokio::test]
async fn chinook_is_copied_whole() {
    let Some(samples) = std::env::var_os("TDM_SAMPLES") else {
        eprintln!("SKIPPED chinook_is_copied_whole: TDM_SAMPLES is not set");
        return;
    };
    let path = std::path::Path::new(&samples).join("chinook/chinook.sqlite");
    let source = open(&path).await;
    let before = catalog(&source).await;
    assert_eq!(before.tables.len(), 11);
    let references: usize = before.tables.iter().map(|t| t.foreign_keys.len()).sum();
    assert_eq!(references, 11);
    assert!(source.capability().snapshot);

    let place = Place::new();
    let target = SqliteTarget::open(place.path("copy.sqlite")).unwrap();
    copied(&source, &target, Namespace::Main).await;
    let copy = place.path("copy.sqlite");
    assert_eq!(catalog(&open(&copy).await).await, before);
    for table in &before.tables {
        let name = &table.table.name;
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|c| format!("\"{}\"", c.name))
            .collect();
        let sql = format!(
            "SELECT {} FROM \"{name}\" ORDER BY rowid",
            columns.join(", ")
        );
        assert_eq!(query(&path, &sql), query(&copy, &sql), "{name}");
    }
    assert!(query(&copy, "PRAGMA foreign_key_check").is_empty());
}
