//! Whole scans: rows, order, cut, digests, streams.

use futures_util::StreamExt as _;
use tdm_core::batch::{Batch, BatchLimit, Encoding, Sensitive};
use tdm_core::digest::RowDigest;
use tdm_core::port::ScanRequest;
use tdm_core::scalar::{ScalarRef, cell};
use tdm_core::transform::Form;
use tdm_core::types::Engine;

use super::{EVENTS, SourceUnderTest, assert_same_rows, names, rows_of};
use crate::conformance::ok;

const TABLES: [&str; 6] = [
    "customer",
    "purchase",
    "visit",
    "nothing",
    "Odd ta\"ble",
    "event",
];

pub(super) async fn whole_tables_are_read(subject: &SourceUnderTest) {
    for table in TABLES {
        let request = subject.request(table, Form::Decoded);
        ok(subject.source.check(&request).await, "check a whole scan");
        let (expected, names) = (subject.expected(&request), names(&request));
        assert_same_rows(subject.rows(request).await, expected, &names, table);
    }
}

pub(super) async fn columns_come_in_the_order_asked(subject: &SourceUnderTest) {
    let mut request = subject.request("customer", Form::Decoded);
    request.columns.reverse();
    request.columns.truncate(7);
    let (expected, names) = (subject.expected(&request), names(&request));
    for batch in subject.batches(request.clone()).await {
        let delivered: Vec<_> = batch
            .schema()
            .columns
            .iter()
            .map(|c| c.name.clone())
            .collect();
        assert_eq!(delivered, names);
        assert_eq!(batch.schema().table, request.table.table);
    }
    assert_same_rows(subject.rows(request).await, expected, &names, "reversed");
}

pub(super) async fn no_columns_count_rows(subject: &SourceUnderTest) {
    for (table, rows) in [("event", EVENTS), ("nothing", 0), ("visit", 5)] {
        let mut request = subject.request(table, Form::Decoded);
        request.columns.clear();
        let counted: usize = subject.batches(request).await.iter().map(Batch::rows).sum();
        assert_eq!(counted, rows, "rows of {table}");
    }
}

pub(super) async fn encodings_are_as_promised(subject: &SourceUnderTest) {
    for form in [Form::Decoded, Form::Carried] {
        for table in TABLES {
            let request = subject.request(table, form);
            for batch in subject.batches(request.clone()).await {
                for (delivered, asked) in batch.schema().columns.iter().zip(&request.columns) {
                    let promised = match form {
                        Form::Decoded => subject.source.encoding(&asked.column),
                        Form::Carried => subject.source.carried(&asked.column),
                    };
                    let column = request.table.table.column(&asked.column.name);
                    assert_eq!(delivered.encoding, promised, "{form:?} {column}");
                    assert_eq!(delivered.logical, asked.column.logical, "{column}");
                    assert_eq!(delivered.native, asked.column.native, "{column}");
                }
            }
        }
    }
}

fn limited(subject: &SourceUnderTest, rows_max: usize, bytes_max: usize) -> ScanRequest {
    ScanRequest {
        limit: BatchLimit {
            rows_max,
            bytes_max,
        },
        ..subject.request("event", Form::Decoded)
    }
}

pub(super) async fn batches_keep_the_row_limit(subject: &SourceUnderTest) {
    for rows_max in [1, 7, 100, EVENTS, EVENTS + 1] {
        let batches = subject.batches(limited(subject, rows_max, 1 << 30)).await;
        assert!(batches.iter().all(|batch| batch.rows() <= rows_max));
        assert!(
            batches.iter().all(|batch| batch.rows() > 0),
            "no batch is empty"
        );
        assert_eq!(batches.iter().map(Batch::rows).sum::<usize>(), EVENTS);
    }
}

/// Bytes of the cells of one row: eight a number, its length a text.
fn row_bytes(batch: &Batch<Sensitive>, row: usize) -> usize {
    let size = |value: ScalarRef<'_>| match value {
        ScalarRef::Text(text) => text.len(),
        ScalarRef::Bytes(bytes) => bytes.len(),
        ScalarRef::Null => 0,
        _ => 8,
    };
    let columns = batch.columns().iter();
    columns.map(|array| size(cell(array.as_ref(), row))).sum()
}

pub(super) async fn batches_keep_the_byte_limit(subject: &SourceUnderTest) {
    for bytes_max in [1, 1_000, 10_000] {
        let batches = subject.batches(limited(subject, 1 << 20, bytes_max)).await;
        assert_eq!(batches.iter().map(Batch::rows).sum::<usize>(), EVENTS);
        for batch in &batches {
            let rows: Vec<_> = (0..batch.rows()).map(|row| row_bytes(batch, row)).collect();
            let (total, largest) = (rows.iter().sum::<usize>(), rows.iter().max());
            // The row that meets the bound may lie across it.
            let bound = bytes_max + largest.copied().unwrap_or(0);
            assert!(
                total <= bound,
                "{total} bytes where {bytes_max} are the limit"
            );
        }
    }
}

pub(super) async fn origins_count_rows(subject: &SourceUnderTest) {
    for rows_max in [13, 8_192] {
        let mut next = 0;
        for batch in subject.batches(limited(subject, rows_max, 1 << 30)).await {
            assert_eq!(batch.origin(), next, "origin of the next batch");
            next += batch.rows() as u64;
        }
        assert_eq!(next, EVENTS as u64);
    }
}

