//! The catalog: what introspection understood of one database, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ident::{ColumnRef, TableRef};
use crate::types::{Engine, LogicalType};

/// Everything introspection understood of one database.
///
/// Tables are sorted by namespace and name, so that two scans of one schema are equal as values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Engine family of the server.
    pub engine: Engine,
    /// Version as the server prints it.
    pub server_version: String,
    /// All relations the role can see, sorted.
    pub tables: Vec<TableSchema>,
    /// Named types: enums, domains, composites, ranges.
    #[serde(default)]
    pub types: Vec<NamedType>,
    /// Sequences that no identity column hides.
    #[serde(default)]
    pub sequences: Vec<Sequence>,
    /// Objects that are known by name and definition and are not carried by default: triggers, routines, extensions, policies.
    #[serde(default)]
    pub objects: Vec<SchemaObject>,
}

impl Catalog {
    /// An empty catalog of `engine`.
    pub fn new(engine: Engine, server_version: impl Into<String>) -> Self {
        Self {
            engine,
            server_version: server_version.into(),
            tables: Vec::new(),
            types: Vec::new(),
            sequences: Vec::new(),
            objects: Vec::new(),
        }
    }

    /// The table of this reference.
    pub fn table(&self, table: &TableRef) -> Option<&TableSchema> {
        self.tables.iter().find(|t| t.table == *table)
    }

    /// Every table that `text` (`name` or `namespace.name`) may mean: none, one, or an ambiguity to report.
    pub fn find(&self, text: &str) -> Vec<&TableSchema> {
        self.tables
            .iter()
            .filter(|t| t.table.matches(text))
            .collect()
    }

    /// The column of this reference.
    pub fn column(&self, column: &ColumnRef) -> Option<&Column> {
        self.table(&column.table)?.column(&column.column)
    }

    /// SHA-256 over the shape of the schema in lower-case hexadecimal: names, types, keys, constraints.
    ///
    /// Estimates of rows and bytes and the server's version are left out: they change without a change of schema.
    pub fn fingerprint(&self) -> String {
        let mut shape = self.clone();
        shape.server_version = String::new();
        for table in &mut shape.tables {
            table.row_estimate = None;
            table.bytes_estimate = None;
        }
        let bytes = serde_json::to_vec(&shape).expect("a catalog is plain data with string keys");
        hex(&Sha256::digest(bytes))
    }
}

/// Lower-case hexadecimal of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// What kind of relation a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words are the engines' own")]
pub enum TableKind {
    Table,
    Partitioned,
    Partition,
    Inherited,
    View,
    MaterializedView,
    Foreign,
    Temporary,
    Virtual,
    /// Storage that belongs to a virtual table (SQLite FTS and R*Tree shadow tables): never copied by itself.
    Shadow,
}

impl TableKind {
    /// Whether rows of this relation are stored under its own name and can be taken and loaded.
    pub const fn holds_rows(self) -> bool {
        matches!(self, Self::Table | Self::Partitioned | Self::Inherited)
    }
}

