//! A build: rows go into a staging area, are completed, verified, and only then published.
//!
//! Each table's rows arrive in work units, each with a receipt. [`Build::verify`] holds the receipts against
//! what the target returns; nothing is published that does not agree.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use tdm_core::batch::{Batch, BatchColumn, BatchLimit, BatchSchema, Cleared, Encoding};
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::digest::RowDigest;
use tdm_core::generator::RowGenerator;
use tdm_core::ident::TableRef;
use tdm_core::port::{
    ProgressEvent, Publication, RowSource, StageRequest, Staging, StepContext, TableWriter,
    TargetDatabase,
};
use tdm_core::transform::Transform;
use tdm_core::types::{Engine, LogicalType};
use tdm_core::unit::{UnitRange, UnitReceipt, WorkUnit};

use crate::error::{Error, Result};
use crate::subset::TableSelection;

mod read;
mod stub;
mod verify;

use read::Reader;
pub(crate) use verify::expect_empty;
use verify::reread;

/// A build in progress.
pub struct Build {
    staging: Box<dyn Staging>,
    schemas: BTreeMap<TableRef, Arc<TableSchema>>,
    loaded: BTreeMap<TableRef, Loaded>,
    engine: Engine,
    plan_hash: String,
    step: &'static str,
    units: u32,
}

/// What was written into one table so far.
#[derive(Debug)]
struct Loaded {
    columns: Arc<BatchSchema>,
    written: RowDigest,
    /// Digest, as they were handed to the writer, of the columns at `compared`.
    sent: RowDigest,
    compared: Vec<usize>,
    /// Digest, as the source delivered them, of the columns that pass through; `None` once generated rows mix in.
    passed: Option<RowDigest>,
}

/// What a verified build holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Count and digest of every table, as the target returns them.
    pub tables: BTreeMap<String, RowDigest>,
    /// References that were checked, and rows of each without a parent where the caller tolerates them.
    pub references: BTreeMap<String, u64>,
    /// Count and digest over all tables.
    pub total: RowDigest,
}

impl Build {
    /// Opens a staging area. `step` names the job's step in progress events.
    ///
    /// # Errors
    /// When the target cannot stage.
    pub async fn begin(
        target: &dyn TargetDatabase,
        request: StageRequest,
        plan_hash: impl Into<String>,
        step: &'static str,
    ) -> Result<Self> {
        let schemas = request
            .tables
            .iter()
            .map(|t| (t.table.clone(), Arc::new(t.clone())))
            .collect();
        let staging = target.stage(request).await?;
        Ok(Self {
            staging,
            schemas,
            loaded: BTreeMap::new(),
            engine: target.engine(),
            plan_hash: plan_hash.into(),
            step,
            units: 0,
        })
    }

    /// Copies the selected rows of one table through `transform`.
    ///
    /// # Errors
    /// When source, transform or target fail, when the rows are not those of the closure, or on cancellation.
    /// Nothing of the unit stays in the staging area then.
    pub async fn copy(
        &mut self,
        source: &dyn RowSource,
        selection: &TableSelection,
        transform: &dyn Transform,
        context: &StepContext,
    ) -> Result<UnitReceipt> {
        let table = selection.table.table.clone();
        let unit = self.unit(&table, UnitRange::Whole);
        let mut writer = self.open(&table, transform.output()).await?;
        let mut reader = Reader::new(source, selection, transform);
        let mut sent = Sent::new(self.compared(&table));
        let copied = self
            .pump(&mut reader, writer.as_mut(), transform, &mut sent, context)
            .await
            .and_then(|()| reader.check());
        let digest = finish(writer, copied).await?;
        let entry = self.loaded.get_mut(&table).expect("opened above");
        entry.sent = entry.sent.merge(sent.digest);
        entry.written = entry.written.merge(digest);
        entry.passed = entry.passed.map(|passed| passed.merge(reader.passed));
        balanced(UnitReceipt {
            unit,
            attempt: 1,
            rows_read: reader.read,
            rows_written: digest.rows,
            rows_rejected: 0,
            rows_filtered: reader.filtered,
            digest,
        })
    }

