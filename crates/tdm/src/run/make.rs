//! The steps `subset`, `mask` and `synthesize`: a dataset version is built, verified and published.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::dataset::{DatasetFacts, DatasetSource, DatasetStatus, DatasetVersion};
use tdm_core::detector::TextDetector;
use tdm_core::finding::Classification;
use tdm_core::function::Resources;
use tdm_core::ident::{SchemaVersionId, TableRef};
use tdm_core::keyring::Keyring as _;
use tdm_core::lineage::{ColumnLineage, LineageEdge, LineageEnd};
use tdm_core::port::{
    Namespace, NewDatasetVersion, OwnerMark, StageRequest, StepContext, StepOutput,
};
use tdm_core::transform::Form;
use tdm_masking::plan::{MaskingPlan, PlanRequest};
use tdm_provision::build::{Build, Verification};
use tdm_provision::deploy::DatasetRecord;
use tdm_provision::subset::{Closure, SubsetPlan, TableSelection, close};
use tdm_synth::{SynthPlan, SynthRequest, TableRequest};

use super::existing::StagedKeys;
use super::prepare::{Prepared, Source};
use crate::error::{Error, Result};
use crate::report::{Coverage, DatasetReport, Taken};
use crate::tables::count;
use crate::tdm::Tdm;
use crate::workflow::Workflow;

/// Keys bound in one query while a subset is closed.
const KEYS_MAX: usize = 10_000;

/// Detectors for masking inside text; dictionaries and lists come with workflows that name them.
#[derive(Debug)]
struct Detectors(Arc<dyn TextDetector>);

impl Resources for Detectors {
    fn dictionary(&self, _: &str) -> Option<Arc<std::collections::HashMap<String, String>>> {
        None
    }

    fn list(&self, _: &str) -> Option<Arc<Vec<String>>> {
        None
    }

    fn text_detector(&self) -> Option<Arc<dyn TextDetector>> {
        Some(Arc::clone(&self.0))
    }
}

/// Compiles the masking plan over the tables of the subset.
pub(super) fn masking_plan(
    tdm: &Tdm,
    workflow: &Workflow,
    prepared: &Prepared,
    source: &Source,
    classifications: &[Classification],
) -> Result<MaskingPlan> {
    let tables: Vec<TableSchema> = source
        .subset
        .tables()
        .iter()
        .map(|t| TableSchema::clone(t))
        .collect();
    let inside: HashSet<&TableRef> = tables.iter().map(|t| &t.table).collect();
    let relationships: Vec<ForeignKey> = source
        .relationships
        .iter()
        .filter(|fk| inside.contains(&fk.child) && inside.contains(&fk.parent))
        .cloned()
        .collect();
    let database = &source.database;
    let encoding = |_: &TableSchema, column: &tdm_core::catalog::Column, form| match form {
        Form::Carried => database.carried(column),
        Form::Decoded => database.encoding(column),
    };
    let resources = Detectors(Arc::new(tdm_pii::SpanDetector::standard()));
    let request = PlanRequest {
        tables: &tables,
        relationships: &relationships,
        classifications,
        rules: &prepared.rules,
        policy: prepared.policy.as_ref(),
        registry: tdm.masking(),
        keyring: &prepared.key,
        resources: &resources,
        encoding: &encoding,
        generators: tdm.generators(),
        seed: workflow.seed,
        catalog_fingerprint: &source.catalog.fingerprint(),
    };
    MaskingPlan::compile(request).map_err(|errors| Error::Plan(errors.to_string()))
}

/// What was decided about each column, for plan and report.
pub(super) fn coverage(plan: &MaskingPlan) -> Vec<Coverage> {
    plan.coverage()
        .iter()
        .map(|row| Coverage {
            column: row.column.to_string(),
            category: row
                .category
                .map_or_else(String::new, |category| category.to_string()),
            disposition: row.disposition.to_owned(),
            by: row
                .function
                .clone()
                .or_else(|| row.reason.clone())
                .unwrap_or_default(),
            rule: row.rule.clone(),
        })
        .collect()
}

/// Computes which rows are taken.
pub(super) async fn close_subset(
    source: &Source,
    context: &StepContext,
) -> Result<(Closure, StepOutput)> {
    let closure = close(
        &source.subset,
        source.database.as_ref(),
        KEYS_MAX,
        &context.cancel,
        context.progress.as_ref(),
    )
    .await?;
    let rows: u64 = closure.tables.iter().map(TableSelection::rows).sum();
    let tables = closure
        .tables
        .iter()
        .filter(|table| table.rows() > 0)
        .count();
    let summary = format!("{} rows of {tables} tables", count(rows));
    let by_table: BTreeMap<String, u64> = closure
        .tables
        .iter()
        .map(|table| (table.table.table.to_string(), table.rows()))
        .collect();
    let details = json!({ "rows": rows, "tables": by_table, "references": closure.edges });
    Ok((closure, StepOutput { summary, details }))
}

