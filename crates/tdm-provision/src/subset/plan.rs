use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::graph::FkGraph;
use tdm_core::ident::TableRef;
use tdm_core::suggest::nearest;

use super::closure::row_key;
use super::spec::{Down, Seed, SeedRows, SubsetSpec};
use crate::error::{Error, Result};

/// A subset whose names are resolved against one catalog: nothing left that could fail for a reason known now.
#[derive(Debug, Clone)]
pub struct SubsetPlan {
    pub(super) tables: Vec<Arc<TableSchema>>,
    pub(super) graph: FkGraph,
    pub(super) edges: Vec<EdgePlan>,
    pub(super) seeds: Vec<(usize, SeedRows)>,
    pub(super) depth: Option<u32>,
    pub(super) seed: u64,
    dropped: Vec<ForeignKey>,
}

/// One reference as the closure will follow it.
#[derive(Debug, Clone, Serialize)]
pub struct EdgePlan {
    /// `child(columns) -> parent(columns)`.
    pub reference: String,
    /// Which children follow.
    pub down: Down,
    /// Whether an index of the child serves the reference; without one each step down scans the child.
    pub indexed: bool,
}

impl SubsetPlan {
    /// Resolves `spec` against `tables` and their references, declared and `extra`.
    ///
    /// Tables that hold no rows of their own (views, shadow tables) and skipped ones are left out; foreign
    /// keys that lead out of the remaining set are removed from the schemas and listed by
    /// [`SubsetPlan::dropped`].
    ///
    /// # Errors
    /// With the first name that does not exist or is ambiguous, and when a policy cannot be followed.
    pub fn compile(
        tables: &[TableSchema],
        extra: &[ForeignKey],
        spec: &SubsetSpec,
    ) -> Result<Self> {
        Self::compile_with(tables, extra, spec, false)
    }

    fn compile_with(
        tables: &[TableSchema],
        extra: &[ForeignKey],
        spec: &SubsetSpec,
        everything: bool,
    ) -> Result<Self> {
        let names = Names::new(tables, &spec.skip)?;
        let mut dropped = Vec::new();
        let mut taken: Vec<TableSchema> = names.taken(tables);
        for table in &mut taken {
            table.foreign_keys.retain(|fk| {
                // SQLite accepts references to what does not exist; nobody can follow them.
                let keep = names.holds(&fk.parent) && check_reference(tables, fk).is_ok();
                if !keep {
                    dropped.push(fk.clone());
                }
                keep
            });
        }
        let mut followed = Vec::new();
        for fk in extra {
            check_reference(tables, fk)?;
            if names.holds(&fk.child) && names.holds(&fk.parent) {
                followed.push(fk.clone());
            } else {
                dropped.push(fk.clone());
            }
        }
        let graph = FkGraph::new(&taken, &followed);
        let tables: Vec<Arc<TableSchema>> = taken.into_iter().map(Arc::new).collect();
        let mut edges: Vec<EdgePlan> = graph
            .edges()
            .iter()
            .map(|edge| EdgePlan {
                reference: edge.foreign_key.describe(),
                down: spec.down,
                indexed: is_indexed(&tables[edge.child], &edge.foreign_key.child_columns()),
            })
            .collect();
        let mut whole = Vec::new();
        for name in &spec.whole {
            let table = names.number(&graph, name)?;
            for &edge in graph.to_children(table) {
                edges[edge].down = Down::None;
            }
            whole.push(table);
        }
        let mut empty = HashSet::new();
        for name in &spec.schema_only {
            let table = names.number(&graph, name)?;
            for &edge in graph.to_parents(table) {
                edges[edge].down = Down::None;
            }
            empty.insert(table);
        }
        for policy in &spec.edges {
            let child = names.number(&graph, &policy.child)?;
            let parent = names.number(&graph, &policy.parent)?;
            let place = || format!("{} -> {}", policy.child, policy.parent);
            if empty.contains(&child) && policy.down != Down::None {
                return Err(refused(
                    place(),
                    "the child is schema only; its rows cannot follow",
                ));
            }
            let mut found = false;
            for (edge, plan) in graph.edges().iter().zip(&mut edges) {
                let named =
                    policy.columns.is_empty() || edge.foreign_key.child_columns() == policy.columns;
                if edge.child == child && edge.parent == parent && named {
                    plan.down = policy.down;
                    found = true;
                }
            }
            if !found {
                let reason =
                    "no such reference; declare it under relationships if the schema does not";
                return Err(refused(place(), reason));
            }
        }
        for (edge, plan) in graph.edges().iter().zip(&edges) {
            if matches!(plan.down, Down::Cap(_)) && row_key(&tables[edge.child]).is_none() {
                let reason = "the child has no key to choose rows by; use all or none";
                return Err(refused(&plan.reference, reason));
            }
        }
        let mut seeds = Vec::new();
        for seed in &spec.seeds {
            let table = names.number(&graph, &seed.table)?;
            check_seed(&tables[table], seed)?;
            if empty.contains(&table) {
                return Err(refused(&seed.table, "is both a seed and schema only"));
            }
            seeds.push((table, seed.rows.clone()));
        }
        for table in whole {
            if empty.contains(&table) {
                let place = tables[table].table.to_string();
                return Err(refused(place, "is both whole and schema only"));
            }
            seeds.push((table, SeedRows::All));
        }
        if everything {
            seeds.extend((0..tables.len()).map(|table| (table, SeedRows::All)));
        } else if seeds.is_empty() {
            let reason = "no seed table; name one under seeds, or tables to take whole";
            return Err(refused("seeds", reason));
        }
        Ok(Self {
            tables,
            graph,
            edges,
            seeds,
            depth: spec.depth,
            seed: spec.seed,
            dropped,
        })
    }

