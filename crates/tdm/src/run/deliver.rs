//! The step `provision`: a dataset version goes to an environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tdm_core::dataset::{DatasetStatus, DatasetVersion};
use tdm_core::lineage::{ColumnLineage, LineageEdge, LineageEnd};
use tdm_core::place::{Connection, Environment};
use tdm_core::port::{Namespace, OwnerMark, StepContext, StepOutput, TargetDatabase};
use tdm_provision::deploy::{DatasetRecord, DeployRequest, Deployment, deploy};
use tdm_provision::guard::{Place, distinct, may_be_target, replaceable};

use super::prepare::Prepared;
use super::protect::{protect, protect_versions};
use crate::error::{Error, Result};
use crate::report::EnvironmentReport;
use crate::tables::count;
use crate::tdm::Tdm;
use crate::workflow::{ProvisionStep, Workflow};

/// The environment of a workflow with the database it means.
pub(super) struct Destination {
    environment: Environment,
    /// A connection that the workflow names and the store may not have yet.
    connection: Option<Connection>,
    database: Arc<dyn TargetDatabase>,
}

/// Resolves the environment: its own connection, else the target database. Guards only; writes nothing, so that a
/// place that must not be written stops the job before it begins.
pub(super) async fn destination(
    tdm: &Tdm,
    workflow: &Workflow,
    step: &ProvisionStep,
    prepared: &Prepared,
) -> Result<Destination> {
    let store = tdm.store();
    let name = &step.environment.value;
    let stored = store.environment(name).await?;
    if let Some(stored) = &stored {
        // What the environment is for was said when it was made; a workflow cannot make production a target.
        may_be_target(&stored.environment)?;
    }
    let connection = match &step.connection {
        Some(text) => {
            let (connection, _) = tdm.place(&text.value, &workflow.directory).await?;
            Some(connection)
        }
        None => None,
    };
    let kept = stored
        .as_ref()
        .and_then(|stored| stored.environment.connection.clone());
    let environment = Environment {
        name: name.clone(),
        kind: step.kind,
        connection: connection.as_ref().map(|c| c.name.clone()).or(kept),
        config: stored
            .map(|stored| stored.environment.config)
            .unwrap_or_default(),
    };
    may_be_target(&environment)?;
    let role = format!("environment `{name}`");
    let database = match (&connection, &environment.connection) {
        (Some(connection), _) => open(tdm, &role, &connection.location, workflow).await?,
        (None, Some(name)) => open(tdm, &role, name, workflow).await?,
        (None, None) => Arc::clone(&prepared.target),
    };
    protect(tdm, &role, database.as_ref()).await?;
    if let Some(source) = &prepared.source {
        let read = tdm_core::port::RowSource::identity(source.database.as_ref()).await?;
        let written = database.identity().await?;
        distinct(
            &Place {
                role: "the source".to_owned(),
                identity: &read,
            },
            &Place {
                role,
                identity: &written,
            },
        )?;
    }
    replaceable(database.as_ref(), step.adopt).await?;
    Ok(Destination {
        environment,
        connection,
        database,
    })
}

async fn open(
    tdm: &Tdm,
    role: &str,
    text: &str,
    workflow: &Workflow,
) -> Result<Arc<dyn TargetDatabase>> {
    let (_, url) = tdm.place(text, &workflow.directory).await?;
    protect_versions(tdm, role, &url)?;
    Ok(tdm_sql::open_target(&url).await?)
}

/// The latest published version of a dataset, with its record.
pub(super) async fn latest(tdm: &Tdm, dataset: &str) -> Result<(DatasetVersion, DatasetRecord)> {
    let versions = tdm.store().dataset_versions(Some(dataset)).await?;
    let published = versions
        .into_iter()
        .rev()
        .find(|version| version.status == DatasetStatus::Published);
    let version = published.ok_or_else(|| {
        Error::Guard(format!(
            "dataset `{dataset}` has no published version; add `mask` or `synthesize` to build one"
        ))
    })?;
    let facts = tdm.store().dataset_facts(version.id).await?;
    let record = facts
        .get("record")
        .cloned()
        .and_then(|value| serde_json::from_value(value).ok());
    let record = record.ok_or_else(|| {
        Error::Metadata(format!(
            "dataset version {} has no readable record",
            version.id
        ))
    })?;
    Ok((version, record))
}

/// Deploys and records.
pub(super) async fn deliver(
    tdm: &Tdm,
    step: &ProvisionStep,
    prepared: &Prepared,
    destination: &Destination,
    version: &DatasetVersion,
    record: &DatasetRecord,
    context: &StepContext,
) -> Result<(EnvironmentReport, StepOutput)> {
    let store = tdm.store();
    if let Some(connection) = &destination.connection {
        store.save_connection(connection).await?;
    }
    store.save_environment(&destination.environment).await?;
    destination.database.remove_leftovers().await?;
    let namespace = Namespace::Dataset {
        dataset: version.dataset.clone(),
        version: version.version,
    };
    let request = DeployRequest {
        from: prepared.target.as_ref(),
        namespace: &namespace,
        record,
        to: destination.database.as_ref(),
        adopt: step.adopt,
        mark: OwnerMark {
            job: context.job,
            dataset: namespace.to_string(),
        },
        plan_hash: &prepared.plan_hash,
    };
    let deployment = deploy(request, context).await?;
    let name = &destination.environment.name;
    tdm.store()
        .record_lineage(&[edge(version, name, record, context)])
        .await?;
    let rows = deployment.verification.total.rows;
    let summary = format!(
        "{namespace} in environment {name}: {} rows, digests equal",
        count(rows)
    );
    let details = json!({
        "environment": name,
        "dataset": namespace.to_string(),
        "rows": rows,
        "tables": rows_by_table(&deployment),
    });
    let report = EnvironmentReport {
        name: name.clone(),
        location: deployment.publication.location,
        rows,
    };
    Ok((report, StepOutput { summary, details }))
}

fn rows_by_table(deployment: &Deployment) -> BTreeMap<String, u64> {
    deployment
        .receipts
        .iter()
        .map(|receipt| (receipt.unit.table.to_string(), receipt.rows_written))
        .collect()
}

fn edge(
    version: &DatasetVersion,
    environment: &str,
    record: &DatasetRecord,
    context: &StepContext,
) -> LineageEdge {
    let columns = record.tables.iter().flat_map(|table| {
        table
            .columns
            .iter()
            .filter(|column| column.is_written())
            .map(|column| {
                let place = table.table.column(&column.name);
                ColumnLineage {
                    source: Some(place.clone()),
                    target: place,
                    transformation: "copy".to_owned(),
                    masked: false,
                    rule: None,
                }
            })
    });
    LineageEdge {
        source: LineageEnd::new("dataset_version", &version.id),
        target: LineageEnd::new("environment", &environment),
        operation: "provision".to_owned(),
        job: Some(context.job),
        columns: columns.collect(),
    }
}
