//! What the catalog says of schemas that other readers get wrong.

use tdm_core::catalog::{
    Action, Deferrability, Generation, IndexPart, RelationshipKind, TableKind,
};
use tdm_core::ident::TableRef;
use tdm_core::port::Introspector as _;
use tdm_core::types::LogicalType;

use crate::place::{Place, catalog, open, table};

const SHOP: &str = r#"
CREATE TABLE region (b TEXT, a INTEGER, label TEXT, PRIMARY KEY (a, b));
CREATE TABLE "or""der" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  "sel ect" NVARCHAR(120) COLLATE NOCASE NOT NULL DEFAULT 'it''s',
  price DECIMAL(10,2) CHECK (price >= 0),
  twice INTEGER AS (id * 2) STORED,
  lower_name TEXT GENERATED ALWAYS AS (lower("sel ect")),
  parent INTEGER REFERENCES "or""der" ON DELETE SET NULL,
  ra INTEGER, rb TEXT,
  stamp DATETIME DEFAULT CURRENT_TIMESTAMP,
  anything,
  UNIQUE (ra, rb),
  CONSTRAINT to_region FOREIGN KEY (ra, rb) REFERENCES REGION
    ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX by_name ON "or""der" (lower("sel ect") DESC, price DESC) WHERE price > 1;
CREATE TABLE strict_one (k ANY, v INT NOT NULL, PRIMARY KEY (k)) STRICT, WITHOUT ROWID;
CREATE TABLE lost (x INTEGER REFERENCES gone(y), z INTEGER REFERENCES gone);
CREATE VIEW cheap AS SELECT id FROM "or""der" WHERE price < 1;
CREATE VIEW broken AS SELECT * FROM nowhere;
CREATE TRIGGER noisy AFTER INSERT ON region BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE search USING fts5(body);
"#;

#[tokio::test]
async fn keys_checks_generated_columns_and_references_are_read_as_declared() {
    let place = Place::new();
    let source = place.source(SHOP).await;
    let introspection = source.introspect().await.unwrap();
    let catalog = introspection.catalog;

    let region = table(&catalog, "region");
    assert_eq!(region.primary_key.as_ref().unwrap().columns, ["a", "b"]);
    assert!(
        region.column("a").unwrap().nullable,
        "SQLite lets such keys be NULL"
    );

    let order = table(&catalog, "or\"der");
    let id = order.column("id").unwrap();
    assert_eq!(id.generation, Generation::Identity { always: false });
    assert!(!id.nullable);
    assert_eq!(order.options["autoincrement"], "true");
    let name = order.column("sel ect").unwrap();
    assert_eq!(
        name.logical,
        LogicalType::Text {
            max_length: Some(120)
        }
    );
    assert_eq!(name.collation.as_deref(), Some("NOCASE"));
    assert_eq!(name.default.as_deref(), Some("'it''s'"));
    assert_eq!(
        order.column("twice").unwrap().generation,
        Generation::Computed {
            expression: "id * 2".to_owned(),
            stored: true
        }
    );
    assert_eq!(
        order.column("lower_name").unwrap().generation,
        Generation::Computed {
            expression: "lower(\"sel ect\")".to_owned(),
            stored: false
        }
    );
    assert_eq!(
        order.column("anything").unwrap().logical,
        LogicalType::Other
    );
    assert_eq!(order.checks.len(), 1);
    assert_eq!(order.checks[0].expression, "price >= 0");
    assert_eq!(order.unique.len(), 1);

    let [own, composite] = order.foreign_keys.as_slice() else {
        panic!("two references")
    };
    assert_eq!(own.columns, [("parent".to_owned(), "id".to_owned())]);
    assert_eq!(own.on_delete, Action::SetNull);
    assert_eq!(own.parent, order.table);
    assert_eq!(
        composite.columns,
        [
            ("ra".to_owned(), "a".to_owned()),
            ("rb".to_owned(), "b".to_owned())
        ]
    );
    assert_eq!(composite.parent, TableRef::new("region"));
    assert_eq!(composite.name.as_deref(), Some("to_region"));
    assert_eq!(composite.deferrability, Deferrability::Deferred);
    assert_eq!(composite.on_update, Action::Cascade);
    assert_eq!(composite.kind, RelationshipKind::Declared);

    let [index] = order.indexes.as_slice() else {
        panic!("one index")
    };
    assert!(index.unique);
    assert_eq!(index.predicate.as_deref(), Some("price > 1"));
    assert_eq!(
        index.parts,
        [
            IndexPart::Expression {
                sql: "lower(\"sel ect\")".to_owned()
            },
            IndexPart::Column {
                name: "price".to_owned(),
                descending: true
            },
        ]
    );

    let strict = table(&catalog, "strict_one");
    assert_eq!(strict.options.len(), 2);
    assert!(!strict.column("k").unwrap().nullable);

    let lost = table(&catalog, "lost");
    assert_eq!(
        lost.foreign_keys.len(),
        1,
        "the one whose columns are known"
    );
    assert_eq!(table(&catalog, "search").kind, TableKind::Virtual);
    assert_eq!(table(&catalog, "search_data").kind, TableKind::Shadow);
    assert_eq!(table(&catalog, "cheap").kind, TableKind::View);
    assert_eq!(table(&catalog, "cheap").columns.len(), 1);
    let kinds: Vec<_> = catalog.objects.iter().map(|o| o.kind.as_str()).collect();
    assert_eq!(kinds, ["trigger", "view", "view"]);

    let codes: Vec<_> = introspection
        .diagnostics
        .iter()
        .map(|d| d.code.as_str())
        .collect();
    for code in [
        "introspect.unreadable",
        "introspect.dangling_reference",
        "introspect.virtual_table",
        "introspect.not_carried",
    ] {
        assert!(codes.contains(&code), "{code}");
    }
}

