//! SQLite as a source and as a target.
//!
//! A source is one read-only connection on a thread of its own, inside one read transaction: all scans of it
//! see one state, and their statements interleave. A target builds a new file beside the published one and
//! renames it into place.

mod affinity;
mod builder;
mod cells;
mod ddl;
mod ddl_parse;
mod decode;
mod failure;
mod introspect;
mod keys;
mod lock;
mod publish;
mod sample;
mod scan;
mod script;
mod source;
mod staging;
mod target;
mod text;
pub(crate) mod token;
mod types;
mod worker;
mod writer;

pub use script::execute_script;
pub use source::{SourceOptions, SqliteSource};
pub use target::{APPLICATION_ID, SqliteTarget, TargetOptions};
