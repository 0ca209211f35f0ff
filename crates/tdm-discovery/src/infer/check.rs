//! Inclusion: whether values of a child are keys of a parent, by look-up in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::{BatchColumn, BatchLimit, Encoding};
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::port::{KeyBatch, RowFilter, RowSource, ScanRequest};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::TypeClass;

use crate::options::InferOptions;
use crate::scan::Observed;

/// Rows of a child table that are read for keys of several columns.
const TUPLE_ROWS: u64 = 1_000;

/// Keys that were looked up and keys that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inclusion {
    pub(super) tested: u64,
    pub(super) matched: u64,
    /// Whether values are such that they would not be in another key by chance.
    pub(super) telling: bool,
}

impl Inclusion {
    #[expect(clippy::cast_precision_loss, reason = "a small number of values")]
    pub(super) fn orphan_rate(self) -> f64 {
        if self.tested == 0 {
            return 0.0;
        }
        (self.tested - self.matched) as f64 / self.tested as f64
    }
}

/// One key, part by part, in the words of canonical text.
type Tuple = Vec<String>;

/// Looks keys up, within a number of look-ups.
pub(super) struct Checker<'a> {
    source: Option<&'a dyn RowSource>,
    observed: &'a BTreeMap<ColumnRef, Observed>,
    options: &'a InferOptions,
    cancel: &'a CancelToken,
    left: usize,
    tuples: BTreeMap<(TableRef, Vec<String>), Option<BTreeSet<Tuple>>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        source: Option<&'a dyn RowSource>,
        observed: &'a BTreeMap<ColumnRef, Observed>,
        options: &'a InferOptions,
        cancel: &'a CancelToken,
    ) -> Self {
        Self {
            source,
            observed,
            options,
            cancel,
            left: options.checks_max,
            tuples: BTreeMap::new(),
        }
    }

    /// Distinct sampled values of a column; longer ones than a key is are left out.
    pub(super) fn values(&self, table: &TableSchema, column: &Column) -> Option<BTreeSet<String>> {
        let seen = self.observed.get(&table.table.column(&column.name))?;
        let decimal = column.logical.class() == TypeClass::Decimal;
        let values = seen
            .sample
            .values()
            .map(|(value, _)| value)
            .filter(|v| v.len() <= 255);
        Some(
            values
                .filter(|value| !value.is_empty())
                .take(self.options.keys_max)
                .map(|value| in_canon(ScalarRef::Text(value), decimal))
                .collect(),
        )
    }

    /// Whether the sampled values of a column would not be in another key by chance.
    pub(super) fn is_telling(&self, table: &TableSchema, column: &Column) -> bool {
        self.values(table, column)
            .is_some_and(|values| is_telling(&values))
    }

    /// Distinct sampled values of a column as they are spelt.
    pub(super) fn spelt(&self, table: &TableSchema, column: &Column) -> Option<Vec<String>> {
        let seen = self.observed.get(&table.table.column(&column.name))?;
        let mut values: Vec<String> = seen.sample.values().map(|(v, _)| v.to_owned()).collect();
        values.sort();
        Some(values)
    }

    /// How many keys in `id` of the rows whose `kind` column has a value are keys of `parent`.
    pub(super) async fn where_equal(
        &mut self,
        child: &TableSchema,
        kind: (&Column, &str),
        id: &Column,
        parent: &TableSchema,
        parent_column: &Column,
    ) -> PortResult<Option<Inclusion>> {
        let Some(tuples) = self.read(child, &[kind.0, id]).await? else {
            return Ok(None);
        };
        let wanted = in_canon(ScalarRef::Text(kind.1), false);
        let ids: BTreeSet<String> = tuples
            .into_iter()
            .filter(|tuple| tuple[0] == wanted)
            .map(|mut tuple| tuple.remove(1))
            .take(self.options.keys_max)
            .collect();
        let telling = is_telling(&ids);
        let tuples = ids.into_iter().map(|id| vec![id]).collect();
        let found = self.look_up(parent, &[parent_column], &tuples).await?;
        Ok(found.map(|(tested, matched)| Inclusion {
            tested,
            matched,
            telling,
        }))
    }

    /// How many sampled values of `child` are keys of `parent`; `None` when that cannot be told.
    pub(super) async fn single(
        &mut self,
        child: &TableSchema,
        child_column: &Column,
        parent: &TableSchema,
        parent_column: &Column,
    ) -> PortResult<Option<Inclusion>> {
        let Some(values) = self.values(child, child_column) else {
            return Ok(None);
        };
        let telling = is_telling(&values);
        if let Some(all) = self.all_values(parent, parent_column) {
            let all: BTreeSet<String> = all.iter().map(|v| v.to_lowercase()).collect();
            let is_there = |value: &&String| all.contains(&value.to_lowercase());
            let matched = values.iter().filter(is_there).count() as u64;
            let tested = values.len() as u64;
            return Ok(Some(Inclusion {
                tested,
                matched,
                telling,
            }));
        }
        let tuples = values.into_iter().map(|value| vec![value]).collect();
        let found = self.look_up(parent, &[parent_column], &tuples).await?;
        Ok(found.map(|(tested, matched)| Inclusion {
            tested,
            matched,
            telling,
        }))
    }

    /// The same for keys of several columns, read from the child's rows together.
    pub(super) async fn together(
        &mut self,
        child: &TableSchema,
        child_columns: &[&Column],
        parent: &TableSchema,
        parent_columns: &[&Column],
    ) -> PortResult<Option<Inclusion>> {
        let Some(tuples) = self.read(child, child_columns).await? else {
            return Ok(None);
        };
        let tuples: BTreeSet<Tuple> = tuples.into_iter().take(self.options.keys_max).collect();
        let found = self.look_up(parent, parent_columns, &tuples).await?;
        Ok(found.map(|(tested, matched)| Inclusion {
            tested,
            matched,
            // Pairs of small numbers are rarely all there by chance when there are many of them.
            telling: tested >= 20,
        }))
    }

    /// All values of a small column that was seen whole.
    fn all_values(&self, table: &TableSchema, column: &Column) -> Option<BTreeSet<String>> {
        let seen = self.observed.get(&table.table.column(&column.name))?;
        let whole =
            seen.profile.complete && seen.sample.values().len() as u64 == seen.profile.distinct;
        let decimal = column.logical.class() == TypeClass::Decimal;
        let values = seen.sample.values();
        whole.then(|| {
            values
                .map(|(value, _)| in_canon(ScalarRef::Text(value), decimal))
                .collect()
        })
    }

    /// Distinct keys of a table's rows over some columns, those with NULL left out.
    async fn read(
        &mut self,
        table: &TableSchema,
        columns: &[&Column],
    ) -> PortResult<Option<BTreeSet<Tuple>>> {
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        let place = (table.table.clone(), names);
        if let Some(known) = self.tuples.get(&place) {
            return Ok(known.clone());
        }
        let Some(source) = self.source.filter(|_| self.left > 0) else {
            return Ok(None);
        };
        self.left -= 1;
        let small = table.row_estimate.is_none_or(|rows| rows <= TUPLE_ROWS);
        let filter = if source.capability().sample && !small {
            RowFilter::Sample {
                rows: TUPLE_ROWS,
                seed: 0,
            }
        } else {
            RowFilter::All
        };
        let request = request(table, columns, filter);
        let read = keys_of(source, request, TUPLE_ROWS, self.cancel).await;
        let read = unless_lost(read)?;
        self.tuples.insert(place, read.clone());
        Ok(read)
    }

    /// Keys looked up and keys found.
    async fn look_up(
        &mut self,
        parent: &TableSchema,
        columns: &[&Column],
        tuples: &BTreeSet<Tuple>,
    ) -> PortResult<Option<(u64, u64)>> {
        let source = self.source.filter(|s| s.capability().key_set);
        let Some(source) = source.filter(|_| self.left > 0) else {
            return Ok(None);
        };
        if tuples.is_empty() {
            return Ok(Some((0, 0)));
        }
        self.cancel.check()?;
        let Some((keys, asked)) = key_batch(source, columns, tuples) else {
            return Ok(None);
        };
        if asked.is_empty() {
            // Not one value can be a key of that type.
            return Ok(Some((tuples.len() as u64, 0)));
        }
        self.left -= 1;
        let request = request(parent, columns, RowFilter::Keys(keys));
        let found = keys_of(source, request, u64::MAX, self.cancel).await;
        let Some(found) = unless_lost(found)? else {
            return Ok(None);
        };
        // Case aside, as collations may have it.
        let folded = |tuple: &Tuple| -> Tuple { tuple.iter().map(|v| v.to_lowercase()).collect() };
        let found: BTreeSet<Tuple> = found.iter().map(folded).collect();
        let matched = asked
            .iter()
            .filter(|tuple| found.contains(&folded(tuple)))
            .count() as u64;
        Ok(Some((tuples.len() as u64, matched)))
    }
}

