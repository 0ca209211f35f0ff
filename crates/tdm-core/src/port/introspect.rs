//! Reading a schema.

use std::fmt;

use async_trait::async_trait;

use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::error::PortResult;

/// What a scan of a schema understood, and what it did not.
#[derive(Debug, Clone, PartialEq)]
pub struct Introspection {
    /// The catalog.
    pub catalog: Catalog,
    /// Objects that are unknown, invisible to the role, or will not be carried.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the schema of a database.
///
/// Reading degrades: an unknown type or an object the role cannot see is a diagnostic with its name, not an
/// error. Nothing is written. Equal schemas give equal catalogs.
#[async_trait]
pub trait Introspector: fmt::Debug + Send + Sync {
    /// Reads everything the role can see.
    ///
    /// # Errors
    /// When the server cannot be reached or its catalog cannot be read at all.
    async fn introspect(&self) -> PortResult<Introspection>;
}
