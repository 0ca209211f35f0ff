//! What changed between two states of a schema, for people and for machines.

mod compare;
mod drift;
mod show;

use serde::{Deserialize, Serialize};
use tdm_core::ident::{ColumnRef, TableRef};

pub use compare::diff;
pub use drift::{Drift, carried_over, drift};

/// The difference between an older and a newer catalog.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SchemaDiff {
    /// Tables that only the newer has.
    pub tables_added: Vec<TableRef>,
    /// Tables that only the older has.
    pub tables_dropped: Vec<TableRef>,
    /// Tables that seem to have got another name.
    pub tables_renamed: Vec<Renamed<TableRef>>,
    /// Tables that both have and that differ, by their newer name.
    pub tables: Vec<TableDiff>,
    /// Types, sequences, triggers and other objects.
    pub objects: Vec<ObjectChange>,
}

impl SchemaDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that seems to have got another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renamed<T> {
    /// The older name.
    pub from: T,
    /// The newer name.
    pub to: T,
    /// How sure that is, 0 to 1.
    pub likeness: f64,
}

/// The difference between two states of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableDiff {
    /// The table, by its newer name.
    pub table: TableRef,
    /// Changes of the table as such: kind, comment, options, definition.
    pub changes: Vec<Change>,
    /// Columns that only the newer has.
    pub columns_added: Vec<String>,
    /// Columns that only the older has.
    pub columns_dropped: Vec<String>,
    /// Columns that seem to have got another name.
    pub columns_renamed: Vec<Renamed<String>>,
    /// Columns that both have and that differ, by their newer name.
    pub columns: Vec<ColumnDiff>,
    /// Keys, references, indexes and checks.
    pub constraints: Vec<ConstraintChange>,
}

impl TableDiff {
    fn new(table: TableRef) -> Self {
        Self {
            table,
            changes: Vec::new(),
            columns_added: Vec::new(),
            columns_dropped: Vec::new(),
            columns_renamed: Vec::new(),
            columns: Vec::new(),
            constraints: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.columns_added.is_empty()
            && self.columns_dropped.is_empty()
            && self.columns_renamed.is_empty()
            && self.columns.is_empty()
            && self.constraints.is_empty()
    }
}

/// The difference between two states of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDiff {
    /// Name of the column, the newer one.
    pub column: String,
    /// What changed.
    pub changes: Vec<Change>,
}

/// What about a table or column changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What: `type`, `nullability`, `default`, `generation`, `collation`, `visibility`, `position`, `comment`, `kind`,
    /// `definition`, or `option …`.
    pub what: String,
    /// Before, in words of the schema.
    pub from: String,
    /// After, in words of the schema.
    pub to: String,
}

/// A constraint or index that came or went. One that changed does both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstraintChange {
    /// Whether it is the newer schema that has it.
    pub added: bool,
    /// What it is.
    pub kind: ConstraintKind,
    /// The constraint in one line.
    pub description: String,
}

/// A kind of constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are SQL's own")]
pub enum ConstraintKind {
    PrimaryKey,
    Unique,
    ForeignKey,
    Check,
    Index,
}

impl ConstraintKind {
    /// The words that people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrimaryKey => "primary key",
            Self::Unique => "unique key",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
            Self::Index => "index",
        }
    }
}

/// A type, sequence, trigger or other object that came, went or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectChange {
    /// Kind in the engine's word.
    pub kind: String,
    /// Its name.
    pub name: TableRef,
    /// Whether the older schema has it.
    pub before: bool,
    /// Whether the newer schema has it.
    pub after: bool,
}

/// Columns of the newer schema that did not exist before: of new tables and of known ones.
pub(crate) fn new_columns(diff: &SchemaDiff, newer: &tdm_core::catalog::Catalog) -> Vec<ColumnRef> {
    let mut columns = Vec::new();
    for table in &diff.tables_added {
        if let Some(schema) = newer.table(table) {
            columns.extend(schema.columns.iter().map(|c| table.column(&c.name)));
        }
    }
    for table in &diff.tables {
        columns.extend(
            table
                .columns_added
                .iter()
                .map(|name| table.table.column(name)),
        );
    }
    columns.sort();
    columns
}
