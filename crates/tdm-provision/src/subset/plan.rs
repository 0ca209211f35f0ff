//! A subset whose names are resolved against one catalog.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use tdm_core::catalog::{ForeignKey, MatchType, TableSchema};
use tdm_core::graph::FkGraph;

use super::names::{Names, check_reference, refused};
use super::project::row_key;
use super::spec::{Down, EdgeDetail, EdgePolicy, Order, OrphanPolicy, Seed, SeedRows, SubsetSpec};
use crate::error::Result;

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
    /// Which children a cap takes first; `None` is by keyed hash.
    pub order: Option<Order>,
    /// Only children for which this condition is true follow.
    pub condition: Option<String>,
    /// Children follow parents that are fewer steps than this away from a seed.
    pub depth: Option<u32>,
    /// What happens to references without a parent.
    pub orphans: OrphanPolicy,
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
        let mut plan = Self {
            tables: taken.into_iter().map(Arc::new).collect(),
            edges: Vec::new(),
            graph,
            seeds: Vec::new(),
            depth: spec.depth,
            seed: spec.seed,
            dropped,
        };
        plan.edges = plan.default_edges(spec);
        plan.apply_policies(&names, spec)?;
        for detail in &spec.details {
            plan.apply_detail(&names, detail)?;
        }
        plan.check_edges()?;
        plan.take_seeds(&names, spec)?;
        if everything {
            let all = 0..plan.tables.len();
            plan.seeds.extend(all.map(|table| (table, SeedRows::All)));
        } else if plan.seeds.is_empty() {
            let reason = "no seed table; name one under seeds, or tables to take whole";
            return Err(refused("seeds", reason));
        }
        Ok(plan)
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

    /// Number of the table that `name` means.
    ///
    /// # Errors
    /// When the plan has no such table, or more than one.
    pub fn number(&self, name: &str) -> Result<usize> {
        let tables = self.tables.iter().map(|t| t.table.clone());
        let schemas: Vec<TableSchema> = tables.map(TableSchema::new).collect();
        Names::new(&schemas, &[])?.number(&self.graph, name)
    }

    /// Numbers of the tables that rows can come from: the seeds, children that follow, and parents of both.
    pub fn reachable(&self) -> Vec<usize> {
        let mut expanded = vec![false; self.tables.len()];
        let mut open: Vec<usize> = self.seeds.iter().map(|(table, _)| *table).collect();
        while let Some(table) = open.pop() {
            if std::mem::replace(&mut expanded[table], true) {
                continue;
            }
            let children = self.graph.to_children(table).iter();
            let follow = children.filter(|&&e| self.edges[e].down != Down::None);
            open.extend(follow.map(|&e| self.graph.edges()[e].child));
        }
        let mut reached = vec![false; self.tables.len()];
        let mut open: Vec<usize> = (0..expanded.len()).filter(|&t| expanded[t]).collect();
        while let Some(table) = open.pop() {
            if !std::mem::replace(&mut reached[table], true) {
                let parents = self.graph.to_parents(table).iter();
                open.extend(parents.map(|&e| self.graph.edges()[e].parent));
            }
        }
        (0..reached.len()).filter(|&t| reached[t]).collect()
    }

    fn default_edges(&self, spec: &SubsetSpec) -> Vec<EdgePlan> {
        let edges = self.graph.edges().iter();
        edges
            .map(|edge| EdgePlan {
                reference: edge.foreign_key.describe(),
                down: spec.down,
                order: None,
                condition: None,
                depth: None,
                orphans: spec.orphans,
                indexed: is_indexed(&self.tables[edge.child], &edge.foreign_key.child_columns()),
            })
            .collect()
    }

    fn apply_policies(&mut self, names: &Names<'_>, spec: &SubsetSpec) -> Result<()> {
        for name in &spec.whole {
            let table = names.number(&self.graph, name)?;
            for &edge in self.graph.to_children(table) {
                self.edges[edge].down = Down::None;
            }
        }
        let mut empty = HashSet::new();
        for name in &spec.schema_only {
            let table = names.number(&self.graph, name)?;
            for &edge in self.graph.to_parents(table) {
                self.edges[edge].down = Down::None;
            }
            empty.insert(table);
        }
        for policy in &spec.edges {
            let EdgePolicy { child, parent, .. } = policy;
            let named = self.named(names, (child, parent), &policy.columns)?;
            for edge in named {
                if empty.contains(&self.graph.edges()[edge].child) && policy.down != Down::None {
                    let place = format!("{child} -> {parent}");
                    let reason = "the child is schema only; its rows cannot follow";
                    return Err(refused(place, reason));
                }
                self.edges[edge].down = policy.down;
            }
        }
        Ok(())
    }

    fn apply_detail(&mut self, names: &Names<'_>, detail: &EdgeDetail) -> Result<()> {
        let EdgeDetail { child, parent, .. } = detail;
        for edge in self.named(names, (child, parent), &detail.columns)? {
            let table = &self.tables[self.graph.edges()[edge].child];
            let plan = &mut self.edges[edge];
            if let Some(order) = &detail.order {
                if table.column(&order.column).is_none() {
                    let place = table.table.column(&order.column).to_string();
                    return Err(refused(place, "no such column to order by"));
                }
                if !matches!(plan.down, Down::Cap(_)) {
                    let reason = "an order says which children a cap takes first; give a cap";
                    return Err(refused(&plan.reference, reason));
                }
                plan.order = Some(order.clone());
            }
            if detail.condition.is_some() {
                plan.condition.clone_from(&detail.condition);
            }
            plan.depth = detail.depth.or(plan.depth);
            plan.orphans = detail.orphans.unwrap_or(plan.orphans);
        }
        Ok(())
    }

    /// Numbers of the references that two table names and a list of columns mean; at least one.
    fn named(
        &self,
        names: &Names<'_>,
        (child, parent): (&str, &str),
        columns: &[String],
    ) -> Result<Vec<usize>> {
        let tables = (
            names.number(&self.graph, child)?,
            names.number(&self.graph, parent)?,
        );
        let edges = self.graph.edges().iter().enumerate();
        let found: Vec<usize> = edges
            .filter(|(_, e)| (e.child, e.parent) == tables)
            .filter(|(_, e)| columns.is_empty() || e.foreign_key.child_columns() == columns)
            .map(|(number, _)| number)
            .collect();
        if found.is_empty() {
            let reason = "no such reference; declare it under relationships if the schema does not";
            return Err(refused(format!("{child} -> {parent}"), reason));
        }
        Ok(found)
    }

    fn check_edges(&self) -> Result<()> {
        for (edge, plan) in self.graph.edges().iter().zip(&self.edges) {
            let (child, parent) = (&self.tables[edge.child], &self.tables[edge.parent]);
            if matches!(plan.down, Down::Cap(_)) && row_key(child).is_none() {
                let reason = "the child has no key to choose rows by; use all or none";
                return Err(refused(&plan.reference, reason));
            }
            let reason = match plan.orphans {
                OrphanPolicy::Null if nulled_columns(child, &edge.foreign_key).is_empty() => {
                    Some("orphans cannot become NULL: the columns are NOT NULL; use drop or stub")
                }
                OrphanPolicy::Stub => stub_obstacle(parent, &edge.foreign_key),
                _ => None,
            };
            if let Some(reason) = reason {
                return Err(refused(&plan.reference, reason));
            }
        }
        Ok(())
    }

    fn take_seeds(&mut self, names: &Names<'_>, spec: &SubsetSpec) -> Result<()> {
        let numbers = |list: &[String]| -> Result<Vec<usize>> {
            list.iter()
                .map(|name| names.number(&self.graph, name))
                .collect()
        };
        let (whole, empty) = (numbers(&spec.whole)?, numbers(&spec.schema_only)?);
        let mut seeds = Vec::new();
        for seed in &spec.seeds {
            let table = names.number(&self.graph, &seed.table)?;
            check_seed(&self.tables[table], seed)?;
            if empty.contains(&table) {
                return Err(refused(&seed.table, "is both a seed and schema only"));
            }
            seeds.push((table, seed.rows.clone()));
        }
        for table in whole {
            if empty.contains(&table) {
                let place = self.tables[table].table.to_string();
                return Err(refused(place, "is both whole and schema only"));
            }
            seeds.push((table, SeedRows::All));
        }
        self.seeds = seeds;
        Ok(())
    }
}

