//! SQLite as a source and as a target.
//!
//! A source is one read-only connection on a thread of its own, inside one read transaction: all scans of it
//! see one state, and their statements interleave. A target builds a new file beside the published one and
//! renames it into place.
//!
//! # Types
//!
//! Between SQLite files a table keeps its own text, so nothing is translated. A table that another engine
//! declared gets the types below. NUMERIC affinity makes a number of any text that reads as one; where that
//! would lose digits or change a document, the type's name carries `TEXT`, which keeps the value as written.
//!
//! | logical type | declared as | stored as |
//! | --- | --- | --- |
//! | boolean | `BOOLEAN` | integer 0 or 1 |
//! | integer, 8 to 64 bits | `TINYINT`, `SMALLINT`, `MEDIUMINT`, `INTEGER`, `BIGINT`, with `UNSIGNED` | integer |
//! | integer, 64 bits, unsigned | `DECIMAL_TEXT(20,0)` | text |
//! | decimal of at most 15 digits | `DECIMAL(p,s)` | integer or real |
//! | any other decimal | `DECIMAL_TEXT(p,s)` | text |
//! | float | `REAL` | real; NaN is refused, SQLite has none |
//! | text, enum, interval, array, other | `VARCHAR(n)`, `TEXT` | text |
//! | bytes | `BLOB`, `VARBINARY(n) BLOB` | blob |
//! | date, time | `DATE`, `TIME` | text, `YYYY-MM-DD`, `HH:MM:SS[.ffffff]` |
//! | timestamp, zoned timestamp | `DATETIME`, `TIMESTAMPTZ` | text, the latter in UTC with `+00:00` |
//! | UUID, JSON | `UUID_TEXT`, `JSON_TEXT` | text |
//!
//! Introspection reads these names back as the same logical types, but for integers of 32 bits, which SQLite's
//! `INTEGER` makes 64. Defaults are carried when they are plain
//! literals; checks, generation expressions and partial or expression indexes of another dialect are not.

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
