//! References over several columns: the child has columns named as the parent's whole key, and their rows are there.

use std::collections::{BTreeMap, BTreeSet};

use tdm_core::catalog::{Column, TableSchema};
use tdm_core::error::PortResult;
use tdm_core::ident::ColumnRef;

use super::check::Checker;
use super::{Relationship, evidence, may_refer, reference, weighed};
use crate::options::InferOptions;
use crate::relationship::comparable;
use crate::words::{singular, tokens};

/// Columns of the longest key that is looked for.
const COLUMNS_MAX: usize = 4;
/// Keys that must be tried: fewer are there by chance.
const TESTED_MIN: u64 = 3;

pub(super) async fn candidates(
    tables: &[&TableSchema],
    taken: &BTreeSet<ColumnRef>,
    checker: &mut Checker<'_>,
    options: &InferOptions,
) -> PortResult<Vec<Relationship>> {
    let mut found = Vec::new();
    let index = Index::new(tables);
    for parent in tables {
        for key in composite_keys(parent) {
            for (number, named) in index.named(parent, &key) {
                let child = tables[number];
                let columns = &named.columns;
                let place = |c: &&Column| child.table.column(&c.name);
                let all_taken = columns.iter().all(|c| taken.contains(&place(c)));
                let fit = columns
                    .iter()
                    .zip(&key)
                    .all(|(a, b)| may_refer(a) && comparable(&a.logical, &b.logical));
                if all_taken || !fit || child.table == parent.table {
                    continue;
                }
                let inclusion = checker.together(child, columns, parent, &key).await?;
                let Some(inclusion) = inclusion.filter(|i| i.tested >= TESTED_MIN) else {
                    continue;
                };
                let pairs: Vec<(String, String)> = columns
                    .iter()
                    .zip(&key)
                    .map(|(a, b)| (a.name.clone(), b.name.clone()))
                    .collect();
                let (score, values) = weighed(named.score, Some(inclusion), options);
                found.push(Relationship {
                    reference: reference(&child.table, &parent.table, &pairs),
                    score,
                    accepted: score >= options.score_min,
                    tested: inclusion.tested,
                    orphans: inclusion.tested - inclusion.matched,
                    evidence: vec![
                        evidence("name", named.feature.to_owned(), named.score, None),
                        evidence("values", values, score - named.score, Some(inclusion)),
                    ],
                });
            }
        }
    }
    both_ways(&mut found);
    Ok(found)
}

fn composite_keys(table: &TableSchema) -> Vec<Vec<&Column>> {
    let keys = table.primary_key.iter().chain(&table.unique);
    keys.filter(|key| (2..=COLUMNS_MAX).contains(&key.columns.len()))
        .filter_map(|key| key.columns.iter().map(|name| table.column(name)).collect())
        .collect()
}

fn parts(name: &str) -> Vec<String> {
    tokens(name).iter().map(|word| singular(word)).collect()
}

/// Columns of a child for every part of a key.
struct Named<'a> {
    columns: Vec<&'a Column>,
    score: f64,
    feature: &'static str,
}

/// Columns of all tables by the words of their names, so that no pair of tables is looked at in vain.
struct Index<'a> {
    /// Column by table and words.
    columns: Vec<BTreeMap<Vec<String>, &'a Column>>,
    /// Tables that have a column of these words.
    by_words: BTreeMap<Vec<String>, BTreeSet<usize>>,
    /// Tables and the words before, by the words a name ends with.
    by_ending: BTreeMap<Vec<String>, BTreeSet<(usize, Vec<String>)>>,
}

