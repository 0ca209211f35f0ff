//! Vocabulary and ports of TDM.
//!
//! This crate holds the words that the other crates share (identifiers, types, catalog, batch, rule, finding),
//! the traits through which they meet databases and stores ([`port`]), and complete in-memory doubles of them
//! ([`memory`]). It does no I/O, has no clock, reads no environment and knows no runtime and no driver.
//!
//! The promise it makes: a [`batch::Batch`]`<`[`batch::Sensitive`]`>` cannot be handed to a
//! [`port::TableWriter`]; only a total plan or a generator makes a [`batch::Cleared`] one.

pub mod ident;
pub mod types;

pub mod catalog;
pub mod graph;

pub mod batch;
pub mod digest;
pub mod scalar;
pub mod time;
pub mod transform;

pub mod category;
pub mod detector;
pub mod finding;
pub mod profile;

pub mod function;
pub mod generator;
pub mod keyring;
pub mod rule;

pub mod dataset;
pub mod job;
pub mod lineage;
pub mod place;
pub mod unit;

pub mod cancel;
pub mod diagnostic;
pub mod error;
pub mod redact;
pub mod suggest;

pub mod memory;
pub mod port;

pub use arrow_array;
pub use arrow_buffer;
pub use arrow_schema;
