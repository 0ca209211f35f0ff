//! Rows out: every value as it is, every filter, every refusal with its place.

use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::arrow_array::cast::AsArray as _;
use tdm_core::arrow_array::types::Int64Type;
use tdm_core::arrow_array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use tdm_core::batch::{Batch, BatchColumn, BatchLimit, Encoding, WireForm};
use tdm_core::catalog::TableSchema;
use tdm_core::error::PortError;
use tdm_core::port::{KeyBatch, RowFilter, RowSource as _, ScanRequest};
use tdm_core::scalar::{ScalarRef, cell};
use tdm_core::transform::Form;
use tdm_sql::sqlite::SqliteSource;

use crate::place::{Place, batches, catalog, digest, request, table};

const WIRE: Encoding = Encoding::Carried(WireForm::Sqlite);

async fn ids(source: &SqliteSource, table: &Arc<TableSchema>, filter: RowFilter) -> Vec<i64> {
    let mut wanted = request(table, Form::Decoded, filter);
    wanted.columns.truncate(1);
    let mut ids: Vec<i64> = batches(source, wanted)
        .await
        .unwrap()
        .iter()
        .flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    ids.sort_unstable();
    ids
}

fn keys(table: &TableSchema, columns: &[(&str, Encoding, ArrayRef)]) -> RowFilter {
    RowFilter::Keys(KeyBatch {
        columns: columns
            .iter()
            .map(|(name, encoding, _)| BatchColumn::of(table.column(name).unwrap(), *encoding))
            .collect(),
        arrays: columns
            .iter()
            .map(|(_, _, array)| Arc::clone(array))
            .collect(),
    })
}

#[tokio::test]
async fn carried_values_are_the_bytes_that_sqlite_holds() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (v INTEGER);
             INSERT INTO t VALUES (NULL), (-1), (1.5), ('x'), (x'00ff'), (''), (x''),
               (CAST(x'610062' AS TEXT)), (CAST(x'c328' AS TEXT)), (9e999)",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    let read = batches(&source, request(&table, Form::Carried, RowFilter::All))
        .await
        .unwrap();
    let column = read[0].column(0).as_binary::<i32>();
    let cells: Vec<Option<&[u8]>> = column.iter().collect();
    let expected: [Option<&[u8]>; 10] = [
        None,
        Some(b"i\xff\xff\xff\xff\xff\xff\xff\xff"),
        Some(b"r\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        Some(b"tx"),
        Some(b"b\x00\xff"),
        Some(b"t"),
        Some(b"b"),
        Some(b"ta\0b"),
        Some(b"t\xc3\x28"),
        Some(b"r\x7f\xf0\x00\x00\x00\x00\x00\x00"),
    ];
    assert_eq!(cells, expected);
}

#[tokio::test]
async fn a_value_of_another_class_is_refused_with_its_place_and_never_shown() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (i INTEGER, r REAL, b BLOB, s TEXT, d DATE);
             INSERT INTO t VALUES (1, 2, x'01', 3, 20240102);
             CREATE TABLE bad_i (v INTEGER); INSERT INTO bad_i VALUES (7), ('canary');
             CREATE TABLE bad_r (v REAL); INSERT INTO bad_r VALUES ('canary');
             CREATE TABLE bad_b (v BLOB); INSERT INTO bad_b VALUES ('canary');
             CREATE TABLE bad_s (v TEXT); INSERT INTO bad_s VALUES (CAST(x'c328' AS TEXT));",
        )
        .await;
    let catalog = catalog(&source).await;
    let good = request(&table(&catalog, "t"), Form::Decoded, RowFilter::All);
    let read = batches(&source, good).await.unwrap();
    let row: Vec<ScalarRef<'_>> = read[0].columns().iter().map(|c| cell(c, 0)).collect();
    let expected = [
        ScalarRef::Int(1),
        ScalarRef::Float(2.0),
        ScalarRef::Bytes(&[1]),
        ScalarRef::Text("3"),
        ScalarRef::Text("20240102"),
    ];
    assert!(row == expected);
    for name in ["bad_i", "bad_r", "bad_b", "bad_s"] {
        let wanted = request(&table(&catalog, name), Form::Decoded, RowFilter::All);
        let error = batches(&source, wanted).await.unwrap_err();
        assert!(matches!(error, PortError::Invalid { .. }));
        let text = error.to_string();
        assert!(text.starts_with(&format!("{name}.v: row ")), "{text}");
        assert!(!text.contains("canary"));
    }
}