fn check_seed(table: &TableSchema, seed: &Seed) -> Result<()> {
    let key = row_key(table);
    let by_key = !matches!(seed.rows, SeedRows::All | SeedRows::Where(_));
    if by_key && key.is_none() {
        let reason = "has no key to choose rows by; use a condition or all rows";
        return Err(refused(&seed.table, reason));
    }
    match &seed.rows {
        SeedRows::Percent(share) if !(0.0..=100.0).contains(share) => {
            Err(refused(&seed.table, "a percentage lies between 0 and 100"))
        }
        SeedRows::Keys(keys) => {
            let parts = key.map_or(0, <[String]>::len);
            match keys.iter().position(|key| key.0.len() != parts) {
                Some(at) => {
                    let reason = format!("key {} of the list needs {parts} parts", at + 1);
                    Err(refused(&seed.table, &reason))
                }
                None => Ok(()),
            }
        }
        SeedRows::Stratified { by, .. } if table.column(by).is_none() => {
            let place = table.table.column(by).to_string();
            Err(refused(place, "no such column to stratify by"))
        }
        _ => Ok(()),
    }
}

/// Columns that are set to NULL to take a reference back; empty when that is not possible.
pub(super) fn nulled_columns(child: &TableSchema, fk: &ForeignKey) -> Vec<String> {
    let names = fk.child_columns().into_iter();
    let nullable: Vec<String> = names
        .filter(|name| child.column(name).is_some_and(|c| c.nullable))
        .map(str::to_owned)
        .collect();
    if fk.match_type == MatchType::Full && nullable.len() < fk.columns.len() {
        return Vec::new();
    }
    nullable
}

/// Why no parent can be made up for a reference; `None` when one can.
fn stub_obstacle(parent: &TableSchema, fk: &ForeignKey) -> Option<&'static str> {
    let given = fk.parent_columns();
    if !row_key(parent).is_some_and(|key| key.iter().all(|c| given.contains(&c.as_str()))) {
        return Some("a parent cannot be made up: the reference does not hold its whole key");
    }
    let needs = |fk: &ForeignKey| {
        let mut columns = fk.child_columns().into_iter();
        columns.all(|c| parent.column(c).is_some_and(|c| !c.nullable))
    };
    if parent.foreign_keys.iter().any(needs) {
        return Some("a parent cannot be made up: it must refer to a parent of its own");
    }
    None
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
