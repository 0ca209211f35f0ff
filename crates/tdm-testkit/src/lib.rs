//! Conformance suites, fixtures and throw-away servers for testing TDM adapters.
//!
//! For tests only: no crate depends on it outside its dev-dependencies.

pub mod server;