#[tokio::test]
async fn batches_are_bounded_by_rows_and_bytes_and_count_on() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO t SELECT 1001 - i, printf('%.*c', 100, 'x') FROM n",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    let whole = request(&table, Form::Carried, RowFilter::All);
    let full = digest(&batches(&source, whole.clone()).await.unwrap());
    for (rows_max, bytes_max, most) in [(7, 1 << 20, 7), (1_000, 1_000, 11)] {
        let cut = ScanRequest {
            limit: BatchLimit {
                rows_max,
                bytes_max,
            },
            ..whole.clone()
        };
        let read = batches(&source, cut).await.unwrap();
        let mut next = 0;
        for batch in &read {
            assert_eq!(batch.origin(), next);
            assert!(batch.rows() <= most);
            next += batch.rows() as u64;
        }
        assert_eq!(next, 1_000);
        assert_eq!(digest(&read), full);
    }
    let none = ScanRequest {
        columns: Vec::new(),
        ..whole
    };
    let counted = batches(&source, none).await.unwrap();
    assert_eq!(counted.iter().map(Batch::rows).sum::<usize>(), 1_000);
    assert_eq!(counted[0].columns().len(), 0);
}

#[tokio::test]
async fn a_condition_selects_rows_and_cannot_leave_its_parentheses() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);
             INSERT INTO t VALUES (1, 'a'), (2, 'b;('), (3, NULL);
             CREATE TABLE u (t_id INTEGER); INSERT INTO u VALUES (3)",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    for (condition, expected) in [
        ("id > 1", vec![2, 3]),
        ("name = 'b;(' -- a comment", vec![2]),
        ("id IN (SELECT t_id FROM u)", vec![3]),
        ("name = 'a' OR /* ) */ id = 3", vec![1, 3]),
    ] {
        let filter = RowFilter::Where(condition.to_owned());
        assert_eq!(ids(&source, &table, filter).await, expected, "{condition}");
    }
    for condition in [
        "",
        "1) UNION SELECT id FROM t WHERE (1",
        "1); DELETE FROM t; SELECT (1",
        "1 /* open",
        "name = 'open",
        "id = ?1",
        "(1",
        "nmae = 'x'",
        "name = \"canary@example\"",
        "canary(",
        "id FROM canary",
    ] {
        let wanted = request(
            &table,
            Form::Carried,
            RowFilter::Where(condition.to_owned()),
        );
        let error = source.check(&wanted).await.unwrap_err();
        assert!(
            matches!(error, PortError::Invalid { .. }),
            "{condition}: {error:?}"
        );
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(batches(&source, wanted).await.is_err());
    }
    let misspelt = request(
        &table,
        Form::Carried,
        RowFilter::Where("nmae = 'x'".to_owned()),
    );
    let error = source.check(&misspelt).await.unwrap_err().to_string();
    assert!(error.contains("nmae"), "{error}");
}

