//! Unique keys of a draft: which part of each makes its values differ.

use std::collections::HashSet;

use super::columns::Kind;
use super::compile::text_tuples;
use super::draft::Draft;
use super::keys::UniqueKey;
use super::references::Cycle;
use super::spread::Spread;
use super::table::{Choice, KeyGroup};
use crate::error::SynthError;
use crate::make::CAPACITY_MAX;

impl Draft<'_> {
    /// Makes one unique key hold.
    pub(super) fn secure(&mut self, key: &UniqueKey, errors: &mut Vec<SynthError>) {
        let schema = self.shop.schema;
        let rows = self.shop.rows;
        if key
            .columns
            .iter()
            .any(|&c| !schema.columns[c].is_written() || self.unique[c])
        {
            // What the server computes from unique values is its own affair; a unique part makes the whole so.
            return;
        }
        let names = |columns: &[usize]| -> String {
            columns
                .iter()
                .map(|&c| schema.columns[c].name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        // References that lie within the key and that no other key has used.
        let mut inside: Vec<usize> = (0..self.links.len())
            .filter(|&at| {
                let (link, _) = &self.links[at];
                self.choices[at].is_none()
                    && link.cycle != Cycle::Broken
                    && link.parent != Some(self.table)
                    && link.child.iter().enumerate().all(|(part, &c)| {
                        key.columns.contains(&c) && self.owner[c] == Some((at, part))
                    })
            })
            .collect();
        let plain: Vec<usize> = key
            .columns
            .iter()
            .copied()
            .filter(|&c| {
                self.owner[c].is_none() && self.digits[c].is_none() && self.made[c].is_some()
            })
            .collect();
        if inside.is_empty() && plain.is_empty() {
            self.secure_by_reference(key, &names(&key.columns), errors);
            return;
        }
        if inside.is_empty() && plain.len() == 1 {
            self.unique[plain[0]] = true;
            return;
        }
        // A part that can only be told apart by a mark is made unique by itself; so is one with values to spare.
        let capacity = |draft: &Self, c: usize| match draft.made[c].as_ref().map(|m| &m.kind) {
            Some(Kind::Own(maker)) => maker.capacity(),
            _ => None,
        };
        if let Some(&marked) = plain.iter().find(|&&c| capacity(self, c).is_none()) {
            self.unique[marked] = true;
            return;
        }
        inside.sort_by_key(|&at| (u64::MAX - self.links[at].1.total(), at));
        let existing_rows = self
            .shop
            .request
            .existing
            .keys(&schema.table, &[&schema.columns[key.columns[0]].name]);
        let occupied = existing_rows.is_some_and(|a| a.first().is_some_and(|a| !a.is_empty()));
        if occupied && !self.step_aside(&inside, &names(&key.columns), errors) {
            return;
        }
        if inside.len() == 1 && plain.is_empty() {
            self.one_to_one(inside[0], errors);
            return;
        }
        let lead = inside.first().copied();
        let lead_total = lead.map_or(1, |at| self.links[at].1.total());
        let per_lead = rows.div_ceil(lead_total.max(1)).max(1);
        let mut sizes: Vec<u64> = inside
            .iter()
            .skip(1)
            .map(|&at| self.links[at].1.total())
            .collect();
        let others = sizes.iter().fold(1u64, |n, s| n.saturating_mul(*s)).max(1);
        for &c in &plain {
            let needed = per_lead
                .saturating_mul(2)
                .saturating_add(2)
                .div_ceil(others);
            if let Some(made) = self.made[c].take() {
                self.made[c] =
                    Some(
                        self.shop
                            .widen(&schema.columns[c], &self.bounds[c], made, needed),
                    );
            }
            sizes.push(capacity(self, c).unwrap_or(1));
        }
        let rest = sizes
            .iter()
            .fold(1u64, |n, s| n.saturating_mul(*s))
            .min(CAPACITY_MAX);
        if lead_total == 0 || rest == 0 || per_lead > rest {
            errors.push(SynthError::Capacity {
                table: schema.table.clone(),
                columns: names(&key.columns),
                capacity: lead_total.saturating_mul(rest),
                rows,
                remedy: "ask for fewer rows here or for more rows in the tables that it refers to"
                    .to_owned(),
            });
            return;
        }
        let stream = self
            .shop
            .key
            .stream(&format!("\u{1}key/{}", names(&key.columns)));
        let ordered = lead.is_some()
            && matches!(plain[..], [only] if sizes.len() == 1 && self.made[only].as_ref().is_some_and(|m| {
                matches!(m.decision.generator.as_str(), "integer" | "serial")
            }));
        let group = self.groups.len();
        self.groups.push(KeyGroup {
            lead: lead.map(|_| Spread::new(stream, rows, lead_total, rest, false)),
            sizes,
            rest,
            ordered,
            stream,
        });
        for (position, &at) in inside.iter().enumerate() {
            self.choices[at] = Some(Choice::Key { group, position });
        }
        for (position, &c) in plain.iter().enumerate() {
            self.digits[c] = Some((group, inside.len().saturating_sub(1) + position));
        }
    }

    /// A key all of whose columns are decided by references that reach beyond it, or by another key.
    fn secure_by_reference(&mut self, key: &UniqueKey, names: &str, errors: &mut Vec<SynthError>) {
        let owners: HashSet<usize> = key
            .columns
            .iter()
            .filter_map(|&c| self.owner[c].map(|(at, _)| at))
            .collect();
        if let [only] = owners.iter().copied().collect::<Vec<_>>()[..] {
            let (link, _) = &self.links[only];
            if link.parent == Some(self.table) {
                self.choices[only] = Some(Choice::Earlier {
                    chain: true,
                    self_allowed: false,
                });
                return;
            }
            // The reference's other columns do not matter when its parent is unique in these alone.
            let within: Vec<&str> = link
                .foreign_key
                .columns
                .iter()
                .zip(&link.child)
                .filter(|(_, c)| key.columns.contains(c))
                .map(|((_, parent), _)| parent.as_str())
                .collect();
            let parent = link.parent.map(|p| self.shop.request.tables[p].schema);
            if self.choices[only].is_none() && parent.is_some_and(|p| p.is_unique(&within)) {
                self.one_to_one(only, errors);
                return;
            }
        }
        errors.push(SynthError::Table {
            table: self.shop.schema.table.clone(),
            reason: format!("the unique key ({names}) and the references that decide its columns cannot both be met"),
            remedy: "leave one of the references out, or make this table from existing rows".to_owned(),
        });
    }

    /// Each parent once at most.
    fn one_to_one(&mut self, at: usize, errors: &mut Vec<SynthError>) {
        let (link, parents) = &self.links[at];
        let stream = self
            .shop
            .key
            .stream(&format!("\u{1}reference/{}", link.foreign_key.describe()));
        let total = parents.total();
        if total < self.shop.rows {
            errors.push(SynthError::Capacity {
                table: self.shop.schema.table.clone(),
                columns: link.foreign_key.child_columns().join(", "),
                capacity: total,
                rows: self.shop.rows,
                remedy: format!(
                    "ask for at most {total} rows here or for more rows in {}",
                    link.foreign_key.parent
                ),
            });
        }
        self.choices[at] = Some(Choice::OneToOne(stream.permutation(total, 3)));
    }

    /// Where the table has rows already, new ones refer to parents that no existing row refers to.
    fn step_aside(&mut self, inside: &[usize], names: &str, errors: &mut Vec<SynthError>) -> bool {
        let Some(&lead) = inside.first() else {
            errors.push(SynthError::Table {
                table: self.shop.schema.table.clone(),
                reason: format!("it has rows already and the key ({names}) cannot be continued"),
                remedy: "give a recipe that makes one of its columns different from what exists"
                    .to_owned(),
            });
            return false;
        };
        let child_names = self.links[lead].0.foreign_key.child_columns();
        let used = text_tuples(
            &self
                .shop
                .request
                .existing
                .keys(&self.shop.schema.table, &child_names)
                .unwrap_or_default(),
        );
        let parents = &mut self.links[lead].1;
        let keep: Vec<bool> = (0..usize::try_from(parents.existing_rows).unwrap_or(0))
            .map(|row| {
                let mut text = String::new();
                for column in &parents.existing {
                    column[row].write(&mut text);
                    text.push('\u{1}');
                }
                !used.contains(&text)
            })
            .collect();
        for column in &mut parents.existing {
            let mut kept = keep.iter();
            column.retain(|_| kept.next().copied().unwrap_or(false));
        }
        parents.existing_rows = parents.existing.first().map_or(0, Vec::len) as u64;
        true
    }
}