    /// Adds generated rows to one table.
    ///
    /// # Errors
    /// When generator or target fail, or on cancellation.
    pub async fn generate(
        &mut self,
        generator: &dyn RowGenerator,
        rows: Range<u64>,
        context: &StepContext,
    ) -> Result<UnitReceipt> {
        let table = generator.schema().table.clone();
        let unit = self.unit(
            &table,
            UnitRange::Rows {
                start: rows.start,
                end: rows.end,
            },
        );
        let mut writer = self.open(&table, generator.schema()).await?;
        let mut sent = Sent::new(self.compared(&table));
        let generated = async {
            let step = BatchLimit::default().rows_max as u64;
            let mut start = rows.start;
            while start < rows.end {
                context.cancel.check()?;
                let end = (start + step).min(rows.end);
                let batch = generator
                    .generate(start..end)
                    .map_err(|reason| Error::Generate {
                        table: table.clone(),
                        reason,
                    })?;
                sent.add(&batch);
                writer.write(batch).await?;
                start = end;
                self.report(
                    context,
                    &table,
                    start - rows.start,
                    Some(rows.end - rows.start),
                );
            }
            Ok(())
        }
        .await;
        let digest = finish(writer, generated).await?;
        let entry = self.loaded.get_mut(&table).expect("opened above");
        entry.sent = entry.sent.merge(sent.digest);
        entry.written = entry.written.merge(digest);
        entry.passed = None;
        balanced(UnitReceipt {
            unit,
            attempt: 1,
            rows_read: rows.end - rows.start,
            rows_written: digest.rows,
            rows_rejected: 0,
            rows_filtered: 0,
            digest,
        })
    }

    /// Reads the rows staged so far, for example the keys that generated rows may refer to.
    ///
    /// # Errors
    /// When the target fails.
    pub async fn staged(&mut self) -> Result<Arc<dyn RowSource>> {
        Ok(self.staging.read().await?)
    }

    /// Builds indexes and constraints, then holds the target to its receipts: every table's count and digest
    /// as re-read equals what was written and, where the target returns values literally, what was sent;
    /// pass-through columns equal what the source delivered; and every reference among `relationships` and
    /// the staged foreign keys finds its parent. References that leave the staged tables are not checked.
    ///
    /// References for which `tolerated` says so are counted and may dangle.
    ///
    /// # Errors
    /// With the first equality that does not hold.
    pub async fn verify(
        &mut self,
        relationships: &[ForeignKey],
        tolerated: &(dyn Fn(&ForeignKey) -> bool + Send + Sync),
        context: &StepContext,
    ) -> Result<Verification> {
        self.staging.complete().await?;
        let source = self.staging.read().await?;
        let mut verification = Verification {
            tables: BTreeMap::new(),
            references: BTreeMap::new(),
            total: RowDigest::default(),
        };
        for (table, schema) in &self.schemas {
            context.cancel.check()?;
            let digest = match self.loaded.get(table) {
                Some(loaded) => reread(source.as_ref(), schema, loaded, context).await?,
                None => expect_empty(source.as_ref(), schema, context).await?,
            };
            verification.tables.insert(table.to_string(), digest);
            verification.total = verification.total.merge(digest);
        }
        drop(source);
        let declared = self
            .schemas
            .values()
            .flat_map(|schema| schema.foreign_keys.iter());
        let staged = |fk: &&ForeignKey| {
            self.schemas.contains_key(&fk.child) && self.schemas.contains_key(&fk.parent)
        };
        let all: Vec<ForeignKey> = declared
            .chain(relationships)
            .filter(staged)
            .cloned()
            .collect();
        for foreign_key in all {
            context.cancel.check()?;
            let rows = self.staging.dangling(&foreign_key).await?;
            let reference = foreign_key.describe();
            if rows > 0 && !tolerated(&foreign_key) {
                return Err(Error::Dangling { reference, rows });
            }
            verification.references.insert(reference, rows);
        }
        Ok(verification)
    }

    /// Makes the build visible in one step.
    ///
    /// # Errors
    /// When the target fails; what was published before stays.
    pub async fn publish(self) -> Result<Publication> {
        Ok(self.staging.publish().await?)
    }

    /// Throws the build away.
    ///
    /// # Errors
    /// When the target cannot remove it.
    pub async fn discard(self) -> Result<()> {
        Ok(self.staging.discard().await?)
    }

