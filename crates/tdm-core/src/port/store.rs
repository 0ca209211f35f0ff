//! What is remembered: places, schemas, rules, datasets, jobs, lineage.

use std::fmt;

use async_trait::async_trait;

use crate::catalog::{Catalog, ForeignKey};
use crate::dataset::{DatasetFacts, DatasetSource, DatasetStatus, DatasetVersion};
use crate::diagnostic::Diagnostic;
use crate::digest::RowDigest;
use crate::error::PortResult;
use crate::finding::Classification;
use crate::ident::{ColumnRef, DatasetVersionId, JobId, LineageId, RuleSetId, SchemaVersionId};
use crate::job::{Job, JobLogEntry, JobStatus, Lease, NewJob};
use crate::lineage::{LineageEdge, StoredEdge};
use crate::place::{Connection, Environment, StoredConnection, StoredEnvironment};
use crate::profile::ColumnProfile;
use crate::rule::RuleSet;
use crate::time::UtcMicros;

// Contract of all stores. Atomic: each call happens wholly or not at all. Durable: after a call returns, its
// effect survives a crash (the in-memory store excepted). Numbers of versions have no gaps and no doubles,
// whoever else writes. Unknown identifiers are `PortError::NotFound`.

/// Connections and environments.
#[async_trait]
pub trait PlaceStore: fmt::Debug + Send + Sync {
    /// Stores a connection under its name, in place of an earlier one of that name.
    async fn save_connection(&self, connection: &Connection) -> PortResult<StoredConnection>;
    /// The connection called `name`.
    async fn connection(&self, name: &str) -> PortResult<Option<StoredConnection>>;
    /// All connections by name.
    async fn connections(&self) -> PortResult<Vec<StoredConnection>>;
    /// Stores an environment under its name, in place of an earlier one of that name. Its connection must exist.
    async fn save_environment(&self, environment: &Environment) -> PortResult<StoredEnvironment>;
    /// The environment called `name`.
    async fn environment(&self, name: &str) -> PortResult<Option<StoredEnvironment>>;
    /// All environments by name.
    async fn environments(&self) -> PortResult<Vec<StoredEnvironment>>;
}

/// What a scan of a schema is stored as.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Name of the schema, the subject that versions belong to.
    pub schema: String,
    /// Name of the connection that was scanned.
    pub connection: String,
    /// What was understood.
    pub catalog: Catalog,
    /// What was not.
    pub diagnostics: Vec<Diagnostic>,
    /// References that the catalog does not declare: virtual, inferred, polymorphic.
    pub relationships: Vec<ForeignKey>,
    /// When.
    pub discovered: UtcMicros,
}

/// One stored state of a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaVersion {
    /// Identifier.
    pub id: SchemaVersionId,
    /// Name of the schema.
    pub schema: String,
    /// Number within the schema, from 1.
    pub version: u32,
    /// Fingerprint of its catalog.
    pub fingerprint: String,
    /// When it was first seen.
    pub discovered: UtcMicros,
}

/// Schemas, their versions, profiles and classifications.
#[async_trait]
pub trait CatalogStore: fmt::Debug + Send + Sync {
    /// Stores a scan. An unchanged fingerprint and unchanged relationships give the latest version again; a
    /// change gives the next number. The connection must exist.
    async fn record_scan(&self, scan: &Scan) -> PortResult<SchemaVersion>;
    /// Versions of a schema, oldest first; empty when there is none of that name.
    async fn schema_versions(&self, schema: &str) -> PortResult<Vec<SchemaVersion>>;
    /// The catalog of a version, equal to the one that was scanned.
    async fn catalog(&self, version: SchemaVersionId) -> PortResult<Catalog>;
    /// The relationships of a version beside the declared ones.
    async fn relationships(&self, version: SchemaVersionId) -> PortResult<Vec<ForeignKey>>;
    /// Stores profiles, in place of earlier ones of the same columns.
    async fn save_profiles(
        &self,
        version: SchemaVersionId,
        profiles: &[(ColumnRef, ColumnProfile)],
    ) -> PortResult<()>;
    /// Profiles of a version, by column.
    async fn profiles(
        &self,
        version: SchemaVersionId,
    ) -> PortResult<Vec<(ColumnRef, ColumnProfile)>>;
    /// Stores classifications. A stored decision of a person is never overwritten by a suggestion.
    async fn save_classifications(
        &self,
        version: SchemaVersionId,
        classifications: &[Classification],
    ) -> PortResult<()>;
    /// Classifications of a version, by column.
    async fn classifications(&self, version: SchemaVersionId) -> PortResult<Vec<Classification>>;
}

