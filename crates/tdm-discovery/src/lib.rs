//! The discovery engine: looks at a database through ports and says what is there.
//!
//! [`discover`] reads the catalog and a bounded, seeded sample of every table, measures a profile of every column and
//! finds references that the schema does not declare. [`diff`] compares two states of a schema, [`drift`] says what a
//! change means for decisions taken before it, [`picture`] draws.
//!
//! It knows no driver, no store, no runtime and no kind of personal data. Sampled values stay in memory: nothing that
//! it prints or returns for storing holds one.

mod error;
mod options;

mod scan;

mod profile;

mod infer;
mod relationship;
mod words;

mod diff;

pub mod picture;

pub use diff::{
    Change, ColumnDiff, ConstraintChange, ConstraintKind, Drift, ObjectChange, Renamed, SchemaDiff,
    TableDiff, carried_over, diff, drift,
};
pub use error::Error;
pub use infer::{Relationship, infer};
pub use options::{Depth, DiscoverContext, DiscoverOptions, InferOptions};
pub use profile::{GatherLimits, Gatherer, pattern_of, without_values};
pub use relationship::{checked as checked_relationships, find as find_table};
pub use scan::{Discovery, Observed, SkipReason, Skipped, discover};
pub use words::tokens as words;
