//! The metadata database on every engine: what goes in comes out, two writers at once do not hurt each other, and the
//! tables are the ones that the migrations make.
//!
//! SQLite runs always. PostgreSQL and MariaDB run where `TDM_TEST_POSTGRES_URL` and `TDM_TEST_MYSQL_URL` name a server
//! on which the role may create databases; each test makes its own database and drops it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise"
)]

mod given;
mod scratch;

mod database;
mod schema;

mod catalog;
mod datasets;
mod places;
mod runs;