/// `None` for a table that cannot be read; an error when the work cannot go on.
fn unless_lost<T>(result: PortResult<T>) -> PortResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ (PortError::Cancelled | PortError::Unavailable { .. })) => Err(error),
        Err(_) => Ok(None),
    }
}

fn request(table: &TableSchema, columns: &[&Column], filter: RowFilter) -> ScanRequest {
    ScanRequest {
        table: Arc::new(table.clone()),
        columns: columns
            .iter()
            .map(|column| ColumnRequest {
                column: (*column).clone(),
                form: Form::Decoded,
            })
            .collect(),
        filter,
        limit: BatchLimit::default(),
    }
}

async fn keys_of(
    source: &dyn RowSource,
    request: ScanRequest,
    rows_max: u64,
    cancel: &CancelToken,
) -> PortResult<BTreeSet<Tuple>> {
    let decimals: Vec<bool> = request
        .columns
        .iter()
        .map(|c| c.column.logical.class() == TypeClass::Decimal)
        .collect();
    let mut stream = source.scan(request).await?;
    let (mut keys, mut rows) = (BTreeSet::new(), 0);
    while let Some(batch) = stream.next().await {
        cancel.check()?;
        let batch = batch?;
        for row in 0..batch.rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|array| cell(array.as_ref(), row));
            let key: Option<Tuple> = cells
                .zip(&decimals)
                .map(|(value, decimal)| (!value.is_null()).then(|| in_canon(value, *decimal)))
                .collect();
            keys.extend(key);
        }
        rows += batch.rows() as u64;
        if rows >= rows_max {
            break;
        }
    }
    Ok(keys)
}

