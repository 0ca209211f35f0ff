//! A streamed copy of one SQLite table against SQLite's own `INSERT … SELECT` over an attached file.
//!
//! `cargo bench -p tdm-sql --bench sqlite_copy`; `TDM_BENCH_ROWS` changes the number of rows (2 million),
//! `TDM_BENCH_RUNS` that of runs (3). It prints medians, their ratio, and the peak memory of this process. Both
//! sides write into a fresh file that is synced at the end; the streamed copy reads through the source port,
//! hashes every row on both sides, writes through the target port, completes and publishes.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tdm_core::batch::{Batch, BatchColumn, BatchLimit, BatchSchema, Cleared, Sensitive};
use tdm_core::digest::RowDigest;
use tdm_core::ident::JobId;
use tdm_core::port::{
    Introspector as _, Namespace, OwnerMark, RowFilter, RowSource as _, ScanRequest, StageRequest,
    TargetDatabase as _,
};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::Engine;
use tdm_sql::sqlite::{SourceOptions, SqliteSource, SqliteTarget, execute_script};

fn main() {
    // `cargo test` starts benchmarks, too, and wants to know only whether they run.
    let quick = std::env::args().any(|argument| argument == "--test");
    let number = |name: &str, default| {
        let text = std::env::var(name).ok();
        text.map_or(default, |text| text.parse().unwrap())
    };
    let rows = number("TDM_BENCH_ROWS", if quick { 1_000 } else { 2_000_000 });
    let runs = number("TDM_BENCH_RUNS", if quick { 1 } else { 3 });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(run(rows, runs));
}

async fn run(rows: u64, runs: u64) {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("from.sqlite");
    execute_script(&from, customers(rows)).await.unwrap();
    let size = std::fs::metadata(&from).unwrap().len();
    println!("{rows} rows, 12 columns, {} MB", size / 1_000_000);

    let (mut floors, mut copies) = (Vec::new(), Vec::new());
    let (mut floor_cpu, mut copy_cpu) = (Vec::new(), Vec::new());
    for number in 0..runs {
        let floor = directory.path().join(format!("floor{number}.sqlite"));
        let before = processor_time();
        floors.push(insert_select(&from, &floor));
        std::fs::remove_file(&floor).unwrap();
        let between = processor_time();
        let copy = directory.path().join("copy.sqlite");
        copies.push(streamed(&from, &copy, rows).await);
        floor_cpu.push(between - before);
        copy_cpu.push(processor_time() - between);
    }
    let (floor, copy) = (median(floors), median(copies));
    println!("INSERT … SELECT, attached: {:.2} s", floor.as_secs_f64());
    println!("streamed and published:    {:.2} s", copy.as_secs_f64());
    let ratio = copy.as_secs_f64() / floor.as_secs_f64();
    println!("ratio: {ratio:.2} (wanted: at most 2.80)");
    // On a machine with other work, processor time is the fairer figure.
    let (floor, copy) = (median(floor_cpu), median(copy_cpu));
    let (floor, copy) = (floor.as_secs_f64(), copy.as_secs_f64());
    println!("processor time: {floor:.2} s and {copy:.2} s over all threads");
    if let Some(peak) = peak_memory() {
        println!("peak memory: {peak}");
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn customers(rows: u64) -> String {
    format!(
        "CREATE TABLE customers (
           id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL, email TEXT, phone TEXT,
           address TEXT, born DATE, balance NUMERIC, seen DATETIME, extra JSON, active BOOLEAN, note TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO customers SELECT i, 'First' || (i % 997), 'Last name ' || (i % 4999),
           'first' || i || '.last' || (i % 4999) || '@shop.example', '+44 20 ' || printf('%08d', i * 7 % 100000000),
           (i % 300) || ' Long Street, Flat ' || (i % 17) || ', 12345 Some Town, Region',
           date('1950-01-01', '+' || (i % 20000) || ' days'), (i * 37 % 1000000) / 100.0,
           datetime(1600000000 + i * 13, 'unixepoch'), '{{\"tier\": ' || (i % 5) || ', \"tags\": [\"a\", \"b\"]}}',
           i % 2, 'note of some length about customer ' || i || ', nothing of interest' FROM n"
    )
}

fn insert_select(from: &Path, to: &Path) -> Duration {
    let started = Instant::now();
    let connection = rusqlite::Connection::open(to).unwrap();
    connection
        .execute("ATTACH ?1 AS origin", [from.to_str().unwrap()])
        .unwrap();
    let ddl: String = connection
        .query_row(
            "SELECT sql FROM origin.sqlite_master WHERE name = 'customers'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let copy =
        format!("BEGIN; {ddl}; INSERT INTO customers SELECT * FROM origin.customers; COMMIT");
    connection.execute_batch(&copy).unwrap();
    connection.close().unwrap();
    started.elapsed()
}

async fn streamed(from: &Path, to: &Path, rows: u64) -> Duration {
    let started = Instant::now();
    let source = SqliteSource::open(from, SourceOptions::default())
        .await
        .unwrap();
    let catalog = source.introspect().await.unwrap().catalog;
    let table = Arc::new(catalog.tables[0].clone());
    let request = ScanRequest {
        columns: table
            .columns
            .iter()
            .map(|column| ColumnRequest {
                column: column.clone(),
                form: Form::Carried,
            })
            .collect(),
        table: Arc::clone(&table),
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let schema = Arc::new(BatchSchema {
        table: table.table.clone(),
        columns: table
            .columns
            .iter()
            .map(|c| BatchColumn::of(c, source.carried(c)))
            .collect(),
    });
    let target = SqliteTarget::open(to).unwrap();
    let request_to_stage = StageRequest {
        namespace: Namespace::Main,
        source_engine: Engine::Sqlite,
        tables: vec![(*table).clone()],
        mark: OwnerMark {
            job: JobId(uuid::Uuid::from_u128(1)),
            dataset: "bench@1".to_owned(),
        },
    };
    let mut staging = target.stage(request_to_stage).await.unwrap();
    let mut writer = staging.open(&table.table, &schema).await.unwrap();
    let mut stream = source.scan(request).await.unwrap();
    let mut read = RowDigest::default();
    while let Some(batch) = stream.next().await {
        let batch = batch.unwrap();
        read.add(&batch);
        writer.write(cleared(&batch)).await.unwrap();
    }
    let receipt = writer.finish().await.unwrap();
    assert_eq!((receipt.digest, read.rows), (read, rows));
    staging.complete().await.unwrap();
    staging.publish().await.unwrap();
    started.elapsed()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the benchmark stands in for the plan that clears batches"
)]
fn cleared(batch: &Batch<Sensitive>) -> Batch<Cleared> {
    Batch::attest(
        Arc::clone(batch.schema()),
        batch.columns().to_vec(),
        batch.rows(),
        batch.origin(),
    )
    .unwrap()
}

/// User and system time of this process so far, where the kernel tells, in its usual ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
    let ticks: u64 = fields
        .skip(12)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// The kernel's own count, where there is one.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.trim_start_matches("VmHWM:").trim().to_owned())
}