#[tokio::test]
async fn keys_find_rows_by_the_columns_own_affinity_and_collation() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE, n NUMERIC, any_value);
             INSERT INTO t VALUES (1, 'AbC', 10, x'00ff'), (2, 'abc', 1.5, 'a' || char(0) || 'b'),
               (3, '7', '0x', 0.1), (4, NULL, NULL, NULL), (5, 'q\"\\' || char(10), -0.25, 9007199254740993)",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    let text = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let wire = |values: Vec<&[u8]>| Arc::new(BinaryArray::from(values)) as ArrayRef;
    let mut int = vec![b'i'];
    int.extend(9_007_199_254_740_993_i64.to_be_bytes());
    let mut real = vec![b'r'];
    real.extend(0.1_f64.to_be_bytes());

    let numbers = Arc::new(Int64Array::from(vec![
        Some(5),
        Some(1),
        Some(1),
        None,
        Some(99),
    ]));
    let by_id = keys(&table, &[("id", Encoding::Int64, numbers)]);
    assert_eq!(ids(&source, &table, by_id).await, [1, 5]);
    let codes = text(vec![
        Some("ABC"),
        Some("abc"),
        Some("7"),
        None,
        Some("q\"\\\n"),
    ]);
    let by_code = keys(&table, &[("code", Encoding::Text, codes)]);
    assert_eq!(ids(&source, &table, by_code).await, [1, 2, 3, 5]);
    let decimals = text(vec![Some("10.00"), Some("1.5"), Some("-0.25")]);
    let by_number = keys(&table, &[("n", Encoding::Text, decimals)]);
    assert_eq!(ids(&source, &table, by_number).await, [1, 2, 5]);
    let values = wire(vec![b"b\x00\xff", b"ta\0b", &real, &int]);
    let by_value = keys(&table, &[("any_value", WIRE, values)]);
    assert_eq!(ids(&source, &table, by_value).await, [1, 2, 3, 5]);
    let untyped = keys(
        &table,
        &[(
            "any_value",
            Encoding::Text,
            text(vec![Some("0.1"), Some("9007199254740993")]),
        )],
    );
    assert_eq!(ids(&source, &table, untyped).await, [3, 5]);
    let none = keys(
        &table,
        &[(
            "id",
            Encoding::Int64,
            Arc::new(Int64Array::from(Vec::<i64>::new())),
        )],
    );
    assert!(ids(&source, &table, none).await.is_empty());
}

#[tokio::test]
async fn composite_keys_match_as_a_whole_with_or_without_an_index() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c BLOB, UNIQUE (a, b));
             INSERT INTO t VALUES (1, 1, 'x', x'01'), (2, 1, 'y', x'02'), (3, 2, 'x', x'03'),
               (4, 2, NULL, x'04'), (5, -9223372036854775808, 'min', x'05')",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    let a = || {
        Arc::new(Int64Array::from(vec![
            Some(1),
            Some(2),
            Some(2),
            Some(i64::MIN),
            Some(1),
        ])) as ArrayRef
    };
    let b = || {
        let values = vec![Some("y"), Some("x"), None, Some("min"), Some("y")];
        Arc::new(StringArray::from(values)) as ArrayRef
    };
    let both = keys(
        &table,
        &[("a", Encoding::Int64, a()), ("b", Encoding::Text, b())],
    );
    assert_eq!(ids(&source, &table, both).await, [2, 3, 5]);
    let c: ArrayRef = Arc::new(BinaryArray::from(vec![
        b"b\x02".as_slice(),
        b"b\x03",
        b"b\x04",
        b"b\x05",
        b"b\x09",
    ]));
    let tagged = keys(&table, &[("a", Encoding::Int64, a()), ("c", WIRE, c)]);
    assert_eq!(ids(&source, &table, tagged).await, [2, 3, 4, 5]);
    let unknown = RowFilter::Keys(KeyBatch {
        columns: vec![BatchColumn {
            name: "nope".to_owned(),
            ..BatchColumn::of(&table.columns[0], Encoding::Int64)
        }],
        arrays: vec![a()],
    });
    let error = batches(&source, request(&table, Form::Carried, unknown))
        .await
        .unwrap_err();
    assert!(matches!(error, PortError::NotFound { kind: "column", .. }));
}

#[tokio::test]
async fn spellings_of_one_composite_key_give_its_row_once() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, tenant INTEGER, code TEXT COLLATE NOCASE);
             CREATE UNIQUE INDEX i ON t (tenant, code);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO t SELECT i, 1, 'c' || i FROM n",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    for number in [1, 49_999] {
        let codes = vec![
            format!("c{number}"),
            format!("C{number}"),
            "none".to_owned(),
        ];
        let filter = keys(
            &table,
            &[
                (
                    "tenant",
                    Encoding::Int64,
                    Arc::new(Int64Array::from(vec![1, 1, 1])),
                ),
                ("code", Encoding::Text, Arc::new(StringArray::from(codes))),
            ],
        );
        assert_eq!(ids(&source, &table, filter).await, [number]);
    }
}

