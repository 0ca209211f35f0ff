//! Filters: keys, samples, conditions, and what does not exist.

use std::collections::BTreeSet;

use tdm_core::batch::{Batch, BatchColumn, Encoding};
use tdm_core::catalog::Column;
use tdm_core::category::Category;
use tdm_core::error::PortError;
use tdm_core::ident::TableRef;
use tdm_core::port::{KeyBatch, RowFilter, ScanRequest};
use tdm_core::scalar::{ColumnBuilder, ScalarRef};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::LogicalType;

use super::{EVENTS, Row, SourceUnderTest, assert_same_rows, names, scan_error};
use crate::canary;
use crate::conformance::{failed, not_found, ok};

/// Keys over columns of `table`, in the encoding in which the source decodes them.
fn keys(subject: &SourceUnderTest, table: &str, columns: &[(&str, &[ScalarRef<'_>])]) -> KeyBatch {
    let schema = subject.schema(table);
    let mut batch = KeyBatch {
        columns: Vec::new(),
        arrays: Vec::new(),
    };
    for (name, cells) in columns {
        let column = schema.column(name).expect("the fixture has the column");
        let encoding = subject.source.encoding(column);
        let mut builder = ColumnBuilder::new(encoding, cells.len());
        for cell in *cells {
            // A source may deliver integers in text; keys then come in text too.
            let text = match cell {
                ScalarRef::Int(number) if encoding == Encoding::Text => number.to_string(),
                _ => String::new(),
            };
            let cell = if text.is_empty() {
                *cell
            } else {
                ScalarRef::Text(&text)
            };
            builder.push(cell).expect("keys are integers or text");
        }
        batch.columns.push(BatchColumn::of(column, encoding));
        batch.arrays.push(builder.finish());
    }
    batch
}

async fn found(subject: &SourceUnderTest, table: &str, keys: KeyBatch) -> Vec<Row> {
    let request = ScanRequest {
        filter: RowFilter::Keys(keys),
        ..subject.request(table, Form::Decoded)
    };
    subject.rows(request).await
}

/// Asserts that `rows` are the fixture's rows at `at`.
#[track_caller]
fn assert_rows(subject: &SourceUnderTest, table: &str, rows: Vec<Row>, at: &[usize]) {
    let request = subject.request(table, Form::Decoded);
    let all = subject.expected(&request);
    let expected = at.iter().map(|&row| all[row].clone()).collect();
    assert_same_rows(rows, expected, &names(&request), table);
}

fn ints(numbers: &[i64]) -> Vec<ScalarRef<'static>> {
    numbers.iter().map(|&n| ScalarRef::Int(n)).collect()
}

pub(super) async fn single_keys_are_found(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    // Given twice, not there, and out of order.
    let wanted = keys(
        subject,
        "customer",
        &[("id", &ints(&[5, -9, 1, 5, 777, 1]))],
    );
    let rows = found(subject, "customer", wanted).await;
    assert_rows(subject, "customer", rows, &[0, 4, 5]);
}

pub(super) async fn composite_keys_are_found(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    // (2,1) and (1,2) are there; (5,2) is not, though a 5 and a 2 are.
    let columns = [
        ("customer_id", &*ints(&[2, 1, 5, 2])),
        ("no", &*ints(&[1, 2, 2, 1])),
    ];
    let rows = found(subject, "purchase", keys(subject, "purchase", &columns)).await;
    assert_rows(subject, "purchase", rows, &[1, 2]);
    // The same with the columns the other way round.
    let columns = [
        ("no", &*ints(&[1, 2, 2])),
        ("customer_id", &*ints(&[2, 1, 5])),
    ];
    let rows = found(subject, "purchase", keys(subject, "purchase", &columns)).await;
    assert_rows(subject, "purchase", rows, &[1, 2]);
}

pub(super) async fn keys_in_duplicate_rows_give_every_row(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    let wanted = keys(subject, "visit", &[("customer_id", &ints(&[1, 1, 2]))]);
    let rows = found(subject, "visit", wanted).await;
    assert_rows(subject, "visit", rows, &[0, 1, 3]);
}

pub(super) async fn null_keys_never_match(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    let wanted = keys(
        subject,
        "visit",
        &[("customer_id", &[ScalarRef::Null, ScalarRef::Int(2)])],
    );
    let rows = found(subject, "visit", wanted).await;
    assert_rows(subject, "visit", rows, &[3]);
    // A key that is NULL in part matches nothing either.
    let columns: [(&str, &[ScalarRef<'_>]); 2] = [
        (
            "customer_id",
            &[ScalarRef::Null, ScalarRef::Int(2), ScalarRef::Int(1)],
        ),
        (
            "page",
            &[
                ScalarRef::Text("home"),
                ScalarRef::Null,
                ScalarRef::Text("home"),
            ],
        ),
    ];
    let rows = found(subject, "visit", keys(subject, "visit", &columns)).await;
    assert_rows(subject, "visit", rows, &[0, 1]);
}

pub(super) async fn text_keys_are_compared_exactly(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    let values = [
        "tab\tnewline\nback\\slash",
        "Z\u{e9}l\u{e9}na \u{1F600}",
        "\u{6f22}\u{5b57}",
        "not there; --'\"",
    ];
    let cells = values.map(ScalarRef::Text);
    let rows = found(
        subject,
        "customer",
        keys(subject, "customer", &[("name", &cells)]),
    )
    .await;
    assert_rows(subject, "customer", rows, &[2, 3, 5]);
    let odd = "Odd ta\"ble";
    let cells = [ScalarRef::Text("c")];
    let rows = found(subject, odd, keys(subject, odd, &[("o'rder", &cells)])).await;
    assert_rows(subject, odd, rows, &[1]);
}

pub(super) async fn many_keys_are_found(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    // More than any limit on bound parameters, most of them not there.
    let wanted: Vec<i64> = (0..70_000).map(|n| n * 3).collect();
    let at: Vec<usize> = (0..EVENTS).filter(|id| id % 3 == 0).collect();
    let rows = found(
        subject,
        "event",
        keys(subject, "event", &[("id", &ints(&wanted))]),
    )
    .await;
    assert_rows(subject, "event", rows, &at);
}

pub(super) async fn no_keys_give_no_rows(subject: &SourceUnderTest) {
    if !subject.source.capability().key_set {
        return;
    }
    let rows = found(
        subject,
        "customer",
        keys(subject, "customer", &[("id", &[])]),
    )
    .await;
    assert!(rows.is_empty());
    let rows = found(
        subject,
        "customer",
        keys(subject, "customer", &[("id", &ints(&[404]))]),
    )
    .await;
    assert!(rows.is_empty());
}

pub(super) async fn samples_are_bounded_and_repeat(subject: &SourceUnderTest) {
    if !subject.source.capability().sample {
        return;
    }
    let sample = async |table: &str, rows: u64, seed: u64| {
        let request = ScanRequest {
            filter: RowFilter::Sample { rows, seed },
            ..subject.request(table, Form::Decoded)
        };
        ok(subject.source.check(&request).await, "check a sample");
        subject.rows(request).await
    };
    let whole: BTreeSet<Row> = subject
        .expected(&subject.request("event", Form::Decoded))
        .into_iter()
        .collect();
    let first = sample("event", 100, 42).await;
    assert!(
        (10..=300).contains(&first.len()),
        "{} rows, 100 asked for",
        first.len()
    );
    let distinct: BTreeSet<Row> = first.iter().cloned().collect();
    assert_eq!(distinct.len(), first.len(), "no row twice");
    assert!(distinct.is_subset(&whole));
    assert!(
        sample("event", 100, 42).await == first,
        "one seed, one sample"
    );
    // Spread over the table: a sample that is the head of the table has no row of the second half.
    let half = (EVENTS / 2).to_string().into_bytes();
    let late = first.iter().filter(|row| {
        let id = row[0].as_ref().expect("a key is not NULL");
        (id.len(), id) >= (half.len(), &half)
    });
    assert!(
        late.count() > first.len() / 10,
        "the second half is in the sample"
    );
    let all = sample("customer", 1_000, 7).await;
    assert_rows(subject, "customer", all, &[0, 1, 2, 3, 4, 5]);
    assert!(sample("nothing", 10, 1).await.is_empty());
}

fn conditional(subject: &SourceUnderTest, condition: &str) -> ScanRequest {
    ScanRequest {
        filter: RowFilter::Where(condition.to_owned()),
        ..subject.request("customer", Form::Decoded)
    }
}

pub(super) async fn conditions_select(subject: &SourceUnderTest) {
    let request = conditional(subject, "id > 1 AND id < 5");
    if !subject.source.capability().predicate {
        let error = failed(subject.source.check(&request).await, "a condition");
        assert!(matches!(error, PortError::Unsupported { .. }), "{error}");
        let error = failed(
            scan_error(subject.source.as_ref(), request).await,
            "a condition",
        );
        assert!(matches!(error, PortError::Unsupported { .. }), "{error}");
        return;
    }
    ok(subject.source.check(&request).await, "check a condition");
    assert_rows(subject, "customer", subject.rows(request).await, &[1, 2, 3]);
    // OR must not escape into what the adapter puts around it; NULL is not true; a comment at the end is harmless.
    for (condition, at) in [
        ("id = 1 OR id = 2", &[0, 1][..]),
        ("mail <> 'nobody'", &[0, 2, 3, 4, 5]),
        ("id = 4 -- the fourth", &[3]),
        ("id = 404", &[]),
    ] {
        let rows = subject.rows(conditional(subject, condition)).await;
        assert_rows(subject, "customer", rows, at);
    }
}

pub(super) async fn broken_conditions_are_refused_without_their_literals(
    subject: &SourceUnderTest,
) {
    if !subject.source.capability().predicate {
        return;
    }
    let secret = canary::token(Category::NationalId);
    for condition in [
        format!("name = = '{secret}'"),
        format!("no_such_column = '{secret}'"),
        format!("name = '{secret}"),
        format!("name = '{secret}') OR (1 = 1"),
        format!("name = '{secret}'; DELETE FROM visit"),
    ] {
        let request = conditional(subject, &condition);
        let by_check = failed(
            subject.source.check(&request).await,
            "check a broken condition",
        );
        let by_scan = failed(
            scan_error(subject.source.as_ref(), request).await,
            "scan by a broken condition",
        );
        for error in [by_check, by_scan] {
            assert!(matches!(error, PortError::Invalid { .. }), "{error}");
            let shown = format!("{error} {error:?}");
            canary::assert_absent_in_text("the error of a broken condition", &shown);
        }
    }
    let visits = subject.rows(subject.request("visit", Form::Decoded)).await;
    assert_eq!(visits.len(), 5, "a condition changes nothing");
}

pub(super) async fn unknown_tables_and_columns_are_not_found(subject: &SourceUnderTest) {
    let mut request = subject.request("customer", Form::Decoded);
    let mut schema = tdm_core::catalog::TableSchema::clone(&request.table);
    schema.table = TableRef {
        name: "gone".to_owned(),
        ..schema.table
    };
    request.table = std::sync::Arc::new(schema);
    not_found(
        subject.source.check(&request).await,
        "check an unknown table",
    );
    not_found(
        scan_error(subject.source.as_ref(), request).await,
        "scan an unknown table",
    );

    let mut request = subject.request("customer", Form::Decoded);
    request.columns.push(ColumnRequest {
        column: Column::new("gone", 99, "text", LogicalType::TEXT),
        form: Form::Decoded,
    });
    not_found(
        subject.source.check(&request).await,
        "check an unknown column",
    );
    not_found(
        scan_error(subject.source.as_ref(), request).await,
        "scan an unknown column",
    );
    // The source still works.
    let rows: usize = subject
        .batches(subject.request("visit", Form::Carried))
        .await
        .iter()
        .map(Batch::rows)
        .sum();
    assert_eq!(rows, 5);
}
