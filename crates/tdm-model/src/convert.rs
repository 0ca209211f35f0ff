//! The only place where rows become words of `tdm-core` and back.
//!
//! A thing with many [`Parts`] is split: those that people look for in SQL have columns of their own.
//! Texts that came from other databases pass [`guard`](crate::guard::guard).

use chrono::{DateTime, Utc};
use sea_orm::prelude::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tdm_core::catalog::{Catalog, Column, ForeignKey, Generation, TableSchema};
use tdm_core::dataset::DatasetVersion;
use tdm_core::diagnostic::Severity;
use tdm_core::digest::RowDigest;
use tdm_core::error::{PortError, PortResult};
use tdm_core::finding::{Classification, Finding};
use tdm_core::ident::{
    ColumnRef, ConnectionId, DatasetVersionId, EnvironmentId, JobId, LineageId, RuleSetId,
    SchemaVersionId, TableRef,
};
use tdm_core::job::{Job, JobLogEntry, Lease, NewJob};
use tdm_core::lineage::{LineageEdge, LineageEnd, StoredEdge};
use tdm_core::place::{Connection, Environment, StoredConnection, StoredEnvironment};
use tdm_core::port::{Scan, SchemaVersion, StoredRuleSet};
use tdm_core::rule::RuleSet;
use tdm_core::time::UtcMicros;
use uuid::Uuid;

use crate::entity::{
    columns, connections, dataset_versions, environments, job_logs, jobs, lineage, masking_rules,
    pii_classification, relationships, schema_versions, tables,
};
use crate::error::Stop;
use crate::guard::{guard, guard_json, unguard, unguard_json};
use crate::parts::Parts;
use crate::words;

type Read<T> = Result<T, Stop>;

/// A new identifier, later than every earlier one of this process.
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}

pub(crate) fn time(time: UtcMicros) -> PortResult<DateTime<Utc>> {
    DateTime::from_timestamp_micros(time.0).ok_or_else(|| invalid("time", "out of range"))
}

fn micros(time: DateTime<Utc>) -> UtcMicros {
    UtcMicros(time.timestamp_micros())
}

pub(crate) fn version_number(number: i32) -> Read<u32> {
    u32::try_from(number).map_err(|_| Stop::unreadable("version"))
}

pub(crate) fn invalid(object: impl Into<String>, reason: &str) -> PortError {
    PortError::Invalid {
        object: object.into(),
        reason: reason.to_owned(),
    }
}

pub(crate) fn document(value: &impl Serialize, object: &'static str) -> PortResult<Json> {
    let value = serde_json::to_value(value);
    value
        .map(guard_json)
        .map_err(|_| invalid(object, "it has no form as a document"))
}

pub(crate) fn parse<T: DeserializeOwned>(document: Json, object: &'static str) -> Read<T> {
    serde_json::from_value(unguard_json(document)).map_err(|_| Stop::unreadable(object))
}

pub(crate) fn namespace(table: &TableRef) -> String {
    table.namespace.clone().unwrap_or_default()
}

/// The reference that a namespace and a name stand for: the empty namespace is none.
pub(crate) fn table_ref(namespace: String, name: String) -> TableRef {
    TableRef {
        namespace: Some(namespace).filter(|namespace| !namespace.is_empty()),
        name,
    }
}

pub(crate) fn connection_row(id: Uuid, connection: &Connection) -> PortResult<connections::Model> {
    if has_password(&connection.location) {
        return Err(invalid(
            format!("connection `{}`", connection.name),
            "the location holds a password; refer to it as a secret",
        ));
    }
    Ok(connections::Model {
        id,
        name: connection.name.clone(),
        engine: word(&connection.engine, "connection")?,
        location: connection.location.clone(),
        secret: connection.secret.as_ref().map(ToString::to_string),
        options: document(&connection.options, "connection")?,
        lineage_namespace: connection.lineage_namespace.clone(),
    })
}

