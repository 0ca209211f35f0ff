//! The way up: the parents of every chosen row, and which references find none.

use tdm_core::arrow_array::ArrayRef;
use tdm_core::types::LogicalType;

use super::binding::Binding;
use super::closure::{Among, Walk};
use super::key::{Key, KeyMap};
use super::scans::Wanted;
use super::selection::Mark;
use super::unmatched::{Unmatched, form};
use crate::error::Result;

impl Walk<'_> {
    /// Parents, components of children before those of their parents; within a cycle until nothing is new.
    pub(super) async fn follow_parents(&mut self) -> Result<()> {
        let plan = self.plan;
        for component in plan.graph.components().iter().rev() {
            loop {
                let mut moved = false;
                for &table in &component.tables {
                    for &edge in plan.graph.to_children(table) {
                        moved |= self.look_up_parents(edge, table).await?;
                    }
                }
                if !moved || !component.cyclic {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn look_up_parents(&mut self, number: usize, parent: usize) -> Result<bool> {
        let edge = &mut self.edges[number];
        if edge.pending.is_empty() {
            return Ok(false);
        }
        let mut missing = edge.pending.sorted();
        edge.pending = KeyMap::default();
        if edge.direct {
            // Another reference may have brought them since they were noted.
            let present = &self.tables[parent].chosen;
            missing.retain(|key| !present.contains(key.as_ref()));
        } else {
            for key in &missing {
                edge.asked.insert_new(key.as_ref(), ());
            }
        }
        if missing.is_empty() {
            return Ok(false);
        }
        let binding = edge.to_parents.clone();
        let mut unmatched = self.unmatched(number, parent, &missing);
        let wanted = Wanted::Keys {
            binding: binding.clone(),
            keys: missing,
            step: self.keys_max,
        };
        let mark = Mark {
            level: Mark::NEEDED,
            edge: u32::try_from(number).unwrap_or(Mark::SEED - 1),
        };
        let mut scans = self.begin(parent, wanted);
        while let Some(batch) = scans.next().await? {
            let at = &self.edges[number].parent;
            let columns: Vec<&ArrayRef> = at.iter().map(|&i| batch.column(i)).collect();
            unmatched.strike(&columns, batch.rows());
            if !self.tables[parent].all {
                self.take(parent, &batch, mark, Among::default());
                self.check_memory()?;
            }
            self.report(parent);
        }
        self.scans += scans.started;
        let rest = unmatched.rest();
        for key in self.orphans_among(&binding, parent, rest).await? {
            self.edges[number].orphaned.insert_new(key.as_ref(), ());
        }
        Ok(true)
    }

    fn unmatched(&self, edge: usize, parent: usize, keys: &[Key]) -> Unmatched {
        if self.edges[edge].alike {
            return Unmatched::Literal(keys.iter().cloned().collect());
        }
        // The two sides lie differently (a number and its text): compared by canonical form.
        let decimal = |table: usize, at: &[usize]| -> Vec<bool> {
            let columns = at.iter().map(|&i| &self.tables[table].request[i].column);
            columns
                .map(|c| matches!(c.logical, LogicalType::Decimal { .. }))
                .collect()
        };
        let child = decimal(self.child_of(edge), &self.edges[edge].child);
        let forms = keys.iter().map(|key| {
            let form = key.with_parts(|parts| form(parts.iter().copied(), &child));
            (form, key.clone())
        });
        Unmatched::Canonical(forms.collect(), decimal(parent, &self.edges[edge].parent))
    }

    /// Which of `keys` find no row. Only the server knows when two keys are equal (collations, types), so it
    /// is asked again for those that were not seen literally; as a rule it answers with nothing.
    async fn orphans_among(
        &mut self,
        binding: &Binding,
        parent: usize,
        mut keys: Vec<Key>,
    ) -> Result<Vec<Key>> {
        keys.sort_unstable();
        let mut pieces: Vec<Vec<Key>> = keys.chunks(self.keys_max).map(<[Key]>::to_vec).collect();
        let mut orphans = Vec::new();
        while let Some(mut piece) = pieces.pop() {
            let keys = piece.clone();
            let step = self.keys_max;
            let wanted = Wanted::Keys {
                binding: binding.clone(),
                keys,
                step,
            };
            let mut scans = self.begin(parent, wanted);
            let mut found = false;
            while let Some(batch) = scans.next().await? {
                found |= batch.rows() > 0;
            }
            self.scans += scans.started;
            if !found {
                orphans.append(&mut piece);
            } else if piece.len() > 1 {
                let rest = piece.split_off(piece.len() / 2);
                pieces.push(piece);
                pieces.push(rest);
            }
        }
        Ok(orphans)
    }
}
