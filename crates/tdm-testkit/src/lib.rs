//! Conformance suites, fixtures and throw-away servers for testing TDM adapters.
//!
//! For tests only: no crate depends on it outside its dev-dependencies.

pub mod canary;
pub mod conformance;
pub mod fixture;
pub mod server;
