//! References that the schema does not declare: proposed by names and types, tried against the data.
//!
//! Names alone find nearly all references of some schemas and none of others, and small numbers lie in every counter,
//! so neither is enough. A candidate begins with a name that speaks for it; types must go together; sampled values of
//! the child are looked up in the parent. What is left says how sure it is and why.

mod check;
mod composite;
mod lexicon;
mod names;
mod polymorphic;

use std::collections::{BTreeMap, BTreeSet};

use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{Catalog, ForeignKey, Generation, RelationshipKind, TableSchema};
use tdm_core::finding::Evidence;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::port::RowSource;
use tdm_core::types::TypeClass;

use crate::error::Error;
use crate::options::InferOptions;
use crate::relationship::comparable;
use crate::scan::Observed;
use check::{Checker, Inclusion};
use names::{NameModel, Named};

/// Candidates of one child column that are looked up in the data.
const TRIED: usize = 6;
/// Keys in which the values of one column are looked up without a name that speaks for them.
const BLIND: usize = 40;
/// Scores that are nearer than this do not decide between two parents.
const MARGIN: f64 = 0.04;

/// A reference that may hold, with what speaks for and against it.
#[derive(Debug, Clone, PartialEq)]
pub struct Relationship {
    /// The reference; inferred or polymorphic, not validated.
    pub reference: ForeignKey,
    /// How sure it is, 0 to 1.
    pub score: f64,
    /// Whether it is proposed: it reaches the score asked for and no other parent of the same columns does as well.
    pub accepted: bool,
    /// Child values that were looked up in the parent; 0 when none could be.
    pub tested: u64,
    /// Values among them that the parent does not have.
    pub orphans: u64,
    /// Why: words of the schema and counts, never values.
    pub evidence: Vec<Evidence>,
}

impl Relationship {
    /// Share of the values looked up that the parent does not have; `None` when none was looked up.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 53 bits"
    )]
    pub fn orphan_rate(&self) -> Option<f64> {
        (self.tested > 0).then(|| self.orphans as f64 / self.tested as f64)
    }

    /// The candidate in one line.
    pub fn explain(&self) -> String {
        let why: Vec<&str> = self.evidence.iter().map(|e| e.feature.as_str()).collect();
        format!(
            "{} ({:.2}): {}",
            self.reference.describe(),
            self.score,
            why.join("; ")
        )
    }
}

/// A key that can be referred to by one column.
pub(crate) struct ParentKey<'a> {
    table: &'a TableSchema,
    column: &'a tdm_core::catalog::Column,
    /// Whether the schema says that it is unique, rather than the data.
    declared: bool,
}

/// Searches for undeclared references.
///
/// `known` are references beside the declared ones; columns that refer somewhere already are left alone. Without a
/// source, or where it finds no rows by key, only names, types and complete samples decide. The same input and data
/// give the same candidates, best first.
///
/// # Errors
/// When the source goes away or the work is cancelled. A table that cannot be read counts as not looked at.
pub async fn infer(
    catalog: &Catalog,
    known: &[ForeignKey],
    observed: &BTreeMap<ColumnRef, Observed>,
    source: Option<&dyn RowSource>,
    options: &InferOptions,
    cancel: &CancelToken,
) -> Result<Vec<Relationship>, Error> {
    let tables: Vec<&TableSchema> = catalog
        .tables
        .iter()
        .filter(|t| t.kind.holds_rows())
        .collect();
    let taken: BTreeSet<ColumnRef> = catalog
        .tables
        .iter()
        .flat_map(|t| &t.foreign_keys)
        .chain(known)
        .flat_map(|key| key.columns.iter().map(|(child, _)| key.child.column(child)))
        .collect();
    let keys = parent_keys(&tables, observed);
    let model = NameModel::new(&tables, &keys);
    let mut checker = Checker::new(source, observed, options, cancel);
    let mut found = Vec::new();
    for table in &tables {
        for column in &table.columns {
            let place = table.table.column(&column.name);
            if taken.contains(&place) || !may_refer(column) {
                continue;
            }
            cancel.check()?;
            let mut candidates = Vec::new();
            for named in model.candidates(table, column).into_iter().take(TRIED) {
                let key = &keys[named.key];
                if !comparable(&column.logical, &key.column.logical) {
                    continue;
                }
                let pairs = [(column.name.clone(), key.column.name.clone())];
                let inclusion = checker.single(table, column, key.table, key.column).await?;
                let reference = reference(&table.table, &key.table.table, &pairs);
                candidates.push(scored(reference, &named, key, inclusion, options));
            }
            if candidates.iter().all(|c| c.score < options.score_min) {
                let tried: BTreeSet<TableRef> = candidates
                    .iter()
                    .map(|c| c.reference.parent.clone())
                    .collect();
                let by_data = by_data(table, column, &keys, &tried, &mut checker, options).await?;
                candidates.extend(by_data);
            }
            decide(&mut candidates, options);
            found.extend(candidates);
        }
    }
    found.extend(composite::candidates(&tables, &taken, &mut checker, options).await?);
    found.extend(polymorphic::candidates(&tables, &taken, &keys, &mut checker, options).await?);
    settle(&mut found);
    leave_implied(catalog, known, &mut found);
    found.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.reference.describe().cmp(&b.reference.describe()))
    });
    Ok(found)
}

