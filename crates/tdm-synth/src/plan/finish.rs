//! The rest of a draft: references that no key has decided, and the finished plan of the table.

use std::collections::HashMap;
use std::sync::Arc;

use tdm_core::batch::BatchSchema;
use tdm_core::catalog::Column;

use super::ColumnCoverage;
use super::columns::{Kind, Made};
use super::counted::Counted;
use super::decide::Decision;
use super::draft::Draft;
use super::references::{Cycle, Link};
use super::spread::Spread;
use super::table::{Choice, ColumnPlan, Reference, Source, TablePlan};
use crate::error::SynthError;
use crate::make::bounds::Bounds;
use crate::stream::Stream;
use crate::value::Fitter;

/// Share of NULLs where NULL is allowed and nobody says how many.
const NULL_SHARE: f64 = 0.1;
/// Parents that may be held when two references must agree.
const AGREEING_MAX: u64 = 5_000_000;

impl Draft<'_> {
    /// References that no key has decided.
    pub(super) fn choose_rest(&mut self, errors: &mut Vec<SynthError>) {
        for at in 0..self.links.len() {
            if self.choices[at].is_some() {
                continue;
            }
            let (link, parents) = &self.links[at];
            let described = link.foreign_key.describe();
            let stream = self.shop.key.stream(&format!("\u{1}reference/{described}"));
            let own: Vec<bool> = link
                .child
                .iter()
                .enumerate()
                .map(|(part, &c)| self.owner[c] == Some((at, part)))
                .collect();
            let itself = link.parent == Some(self.table);
            let total = parents.total();
            let choice = if link.cycle == Cycle::Broken
                || (total == 0 && link.nullable)
                || self.shop.rows == 0
            {
                Choice::Never
            } else if total == 0 {
                errors.push(SynthError::Reference {
                    reference: described,
                    reason: format!(
                        "NULL is not allowed and {} has no row to refer to",
                        link.foreign_key.parent
                    ),
                    remedy: "make rows of the parent too, or load it first".to_owned(),
                });
                Choice::Never
            } else if own.iter().all(|o| *o) {
                if itself {
                    Choice::Earlier {
                        chain: false,
                        self_allowed: !link.nullable,
                    }
                } else {
                    self.distribute(link, &stream, total)
                }
            } else if own.iter().any(|o| *o) {
                let shared: Vec<usize> = link
                    .child
                    .iter()
                    .zip(&own)
                    .filter(|(_, o)| !**o)
                    .map(|(&c, _)| c)
                    .collect();
                shared.iter().for_each(|&c| self.frozen[c] = true);
                if total > AGREEING_MAX {
                    errors.push(SynthError::Reference {
                        reference: described,
                        reason: format!("it shares columns with another reference and its parent has more than {AGREEING_MAX} rows"),
                        remedy: "ask for fewer rows of the parent".to_owned(),
                    });
                }
                Choice::Agreeing {
                    rows: HashMap::new(),
                    shared,
                    earlier: itself,
                }
            } else {
                if !self.implied(link) {
                    errors.push(SynthError::Reference {
                        reference: described,
                        reason: "other references decide all of its columns and do not imply it"
                            .to_owned(),
                        remedy: "leave one of them out".to_owned(),
                    });
                }
                Choice::Never
            };
            self.choices[at] = Some(choice);
        }
    }

    /// Children over parents: after what was learned, else evenly with some variation.
    fn distribute(&self, link: &Link, stream: &Stream, total: u64) -> Choice {
        let learned = self
            .shop
            .model()
            .and_then(|m| m.reference(&link.foreign_key.child_columns()))
            .and_then(|r| Counted::new(stream, self.shop.rows, total, &r.counts));
        match learned {
            Some(counted) => Choice::Counted(Box::new(counted)),
            None => Choice::Spread(Spread::new(*stream, self.shop.rows, total, u64::MAX, true)),
        }
    }

    /// Whether the references that decide the columns of `link` lead to the same parent by another way.
    fn implied(&self, link: &Link) -> bool {
        link.foreign_key
            .columns
            .iter()
            .zip(&link.child)
            .all(|((_, target), &c)| {
                let Some((owner, part)) = self.owner[c] else {
                    return false;
                };
                let (by, _) = &self.links[owner];
                let via = &by.foreign_key.columns[part].1;
                if by.foreign_key.parent == link.foreign_key.parent && via == target {
                    return true;
                }
                let Some(parent) = by.parent else {
                    // Existing rows keep their own references.
                    return true;
                };
                self.shop.request.tables[parent]
                    .schema
                    .foreign_keys
                    .iter()
                    .any(|f| {
                        f.parent == link.foreign_key.parent
                            && f.columns.iter().any(|(c, p)| c == via && p == target)
                    })
            })
    }

    pub(super) fn finish(
        self,
        coverage: &mut Vec<ColumnCoverage>,
        errors: &mut Vec<SynthError>,
    ) -> TablePlan {
        let Self {
            shop,
            links,
            bounds,
            orders,
            conditions,
            keys,
            owner,
            choices,
            groups,
            digits,
            made,
            unique,
            frozen,
            ..
        } = self;
        let schema = shop.schema;
        let mut references = Vec::with_capacity(links.len());
        for (at, ((link, parents), choice)) in links.into_iter().zip(choices).enumerate() {
            let own: Vec<usize> = link
                .child
                .iter()
                .copied()
                .filter(|&c| owner[c].is_some_and(|(o, _)| o == at))
                .collect();
            let free = own
                .iter()
                .all(|&c| schema.columns[c].nullable && !bounds[c].not_null);
            let keyed = own
                .iter()
                .any(|&c| keys.iter().any(|k| k.columns.contains(&c)));
            let asked = own.iter().find_map(|&c| {
                let place = schema.table.column(&schema.columns[c].name);
                let recipe = shop.request.recipes.iter().find(|r| r.column == place)?;
                recipe.params.0.get("null_share")?.as_f64()
            });
            let learned = shop
                .model()
                .and_then(|m| m.reference(&link.foreign_key.child_columns()))
                .map(|r| r.null_share);
            references.push(Reference {
                null_share: if free && !own.is_empty() {
                    asked
                        .or(learned)
                        .unwrap_or(if keyed { 0.0 } else { NULL_SHARE })
                } else {
                    0.0
                },
                parents,
                choice: choice.unwrap_or(Choice::Never),
                stream: shop
                    .key
                    .stream(&format!("\u{1}reference/{}", link.foreign_key.describe())),
                frozen: own.iter().any(|&c| frozen[c]),
                described: link.foreign_key.describe(),
            });
        }
        let mut columns = Vec::with_capacity(schema.columns.len());
        let mut written = Vec::new();
        let mut shapes = Vec::new();
        for (at, (column, made)) in schema.columns.iter().zip(made).enumerate() {
            let stream = shop.key.stream(&column.name);
            let keyed = keys.iter().any(|k| k.columns.contains(&at));
            let alone = unique[at] || keys.iter().any(|k| k.columns == [at]);
            let mut null_share = 0.0;
            let mut told = ("server".to_owned(), "computed by the server".to_owned());
            let source = if !column.is_written() {
                Source::Skipped
            } else if let Some((reference, part)) = owner[at] {
                told = (
                    "reference".to_owned(),
                    references[reference].described.clone(),
                );
                null_share = references[reference].null_share;
                Source::Reference { reference, part }
            } else if let Some(Made { kind, decision }) = made {
                let primary = schema
                    .primary_key
                    .as_ref()
                    .is_some_and(|k| k.columns.contains(&column.name));
                let (source, decision) = match (digits[at], unique[at], kind) {
                    (Some((group, position)), _, Kind::Own(maker)) => (
                        Source::Digit {
                            group,
                            position,
                            maker,
                        },
                        decision,
                    ),
                    (None, true, kind) => match shop.unique(
                        column,
                        &bounds[at],
                        Made {
                            kind,
                            decision: decision.clone(),
                        },
                        &stream,
                    ) {
                        Ok(made) => made,
                        Err(error) => {
                            errors.push(error);
                            (Source::Skipped, decision)
                        }
                    },
                    (_, _, Kind::Own(maker)) => (Source::Drawn { maker }, decision),
                    (_, _, Kind::Given(bound, _)) => (Source::Given(bound), decision),
                };
                null_share =
                    share_of_nulls(column, &bounds[at], &decision, primary, keyed && !alone);
                if null_share > 0.0 && !column.nullable {
                    errors.push(shop.error(
                        column,
                        "a recipe asks for NULLs and the column does not allow them",
                        "remove null_share",
                    ));
                }
                told = (decision.generator, decision.reason);
                source
            } else {
                Source::Skipped
            };
            if column.is_written() {
                written.push(at);
                shapes.push(shop.shape(column));
            }
            coverage.push(ColumnCoverage {
                column: schema.table.column(&column.name),
                generator: told.0,
                reason: told.1,
                unique: alone,
                null_share,
            });
            columns.push(ColumnPlan {
                name: column.name.clone(),
                null_share: if matches!(source, Source::Reference { .. }) {
                    0.0
                } else {
                    null_share
                },
                source,
                stream,
                fitter: Fitter::new(column.logical.clone()),
                nullable: column.nullable,
                frozen: frozen[at],
            });
        }
        TablePlan {
            table: schema.table.clone(),
            schema: Arc::new(BatchSchema {
                table: schema.table.clone(),
                columns: shapes,
            }),
            rows: shop.rows,
            columns,
            written,
            references,
            groups,
            conditions,
            orders,
        }
    }
}

fn share_of_nulls(
    column: &Column,
    bounds: &Bounds,
    decision: &Decision,
    primary: bool,
    part: bool,
) -> f64 {
    match decision.null_share {
        Some(share) => share.clamp(0.0, 1.0),
        None if column.nullable && !bounds.not_null && !primary && !part && !decision.by_user => {
            NULL_SHARE
        }
        None => 0.0,
    }
}
