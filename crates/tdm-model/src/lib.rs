//! The metadata database of TDM: what was discovered, decided, built and deployed.
//!
//! [`MetadataDatabase`] implements every store of [`tdm_core::port`] over SQLite, PostgreSQL and MySQL/MariaDB. How
//! rows look is nobody's business outside this crate: what goes in and out is made of `tdm-core`'s words, and a new
//! release of sea-orm changes nothing for a user. Tables are made by the migrations, which this crate does not know.
//!
//! ```no_run
//! use tdm_core::port::PlaceStore as _;
//! use tdm_model::{DatabaseOptions, MetadataDatabase};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "sqlite:.tdm/tdm.sqlite";
//! tdm_model::create_database_if_missing(url).await?;
//! let database = MetadataDatabase::connect(url, &DatabaseOptions::default()).await?;
//! for stored in database.connections().await? {
//!     println!("{}", stored.connection.name);
//! }
//! # Ok(()) }
//! ```
//!
//! Errors name the cause and the engine's code, never a value, an address or a message of the driver.

mod address;
mod database;
mod identity;

mod convert;
mod entity;
mod guard;
mod parts;
mod store;
mod words;

mod cause;
mod error;

pub use cause::Cause;
pub use database::{DatabaseOptions, MetadataDatabase, create_database_if_missing};
pub use error::{Error, Result};
pub use identity::database_identity;
