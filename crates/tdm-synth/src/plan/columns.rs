//! The maker of one column, and what makes its values different from each other where a key asks for it.

use std::collections::HashSet;
use std::sync::Arc;

use tdm_core::batch::BatchColumn;
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::function::{BindError, Params};
use tdm_core::generator::{BoundGenerator, GenerateRequest, GeneratorFunction};
use tdm_core::types::TypeClass;

use super::decide::{Decision, by_type_of, decide};
use super::request::SynthRequest;
use super::table::Source;
use crate::error::SynthError;
use crate::make::bounds::Bounds;
use crate::make::{Build, Maker};
use crate::model::{ModelMaker, TableModel};
use crate::stream::{Stream, TableKey};
use crate::value::can_encode;

/// What will make a column.
#[derive(Debug)]
pub(super) enum Kind {
    Own(Box<dyn Maker>),
    Given(Box<dyn BoundGenerator>, bool),
}

/// A column with its maker and the decision behind it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) kind: Kind,
    pub(super) decision: Decision,
}

/// Everything that making columns of one table needs.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'a> {
    pub(super) request: &'a SynthRequest<'a>,
    pub(super) schema: &'a TableSchema,
    pub(super) key: TableKey,
    pub(super) rows: u64,
}

impl Workshop<'_> {
    pub(super) fn shape(&self, column: &Column) -> BatchColumn {
        BatchColumn::of(column, (self.request.encoding)(self.schema, column))
    }

    pub(super) fn error(
        &self,
        column: &Column,
        reason: impl Into<String>,
        remedy: &str,
    ) -> SynthError {
        SynthError::Column {
            column: self.schema.table.column(&column.name),
            reason: reason.into(),
            remedy: remedy.to_owned(),
        }
    }

    /// What was learned from the table.
    pub(super) fn model(&self) -> Option<&Arc<TableModel>> {
        self.request
            .models
            .iter()
            .find(|m| m.table == self.schema.table)
    }

    /// Chooses and builds the maker of a column. `key` says that the column alone identifies a row, `unique`
    /// that its values must differ.
    pub(super) fn make(
        &self,
        column: &Column,
        bounds: &Bounds,
        key: bool,
        unique: bool,
    ) -> Result<Made, SynthError> {
        let shape = self.shape(column);
        if !can_encode(&column.logical, shape.encoding) {
            return Err(self.error(
                column,
                format!(
                    "its type {} cannot be made in the encoding that the target asked for",
                    column.logical
                ),
                "ask for the encoding that is natural to the type",
            ));
        }
        let mut decision = decide(self.request, self.schema, column, bounds, key);
        if !unique
            && !decision.by_user
            && let Some(model) = self.model()
            && let Some(at) = model.position(&column.name)
        {
            decision = Decision::learned();
            let maker = ModelMaker::new(model, at, &self.key);
            return Ok(Made {
                kind: Kind::Own(Box::new(maker)),
                decision,
            });
        }
        if unique && decision.generator == "pattern" {
            decision
                .params
                .0
                .entry("ignore_case")
                .or_insert(true.into());
        }
        match self.build(column, &shape, bounds, &mut decision) {
            Ok(kind) => Ok(Made { kind, decision }),
            Err(error) if decision.by_user => {
                Err(self.error(column, error.to_string(), "change the recipe"))
            }
            Err(first) => {
                let mut plain = by_type_of(column);
                self.build(column, &shape, bounds, &mut plain)
                    .map(|kind| Made {
                        kind,
                        decision: plain,
                    })
                    .map_err(|_| {
                        self.error(column, first.to_string(), "give a recipe for the column")
                    })
            }
        }
    }

    fn build(
        &self,
        column: &Column,
        shape: &BatchColumn,
        bounds: &Bounds,
        decision: &mut Decision,
    ) -> Result<Kind, BindError> {
        let registry = self.request.registry;
        if let Some(builtin) = registry.builtin(&decision.generator) {
            if builtin.takes("locale") && !decision.params.0.contains_key("locale") {
                decision
                    .params
                    .0
                    .insert("locale".to_owned(), self.request.locale.into());
            }
            decision
                .params
                .check(builtin.descriptor.parameters)
                .map_err(BindError::Params)?;
            if !builtin.accepts(column.logical.class()) {
                return Err(BindError::Type {
                    found: column.logical.clone(),
                    accepts: builtin.descriptor.accepts.to_vec(),
                });
            }
            return (builtin.build)(&Build {
                params: &decision.params,
                column: shape,
                key: self.key,
                bounds,
                resources: self.request.resources,
                registry,
                depth: 0,
            })
            .map(Kind::Own);
        }
        let custom: &Arc<dyn GeneratorFunction> =
            registry.custom(&decision.generator).ok_or_else(|| {
                BindError::Other(format!("there is no generator `{}`", decision.generator))
            })?;
        let descriptor = custom.descriptor();
        decision
            .params
            .check(descriptor.parameters)
            .map_err(BindError::Params)?;
        let bound = custom.bind(&GenerateRequest {
            params: &decision.params,
            column: shape,
            table: self.schema,
            seed: self.request.seed,
            resources: self.request.resources,
        })?;
        Ok(Kind::Given(bound, descriptor.promise.injective))
    }

    /// A maker with more values, when the one that was chosen has too few for `needed` and nobody asked for it.
    pub(super) fn widen(&self, column: &Column, bounds: &Bounds, made: Made, needed: u64) -> Made {
        let enough = |maker: &dyn Maker| maker.capacity().is_some_and(|c| c >= needed);
        let Kind::Own(maker) = &made.kind else {
            return made;
        };
        if made.decision.by_user || enough(maker.as_ref()) || maker.marking().is_some() {
            return made;
        }
        let wide = needed.saturating_mul(8);
        let (generator, params) = match column.logical.class() {
            TypeClass::Integer => ("integer", serde_json::json!({"min": 1, "max": wide})),
            TypeClass::Decimal => ("decimal", serde_json::json!({"min": 0, "max": wide})),
            TypeClass::Float => ("float", serde_json::json!({"min": 0, "max": wide})),
            TypeClass::Date => (
                "date",
                serde_json::json!({"min": "1900-01-01", "max": "2099-12-31"}),
            ),
            TypeClass::Timestamp => (
                "timestamp",
                serde_json::json!({"min": "1980-01-01", "max": "2030-12-31"}),
            ),
            TypeClass::Text if bounds.pattern.is_none() && bounds.list.is_none() => {
                let room = column.logical.max_length().unwrap_or(32).min(32);
                (
                    "pattern",
                    serde_json::json!({"pattern": format!("[a-z0-9]{{{room}}}")}),
                )
            }
            _ => return made,
        };
        let serde_json::Value::Object(params) = params else {
            return made;
        };
        let mut decision = Decision {
            generator: generator.to_owned(),
            params: Params(params),
            ..made.decision.clone()
        };
        // The widened range may be more than the type holds: ends are cut, limits of constraints stay.
        match self.build(column, &self.shape(column), bounds, &mut decision) {
            Ok(Kind::Own(wider)) if wider.capacity() > maker.capacity() => Made {
                kind: Kind::Own(wider),
                decision,
            },
            _ => made,
        }
    }

    /// Values of a column in the rows that exist, as text.
    pub(super) fn taken(&self, column: &Column) -> HashSet<String> {
        let mut taken = HashSet::new();
        for array in self
            .request
            .existing
            .keys(&self.schema.table, &[&column.name])
            .unwrap_or_default()
        {
            for row in 0..array.len() {
                let value = crate::value::Value::read(array.as_ref(), row);
                if !value.is_null() {
                    let mut text = String::new();
                    value.write(&mut text);
                    taken.insert(text);
                }
            }
        }
        taken
    }

    /// A source whose values all differ.
    pub(super) fn unique(
        &self,
        column: &Column,
        bounds: &Bounds,
        made: Made,
        stream: &Stream,
    ) -> Result<(Source, Decision), SynthError> {
        let serial = made.decision.generator == "serial" && !made.decision.by_user;
        let taken = if serial {
            HashSet::new()
        } else {
            self.taken(column)
        };
        let needed = self.rows.saturating_add(taken.len() as u64);
        let made = self.widen(column, bounds, made, needed);
        let decision = made.decision;
        let short = |capacity: u64, remedy: &str| SynthError::Capacity {
            table: self.schema.table.clone(),
            columns: column.name.clone(),
            capacity,
            rows: needed,
            remedy: remedy.to_owned(),
        };
        match made.kind {
            Kind::Given(bound, true) => Ok((Source::Given(bound), decision)),
            Kind::Given(_, false) => Err(self.error(
                column,
                format!(
                    "generator `{}` does not promise different values",
                    decision.generator
                ),
                "use a generator that does",
            )),
            Kind::Own(maker) => {
                let capacity = maker.capacity();
                if let Some(capacity) = capacity.filter(|c| *c >= needed) {
                    // A domain of a few times the rows is walked as well as a larger one and computes faster.
                    let scatter = (!maker.ordered()).then(|| stream.permutation(capacity, 1));
                    return Ok((
                        Source::Ranked {
                            maker,
                            scatter,
                            rows: self.rows,
                            taken,
                        },
                        decision,
                    ));
                }
                let Some(marking) = maker.marking() else {
                    return Err(short(
                        capacity.unwrap_or(1),
                        "ask for fewer rows, widen the column or its constraint, or give a recipe with more values",
                    ));
                };
                let (mut width, mut size) = (1, u64::from(marking.radix));
                while size < needed.saturating_mul(2) && width < marking.room && size < 1 << 50 {
                    width += 1;
                    size *= u64::from(marking.radix);
                }
                if size < needed || width > marking.room {
                    return Err(short(
                        if marking.room == 0 { 1 } else { size },
                        "ask for fewer rows, widen the column, or give a recipe with more values",
                    ));
                }
                Ok((
                    Source::Marked {
                        maker,
                        scatter: stream.permutation(size, 2),
                        radix: marking.radix,
                        width,
                        rows: self.rows,
                        taken,
                    },
                    decision,
                ))
            }
        }
    }
}