impl<'a> Index<'a> {
    fn new(tables: &[&'a TableSchema]) -> Self {
        let mut index = Self {
            columns: Vec::new(),
            by_words: BTreeMap::new(),
            by_ending: BTreeMap::new(),
        };
        for (number, table) in tables.iter().enumerate() {
            let mut columns = BTreeMap::new();
            for column in &table.columns {
                let words = parts(&column.name);
                for at in 1..words.len() {
                    let (role, ending) = words.split_at(at);
                    let entry = index.by_ending.entry(ending.to_vec()).or_default();
                    entry.insert((number, role.to_vec()));
                }
                index
                    .by_words
                    .entry(words.clone())
                    .or_default()
                    .insert(number);
                columns.entry(words).or_insert(column);
            }
            index.columns.push(columns);
        }
        index
    }

    /// Tables with columns named for the whole key of `parent`: after the parent, in one role, or as the key itself.
    /// The best naming of each table, by number.
    fn named(&self, parent: &TableSchema, key: &[&Column]) -> BTreeMap<usize, Named<'a>> {
        let table = parts(&parent.table.name);
        let names: Vec<Vec<String>> = key.iter().map(|column| parts(&column.name)).collect();
        let mut found = BTreeMap::new();
        let mut put = |number: usize, columns: Option<Vec<&'a Column>>, score, feature| {
            if let Some(columns) = columns.filter(|columns| distinct(columns)) {
                found.entry(number).or_insert(Named {
                    columns,
                    score,
                    feature,
                });
            }
        };
        for number in self.children(&table, &names) {
            let columns = self.bearing(number, &table, &names);
            put(
                number,
                columns,
                0.8,
                "all parts of the key are named after the parent",
            );
        }
        // A role stands before every part; the part that fewest names end with is where to look for it.
        let empty = BTreeSet::new();
        let roles = names
            .iter()
            .map(|name| self.by_ending.get(name).unwrap_or(&empty))
            .min_by_key(|roles| roles.len())
            .unwrap_or(&empty);
        let feature = "all parts of the key are named in one role";
        for (number, role) in roles {
            put(*number, self.bearing(*number, role, &names), 0.7, feature);
        }
        for name in &names {
            for length in 1..=name.len() {
                let role = &name[..length];
                // `tenant` before `id` is `tenant_id` again: no role, only another part of the key.
                let with_role = |name: &Vec<String>| -> Vec<String> {
                    role.iter().chain(name).cloned().collect()
                };
                if names.iter().any(|name| names.contains(&with_role(name))) {
                    continue;
                }
                for number in self.children(role, &names) {
                    // A plain name is no role: at least one part must bear it beyond its own.
                    let columns = self.bearing(number, role, &names);
                    let plain = |c: &&Column| names.contains(&parts(&c.name));
                    let columns = columns.filter(|columns| !columns.iter().all(plain));
                    put(number, columns, 0.7, feature);
                }
            }
        }
        // The key's own names alone: a part must name the parent, else any two tables of one tenant would do.
        if names
            .iter()
            .any(|name| table.iter().any(|word| name.contains(word)))
        {
            let feature = "all parts of the key have the same names, and one names the parent";
            for number in self.children(&[], &names) {
                put(number, self.bearing(number, &[], &names), 0.66, feature);
            }
        }
        found
    }

    /// Tables that have a column for each name, with `role` before it or in it.
    fn children(&self, role: &[String], names: &[Vec<String>]) -> BTreeSet<usize> {
        let mut all: Option<BTreeSet<usize>> = None;
        for name in names {
            let full: Vec<String> = role.iter().chain(name).cloned().collect();
            let mut with = self.by_words.get(&full).cloned().unwrap_or_default();
            if name.starts_with(role) {
                with.extend(self.by_words.get(name).into_iter().flatten());
            }
            let both = all.map_or_else(|| with.clone(), |all| &all & &with);
            if both.is_empty() {
                return both;
            }
            all = Some(both);
        }
        all.unwrap_or_default()
    }

    fn bearing(
        &self,
        table: usize,
        role: &[String],
        names: &[Vec<String>],
    ) -> Option<Vec<&'a Column>> {
        let columns = &self.columns[table];
        names
            .iter()
            .map(|name| {
                let full: Vec<String> = role.iter().chain(name).cloned().collect();
                let plain = || columns.get(name).filter(|_| name.starts_with(role));
                columns.get(&full).or_else(plain).copied()
            })
            .collect()
    }
}

fn distinct(columns: &[&Column]) -> bool {
    let names: BTreeSet<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    names.len() == columns.len()
}

/// Two tables with the same key include each other: then names decide, or nothing does.
fn both_ways(found: &mut [Relationship]) {
    let accepted: Vec<(String, String, f64)> = found
        .iter()
        .filter(|r| r.accepted)
        .map(|r| {
            (
                r.reference.child.to_string(),
                r.reference.parent.to_string(),
                r.score,
            )
        })
        .collect();
    for candidate in found.iter_mut() {
        let child = candidate.reference.child.to_string();
        let parent = candidate.reference.parent.to_string();
        let other_way = accepted
            .iter()
            .find(|(c, p, _)| *c == parent && *p == child);
        if other_way.is_some_and(|(_, _, score)| *score >= candidate.score) {
            candidate.accepted = false;
        }
    }
}