/// Candidates that no name speaks for: only where values are such that finding them in a key is no chance.
async fn by_data(
    table: &TableSchema,
    column: &tdm_core::catalog::Column,
    keys: &[ParentKey<'_>],
    tried: &BTreeSet<TableRef>,
    checker: &mut Checker<'_>,
    options: &InferOptions,
) -> Result<Vec<Relationship>, Error> {
    let mut found = Vec::new();
    if !checker.is_telling(table, column) {
        return Ok(found);
    }
    let mut looked_up = 0;
    for key in keys {
        let itself = key.table.table == table.table && key.column.name == column.name;
        let fits = comparable(&column.logical, &key.column.logical);
        let telling = checker.is_telling(key.table, key.column);
        if itself || !fits || !telling || tried.contains(&key.table.table) {
            continue;
        }
        looked_up += 1;
        if looked_up > BLIND {
            break;
        }
        let inclusion = checker.single(table, column, key.table, key.column).await?;
        let Some(good) =
            inclusion.filter(|i| i.tested >= 3 && i.orphan_rate() <= options.orphans_max)
        else {
            continue;
        };
        let pairs = [(column.name.clone(), key.column.name.clone())];
        let named = Named {
            key: 0,
            score: 0.4,
            feature: "no name speaks for it, only the values".to_owned(),
        };
        let reference = reference(&table.table, &key.table.table, &pairs);
        found.push(scored(reference, &named, key, Some(good), options));
    }
    Ok(found)
}

fn reference(child: &TableRef, parent: &TableRef, columns: &[(String, String)]) -> ForeignKey {
    let mut reference = ForeignKey::new(child.clone(), parent.clone(), columns.to_vec());
    reference.kind = RelationshipKind::Inferred;
    reference.validated = false;
    reference
}

fn may_refer(column: &tdm_core::catalog::Column) -> bool {
    use TypeClass::{Decimal, Integer, Text, Uuid};
    matches!(column.logical.class(), Integer | Text | Uuid | Decimal)
        && !matches!(column.generation, Generation::Identity { always: true })
        // A text that may be long is prose, not a key.
        && column.logical.max_length().is_none_or(|length| length <= 255)
}

/// Keys of one column: declared ones, and where a table declares none, columns that are unique in the whole data.
fn parent_keys<'a>(
    tables: &[&'a TableSchema],
    observed: &BTreeMap<ColumnRef, Observed>,
) -> Vec<ParentKey<'a>> {
    let mut keys = Vec::new();
    for table in tables {
        let before = keys.len();
        for column in &table.columns {
            if table.is_unique(&[column.name.as_str()]) {
                keys.push(ParentKey {
                    table,
                    column,
                    declared: true,
                });
            }
        }
        if keys.len() > before || table.primary_key.is_some() {
            continue;
        }
        let unique = table.columns.iter().find(|column| {
            let place = table.table.column(&column.name);
            let is_key = names::is_key_like(table, &column.name);
            is_key
                && observed.get(&place).is_some_and(|seen| {
                    let profile = &seen.profile;
                    profile.complete
                        && profile.rows > 1
                        && profile.nulls == 0
                        && profile.distinct == profile.rows
                })
        });
        keys.extend(unique.map(|column| ParentKey {
            table,
            column,
            declared: false,
        }));
    }
    keys
}

fn evidence(source: &str, feature: String, weight: f64, inclusion: Option<Inclusion>) -> Evidence {
    Evidence {
        source: source.to_owned(),
        feature,
        weight,
        tested: inclusion.map_or(0, |i| i.tested),
        matched: inclusion.map_or(0, |i| i.matched),
    }
}

