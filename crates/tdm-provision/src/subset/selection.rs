//! What a closure found: for each table, which rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tdm_core::batch::BatchColumn;
use tdm_core::catalog::TableSchema;
use tdm_core::port::RowSource;

use super::choose::Feature;
use super::key::{Key, KeyMap, KeySet, SortedKeys};
use super::project::row_key;

/// Why a row is in the subset: the rule that brought it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mark {
    /// Steps of children from a seed; [`Mark::NEEDED`] when another row only refers to it.
    pub(super) level: u32,
    /// The edge that brought it; [`Mark::SEED`] for a seed.
    pub(super) edge: u32,
}

impl Mark {
    pub(super) const NEEDED: u32 = u32::MAX;
    pub(super) const SEED: u32 = u32::MAX;

    pub(super) const fn is_expanded(self) -> bool {
        self.level != Self::NEEDED
    }
}

/// References of one table that are set to NULL because they find no parent.
#[derive(Debug, Clone)]
pub(crate) struct Nulled {
    /// Columns of the reference, in key order.
    pub(crate) reference: Vec<String>,
    /// The type column of a polymorphic reference and its value.
    pub(crate) predicate: Option<(String, String)>,
    /// Those of them that become NULL.
    pub(crate) columns: Vec<String>,
    /// Keys without a parent.
    pub(crate) keys: KeySet,
}

/// Parents that are made up.
#[derive(Debug, Clone)]
pub(crate) struct Stubs {
    /// Columns that have a key, in key order.
    pub(crate) columns: Vec<String>,
    /// The keys, sorted.
    pub(crate) keys: Vec<Key>,
}

/// The chosen rows of one table.
#[derive(Debug)]
pub struct TableSelection {
    /// The table.
    pub table: Arc<TableSchema>,
    /// Whether every row was chosen, but for those that were dropped.
    pub all: bool,
    keyed: bool,
    rows: u64,
    keys: SortedKeys,
    pub(super) marks: KeyMap<Mark>,
    pub(super) except: KeySet,
    pub(super) nulled: Vec<Nulled>,
    pub(super) stubs: Vec<Stubs>,
}

impl TableSelection {
    /// Every row of `table`, of which there are `rows`.
    pub fn whole(table: Arc<TableSchema>, rows: u64) -> Self {
        Self::new(table, true, rows, KeyMap::default())
    }

    pub(super) fn new(table: Arc<TableSchema>, all: bool, rows: u64, marks: KeyMap<Mark>) -> Self {
        let keyed = row_key(&table).is_some();
        Self {
            table,
            all,
            keyed,
            rows,
            keys: SortedKeys::of(&marks),
            marks,
            except: KeySet::default(),
            nulled: Vec::new(),
            stubs: Vec::new(),
        }
    }

    /// Rows chosen. For a table without a key, distinct rows. Parents that are made up are not among them.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Parents that are made up because a reference does not find one.
    pub fn stubs(&self) -> u64 {
        self.stubs.iter().map(|stubs| stubs.keys.len() as u64).sum()
    }

    /// Bytes that the keys occupy.
    pub fn key_bytes(&self) -> usize {
        self.keys.bytes()
    }

    /// Whether rows are identified by a key, rather than by a hash of the whole row.
    pub(crate) const fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// The key columns as `source` delivers them decoded.
    pub(crate) fn key_columns(&self, source: &dyn RowSource) -> Vec<BatchColumn> {
        let names = row_key(&self.table).unwrap_or_default();
        let columns = names.iter().filter_map(|name| self.table.column(name));
        columns
            .map(|column| BatchColumn::of(column, source.encoding(column)))
            .collect()
    }

    /// Keys of the chosen rows, sorted; empty when all were chosen.
    pub(crate) const fn keys(&self) -> &SortedKeys {
        &self.keys
    }

    /// Keys of rows that were dropped from a table that was chosen whole.
    pub(crate) const fn except(&self) -> &KeySet {
        &self.except
    }

    pub(crate) fn nulled(&self) -> &[Nulled] {
        &self.nulled
    }

    pub(crate) fn stub_keys(&self) -> &[Stubs] {
        &self.stubs
    }

    /// Takes rows out again; `rows` of them are in the source.
    pub(super) fn drop_rows(&mut self, keys: &KeySet, rows: u64) {
        self.rows -= rows;
        if self.all {
            self.except.extend(keys.iter().cloned());
        } else {
            self.keys.retain(|key| !keys.contains(&key.to_key()));
            for key in keys {
                self.marks.remove(key.as_ref());
            }
        }
    }

    /// Whether the row with this key is chosen.
    pub(super) fn holds(&self, key: &Key) -> bool {
        if self.all {
            !self.except.contains(key)
        } else {
            self.marks.contains(key.as_ref())
        }
    }
}

/// How many rows one reference brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeContribution {
    /// `child(columns) -> parent(columns)`.
    pub reference: String,
    /// Children that followed their parents.
    pub children: u64,
    /// Parents that were needed.
    pub parents: u64,
    /// Distinct keys of the child that found no parent in the source.
    pub orphans: u64,
}

/// A closed subset: for each table, which rows.
#[derive(Debug)]
pub struct Closure {
    /// One selection per table of the plan, in the plan's order.
    pub tables: Vec<TableSelection>,
    /// One contribution per edge of the plan's graph.
    pub edges: Vec<EdgeContribution>,
    /// Rows that are seeds, per table.
    pub seeds: Vec<u64>,
    /// Rows dropped again because a reference of theirs finds no parent, or because they refer to such a row,
    /// per table.
    pub dropped: Vec<u64>,
    /// Keys that a seed lists and the source does not have, per table.
    pub missing: Vec<u64>,
    /// Of tables with a coverage seed, by name, each state and how many rows were chosen for it.
    pub coverage: BTreeMap<String, Vec<Feature>>,
    /// Scans that the closure took.
    pub scans: u64,
    /// Bytes of memory that the key sets took at their largest, about.
    pub memory: usize,
}
