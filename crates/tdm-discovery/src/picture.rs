//! Pictures of a schema: Mermaid and DOT diagrams, and a page of HTML that needs no network and no script.

mod dot;
mod html;
mod mermaid;

use std::collections::{BTreeMap, BTreeSet};

use tdm_core::catalog::{Catalog, ForeignKey, TableSchema};
use tdm_core::category::Category;
use tdm_core::finding::Classification;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::profile::ColumnProfile;

use crate::error::Error;
use crate::relationship::find;

pub use dot::dot;
pub use html::html;
pub use mermaid::mermaid;

/// Which tables a diagram shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum View {
    /// All that hold rows.
    #[default]
    Whole,
    /// One table and those that are at most `hops` references away from it.
    Around {
        /// The table, by name or `namespace.name`.
        table: String,
        /// References away.
        hops: u32,
    },
}

/// What a picture is made from.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    /// The schema.
    pub catalog: &'a Catalog,
    /// References beside the declared ones.
    pub relationships: &'a [ForeignKey],
    /// Classifications, to show categories.
    pub classifications: &'a [Classification],
    /// Profiles that may be shown.
    pub profiles: &'a [(ColumnRef, ColumnProfile)],
}

impl<'a> Picture<'a> {
    /// A picture of the schema alone.
    pub const fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            relationships: &[],
            classifications: &[],
            profiles: &[],
        }
    }

    /// Tables of a view, in the order of the catalog.
    fn tables(&self, view: &View) -> Result<Vec<&'a TableSchema>, Error> {
        let shown = self.catalog.tables.iter().filter(|t| t.kind.holds_rows());
        let View::Around { table, hops } = view else {
            return Ok(shown.collect());
        };
        let mut near: BTreeSet<TableRef> = BTreeSet::from([find(self.catalog, table)?]);
        for _ in 0..*hops {
            let beside: Vec<TableRef> = self
                .references()
                .filter_map(
                    |key| match (near.contains(&key.child), near.contains(&key.parent)) {
                        (true, false) => Some(key.parent.clone()),
                        (false, true) => Some(key.child.clone()),
                        _ => None,
                    },
                )
                .collect();
            if beside.is_empty() {
                break;
            }
            near.extend(beside);
        }
        let tables = self.catalog.tables.iter();
        Ok(tables.filter(|t| near.contains(&t.table)).collect())
    }

    /// Declared and other references.
    fn references(&self) -> impl Iterator<Item = &'a ForeignKey> {
        let declared = self.catalog.tables.iter().flat_map(|t| &t.foreign_keys);
        declared.chain(self.relationships)
    }

    /// References between the tables of a view.
    fn references_among(&self, tables: &[&TableSchema]) -> Vec<&'a ForeignKey> {
        let names: BTreeSet<&TableRef> = tables.iter().map(|t| &t.table).collect();
        self.references()
            .filter(|key| names.contains(&key.child) && names.contains(&key.parent))
            .collect()
    }

    /// Personal categories by column.
    fn categories(&self) -> BTreeMap<&'a ColumnRef, Category> {
        let effective = |c: &'a Classification| (&c.finding.column, c.effective());
        let all = self.classifications.iter().map(effective);
        all.filter(|(_, category)| category.is_personal()).collect()
    }
}

/// Marks of a column: part of the primary key, of a reference, of a unique key.
fn marks(table: &TableSchema, column: &str, references: &[&ForeignKey]) -> Vec<&'static str> {
    let mut marks = Vec::new();
    let has = |columns: &[String]| columns.iter().any(|c| c == column);
    if table
        .primary_key
        .as_ref()
        .is_some_and(|key| has(&key.columns))
    {
        marks.push("PK");
    }
    let refers = references.iter().any(|key| {
        key.child == table.table && key.columns.iter().any(|(child, _)| child == column)
    });
    if refers {
        marks.push("FK");
    }
    if table.unique.iter().any(|key| has(&key.columns)) {
        marks.push("UK");
    }
    marks
}

/// Whether a child need not have a parent.
fn is_optional(table: Option<&TableSchema>, reference: &ForeignKey) -> bool {
    reference.columns.iter().any(|(child, _)| {
        table
            .and_then(|table| table.column(child))
            .is_none_or(|column| column.nullable)
    })
}

/// Whether a parent has at most one child.
fn is_single(table: Option<&TableSchema>, reference: &ForeignKey) -> bool {
    table.is_some_and(|table| table.is_unique(&reference.child_columns()))
}