#[tokio::test]
async fn reals_as_keys_find_themselves() {
    let place = Place::new();
    let mut values: Vec<f64> = vec![
        0.1,
        -0.3,
        1e-300,
        1.7976931348623157e308,
        5e-324,
        1e23,
        2.2250738585072014e-308,
    ];
    let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..2_000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let value = f64::from_bits(bits);
        if value.is_finite() {
            values.push(value);
        }
    }
    let path = place
        .database(
            "source.sqlite",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)",
        )
        .await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    for value in &values {
        connection
            .execute("INSERT INTO t (v) VALUES (?1)", [value])
            .unwrap();
    }
    drop(connection);
    let source = crate::place::open(&path).await;
    let table = table(&catalog(&source).await, "t");
    let wire: Vec<Vec<u8>> = values
        .iter()
        .map(|v| [b"r".as_slice(), &v.to_be_bytes()].concat())
        .collect();
    let array = BinaryArray::from(wire.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let filter = keys(&table, &[("v", WIRE, Arc::new(array))]);
    assert_eq!(ids(&source, &table, filter).await.len(), values.len());
}

#[tokio::test]
async fn a_hundred_thousand_keys_are_one_statement() {
    let place = Place::new();
    let source = place
        .source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, k INTEGER); CREATE INDEX by_k ON t (k);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
             INSERT INTO t SELECT i, i FROM n",
        )
        .await;
    let table = table(&catalog(&source).await, "t");
    let wanted = Int64Array::from((20_001..=120_000).collect::<Vec<i64>>());
    let filter = keys(&table, &[("k", Encoding::Int64, Arc::new(wanted))]);
    let found = ids(&source, &table, filter).await;
    assert_eq!((found.len(), found[0]), (100_000, 20_001));
}

#[tokio::test]
async fn samples_are_repeatable_spread_and_about_as_large_as_asked() {
    let place = Place::new();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
    let source = place
        .source(&format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY); {fill} INSERT INTO t SELECT i * 3 FROM n;
             CREATE TABLE w (id INTEGER, PRIMARY KEY (id)) WITHOUT ROWID; {fill} INSERT INTO w SELECT i * 3 FROM n;
             CREATE TABLE hidden (rowid TEXT, oid TEXT, _rowid_ TEXT); INSERT INTO hidden VALUES ('a', 'b', 'c');
             CREATE TABLE none (id INTEGER PRIMARY KEY);"
        ))
        .await;
    let catalog = catalog(&source).await;
    for name in ["t", "w"] {
        let table = table(&catalog, name);
        let sample = |rows, seed| RowFilter::Sample { rows, seed };
        let first = ids(&source, &table, sample(1_000, 1)).await;
        assert_eq!(first, ids(&source, &table, sample(1_000, 1)).await);
        assert_ne!(first, ids(&source, &table, sample(1_000, 2)).await);
        assert!(
            (800..1_200).contains(&first.len()),
            "{name}: {}",
            first.len()
        );
        let low = first.iter().filter(|id| **id <= 30_000).count();
        assert!((300..700).contains(&low), "{name}: {low} in the lower half");
        let mut unique = first.clone();
        unique.dedup();
        assert_eq!(unique.len(), first.len());
        assert_eq!(ids(&source, &table, sample(20_000, 1)).await.len(), 20_000);
        assert_eq!(ids(&source, &table, sample(1 << 40, 1)).await.len(), 20_000);
    }
    let empty = table(&catalog, "none");
    assert!(
        ids(&source, &empty, RowFilter::Sample { rows: 5, seed: 1 })
            .await
            .is_empty()
    );
    let hidden = request(
        &table(&catalog, "hidden"),
        Form::Carried,
        RowFilter::Sample { rows: 5, seed: 1 },
    );
    assert_eq!(batches(&source, hidden).await.unwrap()[0].rows(), 1);
}

