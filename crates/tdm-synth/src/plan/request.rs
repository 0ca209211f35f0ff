//! What is asked for, and what is already there.

use std::fmt;
use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::Encoding;
use tdm_core::catalog::{Column, ForeignKey, NamedType, TableSchema};
use tdm_core::finding::Classification;
use tdm_core::function::{NoResources, Params, Resources};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::types::{LogicalType, TypeClass};

use crate::locale::DEFAULT_LOCALE;
use crate::make::registry::Registry;
use crate::model::TableModel;

/// One table to make.
#[derive(Debug, Clone, Copy)]
pub struct TableRequest<'a> {
    /// Its schema.
    pub schema: &'a TableSchema,
    /// How many rows to make, on top of those that exist.
    pub rows: u64,
}

/// How one column is to be made, whatever its type or category would suggest.
#[derive(Debug, Clone)]
pub struct ColumnRecipe {
    /// The column.
    pub column: ColumnRef,
    /// Name of the generator.
    pub generator: String,
    /// Its parameters. `null_share` (0 to 1) may be given with any generator.
    pub params: Params,
}

/// What the target already holds before anything is made: masked rows that new ones refer to or join.
pub trait ExistingKeys: fmt::Debug + Send + Sync {
    /// The values of `columns` in the rows of `table`, one array a column, rows in a fixed order; `None` when
    /// the table holds no rows or is not known.
    fn keys(&self, table: &TableRef, columns: &[&str]) -> Option<Vec<ArrayRef>>;

    /// The highest value of a whole-number column; `None` when there is none.
    fn highest(&self, column: &ColumnRef) -> Option<i64>;
}

/// An empty target.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingExists;

impl ExistingKeys for NothingExists {
    fn keys(&self, _: &TableRef, _: &[&str]) -> Option<Vec<ArrayRef>> {
        None
    }

    fn highest(&self, _: &ColumnRef) -> Option<i64> {
        None
    }
}

/// In which encoding the target wants a column.
pub type EncodingOf<'a> = &'a (dyn Fn(&TableSchema, &Column) -> Encoding + Sync);

/// Everything that decides the data.
#[derive(Clone, Copy)]
pub struct SynthRequest<'a> {
    /// Tables to make, in any order.
    pub tables: &'a [TableRequest<'a>],
    /// References beside those that the tables declare: virtual and inferred ones.
    pub relationships: &'a [ForeignKey],
    /// What is known of columns.
    pub classifications: &'a [Classification],
    /// What the user decided about columns.
    pub recipes: &'a [ColumnRecipe],
    /// What was learned from real rows of these tables.
    pub models: &'a [Arc<TableModel>],
    /// Named types of the schema, for the constraints of domains.
    pub types: &'a [NamedType],
    /// With table, column name and row number it decides every cell.
    pub seed: u64,
    /// Locale of names and words, unless a recipe names another.
    pub locale: &'a str,
    /// What the target holds already.
    pub existing: &'a dyn ExistingKeys,
    /// In which encoding each column is made.
    pub encoding: EncodingOf<'a>,
    /// The generators.
    pub registry: &'a Registry,
    /// Lists that generators may name.
    pub resources: &'a dyn Resources,
    /// Names of check constraints that the user answers for: they are neither read nor evaluated.
    pub unchecked: &'a [String],
    /// Whether references that close a cycle get values. They then refer to rows that are loaded later, so the
    /// loader must check references at the end; otherwise they are NULL.
    pub fill_cycles: bool,
    /// Whether a table that cannot have as many rows as are asked for, because its keys have fewer values, gets
    /// as many as there can be. [`crate::SynthPlan::shrunk`] says so. Otherwise the plan is refused.
    pub shrink: bool,
}

impl fmt::Debug for SynthRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SynthRequest")
            .field("tables", &self.tables.len())
            .field("recipes", &self.recipes.len())
            .field("locale", &self.locale)
            .finish_non_exhaustive()
    }
}

impl<'a> SynthRequest<'a> {
    /// Rows for `tables` into an empty target, with nothing known but the schema.
    pub fn new(tables: &'a [TableRequest<'a>], registry: &'a Registry, seed: u64) -> Self {
        Self {
            tables,
            relationships: &[],
            classifications: &[],
            recipes: &[],
            models: &[],
            types: &[],
            seed,
            locale: DEFAULT_LOCALE,
            existing: &NothingExists,
            encoding: &|_, column| natural_encoding(&column.logical),
            registry,
            resources: &NoResources,
            unchecked: &[],
            fill_cycles: false,
            shrink: false,
        }
    }
}

/// The encoding that holds a type without conversion.
pub const fn natural_encoding(logical: &LogicalType) -> Encoding {
    match logical.class() {
        TypeClass::Boolean => Encoding::Boolean,
        TypeClass::Integer => Encoding::Int64,
        TypeClass::Float => Encoding::Float64,
        TypeClass::Bytes => Encoding::Bytes,
        TypeClass::Date => Encoding::Date32,
        TypeClass::Time => Encoding::Time64,
        TypeClass::Timestamp => Encoding::Timestamp,
        _ => Encoding::Text,
    }
}
