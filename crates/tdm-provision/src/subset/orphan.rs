//! What becomes of references that find no parent: after the least fixpoint, a second one that only takes
//! rows away.

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::BatchColumn;
use tdm_core::scalar::cell;

use super::binding::Binding;
use super::closure::Walk;
use super::key::{Key, KeySet};
use super::names::refused;
use super::plan::nulled_columns;
use super::project::row_key;
use super::scans::Wanted;
use super::selection::{Closure, Nulled, Stubs};
use super::spec::OrphanPolicy;
use crate::error::Result;

/// Rows of the child of an edge whose reference holds one of these keys go.
struct Going {
    edge: usize,
    binding: Binding,
    keys: Vec<Key>,
}

impl Walk<'_> {
    /// Applies the orphan policies and says what was chosen.
    pub(super) async fn settle(mut self) -> Result<Closure> {
        let mut closure = self.finish();
        let mut going = Vec::new();
        for (number, policy) in self.plan.edges.iter().enumerate() {
            let orphaned = self.edges[number].orphaned();
            if orphaned.is_empty() {
                continue;
            }
            let edge = &self.plan.graph.edges()[number];
            match policy.orphans {
                OrphanPolicy::Keep => {}
                OrphanPolicy::Null => {
                    let nulled = self.nulled(number, orphaned);
                    closure.tables[edge.child].nulled.push(nulled);
                }
                OrphanPolicy::Stub => self.make_up(&mut closure, number, &orphaned)?,
                OrphanPolicy::Drop => going.push(Going {
                    edge: number,
                    binding: self.to_own(number),
                    keys: self.edges[number].orphaned.sorted(),
                }),
            }
        }
        while let Some(next) = going.pop() {
            going.extend(self.drop_children(&mut closure, next).await?);
        }
        closure.scans = self.scans;
        Ok(closure)
    }

    /// The child's columns of an edge with values that lie as its own.
    fn to_own(&self, edge: usize) -> Binding {
        let table = &self.tables[self.child_of(edge)];
        let columns = self.edges[edge].child.iter();
        let columns = columns.map(|&at| &table.request[at].column);
        Binding {
            columns: columns
                .map(|column| BatchColumn::of(column, self.source.encoding(column)))
                .collect(),
            fixed: self.edges[edge].to_children.fixed.clone(),
        }
    }

    fn nulled(&self, edge: usize, keys: KeySet) -> Nulled {
        let reference = &self.plan.graph.edges()[edge];
        let fk = &reference.foreign_key;
        let child = &self.plan.tables[reference.child];
        Nulled {
            reference: fk.child_columns().into_iter().map(str::to_owned).collect(),
            predicate: fk.predicate.clone(),
            columns: nulled_columns(child, fk),
            keys,
        }
    }

    fn make_up(&self, closure: &mut Closure, edge: usize, orphaned: &KeySet) -> Result<()> {
        let reference = &self.plan.graph.edges()[edge];
        let parent = &self.plan.tables[reference.parent];
        let given = reference.foreign_key.parent_columns();
        let key = row_key(parent).unwrap_or_default();
        let places: Vec<usize> = key
            .iter()
            .filter_map(|name| given.iter().position(|g| g == name))
            .collect();
        if !self.edges[edge].alike || places.len() != given.len() {
            let reason = "a parent cannot be made up: the reference does not lie as its key does";
            return Err(refused(&self.plan.edges[edge].reference, reason));
        }
        let stubs = &mut closure.tables[reference.parent].stubs;
        let mut keys: KeySet = orphaned
            .iter()
            .filter_map(|k| {
                k.with_parts(|parts| Key::of(&places.iter().map(|&i| parts[i]).collect::<Vec<_>>()))
            })
            .collect();
        for other in stubs.drain(..) {
            keys.extend(other.keys);
        }
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort_unstable();
        let columns = key.to_vec();
        stubs.push(Stubs { columns, keys });
        Ok(())
    }

    /// Drops the chosen rows that refer to what goes; says what goes with them.
    async fn drop_children(&mut self, closure: &mut Closure, going: Going) -> Result<Vec<Going>> {
        let child = self.child_of(going.edge);
        let wanted = Wanted::Keys {
            binding: going.binding,
            keys: going.keys,
            step: self.keys_max,
        };
        let above: Vec<usize> = self.plan.graph.to_children(child).to_vec();
        let mut parents: Vec<KeySet> = above.iter().map(|_| KeySet::default()).collect();
        let (mut dropped, mut rows) = (KeySet::default(), 0);
        let (mut scratch, mut text) = (Vec::new(), Vec::new());
        let mut scans = self.begin(child, wanted);
        while let Some(batch) = scans.next().await? {
            let pick =
                |at: &[usize]| -> Vec<&ArrayRef> { at.iter().map(|&i| batch.column(i)).collect() };
            let identity = pick(&self.tables[child].identity);
            let reader = self.tables[child].reader(identity);
            for row in 0..batch.rows() {
                let edge = &self.edges[going.edge];
                if let Some((at, _)) = &edge.only
                    && !edge.is_of_type(cell(batch.column(*at).as_ref(), row), &mut text)
                {
                    continue;
                }
                let Some(key) = reader.read(row, &mut scratch) else {
                    continue;
                };
                let key = key.to_key();
                let selection = &closure.tables[child];
                // Rows that are alike go together, and of a table taken whole each of them counts.
                if !selection.holds(&key) || (!selection.all && dropped.contains(&key)) {
                    continue;
                }
                rows += 1;
                dropped.insert(key);
                for (number, keys) in above.iter().zip(&mut parents) {
                    let columns = pick(&self.edges[*number].parent);
                    keys.extend(Key::read(&columns, row, &mut scratch));
                }
            }
        }
        self.scans += scans.started;
        closure.dropped[child] += rows;
        closure.tables[child].drop_rows(&dropped, rows);
        let mut next = Vec::new();
        for (edge, keys) in above.into_iter().zip(parents) {
            let keys = self.gone(closure, edge, child, keys).await?;
            if keys.is_empty() {
                continue;
            }
            let below = self.child_of(edge);
            if self.plan.edges[edge].orphans == OrphanPolicy::Null && self.edges[edge].alike {
                let nulled = self.nulled(edge, keys.into_iter().collect());
                closure.tables[below].nulled.push(nulled);
            } else {
                next.push(Going {
                    edge,
                    binding: self.edges[edge].to_children.clone(),
                    keys,
                });
            }
        }
        Ok(next)
    }

    /// Of the parents' keys of dropped rows, those that no other chosen row has.
    async fn gone(
        &mut self,
        closure: &Closure,
        edge: usize,
        parent: usize,
        mut keys: KeySet,
    ) -> Result<Vec<Key>> {
        let names = self.plan.graph.edges()[edge].foreign_key.parent_columns();
        if !self.plan.tables[parent].is_unique(&names) && !keys.is_empty() {
            let columns = self.edges[edge].parent.iter();
            let columns = columns.map(|&at| &self.tables[parent].request[at].column);
            let binding = Binding::to(
                columns
                    .map(|column| BatchColumn::of(column, self.source.encoding(column)))
                    .collect(),
            );
            let wanted = Wanted::Keys {
                binding,
                keys: keys.iter().cloned().collect(),
                step: self.keys_max,
            };
            let mut scratch = Vec::new();
            let mut scans = self.begin(parent, wanted);
            while let Some(batch) = scans.next().await? {
                let pick = |at: &[usize]| -> Vec<&ArrayRef> {
                    at.iter().map(|&i| batch.column(i)).collect()
                };
                let identity = pick(&self.tables[parent].identity);
                let reader = self.tables[parent].reader(identity);
                let held = pick(&self.edges[edge].parent);
                for row in 0..batch.rows() {
                    let present = reader
                        .read(row, &mut scratch)
                        .is_some_and(|key| closure.tables[parent].holds(&key.to_key()));
                    if present && let Some(key) = Key::read(&held, row, &mut scratch) {
                        keys.remove(&key);
                    }
                }
            }
            self.scans += scans.started;
        }
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort_unstable();
        Ok(keys)
    }
}