/// Whether the authority of a URL, or a parameter of it, holds a password.
fn has_password(location: &str) -> bool {
    let Some((_, rest)) = location.split_once("://") else {
        return false;
    };
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = before_query.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let named = |pair: &str| {
        let name = pair
            .split('=')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        matches!(name.as_str(), "password" | "pass" | "pwd")
    };
    user.contains(':') || query.split('&').any(named)
}

pub(crate) fn stored_connection(row: connections::Model) -> Read<StoredConnection> {
    let unreadable = || Stop::unreadable("connection");
    Ok(StoredConnection {
        id: ConnectionId(row.id),
        connection: Connection {
            name: row.name,
            engine: parse(row.engine.into(), "connection")?,
            location: row.location,
            secret: row
                .secret
                .map(|text| text.parse())
                .transpose()
                .map_err(|_| unreadable())?,
            options: parse(row.options, "connection")?,
            lineage_namespace: row.lineage_namespace,
        },
    })
}

pub(crate) fn environment_row(
    id: Uuid,
    connection_id: Option<Uuid>,
    environment: &Environment,
) -> PortResult<environments::Model> {
    Ok(environments::Model {
        id,
        name: environment.name.clone(),
        kind: environment.kind.as_str().to_owned(),
        connection_id,
        config: document(&environment.config, "environment")?,
    })
}

pub(crate) fn stored_environment(
    row: environments::Model,
    connection: Option<String>,
) -> Read<StoredEnvironment> {
    let kind = words::environment_kind(&row.kind).ok_or(Stop::unreadable("environment"))?;
    Ok(StoredEnvironment {
        id: EnvironmentId(row.id),
        environment: Environment {
            name: row.name,
            kind,
            connection,
            config: parse(row.config, "environment")?,
        },
    })
}

/// The row of a new schema version, without its tables.
pub(crate) fn schema_version_row(
    id: Uuid,
    schema_id: Uuid,
    version_number: i32,
    scan: &Scan,
    fingerprint: String,
) -> PortResult<schema_versions::Model> {
    let mut shell = scan.catalog.clone();
    shell.tables.clear();
    let mut parts = Parts::of(&shell, "catalog")?;
    parts.take("tables");
    let partial = scan.diagnostics.iter().any(|d| d.severity > Severity::Info);
    let status = if partial {
        words::SCAN_PARTIAL
    } else {
        words::SCAN_COMPLETE
    };
    Ok(schema_versions::Model {
        id,
        schema_id,
        version_number,
        status: status.to_owned(),
        fingerprint,
        engine: parts.take_text("engine").unwrap_or_default(),
        server_version: parts.take_text("server_version").unwrap_or_default(),
        details: parts.rest(),
        diagnostics: document(&scan.diagnostics, "diagnostics")?,
        discovered_at: time(scan.discovered)?,
    })
}

pub(crate) fn schema_version(row: schema_versions::Model, schema: &str) -> Read<SchemaVersion> {
    Ok(SchemaVersion {
        id: SchemaVersionId(row.id),
        schema: schema.to_owned(),
        version: version_number(row.version_number)?,
        fingerprint: row.fingerprint,
        discovered: micros(row.discovered_at),
    })
}

pub(crate) fn catalog(row: schema_versions::Model, tables: Vec<TableSchema>) -> Read<Catalog> {
    let mut parts = Parts::from_document(row.details, "catalog")?;
    parts.put("engine", row.engine);
    parts.put("server_version", row.server_version);
    parts.put("tables", Value::Array(Vec::new()));
    let mut catalog: Catalog = parts.parse("catalog")?;
    catalog.tables = tables;
    Ok(catalog)
}

const CONSTRAINTS: &[&str] = &["primary_key", "unique", "checks"];

