//! What every target database must do: stage, write, complete, verify, publish, replace, remove.
//!
//! `make` gives a target whose database is empty. Cases publish datasets under names of their own; those that
//! publish into [`Namespace::Main`] need a database where nothing else is.

mod refusals;
mod stages;

use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::BatchLimit;
use tdm_core::catalog::TableSchema;
use tdm_core::digest::RowDigest;
use tdm_core::ident::{JobId, TableRef};
use tdm_core::port::{
    Namespace, OwnerMark, RowFilter, RowSource, ScanRequest, StageRequest, Staging, TargetDatabase,
    WriteReceipt,
};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::TypeClass;

use super::{ok, run_cases};
use crate::fixture::{Fixture, FixtureTable};

/// The target under test.
pub type Target = Arc<dyn TargetDatabase>;

/// Runs every case.
///
/// # Panics
/// When the target breaks its contract.
pub async fn all<F: AsyncFn() -> Target>(make: F) {
    all_but(make, &[]).await;
}

/// Runs every case but those named.
///
/// # Panics
/// When the target breaks its contract, or when there is no case of a name.
pub async fn all_but<F: AsyncFn() -> Target>(make: F, except: &[&str]) {
    run_cases!("target", make, except;
        stages::nothing_is_visible_before_publish as "nothing_is_visible_before_publish",
        stages::what_was_written_is_read_back as "what_was_written_is_read_back",
        stages::receipts_agree_with_a_second_reading as "receipts_agree_with_a_second_reading",
        stages::dangling_references_are_counted as "dangling_references_are_counted",
        stages::references_by_type_dangle_by_type as "references_by_type_dangle_by_type",
        stages::discarding_leaves_what_was_published as "discarding_leaves_what_was_published",
        stages::dropping_leaves_what_was_published as "dropping_leaves_what_was_published",
        stages::publishing_replaces as "publishing_replaces",
        stages::versions_live_side_by_side as "versions_live_side_by_side",
        stages::main_is_published_like_any_other as "main_is_published_like_any_other",
        stages::removing_leaves_nothing_and_may_be_repeated as "removing_leaves_nothing_and_may_be_repeated",
        stages::units_of_one_table_add_up as "units_of_one_table_add_up",
        stages::aborted_units_leave_no_rows as "aborted_units_leave_no_rows",
        stages::tables_without_rows_are_published as "tables_without_rows_are_published",
        stages::left_out_columns_take_their_default as "left_out_columns_take_their_default",
        refusals::null_in_a_not_null_column_is_refused as "null_in_a_not_null_column_is_refused",
        refusals::doubled_keys_are_refused as "doubled_keys_are_refused",
        refusals::doubled_unique_values_are_refused as "doubled_unique_values_are_refused",
        refusals::unknown_tables_and_columns_are_not_found as "unknown_tables_and_columns_are_not_found",
        refusals::an_unpublished_namespace_is_empty_and_not_found as "an_unpublished_namespace_is_empty_and_not_found",
    );
}

