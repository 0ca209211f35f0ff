//! Running workflows: one job, its steps in order, each logged when it begins and when it ends.
//!
//! Planning and running share one path: a plan is a run that stops before anything is written.

mod abandoned;
mod deliver;
mod existing;
mod look;
mod make;
mod prepare;
mod protect;
mod shapes;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use tdm_core::cancel::CancelToken;
use tdm_core::diagnostic::Severity;
use tdm_core::finding::Classification;
use tdm_core::ident::{ColumnRef, JobId};
use tdm_core::job::{JobLogEntry, JobStatus, NewJob};
use tdm_core::lineage::{LineageEdge, LineageEnd};
use tdm_core::port::{NoProgress, Progress, ProgressEvent, SchemaVersion, StepContext, StepOutput};
use tdm_core::time::UtcMicros;
use tdm_discovery::Observed;
use tdm_masking::plan::MaskingPlan;
use tdm_provision::subset::{Closure, EdgeContribution};

use crate::error::{Error, Result};
use crate::report::{Coverage, Found, RunReport, StepReport, Taken, write_plan};
use crate::tables::count;
use crate::tdm::Tdm;
use crate::workflow::Workflow;

use deliver::Destination;
use prepare::{Prepared, Source};

/// Shapes shown before and after.
const SHAPES_MAX: usize = 12;

/// Who runs a workflow, who may stop it and who listens.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Name that jobs and decisions carry.
    pub user: String,
    /// Raised to stop the job between two batches.
    pub cancel: CancelToken,
    /// Told of steps and rows.
    pub progress: Arc<dyn Progress>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            user: "tdm".to_owned(),
            cancel: CancelToken::new(),
            progress: Arc::new(NoProgress),
        }
    }
}

/// What a run would do: found by reading alone.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// Version of this form.
    pub schema: &'static str,
    /// Hash of the plan. A run of the same workflow over the same schema, rules and key has the same.
    pub plan_hash: String,
    /// Personal data that was found.
    pub found: Vec<Found>,
    /// Rows that would be taken.
    pub taken: Vec<Taken>,
    /// Rows that each reference would bring.
    pub references: Vec<EdgeContribution>,
    /// References without an index that a step down would scan.
    pub unindexed: Vec<String>,
    /// What would be decided about each column.
    pub coverage: Vec<Coverage>,
    /// Rows that would be generated.
    pub generate: Vec<(String, u64)>,
    /// What to know besides.
    pub notes: Vec<String>,
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_plan(
            f,
            &self.found,
            &self.taken,
            &self.references,
            &self.coverage,
        )?;
        for (table, rows) in &self.generate {
            writeln!(f, "would generate {} rows of {table}", count(*rows))?;
        }
        for reference in &self.unindexed {
            writeln!(
                f,
                "note: no index serves {reference}; each step down scans the child once"
            )?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        write!(f, "plan {}; no data was written", self.plan_hash)
    }
}

/// The log of a job while it runs.
pub(crate) struct StepLog<'a> {
    tdm: &'a Tdm,
    context: StepContext,
    started: UtcMicros,
    steps: Vec<StepReport>,
}

impl<'a> StepLog<'a> {
    fn new(tdm: &'a Tdm, context: StepContext) -> Self {
        let started = context.clock.now();
        Self {
            tdm,
            context,
            started,
            steps: Vec::new(),
        }
    }

    /// What steps know of the job.
    pub(crate) const fn context(&self) -> &StepContext {
        &self.context
    }

    /// A step begins.
    pub(crate) async fn begin(&mut self, step: &'static str) -> Result<()> {
        self.checkpoint(step).await?;
        self.started = self.context.clock.now();
        self.context.progress.report(&ProgressEvent::StepStarted {
            step: step.to_owned(),
        });
        self.write(
            step,
            Severity::Info,
            "step.started",
            "started".to_owned(),
            Value::Null,
        )
        .await
    }

    /// A step ended well.
    pub(crate) async fn end(&mut self, step: &'static str, output: StepOutput) -> Result<()> {
        let took = self.context.clock.now().0.saturating_sub(self.started.0) / 1_000;
        let milliseconds = u64::try_from(took).unwrap_or(0);
        self.context.progress.report(&ProgressEvent::StepFinished {
            step: step.to_owned(),
            summary: output.summary.clone(),
        });
        let mut details = output.details;
        if let Value::Object(map) = &mut details {
            map.insert("milliseconds".to_owned(), Value::from(milliseconds));
        }
        self.write(
            step,
            Severity::Info,
            "step.completed",
            output.summary.clone(),
            details,
        )
        .await?;
        self.steps.push(StepReport {
            step,
            summary: output.summary,
            milliseconds,
        });
        Ok(())
    }

