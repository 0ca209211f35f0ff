//! Batches of one table: what a target is loaded with.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, BatchSchema, Cleared};
use tdm_core::generator::RowGenerator;
use tdm_core::scalar::ColumnBuilder;

use super::table::{ATTEMPTS_MAX, Fault, Plans, Source, TablePlan};
use crate::value::{Value, push};

/// Columns that generators of the application made for the whole range.
#[derive(Debug, Default)]
pub(super) struct Given {
    start: u64,
    columns: HashMap<usize, ArrayRef>,
}

impl Given {
    pub(super) fn column(&self, column: usize, row: u64) -> Option<Value> {
        let array = self.columns.get(&column)?;
        Some(Value::read(
            array.as_ref(),
            usize::try_from(row - self.start).ok()?,
        ))
    }
}

/// Makes rows of one table of a plan.
#[derive(Debug)]
pub(super) struct TableGenerator {
    pub(super) plans: Arc<Plans>,
    pub(super) table: usize,
}

impl TableGenerator {
    fn plan(&self) -> &TablePlan {
        &self.plans.tables[self.table]
    }

    fn describe(&self, row: u64, fault: &Fault) -> String {
        let plan = self.plan();
        match fault {
            Fault::Column { column, reason } => {
                format!(
                    "column {}, row {row}: {reason}",
                    plan.table.column(&plan.columns[*column].name)
                )
            }
            Fault::Condition { condition } => format!(
                "table {}, row {row}: constraint `{}` refused {ATTEMPTS_MAX} attempts",
                plan.table, plan.conditions[*condition].name
            ),
            Fault::Reference { reference } => format!(
                "table {}, row {row}: no row can be referred to by {}",
                plan.table, plan.references[*reference].described
            ),
        }
    }

    fn given(&self, rows: &Range<u64>) -> Result<Given, String> {
        let plan = self.plan();
        let mut given = Given {
            start: rows.start,
            columns: HashMap::new(),
        };
        let count = usize::try_from(rows.end - rows.start)
            .map_err(|_| "too many rows at once".to_owned())?;
        for (at, column) in plan.columns.iter().enumerate() {
            if let Source::Given(bound) = &column.source {
                let place = plan.table.column(&column.name);
                let array = bound
                    .generate(rows.clone())
                    .map_err(|reason| format!("column {place}: {reason}"))?;
                if array.len() != count {
                    return Err(format!(
                        "column {place}: the generator made another number of rows than it was asked for"
                    ));
                }
                given.columns.insert(at, array);
            }
        }
        Ok(given)
    }
}

impl RowGenerator for TableGenerator {
    fn schema(&self) -> &Arc<BatchSchema> {
        &self.plan().schema
    }

    fn generate(&self, rows: Range<u64>) -> Result<Batch<Cleared>, String> {
        let plan = self.plan();
        let rows = rows.start.min(plan.rows)..rows.end.min(plan.rows);
        let count = usize::try_from(rows.end.saturating_sub(rows.start))
            .map_err(|_| "too many rows at once".to_owned())?;
        let given = self.given(&rows)?;
        let mut builders: Vec<ColumnBuilder> = plan
            .schema
            .columns
            .iter()
            .map(|c| ColumnBuilder::new(c.encoding, count))
            .collect();
        let mut slots = vec![Value::Null; plan.columns.len()];
        let mut scratch = String::new();
        for row in rows.clone() {
            self.plans
                .row(self.table, row, &given, &mut slots)
                .map_err(|fault| self.describe(row, &fault))?;
            for ((builder, &column), shape) in builders
                .iter_mut()
                .zip(&plan.written)
                .zip(&plan.schema.columns)
            {
                push(builder, shape.encoding, &slots[column], &mut scratch)
                    .map_err(|reason| self.describe(row, &Fault::Column { column, reason }))?;
            }
        }
        let arrays: Vec<ArrayRef> = builders.iter_mut().map(ColumnBuilder::finish).collect();
        attest(plan, arrays, count, rows.start)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "every cell of these rows was made from draws, from ranks or from the key of a made or cleared row"
)]
fn attest(
    plan: &TablePlan,
    arrays: Vec<ArrayRef>,
    rows: usize,
    origin: u64,
) -> Result<Batch<Cleared>, String> {
    Batch::attest(Arc::clone(&plan.schema), arrays, rows, origin).map_err(|error| error.to_string())
}
