//! Rows in: what is written is what is read back, and what is refused is named.

use std::sync::Arc;

use tdm_core::arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Encoding, Sensitive, WireForm};
use tdm_core::catalog::{
    Column, ForeignKey, Generation, Index, IndexPart, Key, MatchType, TableSchema,
};
use tdm_core::error::{ErrorClass, PortError};
use tdm_core::ident::TableRef;
use tdm_core::port::{Namespace, RowFilter, Staging, TargetDatabase as _};
use tdm_core::transform::Form;
use tdm_core::types::{Engine, LogicalType};
use tdm_sql::sqlite::SqliteTarget;

use crate::place::{
    Place, batches, catalog, cleared, copied, digest, open, query, request, stage_request, table,
};

const WIRE: Encoding = Encoding::Carried(WireForm::Sqlite);

const TORTURE: &str = r#"
CREATE TABLE parent (a INTEGER, b TEXT COLLATE NOCASE, note, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE "ta""ble" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  "wei rd" VARCHAR(10) NOT NULL DEFAULT (upper('x')),
  i INTEGER, r REAL, n DECIMAL(10,2), t TEXT, b BLOB, x,
  twice INTEGER AS (id * 2) STORED, shout TEXT AS (upper(t)),
  pa INTEGER, pb TEXT, up INTEGER REFERENCES "ta""ble",
  CONSTRAINT positive CHECK (id > 0),
  UNIQUE (r, n),
  FOREIGN KEY (pb, pa) REFERENCES parent ON DELETE CASCADE
);
CREATE TABLE strict_one (k TEXT PRIMARY KEY, v ANY, w REAL) STRICT;
CREATE TABLE loose (a TEXT DEFAULT "dou""ble" CHECK (a <> "never"), b TEXT AS (a || "!"));
CREATE TABLE dates (d DATE, ts DATETIME, j JSON, u UUID);
CREATE INDEX partial_one ON "ta""ble" (lower(t) DESC, x) WHERE i > 0;
CREATE UNIQUE INDEX plain ON "ta""ble" (t, i);
CREATE VIEW both AS SELECT t.id, p.note FROM "ta""ble" AS t JOIN parent AS p ON p.a = t.pa;
INSERT INTO parent VALUES (1, 'one', 1.5), (2, 'ONE', x'00'), (1, 'two', NULL);
INSERT INTO "ta""ble" (id, "wei rd", i, r, n, t, b, x, pa, pb, up) VALUES
  (1, 'plain', 1, 1, '12.50', 'text', x'00ff', 1, 1, 'one', NULL),
  (2, '', 'not a number', 'text', 'n/a', 5, 'text in a blob', 1.5, 2, 'one', 1),
  (5, 'line' || char(10) || char(9) || '\', 9223372036854775807, -0.0, 1e300, 'nul' || char(0) || 'nul', NULL, x'', NULL, 'one', 5),
  (6, '𝄞 é', -9223372036854775808, 9e999, 0.1, CAST(x'c328' AS TEXT), zeroblob(3000), '', NULL, NULL, 2);
DELETE FROM "ta""ble" WHERE id = 7;
INSERT INTO strict_one VALUES ('a', 1, 2), ('b', '2', 0.5), ('c', x'03', NULL), ('d', 4.0, 1e10);
INSERT INTO loose DEFAULT VALUES;
INSERT INTO dates VALUES ('2024-02-29', '2024-02-29 23:59:60', '{"a": 1}', '00000000-0000-0000-0000-000000000001'), (20240229, 0, 7, NULL);
"#;

#[tokio::test]
async fn a_copy_has_the_same_schema_and_the_same_bytes() {
    let place = Place::new();
    let source = place.source(TORTURE).await;
    let target = SqliteTarget::open(place.path("target.sqlite")).unwrap();
    copied(&source, &target, Namespace::Main).await;

    let copy = open(&place.path("target.sqlite")).await;
    let (mut before, after) = (catalog(&source).await, catalog(&copy).await);
    before.objects.retain(|o| o.kind != "trigger");
    assert_eq!(before, after);
    let [from, to] = ["source.sqlite", "target.sqlite"].map(|name| place.path(name));
    for sql in [
        "SELECT id, typeof(t), hex(t), typeof(x), hex(x), quote(r), quote(n), quote(i), hex(\"wei rd\"),
           typeof(b), hex(b), hex(shout), twice, pa, pb, up FROM \"ta\"\"ble\" ORDER BY id"
            .to_owned(),
        "SELECT * FROM strict_one ORDER BY k".to_owned(),
        "SELECT * FROM dates ORDER BY rowid".to_owned(),
        "SELECT * FROM loose".to_owned(),
        "SELECT * FROM parent ORDER BY b, a".to_owned(),
        "SELECT * FROM both ORDER BY id".to_owned(),
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name".to_owned(),
        "SELECT * FROM sqlite_sequence".to_owned(),
    ] {
        assert_eq!(query(&from, &sql), query(&to, &sql), "{sql}");
    }
    assert!(
        query(&to, "PRAGMA integrity_check")[0][0] == rusqlite::types::Value::Text("ok".to_owned())
    );
}

fn column(name: &str, native: &str, logical: LogicalType) -> Column {
    Column::new(name, 1, native, logical)
}

fn schema(table: &TableRef, columns: &[(&Column, Encoding)]) -> Arc<BatchSchema> {
    Arc::new(BatchSchema {
        table: table.clone(),
        columns: columns
            .iter()
            .map(|(c, e)| BatchColumn::of(c, *e))
            .collect(),
    })
}

async fn staging(
    target: &SqliteTarget,
    tables: Vec<TableSchema>,
    engine: Engine,
) -> Box<dyn Staging> {
    let mut request = stage_request(Namespace::Main, tables);
    request.source_engine = engine;
    target.stage(request).await.unwrap()
}

/// Every encoding into every affinity: the receipt is what a re-read gives.
#[tokio::test]
async fn receipts_equal_a_re_read_for_every_encoding_and_every_declared_type() {
    let place = Place::new();
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let arrays: Vec<(Encoding, ArrayRef)> = vec![
        (
            Encoding::Int64,
            Arc::new(Int64Array::from(vec![
                Some(0),
                None,
                Some(i64::MAX),
                Some(-7),
            ])),
        ),
        (
            Encoding::Float64,
            Arc::new(Float64Array::from(vec![
                Some(-0.0),
                Some(7.0),
                Some(0.1),
                Some(1e300),
            ])),
        ),
        (
            Encoding::Boolean,
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(false),
                None,
                Some(true),
            ])),
        ),
        (
            Encoding::Text,
            Arc::new(StringArray::from(vec![
                Some("12.50"),
                Some(" 7 "),
                Some("1e3"),
                Some("x"),
            ])),
        ),
        (
            Encoding::Bytes,
            Arc::new(BinaryArray::from(vec![
                Some(b"12".as_slice()),
                None,
                Some(b""),
                Some(b"\0"),
            ])),
        ),
        (
            Encoding::Date32,
            Arc::new(Date32Array::from(vec![
                Some(0),
                Some(-1),
                None,
                Some(20_000),
            ])),
        ),
        (
            Encoding::Time64,
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(0),
                Some(1),
                None,
                Some(86_399_000_000),
            ])),
        ),
        (
            Encoding::Timestamp,
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(0),
                Some(-1),
                None,
                Some(1),
            ])),
        ),
        (
            WIRE,
            Arc::new(BinaryArray::from(vec![
                Some(b"t12".as_slice()),
                Some(b"i\0\0\0\0\0\0\0\x05"),
                None,
                Some(b"r\x40\x1c\0\0\0\0\0\0"),
            ])),
        ),
    ];
    let natives = [
        "INTEGER", "REAL", "TEXT", "BLOB", "NUMERIC", "", "DATE", "BOOLEAN",
    ];
    let mut tables = Vec::new();
    for (at, (_, _)) in arrays.iter().enumerate() {
        let mut table = TableSchema::new(TableRef::new(format!("t{at}")));
        table.columns = natives
            .iter()
            .enumerate()
            .map(|(n, native)| {
                Column::new(
                    format!("c{n}"),
                    1,
                    *native,
                    LogicalType::Timestamp { zoned: true },
                )
            })
            .collect();
        tables.push(table);
    }
    let mut staging = staging(&target, tables.clone(), Engine::Sqlite).await;
    let mut receipts = Vec::new();
    for (table, (encoding, array)) in tables.iter().zip(&arrays) {
        let columns: Vec<_> = table.columns.iter().map(|c| (c, *encoding)).collect();
        let shape = schema(&table.table, &columns);
        let mut writer = staging.open(&table.table, &shape).await.unwrap();
        let batch =
            Batch::<Sensitive>::read(shape, vec![Arc::clone(array); natives.len()], 4, 0).unwrap();
        writer.write(cleared(&batch)).await.unwrap();
        receipts.push(writer.finish().await.unwrap());
    }
    staging.complete().await.unwrap();
    let staged = staging.read().await.unwrap();
    for (table, receipt) in tables.into_iter().zip(receipts) {
        let wanted = request(&Arc::new(table.clone()), Form::Carried, RowFilter::All);
        let back = batches(staged.as_ref(), wanted).await.unwrap();
        assert_eq!(digest(&back), receipt.digest, "{}", table.table);
    }
}