    /// Nothing, while the job is wanted; else the cancellation is logged with the step that it stopped.
    pub(crate) async fn checkpoint(&self, step: &'static str) -> Result<()> {
        let wanted = self.context.cancel.check().map_err(Error::from);
        self.check(step, wanted).await
    }

    /// Passes a result on; a failure is logged with its step first.
    pub(crate) async fn check<T>(&self, step: &'static str, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => {
                let (level, code) = if error.is_cancelled() {
                    (Severity::Warning, "cancelled")
                } else {
                    (Severity::Error, error.code())
                };
                self.write(step, level, code, error.to_string(), Value::Null)
                    .await?;
                Err(Error::Step {
                    step,
                    source: Box::new(error),
                })
            }
        }
    }

    async fn write(
        &self,
        step: &str,
        level: Severity,
        code: &str,
        message: String,
        details: Value,
    ) -> Result<()> {
        let time = self.context.clock.now();
        let entry = JobLogEntry {
            step: step.to_owned(),
            level,
            code: code.to_owned(),
            message,
            details,
            time,
        };
        Ok(self.tdm.store().log(self.context.job, &entry).await?)
    }
}

/// What the looking steps found.
struct Looked {
    version: Option<SchemaVersion>,
    observed: BTreeMap<ColumnRef, Observed>,
    classifications: Vec<Classification>,
}

impl Tdm {
    /// Finds out what a workflow would do, by reading alone: neither database is written.
    ///
    /// # Errors
    /// As [`Tdm::run`], as far as a run would fail before its first write.
    pub async fn plan(&self, workflow: &Workflow, options: &RunOptions) -> Result<PlanReport> {
        let prepared = prepare::prepare(self, workflow).await?;
        let context = self.context(JobId(Default::default()), options);
        let mut report = PlanReport {
            schema: "tdm.plan/1",
            plan_hash: prepared.plan_hash.clone(),
            found: Vec::new(),
            taken: Vec::new(),
            references: Vec::new(),
            unindexed: Vec::new(),
            coverage: Vec::new(),
            generate: Vec::new(),
            notes: Vec::new(),
        };
        let Some(source) = &prepared.source else {
            return Ok(report);
        };
        let seen = look::look(workflow, source, &context).await?;
        let classifications = if workflow.classify.is_some() {
            look::classify(self, workflow, source, &seen.columns, &options.user)
        } else {
            self.stored_classifications(source).await?
        };
        report.found = look::found(&classifications);
        report.notes = notes(source, None);
        if workflow.mask.is_some() {
            let plan = make::masking_plan(self, workflow, &prepared, source, &classifications)?;
            report.coverage = make::coverage(&plan);
            report.notes = notes(source, Some(&plan));
            let (closure, _) = make::close_subset(source, &context).await?;
            report.taken = make::taken(&closure);
            let used = source.subset.edges().iter().zip(&closure.edges);
            report.unindexed = used
                .filter(|(edge, moved)| !edge.indexed && moved.children > 0)
                .map(|(edge, _)| edge.reference.clone())
                .collect();
            report.references = closure.edges;
        }
        report.generate = prepared
            .generate
            .iter()
            .map(|(table, rows)| (table.table.to_string(), *rows))
            .collect();
        Ok(report)
    }