#[tokio::test]
async fn equal_schemas_give_equal_catalogs() {
    let place = Place::new();
    let first = open(&place.database("a.sqlite", SHOP).await).await;
    // The same tables in another order.
    let mut statements: Vec<&str> = SHOP.split_inclusive(";\n").collect();
    statements.swap(0, 3);
    let second = open(&place.database("b.sqlite", &statements.concat()).await).await;
    let (first, second) = (catalog(&first).await, catalog(&second).await);
    assert_eq!(first, second);
    assert_eq!(first.fingerprint(), second.fingerprint());
}

#[tokio::test]
async fn a_large_schema_is_read_in_well_under_a_second() {
    let place = Place::new();
    let mut sql = String::new();
    let mut references = 0;
    for number in 0..371 {
        let mut columns = String::new();
        for parent in [number / 2, number / 3, number / 5]
            .iter()
            .take(if number % 17 == 0 { 3 } else { 2 })
        {
            references += 1;
            columns.push_str(&format!(
                ", p{references} INTEGER REFERENCES t{parent} (id)"
            ));
        }
        sql.push_str(&format!(
            "CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL{columns});
             CREATE INDEX i{number} ON t{number} (name);\n"
        ));
    }
    let source = place.source(&sql).await;
    let started = std::time::Instant::now();
    let catalog = catalog(&source).await;
    let took = started.elapsed();
    assert_eq!(catalog.tables.len(), 371);
    let found: usize = catalog.tables.iter().map(|t| t.foreign_keys.len()).sum();
    assert_eq!(found, references);
    assert!(references >= 762);
    // The bound is for a debug build on a busy machine.
    assert!(took.as_millis() < 2_000, "{took:?}");
}

#[tokio::test]
async fn row_counts_are_exact_while_counting_is_cheap() {
    let place = Place::new();
    let source = place
        .source("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3); CREATE TABLE e (a)")
        .await;
    let catalog = catalog(&source).await;
    assert_eq!(table(&catalog, "t").row_estimate, Some(3));
    assert_eq!(table(&catalog, "e").row_estimate, Some(0));
}