/// One relation with its columns, keys and constraints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Where it is.
    pub table: TableRef,
    /// What it is.
    pub kind: TableKind,
    /// Columns in ordinal order.
    pub columns: Vec<Column>,
    /// Primary key, columns in key order.
    pub primary_key: Option<Key>,
    /// Unique constraints.
    #[serde(default)]
    pub unique: Vec<Key>,
    /// Indexes, the ones behind keys excepted.
    #[serde(default)]
    pub indexes: Vec<Index>,
    /// Check constraints.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Foreign keys of which this table is the child.
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
    /// Partition parent or inheritance parent.
    #[serde(default)]
    pub parent: Option<TableRef>,
    /// The server's or the DDL's own definition where the engine keeps it (SQLite, views, partitions).
    #[serde(default)]
    pub definition: Option<String>,
    /// Comment.
    #[serde(default)]
    pub comment: Option<String>,
    /// Estimated rows; exact where the engine counts cheaply.
    #[serde(default)]
    pub row_estimate: Option<u64>,
    /// Estimated bytes on disk.
    #[serde(default)]
    pub bytes_estimate: Option<u64>,
    /// Engine-specific traits by name, for example `strict`, `without_rowid`, `unlogged`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl TableSchema {
    /// An ordinary table without columns, to fill in.
    pub fn new(table: TableRef) -> Self {
        Self {
            table,
            kind: TableKind::Table,
            columns: Vec::new(),
            primary_key: None,
            unique: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            parent: None,
            definition: None,
            comment: None,
            row_estimate: None,
            bytes_estimate: None,
            options: BTreeMap::new(),
        }
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Columns that identify a row: the primary key, else a unique key whose columns are all NOT NULL.
    pub fn identity(&self) -> Option<&[String]> {
        let not_null = |key: &&Key| {
            key.columns
                .iter()
                .all(|name| self.column(name).is_some_and(|column| !column.nullable))
        };
        self.primary_key
            .as_ref()
            .or_else(|| self.unique.iter().find(not_null))
            .map(|key| key.columns.as_slice())
    }

    /// Whether `columns`, as a set, are the primary key, a unique constraint or a full unique index.
    pub fn is_unique(&self, columns: &[&str]) -> bool {
        let same = |names: &[String]| {
            names.len() == columns.len()
                && names.iter().all(|name| columns.contains(&name.as_str()))
        };
        self.primary_key
            .iter()
            .chain(&self.unique)
            .any(|key| same(&key.columns))
            || self.indexes.iter().any(|index| {
                index.unique && index.predicate.is_none() && same(&index.plain_columns())
            })
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Name as the catalog spells it.
    pub name: String,
    /// Position, from 1.
    pub ordinal: u32,
    /// Type in the server's words, with its measures.
    pub native: String,
    /// Type in ours.
    pub logical: LogicalType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Default expression in the server's words.
    #[serde(default)]
    pub default: Option<String>,
    /// Where the value comes from when nobody gives one.
    #[serde(default)]
    pub generation: Generation,
    /// Collation when it is not the database's own.
    #[serde(default)]
    pub collation: Option<String>,
    /// Whether `SELECT *` hides it.
    #[serde(default)]
    pub invisible: bool,
    /// Comment.
    #[serde(default)]
    pub comment: Option<String>,
}

impl Column {
    /// A nullable column without default.
    pub fn new(
        name: impl Into<String>,
        ordinal: u32,
        native: impl Into<String>,
        logical: LogicalType,
    ) -> Self {
        Self {
            name: name.into(),
            ordinal,
            native: native.into(),
            logical,
            nullable: true,
            default: None,
            generation: Generation::None,
            collation: None,
            invisible: false,
            comment: None,
        }
    }

    /// The same column, NOT NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// Whether a load writes this column: the server computes generated ones itself.
    pub const fn is_written(&self) -> bool {
        !matches!(self.generation, Generation::Computed { .. })
    }
}

/// How the server fills a column by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Generation {
    /// It does not.
    #[default]
    None,
    /// By a counter: identity, serial, auto-increment, rowid.
    Identity {
        /// Whether the server refuses a given value unless told otherwise.
        always: bool,
    },
    /// By an expression over the row.
    Computed {
        /// The expression in the server's words.
        expression: String,
        /// Whether the value is stored rather than computed on read.
        stored: bool,
    },
}

/// A primary or unique key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Constraint name; `None` where the engine keeps none.
    pub name: Option<String>,
    /// Columns in key order.
    pub columns: Vec<String>,
    /// Whether two NULLs count as equal.
    #[serde(default)]
    pub nulls_not_distinct: bool,
    /// When the constraint is checked.
    #[serde(default)]
    pub deferrability: Deferrability,
}

impl Key {
    /// An ordinary key over `columns`.
    pub fn over<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self {
            name: None,
            columns: columns.into_iter().map(Into::into).collect(),
            nulls_not_distinct: false,
            deferrability: Deferrability::Immediate,
        }
    }
}

/// When a constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferrability {
    /// At the end of each statement, always.
    #[default]
    Immediate,
    /// At the end of each statement unless a transaction defers it.
    Deferrable,
    /// At commit unless a transaction asks otherwise.
    Deferred,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Name.
    pub name: String,
    /// What is indexed, in order.
    pub parts: Vec<IndexPart>,
    /// Whether it enforces uniqueness.
    pub unique: bool,
    /// Access method in the server's words.
    #[serde(default)]
    pub method: Option<String>,
    /// Predicate of a partial index.
    #[serde(default)]
    pub predicate: Option<String>,
    /// Columns carried along without being part of the key.
    #[serde(default)]
    pub include: Vec<String>,
    /// Whether the server considers it usable.
    pub valid: bool,
    /// The server's own definition where it has one.
    #[serde(default)]
    pub definition: Option<String>,
}

