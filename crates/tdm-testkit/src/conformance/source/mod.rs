//! What every source must do.
//!
//! `make` gets the fixture, puts it into a database of its own (by [`Fixture::statements`], or in memory) and opens a
//! source on it.

mod filters;
mod scans;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use tdm_core::batch::{Batch, BatchLimit, Sensitive};
use tdm_core::catalog::{Catalog, TableSchema};
use tdm_core::error::PortResult;
use tdm_core::port::{BatchStream, RowFilter, RowSource, ScanRequest};
use tdm_core::scalar::{canonical, cell};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::{LogicalType, TypeClass};

use super::{ok, run_cases};
use crate::canary;
use crate::fixture::Fixture;

/// Rows of the largest table of the fixture.
const EVENTS: usize = 1_200;

/// Adds one row to the table `visit` through another connection and commits.
pub type Change = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A source on a database that holds the fixture.
pub struct SourceUnderTest {
    /// The source.
    pub source: Arc<dyn RowSource>,
    /// What the adapter's own introspection says of the database.
    pub catalog: Catalog,
    /// A way to change the database behind the source's back; `None` leaves the cases out that need one.
    pub change: Option<Change>,
    /// What the fixture says.
    pub fixture: Fixture,
}

impl fmt::Debug for SourceUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceUnderTest")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The fixture that the suite reads: every plain type, hostile names and values, NULLs, no rows and many rows.
pub fn fixture() -> Fixture {
    let mut text = include_str!("shop.txt").to_owned();
    text.push_str(
        "[event]\n  id: bigint pk | customer_id: bigint | body: text\n  @index customer_id\n",
    );
    for id in 0..EVENTS {
        // Long and short bodies, so that limits by bytes and by rows cut differently.
        let body = if id % 7 == 0 {
            "x".repeat(300)
        } else {
            format!("event {id}")
        };
        let customer = if id % 5 == 0 {
            "NULL".to_owned()
        } else {
            (id % 40).to_string()
        };
        text.push_str(&format!("  {id} | {customer} | {body}\n"));
    }
    let mut fixture = Fixture::parse(&text);
    let note = canary::token(tdm_core::category::Category::SecretToken);
    for table in &mut fixture.tables {
        if table.schema.table.name == "customer" {
            table.rows[0][2] = Some(note.to_owned());
        }
    }
    fixture
}

/// Runs every case.
///
/// # Panics
/// When the source breaks its contract.
pub async fn all<F: AsyncFn(Fixture) -> SourceUnderTest>(make: F) {
    all_but(make, &[]).await;
}

/// Runs every case but those named.
///
/// # Panics
/// When the source breaks its contract, or when there is no case of a name.
pub async fn all_but<F: AsyncFn(Fixture) -> SourceUnderTest>(make: F, except: &[&str]) {
    let fresh = async || make(fixture()).await;
    run_cases!("source", fresh, except;
        scans::whole_tables_are_read as "whole_tables_are_read",
        scans::columns_come_in_the_order_asked as "columns_come_in_the_order_asked",
        scans::no_columns_count_rows as "no_columns_count_rows",
        scans::encodings_are_as_promised as "encodings_are_as_promised",
        scans::batches_keep_the_row_limit as "batches_keep_the_row_limit",
        scans::batches_keep_the_byte_limit as "batches_keep_the_byte_limit",
        scans::origins_count_rows as "origins_count_rows",
        scans::a_scan_repeats_its_order as "a_scan_repeats_its_order",
        scans::digests_do_not_depend_on_the_cut as "digests_do_not_depend_on_the_cut",
        scans::carried_and_decoded_digests_agree_where_promised as "carried_and_decoded_digests_agree_where_promised",
        scans::streams_can_be_dropped_early as "streams_can_be_dropped_early",
        scans::scans_can_be_interleaved as "scans_can_be_interleaved",
        scans::one_source_sees_one_state as "one_source_sees_one_state",
        scans::identity_is_stable as "identity_is_stable",
        filters::single_keys_are_found as "single_keys_are_found",
        filters::composite_keys_are_found as "composite_keys_are_found",
        filters::keys_in_duplicate_rows_give_every_row as "keys_in_duplicate_rows_give_every_row",
        filters::null_keys_never_match as "null_keys_never_match",
        filters::text_keys_are_compared_exactly as "text_keys_are_compared_exactly",
        filters::many_keys_are_found as "many_keys_are_found",
        filters::no_keys_give_no_rows as "no_keys_give_no_rows",
        filters::samples_are_bounded_and_repeat as "samples_are_bounded_and_repeat",
        filters::conditions_select as "conditions_select",
        filters::broken_conditions_are_refused_without_their_literals as "broken_conditions_are_refused_without_their_literals",
        filters::unknown_tables_and_columns_are_not_found as "unknown_tables_and_columns_are_not_found",
    );
}

