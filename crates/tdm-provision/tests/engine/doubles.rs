//! Sources that understand a condition, and sources and targets that lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, BatchSchema, Cleared, Encoding, Sensitive};
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{Column, ForeignKey};
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::memory::{MemorySource, MemoryTarget};
use tdm_core::port::{
    BatchStream, Namespace, NamespaceState, Publication, RowFilter, RowSink, RowSource,
    ScanRequest, ServerIdentity, SinkCapability, SourceCapability, StageRequest, Staging,
    TableWriter, TargetDatabase, WriteReceipt,
};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::Engine;

/// What a source gets wrong, or what it sees.
#[derive(Debug, Clone, Default)]
pub(crate) enum Twist {
    /// Nothing.
    #[default]
    None,
    /// It loses the last row of every batch of a table.
    DropRow(TableRef),
    /// It fails at the batch with this number.
    FailAt(usize),
    /// It raises a flag at the batch with this number.
    CancelAt(usize, CancelToken),
}

/// A memory source that understands `v < n` and may be twisted; counts what it is asked.
#[derive(Debug, Clone)]
pub(crate) struct TestSource {
    inner: MemorySource,
    twist: Twist,
    batches: Arc<AtomicUsize>,
    scans: Arc<AtomicUsize>,
    /// Rows per batch; small ones show what happens between batches.
    rows_max: usize,
}

impl TestSource {
    pub(crate) fn new(inner: MemorySource) -> Self {
        Self {
            inner,
            twist: Twist::None,
            batches: Arc::default(),
            scans: Arc::default(),
            rows_max: usize::MAX,
        }
    }

    pub(crate) fn twisted(mut self, twist: Twist) -> Self {
        self.twist = twist;
        self
    }

    pub(crate) fn batches_of(mut self, rows: usize) -> Self {
        self.rows_max = rows;
        self
    }

    /// Batches delivered so far.
    pub(crate) fn batches(&self) -> usize {
        self.batches.load(Ordering::Relaxed)
    }

    /// Scans started so far.
    pub(crate) fn scans(&self) -> usize {
        self.scans.load(Ordering::Relaxed)
    }
}

fn bound(condition: &str) -> PortResult<i64> {
    let number = condition.strip_prefix("v < ").and_then(|n| n.parse().ok());
    number.ok_or_else(|| PortError::Invalid {
        object: "condition".to_owned(),
        reason: "does not parse".to_owned(),
    })
}

#[async_trait]
impl RowSource for TestSource {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn capability(&self) -> SourceCapability {
        self.inner.capability()
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        self.inner.identity().await
    }

    fn encoding(&self, column: &Column) -> Encoding {
        self.inner.encoding(column)
    }

    fn carried(&self, column: &Column) -> Encoding {
        self.inner.carried(column)
    }

    async fn check(&self, request: &ScanRequest) -> PortResult<()> {
        if let RowFilter::Where(condition) = &request.filter {
            bound(condition)?;
            let mut all = request.clone();
            all.filter = RowFilter::All;
            return self.inner.check(&all).await;
        }
        self.inner.check(request).await
    }

    async fn scan(&self, mut request: ScanRequest) -> PortResult<BatchStream> {
        self.scans.fetch_add(1, Ordering::Relaxed);
        request.limit.rows_max = request.limit.rows_max.min(self.rows_max);
        let own = request.columns.len();
        let table = request.table.table.clone();
        let mut below = None;
        if let RowFilter::Where(condition) = &request.filter {
            below = Some(bound(condition)?);
            let column = request.table.column("v").expect("a payload").clone();
            let form = Form::Decoded;
            request.columns.push(ColumnRequest { column, form });
            request.filter = RowFilter::All;
        }
        let inner = self.inner.scan(request).await?;
        let this = self.clone();
        Ok(Box::pin(inner.flat_map(move |batch| {
            let number = this.batches.fetch_add(1, Ordering::Relaxed);
            let batch = match &this.twist {
                Twist::FailAt(at) if *at == number => Err(PortError::Unavailable {
                    object: "source".to_owned(),
                    reason: "connection lost".to_owned(),
                }),
                Twist::CancelAt(at, flag) => {
                    if *at == number {
                        flag.cancel();
                    }
                    batch
                }
                Twist::DropRow(from) if *from == table => batch.map(|batch| {
                    let last = batch.rows() - 1;
                    picked(&batch, own.max(batch.columns().len()), |row| row < last)
                }),
                _ => batch,
            };
            let batch = batch.map(|batch| match below {
                None => batch,
                Some(below) => picked(
                    &batch,
                    own,
                    |row| matches!(cell(batch.column(own).as_ref(), row), ScalarRef::Int(v) if v < below),
                ),
            });
            stream::iter([batch])
        })))
    }
}