/// Tables that every case stages: plain types, hostile names and values, a composite key, references.
fn fixture() -> Fixture {
    Fixture::parse(
        "[customer]
           id: bigint pk | name: text(60) not null | mail: text(80) unique | vip: boolean | credit: decimal(10,2) | score: float | born: date | seen: timestamp | photo: bytes
           1  | Ada                         | ada@shop.example | true  | 12.50       | 1.5   | 1815-12-10 | 2024-01-31 23:59:59 | 00ff10
           2  | \" leading and trailing \"  | NULL             | false | -0.01       | -2.25 | 1970-01-01 | 1969-12-31 00:00:01 | NULL
           3  | \"tab\\tnewline\\nback\\\\\" | \"\"             | NULL  | 0.00        | 0.5   | NULL       | NULL                | \"\"
           4  | \"Z\\u{e9}l \\u{1F600}\"    | \"it's; \\\"q\\\"\" | true  | NULL        | NULL  | 2000-02-29 | 2038-01-19 03:14:08 | deadbeef
           5  | \"\\u{6f22}\\\\N\"          | \"NULL\"         | false | 99999999.99 | 1e300 | 9999-12-31 | 2000-02-29 12:00:00 | 5c4e0d0a
           -9 | \"a\\\\tb\"                 | NULL             | NULL  | 1.00        | 3     | 1900-01-01 | 2024-12-31 00:00:00 | 27
         [purchase]
           customer_id: bigint | no: int | amount: decimal(10,2)
           @pk customer_id, no
           @fk customer_id -> customer(id)
           1 | 1 | 10.00
           1 | 2 | 20.00
           2 | 1 | 30.00
           5 | 1 | NULL
         [\"Odd ta\\\"ble\"]
           \"se lect\": bigint | \"o'rder\": text(20) | \"`x`\": text(20)
           @pk \"se lect\"
           1 | a | b
           2 | c | NULL",
    )
}

fn dataset(name: &str, version: u32) -> Namespace {
    Namespace::Dataset {
        dataset: name.to_owned(),
        version,
    }
}

/// Opens a staging area for `namespace` with the tables of `fixture`.
async fn staged(target: &Target, namespace: &Namespace, fixture: &Fixture) -> Box<dyn Staging> {
    let request = StageRequest {
        namespace: namespace.clone(),
        source_engine: target.engine(),
        tables: fixture.schemas(target.engine()),
        mark: OwnerMark {
            job: JobId(uuid::Uuid::from_u128(
                0x0193_0000_0000_7000_8000_0000_0000_0001,
            )),
            dataset: namespace.to_string(),
        },
    };
    ok(target.stage(request).await, "open a staging area")
}

/// Writes rows `range` of a table as one unit.
async fn written(
    staging: &mut dyn Staging,
    table: &FixtureTable,
    range: std::ops::Range<usize>,
) -> WriteReceipt {
    let name = &table.schema.table;
    let mut writer = ok(
        staging.open(name, &table.batch_schema()).await,
        &format!("open a writer for {name}"),
    );
    // Two batches, so that a unit is more than one.
    let middle = range.start + range.len() / 2;
    for part in [range.start..middle, middle..range.end] {
        ok(
            writer.write(table.batch(part)).await,
            &format!("write {name}"),
        );
    }
    ok(writer.finish().await, &format!("finish {name}"))
}

async fn filled(staging: &mut dyn Staging, fixture: &Fixture) {
    for table in &fixture.tables {
        written(staging, table, 0..table.rows.len()).await;
    }
}

/// Stages, fills, completes and publishes.
async fn published(target: &Target, namespace: &Namespace, fixture: &Fixture) {
    let mut staging = staged(target, namespace, fixture).await;
    filled(staging.as_mut(), fixture).await;
    ok(staging.complete().await, "complete");
    let publication = ok(staging.publish().await, "publish");
    assert!(!publication.location.is_empty(), "a publication says where");
}

/// Digest of all rows of a table as `source` returns them in `form`.
async fn digest(source: &dyn RowSource, schema: &TableSchema, form: Form) -> RowDigest {
    let request = ScanRequest {
        table: Arc::new(schema.clone()),
        columns: schema
            .columns
            .iter()
            .map(|column| ColumnRequest {
                column: column.clone(),
                form,
            })
            .collect(),
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let what = format!("scan {}", schema.table);
    let mut stream = ok(source.scan(request).await, &what);
    let mut digest = RowDigest::default();
    while let Some(batch) = stream.next().await {
        digest.add(&ok(batch, &what));
    }
    digest
}

/// Canonical cells of a table, sorted, with the column's name before each.
async fn cells(source: &dyn RowSource, schema: &TableSchema) -> Vec<Vec<Option<Vec<u8>>>> {
    let request = ScanRequest {
        table: Arc::new(schema.clone()),
        columns: schema
            .columns
            .iter()
            .map(|column| ColumnRequest {
                column: column.clone(),
                form: Form::Decoded,
            })
            .collect(),
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let what = format!("scan {}", schema.table);
    let mut stream = ok(source.scan(request).await, &what);
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = ok(batch, &what);
        for row in 0..batch.rows() {
            let columns = schema.columns.iter().zip(batch.columns());
            rows.push(
                columns
                    .map(|(column, array)| {
                        let value = tdm_core::scalar::cell(array.as_ref(), row);
                        let class = column.logical.class();
                        let number = matches!(class, TypeClass::Decimal | TypeClass::Float);
                        let mut bytes = Vec::new();
                        tdm_core::scalar::canonical(value, number, &mut bytes);
                        (!value.is_null()).then_some(bytes)
                    })
                    .collect(),
            );
        }
    }
    rows.sort();
    rows
}

/// Asserts that a namespace holds the rows of `fixture` and no others.
async fn assert_holds(target: &Target, namespace: &Namespace, fixture: &Fixture) {
    let source = ok(target.read(namespace).await, "read what is published");
    assert_reads(source.as_ref(), target, fixture).await;
}

async fn assert_reads(source: &dyn RowSource, target: &Target, fixture: &Fixture) {
    let twin = fixture.source("twin");
    for (table, schema) in fixture.tables.iter().zip(fixture.schemas(target.engine())) {
        let expected = cells(&twin, &table.schema).await;
        let read = cells(source, &schema).await;
        assert_eq!(read.len(), expected.len(), "rows of {}", schema.table);
        for (index, column) in schema.columns.iter().enumerate() {
            let differing = read
                .iter()
                .zip(&expected)
                .filter(|(r, e)| r[index] != e[index]);
            let place: TableRef = schema.table.clone();
            assert_eq!(
                differing.count(),
                0,
                "cells of {} that differ",
                place.column(&column.name)
            );
        }
    }
}