#[tokio::test]
async fn a_refused_row_is_named_by_column_and_constraint_and_never_shown() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE ON CONFLICT REPLACE, n TEXT NOT NULL,
               c TEXT CONSTRAINT short CHECK (length(c) < 3));
             CREATE TABLE s (k INTEGER PRIMARY KEY, v INT) STRICT;",
        )
        .await;
    let catalog = catalog(&source).await;
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let mut staging = staging(&target, catalog.tables.clone(), Engine::Sqlite).await;
    let (t, s) = (table(&catalog, "t"), table(&catalog, "s"));
    let text = |v: Vec<Option<&str>>| Arc::new(StringArray::from(v)) as ArrayRef;
    let int = |v: Vec<Option<i64>>| Arc::new(Int64Array::from(v)) as ArrayRef;
    let shape = |of: &Arc<TableSchema>, ints: usize| {
        let columns: Vec<_> = of
            .columns
            .iter()
            .enumerate()
            .map(|(at, c)| {
                (
                    c,
                    if at < ints {
                        Encoding::Int64
                    } else {
                        Encoding::Text
                    },
                )
            })
            .collect();
        schema(&of.table, &columns)
    };
    // Table, how many columns are integers, cells, and what the refusal names.
    type Case<'a> = (&'a Arc<TableSchema>, usize, Vec<ArrayRef>, &'a str, &'a str);
    let cases: Vec<Case<'_>> = vec![
        (
            &t,
            1,
            vec![
                int(vec![Some(1), Some(2)]),
                text(vec![Some("canary"), Some("canary")]),
                text(vec![Some("a"), Some("b")]),
                text(vec![None, None]),
            ],
            "t.u",
            "unique",
        ),
        (
            &t,
            1,
            vec![
                int(vec![Some(1), Some(1)]),
                text(vec![None, None]),
                text(vec![Some("a"), Some("b")]),
                text(vec![None, None]),
            ],
            "t.id",
            "primary key",
        ),
        (
            &t,
            1,
            vec![
                int(vec![Some(1)]),
                text(vec![None]),
                text(vec![None]),
                text(vec![None]),
            ],
            "t.n",
            "not null",
        ),
        (
            &t,
            1,
            vec![
                int(vec![Some(1)]),
                text(vec![None]),
                text(vec![Some("a")]),
                text(vec![Some("canary")]),
            ],
            "t check short",
            "check",
        ),
        (
            &t,
            1,
            vec![
                int(vec![None]),
                text(vec![None]),
                text(vec![Some("a")]),
                text(vec![None]),
            ],
            "t.id",
            "not null",
        ),
        (
            &s,
            1,
            vec![int(vec![Some(1)]), text(vec![Some("canary")])],
            "s.v",
            "type",
        ),
        (
            &s,
            0,
            vec![text(vec![Some("canary")]), text(vec![Some("1")])],
            "s",
            "type",
        ),
    ];
    for (of, ints, arrays, object, code) in cases {
        let shape = shape(of, ints);
        let mut writer = staging.open(&of.table, &shape).await.unwrap();
        let rows = arrays[0].len();
        let batch = Batch::<Sensitive>::read(shape, arrays, rows, 0).unwrap();
        writer.write(cleared(&batch)).await.unwrap();
        // The batch is inserted while the caller makes the next one.
        let error = writer.finish().await.unwrap_err();
        assert_eq!(
            error,
            PortError::RowRefused {
                object: object.to_owned(),
                code: code.to_owned()
            }
        );
        assert_eq!(error.class(), ErrorClass::Data);
    }
    let number = column("v", "INT", LogicalType::Float { bits: 64 });
    let shape = schema(&s.table, &[(&number, Encoding::Float64)]);
    let mut writer = staging.open(&s.table, &shape).await.unwrap();
    let nan: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN]));
    let batch = Batch::<Sensitive>::read(shape, vec![nan], 1, 0).unwrap();
    writer.write(cleared(&batch)).await.unwrap();
    let error = writer.write(cleared(&batch)).await.unwrap_err();
    assert!(matches!(error, PortError::RowRefused { ref code, .. } if code == "not a number"));
    // A unit with a failed write cannot end well.
    let error = writer.finish().await.unwrap_err();
    assert!(matches!(error, PortError::Conflict { .. }));
    staging.complete().await.unwrap();
    let staged = staging.read().await.unwrap();
    let back = batches(staged.as_ref(), request(&t, Form::Carried, RowFilter::All))
        .await
        .unwrap();
    assert!(back.is_empty(), "nothing of a failed unit stays");
}

