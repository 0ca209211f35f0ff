//! A build: rows go into a staging area, are completed, verified, and only then published.
//!
//! Each table's rows arrive in work units, each with a receipt. [`Build::verify`] holds the receipts against
//! what the target returns; nothing is published that does not agree.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use futures_util::StreamExt as _;
use serde::Serialize;
use tdm_core::batch::{Batch, BatchLimit, BatchSchema, Encoding, Sensitive};
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::digest::RowDigest;
use tdm_core::error::PortError;
use tdm_core::generator::RowGenerator;
use tdm_core::ident::TableRef;
use tdm_core::port::{
    ProgressEvent, Publication, RowFilter, RowSource, ScanRequest, StageRequest, Staging,
    StepContext, TableWriter, TargetDatabase,
};
use tdm_core::scalar::{ColumnBuilder, cell};
use tdm_core::transform::{ColumnRequest, Form, Transform};
use tdm_core::unit::{UnitRange, UnitReceipt, WorkUnit};

use crate::error::{Error, Result};
use crate::subset::{Key, TableSelection, bind, whole_row};

/// Keys bound in one query while rows are copied.
const KEYS_MAX: usize = 10_000;

/// A build in progress.
pub struct Build {
    staging: Box<dyn Staging>,
    schemas: BTreeMap<TableRef, Arc<TableSchema>>,
    loaded: BTreeMap<TableRef, Loaded>,
    plan_hash: String,
    step: &'static str,
    units: u32,
}

/// What was written into one table so far.
#[derive(Debug)]
struct Loaded {
    columns: Arc<BatchSchema>,
    written: RowDigest,
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
        let copied = self
            .pump(&mut reader, writer.as_mut(), transform, &table, context)
            .await;
        let digest = finish(writer, copied).await?;
        reader.check()?;
        let entry = self.loaded.get_mut(&table).expect("opened above");
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
    /// as re-read equals what was written, pass-through columns equal what the source delivered, and every
    /// reference among `relationships` and the staged foreign keys finds its parent.
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
                None => expect_empty(source.as_ref(), schema).await?,
            };
            verification.tables.insert(table.to_string(), digest);
            verification.total = verification.total.merge(digest);
        }
        drop(source);
        let declared = self
            .schemas
            .values()
            .flat_map(|schema| schema.foreign_keys.iter());
        let all: Vec<ForeignKey> = declared.chain(relationships).cloned().collect();
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
        self.loaded.entry(table.clone()).or_insert_with(|| Loaded {
            columns: Arc::clone(columns),
            written: RowDigest::default(),
            passed: Some(RowDigest::default()),
        });
        Ok(writer)
    }

    async fn pump(
        &self,
        reader: &mut Reader<'_>,
        writer: &mut dyn TableWriter,
        transform: &dyn Transform,
        table: &TableRef,
        context: &StepContext,
    ) -> Result<()> {
        while let Some(batch) = reader.next(context).await? {
            writer.write(transform.apply(&batch)?).await?;
            self.report(context, table, reader.read, Some(reader.selection.rows()));
        }
        Ok(())
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

/// Delivers the selected rows of one table, scan after scan, numbered through.
struct Reader<'a> {
    source: &'a dyn RowSource,
    selection: &'a TableSelection,
    columns: &'a [ColumnRequest],
    mode: Mode<'a>,
    stream: Option<tdm_core::port::BatchStream>,
    passing: Vec<usize>,
    read: u64,
    filtered: u64,
    passed: RowDigest,
}

enum Mode<'a> {
    /// One scan of everything.
    Whole { started: bool },
    /// One scan per piece of the sorted keys.
    Keyed { pieces: std::slice::Chunks<'a, Key> },
    /// One scan of everything, from which rows are picked by their hash.
    Picked {
        started: bool,
        wanted: HashSet<&'a Key>,
        seen: HashSet<Key>,
    },
}

impl<'a> Reader<'a> {
    fn new(
        source: &'a dyn RowSource,
        selection: &'a TableSelection,
        transform: &'a dyn Transform,
    ) -> Self {
        let columns = transform.input();
        let passes = |column: &ColumnRequest| {
            let output = transform.output().index_of(&column.column.name);
            let carried = output.map(|i| transform.output().columns[i].encoding);
            column.form == Form::Carried && matches!(carried, Some(Encoding::Carried(_)))
        };
        let passing = columns
            .iter()
            .enumerate()
            .filter(|(_, c)| passes(c))
            .map(|(i, _)| i)
            .collect();
        let mode = if selection.all {
            Mode::Whole { started: false }
        } else if selection.is_keyed() {
            Mode::Keyed {
                pieces: selection.keys().chunks(KEYS_MAX),
            }
        } else {
            Mode::Picked {
                started: false,
                wanted: selection.keys().iter().collect(),
                seen: HashSet::new(),
            }
        };
        Self {
            source,
            selection,
            columns,
            mode,
            stream: None,
            passing,
            read: 0,
            filtered: 0,
            passed: RowDigest::default(),
        }
    }