type Row = Vec<Option<Vec<u8>>>;

impl SourceUnderTest {
    #[track_caller]
    fn schema(&self, table: &str) -> Arc<TableSchema> {
        let found = self.catalog.tables.iter().find(|t| t.table.name == table);
        Arc::new(
            found
                .unwrap_or_else(|| panic!("introspection does not show table `{table}`"))
                .clone(),
        )
    }

    fn request(&self, table: &str, form: Form) -> ScanRequest {
        let schema = self.schema(table);
        ScanRequest {
            columns: schema
                .columns
                .iter()
                .map(|column| ColumnRequest {
                    column: column.clone(),
                    form,
                })
                .collect(),
            table: schema,
            filter: RowFilter::All,
            limit: BatchLimit::default(),
        }
    }

    async fn batches(&self, request: ScanRequest) -> Vec<Batch<Sensitive>> {
        let table = request.table.table.clone();
        let stream = ok(self.source.scan(request).await, &format!("scan {table}"));
        collected(stream).await
    }

    /// Canonical cells of the rows of a scan.
    async fn rows(&self, request: ScanRequest) -> Vec<Row> {
        let batches = self.batches(request).await;
        batches.iter().flat_map(rows_of).collect()
    }

    /// Canonical cells of the rows that the fixture has, by the columns of the request.
    fn expected(&self, request: &ScanRequest) -> Vec<Row> {
        let table = self.fixture.table(&request.table.table.name);
        let index: Vec<(usize, &LogicalType)> = request
            .columns
            .iter()
            .map(|wanted| {
                let mut columns = table.schema.columns.iter();
                let at = columns
                    .position(|c| c.name == wanted.column.name)
                    .expect("the fixture has the column");
                (at, &table.schema.columns[at].logical)
            })
            .collect();
        let row = |row: &Vec<Option<String>>| -> Row {
            index
                .iter()
                .map(|(at, kind)| expected_cell(row[*at].as_deref(), kind))
                .collect()
        };
        table.rows.iter().map(row).collect()
    }
}

async fn collected(mut stream: BatchStream) -> Vec<Batch<Sensitive>> {
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(ok(batch, "the next batch"));
    }
    batches
}

/// The first error of a scan, whether it comes from the call or from the stream.
async fn scan_error(source: &dyn RowSource, request: ScanRequest) -> PortResult<()> {
    let mut stream = source.scan(request).await?;
    while let Some(batch) = stream.next().await {
        batch?;
    }
    Ok(())
}

fn rows_of(batch: &Batch<Sensitive>) -> Vec<Row> {
    let columns: Vec<_> = batch.schema().columns.iter().zip(batch.columns()).collect();
    (0..batch.rows())
        .map(|row| {
            columns
                .iter()
                .map(|(column, array)| {
                    let value = cell(array.as_ref(), row);
                    let mut bytes = Vec::new();
                    canonical(value, numeric(&column.logical), &mut bytes);
                    (!value.is_null()).then_some(bytes)
                })
                .collect()
        })
        .collect()
}

/// A fixture's cell as the canonical bytes of the value a source should deliver for it.
fn expected_cell(cell: Option<&str>, logical: &LogicalType) -> Option<Vec<u8>> {
    let text = cell?;
    let mut bytes = Vec::new();
    let value = tdm_core::scalar::ScalarRef::Text(text);
    match logical.class() {
        TypeClass::Boolean => bytes.push(if text == "true" { b'1' } else { b'0' }),
        TypeClass::Bytes => {
            let digits: Vec<_> = text.chars().collect();
            for pair in digits.chunks(2) {
                let pair: String = pair.iter().collect();
                bytes.push(u8::from_str_radix(&pair, 16).expect("hexadecimal digits"));
            }
        }
        _ => canonical(value, numeric(logical), &mut bytes),
    }
    Some(bytes)
}

/// Whether trailing zeros carry no meaning.
fn numeric(logical: &LogicalType) -> bool {
    matches!(logical.class(), TypeClass::Decimal | TypeClass::Float)
}

/// Asserts that two bags of rows are equal, and says how they differ without saying what is in them.
#[track_caller]
fn assert_same_rows(mut read: Vec<Row>, mut expected: Vec<Row>, columns: &[String], what: &str) {
    assert_eq!(read.len(), expected.len(), "{what}: number of rows");
    read.sort();
    expected.sort();
    let mut wrong: BTreeMap<&str, usize> = BTreeMap::new();
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read.len(), expected.len(), "{what}: number of columns");
        for ((read, expected), column) in read.iter().zip(expected).zip(columns) {
            if read != expected {
                *wrong.entry(column).or_default() += 1;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{what}: cells that differ by column: {wrong:?}"
    );
}

fn names(request: &ScanRequest) -> Vec<String> {
    request
        .columns
        .iter()
        .map(|c| c.column.name.clone())
        .collect()
}