/// A value in the form in which values of all types and engines are compared.
fn in_canon(value: ScalarRef<'_>, decimal: bool) -> String {
    let mut bytes = Vec::new();
    canonical(value, decimal, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The tuples as keys of the parent's types, without those that cannot be.
fn key_batch(
    source: &dyn RowSource,
    columns: &[&Column],
    tuples: &BTreeSet<Tuple>,
) -> Option<(KeyBatch, Vec<Tuple>)> {
    let encodings: Vec<Encoding> = columns.iter().map(|c| source.encoding(c)).collect();
    let known = |e: &Encoding| matches!(e, Encoding::Int64 | Encoding::Text | Encoding::Float64);
    if !encodings.iter().all(known) {
        return None;
    }
    let mut builders: Vec<ColumnBuilder> = encodings
        .iter()
        .map(|encoding| ColumnBuilder::new(*encoding, tuples.len()))
        .collect();
    let mut asked = Vec::new();
    for tuple in tuples {
        let fits = tuple
            .iter()
            .zip(&encodings)
            .all(|(part, encoding)| match encoding {
                Encoding::Int64 => part.parse::<i64>().is_ok(),
                Encoding::Float64 => part.parse::<f64>().is_ok(),
                _ => true,
            });
        if !fits || tuple.len() != encodings.len() {
            continue;
        }
        for ((part, encoding), builder) in tuple.iter().zip(&encodings).zip(&mut builders) {
            let value = match encoding {
                Encoding::Int64 => ScalarRef::Int(part.parse().ok()?),
                Encoding::Float64 => ScalarRef::Float(part.parse().ok()?),
                _ => ScalarRef::Text(part),
            };
            builder.push(value).ok()?;
        }
        asked.push(tuple.clone());
    }
    let keys = KeyBatch {
        columns: columns
            .iter()
            .zip(&encodings)
            .map(|(column, encoding)| BatchColumn::of(column, *encoding))
            .collect(),
        arrays: builders.iter_mut().map(ColumnBuilder::finish).collect(),
    };
    Some((keys, asked))
}

/// Whether values are long or large enough not to be in another key by chance.
fn is_telling(values: &BTreeSet<String>) -> bool {
    let long = values.iter().filter(|value| match value.parse::<i64>() {
        Ok(number) => number.unsigned_abs() > 1_000_000,
        Err(_) => value.chars().count() >= 8,
    });
    values.len() >= 3 && long.count() * 10 >= values.len() * 9
}
