//! What the closure reads of each table, and what it knows of each table and reference while it runs.

use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::catalog::{ForeignKey, RelationshipKind, TableSchema};
use tdm_core::error::PortError;
use tdm_core::port::RowSource;
use tdm_core::scalar::{ScalarRef, canonical};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::LogicalType;

use super::binding::{Binding, Fixed};
use super::key::{Key, KeyMap, KeyReader, KeySet};
use super::names::refused;
use super::selection::Mark;
use crate::error::Result;

/// What is known of one table while the closure runs.
pub(super) struct Table {
    pub(super) schema: Arc<TableSchema>,
    /// Identity first, then every other column that an edge needs.
    pub(super) request: Vec<ColumnRequest>,
    pub(super) identity: Vec<usize>,
    pub(super) keyless: bool,
    pub(super) all: bool,
    pub(super) rows: u64,
    pub(super) missing: u64,
    pub(super) chosen: KeyMap<Mark>,
}

/// What is known of one edge while the closure runs.
pub(super) struct Edge {
    /// Positions of the child's columns in the child's request, and of the parent's in the parent's.
    pub(super) child: Vec<usize>,
    pub(super) parent: Vec<usize>,
    /// Of a polymorphic reference, position of the type column in the child's request, and its value.
    pub(super) only: Option<(usize, Vec<u8>)>,
    /// Parents' columns with values that lie as the child's, and the other way round.
    pub(super) to_parents: Binding,
    pub(super) to_children: Binding,
    /// Whether a child's key lies as the parent's does.
    pub(super) alike: bool,
    /// Whether a child's key equals the parent's identity byte for byte, so that presence can be told
    /// without a query.
    pub(super) direct: bool,
    /// Whether the server vouches that every reference finds its parent.
    pub(super) vouched: bool,
    /// Parents' keys seen in children and still to look up.
    pub(super) pending: KeyMap<()>,
    /// Keys looked up, where presence cannot be told without a query.
    pub(super) asked: KeyMap<()>,
    /// Keys that find no parent in the source.
    pub(super) orphaned: KeyMap<()>,
    /// Keys of expanded parents whose children are still to follow.
    pub(super) frontier: KeyMap<()>,
    pub(super) children: u64,
    pub(super) parents: u64,
}

impl Table {
    pub(super) fn new(schema: Arc<TableSchema>) -> Self {
        let decoded = |name: &String| {
            schema.column(name).map(|column| ColumnRequest {
                column: column.clone(),
                form: Form::Decoded,
            })
        };
        let key: Option<Vec<ColumnRequest>> =
            row_key(&schema).map(|names| names.iter().filter_map(decoded).collect());
        let keyless = key.is_none();
        let request = key.unwrap_or_else(|| whole_row(&schema));
        let identity = (0..request.len()).collect();
        Self {
            schema,
            request,
            identity,
            keyless,
            all: false,
            rows: 0,
            missing: 0,
            chosen: KeyMap::default(),
        }
    }

    /// Positions of decoded columns in the request; columns that are not there yet are added.
    pub(super) fn positions(&mut self, names: &[&str]) -> Vec<usize> {
        names
            .iter()
            .filter_map(|name| self.position(name))
            .collect()
    }

    /// Position of a decoded column in the request.
    pub(super) fn position(&mut self, name: &str) -> Option<usize> {
        let here = |r: &ColumnRequest| r.column.name == name && r.form == Form::Decoded;
        if let Some(at) = self.request.iter().position(here) {
            return Some(at);
        }
        let column = self.schema.column(name)?.clone();
        let form = Form::Decoded;
        self.request.push(ColumnRequest { column, form });
        Some(self.request.len() - 1)
    }

    /// Reads what identifies a row from its identity columns.
    pub(super) fn reader<'b>(&self, identity: Vec<&'b ArrayRef>) -> KeyReader<'b> {
        if self.keyless {
            KeyReader::rows(identity)
        } else {
            KeyReader::new(identity)
        }
    }

    /// The key columns as keys are bound to them.
    pub(super) fn own_key(&self, source: &dyn RowSource) -> Binding {
        let columns = self.identity.iter().map(|&at| &self.request[at].column);
        Binding::to(
            columns
                .map(|column| BatchColumn::of(column, source.encoding(column)))
                .collect(),
        )
    }

    /// A seed of ranks of its own: equal keys of two tables are chosen independently.
    pub(super) fn rank_seed(&self, seed: u64) -> u64 {
        let name = self.schema.table.to_string();
        xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), seed)
    }
}

