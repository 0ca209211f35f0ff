//! What a subset will hold, from statistics alone: nothing is read.
//!
//! Every table is described by the share of its rows that are expanded. A child follows when its parent is
//! expanded, so a reference passes its parent's share on, less the children without a parent and those that
//! a cap leaves out. Shares that arrive by several references combine as independent events. Parents are
//! needed as often as that many draws of one of them hit different ones.

use std::collections::BTreeMap;

use serde::Serialize;
use tdm_core::catalog::{Deferrability, TableSchema};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::profile::ColumnProfile;

use super::plan::SubsetPlan;
use super::project::row_key;
use super::spec::{Down, SeedRows};

/// Share of a table that a condition is taken to select when nobody counted.
const CONDITION_SHARE: f64 = 0.1;

/// Rows a table is taken to have when nobody counted.
const ROWS_UNKNOWN: u64 = 1_000;

/// What is known of the data beyond the catalog's own estimates.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Rows by table; the catalog's estimate where it is not here.
    pub rows: BTreeMap<TableRef, u64>,
    /// Measured columns: distinct values and NULLs of references.
    pub columns: BTreeMap<ColumnRef, ColumnProfile>,
    /// Rows that the seeds select, in the order of the plan's seeds, where they were counted.
    pub seeds: Vec<Option<u64>>,
}

/// What a subset will hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Rows over all tables.
    pub rows: u64,
    /// Bytes over all tables whose size is known.
    pub bytes: u64,
    /// By table, in the plan's order.
    pub tables: Vec<TablePrediction>,
    /// By reference, in the plan's order.
    pub edges: Vec<EdgePrediction>,
    /// Cycles of references, and how they load.
    pub cycles: Vec<Cycle>,
    /// Tables without a key: each is read whole and its rows are told apart by all their columns.
    pub keyless: Vec<String>,
}

/// What a subset will hold of one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TablePrediction {
    /// The table.
    pub table: String,
    /// Rows of the source, about.
    pub source_rows: u64,
    /// Rows of the subset, about.
    pub rows: u64,
    /// Bytes of the subset, about; `None` when the table's size is not known.
    pub bytes: Option<u64>,
    /// Whether the number of rows in the source is a guess.
    pub guessed: bool,
}

/// What one reference will bring.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EdgePrediction {
    /// `child(columns) -> parent(columns)`.
    pub reference: String,
    /// Children of a parent that has any, on average.
    pub fan_out: f64,
    /// Children that follow.
    pub children: u64,
    /// Parents that are needed.
    pub parents: u64,
    /// The index that would spare a scan of the child for each step, when one is missing and children follow.
    pub missing_index: Option<String>,
    /// Whether no server vouches for it, so that its orphans need a policy.
    pub orphan_prone: bool,
}

/// Tables that refer to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cycle {
    /// The tables.
    pub tables: Vec<String>,
    /// The references among them.
    pub references: Vec<String>,
    /// Whether every one of them is NOT NULL and checked at once: no order of rows can satisfy them.
    pub rigid: bool,
    /// How the cycle loads.
    pub load: &'static str,
}

/// A cap that brings a subset nearer to a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// `child(columns) -> parent(columns)`.
    pub reference: String,
    /// At most this many children per parent.
    pub cap: u64,
}

/// What to change so that a subset holds about a number of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Budget {
    /// Rows asked for.
    pub budget: u64,
    /// Whether the proposals suffice. Required parents and seeds cannot be capped.
    pub reached: bool,
    /// The caps, largest effect first.
    pub proposals: Vec<Proposal>,
    /// What the subset will hold with them.
    pub prediction: Prediction,
}

struct Model<'a> {
    plan: &'a SubsetPlan,
    rows: Vec<f64>,
    guessed: Vec<bool>,
    /// Share of children that refer to a parent at all, and children per parent that has any.
    filled: Vec<f64>,
    fan_out: Vec<f64>,
    caps: Vec<Option<u64>>,
    seeds: Vec<f64>,
}

/// Predicts what `plan` will take.
pub fn predict(plan: &SubsetPlan, statistics: &Statistics) -> Prediction {
    Model::new(plan, statistics).predict()
}

/// Proposes which references to cap, and to how many children a parent, for `rows` rows over all tables.
pub fn propose(plan: &SubsetPlan, statistics: &Statistics, rows: u64) -> Budget {
    let mut model = Model::new(plan, statistics);
    let mut prediction = model.predict();
    let mut order: Vec<usize> = Vec::new();
    // Each round halves the families of one reference; sixteen halvings exhaust any family of 65,536.
    for _ in 0..16 * plan.edges.len().max(1) {
        if prediction.rows <= rows {
            break;
        }
        let mut best: Option<(u64, usize, u64)> = None;
        for edge in 0..plan.edges.len() {
            let Some(cap) = model.halved(edge) else {
                continue;
            };
            let before = model.caps[edge].replace(cap);
            let after = model.predict().rows;
            model.caps[edge] = before;
            if after < prediction.rows && best.is_none_or(|(rows, ..)| after < rows) {
                best = Some((after, edge, cap));
            }
        }
        let Some((_, edge, cap)) = best else { break };
        model.caps[edge] = Some(cap);
        if !order.contains(&edge) {
            order.push(edge);
        }
        prediction = model.predict();
    }
    let proposals = order.into_iter().filter_map(|edge| {
        Some(Proposal {
            reference: plan.edges[edge].reference.clone(),
            cap: model.caps[edge]?,
        })
    });
    Budget {
        budget: rows,
        reached: prediction.rows <= rows,
        proposals: proposals.collect(),
        prediction,
    }
}