#[tokio::test]
async fn aborted_and_dropped_writers_leave_nothing_and_one_writes_at_a_time() {
    let place = Place::new();
    let source = place.source("CREATE TABLE t (a INTEGER)").await;
    let of = table(&catalog(&source).await, "t");
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let mut staging = staging(&target, vec![(*of).clone()], Engine::Sqlite).await;
    let shape = schema(&of.table, &[(&of.columns[0], Encoding::Int64)]);
    let batch = Batch::<Sensitive>::read(
        Arc::clone(&shape),
        vec![Arc::new(Int64Array::from(vec![1, 2, 3]))],
        3,
        0,
    )
    .unwrap();
    for abort in [true, false] {
        let mut writer = staging.open(&of.table, &shape).await.unwrap();
        writer.write(cleared(&batch)).await.unwrap();
        assert!(matches!(
            staging.open(&of.table, &shape).await.err(),
            Some(PortError::Conflict { .. })
        ));
        if abort {
            writer.abort().await.unwrap();
        } else {
            drop(writer);
        }
    }
    let mut writer = staging.open(&of.table, &shape).await.unwrap();
    writer.write(cleared(&batch)).await.unwrap();
    let receipt = writer.finish().await.unwrap();
    assert_eq!(receipt.digest.rows, 3);
    staging.complete().await.unwrap();
    let staged = staging.read().await.unwrap();
    let back = batches(staged.as_ref(), request(&of, Form::Carried, RowFilter::All))
        .await
        .unwrap();
    assert_eq!(digest(&back), receipt.digest);
}

