//! The metadata database on every engine: what goes in comes out, two writers at once do not hurt each other, and the
//! tables are the ones that the migrations make.
//!
//! SQLite runs always, PostgreSQL and MariaDB where they can be had; each test has databases of its own.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod given;
mod scratch;

mod database;
mod schema;

mod catalog;
mod conformance;
mod datasets;
mod places;
mod runs;
