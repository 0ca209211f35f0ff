//! Reading the selected rows of one table, scan after scan.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, BatchColumn, BatchLimit, BatchSchema, Encoding, Sensitive};
use tdm_core::digest::RowDigest;
use tdm_core::error::PortError;
use tdm_core::port::{BatchStream, RowFilter, RowSource, ScanRequest, StepContext};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use tdm_core::transform::{ColumnRequest, Form, Transform};

use super::stub::stub_rows;
use crate::error::{Error, Result};
use crate::subset::{Binding, Key, KeyReader, KeyRef, Nulled, TableSelection, whole_row};

/// Keys bound in one query.
const KEYS_MAX: usize = 10_000;

/// Delivers the selected rows of one table, scan after scan, numbered through.
pub(super) struct Reader<'a> {
    source: &'a dyn RowSource,
    pub(super) selection: &'a TableSelection,
    /// What the transform asked for, then what is needed to tell the rows apart.
    columns: Vec<ColumnRequest>,
    own: usize,
    mode: Mode,
    nulling: Vec<Nulling<'a>>,
    stream: Option<BatchStream>,
    stubs_done: bool,
    passing: Vec<usize>,
    pub(super) read: u64,
    pub(super) filtered: u64,
    stubs: u64,
    /// Digest of the columns that pass through, as the source delivered them.
    pub(super) passed: RowDigest,
}

enum Mode {
    /// One scan of everything, but for rows that were dropped.
    Whole { started: bool },
    /// One scan per piece of the sorted keys.
    Keyed { next: usize },
    /// One scan of everything, from which rows are picked by their hash.
    Picked {
        started: bool,
        wanted: HashSet<Key>,
        seen: HashSet<Key>,
    },
}

