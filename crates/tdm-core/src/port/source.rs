//! Reading rows of one consistent state.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arrow_array::ArrayRef;
use async_trait::async_trait;
use futures_core::Stream;

use crate::batch::{Batch, BatchColumn, BatchLimit, Encoding, Sensitive};
use crate::catalog::{Column, TableSchema};
use crate::error::PortResult;
use crate::transform::ColumnRequest;
use crate::types::Engine;

/// What a source can do, for planning and for enrolling conformance tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact that planning asks for"
)]
pub struct SourceCapability {
    /// All scans of one source see one state of the database.
    pub snapshot: bool,
    /// [`RowFilter::Where`] works.
    pub predicate: bool,
    /// [`RowFilter::Keys`] works.
    pub key_set: bool,
    /// [`RowFilter::Sample`] works.
    pub sample: bool,
    /// Several scans may run at once.
    pub parallel_scans: bool,
}

impl SourceCapability {
    /// Nothing beyond whole-table scans.
    pub const fn none() -> Self {
        Self {
            snapshot: false,
            predicate: false,
            key_set: false,
            sample: false,
            parallel_scans: false,
        }
    }
}

/// What identifies a database as such, whatever name it was reached by. Two connections to one database have
/// equal identities.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerIdentity(pub String);

/// Rows in the order of the scan. Dropping the stream ends the scan.
pub type BatchStream = Pin<Box<dyn Stream<Item = PortResult<Batch<Sensitive>>> + Send>>;

/// Keys to look rows up by: one array per column, row by row one key. NULL never matches.
#[derive(Clone)]
pub struct KeyBatch {
    /// The columns, in the encoding in which the arrays lie.
    pub columns: Vec<BatchColumn>,
    /// The keys, one array per column, of equal length.
    pub arrays: Vec<ArrayRef>,
}

impl KeyBatch {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.arrays.first().map_or(0, |array| array.len())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for KeyBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.columns.iter().map(|c| c.name.as_str()).collect();
        f.debug_struct("KeyBatch")
            .field("columns", &columns)
            .field("keys", &self.len())
            .finish_non_exhaustive()
    }
}

/// Which rows of a table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RowFilter {
    /// All.
    All,
    /// Those for which an SQL condition in the engine's dialect, written by the user, is true.
    Where(String),
    /// Those whose key columns equal one of the keys. Every row once, however often its key is given.
    Keys(KeyBatch),
    /// About `rows` rows, spread over the table, the same for the same seed and state.
    Sample {
        /// Rows wanted.
        rows: u64,
        /// Seed.
        seed: u64,
    },
}

/// One scan.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// The table.
    pub table: Arc<TableSchema>,
    /// Columns in the order wanted; may be empty to count rows.
    pub columns: Vec<ColumnRequest>,
    /// Which rows.
    pub filter: RowFilter,
    /// How large batches may grow.
    pub limit: BatchLimit,
}

/// Streams rows of one consistent state of a database.
///
/// Snapshot: every scan of one source sees the state at its opening where [`SourceCapability::snapshot`] is
/// set. Order: a scan has an order of its own that is the same each time for one state; batch origins count
/// rows from 0. Memory: bounded by the batch limit. Writes: none, ever; connections are opened read only.
/// Cancellation: dropping a stream ends its scan. Errors name the table and never hold a value.
#[async_trait]
pub trait RowSource: fmt::Debug + Send + Sync {
    /// The engine.
    fn engine(&self) -> Engine;

    /// What it can do.
    fn capability(&self) -> SourceCapability;

    /// Which database this is.
    async fn identity(&self) -> PortResult<ServerIdentity>;

    /// The encoding in which [`crate::transform::Form::Decoded`] delivers `column`.
    fn encoding(&self, column: &Column) -> Encoding;

    /// The encoding in which [`crate::transform::Form::Carried`] delivers `column`.
    fn carried(&self, column: &Column) -> Encoding;

    /// Whether the server accepts the scan, without running it: a condition that does not parse or a table
    /// that the role cannot read is found here.
    async fn check(&self, request: &ScanRequest) -> PortResult<()>;

    /// Starts a scan.
    async fn scan(&self, request: ScanRequest) -> PortResult<BatchStream>;
}
