//! The history of the metadata schema: what its tables were, and the steps from nothing to now.
//!
//! A database is named by its address, and nothing of sea-orm is needed to use this crate:
//!
//! ```no_run
//! # async fn example() -> migration::Result<()> {
//! let url = "sqlite://.tdm/tdm.sqlite";
//! let applied = migration::up(url, None).await?;
//! assert!(migration::status(url).await?.is_current());
//! # Ok(()) }
//! ```
//!
//! The history imports no other crate of this workspace: entities move with the code, and a migration must mean
//! tomorrow what it means today. Whether entities and history agree is checked from outside, on a scratch database.
//!
//! Addresses are `sqlite:<path>`, `postgres://…` and `mysql://…` (or `mariadb://…`); the database must exist.

use std::time::Duration;

mod cause;
#[allow(
    dead_code,
    reason = "each migration takes the words it needs; the first ones only create tables"
)]
mod change;
mod connect;
mod error;
mod history;
mod lock;
mod m20261122_000001_create_metadata;
mod portable;
mod rows;
mod runner;

pub use cause::Cause;
pub use error::{Error, Result};
pub use history::{MIGRATION_TABLE, Migrator, tables};
pub use rows::filled_tables;
pub use runner::{Applied, Status, down, fresh, status, up};

/// Longest wait for another process that changes the schema.
const LOCK_WAIT: Duration = Duration::from_secs(60);