/// A rule set as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRuleSet {
    /// Identifier.
    pub id: RuleSetId,
    /// Number within the rule set's name, from 1.
    pub version: u32,
    /// Schema version it was made for, when it was made for one.
    pub schema_version: Option<SchemaVersionId>,
    /// The rules.
    pub rules: RuleSet,
}

/// Rule sets and their versions.
#[async_trait]
pub trait RuleStore: fmt::Debug + Send + Sync {
    /// Stores a rule set. Rules equal to the latest version's give that version again.
    async fn save_rule_set(
        &self,
        rules: &RuleSet,
        schema: Option<SchemaVersionId>,
    ) -> PortResult<StoredRuleSet>;
    /// The latest version of the rule set called `name`.
    async fn rule_set(&self, name: &str) -> PortResult<Option<StoredRuleSet>>;
}

/// A dataset version to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDatasetVersion {
    /// Name of the dataset.
    pub dataset: String,
    /// Schema version it is built from, when there is one.
    pub schema_version: Option<SchemaVersionId>,
    /// How its rows come to be.
    pub source: DatasetSource,
    /// When.
    pub created: UtcMicros,
}

/// Dataset versions and facts about them.
#[async_trait]
pub trait DatasetStore: fmt::Debug + Send + Sync {
    /// Begins the next version of a dataset, with status building.
    async fn begin_dataset_version(&self, new: &NewDatasetVersion) -> PortResult<DatasetVersion>;
    /// Marks a building version published.
    async fn publish_dataset_version(
        &self,
        id: DatasetVersionId,
        location: &str,
        digest: RowDigest,
        facts: &DatasetFacts,
    ) -> PortResult<()>;
    /// Sets the status of a version: building may become failed, published may become retired.
    async fn set_dataset_status(
        &self,
        id: DatasetVersionId,
        status: DatasetStatus,
    ) -> PortResult<()>;
    /// Versions, oldest first; of one dataset when `dataset` is given.
    async fn dataset_versions(&self, dataset: Option<&str>) -> PortResult<Vec<DatasetVersion>>;
    /// Facts about a version.
    async fn dataset_facts(&self, id: DatasetVersionId) -> PortResult<DatasetFacts>;
}

/// Jobs, their logs and leases.
#[async_trait]
pub trait RunStore: fmt::Debug + Send + Sync {
    /// Stores a job as pending.
    async fn create_job(&self, new: &NewJob) -> PortResult<Job>;
    /// Moves a job on. A move that [`JobStatus::may_become`] forbids is a conflict, whoever else tries.
    /// Started and finished times are set from `at`.
    async fn set_job_status(
        &self,
        id: JobId,
        status: JobStatus,
        result: Option<&serde_json::Value>,
        at: UtcMicros,
    ) -> PortResult<()>;
    /// Takes or renews the lease: granted when there is none, when it ran out before `now`, or when `lease.holder`
    /// has it. Says whether it was granted.
    async fn lease_job(&self, id: JobId, lease: &Lease, now: UtcMicros) -> PortResult<bool>;
    /// Appends to the log.
    async fn log(&self, id: JobId, entry: &JobLogEntry) -> PortResult<()>;
    /// The job.
    async fn job(&self, id: JobId) -> PortResult<Option<Job>>;
    /// The latest jobs, newest first.
    async fn jobs(&self, limit: u64) -> PortResult<Vec<Job>>;
    /// The log of a job, in order.
    async fn job_log(&self, id: JobId) -> PortResult<Vec<JobLogEntry>>;
}

/// Lineage.
#[async_trait]
pub trait LineageStore: fmt::Debug + Send + Sync {
    /// Records edges.
    async fn record_lineage(&self, edges: &[LineageEdge]) -> PortResult<Vec<LineageId>>;
    /// Edges of a job, in the order recorded.
    async fn lineage_of_job(&self, job: JobId) -> PortResult<Vec<StoredEdge>>;
    /// All edges, oldest first.
    async fn lineage(&self) -> PortResult<Vec<StoredEdge>>;
}

/// All stores of one metadata database.
pub trait MetadataStore:
    PlaceStore + CatalogStore + RuleStore + DatasetStore + RunStore + LineageStore
{
}

impl<T: PlaceStore + CatalogStore + RuleStore + DatasetStore + RunStore + LineageStore>
    MetadataStore for T
{
}