impl<'a> Model<'a> {
    fn new(plan: &'a SubsetPlan, statistics: &Statistics) -> Self {
        let counted = |table: &TableSchema| {
            let known = statistics.rows.get(&table.table).copied();
            known.or(table.row_estimate)
        };
        let tables = plan.tables.iter();
        let rows: Vec<f64> = tables
            .map(|table| float(counted(table).unwrap_or(ROWS_UNKNOWN)))
            .collect();
        let guessed = plan.tables.iter().map(|t| counted(t).is_none()).collect();
        let mut filled = Vec::new();
        let mut fan_out = Vec::new();
        for edge in plan.graph.edges() {
            let fk = &edge.foreign_key;
            let profiles: Vec<_> = fk
                .child_columns()
                .into_iter()
                .filter_map(|name| statistics.columns.get(&fk.child.column(name)))
                .collect();
            let nulls = |p: &&ColumnProfile| float(p.nulls) / float(p.rows.max(1));
            let null = profiles.iter().map(nulls).fold(0.0, f64::max);
            let distinct = profiles
                .iter()
                .map(|p| float(p.distinct))
                .fold(0.0, f64::max);
            // Without a measure every parent is taken to have children.
            let parents = if distinct > 0.0 {
                distinct.min(rows[edge.parent].max(1.0))
            } else {
                rows[edge.parent].max(1.0).min(rows[edge.child].max(1.0))
            };
            filled.push(1.0 - null);
            fan_out.push(((rows[edge.child] * (1.0 - null)) / parents).max(1.0));
        }
        let cap = |down: &Down| match down {
            Down::Cap(cap) => Some(*cap),
            _ => None,
        };
        let mut seeds = vec![0.0; rows.len()];
        for (at, (table, kind)) in plan.seeds.iter().enumerate() {
            let all: f64 = rows[*table];
            let known = statistics.seeds.get(at).copied().flatten().map(float);
            let distinct = |by: &str| {
                let column = plan.tables[*table].table.column(by);
                statistics
                    .columns
                    .get(&column)
                    .map_or(1.0, |p| float(p.distinct))
            };
            let taken = known.unwrap_or_else(|| match kind {
                SeedRows::All => all,
                SeedRows::Where(_) => all * CONDITION_SHARE,
                SeedRows::Count(count) => float(*count),
                SeedRows::Percent(share) => all * share / 100.0,
                SeedRows::Keys(keys) => float(keys.len() as u64),
                SeedRows::Stratified { by, rows } => float(*rows) * distinct(by),
                SeedRows::Coverage { times } => {
                    let states = 4 * plan.tables[*table].columns.len() as u64;
                    float(times.saturating_mul(states))
                }
            });
            let share = if all > 0.0 {
                (taken / all).min(1.0)
            } else {
                0.0
            };
            seeds[*table] = either(seeds[*table], share);
        }
        Self {
            plan,
            rows,
            guessed,
            filled,
            fan_out,
            caps: plan.edges.iter().map(|e| cap(&e.down)).collect(),
            seeds,
        }
    }

    /// Half of what a reference brings per parent now; `None` when there is nothing left to halve.
    fn halved(&self, edge: usize) -> Option<u64> {
        let child = self.plan.graph.edges()[edge].child;
        if self.plan.edges[edge].down == Down::None || row_key(&self.plan.tables[child]).is_none() {
            return None;
        }
        let now =
            self.caps[edge].map_or(self.fan_out[edge], |cap| float(cap).min(self.fan_out[edge]));
        (now > 1.0).then(|| whole(now / 2.0).max(1))
    }

    /// Share of the children of a reference that follow when `share` of its parents are expanded.
    fn followed(&self, edge: usize, share: f64) -> f64 {
        let taken = match (self.plan.edges[edge].down, self.caps[edge]) {
            (Down::None, _) => 0.0,
            (_, Some(cap)) => (float(cap) / self.fan_out[edge]).min(1.0),
            _ => 1.0,
        };
        share * self.filled[edge] * taken
    }