    /// Runs a workflow as one job.
    ///
    /// Whatever is wrong with names, functions, parameters, conditions or places is found before the job begins.
    /// A job that fails or is cancelled leaves target and environment as they were; its log says where it stopped.
    ///
    /// # Errors
    /// With the step that failed.
    pub async fn run(&self, workflow: &Workflow, options: &RunOptions) -> Result<RunReport> {
        let prepared = prepare::prepare(self, workflow).await?;
        let destination = match &workflow.provision {
            Some(step) => Some(deliver::destination(self, workflow, step, &prepared).await?),
            None => None,
        };
        let steps = [
            workflow.discover.is_some().then_some("discover"),
            workflow.classify.is_some().then_some("classify"),
            workflow.subset.is_some().then_some("subset"),
            workflow.mask.is_some().then_some("mask"),
            workflow.synthesize.is_some().then_some("synthesize"),
            workflow.provision.is_some().then_some("provision"),
        ];
        let steps: Vec<&str> = steps.into_iter().flatten().collect();
        let new = NewJob {
            operation: "run".to_owned(),
            request: json!({
                "workflow": workflow.file,
                "dataset": workflow.dataset.value,
                "source": prepared.source.as_ref().map(|source| &source.connection.name),
                "steps": steps,
            }),
            plan_hash: prepared.plan_hash.clone(),
            user: options.user.clone(),
        };
        abandoned::close(self).await?;
        let store = self.store();
        let job = store.create_job(&new).await?;
        store
            .set_job_status(job.id, JobStatus::Running, None, self.clock().now())
            .await?;
        abandoned::take(self, job.id).await?;
        let context = self.context(job.id, options);
        let mut log = StepLog::new(self, context);
        let outcome = self
            .execute(workflow, &prepared, destination.as_ref(), options, &mut log)
            .await;
        let (status, result) = match &outcome {
            Ok(report) => (
                JobStatus::Completed,
                serde_json::to_value(report).unwrap_or(Value::Null),
            ),
            Err(error) if error.is_cancelled() => {
                (JobStatus::Cancelled, json!({ "code": "cancelled" }))
            }
            Err(error) => (
                JobStatus::Failed,
                json!({ "code": error.code(), "message": error.to_string() }),
            ),
        };
        store
            .set_job_status(job.id, status, Some(&result), self.clock().now())
            .await?;
        outcome
    }

    fn context(&self, job: JobId, options: &RunOptions) -> StepContext {
        StepContext {
            job,
            cancel: options.cancel.clone(),
            progress: Arc::clone(&options.progress),
            clock: Arc::clone(self.clock()),
        }
    }

    async fn execute(
        &self,
        workflow: &Workflow,
        prepared: &Prepared,
        destination: Option<&Destination>,
        options: &RunOptions,
        log: &mut StepLog<'_>,
    ) -> Result<RunReport> {
        let mut report = RunReport::new(log.context().job);
        report.plan_hash.clone_from(&prepared.plan_hash);
        let mut made = None;
        if let Some(source) = &prepared.source {
            let looked = self.look(workflow, source, options, log).await?;
            report.found = look::found(&looked.classifications);
            report.notes = notes(source, None);
            if workflow.builds() {
                made = Some(
                    self.build(workflow, prepared, source, &looked, log, &mut report)
                        .await?,
                );
            }
        }
        if let Some((step, destination)) = workflow.provision.as_ref().zip(destination) {
            log.begin("provision").await?;
            let delivered = async {
                let (version, record) = match made {
                    Some(made) => (made.version, made.record),
                    None => deliver::latest(self, &workflow.dataset.value).await?,
                };
                deliver::deliver(
                    self,
                    step,
                    prepared,
                    destination,
                    &version,
                    &record,
                    log.context(),
                )
                .await
            }
            .await;
            let (environment, output) = log.check("provision", delivered).await?;
            report.environment = Some(environment);
            log.end("provision", output).await?;
        }
        report.steps = std::mem::take(&mut log.steps);
        Ok(report)
    }

    async fn look(
        &self,
        workflow: &Workflow,
        source: &Source,
        options: &RunOptions,
        log: &mut StepLog<'_>,
    ) -> Result<Looked> {
        let mut looked = Looked {
            version: None,
            observed: BTreeMap::new(),
            classifications: Vec::new(),
        };
        log.begin("discover").await?;
        let seen = look::look(workflow, source, log.context()).await;
        let seen = log.check("discover", seen).await?;
        let version = if workflow.discover.is_some() {
            let stored = look::store_schema(self, source, &seen, log.context()).await;
            let (version, output) = log.check("discover", stored).await?;
            let edge = LineageEdge {
                source: LineageEnd::new("connection", &source.connection.lineage_namespace),
                target: LineageEnd::new("schema_version", &version.id),
                operation: "discover".to_owned(),
                job: Some(log.context().job),
                columns: Vec::new(),
            };
            let recorded = self.store().record_lineage(&[edge]).await;
            log.check("discover", recorded.map_err(Error::from)).await?;
            log.end("discover", output).await?;
            version
        } else {
            let stored = look::stored_schema(self, source).await;
            log.check("discover", stored).await?
        };
        looked.observed = seen.columns;
        if workflow.classify.is_some() {
            log.begin("classify").await?;
            let found = look::classify(self, workflow, source, &looked.observed, &options.user);
            let stored = look::store_classification(self, &version, &found, &looked.observed).await;
            let (classifications, output) = log.check("classify", stored).await?;
            log.end("classify", output).await?;
            looked.classifications = classifications;
        } else {
            looked.classifications = self.store().classifications(version.id).await?;
        }
        looked.version = Some(version);
        Ok(looked)
    }

