//! Everything about a workflow that can be known to be wrong before a job begins: names, functions, parameters,
//! conditions, places. Reads the source's schema; writes nothing.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tdm_core::catalog::{Catalog, ForeignKey, RelationshipKind, TableSchema, hex};
use tdm_core::diagnostic::Diagnostic;
use tdm_core::error::PortError;
use tdm_core::function::Params;
use tdm_core::ident::ColumnRef;
use tdm_core::keyring::{Keyring as _, RootKey};
use tdm_core::place::Connection;
use tdm_core::port::{RowFilter, ScanRequest, TargetDatabase};
use tdm_core::rule::{Disposition, OnUndecided, RuleSet, Selector};
use tdm_provision::guard::{Place, distinct};
use tdm_provision::subset::{EdgePolicy, Seed, SeedRows, SubsetPlan, SubsetSpec};
use tdm_sql::SourceDatabase;
use tdm_synth::ColumnRecipe;

use super::protect::protect;
use crate::error::{Error, Result};
use crate::secret;
use crate::tdm::Tdm;
use crate::workflow::{Collector, Located, Position, ReferenceText, Workflow};

/// Name of the policy that ships with the program.
const STANDARD_POLICY: &str = "default";

/// A workflow bound to its source, with nothing left that its text or the schema could get wrong.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) source: Option<Source>,
    pub(super) target: Arc<dyn TargetDatabase>,
    pub(super) key: RootKey,
    pub(super) rules: RuleSet,
    pub(super) policy: Option<RuleSet>,
    pub(super) recipes: Vec<ColumnRecipe>,
    pub(super) generate: Vec<(TableSchema, u64)>,
    pub(super) plan_hash: String,
}

/// The source of a workflow.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) connection: Connection,
    pub(super) database: Arc<dyn SourceDatabase>,
    pub(super) catalog: Catalog,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) relationships: Vec<ForeignKey>,
    pub(super) subset: SubsetPlan,
    pub(super) tolerated: Vec<String>,
}

pub(super) async fn prepare(tdm: &Tdm, workflow: &Workflow) -> Result<Prepared> {
    let mut problems = Collector::default();
    let key = secret::root_key(tdm.settings())?;
    let rules = rules(tdm, workflow, &mut problems);
    let policy = policy(workflow, &mut problems)?;
    let source = match &workflow.source {
        Some(text) => Some(open(tdm, workflow, text, &mut problems).await?),
        None => None,
    };
    let (mut recipes, mut generate) = (Vec::new(), Vec::new());
    if let Some(source) = &source {
        let names = Names {
            catalog: &source.catalog,
        };
        names.check_columns(workflow, &mut problems);
        names.check_selectors(workflow, &mut problems);
        (recipes, generate) = names.synthesis(tdm, workflow, &mut problems);
    }
    problems.finish(&workflow.file)?;
    let target = tdm.target().await?;
    protect(tdm, "the target database", target.as_ref()).await?;
    if let Some(source) = &source {
        guard(source, target.as_ref()).await?;
    }
    let plan_hash = plan_hash(workflow, source.as_ref(), (&rules, policy.as_ref()), &key);
    Ok(Prepared {
        source,
        target,
        key,
        rules,
        policy,
        recipes,
        generate,
        plan_hash,
    })
}

async fn guard(source: &Source, target: &dyn TargetDatabase) -> Result<()> {
    let (read, written) = (source.database.identity().await?, target.identity().await?);
    let source = Place {
        role: "the source".to_owned(),
        identity: &read,
    };
    let target = Place {
        role: "the target database".to_owned(),
        identity: &written,
    };
    Ok(distinct(&source, &target)?)
}

fn plan_hash(
    workflow: &Workflow,
    source: Option<&Source>,
    rules: (&RuleSet, Option<&RuleSet>),
    key: &RootKey,
) -> String {
    let mut hash = Sha256::new();
    // Debug of plain data is stable within one version of the program, which is part of the hash.
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(format!(
        "{:?}",
        (
            &workflow.dataset.value,
            workflow.seed,
            &workflow.subset,
            &workflow.synthesize
        )
    ));
    hash.update(serde_json::to_vec(&rules).unwrap_or_default());
    hash.update(key.fingerprint());
    if let Some(source) = source {
        hash.update(&source.connection.location);
        hash.update(source.catalog.fingerprint());
    }
    hex(&hash.finalize())
}