/// The row of a table, without its columns and foreign keys.
pub(crate) fn table_row(
    id: Uuid,
    schema_version_id: Uuid,
    table: &TableSchema,
) -> PortResult<tables::Model> {
    let mut shell = table.clone();
    shell.columns.clear();
    shell.foreign_keys.clear();
    let mut parts = Parts::of(&shell, "table")?;
    for elsewhere in ["table", "columns", "foreign_keys"] {
        parts.take(elsewhere);
    }
    Ok(tables::Model {
        id,
        schema_version_id,
        namespace: namespace(&table.table),
        name: table.table.name.clone(),
        kind: parts.take_text("kind").unwrap_or_default(),
        row_estimate: parts.take_count("row_estimate"),
        bytes_estimate: parts.take_count("bytes_estimate"),
        constraints: parts.take_all(CONSTRAINTS),
        indexes: parts.take("indexes"),
        comment: parts.take_text("comment"),
        details: parts.rest(),
    })
}

pub(crate) fn table(
    row: tables::Model,
    columns: Vec<Column>,
    foreign_keys: Vec<ForeignKey>,
) -> Read<TableSchema> {
    let mut parts = Parts::from_document(row.details, "table")?;
    let reference = table_ref(row.namespace, row.name);
    parts.put("table", document(&reference, "table")?);
    parts.put("columns", Value::Array(Vec::new()));
    parts.put("kind", row.kind);
    parts.put("row_estimate", row.row_estimate);
    parts.put("bytes_estimate", row.bytes_estimate);
    parts.put("indexes", row.indexes);
    parts.put("comment", row.comment);
    let Value::Object(constraints) = row.constraints else {
        return Err(Stop::unreadable("table"));
    };
    for (name, value) in constraints {
        parts.put(&name, value);
    }
    let mut table: TableSchema = parts.parse("table")?;
    table.columns = columns;
    table.foreign_keys = foreign_keys;
    Ok(table)
}

pub(crate) fn column_row(id: Uuid, table_id: Uuid, column: &Column) -> PortResult<columns::Model> {
    let mut parts = Parts::of(column, "column")?;
    parts.take("ordinal");
    parts.take("nullable");
    Ok(columns::Model {
        id,
        table_id,
        name: parts.take_text("name").unwrap_or_default(),
        ordinal: i32::try_from(column.ordinal)
            .map_err(|_| invalid("column", "its position is out of range"))?,
        native_type: parts.take_text("native").unwrap_or_default(),
        logical_type: parts.take("logical"),
        is_nullable: column.nullable,
        default_expression: parts.take_text("default"),
        is_generated: matches!(column.generation, Generation::Computed { .. }),
        is_identity: matches!(column.generation, Generation::Identity { .. }),
        comment: parts.take_text("comment"),
        details: parts.rest(),
        profile: None,
    })
}

pub(crate) fn column(row: columns::Model) -> Read<Column> {
    let mut parts = Parts::from_document(row.details, "column")?;
    parts.put("name", row.name);
    parts.put("ordinal", row.ordinal);
    parts.put("native", row.native_type);
    parts.put("logical", row.logical_type);
    parts.put("nullable", row.is_nullable);
    parts.put("default", row.default_expression);
    parts.put("comment", row.comment);
    parts.parse("column")
}

/// Where a reference stands: the schema version, its place among all references of it, and its two tables.
pub(crate) struct ReferencePlace {
    pub(crate) schema_version_id: Uuid,
    pub(crate) ordinal: i32,
    pub(crate) child_table_id: Uuid,
    pub(crate) parent_table_id: Option<Uuid>,
    /// Whether the catalog has it, rather than the list beside the catalog.
    pub(crate) in_catalog: bool,
}

const IN_CATALOG: &str = "in_catalog";

pub(crate) fn relationship_row(
    place: &ReferencePlace,
    reference: &ForeignKey,
) -> PortResult<relationships::Model> {
    let mut parts = Parts::of(reference, "relationship")?;
    parts.take("parent");
    parts.take("kind");
    parts.put(IN_CATALOG, place.in_catalog);
    Ok(relationships::Model {
        id: new_id(),
        schema_version_id: place.schema_version_id,
        child_table_id: place.child_table_id,
        parent_table_id: place.parent_table_id,
        parent_namespace: namespace(&reference.parent),
        parent_name: reference.parent.name.clone(),
        ordinal: place.ordinal,
        name: parts.take_text("name"),
        kind: reference.kind.as_str().to_owned(),
        column_pairs: parts.take("columns"),
        evidence: parts.rest(),
    })
}

