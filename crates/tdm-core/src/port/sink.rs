//! Loading into a target: stage, write, verify, publish.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::source::{RowSource, ServerIdentity};
use crate::batch::{Batch, BatchSchema, Cleared};
use crate::catalog::{ForeignKey, TableSchema};
use crate::digest::RowDigest;
use crate::error::PortResult;
use crate::ident::{JobId, TableRef};
use crate::types::Engine;

/// What a target can do, for planning and for enrolling conformance tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SinkCapability {
    /// Several tables may be written at once.
    pub parallel_writers: bool,
    /// What was staged becomes visible in one atomic step.
    pub atomic_publish: bool,
}

impl SinkCapability {
    /// One writer, atomic publication.
    pub const fn single_writer() -> Self {
        Self {
            parallel_writers: false,
            atomic_publish: true,
        }
    }
}

/// A place inside a target database that is published as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// Where an application looks: tables under their own names.
    Main,
    /// One version of one dataset.
    Dataset {
        /// Name of the dataset.
        dataset: String,
        /// Version number.
        version: u32,
    },
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::Dataset { dataset, version } => write!(f, "{dataset}@{version}"),
        }
    }
}

/// Says of a namespace that we made it, and what from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerMark {
    /// The job that made it.
    pub job: JobId,
    /// `dataset@version` that it holds.
    pub dataset: String,
}

/// What is in a namespace now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceState {
    /// Nothing.
    Empty,
    /// Tables that carry our mark.
    Ours,
    /// Tables that are not ours: publishing over them needs the owner's word.
    Foreign {
        /// How many tables.
        tables: usize,
    },
}

/// What to stage.
#[derive(Debug, Clone)]
pub struct StageRequest {
    /// Where it will be published.
    pub namespace: Namespace,
    /// Engine whose words the tables' native types and expressions are in.
    pub source_engine: Engine,
    /// Tables to create, parents first. Foreign keys that leave the set have been removed.
    pub tables: Vec<TableSchema>,
    /// Mark to leave.
    pub mark: OwnerMark,
}

/// A database that data is loaded into.
///
/// Everything is all or nothing: [`TargetDatabase::stage`] builds beside what is published, and only
/// [`Staging::publish`] changes what a reader sees, in one step. A process that dies in between leaves the
/// published data as it was and leftovers that [`TargetDatabase::remove_leftovers`] recognises.
#[async_trait]
pub trait TargetDatabase: fmt::Debug + Send + Sync {
    /// The engine.
    fn engine(&self) -> Engine;

    /// What it can do.
    fn capability(&self) -> SinkCapability;

    /// Which database this is.
    async fn identity(&self) -> PortResult<ServerIdentity>;

    /// What is in a namespace now.
    async fn state(&self, namespace: &Namespace) -> PortResult<NamespaceState>;

    /// Opens a staging area with the tables created and empty.
    async fn stage(&self, request: StageRequest) -> PortResult<Box<dyn Staging>>;

    /// Reads what is published in a namespace.
    async fn read(&self, namespace: &Namespace) -> PortResult<Arc<dyn RowSource>>;

    /// Removes what is published in a namespace. Nothing there is not an error.
    async fn remove(&self, namespace: &Namespace) -> PortResult<()>;

    /// Removes marked staging areas that no live job owns; returns how many.
    async fn remove_leftovers(&self) -> PortResult<usize>;
}

/// Opens writers for tables.
#[async_trait]
pub trait RowSink: Send {
    /// Opens a writer for `table`, whose batches will have `schema`. Columns that the server computes itself
    /// are not in it.
    ///
    /// # Errors
    /// When the table was not staged, a column does not exist or its encoding cannot be written there.
    async fn open(
        &mut self,
        table: &TableRef,
        schema: &Arc<BatchSchema>,
    ) -> PortResult<Box<dyn TableWriter>>;
}

/// A staging area: filled, completed, verified, then published or discarded.
///
/// Dropping it equals `discard` as far as a destructor can; leftovers are recognised later.
#[async_trait]
pub trait Staging: RowSink {
    /// Builds what is better built after the data: indexes, constraints, counters, statistics.
    async fn complete(&mut self) -> PortResult<()>;

    /// Rows of the staged child table whose reference finds no parent, counted by the server.
    async fn dangling(&mut self, foreign_key: &ForeignKey) -> PortResult<u64>;

    /// Reads the staged rows back.
    async fn read(&mut self) -> PortResult<Arc<dyn RowSource>>;

    /// Makes the staged tables visible in one step, in place of what was there.
    async fn publish(self: Box<Self>) -> PortResult<Publication>;

    /// Throws the staged tables away.
    async fn discard(self: Box<Self>) -> PortResult<()>;
}

/// Where something was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Location inside the target database, as a person would look for it.
    pub location: String,
}

/// What a writer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteReceipt {
    /// Count and digest of the rows as the target will return them.
    pub digest: RowDigest,
}

/// Writes cleared rows of one table.
///
/// Order: batches arrive in scan order of their unit. Retries: a unit that failed is aborted and written
/// again from its start. Durability: after `finish` the rows are in the staging area for as long as it lives.
/// Cancellation: dropping the writer equals `abort`. Triggers do not fire.
#[async_trait]
pub trait TableWriter: Send {
    /// Writes one batch.
    ///
    /// # Errors
    /// When the target refuses a row: names table, and column or constraint, never the value.
    async fn write(&mut self, batch: Batch<Cleared>) -> PortResult<()>;

    /// Ends the unit and says what was written.
    async fn finish(self: Box<Self>) -> PortResult<WriteReceipt>;

    /// Takes back what this writer wrote.
    async fn abort(self: Box<Self>) -> PortResult<()>;
}
