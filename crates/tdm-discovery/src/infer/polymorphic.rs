//! References whose parent a type column names: `subject_type` and `subject_id`.

use std::collections::BTreeSet;

use tdm_core::catalog::{RelationshipKind, TableSchema};
use tdm_core::error::PortResult;
use tdm_core::ident::ColumnRef;

use super::check::Checker;
use super::lexicon::lexicon;
use super::{ParentKey, Relationship, evidence, may_refer, reference};
use crate::options::InferOptions;
use crate::relationship::comparable;
use crate::words::{singular, tokens};

/// Distinct values beyond which a column names no tables.
const TYPES_MAX: usize = 60;

pub(super) async fn candidates(
    tables: &[&TableSchema],
    taken: &BTreeSet<ColumnRef>,
    keys: &[ParentKey<'_>],
    checker: &mut Checker<'_>,
    options: &InferOptions,
) -> PortResult<Vec<Relationship>> {
    let mut found = Vec::new();
    for table in tables {
        for (type_column, id_column) in pairs(table) {
            let place = table.table.column(&id_column.name);
            let Some(values) = checker.spelt(table, type_column) else {
                continue;
            };
            if taken.contains(&place) || values.is_empty() || values.len() > TYPES_MAX {
                continue;
            }
            // Every value must name a table: otherwise the column is a mere attribute beside a plain reference.
            let named: Vec<Option<&ParentKey<'_>>> =
                values.iter().map(|value| meant(value, keys)).collect();
            let missing = named.iter().filter(|key| key.is_none()).count();
            if missing * 4 > named.len() {
                continue;
            }
            for (value, key) in values.iter().zip(&named) {
                let Some(key) = key else { continue };
                if !comparable(&id_column.logical, &key.column.logical) {
                    continue;
                }
                let pairs = [(id_column.name.clone(), key.column.name.clone())];
                let mut reference = reference(&table.table, &key.table.table, &pairs);
                reference.kind = RelationshipKind::Polymorphic;
                reference.predicate = Some((type_column.name.clone(), value.clone()));
                let inclusion = checker
                    .where_equal(
                        table,
                        (type_column, value),
                        id_column,
                        key.table,
                        key.column,
                    )
                    .await?;
                let (score, feature) = super::weighed(0.75, inclusion, options);
                let type_name = &type_column.name;
                found.push(Relationship {
                    reference,
                    score,
                    accepted: score >= options.score_min,
                    tested: inclusion.map_or(0, |i| i.tested),
                    orphans: inclusion.map_or(0, |i| i.tested - i.matched),
                    evidence: vec![
                        evidence("name", format!("`{type_name}` names the table"), 0.75, None),
                        evidence("values", feature, score - 0.75, inclusion),
                    ],
                });
            }
        }
    }
    Ok(found)
}

type Pair<'a> = (&'a tdm_core::catalog::Column, &'a tdm_core::catalog::Column);

/// Columns `<x>_type` beside `<x>_id`.
fn pairs(table: &TableSchema) -> Vec<Pair<'_>> {
    let mut found = Vec::new();
    for type_column in &table.columns {
        let words = tokens(&type_column.name);
        let Some((last, role)) = words.split_last() else {
            continue;
        };
        if role.is_empty() || !lexicon().type_words.contains(last) || !may_refer(type_column) {
            continue;
        }
        let id = table.columns.iter().find(|column| {
            let words = tokens(&column.name);
            words.split_last().is_some_and(|(last, rest)| {
                rest == role && lexicon().key_words.contains(last) && may_refer(column)
            })
        });
        found.extend(id.map(|id| (type_column, id)));
    }
    found
}

/// The one table that a type value means: `Post`, `App\Models\BlogPost`, `blog.posts`, `blog_post`.
fn meant<'a, 'k>(value: &str, keys: &'k [ParentKey<'a>]) -> Option<&'k ParentKey<'a>> {
    let last = value.rsplit(['\\', '.', ':', '/']).next().unwrap_or(value);
    let words: Vec<String> = tokens(last).iter().map(|word| singular(word)).collect();
    if words.is_empty() {
        return None;
    }
    let mut exact = None;
    let mut ending = Vec::new();
    for key in keys {
        let is_primary = key
            .table
            .primary_key
            .as_ref()
            .is_none_or(|primary| primary.columns == [key.column.name.clone()]);
        let table: Vec<String> = tokens(&key.table.table.name)
            .iter()
            .map(|w| singular(w))
            .collect();
        if !is_primary {
            continue;
        }
        if table.concat() == words.concat() {
            exact = Some(key);
        } else if table.ends_with(&words) {
            ending.push(key);
        }
    }
    exact.or(match ending.as_slice() {
        [one] => Some(*one),
        _ => None,
    })
}