/// The reference, and whether the catalog has it.
pub(crate) fn relationship(row: relationships::Model) -> Read<(ForeignKey, bool)> {
    let mut parts = Parts::from_document(row.evidence, "relationship")?;
    let in_catalog = parts.take(IN_CATALOG) == Value::Bool(true);
    let kind = words::relationship_kind(&row.kind).ok_or(Stop::unreadable("relationship"))?;
    parts.put(
        "parent",
        document(
            &table_ref(row.parent_namespace, row.parent_name),
            "relationship",
        )?,
    );
    parts.put("kind", document(&kind, "relationship")?);
    parts.put("name", row.name);
    parts.put("columns", row.column_pairs);
    Ok((parts.parse("relationship")?, in_catalog))
}

pub(crate) fn classification_row(
    schema_version_id: Uuid,
    (table_id, column_id): (Uuid, Uuid),
    classification: &Classification,
) -> PortResult<pii_classification::Model> {
    let finding = &classification.finding;
    Ok(pii_classification::Model {
        id: new_id(),
        schema_version_id,
        table_id,
        column_id,
        category: finding.category.as_str().to_owned(),
        technique: finding.technique.clone(),
        confidence: finding.confidence,
        evidence: document(&finding.evidence, "classification")?,
        decision: classification.decision.as_str().to_owned(),
        decided_by: classification.decided_by.clone(),
    })
}

pub(crate) fn classification(
    row: pii_classification::Model,
    column: ColumnRef,
) -> Read<Classification> {
    let unreadable = || Stop::unreadable("classification");
    Ok(Classification {
        finding: Finding {
            column,
            category: row.category.parse().map_err(|_| unreadable())?,
            technique: row.technique,
            confidence: row.confidence,
            evidence: parse(row.evidence, "classification")?,
        },
        decision: words::decision(&row.decision).ok_or_else(unreadable)?,
        decided_by: row.decided_by,
    })
}

pub(crate) fn rule_set_row(
    version_number: i32,
    rules: &RuleSet,
    schema_version_id: Option<Uuid>,
) -> PortResult<masking_rules::Model> {
    Ok(masking_rules::Model {
        id: new_id(),
        name: rules.name.clone(),
        version_number,
        schema_version_id,
        rules: document(rules, "rule set")?,
    })
}

pub(crate) fn stored_rule_set(row: masking_rules::Model) -> Read<StoredRuleSet> {
    Ok(StoredRuleSet {
        id: RuleSetId(row.id),
        version: version_number(row.version_number)?,
        schema_version: row.schema_version_id.map(SchemaVersionId),
        rules: parse(row.rules, "rule set")?,
    })
}

/// Rows and digest as they are stored.
pub(crate) fn digest_columns(digest: RowDigest) -> PortResult<(i64, String)> {
    let rows = i64::try_from(digest.rows).map_err(|_| invalid("digest", "too many rows"))?;
    Ok((rows, format!("{:032x}", digest.sum)))
}

pub(crate) fn dataset_version(row: dataset_versions::Model) -> Read<DatasetVersion> {
    let unreadable = || Stop::unreadable("dataset version");
    let digest = match (row.row_count, row.digest) {
        (Some(rows), Some(sum)) => Some(RowDigest {
            rows: u64::try_from(rows).map_err(|_| unreadable())?,
            sum: u128::from_str_radix(&sum, 16).map_err(|_| unreadable())?,
        }),
        _ => None,
    };
    Ok(DatasetVersion {
        id: DatasetVersionId(row.id),
        dataset: row.dataset_name,
        version: version_number(row.version_number)?,
        schema_version: row.schema_version_id.map(SchemaVersionId),
        source: words::dataset_source(&row.source_type).ok_or_else(unreadable)?,
        status: words::dataset_status(&row.status).ok_or_else(unreadable)?,
        location: row.location,
        digest,
        created: micros(row.created_at),
    })
}