/// How far the data moves a score that names gave. Small numbers are in every counter; long ones and UUIDs are not.
fn weighed(name: f64, inclusion: Option<Inclusion>, options: &InferOptions) -> (f64, String) {
    let Some(inclusion) = inclusion.filter(|i| i.tested > 0) else {
        return (name * 0.92, "no values to look up".to_owned());
    };
    let orphans = inclusion.orphan_rate();
    let (tested, matched) = (inclusion.tested, inclusion.matched);
    let feature = format!("{matched} of {tested} values exist in the parent");
    if orphans > options.orphans_max {
        return (name * 0.5 * (1.0 - orphans), feature);
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number of values")]
    let amount = (tested as f64 / 20.0).min(1.0);
    let strength = if inclusion.telling { 0.85 } else { 0.35 };
    let gained = (1.0 - name) * strength * amount;
    (name + gained - orphans, feature)
}

fn scored(
    reference: ForeignKey,
    named: &Named,
    key: &ParentKey<'_>,
    inclusion: Option<Inclusion>,
    options: &InferOptions,
) -> Relationship {
    let (score, feature) = weighed(named.score, inclusion, options);
    let mut evidence_list = vec![
        evidence("name", named.feature.clone(), named.score, None),
        evidence("values", feature, score - named.score, inclusion),
    ];
    let mut score = score;
    if !key.declared {
        score -= 0.05;
        let feature = "the parent's key is not declared, only unique in the data".to_owned();
        evidence_list.push(evidence("statistics", feature, -0.05, None));
    }
    Relationship {
        reference,
        score: score.clamp(0.0, 1.0),
        accepted: false,
        tested: inclusion.map_or(0, |i| i.tested),
        orphans: inclusion.map_or(0, |i| i.tested - i.matched),
        evidence: evidence_list,
    }
}

/// Of the candidates of one column the best is accepted, when it is good enough and no other is as good.
fn decide(candidates: &mut [Relationship], options: &InferOptions) {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let rival = candidates
        .get(1)
        .map(|second| (second.score, second.reference.parent.to_string()));
    if let Some(best) = candidates.first_mut() {
        best.accepted = best.score >= options.score_min;
        if let Some((score, parent)) = rival.filter(|(score, _)| best.score - score < MARGIN) {
            best.accepted = false;
            let feature = format!("{parent} would do as well");
            best.evidence
                .push(evidence("rival", feature, score - best.score, None));
        }
    }
}

/// A reference that follows from others is not proposed: `reading(site) -> site` when `reading(site, machine)` refers to
/// machines and machines refer to sites by the same column.
fn leave_implied(catalog: &Catalog, known: &[ForeignKey], found: &mut [Relationship]) {
    let certain: Vec<ForeignKey> = catalog
        .tables
        .iter()
        .flat_map(|t| &t.foreign_keys)
        .chain(known)
        .cloned()
        .chain(
            found
                .iter()
                .filter(|r| r.accepted)
                .map(|r| r.reference.clone()),
        )
        .filter(|key| key.kind != RelationshipKind::Polymorphic)
        .collect();
    let mut by_child: BTreeMap<&TableRef, Vec<&ForeignKey>> = BTreeMap::new();
    for key in &certain {
        by_child.entry(&key.child).or_default().push(key);
    }
    let of = |table: &TableRef| by_child.get(table).into_iter().flatten();
    for candidate in found.iter_mut().filter(|r| r.accepted) {
        let wanted = &candidate.reference;
        let leads_there = |wide: &ForeignKey, next: &ForeignKey| {
            next.parent == wanted.parent
                && next.columns.len() == wanted.columns.len()
                && wanted.columns.iter().all(|(child, parent)| {
                    let middle = wide.columns.iter().find(|(c, _)| c == child);
                    middle.is_some_and(|(_, m)| {
                        next.columns.iter().any(|(c, p)| c == m && p == parent)
                    })
                })
        };
        let through = of(&wanted.child)
            .filter(|wide| wide.columns.len() > wanted.columns.len())
            .find(|wide| of(&wide.parent).any(|next| leads_there(wide, next)));
        if let Some(wide) = through {
            candidate.accepted = false;
            let feature = format!("follows from {}", wide.describe());
            candidate
                .evidence
                .push(evidence("schema", feature, 0.0, None));
        }
    }
}

/// What a composite or polymorphic reference explains, a single one of the same columns must not claim as well.
fn settle(found: &mut [Relationship]) {
    let polymorphic: Vec<(TableRef, String)> = found
        .iter()
        .filter(|r| r.accepted && r.reference.kind == RelationshipKind::Polymorphic)
        .flat_map(|r| {
            let child = r.reference.child.clone();
            r.reference
                .columns
                .iter()
                .map(move |(c, _)| (child.clone(), c.clone()))
        })
        .collect();
    for candidate in found.iter_mut() {
        let single = candidate.reference.kind == RelationshipKind::Inferred
            && candidate.reference.columns.len() == 1;
        let column = candidate.reference.columns.first().map(|(c, _)| c.clone());
        let place = column.map(|column| (candidate.reference.child.clone(), column));
        if single && place.is_some_and(|place| polymorphic.contains(&place)) {
            candidate.accepted = false;
        }
    }
}
