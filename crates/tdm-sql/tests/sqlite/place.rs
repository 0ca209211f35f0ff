//! A directory with databases in it, and the plain copy that most tests need.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::{Batch, BatchColumn, BatchLimit, BatchSchema, Cleared, Sensitive};
use tdm_core::catalog::{Catalog, TableKind, TableSchema};
use tdm_core::digest::RowDigest;
use tdm_core::error::PortResult;
use tdm_core::graph::FkGraph;
use tdm_core::ident::JobId;
use tdm_core::port::{
    Introspector as _, Namespace, OwnerMark, RowFilter, RowSource, ScanRequest, StageRequest,
    Staging, TargetDatabase,
};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::Engine;
use tdm_sql::sqlite::{SourceOptions, SqliteSource, execute_script};

pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) async fn database(&self, name: &str, sql: &str) -> PathBuf {
        let path = self.path(name);
        execute_script(&path, sql).await.unwrap();
        path
    }

    pub(crate) async fn source(&self, sql: &str) -> SqliteSource {
        open(&self.database("source.sqlite", sql).await).await
    }

    /// Names of the files in the directory, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub(crate) async fn open(path: &Path) -> SqliteSource {
    SqliteSource::open(path, SourceOptions::default())
        .await
        .unwrap()
}

pub(crate) async fn catalog(source: &SqliteSource) -> Catalog {
    source.introspect().await.unwrap().catalog
}

pub(crate) fn table(catalog: &Catalog, name: &str) -> Arc<TableSchema> {
    Arc::new(catalog.find(name)[0].clone())
}

/// A scan of the columns that a load writes.
pub(crate) fn request(table: &Arc<TableSchema>, form: Form, filter: RowFilter) -> ScanRequest {
    let columns = table.columns.iter().filter(|c| c.is_written());
    ScanRequest {
        columns: columns
            .map(|column| ColumnRequest {
                column: column.clone(),
                form,
            })
            .collect(),
        table: Arc::clone(table),
        filter,
        limit: BatchLimit::default(),
    }
}

pub(crate) async fn batches(
    source: &dyn RowSource,
    request: ScanRequest,
) -> PortResult<Vec<Batch<Sensitive>>> {
    let stream = source.scan(request).await?;
    stream.collect::<Vec<_>>().await.into_iter().collect()
}

pub(crate) fn digest(batches: &[Batch<Sensitive>]) -> RowDigest {
    let mut digest = RowDigest::default();
    batches.iter().for_each(|batch| digest.add(batch));
    digest
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests stand in for the plan that clears batches"
)]
pub(crate) fn cleared(batch: &Batch<Sensitive>) -> Batch<Cleared> {
    Batch::attest(
        Arc::clone(batch.schema()),
        batch.columns().to_vec(),
        batch.rows(),
        batch.origin(),
    )
    .unwrap()
}

pub(crate) fn stage_request(namespace: Namespace, tables: Vec<TableSchema>) -> StageRequest {
    StageRequest {
        namespace,
        source_engine: Engine::Sqlite,
        tables,
        mark: OwnerMark {
            job: JobId(uuid::Uuid::from_u128(0x7d4)),
            dataset: "shop@1".to_owned(),
        },
    }
}

/// Tables and views of a catalog, parents first.
pub(crate) fn load_order(catalog: &Catalog) -> Vec<TableSchema> {
    let tables: Vec<_> = catalog
        .tables
        .iter()
        .filter(|t| t.kind.holds_rows())
        .collect();
    let order = FkGraph::new(tables.iter().copied(), &[]).load_order();
    let views = catalog.tables.iter().filter(|t| t.kind == TableKind::View);
    order
        .into_iter()
        .map(|number| tables[number].clone())
        .chain(views.cloned())
        .collect()
}

/// Stages everything and checks, table by table, that reader, receipt and re-read agree.
pub(crate) async fn staged(
    source: &SqliteSource,
    target: &dyn TargetDatabase,
    namespace: Namespace,
) -> Box<dyn Staging> {
    let catalog = catalog(source).await;
    let tables = load_order(&catalog);
    let mut staging = target
        .stage(stage_request(namespace, tables.clone()))
        .await
        .unwrap();
    let mut receipts = Vec::new();
    for table in tables.iter().filter(|t| t.kind.holds_rows()) {
        let table = Arc::new(table.clone());
        let request = request(&table, Form::Carried, RowFilter::All);
        let schema = Arc::new(BatchSchema {
            table: table.table.clone(),
            columns: request
                .columns
                .iter()
                .map(|c| BatchColumn::of(&c.column, source.carried(&c.column)))
                .collect(),
        });
        let mut writer = staging.open(&table.table, &schema).await.unwrap();
        let read = batches(source, request.clone()).await.unwrap();
        for batch in &read {
            writer.write(cleared(batch)).await.unwrap();
        }
        let receipt = writer.finish().await.unwrap();
        assert_eq!(receipt.digest, digest(&read), "{}", table.table);
        receipts.push((request, receipt));
    }
    staging.complete().await.unwrap();
    let staged = staging.read().await.unwrap();
    for (request, receipt) in receipts {
        let name = request.table.table.clone();
        let back = batches(staged.as_ref(), request).await.unwrap();
        assert_eq!(receipt.digest, digest(&back), "{name}");
    }
    staging
}

pub(crate) async fn copied(
    source: &SqliteSource,
    target: &dyn TargetDatabase,
    namespace: Namespace,
) {
    let staging = staged(source, target, namespace).await;
    staging.publish().await.unwrap();
}

/// Reads values with the driver itself.
pub(crate) fn query(path: &Path, sql: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..width).map(|at| row.get(at)).collect())
        .unwrap();
    rows.map(Result::unwrap).collect()
}