pub(crate) fn job_row(new: &NewJob, status: &str) -> PortResult<jobs::Model> {
    Ok(jobs::Model {
        id: new_id(),
        operation: new.operation.clone(),
        status: status.to_owned(),
        request: document(&new.request, "job")?,
        result: None,
        plan_hash: new.plan_hash.clone(),
        user_name: new.user.clone(),
        started_at: None,
        finished_at: None,
        lease_holder: None,
        lease_until: None,
    })
}

pub(crate) fn job(row: jobs::Model) -> Read<Job> {
    let lease = row.lease_holder.zip(row.lease_until);
    Ok(Job {
        id: JobId(row.id),
        new: NewJob {
            operation: row.operation,
            request: unguard_json(row.request),
            plan_hash: row.plan_hash,
            user: row.user_name,
        },
        status: words::job_status(&row.status).ok_or(Stop::unreadable("job"))?,
        result: row.result.map(unguard_json),
        started: row.started_at.map(micros),
        finished: row.finished_at.map(micros),
        lease: lease.map(|(holder, until)| Lease {
            holder,
            until: micros(until),
        }),
    })
}

pub(crate) fn job_log_row(job: JobId, entry: &JobLogEntry) -> PortResult<job_logs::Model> {
    Ok(job_logs::Model {
        id: new_id(),
        job_id: job.0,
        step: entry.step.clone(),
        level: entry.level.as_str().to_owned(),
        code: entry.code.clone(),
        message: guard(entry.message.clone()),
        details: document(&entry.details, "log entry")?,
        logged_at: time(entry.time)?,
    })
}

pub(crate) fn job_log_entry(row: job_logs::Model) -> Read<JobLogEntry> {
    Ok(JobLogEntry {
        step: row.step,
        level: words::severity(&row.level).ok_or(Stop::unreadable("log entry"))?,
        code: row.code,
        message: unguard(row.message),
        details: unguard_json(row.details),
        time: micros(row.logged_at),
    })
}

const EDGE_COLUMNS: &str = "columns";

pub(crate) fn lineage_row(edge: &LineageEdge) -> PortResult<lineage::Model> {
    let mut parts = Parts::of(edge, "lineage edge")?;
    for elsewhere in ["source", "target", "operation", "job"] {
        parts.take(elsewhere);
    }
    parts.put(EDGE_COLUMNS, Value::Array(Vec::new()));
    Ok(lineage::Model {
        id: new_id(),
        source_type: edge.source.kind.clone(),
        source_id: edge.source.id.clone(),
        target_type: edge.target.kind.clone(),
        target_id: edge.target.id.clone(),
        operation: edge.operation.clone(),
        job_id: edge.job.map(|job| job.0),
        details: parts.rest(),
    })
}

pub(crate) fn stored_edge(row: lineage::Model) -> Read<StoredEdge> {
    let mut parts = Parts::from_document(row.details, "lineage edge")?;
    let source = LineageEnd {
        kind: row.source_type,
        id: row.source_id,
    };
    let target = LineageEnd {
        kind: row.target_type,
        id: row.target_id,
    };
    parts.put("source", document(&source, "lineage edge")?);
    parts.put("target", document(&target, "lineage edge")?);
    parts.put("operation", guard(row.operation));
    parts.put("job", document(&row.job_id, "lineage edge")?);
    Ok(StoredEdge {
        id: LineageId(row.id),
        edge: parts.parse("lineage edge")?,
    })
}

/// The word by which a value goes in documents.
fn word(value: &impl Serialize, object: &'static str) -> PortResult<String> {
    match document(value, object)? {
        Value::String(word) => Ok(word),
        _ => Err(invalid(object, "it has no word")),
    }
}
