//! Telling a person who waits.

use std::fmt;

use crate::ident::TableRef;

/// Something a person waiting for a job wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgressEvent {
    /// A step begins.
    StepStarted {
        /// Its name.
        step: String,
    },
    /// A step ended well.
    StepFinished {
        /// Its name.
        step: String,
        /// One line with counts.
        summary: String,
    },
    /// Rows of a table moved.
    Rows {
        /// The step.
        step: String,
        /// The table.
        table: TableRef,
        /// Rows so far.
        rows: u64,
        /// Rows expected, when known.
        expected: Option<u64>,
    },
}

/// Listens to a job. Called once a batch; must return quickly.
pub trait Progress: fmt::Debug + Send + Sync {
    /// Takes one event.
    fn report(&self, event: &ProgressEvent);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _: &ProgressEvent) {}
}