/// A reference that becomes NULL where it finds no parent, by positions in the scan.
struct Nulling<'a> {
    rule: &'a Nulled,
    reference: Vec<usize>,
    kind: Option<usize>,
    columns: Vec<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        source: &'a dyn RowSource,
        selection: &'a TableSelection,
        transform: &'a dyn Transform,
    ) -> Self {
        let mut columns = transform.input().to_vec();
        let own = columns.len();
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
        let all_keys = || selection.keys().piece(0, usize::MAX);
        let mode = if selection.all {
            Mode::Whole { started: false }
        } else if selection.is_keyed() {
            Mode::Keyed { next: 0 }
        } else {
            Mode::Picked {
                started: false,
                wanted: all_keys().into_iter().collect(),
                seen: HashSet::new(),
            }
        };
        if matches!(mode, Mode::Picked { .. }) || !selection.except().is_empty() {
            if selection.is_keyed() {
                let names = selection.key_columns(source).into_iter().map(|c| c.name);
                columns.extend(names.filter_map(|name| decoded(selection, &name)));
            } else {
                columns.extend(whole_row(&selection.table));
            }
        }
        let mut nulling = Vec::new();
        for rule in selection.nulled() {
            let mut add = |name: &String| {
                columns.extend(decoded(selection, name));
                columns.len() - 1
            };
            let reference = rule.reference.iter().map(&mut add).collect();
            let kind = rule.predicate.as_ref().map(|(name, _)| add(name));
            let nulled = |c: &ColumnRequest| rule.columns.contains(&c.column.name);
            nulling.push(Nulling {
                rule,
                reference,
                kind,
                columns: (0..own).filter(|&i| nulled(&columns[i])).collect(),
            });
        }
        Self {
            source,
            selection,
            columns,
            own,
            mode,
            nulling,
            stream: None,
            stubs_done: false,
            passing,
            read: 0,
            filtered: 0,
            stubs: 0,
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
                    let batch = self.prepare(batch)?.renumbered(origin);
                    self.passed.add_columns(&batch, &self.passing);
                    return Ok(Some(batch));
                }
                self.stream = None;
            }
            let Some(filter) = self.next_filter()? else {
                return self.made_up();
            };
            let request = ScanRequest {
                table: Arc::clone(&self.selection.table),
                columns: self.columns.clone(),
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
            Mode::Keyed { next } => {
                let piece = self.selection.keys().piece(*next, KEYS_MAX);
                *next += piece.len();
                if piece.is_empty() {
                    return Ok(None);
                }
                let binding = Binding::to(self.selection.key_columns(self.source));
                Some(RowFilter::Keys(binding.bind(piece.iter())?))
            }
        })
    }

    /// The parents that are made up, as the source would deliver them.
    fn made_up(&mut self) -> Result<Option<Batch<Sensitive>>> {
        if std::mem::replace(&mut self.stubs_done, true) || self.selection.stubs() == 0 {
            return Ok(None);
        }
        let columns: Vec<BatchColumn> = self.columns[..self.own]
            .iter()
            .map(|request| {
                let encoding = match request.form {
                    Form::Carried => self.source.carried(&request.column),
                    Form::Decoded => self.source.encoding(&request.column),
                };
                BatchColumn::of(&request.column, encoding)
            })
            .collect();
        let table = self.selection.table.table.clone();
        let schema = BatchSchema { table, columns };
        let batch = stub_rows(schema, self.selection.stub_keys())?;
        let origin = self.read - self.filtered;
        self.stubs = batch.rows() as u64;
        self.read += self.stubs;
        let batch = batch.renumbered(origin);
        self.passed.add_columns(&batch, &self.passing);
        Ok(Some(batch))
    }

    /// Of what a scan delivered, the rows and columns that were asked for, lost references set to NULL.
    fn prepare(&mut self, batch: Batch<Sensitive>) -> Result<Batch<Sensitive>> {
        let own = self.own;
        if batch.columns().len() == own {
            return Ok(batch);
        }
        let mut scratch = Vec::new();
        let except = self.selection.except();
        let keyed = self.selection.is_keyed();
        let reader = |width: usize| {
            let arrays: Vec<&ArrayRef> = batch.columns()[own..own + width].iter().collect();
            if keyed {
                KeyReader::new(arrays)
            } else {
                KeyReader::rows(arrays)
            }
        };
        let width = if keyed {
            self.selection.key_columns(self.source).len()
        } else {
            whole_row(&self.selection.table).len()
        };
        let mut rows = Vec::with_capacity(batch.rows());
        match &mut self.mode {
            Mode::Picked { wanted, seen, .. } => {
                let reader = reader(width);
                for row in 0..batch.rows() {
                    let key = reader.read(row, &mut scratch).map(KeyRef::to_key);
                    if let Some(key) = key.filter(|key| wanted.contains(key)) {
                        rows.push(row);
                        seen.insert(key);
                    }
                }
            }
            Mode::Whole { .. } if !except.is_empty() => {
                let reader = reader(width);
                rows.extend((0..batch.rows()).filter(|&row| {
                    let key = reader.read(row, &mut scratch);
                    !key.is_some_and(|key| except.contains(&key.to_key()))
                }));
            }
            _ => rows.extend(0..batch.rows()),
        }
        self.filtered += (batch.rows() - rows.len()) as u64;
        let lost = self.lost(&batch, &rows);
        let schema = BatchSchema {
            table: batch.schema().table.clone(),
            columns: batch.schema().columns[..own].to_vec(),
        };
        let mut arrays = Vec::with_capacity(own);
        for (number, (array, column)) in batch.columns().iter().zip(&schema.columns).enumerate() {
            let mut builder = ColumnBuilder::new(column.encoding, rows.len());
            let rules = lost.iter().zip(&self.nulling);
            let lost: Vec<&Vec<bool>> = rules
                .filter(|(_, rule)| rule.columns.contains(&number))
                .map(|(lost, _)| lost)
                .collect();
            for (place, &row) in rows.iter().enumerate() {
                let null = lost.iter().any(|lost| lost[place]);
                let value = if null {
                    ScalarRef::Null
                } else {
                    cell(array.as_ref(), row)
                };
                builder.push(value).map_err(|_| PortError::Invalid {
                    object: schema.table.column(&column.name).to_string(),
                    reason: "a batch did not have the encoding it declares".to_owned(),
                })?;
            }
            arrays.push(builder.finish());
        }
        Ok(Batch::read(Arc::new(schema), arrays, rows.len(), 0)?)
    }

    /// For each rule and each of `rows`, whether the reference finds no parent.
    fn lost(&self, batch: &Batch<Sensitive>, rows: &[usize]) -> Vec<Vec<bool>> {
        let (mut scratch, mut text) = (Vec::new(), Vec::new());
        let mut of_type = |rule: &Nulling<'_>, row: usize| match (&rule.rule.predicate, rule.kind) {
            (Some((_, value)), Some(at)) => {
                let kind = cell(batch.column(at).as_ref(), row);
                text.clear();
                canonical(kind, false, &mut text);
                !kind.is_null() && text == value.as_bytes()
            }
            _ => true,
        };
        let rules = self.nulling.iter();
        rules
            .map(|rule| {
                let arrays: Vec<&ArrayRef> =
                    rule.reference.iter().map(|&i| batch.column(i)).collect();
                rows.iter()
                    .map(|&row| {
                        let key = Key::read(&arrays, row, &mut scratch);
                        key.is_some_and(|key| rule.rule.keys.contains(&key)) && of_type(rule, row)
                    })
                    .collect()
            })
            .collect()
    }

    /// Whether exactly the rows of the closure came.
    pub(super) fn check(&self) -> Result<()> {
        let expected = self.selection.rows();
        let found = match &self.mode {
            Mode::Whole { .. } | Mode::Keyed { .. } => self.read - self.filtered - self.stubs,
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

fn decoded(selection: &TableSelection, name: &str) -> Option<ColumnRequest> {
    let column = selection.table.column(name)?.clone();
    let form = Form::Decoded;
    Some(ColumnRequest { column, form })
}