    fn predict(&self) -> Prediction {
        let edges = self.plan.graph.edges();
        let mut expanded = self.seeds.clone();
        // Shares only grow and stay below one; sixty-four rounds are deeper than any schema.
        for level in 0..64 {
            if self.plan.depth.is_some_and(|depth| level >= depth) {
                break;
            }
            let mut next = self.seeds.clone();
            for (number, edge) in edges.iter().enumerate() {
                let near = self.plan.edges[number].depth.is_none_or(|d| level < d);
                if near || expanded[edge.child] > next[edge.child] {
                    let share = self.followed(number, expanded[edge.parent]);
                    next[edge.child] = either(next[edge.child], share);
                }
            }
            let moved = next.iter().zip(&expanded).any(|(n, e)| n - e > 1e-9);
            for (old, new) in expanded.iter_mut().zip(next) {
                *old = old.max(new);
            }
            if !moved {
                break;
            }
        }
        let children: Vec<f64> = (0..edges.len())
            .map(|e| self.followed(e, expanded[edges[e].parent]) * self.rows[edges[e].child])
            .collect();
        let mut present = expanded.clone();
        let mut parents = vec![0.0; edges.len()];
        for component in self.plan.graph.components().iter().rev() {
            let rounds = if component.cyclic { 16 } else { 1 };
            for _ in 0..rounds {
                for &table in &component.tables {
                    let mut share = expanded[table];
                    for &e in self.plan.graph.to_children(table) {
                        let child = edges[e].child;
                        // Children that came by this very reference have their parent already.
                        let strangers = (present[child] * self.rows[child] - children[e]).max(0.0);
                        let pool = (self.rows[child] * self.filled[e] / self.fan_out[e]).max(1.0);
                        let hit = pool * (1.0 - (-strangers * self.filled[e] / pool).exp());
                        let own = (hit / self.rows[table].max(1.0)).min(1.0);
                        parents[e] = own * (1.0 - expanded[table]) * self.rows[table];
                        share = either(share, own);
                    }
                    present[table] = share;
                }
            }
        }
        self.describe(&present, &children, &parents)
    }

    fn describe(&self, present: &[f64], children: &[f64], parents: &[f64]) -> Prediction {
        let tables: Vec<TablePrediction> = self
            .plan
            .tables
            .iter()
            .enumerate()
            .map(|(number, table)| TablePrediction {
                table: table.table.to_string(),
                source_rows: whole(self.rows[number]),
                rows: whole(self.rows[number] * present[number]),
                bytes: table
                    .bytes_estimate
                    .map(|b| whole(float(b) * present[number])),
                guessed: self.guessed[number],
            })
            .collect();
        let edges = self.plan.graph.edges().iter().zip(&self.plan.edges);
        let edges = edges.enumerate().map(|(number, (edge, plan))| {
            let fk = &edge.foreign_key;
            let hint = || format!("{}({})", fk.child, fk.child_columns().join(", "));
            EdgePrediction {
                reference: plan.reference.clone(),
                fan_out: self.fan_out[number],
                children: whole(children[number]),
                parents: whole(parents[number]),
                missing_index: (!plan.indexed && plan.down != Down::None).then(hint),
                orphan_prone: !(fk.validated
                    && fk.kind == tdm_core::catalog::RelationshipKind::Declared),
            }
        });
        let keyless = self.plan.tables.iter().filter(|t| row_key(t).is_none());
        Prediction {
            rows: tables.iter().map(|t| t.rows).sum(),
            bytes: tables.iter().filter_map(|t| t.bytes).sum(),
            edges: edges.collect(),
            cycles: self.cycles(),
            keyless: keyless.map(|t| t.table.to_string()).collect(),
            tables,
        }
    }

    fn cycles(&self) -> Vec<Cycle> {
        let graph = &self.plan.graph;
        let cyclic = graph.components().into_iter().filter(|c| c.cyclic);
        cyclic
            .map(|component| {
                let inside = |e: &&tdm_core::graph::Edge| {
                    component.tables.contains(&e.child) && component.tables.contains(&e.parent)
                };
                let edges: Vec<_> = graph.edges().iter().filter(inside).collect();
                let loose = |e: &&tdm_core::graph::Edge| {
                    let fk = &e.foreign_key;
                    let child = &self.plan.tables[e.child];
                    let nullable = |name: &str| child.column(name).is_some_and(|c| c.nullable);
                    fk.deferrability != Deferrability::Immediate
                        || fk.child_columns().into_iter().any(nullable)
                };
                let rigid = !edges.iter().any(loose);
                Cycle {
                    tables: component
                        .tables
                        .iter()
                        .map(|&t| graph.table(t).to_string())
                        .collect(),
                    references: edges.iter().map(|e| e.foreign_key.describe()).collect(),
                    rigid,
                    load: "rows of all its tables first, the keys between them afterwards",
                }
            })
            .collect()
    }
}

/// Whether at least one of two independent events happens.
fn either(a: f64, b: f64) -> f64 {
    1.0 - (1.0 - a) * (1.0 - b)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate needs no more than 53 bits"
)]
const fn float(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float to integer cast saturates, and estimates are not negative"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}
