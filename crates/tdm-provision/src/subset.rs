//! Subsetting: the smallest set of rows that holds the seeds, the children a policy asks for, and every row
//! that any of them refers to.
//!
//! The definition. Seeds are *expanded*. An expanded row's selected children are expanded. A present row's
//! parents are *needed*; a needed row brings its own parents and no children. The subset is the least
//! fixpoint of these rules: unique, and the same whatever the order, the batch size or the engine.
//! References that find no parent are dealt with afterwards, by a second fixpoint that only takes rows away.
//!
//! The cost follows the subset, not the database: each row's keys are read once, keys are bound as arrays,
//! and the source is never written.

mod binding;
mod choose;
mod closure;
mod explain;
mod key;
mod names;
mod options;
mod orphan;
mod parents;
mod plan;
mod predict;
mod project;
mod scans;
mod selection;
mod spec;
mod unmatched;

pub(crate) use binding::Binding;
pub use choose::{Feature, State};
pub use closure::{close, close_with};
pub use explain::{Link, Rule, explain};
pub(crate) use key::{Key, KeyReader, KeyRef};
pub use options::CloseOptions;
pub use plan::{EdgePlan, SubsetPlan};
pub use predict::{
    Budget, Cycle, EdgePrediction, Prediction, Proposal, Statistics, TablePrediction, predict,
    propose,
};
pub(crate) use project::whole_row;
pub use selection::{Closure, EdgeContribution, TableSelection};
pub(crate) use selection::{Nulled, Stubs};
pub use spec::{
    Down, EdgeDetail, EdgePolicy, KeyText, Order, OrphanPolicy, Seed, SeedRows, SubsetSpec,
};
