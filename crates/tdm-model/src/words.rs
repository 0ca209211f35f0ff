//! The words that columns with a check may hold, taken from the types that they stand for.

use tdm_core::catalog::RelationshipKind;
use tdm_core::dataset::{DatasetSource, DatasetStatus};
use tdm_core::diagnostic::Severity;
use tdm_core::finding::Decision;
use tdm_core::job::JobStatus;
use tdm_core::place::EnvironmentKind;

/// Whether a scan saw everything.
pub(crate) const SCAN_STATUSES: &[&str] = &[SCAN_COMPLETE, SCAN_PARTIAL];
/// Nothing was left out or guessed.
pub(crate) const SCAN_COMPLETE: &str = "complete";
/// At least one diagnostic is more than a note.
pub(crate) const SCAN_PARTIAL: &str = "partial";

macro_rules! words {
    ($($(#[$doc:meta])* $list:ident, $parse:ident: $type:ident { $($variant:ident),+ })+) => {$(
        $(#[$doc])*
        pub(crate) fn $list() -> Vec<&'static str> {
            [$($type::$variant),+].into_iter().map($type::as_str).collect()
        }

        /// The value that `word` stands for.
        pub(crate) fn $parse(word: &str) -> Option<$type> {
            [$($type::$variant),+].into_iter().find(|value| value.as_str() == word)
        }
    )+};
}

words! {
    /// Where references are known from.
    relationship_kinds, relationship_kind: RelationshipKind { Declared, Virtual, Inferred, Polymorphic }
    /// Where classifications stand.
    decisions, decision: Decision { Suggested, Confirmed, Rejected }
    /// How rows of datasets come to be.
    dataset_sources, dataset_source: DatasetSource { Subset, Masked, Synthetic, Mixed }
    /// Where dataset versions stand.
    dataset_statuses, dataset_status: DatasetStatus { Building, Published, Failed, Retired }
    /// Where jobs stand.
    job_statuses, job_status: JobStatus { Pending, Running, Completed, Failed, Cancelled }
    /// Levels of log lines.
    severities, severity: Severity { Info, Warning, Error }
    /// What environments are for.
    environment_kinds, environment_kind: EnvironmentKind { Production, Staging, Test, Development }
}
