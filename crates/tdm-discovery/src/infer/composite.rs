//! References over several columns: the child has columns named as the parent's whole key, and their rows are there.

use std::collections::BTreeSet;

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
    for parent in tables {
        for key in composite_keys(parent) {
            for child in tables.iter().filter(|child| child.table != parent.table) {
                let Some((columns, score, feature)) = named(child, parent, &key) else {
                    continue;
                };
                let all_taken = columns
                    .iter()
                    .all(|c| taken.contains(&child.table.column(&c.name)));
                let fit = columns
                    .iter()
                    .zip(&key)
                    .all(|(a, b)| may_refer(a) && comparable(&a.logical, &b.logical));
                if all_taken || !fit {
                    continue;
                }
                let inclusion = checker.together(child, &columns, parent, &key).await?;
                let Some(inclusion) = inclusion.filter(|i| i.tested >= TESTED_MIN) else {
                    continue;
                };
                let pairs: Vec<(String, String)> = columns
                    .iter()
                    .zip(&key)
                    .map(|(a, b)| (a.name.clone(), b.name.clone()))
                    .collect();
                let (score, values) = weighed(score, Some(inclusion), options);
                found.push(Relationship {
                    reference: reference(&child.table, &parent.table, &pairs),
                    score,
                    accepted: score >= options.score_min,
                    tested: inclusion.tested,
                    orphans: inclusion.tested - inclusion.matched,
                    evidence: vec![
                        evidence("name", feature, score, None),
                        evidence("values", values, 0.0, Some(inclusion)),
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

/// The child's columns for the whole key: by the key's own names, after the parent, or in one role.
fn named<'a>(
    child: &'a TableSchema,
    parent: &TableSchema,
    key: &[&Column],
) -> Option<(Vec<&'a Column>, f64, String)> {
    let table = parts(&parent.table.name);
    let names: Vec<Vec<String>> = key.iter().map(|column| parts(&column.name)).collect();
    let find = |wanted: &[String]| child.columns.iter().find(|c| parts(&c.name) == wanted);
    // A part may bear the parent's name or a role, but the parts must agree on one that is not the key's own.
    let mut prefixes: Vec<Vec<String>> = vec![table.clone()];
    for column in &child.columns {
        let words = parts(&column.name);
        for name in &names {
            if let Some(role) = words
                .strip_suffix(name.as_slice())
                .filter(|role| !role.is_empty())
            {
                prefixes.push(role.to_vec());
            }
        }
    }
    prefixes.sort();
    prefixes.dedup();
    for prefix in &prefixes {
        let columns: Option<Vec<&Column>> = names
            .iter()
            .map(|name| {
                let full: Vec<String> = prefix.iter().chain(name).cloned().collect();
                find(&full).or_else(|| {
                    if name.starts_with(prefix) {
                        find(name)
                    } else {
                        None
                    }
                })
            })
            .collect();
        if let Some(columns) = columns.filter(|columns| distinct(columns)) {
            let of_table = *prefix == table;
            let score = if of_table { 0.8 } else { 0.7 };
            let how = if of_table {
                "after the parent"
            } else {
                "in one role"
            };
            return Some((
                columns,
                score,
                format!("all parts of the key are named {how}"),
            ));
        }
    }
    // The key's own names alone: a part must name the parent, else any two tables of one tenant would do.
    let columns: Option<Vec<&Column>> = names.iter().map(|name| find(name)).collect();
    let columns = columns.filter(|columns| distinct(columns))?;
    let names_parent = names
        .iter()
        .any(|name| table.iter().any(|word| name.contains(word)));
    let score = if names_parent { 0.66 } else { 0.5 };
    Some((
        columns,
        score,
        "all parts of the key have the same names".to_owned(),
    ))
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