/// Rows taken, for plan and report.
pub(super) fn taken(closure: &Closure) -> Vec<Taken> {
    closure
        .tables
        .iter()
        .zip(&closure.seeds)
        .map(|(selection, seeds)| Taken {
            table: selection.table.table.to_string(),
            rows: selection.rows(),
            seeds: *seeds,
            of: selection.table.row_estimate,
        })
        .collect()
}

/// The target's schema: that of the subset without the columns that the plan drops, parents first.
pub(super) fn target_tables(
    subset: &SubsetPlan,
    plan: Option<&MaskingPlan>,
) -> Result<Vec<TableSchema>> {
    let order = subset.graph().load_order();
    order
        .into_iter()
        .map(|number| {
            let schema = subset.tables()[number].as_ref();
            let dropped: Vec<&str> = plan
                .iter()
                .flat_map(|plan| plan.coverage())
                .filter(|row| row.column.table == schema.table && row.disposition == "drop")
                .map(|row| row.column.column.as_str())
                .collect();
            without_columns(schema, &dropped)
        })
        .collect()
}

fn without_columns(schema: &TableSchema, dropped: &[&str]) -> Result<TableSchema> {
    if dropped.is_empty() {
        return Ok(schema.clone());
    }
    let gone = |name: &String| dropped.contains(&name.as_str());
    if schema
        .primary_key
        .iter()
        .any(|key| key.columns.iter().any(gone))
    {
        return Err(Error::Plan(format!(
            "table {}: a column of the primary key cannot be dropped",
            schema.table
        )));
    }
    let mut schema = schema.clone();
    schema.columns.retain(|column| !gone(&column.name));
    schema.unique.retain(|key| !key.columns.iter().any(gone));
    // An index or a check over a dropped column has nothing left to hold; the one over an expression may mention it.
    let mentions = |sql: &str| dropped.iter().any(|name| sql.contains(name));
    schema.indexes.retain(|index| {
        !index.definition.as_deref().is_some_and(mentions)
            && !index.plain_columns().iter().any(gone)
    });
    schema.checks.retain(|check| !mentions(&check.expression));
    schema
        .foreign_keys
        .retain(|fk| !fk.child_columns().iter().any(|name| dropped.contains(name)));
    schema.definition = None;
    Ok(schema)
}

/// What a build made.
pub(super) struct Made {
    pub(super) version: DatasetVersion,
    pub(super) report: DatasetReport,
    pub(super) record: DatasetRecord,
    pub(super) verification: Verification,
    pub(super) generated: Vec<(String, u64)>,
    pub(super) lineage: BTreeMap<TableRef, Vec<ColumnLineage>>,
}

/// Everything a build is made from.
pub(super) struct Recipe<'a> {
    pub(super) tdm: &'a Tdm,
    pub(super) workflow: &'a Workflow,
    pub(super) prepared: &'a Prepared,
    pub(super) source: &'a Source,
    pub(super) schema_version: SchemaVersionId,
    pub(super) classifications: &'a [Classification],
    /// Plan and rows, when rows of the source are taken at all.
    pub(super) masked: Option<(&'a MaskingPlan, &'a Closure)>,
}

