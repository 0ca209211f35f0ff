//! Why a row is in a subset: the shortest chain of rules that leads to it from a seed.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::cancel::CancelToken;
use tdm_core::port::{NoProgress, RowSource};
use tdm_core::scalar::cell;

use super::closure::Walk;
use super::key::Key;
use super::names::refused;
use super::options::CloseOptions;
use super::plan::SubsetPlan;
use super::project::parse_keys;
use super::scans::Wanted;
use super::selection::{Closure, Mark};
use super::spec::KeyText;
use super::unmatched::form;
use crate::error::Result;

/// Rows that an explanation looks at before it gives up.
const ROWS_MAX: usize = 5_000_000;

/// One link of a chain: which rule brought a row of which table. Rows are not named: their keys are values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The table.
    pub table: String,
    /// The rule.
    pub rule: Rule,
    /// The reference by which the row before brought this one; `None` for a seed.
    pub reference: Option<String>,
}

/// How a row comes into a subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It is a seed.
    Seed,
    /// It refers to the row before and follows it.
    Child,
    /// The row before refers to it.
    Parent,
}

/// A row by table number and key.
type Row = (usize, Key);

/// The shortest chain from a seed to the row of `table` with `key`; `None` when the row was not chosen.
///
/// Reads the source along the chain, so it must still show the state that `closure` was taken from.
///
/// # Errors
/// When there is no such table or it has no key, the key is not one of it, the source fails or no longer has
/// the rows, or the work is cancelled.
pub async fn explain(
    plan: &SubsetPlan,
    closure: &Closure,
    source: &dyn RowSource,
    table: &str,
    key: &KeyText,
    cancel: &CancelToken,
) -> Result<Option<Vec<Link>>> {
    let number = plan.number(table)?;
    let walk = Walk::new(plan, source, CloseOptions::default(), cancel, &NoProgress)?;
    if walk.tables[number].keyless {
        return Err(refused(table, "has no key to name a row by"));
    }
    let binding = walk.tables[number].own_key(source);
    if binding.columns.len() != key.0.len() {
        let reason = format!("a key of it has {} parts", binding.columns.len());
        return Err(refused(table, &reason));
    }
    let keys = parse_keys(&walk.tables[number], &binding, std::slice::from_ref(key))?;
    let Some(key) = keys.into_iter().next() else {
        return Ok(None);
    };
    let mut search = Search { walk, closure };
    if !search.closure.tables[number].holds(&key) {
        return Ok(None);
    }
    let wanted = Wanted::Keys {
        binding,
        keys: vec![key],
        step: 1,
    };
    let all = search.closure.tables[number].all;
    match search.held(number, wanted).await?.into_iter().next() {
        Some(target) => search.chain(target).await.map(Some),
        // Of a table that was taken whole no keys are kept: a row that is not there was not chosen.
        None if all => Ok(None),
        None => Err(search.gone(number)),
    }
}

struct Search<'a> {
    walk: Walk<'a>,
    closure: &'a Closure,
}

/// What a row holds: for each reference to and from its table, the key there.
#[derive(Clone)]
struct Held {
    row: Row,
    /// By edge number: the row's own reference, and its key as a parent.
    refers: HashMap<usize, Key>,
    referred: HashMap<usize, Key>,
}

