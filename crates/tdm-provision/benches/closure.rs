//! How fast a closure takes rows, against the cheapest thing that could stand for it: the same keys put into
//! the standard hash set of integers. The source computes its rows, so that what is measured is the closure.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints what it measures and stops at the first thing that is wrong"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream;
use tdm_core::arrow_array::cast::AsArray as _;
use tdm_core::arrow_array::types::Int64Type;
use tdm_core::arrow_array::{Array as _, ArrayRef, Int64Array};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Encoding};
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{Column, ForeignKey, Key, TableSchema};
use tdm_core::error::PortResult;
use tdm_core::ident::TableRef;
use tdm_core::memory::MemorySource;
use tdm_core::port::{
    BatchStream, NoProgress, RowFilter, RowSource, ScanRequest, ServerIdentity, SourceCapability,
};
use tdm_core::types::{Engine, LogicalType};
use tdm_provision::subset::{Seed, SeedRows, SubsetPlan, SubsetSpec, close};

const ORDERS: i64 = 10;
const LINES: i64 = 3;
const PRODUCTS: i64 = 100_000;
const COUNTRIES: i64 = 200;

/// A shop whose rows are computed: order `n` belongs to customer `n / 10`, line `n` to order `n / 3`.
#[derive(Debug)]
struct Shop {
    memory: MemorySource,
}

/// Children of one parent, for the references whose children follow.
fn family(column: &str) -> i64 {
    match column {
        "customer_id" => ORDERS,
        "order_id" => LINES,
        _ => 1,
    }
}

fn value(column: &str, row: i64) -> i64 {
    match column {
        "customer_id" => row / ORDERS,
        "order_id" => row / LINES,
        // Spread over all products without a pattern that a hash could like.
        "product_id" => (row.wrapping_mul(2_654_435_761) >> 7).rem_euclid(PRODUCTS),
        "country_id" => row % COUNTRIES,
        _ => row,
    }
}

#[async_trait]
impl RowSource for Shop {
    fn engine(&self) -> Engine {
        Engine::Memory
    }

    fn capability(&self) -> SourceCapability {
        self.memory.capability()
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        self.memory.identity().await
    }

    fn encoding(&self, _: &Column) -> Encoding {
        Encoding::Int64
    }

    fn carried(&self, _: &Column) -> Encoding {
        Encoding::Int64
    }

    async fn check(&self, _: &ScanRequest) -> PortResult<()> {
        Ok(())
    }

    async fn scan(&self, request: ScanRequest) -> PortResult<BatchStream> {
        let rows: Vec<i64> = match &request.filter {
            RowFilter::Where(bound) => (0..bound.parse().unwrap()).collect(),
            RowFilter::Keys(keys) => {
                let family = family(&keys.columns[0].name);
                let keys = keys.arrays[0].as_primitive::<Int64Type>().values();
                let rows = keys
                    .iter()
                    .flat_map(|&key| key * family..(key + 1) * family);
                rows.collect()
            }
            _ => Vec::new(),
        };
        let columns: Vec<Column> = request.columns.into_iter().map(|c| c.column).collect();
        let schema = Arc::new(BatchSchema {
            table: request.table.table.clone(),
            columns: columns
                .iter()
                .map(|c| BatchColumn::of(c, Encoding::Int64))
                .collect(),
        });
        let rows_max = request.limit.rows_max;
        let starts = (0..rows.len()).step_by(rows_max).collect::<Vec<_>>();
        let batches = starts.into_iter().map(move |start| {
            let piece = &rows[start..(start + rows_max).min(rows.len())];
            let arrays = columns.iter().map(|column| -> ArrayRef {
                let cells = piece.iter().map(|&row| value(&column.name, row));
                Arc::new(Int64Array::from_iter_values(cells))
            });
            let arrays: Vec<ArrayRef> = arrays.collect();
            let length = arrays[0].len();
            Ok(Batch::read(
                Arc::clone(&schema),
                arrays,
                length,
                start as u64,
            )?)
        });
        Ok(Box::pin(stream::iter(batches)))
    }
}

fn table(name: &str, references: &[(&str, &str)]) -> TableSchema {
    let mut table = TableSchema::new(TableRef::new(name));
    let column =
        |name: &str, ordinal| Column::new(name, ordinal, "bigint", LogicalType::BIGINT).not_null();
    table.columns.push(column("id", 1));
    table.primary_key = Some(Key::over(["id"]));
    for (&(name, parent), ordinal) in references.iter().zip(2..) {
        table.columns.push(column(name, ordinal));
        table.foreign_keys.push(ForeignKey::new(
            table.table.clone(),
            TableRef::new(parent),
            vec![(name.to_owned(), "id".to_owned())],
        ));
    }
    // Served as if every reference had an index.
    let references = references.iter().map(|(name, _)| Key::over([*name]));
    table.unique.extend(references);
    table
}

fn per_second(rows: u64, time: Duration) -> u128 {
    u128::from(rows) * 1_000_000 / time.as_micros().max(1)
}

fn main() {
    let tables = [
        table("country", &[]),
        table("customer", &[("country_id", "country")]),
        table("product", &[]),
        table("orders", &[("customer_id", "customer")]),
        table("line", &[("order_id", "orders"), ("product_id", "product")]),
    ];
    let source = Shop {
        memory: MemorySource::new("shop", Vec::new()),
    };
    for customers in [1_000, 10_000, 100_000] {
        let mut spec = SubsetSpec {
            seeds: vec![Seed {
                table: "customer".to_owned(),
                rows: SeedRows::Where(customers.to_string()),
            }],
            ..SubsetSpec::default()
        };
        // Everything anybody ordered is not what these customers ordered.
        spec.edges.push(tdm_provision::subset::EdgePolicy::new(
            "line",
            "product",
            tdm_provision::subset::Down::None,
        ));
        let plan = SubsetPlan::compile(&tables, &[], &spec).unwrap();
        let (mut best, mut found) = (Duration::MAX, None);
        for _ in 0..3 {
            let start = Instant::now();
            let (cancel, progress) = (CancelToken::new(), NoProgress);
            let closing = close(&plan, &source, 10_000, &cancel, &progress);
            let closure = futures_executor::block_on(closing).unwrap();
            best = best.min(start.elapsed());
            found = Some(closure);
        }
        let closure = found.unwrap();
        let rows: u64 = closure
            .tables
            .iter()
            .map(tdm_provision::subset::TableSelection::rows)
            .sum();
        let start = Instant::now();
        let mut floor = HashSet::new();
        for row in 0..i64::try_from(rows).unwrap() {
            floor.insert(row.wrapping_mul(31));
        }
        let plain = start.elapsed();
        println!(
            "{rows:>9} rows: {best:>10.1?}, {:>9} rows/s, {:.1} times a plain hash set of as many integers ({} distinct), \
             {} scans, {} bytes of key sets a row",
            per_second(rows, best),
            best.as_secs_f64() / plain.as_secs_f64(),
            floor.len(),
            closure.scans,
            closure.memory as u64 / rows,
        );
    }
}