async fn open(
    tdm: &Tdm,
    workflow: &Workflow,
    text: &Located<String>,
    problems: &mut Collector,
) -> Result<Source> {
    // A server that does not answer is no mistake of the file; anything else about the source is.
    let at_line = |error: Error| match error {
        Error::Settings(_)
        | Error::Port(PortError::NotFound { .. } | PortError::Invalid { .. }) => {
            let mut problems = Collector::default();
            problems.add(text.at, format!("`source`: {error}"));
            match problems.finish(&workflow.file) {
                Err(problems) => Error::Workflow(problems),
                Ok(()) => error,
            }
        }
        other => other,
    };
    let place = tdm.place(&text.value, &workflow.directory).await;
    let (connection, url) = place.map_err(at_line)?;
    let database = tdm.source(&url).await.map_err(at_line)?;
    let introspection = database.introspect().await?;
    let catalog = introspection.catalog;
    let names = Names { catalog: &catalog };
    let relationships: Vec<ForeignKey> = workflow
        .relationships
        .iter()
        .filter_map(|written| names.relationship(written, problems))
        .collect();
    let tolerated = workflow.subset.iter().flat_map(|step| &step.keep_orphans);
    let tolerated: Vec<String> = tolerated
        .filter_map(|written| names.existing_reference(written, &relationships, problems))
        .map(|reference| reference.describe())
        .collect();
    let spec = names.spec(workflow, problems);
    let subset = match spec {
        // What could not be resolved is reported; the plan below serves the remaining checks only.
        Some(spec) => match SubsetPlan::compile(&catalog.tables, &relationships, &spec) {
            Ok(plan) => plan,
            Err(error) => {
                problems.add(Position::default(), error.to_string());
                SubsetPlan::everything(&catalog.tables, &relationships, &[])?
            }
        },
        None => SubsetPlan::everything(&catalog.tables, &relationships, &[])?,
    };
    check_conditions(workflow, &catalog, database.as_ref(), problems).await;
    Ok(Source {
        connection,
        database,
        diagnostics: introspection.diagnostics,
        relationships,
        subset,
        tolerated,
        catalog,
    })
}

/// Lets the server parse every condition before a row is read.
async fn check_conditions(
    workflow: &Workflow,
    catalog: &Catalog,
    source: &dyn SourceDatabase,
    problems: &mut Collector,
) {
    for seed in workflow.subset.iter().flat_map(|step| &step.seeds) {
        let found = catalog.find(&seed.table.value);
        let (SeedRows::Where(condition), [table]) = (&seed.rows, found.as_slice()) else {
            continue;
        };
        let request = ScanRequest {
            table: Arc::new(TableSchema::clone(table)),
            columns: Vec::new(),
            filter: RowFilter::Where(condition.clone()),
            limit: tdm_core::batch::BatchLimit::default(),
        };
        if let Err(error) = source.check(&request).await {
            problems.add(
                seed.at,
                format!("`where` of `{}`: {error}", seed.table.value),
            );
        }
    }
}

/// The rules of the workflow.
fn rules(tdm: &Tdm, workflow: &Workflow, problems: &mut Collector) -> RuleSet {
    let mut set = RuleSet {
        name: workflow.dataset.value.clone(),
        rules: Vec::new(),
        on_undecided: OnUndecided::Block,
    };
    if let Some(step) = &workflow.mask {
        set.on_undecided = step.on_undecided;
        for rule in &step.rules {
            check_disposition(tdm, &rule.value.disposition, rule.at, problems);
            set.rules.push(rule.value.clone());
        }
    }
    set
}

/// The policies that a workflow names, as one: what decides where its rules are silent.
fn policy(workflow: &Workflow, problems: &mut Collector) -> Result<Option<RuleSet>> {
    let mut whole: Option<RuleSet> = None;
    for name in workflow.mask.iter().flat_map(|step| &step.policies) {
        let policy = if name.value == STANDARD_POLICY {
            tdm_masking::policy::standard()
        } else if name.value.contains(['.', '/']) {
            let path = workflow.directory.join(&name.value);
            let text =
                std::fs::read_to_string(&path).map_err(|error| Error::file(&path, &error))?;
            match tdm_masking::policy::parse(&text) {
                Ok(policy) => policy,
                Err(error) => {
                    problems.add(name.at, format!("policy `{}`: {error}", name.value));
                    continue;
                }
            }
        } else {
            let hint = Some(
                "a policy of your own is named by its file, for example `./policy.yaml`".to_owned(),
            );
            let known = tdm_core::suggest::nearest(&name.value, [STANDARD_POLICY]);
            let hint = known.map(|near| format!("did you mean `{near}`?")).or(hint);
            problems.add_with_hint(name.at, format!("unknown policy `{}`", name.value), hint);
            continue;
        };
        match &mut whole {
            Some(whole) => whole.rules.extend(policy.rules),
            None => whole = Some(policy),
        }
    }
    Ok(whole)
}