    fn unit(&mut self, table: &TableRef, range: UnitRange) -> WorkUnit {
        self.units += 1;
        WorkUnit {
            number: self.units,
            table: table.clone(),
            range,
            plan_hash: self.plan_hash.clone(),
        }
    }

    async fn open(
        &mut self,
        table: &TableRef,
        columns: &Arc<BatchSchema>,
    ) -> Result<Box<dyn TableWriter>> {
        if let Some(loaded) = self.loaded.get(table) {
            let names = |schema: &BatchSchema| {
                schema
                    .columns
                    .iter()
                    .map(|c| c.name.clone())
                    .collect::<Vec<_>>()
            };
            // A digest covers columns in order: all units of a table must agree on them.
            if names(&loaded.columns) != names(columns) {
                return Err(Error::Mismatch {
                    table: table.clone(),
                    check: "one list of columns for all units",
                });
            }
        }
        let writer = self.staging.open(table, columns).await?;
        let engine = self.engine;
        self.loaded.entry(table.clone()).or_insert_with(|| Loaded {
            columns: Arc::clone(columns),
            written: RowDigest::default(),
            sent: RowDigest::default(),
            compared: (0..columns.columns.len())
                .filter(|&i| returns_literally(engine, &columns.columns[i]))
                .collect(),
            passed: Some(RowDigest::default()),
        });
        Ok(writer)
    }

    async fn pump(
        &self,
        reader: &mut Reader<'_>,
        writer: &mut dyn TableWriter,
        transform: &dyn Transform,
        sent: &mut Sent,
        context: &StepContext,
    ) -> Result<()> {
        let table = &reader.selection.table.table;
        while let Some(batch) = reader.next(context).await? {
            let cleared = transform.apply(&batch)?;
            sent.add(&cleared);
            writer.write(cleared).await?;
            self.report(context, table, reader.read, Some(reader.selection.rows()));
        }
        Ok(())
    }

    fn compared(&self, table: &TableRef) -> Vec<usize> {
        self.loaded
            .get(table)
            .map_or_else(Vec::new, |loaded| loaded.compared.clone())
    }

    fn report(&self, context: &StepContext, table: &TableRef, rows: u64, expected: Option<u64>) {
        let event = ProgressEvent::Rows {
            step: self.step.to_owned(),
            table: table.clone(),
            rows,
            expected,
        };
        context.progress.report(&event);
    }
}

impl std::fmt::Debug for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Build")
            .field("tables", &self.schemas.len())
            .field("units", &self.units)
            .finish_non_exhaustive()
    }
}

/// Digest of what a writer was handed.
struct Sent {
    columns: Vec<usize>,
    digest: RowDigest,
}

impl Sent {
    fn new(columns: Vec<usize>) -> Self {
        Self {
            columns,
            digest: RowDigest::default(),
        }
    }

    fn add(&mut self, batch: &Batch<Cleared>) {
        self.digest.add_columns(batch, &self.columns);
    }
}

/// Whether a target returns, in its own form, a value of this column with the digest that it had when it was
/// sent. Where it may rewrite the value (padding, scale, key order of JSON) only the writer can say what it
/// will return. Carried columns are held against the source instead.
fn returns_literally(engine: Engine, column: &BatchColumn) -> bool {
    match (engine, column.encoding) {
        (_, Encoding::Carried(_)) => false,
        (Engine::Memory, _) => true,
        (Engine::Sqlite, Encoding::Int64 | Encoding::Bytes) => true,
        (Engine::Sqlite, Encoding::Text) => matches!(column.logical, LogicalType::Text { .. }),
        _ => false,
    }
}

async fn finish(writer: Box<dyn TableWriter>, outcome: Result<()>) -> Result<RowDigest> {
    match outcome {
        Ok(()) => Ok(writer.finish().await?.digest),
        Err(error) => {
            // The first error is the one to report; the staging area goes as a whole anyway.
            let _ = writer.abort().await;
            Err(error)
        }
    }
}

fn balanced(receipt: UnitReceipt) -> Result<UnitReceipt> {
    if receipt.balances() {
        Ok(receipt)
    } else {
        let check = "rows read = rows written + rejected + filtered";
        Err(Error::Mismatch {
            table: receipt.unit.table,
            check,
        })
    }
}
