//! All metadata stores in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use crate::catalog::{Catalog, ForeignKey};
use crate::dataset::{DatasetFacts, DatasetStatus, DatasetVersion};
use crate::digest::RowDigest;
use crate::error::{PortError, PortResult};
use crate::finding::{Classification, Decision};
use crate::ident::{
    ColumnRef, ConnectionId, DatasetVersionId, EnvironmentId, JobId, LineageId, RuleSetId,
    SchemaVersionId,
};
use crate::job::{Job, JobLogEntry, JobStatus, Lease, NewJob};
use crate::lineage::{LineageEdge, StoredEdge};
use crate::place::{Connection, Environment, StoredConnection, StoredEnvironment};
use crate::port::{
    CatalogStore, DatasetStore, LineageStore, NewDatasetVersion, PlaceStore, RuleStore, RunStore,
    Scan, SchemaVersion, StoredRuleSet,
};
use crate::profile::ColumnProfile;
use crate::rule::RuleSet;
use crate::time::UtcMicros;

/// All stores in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    connections: BTreeMap<String, StoredConnection>,
    environments: BTreeMap<String, StoredEnvironment>,
    versions: Vec<(SchemaVersion, Scan)>,
    profiles: BTreeMap<(SchemaVersionId, ColumnRef), ColumnProfile>,
    classifications: BTreeMap<(SchemaVersionId, ColumnRef), Classification>,
    rules: Vec<StoredRuleSet>,
    datasets: Vec<(DatasetVersion, DatasetFacts)>,
    jobs: Vec<(Job, Vec<JobLogEntry>)>,
    lineage: Vec<StoredEdge>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Identifiers count up: version 7 in form, with a counter where the time would be.
    fn id(&self) -> Uuid {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128((u128::from(n) << 80) | 0x7000_8000_0000_0000_0000)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_found(kind: &'static str, name: &impl ToString) -> PortError {
    PortError::NotFound {
        kind,
        name: name.to_string(),
    }
}

fn conflict(kind: &'static str, name: &impl ToString, reason: impl Into<String>) -> PortError {
    PortError::Conflict {
        kind,
        name: name.to_string(),
        reason: reason.into(),
    }
}

fn next_version(versions: impl Iterator<Item = u32>) -> u32 {
    versions.max().unwrap_or(0) + 1
}

#[async_trait]
impl PlaceStore for MemoryStore {
    async fn save_connection(&self, connection: &Connection) -> PortResult<StoredConnection> {
        let mut state = self.state();
        let id = state
            .connections
            .get(&connection.name)
            .map_or_else(|| ConnectionId(self.id()), |stored| stored.id);
        let stored = StoredConnection {
            id,
            connection: connection.clone(),
        };
        state
            .connections
            .insert(connection.name.clone(), stored.clone());
        Ok(stored)
    }

    async fn connection(&self, name: &str) -> PortResult<Option<StoredConnection>> {
        Ok(self.state().connections.get(name).cloned())
    }

    async fn connections(&self) -> PortResult<Vec<StoredConnection>> {
        Ok(self.state().connections.values().cloned().collect())
    }

    async fn save_environment(&self, environment: &Environment) -> PortResult<StoredEnvironment> {
        let mut state = self.state();
        if let Some(name) = environment
            .connection
            .as_ref()
            .filter(|name| !state.connections.contains_key(*name))
        {
            return Err(not_found("connection", &name));
        }
        let id = state
            .environments
            .get(&environment.name)
            .map_or_else(|| EnvironmentId(self.id()), |s| s.id);
        let stored = StoredEnvironment {
            id,
            environment: environment.clone(),
        };
        state
            .environments
            .insert(environment.name.clone(), stored.clone());
        Ok(stored)
    }

    async fn environment(&self, name: &str) -> PortResult<Option<StoredEnvironment>> {
        Ok(self.state().environments.get(name).cloned())
    }

    async fn environments(&self) -> PortResult<Vec<StoredEnvironment>> {
        Ok(self.state().environments.values().cloned().collect())
    }
}

impl State {
    fn version(&self, id: SchemaVersionId) -> PortResult<&Scan> {
        let found = self.versions.iter().find(|(version, _)| version.id == id);
        found
            .map(|(_, scan)| scan)
            .ok_or_else(|| not_found("schema version", &id))
    }

    fn has_column(&self, id: SchemaVersionId, column: &ColumnRef) -> PortResult<()> {
        match self.version(id)?.catalog.column(column) {
            Some(_) => Ok(()),
            None => Err(not_found("column", &column)),
        }
    }
}

#[async_trait]
impl CatalogStore for MemoryStore {
    async fn record_scan(&self, scan: &Scan) -> PortResult<SchemaVersion> {
        let mut state = self.state();
        if !state.connections.contains_key(&scan.connection) {
            return Err(not_found("connection", &scan.connection));
        }
        let fingerprint = scan.catalog.fingerprint();
        let last = state
            .versions
            .iter()
            .rev()
            .find(|(version, _)| version.schema == scan.schema);
        if let Some((version, stored)) = last
            && version.fingerprint == fingerprint
            && stored.relationships == scan.relationships
        {
            return Ok(version.clone());
        }
        let version = SchemaVersion {
            id: SchemaVersionId(self.id()),
            schema: scan.schema.clone(),
            version: last.map_or(0, |(version, _)| version.version) + 1,
            fingerprint,
            discovered: scan.discovered,
        };
        state.versions.push((version.clone(), scan.clone()));
        Ok(version)
    }

    async fn schema_versions(&self, schema: &str) -> PortResult<Vec<SchemaVersion>> {
        let state = self.state();
        Ok(state
            .versions
            .iter()
            .map(|(version, _)| version)
            .filter(|v| v.schema == schema)
            .cloned()
            .collect())
    }

    async fn catalog(&self, version: SchemaVersionId) -> PortResult<Catalog> {
        Ok(self.state().version(version)?.catalog.clone())
    }

    async fn relationships(&self, version: SchemaVersionId) -> PortResult<Vec<ForeignKey>> {
        Ok(self.state().version(version)?.relationships.clone())
    }

    async fn save_profiles(
        &self,
        version: SchemaVersionId,
        profiles: &[(ColumnRef, ColumnProfile)],
    ) -> PortResult<()> {
        let mut state = self.state();
        profiles
            .iter()
            .try_for_each(|(column, _)| state.has_column(version, column))?;
        for (column, profile) in profiles {
            state
                .profiles
                .insert((version, column.clone()), profile.clone());
        }
        Ok(())
    }

    async fn profiles(
        &self,
        version: SchemaVersionId,
    ) -> PortResult<Vec<(ColumnRef, ColumnProfile)>> {
        let state = self.state();
        state.version(version)?;
        let of_version = state.profiles.iter().filter(|((id, _), _)| *id == version);
        Ok(of_version
            .map(|((_, column), profile)| (column.clone(), profile.clone()))
            .collect())
    }

    async fn save_classifications(
        &self,
        version: SchemaVersionId,
        classifications: &[Classification],
    ) -> PortResult<()> {
        let mut state = self.state();
        classifications
            .iter()
            .try_for_each(|c| state.has_column(version, &c.finding.column))?;
        for new in classifications {
            let key = (version, new.finding.column.clone());
            let decided = state
                .classifications
                .get(&key)
                .is_some_and(|old| old.decision != Decision::Suggested);
            if !(decided && new.decision == Decision::Suggested) {
                state.classifications.insert(key, new.clone());
            }
        }
        Ok(())
    }

    async fn classifications(&self, version: SchemaVersionId) -> PortResult<Vec<Classification>> {
        let state = self.state();
        state.version(version)?;
        let of_version = state
            .classifications
            .iter()
            .filter(|((id, _), _)| *id == version);
        Ok(of_version
            .map(|(_, classification)| classification.clone())
            .collect())
    }
}

#[async_trait]
impl RuleStore for MemoryStore {
    async fn save_rule_set(
        &self,
        rules: &RuleSet,
        schema: Option<SchemaVersionId>,
    ) -> PortResult<StoredRuleSet> {
        let mut state = self.state();
        if let Some(id) = schema {
            state.version(id)?;
        }
        let last = state
            .rules
            .iter()
            .rev()
            .find(|stored| stored.rules.name == rules.name);
        if let Some(same) =
            last.filter(|stored| stored.rules == *rules && stored.schema_version == schema)
        {
            return Ok(same.clone());
        }
        let version = last.map_or(0, |stored| stored.version) + 1;
        let stored = StoredRuleSet {
            id: RuleSetId(self.id()),
            version,
            schema_version: schema,
            rules: rules.clone(),
        };
        state.rules.push(stored.clone());
        Ok(stored)
    }

    async fn rule_set(&self, name: &str) -> PortResult<Option<StoredRuleSet>> {
        Ok(self
            .state()
            .rules
            .iter()
            .rev()
            .find(|stored| stored.rules.name == name)
            .cloned())
    }
}

#[async_trait]
impl DatasetStore for MemoryStore {
    async fn begin_dataset_version(&self, new: &NewDatasetVersion) -> PortResult<DatasetVersion> {
        let mut state = self.state();
        if let Some(id) = new.schema_version {
            state.version(id)?;
        }
        let of_name = state
            .datasets
            .iter()
            .filter(|(v, _)| v.dataset == new.dataset);
        let version = DatasetVersion {
            id: DatasetVersionId(self.id()),
            dataset: new.dataset.clone(),
            version: next_version(of_name.map(|(v, _)| v.version)),
            schema_version: new.schema_version,
            source: new.source,
            status: DatasetStatus::Building,
            location: None,
            digest: None,
            created: new.created,
        };
        state.datasets.push((version.clone(), DatasetFacts::new()));
        Ok(version)
    }

    async fn publish_dataset_version(
        &self,
        id: DatasetVersionId,
        location: &str,
        digest: RowDigest,
        facts: &DatasetFacts,
    ) -> PortResult<()> {
        let mut state = self.state();
        let found = state.datasets.iter_mut().find(|(v, _)| v.id == id);
        let (version, stored) = found.ok_or_else(|| not_found("dataset version", &id))?;
        if version.status != DatasetStatus::Building {
            return Err(conflict(
                "dataset version",
                &id,
                format!("is {}, not building", version.status.as_str()),
            ));
        }
        version.status = DatasetStatus::Published;
        version.location = Some(location.to_owned());
        version.digest = Some(digest);
        stored.clone_from(facts);
        Ok(())
    }

    async fn set_dataset_status(
        &self,
        id: DatasetVersionId,
        status: DatasetStatus,
    ) -> PortResult<()> {
        let mut state = self.state();
        let found = state.datasets.iter_mut().find(|(v, _)| v.id == id);
        let (version, _) = found.ok_or_else(|| not_found("dataset version", &id))?;
        match (version.status, status) {
            (DatasetStatus::Building, DatasetStatus::Failed)
            | (DatasetStatus::Published, DatasetStatus::Retired) => {
                version.status = status;
                Ok(())
            }
            (from, to) => {
                let reason = format!("cannot go from {} to {}", from.as_str(), to.as_str());
                Err(conflict("dataset version", &id, reason))
            }
        }
    }

    async fn dataset_versions(&self, dataset: Option<&str>) -> PortResult<Vec<DatasetVersion>> {
        let state = self.state();
        let wanted = |version: &&DatasetVersion| dataset.is_none_or(|name| version.dataset == name);
        Ok(state
            .datasets
            .iter()
            .map(|(version, _)| version)
            .filter(wanted)
            .cloned()
            .collect())
    }

    async fn dataset_facts(&self, id: DatasetVersionId) -> PortResult<DatasetFacts> {
        let state = self.state();
        let found = state.datasets.iter().find(|(v, _)| v.id == id);
        found
            .map(|(_, facts)| facts.clone())
            .ok_or_else(|| not_found("dataset version", &id))
    }
}

impl State {
    fn job(&mut self, id: JobId) -> PortResult<&mut (Job, Vec<JobLogEntry>)> {
        self.jobs
            .iter_mut()
            .find(|(job, _)| job.id == id)
            .ok_or_else(|| not_found("job", &id))
    }
}

#[async_trait]
impl RunStore for MemoryStore {
    async fn create_job(&self, new: &NewJob) -> PortResult<Job> {
        let job = Job {
            id: JobId(self.id()),
            new: new.clone(),
            status: JobStatus::Pending,
            result: None,
            started: None,
            finished: None,
            lease: None,
        };
        self.state().jobs.push((job.clone(), Vec::new()));
        Ok(job)
    }

    async fn set_job_status(
        &self,
        id: JobId,
        status: JobStatus,
        result: Option<&serde_json::Value>,
        at: UtcMicros,
    ) -> PortResult<()> {
        let mut state = self.state();
        let (job, _) = state.job(id)?;
        if !job.status.may_become(status) {
            let reason = format!(
                "cannot go from {} to {}",
                job.status.as_str(),
                status.as_str()
            );
            return Err(conflict("job", &id, reason));
        }
        job.status = status;
        if let Some(result) = result {
            job.result = Some(result.clone());
        }
        match status {
            JobStatus::Running => job.started = Some(at),
            JobStatus::Pending => {}
            JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled => {
                job.finished = Some(at);
            }
        }
        Ok(())
    }

    async fn lease_job(&self, id: JobId, lease: &Lease, now: UtcMicros) -> PortResult<bool> {
        let mut state = self.state();
        let (job, _) = state.job(id)?;
        let granted = job
            .lease
            .as_ref()
            .is_none_or(|held| held.until < now || held.holder == lease.holder);
        if granted {
            job.lease = Some(lease.clone());
        }
        Ok(granted)
    }

    async fn log(&self, id: JobId, entry: &JobLogEntry) -> PortResult<()> {
        self.state().job(id)?.1.push(entry.clone());
        Ok(())
    }

    async fn job(&self, id: JobId) -> PortResult<Option<Job>> {
        Ok(self.state().job(id).ok().map(|(job, _)| job.clone()))
    }

    async fn jobs(&self, limit: u64) -> PortResult<Vec<Job>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self
            .state()
            .jobs
            .iter()
            .rev()
            .take(limit)
            .map(|(job, _)| job.clone())
            .collect())
    }

    async fn job_log(&self, id: JobId) -> PortResult<Vec<JobLogEntry>> {
        Ok(self.state().job(id)?.1.clone())
    }
}

#[async_trait]
impl LineageStore for MemoryStore {
    async fn record_lineage(&self, edges: &[LineageEdge]) -> PortResult<Vec<LineageId>> {
        let stored: Vec<StoredEdge> = edges
            .iter()
            .map(|edge| StoredEdge {
                id: LineageId(self.id()),
                edge: edge.clone(),
            })
            .collect();
        let ids = stored.iter().map(|edge| edge.id).collect();
        self.state().lineage.extend(stored);
        Ok(ids)
    }

    async fn lineage_of_job(&self, job: JobId) -> PortResult<Vec<StoredEdge>> {
        Ok(self
            .state()
            .lineage
            .iter()
            .filter(|stored| stored.edge.job == Some(job))
            .cloned()
            .collect())
    }

    async fn lineage(&self) -> PortResult<Vec<StoredEdge>> {
        Ok(self.state().lineage.clone())
    }
}
