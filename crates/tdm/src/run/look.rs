//! The steps `discover` and `classify`: what the source is, and which of it is personal.

use std::collections::BTreeMap;

use serde_json::json;
use tdm_core::catalog::ForeignKey;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::ident::ColumnRef;
use tdm_core::port::{Scan, SchemaVersion, StepContext, StepOutput};
use tdm_discovery::{Depth, DiscoverOptions, Discovery, Observed, discover};

use super::prepare::Source;
use crate::error::{Error, Result};
use crate::report::Found;
use crate::tables::count;
use crate::tdm::Tdm;
use crate::workflow::Workflow;

/// Reads schema and samples within the limits of the workflow.
pub(super) async fn look(
    workflow: &Workflow,
    source: &Source,
    context: &StepContext,
) -> Result<Discovery> {
    let sampled = workflow.discover.is_some() || workflow.classify.is_some();
    let rows = workflow
        .discover
        .as_ref()
        .map_or(1_000, |step| step.sample_rows);
    let options = DiscoverOptions {
        depth: if sampled {
            Depth::Sample { rows }
        } else {
            Depth::Schema
        },
        seed: workflow.seed,
        relationships: source.relationships.clone(),
        ..DiscoverOptions::default()
    };
    let found = discover(
        source.database.as_ref(),
        source.database.as_ref(),
        &options,
        context.into(),
    )
    .await
    .map_err(of_discovery)?;
    if found.catalog.fingerprint() != source.catalog.fingerprint() {
        return Err(Error::Guard(
            "the schema changed while the job was prepared; run it again".to_owned(),
        ));
    }
    Ok(found)
}

fn of_discovery(error: tdm_discovery::Error) -> Error {
    match error {
        tdm_discovery::Error::Port(error) => Error::Port(error),
        other => Error::Discovery(other.to_string()),
    }
}

/// Stores the schema and what was measured of it.
pub(super) async fn store_schema(
    tdm: &Tdm,
    source: &Source,
    found: &Discovery,
    context: &StepContext,
) -> Result<(SchemaVersion, StepOutput)> {
    let store = tdm.store();
    store.save_connection(&source.connection).await?;
    let mut diagnostics = source.diagnostics.clone();
    diagnostics.extend(found.skipped.iter().map(|skipped| {
        tdm_core::diagnostic::Diagnostic::info(
            "discover.skipped",
            &skipped.table,
            skipped.to_string(),
        )
    }));
    let scan = Scan {
        schema: source.connection.name.clone(),
        connection: source.connection.name.clone(),
        catalog: source.catalog.clone(),
        diagnostics,
        relationships: source.relationships.clone(),
        discovered: context.clock.now(),
    };
    let before = store.schema_versions(&scan.schema).await?;
    let version = store.record_scan(&scan).await?;
    let catalog = &source.catalog;
    let columns: usize = catalog.tables.iter().map(|table| table.columns.len()).sum();
    let references: Vec<&ForeignKey> = catalog
        .tables
        .iter()
        .flat_map(|t| &t.foreign_keys)
        .chain(&source.relationships)
        .collect();
    let state = match before.last() {
        Some(last) if last.id == version.id => "unchanged",
        Some(_) => "changed",
        None => "new",
    };
    let summary = format!(
        "{} tables, {} columns, {} references; schema version {} ({state}); {} rows looked at",
        catalog.tables.len(),
        columns,
        references.len(),
        version.version,
        count(found.rows_read)
    );
    let details = json!({
        "tables": catalog.tables.len(),
        "columns": columns,
        "references": references.len(),
        "schema_version": version.version,
        "state": state,
        "rows_read": found.rows_read,
        "not_looked_at": found.skipped.len(),
    });
    Ok((version, StepOutput { summary, details }))
}

/// The stored version that a workflow without `discover` builds on.
pub(super) async fn stored_schema(tdm: &Tdm, source: &Source) -> Result<SchemaVersion> {
    let versions = tdm.store().schema_versions(&source.connection.name).await?;
    let Some(last) = versions.into_iter().last() else {
        return Err(Error::Guard(
            "the source was never discovered; add `discover: true` to the workflow".to_owned(),
        ));
    };
    if last.fingerprint != source.catalog.fingerprint() {
        return Err(Error::Guard(format!(
            "the schema differs from version {} that is stored; add `discover: true` to the workflow to store the new one",
            last.version
        )));
    }
    Ok(last)
}