    async fn build(
        &self,
        workflow: &Workflow,
        prepared: &Prepared,
        source: &Source,
        looked: &Looked,
        log: &mut StepLog<'_>,
        report: &mut RunReport,
    ) -> Result<make::Made> {
        let mut masked: Option<(MaskingPlan, Closure)> = None;
        if workflow.mask.is_some() {
            let schema = looked.version.as_ref().map(|v| v.id);
            let stored = self.store().save_rule_set(&prepared.rules, schema).await;
            log.check("mask", stored.map_err(Error::from)).await?;
            let plan =
                make::masking_plan(self, workflow, prepared, source, &looked.classifications);
            let plan = log.check("mask", plan).await?;
            report.coverage = make::coverage(&plan);
            report.notes = notes(source, Some(&plan));
            log.begin("subset").await?;
            let closed = make::close_subset(source, log.context()).await;
            let (closure, output) = log.check("subset", closed).await?;
            report.taken = make::taken(&closure);
            report.references.clone_from(&closure.edges);
            log.end("subset", output).await?;
            masked = Some((plan, closure));
        }
        let Some(version) = &looked.version else {
            return Err(Error::Guard("the source was never discovered".to_owned()));
        };
        let recipe = make::Recipe {
            tdm: self,
            workflow,
            prepared,
            source,
            schema_version: version.id,
            classifications: &looked.classifications,
            masked: masked.as_ref().map(|(plan, closure)| (plan, closure)),
        };
        let made = recipe.make(log).await?;
        let edge = make::build_edge(source, &made, log.context());
        let recorded = self.store().record_lineage(&[edge]).await;
        log.check("verify", recorded.map_err(Error::from)).await?;
        if let Some((plan, _)) = &masked {
            report.shapes = self.shapes(plan, looked, &made, prepared).await?;
        }
        report.generated.clone_from(&made.generated);
        report.checked = made
            .verification
            .references
            .iter()
            .map(|(name, rows)| (name.clone(), *rows))
            .collect();
        report.dataset = Some(made.report.clone());
        Ok(made)
    }

    async fn shapes(
        &self,
        plan: &MaskingPlan,
        looked: &Looked,
        made: &make::Made,
        prepared: &Prepared,
    ) -> Result<Vec<crate::report::Shape>> {
        let masked = plan
            .coverage()
            .iter()
            .filter(|row| row.disposition == "mask");
        // One column of each category says more than six of one.
        let mut seen = Vec::new();
        let columns: Vec<ColumnRef> = masked
            .filter(|row| {
                let new = !seen.contains(&row.category);
                seen.push(row.category);
                new
            })
            .map(|row| row.column.clone())
            .collect();
        let namespace = tdm_core::port::Namespace::Dataset {
            dataset: made.version.dataset.clone(),
            version: made.version.version,
        };
        let result = prepared.target.read(&namespace).await?;
        Ok(shapes::shapes(
            &columns,
            &looked.observed,
            &made.record.tables,
            result.as_ref(),
            SHAPES_MAX,
        )
        .await?)
    }

    async fn stored_classifications(&self, source: &Source) -> Result<Vec<Classification>> {
        let versions = self
            .store()
            .schema_versions(&source.connection.name)
            .await?;
        match versions.last() {
            Some(version) => Ok(self.store().classifications(version.id).await?),
            None => Ok(Vec::new()),
        }
    }
}

/// What a person should know although everything works.
fn notes(source: &Source, plan: Option<&MaskingPlan>) -> Vec<String> {
    let mut notes: Vec<String> = source
        .subset
        .dropped()
        .iter()
        .map(|fk| {
            format!(
                "reference {} is left out: its parent is not part of the dataset",
                fk.describe()
            )
        })
        .collect();
    notes.extend(
        plan.iter()
            .flat_map(|plan| plan.warnings())
            .map(ToString::to_string),
    );
    let left_out = source
        .catalog
        .tables
        .iter()
        .filter(|table| !table.kind.holds_rows());
    notes.extend(left_out.map(|table| {
        format!(
            "{} holds no rows of its own and is not carried",
            table.table
        )
    }));
    notes
}
