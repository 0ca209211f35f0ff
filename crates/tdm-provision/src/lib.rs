//! Engines over the ports of `tdm-core`: the closure of a subset, the pipeline that copies and clears it, the
//! load into a staging area, its verification, and publication.
//!
//! This crate knows no driver, no metadata database and no masking function; it is given sources, targets and
//! transforms and holds them to the equalities: what was read is what was written, rejected or filtered, and
//! what the target returns is what was written.

pub mod build;
pub mod deploy;
pub mod guard;
pub mod subset;

mod error;

pub use error::{Error, Result};
