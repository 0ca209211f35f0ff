//! Work units and receipts: what is to be done, and the proof that it was.

use serde::{Deserialize, Serialize};

use crate::digest::RowDigest;
use crate::ident::TableRef;

/// The smallest piece of work that is retried as a whole. Independent of every other unit and idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkUnit {
    /// Number within the job.
    pub number: u32,
    /// Table.
    pub table: TableRef,
    /// Which rows.
    pub range: UnitRange,
    /// Hash of the plan it belongs to: a receipt of another plan proves nothing.
    pub plan_hash: String,
}

/// Which rows of its table a unit covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnitRange {
    /// All that the job selects.
    Whole,
    /// Synthetic rows by number, from `start` up to and without `end`.
    Rows {
        /// First row.
        start: u64,
        /// Row after the last.
        end: u64,
    },
}

/// Proof of a unit. `rows_read = rows_written + rows_rejected + rows_filtered` or the unit failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReceipt {
    /// The unit.
    pub unit: WorkUnit,
    /// Which attempt made it, from 1.
    pub attempt: u32,
    /// Rows that came from source or generator.
    pub rows_read: u64,
    /// Rows the target took.
    pub rows_written: u64,
    /// Rows refused with a locator and a code.
    pub rows_rejected: u64,
    /// Rows left out by a rule.
    pub rows_filtered: u64,
    /// Count and digest of the rows as written.
    pub digest: RowDigest,
}

impl UnitReceipt {
    /// Whether nothing is missing: the counts add up and the digest covers what was written.
    pub const fn balances(&self) -> bool {
        self.rows_read == self.rows_written + self.rows_rejected + self.rows_filtered
            && self.digest.rows == self.rows_written
    }
}