impl Recipe<'_> {
    fn kind(&self) -> DatasetSource {
        let hides = self
            .masked
            .is_some_and(|(plan, _)| plan.coverage().iter().any(|row| row.disposition != "keep"));
        match (self.masked.is_some(), self.workflow.synthesize.is_some()) {
            (true, true) => DatasetSource::Mixed,
            (true, false) if hides => DatasetSource::Masked,
            (true, false) => DatasetSource::Subset,
            (false, _) => DatasetSource::Synthetic,
        }
    }

    /// Builds, verifies and publishes the next version of the dataset. `log` is told of each finished step.
    pub(super) async fn make(&self, log: &mut super::StepLog<'_>) -> Result<Made> {
        let store = self.tdm.store();
        let context = log.context().clone();
        let version = store
            .begin_dataset_version(&NewDatasetVersion {
                dataset: self.workflow.dataset.value.clone(),
                schema_version: Some(self.schema_version),
                source: self.kind(),
                created: context.clock.now(),
            })
            .await?;
        let made = self.fill(version.clone(), log).await;
        if made.is_err() {
            // The error that stopped the build is the one to report.
            let _ = store
                .set_dataset_status(version.id, DatasetStatus::Failed)
                .await;
        }
        made
    }

    async fn fill(&self, version: DatasetVersion, log: &mut super::StepLog<'_>) -> Result<Made> {
        let tables = target_tables(&self.source.subset, self.masked.map(|(plan, _)| plan))?;
        let name = format!("{}@{}", version.dataset, version.version);
        let request = StageRequest {
            namespace: Namespace::Dataset {
                dataset: version.dataset.clone(),
                version: version.version,
            },
            source_engine: self.source.database.engine(),
            tables: tables.clone(),
            mark: OwnerMark {
                job: log.context().job,
                dataset: name.clone(),
            },
        };
        // What a run that was killed left behind goes first; staging areas of live jobs are not touched.
        self.prepared.target.remove_leftovers().await?;
        let hash = &self.prepared.plan_hash;
        let mut build = Build::begin(self.prepared.target.as_ref(), request, hash, "mask").await?;
        let outcome = self.load(&mut build, &tables, log).await;
        let (verification, generated, lineage) = match outcome {
            Ok(loaded) => loaded,
            Err(error) => {
                let _ = build.discard().await;
                return Err(error);
            }
        };
        if let Err(error) = log.checkpoint("publish").await {
            let _ = build.discard().await;
            return Err(error);
        }
        let publication = build.publish().await?;
        let record = DatasetRecord {
            engine: self.source.database.engine(),
            relationships: self.relationships_within(&tables),
            tolerated: self.source.tolerated.clone(),
            digests: verification.tables.clone(),
            tables,
        };
        let facts = self.facts(&record);
        let total = verification.total;
        self.tdm
            .store()
            .publish_dataset_version(version.id, &publication.location, total, &facts)
            .await?;
        let report = DatasetReport {
            name,
            rows: total.rows,
            digest: total.to_string(),
            location: publication.location,
        };
        Ok(Made {
            version,
            report,
            record,
            verification,
            generated,
            lineage,
        })
    }

    async fn load(
        &self,
        build: &mut Build,
        tables: &[TableSchema],
        log: &mut super::StepLog<'_>,
    ) -> Result<(
        Verification,
        Vec<(String, u64)>,
        BTreeMap<TableRef, Vec<ColumnLineage>>,
    )> {
        let mut lineage: BTreeMap<TableRef, Vec<ColumnLineage>> = BTreeMap::new();
        if let Some((plan, closure)) = self.masked {
            log.begin("mask").await?;
            let rows = self.copy(build, plan, closure, tables, log.context()).await;
            let (rows, columns) = log.check("mask", rows).await?;
            for table in tables {
                lineage.insert(table.table.clone(), plan.lineage(&table.table));
            }
            let summary = format!(
                "{} rows through the plan; {columns} columns hidden",
                count(rows)
            );
            log.end(
                "mask",
                StepOutput {
                    summary,
                    details: json!({ "rows": rows, "columns_hidden": columns }),
                },
            )
            .await?;
        }
        let mut generated = Vec::new();
        if self.workflow.synthesize.is_some() {
            log.begin("synthesize").await?;
            let made = self
                .generate(build, tables, log.context(), &mut lineage)
                .await;
            generated = log.check("synthesize", made).await?;
            let rows: u64 = generated.iter().map(|(_, rows)| rows).sum();
            let details =
                json!({ "tables": generated.iter().cloned().collect::<BTreeMap<_, _>>() });
            log.end(
                "synthesize",
                StepOutput {
                    summary: format!("{} rows generated", count(rows)),
                    details,
                },
            )
            .await?;
        }
        log.begin("verify").await?;
        let tolerated = |fk: &ForeignKey| self.source.tolerated.contains(&fk.describe());
        let relationships = self.relationships_within(tables);
        let verified = build
            .verify(&relationships, &tolerated, log.context())
            .await
            .map_err(Error::from);
        let verification = log.check("verify", verified).await?;
        let summary = format!(
            "{} rows read back equal to what was written; {} references checked",
            count(verification.total.rows),
            verification.references.len()
        );
        let details =
            json!({ "tables": verification.tables, "references": verification.references });
        log.end("verify", StepOutput { summary, details }).await?;
        Ok((verification, generated, lineage))
    }

    async fn copy(
        &self,
        build: &mut Build,
        plan: &MaskingPlan,
        closure: &Closure,
        tables: &[TableSchema],
        context: &StepContext,
    ) -> Result<(u64, usize)> {
        let mut rows = 0;
        for table in tables {
            let selection = closure
                .tables
                .iter()
                .find(|selection| selection.table.table == table.table);
            let Some(selection) = selection.filter(|selection| selection.rows() > 0) else {
                continue;
            };
            let transform = plan.table(&table.table).ok_or_else(|| {
                Error::Plan(format!(
                    "table {}: the plan has no program for it",
                    table.table
                ))
            })?;
            let receipt = build
                .copy(
                    self.source.database.as_ref(),
                    selection,
                    transform.as_ref(),
                    context,
                )
                .await?;
            rows += receipt.rows_written;
        }
        let hidden = plan
            .coverage()
            .iter()
            .filter(|row| row.disposition != "keep")
            .count();
        Ok((rows, hidden))
    }

    async fn generate(
        &self,
        build: &mut Build,
        tables: &[TableSchema],
        context: &StepContext,
        lineage: &mut BTreeMap<TableRef, Vec<ColumnLineage>>,
    ) -> Result<Vec<(String, u64)>> {
        let growing: Vec<TableRef> = self
            .prepared
            .generate
            .iter()
            .map(|(schema, _)| schema.table.clone())
            .collect();
        let relationships = self.relationships_within(tables);
        let staged = build.staged().await?;
        let shared: Vec<Arc<TableSchema>> = tables.iter().cloned().map(Arc::new).collect();
        let existing = StagedKeys::read(
            staged.as_ref(),
            &shared,
            &relationships,
            &growing,
            &context.cancel,
        )
        .await?;
        let wanted: Vec<(&TableSchema, u64)> = self
            .prepared
            .generate
            .iter()
            .filter_map(|(schema, rows)| {
                tables
                    .iter()
                    .find(|t| t.table == schema.table)
                    .map(|t| (t, *rows))
            })
            .collect();
        let requests: Vec<TableRequest<'_>> = wanted
            .iter()
            .map(|(schema, rows)| TableRequest {
                schema,
                rows: *rows,
            })
            .collect();
        let registry = tdm_synth::Registry::new();
        let encoding =
            |_: &TableSchema, column: &tdm_core::catalog::Column| staged.encoding(column);
        let mut request = SynthRequest::new(&requests, &registry, self.workflow.seed);
        request.relationships = &relationships;
        request.classifications = self.classifications;
        request.recipes = &self.prepared.recipes;
        request.existing = &existing;
        request.encoding = &encoding;
        if let Some(locale) = self
            .workflow
            .synthesize
            .as_ref()
            .and_then(|step| step.locale.as_ref())
        {
            request.locale = &locale.value;
        }
        let plan =
            SynthPlan::compile(&request).map_err(|errors| Error::Plan(errors.to_string()))?;
        drop(staged);
        let mut generated = Vec::new();
        for table in plan.tables() {
            let receipt = build
                .generate(table.generator.as_ref(), 0..table.rows, context)
                .await?;
            generated.push((table.table.to_string(), receipt.rows_written));
            lineage
                .entry(table.table.clone())
                .or_default()
                .extend(plan.lineage(&table.table));
        }
        Ok(generated)
    }

    fn relationships_within(&self, tables: &[TableSchema]) -> Vec<ForeignKey> {
        let inside = |name: &TableRef| tables.iter().any(|t| t.table == *name);
        self.source
            .relationships
            .iter()
            .filter(|fk| inside(&fk.child) && inside(&fk.parent))
            .cloned()
            .collect()
    }

    fn facts(&self, record: &DatasetRecord) -> DatasetFacts {
        let mut facts = DatasetFacts::new();
        let value = |value: Result<Value, serde_json::Error>| value.unwrap_or(Value::Null);
        facts.insert("record".to_owned(), value(serde_json::to_value(record)));
        facts.insert(
            "plan_hash".to_owned(),
            Value::String(self.prepared.plan_hash.clone()),
        );
        if let Some((plan, _)) = self.masked {
            facts.insert(
                "masking_plan_hash".to_owned(),
                Value::String(plan.hash().to_owned()),
            );
            facts.insert(
                "key_fingerprint".to_owned(),
                Value::String(self.prepared.key.fingerprint()),
            );
            facts.insert(
                "rule_set".to_owned(),
                Value::String(self.prepared.rules.name.clone()),
            );
        }
        facts.insert(
            "workflow".to_owned(),
            Value::String(self.workflow.file.clone()),
        );
        facts
    }
}

/// The edge from source to dataset version, column by column.
pub(super) fn build_edge(source: &Source, made: &Made, context: &StepContext) -> LineageEdge {
    LineageEdge {
        source: LineageEnd::new("connection", &source.connection.lineage_namespace),
        target: LineageEnd::new("dataset_version", &made.version.id),
        operation: "build".to_owned(),
        job: Some(context.job),
        columns: made.lineage.values().flatten().cloned().collect(),
    }
}
