//! Any schema that SQLite takes is copied, from its text and declared anew alike.

use proptest::prelude::*;
use proptest::sample::select;
use tdm_core::catalog::Catalog;
use tdm_core::port::{Namespace, TargetDatabase as _};
use tdm_sql::sqlite::SqliteTarget;

use crate::place::{Place, catalog, load_order, open, stage_request};

/// A table with its columns, written out as SQL.
fn table(number: usize) -> impl Strategy<Value = String> {
    let names = select(vec![
        "plain",
        "sel ect",
        "quo\"te",
        "ünï",
        "a.b",
        "new\nline",
        "order",
        "x'y",
        "[br]",
        "rowid",
    ]);
    let types = select(vec![
        "INTEGER",
        "INT",
        "TEXT",
        "VARCHAR(20)",
        "DECIMAL(10, 2)",
        "BLOB",
        "REAL",
        "",
        "DATETIME",
        "JSON",
        "unsigned big int",
        "NUMERIC(5)",
        "BOOLEAN",
    ]);
    let extras = select(vec![
        "",
        " NOT NULL",
        " DEFAULT 7",
        " DEFAULT 'it''s -- '",
        " DEFAULT (1 + (2))",
        " COLLATE NOCASE",
        " UNIQUE",
        " CHECK (1 /* ) */ > 0)",
        " NOT NULL DEFAULT CURRENT_TIMESTAMP",
        " CONSTRAINT \"c k\" CHECK (2 > 1)",
        " DEFAULT -1.5",
    ]);
    let column = (names, types, extras);
    let ends = select(vec![
        "",
        ", PRIMARY KEY (\"id\")",
        ", PRIMARY KEY (\"id\" DESC)",
        ", UNIQUE (\"id\", \"up\")",
        ", CONSTRAINT u UNIQUE (\"up\"), CHECK (\"id\" IS NOT 9)",
        ", FOREIGN KEY (\"up\") REFERENCES \"t0\" (\"id\") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
    ]);
    let id = select(vec![
        "INTEGER PRIMARY KEY",
        "INTEGER PRIMARY KEY AUTOINCREMENT",
        "INTEGER",
        "TEXT",
    ]);
    let indexes = select(vec![
        "",
        "(\"up\")",
        "(\"up\" DESC, \"id\")",
        "(abs(\"up\"))",
        "(\"up\") WHERE \"up\" > 3",
    ]);
    let tail = select(vec!["", " WITHOUT ROWID"]);
    (
        prop::collection::vec(column, 0..5),
        id,
        ends,
        indexes,
        tail,
        any::<bool>(),
    )
        .prop_map(move |(columns, id, end, index, tail, generated)| {
            let has_key = id.contains("PRIMARY") || end.contains("PRIMARY");
            let end = if id.contains("PRIMARY") && end.contains("PRIMARY") {
                ""
            } else {
                end
            };
            let tail = if has_key && !id.contains("AUTOINCREMENT") {
                tail
            } else {
                ""
            };
            let mut sql = format!("CREATE TABLE \"t{number}\" (\"id\" {id}, \"up\" INTEGER");
            for (at, (name, kind, extra)) in columns.iter().enumerate() {
                let name = format!("{name}{at}").replace('"', "\"\"");
                sql.push_str(&format!(", \"{name}\" {kind}{extra}"));
            }
            if generated {
                sql.push_str(", \"gen\" TEXT AS (\"up\" || ')') STORED");
            }
            sql.push_str(&format!("{end}){tail};\n"));
            if !index.is_empty() {
                sql.push_str(&format!(
                    "CREATE INDEX \"i{number}\" ON \"t{number}\" {index};\n"
                ));
            }
            sql
        })
}

/// What must be equal when the text is not reused.
fn without_texts(mut catalog: Catalog) -> Catalog {
    for table in &mut catalog.tables {
        table.definition = None;
        table
            .indexes
            .iter_mut()
            .for_each(|index| index.definition = None);
    }
    catalog
}

async fn copy(sql: &str, reuse: bool) -> (Catalog, Catalog) {
    let place = Place::new();
    let source = catalog(&place.source(sql).await).await;
    let given = if reuse {
        source.clone()
    } else {
        without_texts(source.clone())
    };
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let request = stage_request(Namespace::Main, load_order(&given));
    let mut staging = target.stage(request).await.unwrap();
    staging.complete().await.unwrap();
    staging.publish().await.unwrap();
    let copy = catalog(&open(&place.path("t.sqlite")).await).await;
    (source, copy)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn schemas_survive(tables in (table(0), table(1), table(2))) {
        let sql = [tables.0, tables.1, tables.2].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (source, reused) = runtime.block_on(copy(&sql, true));
        prop_assert_eq!(&source, &reused);
        let (source, declared) = runtime.block_on(copy(&sql, false));
        prop_assert_eq!(without_texts(source), without_texts(declared));
    }
}