impl Index {
    /// The indexed columns; empty when a part is an expression.
    pub fn plain_columns(&self) -> Vec<String> {
        let columns: Option<Vec<String>> = self
            .parts
            .iter()
            .map(|part| match part {
                IndexPart::Column { name, .. } => Some(name.clone()),
                IndexPart::Expression { .. } => None,
            })
            .collect();
        columns.unwrap_or_default()
    }
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IndexPart {
    /// A column.
    Column {
        /// Its name.
        name: String,
        /// Whether it sorts downwards.
        #[serde(default)]
        descending: bool,
    },
    /// An expression in the server's words.
    Expression {
        /// The expression.
        sql: String,
    },
}

/// A check or exclusion constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Constraint name; `None` where the engine keeps none.
    pub name: Option<String>,
    /// The condition in the server's words.
    pub expression: String,
    /// Whether the server vouches for existing rows.
    pub validated: bool,
    /// Whether it is an exclusion constraint rather than a check.
    #[serde(default)]
    pub exclusion: bool,
}

/// A reference from child columns to the key of a parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Constraint name; `None` where the engine keeps none.
    pub name: Option<String>,
    /// Table that holds the reference.
    pub child: TableRef,
    /// Table that is referred to.
    pub parent: TableRef,
    /// Column pairs in key order: child column, parent column.
    pub columns: Vec<(String, String)>,
    /// What a NULL among the child columns means.
    #[serde(default)]
    pub match_type: MatchType,
    /// What happens to the child when the parent's row goes.
    #[serde(default)]
    pub on_delete: Action,
    /// What happens to the child when the parent's key changes.
    #[serde(default)]
    pub on_update: Action,
    /// When it is checked.
    #[serde(default)]
    pub deferrability: Deferrability,
    /// Whether the server vouches for existing rows.
    pub validated: bool,
    /// Where the reference is known from.
    #[serde(default)]
    pub kind: RelationshipKind,
    /// Of a polymorphic reference, the child's type column and the value, as text, for which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<(String, String)>,
}

impl ForeignKey {
    /// A declared, validated, immediate reference with `MATCH SIMPLE`.
    pub fn new(child: TableRef, parent: TableRef, columns: Vec<(String, String)>) -> Self {
        Self {
            name: None,
            child,
            parent,
            columns,
            match_type: MatchType::Simple,
            on_delete: Action::NoAction,
            on_update: Action::NoAction,
            deferrability: Deferrability::Immediate,
            validated: true,
            kind: RelationshipKind::Declared,
            predicate: None,
        }
    }

    /// Child columns in key order.
    pub fn child_columns(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(|(child, _)| child.as_str())
            .collect()
    }

    /// Parent columns in key order.
    pub fn parent_columns(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(|(_, parent)| parent.as_str())
            .collect()
    }

    /// `child(columns) -> parent(columns)`, as plans and reports print it.
    pub fn describe(&self) -> String {
        format!(
            "{}({}) -> {}({})",
            self.child,
            self.child_columns().join(", "),
            self.parent,
            self.parent_columns().join(", ")
        )
    }
}

/// What a NULL among the columns of a composite reference means (SQL:2016, 8.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchType {
    /// Any NULL: no reference.
    #[default]
    Simple,
    /// All NULL or none.
    Full,
}

/// Referential action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are SQL's own")]
pub enum Action {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

/// Where a reference is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationshipKind {
    /// The schema declares it.
    #[default]
    Declared,
    /// A person wrote it in a workflow.
    Virtual,
    /// Discovery inferred it from names and data.
    Inferred,
    /// It holds only where a type column names the parent.
    Polymorphic,
}

impl RelationshipKind {
    /// The word that the metadata database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Virtual => "virtual",
            Self::Inferred => "inferred",
            Self::Polymorphic => "polymorphic",
        }
    }
}

/// A named type of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedType {
    /// Namespace and name; a type is named as a table is.
    pub name: TableRef,
    /// What it is: `enum`, `domain`, `composite` or `range`.
    pub kind: String,
    /// Statement that makes it, in the server's words.
    pub definition: String,
    /// Labels of an enum, else empty.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Namespace and name.
    pub name: TableRef,
    /// Column that owns it.
    pub owner: Option<ColumnRef>,
    /// Statement that makes it, in the server's words.
    pub definition: String,
}

/// An object that is known and not carried unless a workflow lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaObject {
    /// Namespace and name.
    pub name: TableRef,
    /// Kind in the engine's word: `trigger`, `view`, `function`, `extension`, `policy`.
    pub kind: String,
    /// Table it belongs to, when it belongs to one.
    pub table: Option<TableRef>,
    /// Definition in the server's words, when the role may see it.
    pub definition: Option<String>,
}
