//! Reading the selected rows of one table, scan after scan.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::{Batch, BatchLimit, BatchSchema, Encoding, Sensitive};
use tdm_core::digest::RowDigest;
use tdm_core::error::PortError;
use tdm_core::port::{BatchStream, RowFilter, RowSource, ScanRequest, StepContext};
use tdm_core::scalar::{ColumnBuilder, cell};
use tdm_core::transform::{ColumnRequest, Form, Transform};

use crate::error::{Error, Result};
use crate::subset::{Key, TableSelection, bind, whole_row};

/// Keys bound in one query.
const KEYS_MAX: usize = 10_000;

/// Delivers the selected rows of one table, scan after scan, numbered through.
pub(super) struct Reader<'a> {
    source: &'a dyn RowSource,
    pub(super) selection: &'a TableSelection,
    columns: &'a [ColumnRequest],
    mode: Mode<'a>,
    stream: Option<BatchStream>,
    passing: Vec<usize>,
    pub(super) read: u64,
    pub(super) filtered: u64,
    /// Digest of the columns that pass through, as the source delivered them.
    pub(super) passed: RowDigest,
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
    pub(super) fn new(
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

    /// The next batch; `None` at the end.
    pub(super) async fn next(&mut self, context: &StepContext) -> Result<Option<Batch<Sensitive>>> {
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
    pub(super) fn check(&self) -> Result<()> {
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
