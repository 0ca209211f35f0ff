//! The way in: from a URL to the ports, whatever the engine.

use std::sync::Arc;

use tdm_core::error::{PortError, PortResult};
use tdm_core::port::{Introspector, RowSource, TargetDatabase};
use tdm_core::types::Engine;

use crate::sqlite::{SourceOptions, SqliteSource, SqliteTarget};
use crate::url::DatabaseUrl;

/// A database that rows and schema are read from.
pub trait SourceDatabase: RowSource + Introspector {}

impl<T: RowSource + Introspector> SourceDatabase for T {}

/// Opens a database to read from. Nothing is ever written to it.
///
/// # Errors
/// When the database does not exist, cannot be read, or its engine is not supported as a source.
pub async fn open_source(url: &DatabaseUrl) -> PortResult<Arc<dyn SourceDatabase>> {
    match url.sqlite_path() {
        Some(path) => Ok(Arc::new(
            SqliteSource::open(path, SourceOptions::default()).await?,
        )),
        None => Err(unsupported(url.engine(), "reading a source")),
    }
}

/// Opens a database to load data into. A SQLite file need not exist yet.
///
/// # Errors
/// When the place cannot be used, or its engine is not supported as a target.
pub async fn open_target(url: &DatabaseUrl) -> PortResult<Arc<dyn TargetDatabase>> {
    match url.sqlite_path() {
        Some(path) => Ok(Arc::new(SqliteTarget::open(path)?)),
        None => Err(unsupported(url.engine(), "loading into a target")),
    }
}

fn unsupported(engine: Engine, what: &str) -> PortError {
    PortError::Unsupported {
        engine,
        what: format!("{what} in this version of TDM; SQLite files are supported"),
    }
}