pub(super) async fn a_scan_repeats_its_order(subject: &SourceUnderTest) {
    let first = subject.rows(limited(subject, 1_000, 1 << 30)).await;
    let second = subject.rows(limited(subject, 11, 1 << 30)).await;
    assert!(first == second, "one state, one order, however it is cut");
}

fn digest(batches: &[Batch<Sensitive>]) -> RowDigest {
    batches
        .iter()
        .fold(RowDigest::default(), |mut digest, batch| {
            digest.add(batch);
            digest
        })
}

pub(super) async fn digests_do_not_depend_on_the_cut(subject: &SourceUnderTest) {
    for form in [Form::Carried, Form::Decoded] {
        for table in TABLES {
            let request = subject.request(table, form);
            let whole = digest(&subject.batches(request.clone()).await);
            let rows = subject.fixture.table(table).rows.len();
            assert_eq!(whole.rows, rows as u64, "{form:?} {table}");
            for (rows_max, bytes_max) in [(1, 1 << 30), (3, 1 << 30), (1 << 20, 50)] {
                let cut = ScanRequest {
                    limit: BatchLimit {
                        rows_max,
                        bytes_max,
                    },
                    ..request.clone()
                };
                assert_eq!(
                    digest(&subject.batches(cut).await),
                    whole,
                    "{form:?} {table}"
                );
            }
        }
    }
}

pub(super) async fn carried_and_decoded_digests_agree_where_promised(subject: &SourceUnderTest) {
    if !matches!(subject.source.engine(), Engine::Sqlite | Engine::Memory) {
        return;
    }
    for table in TABLES {
        let mut decoded = subject.request(table, Form::Decoded);
        // Only what lies in storage as it lies in a batch: a decoded date is no longer the text that SQLite holds.
        decoded.columns.retain(|asked| {
            use tdm_core::types::TypeClass::{Bytes, Integer, Text};
            matches!(asked.column.logical.class(), Bytes | Integer | Text)
        });
        let mut carried = decoded.clone();
        for column in &mut carried.columns {
            column.form = Form::Carried;
        }
        let decoded = digest(&subject.batches(decoded).await);
        let carried = digest(&subject.batches(carried).await);
        assert_eq!(carried, decoded, "{table}");
    }
}

pub(super) async fn streams_can_be_dropped_early(subject: &SourceUnderTest) {
    // More often than any pool has connections.
    for taken in 0..40 {
        let mut stream = ok(
            subject.source.scan(limited(subject, 10, 1 << 30)).await,
            "a scan after dropped ones",
        );
        for _ in 0..taken % 4 {
            ok(stream.next().await.expect("there are more rows"), "a batch");
        }
    }
    let request = limited(subject, 1_000, 1 << 30);
    assert_eq!(subject.rows(request).await.len(), EVENTS);
}

pub(super) async fn scans_can_be_interleaved(subject: &SourceUnderTest) {
    if !subject.source.capability().parallel_scans {
        return;
    }
    let expected = subject.rows(limited(subject, 10, 1 << 30)).await;
    let start = async || {
        let request = limited(subject, 10, 1 << 30);
        ok(subject.source.scan(request).await, "a scan beside another")
    };
    let mut streams = [start().await, start().await, start().await];
    let mut read = [Vec::new(), Vec::new(), Vec::new()];
    loop {
        let mut ended = 0;
        for (stream, rows) in streams.iter_mut().zip(&mut read) {
            match stream.next().await {
                Some(batch) => rows.extend(rows_of(&ok(batch, "a batch"))),
                None => ended += 1,
            }
        }
        if ended == streams.len() {
            break;
        }
    }
    assert!(
        read.iter().all(|rows| *rows == expected),
        "each scan is whole"
    );
}

pub(super) async fn one_source_sees_one_state(subject: &SourceUnderTest) {
    let Some(change) = &subject.change else {
        return;
    };
    if !subject.source.capability().snapshot {
        return;
    }
    let request = || subject.request("visit", Form::Decoded);
    let before = subject.rows(request()).await.len();
    change().await;
    assert_eq!(
        subject.rows(request()).await.len(),
        before,
        "after a change"
    );
    change().await;
    // A table that was not read before the change, and a check, are of the same state.
    ok(
        subject.source.check(&request()).await,
        "check after a change",
    );
    let others = subject.rows(subject.request("event", Form::Carried)).await;
    assert_eq!(others.len(), EVENTS);
    assert_eq!(
        subject.rows(request()).await.len(),
        before,
        "after two changes"
    );
}

pub(super) async fn identity_is_stable(subject: &SourceUnderTest) {
    let first = ok(subject.source.identity().await, "identity");
    let second = ok(subject.source.identity().await, "identity");
    assert_eq!(first, second);
    assert!(!first.0.is_empty());
    let shown = format!("{:?} {subject:?}", subject.source);
    crate::canary::assert_absent_in_text("Debug of a source", &shown);
    // Memory tables and servers alike hold decoded text as text.
    let column = &subject.schema("customer").columns[1];
    assert_eq!(subject.source.encoding(column), Encoding::Text);
}
