//! Subsetting: the smallest set of rows that holds the seeds, the children a policy asks for, and every row
//! that any of them refers to.
//!
//! The definition. Seeds are *expanded*. An expanded row's selected children are expanded. A present row's
//! parents are *needed*; a needed row brings its own parents and no children. The subset is the least
//! fixpoint of these rules: unique, and the same whatever the order, the batch size or the engine.
//!
//! The cost follows the subset, not the database: each row's keys are read once, keys are bound as arrays,
//! and the source is never written.

mod closure;
mod key;
mod plan;
mod spec;

pub(crate) use closure::whole_row;
pub use closure::{Closure, EdgeContribution, Reason, TableSelection, close};
pub(crate) use key::{Key, bind};
pub use plan::{EdgePlan, SubsetPlan};
pub use spec::{Down, EdgePolicy, Seed, SeedRows, SubsetSpec};