/// One classification for every column: the detectors' word, under what the workflow confirms.
pub(super) fn classify(
    tdm: &Tdm,
    workflow: &Workflow,
    source: &Source,
    observed: &BTreeMap<ColumnRef, Observed>,
    user: &str,
) -> Vec<Classification> {
    let look = |column: &ColumnRef| {
        observed
            .get(column)
            .map(|seen| (&seen.sample, Some(&seen.profile)))
    };
    let mut found =
        tdm.classifier()
            .classify_catalog(&source.catalog, &look, &source.relationships);
    for (name, category) in workflow.classify.iter().flat_map(|step| &step.confirm) {
        let named = |c: &&mut Classification| {
            let column = &c.finding.column;
            name.value
                .rsplit_once('.')
                .is_some_and(|(table, own)| column.column == own && column.table.matches(table))
        };
        for classification in found.iter_mut().filter(named) {
            classification.finding.category = category.value;
            classification.finding.confidence = 1.0;
            "workflow".clone_into(&mut classification.finding.technique);
            classification.finding.evidence.clear();
            classification.decision = Decision::Confirmed;
            user.clone_into(&mut classification.decided_by);
        }
    }
    let structural = |column: &ColumnRef| is_structural(source, column);
    // A column whose values nobody could look at is not cleared by its silence: without a word on it the plan
    // refuses, and a person decides.
    found.retain(|c| {
        let column = &c.finding.column;
        c.effective().is_personal()
            || c.decision != Decision::Suggested
            || observed.contains_key(column)
            || structural(column)
    });
    found
}

/// Whether a column is part of a key or a reference: its values are identifiers that other columns decide about, or
/// the table holds no rows of its own.
fn is_structural(source: &Source, place: &ColumnRef) -> bool {
    let Some(table) = source.catalog.table(&place.table) else {
        return false;
    };
    let named = |columns: &[String]| columns.contains(&place.column);
    let references = table.foreign_keys.iter().chain(&source.relationships);
    !table.kind.holds_rows()
        || table.primary_key.iter().any(|key| named(&key.columns))
        || references
            .filter(|fk| fk.child == place.table)
            .any(|fk| fk.child_columns().contains(&place.column.as_str()))
}

/// Stores classifications, and profiles without the numbers of columns that turned out personal.
pub(super) async fn store_classification(
    tdm: &Tdm,
    version: &SchemaVersion,
    classifications: &[Classification],
    observed: &BTreeMap<ColumnRef, Observed>,
) -> Result<(Vec<Classification>, StepOutput)> {
    let store = tdm.store();
    store
        .save_classifications(version.id, classifications)
        .await?;
    // Decisions of people outlive a scan: what later steps act on is what is stored.
    let stored = store.classifications(version.id).await?;
    let personal = stored
        .iter()
        .filter(|c| c.effective().is_personal())
        .count();
    let harmless = |column: &ColumnRef| {
        stored
            .iter()
            .any(|c| c.finding.column == *column && !c.effective().is_personal())
    };
    let profiles: Vec<_> = observed
        .iter()
        .map(|(column, seen)| {
            let profile = seen.profile.clone();
            let profile = if harmless(column) {
                profile
            } else {
                tdm_discovery::without_values(profile)
            };
            (column.clone(), profile)
        })
        .collect();
    store.save_profiles(version.id, &profiles).await?;
    let summary = format!("{personal} of {} columns hold personal data", stored.len());
    let details = json!({ "columns": stored.len(), "personal": personal });
    Ok((stored, StepOutput { summary, details }))
}

/// The personal columns, for the report.
pub(super) fn found(classifications: &[Classification]) -> Vec<Found> {
    classifications
        .iter()
        .filter(|c| c.effective().is_personal())
        .map(|c| Found {
            column: c.finding.column.clone(),
            category: c.effective().to_string(),
            confidence: c.finding.confidence,
            why: if c.decision == Decision::Confirmed {
                format!("confirmed by {}", c.decided_by)
            } else {
                reasons(&c.finding)
            },
        })
        .collect()
}

/// The strongest reasons of a finding, without the sentence around them: a table has its own columns for the rest.
fn reasons(finding: &Finding) -> String {
    const SHOWN: usize = 2;
    let sentence = tdm_pii::explain(finding);
    let told = sentence
        .split_once(": ")
        .map_or(sentence.as_str(), |(_, reasons)| reasons);
    told.trim_end_matches('.')
        .split("; ")
        .take(SHOWN)
        .collect::<Vec<_>>()
        .join("; ")
}
