use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::graph::FkGraph;
use tdm_core::ident::TableRef;

use super::closure::row_key;
use super::spec::{Down, SeedRows, SubsetSpec};
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
        let skip: HashSet<TableRef> = spec
            .skip
            .iter()
            .map(|name| resolve(tables, name).map(|t| t.table.clone()))
            .collect::<Result<_>>()?;
        let mut taken: Vec<TableSchema> = tables
            .iter()
            .filter(|t| t.kind.holds_rows() && !skip.contains(&t.table))
            .cloned()
            .collect();
        let inside: HashSet<TableRef> = taken.iter().map(|t| t.table.clone()).collect();
        let mut dropped = Vec::new();
        for table in &mut taken {
            table.foreign_keys.retain(|fk| {
                let keep = inside.contains(&fk.parent);
                if !keep {
                    dropped.push(fk.clone());
                }
                keep
            });
        }
        let graph = FkGraph::new(&taken, extra);
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
        for policy in &spec.edges {
            let child = number(&tables, &graph, &policy.child)?;
            let parent = number(&tables, &graph, &policy.parent)?;
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
                return Err(Error::Subset {
                    place: format!("{} -> {}", policy.child, policy.parent),
                    reason:
                        "no such reference; declare it under relationships if the schema does not"
                            .to_owned(),
                });
            }
        }
        for (edge, plan) in graph.edges().iter().zip(&edges) {
            if matches!(plan.down, Down::Cap(_)) && row_key(&tables[edge.child]).is_none() {
                return Err(Error::Subset {
                    place: plan.reference.clone(),
                    reason: "the child has no key to choose rows by; use all or none".to_owned(),
                });
            }
        }
        let mut seeds = Vec::new();
        for seed in &spec.seeds {
            let table = number(&tables, &graph, &seed.table)?;
            let by_key = matches!(seed.rows, SeedRows::Count(_) | SeedRows::Percent(_));
            if by_key && row_key(&tables[table]).is_none() {
                return Err(Error::Subset {
                    place: seed.table.clone(),
                    reason: "has no key to choose rows by; use a condition or all rows".to_owned(),
                });
            }
            if let SeedRows::Percent(share) = seed.rows
                && !(0.0..=100.0).contains(&share)
            {
                let reason = "a percentage lies between 0 and 100".to_owned();
                return Err(Error::Subset {
                    place: seed.table.clone(),
                    reason,
                });
            }
            seeds.push((table, seed.rows.clone()));
        }
        let mut plan = Self {
            tables,
            graph,
            edges,
            seeds,
            depth: spec.depth,
            seed: spec.seed,
            dropped,
        };
        for name in &spec.whole {
            let table = number(&plan.tables, &plan.graph, name)?;
            plan.seeds.push((table, SeedRows::All));
            plan.stop_children(table);
        }
        for name in &spec.schema_only {
            let table = number(&plan.tables, &plan.graph, name)?;
            if plan.seeds.iter().any(|(seed, _)| *seed == table) {
                let reason = "is both a seed and schema only".to_owned();
                return Err(Error::Subset {
                    place: name.clone(),
                    reason,
                });
            }
            for &edge in plan.graph.to_parents(table) {
                plan.edges[edge].down = Down::None;
            }
        }
        if plan.seeds.is_empty() {
            let reason = "no seed table; name one under seeds, or tables to take whole".to_owned();
            return Err(Error::Subset {
                place: "seeds".to_owned(),
                reason,
            });
        }
        Ok(plan)
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
        let skipped: HashSet<TableRef> = skip
            .iter()
            .map(|name| resolve(tables, name).map(|t| t.table.clone()))
            .collect::<Result<_>>()?;
        let whole = tables
            .iter()
            .filter(|t| t.kind.holds_rows() && !skipped.contains(&t.table))
            .map(|t| t.table.to_string())
            .collect();
        Self::compile(
            tables,
            extra,
            &SubsetSpec {
                whole,
                skip: skip.to_vec(),
                ..SubsetSpec::default()
            },
        )
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

    /// Foreign keys that were removed because their parent is not part of the subset.
    pub fn dropped(&self) -> &[ForeignKey] {
        &self.dropped
    }

    /// The seed tables and their rows.
    pub fn seeds(&self) -> impl Iterator<Item = (&TableSchema, &SeedRows)> {
        self.seeds
            .iter()
            .map(|(table, rows)| (self.tables[*table].as_ref(), rows))
    }

    fn stop_children(&mut self, table: usize) {
        for &edge in self.graph.to_children(table) {
            self.edges[edge].down = Down::None;
        }
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

fn resolve<'t>(tables: &'t [TableSchema], name: &str) -> Result<&'t TableSchema> {
    let mut found = tables.iter().filter(|t| t.table.matches(name));
    match (found.next(), found.next()) {
        (Some(table), None) => Ok(table),
        (None, _) => {
            let hint =
                tdm_core::suggest::nearest(name, tables.iter().map(|t| t.table.name.as_str()));
            let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(Error::UnknownTable {
                table: name.to_owned(),
                hint,
            })
        }
        (Some(first), Some(second)) => Err(Error::Subset {
            place: name.to_owned(),
            reason: format!(
                "may be {} or {}; write the namespace too",
                first.table, second.table
            ),
        }),
    }
}

fn number(tables: &[Arc<TableSchema>], graph: &FkGraph, name: &str) -> Result<usize> {
    let schemas: Vec<TableSchema> = tables
        .iter()
        .map(|t| TableSchema::new(t.table.clone()))
        .collect();
    let table = resolve(&schemas, name)?;
    Ok(graph
        .number(&table.table)
        .expect("the graph is over these tables"))
}
