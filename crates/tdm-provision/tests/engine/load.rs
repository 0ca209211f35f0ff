//! The way of a closure into a target, for tests that look at the rows that arrive.

use std::collections::BTreeMap;
use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Cleared, Sensitive};
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::TableSchema;
use tdm_core::error::TransformError;
use tdm_core::ident::JobId;
use tdm_core::memory::MemoryTarget;
use tdm_core::port::{
    FixedClock, Namespace, NoProgress, OwnerMark, RowSource, StageRequest, StepContext,
};
use tdm_core::time::UtcMicros;
use tdm_core::transform::{ColumnRequest, Form, Transform};
use tdm_core::types::Engine;
use tdm_provision::build::Build;
use tdm_provision::subset::{Closure, SubsetPlan};

use super::world::{Value, rows_of};

/// Passes every column through as it is.
#[derive(Debug)]
pub(crate) struct AsIs {
    input: Vec<ColumnRequest>,
    output: Arc<BatchSchema>,
}

impl AsIs {
    pub(crate) fn new(table: &TableSchema, source: &dyn RowSource) -> Self {
        let columns = &table.columns;
        Self {
            input: columns
                .iter()
                .map(|c| ColumnRequest {
                    column: c.clone(),
                    form: Form::Carried,
                })
                .collect(),
            output: Arc::new(BatchSchema {
                table: table.table.clone(),
                columns: columns
                    .iter()
                    .map(|c| BatchColumn::of(c, source.carried(c)))
                    .collect(),
            }),
        }
    }
}

impl Transform for AsIs {
    fn input(&self) -> &[ColumnRequest] {
        &self.input
    }

    fn output(&self) -> &Arc<BatchSchema> {
        &self.output
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "made-up rows of a test; there is nothing to mask"
    )]
    fn apply(&self, batch: &Batch<Sensitive>) -> Result<Batch<Cleared>, TransformError> {
        Ok(Batch::attest(
            Arc::clone(&self.output),
            batch.columns().to_vec(),
            batch.rows(),
            batch.origin(),
        )?)
    }
}

/// What a step is told.
pub(crate) fn context() -> StepContext {
    StepContext {
        job: job(),
        cancel: CancelToken::new(),
        progress: Arc::new(NoProgress),
        clock: Arc::new(FixedClock(UtcMicros(0))),
    }
}

fn job() -> JobId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

/// The mark of the tests.
pub(crate) fn mark() -> OwnerMark {
    OwnerMark {
        job: job(),
        dataset: "world@1".to_owned(),
    }
}

/// Where the tests publish.
pub(crate) fn place() -> Namespace {
    Namespace::Dataset {
        dataset: "world".to_owned(),
        version: 1,
    }
}

/// A request to stage the tables of `plan`.
pub(crate) fn staging(plan: &SubsetPlan) -> StageRequest {
    let order = plan.graph().load_order();
    StageRequest {
        namespace: place(),
        source_engine: Engine::Memory,
        tables: order
            .into_iter()
            .map(|t| TableSchema::clone(&plan.tables()[t]))
            .collect(),
        mark: mark(),
    }
}

/// Copies a closure and returns the rows of each table, sorted.
pub(crate) async fn copied(
    plan: &SubsetPlan,
    closure: &Closure,
    source: &dyn RowSource,
) -> BTreeMap<String, Vec<Vec<Value>>> {
    let target = MemoryTarget::new("copy");
    let mut build = Build::begin(&target, staging(plan), "plan", "subset")
        .await
        .unwrap();
    for selection in &closure.tables {
        let transform = AsIs::new(&selection.table, source);
        let receipt = build
            .copy(source, selection, &transform, &context())
            .await
            .unwrap();
        assert!(receipt.balances());
    }
    build.publish().await.unwrap();
    target
        .tables(&place())
        .unwrap()
        .iter()
        .zip(staging(plan).tables)
        .map(|(table, schema)| {
            let columns: Vec<ArrayRef> = schema
                .columns
                .iter()
                .map(|c| Arc::clone(table.column(&c.name).unwrap()))
                .collect();
            let mut rows = rows_of(&columns);
            rows.sort();
            (schema.table.name, rows)
        })
        .collect()
}