fn check_disposition(tdm: &Tdm, disposition: &Disposition, at: Position, problems: &mut Collector) {
    match disposition {
        Disposition::Mask {
            function, params, ..
        } => match tdm.masking().find(function) {
            Some(found) => check_params(
                params,
                found.descriptor().parameters,
                function,
                at,
                problems,
            ),
            None => problems.unknown(
                at,
                "masking function",
                function,
                tdm.masking().names().iter().copied(),
            ),
        },
        Disposition::Generate { generator, params } => {
            check_generator(tdm, generator, params, at, problems);
        }
        _ => {}
    }
}

fn check_generator(
    tdm: &Tdm,
    generator: &str,
    params: &Params,
    at: Position,
    problems: &mut Collector,
) {
    match tdm
        .generators()
        .iter()
        .find(|known| known.descriptor().name == generator)
    {
        Some(found) => check_params(
            params,
            found.descriptor().parameters,
            generator,
            at,
            problems,
        ),
        None => {
            let known = tdm.generators().iter().map(|known| known.descriptor().name);
            problems.unknown(at, "generator", generator, known);
        }
    }
}

fn check_params(
    params: &Params,
    known: &[tdm_core::function::Parameter],
    function: &str,
    at: Position,
    problems: &mut Collector,
) {
    for error in params.check(known).err().unwrap_or_default() {
        problems.add(at, format!("`{function}`: {error}"));
    }
}

/// Names of a workflow, resolved against a catalog.
struct Names<'c> {
    catalog: &'c Catalog,
}