/// The first `columns` columns of the rows that `keep` names.
fn picked(
    batch: &Batch<Sensitive>,
    columns: usize,
    keep: impl Fn(usize) -> bool,
) -> Batch<Sensitive> {
    let rows: Vec<usize> = (0..batch.rows()).filter(|&row| keep(row)).collect();
    let schema = BatchSchema {
        table: batch.schema().table.clone(),
        columns: batch.schema().columns[..columns].to_vec(),
    };
    let arrays = (0..columns)
        .map(|c| rebuilt(batch.column(c), schema.columns[c].encoding, &rows))
        .collect();
    Batch::read(Arc::new(schema), arrays, rows.len(), batch.origin()).unwrap()
}

fn rebuilt(array: &ArrayRef, encoding: Encoding, rows: &[usize]) -> ArrayRef {
    let mut builder = ColumnBuilder::new(encoding, rows.len());
    for &row in rows {
        builder.push(cell(array.as_ref(), row)).unwrap();
    }
    builder.finish()
}

/// What a target gets wrong.
#[derive(Debug, Clone, Default)]
pub(crate) enum Lie {
    /// Nothing.
    #[default]
    None,
    /// Its writer changes a cell on the way and reports the digest of what it wrote.
    AlterCell,
    /// Its writer keeps the last row of a batch to itself and counts what it wrote.
    ShortWrite,
    /// Its writer says that it wrote a row less than it did.
    ShortReceipt,
    /// Its staging area loses a row after the receipt was given.
    LoseRow(TableRef),
    /// Its staging area returns another cell than was written.
    OtherCell(TableRef),
    /// It refuses the batch with this number.
    RefuseAt(usize),
    /// It claims to hold tables of others.
    Foreign,
}

/// A memory target that lies.
#[derive(Debug, Clone)]
pub(crate) struct Liar {
    pub(crate) inner: MemoryTarget,
    lie: Lie,
    batches: Arc<AtomicUsize>,
    discarded: Arc<AtomicUsize>,
}

impl Liar {
    pub(crate) fn new(inner: MemoryTarget, lie: Lie) -> Self {
        Self {
            inner,
            lie,
            batches: Arc::default(),
            discarded: Arc::default(),
        }
    }