#[tokio::test]
async fn orphans_are_counted_by_the_rules_of_null() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE p (a INTEGER, b TEXT COLLATE NOCASE, PRIMARY KEY (a, b));
             CREATE TABLE c (x INTEGER, y TEXT);
             INSERT INTO p VALUES (1, 'A'), (2, 'b');
             INSERT INTO c VALUES (1, 'a'), (2, 'B'), (3, 'a'), (NULL, 'z'), (1, NULL), (NULL, NULL), (1, 'b');",
        )
        .await;
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let mut staging = crate::place::staged(&source, &target, Namespace::Main).await;
    let pairs = vec![
        ("x".to_owned(), "a".to_owned()),
        ("y".to_owned(), "b".to_owned()),
    ];
    let mut key = ForeignKey::new(TableRef::new("c"), TableRef::new("p"), pairs);
    assert_eq!(staging.dangling(&key).await.unwrap(), 2);
    key.match_type = MatchType::Full;
    assert_eq!(staging.dangling(&key).await.unwrap(), 4);
    key.match_type = MatchType::Simple;
    // Only the rows whose type column says so refer to this parent.
    key.predicate = Some(("y".to_owned(), "a".to_owned()));
    assert_eq!(staging.dangling(&key).await.unwrap(), 1);
    key.columns[0].0 = "nope".to_owned();
    assert!(matches!(
        staging.dangling(&key).await,
        Err(PortError::NotFound { .. })
    ));
}