impl Search<'_> {
    fn link(&self, table: usize, rule: Rule, edge: Option<usize>) -> Link {
        let plan = self.walk.plan;
        Link {
            table: plan.tables[table].table.to_string(),
            rule,
            reference: edge.map(|edge| plan.edges[edge].reference.clone()),
        }
    }

    fn level(&self, (table, key): &Row) -> Option<u32> {
        let selection = &self.closure.tables[*table];
        if selection.all {
            return Some(0);
        }
        let mark = selection.marks.get(key.as_ref())?;
        mark.is_expanded().then_some(mark.level)
    }

    /// Backwards over "refers to", one step at a time, until no longer way can beat the best end found.
    async fn chain(&mut self, target: Held) -> Result<Vec<Link>> {
        let goal = target.row.clone();
        let mut before: HashMap<Row, (usize, Row)> = HashMap::new();
        let mut best = self.level(&goal).map(|level| (level, target.clone()));
        let mut frontier = vec![target];
        let mut steps = 0;
        while !frontier.is_empty() && best.as_ref().is_none_or(|(total, _)| steps + 1 < *total) {
            steps += 1;
            let mut next = Vec::new();
            for (edge, child, parent) in self.referring(&frontier).await? {
                if child.row == goal || before.contains_key(&child.row) {
                    continue;
                }
                if let Some(level) = self.level(&child.row)
                    && best
                        .as_ref()
                        .is_none_or(|(total, _)| steps + level < *total)
                {
                    best = Some((steps + level, child.clone()));
                }
                before.insert(child.row.clone(), (edge, parent));
                next.push(child);
            }
            if before.len() > ROWS_MAX {
                let reason = "too many rows refer to this one to look at them all";
                return Err(refused(self.link(goal.0, Rule::Seed, None).table, reason));
            }
            frontier = next;
        }
        let Some((_, end)) = best else {
            return Err(self.gone(goal.0));
        };
        let mut at = end.row.clone();
        let mut chain = self.down_to(end).await?;
        while at != goal {
            let Some((edge, parent)) = before.get(&at) else {
                return Err(self.gone(goal.0));
            };
            chain.push(self.link(parent.0, Rule::Parent, Some(*edge)));
            at = parent.clone();
        }
        Ok(chain)
    }

    fn gone(&self, table: usize) -> crate::error::Error {
        let place = self.link(table, Rule::Seed, None).table;
        refused(place, "the source no longer shows the state of the closure")
    }

    /// The links from a seed to an expanded row, child by child.
    async fn down_to(&mut self, end: Held) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        let mut at = end;
        loop {
            let (table, key) = &at.row;
            let selection = &self.closure.tables[*table];
            let mark = (!selection.all).then(|| selection.marks.get(key.as_ref()).copied());
            let Some(mark) = mark.flatten().filter(|mark| mark.edge != Mark::SEED) else {
                links.push(self.link(*table, Rule::Seed, None));
                links.reverse();
                return Ok(links);
            };
            let edge = mark.edge as usize;
            links.push(self.link(*table, Rule::Child, Some(edge)));
            let parent = self.walk.plan.graph.edges()[edge].parent;
            let reference = at.refers.get(&edge).cloned();
            let wanted = Wanted::Keys {
                binding: self.walk.edges[edge].to_parents.clone(),
                keys: vec![reference.ok_or_else(|| self.gone(at.row.0))?],
                step: 1,
            };
            let above = self.held(parent, wanted).await?.into_iter();
            let nearer = |held: &Held| self.level(&held.row).is_some_and(|l| l + 1 == mark.level);
            at = above
                .filter(nearer)
                .min_by(|a, b| a.row.cmp(&b.row))
                .ok_or_else(|| self.gone(parent))?;
        }
    }

    /// Chosen rows that refer to one of `rows`: by which edge, the row, and to which.
    async fn referring(&mut self, rows: &[Held]) -> Result<Vec<(usize, Held, Row)>> {
        let mut by_edge: BTreeMap<usize, HashMap<Vec<u8>, (Key, Row)>> = BTreeMap::new();
        for held in rows {
            for (&edge, key) in &held.referred {
                let entry = by_edge.entry(edge).or_default();
                entry.insert(canonical_form(key), (key.clone(), held.row.clone()));
            }
        }
        let mut found = Vec::new();
        for (edge, parents) in by_edge {
            let mut keys: Vec<Key> = parents.values().map(|(key, _)| key.clone()).collect();
            keys.sort_unstable();
            let child = self.walk.child_of(edge);
            let wanted = Wanted::Keys {
                binding: self.walk.edges[edge].to_children.clone(),
                keys,
                step: self.walk.keys_max,
            };
            let mut children = self.held(child, wanted).await?;
            children.retain(|held| self.closure.tables[child].holds(&held.row.1));
            children.sort_by(|a, b| a.row.cmp(&b.row));
            for held in children {
                let parent = held.refers.get(&edge).map(canonical_form);
                if let Some((_, parent)) = parent.and_then(|form| parents.get(&form)) {
                    found.push((edge, held, parent.clone()));
                }
            }
        }
        Ok(found)
    }

    async fn held(&mut self, table: usize, wanted: Wanted) -> Result<Vec<Held>> {
        let (walk, graph) = (&self.walk, &self.walk.plan.graph);
        let (mut scratch, mut text) = (Vec::new(), Vec::new());
        let mut found = Vec::new();
        let mut scans = walk.begin(table, wanted);
        while let Some(batch) = scans.next().await? {
            let pick =
                |at: &[usize]| -> Vec<&ArrayRef> { at.iter().map(|&i| batch.column(i)).collect() };
            let identity = pick(&walk.tables[table].identity);
            let reader = walk.tables[table].reader(identity);
            for row in 0..batch.rows() {
                let Some(key) = reader.read(row, &mut scratch) else {
                    continue;
                };
                let mut held = Held {
                    row: (table, key.to_key()),
                    refers: HashMap::new(),
                    referred: HashMap::new(),
                };
                for &edge in graph.to_parents(table) {
                    let state = &walk.edges[edge];
                    let of_type = state.only.as_ref().is_none_or(|(at, _)| {
                        state.is_of_type(cell(batch.column(*at).as_ref(), row), &mut text)
                    });
                    if of_type && let Some(key) = Key::read(&pick(&state.child), row, &mut scratch)
                    {
                        held.refers.insert(edge, key);
                    }
                }
                for &edge in graph.to_children(table) {
                    let columns = pick(&walk.edges[edge].parent);
                    if let Some(key) = Key::read(&columns, row, &mut scratch) {
                        held.referred.insert(edge, key);
                    }
                }
                found.push(held);
            }
        }
        Ok(found)
    }
}

/// Equal for a number and its text; a decimal's zeros do not matter.
fn canonical_form(key: &Key) -> Vec<u8> {
    key.with_parts(|parts| form(parts.iter().copied(), &vec![true; parts.len()]))
}