    /// Staging areas that were thrown away on request.
    pub(crate) fn discarded(&self) -> usize {
        self.discarded.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl TargetDatabase for Liar {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn capability(&self) -> SinkCapability {
        self.inner.capability()
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        self.inner.identity().await
    }

    async fn state(&self, namespace: &Namespace) -> PortResult<NamespaceState> {
        if matches!(self.lie, Lie::Foreign) {
            return Ok(NamespaceState::Foreign { tables: 3 });
        }
        self.inner.state(namespace).await
    }

    async fn stage(&self, request: StageRequest) -> PortResult<Box<dyn Staging>> {
        Ok(Box::new(LiarStaging {
            inner: self.inner.stage(request).await?,
            liar: self.clone(),
        }))
    }

    async fn read(&self, namespace: &Namespace) -> PortResult<Arc<dyn RowSource>> {
        self.inner.read(namespace).await
    }

    async fn remove(&self, namespace: &Namespace) -> PortResult<()> {
        self.inner.remove(namespace).await
    }

    async fn remove_leftovers(&self) -> PortResult<usize> {
        self.inner.remove_leftovers().await
    }
}

struct LiarStaging {
    inner: Box<dyn Staging>,
    liar: Liar,
}

#[async_trait]
impl RowSink for LiarStaging {
    async fn open(
        &mut self,
        table: &TableRef,
        schema: &Arc<BatchSchema>,
    ) -> PortResult<Box<dyn TableWriter>> {
        Ok(Box::new(LiarWriter {
            inner: self.inner.open(table, schema).await?,
            liar: self.liar.clone(),
        }))
    }
}

#[async_trait]
impl Staging for LiarStaging {
    async fn complete(&mut self) -> PortResult<()> {
        self.inner.complete().await
    }

    async fn dangling(&mut self, foreign_key: &ForeignKey) -> PortResult<u64> {
        self.inner.dangling(foreign_key).await
    }

    async fn read(&mut self) -> PortResult<Arc<dyn RowSource>> {
        Ok(Arc::new(LiarReader {
            inner: self.inner.read().await?,
            lie: self.liar.lie.clone(),
        }))
    }

    async fn publish(self: Box<Self>) -> PortResult<Publication> {
        self.inner.publish().await
    }

    async fn discard(self: Box<Self>) -> PortResult<()> {
        self.liar.discarded.fetch_add(1, Ordering::Relaxed);
        self.inner.discard().await
    }
}

struct LiarWriter {
    inner: Box<dyn TableWriter>,
    liar: Liar,
}

#[async_trait]
impl TableWriter for LiarWriter {
    async fn write(&mut self, batch: Batch<Cleared>) -> PortResult<()> {
        let number = self.liar.batches.fetch_add(1, Ordering::Relaxed);
        let last = batch.rows() - 1;
        let batch = match self.liar.lie {
            Lie::AlterCell => altered(&batch, |_| true, true),
            Lie::ShortWrite => altered(&batch, |row| row < last, false),
            Lie::RefuseAt(at) if at == number => {
                return Err(PortError::RowRefused {
                    object: batch.schema().table.to_string(),
                    code: "23514".to_owned(),
                });
            }
            _ => batch,
        };
        self.inner.write(batch).await
    }

    async fn finish(self: Box<Self>) -> PortResult<WriteReceipt> {
        let mut receipt = self.inner.finish().await?;
        if matches!(self.liar.lie, Lie::ShortReceipt) {
            receipt.digest.rows -= 1;
        }
        Ok(receipt)
    }

    async fn abort(self: Box<Self>) -> PortResult<()> {
        self.inner.abort().await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a writer that lies has to make what it lies with"
)]
fn altered(batch: &Batch<Cleared>, keep: impl Fn(usize) -> bool, change: bool) -> Batch<Cleared> {
    let rows: Vec<usize> = (0..batch.rows()).filter(|&row| keep(row)).collect();
    let schema = Arc::clone(batch.schema());
    let mut arrays: Vec<ArrayRef> = schema
        .columns
        .iter()
        .zip(batch.columns())
        .map(|(c, array)| rebuilt(array, c.encoding, &rows))
        .collect();
    if change {
        arrays = changed(&schema, &arrays);
    }
    Batch::attest(schema, arrays, rows.len(), batch.origin()).unwrap()
}

/// The same arrays with one to add to every integer called `v`.
fn changed(schema: &BatchSchema, arrays: &[ArrayRef]) -> Vec<ArrayRef> {
    let plus_one = |array: &ArrayRef| {
        let mut builder = ColumnBuilder::new(Encoding::Int64, array.len());
        for row in 0..array.len() {
            let value = match cell(array.as_ref(), row) {
                ScalarRef::Int(v) => ScalarRef::Int(v + 1),
                other => other,
            };
            builder.push(value).unwrap();
        }
        builder.finish()
    };
    schema
        .columns
        .iter()
        .zip(arrays)
        .map(|(column, array)| {
            if column.name == "v" {
                plus_one(array)
            } else {
                Arc::clone(array)
            }
        })
        .collect()
}

#[derive(Debug)]
struct LiarReader {
    inner: Arc<dyn RowSource>,
    lie: Lie,
}

#[async_trait]
impl RowSource for LiarReader {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn capability(&self) -> SourceCapability {
        self.inner.capability()
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        self.inner.identity().await
    }

    fn encoding(&self, column: &Column) -> Encoding {
        self.inner.encoding(column)
    }

    fn carried(&self, column: &Column) -> Encoding {
        self.inner.carried(column)
    }

    async fn check(&self, request: &ScanRequest) -> PortResult<()> {
        self.inner.check(request).await
    }

    async fn scan(&self, request: ScanRequest) -> PortResult<BatchStream> {
        let table = request.table.table.clone();
        let lie = self.lie.clone();
        let inner = self.inner.scan(request).await?;
        Ok(Box::pin(inner.map(move |batch| {
            batch.map(|batch| match &lie {
                Lie::LoseRow(from) if *from == table => {
                    let last = batch.rows() - 1;
                    picked(&batch, batch.columns().len(), |row| row < last)
                }
                Lie::OtherCell(of) if *of == table => {
                    let schema = Arc::clone(batch.schema());
                    let arrays = changed(&schema, batch.columns());
                    Batch::read(schema, arrays, batch.rows(), batch.origin()).unwrap()
                }
                _ => batch,
            })
        })))
    }
}