impl Edge {
    pub(super) fn new(
        fk: &ForeignKey,
        (child_number, parent_number): (usize, usize),
        tables: &mut [Table],
        source: &dyn RowSource,
    ) -> Result<Self> {
        let child = tables[child_number].positions(&fk.child_columns());
        let parent = tables[parent_number].positions(&fk.parent_columns());
        let kind = fk.predicate.as_ref();
        let kind = kind
            .and_then(|(name, value)| Some((tables[child_number].position(name)?, value.as_str())));
        let (from, to) = (&tables[child_number], &tables[parent_number]);
        let encoding = |table: &Table, at: usize| source.encoding(&table.request[at].column);
        let alike = child
            .iter()
            .zip(&parent)
            .all(|(&c, &p)| encoding(from, c) == encoding(to, p));
        let fixed = match kind {
            Some((at, value)) => {
                let column = &from.request[at].column;
                Some(literal(from, column, source.encoding(column), value)?)
            }
            None => None,
        };
        let bound = |table: &Table, at: &[usize], other: &Table, values: &[usize]| -> Vec<_> {
            at.iter()
                .zip(values)
                .map(|(&to, &of)| {
                    let origin = &other.request[of].column;
                    let mut column = BatchColumn::of(origin, source.encoding(origin));
                    column.name.clone_from(&table.request[to].column.name);
                    column
                })
                .collect()
        };
        Ok(Self {
            to_parents: Binding::to(bound(to, &parent, from, &child)),
            to_children: Binding {
                columns: bound(from, &child, to, &parent),
                fixed,
            },
            only: kind.map(|(at, value)| (at, value.as_bytes().to_vec())),
            direct: alike && !to.keyless && parent == to.identity,
            alike,
            vouched: fk.validated && fk.kind == RelationshipKind::Declared,
            child,
            parent,
            pending: KeyMap::default(),
            asked: KeyMap::default(),
            orphaned: KeyMap::default(),
            frontier: KeyMap::default(),
            children: 0,
            parents: 0,
        })
    }

    /// Whether the reference holds for a row whose type column holds `value`.
    pub(super) fn is_of_type(&self, value: ScalarRef<'_>, scratch: &mut Vec<u8>) -> bool {
        let Some((_, wanted)) = &self.only else {
            return true;
        };
        scratch.clear();
        canonical(value, false, scratch);
        !value.is_null() && scratch == wanted
    }

    /// The orphaned keys as a set.
    pub(super) fn orphaned(&self) -> KeySet {
        self.orphaned.sorted().into_iter().collect()
    }
}

/// The value of a type column, as keys are bound to it.
fn literal(
    table: &Table,
    column: &tdm_core::catalog::Column,
    encoding: Encoding,
    text: &str,
) -> Result<Fixed> {
    let place = table.schema.table.column(&column.name).to_string();
    let value = parse(text, encoding).ok_or_else(|| {
        refused(
            place,
            "the type of a reference is not a value of this column",
        )
    })?;
    Ok(Fixed {
        column: BatchColumn::of(column, encoding),
        value,
    })
}

/// A key of one part, written as text, in the encoding in which the source delivers the column.
fn parse(text: &str, encoding: Encoding) -> Option<Key> {
    match encoding {
        Encoding::Int64 => Some(Key::Int(text.trim().parse().ok()?)),
        _ => with_scalar(text, encoding, |scalar| Key::of(&[scalar])).flatten(),
    }
}

/// Hands the value that `text` writes to `use_value`; `None` when it writes none of this encoding.
pub(super) fn with_scalar<R>(
    text: &str,
    encoding: Encoding,
    use_value: impl FnOnce(ScalarRef<'_>) -> R,
) -> Option<R> {
    Some(match encoding {
        Encoding::Text => use_value(ScalarRef::Text(text)),
        Encoding::Int64 => use_value(ScalarRef::Int(text.trim().parse().ok()?)),
        Encoding::Float64 => use_value(ScalarRef::Float(text.trim().parse().ok()?)),
        Encoding::Boolean => use_value(ScalarRef::Boolean(match text.trim() {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return None,
        })),
        _ => return None,
    })
}

/// Keys written as text, as bound to `binding`'s columns, sorted and without repetition.
pub(super) fn parse_keys(
    table: &Table,
    binding: &Binding,
    keys: &[super::spec::KeyText],
) -> Result<Vec<Key>> {
    let mut parsed = Vec::with_capacity(keys.len());
    for (number, key) in keys.iter().enumerate() {
        let mut bytes = Vec::new();
        for (text, column) in key.0.iter().zip(&binding.columns) {
            bytes.push(parse(text, column.encoding).ok_or_else(|| {
                let place = table.schema.table.column(&column.name).to_string();
                let reason = format!(
                    "key {} of the list is no value of this column; use a condition",
                    number + 1
                );
                refused(place, &reason)
            })?);
        }
        parsed.push(Key::join(&bytes));
    }
    parsed.sort_unstable();
    parsed.dedup();
    Ok(parsed)
}

/// The columns that identify a row of `table` and never hold NULL: SQLite allows NULL in a primary key.
pub(super) fn row_key(table: &TableSchema) -> Option<&[String]> {
    let not_null = |name: &String| table.column(name).is_some_and(|c| !c.nullable);
    let mut keys = table.primary_key.iter().chain(&table.unique);
    keys.find(|key| key.columns.iter().all(not_null))
        .map(|key| key.columns.as_slice())
}

/// Every written column in the server's own form: what stands for a row that has no key.
pub(crate) fn whole_row(table: &TableSchema) -> Vec<ColumnRequest> {
    let written = table.columns.iter().filter(|column| column.is_written());
    written
        .map(|column| ColumnRequest {
            column: column.clone(),
            form: Form::Carried,
        })
        .collect()
}

/// Whether decimals in text must be compared as numbers.
pub(super) const fn is_number(logical: &LogicalType) -> bool {
    matches!(
        logical,
        LogicalType::Decimal { .. } | LogicalType::Integer { .. } | LogicalType::Float { .. }
    )
}

/// The source cannot do what the closure needs.
pub(super) fn unsupported(source: &dyn RowSource, what: &str) -> PortError {
    PortError::Unsupported {
        engine: source.engine(),
        what: what.to_owned(),
    }
}
