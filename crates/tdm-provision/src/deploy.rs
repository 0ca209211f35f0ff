//! Deployment: a published dataset version goes to an environment, proven to be what was recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Cleared, Sensitive};
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::digest::RowDigest;
use tdm_core::error::TransformError;
use tdm_core::port::{
    Namespace, OwnerMark, Publication, RowSource, StageRequest, StepContext, TargetDatabase,
};
use tdm_core::transform::{ColumnRequest, Form, Transform};
use tdm_core::types::Engine;
use tdm_core::unit::UnitReceipt;

use crate::build::{Build, Verification, expect_empty};
use crate::error::{Error, Result};
use crate::guard::replaceable;
use crate::subset::TableSelection;

/// What the metadata database holds of a dataset version, so that its rows can be trusted when read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// Engine whose words the schemas are in.
    pub engine: Engine,
    /// Its tables, parents first.
    pub tables: Vec<TableSchema>,
    /// References beside the declared ones that hold in it.
    pub relationships: Vec<ForeignKey>,
    /// References that may dangle, by description.
    pub tolerated: Vec<String>,
    /// Count and digest of every table by name.
    pub digests: BTreeMap<String, RowDigest>,
}

/// Where a dataset version goes.
#[derive(Debug)]
pub struct DeployRequest<'a> {
    /// The database that holds it.
    pub from: &'a dyn TargetDatabase,
    /// Its namespace there.
    pub namespace: &'a Namespace,
    /// What is recorded of it.
    pub record: &'a DatasetRecord,
    /// The database it goes to, into the main namespace.
    pub to: &'a dyn TargetDatabase,
    /// Whether tables that are not ours may be replaced.
    pub adopt: bool,
    /// Mark to leave.
    pub mark: OwnerMark,
    /// Hash of the plan.
    pub plan_hash: &'a str,
}

/// What a deployment did.
#[derive(Debug)]
pub struct Deployment {
    /// Where.
    pub publication: Publication,
    /// One receipt per table with rows.
    pub receipts: Vec<UnitReceipt>,
    /// What was checked.
    pub verification: Verification,
}

/// Copies a published dataset version into the main namespace of another place and publishes it there.
///
/// The rows are cleared by evidence: each table must have the recorded digest, or nothing is published.
///
/// # Errors
/// When the place holds tables that are not ours, when a digest differs from the record, or a database fails.
pub async fn deploy(request: DeployRequest<'_>, context: &StepContext) -> Result<Deployment> {
    replaceable(request.to, request.adopt).await?;
    let source = request.from.read(request.namespace).await?;
    let stage = StageRequest {
        namespace: Namespace::Main,
        source_engine: request.record.engine,
        tables: request.record.tables.clone(),
        mark: request.mark.clone(),
    };
    let mut build = Build::begin(request.to, stage, request.plan_hash, "provision").await?;
    match fill(&mut build, &request, source.as_ref(), context).await {
        Ok((receipts, verification)) => {
            // Released before publication: the place may be the very database that is read.
            drop(source);
            let publication = build.publish().await?;
            Ok(Deployment {
                publication,
                receipts,
                verification,
            })
        }
        Err(error) => {
            // The first error is the one to report; leftovers are recognised later.
            let _ = build.discard().await;
            Err(error)
        }
    }
}

async fn fill(
    build: &mut Build,
    request: &DeployRequest<'_>,
    source: &dyn RowSource,
    context: &StepContext,
) -> Result<(Vec<UnitReceipt>, Verification)> {
    let mut receipts = Vec::new();
    for table in &request.record.tables {
        let schema = Arc::new(table.clone());
        let recorded = request
            .record
            .digests
            .get(&table.table.to_string())
            .copied();
        let recorded = recorded.ok_or_else(|| Error::Mismatch {
            table: table.table.clone(),
            check: "a recorded digest to clear the rows by",
        })?;
        if recorded.rows == 0 {
            expect_empty(source, &schema, context).await?;
            continue;
        }
        let transform = Recorded::new(&schema, source);
        let selection = TableSelection::whole(schema, recorded.rows);
        let receipt = build.copy(source, &selection, &transform, context).await?;
        if receipt.digest != recorded {
            let check = "digest of the dataset version = digest recorded when it was built";
            return Err(Error::Mismatch {
                table: table.table.clone(),
                check,
            });
        }
        receipts.push(receipt);
    }
    let tolerated = |fk: &ForeignKey| request.record.tolerated.contains(&fk.describe());
    let verification = build
        .verify(&request.record.relationships, &tolerated, context)
        .await?;
    Ok((receipts, verification))
}

/// Clears rows of a published dataset version, whose digest the caller compares with the record before
/// anything becomes visible.
#[derive(Debug)]
struct Recorded {
    input: Vec<ColumnRequest>,
    output: Arc<BatchSchema>,
}

impl Recorded {
    fn new(table: &TableSchema, source: &dyn RowSource) -> Self {
        let written: Vec<_> = table.columns.iter().filter(|c| c.is_written()).collect();
        let columns = written
            .iter()
            .map(|c| BatchColumn::of(c, source.carried(c)))
            .collect();
        let input = written
            .iter()
            .map(|c| ColumnRequest {
                column: (*c).clone(),
                form: Form::Carried,
            })
            .collect();
        Self {
            input,
            output: Arc::new(BatchSchema {
                table: table.table.clone(),
                columns,
            }),
        }
    }
}

impl Transform for Recorded {
    fn input(&self) -> &[ColumnRequest] {
        &self.input
    }

    fn output(&self) -> &Arc<BatchSchema> {
        &self.output
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "rows of a published dataset version were cleared when it was built; `fill` compares each \
                  table's digest with the one recorded then before anything is published"
    )]
    fn apply(
        &self,
        batch: &Batch<Sensitive>,
    ) -> std::result::Result<Batch<Cleared>, TransformError> {
        if batch.schema().columns.len() != self.output.columns.len() {
            return Err(TransformError::Foreign {
                table: self.output.table.clone(),
            });
        }
        let columns = batch.columns().to_vec();
        Ok(Batch::attest(
            Arc::clone(&self.output),
            columns,
            batch.rows(),
            batch.origin(),
        )?)
    }
}