    async fn next(&mut self, context: &StepContext) -> Result<Option<Batch<Sensitive>>> {
        loop {
            context.cancel.check()?;
            if let Some(stream) = &mut self.stream {
                if let Some(batch) = stream.next().await {
                    let batch = batch?;
                    let origin = self.read - self.filtered;
                    self.read += batch.rows() as u64;
                    let batch = self.pick(batch)?.renumbered(origin);
                    self.passed.add_columns(&batch, &self.passing);
                    return Ok(Some(batch));
                }
                self.stream = None;
            }
            let Some(filter) = self.next_filter()? else {
                return Ok(None);
            };
            let mut columns = self.columns.to_vec();
            if matches!(self.mode, Mode::Picked { .. }) {
                columns.extend(whole_row(&self.selection.table));
            }
            let request = ScanRequest {
                table: Arc::clone(&self.selection.table),
                columns,
                filter,
                limit: BatchLimit::default(),
            };
            self.stream = Some(self.source.scan(request).await?);
        }
    }

    fn next_filter(&mut self) -> Result<Option<RowFilter>> {
        Ok(match &mut self.mode {
            Mode::Whole { started } | Mode::Picked { started, .. } => {
                (!std::mem::replace(started, true)).then_some(RowFilter::All)
            }
            Mode::Keyed { pieces } => match pieces.next() {
                Some(piece) => {
                    let columns = self.selection.key_columns(self.source);
                    Some(RowFilter::Keys(bind(&columns, piece.iter())?))
                }
                None => None,
            },
        })
    }

    /// Of a table without a key, the rows whose hash was chosen, without the columns that were hashed.
    fn pick(&mut self, batch: Batch<Sensitive>) -> Result<Batch<Sensitive>> {
        let Mode::Picked { wanted, seen, .. } = &mut self.mode else {
            return Ok(batch);
        };
        let own = self.columns.len();
        let hashed: Vec<_> = batch.columns()[own..].iter().collect();
        let mut scratch = Vec::new();
        let mut rows = Vec::new();
        for row in 0..batch.rows() {
            let key = Key::whole_row(&hashed, row, &mut scratch);
            if wanted.contains(&key) {
                rows.push(row);
                seen.insert(key);
            }
        }
        self.filtered += (batch.rows() - rows.len()) as u64;
        let schema = BatchSchema {
            table: batch.schema().table.clone(),
            columns: batch.schema().columns[..own].to_vec(),
        };
        let mut arrays = Vec::with_capacity(own);
        for (array, column) in batch.columns().iter().zip(&schema.columns) {
            let mut builder = ColumnBuilder::new(column.encoding, rows.len());
            for &row in &rows {
                builder
                    .push(cell(array.as_ref(), row))
                    .map_err(|_| PortError::Invalid {
                        object: schema.table.column(&column.name).to_string(),
                        reason: "a batch did not have the encoding it declares".to_owned(),
                    })?;
            }
            arrays.push(builder.finish());
        }
        Ok(Batch::read(Arc::new(schema), arrays, rows.len(), 0)?)
    }

    /// Whether exactly the rows of the closure came.
    fn check(&self) -> Result<()> {
        let expected = self.selection.rows();
        let found = match &self.mode {
            Mode::Whole { .. } | Mode::Keyed { .. } => self.read,
            Mode::Picked { seen, .. } => seen.len() as u64,
        };
        if expected == found {
            Ok(())
        } else {
            Err(Error::RowsDiffer {
                table: self.selection.table.table.clone(),
                expected,
                found,
            })
        }
    }
}

async fn reread(
    source: &dyn RowSource,
    schema: &Arc<TableSchema>,
    loaded: &Loaded,
    context: &StepContext,
) -> Result<RowDigest> {
    let column = |name: &String| {
        schema.column(name).cloned().map(|column| ColumnRequest {
            column,
            form: Form::Carried,
        })
    };
    let columns: Vec<_> = loaded
        .columns
        .columns
        .iter()
        .filter_map(|c| column(&c.name))
        .collect();
    let passing: Vec<usize> = loaded
        .columns
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| matches!(c.encoding, Encoding::Carried(_)))
        .map(|(i, _)| i)
        .collect();
    let request = ScanRequest {
        table: Arc::clone(schema),
        columns,
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let mut stream = source.scan(request).await?;
    let (mut whole, mut passed) = (RowDigest::default(), RowDigest::default());
    while let Some(batch) = stream.next().await {
        context.cancel.check()?;
        let batch = batch?;
        whole.add(&batch);
        if loaded.passed.is_some() {
            passed.add_columns(&batch, &passing);
        }
    }
    let mismatch = |check| Error::Mismatch {
        table: schema.table.clone(),
        check,
    };
    if whole.rows != loaded.written.rows {
        return Err(mismatch("rows in the target = rows written"));
    }
    if whole != loaded.written {
        return Err(mismatch(
            "digest of the target = digest of what was written",
        ));
    }
    if loaded.passed.is_some_and(|expected| expected != passed) {
        return Err(mismatch(
            "digest of unmasked columns in the target = in the source",
        ));
    }
    Ok(whole)
}

async fn expect_empty(source: &dyn RowSource, schema: &Arc<TableSchema>) -> Result<RowDigest> {
    let columns = whole_row(schema);
    let request = ScanRequest {
        table: Arc::clone(schema),
        columns,
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let mut stream = source.scan(request).await?;
    while let Some(batch) = stream.next().await {
        if batch?.rows() > 0 {
            return Err(Error::Mismatch {
                table: schema.table.clone(),
                check: "a table nobody wrote is empty",
            });
        }
    }
    Ok(RowDigest::default())
}