    /// A plan that takes every table whole.
    ///
    /// # Errors
    /// Never for a catalog that introspection made.
    pub fn everything(
        tables: &[TableSchema],
        extra: &[ForeignKey],
        skip: &[String],
    ) -> Result<Self> {
        let spec = SubsetSpec {
            skip: skip.to_vec(),
            down: Down::None,
            ..SubsetSpec::default()
        };
        // By number, not by name: a catalog may hold names that nobody can write unambiguously.
        Self::compile_with(tables, extra, &spec, true)
    }

    /// The tables of the subset, foreign keys that lead out of it removed.
    pub fn tables(&self) -> &[Arc<TableSchema>] {
        &self.tables
    }

    /// The graph over [`SubsetPlan::tables`], in the same order.
    pub const fn graph(&self) -> &FkGraph {
        &self.graph
    }

    /// The references and their policies, by edge number of the graph.
    pub fn edges(&self) -> &[EdgePlan] {
        &self.edges
    }

    /// References that were removed because their parent, or their child, is not part of the subset.
    pub fn dropped(&self) -> &[ForeignKey] {
        &self.dropped
    }

    /// The seed tables and their rows.
    pub fn seeds(&self) -> impl Iterator<Item = (&TableSchema, &SeedRows)> {
        self.seeds
            .iter()
            .map(|(table, rows)| (self.tables[*table].as_ref(), rows))
    }
}

fn is_indexed(child: &TableSchema, columns: &[&str]) -> bool {
    let leads = |indexed: &[String]| {
        indexed.len() >= columns.len()
            && indexed[..columns.len()]
                .iter()
                .all(|c| columns.contains(&c.as_str()))
    };
    child
        .primary_key
        .iter()
        .chain(&child.unique)
        .any(|key| leads(&key.columns))
        || child
            .indexes
            .iter()
            .any(|i| i.valid && i.predicate.is_none() && leads(&i.plain_columns()))
}

fn refused(place: impl Into<String>, reason: &str) -> Error {
    Error::Subset {
        place: place.into(),
        reason: reason.to_owned(),
    }
}

fn check_seed(table: &TableSchema, seed: &Seed) -> Result<()> {
    let by_key = matches!(seed.rows, SeedRows::Count(_) | SeedRows::Percent(_));
    if by_key && row_key(table).is_none() {
        let reason = "has no key to choose rows by; use a condition or all rows";
        return Err(refused(&seed.table, reason));
    }
    if let SeedRows::Percent(share) = seed.rows
        && !(0.0..=100.0).contains(&share)
    {
        return Err(refused(&seed.table, "a percentage lies between 0 and 100"));
    }
    Ok(())
}

/// A reference that no server vouches for must at least name what is there.
fn check_reference(tables: &[TableSchema], fk: &ForeignKey) -> Result<()> {
    if fk.columns.is_empty() {
        return Err(refused(fk.describe(), "names no columns"));
    }
    let child = fk.columns.iter().map(|(child, _)| child);
    let parent = fk.columns.iter().map(|(_, parent)| parent);
    check_columns(tables, &fk.child, child)?;
    check_columns(tables, &fk.parent, parent)
}

fn check_columns<'n>(
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
struct Names<'t> {
    tables: &'t [TableSchema],
    skipped: HashSet<&'t TableRef>,
    held: HashSet<&'t TableRef>,
}

impl<'t> Names<'t> {
    fn new(tables: &'t [TableSchema], skip: &[String]) -> Result<Self> {
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

    fn holds(&self, table: &TableRef) -> bool {
        self.held.contains(table)
    }

    fn taken(&self, tables: &[TableSchema]) -> Vec<TableSchema> {
        let held = tables.iter().filter(|t| self.holds(&t.table));
        held.cloned().collect()
    }

    fn number(&self, graph: &FkGraph, name: &str) -> Result<usize> {
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
