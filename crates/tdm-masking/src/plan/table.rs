//! The program of one table: sensitive batches in, cleared batches out.

use std::collections::BTreeMap;
use std::sync::Arc;

use tdm_core::arrow_array::{Array as _, ArrayRef, new_null_array};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Cleared, Encoding, Sensitive};
use tdm_core::error::{BatchError, TransformError};
use tdm_core::function::{BoundMask, MaskContext};
use tdm_core::generator::BoundGenerator;
use tdm_core::ident::TableRef;
use tdm_core::transform::{ColumnRequest, Form, Transform};

use super::PlanRequest;
use super::bind::{Action, BoundColumn};

/// Clears batches of one table.
#[derive(Debug)]
pub struct TablePlan {
    table: TableRef,
    input: Vec<ColumnRequest>,
    /// Encoding of each requested column.
    encodings: Vec<Encoding>,
    output: Arc<BatchSchema>,
    steps: Vec<Step>,
}

/// How one column of the output is made.
#[derive(Debug)]
struct Step {
    rule: String,
    make: Make,
}

#[derive(Debug)]
enum Make {
    /// Taken from the input as it is.
    Copy(usize),
    Null,
    Mask {
        from: usize,
        inputs: Vec<usize>,
        bound: Box<dyn BoundMask>,
    },
    Generate(Box<dyn BoundGenerator>),
}

pub(super) fn build(
    request: &PlanRequest<'_>,
    bound: Vec<BoundColumn<'_, '_>>,
) -> BTreeMap<TableRef, Arc<TablePlan>> {
    let mut by_table: BTreeMap<TableRef, Vec<BoundColumn<'_, '_>>> = request
        .tables
        .iter()
        .map(|t| (t.table.clone(), Vec::new()))
        .collect();
    for column in bound {
        by_table
            .entry(column.decided.column.table.clone())
            .or_default()
            .push(column);
    }
    by_table
        .into_iter()
        .map(|(table, columns)| {
            let plan = one(request, &table, columns);
            (table, Arc::new(plan))
        })
        .collect()
}

fn one(
    request: &PlanRequest<'_>,
    table: &TableRef,
    columns: Vec<BoundColumn<'_, '_>>,
) -> TablePlan {
    let needed: Vec<String> = columns
        .iter()
        .filter_map(|c| match &c.action {
            Action::Mask(mask) => Some(mask.inputs().to_vec()),
            _ => None,
        })
        .flatten()
        .collect();
    let mut plan = TablePlan {
        table: table.clone(),
        input: Vec::new(),
        encodings: Vec::new(),
        output: Arc::new(BatchSchema {
            table: table.clone(),
            columns: Vec::new(),
        }),
        steps: Vec::new(),
    };
    for column in &columns {
        let asked_for = needed.contains(&column.decided.column.column);
        let form = match &column.action {
            Action::Mask(_) => Form::Decoded,
            _ if asked_for => Form::Decoded,
            Action::Keep => Form::Carried,
            Action::Drop | Action::Null | Action::Generate(..) => continue,
        };
        plan.encodings.push((request.encoding)(
            column.decided.table,
            column.decided.source,
            form,
        ));
        plan.input.push(ColumnRequest {
            column: column.decided.source.clone(),
            form,
        });
    }
    let position =
        |input: &[ColumnRequest], name: &str| input.iter().position(|r| r.column.name == name);
    let mut output = Vec::new();
    for column in columns {
        let source = column.decided.source;
        let from = position(&plan.input, &source.name);
        let encoding = |form| (request.encoding)(column.decided.table, source, form);
        let (shape, make) = match (column.action, from) {
            (Action::Drop, _) => continue,
            (Action::Keep, Some(from)) => (
                BatchColumn::of(source, plan.encodings[from]),
                Make::Copy(from),
            ),
            (Action::Mask(bound), Some(from)) => {
                let inputs = bound
                    .inputs()
                    .iter()
                    .filter_map(|name| position(&plan.input, name))
                    .collect();
                let mut shape = bound.output().clone();
                // The type was narrowed for the function's sake; the column is what it was.
                if shape.logical.class() == source.logical.class() {
                    shape.logical = source.logical.clone();
                    shape.native = source.native.clone();
                }
                shape.name = source.name.clone();
                (
                    shape,
                    Make::Mask {
                        from,
                        inputs,
                        bound,
                    },
                )
            }
            (Action::Generate(bound, _), _) => (bound.output().clone(), Make::Generate(bound)),
            (Action::Null, _) | (Action::Keep | Action::Mask(_), None) => {
                (BatchColumn::of(source, encoding(Form::Decoded)), Make::Null)
            }
        };
        output.push(shape);
        plan.steps.push(Step {
            rule: column.decided.rule.clone(),
            make,
        });
    }
    plan.output = Arc::new(BatchSchema {
        table: table.clone(),
        columns: output,
    });
    plan
}

impl TablePlan {
    fn fits(&self, batch: &Batch<Sensitive>) -> bool {
        let schema = batch.schema();
        let columns = schema
            .columns
            .iter()
            .zip(self.input.iter().zip(&self.encodings));
        schema.table == self.table
            && schema.columns.len() == self.input.len()
            && columns.into_iter().all(|(found, (wanted, encoding))| {
                found.name == wanted.column.name && found.encoding == *encoding
            })
    }

    fn make(
        &self,
        step: &Step,
        column: &BatchColumn,
        batch: &Batch<Sensitive>,
    ) -> Result<ArrayRef, TransformError> {
        let refused = |row: u64, reason| TransformError::Value {
            column: self.table.column(&column.name),
            rule: step.rule.clone(),
            row,
            reason,
        };
        let (rows, origin) = (batch.rows(), batch.origin());
        match &step.make {
            Make::Copy(from) => Ok(Arc::clone(batch.column(*from))),
            Make::Null => Ok(new_null_array(&column.encoding.data_type(), rows)),
            Make::Mask {
                from,
                inputs,
                bound,
            } => {
                let inputs: Vec<ArrayRef> = inputs
                    .iter()
                    .map(|&i| Arc::clone(batch.column(i)))
                    .collect();
                let context = MaskContext {
                    origin,
                    inputs: &inputs,
                };
                bound
                    .mask(batch.column(*from), &context)
                    .map_err(|error| refused(origin + error.row as u64, error.reason))
            }
            Make::Generate(bound) => bound
                .generate(origin..origin + rows as u64)
                .map_err(|reason| refused(origin, reason)),
        }
    }
}

impl Transform for TablePlan {
    fn input(&self) -> &[ColumnRequest] {
        &self.input
    }

    fn output(&self) -> &Arc<BatchSchema> {
        &self.output
    }

    fn apply(&self, batch: &Batch<Sensitive>) -> Result<Batch<Cleared>, TransformError> {
        if !self.fits(batch) {
            return Err(TransformError::Foreign {
                table: self.table.clone(),
            });
        }
        let mut columns = Vec::with_capacity(self.steps.len());
        for (step, column) in self.steps.iter().zip(&self.output.columns) {
            let array = self.make(step, column, batch)?;
            if *array.data_type() != column.encoding.data_type() || array.len() != batch.rows() {
                return Err(TransformError::Batch(BatchError::ColumnShape {
                    column: self.table.column(&column.name),
                }));
            }
            columns.push(array);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the plan is total: every column was decided, bound and proven, and every function ran"
        )]
        let cleared = Batch::attest(
            Arc::clone(&self.output),
            columns,
            batch.rows(),
            batch.origin(),
        );
        Ok(cleared?)
    }
}