#[tokio::test]
async fn scans_interleave_and_a_dropped_stream_frees_the_source() {
    let place = Place::new();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
    let source = place
        .source(&format!(
            "CREATE TABLE a (id INTEGER PRIMARY KEY); {fill} INSERT INTO a SELECT i FROM n;
             CREATE TABLE b (id INTEGER PRIMARY KEY); {fill} INSERT INTO b SELECT i FROM n"
        ))
        .await;
    let catalog = catalog(&source).await;
    let small = |name| ScanRequest {
        limit: BatchLimit {
            rows_max: 10,
            bytes_max: 1 << 20,
        },
        ..request(&table(&catalog, name), Form::Carried, RowFilter::All)
    };
    let mut first = source.scan(small("a")).await.unwrap();
    let mut second = source.scan(small("b")).await.unwrap();
    for _ in 0..20 {
        assert_eq!(first.next().await.unwrap().unwrap().rows(), 10);
        assert_eq!(second.next().await.unwrap().unwrap().rows(), 10);
    }
    drop(first);
    assert_eq!(second.count().await, 480);
    // A scan that finds nothing for very long ends when its reader goes.
    let endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) < 0";
    let stream = source
        .scan(request(
            &table(&catalog, "a"),
            Form::Carried,
            RowFilter::Where(endless.to_owned()),
        ))
        .await
        .unwrap();
    drop(stream);
    assert_eq!(
        ids(&source, &table(&catalog, "a"), RowFilter::All)
            .await
            .len(),
        5_000
    );
}

#[tokio::test]
async fn a_stream_outlives_its_source() {
    let place = Place::new();
    let source = place
        .source("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
        .await;
    let wanted = request(
        &table(&catalog(&source).await, "t"),
        Form::Carried,
        RowFilter::All,
    );
    let stream = source.scan(wanted).await.unwrap();
    drop(source);
    let read: Vec<_> = stream.collect().await;
    assert_eq!(read[0].as_ref().unwrap().rows(), 2);
}

#[tokio::test]
async fn hostile_names_are_only_names() {
    let place = Place::new();
    let name = "we\"ird'; DROP TABLE t; -- \u{1f600}\n`[x]";
    let quoted = name.replace('"', "\"\"");
    let source = place
        .source(&format!(
            "CREATE TABLE \"{quoted}\" (\"{quoted}\" INTEGER); INSERT INTO \"{quoted}\" VALUES (7)"
        ))
        .await;
    let catalog = catalog(&source).await;
    let table = Arc::new(catalog.tables[0].clone());
    assert_eq!(table.table.name, name);
    assert_eq!(ids(&source, &table, RowFilter::All).await, [7]);
    let filter = keys(
        &table,
        &[(name, Encoding::Int64, Arc::new(Int64Array::from(vec![7])))],
    );
    assert_eq!(ids(&source, &table, filter).await, [7]);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let place = Place::new();
    let source = place.source("CREATE TABLE t (a)").await;
    let mut gone = (*table(&catalog(&source).await, "t")).clone();
    gone.columns[0].name = "b".to_owned();
    let wanted = request(&Arc::new(gone.clone()), Form::Carried, RowFilter::All);
    let error = source.check(&wanted).await.unwrap_err();
    assert!(matches!(error, PortError::NotFound { kind: "column", ref name } if name == "t.b"));
    gone.table.name = "u".to_owned();
    let wanted = request(&Arc::new(gone), Form::Carried, RowFilter::All);
    let error = source.check(&wanted).await.unwrap_err();
    assert!(matches!(error, PortError::NotFound { kind: "table", ref name } if name == "u"));
    let missing = SqliteSource::open(place.path("none.sqlite"), Default::default()).await;
    assert!(matches!(missing, Err(PortError::NotFound { .. })));
    std::fs::write(
        place.path("text.sqlite"),
        "no database, but long enough to be read as one".repeat(40),
    )
    .unwrap();
    let garbage = SqliteSource::open(place.path("text.sqlite"), Default::default()).await;
    assert!(matches!(garbage, Err(PortError::Invalid { .. })));
}