impl<'c> Names<'c> {
    fn table(&self, name: &Located<String>, problems: &mut Collector) -> Option<&'c TableSchema> {
        self.table_named(&name.value, name.at, problems)
    }

    fn table_named(
        &self,
        name: &str,
        at: Position,
        problems: &mut Collector,
    ) -> Option<&'c TableSchema> {
        match self.catalog.find(name).as_slice() {
            [table] => Some(table),
            [] => {
                problems.unknown(
                    at,
                    "table",
                    name,
                    self.catalog.tables.iter().map(|t| t.table.name.as_str()),
                );
                None
            }
            several => {
                let all: Vec<String> = several.iter().map(|t| t.table.to_string()).collect();
                problems.add(
                    at,
                    format!(
                        "`{name}` may be {}; write the namespace too",
                        all.join(" or ")
                    ),
                );
                None
            }
        }
    }

    fn column_of(
        &self,
        table: &TableSchema,
        name: &str,
        at: Position,
        problems: &mut Collector,
    ) -> Option<ColumnRef> {
        if table.column(name).is_some() {
            return Some(table.table.column(name));
        }
        let what = format!("column of `{}`", table.table);
        problems.unknown(
            at,
            &what,
            name,
            table.columns.iter().map(|c| c.name.as_str()),
        );
        None
    }

    /// `table.column`, the last dot dividing.
    fn column(&self, name: &Located<String>, problems: &mut Collector) -> Option<ColumnRef> {
        let Some((table, column)) = name.value.rsplit_once('.') else {
            problems.add(name.at, format!("`{}` is not `table.column`", name.value));
            return None;
        };
        let table = self.table_named(table, name.at, problems)?;
        self.column_of(table, column, name.at, problems)
    }

    fn relationship(
        &self,
        written: &Located<ReferenceText>,
        problems: &mut Collector,
    ) -> Option<ForeignKey> {
        let (text, at) = (&written.value, written.at);
        let child = self.table_named(&text.child, at, problems);
        let parent = self.table_named(&text.parent, at, problems);
        let (child, parent) = (child?, parent?);
        if text.child_columns.is_empty() {
            problems.add(at, format!("`{text}` needs columns on both sides"));
            return None;
        }
        let mut pairs = Vec::new();
        for (from, to) in text.child_columns.iter().zip(&text.parent_columns) {
            let from = self.column_of(child, from, at, problems);
            let to = self.column_of(parent, to, at, problems);
            pairs.push((from?.column, to?.column));
        }
        let columns: Vec<&str> = pairs.iter().map(|(_, to)| to.as_str()).collect();
        if !parent.is_unique(&columns) {
            let message =
                format!("`{text}`: the parent's columns are not unique, so they identify no row");
            problems.add(at, message);
            return None;
        }
        let mut reference = ForeignKey::new(child.table.clone(), parent.table.clone(), pairs);
        reference.kind = RelationshipKind::Virtual;
        reference.validated = false;
        Some(reference)
    }

    /// A declared or written reference that a workflow means.
    fn existing_reference(
        &self,
        written: &Located<ReferenceText>,
        relationships: &[ForeignKey],
        problems: &mut Collector,
    ) -> Option<ForeignKey> {
        let text = &written.value;
        let child = self.table_named(&text.child, written.at, problems)?;
        let parent = self.table_named(&text.parent, written.at, problems)?;
        let found = child.foreign_keys.iter().chain(relationships).find(|fk| {
            fk.child == child.table
                && fk.parent == parent.table
                && (text.child_columns.is_empty() || fk.child_columns() == text.child_columns)
        });
        if found.is_none() {
            let hint = Some("declare it under `relationships` if the schema does not".to_owned());
            problems.add_with_hint(written.at, format!("no reference `{text}`"), hint);
        }
        found.cloned()
    }

    fn spec(&self, workflow: &Workflow, problems: &mut Collector) -> Option<SubsetSpec> {
        let step = workflow.subset.as_ref()?;
        let full = |name: &Located<String>, problems: &mut Collector| {
            self.table(name, problems)
                .map(|table| table.table.to_string())
        };
        let mut spec = SubsetSpec {
            seed: workflow.seed,
            down: step.children,
            depth: step.depth,
            ..Default::default()
        };
        for seed in &step.seeds {
            let table = full(&seed.table, problems);
            spec.seeds.extend(table.map(|table| Seed {
                table,
                rows: seed.rows.clone(),
            }));
        }
        spec.whole
            .extend(step.whole.iter().filter_map(|name| full(name, problems)));
        spec.schema_only.extend(
            step.schema_only
                .iter()
                .filter_map(|name| full(name, problems)),
        );
        spec.skip
            .extend(step.skip.iter().filter_map(|name| full(name, problems)));
        for edge in &step.edges {
            let text = &edge.reference.value;
            let child = self.table_named(&text.child, edge.reference.at, problems);
            let parent = self.table_named(&text.parent, edge.reference.at, problems);
            if let (Some(child), Some(parent)) = (child, parent) {
                spec.edges.push(EdgePolicy {
                    child: child.table.to_string(),
                    parent: parent.table.to_string(),
                    columns: text.child_columns.clone(),
                    down: edge.children,
                });
            }
        }
        Some(spec)
    }

    fn check_columns(&self, workflow: &Workflow, problems: &mut Collector) {
        for (column, _) in workflow.classify.iter().flat_map(|step| &step.confirm) {
            self.column(column, problems);
        }
    }

    /// A rule that names a table or column without `*` must mean one that exists.
    fn check_selectors(&self, workflow: &Workflow, problems: &mut Collector) {
        for rule in workflow.mask.iter().flat_map(|step| &step.rules) {
            let Selector { table, column, .. } = &rule.value.selector;
            let exact = |name: &Option<String>| name.clone().filter(|name| !name.contains('*'));
            let Some(table) = exact(table) else { continue };
            let Some(table) = self.table_named(&table, rule.at, problems) else {
                continue;
            };
            if let Some(column) = exact(column) {
                self.column_of(table, &column, rule.at, problems);
            }
        }
    }

    fn synthesis(
        &self,
        tdm: &Tdm,
        workflow: &Workflow,
        problems: &mut Collector,
    ) -> (Vec<ColumnRecipe>, Vec<(TableSchema, u64)>) {
        let (mut recipes, mut generate) = (Vec::new(), Vec::new());
        let Some(step) = &workflow.synthesize else {
            return (recipes, generate);
        };
        for (table, rows) in &step.tables {
            generate.extend(
                self.table(table, problems)
                    .map(|schema| (schema.clone(), rows.value)),
            );
        }
        for recipe in &step.columns {
            let (generator, params) = (&recipe.generator, &recipe.params);
            check_generator(tdm, &generator.value, params, generator.at, problems);
            if let Some(column) = self.column(&recipe.column, problems) {
                recipes.push(ColumnRecipe {
                    column,
                    generator: generator.value.clone(),
                    params: params.clone(),
                });
            }
        }
        if let Some(locale) = &step.locale
            && !tdm_synth::locale_names().contains(&locale.value.as_str())
        {
            problems.unknown(
                locale.at,
                "locale",
                &locale.value,
                tdm_synth::locale_names(),
            );
        }
        (recipes, generate)
    }
}
