//! What the names of a specification mean in one catalog.

use std::collections::HashSet;

use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::graph::FkGraph;
use tdm_core::ident::TableRef;
use tdm_core::suggest::nearest;

use crate::error::{Error, Result};

pub(super) fn refused(place: impl Into<String>, reason: &str) -> Error {
    Error::Subset {
        place: place.into(),
        reason: reason.to_owned(),
    }
}

/// A reference that no server vouches for must at least name what is there.
pub(super) fn check_reference(tables: &[TableSchema], fk: &ForeignKey) -> Result<()> {
    if fk.columns.is_empty() {
        return Err(refused(fk.describe(), "names no columns"));
    }
    let child = fk.columns.iter().map(|(child, _)| child);
    let parent = fk.columns.iter().map(|(_, parent)| parent);
    let kind = fk.predicate.iter().map(|(column, _)| column);
    check_columns(tables, &fk.child, child.chain(kind))?;
    check_columns(tables, &fk.parent, parent)
}

pub(super) fn check_columns<'n>(
    tables: &[TableSchema],
    table: &TableRef,
    names: impl Iterator<Item = &'n String>,
) -> Result<()> {
    let Some(schema) = tables.iter().find(|t| t.table == *table) else {
        return Err(unknown(tables, &table.to_string()));
    };
    for name in names {
        if schema.column(name).is_none() {
            let near = nearest(name, schema.columns.iter().map(|c| c.name.as_str()));
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let place = table.column(name).to_string();
            return Err(refused(place, &format!("no such column{hint}")));
        }
    }
    Ok(())
}

fn unknown(tables: &[TableSchema], name: &str) -> Error {
    let near = nearest(name, tables.iter().map(|t| t.table.name.as_str()));
    Error::UnknownTable {
        table: name.to_owned(),
        hint: near.map_or(String::new(), |near| format!("; did you mean `{near}`?")),
    }
}

/// What the names of a specification mean.
pub(super) struct Names<'t> {
    tables: &'t [TableSchema],
    skipped: HashSet<&'t TableRef>,
    held: HashSet<&'t TableRef>,
}

impl<'t> Names<'t> {
    pub(super) fn new(tables: &'t [TableSchema], skip: &[String]) -> Result<Self> {
        let skipped: HashSet<&TableRef> = skip
            .iter()
            .map(|name| resolve(tables, name).map(|t| &t.table))
            .collect::<Result<_>>()?;
        let held = tables
            .iter()
            .filter(|t| t.kind.holds_rows() && !skipped.contains(&t.table))
            .map(|t| &t.table)
            .collect();
        Ok(Self {
            tables,
            skipped,
            held,
        })
    }

    pub(super) fn holds(&self, table: &TableRef) -> bool {
        self.held.contains(table)
    }

    pub(super) fn taken(&self, tables: &[TableSchema]) -> Vec<TableSchema> {
        let held = tables.iter().filter(|t| self.holds(&t.table));
        held.cloned().collect()
    }

    pub(super) fn number(&self, graph: &FkGraph, name: &str) -> Result<usize> {
        let table = &resolve(self.tables, name)?.table;
        graph.number(table).ok_or_else(|| {
            if self.skipped.contains(table) {
                refused(name, "is named here and under skip")
            } else {
                refused(name, "holds no rows of its own; name the tables behind it")
            }
        })
    }
}

fn resolve<'t>(tables: &'t [TableSchema], name: &str) -> Result<&'t TableSchema> {
    let found: Vec<&TableSchema> = tables.iter().filter(|t| t.table.matches(name)).collect();
    // A table without namespace has no other name than its bare one.
    let bare = |t: &&&TableSchema| t.table.namespace.is_none() && t.table.name == name;
    match found.as_slice() {
        [] => Err(unknown(tables, name)),
        [table] => Ok(table),
        [first, second, ..] => found.iter().find(bare).copied().ok_or_else(|| {
            let (first, second) = (&first.table, &second.table);
            let reason = format!("may be {first} or {second}; write the namespace too");
            refused(name, &reason)
        }),
    }
}