#[tokio::test]
async fn tables_of_another_engine_get_types_that_hold_their_values() {
    let place = Place::new();
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let mut parent = TableSchema::new(TableRef::within("public", "pa\"rent"));
    parent.columns = vec![
        Column {
            generation: Generation::Identity { always: true },
            ..column("id", "bigint", LogicalType::BIGINT).not_null()
        },
        column(
            "price",
            "numeric(20,4)",
            LogicalType::Decimal {
                precision: Some(20),
                scale: Some(4),
            },
        ),
        Column {
            default: Some("'x'::text".to_owned()),
            ..column(
                "name",
                "character varying(7)",
                LogicalType::Text {
                    max_length: Some(7),
                },
            )
        },
        Column {
            default: Some("nextval('s'::regclass)".to_owned()),
            ..column("doc", "jsonb", LogicalType::Json)
        },
        column("born", "date", LogicalType::Date),
    ];
    parent.primary_key = Some(Key::over(["id"]));
    parent.indexes = vec![Index {
        name: "pa\"rent".to_owned(),
        parts: vec![IndexPart::Column {
            name: "name".to_owned(),
            descending: true,
        }],
        unique: true,
        method: Some("btree".to_owned()),
        predicate: None,
        include: Vec::new(),
        valid: true,
        definition: Some("CREATE UNIQUE INDEX ... USING btree".to_owned()),
    }];
    let mut child = TableSchema::new(TableRef::within("public", "child"));
    child.columns = vec![column("parent_id", "bigint", LogicalType::BIGINT)];
    child.foreign_keys = vec![ForeignKey::new(
        child.table.clone(),
        parent.table.clone(),
        vec![("parent_id".to_owned(), "id".to_owned())],
    )];
    let mut staging = staging(&target, vec![parent.clone(), child], Engine::Postgres).await;
    let encodings = [
        Encoding::Int64,
        Encoding::Text,
        Encoding::Text,
        Encoding::Text,
        Encoding::Date32,
    ];
    let columns: Vec<_> = parent.columns.iter().zip(encodings).collect();
    let shape = schema(&parent.table, &columns);
    let mut writer = staging.open(&parent.table, &shape).await.unwrap();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![10])),
        Arc::new(StringArray::from(vec!["1234567890123456.7800"])),
        Arc::new(StringArray::from(vec!["1e3"])),
        Arc::new(StringArray::from(vec!["1e3"])),
        Arc::new(Date32Array::from(vec![0])),
    ];
    let batch = Batch::<Sensitive>::read(shape, arrays, 1, 0).unwrap();
    writer.write(cleared(&batch)).await.unwrap();
    let receipt = writer.finish().await.unwrap();
    let wire = schema(
        &parent.table,
        &[(&parent.columns[0], Encoding::Carried(WireForm::PgBinary))],
    );
    let error = staging.open(&parent.table, &wire).await.err().unwrap();
    assert!(matches!(error, PortError::Invalid { .. }));
    staging.complete().await.unwrap();
    let staged = staging.read().await.unwrap();
    let wanted = request(&Arc::new(parent), Form::Carried, RowFilter::All);
    assert_eq!(
        digest(&batches(staged.as_ref(), wanted).await.unwrap()),
        receipt.digest
    );
    drop(staged);
    staging.publish().await.unwrap();

    let copy = open(&place.path("t.sqlite")).await;
    let catalog = catalog(&copy).await;
    let made = table(&catalog, "pa\"rent");
    let types: Vec<String> = made.columns.iter().map(|c| c.logical.to_string()).collect();
    assert_eq!(types, ["int64", "decimal(20,4)", "text(7)", "json", "date"]);
    assert_eq!(made.column("name").unwrap().default.as_deref(), Some("'x'"));
    assert_eq!(made.column("doc").unwrap().default, None);
    assert_eq!(made.options["autoincrement"], "true");
    assert_eq!(made.indexes.len(), 1);
    assert_eq!(table(&catalog, "child").foreign_keys[0].parent, made.table);
    let rows = query(
        &place.path("t.sqlite"),
        "SELECT typeof(price), price, typeof(doc), born FROM \"pa\"\"rent\"",
    );
    let text = |s: &str| rusqlite::types::Value::Text(s.to_owned());
    assert_eq!(
        rows,
        [[
            text("text"),
            text("1234567890123456.7800"),
            text("text"),
            text("1970-01-01")
        ]]
    );
}

#[tokio::test]
async fn a_schema_that_was_changed_is_declared_anew() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE p (id INTEGER PRIMARY KEY);
             CREATE TABLE c (id INTEGER PRIMARY KEY, gone TEXT, p INTEGER REFERENCES p, q TEXT DEFAULT 'a)b' COLLATE NOCASE,
               g TEXT AS (q || '!') VIRTUAL, CHECK (q <> ')'), UNIQUE (p, q));
             CREATE INDEX i ON c (q DESC) WHERE p > 0;",
        )
        .await;
    let catalog = catalog(&source).await;
    let mut wanted = (*table(&catalog, "c")).clone();
    // As a caller does who drops a column and leaves the parent out.
    wanted.columns.retain(|c| c.name != "gone");
    wanted.foreign_keys.clear();
    let target = SqliteTarget::open(place.path("t.sqlite")).unwrap();
    let mut staging = staging(&target, vec![wanted.clone()], Engine::Sqlite).await;
    staging.complete().await.unwrap();
    staging.publish().await.unwrap();
    let copy = open(&place.path("t.sqlite")).await;
    let made = table(&crate::place::catalog(&copy).await, "c");
    assert_eq!(made.foreign_keys, []);
    assert_eq!(made.primary_key, wanted.primary_key);
    assert_eq!(made.unique, wanted.unique);
    assert_eq!(made.indexes, wanted.indexes);
    assert_eq!(made.checks.len(), 1);
    let names: Vec<_> = made.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "p", "q", "g"]);
    for (a, b) in made.columns.iter().zip(&wanted.columns) {
        let mut b = b.clone();
        b.ordinal = a.ordinal;
        assert_eq!(*a, b);
    }
}
